"""The files of folders, found and read so that none can hold the reading up.

Links out of the folder, loops, pipes and devices are named as failures; nothing is opened
that could block, and no more is read than was promised.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from rag import messages
from rag.domain import Failure
from rag.errors import ReadError, why
from rag.markup import printable
from rag.readers.articles import READERS

INDEX_MARKS = frozenset({"catalogue.sqlite3", "owner.lock"})  # files of an index's folder alone


def find_files(paths: Iterable[Path]) -> tuple[list[Path], list[Failure]]:
    """Return the files to read under `paths`, sorted, and the paths that cannot be used.

    Directories are walked; hidden files and types without a reader are left
    aside there, but named as a failure when asked for by name. Links are followed to
    files of the same folder only.
    """
    files: dict[Path, None] = {}
    failures: list[Failure] = []
    for path in paths:
        found: list[Path] = []
        for item in _files_of(path):
            if isinstance(item, Failure):
                failures.append(item)
            else:
                found.append(item)
        files.update(dict.fromkeys(sorted(found)))
    return list(files), failures


def read_file(path: str, max_bytes: int) -> bytes:
    """Return the content of a regular file, of `max_bytes` at most.

    Raises ReadError for any other kind of file, a larger one, one that changes while it
    is read, or an error of the disk.
    """
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):  # opening a device may act on it
            raise ReadError(messages.NOT_A_FILE)
        # Non-blocking: what was a file may have become a pipe.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
        with open(handle, "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor
            before = os.fstat(handle)
            if not stat.S_ISREG(before.st_mode):
                raise ReadError(messages.NOT_A_FILE)
            if before.st_size > max_bytes:
                raise ReadError(
                    messages.LARGE_FILE.format(before.st_size // 1_000_000, max_bytes // 1_000_000)
                )
            data = bytearray()
            # One byte more than it had, to see it grow.
            while len(data) <= before.st_size and (
                piece := file.read(before.st_size + 1 - len(data))
            ):
                data += piece
            after = os.fstat(handle)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ReadError(error_message(error)) from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or (
        len(data) != before.st_size
    ):
        raise ReadError(messages.FILE_CHANGED)
    return bytes(data)


def error_message(error: OSError | ValueError) -> str:
    """Return the French of an error of the file system."""
    if isinstance(error, OSError):
        reason = messages.FILE_ERRORS.get(error.errno or 0)
        return reason or messages.UNREADABLE_FILE.format(why(error))
    return messages.BAD_FILE_NAME


def is_utf8(name: str) -> bool:
    """Tell whether a name is text; Python carries other bytes as surrogates."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _files_of(path: Path) -> Iterator[Path | Failure]:
    """Yield the files of a path that was asked for by name, or why it cannot be used."""
    name = printable(str(path))
    if not is_utf8(str(path)):
        yield Failure(name, messages.NAME_NOT_UTF8)
        return
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        yield Failure(name, error_message(error))
        return
    if stat.S_ISDIR(mode):
        yield from _walk(path)
    elif path.suffix.lower() not in READERS:
        types = ", ".join(sorted(READERS))
        yield Failure(name, messages.NOT_A_READ_TYPE.format(types))
    else:
        yield path


def _walk(root: Path) -> Iterator[Path | Failure]:
    """Yield the files to read under a folder, however deep, and what is in the way."""
    inside = os.path.realpath(root)
    todo = [str(root)]
    while todo:
        folder = todo.pop()
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            reason = messages.UNREADABLE_FOLDER.format(error_message(error))
            yield Failure(printable(folder), reason)
            continue
        if INDEX_MARKS & {entry.name for entry in found}:
            continue  # an index of Recoupe's, which has no articles of its own
        for entry in found:
            if entry.name.startswith("."):
                continue
            folder_too = entry.is_dir(follow_symlinks=False)
            if entry.is_symlink():
                yield from _linked(entry.path, inside)
            elif not (folder_too or _wanted(entry.name)):
                continue
            elif not is_utf8(entry.name):
                yield Failure(printable(entry.path), messages.NAME_NOT_UTF8)
            elif folder_too:
                todo.append(entry.path)
            else:
                yield Path(entry.path)


def _linked(path: str, inside: str) -> Iterator[Path | Failure]:
    """Yield the file of a link, or why it is not followed; nothing when it is of no concern."""
    name = printable(path)
    try:
        folder = stat.S_ISDIR(Path(path).stat().st_mode)
    except OSError as error:
        if _wanted(path):
            broken = error.errno == errno.ENOENT
            reason = messages.BROKEN_LINK if broken else error_message(error)
            yield Failure(name, reason)
        return
    if folder:
        yield Failure(name, messages.LINK_TO_FOLDER)
    elif not _wanted(path):
        return
    elif not is_utf8(path):
        yield Failure(name, messages.NAME_NOT_UTF8)
    elif os.path.commonpath([inside, os.path.realpath(path)]) != inside:
        yield Failure(name, messages.LINK_OUT_OF_FOLDER)
    else:
        yield Path(path)


def _wanted(name: str) -> bool:
    path = Path(name)
    return path.suffix.lower() in READERS and path.name.lower() != "readme.md"
