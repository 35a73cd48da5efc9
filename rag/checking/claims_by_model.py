"""Claims split by the configured chat model, each checked against the text it comes from."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pydantic import BaseModel

from rag.checking import prompts
from rag.checking.claims import MOST_CLAIMS, Claim, claims_of, split_claims
from rag.french.names import names
from rag.french.numbers import numbers
from rag.french.words import content_stems
from rag.models.chat import load_chat_model

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.settings import Settings

log = logging.getLogger(__name__)

_FROM_TEXT = 0.8  # share of a claim's content words that the text must hold


class _Claims(BaseModel):
    """The atomic claims of a text, in order."""

    affirmations: list[str]


def load_splitter(settings: Settings) -> Callable[[str], Iterable[Claim]]:
    """Return what splits a text. Raises SettingsError for a model that cannot be used."""
    model = load_chat_model(settings)
    return partial(split_with_model, model, settings.llm) if model else claims_of


def split_with_model(model: BaseChatModel, name: str, text: str) -> list[Claim]:
    """Return the claims of a text as a model splits them; the built-in rules when it fails.

    A claim that the model adds to (a word, a figure or a name that the text
    lacks) is dropped. What the rules set aside (questions, opinions) stays
    aside. Raises QuestionError as `split_claims`.
    """
    ruled = split_claims(text)
    checkable = " ".join(c.text for c in ruled if not c.problem)
    if not checkable:
        return ruled
    try:
        messages = prompts.claims_messages(checkable)
        answer = model.with_structured_output(_Claims).invoke(messages)
    except Exception:
        log.warning("le modèle %s n'a pas découpé le texte ; règles intégrées", name, exc_info=True)
        return ruled
    affirmations = answer.affirmations if isinstance(answer, _Claims) else []
    claims = [_placed(c, ruled) for c in affirmations if _faithful(c, checkable)]
    if not claims or len(claims) < len(affirmations) / 2:
        return ruled
    return [*claims[:MOST_CLAIMS], *(c for c in ruled if c.problem)]


def _placed(affirmation: str, ruled: Sequence[Claim]) -> Claim:
    """Return a model's claim where that claim of the rules stands which says most of it."""
    stems = set(content_stems(affirmation))
    checkable = [c for c in ruled if not c.problem]
    nearest = max(checkable, key=lambda c: len(stems & set(content_stems(c.text))))
    return Claim(" ".join(affirmation.split()), nearest.start, nearest.end)


def _faithful(claim: str, text: str) -> bool:
    """Tell whether a claim says nothing that the text does not."""
    stems, text_stems = content_stems(claim), set(content_stems(text))
    if not stems or not numbers(claim) <= numbers(text) or not names(claim) <= names(text):
        return False
    return sum(s in text_stems for s in stems) / len(stems) >= _FROM_TEXT
