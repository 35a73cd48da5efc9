"""The index: the store, the words and the records, kept in agreement.

Every change goes passages first, record last, sweep after (I2). A `dirty`
mark stands while a change is under way; an index opened with the mark still
there is swept and its lexical cache made again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from rag.domain import (
    ArticleRecord,
    Filters,
    Passage,
    Source,
    StoredArticle,
    passage_id,
    version_of,
)
from rag.errors import ArticleNotFoundError, StoreError
from rag.french import begins_with
from rag.lexical import LexicalIndex
from rag.scale import CosineScale
from rag.splitting import parts
from rag.store import Likeness, Store, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rag.embedding import Embedder, Vectors
    from rag.settings import Settings

log = logging.getLogger(__name__)


class Index:
    """An open index. One writer at a time; readers see whole versions only."""

    def __init__(self, store: Store, lexical: LexicalIndex, embedder: Embedder, folder: Path):
        """Take the parts; `open_index` makes them."""
        self.store = store
        self.lexical = lexical
        self.embedder = embedder
        self.scale = CosineScale(embedder, folder)
        self._dirty = folder / "dirty"
        self._writing = threading.RLock()
        self._records = store.records()
        # Searching and then answering ask for the same vector.
        self.question_vector = lru_cache(maxsize=32)(self._question_vector)
        if self._dirty.exists() or lexical.fresh:
            self._repair()

    @property
    def records(self) -> Mapping[str, ArticleRecord]:
        """The current record of each article, by id."""
        return self._records

    def _question_vector(self, question: str) -> Vectors:
        """Return the vector, of shape (dimension,), of a question. Raises EmbeddingError."""
        vector: Vectors = self.embedder.embed_questions([question])[0]
        return vector

    def is_current(self, a_passage_id: str) -> bool:
        """Tell whether a passage belongs to the current version of its article."""
        article_id, fingerprint = version_of(a_passage_id)
        record = self._records.get(article_id)
        return record is not None and record.fingerprint == fingerprint

    def article(self, article_id: str) -> StoredArticle:
        """Return an article, whole. Raises ArticleNotFoundError, or StoreError if damaged."""
        for _ in range(2):  # a version may be swept between the two reads: read again
            record = self._records.get(article_id)
            if record is None:
                raise ArticleNotFoundError(
                    f"Aucun article « {article_id} » : « recoupe list » donne les identifiants."
                )
            found = self.store.passages(record.passage_ids())
            if len(found) == record.passages:
                return StoredArticle(record, tuple(found[i] for i in record.passage_ids()))
        raise StoreError(
            f"L'article « {article_id} » est incomplet dans l'index : ré-ingérez son fichier, "
            "ou lancez « recoupe doctor »."
        )

    def nearest(
        self, vector: Vectors, limit: int, filters: Filters | None = None
    ) -> list[Likeness]:
        """Return current passages nearest to a vector, with their cosines, best first."""
        if not self._records:
            return []
        found = self.store.nearest(vector, limit, filters)
        return [n for n in found if self.is_current(n.passage.id)]

    def matching(
        self, question: str, limit: int, filters: Filters | None = None
    ) -> list[tuple[str, float]]:
        """Return current passage ids whose words match, with their BM25 score, best first."""
        found = self.lexical.search(question, limit, filters)
        return [(i, s) for i, s in found if self.is_current(i)]

    def write(
        self,
        versions: Sequence[tuple[ArticleRecord, Sequence[Passage]]],
        vectors: Vectors,
        parts: Sequence[Vectors] = (),
    ) -> None:
        """Make new versions current.

        `vectors` has one row a passage, in order; `parts` one array a passage,
        see `Store.put_passages`.
        """
        passages = [p for _, ps in versions for p in ps]
        sources = [record.source for record, ps in versions for _ in ps]
        with self._change():
            stale = [
                old
                for record, _ in versions
                if (old := self._records.get(record.id)) and old.fingerprint != record.fingerprint
            ]
            self.store.put_passages(passages, sources, vectors, parts)
            self.lexical.update(add=list(zip(passages, sources, strict=True)))
            self.store.put_records([record for record, _ in versions])
            self._records = self._records | {r.id: r for r, _ in versions}
            self._sweep(stale)

    def rename(self, records: Sequence[ArticleRecord]) -> None:
        """Replace records whose passages stay as they are (a file that moved)."""
        with self._change():
            self.store.put_records(records)
            self._records = self._records | {r.id: r for r in records}

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Remove articles; return the ids that were there."""
        with self._change():
            gone = [self._records[i] for i in dict.fromkeys(ids) if i in self._records]
            self.store.delete_records([r.id for r in gone])
            left = {r.id for r in gone}
            self._records = {i: r for i, r in self._records.items() if i not in left}
            self._sweep(gone)
        return [r.id for r in gone]

    def check(self) -> list[str]:
        """Return what is wrong, as French sentences; an empty list when all is whole."""
        problems = []
        stored = self.store.passage_ids()
        expected = self._expected()
        if missing := expected - stored:
            articles = sorted({version_of(i)[0] for i in missing})
            problems.append(
                f"{len(articles)} article(s) incomplet(s) à ré-ingérer : {', '.join(articles[:5])}."
            )
        if stale := stored - expected:
            problems.append(f"{len(stale)} passage(s) d'anciennes versions restent à balayer.")
        if (held := self.lexical.versions()) != len(expected):
            problems.append(f"L'index lexical tient {held} passages au lieu de {len(expected)}.")
        return problems

    def repair(self) -> None:
        """Sweep what no current version holds and make the lexical cache again."""
        with self._writing:
            self._repair()

    def _repair(self) -> None:
        stale = self.store.passage_ids() - self._expected()
        log.info("réparation de l'index : %d passages périmés", len(stale))
        self.store.delete_passages(sorted(stale))
        self.lexical.clear()
        records = list(self._records.values())
        for at in range(0, len(records), 200):
            part = records[at : at + 200]
            found = self.store.passages([i for r in part for i in r.passage_ids()])
            pairs = [(found[i], r.source) for r in part for i in r.passage_ids() if i in found]
            self.lexical.update(add=pairs)
        self.lexical.confirm()
        self._dirty.unlink(missing_ok=True)

    def _expected(self) -> set[str]:
        """Return the ids of the passages of all current versions."""
        return {i for r in self._records.values() for i in r.passage_ids()}

    def _sweep(self, records: Sequence[ArticleRecord]) -> None:
        if not records:  # a first ingestion has nothing to sweep: spare it a commit a batch
            return
        self.store.delete_passages([i for r in records for i in r.passage_ids()])
        self.lexical.update(drop=[(r.id, r.fingerprint) for r in records])

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Hold the pen; the mark stays when the change does not come to its end."""
        with self._writing:
            self._dirty.touch()
            yield
            self._dirty.unlink(missing_ok=True)


def open_index(settings: Settings, embedder: Embedder) -> Index:
    """Open the index that the settings name; the caller owns it (see `owner.py`)."""
    store = Store(connect(settings), embedder.name)
    lexical = LexicalIndex(settings.index_dir / "lexical")
    return Index(store, lexical, embedder, settings.index_dir)


def make_passages(
    article_id: str,
    fingerprint: str,
    text: str,
    spans: Sequence[tuple[int, int]],
    headings: Sequence[tuple[int, int]],
) -> list[Passage]:
    """Return the passages of an article's version; each bears the heading it stands under."""
    passages = []
    for index, (start, end) in enumerate(spans):
        above = [h for h in headings if h[0] < end and (h[0] <= start or h[0] - start < 3)]
        heading = text[above[-1][0] : above[-1][1]] if above else ""
        passages.append(
            Passage(
                id=passage_id(article_id, fingerprint, index),
                article_id=article_id,
                index=index,
                start=start,
                end=end,
                text=text[start:end],
                heading=heading,
            )
        )
    return passages


def embedded_text(passage: Passage, source: Source) -> str:
    """Return what is embedded for a passage: title, heading, passage.

    A title that the passage begins with (that of a text without one) is not said twice.
    """
    return titled(passage.headed, passage.text, source)


def embedded_parts(passage: Passage, source: Source) -> list[str]:
    """Return what is embedded for each of `splitting.parts`: title, then the part."""
    text = passage.text
    return [titled(text[a:b], text[a:b], source) for a, b in parts(text)]


def titled(text: str, begins: str, source: Source) -> str:
    """Return `text` under its article's title, unless `begins` begins with it."""
    if not source.title or begins_with(begins, source.title):
        return text
    return f"{source.title}\n{text}"
