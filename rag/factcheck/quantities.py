"""Quantities in French text, with their units, and whether two of them agree.

« 1 200 personnes », « mille deux cents habitants », « 1,2 millier », « plus de
2 millions d'euros », « 12 % ». Values are compared in one unit of each kind
(metres, kilograms, euros, hours), and « plus de », « près de » are heard.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from text_to_num import find_numbers

from rag.french import MONTHS, fold, is_function_word, stem, words

_TOKEN = re.compile(
    r"\d{1,3}(?:[ \u00a0\u202f.]\d{3})+(?:,\d+)?(?!\d)|\d+(?:,\d+|\.\d{1,2}(?!\d))?|"
    r"[^\W\d_]+|[^\w\s]",
    re.UNICODE,
)
_SCALES = {
    "millier": 1e3, "mille": 1e3, "million": 1e6, "milliard": 1e9, "centaine": 100,
    "dizaine": 10, "douzaine": 12, "quinzaine": 15, "vingtaine": 20, "trentaine": 30,
    "quarantaine": 40, "cinquantaine": 50, "soixantaine": 60,
}  # fmt: skip
_ROUND = frozenset(_SCALES) - {"mille", "million", "milliard", "millier"}
# Units of one kind in one measure: (kind, how many of the kind's unit).
_UNITS = {
    "%": ("%", 1), "pourcent": ("%", 1), "€": ("euro", 1), "euro": ("euro", 1),
    "kilometre": ("metre", 1e3), "km": ("metre", 1e3), "metre": ("metre", 1), "m": ("metre", 1),
    "centimetre": ("metre", 0.01), "cm": ("metre", 0.01), "hectare": ("hectare", 1),
    "ha": ("hectare", 1), "tonne": ("kilo", 1e3), "kilo": ("kilo", 1), "kilogramme": ("kilo", 1),
    "kg": ("kilo", 1), "gramme": ("kilo", 1e-3), "litre": ("litre", 1),
    "hectolitre": ("litre", 100),
    "degre": ("degre", 1), "°": ("degre", 1), "heure": ("heure", 1), "h": ("heure", 1),
    "minute": ("heure", 1 / 60), "jour": ("jour", 1), "semaine": ("jour", 7), "mois": ("mois", 1),
    "an": ("mois", 12), "annee": ("mois", 12), "kilowatt": ("watt", 1e3),
    "megawatt": ("watt", 1e6), "watt": ("watt", 1),
}  # fmt: skip
# Whoever is counted, by whatever name: a crowd has one size.
_PEOPLE = frozenset(
    "personne habitant visiteur spectateur participant manifestant gens fidele electeur "
    "signataire coureur festivalier public ame riverain".split()
)
_NOT_ALONE = frozenset("un une neuf neuve million millions milliard milliards millier".split())
_APPROXIMATE = re.compile(r"(?:environ|pres d[e']|quelque|autour d[e']|a peu pres|presque) ?$")
_AT_LEAST = re.compile(
    r"(?:plus d[e']|au moins|au-dela d[e']|depass\w+(?: les)?|un minimum d[e']) ?$"
)
_AT_MOST = re.compile(r"(?:moins d[e']|au plus|a peine|jusqu'a|un maximum d[e']) ?$")
_QUALIFIERS = (
    "bon bons bonne bonnes nouveau nouveaux nouvelle nouvelles autre autres petits".split()
)
_CLOSE = 0.05  # « près de 1 200 » for 1 187
_ROUGH = 0.25  # « une dizaine » for 12


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what it counts: `low <= value <= high`, in the unit of its kind.

    `unit` is a kind (« euro », « metre ») or the stem of the noun counted, ""
    when nothing is. `text[start:end]` of the source is how it was written.
    """

    value: float
    low: float
    high: float
    unit: str
    start: int
    end: int

    @property
    def exact(self) -> bool:
        """Whether it was given without « plus de », « environ »."""
        return self.low == self.high

    def agrees(self, other: Quantity) -> bool:
        """Tell whether both can be true of one thing."""
        return self.low <= other.high * 1.000001 and other.low <= self.high * 1.000001


@dataclass(frozen=True, slots=True)
class _Token:
    """What `find_numbers` reads: a word and whether it is one number with the one before."""

    raw: str
    start: int
    end: int

    def text(self) -> str:
        return fold(self.raw)

    def nt_separated(self, previous: _Token) -> bool:
        return not previous.raw.isalpha() and previous.raw != "-"

    def not_a_number_part(self) -> bool:
        return self.raw[0].isdecimal()


@lru_cache(maxsize=4096)
def quantities(text: str) -> tuple[Quantity, ...]:
    """Return the quantities of `text` in order; years and days of months are none (see `when`)."""
    tokens = [_Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text)]
    found: list[Quantity] = []
    for first, last, value in _values(tokens):
        scale, after = _scale(tokens, last)
        start = tokens[first].start
        if (found and start < found[-1].end) or _is_date(tokens, first, last, value):
            continue
        unit, factor = _unit(tokens, after, text)
        if found and not unit and _after_hour(found[-1], text[found[-1].end : start]):
            found[-1] = _clock(found[-1], value, tokens[last - 1].end)
            continue
        amount = value * scale * factor
        low, high = _bounds(amount, fold(text[max(0, start - 24) : start]), tokens[last:after])
        found.append(Quantity(amount, low, high, unit, start, tokens[after - 1].end))
    return tuple(_share_units(found, text))


def _after_hour(previous: Quantity, between: str) -> bool:
    return previous.unit == "heure" and bool(re.fullmatch(r"\s?h(?:eures?)?\s?", between))


