"""Numbers of French text, in digits or in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.french.words import WORD, fold, words

_SPELLED = frozenset(
    "zero deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize "
    "vingt vingts trente quarante cinquante soixante cent cents mille".split()
)
_COUNTING = _SPELLED | {"un", "une", "et", "million", "millions", "milliard", "milliards"}
# Words without which no number is spelled, those of Belgium and Switzerland among them.
NUMBER_WORDS = _COUNTING - {"et"} | {"septante", "huitante", "octante", "nonante"}
# A number in digits. Thousands are set apart by spaces or by full stops, never
# both, and after one to three digits: « en 2024 300 personnes » has two numbers.
DIGITS = (
    r"(?:[1-9]\d{0,2}(?:(?:[ \u00a0\u202f]\d{3})+|(?:\.\d{3})+)(?:,\d+|\.\d{1,2})?(?!\d)"
    r"|0\.\d+|\d+(?:,\d+|\.\d{1,2}(?!\d))?)"
)
_DIGITS = re.compile(DIGITS)
_GAP = re.compile(r"[\W_]")
_PIECE_LENGTH = 1000  # characters: text2num's time is quadratic in the length of what it reads


def numbers(text: str) -> set[str]:
    """Return the numbers of `text`, normalised: « 1 200 » → `1200`, « trois » → `3`.

    Decimals keep a point (`3.5`). Spelled-out numbers above a hundred are read
    by `text2num`.
    """
    return {read_digits(m.group()) for m in _DIGITS.finditer(text)} | _spelled_numbers(text)


def read_digits(raw: str) -> str:
    """Return what `DIGITS` matched as digits, with a point before decimals: « 1 200,50 » → 1200.5.

    A full stop before three digits sets thousands apart, as French prints them.
    """
    whole, mark, decimals = raw.partition(",")
    if not mark and (decimal := _DECIMAL.search(raw)):
        whole, decimals = raw[: decimal.start()], decimal.group()[1:]
    whole = _THOUSANDS.sub("", whole).lstrip("0") or "0"
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals}" if decimals else whole


_THOUSANDS = re.compile(r"\D")
_DECIMAL = re.compile(r"(?:(?<=^0)\.\d+|\.\d{1,2})$")


def _spelled_numbers(text: str) -> set[str]:
    letters = _DIGITS.sub(" ", text)
    if not any(w in _SPELLED for w in words(letters)):
        return set()
    from text_to_num import alpha2digit

    found: set[str] = set()
    for piece in _pieces(fold(letters).replace("'", " ")):
        found.update(re.findall(r"\d+", alpha2digit(piece, "fr")))
    return found - {"1"}


def _pieces(folded: str) -> Iterator[str]:
    """Cut a folded text into bounded pieces: between words, after one that counts nothing."""
    start = 0
    while start < len(folded):
        gap = _GAP.search(folded, start + _PIECE_LENGTH)
        end = gap.start() if gap else len(folded)
        for word in WORD.finditer(folded, end, end + _PIECE_LENGTH):
            end = word.start()
            if word.group() not in _COUNTING:
                break
        yield folded[start:end]
        start = end
