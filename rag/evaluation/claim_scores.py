"""Measure verdicts on claims whose verdict is known, their evidence, and that quotes are exact."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import messages
from rag.domain import CheckedClaim, Label
from rag.errors import ReadError
from rag.evaluation.data import Quote
from rag.evaluation.results import latency, mean
from rag.searching.matching import stem_set

if TYPE_CHECKING:
    from rag.operations import Assistant

MULTIPLE = "multiple"  # the verdict of a paragraph, whose claims have each their own
ABSENT = "affirmation non trouvée"
_SAME_CLAIM = 0.5  # share of the words of both that two wordings of one claim have in common


@dataclass(frozen=True, slots=True)
class ClaimExample:
    """A claim, its verdict, and the quotes of which one must be among the evidence."""

    claim: str
    verdict: str
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class TextExample:
    """What is checked at once: a claim, or a paragraph with the claims that it makes."""

    text: str
    claims: tuple[ClaimExample, ...]


def read_claims(path: Path) -> list[TextExample]:
    """Read a JSONL file with `claim` and `verdict` a line.

    `evidence`, where there is some, lists `article_id` and `quote`. A paragraph has the verdict
    « multiple » and its `claims`, of the same fields. Raises ReadError.
    """
    labels = {label.value for label in Label}
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        examples = [_text_example(row) for row in rows]
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise ReadError(messages.NOT_CLAIMS.format(path, error)) from error
    for text in examples:
        if wrong := [c.verdict for c in text.claims if c.verdict not in labels]:
            raise ReadError(messages.NOT_A_VERDICT.format(path, wrong[0], ", ".join(labels)))
    return examples


def _text_example(row: dict[str, Any]) -> TextExample:
    if row["verdict"] != MULTIPLE:
        return TextExample(str(row["claim"]), (_claim_example(row),))
    return TextExample(str(row["claim"]), tuple(_claim_example(claim) for claim in row["claims"]))


def _claim_example(row: dict[str, Any]) -> ClaimExample:
    evidence = row.get("evidence", ())
    quotes = tuple(Quote(str(e["article_id"]), str(e["quote"])) for e in evidence)
    return ClaimExample(str(row["claim"]), str(row["verdict"]), quotes)


def measure_claims(
    assistant: Assistant, examples: Sequence[TextExample], step: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Return how verdicts compare with the known ones, and whether quotes are exact.

    Accuracy, precision and recall of each verdict, wrong cases, the share of claims with expected
    evidence of which some is shown (claims that could not be told aside), how many claims a
    paragraph makes that nobody expected, and milliseconds a claim.
    """
    counts: Counter[tuple[str, str]] = Counter()
    wrong, inexact, unexpected = [], 0, 0
    shown: list[bool] = []
    milliseconds: list[float] = []
    for text in examples:
        began = time.perf_counter()
        found = assistant.verify(text.text).claims
        milliseconds.append(1000 * (time.perf_counter() - began) / max(1, len(found)))
        paired = list(_paired(text.claims, found))
        unexpected += len(found) - sum(claim is not None for _, claim in paired)
        for expected, claim in paired:
            verdict = claim.verdict.value if claim else ABSENT
            counts[expected.verdict, verdict] += 1
            if verdict != expected.verdict:
                row = {"claim": expected.claim, "expected": expected.verdict, "found": verdict}
                wrong.append(row)
            if expected.quotes and expected.verdict in _EVIDENT:
                shown.append(claim is not None and _shows(claim, expected.quotes))
        inexact += sum(_inexact(assistant, claim) for claim in found)
        step()
    claims = sum(counts.values())
    return {
        "claims": claims,
        "accuracy": sum(counts[v.value, v.value] for v in Label) / max(1, claims),
        "evidence_shown": mean(shown),
        "unexpected": unexpected,
        "inexact_quotes": inexact,
        "milliseconds": latency(milliseconds),
        "verdicts": {label.value: _measures(counts, label.value) for label in Label},
        "table": {f"{a} → {b}": n for (a, b), n in sorted(counts.items())},
        "wrong": wrong,
    }


# Verdicts that rest on a sentence; the others have no evidence that one must see.
_EVIDENT = {Label.SUPPORTED.value, Label.CONTRADICTED.value, Label.DECLARED.value}


def _paired(
    examples: Sequence[ClaimExample], found: Sequence[CheckedClaim]
) -> Iterator[tuple[ClaimExample, CheckedClaim | None]]:
    """Yield each known claim with the one of those found that says it, each once, or None."""
    if len(examples) == 1:
        yield examples[0], found[0]
        return
    left = list(found)
    for claim in examples:
        wanted = stem_set(claim.claim)

        def shared(other: CheckedClaim, wanted: frozenset[str] = wanted) -> float:
            theirs = stem_set(other.text)
            return 2 * len(wanted & theirs) / max(1, len(wanted) + len(theirs))

        best = max(left, key=shared, default=None)
        if best is not None and shared(best) >= _SAME_CLAIM:
            left.remove(best)
            yield claim, best
        else:
            yield claim, None


def _shows(claim: CheckedClaim, quotes: Sequence[Quote]) -> bool:
    cited = [e.citation for e in claim.evidence]
    return any(q.covered(c.article_id, c.quote) for q in quotes for c in cited)


def _inexact(assistant: Assistant, claim: CheckedClaim) -> int:
    count = 0
    for evidence in claim.evidence:
        cited = evidence.citation
        article = assistant.article(cited.article_id).text
        count += article[cited.start : cited.end] != cited.quote
    return count


def _measures(counts: Counter[tuple[str, str]], label: str) -> dict[str, float | None]:
    predictions = sum(n for (_, b), n in counts.items() if b == label)
    true = sum(n for (a, _), n in counts.items() if a == label)
    right = counts[label, label]
    return {
        "known": true,
        "said": predictions,
        "precision": right / predictions if predictions else None,
        "recall": right / true if true else None,
    }
