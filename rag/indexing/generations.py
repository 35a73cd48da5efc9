"""Which folder holds what an index can make again: its store, its words, its catalogue.

The index's own folder at first. `recoupe reindex` builds another generation beside it, in
`index-2`, `index-3`…, and switches to it by a pointer: one file, replaced whole. What cannot
be made again (history, sources, feedback, the lock) stays in the index's own folder.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from rag import messages
from rag.errors import StoreError, why
from rag.indexing.chroma import read_pointer, store_folders, write_pointer

log = logging.getLogger(__name__)

_SWITCHING = threading.Lock()
_POINTER = "generation"
_DRAFT = "draft.json"  # in a generation that is not whole yet: what it is made with
_NAME = re.compile(r"index-(\d+)")
_OWN = ("lexical", "catalogue.sqlite3", "catalogue.sqlite3-wal", "catalogue.sqlite3-shm",
        "store", "scale.json")  # fmt: skip


def current(home: Path) -> Path:
    """Return the folder of the generation that serves. Raises StoreError when it is gone."""
    name = read_pointer(home / _POINTER, _NAME)
    if name and not (home / name).is_dir():
        raise StoreError(messages.STORE_GONE.format(home / name))
    return home / name


def draft(home: Path, made_with: Mapping[str, Any]) -> Path:
    """Return the folder of the next generation: the one begun before, if made with the same.

    Others that were begun are removed. Raises StoreError.
    """
    wanted = json.dumps(dict(made_with), sort_keys=True)
    for folder in _drafts(home):
        if _read(folder / _DRAFT) == wanted:
            return folder
        shutil.rmtree(folder, ignore_errors=True)
    folder = home / f"index-{max(_numbers(home), default=1) + 1}"
    try:
        with _SWITCHING:  # without its mark it would be swept
            folder.mkdir(parents=True)
            (folder / _DRAFT).write_text(wanted, encoding="utf-8")
    except OSError as error:
        raise StoreError(messages.FOLDER_NOT_MADE.format(folder, why(error))) from error
    return folder


def begun(home: Path) -> bool:
    """Tell whether a generation was begun and is not whole."""
    return any(_drafts(home))


def switch(home: Path, folder: Path) -> None:
    """Make a generation the one that serves, whole or not at all. Raises StoreError."""
    try:
        with _SWITCHING:
            write_pointer(home / _POINTER, folder.name)
            with suppress(OSError):  # the mark of what serves means nothing: it is swept
                (folder / _DRAFT).unlink()
    except OSError as error:
        raise StoreError(messages.NOT_SWITCHED.format(folder, why(error))) from error


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def discard_drafts(home: Path) -> None:
    """Remove the generations that were begun and not finished."""
    for folder in _drafts(home):
        shutil.rmtree(folder, ignore_errors=True)


def sweep(home: Path) -> None:
    """Remove the generations that another has replaced; for the owner of the index alone.

    One that is being built is kept: it will be gone on with.
    """
    with _SWITCHING:  # what serves may be another in a moment
        _sweep(home, current(home))


def _sweep(home: Path, serving: Path) -> None:
    (serving / _DRAFT).unlink(missing_ok=True)  # a kill just after the switch
    live = {serving, *_drafts(home)}
    for number in _numbers(home):
        if (folder := home / f"index-{number}") not in live:
            log.info("génération remplacée, effacée : %s", folder)
            shutil.rmtree(folder, ignore_errors=True)
    if serving != home:
        for path in (*store_folders(home), *(home / name for name in _OWN)):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _drafts(home: Path) -> Iterator[Path]:
    for number in _numbers(home):
        if ((folder := home / f"index-{number}") / _DRAFT).exists() and folder != current(home):
            yield folder


def _numbers(home: Path) -> list[int]:
    if not home.is_dir():
        return []
    found = (_NAME.fullmatch(p.name) for p in home.iterdir() if p.is_dir())
    return sorted(int(m[1]) for m in found if m)
