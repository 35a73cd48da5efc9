"""What tells entailment and splits texts: the configured models, else what is built in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from rag.checking.claims import Claim, claims_of
from rag.checking.entailment import CrossEncoderEntailment, Entailment
from rag.errors import SettingsError
from rag.models.comparer import Comparer

if TYPE_CHECKING:
    from rag.settings import Settings


def load_splitter(settings: Settings) -> Callable[[str], Iterable[Claim]]:
    """Return what splits a text. Raises SettingsError for a model that cannot be used."""
    if not settings.llm:
        return claims_of
    from rag.chatmodel.claim_model import split_with_model
    from rag.chatmodel.writing import load_model

    model = load_model(settings)
    return partial(split_with_model, model, settings.llm) if model else claims_of


def load_entailment(settings: Settings) -> Entailment:
    """Return the network that the settings name: "features", "llm" or "cross-encoder:NAME".

    "features" is the one shipped, and has its name from what was built in before it.

    Raises SettingsError for anything else, or for "llm" without a model.
    """
    name = settings.stance
    if name == "features":
        return Comparer()
    if name == "llm" and settings.llm:
        from rag.chatmodel.entailment_model import ModelEntailment
        from rag.chatmodel.writing import load_model

        if model := load_model(settings):
            return ModelEntailment(model, settings.llm)
    if name.startswith("cross-encoder:"):
        return CrossEncoderEntailment(name.removeprefix("cross-encoder:"))
    raise SettingsError(
        f"RECOUPE_STANCE vaut « {name} » : écrivez features, cross-encoder:NOM, ou llm avec "
        "RECOUPE_LLM."
    )
