"""What answers and checks over one open index: retrieval, extracts or a model, claims.

A request keeps the `Answerer` that it began with: an index that takes the place of another
(`recoupe reindex`) changes nothing under it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Generator as Coroutine
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date
from itertools import groupby, islice, zip_longest
from typing import TYPE_CHECKING

from rag import texts
from rag.answering import about_corpus, examples
from rag.answering.evidence import find_evidence, rerank_by_reader
from rag.answering.extractive import MODE, chronicle, compose
from rag.answering.followup import Rewriting, rewrite_candidates
from rag.answering.overview import (
    about,
    asks_articles,
    asks_overview,
    asks_several,
    asks_words,
    how_many_articles,
    key_sentences,
    one_each,
    only_a_time,
    speaker_of,
    subject,
    words_of,
)
from rag.answering.refusal import refuse
from rag.chatmodel.writing import Draft, Generator, Retried, load_generator
from rag.checking.linear_classifier import LinearClassifier
from rag.checking.prompt_injection import InjectionDetector
from rag.checking.support import SupportCheck
from rag.citations import render
from rag.domain import (
    Answer,
    ArticleRecord,
    CheckedClaim,
    Filters,
    Hit,
    Statement,
    Turn,
    Verification,
)
from rag.errors import ArticleNotFoundError, ModelError, QuestionError
from rag.french.sentences import sentence_spans
from rag.french.words import words
from rag.models.comparer import Comparer
from rag.models.encoder import Encoder
from rag.models.reader import Reader
from rag.paid import Allowance, bounded_events, bounded_hits
from rag.searching.reranking import load_reranker
from rag.searching.retrieval import Retriever

if TYPE_CHECKING:
    from rag.checking.checker import Checker
    from rag.indexing.index import Index
    from rag.searching.question import Question
    from rag.settings import Settings

log = logging.getLogger(__name__)

LONGEST_QUESTION = 1000  # characters
_LONGEST_ANSWER, _MOST_TURNS = 10_000, 10  # characters, and turns of a conversation, that are read
_EXAMPLES = 6
_NEAR = 2  # words in common with a question that is not about another thing
_MOST_ORDERS = 3  # times that an answer is made again without sentences that speak to a machine
_TITLES, _MOST_LISTED = 3, 20  # articles that are named, and listed at most
_UNDATED = 3  # articles without a date that are named
_LOOKED_AT = 20  # newest articles that examples are made of
OnClaim = Callable[[CheckedClaim], None]
Event = Draft | Statement | Answer


class Answerer:
    """Answers over one index; the index is its caller's to close."""

    def __init__(self, settings: Settings, index: Index) -> None:
        """Load what answering needs. Raises SettingsError."""
        self.settings = settings
        self.index = index
        self.retriever = Retriever(index, settings.candidates, load_reranker(settings))
        self.reader, self.comparer = Reader(), Comparer()
        embedder = index.embedder
        default = embedder if isinstance(embedder, Encoder) else Encoder()
        self.injections = InjectionDetector(default)
        self.opinions = LinearClassifier(default, "opinions")
        self.support = SupportCheck(self.comparer, self.injections)
        self._generator: Generator | None = None
        self._checker: Checker | None = None  # loads the French parser, 1 s
        self._examples: tuple[str, tuple[str, ...]] = ("", ())

    def forget(self) -> None:
        """Forget what was made of articles that are there no more."""
        self._examples = ("", ())

    def examples(self) -> tuple[str, ...]:
        """Return at most six questions that the corpus, as it is, answers; others each day."""
        today = date.today()
        digest = f"{self.index.catalogue.digest()} {today}"
        if self._examples[0] != digest:
            proposed = dict.fromkeys(self._proposed(today))  # one may be quoted in two sections
            answered = (q for q in proposed if not self._extract(q, None).refused)
            self._examples = digest, tuple(islice(answered, _EXAMPLES))
        return self._examples[1]

    def _proposed(self, today: date) -> Iterator[str]:
        """Yield questions of several kinds in turns; from other articles each day."""
        newest = self.index.catalogue.page(limit=_LOOKED_AT).records
        turned = today.toordinal() % max(1, len(newest))
        records = [*newest[turned:], *newest[:turned]]
        months = [month for month, _ in self.index.catalogue.facets().months]
        kinds = (
            examples.of_months(months),
            self._of_words(records),
            examples.of_names([r.source.title for r in records]),
            examples.of_titles([r.source.title for r in records]),
        )
        yield from (q for turn in zip_longest(*kinds) for q in turn if q)

    def _of_words(self, records: Sequence[ArticleRecord]) -> Iterator[str]:
        """Yield questions about the words of somebody, of each section or source one."""
        seen: set[str] = set()
        for record in records:
            topic = record.source.section or record.source.name
            if topic in seen:
                continue
            try:
                article = self.index.article(record.id)
            except ArticleNotFoundError:  # it has gone since it was listed
                continue
            kept = self.index.understood(article.passages)
            for question in examples.of_words(article, {i: k.sentences for i, k in kept.items()}):
                seen.add(topic)
                yield question

    def search(self, question: str, limit: int, filters: Filters | None = None) -> list[Hit]:
        """Return up to `limit` passages, best first."""
        hits = self.retriever.search(_checked(question), limit, filters)
        return bounded_hits(hits, self.settings.paid_characters)

    def stream(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> Iterator[Event]:
        """Yield an answer as it forms: drafts, statements, and the whole Answer last.

        Raises QuestionError, EmbeddingError. A language model that fails is
        replaced by extracts, and the answer's `notice` says so.
        """
        allowed = Allowance(self.settings.paid_characters)
        yield from bounded_events(self._stream(question, history, filters, allowed), allowed)

    def _stream(
        self, question: str, history: Sequence[Turn], filters: Filters | None, allowed: Allowance
    ) -> Iterator[Event]:
        question = _checked(question)
        history = [
            Turn(t.question[:LONGEST_QUESTION], t.answer[:_LONGEST_ANSWER])
            for t in history[-_MOST_TURNS:]
        ]
        if not self.index.articles():
            yield Answer(question, (), (), refused=True, mode="", text=texts.EMPTY_INDEX)
            return
        facets = self.index.catalogue.facets()
        history = [t for t in history if not about_corpus.reply(t.question, facets, tuple)]
        if told := about_corpus.reply(question, facets, self._titles, following=bool(history)):
            yield told
            return
        generator = self._load_generator()
        notice = ""
        asked = question
        try:
            if generator and history:
                asked = generator.rewrite(question, history)
        except ModelError as error:
            generator, notice = None, texts.NO_MODEL_NOTICE.format(error)
        if generator:
            try:
                hits = self._search_parts(generator.decompose(asked), filters)
                if hits:
                    answer = yield from self._generate(generator, question, asked, hits, allowed)
                    yield answer
                    return
            except ModelError as error:
                notice = texts.NO_MODEL_NOTICE.format(error)
        before = history[-1].answer if history else ""
        asked, answer = self._extracted(rewrite_candidates(question, history), before, filters)
        if answer.refused:
            answer = self._with_suggestion(answer, filters)
        answer = replace(
            answer,
            question=question,
            asked=asked,
            notice=" ".join(n for n in (notice, answer.notice) if n),
        )
        yield from answer.statements
        yield answer

    def _titles(self) -> list[str]:
        """Return the titles of the newest articles."""
        records = self.index.catalogue.page(limit=_TITLES).records
        return [record.source.title for record in records if record.source.title]

    def verify(
        self, text: str, filters: Filters | None = None, on_claim: OnClaim = lambda _: None
    ) -> Verification:
        """Return the verdict on each claim of a text; `on_claim` hears them one by one.

        Raises QuestionError for a text without a claim, or too long.
        """
        for step in self.checker().check(text, filters):
            if isinstance(step, Verification):
                return step
            on_claim(step)
        raise AssertionError("a check ends with its verification")

    def checker(self) -> Checker:
        """Return what checks claims over this index. Raises SettingsError."""
        if self._checker is None:
            from rag.chatmodel.engines import load_entailment, load_splitter
            from rag.checking.checker import Checker
            from rag.checking.verdict import Bar

            made = Checker(
                self.index,
                self.retriever,
                load_entailment(self.settings),
                self.injections,
                self.opinions,
                Bar.of(self.settings.verdict_precision),
                load_splitter(self.settings),
                self.settings.paid_characters,
            )
            self._checker = made
        return self._checker

    def _search_parts(self, parts: Sequence[str], filters: Filters | None) -> list[Hit]:
        """Return the passages for each part of a question, taken in turns, none twice."""
        found = [self.retriever.search(p, self.settings.answer_passages, filters) for p in parts]
        turns = [hit for hits in zip_longest(*found) for hit in hits if hit]
        distinct = {hit.passage.id: hit for hit in reversed(turns)}
        ordered = [distinct[i] for i in dict.fromkeys(hit.passage.id for hit in turns)]
        return ordered[: self.settings.answer_passages + 2 * (len(parts) - 1)]

    def _extracted(
        self, candidates: Sequence[Rewriting], before: str, filters: Filters | None
    ) -> tuple[str, Answer]:
        """Return, of the ways to understand a question, the one that is answered best.

        Given as what a reader is told of it, and its answer; where none has one, the first. Both
        questions at once are answered by another sentence than that of the answer `before`.
        """
        first: tuple[str, Answer] | None = None
        for rank, some in groupby(candidates, key=lambda c: c.rank):
            answers = [(c.shown, self._extract(c.searched, filters)) for c in some]
            first = first or answers[0]
            told = [
                (shown, a)
                for shown, a in answers
                if not a.refused and not (rank and a.statements[0].text in before)
            ]
            if told:
                return max(told, key=lambda a: a[1].probability or 0.0)
        if first is None:
            raise AssertionError("a question has a way to be understood")
        return first

    def _extract(self, asked: str, filters: Filters | None) -> Answer:
        """Return an answer none of whose sentences speaks to a machine, or a refusal."""
        question = self.retriever.understood(asked)
        hits = self.retriever.search(question, self.settings.answer_passages, filters)
        for _ in range(_MOST_ORDERS):
            answer, read = self._extract_from(question, asked, hits, filters)
            known = _injections(read)
            orders = {t for t in _shown_by(answer) if self.injections.is_injection(t, known.get(t))}
            if not orders:
                return replace(answer, notice=self._undated(question, answer, hits, filters))
            log.warning("phrases adressées à un programme écartées : %d", len(orders))
            hits = [_without(hit, orders) for hit in hits]
        return refuse(question, [], (), MODE)

    def _undated(
        self, question: Question, answer: Answer, hits: Sequence[Hit], filters: Filters | None
    ) -> str:
        """Return which articles have no date, where a period is asked about; "" where none is.

        Of those found, the ones that are cited, or that name all that the question names.
        """
        dated = filters is not None and (filters.since or filters.until)
        if not (question.time.periods or dated) or not (count := self.index.catalogue.undated()):
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
        return texts.undated(list(titles)[:_UNDATED], count)

    def _extract_from(
        self, question: Question, asked: str, hits: Sequence[Hit], filters: Filters | None
    ) -> tuple[Answer, Sequence[Hit]]:
        """Return an answer or a refusal, and the hits that its sentences are of."""
        for told in (self._articles, self._overview, self._words):
            if answered := told(question, hits, filters):
                return answered
        evidence, probability = find_evidence(question, hits, self.index.scale, self.reader)
        log.info("probabilité de réponse : %.2f", probability)
        hits = rerank_by_reader(hits, evidence)
        if not evidence or probability < self.settings.caution:
            answer = refuse(question, evidence, hits, MODE, probability)
        else:
            several = asks_several(asked)
            most = self.settings.overview_sentences if several else self.settings.answer_sentences
            answer = compose(asked, evidence, hits, most, several=several)
        return replace(answer, probability=probability), hits

    def _with_suggestion(self, refusal: Answer, filters: Filters | None) -> Answer:
        """Return a refusal with a question about the nearest article, where it has an answer."""
        near = next(iter(refusal.nearest), None)
        if near is None or len(near.shared) < _NEAR or not near.citation.source.title:
            return refusal
        asked = texts.ABOUT_ARTICLE.format(near.citation.source.title)
        question = self.retriever.understood(asked)
        hits = self.retriever.search(question, self.settings.answer_passages, filters)
        if not hits or hits[0].passage.article_id != near.citation.article_id:
            return refusal
        told = self._overview(question, hits, filters)
        return replace(refusal, suggestion=asked if told else "")

    def _articles(
        self, question: Question, _hits: Sequence[Hit], filters: Filters | None
    ) -> tuple[Answer, Sequence[Hit]] | None:
        """Return a sentence of each article about a subject or of a time, where that is asked.

        Of a time are the articles published then.
        """
        if not asks_articles(question.text) and not (
            asks_overview(question.text) and only_a_time(question)
        ):
            return None
        wanted = filters
        if only_a_time(question):
            first, last = question.time.periods[0].first, question.time.periods[0].last
            since = max(first, filters.since) if filters and filters.since else first
            until = min(last, filters.until) if filters and filters.until else last
            wanted = replace(filters or Filters(), since=since, until=until)
        hits = self.retriever.search(question, self.settings.candidates, wanted)
        most = how_many_articles(question.text) or 2 * self.settings.overview_sentences
        evidence = one_each(question, hits, min(most, _MOST_LISTED))
        if not evidence:
            return None
        shown = hits[: self.settings.answer_passages]
        titled = asks_articles(question.text)
        return chronicle(question.text, evidence, shown, titled=titled), hits

    def _words(
        self, question: Question, hits: Sequence[Hit], _filters: Filters | None
    ) -> tuple[Answer, Sequence[Hit]] | None:
        """Return what somebody said, where that is asked and articles quote him."""
        if not asks_words(question.text):
            return None
        whole = self.retriever.whole(question, hits)
        evidence = words_of(question, whole, self.settings.overview_sentences)
        if not evidence:
            return None
        return chronicle(question.text, evidence, hits, speaker_of(evidence[0])), whole

    def _overview(
        self, question: Question, hits: Sequence[Hit], _filters: Filters | None
    ) -> tuple[Answer, Sequence[Hit]] | None:
        """Return what happened, where that is asked and an article is about it."""
        if not asks_overview(question.text):
            return None
        alone = not subject(question)
        if alone and self.index.articles() > 1:
            return None  # « de quoi parle l'article ? » says not which
        probability = about(question, hits)
        log.info("probabilité que les articles en parlent : %.2f", probability)
        if probability < self.settings.caution and not alone:
            return None
        whole = self.retriever.whole(question, hits)
        evidence = key_sentences(question, whole, self.settings.overview_sentences)
        if not evidence:
            return None
        return replace(chronicle(question.text, evidence, hits), probability=probability), whole

    def _generate(
        self,
        generator: Generator,
        question: str,
        asked: str,
        hits: Sequence[Hit],
        allowed: Allowance,
    ) -> Coroutine[Event, None, Answer]:
        # What a model is writing may be an article that readers pay for, word for word.
        drafts = not any(hit.source.paywalled for hit in hits)
        understood = self.retriever.understood(asked)
        evidence, _ = find_evidence(understood, hits, self.index.scale, self.reader)
        hits = rerank_by_reader(hits, evidence)
        statements: list[Statement] = []
        for event in generator.answer(asked, hits):
            if isinstance(event, Retried):
                statements = list(event.statements)
                continue
            if isinstance(event, Statement):
                if not allowed.admits(event.text, hits):
                    continue
                statements.append(event)
            elif not drafts:
                continue
            yield event
        if not statements:
            refusal = refuse(understood, evidence, hits, generator.name)
            return replace(refusal, question=question, asked=asked)
        notice = "" if all(s.supported for s in statements) else texts.UNSUPPORTED_NOTICE
        return Answer(
            question=question,
            statements=tuple(statements),
            hits=tuple(hits),
            refused=False,
            mode=generator.name,
            text=render(statements),
            asked=asked,
            notice=notice,
        )

    def _load_generator(self) -> Generator | None:
        if self._generator is None:
            self._generator = load_generator(self.settings, self.support)
        return self._generator


def _names_all(question: Question, hit: Hit) -> bool:
    """Tell whether a hit, under its title, has the names that a question has, at least one."""
    known = set(words(f"{hit.source.title}\n{hit.passage.text}"))
    return bool(question.names) and question.names <= known


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
    passage = hit.passage
    source = replace(hit.source, title="") if hit.source.title in orders else hit.source
    kept = [
        s
        for s in hit.sentences
        if passage.text[s.start - passage.start : s.end - passage.start] not in orders
    ]
    return replace(hit, source=source, sentences=tuple(kept))


def _checked(question: str) -> str:
    question = " ".join(question.replace("\0", " ").split())
    if not question:
        raise QuestionError(texts.EMPTY_QUESTION)
    if len(question) > LONGEST_QUESTION:
        raise QuestionError(texts.LONG_QUESTION.format(LONGEST_QUESTION))
    return question
