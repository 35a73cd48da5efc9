"""Proper names of French text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.french.words import fold, is_function_word

CIVILITIES = ("M.", "Mme", "Me")
TITLES = (*CIVILITIES, "Mgr", "Dr")  # what stands before a name, and is none
CIVILITY = f"(?:{'|'.join(map(re.escape, CIVILITIES))})"
TITLE = f"(?:{'|'.join(map(re.escape, TITLES))})"


def names(text: str) -> set[str]:
    """Return the folded proper-name words of `text`: capitalised, not first in a sentence.

    A heuristic: a name that only ever opens sentences is missed, which makes
    checks built on it more lenient, never less exact.
    """
    return {fold(m.group()) for m in _inner_capitals(text)}


def capitalised(text: str) -> set[str]:
    """Return the folded words of `text` that begin with a capital, wherever they stand."""
    return {fold(m.group()) for m in _CAPITALISED.finditer(text)}


def other_person(text: str, full_name: str) -> bool:
    """Tell whether a text has the family name of a full name, and each time with another given one.

    « Pour B. Obama… » is not of Michelle Obama, nor « Jean-Marie Le Pen » of Marine Le Pen; « M.
    Obama » may be. The family name is what begins with the last word, particles apart.
    """
    given, family = _parts(full_name)
    if not given or not family:
        return False
    before = rf"((?:(?:[A-ZÀ-ÖØ-Þ]\.|[A-ZÀ-ÖØ-Þ][\w’'-]+)[ \u00a0]+)*){re.escape(family)}\b"
    prefixes = [m.group(1).split() for m in re.finditer(before, text)]
    return bool(prefixes) and all(_another(words, given) for words in prefixes)


def _parts(full_name: str) -> tuple[list[str], str]:
    """Return the given names, and the family name with its particles, of « Anne de La Tour »."""
    words = [w for w in full_name.split() if fold(w).strip(".") not in _CIVILITIES]
    names = [w for w in words if w[:1].isupper()]
    if len(names) < 2 or words[-1] is not names[-1]:
        return [], ""
    at = len(words) - 1
    while at > 1 and fold(words[at - 1]) in _PARTICLES:
        at -= 1
    return words[:at], " ".join(words[at:])


def _another(prefix: list[str], given: list[str]) -> bool:
    """Tell whether the given names before a family name are other ones."""
    own = {fold(w).strip(".") for w in given}
    mine = [fold(w) for w in prefix if fold(w).strip(".") not in _CIVILITIES | _PARTICLES]
    if not mine:
        return False
    return not any(
        word in own or (word.endswith(".") and any(o.startswith(word[:1]) for o in own))
        for word in mine
    )


_CIVILITIES = frozenset(
    "m mme mlle me mgr dr pr mm mr mrs ms president presidente premier ministre senateur senatrice "
    "depute maire general colonel juge prince princesse roi reine pape sir lady lord".split()
)
_PARTICLES = frozenset("le la les de du des d von van der ben bin al el".split())
_CAPITALISED = re.compile(r"(?<![^\W\d_])[A-ZÀ-ÖØ-Þ][\w]+", re.UNICODE)
_SENTENCE_OPENING = re.compile(r"(?:^|[.!?…:»«“\"\n])[\s«“\"—–\-(]*$")


def _inner_capitals(text: str) -> Iterator[re.Match[str]]:
    for match in _CAPITALISED.finditer(text):
        opening = _SENTENCE_OPENING.search(text[max(0, match.start() - 12) : match.start()])
        if (match.start() == 0 or opening) and not match.group().isupper():
            continue
        if not is_function_word(fold(match.group())):
            yield match
