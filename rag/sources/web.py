"""Brings what an address lists into the index: what is new, changed, the same, withdrawn.

Some tens of pages are taken at a time; after each group the index has them, and it is
remembered what their servers said of them. An interruption loses nothing but the group under
way, and the next run goes on from there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag import messages, texts
from rag.domain import Article, Failure, Found, IngestReport, SourceState, together
from rag.errors import (
    ArticleNotFoundError,
    MovedError,
    PrivateHostError,
    ReadError,
    ReservedError,
    StatusError,
)
from rag.french.words import fold
from rag.markup import printable
from rag.readers.articles import article_id
from rag.readers.fetch import Validators, is_own_network, is_public, parse_url
from rag.readers.isolation import Bounds, Task, workers
from rag.sources import robots
from rag.sources.listing import FetchLimits, FetchResult, ListedPage, look, read_robots, same_page
from rag.sources.memory import Memory, PageState

if TYPE_CHECKING:
    from rag.settings import Settings
    from rag.sources.corpus import Corpus

log = logging.getLogger(__name__)

_GROUP_PAGES = 40  # pages between two writes of what is known of them
_MOST_LISTS = 1000  # files of one source: sitemaps of an index, pages of a feed
_MOST_GONE = 200  # pages that are no longer listed, looked at in one run
_LONGEST_WAIT = 120.0  # seconds that a server may ask to wait; more ends the run
_REDIRECTS = 5  # each asked of its own site
_MOST_WAITS = 3  # times that a server may ask to wait, one after the other
_GONE_STATUSES = (404, 410)
_MISSED_RUNS = 2  # runs in which a page must be absent (404) to be withdrawn
_GUESSES = ("/sitemap.xml", "/sitemap_index.xml")

Allowed = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class CrawlPolicy:
    """How sources are asked: `interval` seconds between two requests to one host.

    The rules of `own` hosts are not asked for: they are the keeper's, or gave their leave.
    `seconds`, `max_bytes` and `bounds` bound a page; `allowed` tells which IP addresses may be
    reached, and is a function of a module, since another process calls it.
    """

    interval: float = 1.0
    own: tuple[str, ...] = ()
    max_bytes: int = 20_000_000
    seconds: float = 20.0
    bounds: Bounds = Bounds()  # noqa: RUF009 - frozen
    allowed: Allowed = is_public

    @classmethod
    def of(cls, settings: Settings) -> CrawlPolicy:
        """Return what the settings say."""
        return cls(
            settings.request_interval,
            tuple(_without_port(h.lower()) for h in settings.own_hosts),
            settings.max_file_mb * 1_000_000,
            bounds=Bounds.of(settings),
        )


def _without_port(host: str) -> str:
    """Return a host without its port; an IPv6 address, which has several colons, as it is."""
    return host.partition(":")[0] if host.count(":") == 1 else host


@dataclass
class _Run:
    """One reading of one source."""

    source: str
    number: int
    readmit: bool = False  # take a page back that was removed on purpose
    lists: dict[str, Validators] = field(default_factory=dict)  # read, by address
    failed: list[Failure] = field(default_factory=list)
    met: set[str] = field(default_factory=set)  # articles
    places: dict[str, str] = field(default_factory=dict)  # articles, by address
    titles: dict[str, str] = field(default_factory=dict)  # folded, of articles
    opened: dict[str, tuple[Any, FetchResult]] = field(
        default_factory=dict
    )  # pages looked at already
    reports: list[IngestReport] = field(default_factory=list)
    listed: int = 0
    complete: bool = True  # all that it lists was listed
    stopped: str = ""  # why it was left before its end


class _StoppedError(Exception):
    """The source is left for this time; the message, in French, says why."""


class Web:
    """Reads sources into a corpus."""

    def __init__(
        self,
        corpus: Corpus,
        memory: Memory,
        policy: CrawlPolicy,
        stop: threading.Event | None = None,
    ) -> None:
        """Take what articles come into and the memory beside it; `stop` ends a reading.

        Raises ValueError for an `allowed` that another process cannot find.
        """
        if getattr(policy.allowed, "__module__", "") == "__main__":
            raise ValueError("`allowed` must be a function of a module that can be imported")
        self._corpus = corpus
        self._memory = memory
        self._policy = policy
        self._stop = stop or threading.Event()
        self._rules: dict[str, robots.Rules] = {}
        self._asked: dict[str, float] = {}  # host -> when it was last asked

    def sync(
        self,
        address: str,
        on_page: Callable[[str], None] = lambda _: None,
        *,
        followed: bool = False,
        readmit: bool = False,
    ) -> IngestReport:
        """Bring the index in step with an address: a page, a feed, a sitemap, a site.

        What fails is in the report, by address; `on_page` hears of each page. What cannot be
        read leaves the index as it is; of a source that is `followed`, that is remembered.
        What was removed on purpose stays so; with `readmit` a page that is asked for by its
        address comes back. Raises StoreError, EmbeddingError.
        """
        try:
            parse_url(address)
        except ReadError as error:
            return IngestReport(failed=(Failure(printable(address), str(error)),))
        self._rules.clear()
        state = self._memory.source(address)
        run = _Run(address, state.run + 1, readmit)
        began = time.time()
        kind = state.kind
        try:
            kind, entries = self._opened(run)
            self._begun(replace(state, kind=kind, run=run.number, tried=began))
            coming = iter(entries)
            while group := list(islice(coming, _GROUP_PAGES)):
                self._taken(group, run, on_page)
            if run.complete and kind in {"sitemap", "index", "site"}:
                run.reports.append(self._gone(run, on_page))
        except _StoppedError as stop:
            run.stopped = str(stop)
            run.failed.append(Failure(printable(address), run.stopped))
        report = together([*run.reports, IngestReport(failed=tuple(run.failed))])
        if not run.stopped and not report.failed:
            for url, validators in run.lists.items():
                self._memory.keep_list(url, validators)
        if followed or kind not in {"", "page"}:
            self._record_run(state, run, kind, report, began)
        return report

    def _begun(self, state: SourceState) -> None:
        if state.kind != "page":
            self._memory.keep_source(state)

    def _record_run(
        self, state: SourceState, run: _Run, kind: str, report: IngestReport, began: float
    ) -> None:
        fed = bool(report.new or report.updated)
        self._memory.keep_source(
            SourceState(
                run.source,
                kind,
                run.number,
                began,
                state.succeeded if run.stopped else began,
                time.time() if fed else state.fed,
                run.listed or state.pages,
                state.added + len(report.new),
                len(report.failed),
                run.stopped,
            )
        )

    def _opened(self, run: _Run) -> tuple[str, Iterable[ListedPage]]:
        """Return what an address is, and the pages that it lists: itself, when it is one."""
        try:
            seen = self.look(run.source, self._memory.list_state(run.source))
        except ReadError as error:
            raise _StoppedError(str(error)) from error
        result = seen[1]
        if result.kind == "page" and not result.same:
            if run.readmit:
                before = self._memory.pages([run.source, result.url]).values()
                at = self._memory.articles_at([run.source, result.url])
                stored = [s.article for s in before]
                self._memory.readmit([*(a.id for a in seen[0].articles), *stored, *at])
            run.opened[run.source] = seen
            return "page", [ListedPage(run.source)]
        kind = result.kind if not result.same else self._memory.source(run.source).kind
        return kind, self._entries(run, result)

    def _entries(self, run: _Run, first: FetchResult) -> Iterator[ListedPage]:
        """Yield the pages that a list and those that it names list, none twice."""
        todo: list[str | FetchResult] = [
            first,
            *(self._sitemaps(run) if first.kind == "site" else ()),
        ]
        read: set[str] = set()
        urls: set[str] = set()
        while todo:
            at = todo.pop(0)
            result = self._list(at, run) if isinstance(at, str) else at
            if result is None or result.url in read:
                continue
            read.add(result.url)
            if result.same:
                run.complete = False  # what has not changed was taken before
                continue
            run.complete &= not result.cut
            if result.cut:
                run.failed.append(
                    Failure(
                        result.url,
                        messages.MANY_ADDRESSES.format(len(result.entries)),
                    )
                )
            # A list that dates its pages tells all when it has not changed.
            if result.entries and all(_settled(e.changed) for e in result.entries):
                run.lists[result.url] = result.validators
            for entry in result.entries:
                if entry.url not in urls:
                    urls.add(entry.url)
                    run.listed += 1
                    yield entry
            further = [u for u in result.lists if u not in read]
            if len(read) + len(todo) + len(further) > _MOST_LISTS:
                run.complete = False
                run.failed.append(Failure(result.url, messages.MANY_LISTS.format(_MOST_LISTS)))
                further = further[: max(0, _MOST_LISTS - len(read) - len(todo))]
            todo += further

    def _list(self, url: str, run: _Run) -> FetchResult | None:
        """Return what a further list lists; None, and why, where it cannot be read."""
        try:
            seen = self.look(url, self._memory.list_state(url))
        except ReadError as error:
            run.complete = False
            # A place where sitemaps often are may well have none.
            if urlsplit(url).path not in _GUESSES or not isinstance(error, StatusError):
                run.failed.append(Failure(url, str(error)))
            return None
        return seen[1] if seen[1].same or seen[1].kind != "page" else None

    def _sitemaps(self, run: _Run) -> list[str]:
        """Return the sitemaps that a site names, else the places where they often are."""
        parts = urlsplit(run.source)
        rules = self._rules_of(run.source)
        named = rules.sitemaps if rules else []
        return named or [f"{parts.scheme}://{parts.netloc}{guess}" for guess in _GUESSES]

    def _taken(
        self, entries: Sequence[ListedPage], run: _Run, on_page: Callable[[str], None]
    ) -> None:
        """Bring some pages into the index, then remember what their servers said.

        Raises _StoppedError once what was fetched before is there.
        """
        pages = self._memory.pages([e.url for e in entries])
        group = _Group(self, run, self._answerable(pages.values()))
        report = self._corpus.ingest(group.found(entries, pages, on_page), readmit=run.readmit)
        gone = self._withdrawn(group.days)
        self._memory.keep(group.states)
        self._memory.keep_listed(run.source, run.number, group.met)
        run.reports.append(
            replace(report, unchanged=(*report.unchanged, *group.same), withdrawn=gone)
        )
        if group.stopped:
            raise group.stopped

    def _answerable(self, states: Iterable[PageState]) -> dict[str, bool]:
        return self._corpus.answerable([s.article for s in states if s.article])

    def _withdrawn(self, days: Mapping[str, date | None]) -> tuple[str, ...]:
        """Say which articles were withdrawn, and which are back; return those newly withdrawn."""
        articles = self._corpus.withdraw(days) if days else []
        return tuple(i for i in articles if days[i] is not None)

    def _gone(self, run: _Run, on_page: Callable[[str], None]) -> IngestReport:
        """Look at pages that a complete list no longer names: those that are not there go."""
        unlisted = self._memory.unlisted(run.source, run.number, _MOST_GONE)
        answerable = self._answerable(unlisted)
        days: dict[str, date | None] = {}
        for state in unlisted:
            if not answerable.get(state.article) or state.article in run.met:
                continue
            on_page(state.url)
            try:
                self.look(state.url, state.validators)
            except StatusError as error:
                if error.status in _GONE_STATUSES:
                    days[state.article] = date.today()
            except ReadError as error:
                log.info("%s : %s", state.url, error)
        gone = self._withdrawn(days)
        self._memory.keep_listed(run.source, run.number, [s.url for s in unlisted])
        return IngestReport(withdrawn=gone)

    def with_id(self, article: Article, state: PageState | None, url: str, run: _Run) -> Article:
        """Return an article under its id in the index, or the one that it is to have.

        `state` is what was known of its page, of which `url` is now the place. What a page
        calls its own address (`canonical`) makes it the article of that address only where
        that one has the same title: many sites write one address into all their pages.
        """
        if state:
            return replace(article, id=state.article)
        canonical = article.source.url
        if same_page(canonical, url):
            article = replace(article, id=article_id(canonical))
        else:
            article = replace(article, id=article_id(url))
            if urlsplit(canonical).path in {"", "/"}:
                article = replace(article, source=replace(article.source, url=url))
        for gone in self._memory.removed(self._memory.articles_at([url])):
            return replace(article, id=gone)  # it stays away under its other address too
        met = [run.places[place] for place in (canonical, url) if place in run.places]
        places = [
            *met,
            *self._memory.articles_at(_url_variants(canonical, url)),
            article_id(canonical),
        ]
        for candidate in dict.fromkeys(places):
            if self._titled(candidate, run) == fold(article.source.title):
                return replace(article, id=candidate)
        return article

    def _titled(self, article: str, run: _Run) -> str | None:
        """Return the folded title of an article that is known, None of another."""
        if article not in run.met:
            try:
                run.titles[article] = fold(self._corpus.article(article).record.source.title)
            except ArticleNotFoundError:
                return None
        return run.titles.get(article)

    def is_titled(self, article: str, title: str, run: _Run) -> bool:
        """Tell whether an article that is held has a title."""
        return self._titled(article, run) == fold(title)

    def was_removed(self, article: str) -> bool:
        """Tell whether an article was removed on purpose."""
        return bool(self._memory.removed([article]))

    def look(self, url: str, validators: Validators) -> tuple[Any, FetchResult]:
        """Return what a worker saw at an address.

        Raises ReadError, also where its site does not want it read, and _StoppedError when
        the server asks to be left alone.
        """
        parse_url(url)
        until = time.monotonic() + self._policy.seconds
        for _ in range(_REDIRECTS + 1):
            try:
                return self._looked(url, validators, until)
            except MovedError as moved:
                url = moved.url
        raise ReadError(messages.MANY_REDIRECTS.format(_REDIRECTS))

    def _looked(self, url: str, validators: Validators, until: float) -> tuple[Any, FetchResult]:
        """Look at one address, before any redirect. Raises MovedError, and what `look` raises."""
        parse_url(url)
        if refusal := self._refusal(url):
            raise ReservedError(refusal) if refusal == messages.RESERVED else ReadError(refusal)
        late = ReadError(messages.SLOW_PAGE.format(self._policy.seconds))
        for _ in range(_MOST_WAITS):
            until += self._wait(url)  # what the site makes us wait is not the page's time
            if (left := until - time.monotonic()) <= 0:
                raise late
            limits = FetchLimits(self._policy.max_bytes, left, self._allowed(url))
            try:
                outcome = self._run(look, (url, validators, limits))
            except StatusError as error:
                if error.status not in {429, 503}:
                    raise
                if not 0 < error.wait <= _LONGEST_WAIT:
                    raise _StoppedError(_busy(error)) from error
                log.info("%s : attend %.0f s", url, error.wait)
                self._pause(error.wait)
                until += error.wait
                continue
            return outcome, outcome.result
        raise _StoppedError(messages.STILL_BUSY)

    def _allowed(self, url: str) -> Allowed:
        """Return which IP addresses an address may be at: a host of one's own may be private.

        Only a host that is named, not those below it: whoever runs a name under ours points it.
        """
        named = parse_url(url).host.lower() in self._policy.own
        return is_own_network if named else self._policy.allowed

    def _run(self, call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Return the outcome of a call in a worker. Raises ReadError."""
        policy = self._policy
        wall = policy.seconds + policy.bounds.seconds
        late = texts.LATE_PAGE.format(wall)
        task = Task(call, arguments, wall, late)
        (outcome,) = workers.run([task], policy.bounds.memory_mb)
        if outcome.error is not None:
            raise outcome.error
        if outcome.reason:
            raise ReadError(outcome.reason)
        return outcome

    def _wait(self, url: str) -> float:
        """Wait until the host of an address may be asked again; return how long that took."""
        host = urlsplit(url).netloc
        rules = self._rules.get(host)
        pause = max(self._policy.interval, rules.delay if rules else 0.0)
        if self.own(url):
            pause = 0.0
        left = self._asked.get(host, 0.0) + pause - time.monotonic()
        if left > 0:
            self._pause(left)
        self._asked[host] = time.monotonic()
        return max(0.0, left)

    def _pause(self, seconds: float) -> None:
        """Wait. Raises _StoppedError when the reading is to end."""
        if self._stop.wait(seconds):
            raise _StoppedError(messages.READING_STOPPED)

    def own(self, url: str) -> bool:
        """Tell whether an address is of the keeper's own sites, or of those that gave leave."""
        host = (urlsplit(url).hostname or "").lower()
        return any(host == own or host.endswith(f".{own}") for own in self._policy.own)

    def _refusal(self, url: str) -> str:
        """Return why the site of an address does not want it read, or ""."""
        rules = self._rules_of(url)
        return rules.refusal(url) if rules else ""

    def _rules_of(self, url: str) -> robots.Rules | None:
        """Return the rules of an address' host, asked once a run; None for the keeper's own."""
        parts = urlsplit(url)
        if self.own(url) or parts.scheme not in {"http", "https"}:
            return None
        if parts.netloc not in self._rules:
            root = f"{parts.scheme}://{parts.netloc}"
            self._rules[parts.netloc] = self._read_rules(root)
        return self._rules[parts.netloc]

    def _read_rules(self, root: str) -> robots.Rules:
        limits = FetchLimits(self._policy.max_bytes, self._policy.seconds, self._policy.allowed)
        files: list[str] = []
        for path in ("/robots.txt", "/.well-known/tdmrep.json"):
            self._asked[urlsplit(root).netloc] = time.monotonic()
            try:
                files.append(self._run(read_robots, (root + path, limits)).result)
            except StatusError as error:
                if (error.status >= 500 or error.status == 429) and not files:  # RFC 9309, 2.3.1.4
                    return robots.forbidding(str(error))
                files.append("")
            except PrivateHostError:  # its rules are not what stands in the way
                raise
            except ReadError as error:
                if not files:
                    return robots.forbidding(str(error))
                files.append("")
        return robots.parse_robots(*files)


