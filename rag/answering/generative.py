"""Answers by a language model, streamed sentence by sentence and checked."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.answering import prompts
from rag.answering.verify import MARK, check
from rag.domain import Hit, Statement, Turn
from rag.errors import MissingExtraError, ModelError, SettingsError
from rag.sentences import sentence_spans

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.embedding import Embedder
    from rag.settings import Settings

log = logging.getLogger(__name__)

_MAX_ANSWER = 6000  # characters; past it the model rambles and is cut off


@dataclass(frozen=True, slots=True)
class Draft:
    """The part of a sentence that a model has written so far, not checked yet."""

    text: str


class Generator:
    """A LangChain chat model, asked for cited answers."""

    def __init__(self, model: BaseChatModel, name: str, embedder: Embedder) -> None:
        """Take the model; `load_generator` makes one from the settings."""
        self._model = model
        self._embedder = embedder
        self.name = name

    def answer(self, question: str, hits: Sequence[Hit]) -> Iterator[Draft | Statement]:
        """Yield drafts as the model writes, and each sentence once it is checked.

        Yields nothing when the model says that the passages do not answer.
        Raises ModelError when it fails or its stream breaks off.
        """
        buffer = ""
        told = 0
        for piece in self._stream(prompts.answer_messages(question, hits)):
            buffer += piece
            told += len(piece)
            if told > _MAX_ANSWER:
                log.warning("réponse du modèle coupée à %d caractères", _MAX_ANSWER)
                break
            for sentence in (ready := complete_sentences(buffer))[:-1]:
                if statement := self._check(sentence, hits):
                    yield statement
            buffer = ready[-1]
            if buffer.strip() and not prompts.NO_ANSWER.startswith(buffer.strip()[:8]):
                yield Draft(MARK.sub("", buffer))
        for sentence in complete_sentences(buffer):
            if statement := self._check(sentence, hits):
                yield statement

    def rewrite(self, question: str, history: Sequence[Turn]) -> str:
        """Return a follow-up completed from the conversation. Raises ModelError."""
        written = "".join(self._stream(prompts.rewrite_messages(question, history))).strip()
        lines = [line.strip() for line in written.splitlines() if line.strip()]
        return lines[-1][:500] if lines else question

    def _check(self, sentence: str, hits: Sequence[Hit]) -> Statement | None:
        if prompts.NO_ANSWER in sentence.upper():
            return None
        return check(sentence, hits, self._embedder)

    def _stream(self, messages: list[tuple[str, str]]) -> Iterator[str]:
        finished = False
        try:
            for chunk in self._model.stream(messages):
                finished = finished or bool(chunk.response_metadata.get("finish_reason"))
                if chunk.text:
                    yield str(chunk.text)
        except Exception as error:  # each provider has errors of its own
            raise model_error(error, self.name) from error
        if not finished and "openai" in type(self._model).__module__:
            raise ModelError(
                f"La réponse du modèle « {self.name} » s'est interrompue : reposez la question."
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


def load_generator(settings: Settings, embedder: Embedder) -> Generator | None:
    """Return the generator that the settings name, or None when they name none.

    Raises SettingsError for a name that LangChain does not know,
    MissingExtraError when the provider's package is not installed.
    """
    if not settings.llm:
        return None
    from langchain.chat_models import init_chat_model

    options: dict[str, Any] = {"temperature": 0, "timeout": settings.llm_timeout, "max_retries": 1}
    if settings.llm_base_url:
        options["base_url"] = settings.llm_base_url
    if key := settings.llm_api_key.get_secret_value():
        options["api_key"] = key
    elif settings.llm.startswith("openai:") and settings.llm_base_url:
        options["api_key"] = "-"  # local servers want none, the client insists on one
    try:
        model = init_chat_model(settings.llm, **options)
    except ImportError as error:
        provider = settings.llm.partition(":")[0]
        raise MissingExtraError(
            f"Le fournisseur « {provider} » demande un paquet de plus : "
            f"pip install langchain-{provider.replace('_', '-')}."
        ) from error
    except Exception as error:  # each provider checks its settings in its own way
        raise SettingsError(
            f"Le modèle « {settings.llm} » ne peut pas être utilisé ({error}) : RECOUPE_LLM "
            "s'écrit FOURNISSEUR:NOM, par exemple ollama:mistral."
        ) from error
    return Generator(model, settings.llm, embedder)


def model_error(error: Exception, name: str) -> ModelError:
    """Return what a provider's error means to a person."""
    kind = type(error).__name__
    status = getattr(error, "status_code", None) or getattr(
        getattr(error, "response", None), "status_code", None
    )
    log.warning("modèle %s : %s", name, kind, exc_info=error)
    if "Timeout" in kind:
        return ModelError(
            f"Le modèle « {name} » n'a pas répondu à temps : réessayez, ou augmentez "
            "RECOUPE_LLM_TIMEOUT."
        )
    if status == 429:
        return ModelError(
            f"Le modèle « {name} » est trop sollicité (429) : réessayez dans une minute."
        )
    if status in {401, 403}:
        return ModelError(f"Le modèle « {name} » refuse la clé : vérifiez RECOUPE_LLM_API_KEY.")
    if "Connect" in kind or "Connection" in kind:
        return ModelError(
            f"Le service du modèle « {name} » est injoignable : vérifiez RECOUPE_LLM_BASE_URL."
        )
    return ModelError(
        f"La réponse du modèle « {name} » s'est interrompue ({kind}) : reposez la question."
    )
