"""A SQLite file beside the index that several processes may use at once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag import messages
from rag.errors import StoreError

_MOST_VARIABLES = 500  # of one statement


class SqliteFile:
    """The file `name` of a folder, with its tables; `refusal` is what is told where it fails."""

    def __init__(self, folder: Path | None, name: str, tables: str, refusal: str) -> None:
        """Open it, or make it; without a folder, in memory. Raises StoreError.

        `refusal` is a French sentence with `{file}` and `{error}`.
        """
        self._file = folder / name if folder else Path(":memory:")
        self._tables, self._refusal = tables, refusal
        self._lock = threading.RLock()
        self._closed = False
        try:
            if folder:
                folder.mkdir(parents=True, exist_ok=True)
            self._base = self._opened()
        except (sqlite3.Error, OSError) as error:
            raise self._refused(error) from error

    def _opened(self) -> sqlite3.Connection:
        """Return the file with its tables. Raises sqlite3.Error, OSError."""
        base = self._connected()
        base.executescript(self._tables)
        return base

    def _connected(self) -> sqlite3.Connection:
        base = sqlite3.connect(
            self._file, timeout=30, check_same_thread=False, isolation_level=None
        )
        base.execute("pragma journal_mode = wal")
        return base

    @property
    def folders(self) -> list[Path]:
        """The folder that the file is in, if it is in one."""
        return [] if self._file == Path(":memory:") else [self._file.parent]

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._closed = True
            self._base.close()

    def shrink(self) -> None:
        """Leave nothing of what was deleted: in free pages, nor in the log beside the file.

        Raises StoreError.
        """
        with self._lock, self._french_errors():
            self._base.execute("vacuum")
            self._base.execute("pragma wal_checkpoint(truncate)")

    def _in(
        self, query: str, values: Sequence[Any], end: str = "", first: Sequence[Any] = ()
    ) -> list[Any]:
        """Return the rows of a query that ends in `in`, whatever the number of values.

        `first` are the values of what stands before it.
        """
        found: list[Any] = []
        for at in range(0, len(values), _MOST_VARIABLES):
            some = values[at : at + _MOST_VARIABLES]
            found += self._all(f"{query} ({', '.join('?' * len(some))}){end}", [*first, *some])
        return found

    def _all(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock, self._french_errors():
            return self._base.execute(query, values).fetchall()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """Give the base for a change that is seen whole or not at all."""
        with self._lock, self._french_errors():
            # Not at the first write: another writer would be met too late to wait for.
            self._base.execute("begin immediate")
            try:
                yield self._base
            except BaseException:
                self._base.execute("rollback")
                raise
            self._base.execute("commit")

    @contextmanager
    def _french_errors(self) -> Iterator[None]:
        """Turn the errors of SQLite into one French sentence. Raises StoreError once closed."""
        if self._closed:
            raise StoreError(messages.CLOSING)
        try:
            yield
        except sqlite3.Error as error:
            raise self._refused(error) from error

    def _refused(self, error: Exception) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            return StoreError(messages.DAMAGED_FILE.format(self._file))
        return StoreError(self._refusal.format(file=self._file, error=error))
