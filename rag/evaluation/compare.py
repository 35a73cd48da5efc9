"""Is a difference between two runs more than chance? Paired, question by question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from rag import messages
from rag.errors import ReadError
from rag.evaluation.answer_scores import is_correct
from rag.evaluation.results import Result

_RESAMPLES = 9999
_SEED = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """Means of one measure in two runs, over the questions they share.

    `p` is the two-sided p-value of a paired permutation test: how often random
    exchanges of the two runs, question by question, differ as much.
    """

    measure: str
    before: float
    after: float
    count: int
    p: float


def compare(before: Result, after: Result) -> list[Difference]:
    """Return the difference of each measure. Raises ReadError when runs cannot be compared."""
    if before["kind"] != after["kind"]:
        raise ReadError(messages.DIFFERENT_MEASURES)
    old, new = _by_question(before), _by_question(after)
    shared = [i for i in old if i in new]
    if not shared:
        raise ReadError(messages.NO_COMMON_QUESTION)
    found = []
    for measure in old[shared[0]]:
        pairs = [
            (old[i][measure], new[i][measure])
            for i in shared
            if old[i].get(measure) is not None and new[i].get(measure) is not None
        ]
        if pairs:
            a, b = np.array(pairs, dtype=float).T
            found.append(
                Difference(measure, float(a.mean()), float(b.mean()), len(pairs), _p_value(a, b))
            )
    return found


def _p_value(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    if np.array_equal(a, b):
        return 1.0
    test = stats.permutation_test(
        (a, b),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=_RESAMPLES,
        rng=np.random.default_rng(_SEED),
    )
    return float(test.pvalue)


def _by_question(result: Result) -> dict[tuple[str, str], dict[str, float | None]]:
    return {(q["id"], q["question"]): _values(result["kind"], q) for q in result["questions"]}


def _values(kind: str, question: Mapping[str, Any]) -> dict[str, float | None]:
    if kind == "retrieval":
        return {
            f"{name} ({stage})": value
            for stage, measures in question["stages"].items()
            for name, value in measures.items()
        }
    answerable, refused, right = (question[k] for k in ("answerable", "refused", "right"))
    return {
        "correct": float(is_correct(question)),
        "answered and first right": float(right[:1] == [True]) if answerable else None,
        "answered and any right": float(any(right)) if answerable else None,
        "wrong refusal": float(refused) if answerable else None,
        "wrong answer": None if answerable else float(not refused),
    }
