"""Time grows with the length of a text, not with its square, whatever it is made of.

A file of 20,000 brackets took minutes. Each shape below is given to every step
between reading and index; the bound, in time of the processor, is that of a
hang: ten to a hundred times what a linear step takes, on a machine that four
others share.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date

import pytest

from rag.checking.claims import plain_text, split_claims
from rag.checking.compare import paired
from rag.checking.report import csv_cell
from rag.checking.signals import signals_of
from rag.domain import Passage
from rag.errors import QuestionError
from rag.french.corrections import is_correction, valid_part
from rag.french.dates import parse_date
from rag.french.names import names
from rag.french.numbers import numbers
from rag.french.periods import asked, periods
from rag.french.quantities import quantities
from rag.french.reading import understand
from rag.french.sentences import sentence_spans
from rag.french.speech import attribute
from rag.french.syntax import parse
from rag.french.words import begins_with, content_stems, fold, words
from rag.indexing.passages import split
from rag.paid import _copied
from rag.readers.cleaning import Block, blocks_of, clean, strip_reading_time, tidy
from rag.readers.furniture import noise

LENGTH, LONG = 8_000, 80_000  # characters
BOUND = 5.0  # seconds of the processor
DAY = date(2024, 3, 14)

STEPS: dict[str, Callable[[str], object]] = {
    "tidy": tidy,
    "clean": lambda text: clean([Block(line) for line in (text, text[1:])], text[:80]),
    "clean lines": lambda text: clean([Block(line) for line in text.split("\n")], text[:80]),
    "noise": noise,
    "reading time": strip_reading_time,
    "blocks_of": blocks_of,
    "sentence_spans": sentence_spans,
    "split": split,
    "split at headings": lambda text: split(
        text, tuple((i, i + 1) for i in range(0, len(text), 60))
    ),
    "understand": lambda text: understand(text, sentence_spans(text), text, DAY),
    "numbers": numbers,
    "quantities": quantities,
    "periods": lambda text: periods(text, DAY),
    "asked": lambda text: asked(text, DAY),
    "names": names,
    "words": words,
    "content_stems": content_stems,
    "fold": fold,
    "begins_with": lambda text: begins_with(text, text),
    "parse_date": parse_date,
    "correction": lambda text: (is_correction(text, text, text), valid_part(text)),
}


REAL = "Le maire a annoncé mardi la réouverture de la halle aux grains, fermée depuis 2019. "


def refused(step: Callable[[str], object]) -> Callable[[str], object]:
    """Return a step to which a text may be too long, or hold too much: said before any work."""

    def tried(text: str) -> None:
        with suppress(QuestionError):
            step(text)

    return tried


# What a text to verify goes through, and a sentence of an article that is held against it.
CLAIM_STEPS: dict[str, Callable[[str], object]] = {
    "markup": plain_text,
    "split_claims": refused(split_claims),
    "parse": parse,
    "attribute": attribute,
    "against an article": lambda text: signals_of(paired(REAL, text[:LONG_SENTENCE], REAL)),
    "of an article": lambda text: signals_of(paired(text[:LONGEST_CLAIM], REAL)),
    "overlap": lambda text: _copied(REAL, Passage("a:v:0", "a", 0, 0, len(text), text)),
    "csv": csv_cell,
}
LONGEST_CLAIM, LONG_SENTENCE = 600, 2_500  # characters: no claim is longer; a sentence may be
STEPS |= CLAIM_STEPS
# One atom repeated, or two: the first half of one, the second of the other.
SHAPES = [
    "(", "«", "“", ")", "»", "”", '"', "’", "[1]", "[1", ".", "…", "?!", ". ", " .", ".A", "a.",
    "a.A", "A. ", "J.-", "M. ", "1", "1 ", "1.", "1,", "000 ", "1 000 ", "1/", "a", "A", "é", "a-",
    " ", "\u00a0", "\u2003", "\n", "\n ", "\t", "@", "a@", "www.", "http://", "€", "%", "\u202e",
    "\u0301\u0323", "\u0f73", "\ufdfa", "\ud800", "•", "- ", ",", ", a", ": ", "cent ", "mille ",
    "mille", "un ", "deux ", "neuf ", "vingt-", "et un ", "un million ", "million de ", "et demi ",
    "1 million ", "heures ", "12 h ", "12h30", "km/h", "180 km/", "plus de ", "en 2024 ", "mars ",
    "il y a ", "lundi ", "lecture ", "min ", "12 minutes", "lire aussi ", "facebook ", "x|",
    "cookies ", "partager ", "nous avons écrit ", "correction ", "au lieu de ", "et non ",
]  # fmt: skip
MIXES = [
    ("(", "»"), ("(”", "»"), ("«", ")"), ("“", "»"), ("(«“", "”)»"), ("(", "a. "), ("«", ". A"),
    ("€", "1"), ("a", "@"), ("lecture", "\u2003"), ("\n", "a.\n"), ("a. ", "\n"), ("1 ", "000 "),
    ("il y a ", "a-"), ("a.", "»"), ("mille ", "euros "), ("\u2003", "minutes"),
]  # fmt: skip


WORST = [
    ("l’",),
    ("(", "»"),
    ("(”", "»"),
    ("a",),
    ("\u0301\u0323",),
    ("\u0f73",),
    ("deux ",),
    ("€", "1"),
]

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Interrupt what takes longer: a test that hangs says nothing."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


AFFIXES = ["l’", "l'", "d’", "'", "…", "?!", "« »", "&#;", "{{", "</", "<a ", "-", "=", ";="]


def made(length: int, *atoms: str) -> str:
    size = length // len(atoms)
    return "".join((atom * (size // len(atom) + 1))[:size] for atom in atoms)


def slow(step: str, length: int, shapes: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the shapes that take a step longer than the bound."""
    found = []
    for atoms in shapes:
        text = made(length, *atoms)
        try:
            with bounded(BOUND):
                STEPS[step](text)
        except TimeoutError:
            found.append(atoms)
    return found


@pytest.mark.parametrize("step", [s for s in STEPS if s not in CLAIM_STEPS])  # those: below
def test_every_shape_is_read_in_the_time_of_its_length(step: str) -> None:
    STEPS[step](REAL)  # loads what it needs
    assert slow(step, LENGTH, [*((s,) for s in SHAPES), *MIXES]) == []


@pytest.mark.parametrize("step", CLAIM_STEPS)
def test_a_claim_of_any_shape_after_a_real_sentence(step: str) -> None:
    """`l’` repeated over 50,000 characters took the parser’s tokenizer 139 seconds, the square of it."""
    STEPS[step](REAL)  # loads what it needs
    slow_ones = []
    spaced = [(affix + " ",) for affix in AFFIXES]
    for atoms in [*((s,) for s in (*AFFIXES, *SHAPES)), *spaced, *MIXES]:
        try:
            with bounded(BOUND):
                STEPS[step]((REAL + made(LENGTH, *atoms))[:LENGTH])
        except TimeoutError:
            slow_ones.append(atoms)
    assert slow_ones == []


@pytest.mark.parametrize("step", STEPS)
def test_what_took_the_square_of_its_length_no_longer_does(step: str) -> None:
    STEPS[step](REAL)  # loads what it needs
    assert slow(step, LONG, WORST) == []
