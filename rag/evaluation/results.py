"""What an evaluation gives: figures, and each question behind them, as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rag import messages
from rag.errors import ReadError

FORMAT = 1
Result = dict[str, Any]
STEP_NAMES = {  # those of `retrieval.STEPS`, as they are shown
    "embedding": "vecteur de la question",
    "dense": "voisins (Chroma)",
    "lexical": "mots (tantivy)",
    "completion": "scores manquants",
    "fusion": "fusion",
    "passages": "lecture des passages",
    "reranking": "réordonnancement",
}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values lie, by nearest rank; 0 for none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def latency(milliseconds: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th percentile, in milliseconds."""
    return {
        "p50_ms": round(percentile(milliseconds, 0.5), 1),
        "p95_ms": round(percentile(milliseconds, 0.95), 1),
    }


def mean(values: Iterable[float | bool]) -> float | None:
    """Return the mean to four places, None for no value."""
    found = list(values)
    return round(sum(found) / len(found), 4) if found else None


def save(result: Result, path: Path) -> None:
    """Write a result. Raises ReadError when the file cannot be written."""
    try:
        path.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ReadError(messages.RESULT_NOT_WRITTEN.format(path, error)) from error


def load(path: Path) -> Result:
    """Read a result. Raises ReadError when it is not one."""
    try:
        result: Result = json.loads(path.read_text(encoding="utf-8"))
        if result["format"] == FORMAT and result["kind"] in {"retrieval", "answers"}:
            return result
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReadError(messages.NOT_A_RESULT.format(path, type(error).__name__)) from error
    raise ReadError(messages.OTHER_RESULT_VERSION.format(path))
