"""Which articles may be found, as tantivy asks it: of passages and of whole articles alike."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from rag.domain import Filters

if TYPE_CHECKING:
    import tantivy

LAST_DAY = date.max.toordinal()


def filter_queries(
    schema: tantivy.Schema, filters: Filters, article_field: str
) -> list[tantivy.Query]:
    """Return what each of the filters in force asks; none counts in a score.

    The schema has `source`, `author`, `section` and `day` (an ordinal, 0 for none); the id of an
    article is in `article_field`.
    """
    import tantivy

    kind = tantivy.Query
    found = [
        kind.term_set_query(schema, field, list(names))
        for field, names in (
            ("source", filters.sources),
            ("author", filters.authors),
            ("section", filters.sections),
            (article_field, filters.articles),
        )
        if names
    ]
    if filters.since or filters.until:
        first = filters.since.toordinal() if filters.since else 1
        last = filters.until.toordinal() if filters.until else LAST_DAY
        integer = tantivy.FieldType.Integer
        found.append(kind.range_query(schema, "day", integer, first, last))
    return [kind.const_score_query(query, 0.0) for query in found]
