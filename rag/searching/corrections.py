"""What a paper has published since to correct an article."""

from __future__ import annotations

from rag.domain import ArticleRecord, Filters, StoredArticle
from rag.searching.matching import stem_set
from rag.searching.reranking import same_topic, topic_of
from rag.searching.retrieval import Retriever

_LOOKED_AT = 20  # passages of the same paper, since that day, nearest to the title


def corrections_of(article: StoredArticle, retriever: Retriever) -> list[ArticleRecord]:
    """Return what the same paper has published since to correct an article, the oldest first.

    None of an article without a date, or that is a correction itself. Raises EmbeddingError.
    """
    source = article.record.source
    if source.published is None or source.correction or not article.passages:
        return []
    filters = Filters(sources=(source.name,) if source.name else (), since=source.published)
    asked = source.title or article.passages[0].text
    found = {
        hit.passage.article_id: hit
        for hit in reversed(retriever.search(asked, _LOOKED_AT, filters))
        if hit.source.correction and hit.source.name == source.name
    }
    if not found:
        return []
    title = stem_set(source.title)
    topics = [
        title.union(*(s.stems for s in passage.sentences))
        for passage in retriever.index.understood(article.passages).values()
    ]
    about = [
        i for i, hit in found.items() if any(same_topic(topic_of(hit), topic) for topic in topics)
    ]
    records = retriever.index.records_of(about).values()
    return sorted(records, key=lambda r: (str(r.source.published), r.id))
