"""What articles said before they changed: a SQLite file beside the index.

A version is kept when another takes its place, before the switch: a crash in between leaves a row
that says what the index still says, and it is told apart by its version. Removing an article
removes its past.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from rag import messages
from rag.domain import ArticleRecord, Source, Version
from rag.indexing.sqlite import SqliteFile

log = logging.getLogger(__name__)

_TABLE = """
pragma secure_delete = on;
create table if not exists versions (
    article text, version text, replaced text, source text, content blob,
    primary key (article, version)
) without rowid;
"""
_SOURCE = TypeAdapter(Source)


class History(SqliteFile):
    """The versions that were replaced, in the folder of an index."""

    def __init__(self, folder: Path | None) -> None:
        """Open the file, or make it; none keeps it in memory. Raises StoreError."""
        super().__init__(folder, "history.sqlite3", _TABLE, messages.HISTORY_REFUSED)

    def keep(self, articles: Iterable[tuple[ArticleRecord, str]]) -> None:
        """Keep versions, with their texts, that others are about to replace."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._put((r.id, r.version, now, r.source, text) for r, text in articles)

    def restore(self, versions: Iterable[Version]) -> None:
        """Keep versions that an export tells."""
        self._put((v.article_id, v.version, v.replaced, v.source, v.text) for v in versions)

    def _put(self, versions: Iterable[tuple[str, str, str, Source, str]]) -> None:
        rows = [
            (article, version, replaced, json.dumps(_SOURCE.dump_python(source, mode="json")),
             zlib.compress(text.encode(errors="surrogatepass")))
            for article, version, replaced, source, text in versions
        ]  # fmt: skip
        if rows:
            with self._change() as base:
                base.executemany("insert or ignore into versions values (?, ?, ?, ?, ?)", rows)

    def of(self, record: ArticleRecord) -> list[Version]:
        """Return the past versions of an article, newest first."""
        rows = self._all(
            "select version, replaced, source, content from versions"
            " where article = ? and version != ? order by replaced desc, version desc",
            [record.id, record.version],
        )
        found = (_version(record.id, *row) for row in rows)
        return [version for version in found if version is not None]

    def among(self, articles: Sequence[str]) -> set[str]:
        """Return which of some articles have a past."""
        rows = self._in("select distinct article from versions where article in", articles)
        return {i for (i,) in rows}

    def saying(self, sentences: Sequence[str]) -> dict[str, set[str]]:
        """Return which of some sentences the past of each article says."""
        found: dict[str, set[str]] = {}
        with self._lock, self._french_errors():
            for article, content in self._base.execute("select article, content from versions"):
                try:
                    text = zlib.decompress(content).decode(errors="surrogatepass")
                except (zlib.error, ValueError, TypeError):
                    continue
                if matches := {sentence for sentence in sentences if sentence in text}:
                    found.setdefault(article, set()).update(matches)
        return found

    def inventory(self) -> tuple[set[str], int]:
        """Return the articles that have a past, and how many versions cannot be read."""
        articles: set[str] = set()
        unreadable = 0
        with self._lock, self._french_errors():
            for article, *row in self._base.execute(_ROWS):
                articles.add(article)
                unreadable += _version(article, *row) is None
        return articles, unreadable

    def drop_unreadable(self) -> None:
        """Forget the versions that cannot be read."""
        bad = [(row[0], row[1]) for row in self._all(_ROWS) if _version(*row) is None]
        self.drop_versions(bad)

    def drop_versions(self, versions: Iterable[tuple[str, str]]) -> None:
        """Forget versions, by article and version."""
        with self._change() as base:
            base.executemany("delete from versions where article = ? and version = ?", versions)

    def forget(self, articles: Sequence[str]) -> None:
        """Forget the past of articles; nothing of it stays in the file."""
        with self._change() as base:
            gone = [
                base.execute("delete from versions where article = ?", [a]).rowcount
                for a in articles
            ]
        if any(gone):
            self.shrink()


_ROWS = "select article, version, replaced, source, content from versions"


def _version(
    article: str, version: str, replaced: str, source: str, content: bytes
) -> Version | None:
    """Return a version as it was kept; None for one that cannot be read."""
    try:
        datetime.fromisoformat(replaced)
        text = zlib.decompress(content).decode(errors="surrogatepass")
        return Version(article, version, replaced, _SOURCE.validate_json(source), text)
    except (ValueError, TypeError, zlib.error):
        log.warning("version passée illisible : %s, %s", article, version)
        return None
