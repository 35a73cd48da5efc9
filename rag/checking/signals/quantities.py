"""The figures and dates of a hypothesis, each matched with those of the premise.

A figure is exact when the premise gives it, in any unit of its kind; rounded when it gives it more
exactly (« 12,4 % » for « un sur huit »); derived when it is a plain sum of the premise's (147 + 6
is 153, 1952 and « deux ans après » is 1954); in conflict when the premise gives one of its kind
that does not agree; absent when it gives none. Dates are compared by the parts that both name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import Enum
from itertools import combinations

from rag.french.dates import MONTHS
from rag.french.quantities import quantities, quantity_text
from rag.french.units import KINDS
from rag.french.words import fold, same_root, stem


class Match(Enum):
    """How a figure of the hypothesis matches the premise."""

    EXACT = "exact"
    ROUNDED = "rounded"
    DERIVED = "derived"
    CONFLICT = "conflict"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure or a date of the hypothesis, how it is matched, and its counterpart in the premise.

    `span` is where it stands in the hypothesis; `alike` is how the one that it agrees with
    is written there, "" when their units differ.
    """

    text: str
    match: Match
    counterpart: str = ""
    span: tuple[int, int] = (0, 0)
    alike: str = ""
    dated: bool = False


@dataclass(frozen=True, slots=True)
class Amount:
    """A number with its unit: `low <= value <= high`; `raw` is the number as it is written.

    It is written `text`, its noun included, and stands at `span` without it. `kind` is a measure
    (« euro », « day »), the stem of the noun that is counted, or "". `rate` is what it is given
    for: « an » of « par an » and « annuel », "" when there is none. `part` tells one of those named
    before (« dont deux »).
    """

    value: float
    low: float
    high: float
    kind: str
    raw: float
    text: str
    span: tuple[int, int]
    rate: str = ""
    part: bool = False

    @property
    def measured(self) -> bool:
        """Whether it is of a measure, and not a count of things."""
        return self.kind in KINDS or self.kind in _OWN or "/" in self.kind


@dataclass(frozen=True, slots=True)
class Day:
    """A date of which each part may be left out; years are from `first` to `last`."""

    first: int | None
    last: int | None
    month: int | None
    day: int | None
    text: str
    span: tuple[int, int]
    weekday: str = ""


