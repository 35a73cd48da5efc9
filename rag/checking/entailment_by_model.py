"""The configured chat model as an entailment network, with structured output that is checked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from rag.checking import prompts
from rag.models.chat import model_error
from rag.models.comparer import Compared, Comparer

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

log = logging.getLogger(__name__)


class _One(BaseModel):
    numero: int
    position: Literal["soutient", "contredit", "ni l'un ni l'autre"]
    certitude: float = Field(ge=0, le=1)


class _Judged(BaseModel):
    """The position of each numbered sentence on the claim."""

    phrases: list[_One]


class ModelEntailment:
    """Asks a LangChain chat model; what it leaves out or garbles the shipped network compares."""

    def __init__(self, model: BaseChatModel, name: str) -> None:
        """Take the model and its name."""
        self._model = model
        self._shipped = Comparer()
        self.name = name

    def compare(self, pairs: Sequence[tuple[str, str]]) -> list[Compared]:
        """See `Entailment`. Raises ModelError when the model cannot be reached."""
        found: list[Compared] = []
        for hypothesis, some in groupby(pairs, key=lambda pair: pair[0]):
            found += self._of(hypothesis, [premise for _, premise in some])
        return found

    def _of(self, hypothesis: str, premises: Sequence[str]) -> list[Compared]:
        answers = self._ask(hypothesis, premises)
        results = []
        for number, premise in enumerate(premises, 1):
            one = answers.get(number)
            if one is None:
                results += self._shipped.compare([(hypothesis, premise)])
                continue
            rest = (1 - one.certitude) / 2
            results.append(
                Compared(
                    one.certitude if one.position == "soutient" else rest,
                    one.certitude if one.position == "contredit" else rest,
                )
            )
        return results

    def _ask(self, hypothesis: str, premises: Sequence[str]) -> dict[int, _One]:
        messages = prompts.stance_messages(hypothesis, premises)
        try:
            answer = self._model.with_structured_output(_Judged).invoke(messages)
        except Exception as error:
            if "Output" in type(error).__name__ or isinstance(error, ValueError):
                log.warning("réponse du modèle %s illisible ; modèle intégré", self.name)
                return {}
            raise model_error(error, self.name) from error
        return {one.numero: one for one in answer.phrases} if isinstance(answer, _Judged) else {}
