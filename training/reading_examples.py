"""What the reader is shown: questions, in the styles people write them, with a title and a passage.

Half of the examples hold the answer. Of the others most are passages that retrieval ranks high; the
rest are the question's own passage without the sentences that answer, what another article is
asked put to what this passage names, the question about another name or year, or any passage.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag.french.names import names
from rag.french.sentences import sentence_spans
from rag.french.words import content_stems, fold, is_function_word, question_stems

POSITIVE = 0.5
Kinds = Sequence[tuple[str, float]]
KINDS: Kinds = (
    ("mined", 0.42),
    ("excised", 0.22),
    ("transplanted", 0.18),
    ("swapped", 0.12),
    ("any", 0.06),
)
STYLED = 0.4  # share of the questions not written with care
UNTITLED = 0.15
JOINED = 0.15  # share of the passages made longer by another one
_YEAR = re.compile(r"\b1[5-9]\d\d\b|\b20\d\d\b")
_NAME = re.compile(
    r"\b[A-ZÀ-ÖØ-Þ][\w’'-]+(?:\s+(?:(?:de|du|des|la|le|d[’'])\s*)?[A-ZÀ-ÖØ-Þ][\w’'-]+)*"
)
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


class Examples:
    """Examples without end of mined questions (see `mining.py`)."""

    def __init__(self, rows: Sequence[dict[str, Any]], kinds: Kinds = KINDS) -> None:
        """Take questions, and the share of each kind among the examples without an answer."""
        self._rows, self._kinds = rows, kinds
        self._asked: dict[str, list[str]] = {}
        for row in rows:
            self._asked.setdefault(row["title"], []).append(row["question"])

    def draw(self, draw: random.Random) -> Example:
        """Return an example, of a kind drawn at random."""
        row = draw.choice(self._rows)
        if draw.random() < POSITIVE:
            span = tuple(draw.choice(row["answers"]))
            one = Example(row["question"], row["title"], row["context"], span)
        else:
            one = self._unanswered(draw, row)
        if draw.random() < JOINED and row["negatives"]:
            one = joined(draw, one, draw.choice(row["negatives"])[1])
        question = styled(draw, one.question) if draw.random() < STYLED else one.question
        title = "" if draw.random() < UNTITLED else one.title
        return replace(one, question=question, title=title)

    def _unanswered(self, draw: random.Random, row: dict[str, Any]) -> Example:
        question, title, text = row["question"], row["title"], row["context"]
        match draw.choices([k for k, _ in self._kinds], [w for _, w in self._kinds])[0]:
            case "swapped" if changed := _swapped(draw, question, text, self._rows):
                return Example(changed, title, text, None)
            case "transplanted" if changed := self._transplanted(draw, row):
                return Example(changed, title, text, None)
            case "excised" if left := excised(row):
                return Example(question, title, left, None)
            case "any":
                pass
            case _ if row["negatives"]:
                place = min(int(draw.expovariate(0.5)), len(row["negatives"]) - 1)
                other_title, other_text = row["negatives"][place]
                return Example(question, other_title, other_text, None)
        other = draw.choice(self._rows)
        while _answers(row, other["context"]):
            other = draw.choice(self._rows)
        return Example(question, other["title"], other["context"], None)

    def _transplanted(self, draw: random.Random, row: dict[str, Any]) -> str | None:
        """Return what a like article is asked, about a name of this passage.

        The passage names what is asked about and lacks a word of the rest of the question.
        """
        titles = {title for title, _ in row["negatives"]} - {row["title"]}
        asked = [q for title in sorted(titles) for q in self._asked.get(title, ())]
        known = names(row["context"])
        here: list[str] = [n for n in _NAME.findall(row["context"]) if fold(n.split()[0]) in known]
        if not asked or not here:
            return None
        held = set(content_stems(f"{row['title']} {row['context']}"))
        for _ in range(8):
            question = draw.choice(asked)
            theirs = [m for m in _NAME.finditer(question) if m.start() > 0]
            if not theirs:
                continue
            name = max(theirs, key=lambda m: len(m.group()))
            frame = question[: name.start()], question[name.end() :]
            if not set(question_stems(" ".join(frame))) <= held:
                return draw.choice(here).join(frame)
        return None


def joined(draw: random.Random, one: Example, more: str) -> Example:
    """Return the example with another passage before or after its own."""
    if draw.random() < 0.5:
        return replace(one, text=f"{one.text}\n{more}")
    shift = len(more) + 1
    span = (one.span[0] + shift, one.span[1] + shift) if one.span else None
    return replace(one, text=f"{more}\n{one.text}", span=span)


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
