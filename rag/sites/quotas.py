"""How many questions of each site were counted today, and until when it may ask no more.

In the file of the sites, by a connection of its own: who reads a site never waits for a count.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path

from rag import messages
from rag.errors import QuestionError
from rag.indexing.sqlite import SqliteFile

SITES_FILE = "sites.sqlite3"
_UNBOUNDED = 2**62
_TABLE = """
create table if not exists usage (
    site text, day text, questions integer, primary key (site, day)
) without rowid;
"""


class Quotas(SqliteFile):
    """The questions of sites today. Several processes may count at once."""

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.time) -> None:
        """Open the file, or make it; none keeps it in memory. Raises StoreError.

        `clock` returns seconds since 1970; a day is that of the machine's time zone.
        """
        super().__init__(folder, SITES_FILE, _TABLE, messages.SITES_REFUSED)
        self._clock = clock

    def used(self, site: str) -> int:
        """Return how many questions of a site were counted today."""
        today = _day(self._clock()).isoformat()
        rows = self._all("select questions from usage where site = ? and day = ?", [site, today])
        return rows[0][0] if rows else 0

    def take(self, site: str, quota: int | None, count: int) -> float:
        """Count questions of a site, all or none; return 0, or the seconds until it may ask again.

        With a `count` of 0 nothing is counted, and it is told whether it may ask one. Raises
        QuestionError for more than it may ever ask in a day.
        """
        most = _UNBOUNDED if quota is None else quota
        if count > most:
            raise QuestionError(messages.CLAIMS_OVER_QUOTA.format(count, most))
        now = self._clock()
        today = _day(now)
        with self._change() as base:
            # One statement: two processes together never go beyond.
            done = base.execute(
                "insert into usage values (?, ?, ?) on conflict (site, day) do update"
                " set questions = questions + excluded.questions"
                " where questions + max(excluded.questions, 1) <= ?",
                [site, today.isoformat(), count, most],
            )
            if done.rowcount:
                base.execute("delete from usage where day < ?", [today.isoformat()])
                return 0.0
        return _midnight(today) - now

    def forget(self, site: str) -> None:
        """Forget what was counted of a site."""
        with self._change() as base:
            base.execute("delete from usage where site = ?", [site])


def _day(seconds: float) -> date:
    """Return the day of a moment where Recoupe runs."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().date()


def _midnight(day: date) -> float:
    """Return when a day ends where Recoupe runs, in seconds since 1970."""
    return datetime.combine(day + timedelta(days=1), clock_time()).astimezone().timestamp()
