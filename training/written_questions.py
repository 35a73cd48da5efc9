"""What the reader is shown of the press written for training: a question and a passage.

Questions that the passage does not answer (`none`), or that suppose what it says is false
(`premise`), stand among those that it answers: the hardest that there are. The rest of what has no
answer is the passage without the sentences that tell, and the passage of another event that is most
like it.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from rag.french.dates import format_date
from training.reading_examples import Example, joined, styled
from training.written_examples import WrittenPassages, most_alike, spans_of, text_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

ANSWERED = 0.5  # share of the examples that hold the answer
# Of the others: what is asked and not told, or supposes what is false; the passage without what
# tells; another one like it.
UNANSWERED = (("asked", 0.6), ("excised", 0.26), ("like", 0.14))
PREMISES = 0.35  # share of the questions that rest on something false among those "asked"
STYLED = 0.25  # many are written in a hurry already
TITLED, DATED = 0.8, 0.7
JOINED = 0.15  # share of the passages made longer by one like it
NEIGHBOURS = 5


@dataclass(frozen=True)
class Question:
    """A question on a passage; `sentences` are the indices of those that tell, `answer` the words.

    An answer of "*" is the whole of these sentences; None that there is none.
    """

    passage: int
    text: str
    kind: str
    sentences: tuple[int, ...]
    answer: str | None


class WrittenQuestions(WrittenPassages):
    """The questions on such passages."""

    @cached_property
    def questions(self) -> list[Question]:
        """All of them, passage by passage."""
        return [
            Question(
                at, q["question"], q["kind"], tuple(n - 1 for n in q["sentences"]), q["answer"]
            )
            for at, row in enumerate(self.passages)
            for q in row["questions"]
        ]

    @cached_property
    def _of(self) -> dict[str, list[Question]]:
        found: dict[str, list[Question]] = defaultdict(list)
        for question in self.questions:
            found["answered" if question.answer else question.kind].append(question)
        return found

    @cached_property
    def _cumulated(self) -> dict[str, list[float]]:
        return {
            name: list(accumulate(self._weight(q.passage) for q in found))
            for name, found in self._of.items()
        }

    def draw(self, draw: random.Random) -> Example:
        """Return an example, of a kind drawn at random."""
        one: Example | None = None
        while one is None:
            if draw.random() < ANSWERED:
                one = self.answered(draw, self._drawn(draw, "answered"))
            else:
                one = self._unanswered(draw)
        if draw.random() < STYLED:
            one = replace(one, question=styled(draw, one.question))
        return one

    def _drawn(self, draw: random.Random, name: str) -> Question:
        return draw.choices(self._of[name], cum_weights=self._cumulated[name])[0]

    def answered(self, draw: random.Random, question: Question) -> Example:
        """Return a question with its passage and one of the spans that answer it."""
        one = self._shown(draw, question.text, question.passage)
        return self._lengthened(
            draw, replace(one, span=draw.choice(self.spans(question))), question.passage
        )

    def spans(self, question: Question) -> list[tuple[int, int]]:
        """Return the spans of the passage's text that answer: the words, or a run of sentences."""
        row = self.passages[question.passage]
        text, places = text_of(row), spans_of(row)
        told = [places[i] for i in question.sentences]
        if question.answer and question.answer != "*":
            found = [(text.find(question.answer, a, b), len(question.answer)) for a, b in told]
            if spans := [(at, at + length) for at, length in found if at >= 0]:
                return spans
        runs: list[list[int]] = []
        for i in sorted(question.sentences):
            if runs and i == runs[-1][-1] + 1:
                runs[-1].append(i)
            else:
                runs.append([i])
        return [(places[run[0]][0], places[run[-1]][1]) for run in runs]

    def without(self, question: Question) -> str | None:
        """Return the passage without the sentences that tell; None when little is left."""
        row = self.passages[question.passage]
        left = [s["text"] for i, s in enumerate(row["sentences"]) if i not in question.sentences]
        text = " ".join(left)
        known = question.answer not in (None, "*") and str(question.answer) in text
        return None if known or len(left) < 2 else text

    def _unanswered(self, draw: random.Random) -> Example | None:
        how = draw.choices([n for n, _ in UNANSWERED], [w for _, w in UNANSWERED])[0]
        if how == "asked":
            kind = "premise" if draw.random() < PREMISES else "none"
            question = self._drawn(draw, kind)
            return self._lengthened(
                draw, self._shown(draw, question.text, question.passage), question.passage
            )
        question = self._drawn(draw, "answered")
        if how == "like":
            return self._shown(draw, question.text, draw.choice(self._like[question.passage]))
        if left := self.without(question):
            return replace(self._shown(draw, question.text, question.passage), text=left)
        return None

    def _shown(self, draw: random.Random, question: str, passage: int) -> Example:
        row = self.passages[passage]
        title = ""
        if draw.random() < TITLED:
            title = row["title"]
            if draw.random() < DATED:
                title = f"{title}, {format_date(date.fromisoformat(row['date']))}"
        return Example(question, title, text_of(row), None)

    def _lengthened(self, draw: random.Random, one: Example, passage: int) -> Example:
        if draw.random() >= JOINED:
            return one
        return joined(draw, one, text_of(self.passages[draw.choice(self._like[passage])]))

    @cached_property
    def _like(self) -> NDArray[Any]:
        return most_alike(self.passages, NEIGHBOURS)
