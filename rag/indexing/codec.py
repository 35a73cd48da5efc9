"""What is stored of an article, its passages and their sentences: the one place that knows how.

A record goes to Chroma as the metadata of a row, and to the catalogue as a row of SQLite: both
have the same fields of plain values. A new field of an article is one line of `COLUMNS`; where
older indexes lack it, it has a default.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from rag.domain import (
    ArticleRecord,
    Attribution,
    Kind,
    Passage,
    Period,
    Quantity,
    Sentence,
    Source,
)

log = logging.getLogger(__name__)

Scalar = str | int | bool
Fields = Mapping[str, Any]


class Form(NamedTuple):
    """How a kind of value is stored, and its type in SQL."""

    encode: Callable[[Any], Scalar]
    decode: Callable[[Any], Any]
    sql: str


def _ordinal(day: date | None) -> int:
    return day.toordinal() if day else 0


def _day(ordinal: int) -> date | None:
    return date.fromordinal(ordinal) if ordinal else None


def _written(pairs: Iterable[tuple[str, str]]) -> str:
    return json.dumps(dict(pairs)) if pairs else ""


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(json.loads(text or "{}").items())


TEXT = Form(str, str, "text")
NUMBER = Form(int, int, "integer")
FLAG = Form(bool, bool, "integer")
DAY = Form(_ordinal, _day, "integer")  # proleptic ordinals, 0 for none
PAIRS = Form(_written, _pairs, "text")


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a record, or of its source, under its name in storage.

    Without a `default` an index that lacks it is damaged.
    """

    key: str
    field: str
    form: Form
    of_source: bool = False
    default: Scalar | None = None


COLUMNS = (
    Column("title", "title", TEXT, of_source=True),
    Column("source", "name", TEXT, of_source=True),
    Column("author", "author", TEXT, of_source=True),
    Column("day", "published", DAY, of_source=True),
    Column("url", "url", TEXT, of_source=True),
    Column("section", "section", TEXT, of_source=True),
    Column("correction", "correction", FLAG, of_source=True, default=False),
    Column("modified", "modified", DAY, of_source=True, default=0),
    Column("deduced", "deduced", FLAG, of_source=True, default=False),
    Column("paywalled", "paywalled", FLAG, of_source=True, default=False),
    Column("fingerprint", "fingerprint", TEXT),
    Column("passages", "passages", NUMBER),
    Column("characters", "characters", NUMBER),
    Column("path", "path", TEXT),
    Column("generation", "generation", TEXT, default=""),
    Column("withdrawn", "withdrawn", DAY, default=0),
    Column("recipe", "recipe", NUMBER, default=0),
    Column("digest", "digest", TEXT, default=""),
    Column("edits", "edits", PAIRS, default=""),
)
_BY_FIELD = {c.field: c for c in COLUMNS}
# Fields of a source that its passages bear too: what a search filters by.
_SEARCHED = tuple(c for c in COLUMNS if c.key in {"source", "author", "section", "day"})


def record_fields(record: ArticleRecord) -> dict[str, Scalar]:
    """Return a record, but for its id, as plain values."""
    return {
        c.key: c.form.encode(getattr(record.source if c.of_source else record, c.field))
        for c in COLUMNS
    }


def changed_fields(changes: Fields) -> dict[str, Scalar]:
    """Return some fields of a record, by their names in the domain, as plain values."""
    return {_BY_FIELD[name].key: _BY_FIELD[name].form.encode(v) for name, v in changes.items()}


def record_of(article_id: str, stored: Fields) -> ArticleRecord:
    """Return the record that plain values tell.

    Raises KeyError, TypeError or ValueError for damaged ones.
    """
    values: dict[bool, dict[str, Any]] = {True: {}, False: {}}
    for c in COLUMNS:
        value = stored[c.key] if c.default is None else stored.get(c.key, c.default)
        values[c.of_source][c.field] = c.form.decode(value)
    return ArticleRecord(id=article_id, source=Source(**values[True]), **values[False])


