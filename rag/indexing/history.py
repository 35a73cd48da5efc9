"""What articles said before they changed: a SQLite file beside the index.

A version is kept when another takes its place, before the switch: a crash in between leaves a row
that says what the index still says, and it is told apart by its version. Removing an article
removes its past.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from rag.domain import ArticleRecord, Source, Version
from rag.errors import StoreError

_TABLE = """
create table if not exists versions (
    article text, version text, replaced text, source text, content blob,
    primary key (article, version)
) without rowid;
"""
_SOURCE = TypeAdapter(Source)


class History:
    """The versions that were replaced, in the folder of an index."""

    def __init__(self, folder: Path) -> None:
        """Open the file, or make it. Raises StoreError."""
        self._file = folder / "history.sqlite3"
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(self._file, timeout=30, check_same_thread=False)
            self._base.execute("pragma journal_mode = wal")
            self._base.execute("pragma secure_delete = on")
            self._base.executescript(_TABLE)
        except (sqlite3.Error, OSError) as error:
            raise self._refused(error) from error

    def keep(self, articles: Iterable[tuple[ArticleRecord, str]]) -> None:
        """Keep versions, with their texts, that others are about to replace."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        rows = [
            (r.id, r.version, now, json.dumps(_SOURCE.dump_python(r.source, mode="json")),
             zlib.compress(text.encode(errors="surrogatepass")))
            for r, text in articles
        ]  # fmt: skip
        if rows:
            with self._change() as base:
                base.executemany("insert or ignore into versions values (?, ?, ?, ?, ?)", rows)

    def of(self, record: ArticleRecord) -> list[Version]:
        """Return the past versions of an article, newest first."""
        with self._lock:
            try:
                rows = self._base.execute(
                    "select version, replaced, source, content from versions"
                    " where article = ? and version != ? order by replaced desc, version desc",
                    [record.id, record.version],
                ).fetchall()
            except sqlite3.Error as error:
                raise self._refused(error) from error
        return [
            Version(
                record.id,
                version,
                replaced,
                _SOURCE.validate_json(source),
                zlib.decompress(content).decode(errors="surrogatepass"),
            )
            for version, replaced, source, content in rows
        ]

    def saying(self, sentences: Sequence[str]) -> dict[str, set[str]]:
        """Return which of some sentences the past of each article says."""
        found: dict[str, set[str]] = {}
        with self._lock:
            try:
                for article, content in self._base.execute("select article, content from versions"):
                    text = zlib.decompress(content).decode(errors="surrogatepass")
                    if held := {said for said in sentences if said in text}:
                        found.setdefault(article, set()).update(held)
            except sqlite3.Error as error:
                raise self._refused(error) from error
        return found

    def forget(self, articles: Sequence[str]) -> None:
        """Forget the past of articles; nothing of it stays in the file."""
        with self._change() as base:
            gone = [
                base.execute("delete from versions where article = ?", [a]).rowcount
                for a in articles
            ]
        if any(gone):
            with self._lock:
                try:
                    self._base.execute("vacuum")
                    self._base.execute("pragma wal_checkpoint(truncate)")
                except sqlite3.Error as error:
                    raise self._refused(error) from error

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._base.close()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                with self._base:
                    yield self._base
            except sqlite3.Error as error:
                raise self._refused(error) from error

    def _refused(self, error: Exception) -> StoreError:
        return StoreError(
            f"L'historique {self._file} ne peut pas être lu ou écrit ({error}) : vérifiez le "
            "disque et les droits, puis relancez ; l'index est resté entier."
        )