_DAY = "day"
_OWN = frozenset({_DAY, "score", "fois", "parts"})  # measures that are no units
# Time is one measure, in days; a month is given some room.
_TIMES = {"heure": 1 / 24, "jour": 1.0, "mois": 30.44}
_TOLERANCE = 0.02
_MOST_COMBINED = 8  # figures of a premise that are combined: with more of them any figure is a sum
_MOST_FIGURES = 80  # amounts and dates of a text that are compared at all
_YEAR = r"(?:1[0-9]|20)\d\d"
_MONTH = "|".join(map(fold, MONTHS))
_FOLDED_MONTHS = [fold(m) for m in MONTHS]
_DATES = (
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:er)? (?P<month>{_MONTH})\b(?: (?P<year>{_YEAR})\b)?"),
    re.compile(rf"\b(?P<month>{_MONTH}) (?P<year>{_YEAR})\b"),
    re.compile(r"\bannees (?P<decade>(?:1\d|20)\d0)\b"),
    re.compile(r"\b(?P<century>[ivx]{1,5}|\d{1,2}) ?e(?:r|me)? siecle\b"),
    re.compile(
        rf"(?<![\d,.])(?P<year>{_YEAR})(?![\d,.]\d|\d| ?(?:%|euro|dollar|personne|habitant))"
    ),
    re.compile(rf"\b(?<!champ de )(?P<month>{_MONTH})\b"),
    re.compile(r"\b(?P<weekday>lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)\b"),
)
_IS_ROMAN = re.compile(r"(?=.)x{0,3}(?:ix|iv|v?i{0,3})")
_ROMAN = {"i": 1, "v": 5, "x": 10}
_FRACTIONS = (
    (re.compile(r"\b(?:la|de|pour|a|les?|des) moitie\b"), 50.0),
    (re.compile(r"\b(?:les |aux |des )?deux tiers\b"), 200 / 3),
    (re.compile(r"\b(?:un|le|du|au) tiers\b"), 100 / 3),
    (re.compile(r"\b(?:les |aux |des )?trois quarts\b(?! d'heure)"), 75.0),
    (re.compile(r"\b(?:un|le|du|au) quart\b(?! d'heure)(?! de finale)"), 25.0),
    (re.compile(r"\b(?:un|le|du|au) cinquieme des?\b"), 20.0),
    (re.compile(r"\b(?:un|le|du|au) dixieme des?\b"), 10.0),
)  # fmt: skip
# A figure of the premise as a share or a multiple of one of the hypothesis, or the other way round.
_SHARES_OF = (
    (re.compile(r"\bmoitie\b|\bdemi\b"), 0.5), (re.compile(r"\bmoitie\b|\bdoubl"), 2.0),
    (re.compile(r"\btiers\b"), 1 / 3), (re.compile(r"\btiers\b"), 2 / 3),
    (re.compile(r"\btiers\b|\btripl"), 3.0), (re.compile(r"\bquarts?\b"), 0.25),
    (re.compile(r"\bquarts?\b"), 0.75), (re.compile(r"\bquarts?\b|\bquadrupl"), 4.0),
    (re.compile(r"\bdixieme\b"), 0.1), (re.compile(r"\b(?:chacun|chaque|les deux)"), 2.0),
)  # fmt: skip
_OPEN_BOUND_RATIO = 1.25  # « plus de 630 » may be 650, not 900
_COUNTED = r"\d+(?:,\d+)?|une?|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|vingt|cent"
_OUT_OF = re.compile(
    rf"\b(?P<some>{_COUNTED})(?: [\w-]+){{0,4}}? sur (?P<of>{_COUNTED})\b(?![ \u00a0\u202f.]?\d)"
)
_RATES = (
    (re.compile(r"\b(?:par|chaque) jour|\bquotidien\w*|/ ?j(?:our)?\b"), "jour"),
    (re.compile(r"\b(?:par|chaque) semaine|\bhebdomadaire\w*"), "semaine"),
    (re.compile(r"\b(?:par|chaque) mois|\bmensuel\w*"), "mois"),
    (re.compile(r"\b(?:par|chaque) an(?:nee)?\b|\bl'an\b|\bannuel\w*"), "an"),
    (re.compile(r"\b(?:par|/) ?(?:heure|h)\b|\ba l'heure\b|\bhoraires?\b"), "heure"),
    (
        re.compile(r"\bpar (?!rapport|ailleurs|exemple|consequent|contre|la |le |les |l')(\w{4,})"),
        "",
    ),
)
_RANKS = {
    w: n for n, w in enumerate(
        "premier second troisieme quatrieme cinquieme sixieme septieme huitieme neuvieme dixieme "
        "onzieme douzieme".split(), 1)
} | {"premiere": 1, "seconde": 2, "deuxieme": 2, "1er": 1, "1re": 1}  # fmt: skip
_RANK = re.compile(
    rf"\b(?P<rank>{'|'.join(_RANKS)}|\d{{1,3}}e(?:me)?) (?!siecle)(?P<noun>[^\W\d_]{{3,}})"
)
_SCORE = re.compile(r"(?<![\d,.–-])(\d{1,2}) ?(?:[-–]| a ) ?(\d{1,2})(?!\d|[,.]\d|[–-]| ?%)")
# « Louis XIV », « la IIIe République »
_NUMERAL = re.compile(
    r"(?:\b(?P<before>[A-ZÀ-Þ]\w+) )?\b(?P<numeral>[IVX]{1,5})(?:er?|ère|ème)?\b"
    r"(?: (?P<after>[A-ZÀ-Þ]\w+))?"
)
_BOUND = re.compile(
    r"\b(?:(?:un peu )?(?:plus|moins) d['’e]|au (?:moins|plus|maximum|minimum)|environ|quelque|"
    r"presque|(?:à peu )?près d['’e]|à peine|jusqu['’]à|autour de)\s*$",
    re.IGNORECASE,
)
_TIMES_OF = re.compile(r"\b(?:divis|multipli)\w+ par ?$")
_PART = re.compile(r"\b(?:dont|parmi lesquel(?:le)?s) $")
_ORDER = re.compile(r"(?:\d|\b[ivx]+)(?:er|re|e|eme|nde?)\b")
_GLUED = re.compile(r"[^\W\d_][-–]?$")
_PLAIN = re.compile(r"\d[\d\s.,]*")


