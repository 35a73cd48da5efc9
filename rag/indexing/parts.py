"""What an open index is made of: the store, the words, the catalogue, the history, what changes.

Whoever reads, writes, follows or rebuilds the index holds the same parts: a store that takes the
place of another is there for all of them at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rag.domain import ArticleRecord, Passage, Source, version_of
from rag.indexing.catalogue import Catalogue, Row
from rag.indexing.changes import ChangeLog, Positions
from rag.indexing.copies import signature
from rag.indexing.history import History
from rag.indexing.keyword_index import KeywordIndex
from rag.indexing.store import Store
from rag.models.packing import pack

if TYPE_CHECKING:
    from rag.models.embedding import Embedder

Progress = Callable[[int, int], None]
"""Called with (articles done, articles to do, as far as is known)."""


def silent(_done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass
class Parts:
    """The parts of one index in one process.

    `lock` lets one thread change them at a time; `closing` refuses what would begin; an index is
    `retired` once another has taken its place.
    """

    store: Store
    lexical: KeywordIndex
    catalogue: Catalogue
    history: History
    embedder: Embedder
    folder: Path
    changes: ChangeLog
    positions: Positions | None
    lock: threading.RLock = field(default_factory=threading.RLock)
    closing: threading.Event = field(default_factory=threading.Event)
    retired: bool = False

    def passages_of(self, records: Sequence[ArticleRecord]) -> list[tuple[Passage, Source]]:
        """Return the stored passages of some records, with their sources, in order."""
        found = self.store.passages([i for r in records for i in r.passage_ids()])
        return [(found[i], r.source) for r in records for i in r.passage_ids() if i in found]

    def put_in_catalogue(self, records: Sequence[ArticleRecord]) -> None:
        """Put records in the catalogue, and the vectors of passages of which it has nothing."""
        lacking = self.catalogue.lacking([i for r in records for i in r.passage_ids()])
        vectors = self.store.vectors(lacking)
        packed = pack(list(vectors.values()))
        self.catalogue.put(records, [Row(i, b"", v) for i, v in zip(vectors, packed, strict=True)])

    def sign(self, articles: Iterable[tuple[str, Sequence[Passage]]]) -> None:
        """Find the copies of articles, whose passages are given in order."""
        self.catalogue.sign((i, signature("".join(p.text for p in ps))) for i, ps in articles)

    def sign_passages(self, passages: Iterable[tuple[Passage, Source]]) -> None:
        """Find the copies of articles by their passages; those of one come together."""
        grouped = groupby((p for p, _ in passages), key=lambda p: p.article_id)
        self.sign((article_id, list(some)) for article_id, some in grouped)


def of_versions(
    passages: Iterable[str], records_of: Callable[[Iterable[str]], dict[str, ArticleRecord]]
) -> dict[str, ArticleRecord]:
    """Return, for those of some passage ids that are of a present version, the record."""
    ids = {i: version_of(i) for i in passages}
    records = records_of(article_id for article_id, _ in ids.values())
    return {
        i: record
        for i, (article_id, version) in ids.items()
        if (record := records.get(article_id)) and record.version == version
    }


def files_of_sqlite(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the files of SQLite in some folders, in their order."""
    for folder in dict.fromkeys(folders):
        for file in sorted(folder.glob("*.sqlite*")):
            if file.suffix in {".sqlite", ".sqlite3"}:
                yield file


def size_of(folder: Path) -> int:
    """Return the size of a folder, in bytes."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
