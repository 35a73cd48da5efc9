"""Measure each stage of retrieval: is the article that answers among the first?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import ir_measures
from ir_measures import RR, Success, nDCG

from rag.domain import Hit
from rag.evaluation.data import Item
from rag.evaluation.results import FORMAT, Result, latency, mean
from rag.french.words import excerpt
from rag.searching.retrieval import STEPS, Retriever

MEASURES = {
    "R@1": Success @ 1,
    "R@5": Success @ 5,
    "R@10": Success @ 10,
    "MRR@10": RR @ 10,
    "nDCG@10": nDCG @ 10,
}
_SHOWN_HITS = 3


def evaluate(
    retriever: Retriever, items: Sequence[Item], step: Callable[[], None] = lambda: None
) -> Result:
    """Return the measures of each stage over answerable items, and each question's own.

    Articles are ranked by their best passage. R@k is the share of questions
    with a right article among the first k. `latency` is in milliseconds, that
    of the whole and, under `steps`, of each of `retrieval.STEPS`.
    """
    asked = [item for item in items if item.gold]
    runs: dict[str, dict[str, dict[str, float]]] = {}
    times: list[float] = []
    steps: list[dict[str, float]] = []
    first: dict[str, list[dict[str, str]]] = {}
    for item in asked:
        steps.append(dict.fromkeys(STEPS, 0.0))
        began = time.perf_counter()
        stages = retriever.stages(item.question, timed=lambda name: _clock(steps[-1], name))
        times.append(1000 * (time.perf_counter() - began))
        for stage, hits in stages.items():
            order = _articles(hits)
            runs.setdefault(stage, {})[item.id] = {a: 1.0 / (1 + n) for n, a in enumerate(order)}
        first[item.id] = [_shown(hit) for hit in stages["reranked"][:_SHOWN_HITS]]
        step()
    truth = {item.id: {g.article_id: 1 for g in item.gold} for item in asked}
    by_stage = {stage: _measure(truth, run) for stage, run in runs.items()}
    return {
        "format": FORMAT,
        "kind": "retrieval",
        "count": len(asked),
        "stages": {
            stage: {name: mean(q[name] for q in found.values()) for name in MEASURES}
            for stage, found in by_stage.items()
        },
        "latency": latency(times) | {"steps": {n: latency([s[n] for s in steps]) for n in STEPS}},
        "questions": [
            {
                "id": item.id,
                "question": item.question,
                "gold": sorted(truth[item.id]),
                "stages": {stage: found[item.id] for stage, found in by_stage.items()},
                "milliseconds": round(ms, 1),
                "first": first[item.id],
            }
            for item, ms in zip(asked, times, strict=True)
        ],
    }


@contextmanager
def _clock(times: dict[str, float], name: str) -> Iterator[None]:
    """Add the milliseconds that the block takes to `times[name]`."""
    began = time.perf_counter()
    try:
        yield
    finally:
        times[name] += 1000 * (time.perf_counter() - began)


def _measure(
    truth: dict[str, dict[str, int]], run: dict[str, dict[str, float]]
) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {i: dict.fromkeys(MEASURES, 0.0) for i in truth}
    names = {measure: name for name, measure in MEASURES.items()}
    for value in ir_measures.iter_calc(list(names), truth, run):
        found[value.query_id][names[value.measure]] = round(value.value, 4)
    return found


def _articles(hits: Sequence[Hit]) -> list[str]:
    return list(dict.fromkeys(hit.passage.article_id for hit in hits))


def _shown(hit: Hit) -> dict[str, str]:
    return {
        "article_id": hit.passage.article_id,
        "title": hit.source.title,
        "text": excerpt(hit.passage.text, 400),
    }