def match_quantities(hypothesis: str, premise: str, label: str = "") -> list[Figure]:
    """Return each figure and date of the hypothesis, with how the premise matches it.

    What stands in the `label` of the premise counts too, but a date there contradicts none: it is
    the day on which something was written.
    """
    whole = f"{label}\n{premise}" if label else premise
    (mine, own), (candidates, days) = _read_both(hypothesis), _read_both(whole)
    shares = _multiples(whole) if mine else []
    found = [_amount(a, candidates, days, shares, whole) for a in mine]
    within = len(whole) - len(premise)
    return found + [_day(d, days, candidates, within) for d in own]


def counterparts(hypothesis: str, premise: str) -> list[tuple[tuple[int, int], bool]]:
    """Return where the premise gives a figure or a date of a kind that the hypothesis gives.

    Each with whether they agree. One that the hypothesis does not speak of is not among them, nor
    is another of its kind where one agrees.
    """
    (mine, own), (theirs, days) = _read_both(hypothesis), _read_both(premise)
    found = []
    for amount in theirs:
        near = [a for a in mine if _of_a_kind(a, amount)]
        if any(_agree(a, amount) for a in near):
            found.append((amount.span, True))
        elif any(
            a.kind and amount.kind and not any(_of_a_kind(a, g) and _agree(a, g) for g in theirs)
            for a in near
        ):
            found.append((amount.span, False))
    for day in days:
        shared = [d for d in own if _share(d, day)]
        if any(_meet(d, day) for d in shared):
            found.append((day.span, True))
        elif any(not any(_share(d, g) and _meet(d, g) for g in days) for d in shared):
            found.append((day.span, False))
    return found


def _read_both(text: str) -> tuple[list[Amount], list[Day]]:
    """Return the amounts and the dates of a text; « 1 200 mètres » is no year."""
    found = amounts(text)[:_MOST_FIGURES]
    counted = {a.span[0] for a in found if a.kind and not a.kind.startswith("rank ")}
    days = [d for d in dates(text) if d.month or d.weekday or d.span[0] not in counted]
    return found, days[:_MOST_FIGURES]


def worded_alike(hypothesis: str, figures: Sequence[Figure]) -> str:
    """Return the hypothesis with each figure worded as the one of the premise that it agrees with.

    A network takes « un sur huit » and « 12,4 % » for two things, and « plus de 20 000 » beside
    « 26 500 » for a contradiction; the comparison of figures has shown that they agree.
    """
    limit = len(hypothesis)
    for figure in sorted(figures, key=lambda f: f.span, reverse=True):
        start, end = figure.span
        if figure.alike and end <= limit:
            bound = _BOUND.search(hypothesis[:start])
            first = bound.start() if bound else start
            hypothesis = hypothesis[:first] + figure.alike + hypothesis[end:]
            limit = first
    return hypothesis


def _folded(text: str) -> str:
    """Return a text folded, each character in its place."""
    folded = fold(text)
    if len(folded) == len(text):
        return folded
    return "".join((fold(c) or " ")[0] for c in text)


