"""What splits a text into claims: the configured chat model, else the built-in rules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from rag.factcheck.claims import Claim, split_claims

if TYPE_CHECKING:
    from rag.settings import Settings


def load_splitter(settings: Settings) -> Callable[[str], list[Claim]]:
    """Return what splits a text. Raises SettingsError for a model that cannot be used."""
    if not settings.llm:
        return split_claims
    from rag.answering.generative import load_model
    from rag.factcheck.model_claims import split_with_model

    model = load_model(settings)
    return partial(split_with_model, model, settings.llm) if model else split_claims
