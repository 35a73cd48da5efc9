"""Which kind of answer a question gets from the articles' own sentences: the router of extracts.

Articles listed, what happened, what somebody said, or the sentences that the reader believes in;
a refusal where none of these can be had.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from rag import texts
from rag.answering.evidence import find_evidence, rerank_by_reader
from rag.answering.extractive import MODE, chronicle, compose
from rag.answering.overview import (
    about,
    key_sentences,
    one_each,
    only_a_time,
    speaker_of,
    subject,
    words_of,
)
from rag.answering.premise import is_denied
from rag.answering.refusal import is_answered, refuse
from rag.domain import Answer, Filters, Hit, Period
from rag.french.sentences import sentence_spans
from rag.french.words import words

if TYPE_CHECKING:
    from rag.answering.followup import Rewriting
    from rag.checking.prompt_injection import InjectionDetector
    from rag.indexing.index import Index
    from rag.models.comparer import Comparer
    from rag.models.reader import Reader
    from rag.searching.question import Question
    from rag.searching.retrieval import Retriever
    from rag.settings import Settings

log = logging.getLogger(__name__)

_SHARED_WORDS = 2  # words in common with a question that is not about another thing
_MOST_ORDERS = 3  # times that an answer is made again without sentences that speak to a machine
_MOST_LISTED = 20  # articles that are listed at most
_MOST_UNDATED = 3  # articles without a date that are named


@dataclass(frozen=True)
class _Search:
    """What is found for a question, whatever is looked at again: never the `barred` sentences."""

    retriever: Retriever
    question: Question
    filters: Filters | None
    barred: AbstractSet[str] = frozenset()

    def hits(self, limit: int) -> list[Hit]:
        """Return up to `limit` passages, best first."""
        found = self.retriever.search(self.question, limit, self.filters)
        return [_without(hit, self.barred) for hit in found]

    def whole(self, hits: Sequence[Hit]) -> list[Hit]:
        """Return all passages of the first articles of hits; see `Retriever.whole`."""
        return [_without(hit, self.barred) for hit in self.retriever.whole(self.question, hits)]

    def within(self, period: Period) -> _Search:
        """Return the same for what was published in a period."""
        filters = self.filters or Filters()
        since = max(period.first, filters.since) if filters.since else period.first
        until = min(period.last, filters.until) if filters.until else period.last
        return replace(self, filters=replace(filters, since=since, until=until))


class Router:
    """Answers questions over one index with sentences of its articles, or refuses."""

    def __init__(
        self,
        settings: Settings,
        index: Index,
        retriever: Retriever,
        reader: Reader,
        comparer: Comparer,
        injections: InjectionDetector,
    ) -> None:
        """Take what finds passages, what reads and compares them, who speaks to machines."""
        self.settings = settings
        self.index = index
        self.retriever = retriever
        self.reader = reader
        self.comparer = comparer
        self.injections = injections

    def answer_best(
        self, candidates: Sequence[Rewriting], before: str, filters: Filters | None
    ) -> tuple[str, Answer]:
        """Return, of the ways to understand a question, the one that is answered best.

        Given as what a reader is told of it, and its answer; where none has one, the first. Both
        questions at once are answered by another sentence than that of the answer `before`.
        """
        first: tuple[str, Answer] | None = None
        for rank, some in groupby(candidates, key=lambda c: c.rank):
            answers = [(c.shown, self.answer(c.searched, filters, c.spoken)) for c in some]
            first = first or answers[0]
            answered = [
                (shown, a)
                for shown, a in answers
                if not a.refused and not (rank and a.statements[0].text in before)
            ]
            if answered:
                return max(answered, key=lambda a: a[1].probability or 0.0)
        if first is None:
            raise AssertionError("a question has a way to be understood")
        return first

    def answer(self, asked: str, filters: Filters | None, spoken: str | None = None) -> Answer:
        """Return an answer none of whose sentences speaks to a machine, or a refusal.

        `spoken` is the question in its reader's words, where terms were added to what is `asked`:
        what it supposes stands there.
        """
        question = self.retriever.understood(asked)
        found = _Search(self.retriever, question, filters)
        hits = found.hits(self.settings.answer_passages)
        for _ in range(_MOST_ORDERS):
            answer, read = self._extract_from(question, spoken or asked, hits, found)
            flags = _injections(read)
            orders = {t for t in _shown_by(answer) if self.injections.is_injection(t, flags.get(t))}
            if not orders:
                return replace(answer, notice=self._undated(question, answer, hits, filters))
            log.warning("phrases adressées à un programme écartées : %d", len(orders))
            found = replace(found, barred=found.barred | orders)
            hits = [_without(hit, orders) for hit in hits]
        return refuse(question, [], (), MODE)

    def _undated(
        self, question: Question, answer: Answer, hits: Sequence[Hit], filters: Filters | None
    ) -> str:
        """Return which articles have no date, where a period is asked about; "" where none is.

        Of those found, the ones that are cited, or that name all that the question names.
        """
        dated = filters is not None and (filters.since or filters.until)
        part = filters.named if filters else None
        counted = question.time.periods or dated
        if not counted or not (count := self.index.catalogue.undated(part)):
            return ""
        cited = {c.article_id for s in answer.statements for c in s.citations}
        titles = dict.fromkeys(
            h.source.title
            for h in hits
            if h.source.published is None and h.source.title
            and (h.passage.article_id in cited or (not cited and _names_all(question, h)))
        )  # fmt: skip
        if not titles and not dated and not only_a_time(question):
            return ""
        return texts.undated(list(titles)[:_MOST_UNDATED], count)

    def _extract_from(
        self, question: Question, asked: str, hits: Sequence[Hit], found: _Search
    ) -> tuple[Answer, Sequence[Hit]]:
        """Return an answer or a refusal, and the hits that its sentences are of."""
        for kind in (self._articles, self._overview, self._words):
            if answered := kind(question, hits, found):
                return answered
        evidence, probability = find_evidence(question, hits, self.index.scale, self.reader)
        log.info("probabilité de réponse : %.2f", probability)
        hits = rerank_by_reader(hits, evidence)
        if not evidence or not is_answered(probability, self.settings.caution):
            answer = refuse(question, evidence, hits, MODE, probability)
        else:
            several = question.intent.several
            most = self.settings.overview_sentences if several else self.settings.answer_sentences
            answer = compose(question.text, evidence, hits, most, several=several)
            if is_denied(asked, evidence[0], self.comparer):
                answer = replace(
                    answer, intro=texts.OTHERWISE, text=f"{texts.OTHERWISE}\n\n{answer.text}"
                )
        return replace(answer, probability=probability), hits

    def with_suggestion(self, refusal: Answer, filters: Filters | None) -> Answer:
        """Return a refusal with a question about the nearest article, where it has an answer."""
        near = next(iter(refusal.nearest), None)
        if near is None or len(near.shared) < _SHARED_WORDS or not near.citation.source.title:
            return refusal
        asked = texts.ABOUT_ARTICLE.format(near.citation.source.title)
        question = self.retriever.understood(asked)
        found = _Search(self.retriever, question, filters)
        hits = found.hits(self.settings.answer_passages)
        if not hits or hits[0].passage.article_id != near.citation.article_id:
            return refusal
        overview = self._overview(question, hits, found)
        return replace(refusal, suggestion=asked if overview else "")

    def _articles(
        self, question: Question, _hits: Sequence[Hit], found: _Search
    ) -> tuple[Answer, Sequence[Hit]] | None:
        """Return a sentence of each article about a subject or of a time, where that is asked.

        Of a time are the articles published then.
        """
        if not question.intent.articles and not (
            question.intent.overview and only_a_time(question)
        ):
            return None
        if only_a_time(question):
            found = found.within(question.time.periods[0])
        hits = found.hits(self.settings.candidates)
        most = question.intent.count or 2 * self.settings.overview_sentences
        evidence = one_each(question, hits, min(most, _MOST_LISTED))
        if not evidence:
            return None
        shown = hits[: self.settings.answer_passages]
        titled = question.intent.articles
        return chronicle(question.text, evidence, shown, titled=titled), hits

    def _words(
        self, question: Question, hits: Sequence[Hit], found: _Search
    ) -> tuple[Answer, Sequence[Hit]] | None:
        """Return what somebody said, where that is asked and articles quote him."""
        if not question.intent.words:
            return None
        whole = found.whole(hits)
        evidence = words_of(question, whole, self.settings.overview_sentences)
        if not evidence:
            return None
        return chronicle(question.text, evidence, hits, speaker_of(evidence[0])), whole

    def _overview(
        self, question: Question, hits: Sequence[Hit], found: _Search
    ) -> tuple[Answer, Sequence[Hit]] | None:
        """Return what happened, where that is asked and an article is about it."""
        if not question.intent.overview:
            return None
        alone = not subject(question)
        part = found.filters.named if found.filters else None
        if alone and self.index.catalogue.facets(part).articles > 1:
            return None  # « de quoi parle l'article ? » says not which
        probability = about(question, hits)
        log.info("probabilité que les articles en parlent : %.2f", probability)
        if not alone and not is_answered(probability, self.settings.caution):
            return None
        whole = found.whole(hits)
        evidence = key_sentences(question, whole, self.settings.overview_sentences)
        if not evidence:
            return None
        return replace(chronicle(question.text, evidence, hits), probability=probability), whole


def _names_all(question: Question, hit: Hit) -> bool:
    """Tell whether a hit, under its title, has the names that a question has, at least one."""
    present = set(words(f"{hit.source.title}\n{hit.passage.text}"))
    return bool(question.names) and question.names <= present


def _shown_by(answer: Answer) -> Iterator[str]:
    """Yield the sentences that an answer or a refusal quotes."""
    cited = [c for s in answer.statements for c in s.citations]
    for citation in (*cited, *(near.citation for near in answer.nearest)):
        for start, end in sentence_spans(citation.quote):
            yield citation.quote[start:end]


def _injections(hits: Sequence[Hit]) -> dict[str, bool | None]:
    """Return, by text, what was told at ingestion of the sentences of hits."""
    return {
        hit.passage.text[s.start - hit.passage.start : s.end - hit.passage.start]: s.injection
        for hit in hits
        for s in hit.sentences
    }


def _without(hit: Hit, orders: AbstractSet[str]) -> Hit:
    """Return a hit without the sentences, and the title, that are among `orders`."""
    if not orders:
        return hit
    passage = hit.passage
    source = replace(hit.source, title="") if hit.source.title in orders else hit.source
    places = [
        at
        for at, s in enumerate(hit.sentences)
        if passage.text[s.start - passage.start : s.end - passage.start] not in orders
    ]
    return replace(
        hit,
        source=source,
        sentences=tuple(hit.sentences[at] for at in places),
        cosines=tuple(hit.cosines[at] for at in places) if hit.cosines else (),
    )
