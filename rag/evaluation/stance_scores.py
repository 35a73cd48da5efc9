"""Measure a network of entailment on pairs of sentences with known labels."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rag import messages
from rag.checking.entailment import Entailment
from rag.errors import ReadError
from rag.indexing.batches import batched
from rag.models.comparer import Compared

SUPPORTS, NEITHER, CONTRADICTS = 0, 1, 2
STANCE_NAMES = ("supports", "neither", "contradicts")
THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
Pair = tuple[str, str, int]


def read_pairs(path: Path) -> list[Pair]:
    """Read premise, hypothesis, class of a TSV file; -1 where it is « not a contradiction ».

    The class comes from `label_text` (entailment, neutral, contradiction,
    compatibles), else from `label` as 0, 1, 2. Raises ReadError.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        return [(r["premise"], r["hypothesis"], _class(r)) for r in rows]
    except (OSError, UnicodeDecodeError, KeyError, ValueError, TypeError) as error:
        raise ReadError(messages.NOT_PAIRS.format(path, error)) from error


def _class(row: dict[str, str]) -> int:
    text = (row.get("label_text") or row["label"]).lower()
    for start, value in (("entail", SUPPORTS), ("neutr", NEITHER), ("contra", CONTRADICTS),
                         ("compat", -1)):  # fmt: skip
        if text.startswith(start):
            return value
    return int(row["label"])


def measure_stance(
    pairs: list[Pair],
    network: Entailment,
    step: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Return accuracy, macro-F1, confusion and precision at each threshold, of the network alone.

    Two classes are measured when some pairs are only known not to contradict.
    """
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

    two = any(label < 0 for _, _, label in pairs)
    read: list[Compared] = []
    for some in batched(pairs, _AT_A_TIME):
        read += network.compare([(hypothesis, premise) for premise, hypothesis, _ in some])
        for _ in some:
            step()
    if two:
        truth = [int(label == CONTRADICTS) for _, _, label in pairs]
        predictions = [int(r.against > _EVEN_PROBABILITY) for r in read]
        names = ["compatible", "contradicts"]
    else:
        truth = [label for _, _, label in pairs]
        predictions = [_likeliest(r) for r in read]
        names = list(STANCE_NAMES)
    return {
        "pairs": len(pairs),
        "engine": network.name,
        "classes": names,
        "accuracy": float(accuracy_score(truth, predictions)),
        "macro_f1": float(f1_score(truth, predictions, average="macro")),
        "confusion": confusion_matrix(truth, predictions, labels=range(len(names))).tolist(),
        "precision": [_precision(pairs, read, t) for t in THRESHOLDS],
    }


_AT_A_TIME = 32  # pairs
_EVEN_PROBABILITY = 0.5


def _likeliest(read: Compared) -> int:
    shares = (read.follows, 1 - read.follows - read.against, read.against)
    return shares.index(max(shares))


def _precision(pairs: list[Pair], read: list[Compared], threshold: float) -> dict[str, Any]:
    row: dict[str, Any] = {"threshold": threshold}
    for name, field, value in (
        ("supports", "follows", (SUPPORTS, -1)), ("contradicts", "against", (CONTRADICTS,)),
    ):  # fmt: skip
        outcomes = [
            label in value
            for (_, _, label), r in zip(pairs, read, strict=True)
            if float(getattr(r, field)) >= threshold
        ]
        precision = sum(outcomes) / len(outcomes) if outcomes else None
        row[name] = {"said": len(outcomes), "precision": precision}
    return row
