"""The one object that faces use: ask, search, ingest, read, remove.

`open_assistant` gives the index to this process, or, when another process
owns it and serves (I3), a stand-in that speaks to that one.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rag import messages
from rag.answering.answerer import Answerer, Event
from rag.checking.checker import Checker, OnClaim, load_checker
from rag.checking.prompt_injection import InjectionDetector
from rag.domain import (
    Answer,
    Article,
    ArticlePage,
    ArticleQuery,
    ArticleRecord,
    ArticleResults,
    CheckedClaim,
    Erasure,
    Facets,
    Filters,
    Found,
    Hit,
    IngestReport,
    QuotedSpeaker,
    SourceState,
    StoredArticle,
    Turn,
    Verification,
    Version,
)
from rag.errors import IndexReplacedError, RecoupeError, StoreError
from rag.exchanges.recorder import Recorder
from rag.feedback import FeedbackStore
from rag.indexing import generations
from rag.indexing.chroma import sweep_folders
from rag.indexing.doctor import examine, mend
from rag.indexing.erasure import MEMORY, blank, files_of, remaining, sentences_of, unreadable
from rag.indexing.export import export, import_from
from rag.indexing.index import Index, Progress, open_index
from rag.indexing.ingestion import edit, fingerprint, ingest, sources_of, undo_edits
from rag.indexing.owner import Owner, Ownership, acquire
from rag.indexing.parts import silent
from rag.indexing.public_names import PublicNames
from rag.indexing.reindexing import Reindexing
from rag.indexing.removals import Removals
from rag.models.encoder import Encoder
from rag.models.loading import load_embedder
from rag.operations import Assistant, unheard
from rag.readers.draft import checked_edits
from rag.searching.browsing import browse, quoted_speakers
from rag.searching.corrections import corrections_of
from rag.searching.reranking import load_reranker
from rag.searching.retrieval import Retriever
from rag.sources.memory import Memory

if TYPE_CHECKING:
    from rag.indexing.understanding import CachedVectors
    from rag.settings import Settings

log = logging.getLogger(__name__)

_PROGRESS_PERIOD = 5.0  # seconds between two words to who waits
_LINGER_SECONDS = 60.0  # seconds that a replaced index stays open for the requests that use it
T = TypeVar("T")


class Services:
    """What serves one open index; another one's takes its place whole when the index is rebuilt."""

    def __init__(self, settings: Settings, index: Index) -> None:
        """Load what answering needs. Raises SettingsError."""
        self.settings = settings
        self.index = index
        self.retriever = Retriever(index, settings.candidates, load_reranker(settings))
        encoder = index.embedder if isinstance(index.embedder, Encoder) else Encoder()
        self._injections = InjectionDetector(encoder)
        self.answerer = Answerer(settings, index, self.retriever, self._injections, self._verify)

    def _verify(self, claim: str, filters: Filters | None) -> CheckedClaim:
        return self.checker.one(claim, filters)

    @cached_property
    def checker(self) -> Checker:
        """What checks claims, loaded at its first use. Raises SettingsError."""
        return load_checker(self.settings, self.index, self.retriever, self._injections)


