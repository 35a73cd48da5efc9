"""Articles looked for by their words and by what they are, without a question.

What is found is listed with an excerpt: an exact span of the article (I1) around the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from rag.domain import (
    BROKEN,
    ArticleQuery,
    ArticleRecord,
    ArticleResults,
    Citation,
    FoundArticle,
    Kind,
    Passage,
    QuotedSpeaker,
    StoredArticle,
)
from rag.french.words import content_stems, fold
from rag.indexing.article_index import runs_of
from rag.paid import Allowance

if TYPE_CHECKING:
    from rag.indexing.index import Index

Span = tuple[int, int]
_EXCERPT_LENGTH = 280  # characters
_LENGTH_BEFORE = 70  # of them before the first word that is marked
# A word as it is written, its combining accents too.
_WORD = re.compile(r"[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*(?:[.,]\d+)*")


def browse(
    index: Index, query: ArticleQuery, after: str, limit: int, paid_characters: int
) -> ArticleResults:
    """Return a page of what a query finds.

    Of an article that readers pay for an excerpt has at most `paid_characters`; of one that
    answers no more there is none. Raises CursorError.
    """
    matches = index.lexical.articles.search(query, after, limit)
    records = index.records_of(matches.ids)
    stems = frozenset(stem for run in runs_of(query.words) for stem in run)
    allowed = Allowance(paid_characters)
    passages = _passages(index, records.values(), sorted(stems))
    found = tuple(
        _found(records[i], passages.get(i), stems, allowed) for i in matches.ids if i in records
    )
    return ArticleResults(found, matches.next, matches.facets, index.articles())


def quoted_speakers(index: Index, article: StoredArticle) -> list[QuotedSpeaker]:
    """Return who is quoted in an article, as ingestion found them, in the order of the text.

    « Le Guen » is « Maëlle Le Guen » where the article has both.
    """
    cached = index.understood(article.passages)
    quotes: dict[str, list[Citation]] = {}
    for passage in article.passages:
        for sentence in cached[passage.id].sentences if passage.id in cached else ():
            speaker = sentence.attribution.speaker
            if sentence.attribution.kind is Kind.STATEMENT and speaker:
                cited = Citation.of(passage, article.record.source, sentence.start, sentence.end)
                quotes.setdefault(speaker, []).append(cited)
    whole: dict[str, list[Citation]] = {}
    for name, own in quotes.items():
        whole.setdefault(_full_name(name, quotes), []).extend(own)
    speakers = [
        QuotedSpeaker(name, tuple(sorted(all_of_it, key=lambda c: c.start)))
        for name, all_of_it in whole.items()
    ]
    return sorted(speakers, key=lambda s: s.citations[0].start)


def _full_name(name: str, names: Iterable[str]) -> str:
    """Return the one name that ends with the words of another, else that other itself."""
    end = f" {fold(name)}"
    longer = [other for other in names if fold(other).endswith(end)]
    return longer[0] if len(longer) == 1 else name


def _passages(
    index: Index, records: Iterable[ArticleRecord], stems: Sequence[str]
) -> dict[str, Passage]:
    """Return the passage of each article that says most of what is looked for, by article."""
    versions = [(r.id, r.version) for r in records if r.withdrawn is None and r.recipe != BROKEN]
    best = index.lexical.best_passages(stems, versions)
    stored = index.store.passages(list(best.values()))
    return {article: stored[i] for article, i in best.items() if i in stored}


def _found(
    record: ArticleRecord, passage: Passage | None, stems: AbstractSet[str], allowed: Allowance
) -> FoundArticle:
    in_title = tuple(marks_in(record.source.title, stems))
    if passage is None or not (marks := marks_in(passage.text, stems)):
        return FoundArticle(record, in_title=in_title)
    start, end = _window(passage.text, marks, stems)
    text = allowed.cut(record.source, record.id, passage.start + start, passage.text[start:end])
    if not text:
        return FoundArticle(record, in_title=in_title)
    end, base = start + len(text), passage.start
    return FoundArticle(
        record,
        Citation.of(passage, record.source, base + start, base + end),
        tuple((base + a, base + b) for a, b in marks if start <= a and b <= end),
        in_title,
    )


def marks_in(text: str, stems: AbstractSet[str]) -> list[Span]:
    """Return where the words of some stems stand in a text."""
    return [
        match.span()
        for match in _WORD.finditer(text)
        if not stems.isdisjoint(content_stems(match.group()))
    ]


def _window(text: str, marks: Sequence[Span], stems: AbstractSet[str]) -> Span:
    """Return the span, between words, around the marks that have most of the stems."""

    def shown(first: Span) -> int:
        room = first[0] + _EXCERPT_LENGTH - _LENGTH_BEFORE
        inside = (text[a:b] for a, b in marks if first[0] <= a and b <= room)
        return len({s for word in inside for s in content_stems(word)} & stems)

    best = max(marks, key=lambda m: (shown(m), -m[0]))
    start, end = (
        max(0, best[0] - _LENGTH_BEFORE),
        min(len(text), max(best[1], best[0] + _EXCERPT_LENGTH - _LENGTH_BEFORE)),
    )
    while 0 < start < best[0] and not text[start - 1].isspace():
        start += 1
    while end < len(text) and end > best[1] and not text[end].isspace():
        end -= 1
    while text[start].isspace():
        start += 1
    while text[end - 1].isspace():
        end -= 1
    return start, end
