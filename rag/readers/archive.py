"""Reader for ZIP archives of anything that is read: bounded in files, in size and in depth."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import PurePosixPath

from rag import messages
from rag.domain import Failure
from rag.errors import ReadError
from rag.markup import printable
from rag.readers.draft import Draft, FileReader

_MOST_FILES = 10_000
_MOST_EACH = 50_000_000  # bytes of one file, unpacked
_MOST_BYTES = 1_000_000_000  # bytes of all, unpacked one at a time
_DEEPEST_ARCHIVE = 1  # archives in archives


class ZipReader:
    """Reads archives of files that other readers, by suffix, read; each of them by name."""

    def __init__(self, readers: Mapping[str, FileReader]) -> None:
        """Take the readers of what may be in an archive."""
        self._readers = dict(readers)

    def __call__(self, data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
        """See `FileReader`. Raises ReadError for an archive that is damaged, or a bomb."""
        del charset
        for row, item in enumerate(self._all(data, name, 0), 1):
            yield replace(item, row=row) if isinstance(item, Draft) else item

    def _all(self, data: bytes, name: str, depth: int) -> Iterator[Draft | Failure]:
        try:
            archive = zipfile.ZipFile(BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise ReadError(messages.DAMAGED_ARCHIVE) from error
        with archive:
            members = [i for i in archive.infolist() if _wanted(i, self._readers)]
            if len(members) > _MOST_FILES:
                raise ReadError(messages.MANY_FILES_IN_ARCHIVE.format(_MOST_FILES))
            if sum(info.file_size for info in members) > _MOST_BYTES:
                raise ReadError(messages.LARGE_ARCHIVE.format(_MOST_BYTES // 1_000_000))
            for info in members:
                where = f"{name} ({printable(info.filename)[:200]})"
                try:
                    yield from self._read(_unpacked(archive, info), info, where, depth)
                except ReadError as error:
                    yield Failure(where, str(error))

    def _read(
        self, content: bytes, info: zipfile.ZipInfo, where: str, depth: int
    ) -> Iterator[Draft | Failure]:
        suffix = PurePosixPath(info.filename).suffix.lower()
        if suffix == ".zip":
            if depth >= _DEEPEST_ARCHIVE:
                raise ReadError(messages.NESTED_ARCHIVES)
            yield from self._all(content, where, depth + 1)
            return
        if not content.strip():
            raise ReadError(messages.EMPTY_FILE)
        yield from self._readers[suffix](content, where, "")


def _wanted(info: zipfile.ZipInfo, readers: Mapping[str, FileReader]) -> bool:
    path = PurePosixPath(info.filename)
    named = [part for part in path.parts if part not in {".", ".."}]  # nothing is written
    hidden = any(part.startswith((".", "__MACOSX")) for part in named)
    return not (info.is_dir() or hidden) and path.suffix.lower() in {*readers, ".zip"}


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return a file of an archive. Raises ReadError where it is damaged, locked, or too large."""
    if info.flag_bits & 1:
        raise ReadError(messages.ENCRYPTED_FILE)
    if info.file_size > _MOST_EACH:  # what it says; what it holds is counted below
        raise ReadError(messages.UNPACKS_TOO_LARGE.format(_MOST_EACH // 1_000_000))
    try:
        with archive.open(info) as file:
            content = file.read(_MOST_EACH + 1)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError,
            EOFError, LookupError) as error:  # fmt: skip
        raise ReadError(messages.DAMAGED_IN_ARCHIVE) from error
    if len(content) > _MOST_EACH:
        raise ReadError(messages.UNPACKS_TOO_LARGE.format(_MOST_EACH // 1_000_000))
    return content
