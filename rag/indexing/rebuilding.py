"""A store built beside the one that serves, and put in its place; the copy of a whole index.

The new store is without what was deleted, or with other vectors, or without what is erased.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from rag import messages
from rag.errors import StoreError
from rag.indexing.chroma import next_folder, switch_folder
from rag.indexing.parts import Parts, Progress, files_of_sqlite, silent, size_of
from rag.indexing.recovery import Recovery
from rag.indexing.store import Store
from rag.indexing.understanding import again
from rag.indexing.writer import IndexWriter

if TYPE_CHECKING:
    from rag.domain import StoredArticle
    from rag.models.embedding import Vectors

log = logging.getLogger(__name__)

_STALE_RATIO = 0.5  # passages deleted, per living one, above which the store is rebuilt
_FEW_DELETED = 500  # passages deleted below which it never is: they weigh little
_LINGER_SECONDS = 30.0  # seconds that a replaced store stays open for the searches that use it


class Rebuilder:
    """Rebuilds the store of one index, and copies the index."""

    def __init__(self, parts: Parts, writer: IndexWriter, recovery: Recovery) -> None:
        """Take the parts of the index, what removes articles, what makes words again."""
        self._parts = parts
        self._writer = writer
        self._recovery = recovery
        self._replaced: threading.Timer | None = None

    @property
    def compactable(self) -> bool:
        """Whether enough of an embedded store is dead weight for `compact` to pay.

        Chroma never gives back the room of deleted vectors and walks over them
        in each search (chroma issues 2594, 4737).
        """
        dropped = self._parts.changes.own.dropped
        return not self._parts.store.shared and dropped > max(
            _FEW_DELETED, _STALE_RATIO * self._parts.store.count()
        )

    def compact(self, progress: Progress = silent) -> bool:
        """Copy the living passages into a fresh store and switch to it; False on a server.

        Searches go on meanwhile, writers wait. A kill at any point leaves the
        old store or the new one. Raises StoreError.
        """
        if self._parts.store.shared:
            return False
        self._rebuild(self._parts.store.copy_to, progress)
        return True

    def renew(self, progress: Progress) -> None:
        """Embed all passages again, into a fresh store where it is embedded."""
        log.warning("vecteurs refaits : %d articles", self._parts.store.articles())
        if self._parts.store.shared:
            total = self._parts.store.articles()
            for done in self._parts.store.embed_again(self._embedded_again):
                progress(done, total)
        else:
            self._rebuild(
                lambda fresh: self._parts.store.copy_to(fresh, self._embedded_again), progress
            )

    def _embedded_again(self, articles: Sequence[StoredArticle]) -> Vectors:
        found = [again(self._parts.embedder, article) for article in articles]
        self._parts.catalogue.keep(row for _, rows in found for row in rows)
        import numpy as np

        return np.concatenate([vectors for vectors, _ in found])

    def _rebuild(self, copied: Callable[[Store], Iterator[int]], progress: Progress) -> None:
        with self._writer.write_lock():
            old = self._parts.store
            assert old.folder is not None
            old.check_room(size_of(old.folder))
            total = self._parts.store.articles()
            folder = next_folder(self._parts.folder)
            store = old.beside(folder)
            try:
                for done in copied(store):
                    progress(done, total)
                    if self._parts.closing.is_set():
                        raise StoreError(messages.CLOSING)
                # The store's numbers go on where they were.
                changes = store.change_log(self._parts.folder)
                changes.own = self._parts.changes.own
                changes.rebuilt()
                switch_folder(self._parts.folder, folder)
            except BaseException:
                store.discard()
                raise
            self._parts.store, self._parts.changes = store, changes
            if self._parts.positions:
                self._parts.positions.store = changes.store
                self._parts.positions.save()
        self.discard_replaced()
        self._replaced = threading.Timer(_LINGER_SECONDS, old.discard)
        self._replaced.daemon = True
        self._replaced.start()

    def discard_replaced(self) -> None:
        """Remove the store that a rebuild has replaced, if it is still there."""
        if self._replaced:
            self._replaced.cancel()
            self._replaced.function(*self._replaced.args)
            self._replaced = None

    def backup(self, folder: Path, progress: Progress = silent) -> int:
        """Copy the index into a new folder, itself an index; return how many articles it has.

        Searches go on meanwhile, writers wait. A kill leaves no folder of that name. Raises
        StoreError.
        """
        if folder.exists():
            raise StoreError(messages.BACKUP_THERE.format(folder))
        if any(folder.is_relative_to(own.resolve()) for own in folders_of(self._parts)):
            raise StoreError(messages.BACKUP_INSIDE.format(folder))
        draft = folder.with_name(f".{folder.name}.{uuid4().hex}.partiel")
        with self._writer.write_lock():
            try:
                draft.mkdir(parents=True)
                fresh = self._parts.store.beside(draft / "chroma")
                try:
                    for done in self._parts.store.copy_to(fresh):
                        progress(done, self._parts.store.articles())
                finally:
                    fresh.close()
                # What lies beside the history last: it is the index's own.
                for base in files_of_sqlite((self._parts.folder, *self._parts.history.folders)):
                    _copy_base(base, draft / base.name)
                draft.rename(folder)
            except (OSError, sqlite3.Error) as error:
                shutil.rmtree(draft, ignore_errors=True)
                raise StoreError(messages.COPY_FAILED.format(folder, error)) from error
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
        return self._parts.store.articles()

    def erase(self, ids: Iterable[str], progress: Progress = silent) -> list[str]:
        """Remove articles and all that is left of them in the folder; return who was there.

        The store is made again without them, the words and the catalogue too. Of a server's
        own folder nothing can be said. Raises StoreError.
        """
        with self._parts.lock:
            gone = self._writer.remove(ids)
            if gone:
                self.compact(progress)
                self.discard_replaced()
                self._parts.lexical.clear()
                self._recovery.fill(progress)
                self._parts.catalogue.shrink()
        return gone


def folders_of(parts: Parts) -> list[Path]:
    """Return the folders that have an index's files of SQLite."""
    store = parts.store.folder
    return [*parts.history.folders, parts.folder, *([store] if store else [])]


def _copy_base(base: Path, copy: Path) -> None:
    """Copy a SQLite file as it is at one moment, while others may use it."""
    with closing(sqlite3.connect(base)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
