"""Measure the check of a written sentence against the passage that it cites."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag import messages
from rag.domain import Hit, Passage, Source, Statement
from rag.errors import ReadError
from rag.evaluation.results import mean


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence, the passage that it cites, and whether the passage says all of it."""

    passage: str
    statement: str
    supported: bool
    kind: str = ""

    def hit(self) -> Hit:
        """Return the passage as a search gives it."""
        text = self.passage
        return Hit(Passage("a:v:0", "a", 0, 0, len(text), text), Source(""), 0.0)


def read_support(path: Path) -> list[Pair]:
    """Read a JSONL file with `passage`, `statement`, `supported` and perhaps `kind` a line.

    Raises ReadError.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        return [
            Pair(str(r["passage"]), str(r["statement"]), bool(r["supported"]), r.get("kind", ""))
            for r in rows
        ]
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise ReadError(messages.NOT_SUPPORT_PAIRS.format(path, error)) from error


def measure_support(
    pairs: Sequence[Pair],
    check: Callable[[str, Sequence[Hit]], Statement | None],
    step: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Return how often the check is right, by kind, and each pair on which it is wrong.

    `kept` is the share of true sentences that pass, `caught` that of false ones that do not;
    balanced accuracy is their mean. `check` takes a sentence with its mark `[1]`, and passages.
    """
    right: dict[str, list[bool]] = defaultdict(list)
    acceptances: list[bool] = []
    rejections: list[bool] = []
    wrong: list[dict[str, Any]] = []
    for pair in pairs:
        found = check(f"{pair.statement} [1]", [pair.hit()])
        passes = found is not None and found.supported
        fine = passes == pair.supported
        (acceptances if pair.supported else rejections).append(fine)
        right[f"{'vrai' if pair.supported else 'faux'} : {pair.kind}"].append(fine)
        if not fine:
            problem = found.problem if found else ""
            wrong.append(
                {
                    "statement": pair.statement,
                    "passage": pair.passage,
                    "supported": pair.supported,
                    "kind": pair.kind,
                    "problem": problem,
                }
            )
        step()
    shares = [share for share in (mean(acceptances), mean(rejections)) if share is not None]
    return {
        "pairs": len(pairs),
        "balanced_accuracy": round(sum(shares) / len(shares), 4) if shares else None,
        "kept": mean(acceptances),
        "caught": mean(rejections),
        "by_kind": {
            kind: {"pairs": len(found), "right": mean(found)}
            for kind, found in sorted(right.items())
        },
        "wrong": wrong,
    }
