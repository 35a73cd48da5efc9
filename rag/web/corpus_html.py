"""What the « Corpus » tab shows, as HTML: articles found, what narrows them, followed sources."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from rag import texts
from rag.domain import (
    MOST_FACETS,
    ArticleOrder,
    ArticleQuery,
    ArticleRecord,
    ArticleResults,
    Facets,
    Filters,
    FoundArticle,
    SourceState,
)
from rag.french.dates import MONTHS, format_date
from rag.sources.watch import shown, silence
from rag.web.templating import rendered

_CHART_SIZE = (1000, 56)  # width and height of the bars, in the units of the chart's view box
_MOST_MONTHS = 36  # months, up to which a bar is a month; beyond, a year
_MOST_NAMES = 40  # names of a facet
_FACETS = (("source", "Source"), ("section", "Rubrique"), ("author", "Auteur"), ("period", "Année"))
_ORDERS = (
    (ArticleOrder.RELEVANCE, "Pertinence"),
    (ArticleOrder.NEWEST, "Plus récents"),
    (ArticleOrder.OLDEST, "Plus anciens"),
)
_Pieces = list[tuple[str, bool]]


def overview_html(facets: Facets) -> str:
    """Return what the corpus is made of: how many articles, of how many sources, of when."""
    many = len(facets.sources)
    least = "plus de " if many >= MOST_FACETS else ""
    sources = f"{least}{many}\u00a0source{'s' if many > 1 else ''}"
    return rendered(
        "overview.html", facets=facets, count=texts.articles(facets.articles), sources=sources
    )


def sources_html(states: Sequence[SourceState], hours: float) -> str:
    """Return how followed sources do; "" where none is. `hours` of silence are worrying."""
    now = time.time()
    rows = [_followed(state, hours, now) for state in states]
    troubled = sum(bool(row.warning) for row in rows)
    heading = f"Sources suivies\u00a0: {len(rows)}"
    if troubled:
        heading += f", dont {troubled} à regarder"
    return rendered("sources.html", rows=rows, heading=heading, troubled=troubled) if rows else ""


def articles_html(
    results: ArticleResults, query: ArticleQuery, *, first: bool, choose: bool = False
) -> str:
    """Return a page of the articles found, with what narrows them.

    `first` tells that no page comes before; with `choose` each article has a box to tick.
    """
    facets, filters = results.facets, query.filters
    bars = list(_bars(facets.months, filters))
    monthly = bool(bars) and "-" in bars[0].value
    orders = _ORDERS if query.words else _ORDERS[1:]
    return rendered(
        "articles.html",
        results=results,
        found=_counted(facets.articles),
        filtered=filters != Filters(),
        chips=list(_chips(filters)),
        bars=bars,
        legend=_legend(bars, monthly=monthly),
        undated=facets.articles - sum(count for _, count in facets.months),
        facets=list(_facets(facets, filters)),
        orders=orders,
        chosen_order=query.ordered_by,
        rows=[_row(found) for found in results.articles],
        first=first,
        choose=choose,
    )


def _legend(bars: Sequence[_Bar], *, monthly: bool) -> str:
    """Return what the timeline shows, and from when to when."""
    if not bars:
        return ""
    first, last = _named(bars[0].value), _named(bars[-1].value)
    extent = first if first == last else f"{first} – {last}"
    return f"Articles par {'mois' if monthly else 'année'}, {extent}"


def _counted(count: int) -> str:
    return "Aucun article" if not count else texts.articles(count)


@dataclass(frozen=True, slots=True)
class _Followed:
    """A source of the web that is followed."""

    name: str
    mark: str
    age: str
    state: str
    warning: str


def _followed(state: SourceState, hours: float, now: float) -> _Followed:
    warning = silence(state, hours, now)
    age = f"lue {texts.ago(state.succeeded, now)}" if state.succeeded else "jamais lue"
    mark = "⚠" if warning else "✓"
    return _Followed(shown(state.address), mark, age, texts.source_state(state), warning)


@dataclass(frozen=True, slots=True)
class _Chip:
    """A filter that holds, to be removed."""

    field: str
    value: str
    label: str
    shown: str


def _chips(filters: Filters) -> Iterator[_Chip]:
    named = zip(_FACETS, (filters.sources, filters.sections, filters.authors), strict=False)
    for (field, label), values in named:
        for value in values:
            yield _Chip(field, value, label, value)
    if filters.since or filters.until:
        yield _Chip("period", year_or_month(filters), "Période", _period(filters))


def year_or_month(filters: Filters) -> str:
    """Return the year (« 2024 ») or the month (« 2024-03 ») that filters keep, else ""."""
    since, until = filters.since, filters.until
    if since is None or until is None or since.year != until.year:
        return ""
    return f"{since:%Y}" if since.month != until.month else f"{since:%Y-%m}"


def _period(filters: Filters) -> str:
    value = year_or_month(filters)
    if value:
        return _named(value)
    parts = [("du", filters.since), ("au", filters.until)]
    return " ".join(f"{word} {format_date(day)}" for word, day in parts if day)


def _named(value: str) -> str:
    """Return a year or a month in words."""
    year, _, month = value.partition("-")
    return f"{MONTHS[int(month) - 1]} {int(year)}" if month else str(int(year))


@dataclass(frozen=True, slots=True)
class _Facet:
    """What articles may be narrowed by: names with counts, those chosen, and what is left."""

    field: str
    label: str
    values: Sequence[tuple[str, int]]
    chosen: Sequence[str]
    others: int = 0
    remainder: str = ""


def _facets(facets: Facets, filters: Filters) -> Iterator[_Facet]:
    counts = (facets.sources, facets.sections, facets.authors)
    chosen = (filters.sources, filters.sections, filters.authors)
    for (field, label), values, those in zip(_FACETS, counts, chosen, strict=False):
        listed = values[:_MOST_NAMES]
        others = facets.articles - sum(count for _, count in listed)
        every = len(values) <= _MOST_NAMES
        remainder = "Sans mention" if every else texts.OTHER_NAMES
        if listed:
            yield _Facet(field, label, listed, those, others, remainder)
    years: Counter[str] = Counter()
    for month, count in facets.months:
        years[f"{month:%Y}"] += count
    if years:
        newest = sorted(years.items(), reverse=True)
        undated = facets.articles - years.total()
        yield _Facet(*_FACETS[-1], newest, (year_or_month(filters),), undated, "Sans date")


@dataclass(frozen=True, slots=True)
class _Bar:
    """A month or a year of the timeline."""

    value: str
    label: str
    chosen: bool
    x: float
    width: float
    height: float


def _bars(months: Sequence[tuple[date, int]], filters: Filters) -> Iterator[_Bar]:
    """Yield the bars of months, or of years where they are many, each at its place in time."""
    if not months:
        return
    first, last = months[0][0], months[-1][0]
    monthly = (last.year - first.year) * 12 + last.month - first.month < _MOST_MONTHS
    counts: Counter[int] = Counter()
    for month, count in months:
        counts[month.year * 12 + month.month - 1 if monthly else month.year] += count
    begin, top = min(counts), max(counts.values())
    width = _CHART_SIZE[0] / (max(counts) - begin + 1)
    chosen = year_or_month(filters)
    for place, count in sorted(counts.items()):
        value = f"{place // 12:04}-{place % 12 + 1:02}" if monthly else f"{place:04}"
        label = f"{_named(value)}\u00a0: {texts.articles(count)}"
        left, wide = (place - begin) * width, min(max(width - 1, 1.5), 60)
        height = max(_CHART_SIZE[1] * count / top, 2)
        yield _Bar(value, label, value == chosen, left, wide, height)


@dataclass(frozen=True, slots=True)
class _Row:
    """An article of the list, its title and its excerpt cut around the words found."""

    record: ArticleRecord
    title: _Pieces
    excerpt: _Pieces
    cut_before: bool
    cut_after: bool


def _row(found: FoundArticle) -> _Row:
    record, excerpt = found.record, found.excerpt
    title = _pieces(record.source.title, found.in_title)
    if excerpt is None:
        return _Row(record, title, [], cut_before=False, cut_after=False)
    within = [(a - excerpt.start, b - excerpt.start) for a, b in found.marks]
    return _Row(
        record,
        title,
        _pieces(excerpt.quote, within),
        cut_before=excerpt.start > 0,
        cut_after=excerpt.end < record.characters,
    )


def _pieces(text: str, marks: Iterable[tuple[int, int]]) -> _Pieces:
    """Return a text in pieces, each with whether it is marked."""
    pieces: _Pieces = []
    at = 0
    for start, end in marks:
        pieces += [(text[at:start], False), (text[start:end], True)]
        at = end
    return [(piece, found) for piece, found in [*pieces, (text[at:], False)] if piece]
