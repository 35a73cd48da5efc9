"""Networks that tell whether a hypothesis follows from a premise: the one shipped, or another.

One protocol, three kinds: the network of `rag.models.comparer`, a sentence-transformers
`CrossEncoder` trained on natural language inference, and the configured chat model
(`rag.checking.entailment_by_model`). Whichever it is, `compare` puts the signals that a person can
check beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from rag import messages
from rag.errors import SettingsError
from rag.models.comparer import Compared, Comparer
from rag.models.hub import sentence_transformers

if TYPE_CHECKING:
    from rag.settings import Settings


class Entailment(Protocol):
    """Compares pairs; `name` says in a report which network did."""

    name: str

    def compare(self, pairs: Sequence[tuple[str, str]]) -> list[Compared]:
        """Return the probabilities for pairs of a hypothesis and a premise, in order."""
        ...


class CrossEncoderEntailment:
    """A sentence-transformers `CrossEncoder` trained on natural language inference."""

    def __init__(self, name: str) -> None:
        """Load the model.

        Raises SettingsError when it cannot be had or tells no contradiction, MissingExtraError
        without sentence-transformers.
        """
        library = sentence_transformers()
        try:
            self._model = library.CrossEncoder(name)
        except Exception as error:  # the hub, the file and the format each have errors of their own
            raise SettingsError(messages.STANCE_NOT_LOADED.format(name, error)) from error
        labels = {int(i): str(n).lower() for i, n in self._model.config.id2label.items()}
        found = {wanted: at for at, n in labels.items() for wanted in _LABELS if wanted in n}
        if len(found) < len(_LABELS):
            raise SettingsError(messages.NOT_AN_ENTAILMENT_MODEL.format(name))
        self._at = found
        self.name = name

    def compare(self, pairs: Sequence[tuple[str, str]]) -> list[Compared]:
        """See `Entailment`. The probabilities are the softmax of the model's scores."""
        if not pairs:
            return []
        import torch

        scores = self._model.predict(
            [(premise, hypothesis) for hypothesis, premise in pairs],
            convert_to_tensor=True,
            show_progress_bar=False,
        )
        shares = torch.softmax(torch.as_tensor(scores).float(), dim=-1).tolist()
        return [Compared(s[self._at["entail"]], s[self._at["contradict"]]) for s in shares]


_LABELS = ("entail", "contradict")


def load_entailment(settings: Settings) -> Entailment:
    """Return the network that the settings name: "features", "llm" or "cross-encoder:NAME".

    "features" is the one shipped, and has its name from what was built in before it.

    Raises SettingsError for "llm" without a model.
    """
    kind, _, name = settings.stance.partition(":")
    if kind == "features":
        return Comparer()
    if kind == "cross-encoder":
        return CrossEncoderEntailment(name)
    if settings.llm:
        from rag.checking.entailment_by_model import ModelEntailment
        from rag.models.chat import load_chat_model

        if model := load_chat_model(settings):
            return ModelEntailment(model, settings.llm)
    raise SettingsError(messages.STANCE_WITHOUT_MODEL)
