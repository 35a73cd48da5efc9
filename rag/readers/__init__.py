"""Turn files and pages into articles.

A reader takes a file's bytes and yields drafts (metadata + blocks) or failures; the drafts
are cleaned, and each article gets an id that stays the same when its text changes. Reading
runs in processes of its own, in bounds of time and memory: whatever a file or an address
does is one failure, by name, and the others are read (`rag/sources` reads addresses so).
What is found comes as a stream, read a little ahead of who takes it: a corpus is never held
whole.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from rag.domain import Article, Failure, FileRead, Found
from rag.errors import ReadError
from rag.markup import printable

# By name: `messages` is a module of this package.
from rag.messages import LATE_FILE, LATE_TEXT, NO_TEXT, PATH_NOT_UTF8, SAME_ARTICLE
from rag.readers.articles import READERS, FileContents, article_id, read_bytes, to_article
from rag.readers.draft import Draft, source_of
from rag.readers.files import find_files, is_utf8, read_file
from rag.readers.isolation import Bounds, Outcome, Task, workers

__all__ = [
    "READERS",
    "Bounds",
    "article_id",
    "find_files",
    "read_bytes",
    "read_files",
    "read_text",
    "read_uploads",
    "workers",
]


def read_files(
    files: Iterable[Path],
    max_mb: int = 20,
    on_file: Callable[[Path], None] = lambda _: None,
    bounds: Bounds = Bounds(),  # noqa: B008 - frozen
) -> Iterator[Found]:
    """Read files into cleaned articles; what fails is reported, never raised.

    `on_file` is called when all that a file gave has been taken. Two inputs with one
    identity (same URL or id) are one article: the first is kept, the other is reported.
    """
    return _read(((p, str(p)) for p in files), _from_file, max_mb, on_file, bounds)


def read_uploads(
    files: Iterable[Path],
    max_mb: int = 20,
    bounds: Bounds = Bounds(),  # noqa: B008
) -> Iterator[Found]:
    """Read files that came by the web, as `read_files` does.

    Their articles say no path, and are told apart by what they say: two senders may give
    one name to two files.
    """
    return _read(((p, p.name) for p in files), _from_upload, max_mb, lambda _: None, bounds)


def read_text(
    text: str,
    suffix: str,
    name: str,
    fields: Mapping[str, str],
    bounds: Bounds = Bounds(),  # noqa: B008
) -> Article:
    """Read one article that a program sent; `fields` are its metadata, under our names.

    `suffix` says its format (`.txt`, `.html`); its id is made from `name`. Raises
    ReadError when it cannot be read.
    """
    data = text.encode(errors="replace")
    args = (data, suffix, name, dict(fields))
    late = LATE_TEXT.format(bounds.seconds)
    task = Task(_from_text, args, bounds.seconds, late)
    (outcome,) = workers.run([task], bounds.memory_mb)
    if outcome.reason:
        raise ReadError(outcome.reason)
    return outcome.articles[0]


def _read(
    files: Iterable[tuple[Path, str]],
    read: Callable[[str, str, int], FileContents],
    max_mb: int,
    on_file: Callable[[Path], None],
    bounds: Bounds,
) -> Iterator[Found]:
    """Read files, each with the name that reports give it."""
    named = list(files)
    late = LATE_FILE.format(bounds.seconds)
    tasks = (
        Task(read, (str(path.absolute()), name, max_mb), bounds.seconds, late)
        for path, name in named
    )

    def outcomes() -> Iterator[tuple[str, str, Outcome]]:
        found = workers.run(tasks, bounds.memory_mb)
        for (path, name), outcome in zip(named, found, strict=True):
            yield name, os.path.realpath(path), outcome
            on_file(path)

    return _gathered(outcomes())


def _gathered(outcomes: Iterable[tuple[str, str, Outcome]]) -> Iterator[Found]:
    """Yield what was read; of two articles with one id the first is kept.

    Each outcome comes with its input's name and its path, which is empty for a page.
    """
    labels: dict[str, str] = {}  # id -> how the article is called
    for name, path, outcome in outcomes:
        if outcome.reason:
            yield _failure(name, outcome.reason)
            continue
        for failure in outcome.failures:
            yield _failure(failure.name, failure.reason)
        for article in outcome.found():
            if (first := labels.get(article.id)) is not None:
                row = article.path.removeprefix(path) if path and article.path else ""
                yield _failure(name + row, SAME_ARTICLE.format(first))
            else:
                labels[article.id] = article.path or article.source.title
                yield article
        if path and not outcome.failures:
            yield FileRead(path)


def _failure(name: str, reason: str) -> Failure:
    return Failure(printable(name), printable(reason))


# What follows runs in the workers.


def _from_file(path: str, name: str, max_mb: int) -> FileContents:
    real = os.path.realpath(path)
    if not is_utf8(real):
        raise ReadError(PATH_NOT_UTF8)
    return read_bytes(read_file(path, max_mb * 1_000_000), name, real)


def _from_upload(path: str, name: str, max_mb: int) -> FileContents:
    return read_bytes(read_file(path, max_mb * 1_000_000), name, "")


def _from_text(data: bytes, suffix: str, name: str, fields: dict[str, str]) -> FileContents:
    draft = next((d for d in READERS[suffix](data, name, "") if isinstance(d, Draft)), None)
    if draft is None:
        raise ReadError(NO_TEXT)
    # What is said of it beside wins; that readers pay for it is said in the text alone.
    source = replace(source_of(fields, name), paywalled=draft.source.paywalled)
    draft = replace(draft, source=source, row=0)
    return [to_article(draft, name, "")], []