def records_of(ids: Iterable[str], rows: Iterable[Any]) -> dict[str, ArticleRecord]:
    """Return the records that rows of plain values tell, by id; a damaged one is no record."""
    found = {}
    for article_id, stored in zip(ids, rows, strict=True):
        try:
            found[article_id] = record_of(article_id, stored)
        except (KeyError, TypeError, ValueError, AttributeError):
            log.warning("fiche abîmée : %s", article_id, exc_info=True)
    return found


def passage_fields(passage: Passage, source: Source) -> dict[str, Scalar]:
    """Return a passage, but for its id and text, as plain values; `source` is its article's."""
    return {
        "article_id": passage.article_id,
        "index": passage.index,
        "start": passage.start,
        "end": passage.end,
        "heading": passage.heading,
        "pages": " ".join(f"{at}:{page}" for at, page in passage.pages),
        **{c.key: c.form.encode(getattr(source, c.field)) for c in _SEARCHED},
    }


def passage_of(passage_id: str, text: str, stored: Fields) -> Passage:
    """Return the passage that its id, its text and plain values tell. Raises KeyError."""
    return Passage(
        id=passage_id,
        article_id=stored["article_id"],
        index=stored["index"],
        start=stored["start"],
        end=stored["end"],
        text=text,
        heading=stored["heading"],
        pages=tuple(
            (int(at), page)
            for part in stored.get("pages", "").split()
            for at, _, page in [part.partition(":")]
            if at.isdecimal()
        ),
    )


_KINDS = tuple(Kind)
_NONE: frozenset[str] = frozenset()
_UNATTRIBUTED = Attribution()
# Beside whether a sentence is a heading, in one number; an index of before has none.
_INJECTION = (None, False, True)


def pack_sentences(sentences: Sequence[Sentence]) -> bytes:
    """Return sentences as compressed JSON, then their vectors."""
    rows = [
        [
            s.start, s.end, " ".join(sorted(s.stems)), " ".join(sorted(s.names)),
            " ".join(sorted(s.numbers)),
            [[q.value, q.low, q.high, q.unit, q.start, q.end] for q in s.quantities],
            [[p.first.toordinal(), p.last.toordinal()] for p in s.periods],
            _KINDS.index(s.attribution.kind), s.attribution.speaker, s.attribution.marker,
            int(s.heading) + 2 * _INJECTION.index(s.injection), len(s.vector),
        ]
        for s in sentences
    ]  # fmt: skip
    head = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return zlib.compress(
        len(head).to_bytes(4) + head + b"".join(s.vector for s in sentences), level=6
    )


def unpack_vectors(blob: bytes, size: int) -> tuple[bytes, ...] | None:
    """Return the vectors of stored sentences, those that have one, each of `size` bytes.

    None for damaged ones, which are made again.
    """
    try:
        plain = zlib.decompress(blob)
    except zlib.error:
        return None
    start = 4 + int.from_bytes(plain[:4])
    count, rest = divmod(len(plain) - start, size)
    if count < 0 or rest:
        return None
    return tuple(plain[at : at + size] for at in range(start, len(plain), size))


def unpack_sentences(passage_id: str, blob: bytes) -> tuple[Sentence, ...] | None:
    """Return stored sentences; None for damaged ones, which are made again."""
    try:
        return _unpacked(blob)
    except (zlib.error, ValueError, TypeError, IndexError, KeyError):
        log.warning("phrases gardées abîmées, à refaire : %s", passage_id, exc_info=True)
        return None


def _unpacked(blob: bytes) -> tuple[Sentence, ...]:
    plain = zlib.decompress(blob)
    at = 4 + int.from_bytes(plain[:4])
    found = []
    for (start, end, stems, names, numbers, quantities, periods,
         kind, speaker, marker, heading, size) in json.loads(plain[4:at]):  # fmt: skip
        found.append(
            Sentence(
                start,
                end,
                frozenset(stems.split()),
                frozenset(names.split()) if names else _NONE,
                frozenset(numbers.split()) if numbers else _NONE,
                tuple(Quantity(*q) for q in quantities),
                tuple(Period(date.fromordinal(a), date.fromordinal(b)) for a, b in periods),
                Attribution(_KINDS[kind], speaker, marker) if kind or marker else _UNATTRIBUTED,
                bool(heading % 2),
                plain[at : at + size],
                _INJECTION[heading // 2],
            )
        )
        at += size
    return tuple(found)
