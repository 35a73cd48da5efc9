"""Whether « il » or « elle » may stand for somebody: the gender of a name or of a noun.

By the civility, the given name, the determiner, or the noun of function beside a name in its text.
Where none of these tells, nothing is known: no ending of a family name is guessed from.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files

from rag.french.speakers import is_individual
from rag.french.words import fold

FEMININE, MASCULINE, UNKNOWN = "f", "m", ""

_PRONOUNS = {
    "elle": FEMININE, "celle-ci": FEMININE, "cette derniere": FEMININE,
    "il": MASCULINE, "celui-ci": MASCULINE, "ce dernier": MASCULINE,
}  # fmt: skip
_DETERMINERS = {
    "la": FEMININE, "une": FEMININE, "cette": FEMININE,
    "le": MASCULINE, "un": MASCULINE, "ce": MASCULINE, "cet": MASCULINE,
}  # fmt: skip
_SPOKEN = re.compile(r"\b(elle|il)\b", re.IGNORECASE)
_OPENING = re.compile(r"\W*(elle|il)\b", re.IGNORECASE)
_DETERMINED = re.compile(r"(la|une|cette|le|un|ce|cet) [^\W\d_]")
# Nouns of function whose form tells, on folded text.
_OF_WOMEN = re.compile(r"(?:trice|euse|iere|ienne|eure|idente|esse|cate|fille|soeur|mere)$")
_OF_MEN = re.compile(r"(?:teur|ier|ien|ident|cat|fils|frere|pere)$")
_OWN_NAME = re.compile(r"(?<!\bde )(?<!\bdu )(?<!d')\b[A-ZÀ-Þ][^\W\d_]+")
_ABSTRACT = re.compile(r"l' ?[a-z-]*(?:tion|sion|ite|ance|ence)\b")  # « l'association »


def of_pronoun(pronoun: str) -> str:
    """Return the gender of a pronoun in the singular, `UNKNOWN` for any other word."""
    return _PRONOUNS.get(fold(pronoun), UNKNOWN)


def of_speaker(sentence: str, marker: str) -> str:
    """Return the gender of the pronoun that a sentence names its speaker by, if it does.

    `marker` is what shows in it that somebody speaks: « selon elle », « a-t-il dit ».
    """
    found = _SPOKEN.search(marker) or (_OPENING.match(sentence) if marker else None)
    return of_pronoun(found[1]) if found else UNKNOWN


def fits(who: str, gender: str, text: str = "") -> bool:
    """Tell whether a pronoun of a gender may stand for somebody, see `of_name`."""
    return (of_name(who, text) if gender else UNKNOWN) in {UNKNOWN, gender}


def of_name(who: str, text: str = "") -> str:
    """Return the gender of a person, an institution or a group; `UNKNOWN` where it cannot be told.

    `text` is where it is named, and may tell more of it: « la maire, X », « Mme X ».
    """
    plain = who.replace("’", "'")
    if civil := re.match(r"(?:.*\b)?(M\.|Mme|Mlle) ", plain):
        return MASCULINE if civil[1] == "M." else FEMININE
    named = is_individual(plain) or " " not in plain
    capitals = _OWN_NAME.findall(plain) if named else []
    for name in capitals:
        if gender := _given_names().get(fold(name)):
            return gender
    folded = fold(plain)
    if determined := _DETERMINED.match(folded):
        return _DETERMINERS[determined[1]]
    if _ABSTRACT.match(folded):
        return FEMININE
    return _beside(plain, text) if capitals else UNKNOWN


def _beside(name: str, text: str) -> str:
    """Return what the civility or the noun of function before a name tells."""
    before = rf"(M\.|Mme|Mlle|[^\W\d_][\w-]*),? {re.escape(name)}\b"
    for noun in re.findall(before, text.replace("’", "'")):
        if noun in {"M.", "Mme", "Mlle"}:
            return MASCULINE if noun == "M." else FEMININE
        if _OF_WOMEN.search(fold(noun)):
            return FEMININE
        if _OF_MEN.search(fold(noun)):
            return MASCULINE
    return UNKNOWN


@lru_cache(maxsize=1)
def _given_names() -> dict[str, str]:
    """Return the gender of the commonest given names, folded."""
    text = (files("rag.french") / "first_names.txt").read_text(encoding="utf-8")
    lines = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {fold(name): gender for gender, *names in lines for name in names}
