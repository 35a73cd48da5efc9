"""What readers say of answers, kept in a local SQLite file, exportable, for a bounded time.

No address, no name: the question, the answer as it was shown, a judgement and
a note, since when.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rag.errors import StoreError

_TABLE = (
    "CREATE TABLE IF NOT EXISTS feedback (id TEXT PRIMARY KEY, at TEXT NOT NULL, "
    "rating TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL, note TEXT NOT NULL)"
)


@dataclass(frozen=True)
class Feedback:
    """One judgement of an answer; `rating` is "useful" or "wrong"."""

    rating: str
    question: str = ""
    answer: str = ""
    note: str = ""


class FeedbackStore:
    """Keeps feedback in `folder/feedback.sqlite`."""

    def __init__(self, folder: Path, retention_days: int) -> None:
        """Take the index's folder and for how many days to keep."""
        self._path = folder / "feedback.sqlite"
        self._kept = timedelta(days=retention_days)

    def add(self, feedback: Feedback) -> str:
        """Keep one, forget the outdated; return its id. Raises StoreError."""
        key = uuid.uuid4().hex
        now = datetime.now(UTC)
        row = (key, now.isoformat(timespec="seconds"), feedback.rating, feedback.question,
               feedback.answer, feedback.note)  # fmt: skip
        with closing(self._open()) as file, file:
            file.execute("INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?)", row)
            file.execute("DELETE FROM feedback WHERE at < ?", ((now - self._kept).isoformat(),))
        return key

    def all(self) -> Iterator[dict[str, Any]]:
        """Yield what is kept and not outdated, oldest first. Raises StoreError."""
        since = (datetime.now(UTC) - self._kept).isoformat()
        with closing(self._open()) as file:
            found = file.execute("SELECT * FROM feedback WHERE at >= ? ORDER BY at, id", (since,))
            names = [column[0] for column in found.description]
            for row in found:
                yield dict(zip(names, row, strict=True))

    def _open(self) -> sqlite3.Connection:
        try:
            file = sqlite3.connect(self._path, timeout=10)
            file.execute(_TABLE)
        except sqlite3.Error as error:
            raise StoreError(
                f"Les retours ne peuvent pas être gardés dans {self._path} ({error}) : vérifiez "
                "le disque et les droits."
            ) from error
        return file
