"""Answers over one open index: about the corpus, by a model, or in the articles' own sentences.

A request keeps the `Answerer` that it began with: an index that takes the place of another
(`recoupe reindex`) changes nothing under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Generator as Coroutine
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

from rag import texts
from rag.answering import about_corpus
from rag.answering.changes import last_corrected
from rag.answering.evidence import find_evidence, rerank_by_reader
from rag.answering.examples import Examples
from rag.answering.followup import carried_over, rewrite_candidates
from rag.answering.refusal import about_the_same, refuse, without_refusal
from rag.answering.router import Router
from rag.answering.writing import Generator, PartialText, Retried, load_generator
from rag.answering.yesno import settled
from rag.checking.support import SupportCheck
from rag.citations import render
from rag.domain import Answer, CheckedClaim, Citation, Filters, Hit, Statement, Turn
from rag.errors import ArticleNotFoundError, ModelError
from rag.french.language import is_foreign
from rag.models.comparer import Comparer
from rag.models.reader import Reader
from rag.paid import Allowance, bounded_events, bounded_hits
from rag.searching.question import LONGEST_QUESTION, normalized_question

if TYPE_CHECKING:
    from rag.checking.prompt_injection import InjectionDetector
    from rag.indexing.index import Index
    from rag.searching.retrieval import Retriever
    from rag.settings import Settings

_LONGEST_ANSWER, _MOST_TURNS = 10_000, 10  # characters, and turns of a conversation, that are read
_MOST_TITLES = 3  # articles that are named


@dataclass(frozen=True, slots=True)
class ProgressNotice:
    """What is done before the first words come, told to who waits."""

    text: str


Event = PartialText | Statement | Answer | ProgressNotice


class Answerer:
    """Answers over one index; the index is its caller's to close."""

    def __init__(
        self,
        settings: Settings,
        index: Index,
        retriever: Retriever,
        injections: InjectionDetector,
        verify: Callable[[str, Filters | None], CheckedClaim],
    ) -> None:
        """Load what answering needs; `verify` checks a claim. Raises SettingsError."""
        self._verify = verify
        self.settings = settings
        self.index = index
        self.retriever = retriever
        self.reader = Reader()
        comparer = Comparer()
        self.support = SupportCheck(comparer, injections)
        self.router = Router(settings, index, retriever, self.reader, comparer, injections)
        self._examples = Examples(index, lambda q: not self.router.answer(q, None).refused)
        self._generator: Generator | None = None

    def forget(self) -> None:
        """Forget what was made of articles that are there no more."""
        self._examples.forget()

    def examples(self) -> tuple[str, ...]:
        """Return at most six questions that the corpus, as it is, answers; others each day."""
        return self._examples.today()

    def search(self, question: str, limit: int, filters: Filters | None = None) -> list[Hit]:
        """Return up to `limit` passages, best first. Raises QuestionError."""
        hits = self.retriever.search(normalized_question(question), limit, filters)
        return bounded_hits(hits, self.settings.paid_characters)

    def stream(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> Iterator[Event]:
        """Yield an answer as it forms: drafts, statements, and the whole Answer last.

        Raises QuestionError, EmbeddingError. A language model that fails is
        replaced by extracts, and the answer's `notice` says so.
        """
        allowed = Allowance(self.settings.paid_characters)
        events = self._with_corrections(self._stream(question, history, filters, allowed))
        yield from bounded_events(events, allowed)

    def _with_corrections(self, events: Coroutine[Event, None, None]) -> Iterator[Event]:
        """Yield events; what they cite says on which day its text was last corrected here.

        Where its publisher tells a later one, that stays.
        """
        days: dict[str, date] = {}
        looked_at: set[str] = set()

        def dated(citation: Citation) -> Citation:
            day, source = days.get(citation.article_id), citation.source
            if day is None or (source.modified and source.modified >= day):
                return citation
            return replace(citation, source=replace(source, modified=day))

        def of(statement: Statement) -> Statement:
            return replace(statement, citations=tuple(map(dated, statement.citations)))

        with closing(events):
            for event in events:
                if not isinstance(event, Answer | Statement):
                    yield event
                    continue
                statements = event.statements if isinstance(event, Answer) else (event,)
                ids = {c.article_id for s in statements for c in s.citations} - looked_at
                looked_at |= ids
                days |= self._corrected(sorted(ids))
                if isinstance(event, Answer):
                    yield replace(event, statements=tuple(map(of, event.statements)))
                else:
                    yield of(event)

    def _corrected(self, ids: Sequence[str]) -> dict[str, date]:
        """Return, of some articles, the day of the last correction of those that have one."""
        found = {}
        for article_id in self.index.history.among(ids):
            try:
                stored = self.index.article(article_id)
            except ArticleNotFoundError:  # it has gone since it was found
                continue
            if day := last_corrected(stored, self.index.history.of(stored.record)):
                found[article_id] = day
        return found

    def _stream(
        self, question: str, history: Sequence[Turn], filters: Filters | None, allowed: Allowance
    ) -> Coroutine[Event, None, None]:
        question = normalized_question(question)
        history = [
            Turn(t.question[:LONGEST_QUESTION], without_refusal(t.answer)[:_LONGEST_ANSWER])
            for t in history[-_MOST_TURNS:]
        ]
        if not self.index.articles():
            yield Answer(question, (), (), refused=True, mode="", text=texts.EMPTY_INDEX)
            return
        part = filters.named if filters else None
        facets = self.index.catalogue.facets(part)
        history = [t for t in history if not about_corpus.reply(t.question, facets, tuple)]
        titles = partial(self._titles, part)
        if reply := about_corpus.reply(question, facets, titles, following=bool(history)):
            yield reply
            return
        notice = ""
        try:
            if generator := self._load_generator():
                answer = yield from self._written(generator, question, history, filters, allowed)
                if answer:
                    yield answer
                    return
        except ModelError as error:
            notice = texts.NO_MODEL_NOTICE.format(error)
        before = history[-1].answer if history else ""
        candidates = rewrite_candidates(question, history)
        asked, answer = self.router.answer_best(candidates, before, filters)
        if carried_over(asked).question == asked and not answer.intro:
            answer = settled(asked, answer, lambda claim: self._verify(claim, filters))
        if answer.refused:
            answer = self.router.with_suggestion(about_the_same(answer, asked), filters)
            if is_foreign(question):
                answer = replace(answer, notice=texts.ASK_IN_FRENCH)
        answer = replace(
            answer,
            question=question,
            asked=asked,
            notice=" ".join(n for n in (notice, answer.notice) if n),
        )
        yield from answer.statements
        yield answer

    def _titles(self, part: Filters | None) -> list[str]:
        """Return the titles of the newest articles of a part of the corpus."""
        records = self.index.catalogue.page(limit=_MOST_TITLES, part=part).records
        return [record.source.title for record in records if record.source.title]

    def _written(
        self,
        generator: Generator,
        question: str,
        history: Sequence[Turn],
        filters: Filters | None,
        allowed: Allowance,
    ) -> Coroutine[Event, None, Answer | None]:
        """Return what a model answers, None where no passage is found. Raises ModelError."""
        asked = generator.rewrite(question, history) if history else question
        hits = self._search_parts(generator.decompose(asked), filters)
        if not hits:
            return None
        # What a model is writing may be an article that readers pay for, word for word.
        drafts = not any(hit.source.paywalled for hit in hits)
        understood = self.retriever.understood(asked)
        evidence, _ = find_evidence(understood, hits, self.index.scale, self.reader)
        hits = rerank_by_reader(hits, evidence)
        yield ProgressNotice(
            texts.READING.format(texts.articles(len({h.passage.article_id for h in hits})))
        )
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
            return replace(about_the_same(refusal, asked), question=question, asked=asked)
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

    def _search_parts(self, parts: Sequence[str], filters: Filters | None) -> list[Hit]:
        """Return the passages for each part of a question, taken in turns, none twice."""
        found = [self.retriever.search(p, self.settings.answer_passages, filters) for p in parts]
        turns = [hit for hits in zip_longest(*found) for hit in hits if hit]
        distinct = {hit.passage.id: hit for hit in reversed(turns)}
        ordered = [distinct[i] for i in dict.fromkeys(hit.passage.id for hit in turns)]
        return ordered[: self.settings.answer_passages + 2 * (len(parts) - 1)]

    def _load_generator(self) -> Generator | None:
        if self._generator is None:
            self._generator = load_generator(self.settings, self.support)
        return self._generator
