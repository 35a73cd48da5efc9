"""Articles as files for other programs, and back: JSON Lines, and Parquet with their vectors.

`articles.jsonl` has an article a line, with all that Recoupe knows of it but what it can make
again, and `history.jsonl` a line for each version that was replaced; `passages.parquet` has the
passages with their vectors, for whoever analyses them, and for an import to take them back.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self
from uuid import uuid4

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    TypeAdapter,
    ValidationError,
    model_serializer,
    model_validator,
)

from rag import messages
from rag.domain import (
    EDITABLE,
    WITHHELD,
    Article,
    Failure,
    Found,
    IngestReport,
    Source,
    StoredArticle,
    Version,
)
from rag.errors import ReadError, StoreError, why
from rag.indexing.batches import paged
from rag.indexing.edits import DEDUCED, WAS_PREFIX, Edits
from rag.indexing.index import Index, Progress
from rag.indexing.understanding import MadeVectors
from rag.readers.draft import checked_edits, source_of
from rag.version import VERSION

if TYPE_CHECKING:
    import pyarrow as pa

    from rag.indexing.understanding import Embedded
    from rag.models.embedding import Vectors

log = logging.getLogger(__name__)

ARTICLES, HISTORY, PASSAGES = "articles.jsonl", "history.jsonl", "passages.parquet"
ABOUT = "export.json"
_GROUP_ARTICLES = 200  # articles in memory at a time
_GROUPS_IN_MEMORY = 4  # groups of vectors in memory at a time
_UNIT_TOLERANCE = 1e-2  # by which the norm of a vector may differ from 1
_SAME_COSINE = 0.99  # cosine of two vectors of one text by one model, on machines that round apart
_VERSION = TypeAdapter(Version)


# The fields of a source by their names in a row.
_OF_SOURCE = {"source" if f.name == "name" else f.name: f.name for f in fields(Source)}
_TYPED = ("title", "name", "author", "url", "section")  # by people: cut to what a store takes


class ArticleRow(BaseModel):
    """An article of `articles.jsonl`; spans are `[start, end)` in code points of `text`.

    The fields of its source stand in the row beside the others, `name` as `source`.
    """

    model_config = ConfigDict(extra="ignore")

    article_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")
    origin: Source
    text: str
    withdrawn: date | None = None
    edits: dict[str, str] = {}
    path: str = ""
    headings: list[tuple[int, int]] = []
    pages: list[tuple[int, Annotated[str, Field(pattern=r"^\S{1,20}$")]]] = []

    @model_validator(mode="before")
    @classmethod
    def _gathered(cls, row: Any) -> Any:
        """Gather the fields of the source, where they stand in the row."""
        if not isinstance(row, dict) or "origin" in row:
            return row
        origin = {field: row[key] for key, field in _OF_SOURCE.items() if key in row}
        return {k: v for k, v in row.items() if k not in _OF_SOURCE} | {"origin": origin}

    @model_serializer(mode="wrap")
    def _spread(self, made: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Put the fields of the source beside the others."""
        row: dict[str, Any] = made(self)
        origin = row.pop("origin")
        return {key: origin[field] for key, field in _OF_SOURCE.items()} | row

    @classmethod
    def of(cls, stored: StoredArticle) -> ArticleRow:
        """Make it of a stored article."""
        record, article = stored.record, stored.article
        return cls(
            article_id=record.id,
            origin=record.source,
            text=article.text,
            withdrawn=record.withdrawn,
            edits=dict(record.edits),
            path=record.path,
            headings=list(article.headings),
            pages=list(article.pages),
        )

    def article(self) -> Article:
        """Return the article. Raises ReadError for edits that cannot be."""
        typed = {field: getattr(self.origin, field) for field in _TYPED}
        bounded = source_of(typed, self.article_id)
        source = replace(self.origin, **{field: getattr(bounded, field) for field in _TYPED})
        length = len(self.text)
        headings = tuple((a, b) for a, b in self.headings if 0 <= a < b <= length)
        pages = tuple((at, page) for at, page in self.pages if 0 <= at < length)
        return Article(
            self.article_id, source, self.text, headings, self.path, pages, self.withdrawn,
            _checked(self.edits),
        )  # fmt: skip


