"""Which articles may answer, as the page sets it: controls, and a chip for each filter in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from functools import partial
from typing import Any

from rag import messages, texts
from rag.domain import Facets, Filters
from rag.errors import RecoupeError
from rag.french.dates import format_date, parse_date
from rag.french.words import fold
from rag.web.gradio_quickly import gr
from rag.web.render import Chip, chips_html

_NAMES = ("sources", "sections", "authors")
_YEAR_DIGITS = 4  # digits
_THIRTY_DAYS = timedelta(days=30)


@dataclass(frozen=True)
class Choice:
    """What the controls hold, in the order of `FilterBar.controls`; empty ones do not filter."""

    sources: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    article: str = ""  # an id

    @classmethod
    def of(cls, *values: Any) -> Choice:
        """Return the choice that the controls' values make."""
        sources, sections, authors, since, until, article = values
        names = tuple(sources or ()), tuple(sections or ()), tuple(authors or ())
        return cls(*names, (since or "").strip(), (until or "").strip(), article or "")

    @classmethod
    def made_of(cls, filters: Filters) -> Choice:
        """Return the choice that makes filters."""
        since, until = filters.since, filters.until
        return cls(
            filters.sources,
            filters.sections,
            filters.authors,
            f"{since:%d/%m/%Y}" if since else "",
            f"{until:%d/%m/%Y}" if until else "",
            next(iter(filters.articles), ""),
        )

    def values(self) -> list[Any]:
        """Return what to put into the controls."""
        names = [list(getattr(self, field)) for field in _NAMES]
        return [*names, self.since, self.until, self.article]

    def filters(self) -> Filters:
        """Return the filters. Raises RecoupeError for a day that cannot be read."""
        since, until = _day(self.since, "Depuis le"), _day(self.until, "Jusqu’au", last=True)
        if since and until and since > until:
            raise RecoupeError(messages.DAYS_TURNED)
        articles = (self.article,) if self.article else ()
        return Filters(self.sources, self.authors, self.sections, since, until, articles)

    def chips(self, title_of: Callable[[str], str]) -> Iterator[Chip]:
        """Yield a chip for each filter; `title_of` gives an article's title by its id."""
        for field in _NAMES:
            for name in getattr(self, field):
                yield Chip(field, name, name)
        for field, words in (("since", texts.SINCE), ("until", texts.UNTIL)):
            if written := getattr(self, field):
                day = _written_day(written, last=field == "until")
                label = words.format(format_date(day)) if day else texts.NO_DAY.format(written)
                yield Chip(field, written, label)
        if self.article:
            yield Chip("article", self.article, texts.ONLY_ARTICLE.format(title_of(self.article)))

    def without(self, field: str, value: str) -> Choice:
        """Return the choice without a filter; the same where it has none such."""
        found = {f: getattr(self, f) for f in (*_NAMES, "since", "until", "article")}
        if field in _NAMES:
            found[field] = tuple(n for n in found[field] if n != value)
        elif field in found:
            found[field] = ""
        return Choice(**found)


