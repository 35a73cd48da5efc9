"""An open index: what is read of it, and who changes it.

`store`, `lexical`, `catalogue` and `history` are kept in agreement by `writer.py`; a change that
was interrupted is settled by `recovery.py`. Records are read when they are needed, so that what
other processes write to a shared store is seen at once; the words follow a second behind
(`following.py`). `rebuilding.py` builds a store beside the one that serves.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from rag import messages
from rag.domain import BROKEN, ArticleRecord, Filters, Passage, StoredArticle
from rag.errors import ArticleNotFoundError, StoreError
from rag.indexing.batches import paged
from rag.indexing.catalogue import CachedPassage, Catalogue, PassageVectors
from rag.indexing.changes import Positions
from rag.indexing.chroma import connect
from rag.indexing.following import Follower
from rag.indexing.generations import current
from rag.indexing.history import History
from rag.indexing.keyword_index import KeywordIndex
from rag.indexing.parts import Parts, Progress, of_versions, silent, size_of
from rag.indexing.rebuilding import Rebuilder, folders_of
from rag.indexing.recovery import Recovery
from rag.indexing.store import Store
from rag.indexing.understanding import MadeVectors, again
from rag.indexing.writer import IndexWriter
from rag.models.packing import cosines
from rag.models.scale import CosineScale

if TYPE_CHECKING:
    from rag.indexing.understanding import Embedded
    from rag.models.embedding import Embedder, Vectors
    from rag.settings import Settings

__all__ = ["Index", "Progress", "open_index"]

_PAGE_ARTICLES = 200  # articles looked through at a time
# Passages that filters accept, up to which each is compared with the question
_MOST_COMPARED = 5000
_NEIGHBOURS = 2000  # asked of the store, to keep those that filters accept
_MARGINS = (1.5, 6.0)  # where a source is rare about a subject, the first is too small


class Index:
    """An open index; readers see whole versions only.

    `writer` changes it, `follower` takes over what others change, `rebuilder` makes its store anew.
    """

    def __init__(
        self,
        store: Store,
        lexical: KeywordIndex,
        catalogue: Catalogue,
        embedder: Embedder,
        folder: Path,
        progress: Progress = silent,
        *,
        history: History,
    ) -> None:
        """Take the parts; `open_index` makes them.

        What an interrupted process left is settled; `progress` hears of the
        words that have to be made again.
        """
        changes = store.change_log(folder)
        positions = Positions.load(folder / "lexical" / "positions.json", changes.store)
        parts = Parts(store, lexical, catalogue, history, embedder, folder, changes, positions)
        self._parts = parts
        self.scale = CosineScale(embedder, folder)
        recovery = Recovery(parts)
        self.writer = IndexWriter(parts, recovery, self.records_of)
        self.follower = Follower(parts, recovery)
        self.rebuilder = Rebuilder(parts, self.writer, recovery)
        self.recovery = recovery
        with parts.lock:
            recovery.settle(changes.own)
            if lexical.fresh or catalogue.fresh or positions is None:
                recovery.fill(progress)
            else:
                self.follower.follow(progress)
            if store.outdated:
                self.rebuilder.renew(progress)
        if store.shared:
            self.follower.start()

    @property
    def store(self) -> Store:
        """The articles and passages, in Chroma."""
        return self._parts.store

    @property
    def lexical(self) -> KeywordIndex:
        """The words."""
        return self._parts.lexical

    @property
    def catalogue(self) -> Catalogue:
        """What is asked without a question."""
        return self._parts.catalogue

    @property
    def history(self) -> History:
        """What articles said before."""
        return self._parts.history

    @property
    def embedder(self) -> Embedder:
        """What makes its vectors."""
        return self._parts.embedder

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._parts.folder

    def last_change(self) -> float:
        """Return when its articles last changed, in seconds since 1970; 0.0 where nothing says."""
        return max((w.changed for w in self._parts.changes.writers()), default=0.0)

    def keep_last_change(self, other: Index) -> None:
        """Say that its articles last changed when another's did, which it was made of."""
        self._parts.changes.date(other.last_change())

    def records(self) -> Iterator[ArticleRecord]:
        """Yield the current record of each article, in no order."""
        return self.store.records()

    def records_of(self, ids: Iterable[str]) -> dict[str, ArticleRecord]:
        """Return the current records of some articles, by id; absent ones are left out.

        The catalogue knows them, but for what others write to a shared store:
        that is seen at once.
        """
        if self.store.shared:
            return self.store.records_of(ids)
        return self.catalogue.records_of(list(dict.fromkeys(ids)))

    def record(self, article_id: str) -> ArticleRecord | None:
        """Return the current record of an article, None when it is absent."""
        return self.records_of([article_id]).get(article_id)

    def articles(self) -> int:
        """Return the number of articles."""
        return self.store.articles()

    def current(self, passages: Iterable[str]) -> dict[str, ArticleRecord]:
        """Return, for those of some passage ids that may answer, the record.

        They are of a current version, of an article that was not withdrawn, and was not found
        damaged.
        """
        found = of_versions(passages, self.records_of)
        return {
            i: record
            for i, record in found.items()
            if record.withdrawn is None and record.recipe != BROKEN
        }

    def article(self, article_id: str) -> StoredArticle:
        """Return an article, whole. Raises ArticleNotFoundError, or StoreError if damaged."""
        for pause in (0.0, 0.05, 0.3):  # a version may be swept between the two reads
            time.sleep(pause)
            record = self.record(article_id)
            if record is None:
                raise ArticleNotFoundError(messages.NO_SUCH_ARTICLE.format(article_id))
            found = self.store.passages(record.passage_ids())
            if len(found) == record.passages:
                return StoredArticle(record, tuple(found[i] for i in record.passage_ids()))
        raise StoreError(messages.INCOMPLETE_ARTICLE.format(article_id))

    def whole(self, records: Iterable[ArticleRecord]) -> list[StoredArticle]:
        """Return the articles of some records; one that has changed meanwhile is left out."""
        wanted = list(records)
        passages = self.store.passages([i for r in wanted for i in r.passage_ids()])
        return [
            StoredArticle(r, tuple(passages[i] for i in r.passage_ids()))
            for r in wanted
            if all(i in passages for i in r.passage_ids())
        ]

    def nearest(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """Return current (passage id, cosine) nearest to a unit vector, best first."""
        found = self.store.nearest(vector, limit)
        current = self.current(i for i, _ in found)
        return [(i, cosine) for i, cosine in found if i in current]

    def among(self, vector: Vectors, limit: int, filters: Filters) -> list[tuple[str, float]]:
        """Return (passage id, cosine) nearest to a unit vector that filters accept, best first.

        Few are compared one by one; of many, more neighbours are asked for, as
        the share that is accepted wants. Chroma's own filters take 100 to
        200 ms at 100,000 passages.
        """
        accepted = self.catalogue.accepted(filters)
        if not accepted:
            return []
        share = accepted / max(1, self.catalogue.passages())
        for margin in _MARGINS:
            wanted = ceil(limit / share * margin)
            if accepted <= _MOST_COMPARED or wanted > _NEIGHBOURS:
                break
            found = self.store.nearest(vector, wanted)
            right = self._accepted([i for i, _ in found], filters)
            selected = [f for f in found if f[0] in right]
            if len(selected) >= limit:
                return selected[:limit]
        return self._compared(vector, limit, filters)

    def _accepted(self, passages: Sequence[str], filters: Filters) -> AbstractSet[str]:
        """Return those of some passages that may answer and that filters accept."""
        if not self.store.shared:
            return self.catalogue.among(passages, filters)
        current = self.current(passages)  # others write: the catalogue learns of it later
        return {i for i, r in current.items() if filters.accept(r.id, r.source)}

    def _compared(self, vector: Vectors, limit: int, filters: Filters) -> list[tuple[str, float]]:
        packed = self.catalogue.vectors(filters)
        found = zip(packed, cosines(vector, list(packed.values())), strict=True)
        return sorted(found, key=lambda f: -f[1])[:limit]

    def vectors_of(self, passages: Sequence[str]) -> dict[str, PassageVectors]:
        """Return the vectors cached of current passages, by id; those not cached are made and kept.

        As `understood`, for those that are only compared. Raises EmbeddingError.
        """
        found = self.catalogue.vectors_of(passages)
        if lacking := [i for i in passages if i not in found]:
            made = self.understood(self.store.passages(lacking).values())
            found |= {i: one.vectors for i, one in made.items()}
        return found

    def understood(self, passages: Iterable[Passage]) -> dict[str, CachedPassage]:
        """Return what is kept of current passages, by id; what is not is made and kept.

        It is not where another process wrote the article, or where the
        catalogue was lost. Raises EmbeddingError.
        """
        wanted = {p.id: p.article_id for p in passages}
        found = self.catalogue.cached(list(wanted))
        for article_id in dict.fromkeys(a for i, a in wanted.items() if i not in found):
            try:
                article = self.article(article_id)
            except ArticleNotFoundError:  # it has gone meanwhile
                continue
            _, rows = again(self.embedder, article)
            self.catalogue.keep(rows)
            found |= {
                r.passage: CachedPassage(r.vector, r.sentences)
                for r in rows
                if r.passage in wanted and r.sentences is not None
            }
        return found

    def embedded_before(self, contents: Sequence[bytes]) -> Embedded:
        """Return, by content, what was made of a passage and of its sentences and serves again."""
        alike = self.catalogue.alike(contents)
        vectors = self.store.vectors(list(alike.values()))
        cached = self.catalogue.cached(list(vectors))
        found: Embedded = {}
        for content, i in alike.items():
            if i in vectors and i in cached:
                own = [s for s in cached[i].sentences if s.vector]
                found[content] = MadeVectors(
                    vectors[i],
                    [s.vector for s in own],
                    [s.injection for s in own],
                    [s.attribution for s in own],
                )
        return found

    def holding(self, sentences: Sequence[str]) -> dict[str, set[str]]:
        """Return which of some sentences each article says; those that say none are left out."""
        found: dict[str, set[str]] = {}
        for some in paged(self.records(), _PAGE_ARTICLES) if sentences else ():
            passages = self.store.passages([i for r in some for i in r.passage_ids()])
            for record in some:
                text = "".join(passages[i].text for i in record.passage_ids() if i in passages)
                title = record.source.title
                if matches := {s for s in sentences if s in text or s in title}:
                    found[record.id] = matches
        return found

    def folders(self) -> list[Path]:
        """Return the folders that have its files of SQLite."""
        return folders_of(self._parts)

    def size(self) -> int:
        """Return what the folder of an embedded store, its words and its catalogue weigh."""
        places = [self.store.folder, self.folder / "lexical"]
        catalogue = (self.folder / "catalogue.sqlite3").stat().st_size
        return catalogue + sum(size_of(place) for place in places if place)

    def retire(self, successor: Index) -> None:
        """Change no more, and give the history to the index that takes the place of this one.

        Questions under way are still answered. Later changes raise IndexReplacedError.
        """
        mine, other = self._parts, successor._parts
        with mine.lock:
            mine.retired = True
            other.history.close()  # of what it was built of: nobody's past
            other.history, mine.history = mine.history, History(None)

    def stop(self) -> None:
        """Refuse further changes; the one under way ends, and questions are still answered."""
        self._parts.closing.set()

    def close(self) -> None:
        """Wait for the change under way and let go; later changes are refused."""
        self.stop()
        self.follower.join()
        with self._parts.lock:
            self.store.close()
            self.catalogue.close()
            self.history.close()
            self.rebuilder.discard_replaced()


def open_index(
    settings: Settings,
    embedder: Embedder,
    progress: Progress = silent,
    *,
    folder: Path | None = None,
    foreign: bool = False,
) -> Index:
    """Open the index that the settings name; the caller owns it (see `owner.py`).

    `folder` is that of another generation than the one that serves (see `generations.py`);
    it then keeps no history. A `foreign` index is of any embedding model, to be copied.
    """
    home = settings.index_dir
    place = folder or (home if settings.chroma_url else current(home))
    store = Store(connect(settings, place), embedder.name, foreign=foreign)
    lexical, catalogue = KeywordIndex(place / "lexical"), Catalogue(place)
    return Index(
        store, lexical, catalogue, embedder, place, progress,
        history=History(None if folder else home),
    )  # fmt: skip