def export(index: Index, folder: Path, progress: Progress = lambda _done, _all: None) -> list[str]:
    """Write all articles into a folder; return the names of the files.

    Without the package `pyarrow` there is no Parquet. Raises StoreError where the folder
    cannot be written.
    """
    total, done = index.articles(), 0
    draft = folder / f".{uuid4().hex}.partiel"
    try:
        draft.mkdir(parents=True)
        with (
            (draft / ARTICLES).open("w", encoding="utf-8") as lines,
            (draft / HISTORY).open("wb") as past,
            _Parquet(draft) as table,
        ):
            for some in paged(index.records(), _GROUP_ARTICLES):
                stored = index.whole(some)
                for article in stored:
                    lines.write(ArticleRow.of(article).model_dump_json() + "\n")
                    for version in index.history.of(article.record):
                        past.write(_VERSION.dump_json(version) + b"\n")
                table.write(index, stored)
                done += len(some)
                progress(done, total)
        about = {"recoupe": VERSION, "embedding": index.embedder.name, "articles": done}
        (draft / ABOUT).write_text(json.dumps(about) + "\n", "utf-8")
        # An export that was there stays whole until this one is.
        names = [n for n in (ARTICLES, HISTORY, PASSAGES, ABOUT) if (draft / n).exists()]
        for name in (ARTICLES, HISTORY, PASSAGES, ABOUT):
            if name in names:
                (draft / name).replace(folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(messages.FOLDER_NOT_WRITTEN.format(folder, why(error))) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return names


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
        contents = index.catalogue.contents([p.id for p in passages])
        cached = index.catalogue.cached([p.id for p in passages])
        rows = {
            "article_id": [p.article_id for p in passages],
            "index": [p.index for p in passages],
            "start": [p.start for p in passages],
            "end": [p.end for p in passages],
            "heading": [p.heading for p in passages],
            "text": [p.text for p in passages],
            "vector": pa.array([vectors[p.id].tolist() for p in passages], pa.list_(pa.float32())),
            # What they are of, and those of sentences in 8 bits: for an import.
            "content": pa.array([contents.get(p.id, b"") for p in passages], pa.binary()),
            "sentences": pa.array(
                [
                    [s.vector for s in cached[p.id].sentences] if p.id in cached else []
                    for p in passages
                ],
                pa.list_(pa.binary()),
            ),
        }
        table: pa.Table = pa.table(rows)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)


def imported(folder: Path) -> Iterator[Found]:
    """Yield the articles of an export; a bad line is a failure, by its number.

    Raises ReadError where there is no export.
    """
    path = folder / ARTICLES
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    row = ArticleRow.model_validate_json(line)
                    article, refused = _of_row(row)
                except (ValidationError, ValueError):
                    yield Failure(f"{path}#{number}", messages.BAD_EXPORT_LINE)
                    continue
                if refused:
                    yield Failure(f"{path}#{number}", refused)
                if not row.text.strip() or not row.article_id:
                    yield Failure(f"{path}#{number}", messages.INCOMPLETE_EXPORT_LINE)
                    continue
                yield article
    except OSError as error:
        raise ReadError(messages.NO_EXPORT.format(folder, ARTICLES)) from error


def _checked(edits: Mapping[str, str]) -> Edits:
    """Return the edits of a row, those that are none left out. Raises ReadError for bad values."""
    own = {k: v for k, v in edits.items() if k in {*EDITABLE, WITHHELD}}
    was = {k.removeprefix(WAS_PREFIX): v for k, v in edits.items() if k.startswith(WAS_PREFIX)}
    deduced = {DEDUCED: "1"} if was.pop(DEDUCED.removeprefix(WAS_PREFIX), "") else {}
    originals = checked_edits({k: v for k, v in was.items() if k in own})
    undo = {f"{WAS_PREFIX}{k}": v for k, v in originals.items()}
    return tuple(sorted((checked_edits(own) | undo | deduced).items()))


def _of_row(row: ArticleRow) -> tuple[Article, str]:
    """Return an article, and why it is without the edits that its row tells, or ""."""
    try:
        return row.article(), ""
    except ReadError as error:
        return row.model_copy(update={"edits": {}}).article(), str(error)


