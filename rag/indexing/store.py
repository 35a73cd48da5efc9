"""Articles and passages in Chroma: embedded, on a server, or in its cloud.

Two collections: `recoupe-articles` holds one record an article, and its
upsert is the switch between versions (I2); `recoupe-passages` holds the
passages and their vectors. Knows nothing of readers, words or answers.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from rag.domain import ArticleRecord, Filters, Passage, Source
from rag.errors import IndexMismatchError
from rag.indexing.chroma import batched

if TYPE_CHECKING:
    from rag.indexing.chroma import Chroma
    from rag.models.embedding import Vectors

log = logging.getLogger(__name__)

ARTICLES = "recoupe-articles"
PASSAGES = "recoupe-passages"
_VALUE = 4000  # characters of ASCII in a metadata value: Chroma's cloud takes 4,096 bytes
_MOST_PARTS = 16  # values that sentence vectors may fill: it takes 32 of them a record
# The defaults leave about 1% of vectors out of reach of any query (measured);
# these do not, at the price of a slower build that embedding dwarfs.
_HNSW = {
    "space": "cosine",
    "ef_construction": 200,
    "max_neighbors": 48,
    "ef_search": 200,
}


@dataclass(frozen=True, slots=True)
class Likeness:
    """A passage, its cosine with a question, and those of its parts (none: not stored)."""

    passage: Passage
    cosine: float
    parts: tuple[float, ...] = ()

    @property
    def overall(self) -> float:
        """The mean of the passage's cosine and that of its nearest part.

        It ranks better than either alone, and than the greater of the two.
        """
        return (self.cosine + max(self.parts)) / 2 if self.parts else self.cosine


class Store:
    """The vector store. One process owns an embedded one (I3; see `owner.py`)."""

    def __init__(self, chroma: Chroma, embedding: str) -> None:
        """Open or make the collections.

        Raises IndexMismatchError when the passages were embedded by another
        model than `embedding`, StoreError when Chroma fails.
        """
        self.chroma = chroma
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
        if made_by != embedding:
            raise IndexMismatchError(
                f"L'index a été fait avec le modèle « {made_by} » et non « {embedding} » : "
                f"remettez RECOUPE_EMBEDDING={made_by}, ou indexez dans un autre dossier "
                "(RECOUPE_INDEX_DIR)."
            )

    def records(self) -> Iterator[ArticleRecord]:
        """Yield the record of every article, a page at a time."""
        for page in self.chroma.pages(self._articles, include=["metadatas"]):
            yield from map(_record, page["ids"], page["metadatas"])

    def records_of(self, ids: Iterable[str]) -> dict[str, ArticleRecord]:
        """Return the present records of some articles, by id; absent ones are left out."""
        found: dict[str, ArticleRecord] = {}
        for part in self.chroma.parts(list(dict.fromkeys(ids))):
            got = self.chroma.call(self._articles.get, ids=list(part), include=["metadatas"])
            found |= dict(zip(got["ids"], map(_record, got["ids"], got["metadatas"]), strict=True))
        return found

    def written(self, writer: str, number: int) -> set[str]:
        """Return the articles whose last write is one of `writer`'s after change `number`."""
        where = {"$and": [{"writer": writer}, {"change": {"$gt": number}}]}
        pages = self.chroma.pages(self._articles, where=where, include=[])
        return {i for page in pages for i in page["ids"]}

    def articles(self) -> int:
        """Return the number of articles."""
        return int(self.chroma.call(self._articles.count))

    def put_records(self, records: Sequence[ArticleRecord], writer: str, change: int) -> None:
        """Make these versions the current ones: the switch of I2."""
        for part in self.chroma.parts(records):
            self.chroma.call(
                self._articles.upsert,
                ids=[r.id for r in part],
                embeddings=[_filler(r.id) for r in part],
                metadatas=[
                    _record_metadata(r) | {"writer": writer, "change": change} for r in part
                ],
            )

    def move_records(self, paths: dict[str, str], writer: str, change: int) -> None:
        """Give articles, by id, the path where they now lie; their version is not touched.

        A whole record put back could name a version that another writer has
        replaced since it was read.
        """
        for part in self.chroma.parts(list(paths)):
            self.chroma.call(
                self._articles.update,
                ids=list(part),
                metadatas=[{"path": paths[i], "writer": writer, "change": change} for i in part],
            )

    def delete_records(self, ids: Sequence[str]) -> None:
        """Make these articles absent; their passages are swept by `delete_passages`."""
        for part in self.chroma.parts(ids):
            self.chroma.call(self._articles.delete, ids=list(part))

    def put_passages(
        self,
        passages: Sequence[Passage],
        sources: Sequence[Source],
        vectors: Vectors,
        parts: Sequence[Vectors] = (),
    ) -> None:
        """Store passages with their vectors of shape (len(passages), dimension).

        `parts`, when given, has for each passage the vectors of its parts, of
        shape (parts, dimension).
        """
        metadatas = [_passage_metadata(p, s) for p, s in zip(passages, sources, strict=True)]
        for metadata, part_vectors in zip(metadatas, parts, strict=False):
            if len(part_vectors):
                metadata.update(_packed(part_vectors))
        for at in range(0, len(passages), self.chroma.most):
            part = slice(at, at + self.chroma.most)
            self.chroma.call(
                self._passages.upsert,
                ids=[p.id for p in passages[part]],
                documents=[p.text for p in passages[part]],
                metadatas=metadatas[part],
                embeddings=vectors[part],
            )

    def delete_passages(self, ids: Sequence[str]) -> None:
        """Delete passages by id; ids that are absent are ignored."""
        for part in self.chroma.parts(ids):
            self.chroma.call(self._passages.delete, ids=list(part))

    def passage_ids(self, articles: Sequence[str] | None = None) -> set[str]:
        """Return the ids of stored passages, of current versions and others, of some articles."""
        if articles is None:
            pages = self.chroma.pages(self._passages, include=[])
            return {i for page in pages for i in page["ids"]}
        found: set[str] = set()
        for part in self.chroma.parts(articles):
            where = {"article_id": {"$in": list(part)}}
            for page in self.chroma.pages(self._passages, where=where, include=[]):
                found.update(page["ids"])
        return found

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Return stored passages by id; absent ids are left out."""
        found: dict[str, Passage] = {}
        for part in self.chroma.parts(ids):
            got = self.chroma.call(
                self._passages.get, ids=list(part), include=["documents", "metadatas"]
            )
            rows = zip(got["ids"], got["documents"], got["metadatas"], strict=True)
            found |= {i: _passage(i, text, meta) for i, text, meta in rows}
        return found

    def likened(self, vector: Vectors, ids: Sequence[str]) -> list[Likeness]:
        """Return how stored passages compare with a question vector; absent ids are left out."""
        found = []
        for part in self.chroma.parts(ids):
            got = self.chroma.call(
                self._passages.get,
                ids=list(part),
                include=["documents", "metadatas", "embeddings"],
            )
            rows = zip(
                got["ids"], got["documents"], got["metadatas"], got["embeddings"], strict=True
            )
            found += [
                Likeness(_passage(i, text, meta), float(vector @ v), _part_cosines(vector, meta))
                for i, text, meta, v in rows
            ]
        return found

    def nearest(
        self, vector: Vectors, limit: int, filters: Filters | None = None
    ) -> list[Likeness]:
        """Return up to `limit` passages nearest to a question vector of shape (dimension,).

        By the vectors of the whole passages, best first. Stale versions may be
        among them: the caller knows which are current.
        """
        got = self.chroma.call(
            self._passages.query,
            query_embeddings=[vector],
            n_results=min(limit, self.chroma.most),
            where=_where(filters) if filters else None,
            include=["documents", "metadatas", "distances"],
        )
        rows = zip(
            got["ids"][0], got["documents"][0], got["metadatas"][0], got["distances"][0],
            strict=True,
        )  # fmt: skip
        return [
            Likeness(_passage(i, text, meta), 1.0 - float(d), _part_cosines(vector, meta))
            for i, text, meta, d in rows
        ]

    def count(self) -> int:
        """Return the number of stored passages, stale ones included."""
        return int(self.chroma.call(self._passages.count))

    def copy_to(self, chroma: Chroma) -> Iterator[int]:
        """Copy the current versions into an empty store; yield how many articles are done."""
        other = Store(chroma, self._embedding)
        done = 0
        for page in self.chroma.pages(self._articles, include=["metadatas", "embeddings"]):
            records = list(map(_record, page["ids"], page["metadatas"]))
            for some in batched(records, _COPIED_ARTICLES):
                ids = [i for r in some for i in r.passage_ids()]
                # Small calls: Chroma keeps what it has not indexed yet, and never gives it back.
                for part in batched(ids, _COPIED_PASSAGES):
                    got = self.chroma.call(
                        self._passages.get,
                        ids=list(part),
                        include=["documents", "metadatas", "embeddings"],
                    )
                    if got["ids"]:
                        chroma.call(other._passages.upsert, **{k: got[k] for k in _COPIED})
                done += len(some)
                yield done
            chroma.call(
                other._articles.upsert,
                ids=page["ids"], metadatas=page["metadatas"], embeddings=page["embeddings"],
            )  # fmt: skip


_COPIED_ARTICLES = 100
_COPIED_PASSAGES = 200
_COPIED = ("ids", "documents", "metadatas", "embeddings")


def _where(filters: Filters) -> dict[str, Any]:
    clauses: list[dict[str, Any]] = []
    for key, values in (
        ("source", filters.sources),
        ("author", filters.authors),
        ("section", filters.sections),
    ):
        if values:
            clauses.append({key: {"$in": list(values)}})
    if filters.since:
        clauses.append({"day": {"$gte": filters.since.toordinal()}})
    if filters.until:
        clauses.append({"day": {"$lte": filters.until.toordinal()}})
        clauses.append({"day": {"$gte": 1}})
    return clauses[0] if len(clauses) == 1 else {"$and": clauses}


def _filler(article_id: str) -> list[float]:
    """Return a small vector for a record that is never searched by likeness.

    Distinct for distinct ids: thousands of equal vectors make a slow graph.
    """
    digest = hashlib.blake2b(article_id.encode(), digest_size=4).digest()
    return [byte / 255 + 0.01 for byte in digest]


def _source_metadata(source: Source) -> dict[str, str | int | bool]:
    return {
        "title": source.title,
        "source": source.name,
        "author": source.author,
        "section": source.section,
        "url": source.url,
        "day": source.day,
        "correction": source.correction,
    }


def _record_metadata(record: ArticleRecord) -> dict[str, str | int | bool]:
    return {
        **_source_metadata(record.source),
        "fingerprint": record.fingerprint,
        "passages": record.passages,
        "characters": record.characters,
        "path": record.path,
        "generation": record.generation,
    }


def _record(article_id: str, meta: Any) -> ArticleRecord:
    return ArticleRecord(
        id=article_id,
        fingerprint=meta["fingerprint"],
        source=Source(
            title=meta["title"],
            name=meta["source"],
            author=meta["author"],
            published=date.fromordinal(meta["day"]) if meta["day"] else None,
            url=meta["url"],
            section=meta["section"],
            correction=meta.get("correction", False),  # absent from the first indexes
        ),
        passages=meta["passages"],
        characters=meta["characters"],
        path=meta["path"],
        generation=meta.get("generation", ""),
    )


def _passage_metadata(passage: Passage, source: Source) -> dict[str, str | int]:
    return {
        "article_id": passage.article_id,
        "index": passage.index,
        "start": passage.start,
        "end": passage.end,
        "heading": passage.heading,
        "source": source.name,
        "author": source.author,
        "section": source.section,
        "day": source.day,
    }


def _packed(vectors: Vectors) -> dict[str, str]:
    """Return unit vectors as metadata: 8 bits a number, each vector scaled to its largest.

    They live in the passage's own record, so that they come and go with it
    (I2) and a second graph over several times as many vectors is spared.
    Rounding moves a cosine by less than 0.002. Vectors that would not fit
    within what a record may hold are left out.
    """
    import numpy as np

    scaled = vectors / np.abs(vectors).max(axis=1, keepdims=True)
    packed = base64.b64encode(np.rint(127 * scaled).astype(np.int8).tobytes()).decode("ascii")
    if len(packed) > _MOST_PARTS * _VALUE:
        return {}
    cuts = range(0, len(packed), _VALUE)
    return {_part_key(n): packed[at : at + _VALUE] for n, at in enumerate(cuts)}


def _part_key(number: int) -> str:
    return f"parts{number or ''}"


def _part_cosines(vector: Vectors, metadata: Any) -> tuple[float, ...]:
    keys = iter(map(_part_key, range(_MOST_PARTS)))
    packed = "".join(value for k in keys if (value := metadata.get(k)))
    if not packed:
        return ()
    import numpy as np

    numbers = np.frombuffer(base64.b64decode(packed), dtype=np.int8)
    found = numbers.reshape(-1, len(vector)).astype(np.float32)
    cosines = (found @ vector) / np.linalg.norm(found, axis=1)
    return tuple(float(c) for c in cosines)


def _passage(passage_id: str, text: str, meta: Any) -> Passage:
    return Passage(
        id=passage_id,
        article_id=meta["article_id"],
        index=meta["index"],
        start=meta["start"],
        end=meta["end"],
        text=text,
        heading=meta["heading"],
    )
