"""What readers say of answers, kept in a local SQLite file, exportable.

For a bounded time and in a bounded file: anybody may write, so the oldest goes.

No address, no name: the question, the answer as it was shown, a judgement and
a note, since when.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rag import messages
from rag.errors import StoreError

_TABLE = (
    "CREATE TABLE IF NOT EXISTS feedback (id TEXT PRIMARY KEY, at TEXT NOT NULL, "
    "rating TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL, note TEXT NOT NULL)"
)

# Rows are numbered as they come: no sort of what is kept at each addition.
_FORGET = "DELETE FROM feedback WHERE rowid IN (SELECT rowid FROM feedback ORDER BY rowid LIMIT 8)"


@dataclass(frozen=True)
class Feedback:
    """One judgement of an answer; `rating` is "useful" or "wrong"."""

    rating: str
    question: str = ""
    answer: str = ""
    note: str = ""


class FeedbackStore:
    """Keeps feedback in `folder/feedback.sqlite`."""

    def __init__(self, folder: Path, retention_days: int, max_mb: int) -> None:
        """Take the index's folder, the days to keep, and the largest size of the file in MB."""
        self._path = folder / "feedback.sqlite"
        self._ttl = timedelta(days=retention_days)
        self._most = max_mb * 1_000_000

    def add(self, feedback: Feedback) -> str:
        """Keep one, forget the outdated; return its id. Raises StoreError."""
        key = uuid.uuid4().hex
        now = datetime.now(UTC)
        row = (key, now.isoformat(timespec="seconds"), feedback.rating, feedback.question,
               feedback.answer, feedback.note)  # fmt: skip
        try:
            with closing(self._open()) as file, file:
                file.execute("INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?)", row)
                file.execute("DELETE FROM feedback WHERE at < ?", ((now - self._ttl).isoformat(),))
                while _used(file) > self._most:
                    file.execute(_FORGET)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        return key

    def all(self) -> Iterator[dict[str, Any]]:
        """Yield what is kept and not outdated, oldest first. Raises StoreError."""
        since = (datetime.now(UTC) - self._ttl).isoformat()
        try:
            with closing(self._open()) as file:
                found = file.execute(
                    "SELECT * FROM feedback WHERE at >= ? ORDER BY at, rowid", (since,)
                )
                names = [column[0] for column in found.description]
                for row in found:
                    yield dict(zip(names, row, strict=True))
        except sqlite3.Error as error:
            raise StoreError(messages.FEEDBACK_UNREADABLE.format(error)) from error

    def forget(self, sentences: Sequence[str]) -> int:
        """Forget the judgements that quote one of some sentences; return how many there were.

        Raises StoreError.
        """
        if not self._path.exists():
            return 0
        try:
            with closing(self._open()) as file:
                rows = file.execute("SELECT id, question, answer, note FROM feedback")
                gone = [(k,) for k, *t in rows if any(s in part for s in sentences for part in t)]
                with file:
                    file.executemany("DELETE FROM feedback WHERE id = ?", gone)
                file.execute("VACUUM")
        except sqlite3.Error as error:
            raise self._failed(error) from error
        return len(gone)

    def _open(self) -> sqlite3.Connection:
        try:
            file = sqlite3.connect(self._path, timeout=10)
            _shrinking(file)
            file.execute(_TABLE)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        return file

    def _failed(self, error: sqlite3.Error) -> StoreError:
        return StoreError(messages.FEEDBACK_REFUSED.format(self._path, error))


def _shrinking(file: sqlite3.Connection) -> None:
    """Have the file give back what is deleted from it, at each commit."""
    full = 1
    if file.execute("PRAGMA auto_vacuum").fetchone() != (full,):
        file.execute(f"PRAGMA auto_vacuum = {full}")
        file.execute("VACUUM")  # a file made without it takes it on only so


def _used(file: sqlite3.Connection) -> int:
    """Return the bytes that the file will have once this transaction is committed."""
    pages, free, size = (
        file.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