def _clock(hour: Quantity, minutes: float, end: int) -> Quantity:
    """Return « 14 h 30 » as one quantity."""
    time = hour.value + minutes / 60
    return Quantity(time, time, time, "heure", hour.start, end)


def _share_units(found: Sequence[Quantity], text: str) -> list[Quantity]:
    """Give a bare number the unit of the one that it is said with: « trois ou quatre jours »."""
    shared = list(found)
    for at in range(len(shared) - 2, -1, -1):
        one, other = shared[at], shared[at + 1]
        between = text[one.end : other.start].strip()
        if not one.unit and other.unit and between in {"ou", "à", "et", "contre"}:
            shared[at] = Quantity(one.value, one.low, one.high, other.unit, one.start, one.end)
    return shared


def _values(tokens: Sequence[_Token]) -> list[tuple[int, int, float]]:
    """Return (first token, token after the last, value) of each number, digits or words."""
    found = {
        (at, at + 1, _read(token.raw))
        for at, token in enumerate(tokens)
        if token.raw[0].isdecimal()
    }
    for at, (token, following) in enumerate(pairwise(tokens)):
        word, scale = token.text(), following.text().rstrip("s")
        # « une dizaine », « un million »: the article counts.
        if (word in {"une", "la", "cette"} and scale in _ROUND) or (
            word in {"un", "une"}
            and (scale in {"millier", "million", "milliard"} or following.text() in _UNITS)
        ):
            found.add((at, at + 1, 1.0))
    # Words last: « un million » is one number with its scale already.
    for occurrence in find_numbers(list(tokens), "fr", 1):
        piece = tokens[occurrence.start : occurrence.end]
        if not any(t.raw[0].isdecimal() for t in piece) and _counts(tokens, occurrence):
            with suppress(ValueError):
                found.add((occurrence.start, occurrence.end, float(occurrence.text)))
    return sorted(found)


def _counts(tokens: Sequence[_Token], occurrence: object) -> bool:
    """Tell whether a spelled number counts: « un » and « premier » are words of their own."""
    start, end = occurrence.start, occurrence.end  # type: ignore[attr-defined]
    alone = tokens[start].text()
    return end - start > 1 or (alone not in _NOT_ALONE and alone.rstrip("s") not in _ROUND)


def _read(raw: str) -> float:
    whole, _, decimals = re.sub(r"[ \u00a0\u202f]", "", raw).partition(",")
    if not decimals and re.search(r"\.\d{1,2}$", whole):
        whole, _, decimals = whole.rpartition(".")
    return float(f"{whole.replace('.', '')}.{decimals or 0}")


def _scale(tokens: Sequence[_Token], at: int) -> tuple[float, int]:
    """Return what multiplies the number that ends before `at`, and the token after it."""
    scale = 1.0
    while at < len(tokens) and (times := _SCALES.get(tokens[at].text().rstrip("s"))):
        scale *= times
        at += 1
        if at + 1 < len(tokens) and tokens[at].text() in {"d", "de"}:
            if tokens[at + 1].text().rstrip("s") not in _SCALES:
                break
            at += 1
    return scale, at


def _unit(tokens: Sequence[_Token], at: int, text: str) -> tuple[str, float]:
    """Return the unit of a number that ends before `at`, and its measure."""
    for token in tokens[at : at + 5]:
        word = token.text()
        if word in {"d", "de", "'", "’"} | set(_QUALIFIERS):
            continue
        if word in _UNITS:
            return _UNITS[word]
        if not token.raw.isalpha() or is_function_word(word):
            break
        single = word.rstrip("s")
        if single in _UNITS:
            return _UNITS[single]
        return ("personne" if single in _PEOPLE else stem(word)), 1.0
    if text[tokens[at - 1].end :].lstrip().startswith("°"):
        return _UNITS["°"]
    return "", 1.0


def _is_date(tokens: Sequence[_Token], first: int, last: int, value: float) -> bool:
    following = tokens[last].text() if last < len(tokens) else ""
    if following == "er" and last + 1 < len(tokens):
        following = tokens[last + 1].text()
    before = tokens[first - 1].text() if first else ""
    if following in {fold(m) for m in MONTHS} and value <= 31:
        return True
    if before in {"/", "-"} or following == "/":
        return True
    is_year = tokens[first].raw.isdigit() and len(tokens[first].raw) == 4 and 1500 <= value < 2100
    return is_year and not _counted_noun(tokens, last)


def _counted_noun(tokens: Sequence[_Token], at: int) -> bool:
    if at >= len(tokens):
        return False
    word, raw = tokens[at].text(), tokens[at].raw
    if word in _UNITS or word.rstrip("s") in set(_UNITS) | _PEOPLE:
        return True
    plural = raw.isalpha() and raw[0].islower() and word.endswith("s")
    return plural and not is_function_word(word)


def _bounds(amount: float, before: str, scaled: Sequence[_Token]) -> tuple[float, float]:
    spread = _ROUGH if any(t.text().rstrip("s") in _ROUND for t in scaled) else 0.0
    if _AT_LEAST.search(before):
        # « plus de 1 000 » is not said of 5 000.
        return amount, amount * 1.6
    if _AT_MOST.search(before):
        return amount * 0.5, amount
    if _APPROXIMATE.search(before):
        spread = max(spread, _CLOSE)
    return amount * (1 - spread), amount * (1 + spread)


def written(text: str, quantity: Quantity) -> str:
    """Return a quantity as `text` writes it, with the noun that it counts."""
    rest = text[quantity.end :]
    noun = re.match(r"\s?(?:%|€|°|(?:d['’]|de )?[^\W\d_]+)", rest)
    tail = noun.group() if noun and not is_function_word((words(noun.group()) or [""])[-1]) else ""
    return " ".join((text[quantity.start : quantity.end] + tail).split())
