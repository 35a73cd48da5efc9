"""What the comparer is shown: what is said, the sentences it is compared with, and what follows.

Pairs judged by people (inference sets), statements made of questions and their answers, and
sentences of an encyclopedia with one thing changed: a figure, a date, a unit, a name, who did what,
a contrary, a negation, how sure it is, two facts joined. Each change has a twin in which the same
sentence is shortened or put otherwise and still follows, so that no trace of the making tells.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.french.sentences import sentence_spans
from training import changes
from training.reading_examples import excised
from training.statements import statement

if TYPE_CHECKING:
    from spacy.tokens import Doc

Allowed = tuple[bool, bool, bool]  # what is said follows; neither; it is contradicted
FOLLOWS: Allowed = (True, False, False)
NEITHER: Allowed = (False, True, False)
AGAINST: Allowed = (False, False, True)
NOT_AGAINST: Allowed = (True, True, False)
NOT_FOLLOWING: Allowed = (False, True, True)
TITLED = 0.5  # share of the statements that are shown the title
LONGEST = 700  # characters of the sentences compared with


@dataclass(frozen=True)
class Pair:
    """What is said, what it is compared with, and which answers are right, of three."""

    said: str
    shown: str
    allowed: Allowed
    kind: str


def judged(shared: Path) -> dict[str, list[Pair]]:
    """Return the pairs of the inference sets of a folder, by set; absent files are left out."""
    named = {"entailment": FOLLOWS, "neutral": NEITHER, "contradiction": AGAINST}
    three = {"0": FOLLOWS, "1": NEITHER, "2": AGAINST}
    two = {"0": NOT_AGAINST, "1": AGAINST}
    found: dict[str, list[Pair]] = {}
    for name, file, columns, labels in (
        ("conjnli", "conjnli_train_en.tsv", ("Premise", "Hypothesis", "Label"), named),
        ("rte3", "rte3_fr_dev.tsv", ("premise", "hypothesis", "label"), three),
        ("gqnli", "gqnli_fr.tsv", ("premise", "hypothesis", "label"), three),
        ("daccord", "daccord_dev.tsv", ("premise", "hypothesis", "label"), two),
    ):
        if not (shared / file).exists():
            continue
        with (shared / file).open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t"))
        shown, said, label = columns
        found[name] = [
            Pair(r[said], r[shown], labels[r[label]], name) for r in rows if r[label] in labels
        ]
    return found


def stated(rows: Sequence[dict[str, Any]]) -> list[Pair]:
    """Return statements made of mined questions (see `mining.py`), true and false ones.

    The false ones have another answer of the same kind; « neither » are those put to the passage
    without the sentence that answers.
    """
    answers: dict[str, list[str]] = {}
    for row in rows:
        answers.setdefault(row["context"], []).extend(_answers(row)[:1])
    draw = random.Random(0)  # noqa: S311
    found = []
    for row in rows:
        answer = _answers(row)[0]
        made = statement(row["question"], answer)
        if made is None:
            continue
        shown = _titled(draw, row, _around(draw, row["context"], row["answers"][0]))
        found.append(Pair(made, shown, FOLLOWS, "statement"))
        if other := _rival(draw, answer, row["context"], answers[row["context"]]):
            wrong = statement(row["question"], other)
            label = AGAINST if other[0].isdigit() else NOT_FOLLOWING
            if wrong:
                found.append(Pair(wrong, shown, label, "other answer"))
        if left := excised(row):
            found.append(Pair(made, _titled(draw, row, _cut(draw, left)), NEITHER, "unanswered"))
    return found


def _titled(draw: random.Random, row: dict[str, Any], shown: str) -> str:
    """Return sentences under the title of their article, every second time: a quote has one."""
    title = row["title"]
    return f"{title}\n{shown}" if title and draw.random() < TITLED else shown


def _answers(row: dict[str, Any]) -> list[str]:
    return [row["context"][a:b] for a, b in row["answers"]]


def _around(draw: random.Random, text: str, span: Sequence[int]) -> str:
    """Return the sentences that a span is in, and up to two beside them."""
    spans = sentence_spans(text) or [(0, len(text))]
    first = next((i for i, (_, b) in enumerate(spans) if b > span[0]), len(spans) - 1)
    last = next((i for i, (_, b) in enumerate(spans) if b >= span[1]), len(spans) - 1)
    first, last = max(0, first - draw.randrange(3)), min(len(spans) - 1, last + draw.randrange(2))
    return text[spans[first][0] : spans[last][1]][-LONGEST:]


def _cut(draw: random.Random, text: str) -> str:
    spans = sentence_spans(text) or [(0, len(text))]
    first = draw.randrange(len(spans))
    last = min(len(spans) - 1, first + draw.randrange(1, 4))
    return text[spans[first][0] : spans[last][1]][:LONGEST]


def _rival(draw: random.Random, answer: str, text: str, answers: Sequence[str]) -> str | None:
    """Return another answer of the same kind: a figure or a date changed, or a name beside it."""
    if changed := changes.other_date(draw, answer, text) or changes.other_number(
        draw, answer, text
    ):
        return changed
    here = {n.group() for n in changes.NAME.finditer(text)}
    if answer in here or answer[:1].isupper():
        others = [n for n in sorted(here) if not changes.shares(n, answer) and len(n) > 3]
    else:
        others = [a for a in sorted(set(answers)) if not changes.shares(a, answer)]
    return draw.choice(others) if others else None


TRUE = 0.5  # share of the sentences that still follow
TRIES = 40  # sentences that a kind of change is tried on before another is
ROUNDED, REWORDED, VOICED = 0.3, 0.5, 0.7  # shares of what is said, true or not, where it applies
KINDS: dict[str, tuple[float, Allowed]] = {
    "number": (0.14, AGAINST),
    "date": (0.12, AGAINST),
    "unit": (0.09, AGAINST),
    "name": (0.12, NOT_FOLLOWING),
    "exchanged": (0.09, NOT_FOLLOWING),
    "roles": (0.20, NOT_FOLLOWING),
    "rounded": (0.10, AGAINST),
    "negation": (0.10, AGAINST),
    "contrary": (0.10, AGAINST),
    "mixed": (0.12, NOT_FOLLOWING),
    "addition": (0.09, NEITHER),
    "generalisation": (0.06, NOT_FOLLOWING),
    "certainty": (0.14, NEITHER),
}


class Changes:
    """Sentences of paragraphs, and what is said with or without something changed in them."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Take paragraphs; each sentence is parsed once."""
        from rag.french.syntax import parse

        self._parse = parse
        self._texts = [[text[a:b] for a, b in sentence_spans(text)] for text in texts]
        self._texts = [t for t in self._texts if t]
        self._docs = [[parse(s) for s in found] for found in self._texts]
        self._extras = [
            c
            for found, docs in zip(self._texts, self._docs, strict=True)
            for text, doc in zip(found, docs, strict=True)
            for c in changes.circumstances(doc, text)
        ]

    def draw(self, draw: random.Random) -> Pair:
        """Return a pair: what is said, of a sentence that is shown with up to three beside it."""
        while True:  # few texts may have nothing that can be so changed
            kind = draw.choices(list(KINDS), [w for w, _ in KINDS.values()])[0]
            true = draw.random() < TRUE
            for _ in range(TRIES):
                if pair := self._drawn(draw, kind, true=true):
                    return pair

    def _drawn(self, draw: random.Random, kind: str, *, true: bool) -> Pair | None:
        at = draw.randrange(len(self._texts))
        sentences = self._texts[at]
        place = draw.randrange(len(sentences))
        if not 40 < len(sentences[place]) < 400:
            return None
        first = max(0, place - draw.choice((0, 0, 1, 2)))
        last = min(len(sentences), place + draw.choice((1, 1, 2, 3)))
        if len(" ".join(sentences[first:last])) > LONGEST:
            first, last = place, place + 1
        before, after = sentences[first:place], sentences[place + 1 : last]
        return self._pair(draw, kind, (at, place), (before, after), true=true)

    def _pair(
        self,
        draw: random.Random,
        kind: str,
        of: tuple[int, int],
        beside: tuple[Sequence[str], Sequence[str]],
        *,
        true: bool,
    ) -> Pair | None:
        at, place = of
        text, doc = self._texts[at][place], self._docs[at][place]
        before, after = beside
        if kind == "certainty":
            # The doubt is in what is shown, and kept or lost in what is said.
            doubt = changes.doubtful(draw, doc, text)
            if doubt is None:
                return None
            kept = (self._parse(doubt), doubt) if true else (doc, text)
            said = self._put_otherwise(draw, *kept)
            label = FOLLOWS if true else NEITHER
            return Pair(said, " ".join((*before, doubt, *after)), label, kind)
        whole = " ".join((*before, text, *after))
        said = self._put_otherwise(draw, doc, text)
        changed = self._changed(draw, kind, said, of, whole)
        if changed is None or changed == said or changed in whole:
            return None
        if true:  # of a sentence that could have been changed: the kind tells nothing
            return Pair(said, whole, FOLLOWS, "true")
        if draw.random() < 0.15:
            changed = changes.rewritten(draw, changed)
        return Pair(changed, whole, KINDS[kind][1], kind)

    def _put_otherwise(self, draw: random.Random, doc: Doc, text: str) -> str:
        """Return what says no more than a sentence: shorter, in other words, rounded."""
        if draw.random() < 0.12:
            return text
        if draw.random() < VOICED and (active := changes.voiced(draw, doc, text)):
            text, doc = active, self._parse(active)
        made = changes.shorter(draw, doc, text)
        if draw.random() < REWORDED:
            made = changes.synonymous(draw, doc, made) or made
        if draw.random() < ROUNDED:
            made = changes.rounded(draw, made) or made
        if draw.random() < 0.5:
            made = changes.moved(made) or made
        return changes.rewritten(draw, made) if draw.random() < 0.3 else made

    def _changed(
        self, draw: random.Random, kind: str, said: str, of: tuple[int, int], whole: str
    ) -> str | None:
        at, place = of
        match kind:
            case "mixed":
                others = [i for i in range(len(self._texts[at])) if i != place]
                if not others:
                    return None
                other = draw.choice(others)
                theirs = self._docs[at][other], self._texts[at][other]
                return changes.mixed(self._parse(said), said, *theirs)
            case "addition":
                return changes.added(draw, self._parse(said), said, self._extras)
            case "number":
                return changes.other_number(draw, said, whole)
            case "date":
                return changes.other_date(draw, said)
            case "unit":
                return changes.other_unit(draw, said)
            case "name":
                return changes.other_name(draw, said, " ".join(self._texts[at]))
            case "exchanged":
                return changes.exchanged(draw, said)
            case "rounded":
                return changes.rounded(draw, said, true=False)
        change: changes.Change = {
            "roles": changes.roles,
            "negation": changes.negated,
            "contrary": changes.contrary,
            "generalisation": changes.general,
        }[kind]
        return change(draw, self._parse(said), said)
