"""What is asked of the index without a question: articles in order, counts, sentences.

A SQLite file beside the store, in step with it like the words (`keyword_index.py`):
one row an article, for pages and counts in constant time, and one a passage,
with what was understood of its sentences and its vector in 8 bits. All of it
can be made again from the store. One process uses it.
"""

from __future__ import annotations

import base64
import logging
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from rag import messages
from rag.domain import (
    BROKEN,
    MOST_FACETS,
    ArticlePage,
    ArticleRecord,
    Facets,
    Filters,
    Sentence,
    version_of,
)
from rag.errors import CursorError, StoreError
from rag.french import words as french
from rag.indexing.codec import (
    COLUMNS,
    Fields,
    changed_fields,
    pack_sentences,
    record_fields,
    record_of,
    unpack_sentences,
    unpack_vectors,
)
from rag.indexing.copies import Signature
from rag.indexing.sqlite import SqliteFile

log = logging.getLogger(__name__)

_SCHEMA_VERSION = 4  # raise it when the tables or what is in them change: they are made again
_MOST_CANDIDATES = 200  # texts compared with a new one
_MOST_PARTS = 100  # parts of the corpus whose counts are remembered
Place = tuple[int, str, str]
_PLACE = TypeAdapter(Place)
_TITLE_LENGTH = 60  # characters of the title in a place: a cursor travels in an address
_ROUND = 1 << 61
_TABLES = """
create table articles (
    id text primary key, version text, place text, words text, {columns}
) without rowid;
create index by_place on articles (-day, place, id);
create index by_day on articles (day);
create index by_path on articles (path);
create index by_source on articles (source);
create index by_author on articles (author);
create index by_section on articles (section);
create table passages (
    id text primary key, article text, version text, content blob, vector blob, reading blob
);
create index by_article on passages (article);
create index by_content on passages (content);
create table copies (
    article text primary key, "group" text, hashes blob, figures text
) without rowid;
create index copies_by_group on copies ("group");
create table bands (band blob, article text, primary key (band, article)) without rowid;
create index bands_by_article on bands (article);
create table totals (name text primary key, value integer) without rowid;
insert into totals values ('passages', 0), ('digest', 0);
""".format(columns=", ".join(f"{c.key} {c.form.sql}" for c in COLUMNS))
_PUT_ARTICLE = f"insert into articles values ({', '.join('?' * (4 + len(COLUMNS)))})"  # noqa: S608
_STALE = (
    "not exists (select 1 from articles"
    " where articles.id = passages.article and articles.version = passages.version)"
)
_PUT_PASSAGE = "insert or replace into passages values (?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Row:
    """What is kept of a passage, by id: what it was made of, its vector in 8 bits, its sentences.

    Without sentences where only the vector is known: they are made when they are needed.
    """

    passage: str
    content: bytes
    vector: bytes
    sentences: tuple[Sentence, ...] | None = None


@dataclass(frozen=True, slots=True)
class CachedPassage:
    """What is kept of a passage, for a search: its vector in 8 bits, its sentences."""

    vector: bytes
    sentences: tuple[Sentence, ...]

    @property
    def vectors(self) -> PassageVectors:
        """Its vector, and those of its sentences that have one."""
        return PassageVectors(self.vector, tuple(s.vector for s in self.sentences if s.vector))


class PassageVectors(NamedTuple):
    """The vectors of a passage and of its sentences, those that have one, in 8 bits."""

    own: bytes
    sentences: tuple[bytes, ...]


