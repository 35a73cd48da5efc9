"""Measure verdicts on claims whose verdict is known, and that every quote is exact."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.domain import Label
from rag.errors import ReadError

if TYPE_CHECKING:
    from rag.assistant import Assistant

Known = tuple[str, str]


def read_claims(path: Path) -> list[Known]:
    """Read (claim, verdict) of a JSONL file with `claim` and `verdict`. Raises ReadError."""
    labels = {label.value for label in Label}
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        known = [(str(r["claim"]), str(r["verdict"])) for r in rows]
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise ReadError(
            f"{path} ne se lit pas comme des affirmations ({error}) : il faut un objet JSON par "
            "ligne, avec claim et verdict."
        ) from error
    if wrong := [v for _, v in known if v not in labels]:
        raise ReadError(f"{path} : « {wrong[0]} » n'est pas un verdict ({', '.join(labels)}).")
    return known


def measure_claims(
    assistant: Assistant, known: Sequence[Known], step: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Return accuracy, precision and recall of each verdict, wrong cases, and inexact quotes."""
    counts: Counter[tuple[str, str]] = Counter()
    wrong, inexact = [], 0
    for text, verdict in known:
        claim = assistant.verify(text).claims[0]
        counts[verdict, claim.verdict.value] += 1
        if claim.verdict.value != verdict:
            wrong.append({"claim": text, "expected": verdict, "found": claim.verdict.value})
        for evidence in claim.evidence:
            cited = evidence.citation
            article = assistant.article(cited.article_id).text
            inexact += article[cited.start : cited.end] != cited.quote
        step()
    verdicts = {}
    for label in Label:
        said = sum(n for (_, b), n in counts.items() if b == label.value)
        true = sum(n for (a, _), n in counts.items() if a == label.value)
        right = counts[label.value, label.value]
        verdicts[label.value] = {
            "known": true,
            "said": said,
            "precision": right / said if said else None,
            "recall": right / true if true else None,
        }
    return {
        "claims": len(known),
        "accuracy": sum(counts[v.value, v.value] for v in Label) / max(1, len(known)),
        "inexact_quotes": inexact,
        "verdicts": verdicts,
        "wrong": wrong,
    }