def amounts(text: str) -> list[Amount]:
    """Return the amounts of a text, shares in hundredths and times in days; dates are none."""
    folded = _folded(text)
    dated = [m.span() for p in _DATES[:4] for m in p.finditer(folded)]
    found, taken = [], []
    for share, span in _shares(folded):
        room = 0.04 * share
        found.append(
            Amount(share, share - room, share + room, "%", share, text[slice(*span)], span)
        )
        taken.append(span)
    for m in _SCORE.finditer(folded):
        if not any(m.start() < b and a < m.end() for a, b in (*taken, *dated)):
            value = 1000.0 * int(m[1]) + int(m[2])
            found.append(Amount(value, value, value, "score", value, m.group(), m.span()))
            taken.append(m.span())
    for m in _NUMERAL.finditer(text):
        value, beside = float(_roman(m["numeral"].lower())), m["before"] or m["after"] or ""
        if value and beside and not beside.lower().startswith("siecle"):
            kind = f"rank {stem(fold(beside))}"
            found.append(Amount(value, value, value, kind, value, m.group().strip(), m.span()))
    taken += dated
    for q in quantities(text):
        if any(q.start < b and a < q.end for a, b in taken) or _is_name(text, q.start, q.end):
            continue
        unit, factor = (_DAY, _TIMES[q.unit]) if q.unit in _TIMES else (q.unit, 1.0)
        raw = _raw(text[q.start : q.end])
        if _TIMES_OF.search(folded[max(0, q.start - 18) : q.start]):
            unit = "fois" if "multipli" in folded[max(0, q.start - 18) : q.start] else "parts"
        value, low, high = q.value * factor, q.low * factor, q.high * factor
        rate = _rate(folded[q.end : q.end + 40])
        hundredths = re.match(r"\s?(?:%|pour cent)", text[q.end :]) if unit == "%" else None
        span = q.start, q.end + (hundredths.end() if hundredths else 0)
        part = bool(_PART.search(folded[max(0, q.start - 20) : q.start]))
        found.append(Amount(value, low, high, unit, raw, quantity_text(text, q), span, rate, part))
    for m in _RANK.finditer(folded):
        rank = float(_RANKS.get(m["rank"]) or int(re.sub(r"\D", "", m["rank"])))
        kind = f"rank {stem(m['noun'])}"
        found.append(Amount(rank, rank, rank, kind, rank, text[slice(*m.span())], m.span()))
    return found


def _rate(after: str) -> str:
    """Return what the amount that stands before a text is given for."""
    clause = re.split(r"[.;:,()]|\b(?:et|contre|mais|qui|dont|pour)\b", after, maxsplit=1)[0]
    found = [(m.start(), name or stem(m[1])) for p, name in _RATES if (m := p.search(clause))]
    return min(found)[1] if found else ""


def _is_name(text: str, start: int, end: int) -> bool:
    """Tell whether a number is part of a name or of an order: « F125 », « 3DS », « 36e »."""
    if _GLUED.search(text[max(0, start - 2) : start]):
        return True
    after = re.match(r"[^\W\d_]+", text[end:])
    if not after or not text[end - 1].isdigit():
        return False
    letters = after.group()
    return bool(_ORDER.fullmatch(f"1{fold(letters)}")) or (letters.isupper() and len(letters) > 1)


def _raw(piece: str) -> float:
    digits = _PLAIN.search(piece)
    if not digits:
        return 0.0
    plain = re.sub(r"[\s.]", "", digits.group()).rstrip(",").replace(",", ".")
    try:
        return float(plain)
    except ValueError:
        return 0.0


def _shares(folded: str) -> Iterator[tuple[float, tuple[int, int]]]:
    """Yield the shares that are written in words, in hundredths, and where."""
    for pattern, share in _FRACTIONS:
        for m in pattern.finditer(folded):
            yield share, m.span()
    for m in _OUT_OF.finditer(folded):
        some, of = _count(m["some"]), _count(m["of"])
        if some and of and 1 < of <= 100 and some < of:
            yield 100 * some / of, m.span()


