"""Ask the golden questions as a user does and count what comes back.

    python -m bench.answers [calibration|questions]

Asks through `recoupe ask --json` in one process a set (the command's own
code), over a fresh index of the sample corpus.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from bench.golden import GoldenQuestion, corpus_index, load_golden
from rag.assistant import LocalAssistant
from rag.domain import answer_json
from rag.settings import load_settings


def main(name: str = "questions") -> None:
    """Print shares over the set called `name`, and what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        corpus_index(Path(folder))
        assistant = LocalAssistant(load_settings(index_dir=Path(folder)))
        answers = [(q, answer_json(assistant.ask(q.question))) for q in load_golden(name)]
    for question, answer in answers:
        if answer["refused"] == bool(question.answers) or (
            question.answers and not any(overlaps(question, answer))
        ):
            kind = "refused" if answer["refused"] else "answered"
            print(f"- {kind}: {question.question}")
            for statement in answer["statements"]:
                print(f"    {statement['text'][:140]}")
    print(json.dumps(shares(answers), indent=2))


def shares(
    answers: Iterable[tuple[GoldenQuestion, dict]],  # type: ignore[type-arg]
) -> dict[str, float | int]:
    """Return the shares of right citations, wrong answers and wrong refusals."""
    rows = list(answers)
    answerable = [(q, a) for q, a in rows if q.answers]
    unanswerable = [a for q, a in rows if not q.answers]
    answered = [overlaps(q, a) for q, a in answerable if not a["refused"]]
    return {
        "answerable": len(answerable),
        "unanswerable": len(unanswerable),
        "answered, of answerable": len(answered),
        "first citation right, of answered": share(o[0] for o in answered),
        "any citation right, of answered": share(any(o) for o in answered),
        "wrong refusals, of answerable": share(a["refused"] for _, a in answerable),
        "wrong answers, of unanswerable": share(not a["refused"] for a in unanswerable),
        "statements an answer": round(
            sum(len(a["statements"]) for _, a in answerable) / max(1, len(answered)), 2
        ),
    }


def overlaps(question: GoldenQuestion, answer: dict) -> list[bool]:  # type: ignore[type-arg]
    """Tell for each citation of an answer, in order, whether it overlaps a gold span."""
    return [
        question.hit_by(c["article_id"], c["start"], c["end"])
        for s in answer["statements"]
        for c in s["citations"]
    ]


def share(values: Iterable[bool]) -> float:
    """Return the share of true values, 0 without any."""
    found = list(values)
    return round(sum(found) / len(found), 3) if found else 0.0


if __name__ == "__main__":
    main(*sys.argv[1:])
