"""Questions to propose: what the newest articles can be asked, in words that need no model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
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


def of_months(months: Sequence[date]) -> Iterator[str]:
    """Yield a question about the last month in which articles were published."""
    if months:
        yield texts.EXAMPLE_MONTH.format(f"{MONTHS[months[-1].month - 1]} {months[-1].year}")


def of_words(
    articles: Iterable[tuple[StoredArticle, Mapping[str, Sequence[Sentence]]]],
) -> Iterator[str]:
    """Yield a question about the words of a person quoted in each article.

    Articles come with the sentences of their passages, by passage id.
    """
    for article, sentences in articles:
        for passage in article.passages:
            names = [
                s.attribution.speaker
                for s in sentences.get(passage.id, ())
                if s.attribution.kind is Kind.STATEMENT
                and _FULL_NAME.fullmatch(s.attribution.speaker)
            ]
            if names:
                yield texts.EXAMPLE_WORDS.format(names[0])
                break