_COUNTS = {
    w: n for n, w in enumerate(
        "zero un deux trois quatre cinq six sept huit neuf dix onze douze".split())
} | {"une": 1, "vingt": 20, "cent": 100}  # fmt: skip


def _count(word: str) -> float:
    if word.replace(",", "").isdecimal():
        return float(word.replace(",", "."))
    return float(_COUNTS.get(word, 0))


def dates(text: str) -> list[Day]:
    """Return the dates of a text: whole ones, months, years, decades and centuries."""
    folded = _folded(text)
    taken = [False] * len(folded)
    found: list[tuple[int, Day]] = []
    for pattern in _DATES:
        for m in pattern.finditer(folded):
            if any(taken[m.start() : m.end()]):
                continue
            taken[m.start() : m.end()] = [True] * (m.end() - m.start())
            if day := _read(m, text[m.start() : m.end()]):
                found.append((m.start(), day))
    return [day for _, day in sorted(found, key=lambda f: f[0])]


def _read(m: re.Match[str], text: str) -> Day | None:
    parts = m.groupdict()
    if parts.get("decade"):
        return Day(int(m["decade"]), int(m["decade"]) + 9, None, None, text, m.span())
    if parts.get("century"):
        raw = m["century"]
        century = int(raw) if raw.isdecimal() else _roman(raw)
        if not century:
            return None
        return Day(100 * century - 100, 100 * century, None, None, text, m.span())
    year = int(parts["year"]) if parts.get("year") else None
    month = _FOLDED_MONTHS.index(parts["month"]) + 1 if parts.get("month") else None
    day = int(parts["day"]) if parts.get("day") else None
    if day is not None and not 0 < day <= 31:
        return None
    return Day(year, year, month, day, text, m.span(), parts.get("weekday") or "")


def _roman(letters: str) -> int:
    """Return the value of a roman numeral up to 39, or 0 for what is none."""
    if not _IS_ROMAN.fullmatch(letters):
        return 0
    values = [_ROMAN[c] for c in letters]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))


def _amount(
    amount: Amount,
    candidates: Sequence[Amount],
    days: Sequence[Day],
    shares: Sequence[float],
    premise: str,
) -> Figure:
    near = [g for g in candidates if _of_a_kind(amount, g)]
    # « 120 marins » and « 120 hommes »
    counts = [g for g in candidates if not amount.measured and not g.measured]
    for match, pool, fits in (
        (Match.EXACT, [*near, *counts], _agree),
        (Match.ROUNDED, near, _rounds),
    ):
        if other := next((g for g in pool if fits(amount, g)), None):
            one_unit = amount.kind != _DAY and not amount.kind.startswith("rank ")
            alike = premise[slice(*other.span)] if one_unit and amount.kind == other.kind else ""
            if _OUT_OF.search(amount.text) or _OUT_OF.search(alike):
                alike = ""  # « un papillon sur huit » holds what is counted
            return Figure(amount.text, match, other.text, amount.span, alike)
    if _is_derived(amount, candidates, days, shares):
        return Figure(amount.text, Match.DERIVED, "", amount.span)
    rivals = [*(g for g in candidates if amount.raw and amount.raw == g.raw), *near]
    if rivals:
        mine, theirs = amount.text, rivals[0].text
        if mine == theirs:  # they differ by what they are given for
            mine, theirs = (
                f"{a.text} par {a.rate}" if a.rate else a.text for a in (amount, rivals[0])
            )
        return Figure(mine, Match.CONFLICT, theirs, amount.span)
    return Figure(amount.text, Match.ABSENT, "", amount.span)


