"""Articles and passages in Chroma: embedded, on a server, or in its cloud.

Two collections: `recoupe-articles` holds one record an article, and its
upsert is the switch between versions (I2); `recoupe-passages` holds the
passages and their vectors. Knows nothing of readers, words or answers.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from rag.domain import ArticleRecord, Filters, Passage, Source
from rag.errors import IndexMismatchError, StoreError

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

    from rag.embedding import Vectors
    from rag.settings import Settings

log = logging.getLogger(__name__)
T = TypeVar("T")

ARTICLES = "recoupe-articles"
PASSAGES = "recoupe-passages"
_BATCH = 5000  # Chroma refuses more than 5,461 records in one call
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

    def __init__(self, client: ClientAPI, embedding: str) -> None:
        """Open or make the collections.

        Raises IndexMismatchError when the passages were embedded by another
        model than `embedding`, StoreError when Chroma fails.
        """
        about = {"embedding": embedding}
        try:
            self._articles = client.get_or_create_collection(ARTICLES, embedding_function=None)
            self._passages = client.get_or_create_collection(
                PASSAGES,
                embedding_function=None,
                metadata=about,
                configuration={"hnsw": _HNSW},  # type: ignore[arg-type]
            )
        except Exception as error:  # Chroma's own errors share no base
            raise StoreError(
                f"L'index ne s'ouvre pas ({error}) : lancez « recoupe doctor »."
            ) from error
        made_by = (self._passages.metadata or {}).get("embedding", embedding)
        if made_by != embedding:
            raise IndexMismatchError(
                f"L'index a été fait avec le modèle « {made_by} » et non « {embedding} » : "
                f"remettez RECOUPE_EMBEDDING={made_by}, ou indexez dans un autre dossier "
                "(RECOUPE_INDEX_DIR)."
            )

    def records(self) -> dict[str, ArticleRecord]:
        """Return the record of every article, by id."""
        found = self._articles.get(include=["metadatas"])
        metadatas = found["metadatas"] or []
        return {i: _record(i, m) for i, m in zip(found["ids"], metadatas, strict=True)}

    def put_records(self, records: Sequence[ArticleRecord]) -> None:
        """Make these versions the current ones: the switch of I2."""
        for part in _parts(records):
            self._articles.upsert(
                ids=[r.id for r in part],
                embeddings=[_filler(r.id) for r in part],  # type: ignore[arg-type]
                metadatas=[_record_metadata(r) for r in part],
            )

    def delete_records(self, ids: Sequence[str]) -> None:
        """Make these articles absent; their passages are swept by `delete_passages`."""
        for part in _parts(ids):
            self._articles.delete(ids=list(part))

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
                metadata["parts"] = _packed(part_vectors)
        for at in range(0, len(passages), _BATCH):
            part = slice(at, at + _BATCH)
            self._passages.upsert(
                ids=[p.id for p in passages[part]],
                documents=[p.text for p in passages[part]],
                metadatas=metadatas[part],  # type: ignore[arg-type]
                embeddings=vectors[part],
            )

    def delete_passages(self, ids: Sequence[str]) -> None:
        """Delete passages by id; ids that are absent are ignored."""
        for part in _parts(ids):
            self._passages.delete(ids=list(part))

    def passage_ids(self) -> set[str]:
        """Return the ids of all stored passages, of current versions and others."""
        found: set[str] = set()
        while page := self._passages.get(include=[], limit=50_000, offset=len(found))["ids"]:
            found.update(page)
        return found

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Return stored passages by id; absent ids are left out."""
        found: dict[str, Passage] = {}
        for part in _parts(ids):
            got = self._passages.get(ids=list(part), include=["documents", "metadatas"])
            rows = zip(got["ids"], got["documents"] or [], got["metadatas"] or [], strict=True)
            found |= {i: _passage(i, text, meta) for i, text, meta in rows}
        return found

    def likened(self, vector: Vectors, ids: Sequence[str]) -> list[Likeness]:
        """Return how stored passages compare with a question vector; absent ids are left out."""
        if not ids:
            return []
        got = self._passages.get(ids=list(ids), include=["documents", "metadatas", "embeddings"])
        embeddings = got["embeddings"]
        rows = zip(
            got["ids"],
            got["documents"] or [],
            got["metadatas"] or [],
            [] if embeddings is None else embeddings,
            strict=True,
        )
        return [
            Likeness(_passage(i, text, meta), float(vector @ v), _part_cosines(vector, meta))
            for i, text, meta, v in rows
        ]

    def nearest(
        self, vector: Vectors, limit: int, filters: Filters | None = None
    ) -> list[Likeness]:
        """Return up to `limit` passages nearest to a question vector of shape (dimension,).

        By the vectors of the whole passages, best first. Stale versions may be
        among them: the caller knows which are current.
        """
        got = self._passages.query(
            query_embeddings=[vector],  # type: ignore[arg-type]
            n_results=limit,
            where=_where(filters) if filters else None,
            include=["documents", "metadatas", "distances"],
        )
        rows = zip(
            got["ids"][0],
            (got["documents"] or [[]])[0],
            (got["metadatas"] or [[]])[0],
            (got["distances"] or [[]])[0],
            strict=True,
        )
        return [
            Likeness(_passage(i, text, meta), 1.0 - float(d), _part_cosines(vector, meta))
            for i, text, meta, d in rows
        ]

    def count(self) -> int:
        """Return the number of stored passages, stale ones included."""
        return int(self._passages.count())


def connect(settings: Settings) -> ClientAPI:
    """Return the Chroma client that the settings name, telemetry off.

    Raises StoreError when the server does not answer or the folder cannot be
    used.
    """
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    quiet = ChromaSettings(anonymized_telemetry=False)
    try:
        if settings.chroma_url:
            url = urlsplit(settings.chroma_url)
            return chromadb.HttpClient(
                host=url.hostname or "localhost",
                port=url.port or (443 if url.scheme == "https" else 8000),
                ssl=url.scheme == "https",
                settings=quiet,
            )
        folder = settings.index_dir / "chroma"
        folder.mkdir(parents=True, exist_ok=True)
        return chromadb.PersistentClient(path=str(folder), settings=quiet)
    except Exception as error:  # Chroma's own errors share no base
        where = settings.chroma_url or settings.index_dir
        raise StoreError(
            f"L'index {where} ne s'ouvre pas ({error}) : vérifiez RECOUPE_INDEX_DIR et "
            "RECOUPE_CHROMA_URL, puis lancez « recoupe doctor »."
        ) from error


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut what goes to Chroma into calls that it takes."""
    for at in range(0, len(items), _BATCH):
        yield items[at : at + _BATCH]


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


def _packed(vectors: Vectors) -> str:
    """Return unit vectors as text: 8 bits a number, each vector scaled to its largest.

    They live in the passage's own record, so that they come and go with it
    (I2) and a second graph over several times as many vectors is spared.
    Rounding moves a cosine by less than 0.002.
    """
    import numpy as np

    scaled = vectors / np.abs(vectors).max(axis=1, keepdims=True)
    return base64.b64encode(np.rint(127 * scaled).astype(np.int8).tobytes()).decode("ascii")


def _part_cosines(vector: Vectors, metadata: Any) -> tuple[float, ...]:
    packed = metadata.get("parts")
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
