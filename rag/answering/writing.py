"""Answers by a language model, streamed sentence by sentence and checked."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.answering import prompts
from rag.checking.support import MARK
from rag.domain import Hit, Statement, Turn
from rag.errors import ModelError
from rag.french.sentences import sentence_spans
from rag.french.words import fold, words
from rag.messages import ANSWER_CUT_OFF
from rag.models.chat import Messages, load_chat_model, model_error

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.checking.support import SupportCheck
    from rag.settings import Settings

log = logging.getLogger(__name__)

_MAX_QUESTION = 500  # characters of a question that a model wrote
_MAX_PARTS = 3
_RECITED_WORDS = 6  # words in a row
_ASKING = re.compile(
    r"\b(?:qui|quand|pourquoi|comment|combien|quels?|quelles?|lesquels?|laquelle|qu'est-ce|"
    r"ou (?=est|a|se|sont|va))\b"
)
# What opens an item of a list, and what makes letters bold: models write them unasked.
_MARKDOWN = re.compile(r"^\s*(?:[-*•]|#{1,4}|\d{1,2}[.)])\s+|\*\*|__")
_MAX_ANSWER = 6000  # characters; past it the model rambles and is cut off


@dataclass(frozen=True, slots=True)
class PartialText:
    """The part of a sentence that a model has written so far, not checked yet."""

    text: str


@dataclass(frozen=True, slots=True)
class Retried:
    """A second answer that replaces every statement of the first."""

    statements: tuple[Statement, ...]


class Generator:
    """A LangChain chat model, asked for cited answers."""

    def __init__(
        self,
        model: BaseChatModel,
        name: str,
        support: SupportCheck,
        window: int = 8192,
    ) -> None:
        """Take the model and its window in tokens; `load_generator` does it from the settings."""
        self._model = model
        self._support = support
        self._window = window
        self.name = name

    def answer(
        self, question: str, hits: Sequence[Hit]
    ) -> Iterator[PartialText | Statement | Retried]:
        """Yield drafts as the model writes, and each sentence once it is checked.

        When some are not supported the model is shown which, once; if it then
        does better, `Retried` comes last with what replaces all statements.
        Yields no statement when the model says that the passages do not answer.
        Raises ModelError when it fails or its stream breaks off.
        """
        messages, given = prompts.answer_messages(question, hits, self._window)
        statements: list[Statement] = []
        for event in self._written(messages, hits[:given]):
            yield event
            if isinstance(event, Statement):
                statements.append(event)
        if all(s.supported for s in statements):
            return
        again = prompts.retry_messages(messages, statements)
        try:
            second = [e for e in self._written(again, hits[:given]) if isinstance(e, Statement)]
        except ModelError:
            log.warning("seconde réponse du modèle perdue ; la première est gardée")
            return
        if _better(second, statements):
            yield Retried(tuple(second))

    def rewrite(self, question: str, history: Sequence[Turn]) -> str:
        """Return a follow-up completed from the conversation. Raises ModelError."""
        lines = self._lines(prompts.rewrite_messages(question, history))
        return lines[-1][:_MAX_QUESTION] if lines else question

    def decompose(self, question: str) -> list[str]:
        """Return the simple questions in a compound one, itself when it is simple.

        The model is asked only when the question holds two askings. Raises ModelError.
        """
        if not is_compound(question):
            return [question]
        lines = self._lines(prompts.decompose_messages(question))
        parts = [line.lstrip("-*•0123456789.) ")[:_MAX_QUESTION] for line in lines]
        parts = [p for p in dict.fromkeys(parts) if len(p) > 1][:_MAX_PARTS]
        return parts or [question]

    def _written(
        self, messages: Messages, hits: Sequence[Hit]
    ) -> Iterator[PartialText | Statement]:
        """Yield what the model writes: drafts, and sentences checked against `hits`."""
        buffer = ""
        length = 0
        for piece in self._stream(messages):
            buffer += piece
            length += len(piece)
            if length > _MAX_ANSWER:
                log.warning("réponse du modèle coupée à %d caractères", _MAX_ANSWER)
                break
            for sentence in (ready := complete_sentences(buffer))[:-1]:
                if statement := self._check(sentence, hits):
                    yield statement
            buffer = ready[-1]
            if buffer.strip() and not prompts.NO_ANSWER.startswith(buffer.strip()[:8]):
                yield PartialText(MARK.sub("", buffer))
        for sentence in complete_sentences(buffer):
            if statement := self._check(sentence, hits):
                yield statement

    def _lines(self, messages: Messages) -> list[str]:
        written = "".join(self._stream(messages))
        return [line.strip() for line in written.splitlines() if line.strip()]

    def _check(self, sentence: str, hits: Sequence[Hit]) -> Statement | None:
        if prompts.NO_ANSWER in sentence.upper() or _recites(sentence):
            return None
        sentence = _MARKDOWN.sub("", sentence)
        return self._support.check(sentence, hits)

    def _stream(self, messages: Messages) -> Iterator[str]:
        finished = False
        try:
            for chunk in self._model.stream(messages):
                finished = finished or bool(chunk.response_metadata.get("finish_reason"))
                if chunk.text:
                    yield str(chunk.text)
        except Exception as error:  # each provider has errors of its own
            raise model_error(error, self.name) from error
        if not finished and "openai" in type(self._model).__module__:
            raise ModelError(ANSWER_CUT_OFF.format(self.name))


def is_compound(question: str) -> bool:
    """Tell whether a question seems to ask two things: two askings, or two question marks."""
    return len(_ASKING.findall(fold(question))) > 1 or question.count("?") > 1


def _better(second: Sequence[Statement], first: Sequence[Statement]) -> bool:
    """Tell whether a second answer is better supported.

    Saying nothing is better than an answer without one supported statement.
    """
    if not second:
        return not any(s.supported for s in first)
    return _unsupported(second) < _unsupported(first)


def _unsupported(statements: Sequence[Statement]) -> float:
    return sum(not s.supported for s in statements) / len(statements)


def _recites(sentence: str) -> bool:
    """Tell whether a sentence recites our instructions: some words of them in a row."""
    tokens = words(sentence)
    return any(tuple(tokens[i : i + _RECITED_WORDS]) in _instructions() for i in range(len(tokens)))


@lru_cache(maxsize=1)
def _instructions() -> frozenset[tuple[str, ...]]:
    tokens = words(" ".join((prompts.ANSWER, prompts.RETRY, prompts.REWRITE, prompts.DECOMPOSE)))
    return frozenset(
        tuple(tokens[i : i + _RECITED_WORDS]) for i in range(len(tokens) - _RECITED_WORDS + 1)
    )


def complete_sentences(text: str) -> list[str]:
    """Cut a text being written into whole sentences, each with its marks, and a rest.

    The last item is what may still grow; it is the whole text at first. A
    mark `[n]` after the full stop belongs to the sentence before it.
    """
    spans = sentence_spans(text)
    pieces: list[str] = []
    for a, b in spans:
        piece = text[a:b]
        marks = re.match(r"(?:\[[\d,; ]+\]\s*)+", piece)
        if marks and pieces:
            pieces[-1] += " " + marks.group().strip()
            piece = piece[marks.end() :]
        if piece.strip():
            pieces.append(piece)
    tail = text[len(text.rstrip()) :]
    if not pieces:
        return [text]
    # Keep the last two in hand: the last may grow, the one before may get its marks.
    whole, rest = pieces[:-1], pieces[-1] + tail
    return [*whole, rest]


def load_generator(settings: Settings, support: SupportCheck) -> Generator | None:
    """Return the generator that the settings name, or None when they name none.

    `support` checks what it writes. Raises as `load_chat_model`.
    """
    model = load_chat_model(settings)
    if model is None:
        return None
    return Generator(model, settings.llm, support, settings.llm_context)
