"""Quantities in French text, with their units, and whether two of them agree.

« 1 200 personnes », « mille deux cents habitants », « 1,2 millier », « plus de
2 millions d'euros », « un an et demi », « 180 km/h », « 12 % ». Values are
compared in one unit of each kind (metres, kilograms, euros, hours, metres an
hour), and « plus de », « près de » are heard.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

from text_to_num import find_numbers

from rag.domain import Quantity
from rag.french.dates import MONTHS
from rag.french.numbers import DIGITS, NUMBER_WORDS, read_digits
from rag.french.units import CURRENCIES, PEOPLE, Measure, Token, measure_at
from rag.french.words import fold, is_function_word, stem

_TOKEN = re.compile(rf"{DIGITS}|[^\W\d_]+|[^\w\s]", re.UNICODE)
_SCALES = {
    "millier": 1e3, "mille": 1e3, "million": 1e6, "milliard": 1e9, "centaine": 100,
    "dizaine": 10, "douzaine": 12, "quinzaine": 15, "vingtaine": 20, "trentaine": 30,
    "quarantaine": 40, "cinquantaine": 50, "soixantaine": 60,
}  # fmt: skip
_ROUND = frozenset(_SCALES) - {"mille", "million", "milliard", "millier"}
# « 2,5 M€ »: letters that multiply, before money alone.
_SYMBOLS = {"k": 1e3, "K": 1e3, "M": 1e6, "Md": 1e9, "Mds": 1e9, "Mrd": 1e9, "Mrds": 1e9}
_MOST_SCALES = 3  # « mille milliards de milliers »; more is no French, and would be read again
_HALVES = {"demi": 0.5, "demie": 0.5}
_NOT_ALONE = frozenset("un une neuf neuve million millions milliard milliards millier".split())
_APPROXIMATE = re.compile(r"(?:environ|pres d[e']|quelque|autour d[e']|a peu pres|presque) ?$")
_AT_LEAST = re.compile(
    r"(?:plus d[e']|au moins|au-dela d[e']|depass\w+(?: les)?|un minimum d[e']) ?$"
)
_AT_MOST = re.compile(r"(?:moins d[e']|au plus|a peine|jusqu'a|un maximum d[e']) ?$")
_QUALIFIERS = (
    "bon bons bonne bonnes nouveau nouveaux nouvelle nouvelles autre autres petits".split()
)
_BETWEEN = frozenset({"d", "de", "'", *_QUALIFIERS})
_QUARTERS = [
    (("et", "quart"), 0.25),
    (("et", "trois", "quarts"), 0.75),
    (("trois", "quarts"), 0.75),
    (("moins", "le", "quart"), -0.25),
    (("moins", "quart"), -0.25),
]
_MONTHS = frozenset(map(fold, MONTHS))
_LONGEST_NUMBER = 40  # characters of a number that counts something
_CLOSE_TOLERANCE = 0.05  # « près de 1 200 » for 1 187
_ROUGH_TOLERANCE = 0.25  # « une dizaine » for 12


def quantities(text: str) -> tuple[Quantity, ...]:
    """Return the quantities of `text` in order; years and days of months are none (see `when`)."""
    tokens = [Token(m.group(), *m.span(), fold(m.group())) for m in _TOKEN.finditer(text)]
    found: list[Quantity] = []
    free = 0  # the first token that no number and no unit has taken
    for first, last, number in _values(tokens):
        if first < free or _is_date(tokens, first, last, number):
            continue
        start = tokens[first].start
        if found and _after_hour(found[-1], text[found[-1].end : start]) and number < 60:
            minutes = _unit(tokens, last)
            if minutes.kind == "heure" or not _counted_noun(tokens, last):
                found[-1] = _clock(found[-1], number, tokens[last - 1].end)
                free = minutes.end if minutes.kind == "heure" else last
                continue
        scale, scaled = _scale(tokens, last)
        half, after = _half(tokens, scaled)
        value = number * scale + half * _SCALES.get(_singular(tokens[scaled - 1]), 1.0)
        unit = _unit(tokens, after)
        part, parted = _fraction(tokens, unit) if unit.kind else (0.0, after)
        amount = (value + part) * unit.factor
        before = fold(text[max(0, start - 24) : start])
        low, high = _bounds(amount, before, tokens[last:scaled])
        end = tokens[(parted if part else after) - 1].end
        found.append(Quantity(amount, low, high, unit.kind, start, end))
        free = max(parted, unit.end)
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


def _values(tokens: Sequence[Token]) -> list[tuple[int, int, float]]:
    """Return (first token, token after the last, value) of each number, digits or words."""
    found = {
        (at, at + 1, float(read_digits(token.raw)))
        for at, token in enumerate(tokens)
        if token.raw[0].isdecimal() and len(token.raw) <= _LONGEST_NUMBER
    }
    found.update(_articles(tokens))
    if not any(token.folded in NUMBER_WORDS for token in tokens):
        return sorted(found)
    # Words last: « un million » is one number with its scale already.
    for occurrence in find_numbers(list(tokens), "fr", 1):
        piece = tokens[occurrence.start : occurrence.end]
        if not any(t.raw[0].isdecimal() for t in piece) and _counts(tokens, occurrence):
            with suppress(ValueError):
                value = float(occurrence.text)
                if math.isfinite(value):
                    found.add((occurrence.start, occurrence.end, value))
    return sorted(found)


def _articles(tokens: Sequence[Token]) -> Iterator[tuple[int, int, float]]:
    """Yield the articles that count: « une dizaine », « un million », « une demi-heure »."""
    for at, token in enumerate(tokens[:-1]):
        word = token.text() if token.raw.isalpha() and len(token.raw) <= 5 else ""
        if word not in {"un", "une", "la", "cette"}:
            continue
        following, scale = tokens[at + 1], _singular(tokens[at + 1])
        if scale in _ROUND and word != "un":
            yield at, at + 1, 1.0
        elif word not in {"un", "une"}:
            continue
        elif scale in {"millier", "million", "milliard"} or measure_at(tokens, at + 1):
            yield at, at + 1, 1.0
        elif scale == "quart" and _of_an_hour(tokens, at + 2):
            yield at, at + 2, 0.25
        elif following.text() == "demi" and _follows(tokens, at + 2, "-"):
            whole = tokens[at + 3 : at + 4]
            if whole and (_singular(whole[0]) in _SCALES or measure_at(tokens, at + 3)):
                yield at, at + 3, 0.5


def _counts(tokens: Sequence[Token], occurrence: object) -> bool:
    """Tell whether a spelled number counts: « un » and « premier » are words of their own."""
    start, end = occurrence.start, occurrence.end  # type: ignore[attr-defined]
    alone = tokens[start].text()
    if alone == "neuf" and _counted_noun(tokens, end):  # « neuf brebis », not « un pont neuf »
        return True
    return end - start > 1 or (alone not in _NOT_ALONE and alone.rstrip("s") not in _ROUND)


def _singular(token: Token) -> str:
    return token.text().rstrip("s")


def _follows(tokens: Sequence[Token], at: int, *wanted: str) -> bool:
    """Tell whether the tokens from `at` are these, folded."""
    return [t.text() for t in tokens[at : at + len(wanted)]] == list(wanted)


def _of_an_hour(tokens: Sequence[Token], at: int) -> bool:
    return _follows(tokens, at, "d", "'", "heure")


def _scale(tokens: Sequence[Token], at: int) -> tuple[float, int]:
    """Return what multiplies the number that ends before `at`, and the token after it."""
    if at < len(tokens) and (times := _SYMBOLS.get(tokens[at].raw)):
        money = _unit(tokens, at + 1)
        return (times, at + 1) if money.kind in CURRENCIES else (1.0, at)
    if at < len(tokens) and _singular(tokens[at]) == "quart" and _of_an_hour(tokens, at + 1):
        return 0.25, at + 1
    scale = 1.0
    for _ in range(_MOST_SCALES):
        if at >= len(tokens) or not (times := _SCALES.get(_singular(tokens[at]))):
            break
        scale *= times
        at += 1
        if at + 1 < len(tokens) and tokens[at].text() in {"d", "de"}:
            if _singular(tokens[at + 1]) not in _SCALES:
                break
            at += 1
    return scale, at


def _half(tokens: Sequence[Token], at: int) -> tuple[float, int]:
    """Return the « et demi » that stands at `at`, of what is before it, and the token after it."""
    if at + 1 < len(tokens) and tokens[at].text() == "et":
        half = _HALVES.get(tokens[at + 1].text(), 0.0)
        return half, at + 2 if half else at
    return 0.0, at


def _fraction(tokens: Sequence[Token], unit: Measure) -> tuple[float, int]:
    """Return the part of a unit that is said after it, and the token after: « un an et demi ».

    A clock has quarters too: « et quart », « moins le quart », « trois quarts ».
    """
    at = unit.end
    half, after = _half(tokens, at)
    if half or unit.kind != "heure":
        return half, after
    for words, part in _QUARTERS:
        if _follows(tokens, at, *words):
            return part, at + len(words)
    return 0.0, at


def _unit(tokens: Sequence[Token], at: int) -> Measure:
    """Return the unit of a number that ends before `at`; its kind is "" when it has none."""
    for place in range(at, min(at + 5, len(tokens))):
        token = tokens[place]
        word = token.text()
        if word in _BETWEEN:
            continue
        if unit := measure_at(tokens, place):
            return unit
        if not token.raw.isalpha() or is_function_word(word):
            break
        single = word.rstrip("s")
        return Measure("personne" if single in PEOPLE else stem(word), 1.0, place + 1)
    return Measure("", 1.0, at)


def _is_date(tokens: Sequence[Token], first: int, last: int, value: float) -> bool:
    following = tokens[last].text() if last < len(tokens) else ""
    if following == "er" and last + 1 < len(tokens):
        following = tokens[last + 1].text()
    before = tokens[first - 1].text() if first else ""
    if following in _MONTHS and value <= 31:
        return True
    if before in {"/", "-"} or following == "/":
        return True
    is_year = tokens[first].raw.isdigit() and len(tokens[first].raw) == 4 and 1500 <= value < 2100
    return is_year and not _counted_noun(tokens, last)


def _counted_noun(tokens: Sequence[Token], at: int) -> bool:
    if at >= len(tokens):
        return False
    word, raw = tokens[at].text(), tokens[at].raw
    if word.rstrip("s") in PEOPLE or measure_at(tokens, at):
        return True
    plural = raw.isalpha() and raw[0].islower() and word.endswith("s")
    return plural and not is_function_word(word)


def _bounds(amount: float, before: str, scaled: Sequence[Token]) -> tuple[float, float]:
    spread = _ROUGH_TOLERANCE if any(_singular(t) in _ROUND for t in scaled) else 0.0
    if _AT_LEAST.search(before):
        # « plus de 1 000 » is not said of 5 000.
        return amount, amount * 1.6
    if _AT_MOST.search(before):
        return amount * 0.5, amount
    if _APPROXIMATE.search(before):
        spread = max(spread, _CLOSE_TOLERANCE)
    return amount * (1 - spread), amount * (1 + spread)


_OF_NOUN = re.compile(r"\s?(?:d['’]|de )([^\W\d_]+)")
_NOUN = re.compile(r"\s?(?:[%€$£°]|pour cent|(?:d['’]|de )?([^\W\d_]+)(?: (?:carré|cube)s?)?)")
_ANY_WORD = re.compile(r"\s([^\W\d_]+)")
_BEFORE_NOUNS = frozenset(
    "grand grands grande grandes petit petits petite petites gros grosse grosses jeunes vieux "
    "vieilles ancien anciens ancienne anciennes nouveau nouveaux nouvelle nouvelles bon bons bonne "
    "bonnes beaux belles longs longue longues haut hauts haute hautes autres premiers premieres "
    "derniers dernieres prochains prochaines principaux principales futurs futures simples vrais "
    "vraies faux fausses meilleurs meilleures mauvais mauvaises".split()
)
_PARTICIPLES = frozenset(
    p + ending
    for p in "venu issu ne arrive parti reste situe nomme installe base mis fait pris vendu perdu "
    "rendu prevu recu tenu vu connu devenu revenu paru".split()
    for ending in ("", "e", "s", "es")
)
_RATE = re.compile(r"\s?([^\W\d_]+)(?:\s?/\s?|-| par | à l['’])[^\W\d_]+")
_PARTED = re.compile(r"(?:demie?|quarts?)$|\d ?h(?:eures?)? ?\d+$")


def quantity_text(text: str, quantity: Quantity) -> str:
    """Return a quantity as `text` writes it, with the noun that it counts."""
    amount = text[quantity.start : quantity.end]
    # « un an et demi » has its noun already, « un million et demi » waits for it.
    pattern = _OF_NOUN if _PARTED.search(fold(amount)) else _RATE if "/" in quantity.unit else _NOUN
    noun = pattern.match(text, quantity.end)
    word = fold(noun.group(1) or "") if noun and noun.lastindex else ""
    tail = noun.group() if noun and not is_function_word(word) else ""
    if noun and word in _BEFORE_NOUNS:  # « 40 petits » of « 40 petits commerces »
        after = _ANY_WORD.match(text, noun.end())
        tail = tail + after.group() if after and not is_function_word(fold(after[1])) else ""
    elif word in _PARTICIPLES:
        tail = ""
    return " ".join((amount + tail).split())
