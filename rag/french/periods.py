"""When a text speaks of: its dates and periods, resolved against the day it was written.

« mercredi », « l'an dernier » and « en mars » mean nothing without the date of
the article; a question's « en 2023 » is answered by an article of 2023 as well
as by a sentence that names the year. The grammar is closed and small on
purpose: a general date parser also finds dates in « mars », « sept » and
« un an », and a wrong period is worse here than none.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from rag.domain import Period
from rag.french.dates import MONTHS
from rag.french.numbers import numbers
from rag.french.words import fold

_MONTH_NAMES = [fold(m) for m in MONTHS]
_MONTH = "|".join(_MONTH_NAMES)
_DAYS = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"]
_YEAR = r"(?:1[5-9]|20)\d\d"
_RECENT = re.compile(
    # « les derniers militaires » are not the newest: only what comes out again and again is.
    r"\b(?:derniere?s? (?:bilan|chiffre|nouvelle|decision|edition|match|resultat|election|sondage|"
    r"estimation|rapport|version|information|annonce|mesure|festival|tour|recensement)s?|"
    r"recente?s?|recemment|actuel\w*|a ce jour|en ce moment|maintenant|"
    r"aujourd'hui|desormais|a l'heure actuelle|finalement|en definitive|definiti\w*)\b"
)
_NOT_RECENT = re.compile(
    rf"\b(?:an|annee|mois|semaine|ete|hiver|printemps|automne|siecle|{'|'.join(_DAYS)}) "
    r"(?:derniere?|passee?)\b"
)


# What stands before a time and goes with it.
_LEADING = re.compile(
    r"(?:(?:^|[,\s])\s*(?:en|de|du|d['’]|pendant|durant|à|au|dans|le|la|les|l['’]|ce|cette|mois|cours|"
    r"ann[ée]e|saison))+\s*$",
    re.IGNORECASE,
)
# Before which it is no time that something happened in.
_BOUNDING = re.compile(
    r"\b(?:avant|après|depuis|dès|jusqu['’]?(?:en|au|à)?|entre|et|ou|vers|pour|d['’]ici|fin|début)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class AskedTime:
    """The time a question asks about; `latest` when it asks for the newest state of things.

    `untimed` is the question without the words of that time.
    """

    periods: tuple[Period, ...] = ()
    latest: bool = False
    untimed: str = field(default="", compare=False)


def asked(question: str, today: date | None = None) -> AskedTime:
    """Return the time that a question asks about, seen from `today` (default: the real one)."""
    folded = fold(question)
    latest = bool(_RECENT.search(_NOT_RECENT.sub(" ", folded)))
    cut = _cut(question, today or date.today(), partial=False)
    return AskedTime(_in_order(cut), latest, _without(question, cut))


def _without(question: str, cut: Sequence[tuple[int, int, Period]]) -> str:
    """Return a question without the time that it names: « en 2023 », « au mois de mai 2024 ».

    As it is with several, or where one bounds what is asked: « après 2012 ».
    """
    if len(cut) != 1 or len(fold(question)) != len(question):
        return question
    start, end, _ = cut[0]
    lead = _LEADING.search(question[:start])
    before = question[: lead.start() if lead else start]
    around = f"{before.rpartition(' ')[2]} {question[len(before) : end]}"
    if _BOUNDING.search(around):
        return question
    return " ".join(f"{before} {question[end:]}".split()).lstrip(" ,")


def periods(text: str, written: date | None, *, partial: bool = True) -> list[Period]:
    """Return the periods that `text` names, in order of appearance.

    Relative expressions are resolved against `written` and left out without
    it. A day or month without a year takes the year nearest to `written`;
    `partial=False` leaves it out, as a question asks for any year.
    """
    return list(_in_order(_cut(text, written, partial=partial)))


def _in_order(cut: Sequence[tuple[int, int, Period]]) -> tuple[Period, ...]:
    return tuple(period for _, _, period in sorted(cut, key=lambda found: found[0]))


def _cut(text: str, written: date | None, *, partial: bool) -> list[tuple[int, int, Period]]:
    """Return the places in a folded text, `[start, end)`, that name a period, and the period."""
    folded = re.sub(r"\s", " ", fold(text))
    taken = [False] * len(folded)
    found: list[tuple[int, int, Period]] = []
    for pattern, read in _GRAMMAR:
        for match in re.finditer(pattern, folded):
            if any(taken[match.start() : match.end()]):
                continue
            taken[match.start() : match.end()] = [True] * (match.end() - match.start())
            if period := read(match, written, partial):
                found.append((match.start(), match.end(), period))
    return found


def fit(wanted: AskedTime, named: Sequence[Period], published: date | None) -> float:
    """Return how well the time of a text fits what is asked, in [0, 1]; 0.5 when nothing is.

    `named` are the periods that the text names.
    1: the text names a time within what is asked. 0.8: it names none and was
    published then. 0.1: published at another time. 0: it names other times only.
    """
    if not wanted.periods:
        return 0.5
    if any(p.meets(w) and p.days <= max(366, w.days) for p in named for w in wanted.periods):
        return 1.0
    if published is None:
        return 0.0 if named else 0.4
    then = Period(published, published)
    if any(then.meets(w) for w in wanted.periods):
        # An event of last week may be told in today's article, seldom the reverse.
        return (
            0.5 if named and all(p.last < w.first for p in named for w in wanted.periods) else 0.8
        )
    return 0.0 if named else 0.1


def _month(year: int, month: int) -> Period:
    return Period(date(year, month, 1), date(year, month, monthrange(year, month)[1]))


def _year(year: int) -> Period:
    return Period(date(year, 1, 1), date(year, 12, 31))


def _one(day: date) -> Period:
    return Period(day, day)


def _full_date(m: re.Match[str], written: date | None, partial: bool) -> Period | None:
    day, month = int(m[1]), _MONTH_NAMES.index(m[2]) + 1
    years = [int(m[3])] if m[3] else _near(written) if partial else []
    made = []
    for year in years:
        try:
            made.append(date(year, month, day))
        except ValueError:  # « 31 février »
            continue
    if not made:
        return None
    return _one(min(made, key=lambda d: abs((d - written).days) if written else 0))


def _month_of_year(m: re.Match[str], _written: date | None, _partial: bool) -> Period:
    return _month(int(m[2]), _MONTH_NAMES.index(m[1]) + 1)


def _bare_month(m: re.Match[str], written: date | None, partial: bool) -> Period | None:
    if written is None or not partial:
        return None
    month = _MONTH_NAMES.index(m[1]) + 1
    near = [_month(y, month) for y in _near(written)]
    return min(near, key=lambda p: abs((p.first - written).days))


def _near(written: date | None) -> list[int]:
    return [written.year, written.year - 1, written.year + 1] if written else []


def _named_year(m: re.Match[str], _written: date | None, _partial: bool) -> Period:
    return _year(int(m[1]))


def _weekday(m: re.Match[str], written: date | None, _partial: bool) -> Period | None:
    if written is None:
        return None
    back = (written.weekday() - _DAYS.index(m[1])) % 7
    if m[2] == "prochain":
        return _one(written + timedelta(days=7 - back if back else 7))
    if m[2] == "dernier" and back == 0:
        back = 7
    return _one(written - timedelta(days=back))


def _near_day(m: re.Match[str], written: date | None, _partial: bool) -> Period | None:
    shift = {"avant-hier": -2, "hier": -1, "demain": 1, "apres-demain": 2}.get(m[1], 0)
    return _one(written + timedelta(days=shift)) if written else None


def _near_period(m: re.Match[str], written: date | None, _partial: bool) -> Period | None:
    if written is None:
        return None
    before = bool(re.search(r"derniere?|passee?", m[0]))
    after = "prochain" in m[0]
    shift = -1 if before else 1 if after else 0
    if "semaine" in m[0]:
        monday = written - timedelta(days=written.weekday()) + timedelta(weeks=shift)
        return Period(monday, monday + timedelta(days=6))
    if "mois" in m[0]:
        at = written.year * 12 + written.month - 1 + shift
        return _month(at // 12, at % 12 + 1)
    return _year(written.year + shift)


def _ago(m: re.Match[str], written: date | None, _partial: bool) -> Period | None:
    small = {"un": "1", "une": "1", "deux": "2"}  # text2num leaves them, they may be articles
    counted = {small[m[1]]} if m[1] in small else numbers(m[1])
    if written is None or not counted:
        return None
    unit = m[2]
    try:
        count = int(float(min(counted, key=len)))
        if unit.startswith("an"):
            return _year(written.year - count)
        if unit == "mois":
            at = written.year * 12 + written.month - 1 - count
            return _month(at // 12, at % 12 + 1)
        return _one(written - timedelta(days=count * (7 if unit.startswith("sem") else 1)))
    except (ValueError, OverflowError):
        return None


_DATED = (
    "en|depuis|annees?|fin|debut|ete|hiver|automne|printemps|rentree|entre|avant|apres|saison|"
    "edition|des|jusqu'en|d'ici|l'annee|cru|et|a|au|de|" + "|".join(_DAYS)
)
_COUNTED = (
    "%|euros?|personnes|habitants|visiteurs|emplois|salaries|metres|kilometres|hectares|tonnes|"
    r"litres|places|logements|signatures|foyers|[\d,.]\d"
)
_Reader = Callable[[re.Match[str], date | None, bool], Period | None]
_GRAMMAR: Sequence[tuple[str, _Reader]] = [
    (rf"\b(\d{{1,2}})(?:er)? ({_MONTH})\b(?: ({_YEAR})\b)?", _full_date),
    (rf"\b({_MONTH}) ({_YEAR})\b", _month_of_year),
    (
        r"\b(?:l'an|l'annee|(?:le|ce) mois|(?:la|cette) semaine) "
        r"(?:derniere?|passee?|prochaine?)\b|\bcette (?:annee|semaine)\b|\bce mois(?:-ci)?\b",
        _near_period,
    ),
    (r"\bil y a (\w+(?:-\w+)*) (ans?|annees?|mois|semaines?|jours?)\b", _ago),
    (
        rf"(?:\b(?:{_DATED})(?: l'an)? |\(|, |[-–] ?)({_YEAR})\b(?! ?(?:{_COUNTED}))",
        _named_year,
    ),
    (
        rf"\b(?:en|(?<!champ )de|depuis|fin|debut|mi|des|d'|d'ici|courant)[ -]?({_MONTH})\b",
        _bare_month,
    ),
    (rf"\b({'|'.join(_DAYS)})\b(?: (dernier|prochain)\b)?", _weekday),
    (
        r"\b(avant-hier|hier|aujourd'hui|apres-demain|demain|ce matin|ce soir)\b",
        _near_day,
    ),
]


def newest_first(days: Sequence[date | None]) -> Iterator[float]:
    """Yield for each day its place among `days`, from 1 for the newest to 0; 0 for none."""
    dates = sorted({d for d in days if d})
    for day in days:
        yield (dates.index(day) + 1) / len(dates) if day and dates else 0.0