class _Group:
    """Some pages of a run: what they give, and what is known of them once the index has it."""

    def __init__(self, web: Web, run: _Run, answerable: Mapping[str, bool]) -> None:
        self.states: list[PageState] = []
        self.met: list[str] = []  # addresses
        self.stopped: _StoppedError | None = None
        self.same: list[str] = []
        self.days: dict[str, date | None] = {}  # article -> when it was withdrawn, or not
        self._web = web
        self._run = run
        self._answerable = answerable

    def found(
        self,
        entries: Iterable[ListedPage],
        pages: Mapping[str, PageState],
        on_page: Callable[[str], None],
    ) -> Iterator[Found]:
        """Yield what pages give that may have changed."""
        for entry in entries:
            on_page(entry.url)
            self.met.append(entry.url)
            state = pages.get(entry.url) or PageState(entry.url)
            same = entry.changed == state.changed and _settled(entry.changed)
            if same and self._answerable.get(state.article):
                self._unchanged(state)
                continue
            try:
                yield from self._visited(entry, state)
            except StatusError as error:
                yield from self._refused(state, error)
            except ReservedError as error:
                yield self._reserved(state, error)
            except ReadError as error:
                yield Failure(entry.url, printable(str(error)))
            except _StoppedError as stop:
                # What was fetched is indexed first: the next reading goes on from there.
                self.stopped = stop
                return

    def _unchanged(self, state: PageState) -> None:
        self.same.append(state.article)
        self.days[state.article] = None
        self._run.met.add(state.article)
        self.states.append(replace(state, misses=0))

    def _refused(self, state: PageState, error: StatusError) -> Iterator[Found]:
        """Tell of a page that is not there: it is withdrawn at once by 410, in time by 404."""
        gone = error.status in _GONE_STATUSES
        missed = replace(state, changed="", misses=state.misses + 1 if gone else 0)
        self.states.append(missed)
        if state.article in self._answerable and (
            error.status == 410 or missed.misses >= _MISSED_RUNS
        ):
            self.days[state.article] = date.today()
        else:
            yield Failure(state.url, str(error))

    def _reserved(self, state: PageState, error: ReservedError) -> Failure:
        """Tell of a page that its publisher reserves: what was read of it answers no more."""
        if state.article in self._answerable:
            self.days[state.article] = date.today()
            self.states.append(replace(state, etag="", modified="", changed=""))
        return Failure(state.url, str(error))

    def _visited(self, entry: ListedPage, state: PageState) -> Iterator[Found]:
        """Yield what a page gives. Raises ReadError where it gives nothing."""
        here = state.article in self._answerable
        opened = self._run.opened.pop(entry.url, None)
        seen = opened or self._web.look(entry.url, state.validators if here else Validators())
        outcome, result = seen
        if result.same:
            self._unchanged(replace(state, changed=entry.changed))
            return
        if result.kind != "page":
            if here:  # what is gone is often sent to the home page
                raise StatusError(messages.PAGE_ELSEWHERE, 404)
            raise ReadError(messages.LIST_NOT_ARTICLE)
        if result.reserved and not self._web.own(result.url):
            raise ReservedError(messages.RESERVED)
        for failure in outcome.failures:
            yield Failure(entry.url, printable(failure.reason))
        first = ""
        moved = here and not same_page(result.url, state.url)
        for article in outcome.found():
            title = article.source.title
            if moved and not self._web.is_titled(state.article, title, self._run):
                raise StatusError(messages.PAGE_ELSEWHERE, 404)  # a login page, another article
            item = self._web.with_id(
                article, state if here and not first else None, result.url, self._run
            )
            self._run.titles[item.id] = fold(title)
            for place in (article.source.url, result.url):
                self._run.places.setdefault(place, item.id)
            first = first or item.id
            # Of a page that was asked for by its address, the ingestion says that it stays away.
            by_address = entry.url == self._run.source
            if item.id not in self._run.met and (by_address or not self._web.was_removed(item.id)):
                self._run.met.add(item.id)
                self.days[item.id] = None
                yield item
        # The home page is nobody's own address, however many pages say so.
        own = next((a.source.url for a in outcome.articles), result.url)
        final = result.url if urlsplit(own).path in {"", "/"} else own
        marks = result.validators
        self.states.append(
            PageState(entry.url, final, first, marks.etag, marks.modified, entry.changed)
        )


def _url_variants(*urls: str) -> list[str]:
    """Return addresses, and each under the other scheme: sites move from one to the other."""
    found: dict[str, None] = {}
    for url in urls:
        scheme, colon, rest = url.partition(":")
        other = {"http": "https", "https": "http"}.get(scheme, scheme)
        found |= {url: None, other + colon + rest: None}
    return list(found)


def _settled(changed: str) -> bool:
    """Tell whether a list's date of change says that nothing has changed since.

    One without a time, of today or yesterday, leaves room for another change.
    """
    if len(changed) != len("2024-05-07"):
        return bool(changed)
    return changed < (datetime.now(UTC) - timedelta(days=1)).date().isoformat()


def _busy(error: StatusError) -> str:
    if not error.wait:
        return messages.SERVER_BUSY.format(error.status)
    return messages.SERVER_ASKS_TO_WAIT.format(error.wait, error.status)