def past(folder: Path, failed: list[Failure]) -> Iterator[Version]:
    """Yield the replaced versions of an export; a bad line is a failure, by its number."""
    path = folder / HISTORY
    if not path.exists():
        return
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    version = _VERSION.validate_json(line)
                    datetime.fromisoformat(version.replaced)
                except (ValidationError, ValueError):
                    failed.append(Failure(f"{path}#{number}", messages.BAD_EXPORT_LINE))
                else:
                    yield version
    except OSError:
        log.info("%s", path, exc_info=True)
        failed.append(Failure(str(path), messages.FILE_NOT_READ))


class ExportedVectors:
    """The vectors of an export, by what they are of: those of a passage and of its sentences.

    None where the export has none, or another model made them. They lie in the file in the
    order of its articles: a few groups of them are in memory at a time.
    """

    def __init__(self, folder: Path, index: Index) -> None:
        """Look where each vector lies; `index` is where they are to go."""
        self._places: dict[bytes, int] = {}
        self._groups: dict[int, Embedded] = {}
        self._table: Any = None
        self._made = index.embedded_before
        self._tried: Embedded | None = None
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError:
            return
        try:
            about = json.loads((folder / ABOUT).read_text("utf-8"))
            if about["embedding"] != index.embedder.name:
                return
            self._table = pq.ParquetFile(folder / PASSAGES)
            for group in range(self._table.num_row_groups):
                found = self._table.read_row_group(group, columns=["content"])
                self._places |= {c: group for c in found["content"].to_pylist() if c}
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
            log.info("vecteurs de l'export illisibles", exc_info=True)
            self._places = {}

    def __call__(self, contents: Sequence[bytes]) -> Embedded:
        """Return the vectors that there are, by content; none of the first asked for.

        Those are made again, and looked at when others are asked for: vectors that are not what
        the model makes are of no use.
        """
        found = {
            c: vectors
            for c in contents
            if c in self._places and (vectors := self._group(self._places[c]).get(c))
        }
        if self._tried is None and found:
            self._tried = found
            return {}
        if self._tried:
            made = self._made(list(self._tried))
            if not all(_same(made[c].vector, self._tried[c].vector) for c in made):
                log.warning("les vecteurs de l'export ne sont pas ceux du modèle : refaits")
                self._places = {}
                return {}
            self._tried = {}
        return found

    def _group(self, number: int) -> Embedded:
        import numpy as np

        if number in self._groups:
            return self._groups[number]
        while len(self._groups) >= _GROUPS_IN_MEMORY:
            del self._groups[next(iter(self._groups))]
        try:
            rows = self._table.read_row_group(number, columns=["content", "vector", "sentences"])
            columns = (rows[name].to_pylist() for name in ("content", "vector", "sentences"))
            found: Embedded = {
                content: MadeVectors(np.array(vector, dtype=np.float32), sentences)
                for content, vector, sentences in zip(*columns, strict=True)
                if content and _are_vectors(vector, sentences)
            }
        except Exception:  # whatever a damaged table makes the library raise
            log.warning("vecteurs de l'export illisibles : refaits", exc_info=True)
            found = {}
        self._groups[number] = found
        return found


def _same(one: Vectors, other: Vectors) -> bool:
    return len(one) == len(other) and float(one @ other) > _SAME_COSINE


def _are_vectors(vector: Any, sentences: Any) -> bool:
    """Tell whether a row has a vector of norm 1, and those of sentences, a byte a number."""
    size = len(vector or ())
    whole = all(isinstance(part, bytes) and len(part) == size for part in sentences or ())
    return (
        size > 0
        and whole
        and sentences is not None
        and abs(math.hypot(*vector) - 1) < _UNIT_TOLERANCE
    )


def import_from(
    index: Index,
    folder: Path,
    ingested: Callable[[Iterable[Found], ExportedVectors], IngestReport],
) -> IngestReport:
    """Index an export: articles, with their vectors where they serve, and their past.

    `ingested` is how the caller changes the index. Raises ReadError where there is no export.
    """
    report = ingested(imported(folder), ExportedVectors(folder, index))
    failed: list[Failure] = []
    for some in paged(past(folder, failed), _GROUP_ARTICLES):
        existing = index.records_of(version.article_id for version in some)
        index.history.restore(v for v in some if v.article_id in existing)
    return replace(report, failed=(*report.failed, *failed))
