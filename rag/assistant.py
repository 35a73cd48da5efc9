"""The one object that faces use: ask, search, ingest, read, remove.

`open_assistant` gives the index to this process, or, when another process
owns it and serves (I3), a stand-in that speaks to that one.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Generator as Coroutine
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from rag import texts
from rag.answering import examples
from rag.answering.evidence import as_read, find_evidence
from rag.answering.extractive import chronicle, compose, refuse, render
from rag.answering.followup import ways
from rag.answering.overview import (
    about,
    asks_articles,
    asks_overview,
    asks_several,
    asks_words,
    key_sentences,
    one_each,
    only_a_time,
    speaker_of,
    subject,
    words_of,
)
from rag.answering.paid import bounded
from rag.chatmodel.writing import Draft, Generator, Retried, load_generator
from rag.checking.addressing import Addressing
from rag.checking.probe import Probe
from rag.checking.support import SupportCheck
from rag.domain import (
    Answer,
    ArticlePage,
    ArticleRecord,
    CheckedClaim,
    Erasure,
    Facets,
    Filters,
    Found,
    Hit,
    IngestReport,
    Statement,
    StoredArticle,
    Turn,
    Verification,
    Version,
)
from rag.errors import ArticleNotFoundError, ModelError, QuestionError, RecoupeError, StoreError
from rag.feedback import FeedbackStore
from rag.french.sentences import sentence_spans
from rag.indexing.chroma import CLOSING, sweep_folders
from rag.indexing.erasure import MEMORY, blank, files_of, remaining, sentences_of
from rag.indexing.exchange import export
from rag.indexing.index import Index, Progress, open_index
from rag.indexing.ingestion import edit, ingest
from rag.indexing.owner import Owner, Ownership, acquire
from rag.models.comparer import Comparer
from rag.models.encoder import Encoder
from rag.models.loading import load_embedder
from rag.models.reader import Reader
from rag.readers.draft import checked_edits
from rag.searching.reranking import load_reranker
from rag.searching.retrieval import Retriever
from rag.sources.memory import Memory, SourceState

if TYPE_CHECKING:
    from rag.checking.checker import Checker
    from rag.searching.question import Question
    from rag.settings import Settings

log = logging.getLogger(__name__)

LONGEST_QUESTION = 1000  # characters
_EXAMPLES = 4
_NEAR = 2  # words in common with a question that is not about another thing
_MOST_ORDERS = 3  # times that an answer is made again without sentences that speak to a machine
_LOOKED_AT = 20  # newest articles that examples are made of
OnClaim = Callable[[CheckedClaim], None]
Event = Draft | Statement | Answer


def _unheard(_claim: CheckedClaim) -> None:
    return None


def _silent(_done: int, _total: int) -> None:
    return None


class Assistant(Protocol):
    """What a face can ask for; `LocalAssistant` does it, `RemoteAssistant` passes it on."""

    def page(self, after: str = "", limit: int = 50, words: str = "") -> ArticlePage:
        """Return up to `limit` articles, newest first, from where `after` says.

        `after` is the `next` of the page before; an article added or removed
        meanwhile shifts no other. `words` keeps the articles that have a word
        of the title beginning with each of them. Raises CursorError.
        """
        ...

    def facets(self) -> Facets:
        """Return what the index is made of: names, days, counts."""
        ...

    def article(self, article_id: str) -> StoredArticle:
        """Return one article, whole. Raises ArticleNotFoundError."""
        ...

    def copies(self, article_id: str) -> list[ArticleRecord]:
        """Return the other articles that print the same text, the oldest first."""
        ...

    def history(self, article_id: str) -> list[Version]:
        """Return what an article said before, newest first. Raises ArticleNotFoundError."""
        ...

    def search(self, question: str, limit: int, filters: Filters | None = None) -> list[Hit]:
        """Return up to `limit` passages, best first."""
        ...

    def ask(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> Answer:
        """Return a cited answer or a refusal. Raises QuestionError."""
        ...

    def verify(
        self, text: str, filters: Filters | None = None, on_claim: OnClaim = _unheard
    ) -> Verification:
        """Return the verdict on each claim of a text; `on_claim` hears them one by one.

        Raises QuestionError for a text without a claim, or too long.
        """
        ...

    def ingest(
        self, found: Iterable[Found], prune: Sequence[str] = (), progress: Progress = _silent
    ) -> IngestReport:
        """Bring the index up to date with what readers find; see `rag.indexing.ingestion`."""
        ...

    def held(self, ids: Sequence[str]) -> dict[str, bool]:
        """Return, for those of some articles that the index has, whether they may answer."""
        ...

    def withdraw(self, days: Mapping[str, date | None]) -> list[str]:
        """Say of articles on which day their publisher withdrew them; None for not at all.

        What is withdrawn is kept and answers nothing. Returns the ids for which it is new.
        """
        ...

    def edit(self, article_id: str, edits: Mapping[str, str]) -> ArticleRecord:
        """Correct fields (`EDITABLE`) of an article's source; they hold when it is ingested again.

        Raises ArticleNotFoundError, and ReadError for a field or a value that cannot be.
        """
        ...

    def remove(self, ids: Sequence[str]) -> list[str]:
        """Remove articles, which no source then brings back; return the ids that were there."""
        ...

    def erase(self, ids: Sequence[str]) -> Erasure:
        """Remove articles and whatever is left of them in the index's folder, and look for it.

        Raises StoreError; nothing can be said of a Chroma server's disk.
        """
        ...

    def export(self, folder: str) -> list[str]:
        """Write all articles into a folder of this machine; return the names of the files."""
        ...

    def backup(self, folder: str) -> int:
        """Copy the index into a new folder of this machine; return how many articles it has."""
        ...

    def check(self) -> list[str]:
        """Return what is wrong with the index, in French; empty when whole."""
        ...

    def repair(self) -> None:
        """Make the index whole again."""
        ...

    def compact(self) -> bool:
        """Give back the room of what was replaced; False where only its server can."""
        ...

    def close(self) -> None:
        """Give the index back."""
        ...


class LocalAssistant:
    """The assistant over an index that this process owns."""

    def __init__(
        self,
        settings: Settings,
        ownership: Ownership | None = None,
        progress: Progress = _silent,
    ) -> None:
        """Open the index. Raises StoreError, IndexMismatchError, SettingsError.

        `progress` hears of what an opening has to make again.
        """
        self.settings = settings
        self.ownership = ownership
        if ownership:  # others must not touch what its owner may be building
            sweep_folders(settings.index_dir)
        self.embedder = load_embedder(settings)
        self.index: Index = open_index(settings, self.embedder, progress)
        try:
            reranker = load_reranker(settings)
        except RecoupeError:
            self.index.close()
            raise
        self.retriever = Retriever(self.index, settings.candidates, reranker)
        self.reader, self.comparer = Reader(), Comparer()
        default = self.embedder if isinstance(self.embedder, Encoder) else Encoder()
        self.addressing, self.opinions = Addressing(default), Probe(default, "opinions")
        self.support = SupportCheck(self.comparer, self.addressing)
        self._generator: Generator | None = None
        self._checker: Checker | None = None  # loads the French parser, 1 s
        self._examples: tuple[str, tuple[str, ...]] = ("", ())
        self._ingesting = threading.Lock()
        self._stopping = threading.Event()
        self.memory = Memory(settings.index_dir)

    def page(self, after: str = "", limit: int = 50, words: str = "") -> ArticlePage:
        """See `Assistant`."""
        return self.index.catalogue.page(after, limit, words)

    def facets(self) -> Facets:
        """See `Assistant`."""
        return self.index.catalogue.facets()

    def article(self, article_id: str) -> StoredArticle:
        """See `Assistant`."""
        return self.index.article(article_id)

    def copies(self, article_id: str) -> list[ArticleRecord]:
        """See `Assistant`."""
        return self.index.catalogue.copies_of(article_id)

    def history(self, article_id: str) -> list[Version]:
        """See `Assistant`."""
        return self.index.history.of(self.index.article(article_id).record)

    def examples(self) -> tuple[str, ...]:
        """Return at most four questions that the corpus, as it is, answers."""
        digest = self.index.catalogue.digest()
        if self._examples[0] != digest:
            proposed = dict.fromkeys(self._proposed())  # a person may be quoted in two sections
            answered = (q for q in proposed if not self._extract(q, None).refused)
            self._examples = digest, tuple(islice(answered, _EXAMPLES))
        return self._examples[1]

    def _proposed(self) -> Iterator[str]:
        yield from examples.of_months([month for month, _ in self.facets().months])
        seen: set[str] = set()
        for record in self.page(limit=_LOOKED_AT).records:
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
        """See `Assistant`."""
        hits = self.retriever.search(_checked(question), limit, filters)
        return [bounded(hit, self.settings.paid_characters) for hit in hits]

    def ask(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> Answer:
        """See `Assistant`."""
        *_, last = self.stream(question, history, filters)
        assert isinstance(last, Answer)
        return last

    def stream(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> Iterator[Event]:
        """Yield an answer as it forms: drafts, statements, and the whole Answer last.

        Raises QuestionError, EmbeddingError. A language model that fails is
        replaced by extracts, and the answer's `notice` says so.
        """
        for event in self._stream(question, history, filters):
            yield bounded(event, self.settings.paid_characters)

    def _stream(
        self, question: str, history: Sequence[Turn], filters: Filters | None
    ) -> Iterator[Event]:
        question = _checked(question)
        if not self.index.articles():
            yield Answer(question, (), (), refused=True, mode="", text=texts.EMPTY_INDEX)
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
                    answer = yield from self._generate(generator, question, asked, hits)
                    yield answer
                    return
            except ModelError as error:
                notice = texts.NO_MODEL_NOTICE.format(error)
        answer = self._extracted(ways(question, history), filters)
        if answer.refused:
            answer = self._with_suggestion(answer, filters)
        answer = replace(answer, question=question, asked=answer.question, notice=notice)
        yield from answer.statements
        yield answer

    def verify(
        self, text: str, filters: Filters | None = None, on_claim: OnClaim = _unheard
    ) -> Verification:
        """See `Assistant`."""
        for step in self.checker().check(text, filters):
            if isinstance(step, Verification):
                return step
            on_claim(step)
        raise AssertionError("a check ends with its verification")

    def checker(self) -> Checker:
        """Return what checks claims over this index. Raises SettingsError."""
        if self._checker is None:
            from rag.chatmodel.engines import load_splitter, load_stance
            from rag.checking.checker import Checker

            made = Checker(
                self.index,
                self.retriever,
                load_stance(self.settings),
                self.addressing,
                self.opinions,
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

    def _extracted(self, asked: Sequence[str], filters: Filters | None) -> Answer:
        """Return the answer to the first of several questions that has one, or a refusal."""
        answers = [self._extract(asked[0], filters)]
        for other in asked[1:]:
            if not answers[-1].refused:
                break
            answers.append(self._extract(other, filters))
        return answers[0] if answers[-1].refused else answers[-1]

    def _extract(self, asked: str, filters: Filters | None) -> Answer:
        """Return an answer none of whose sentences speaks to a machine, or a refusal."""
        question = self.retriever.understood(asked)
        hits = self.retriever.search(question, self.settings.answer_passages, filters)
        for _ in range(_MOST_ORDERS):
            answer = self._extract_from(question, asked, hits, filters)
            orders = {text for text in _shown_by(answer) if self.addressing.to_machine(text)}
            if not orders:
                return answer
            log.warning("phrases adressées à un programme écartées : %d", len(orders))
            hits = [_without(hit, orders) for hit in hits]
        return refuse(question, [], ())

    def _extract_from(
        self, question: Question, asked: str, hits: Sequence[Hit], filters: Filters | None
    ) -> Answer:
        for told in (self._articles, self._overview, self._words):
            if answer := told(question, hits, filters):
                return answer
        evidence, probability = find_evidence(question, hits, self.index.scale, self.reader)
        log.info("probabilité de réponse : %.2f", probability)
        hits = as_read(hits, evidence)
        if not evidence or probability < self.settings.threshold:
            answer = refuse(question, evidence, hits)
        else:
            several = asks_several(asked)
            most = self.settings.overview_sentences if several else self.settings.answer_sentences
            answer = compose(asked, evidence, hits, most, several=several)
        return replace(answer, probability=probability)

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
    ) -> Answer | None:
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
        evidence = one_each(question, hits, 2 * self.settings.overview_sentences)
        if not evidence:
            return None
        shown = hits[: self.settings.answer_passages]
        return chronicle(question.text, evidence, shown)

    def _words(
        self, question: Question, hits: Sequence[Hit], _filters: Filters | None
    ) -> Answer | None:
        """Return what somebody said, where that is asked and articles quote him."""
        if not asks_words(question.text):
            return None
        evidence = words_of(
            question, self.retriever.whole(question, hits), self.settings.overview_sentences
        )
        if not evidence:
            return None
        return chronicle(question.text, evidence, hits, speaker_of(evidence[0]))

    def _overview(
        self, question: Question, hits: Sequence[Hit], _filters: Filters | None
    ) -> Answer | None:
        """Return what happened, where that is asked and an article is about it."""
        if not asks_overview(question.text):
            return None
        if not subject(question) and self.index.articles() > 1:
            return None  # « de quoi parle l'article ? » says not which
        probability = about(question, hits)
        log.info("probabilité que les articles en parlent : %.2f", probability)
        if probability < self.settings.threshold:
            return None
        evidence = key_sentences(
            question, self.retriever.whole(question, hits), self.settings.overview_sentences
        )
        if not evidence:
            return None
        return replace(chronicle(question.text, evidence, hits), probability=probability)

    def _generate(
        self, generator: Generator, question: str, asked: str, hits: Sequence[Hit]
    ) -> Coroutine[Event, None, Answer]:
        understood = self.retriever.understood(asked)
        evidence, _ = find_evidence(understood, hits, self.index.scale, self.reader)
        hits = as_read(hits, evidence)
        statements: list[Statement] = []
        for event in generator.answer(asked, hits):
            if isinstance(event, Retried):
                statements = list(event.statements)
                continue
            yield event
            if isinstance(event, Statement):
                statements.append(event)
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

    def ingest(
        self, found: Iterable[Found], prune: Sequence[str] = (), progress: Progress = _silent
    ) -> IngestReport:
        """See `Assistant`. A second ingestion waits for the first."""
        with self._ingesting:
            report = ingest(
                self.index,
                self._until_stopped(found),
                self.settings.passage_tokens,
                prune,
                progress,
                sentence_vectors=self.settings.sentence_vectors,
            )
            if self.index.compactable:
                log.info("le magasin de vecteurs est refait sans ses restes")
                try:
                    self.index.compact()
                except RecoupeError as error:  # the ingestion itself has succeeded
                    log.warning("compactage remis à plus tard : %s", error)
            return report

    def held(self, ids: Sequence[str]) -> dict[str, bool]:
        """See `Assistant`."""
        return {i: r.withdrawn is None for i, r in self.index.records_of(ids).items()}

    def withdraw(self, days: Mapping[str, date | None]) -> list[str]:
        """See `Assistant`."""
        return self.index.withdraw(days)

    def followed(self) -> list[SourceState]:
        """Return how the web's sources that the settings name do."""
        wanted = set(self.settings.sources)
        return [state for state in self.memory.sources() if state.address in wanted]

    def edit(self, article_id: str, edits: Mapping[str, str]) -> ArticleRecord:
        """See `Assistant`."""
        with self._ingesting:
            return edit(self.index, article_id, checked_edits(edits))

    def remove(self, ids: Sequence[str]) -> list[str]:
        """See `Assistant`."""
        # Before the articles go: a source must not bring them back in between.
        self.memory.remove(ids)
        return self.index.remove(ids)

    def erase(self, ids: Sequence[str]) -> Erasure:
        """See `Assistant`."""
        if self.index.store.chroma.shared:
            raise StoreError(texts.NO_PROOF)
        held = self.index.records_of(ids)
        articles = [self.index.article(i) for i in held]
        past = [v.stored(a.record) for a in articles for v in self.index.history.of(a.record)]
        sentences = sentences_of([*articles, *past])
        with self._ingesting:
            self.memory.remove(held)
            gone = self.index.erase(held)
        self._examples = ("", ())
        settings = self.settings
        kept = FeedbackStore(settings.index_dir, settings.retention_days, settings.feedback_max_mb)
        forgotten = kept.forget(sentences)
        files = files_of(settings.index_dir)
        for path in files:
            if path.name == MEMORY and path.stat().st_size:
                blank(path, sentences)
        left = list(remaining(files, sentences))
        # What another article says too is that one's.
        said = list(dict.fromkeys(sentence for _, sentence in left))
        shared = self.index.holding(said)
        living = set().union(*shared.values())
        for article, held_too in self.index.history.saying(sentences).items():
            shared[article] = shared.get(article, set()) | held_too
        found = Counter(
            str(path.relative_to(settings.index_dir)) for path, s in left if s not in living
        )
        return Erasure(
            articles=tuple(gone),
            at=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
            files=len(files),
            bytes=sum(path.stat().st_size for path in files if path.exists()),
            sentences=len(sentences),
            found=tuple(sorted(found.items())),
            shared=tuple(sorted((i, len(held)) for i, held in shared.items())),
            feedback=forgotten,
        )

    def export(self, folder: str) -> list[str]:
        """See `Assistant`."""
        return export(self.index, Path(folder))

    def backup(self, folder: str) -> int:
        """See `Assistant`."""
        return self.index.backup(Path(folder))

    def check(self) -> list[str]:
        """See `Assistant`."""
        return [*self.index.check(), *self.index.scale.doubts()]

    def repair(self) -> None:
        """See `Assistant`."""
        self.index.repair()

    def compact(self) -> bool:
        """See `Assistant`."""
        return self.index.compact()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Refuse further changes: an ingestion under way ends after its present batch."""
        self._stopping.set()
        self.index.stop()

    def _until_stopped(self, found: Iterable[Found]) -> Iterator[Found]:
        """Pass on what is found; what changes nothing would not meet the refusal of changes."""
        for each in found:
            if self.stopping:
                raise StoreError(CLOSING)
            yield each

    def close(self) -> None:
        """See `Assistant`. Waits for the change under way; an ingestion stops after it."""
        self.index.close()
        self.memory.close()
        if self.ownership:
            self.ownership.release()

    def _load_generator(self) -> Generator | None:
        if self._generator is None:
            self._generator = load_generator(self.settings, self.support)
        return self._generator


def open_assistant(
    settings: Settings,
    command: str,
    wait: float = 10.0,
    on_wait: Callable[[Owner | None], None] = lambda _: None,
    progress: Progress = _silent,
) -> Assistant:
    """Return the assistant over the settings' index, here or in the process that owns it.

    Waits up to `wait` seconds for an owner that does not serve. Raises
    IndexBusyError when it still holds the index then.
    """
    held = acquire(settings.index_dir, command, wait, on_wait)
    if isinstance(held, Owner):
        from rag.remote import RemoteAssistant

        return cast("Assistant", RemoteAssistant(held))  # its methods come from a table
    try:
        return LocalAssistant(settings, held, progress)
    except BaseException:
        held.release()
        raise


def _shown_by(answer: Answer) -> Iterator[str]:
    """Yield the sentences that an answer or a refusal quotes."""
    cited = [c for s in answer.statements for c in s.citations]
    for citation in (*cited, *(near.citation for near in answer.nearest)):
        for start, end in sentence_spans(citation.quote):
            yield citation.quote[start:end]


def _without(hit: Hit, orders: AbstractSet[str]) -> Hit:
    """Return a hit without the sentences that are among `orders`."""
    passage = hit.passage
    kept = [
        s
        for s in hit.sentences
        if passage.text[s.start - passage.start : s.end - passage.start] not in orders
    ]
    return replace(hit, sentences=tuple(kept))


def _checked(question: str) -> str:
    question = " ".join(question.replace("\0", " ").split())
    if not question:
        raise QuestionError(texts.EMPTY_QUESTION)
    if len(question) > LONGEST_QUESTION:
        raise QuestionError(texts.LONG_QUESTION.format(LONGEST_QUESTION))
    return question
