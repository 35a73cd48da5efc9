"""Whether what is said follows from the sentences that are shown for it.

One comparison of two parts that mend each other: a trained network (`rag.models.comparer`) and what
can be told exactly (`rag.checking.signals`: quantities with their units, dates, names and their
roles, negation, contraries), with whether a statement or hearsay is told as a fact. A logistic
model, fitted by `bench/comparison.py` on press, gives the probability; `comparison.json`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from rag.checking.said import Said
from rag.checking.signals import FEATURES as EXACT
from rag.checking.signals import NOTHING, read
from rag.domain import Kind, Signal
from rag.french.conditional import is_conditional
from rag.french.sentences import sentence_spans
from rag.french.speech import attribute
from rag.french.words import content_stems
from rag.models.comparer import Comparer
from rag.models.scale import UNKNOWN

FEATURES = (
    "net_follows",  # log-odds that it follows, by the network
    "net_against",
    *EXACT,
    "word_dropped",  # the sentence nearest to it is somebody's word or hearsay, and it is not
    "doubt_dropped",  # the same of a conditional
)
_SURE = 1e-4  # the least probability that log-odds are taken of
_WORD = re.compile(r"[\w'’-]+")


@dataclass(frozen=True, slots=True)
class Comparison:
    """The probability, in [0, 1], that what is said follows, and what a person can check."""

    follows: float
    signals: tuple[Signal, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What is compared with: sentences, the label that stands beside them, and their likeness.

    `similarity` is a cosine on the scale of the default embedder, see `rag.models.scale`.
    """

    text: str
    label: str = ""
    similarity: float = UNKNOWN

    @property
    def whole(self) -> str:
        """The label and the sentences."""
        return f"{self.label}\n{self.text}" if self.label else self.text


def compare(said: str, shown: Sequence[Shown], comparer: Comparer) -> list[Comparison]:
    """Return how each of `shown` compares with what is said, in order. Raises EmbeddingError."""
    model = weights()
    return [
        Comparison(_probability(model, features), signals)
        for features, signals in described(said, shown, comparer)
    ]


def described(
    said: str, shown: Sequence[Shown], comparer: Comparer
) -> list[tuple[dict[str, float], tuple[Signal, ...]]]:
    """Return the features and the signals of each of `shown`. Raises EmbeddingError."""
    claimed, doubt, own = Said(said), _doubts(said), attribute(said).kind
    found = []
    for each, net in zip(shown, comparer.compare([(said, s.whole) for s in shown]), strict=True):
        label = Said(each.label) if each.label else NOTHING
        reading = read(claimed, Said(each.text), each.similarity, title=label)
        start, end = _nearest(said, each.text)
        word = attribute(each.text, start, end).kind
        features = reading.features | {
            "net_follows": _odds(net.follows),
            "net_against": _odds(net.against),
            "word_dropped": float(own is Kind.REPORTED and word is not Kind.REPORTED),
            "doubt_dropped": float(not doubt and _doubts(each.text[start:end])),
        }
        found.append((features, reading.signals))
    return found


def _doubts(text: str) -> bool:
    words = (w.replace("’", "'") for w in _WORD.findall(text.lower()))
    return any(map(is_conditional, words))


def _nearest(said: str, text: str) -> tuple[int, int]:
    """Return the span of the sentence that shares most with what is said."""
    wanted = set(content_stems(said))
    spans = sentence_spans(text) or [(0, len(text))]
    return max(spans, key=lambda s: len(wanted & set(content_stems(text[slice(*s)]))))


def _odds(share: float) -> float:
    return math.log((share + _SURE) / (1 - share + _SURE))


def _probability(model: dict[str, float], features: dict[str, float]) -> float:
    odds = model["intercept"] + sum(model[name] * features[name] for name in FEATURES)
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, odds))))


@lru_cache(maxsize=1)
def weights() -> dict[str, float]:
    """Return the fitted model: a weight for each of `FEATURES`, and `intercept`."""
    text = (files("rag.checking") / "comparison.json").read_text(encoding="utf-8")
    loaded: dict[str, float] = json.loads(text)["weights"]
    return loaded
