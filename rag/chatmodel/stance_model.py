"""The configured chat model as a stance engine, with structured output that is checked."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from rag.chatmodel import prompts
from rag.chatmodel.writing import model_error
from rag.checking.stance import Candidate, FeatureStance, Judgement, compared

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


class ModelStance:
    """Asks a LangChain chat model; what it leaves out or garbles the built-in engine judges."""

    def __init__(self, model: BaseChatModel, name: str) -> None:
        """Take the model and its name."""
        self._model = model
        self._built_in = FeatureStance()
        self.name = name

    def judge(self, claim: str, candidates: Sequence[Candidate]) -> list[Judgement]:
        """See `StanceEngine`. Raises ModelError when the model cannot be reached."""
        if not candidates:
            return []
        said = self._ask(claim, candidates)
        made = []
        readings = compared(claim, candidates)
        for number, (candidate, reading) in enumerate(zip(candidates, readings, strict=True), 1):
            one = said.get(number)
            if one is None:
                made += self._built_in.judge(claim, [candidate])
                continue
            rest = (1 - one.certitude) / 2
            supports = one.certitude if one.position == "soutient" else rest
            contradicts = one.certitude if one.position == "contredit" else rest
            made.append(Judgement(supports, contradicts, reading))
        return made

    def _ask(self, claim: str, candidates: Sequence[Candidate]) -> dict[int, _One]:
        messages = prompts.stance_messages(claim, [c.text for c in candidates])
        try:
            answer = self._model.with_structured_output(_Judged).invoke(messages)
        except Exception as error:
            if "Output" in type(error).__name__ or isinstance(error, ValueError):
                log.warning("réponse du modèle %s illisible ; modèle intégré", self.name)
                return {}
            raise model_error(error, self.name) from error
        return {one.numero: one for one in answer.phrases} if isinstance(answer, _Judged) else {}
