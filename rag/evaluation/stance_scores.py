"""Measure a stance engine on pairs of sentences with known labels."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.checking.stance import Candidate, Judgement, StanceEngine
from rag.errors import ReadError
from rag.models.scale import CosineScale

if TYPE_CHECKING:
    from rag.models.embedding import Embedder

SUPPORTS, NEITHER, CONTRADICTS = 0, 1, 2
NAMES = ("supports", "neither", "contradicts")
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
        raise ReadError(
            f"{path} ne se lit pas comme des paires de phrases ({error}) : il faut un fichier TSV "
            "avec les colonnes premise, hypothesis et label ou label_text."
        ) from error


def _class(row: dict[str, str]) -> int:
    text = (row.get("label_text") or "").lower()
    for start, value in (("entail", SUPPORTS), ("neutr", NEITHER), ("contra", CONTRADICTS),
                         ("compat", -1)):  # fmt: skip
        if text.startswith(start):
            return value
    return int(row["label"])


def measure_stance(
    pairs: list[Pair],
    engine: StanceEngine,
    embedder: Embedder,
    step: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Return accuracy, macro-F1, confusion and precision at each verdict threshold.

    Two classes are measured when some pairs are only known not to contradict.
    """
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

    scale = CosineScale(embedder)
    two = any(label < 0 for _, _, label in pairs)
    judged: list[Judgement] = []
    for premise, hypothesis, _ in pairs:
        step()
        a, b = embedder.embed_passages([premise, hypothesis])
        likeness = scale.alike(float(a @ b))
        judged += engine.judge(hypothesis, [Candidate(premise, similarity=likeness)])
    if two:
        truth = [int(label == CONTRADICTS) for _, _, label in pairs]
        said = [int(j.contradicts > _EVEN) for j in judged]
        names = ["compatible", "contradicts"]
    else:
        truth = [label for _, _, label in pairs]
        said = [NAMES.index(j.stance.value) for j in judged]
        names = list(NAMES)
    return {
        "pairs": len(pairs),
        "engine": engine.name,
        "classes": names,
        "accuracy": float(accuracy_score(truth, said)),
        "macro_f1": float(f1_score(truth, said, average="macro")),
        "confusion": confusion_matrix(truth, said, labels=range(len(names))).tolist(),
        "precision": [_precision(pairs, judged, t) for t in THRESHOLDS],
    }


# Where two classes are as likely as each other; retrieval finds fewer contradictions, and the
# built-in model's prior says so: log-odds of -1.
_EVEN = 0.269


def _precision(pairs: list[Pair], judged: list[Judgement], threshold: float) -> dict[str, Any]:
    row: dict[str, Any] = {"threshold": threshold}
    for name, value in (("supports", (SUPPORTS, -1)), ("contradicts", (CONTRADICTS,))):
        said = [
            label in value
            for (_, _, label), j in zip(pairs, judged, strict=True)
            if float(getattr(j, name)) >= threshold
        ]
        row[name] = {"said": len(said), "precision": sum(said) / len(said) if said else None}
    return row
