"""Measure answers: are the cited spans those that answer, and does it refuse when it should?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from rag.assistant import Assistant
from rag.domain import Answer
from rag.errors import ArticleNotFoundError
from rag.evaluation.data import Gold, Item
from rag.evaluation.results import FORMAT, Result, latency, mean
from rag.french.words import excerpt

MEASURES = (
    "first_right",
    "any_right",
    "citation_precision",
    "wrong_refusals",
    "wrong_answers",
    "correct",
)


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
    - `wrong_answers`: answered over unanswerable;
    - `correct`: over all, some citation right, or rightly refused.
    """
    rows = []
    for item in items:
        began = time.perf_counter()
        answer = assistant.ask(item.question)
        rows.append(_row(assistant, item, answer, 1000 * (time.perf_counter() - began)))
        step()
    answerable = [r for r in rows if r["answerable"]]
    answered = [r for r in answerable if not r["refused"]]
    cited = [right for r in answered for right in r["right"]]
    return {
        "format": FORMAT,
        "kind": "answers",
        "count": len(rows),
        "answerable": len(answerable),
        "answered": len(answered),
        "threshold": threshold,
        "measures": {
            "first_right": mean(r["right"][:1] == [True] for r in answered),
            "any_right": mean(any(r["right"]) for r in answered),
            "citation_precision": mean(cited),
            "wrong_refusals": mean(r["refused"] for r in answerable),
            "wrong_answers": mean(not r["refused"] for r in rows if not r["answerable"]),
            "correct": mean(is_correct(r) for r in rows),
        },
        "statements_per_answer": mean(len(r["statements"]) for r in answered),
        "latency": latency([r["milliseconds"] for r in rows]),
        "questions": rows,
    }


def is_correct(row: Mapping[str, object]) -> bool:
    """Tell whether a question was answered with a right citation, or rightly refused."""
    right = row["right"]
    assert isinstance(right, list)
    return bool(row["refused"]) != bool(row["answerable"]) and (not row["answerable"] or any(right))


def _row(assistant: Assistant, item: Item, answer: Answer, milliseconds: float) -> Result:
    citations = [c for s in answer.statements for c in s.citations]
    return {
        "id": item.id,
        "question": item.question,
        "answerable": bool(item.gold),
        "refused": answer.refused,
        "probability": answer.probability,
        "right": [item.answered_by(c) for c in citations],
        "milliseconds": round(milliseconds, 1),
        "statements": [s.text for s in answer.statements],
        "gold": [text for g in item.gold[:2] if (text := _quoted(assistant, g))],
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