class Catalogue(SqliteFile):
    """The catalogue in a folder."""

    def __init__(self, folder: Path) -> None:
        """Open it, or make an empty one.

        `fresh` tells that it was made empty (absent, damaged, of another
        schema) and has to be filled from the store. Raises StoreError.
        """
        self._facets: dict[Filters | None, Facets] = {}
        self.fresh = False
        super().__init__(folder, "catalogue.sqlite3", _TABLES, messages.CATALOGUE_REFUSED)

    def _opened(self) -> sqlite3.Connection:
        for attempt in range(2):
            try:
                base = self._connected()
                # A power failure may take the last changes: they are made again from the store.
                base.execute("pragma synchronous = normal")
                base.row_factory = sqlite3.Row
                if base.execute("pragma user_version").fetchone()[0] == _SCHEMA_VERSION:
                    return base
                damaged = bool(base.execute("select count(*) from sqlite_master").fetchone()[0])
            except sqlite3.DatabaseError:
                if attempt:
                    raise
                log.warning("catalogue illisible, à refaire", exc_info=True)
                damaged = True
            else:
                if not damaged:
                    base.executescript(self._tables)
                    self.fresh = True
                    return base
                base.close()
            self._remove()
        raise sqlite3.DatabaseError("catalogue")

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)

    def confirm(self) -> None:
        """Say that it is filled: it is trusted at the next opening."""
        with self._change() as base:
            base.execute(f"pragma user_version = {_SCHEMA_VERSION}")
        self.fresh = False

    def clear(self) -> None:
        """Forget every article; passages stay until they are dropped: what they say holds."""
        with self._change() as base:
            base.execute("pragma user_version = 0")
            for table in ("articles", "copies", "bands"):
                base.execute(f"delete from {table}")  # noqa: S608 - our own names
            base.execute("update totals set value = 0")

    def put(self, records: Sequence[ArticleRecord], rows: Iterable[Row] = ()) -> None:
        """Make records the current ones of their articles, with rows of their passages.

        Rows of other versions of these articles go. Raises StoreError.
        """
        with self._change() as base:
            for record in records:
                _forget(base, record.id)
                _count(base, record, 1)
                base.execute(_PUT_ARTICLE, _article_row(record))
            base.executemany(_PUT_PASSAGE, map(_passage_row, rows))
            base.executemany(
                "delete from passages where article = ? and version != ?",
                [(r.id, r.version) for r in records],
            )

    def keep(self, rows: Iterable[Row]) -> None:
        """Keep rows of passages, in the place of those that know less."""
        with self._change() as base:
            base.executemany(_PUT_PASSAGE, map(_passage_row, rows))

    def lacking(self, passages: Sequence[str]) -> list[str]:
        """Return, of passage ids, those of which nothing is kept."""
        rows = self._in("select id from passages where id in", passages)
        existing = {i for (i,) in rows}
        return [i for i in passages if i not in existing]

    def amend(self, changes: Mapping[str, Fields]) -> None:
        """Give articles, by id, other values of some fields of their records."""
        with self._change() as base:
            for article_id, fields in changes.items():
                stored = changed_fields(fields)
                base.execute(
                    f"update articles set {', '.join(f'{k} = ?' for k in stored)} where id = ?",  # noqa: S608
                    [*stored.values(), article_id],
                )

    def sign(self, articles: Iterable[tuple[str, Signature | None]]) -> None:
        """Say what tells the copies of articles; each joins the group of one that it copies."""
        with self._change() as base:
            for article_id, signed in articles:
                _unsign(base, article_id)
                if signed is None:
                    continue
                # Named by what its first article said then: it may say something else later.
                name = blake2b(signed.hashes, digest_size=6).hexdigest()
                group = _group_of(base, signed) or f"{article_id}:{name}"
                base.execute(
                    "insert into copies values (?, ?, ?, ?)",
                    [article_id, group, signed.hashes, signed.figures],
                )
                base.executemany(
                    "insert or ignore into bands values (?, ?)",
                    [(band, article_id) for band in signed.bands()],
                )

    def groups_of(self, articles: Sequence[str]) -> dict[str, str]:
        """Return the group of copies of each of some articles: of most, itself alone."""
        rows = self._in('select article, "group" from copies where article in', articles)
        return {i: i for i in articles} | dict(rows)

    def copies_of(self, article_id: str) -> list[ArticleRecord]:
        """Return the other articles of an article's group, the oldest first."""
        rows = self._all(
            "select articles.* from copies join articles on articles.id = copies.article"
            ' where copies."group" = (select "group" from copies where article = ?)'
            " and copies.article != ? order by day, id",
            [article_id, article_id],
        )
        return _records(rows)

    def at_path(self, path: str) -> list[str]:
        """Return the articles that were last read from a path."""
        rows = self._all("select id from articles where path = ? order by id limit 2", [path])
        return [article for (article,) in rows]

    def same_text(self, signed: Signature) -> list[str]:
        """Return the articles whose texts have a signature; almost surely those of one text."""
        rows = self._all(
            "select copies.article from bands join copies on copies.article = bands.article"
            " where band = ? and hashes = ? and figures = ? order by copies.article limit ?",
            [signed.bands()[0], signed.hashes, signed.figures, _MOST_CANDIDATES],
        )
        return [article for (article,) in rows]

    def drop(self, articles: Iterable[str]) -> None:
        """Forget articles and all that is kept of their passages."""
        with self._change() as base:
            for article_id in articles:
                _forget(base, article_id)
                _unsign(base, article_id)
                base.execute("delete from passages where article = ?", [article_id])

    def records_of(self, articles: Sequence[str]) -> dict[str, ArticleRecord]:
        """Return records by id; absent ones are left out."""
        rows = self._in("select * from articles where id in", articles)
        return {record.id: record for record in _records(rows)}

    def page(
        self, after: str = "", limit: int = 50, words: str = "", part: Filters | None = None
    ) -> ArticlePage:
        """Return up to `limit` records from where `after` says, newest first, then by title.

        `words` keeps those that have a word of the title beginning with each of
        them, `part` those that filters accept, and counts them alone. Raises CursorError.
        """
        where, values = _accepting(part or Filters())
        clauses = [where]
        for word in french.words(words):
            clauses.append("words like ? escape '\\'")
            values.append(f"% {_escaped(word)}%")
        if after:
            clauses.append("(-day, place, id) > (?, ?, ?)")
            values += _decode_cursor(after)
        rows = self._all(
            f"select * from articles where {' and '.join(clauses)}"  # noqa: S608 - clauses are ours
            " order by -day, place, id limit ?",
            [*values, limit + 1],
        )
        records = tuple(_records(rows[:limit]))
        following = _cursor(records[-1]) if len(rows) > limit else ""
        return ArticlePage(records, following, self.facets(part).articles)

    def facets(self, part: Filters | None = None) -> Facets:
        """Return the names of sources, authors and sections with their articles, and counts.

        Of all articles, or of those that the filters of a `part` accept.
        """
        part = part or None
        with self._lock:
            if part not in self._facets:
                if len(self._facets) >= _MOST_PARTS:
                    self._facets.clear()
                self._facets[part] = self._counted(part or Filters())
            return self._facets[part]

    def undated(self, part: Filters | None = None) -> int:
        """Return how many articles, of all or of a part, have no date."""
        where, values = _accepting(part or Filters())
        query = f"select count(*) from articles where day = 0 and {where}"  # noqa: S608 - ours
        ((found,),) = self._all(query, values)
        return int(found)

    def _counted(self, part: Filters) -> Facets:
        where, values = _accepting(part)

        def names(column: str) -> tuple[tuple[str, int], ...]:
            found = self._all(
                f"select {column}, count(*) as n from articles where {column} != ''"  # noqa: S608
                f" and {where} group by {column} order by n desc, {column} limit ?",
                [*values, MOST_FACETS],
            )
            return tuple((name, n) for name, n in found)

        count = f"select count(*) from articles where {where}"  # noqa: S608 - ours
        ((articles,),) = self._all(count, values)
        total = f"select total(passages) from articles where {where}"  # noqa: S608 - ours
        passages = self._all(total, values)[0][0] if part else self._total("passages")
        days = self._all(
            f"select day, count(*) from articles where day > 0 and {where}"  # noqa: S608
            " group by day order by day",
            values,
        )
        months: Counter[date] = Counter()
        for day, n in days:
            months[date.fromordinal(day).replace(day=1)] += n
        return Facets(
            sources=names("source"),
            authors=names("author"),
            sections=names("section"),
            first=date.fromordinal(days[0][0]) if days else None,
            last=date.fromordinal(days[-1][0]) if days else None,
            articles=articles,
            passages=int(passages),
            months=tuple(months.items()),
        )

    def digest(self) -> str:
        """Return 16 hex digits that tell the present versions of all articles."""
        return f"{self._total('digest'):016x}"

    def cached(self, passages: Sequence[str]) -> dict[str, CachedPassage]:
        """Return what is cached of passages, by id; those without sentences are left out."""
        rows = self._in("select id, vector, reading from passages where id in", passages)
        found = {}
        for i, vector, blob in rows:
            if blob is not None and (sentences := unpack_sentences(i, blob)) is not None:
                found[i] = CachedPassage(vector, sentences)
        return found

    def vectors_of(self, passages: Sequence[str]) -> dict[str, PassageVectors]:
        """Return the vectors cached of passages, by id; those without sentences are left out.

        It is what `cached` returns, without what the sentences say: a third of the time.
        """
        rows = self._in("select id, vector, reading from passages where id in", passages)
        return {
            i: PassageVectors(vector, parts)
            for i, vector, blob in rows
            if blob and vector and (parts := unpack_vectors(blob, len(vector))) is not None
        }

    def alike(self, contents: Sequence[bytes]) -> dict[bytes, str]:
        """Return, by content, the id of a passage made of the same: its vectors are reusable."""
        rows = self._in("select content, id from passages where content in", contents)
        return dict(rows)

    def accepted(self, filters: Filters) -> int:
        """Return how many passages the filters accept."""
        where, values = _where(filters)
        ((found,),) = self._all(f"select total(passages) from articles where {where}", values)  # noqa: S608
        return int(found)

    def among(self, passages: Sequence[str], filters: Filters) -> set[str]:
        """Return those of some passages that are current, may answer, and that filters accept."""
        where, values = _where(filters)
        rows = self._in(
            # A cross join is done in its order: the few passages first, not all of a source.
            "select passages.id from passages cross join articles"  # noqa: S608 - clauses are ours
            " on passages.article = articles.id and passages.version = articles.version"
            f" where {where} and passages.id in",
            passages,
            first=values,
        )
        return {i for (i,) in rows}

    def passages(self) -> int:
        """Return how many passages the articles have, in their present versions."""
        return self._total("passages")

    def vectors(self, filters: Filters) -> dict[str, bytes]:
        """Return the vectors, in 8 bits, of the passages that filters accept, by id."""
        where, values = _where(filters)
        rows = self._all(
            "select passages.id, vector from passages join articles"  # noqa: S608
            " on passages.article = articles.id and passages.version = articles.version"
            f" where {where} and length(vector) > 0",
            values,
        )
        return dict(rows)

    def contents(self, passages: Sequence[str]) -> dict[str, bytes]:
        """Return what those of some passages were made of of which it is known, by id."""
        return dict(self._in("select id, content from passages where id in", passages))

    def packed(self, passages: Sequence[str]) -> dict[str, bytes]:
        """Return the vectors, in 8 bits, of those of some passages of which something is kept."""
        return dict(self._in("select id, vector from passages where id in", passages))

    def signatures(self, articles: Sequence[str]) -> dict[str, Signature]:
        """Return what tells the copies of those of some articles that have a signature."""
        rows = self._in("select article, hashes, figures from copies where article in", articles)
        return {article: Signature(hashes, figures) for article, hashes, figures in rows}

    def beyond(self, articles: AbstractSet[str]) -> list[ArticleRecord]:
        """Return the records of the articles that are not among some."""
        ids = [i for (i,) in self._all("select id from articles") if i not in articles]
        return list(self.records_of(ids).values())

    def stale(self) -> int:
        """Return how many passages are kept that are of no current version."""
        query = f"select count(*) from passages where {_STALE}"  # noqa: S608 - ours
        ((found,),) = self._all(query)
        return int(found)

    def sweep(self) -> None:
        """Forget the passages that are of no current version."""
        with self._change() as base:
            base.execute(f"delete from passages where {_STALE}")  # noqa: S608 - ours

    def size(self) -> int:
        """Return the passages that it keeps something of."""
        ((found,),) = self._all("select count(*) from passages")
        return int(found)

    def _total(self, name: str) -> int:
        ((value,),) = self._all("select value from totals where name = ?", [name])
        return int(value)

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._facets.clear()
            with super()._change() as base:
                yield base

    def _refused(self, error: Exception) -> StoreError:  # damaged or not, it is made again
        return StoreError(self._refusal.format(file=self._file, error=error))