def _of_a_kind(a: Amount, b: Amount) -> bool:
    """Tell whether two amounts are of one kind, so that one can be the other, or exclude it."""
    if a.kind == b.kind:
        return True
    if not a.kind or not b.kind:
        return not {a.kind, b.kind} & (_OWN - {_DAY} | {"%"})
    if a.kind.startswith("rank ") or b.kind.startswith("rank "):
        return False
    return not a.measured and not b.measured and same_root(a.kind, b.kind) > 0


def _agree(a: Amount, b: Amount) -> bool:
    room = _TOLERANCE if a.kind == _DAY else 1e-6
    if a.rate and b.rate and a.rate != b.rate:
        return False
    return a.low <= b.high * (1 + room) and b.low <= a.high * (1 + room)


def _rounds(amount: Amount, other: Amount) -> bool:
    """Tell whether an amount is the other with fewer digits."""
    if not other.value or amount.value == other.value:
        return False
    digits = len(f"{amount.value:.10g}".replace(".", "").strip("0")) or 1
    fewer = digits < len(f"{other.value:.10g}".replace(".", "").strip("0"))
    return fewer and float(f"{other.value:.{digits - 1}e}") == float(f"{amount.value:.10g}")


def _multiples(premise: str) -> list[float]:
    """Return what « la moitié », « doubler » and such may multiply by, of those in a text."""
    folded = _folded(premise)
    return [share for pattern, share in _SHARES_OF if pattern.search(folded)]


def _is_derived(
    amount: Amount, candidates: Sequence[Amount], days: Sequence[Day], shares: Sequence[float]
) -> bool:
    """Tell whether an amount follows from two of the premise, or from one and a share of it."""
    some = [
        g for g in candidates if g.value and not g.kind.startswith("rank ") and g.kind != "score"
    ]
    some = some[:_MOST_COMBINED]
    low, high = _bounds(amount)

    def within(value: float) -> bool:
        return low <= value <= high

    if amount.kind == _DAY:
        spans = [s for a, b in combinations(days[:_MOST_COMBINED], 2) for s in _apart(a, b)]
        if any(low * (1 - _TOLERANCE) <= s <= high * (1 + _TOLERANCE) for s in spans):
            return True
    if any(within(g.value * s) for g in some if _of_a_kind(amount, g) for s in shares):
        return True
    return any(within(v) for a, b in combinations(some, 2) for v in _results(amount, a, b))


def _bounds(amount: Amount) -> tuple[float, float]:
    """Return what an amount may be at least and at most: « plus de » something is not much more."""
    low, high = (
        max(amount.low, amount.value / _OPEN_BOUND_RATIO),
        min(amount.high, amount.value * _OPEN_BOUND_RATIO),
    )
    return low * (1 - 1e-6), high * (1 + 1e-6)


def _results(amount: Amount, a: Amount, b: Amount) -> Iterator[float]:
    """Yield what two amounts make that can be of the kind of a third.

    Sums and differences of what is of one kind, or of parts of a whole; one taken a number of
    times; their ratio, where it is a multiple or a share; one more, or less, by a percentage.
    """
    more, less = max(a.value, b.value), min(a.value, b.value)
    if amount.kind in {"fois", "parts"} and _alike(a, b):
        yield more / less
    if amount.kind == "%" and _alike(a, b):
        yield 100 * less / more
        yield 100 * (more - less) / less
        yield 100 * (more - less) / more
    if _sums(amount, a, b):
        yield a.value + b.value
        yield more - less
    for one, times in ((a, b), (b, a)):
        if not _of_a_kind(amount, one):
            continue
        if times.kind == "%":
            yield one.value * (1 + times.value / 100)
            yield one.value * (1 - times.value / 100)
            yield one.value / (1 + times.value / 100)
            yield one.value * times.value / 100
        elif _multiplies(times, one):
            yield one.value * times.value
            yield one.value / times.value


