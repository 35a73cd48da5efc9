"""Corrections beside what they correct: before it in a list, and told where it is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.domain import ArticleRecord, Filters, Hit, StoredArticle
from rag.searching.matching import stem_set

if TYPE_CHECKING:
    from rag.searching.retrieval import Retriever

_SAME_TOPIC = 0.25  # share of content words in common
_LOOKED_AT = 20  # passages of the same paper, since that day, nearest to the title


def corrections_first(hits: Sequence[Hit]) -> list[Hit]:
    """Move a passage of a correction before the first older passage that it speaks of.

    It speaks of another when they share a good part of their words.
    """
    ordered = list(hits)
    for hit in hits:
        day = hit.source.published
        if day is None or not hit.source.correction:
            continue
        at = ordered.index(hit)
        for place, other in enumerate(ordered[:at]):
            older = other.source.published is not None and other.source.published < day
            if older and _same_topic(_topic(hit), _topic(other)):
                ordered.insert(place, replace(ordered.pop(at), score=other.score))
                break
    return ordered


def corrections_of(article: StoredArticle, retriever: Retriever) -> list[ArticleRecord]:
    """Return what the same paper has published since to correct an article, the oldest first.

    None of an article without a date, or that is a correction itself. Raises EmbeddingError.
    """
    own, source = article.record.id, article.record.source
    if source.published is None or source.correction or not article.passages:
        return []
    filters = Filters(sources=(source.name,) if source.name else (), since=source.published)
    asked = source.title or article.passages[0].text
    found = {
        hit.passage.article_id: hit
        for hit in reversed(retriever.search(asked, _LOOKED_AT, filters))
        if hit.source.correction and hit.source.name == source.name
    }
    found.pop(own, None)
    if not found:
        return []
    title = stem_set(source.title)
    topics = [
        title.union(*(s.stems for s in passage.sentences))
        for passage in retriever.index.understood(article.passages).values()
    ]
    about = [
        i for i, hit in found.items() if any(_same_topic(_topic(hit), topic) for topic in topics)
    ]
    records = retriever.index.records_of(about).values()
    return sorted(records, key=lambda r: (str(r.source.published), r.id))


def _topic(hit: Hit) -> frozenset[str]:
    return stem_set(hit.source.title).union(*(s.stems for s in hit.sentences))


def _same_topic(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _SAME_TOPIC * min(len(one), len(other))