def _place(record: ArticleRecord) -> Place:
    """Return what orders records: the newest first, then by title; no two are equal."""
    return -record.source.day, record.source.title[:_TITLE_LENGTH], record.id


def _cursor(record: ArticleRecord) -> str:
    """Return the cursor of what comes after a record, in characters that an address may have."""
    return base64.urlsafe_b64encode(_PLACE.dump_json(_place(record))).decode().rstrip("=")


def _decode_cursor(after: str) -> Place:
    try:
        coded = base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True)
        return _PLACE.validate_json(coded)
    except (ValueError, ValidationError) as error:
        raise CursorError(messages.BAD_CURSOR) from error


def _escaped(word: str) -> str:
    return "".join(f"\\{c}" if c in "%_\\" else c for c in word)


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _forget(base: sqlite3.Connection, article_id: str) -> None:
    row = base.execute("select * from articles where id = ?", [article_id]).fetchone()
    if row:
        _count(base, record_of(article_id, dict(row)), -1)
        base.execute("delete from articles where id = ?", [article_id])


def _unsign(base: sqlite3.Connection, article_id: str) -> None:
    base.execute("delete from copies where article = ?", [article_id])
    base.execute("delete from bands where article = ?", [article_id])


def _group_of(base: sqlite3.Connection, signed: Signature) -> str | None:
    """Return the group of an article that a text copies."""
    bands = signed.bands()
    rows = base.execute(
        'select distinct copies.article, "group", hashes, figures from bands'  # noqa: S608 - marks
        f" join copies on copies.article = bands.article where band in ({_marks(len(bands))})"
        " order by copies.article limit ?",
        [*bands, _MOST_CANDIDATES],
    )
    found = (
        group for _, group, hashes, figures in rows if signed.alike(Signature(hashes, figures))
    )
    return next(found, None)


