"""Build another generation of an index beside the one that serves, and put it in its place.

Articles are split and embedded again from the text that is stored: no file is read, and what
keepers said of them stays. What is added, changed or removed meanwhile is caught up with; the
last of it, and the switch, under the old index's lock. A kill leaves the old index as it was,
and what was built is gone on with by the next `recoupe reindex` with the same settings.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag import messages
from rag.domain import ArticleRecord, Passage, StoredArticle, digest_of
from rag.errors import IndexMismatchError, StoreError
from rag.indexing import generations
from rag.indexing.batches import batched
from rag.indexing.index import Index, Progress, open_index
from rag.indexing.ingestion import RECIPE, fingerprint
from rag.indexing.understanding import embed_understood, understood

if TYPE_CHECKING:
    from rag.indexing.understanding import Embedded, Understood
    from rag.models.embedding import Embedder
    from rag.settings import Settings

log = logging.getLogger(__name__)

_GROUP_ARTICLES = 16  # articles split and embedded at a time
_MOST_ROUNDS = 20  # rounds of catching up; what is left then is done while others wait
_FEW_ARTICLES = 50  # articles left to catch up with, for which others may be kept waiting


class Reindexing:
    """An index that is being built of another one, under way."""

    def __init__(
        self,
        old: Index,
        embedder: Embedder,
        settings: Settings,
        progress: Progress,
        stopping: Callable[[], bool],
    ) -> None:
        """Open what will be the index, or what an interrupted reindexing built of it.

        `settings` are those to build it with. Raises StoreError.
        """
        if old.store.shared:
            raise StoreError(messages.NO_REINDEX)
        self._home = settings.index_dir
        self._old, self._settings = old, settings
        self._progress, self._stopping = progress, stopping
        self._made: dict[str, str] = {}  # versions of the old index, by article
        assert old.store.folder is not None
        old.store.check_room(old.size())
        self.new = self._opened(embedder)

    def _opened(self, embedder: Embedder) -> Index:
        made_with = {
            "embedding": embedder.name,
            "passage_tokens": self._settings.passage_tokens,
            "sentence_vectors": self._settings.sentence_vectors,
            "recipe": RECIPE,
        }
        folder = generations.draft(self._home, made_with)
        try:
            return open_index(self._settings, embedder, folder=folder)
        except (StoreError, IndexMismatchError):  # what a kill left of it is of no use
            log.warning("génération commencée illisible, refaite : %s", folder, exc_info=True)
            generations.discard_drafts(self._home)
            return open_index(
                self._settings, embedder, folder=generations.draft(self._home, made_with)
            )

    def build(self) -> None:
        """Make the new index of the old one, until little is left to catch up with."""
        for _ in range(_MOST_ROUNDS):
            if self._caught_up() <= _FEW_ARTICLES:
                break

    def switch(self) -> Index:
        """Catch up with the rest while nobody writes, and put the new index in its place.

        The caller lets no ingestion begin meanwhile. Returns the new index; the old one still
        answers. Raises StoreError, and the old index then serves on.
        """
        with self._old.writer.write_lock():
            self._caught_up()
            if lost := [r.id for r in self._old.records() if r.id not in self._made]:
                raise StoreError(messages.REINDEX_INCOMPLETE.format(len(lost), ", ".join(lost[:5])))
            # What a crash kept of the present versions is no past of them.
            self._old.history.drop_versions((r.id, r.version) for r in self._old.records())
            self.new.keep_last_change(self._old)
            generations.switch(self._home, self.new.folder)
            self._old.retire(self.new)
        return self.new

    def close(self) -> None:
        """Let go of the new index, to be gone on with."""
        self.new.close()

    def _caught_up(self) -> int:
        """Bring the new index to what the old one says now; return how many articles that took."""
        records = {r.id: r for r in self._old.records()}
        todo = [i for i, r in records.items() if self._made.get(i) != _state(r)]
        gone = [r.id for r in self.new.records() if r.id not in records]
        self.new.writer.remove(gone)
        for number, some in enumerate(batched(todo, _GROUP_ARTICLES)):
            if self._stopping():
                raise StoreError(messages.REINDEX_BEGUN)
            self._progress(len(records) - len(todo) + number * _GROUP_ARTICLES, len(records))
            self._copy(self._old.whole(records[i] for i in some))
        self._progress(len(records), len(records))
        return len(todo) + len(gone)

    def _copy(self, articles: Sequence[StoredArticle]) -> None:
        """Make articles again in the new index, but those that it has as they are."""
        existing = self.new.records_of(a.record.id for a in articles)
        batch: list[tuple[ArticleRecord, list[Understood]]] = []
        for stored in articles:
            article = stored.article
            version = fingerprint(
                article,
                self._settings.passage_tokens,
                sentence_vectors=self._settings.sentence_vectors,
            )
            digest = stored.record.digest or digest_of(article.text)
            record = replace(stored.record, fingerprint=version, generation="", digest=digest)
            there = existing.get(article.id)
            if there is None or replace(there, generation="", passages=record.passages) != record:
                passages = understood(article, self._settings.passage_tokens)
                batch.append((replace(record, passages=len(passages)), passages))
        if batch:
            vectors, rows = embed_understood(
                self.new.embedder,
                [u for _, us in batch for u in us],
                self._embedded_before,
                sentence_vectors=self._settings.sentence_vectors,
            )
            written: list[tuple[ArticleRecord, Sequence[Passage]]] = [
                (record, [u.passage for u in us]) for record, us in batch
            ]
            self.new.writer.write(written, vectors, rows)
        self._made |= {a.record.id: _state(a.record) for a in articles}

    def _embedded_before(self, contents: Sequence[bytes]) -> Embedded:
        """Return what either index has embedded already: a content names its model."""
        return self._old.embedded_before(contents) | self.new.embedded_before(contents)


def _state(record: ArticleRecord) -> str:
    """Return what tells that an article has changed: each write has a generation of its own."""
    return repr((record.version, record.path, record.withdrawn))
