"""Articles as files for other programs, and back: JSON Lines, and Parquet with their vectors.

`articles.jsonl` has an article a line, with all that Recoupe knows of it but what it can make
again; `passages.parquet` the passages with their vectors, for whoever analyses them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rag import __version__
from rag.domain import EDITABLE, Article, Failure, Found, StoredArticle
from rag.errors import ReadError, StoreError
from rag.indexing.chroma import paged
from rag.indexing.index import Index, Progress
from rag.readers.draft import source_of

if TYPE_CHECKING:
    import pyarrow as pa

ARTICLES, PASSAGES, ABOUT = "articles.jsonl", "passages.parquet", "export.json"
_GROUP = 200  # articles in memory at a time


class ArticleRow(BaseModel):
    """An article of `articles.jsonl`; spans are `[start, end)` in code points of `text`."""

    model_config = ConfigDict(extra="ignore")

    article_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")
    title: str
    text: str
    source: str = ""
    author: str = ""
    published: date | None = None
    url: str = ""
    section: str = ""
    correction: bool = False
    modified: date | None = None
    deduced: bool = False
    paywalled: bool = False
    withdrawn: date | None = None
    edits: dict[str, str] = {}
    path: str = ""
    headings: list[tuple[int, int]] = []
    pages: list[tuple[int, str]] = []

    @classmethod
    def of(cls, stored: StoredArticle) -> ArticleRow:
        """Make it of a stored article."""
        record, source, article = stored.record, stored.record.source, stored.article
        return cls(
            article_id=record.id,
            title=source.title,
            text=article.text,
            source=source.name,
            author=source.author,
            published=source.published,
            url=source.url,
            section=source.section,
            correction=source.correction,
            modified=source.modified,
            deduced=source.deduced,
            paywalled=source.paywalled,
            withdrawn=record.withdrawn,
            edits=dict(record.edits),
            path=record.path,
            headings=list(article.headings),
            pages=list(article.pages),
        )

    def article(self) -> Article:
        """Return the article."""
        told = {"title": self.title, "name": self.source, "author": self.author,
                "url": self.url, "section": self.section}  # fmt: skip
        source = replace(
            source_of(told, self.article_id), published=self.published, deduced=self.deduced,
            modified=self.modified, correction=self.correction, paywalled=self.paywalled,
        )  # fmt: skip
        length = len(self.text)
        headings = tuple((a, b) for a, b in self.headings if 0 <= a < b <= length)
        pages = tuple((at, page) for at, page in self.pages if 0 <= at < length)
        return Article(self.article_id, source, self.text, headings, self.path, pages)


def export(index: Index, folder: Path, progress: Progress = lambda _done, _all: None) -> list[str]:
    """Write all articles into a folder; return the names of the files.

    Without the package `pyarrow` there is no Parquet. Raises StoreError where the folder
    cannot be written.
    """
    written = [ARTICLES, ABOUT]
    total, done = index.articles(), 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ARTICLES).open("w", encoding="utf-8") as lines, _Parquet(folder) as table:
            for some in paged(index.records(), _GROUP):
                stored = index.whole(some)
                for article in stored:
                    row = ArticleRow.of(article).model_dump_json()
                    lines.write(row + "\n")
                table.write(index, stored)
                done += len(some)
                progress(done, total)
            if table.possible:
                written.insert(1, PASSAGES)
        about = {"recoupe": __version__, "embedding": index.embedder.name, "articles": done}
        (folder / ABOUT).write_text(json.dumps(about) + "\n", "utf-8")
    except OSError as error:
        raise StoreError(
            f"Le dossier {folder} ne peut pas être écrit ({error.strerror}) : donnez-en un autre."
        ) from error
    return written


class _Parquet:
    """The table of passages; nothing where `pyarrow` is not installed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / PASSAGES
        self._writer: Any = None
        try:
            import pyarrow.parquet  # noqa: F401 - to know whether it is there
        except ImportError:
            self.possible = False
        else:
            self.possible = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, index: Index, articles: Sequence[StoredArticle]) -> None:
        """Add the passages of some articles."""
        if not self.possible or not articles:
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        passages = [p for a in articles for p in a.passages]
        vectors = index.store.vectors([p.id for p in passages])
        passages = [p for p in passages if p.id in vectors]
        rows = {
            "article_id": [p.article_id for p in passages],
            "index": [p.index for p in passages],
            "start": [p.start for p in passages],
            "end": [p.end for p in passages],
            "heading": [p.heading for p in passages],
            "text": [p.text for p in passages],
            "vector": pa.array([vectors[p.id].tolist() for p in passages], pa.list_(pa.float32())),
        }
        table: pa.Table = pa.table(rows)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)


def imported(folder: Path, after: dict[str, ArticleRow]) -> Iterator[Found]:
    """Yield the articles of an export; a bad line is a failure, by its number.

    `after` takes, by id, the rows of which more is to be said once they are in the index.
    Raises ReadError where there is no export.
    """
    path = folder / ARTICLES
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    row = ArticleRow.model_validate_json(line)
                    article = row.article()
                except (ValidationError, ValueError):
                    yield Failure(f"{path}#{number}", "ligne abîmée, ou d'un autre format")
                    continue
                if not row.text.strip() or not row.article_id:
                    yield Failure(f"{path}#{number}", "article sans texte ou sans identifiant")
                    continue
                if row.withdrawn or row.edits:
                    after[row.article_id] = row.model_copy(update={"text": ""})
                yield article
    except OSError as error:
        raise ReadError(f"il n'y a pas d'export dans {folder} (attendu : {ARTICLES})") from error


def said_after(
    rows: Mapping[str, ArticleRow],
) -> tuple[dict[str, date | None], dict[str, dict[str, str]]]:
    """Return what is said of imported articles: withdrawn when, and a keeper's edits."""
    days: dict[str, date | None] = {i: r.withdrawn for i, r in rows.items() if r.withdrawn}
    edits = {
        i: {field: value for field, value in r.edits.items() if field in EDITABLE}
        for i, r in rows.items()
        if r.edits
    }
    return days, edits
