"""Measure answers: are the cited spans those that answer, and does it refuse when it should?"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence

from rag.domain import Answer
from rag.errors import ArticleNotFoundError
from rag.evaluation.data import Gold, Item
from rag.evaluation.results import FORMAT, Result, latency, mean, percentile
from rag.french.words import excerpt
from rag.operations import Assistant

RESAMPLES = 400


def evaluate(
    assistant: Assistant,
    items: Sequence[Item],
    threshold: float,
    step: Callable[[], None] = lambda: None,
) -> Result:
    """Return the measures of answers to items, and each answer.

    - `first_right`, `any_right`: share of answered questions whose first, or
      some, citation contains or overlaps an answering span;
    - `citation_precision`: right citations over citations, in those answers;
    - `wrong_refusals`: refused over answerable;
    - `wrong_answers`: answered over unanswerable, but for false premises met;
    - `premises_met`: over questions that rest on something false, those whose first
      citation says so;
    - `correct`: over all, some citation right, or rightly refused;
    - `some_right`, `parts_covered`: over answerable, some citation right, and
      parts of the answers that citations cover;
    - `unchanged`: over questions that stand by themselves after other turns,
      those answered as without them.

    Questions with a `kind` are also measured kind by kind; `intervals` has the
    95% interval of each measure.
    """
    rows = []
    for item in items:
        began = time.perf_counter()
        answer = assistant.ask(item.question, item.history)
        spent = 1000 * (time.perf_counter() - began)
        rows.append(_row(assistant, item, answer, spent))
        if item.independent:
            rows[-1]["unchanged"] = assistant.ask(item.question).statements == answer.statements
        step()
    answerable = [r for r in rows if r["answerable"]]
    answered = [r for r in answerable if not r["refused"]]
    kinds = sorted({r["kind"] for r in rows if r["kind"]})
    return {
        "format": FORMAT,
        "kind": "answers",
        "count": len(rows),
        "answerable": len(answerable),
        "answered": len(answered),
        "threshold": threshold,
        "measures": _measures(rows),
        "intervals": _intervals(rows),
        "by_kind": {kind: _measures([r for r in rows if r["kind"] == kind]) for kind in kinds},
        "statements_per_answer": mean(len(r["statements"]) for r in answered),
        "latency": latency([r["milliseconds"] for r in rows]),
        "questions": rows,
    }


def _measures(rows: Sequence[Result]) -> dict[str, float | None]:
    answerable = [r for r in rows if r["answerable"]]
    answered = [r for r in answerable if not r["refused"]]
    parts = sum(r["parts"] for r in answerable)
    return {
        "first_right": mean(r["right"][:1] == [True] for r in answered),
        "any_right": mean(any(r["right"]) for r in answered),
        "citation_precision": mean(right for r in answered for right in r["right"]),
        "wrong_refusals": mean(r["refused"] for r in answerable),
        "wrong_answers": mean(
            not (r["refused"] or r.get("met")) for r in rows if not r["answerable"]
        ),
        "premises_met": mean(r["met"] for r in rows if "met" in r),
        "correct": mean(is_correct(r) for r in rows),
        "some_right": mean(any(r["right"]) for r in answerable),
        "parts_covered": round(sum(r["covered"] for r in answerable) / parts, 4) if parts else None,
        "unchanged": mean(r["unchanged"] for r in rows if "unchanged" in r),
    }


def _intervals(rows: Sequence[Result]) -> dict[str, tuple[float, float] | None]:
    """Return 95% intervals of the measures: percentiles of resamples of the questions.

    Efron 1979; a question's citations stay together, for they are right or wrong together.
    """
    draw = random.Random(0)  # noqa: S311
    drawn = [_measures(draw.choices(rows, k=len(rows))) for _ in range(RESAMPLES if rows else 0)]
    found: dict[str, tuple[float, float] | None] = {}
    for name in _measures(rows):
        values = [value for measures in drawn if (value := measures[name]) is not None]
        found[name] = (percentile(values, 0.025), percentile(values, 0.975)) if values else None
    return found


def is_correct(row: Mapping[str, object]) -> bool:
    """Tell whether a question was answered with a right citation, rightly refused, or set right."""
    right = row["right"]
    assert isinstance(right, list)
    if row["answerable"]:
        return not row["refused"] and any(right)
    return bool(row["refused"] or row.get("met"))


def _row(assistant: Assistant, item: Item, answer: Answer, milliseconds: float) -> Result:
    citations = [c for s in answer.statements for c in s.citations]
    premise = {"met": any(map(item.met_by, citations[:1]))} if item.contrary else {}
    return premise | {
        "id": item.id,
        "question": item.question,
        "kind": item.kind,
        "answerable": item.answerable,
        "parts": item.parts,
        "covered": len(item.parts_in(citations)),
        "refused": answer.refused,
        "probability": answer.probability,
        "right": [item.answered_by(c) for c in citations],
        "milliseconds": round(milliseconds, 1),
        "statements": [s.text for s in answer.statements],
        "gold": [
            *(text for g in item.gold[:2] if (text := _quoted(assistant, g))),
            *(q.text for q in item.quotes[:2]),
        ],
        "first": [
            {
                "article_id": h.passage.article_id,
                "title": h.source.title,
                "text": excerpt(h.passage.text, 400),
            }
            for h in answer.hits[:3]
        ],
    }


def _quoted(assistant: Assistant, gold: Gold) -> str:
    try:
        return excerpt(assistant.article(gold.article_id).text[gold.start : gold.end], 300)
    except ArticleNotFoundError:
        return ""