def _count(base: sqlite3.Connection, record: ArticleRecord, sign: int) -> None:
    digest = blake2b(f"{record.id} {record.fingerprint}".encode(), digest_size=7).digest()
    for name, value in (("passages", record.passages), ("digest", int.from_bytes(digest))):
        # Sums do not depend on the order of changes. Kept within SQLite's 64 bits.
        base.execute(
            "update totals set value = ((value + ?) % ? + ?) % ? where name = ?",
            [sign * value, _ROUND, _ROUND, _ROUND, name],
        )


def _where(filters: Filters) -> tuple[str, list[Any]]:
    """Return the clause of the articles that may answer, of those that filters accept."""
    clause, values = _accepting(filters)
    return f"withdrawn = 0 and recipe != {BROKEN} and {clause}", values


def _accepting(filters: Filters) -> tuple[str, list[Any]]:
    """Return the clause, and its values, of the articles that filters accept."""
    clauses: list[str] = ["1"]
    values: list[Any] = []
    for column, names in (
        ("source", filters.sources),
        ("author", filters.authors),
        ("section", filters.sections),
        ("articles.id", filters.articles),
    ):
        if names:
            clauses.append(f"{column} in ({_marks(len(names))})")
            values += names
    if filters.since:
        clauses.append("day >= ?")
        values.append(filters.since.toordinal())
    if filters.until:
        clauses.append("day between 1 and ?")
        values.append(filters.until.toordinal())
    return " and ".join(clauses), values


def _article_row(record: ArticleRecord) -> tuple[Any, ...]:
    title = record.source.title
    return (
        record.id, record.version, _place(record)[1], f" {' '.join(french.words(title))}",
        *record_fields(record).values(),
    )  # fmt: skip


def _records(rows: Iterable[sqlite3.Row]) -> list[ArticleRecord]:
    return [record_of(row["id"], dict(row)) for row in rows]


def _passage_row(row: Row) -> tuple[Any, ...]:
    article, version = version_of(row.passage)
    reading = None if row.sentences is None else pack_sentences(row.sentences)
    return (row.passage, article, version, row.content, row.vector, reading)
