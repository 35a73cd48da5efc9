"""Proof that nothing of an article's text remains in the folder of an index.

The files are looked through, byte by byte, for each sentence of the article, in the encodings
that the parts of an index write: UTF-8, UTF-16, JSON with escapes; and what is packed in them too:
the compressed cells of SQLite files, Parquet, gzip and ZIP. What other articles say too (a wire
story printed twice) is told apart.
"""

from __future__ import annotations

import gzip
import json
import logging
import mmap
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from rag.domain import StoredArticle
from rag.french.sentences import sentence_spans

log = logging.getLogger(__name__)

MEMORY = "data_level0.bin"  # of hnswlib, see `blank`
_PIECE_BYTES = 64 * 1024 * 1024  # bytes of a packed file that are looked through at a time
_SHORTEST_SENTENCE = 20  # characters of a sentence below which it may be anybody's
_LONGEST_SENTENCE = 200  # of a sentence that are looked for: a part of it is as telling


def sentences_of(articles: Iterable[StoredArticle]) -> list[str]:
    """Return what is looked for of articles: their sentences and titles, none twice."""
    found: dict[str, None] = {}
    for article in articles:
        text = article.text
        spans = [text[a:b].strip() for a, b in sentence_spans(text)]
        long = [s for s in (article.record.source.title, *spans) if len(s) >= _SHORTEST_SENTENCE]
        # Of a text of short sentences, its beginning as it is written.
        for sentence in long or [text.strip() or article.record.source.title]:
            found[sentence[:_LONGEST_SENTENCE]] = None
    return list(found)


def byte_forms(sentence: str) -> set[bytes]:
    """Return a sentence as the files of an index may write it."""
    return {
        sentence.encode(errors="replace"),
        sentence.encode("utf-16-le", "replace"),
        json.dumps(sentence)[1:-1].encode(),
    }


def files_of(folder: Path) -> list[Path]:
    """Return all files under a folder."""
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def remaining(files: Sequence[Path], sentences: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """Yield each file and sentence of which something remains in it."""
    wanted = [(sentence, byte_forms(sentence)) for sentence in sentences]
    for path in files:
        with path.open("rb") as file:
            if not path.stat().st_size:
                continue
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                matches = {s for s, forms in wanted if any(content.find(f) >= 0 for f in forms)}
        for piece in packed(path):
            matches |= {s for s, forms in wanted if any(form in piece for form in forms)}
        yield from ((path, sentence) for sentence in sentences if sentence in matches)


def packed(path: Path) -> Iterator[bytes]:
    """Yield what is compressed within a file, where its format is one that is known.

    Raises UnreadableError for a file of such a format that cannot be looked into.
    """
    with path.open("rb") as file:
        start = file.read(16)
    try:
        if start.startswith(b"SQLite format 3"):
            yield from _cells(path)
        elif start.startswith(b"PAR1"):
            yield from _columns(path)
        elif start.startswith(b"\x1f\x8b"):
            with gzip.open(path) as unpacked:
                yield from iter(lambda: unpacked.read(_PIECE_BYTES), b"")
        elif start.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(path) as archive:
                yield from (archive.read(name) for name in archive.namelist())
    except UnreadableError:
        raise
    except Exception as error:
        log.info("%s", path, exc_info=True)
        raise UnreadableError(path) from error


class UnreadableError(Exception):
    """A file in which an article may be cannot be looked into."""


def unreadable(files: Iterable[Path]) -> list[Path]:
    """Return the files that hold something packed and cannot be looked into."""
    found = []
    for path in files:
        try:
            for _ in packed(path):
                break
        except UnreadableError:
            found.append(path)
    return found


def _cells(path: Path) -> Iterator[bytes]:
    """Yield the compressed cells of a SQLite file, unpacked."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        base.text_factory = bytes
        tables = base.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (name,) in tables:
            table = name.decode().replace('"', '""')
            try:
                rows = base.execute(f'select * from "{table}"')  # noqa: S608 - a name of the file's
            except sqlite3.OperationalError:  # a virtual table of an extension; its pages are ours
                continue
            for row in rows:
                for cell in row:
                    if isinstance(cell, bytes) and cell[:1] == b"x":  # zlib's first byte
                        try:
                            yield zlib.decompress(cell)
                        except zlib.error:
                            continue


def _columns(path: Path) -> Iterator[bytes]:
    """Yield the texts of a Parquet file."""
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UnreadableError(path) from error
    with closing(pq.ParquetFile(path)) as table:
        for group in range(table.num_row_groups):
            for column in table.read_row_group(group).to_pydict().values():
                for value in column:
                    if isinstance(value, str | bytes):
                        yield value.encode(errors="replace") if isinstance(value, str) else value


def blank(path: Path, sentences: Sequence[str]) -> None:
    """Overwrite with zeros what remains of sentences in a file.

    For the vectors of Chroma (`MEMORY`): hnswlib writes the memory that it has set aside and not
    used yet, and with it whatever this process held there before. No vector looks like a sentence.
    """
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        for form in {form for sentence in sentences for form in byte_forms(sentence)}:
            while (at := content.find(form)) >= 0:
                content[at : at + len(form)] = bytes(len(form))
        content.flush()
