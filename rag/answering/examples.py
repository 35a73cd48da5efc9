"""Questions to propose: what the newest articles can be asked, in words that need no model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

from rag import texts
from rag.domain import Kind, Sentence, StoredArticle
from rag.french.dates import MONTHS

if TYPE_CHECKING:
    from collections.abc import Sequence

_FULL_NAME = re.compile(
    r"(?!D[eu]s? |L[ea]s? )[A-ZÀ-Þ][\w’'-]+(?: (?:de |du |d’|d')?[A-ZÀ-Þ][\w’'-]+)+"
)

_NAME = re.compile(r"(?<=[\w,;] )[A-ZÀ-Þ][\w’'-]{3,}")  # within a title, not at its head
_SEVERAL = 2  # titles


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
        if count < _SEVERAL:
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
