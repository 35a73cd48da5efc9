"""The list of articles page by page, and what the index is made of, out of its records.

A cursor is the place of the last article shown, not a number of articles: what
is added or removed meanwhile makes no other article come twice, or never.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Collection, Iterable
from itertools import islice

from pydantic import TypeAdapter, ValidationError

from rag import texts
from rag.domain import MOST_FACETS, ArticlePage, ArticleRecord, Facets
from rag.errors import CursorError
from rag.french import words as french

Place = tuple[int, str, str]
_PLACE = TypeAdapter(Place)
_TITLE = 60  # characters of the title in a place: a cursor travels in an address


def page_of(
    records: Collection[ArticleRecord], after: str, limit: int, words: str = ""
) -> ArticlePage:
    """Return up to `limit` records from where `after` says, newest first. Raises CursorError.

    `words` keeps those that have a word of the title beginning with each of them.
    """
    begins = _read(after) if after else None
    wanted = french.words(words)
    kept = [r for r in records if (begins is None or place(r) > begins) and _titled(r, wanted)]
    kept.sort(key=place)
    shown = tuple(kept[:limit])
    following = cursor(shown[-1]) if len(kept) > limit else ""
    return ArticlePage(shown, following, len(records))


def facets_of(records: Collection[ArticleRecord]) -> Facets:
    """Return what records say of their index."""
    sources = [r.source for r in records]
    days = sorted(s.published for s in sources if s.published)
    months = Counter(day.replace(day=1) for day in days)
    return Facets(
        sources=_counted(s.name for s in sources),
        authors=_counted(s.author for s in sources),
        sections=_counted(s.section for s in sources),
        first=days[0] if days else None,
        last=days[-1] if days else None,
        articles=len(records),
        passages=sum(r.passages for r in records),
        months=tuple(months.items()),
    )


def place(record: ArticleRecord) -> Place:
    """Return what orders records: the newest first, then by title; no two are equal."""
    return -record.source.day, record.source.title[:_TITLE], record.id


def cursor(record: ArticleRecord) -> str:
    """Return the cursor of what comes after a record, in characters that an address may have."""
    return base64.urlsafe_b64encode(_PLACE.dump_json(place(record))).decode().rstrip("=")


def _read(after: str) -> Place:
    try:
        coded = base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True)
        return _PLACE.validate_json(coded)
    except (ValueError, ValidationError) as error:
        raise CursorError(texts.BAD_CURSOR) from error


def _titled(record: ArticleRecord, wanted: list[str]) -> bool:
    if not wanted:
        return True
    there = french.words(record.source.title)
    return all(any(word.startswith(w) for word in there) for w in wanted)


def _counted(names: Iterable[str]) -> tuple[tuple[str, int], ...]:
    found = Counter(name for name in names if name)
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(islice(ranked, MOST_FACETS))