def _multiplies(times: Amount, one: Amount) -> bool:
    """Tell whether an amount can be a number of times another: « trois spectacles à 12 euros ».

    A count of the same things, of some of them, or of nobody knows what, cannot: « quatre
    pédiatres, dont deux venus de Roumanie » are not eight.
    """
    if times.kind in {"fois", "parts"}:
        return True
    counts_others = bool(times.kind and one.kind) and times.kind != one.kind
    return not times.measured and not times.part and (one.measured or counts_others)


def _alike(a: Amount, b: Amount) -> bool:
    return a.kind == b.kind or not (a.measured or b.measured)


def _sums(amount: Amount, a: Amount, b: Amount) -> bool:
    """Tell whether two amounts can be added up to a third: of its kind, or parts of a whole.

    « 147 passagers » and « 6 membres d'équipage » are 153 people; « onze classes, deux de moins »
    make thirteen.
    """
    if a.kind == b.kind:
        return amount.kind in {"", a.kind}
    if not a.kind or not b.kind:
        return amount.kind in {"", a.kind, b.kind}
    return amount.kind not in {"", a.kind, b.kind} and not amount.measured


def _apart(a: Day, b: Day) -> Iterator[float]:
    """Yield how many days two dates are apart, by the parts that both have."""
    if a.month and b.month and a.day and b.day and bool(a.first) == bool(b.first):
        with suppress(ValueError):
            one, other = (date(d.first or 2001, d.month or 1, d.day or 1) for d in (a, b))
            yield abs((one - other).days)
    elif a.first and b.first and a.first == a.last and b.first == b.last and a.first != b.first:
        yield abs(a.first - b.first) * 365.25


def _day(day: Day, candidates: Sequence[Day], spans: Sequence[Amount], within: int = 0) -> Figure:
    """Return a date as it is matched; those that stand before `within` exclude nothing."""
    shared = [g for g in candidates if _share(day, g)]
    matches = [g for g in shared if _meet(day, g)]
    if matches and _names_all_parts(day, matches):
        return Figure(day.text, Match.EXACT, matches[0].text, day.span, dated=True)
    if day.first and any(_after(day, g, spans) for g in candidates):
        return Figure(day.text, Match.DERIVED, "", day.span, dated=True)
    rivals = [g for g in shared if g.span[0] >= within]
    if rivals and not matches:
        return Figure(day.text, Match.CONFLICT, rivals[0].text, day.span, dated=True)
    return Figure(day.text, Match.ABSENT, "", day.span, dated=True)


def _names_all_parts(day: Day, matches: Sequence[Day]) -> bool:
    """Tell whether dates that agree with one name all of its parts: « en 2024 » names no month."""
    parts = ("first", "month", "day", "weekday")
    return all(any(getattr(g, part) for g in matches) for part in parts if getattr(day, part))


def _share(a: Day, b: Day) -> bool:
    """Tell whether two dates name a part in common, which may differ."""
    both = ((a.first, b.first), (a.month, b.month), (a.day, b.day), (a.weekday, b.weekday))
    return any(mine and theirs for mine, theirs in both)


def _meet(a: Day, b: Day) -> bool:
    years = not a.first or not b.first or (a.first <= (b.last or 0) and b.first <= (a.last or 0))
    months = not a.month or not b.month or a.month == b.month
    weekdays = not a.weekday or not b.weekday or a.weekday == b.weekday
    return years and months and weekdays and (not a.day or not b.day or a.day == b.day)


def _after(day: Day, other: Day, spans: Sequence[Amount]) -> bool:
    """Tell whether a date is another one plus or minus a time of the premise."""
    if not (day.first and other.first):
        return False
    times = [s.value for s in spans if s.kind == _DAY]
    if day.month and other.month:
        apart = (day.first - other.first) * 12 + day.month - other.month
        near = [t / 30.44 for t in times]
        return any(abs(abs(apart) - t) < 1 for t in near if t < 60)
    apart = day.first - other.first
    return any(t > 300 and abs(abs(apart) - t / 365.25) < 0.6 for t in times)
