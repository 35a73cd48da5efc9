"""Questions to propose: what the newest articles can be asked, in words that need no model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice, zip_longest
from typing import TYPE_CHECKING

from rag import texts
from rag.domain import ArticleRecord, Kind, Sentence, StoredArticle
from rag.errors import ArticleNotFoundError
from rag.french.dates import MONTHS

if TYPE_CHECKING:
    from rag.indexing.index import Index

_FULL_NAME = re.compile(
    r"(?!D[eu]s? |L[ea]s? )[A-ZÀ-Þ][\w’'-]+(?: (?:de |du |d’|d')?[A-ZÀ-Þ][\w’'-]+)+"
)

_NAME = re.compile(r"(?<=[\w,;] )[A-ZÀ-Þ][\w’'-]{3,}")  # within a title, not at its head
_SEVERAL_TITLES = 2  # titles
_MOST_QUESTIONS = 6  # questions
_NEWEST_ARTICLES = 20  # newest articles that questions are made of


class Examples:
    """Questions that the articles of an index answer, others each day."""

    def __init__(self, index: Index, answered: Callable[[str], bool]) -> None:
        """Take the index, and what tells whether a question has an answer there."""
        self._index = index
        self._answered = answered
        self._made: tuple[str, tuple[str, ...]] = ("", ())

    def forget(self) -> None:
        """Forget what was made of articles that are there no more."""
        self._made = ("", ())

    def today(self) -> tuple[str, ...]:
        """Return at most six questions, made again when the corpus or the day changes."""
        day = date.today()
        digest = f"{self._index.catalogue.digest()} {day}"
        if self._made[0] != digest:
            proposed = dict.fromkeys(self._proposed(day))  # one may be quoted in two sections
            self._made = digest, tuple(islice(filter(self._answered, proposed), _MOST_QUESTIONS))
        return self._made[1]

    def _proposed(self, day: date) -> Iterator[str]:
        """Yield questions of several kinds in turns; from other articles each day."""
        newest = self._index.catalogue.page(limit=_NEWEST_ARTICLES).records
        turned = day.toordinal() % max(1, len(newest))
        records = [*newest[turned:], *newest[:turned]]
        titles = [r.source.title for r in records]
        months = [month for month, _ in self._index.catalogue.facets().months]
        kinds = (of_months(months), self._of_words(records), of_names(titles), of_titles(titles))
        yield from (q for turn in zip_longest(*kinds) for q in turn if q)

    def _of_words(self, records: Sequence[ArticleRecord]) -> Iterator[str]:
        """Yield questions about the words of somebody, of each section or source one."""
        seen: set[str] = set()
        for record in records:
            topic = record.source.section or record.source.name
            if topic in seen:
                continue
            try:
                article = self._index.article(record.id)
            except ArticleNotFoundError:  # it has gone since it was listed
                continue
            cached = self._index.understood(article.passages)
            for question in of_words(article, {i: k.sentences for i, k in cached.items()}):
                seen.add(topic)
                yield question


def of_months(months: Sequence[date]) -> Iterator[str]:
    """Yield a question about the last month in which articles were published."""
    if months:
        yield texts.EXAMPLE_MONTH.format(f"{MONTHS[months[-1].month - 1]} {months[-1].year}")


def of_titles(titles: Sequence[str]) -> Iterator[str]:
    """Yield questions on what an article is about, the first articles first."""
    for title in titles:
        if title:
            yield texts.ABOUT_ARTICLE.format(title)


def of_names(titles: Sequence[str]) -> Iterator[str]:
    """Yield questions on a name that stands in several titles, the most frequent first."""
    named = Counter(name for title in titles for name in {m.group() for m in _NAME.finditer(title)})
    for name, count in named.most_common():
        if count < _SEVERAL_TITLES:
            return
        yield texts.EXAMPLE_ABOUT.format(name)


def of_words(article: StoredArticle, sentences: Mapping[str, Sequence[Sentence]]) -> Iterator[str]:
    """Yield a question about the words of the first person quoted in an article, if there is one.

    `sentences` are those of its passages, by passage id.
    """
    for passage in article.passages:
        for s in sentences.get(passage.id, ()):
            speaker = s.attribution.speaker
            named = _FULL_NAME.fullmatch(speaker) and not _is_place(speaker, passage.text)
            if s.attribution.kind is Kind.STATEMENT and named:
                yield texts.EXAMPLE_WORDS.format(speaker)
                return


def _is_place(name: str, text: str) -> bool:
    """Tell whether a name stands somewhere after « les », « à » or « aux », as no person's does."""
    return bool(re.search(rf"\b(?i:les|des|à|aux?|en)\s+{re.escape(name)}", text))
