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

from rag.domain import Failure
from rag.errors import ReadError, why
from rag.markup import printable
from rag.readers.articles import READERS

INDEX_MARKS = frozenset({"catalogue.sqlite3", "owner.lock"})  # files of an index's folder alone
_NOT_UTF8 = "nom qui n'est pas en UTF-8 : renommez-le"
_NOT_A_FILE = "ce n'est pas un fichier ordinaire (tube, prise ou périphérique) : retirez-le"
_ERRORS = {
    errno.EACCES: "droits insuffisants : rendez-le lisible",
    errno.EPERM: "droits insuffisants : rendez-le lisible",
    errno.ENOENT: "le fichier n'existe pas",
    errno.ENOTDIR: "le fichier n'existe pas",
    errno.ELOOP: "lien en boucle : corrigez-le",
    errno.ENAMETOOLONG: "chemin trop long : raccourcissez-le",
    errno.EISDIR: "c'est un dossier, pas un fichier",
    errno.EIO: "le disque ne répond pas : vérifiez-le",
    errno.ESTALE: "le disque ne répond pas : vérifiez-le",
    errno.ENXIO: _NOT_A_FILE,  # what opening a socket says
    errno.EMFILE: "trop de fichiers ouverts : fermez d'autres programmes",
    errno.ENFILE: "trop de fichiers ouverts : fermez d'autres programmes",
}


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
            raise ReadError(_NOT_A_FILE)
        # Non-blocking: what was a file may have become a pipe.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
        handle = os.open(path, flags | getattr(os, "O_BINARY", 0))
        with open(handle, "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor
            before = os.fstat(handle)
            if not stat.S_ISREG(before.st_mode):
                raise ReadError(_NOT_A_FILE)
            if before.st_size > max_bytes:
                raise ReadError(
                    f"fichier de {before.st_size // 1_000_000} Mo, plus grand que "
                    f"{max_bytes // 1_000_000} Mo (réglage RECOUPE_MAX_FILE_MB)"
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
        raise ReadError("le fichier a changé pendant la lecture : relancez")
    return bytes(data)


def error_message(error: OSError | ValueError) -> str:
    """Return the French of an error of the file system."""
    if isinstance(error, OSError):
        return _ERRORS.get(error.errno or 0) or f"illisible ({why(error)})"
    return "ce nom de fichier n'est pas valable"


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
        yield Failure(name, _NOT_UTF8)
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
        yield Failure(name, f"type de fichier inconnu (lus : {types})")
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
            reason = "dossier illisible : " + error_message(error)
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
                yield Failure(printable(entry.path), _NOT_UTF8)
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
            reason = (
                "lien brisé : ce qu'il désigne n'existe pas" if broken else error_message(error)
            )
            yield Failure(name, reason)
        return
    if folder:
        yield Failure(name, "lien vers un dossier, qui n'est pas suivi : donnez ce dossier")
    elif not _wanted(path):
        return
    elif not is_utf8(path):
        yield Failure(name, _NOT_UTF8)
    elif os.path.commonpath([inside, os.path.realpath(path)]) != inside:
        yield Failure(name, "lien qui sort du dossier, qui n'est pas suivi : donnez ce fichier")
    else:
        yield Path(path)


def _wanted(name: str) -> bool:
    path = Path(name)
    return path.suffix.lower() in READERS and path.name.lower() != "readme.md"
