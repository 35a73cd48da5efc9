"""What the reader is shown: questions, in the styles people write them, with a title and a passage.

Half of the examples hold the answer. Of the others most are passages that retrieval ranks high; the
rest are the question's own passage without the sentences that answer, the question about another
name or year, or any passage.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rag.french.names import names
from rag.french.sentences import sentence_spans
from rag.french.words import fold, is_function_word

POSITIVE = 0.5
KINDS = (("mined", 0.55), ("excised", 0.22), ("swapped", 0.15), ("any", 0.08))
STYLED = 0.4  # share of the questions not written with care
UNTITLED = 0.15
JOINED = 0.15  # share of the passages made longer by another one
_YEAR = re.compile(r"\b1[5-9]\d\d\b|\b20\d\d\b")
_ASKING = frozenset(
    "quel quelle quels quelles qui que quoi quand comment pourquoi combien ou est".split()
)


@dataclass(frozen=True)
class Example:
    """A question and a passage; `span` is that of the answer in `text`, None when it has none."""

    question: str
    title: str
    text: str
    span: tuple[int, int] | None


def example(draw: random.Random, row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> Example:
    """Return an example of a mined question (see `mining.py`), of a kind drawn at random."""
    question, title, text = row["question"], row["title"], row["context"]
    span: tuple[int, int] | None = tuple(draw.choice(row["answers"]))
    if draw.random() >= POSITIVE:
        kind = draw.choices([k for k, _ in KINDS], [w for _, w in KINDS])[0]
        span = None
        swapped = _swapped(draw, question, text, rows) if kind == "swapped" else None
        left = excised(row) if kind == "excised" else None
        if swapped:
            question = swapped
        elif left:
            text = left
        elif row["negatives"] and kind != "any":
            place = min(int(draw.expovariate(0.5)), len(row["negatives"]) - 1)
            title, text = row["negatives"][place]
        else:
            other = draw.choice(rows)
            while _answers(row, other["context"]):
                other = draw.choice(rows)
            title, text = other["title"], other["context"]
    if draw.random() < JOINED and row["negatives"]:
        more = draw.choice(row["negatives"])[1]
        if draw.random() < 0.5:
            text = f"{text}\n{more}"
        else:
            text = f"{more}\n{text}"
            if span:
                span = span[0] + len(more) + 1, span[1] + len(more) + 1
    if draw.random() < STYLED:
        question = styled(draw, question)
    return Example(question, "" if draw.random() < UNTITLED else title, text, span)


def styled(draw: random.Random, question: str) -> str:
    """Return the question as somebody in a hurry types it."""
    for change, share in _CHANGES:
        if draw.random() < share:
            question = change(draw, question)
    return question


def _lower(_draw: random.Random, question: str) -> str:
    return question.lower()


def _bare(_draw: random.Random, question: str) -> str:
    return question.rstrip(" ?\u00a0.")


def _without_accents(_draw: random.Random, question: str) -> str:
    parts = unicodedata.normalize("NFD", question)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not unicodedata.combining(c)))


def _keywords(_draw: random.Random, question: str) -> str:
    kept = [
        w
        for w in re.findall(r"[\w'’-]+", question)
        if fold(w) in {"qui", "ou", "quand", "combien", "pourquoi"}
        or not (is_function_word(fold(w)) or fold(w) in _ASKING)
    ]
    kept = [re.sub(r"^\w{1,2}['’]", "", w) for w in kept]
    return " ".join(kept) if len(kept) > 1 else question


def _typo(draw: random.Random, question: str) -> str:
    places = [m.start() for m in re.finditer(r"(?<=\w)\w(?=\w)", question)]
    if not places:
        return question
    at = draw.choice(places)
    match draw.randrange(3):
        case 0:
            return question[:at] + question[at + 1 :]
        case 1:
            return question[:at] + question[at] + question[at:]
        case _:
            return question[:at] + question[at + 1] + question[at] + question[at + 2 :]


_CHANGES: tuple[tuple[Callable[[random.Random, str], str], float], ...] = (
    (_keywords, 0.25),
    (_typo, 0.25),
    (_bare, 0.5),
    (_without_accents, 0.5),
    (_lower, 0.5),
)


def excised(row: dict[str, Any]) -> str | None:
    """Return the passage without the sentences that hold an answer; None when nothing is left."""
    text = row["context"]
    gone = [(a, b) for a, b in row["answers"]]
    kept = [
        text[a:b] for a, b in sentence_spans(text) if not any(a < end and b > s for s, end in gone)
    ]
    left = " ".join(kept)
    return left if len(left) > 80 and not _answers(row, left) else None


def _answers(row: dict[str, Any], text: str) -> bool:
    low = text.casefold()
    return any(row["context"][a:b].casefold() in low for a, b in row["answers"])


def _swapped(
    draw: random.Random, question: str, text: str, rows: Sequence[dict[str, Any]]
) -> str | None:
    """Return the question about another year or name than it names; None when it names none."""
    years = _YEAR.findall(question)
    if years:
        chosen = draw.choice(years)
        other = str(int(chosen) + draw.choice((-11, -4, -3, -2, -1, 1, 2, 3, 4, 11)))
        return None if other in text else question.replace(chosen, other)
    mine = [w for w in re.findall(r"\w+", question) if fold(w) in names(question)]
    if not mine:
        return None
    for _ in range(8):
        elsewhere = draw.choice(rows)["question"]
        theirs = [w for w in re.findall(r"\w+", elsewhere) if fold(w) in names(elsewhere)]
        other = draw.choice(theirs) if theirs else ""
        if other and other.casefold() not in text.casefold():
            return question.replace(draw.choice(mine), other)
    return None
