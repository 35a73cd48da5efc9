"""The file of what was asked: `exchanges.sqlite3`, in the folder of an index.

Rows go by the day, and beyond a number; what is deleted is overwritten. The file tells no reader:
whoever writes to it (`recorder.py`) has masked the text.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from rag import messages
from rag.indexing.sqlite import SqliteFile

log = logging.getLogger(__name__)

FILE = "exchanges.sqlite3"
MOST_EXCHANGES = 100_000  # exchanges in the file; the oldest go
_PAGE_ROWS = 1000  # rows in memory at a time
_TABLES = """
pragma secure_delete = on;
create table if not exists exchanges (
    id integer primary key, at text, kind text, site text, text text, verdict text, mode text,
    ms integer, cited text, filters text not null default ''
);
create index if not exists exchanges_by_time on exchanges (at);
"""
_COLUMNS = "id, at, kind, site, text, verdict, mode, ms, cited, filters"
Kind = Literal["question", "claim"]
ANSWERED, REFUSED, TENTATIVE, ERROR = "answered", "refused", "tentative", "error"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question or claim and what became of it; `id` is 0 before it is in the file.

    `verdict` is one of the words above for a question, the verdict's label for a claim, ERROR
    for both; `mode` what wrote the answer; `ms` the time of the work, without the wait for its
    turn; `cited` the ids of the articles that the answer rests on; `filters` those that its reader
    had set, in words; `at` when, in UTC.
    """

    text: str
    verdict: str
    kind: Kind = "question"
    site: str = ""
    mode: str = ""
    ms: int = 0
    cited: tuple[str, ...] = ()
    filters: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    id: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which exchanges are wanted: of a site (None: of all), of a kind, of some verdicts."""

    site: str | None = None
    kind: Kind | None = None
    verdicts: tuple[str, ...] = ()

    def where(self) -> tuple[str, list[Any]]:
        """Return the condition in SQL, and its values."""
        clauses, values = ["at >= ?"], []
        for column, value in (("site", self.site), ("kind", self.kind)):
            if value is not None:
                clauses.append(f"{column} = ?")
                values.append(value)
        if self.verdicts:
            clauses.append(f"verdict in ({', '.join('?' * len(self.verdicts))})")
            values += self.verdicts
        return " and ".join(clauses), values


class Exchanges(SqliteFile):
    """The exchanges kept in a folder, for a number of days."""

    def __init__(
        self,
        folder: Path,
        days: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        most: int = MOST_EXCHANGES,
    ) -> None:
        """Open the file, or make it, and erase what is outdated. Raises StoreError.

        `now` tells the time; `most` is how many exchanges there may be.
        """
        super().__init__(folder, FILE, _TABLES, messages.EXCHANGES_REFUSED)
        if "filters" not in {row[1] for row in self._all("pragma table_info(exchanges)")}:
            with self._change() as base:  # of a file made before they were kept
                base.execute("alter table exchanges add column filters text not null default ''")
        self._ttl = timedelta(days=days)
        self._now = now
        self._most = most
        self._day = ""
        self.expire()

    def add(self, exchange: Exchange) -> None:
        """Keep one; on another day than the last, erase what is outdated first.

        Raises StoreError.
        """
        self.expire()
        row = (
            _time(exchange.at), exchange.kind, exchange.site, exchange.text, exchange.verdict,
            exchange.mode, exchange.ms, json.dumps(exchange.cited), exchange.filters,
        )  # fmt: skip
        with self._change() as base:
            base.execute(
                "insert into exchanges (at, kind, site, text, verdict, mode, ms, cited, filters)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            # Ids grow as exchanges come: no row is counted.
            base.execute(
                "delete from exchanges where id <= (select max(id) from exchanges) - ?",
                [self._most],
            )

    def expire(self) -> int:
        """Erase what is older than the days to keep, once a day; return how many went.

        A clock that has gone back leaves exchanges of the future: they count from now. Raises
        StoreError.
        """
        now = self._now()
        if (day := now.date().isoformat()) == self._day:
            return 0
        with self._change() as base:
            base.execute("update exchanges set at = ? where at > ?", [_time(now)] * 2)
            gone = base.execute("delete from exchanges where at < ?", [self._since()]).rowcount
        if gone:
            self.shrink()
        self._day = day
        return gone

    def select(self, wanted: Wanted, limit: int = -1, offset: int = 0) -> list[Exchange]:
        """Return exchanges that are not outdated, newest first. Raises StoreError."""
        where, values = wanted.where()
        rows = self._all(
            f"select {_COLUMNS} from exchanges where {where} order by id desc limit ? offset ?",  # noqa: S608 - clauses are ours
            [self._since(), *values, limit, offset],
        )
        return list(map(_exchange, rows))

    def every(self, wanted: Wanted) -> Iterator[Exchange]:
        """Yield exchanges, oldest first, a page in memory at a time. Raises StoreError."""
        where, values = wanted.where()
        last = 0
        while rows := self._all(
            f"select {_COLUMNS} from exchanges where {where} and id > ? order by id limit ?",  # noqa: S608
            [self._since(), *values, last, _PAGE_ROWS],
        ):
            yield from map(_exchange, rows)
            last = rows[-1][0]

    def get(self, key: int) -> Exchange | None:
        """Return one that is not outdated, by its id. Raises StoreError."""
        rows = self._all(
            f"select {_COLUMNS} from exchanges where id = ? and at >= ?",  # noqa: S608
            [key, self._since()],
        )
        return _exchange(rows[0]) if rows else None

    def sites(self) -> list[str]:
        """Return the sites that something was asked from. Raises StoreError."""
        rows = self._all(
            "select distinct site from exchanges where at >= ? order by site", [self._since()]
        )
        return [site for (site,) in rows]

    def forget(
        self, sentences: Sequence[str], articles: Iterable[str], masked: Callable[[str], str]
    ) -> int:
        """Forget what quotes one of some sentences; return how many exchanges went.

        Others lose the ids of `articles`, and what `masked` masks now that these are gone.
        Raises StoreError.
        """
        gone, changed, erased = [], [], set(articles)
        for each in self.every(Wanted()):
            text = masked(each.text)
            cited = tuple(i for i in each.cited if i not in erased)
            if any(s in each.text for s in sentences):
                gone.append((each.id,))
            elif (text, cited) != (each.text, each.cited):
                changed.append((text, json.dumps(cited), each.id))
        with self._change() as base:
            base.executemany("delete from exchanges where id = ?", gone)
            base.executemany("update exchanges set text = ?, cited = ? where id = ?", changed)
        self.shrink()
        return len(gone)

    def _since(self) -> str:
        return _time(self._now() - self._ttl)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _exchange(row: Sequence[Any]) -> Exchange:
    key, at, kind, site, text, verdict, mode, ms, cited, filters = row
    return Exchange(
        text, verdict, kind, site, mode, ms, tuple(json.loads(cited)), filters,
        datetime.fromisoformat(at), key,
    )  # fmt: skip
