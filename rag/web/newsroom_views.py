"""What the newsroom's page shows, as HTML and CSV. Every text in it is a stranger's: escaped."""

from __future__ import annotations

import csv
import io
import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from rag import texts
from rag.checking.report import csv_cell
from rag.errors import RecoupeError
from rag.exchanges.figures import Figures, Tally, sources_of
from rag.exchanges.grouping import grouped
from rag.exchanges.reference import Reference
from rag.exchanges.store import ANSWERED, ERROR, REFUSED, TENTATIVE, Exchange, Wanted
from rag.feedback import FeedbackStore
from rag.markup import printable
from rag.models.encoder import Encoder
from rag.web.newsroom_plots import Plot, plot
from rag.web.templating import environment

if TYPE_CHECKING:
    from rag.assistant import LocalAssistant
    from rag.domain import ArticleRecord
    from rag.exchanges.store import Exchanges

PAGE_SIZE = 50  # exchanges of a page
_MOST_GROUPED, _MOST_VECTORS = (
    200,
    2000,
)  # questions that are grouped, and whose vectors stay in memory
_MOST_GROUPS, _MOST_CITED, _MOST_JUDGED = 30, 20, 50
_MOST_WEEKS = 12  # of the plots
VERDICTS = {ANSWERED: "réponse", REFUSED: "refus", TENTATIVE: "peut-être", ERROR: "erreur"}
MODES = {"extractive": "extraits"}  # others are a model's name
VIEWS = {
    "tout": ("Tout", Wanted()),
    "refus": ("Refus et « peut-être »", Wanted(kind="question", verdicts=(REFUSED, TENTATIVE))),
    "reponses": ("Réponses", Wanted(kind="question", verdicts=(ANSWERED,))),
    "affirmations": ("Affirmations", Wanted(kind="claim")),
    "erreurs": ("Erreurs", Wanted(verdicts=(ERROR,))),
}
_HEADINGS = ("date", "type", "site", "texte", "verdict", "mode", "ms", "articles", "filtres")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table by week; `site` is None for all of them."""

    week: date
    site: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Group:
    """Questions of one meaning that found nothing."""

    texts: tuple[str, ...]
    times: int
    last: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """A reader's judgement that an answer is wrong, and the exchange that it may be of."""

    at: datetime
    question: str
    note: str
    exchange: Exchange | None


@dataclass
class Overview:
    """All that the page shows of one site, or of all."""

    rows: list[Row] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    cited: list[tuple[str, str, int]] = field(default_factory=list)
    sources: Sequence[tuple[str, int]] = ()
    exchanges: list[Exchange] = field(default_factory=list)
    more: bool = False
    titles: dict[str, str] = field(default_factory=dict)
    judged: list[Judged] = field(default_factory=list)
    useful: int = 0
    wrong: int = 0
    sites: list[str] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Newsroom:
    """Makes the page's content from what is kept."""

    def __init__(self, assistant: LocalAssistant) -> None:
        """Take the assistant, whose recorder has the exchanges."""
        self._assistant = assistant
        self._vectors: OrderedDict[str, Any] = OrderedDict()
        self._encoder: Encoder | None = None
        self._lock = threading.Lock()

    def overview(self, site: str | None, view: str, page: int) -> Overview:
        """Return the content; a file that cannot be read is a sentence of `problems`."""
        found = Overview()
        recorder = self._assistant.recorder
        stores: list[Exchanges | None] = [None]
        parts: tuple[Callable[[], None], ...] = (
            lambda: stores.append(recorder.store()),
            lambda: self._exchanges(found, stores[-1], site, view, page),
            lambda: found.references.extend(recorder.references.all()),
            lambda: self._judgements(found, stores[-1]),
        )
        for part in parts:
            try:
                part()
            except RecoupeError as error:
                found.problems.append(str(error))
        found.problems = list(dict.fromkeys(found.problems))
        return found

    def _exchanges(
        self, found: Overview, store: Exchanges | None, site: str | None, view: str, page: int
    ) -> None:
        if store is None:
            return
        found.sites = store.sites()
        figures = Figures.of(store.every(Wanted(site)))
        keys = sorted(figures.by_site, reverse=True)
        found.rows = [Row(week, of, figures.by_site[week, of]) for week, of in keys]
        found.plots = plots(figures)
        found.groups = self._groups(figures)
        asked = VIEWS[view][1]
        wanted = Wanted(site, asked.kind, asked.verdicts)
        some = store.select(wanted, PAGE_SIZE + 1, (page - 1) * PAGE_SIZE)
        found.exchanges, found.more = some[:PAGE_SIZE], len(some) > PAGE_SIZE
        self._cited(found, figures.cited)

    def _cited(self, found: Overview, cited: Counter[str]) -> None:
        shown = {i for e in found.exchanges for i in e.cited}
        records = {r.id: r for r in self._assistant.records(list(cited.keys() | shown))}
        found.titles = {i: _title(records.get(i), i) for i in shown}
        found.cited = [
            (i, _title(records.get(i), i), times) for i, times in cited.most_common(_MOST_CITED)
        ]
        names = {i: r.source.name for i, r in records.items()}
        found.sources = sources_of(cited, names, _MOST_CITED)

    def _judgements(self, found: Overview, store: Exchanges | None) -> None:
        settings = self._assistant.settings
        folder = settings.index_dir
        if not (folder / "feedback.sqlite").exists():
            return
        feedback = FeedbackStore(folder, settings.retention_days, settings.feedback_max_mb)
        last: deque[tuple[str, str, str]] = deque(maxlen=_MOST_JUDGED)
        for row in feedback.all():
            if row["rating"] == "useful":
                found.useful += 1
            else:
                found.wrong += 1
                last.append((row["at"], row["question"], row["note"]))
        questions = {question for _, question, _ in last}
        every = store.every(Wanted(kind="question")) if store and questions else ()
        asked = {e.text: e for e in every if e.text in questions}
        found.judged = [
            Judged(datetime.fromisoformat(at), question, note, asked.get(question))
            for at, question, note in reversed(last)
        ]
        cited = {i for each in found.judged if each.exchange for i in each.exchange.cited}
        records = {r.id: r for r in self._assistant.records(list(cited - found.titles.keys()))}
        found.titles = {i: _title(records.get(i), i) for i in cited} | found.titles

    def _groups(self, figures: Figures) -> list[Group]:
        """Return what is asked more than once and finds nothing, the most often asked first."""
        questions = figures.recurring(_MOST_GROUPED)
        if not questions:
            return []
        found = []
        with self._lock:
            vectors = self._vectors_of(questions)
        for group in grouped(vectors):
            members = [questions[i] for i in group]
            asked = [figures.unanswered[m] for m in members]
            found.append(
                Group(tuple(members), sum(a.times for a in asked), max(a.last for a in asked))
            )
        recurring = sorted((g for g in found if g.times > 1), key=lambda g: (-g.times, g.texts))
        return recurring[:_MOST_GROUPS]

    def _vectors_of(self, questions: Sequence[str]) -> Any:
        import numpy as np

        if self._encoder is None:
            own = self._assistant.index.embedder
            self._encoder = own if isinstance(own, Encoder) else Encoder()
        if new := [q for q in questions if q not in self._vectors]:
            made = self._encoder.embed_questions(new)
            self._vectors.update(zip(new, made, strict=True))
        found = np.array([self._vectors[q] for q in questions])
        while len(self._vectors) > _MOST_VECTORS:
            self._vectors.popitem(last=False)
        return found


