"""The words of whole articles in tantivy, with what they are counted by: a cache like the words.

The words of passages (`keyword_index.py`) answer questions; here an article is one document, so
that all words of a query need not stand in one passage, and what is found is counted by source,
section, author and month in the same engine. Terms are those of `french.content_stems`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from rag import messages
from rag.domain import MOST_FACETS, ArticleOrder, ArticleQuery, Facets, Source
from rag.errors import CursorError
from rag.french.words import content_stems
from rag.indexing.damage import report_damage, unwritable
from rag.indexing.filtering import LAST_DAY, filter_queries

if TYPE_CHECKING:
    import tantivy

LONGEST_WORDS = 300  # characters of a query
_MOST_STEMS = 30  # of a query
_TITLE_WEIGHT = 3.0
_LAST_PLACE = (1 << 63) - 1
_DEEPEST_PAGE = 10_000  # articles by relevance: nobody turns so many pages
_QUOTED = re.compile(r"«([^»]*)»|“([^”]*)”|\"([^\"]*)\"")
_CURSOR = re.compile(r"(relevance|newest|oldest)\.(\d{1,19})")
# The field that a list is ordered by; both hold the day, and what makes it the article's own.
_ORDERS = {ArticleOrder.NEWEST: "newest", ArticleOrder.OLDEST: "oldest"}


@dataclass(frozen=True, slots=True)
class IndexedArticle:
    """A version of an article as it is indexed: `stems` are those of its text, in order."""

    id: str
    version: str
    source: Source
    stems: Sequence[str]
    passages: int


@dataclass(frozen=True, slots=True)
class Matches:
    """Ids of articles in order, where the following ones begin ("" at the end), and the counts."""

    ids: tuple[str, ...]
    next: str
    facets: Facets


class ArticleIndex:
    """One document an article; `KeywordIndex` makes it and keeps it in step."""

    def __init__(self, folder: Path) -> None:
        """Open the index in `folder`, or make an empty one. Raises what tantivy does."""
        import tantivy

        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._schema = _schema()
        self._index = tantivy.Index(self._schema, path=str(folder))
        self._index.config_reader(reload_policy="manual")
        self._index.searcher()

    def clear(self) -> None:
        """Forget every article."""
        self._write((), None)

    def update(self, add: Sequence[IndexedArticle], drop: Iterable[tuple[str, str]] = ()) -> None:
        """Drop versions (article id, version), then add others; one commit. Raises StoreError."""
        self._write(add, {*drop, *((a.id, a.version) for a in add)})

    def _write(self, add: Sequence[IndexedArticle], drop: set[tuple[str, str]] | None) -> None:
        try:
            writer = self._index.writer(heap_size=15_000_000, num_threads=1)
            if drop is None:
                writer.delete_all_documents()
            for article_id, version in drop or ():
                writer.delete_documents_by_term("version", f"{article_id}:{version}")
            for article in add:
                writer.add_document(_document(article))
            writer.commit()
            writer.wait_merging_threads()
            self._index.reload()
        except (ValueError, OSError) as error:
            raise unwritable(self.folder, error) from error

    @report_damage
    def search(self, query: ArticleQuery, after: str = "", limit: int = 20) -> Matches:
        """Return the articles that a query finds, from where `after` says. Raises CursorError."""
        import tantivy

        order, at = query.ordered_by, _place(after, query.ordered_by)
        wanted = self._query(query)
        searcher = self._index.searcher()
        facets = _facets(searcher, wanted)
        if order is ArticleOrder.RELEVANCE:
            found = searcher.search(wanted, limit + 1, count=False, offset=at or 0)
            following = (at or 0) + limit
        else:
            newest = order is ArticleOrder.NEWEST
            if at is not None:
                wanted = self._beyond(wanted, _ORDERS[order], at, newest=newest)
            found = searcher.search(
                wanted, limit + 1, count=False, order_by_field=_ORDERS[order],
                order=tantivy.Order.Desc if newest else tantivy.Order.Asc,
            )  # fmt: skip
            following = int(found.hits[limit - 1][0]) if len(found.hits) > limit else 0
        ids = [str(searcher.doc(address)["id"][0]) for _, address in found.hits]
        more = len(ids) > limit and (
            order is not ArticleOrder.RELEVANCE or following < _DEEPEST_PAGE
        )
        # While a version takes the place of another, both are there.
        shown = tuple(dict.fromkeys(ids[:limit]))
        return Matches(shown, f"{order}.{following}" if more else "", facets)

    @report_damage
    def size(self) -> int:
        """Return the number of articles held, for checks."""
        return int(self._index.searcher().num_docs)

    def _query(self, query: ArticleQuery) -> tantivy.Query:
        """Return what finds the articles of a query; words of no meaning find none."""
        import tantivy

        must, kind = tantivy.Occur.Must, tantivy.Query
        clauses = [(must, q) for q in filter_queries(self._schema, query.filters, "id")]
        if query.words.strip():
            runs = runs_of(query.words)
            clauses += [(must, self._run(run)) for run in runs] or [(must, kind.empty_query())]
        return kind.boolean_query(clauses) if clauses else kind.all_query()

    def _run(self, stems: Sequence[str]) -> tantivy.Query:
        """Return what finds stems that follow each other, in the text or in the title."""
        import tantivy

        kind, should = tantivy.Query, tantivy.Occur.Should

        def within(field: str) -> tantivy.Query:
            if len(stems) == 1:
                return kind.term_query(self._schema, field, stems[0], index_option="freq")
            return kind.phrase_query(self._schema, field, list(stems))

        title = kind.boost_query(within("title"), _TITLE_WEIGHT)
        return kind.boolean_query([(should, within("text")), (should, title)])

    def _beyond(self, wanted: tantivy.Query, field: str, at: int, *, newest: bool) -> tantivy.Query:
        """Return what finds the part of a list that follows a place."""
        import tantivy

        low, high = (-1, at - 1) if newest else (at + 1, _LAST_PLACE)
        integer = tantivy.FieldType.Integer
        part = tantivy.Query.range_query(self._schema, field, integer, low, high)
        must = tantivy.Occur.Must
        return tantivy.Query.boolean_query([(must, wanted), (must, part)])


def runs_of(words: str) -> list[list[str]]:
    """Return the stems that are looked for, each alone but those between quotation marks."""
    words = words[:LONGEST_WORDS]
    quoted = [content_stems("".join(m.groups(""))) for m in _QUOTED.finditer(words)]
    alone = [[stem] for stem in content_stems(_QUOTED.sub(" ", words))]
    return [run for run in [*quoted, *alone] if run][:_MOST_STEMS]


def _place(after: str, order: ArticleOrder) -> int | None:
    """Return the place that a cursor tells, None for the beginning."""
    if not after:
        return None
    read = _CURSOR.fullmatch(after)
    if read is None or read[1] != order:
        raise CursorError(messages.BAD_CURSOR)
    most = _DEEPEST_PAGE if order is ArticleOrder.RELEVANCE else _LAST_PLACE - 1
    if (at := int(read[2])) > most:
        raise CursorError(messages.BAD_CURSOR)
    return at


def _facets(searcher: tantivy.Searcher, wanted: tantivy.Query) -> Facets:
    """Return the counts of what a query finds."""
    names = {"sources": "source", "authors": "author", "sections": "section"}
    asked: dict[str, Any] = {
        key: {"terms": {"field": field, "size": MOST_FACETS + 1}} for key, field in names.items()
    }
    asked["days"] = {"terms": {"field": "month", "size": 65_000}}
    asked["first"] = {"min": {"field": "dated"}}
    asked["last"] = {"max": {"field": "dated"}}
    asked["passages"] = {"sum": {"field": "passages"}}
    asked["articles"] = {"value_count": {"field": "day"}}
    found = searcher.aggregate(wanted, asked)
    counts = {
        key: sorted(
            ((b["key"], int(b["doc_count"])) for b in found[key]["buckets"] if b["key"]),
            key=lambda named: (-named[1], named[0]),
        )
        for key in names
    }
    months = sorted((int(b["key"]), int(b["doc_count"])) for b in found["days"]["buckets"])
    return Facets(
        **{key: tuple(some[:MOST_FACETS]) for key, some in counts.items()},
        first=_day(found["first"]["value"]),
        last=_day(found["last"]["value"]),
        articles=int(found["articles"]["value"] or 0),
        passages=int(found["passages"]["value"] or 0),
        months=tuple((date(m // 12, m % 12 + 1, 1), n) for m, n in months if m),
    )


def _day(ordinal: float | None) -> date | None:
    return date.fromordinal(int(ordinal)) if ordinal else None


def _document(article: IndexedArticle) -> tantivy.Document:
    import tantivy

    source = article.source
    own = crc32(article.id.encode())
    dated = {"dated": source.day} if source.day else {}
    return tantivy.Document(
        id=article.id,
        version=f"{article.id}:{article.version}",
        title=" ".join(content_stems(source.title)),
        text=" ".join(article.stems),
        source=source.name,
        author=source.author,
        section=source.section,
        day=source.day,
        month=source.published.year * 12 + source.published.month - 1 if source.published else 0,
        passages=article.passages,
        newest=(source.day << 32) + own,
        oldest=((source.day or LAST_DAY + 1) << 32) + own,
        **dated,
    )


def _schema() -> tantivy.Schema:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("version", tokenizer_name="raw", index_option="basic")
    for name in ("source", "author", "section"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    for name in ("title", "text"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    for name in ("day", "dated", "month", "passages", "newest", "oldest"):
        builder.add_integer_field(name, indexed=True, fast=True)
    return builder.build()
