"""What is known of the pages and lists that were looked at, kept beside the index.

A SQLite file that several processes may use at once: the app that follows sources, and a
command. Nothing in it is an article's text. What it says is written after the index has what
it tells of: an interruption makes Recoupe ask again, never forget.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from rag import messages
from rag.domain import SourceState
from rag.indexing.sqlite import SqliteFile
from rag.readers.fetch import Validators

_TABLES = """
create table if not exists pages (
    url text primary key, final text, article text, etag text, modified text, changed text,
    misses integer
) without rowid;
create index if not exists pages_by_article on pages (article);
create index if not exists pages_by_final on pages (final);
create table if not exists listed (
    source text, url text, run integer, primary key (source, url)
) without rowid;
create table if not exists lists (
    url text primary key, etag text, modified text
) without rowid;
create table if not exists sources (
    address text primary key, kind text, run integer, tried real, succeeded real, fed real,
    pages integer, added integer, failed integer, problem text
) without rowid;
create table if not exists removed (article text primary key) without rowid;
"""


@dataclass(frozen=True, slots=True)
class PageState:
    """What is known of a page: where it was `final`ly found, the article that it gave.

    `changed` is when it last changed, as its list had it; `misses` how many times in a row it
    was not there.
    """

    url: str
    final: str = ""
    article: str = ""
    etag: str = ""
    modified: str = ""
    changed: str = ""
    misses: int = 0

    @property
    def validators(self) -> Validators:
        """What its server said of it."""
        return Validators(self.etag, self.modified)


_PAGE = ", ".join(f.name for f in fields(PageState))
_SOURCE = ", ".join(f.name for f in fields(SourceState))


class Memory(SqliteFile):
    """The file, in the folder of an index."""

    def __init__(self, folder: Path) -> None:
        """Open it, or make it. Raises StoreError."""
        super().__init__(folder, "sources.sqlite3", _TABLES, messages.SOURCES_REFUSED)

    def pages(self, urls: Sequence[str]) -> dict[str, PageState]:
        """Return what is known of pages, by address."""
        return {
            row[0]: PageState(*row)
            for row in self._in(f"select {_PAGE} from pages where url in", urls)
        }

    def articles_at(self, urls: Sequence[str]) -> list[str]:
        """Return the articles that pages said to be at some addresses gave; some tens at most."""
        rows = self._in(
            "select distinct article from pages where article != '' and final in", urls, " limit 50"
        )
        return [article for (article,) in rows]

    def keep(self, pages: Iterable[PageState]) -> None:
        """Keep what is known of pages."""
        marks = ", ".join("?" * len(fields(PageState)))
        with self._change() as base:
            base.executemany(
                f"insert or replace into pages ({_PAGE}) values ({marks})", map(astuple, pages)
            )

    def forget(self, articles: Iterable[str]) -> None:
        """Forget the pages of articles, and what servers said of lists: they are read again."""
        gone = [(a,) for a in articles]
        if gone:
            with self._change() as base:
                base.executemany("delete from pages where article = ?", gone)
                base.execute("delete from lists")

    def keep_listed(self, source: str, run: int, urls: Iterable[str]) -> None:
        """Remember that a run of a source met pages."""
        with self._change() as base:
            base.executemany(
                "insert or replace into listed values (?, ?, ?)", [(source, u, run) for u in urls]
            )

    def unlisted(self, source: str, run: int, limit: int) -> list[PageState]:
        """Return pages with an article that a source listed before, and not in this run."""
        rows = self._all(
            f"select {_PAGE} from pages where article != '' and url in"
            " (select url from listed where source = ? and run < ? order by run limit ?)",
            [source, run, limit],
        )
        return [PageState(*row) for row in rows]

    def list_state(self, url: str) -> Validators:
        """Return what the server said of a list when all that it lists was taken."""
        rows = self._all("select etag, modified from lists where url = ?", [url])
        return Validators(*rows[0]) if rows else Validators()

    def keep_list(self, url: str, validators: Validators) -> None:
        """Keep what the server says of a list; nothing for one to be read again."""
        with self._change() as base:
            base.execute(
                "insert or replace into lists values (?, ?, ?)",
                [url, validators.etag, validators.modified],
            )

    def source(self, address: str) -> SourceState:
        """Return how a source does; a new one has no times."""
        rows = self._all(f"select {_SOURCE} from sources where address = ?", [address])
        return SourceState(*rows[0]) if rows else SourceState(address)

    def sources(self) -> list[SourceState]:
        """Return how all sources do, by address."""
        return [
            SourceState(*r) for r in self._all(f"select {_SOURCE} from sources order by address")
        ]

    def keep_source(self, state: SourceState) -> None:
        """Keep how a source does."""
        marks = ", ".join("?" * len(fields(SourceState)))
        with self._change() as base:
            base.execute(
                f"insert or replace into sources ({_SOURCE}) values ({marks})", astuple(state)
            )

    def forget_source(self, address: str) -> bool:
        """Follow a source no more; its pages stay known. False where there is none."""
        with self._change() as base:
            gone = base.execute("delete from sources where address = ?", [address]).rowcount
            base.execute("delete from listed where source = ?", [address])
        return bool(gone)

    def remove(self, articles: Iterable[str]) -> None:
        """Remember that articles were removed on purpose: no source brings them back."""
        with self._change() as base:
            base.executemany(
                "insert or ignore into removed select article from pages where article = ?",
                [(a,) for a in articles],
            )

    def removed(self, articles: Sequence[str]) -> set[str]:
        """Return those of some articles that were removed on purpose."""
        return {a for (a,) in self._in("select article from removed where article in", articles)}

    def readmit(self, articles: Iterable[str]) -> None:
        """Take articles back: somebody asked for their page by its address."""
        with self._change() as base:
            base.executemany("delete from removed where article = ?", [(a,) for a in articles])