def plots(figures: Figures) -> list[Plot]:
    """Return the plots of the last weeks, all sites together."""
    weeks = sorted(figures.weeks)[-_MOST_WEEKS:]
    tallies = [figures.weeks[week] for week in weeks]
    labels = [f"{week:%d/%m}" for week in weeks]
    asked = [t.questions for t in tallies]
    errors = [t.errors for t in tallies]
    shares = [t.refused_share for t in tallies]
    half, most = ([t.percentile(share) for t in tallies] for share in (0.5, 0.95))
    return [
        plot("asked", "Questions et erreurs, par semaine", labels,
             [("questions", asked), ("erreurs", errors)],
             [[number(n) for n in asked], [number(n) for n in errors]]),
        plot("refused", "Part de refus, par semaine", labels, [("refus", shares)],
             [[percent(s) for s in shares]]),
        plot("time", "Temps de réponse en ms, par semaine", labels,
             [("la moitié en moins de", half), ("19 sur 20 en moins de", most)],
             [[number(n) for n in half], [number(n) for n in most]]),
    ]  # fmt: skip


def exchanges_csv(exchanges: Iterable[Exchange]) -> Iterator[str]:
    """Yield the exchanges as CSV, some lines at a time; no cell is a formula."""
    yield "\ufeff" + _lines([_HEADINGS])  # with its mark a spreadsheet reads accents
    left = iter(exchanges)
    while some := list(islice(left, 500)):
        yield _lines(
            (e.at.astimezone().isoformat(timespec="seconds"),
             "affirmation" if e.kind == "claim" else "question", e.site, e.text, verdict(e), e.mode,
             e.ms, " ".join(e.cited), e.filters)
            for e in some
        )  # fmt: skip


def _lines(rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([csv_cell(value) for value in row] for row in rows)
    return out.getvalue()


def verdict(exchange: Exchange) -> str:
    """Return what became of an exchange, in French."""
    return VERDICTS.get(exchange.verdict, exchange.verdict)


def percent(share: float | None) -> str:
    """Return a share as it is written in French, a dash for none."""
    return "–" if share is None else f"{100 * share:.0f}\u00a0%"


def number(value: float | None) -> str:
    """Return a whole number as it is written in French, a dash for none."""
    return "–" if value is None else f"{value:,.0f}".replace(",", "\u202f")


def _title(record: ArticleRecord | None, article_id: str) -> str:
    if record is None:
        return f"{article_id} (n’est plus dans le corpus)"
    return texts.label(record.source)


def html(template: str, **values: object) -> str:
    """Return a template of the page, filled."""
    return _TEMPLATES.get_template(template).render(values)


_TEMPLATES = environment()
_TEMPLATES.filters |= {
    "moment": lambda at: f"{at.astimezone():%d/%m/%Y %H:%M}",
    "day": lambda at: f"{at:%d/%m/%Y}",
    "number": number,
    "mode": lambda mode: MODES.get(mode, mode),
    "percent": percent,
    "plain": printable,
    "verdict": verdict,
}