class FilterBar:
    """The controls and the chips of one page."""

    def __init__(self, title_of: Callable[[str], str], facets: Callable[[], Facets]) -> None:
        """Take what gives an article's title by its id, "" where there is none, and the names."""
        self._title_of = title_of
        self._facets = facets

    def build_chips(self, script: str) -> None:
        """Add the chips."""
        self.chips = gr.HTML("", elem_id="rc-filters", js_on_load=script)

    def build_controls(self) -> None:
        """Add the controls, and what follows from them."""
        names: dict[str, Any] = {"multiselect": True, "allow_custom_value": True}
        with gr.Accordion("Filtrer", open=False, elem_id="rc-filtering"):
            with gr.Row():
                self.sources = gr.Dropdown([], label="Sources", elem_id="rc-sources", **names)
                self.sections = gr.Dropdown([], label="Rubriques", elem_id="rc-sections", **names)
                self.authors = gr.Dropdown([], label="Auteurs", elem_id="rc-authors", **names)
            with gr.Row():
                self.period = gr.Dropdown([], label="Période", elem_id="rc-period")
                self.since = gr.Textbox(label="Depuis le", placeholder="01/01/2024", max_length=40)
                self.until = gr.Textbox(label="Jusqu’au", placeholder="31/12/2024", max_length=40)
        self.article = gr.State("")
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        self.period.input(period_days, [self.period], [self.since, self.until], **quiet)
        days = [self.since, self.until]
        gr.on(
            [day.change for day in days],
            offered_period,
            [self.period, *days],
            [self.period],
            **quiet,
        )
        for field, control in zip(_NAMES, self.controls, strict=False):
            # Gradio tells no input of what is typed here, only the change.
            control.change(partial(self.known_names, field), [control], [control], **quiet)
        changes = [c.change for c in self.controls[:-1]]
        gr.on(changes, self.show, self.controls, [self.chips], **quiet)
        self.chips.select(self.act, self.controls, [*self.controls, self.chips], **quiet)

    @property
    def controls(self) -> list[Any]:
        """The components that a `Choice` is made of."""
        return [self.sources, self.sections, self.authors, self.since, self.until, self.article]

    @property
    def named(self) -> list[Any]:
        """The components that list names of the corpus; see `options`."""
        return [self.sources, self.sections, self.authors, self.period]

    def options(self, facets: Facets) -> list[gr.Dropdown]:
        """Return the lists of names of a corpus, for `named`."""
        lists = (facets.sources, facets.sections, facets.authors)
        found = [gr.Dropdown(choices=sorted(n for n, _ in names if n)) for names in lists]
        years = sorted({day.year for day, _ in facets.months}, reverse=True)
        periods = [texts.ANY_TIME, texts.THIS_YEAR, texts.LAST_DAYS, *map(str, years)]
        return [*found, gr.Dropdown(choices=periods, value=texts.ANY_TIME)]

    def known_names(self, field: str, names: list[str] | None) -> Any:
        """Return the names of a control as the corpus has them, what was typed completed.

        Of a name that the corpus has not (a link may bring one) a reader is told.
        """
        corpus_names = [name for name, _ in getattr(self._facets(), field) if name]
        found: list[str] = []
        for name in names or ():
            if name in corpus_names:
                found.append(name)
                continue
            alike = (
                [k for k in corpus_names if fold(name.strip()) in fold(k)] if name.strip() else []
            )
            if len(alike) == 1:
                found += alike
            else:
                found.append(name)
                near = alike[:1] or get_close_matches(name, corpus_names, 1)
                gr.Warning(messages.unknown_name(field, name, near, texts.SEE_NAMES), title="")
        settled = list(dict.fromkeys(found))
        return gr.skip() if settled == (names or []) else settled

    def show(self, *values: Any) -> str:
        """Return the chips of the controls' values."""
        return self.chips_of(Choice.of(*values))

    def chips_of(self, choice: Choice) -> str:
        """Return the chips of a choice."""
        return chips_html(list(choice.chips(self._title_of)))

    def put(self, choice: Choice) -> list[Any]:
        """Return a choice for the controls, and its chips."""
        return [*choice.values(), self.chips_of(choice)]

    # Gradio takes an event for data by its annotation, wherever it stands.
    def act(
        self, sources: Any, sections: Any, authors: Any, since: Any, until: Any, article: Any,
        event: gr.EventData,
    ) -> list[Any]:  # fmt: skip
        """Take a chip away, or ask of one article alone; for the controls and the chips."""
        data = event._data or {}
        choice = Choice.of(sources, sections, authors, since, until, article)
        if wanted := str(data.get("article", "")):
            return self.put(Choice(article=wanted) if self._title_of(wanted) else choice)
        return self.put(choice.without(str(data.get("field", "")), str(data.get("value", ""))))


def offered_period(period: str | None, since: str, until: str) -> Any:
    """Return the period that two days make, of those offered; None where none of these does."""
    days = (since or "").strip(), (until or "").strip()
    if days == period_days(period):
        return gr.skip()
    if not any(days):
        return texts.ANY_TIME
    year = days[0][-_YEAR_DIGITS:]
    offered = (texts.THIS_YEAR, texts.LAST_DAYS, year)
    return next((p for p in offered if period_days(p) == days), None)


def period_days(period: str | None, today: date | None = None) -> tuple[str, str]:
    """Return the first and last day of a period that the page offers, as they are written."""
    today = today or date.today()
    if period == texts.THIS_YEAR:
        return f"01/01/{today.year}", ""
    if period == texts.LAST_DAYS:
        return f"{today - _THIRTY_DAYS:%d/%m/%Y}", ""
    if period and period.isdecimal():
        return f"01/01/{period}", f"31/12/{period}"
    return "", ""


def _day(written: str, field: str, *, last: bool = False) -> date | None:
    if not written:
        return None
    if (day := _written_day(written, last=last)) is None:
        raise RecoupeError(messages.BAD_DATE.format(field))
    return day


def _written_day(written: str, *, last: bool) -> date | None:
    """Return a day as it is written; of a year alone the first, or the last."""
    if len(written) == _YEAR_DIGITS and written.isdecimal() and int(written):
        return date(int(written), 12, 31) if last else date(int(written), 1, 1)
    return parse_date(written)
