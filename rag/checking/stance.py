"""Whether a sentence supports a claim, contradicts it, or does neither.

One protocol, three engines: the built-in model over readable features
(`bench/stance.py` fits it), a sentence-transformers `CrossEncoder` trained on
inference, and the configured chat model. What the features saw is kept with
each judgement, whichever engine judged.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any, Protocol

from rag.checking.said import Said
from rag.checking.signals import NOTHING, Reading, read
from rag.domain import Stance
from rag.errors import SettingsError
from rag.models.scale import UNKNOWN

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence to judge. `title` is its article's, `around` what surrounds it.

    `similarity` is the cosine of claim and sentence on the scale of the default
    embedder (see `rag.models.scale`).
    """

    text: str
    title: str = ""
    around: str = ""
    written_on: date | None = None
    similarity: float = UNKNOWN


@dataclass(frozen=True, slots=True)
class Judgement:
    """The stance of a sentence with the probability of each, and what was compared.

    `by_words` tells that the engine only knows words: the verdict then also
    asks that the sentence holds most of the claim's.
    """

    supports: float
    contradicts: float
    reading: Reading
    by_words: bool = False

    @property
    def stance(self) -> Stance:
        """The most probable stance."""
        neither = 1 - self.supports - self.contradicts
        best = max(self.supports, self.contradicts, neither)
        if best == neither:
            return Stance.NEITHER
        return Stance.SUPPORTS if best == self.supports else Stance.CONTRADICTS

    @property
    def probability(self) -> float:
        """The probability of that stance, in [0, 1]."""
        return max(self.supports, self.contradicts, 1 - self.supports - self.contradicts)


class StanceEngine(Protocol):
    """Judges sentences; `name` says in a report which engine did."""

    name: str

    def judge(self, claim: str, candidates: Sequence[Candidate]) -> list[Judgement]:
        """Return one judgement a candidate, in order."""
        ...


class FeatureStance:
    """The built-in engine: logistic models over `rag.checking.signals`."""

    name = "recoupe (modèle intégré)"

    def judge(self, claim: str, candidates: Sequence[Candidate]) -> list[Judgement]:
        """See `StanceEngine`."""
        return [self._one(reading) for reading in compared(claim, candidates)]

    def _one(self, reading: Reading) -> Judgement:
        model = _model()
        against = _probability(model["contradiction"], reading.features, model["prior"])
        held = _probability(model["support"], reading.features, 0.0)
        return Judgement((1 - against) * held, against, reading, by_words=True)


class CrossEncoderStance:
    """A sentence-transformers `CrossEncoder` trained on natural language inference."""

    def __init__(self, name: str) -> None:
        """Load the model. Raises SettingsError when it cannot be had or judges no contradiction."""
        from sentence_transformers import CrossEncoder

        try:
            self._model = CrossEncoder(name)
        except Exception as error:  # the hub, the file and the format each have errors of their own
            raise SettingsError(
                f"Le modèle « {name} » de RECOUPE_STANCE ne peut pas être chargé ({error}) : "
                "vérifiez son nom, ou choisissez « features »."
            ) from error
        labels = {int(i): str(n).lower() for i, n in self._model.config.id2label.items()}
        found = {wanted: at for at, n in labels.items() for wanted in _LABELS if wanted in n}
        if len(found) < 2:
            raise SettingsError(
                f"Le modèle « {name} » de RECOUPE_STANCE n'est pas un modèle d'inférence "
                "(entailment, contradiction) : choisissez-en un autre, ou « features »."
            )
        self._at = found
        self.name = name

    def judge(self, claim: str, candidates: Sequence[Candidate]) -> list[Judgement]:
        """See `StanceEngine`. The probabilities are the softmax of the model's scores."""
        if not candidates:
            return []
        import torch

        scores = self._model.predict(
            [(c.text, claim) for c in candidates], convert_to_tensor=True, show_progress_bar=False
        )
        shares = torch.softmax(torch.as_tensor(scores).float(), dim=-1).tolist()
        made = []
        for reading, share in zip(compared(claim, candidates), shares, strict=True):
            made.append(
                Judgement(
                    share[self._at["entail"]], share[self._at["contradict"]],
                    reading,
                )
            )  # fmt: skip
        return made


_LABELS = ("entail", "contradict")


def compared(claim: str, candidates: Sequence[Candidate]) -> list[Reading]:
    """Return the reading of each candidate against a claim, see `signals.read`."""
    said = Said(claim)
    # Candidates of one article have a title, and neighbours, in common.
    known: dict[str, Said] = {"": NOTHING}
    return [
        read(
            said,
            Said(c.text),
            c.similarity,
            title=known.setdefault(c.title, Said(c.title)),
            around=known.setdefault(c.around, Said(c.around)),
            written_on=c.written_on,
        )
        for c in candidates
    ]


def _probability(weights: dict[str, float], features: dict[str, float], shift: float) -> float:
    odds = weights["intercept"] + shift
    odds += sum(w * features[f] for f, w in weights.items() if f in features)
    return 1 / (1 + math.exp(-odds))


@lru_cache(maxsize=1)
def _model() -> dict[str, Any]:
    text = (files("rag.checking") / "stance.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