class LocalAssistant(Assistant):
    """The assistant over an index that this process owns."""

    def __init__(
        self,
        settings: Settings,
        ownership: Ownership | None = None,
        progress: Progress = silent,
        *,
        foreign: bool = False,
    ) -> None:
        """Open the index. Raises StoreError, IndexMismatchError, SettingsError.

        `progress` hears of what an opening has to make again. An index of another embedding
        model may be opened as `foreign`, to be exported or built anew.
        """
        self.settings = settings
        self.ownership = ownership
        if ownership:  # others must not touch what its owner may be building
            generations.sweep(settings.index_dir)
            sweep_folders(generations.current(settings.index_dir))
        embedder = load_embedder(settings)
        index = open_index(settings, embedder, progress, foreign=foreign)
        try:
            self._services = Services(settings, index)
        except RecoupeError:
            index.close()
            raise
        self._former: threading.Timer | None = None
        self._ingesting = threading.Lock()
        self._reindexing = threading.Lock()
        self._stopping = threading.Event()
        self.memory = Memory(settings.index_dir)
        self.removals = Removals(settings.index_dir)
        names = PublicNames(lambda: self.index)
        self.recorder = Recorder(
            settings.index_dir, settings.keep_questions_days, names,
            recording=settings.keep_questions,
        )  # fmt: skip

    @property
    def index(self) -> Index:
        """The index that serves now."""
        return self._services.index

    @property
    def retriever(self) -> Retriever:
        """What searches the index that serves now."""
        return self._services.retriever

    @property
    def answerer(self) -> Answerer:
        """What answers over the index that serves now."""
        return self._services.answerer

    def page(self, after: str = "", limit: int = 50, words: str = "") -> ArticlePage:
        """See `Assistant`."""
        return self.index.catalogue.page(after, limit, words)

    def browse(self, query: ArticleQuery, after: str = "", limit: int = 20) -> ArticleResults:
        """See `Assistant`."""
        return browse(self.index, query, after, limit, self.settings.paid_characters)

    def speakers(self, article_id: str) -> list[QuotedSpeaker]:
        """See `Assistant`."""
        return quoted_speakers(self.index, self.index.article(article_id))

    def facets(self) -> Facets:
        """See `Assistant`."""
        return self.index.catalogue.facets()

    def article(self, article_id: str) -> StoredArticle:
        """See `Assistant`."""
        return self.index.article(article_id)

    def records(self, ids: Sequence[str]) -> list[ArticleRecord]:
        """Return the records of those of some articles that there are."""
        return list(self.index.records_of(ids).values())

    def copies(self, article_id: str) -> list[ArticleRecord]:
        """See `Assistant`."""
        return self.index.catalogue.copies_of(article_id)

    def corrections(self, article_id: str) -> list[ArticleRecord]:
        """Return what its paper has published since to correct an article, the oldest first.

        Raises ArticleNotFoundError, EmbeddingError.
        """
        return corrections_of(self.index.article(article_id), self.retriever)

    def history(self, article_id: str) -> list[Version]:
        """See `Assistant`."""
        return self.index.history.of(self.index.article(article_id).record)

    def examples(self) -> tuple[str, ...]:
        """Return at most six questions that the corpus, as it is, answers."""
        return self.answerer.examples()

    def search(self, question: str, limit: int, filters: Filters | None = None) -> list[Hit]:
        """See `Assistant`."""
        return self.answerer.search(question, limit, filters)

    def ask(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> Answer:
        """See `Assistant`."""
        *_, last = self.stream(question, history, filters)
        assert isinstance(last, Answer)
        return last

    def stream(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> Iterator[Event]:
        """Yield an answer as it forms; see `Answerer.stream`."""
        return self.answerer.stream(question, history, filters)

    def verify(
        self, text: str, filters: Filters | None = None, on_claim: OnClaim = unheard
    ) -> Verification:
        """See `Assistant`."""
        return self._services.checker.verify(text, filters, on_claim)

    def checker(self) -> Checker:
        """Return what checks claims over the index. Raises SettingsError."""
        return self._services.checker

    def ingest(
        self,
        found: Iterable[Found],
        prune: Sequence[str] = (),
        progress: Progress = silent,
        readmit: bool = False,
        dry: bool = False,
    ) -> IngestReport:
        """See `Assistant`. A second ingestion waits for the first."""
        return self._ingest(found, prune, progress, readmit=readmit, dry=dry)

    def _ingest(
        self,
        found: Iterable[Found],
        prune: Sequence[str],
        progress: Progress,
        cached: CachedVectors = lambda _: {},
        *,
        readmit: bool,
        dry: bool = False,
    ) -> IngestReport:
        with self._ingesting:
            report = ingest(
                self.index,
                self._until_stopped(found),
                self.settings.passage_tokens,
                prune,
                progress,
                sentence_vectors=self.settings.sentence_vectors,
                cached_vectors=cached,
                removals=self.removals,
                readmit=readmit,
                dry=dry,
            )
            if self.index.rebuilder.compactable:
                log.info("le magasin de vecteurs est refait sans ses restes")
                try:
                    self.index.rebuilder.compact()
                except RecoupeError as error:  # the ingestion itself has succeeded
                    log.warning("compactage remis à plus tard : %s", error)
            return report

    def answerable(self, ids: Sequence[str]) -> dict[str, bool]:
        """See `Assistant`."""
        return {i: r.withdrawn is None for i, r in self.index.records_of(ids).items()}

    def withdraw(self, days: Mapping[str, date | None]) -> list[str]:
        """See `Assistant`."""
        return self._changed(lambda index: index.writer.withdraw(days))

    def followed(self) -> list[SourceState]:
        """Return how the web's sources that the settings name do."""
        wanted = set(self.settings.sources)
        return [state for state in self.memory.sources() if state.address in wanted]

    def edit(self, article_id: str, edits: Mapping[str, str]) -> ArticleRecord:
        """See `Assistant`."""
        with self._ingesting:
            checked = checked_edits(edits)
            return self._changed(lambda index: edit(index, article_id, checked, self._version()))

    def undo_edits(self, article_id: str, fields: Sequence[str]) -> ArticleRecord:
        """See `Assistant`."""
        with self._ingesting:
            return self._changed(
                lambda index: undo_edits(index, article_id, fields, self._version())
            )

    def _version(self) -> Callable[[Article], str]:
        tokens, vectors = self.settings.passage_tokens, self.settings.sentence_vectors
        return partial(fingerprint, passage_tokens=tokens, sentence_vectors=vectors)

    def remove(self, ids: Sequence[str]) -> list[str]:
        """See `Assistant`."""
        # Before the articles go: nothing must bring them back in between.
        self._bar(ids)
        return self._changed(lambda index: index.writer.remove(ids))

    def _bar(self, ids: Iterable[str]) -> None:
        """Remember that articles are removed: they stay so."""
        there = list(self.index.records_of(ids))
        self.memory.remove(there)
        self.removals.add(self.index.article(i) for i in there)

    def erase(self, ids: Sequence[str]) -> Erasure:
        """See `Assistant`."""
        if self.index.store.shared:
            raise StoreError(messages.NO_ERASURE)
        if self._reindexing.locked():
            raise StoreError(messages.REINDEXING)
        self.recorder.store()  # what cannot be looked into is told before anything is erased
        self._drop_former()
        generations.discard_drafts(self.settings.index_dir)
        records = self.index.records_of(ids)
        articles = [self.index.article(i) for i in records]
        past = [v.stored(a.record) for a in articles for v in self.index.history.of(a.record)]
        sentences = sentences_of([*articles, *past])
        with self._ingesting:
            self._bar(records)
            gone = self.index.rebuilder.erase(records)
        self.answerer.forget()
        settings = self.settings
        store = FeedbackStore(settings.index_dir, settings.retention_days, settings.feedback_max_mb)
        forgotten = store.forget(sentences)
        exchanges = self.recorder.forget(sentences, list(records))
        files = files_of(settings.index_dir)
        for path in files:
            if path.name == MEMORY and path.stat().st_size:
                blank(path, sentences)
        closed = unreadable(files)
        left = list(remaining([f for f in files if f not in closed], sentences))
        # What another article says too is that one's.
        leftovers = list(dict.fromkeys(sentence for _, sentence in left))
        shared = self.index.holding(leftovers)
        for article, repeats in self.index.history.saying(sentences).items():
            shared[article] = shared.get(article, set()) | repeats
        living = set().union(*shared.values())
        found = Counter(
            str(path.relative_to(settings.index_dir)) for path, s in left if s not in living
        )
        return Erasure(
            articles=tuple(gone),
            at=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
            files=len(files),
            bytes=sum(path.stat().st_size for path in files if path.exists()),
            sentences=len(sentences),
            found=tuple(sorted(found.items())),
            shared=tuple(sorted((i, len(repeats)) for i, repeats in shared.items())),
            feedback=forgotten,
            exchanges=exchanges,
            unread=tuple(str(path.relative_to(settings.index_dir)) for path in closed),
            outside=tuple(sources_of(a.record for a in articles)),
        )

    def export(self, folder: str) -> list[str]:
        """See `Assistant`."""
        return export(self.index, Path(folder))

    def import_from(
        self,
        folder: str,
        progress: Progress = silent,
        readmit: bool = False,
    ) -> IngestReport:
        """See `Assistant`."""
        return import_from(
            self.index,
            Path(folder),
            lambda found, cached: self._ingest(found, (), progress, cached, readmit=readmit),
        )

    def backup(self, folder: str) -> int:
        """See `Assistant`."""
        return self.index.rebuilder.backup(Path(folder))

    def check(self) -> list[str]:
        """See `Assistant`."""
        problems = [*examine(self.index).sentences(), *self.index.scale.doubts()]
        if generations.begun(self.settings.index_dir) and not self._reindexing.locked():
            problems.append(messages.REINDEX_BEGUN)
        return problems

    def repair(self) -> list[ArticleRecord]:
        """See `Assistant`. What came from the web is asked for again by its source."""
        gone = self._changed(lambda index: mend(index, silent))
        self.memory.forget([record.id for record in gone])
        return gone

    def compact(self) -> bool:
        """See `Assistant`."""
        return self._changed(lambda index: index.rebuilder.compact())

    def reindex(
        self,
        embedding: str,
        passage_tokens: int,
        sentence_vectors: bool,
        progress: Progress = silent,
    ) -> int:
        """See `Assistant`."""
        if not self._reindexing.acquire(blocking=False):
            raise StoreError(messages.REINDEXING)
        try:
            settings = self.settings.model_copy(
                update={
                    "embedding": embedding,
                    "passage_tokens": passage_tokens,
                    "sentence_vectors": sentence_vectors,
                }
            )
            old = self.index
            embedder = load_embedder(settings)
            if embedder.name == old.embedder.name:
                embedder = old.embedder
            building = Reindexing(old, embedder, settings, progress, lambda: self.stopping)
            try:
                building.build()
                services = Services(settings, building.new)
                with self._no_ingestion(progress):
                    building.switch()
                    self.settings, self._services = settings, services
            except BaseException:
                building.close()
                raise
            self._former = threading.Timer(_LINGER_SECONDS, self._let_go, [old])
            self._former.daemon = True
            self._former.start()
            return self.index.articles()
        finally:
            self._reindexing.release()

    @contextmanager
    def _no_ingestion(self, progress: Progress) -> Iterator[None]:
        """Let no ingestion begin; one that is under way ends first; `progress` is notified."""
        count = self.index.articles()
        while not self._ingesting.acquire(timeout=_PROGRESS_PERIOD):
            if self.stopping:
                raise StoreError(messages.REINDEX_BEGUN)
            progress(count, count)
        try:
            yield
        finally:
            self._ingesting.release()

    def _changed(self, change: Callable[[Index], T]) -> T:
        """Change the index that serves: the one that took its place, where that has just been."""
        try:
            return change(self.index)
        except IndexReplacedError:
            return change(self.index)

    def _let_go(self, index: Index) -> None:
        """Close an index that another has replaced, and remove it."""
        index.close()
        generations.sweep(self.settings.index_dir)

    def _drop_former(self) -> None:
        """Remove the index that another has replaced, if it is still there."""
        if former := self._former:
            self._former = None
            former.cancel()
            former.function(*former.args)

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Refuse further changes: an ingestion under way ends after its present batch."""
        self._stopping.set()
        self.index.stop()

    def _until_stopped(self, found: Iterable[Found]) -> Iterator[Found]:
        """Pass on what is found; what changes nothing would not meet the refusal of changes."""
        for each in found:
            if self.stopping:
                raise StoreError(messages.CLOSING)
            yield each

    def close(self) -> None:
        """See `Assistant`. Waits for the change under way; an ingestion stops after it."""
        self.index.close()
        self._drop_former()
        self.memory.close()
        self.removals.close()
        self.recorder.close()
        if self.ownership:
            self.ownership.release()


def open_assistant(
    settings: Settings,
    command: str,
    wait: float = 10.0,
    on_wait: Callable[[Owner | None], None] = lambda _: None,
    progress: Progress = silent,
    *,
    foreign: bool = False,
    before: Callable[[Settings], None] = lambda _: None,
) -> Assistant:
    """Return the assistant over the settings' index, here or in the process that owns it.

    An index of another embedding model may be opened as `foreign`, to be built anew. `before`
    is called once this process owns the index, before it is opened.

    Waits up to `wait` seconds for an owner that does not serve. Raises
    IndexBusyError when it still holds the index then.
    """
    ownership = acquire(settings.index_dir, command, wait, on_wait)
    if isinstance(ownership, Owner):
        from rag.remote import RemoteAssistant

        return RemoteAssistant(ownership)  # type: ignore[abstract]  # its methods are made
    try:
        before(settings)
        return LocalAssistant(settings, ownership, progress, foreign=foreign)
    except BaseException:
        ownership.release()
        raise
