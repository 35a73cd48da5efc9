"""The cosines of any embedding model on the scale of the default one.

What weighs a cosine (the ranking of sentences, the probability of an answer,
the stance, the support check) was fitted on the default model, whose cosines
lie between 0.75 and 1; those of another lie elsewhere. Where they lie is
measured once a model, on the short French texts of `scale.json`: pairs that
speak of one thing, and the same texts crossed, which do not. A straight line
then brings the two means of a model onto those of the default one, or nearer
to each other where the model is noisier: it is then believed less. The line
rises, so no ranking changes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import messages
from rag.errors import EmbeddingError

if TYPE_CHECKING:
    from rag.models.embedding import Embedder, Vectors

log = logging.getLogger(__name__)

UNKNOWN_COSINE = 0.8  # on the scale: the cosine of a question and a passage that was not measured
_LEAST_SEPARATION = 0.85  # see `Spread.separation`; chance is 0.5, the default model has 0.98
_SAME_COSINE = 0.999  # cosine of one text embedded twice by one model


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the cosines of a model lie: the means over unrelated and over related texts.

    `noise` is their standard deviation around these means; `separation` the
    share of (related, unrelated) couples in which the related pair has the
    higher cosine.
    """

    unrelated: float
    related: float
    noise: float
    separation: float

    @property
    def tells(self) -> bool:
        """Whether the cosine tells what is related from what is not."""
        return self.separation >= _LEAST_SEPARATION

    @property
    def middle(self) -> float:
        """The cosine half-way between unrelated and related."""
        return (self.unrelated + self.related) / 2

    @property
    def gap(self) -> float:
        """How far related texts lie above unrelated ones."""
        return self.related - self.unrelated

    @property
    def reliability(self) -> float:
        """The share, in [0, 1], of the variance of cosines that relatedness explains."""
        return self.gap**2 / (self.gap**2 + 4 * self.noise**2)


@dataclass(frozen=True, slots=True)
class Spreads:
    """Those of questions with passages, and of sentences with sentences."""

    asked: Spread
    alike: Spread


class CosineScale:
    """Brings the cosines of an embedder onto the scale of the default one.

    The default one's are left as they are. Another's are measured at the
    first use, and kept in `folder` so that a slow service embeds one text at
    the next start, not all of them; a service that has changed its model is
    then measured again.
    """

    def __init__(self, embedder: Embedder, folder: Path | None = None) -> None:
        self._embedder = embedder
        self._file = folder / "scale.json" if folder else None
        self._lock = threading.Lock()
        self._found: Spreads | None = None

    def asked(self, cosine: float) -> float:
        """Return the cosine of a question and a passage on the scale. Raises EmbeddingError."""
        own = self._spreads()
        return cosine if own is None else to_reference(cosine, own.asked, reference().asked)

    def alike(self, cosine: float) -> float:
        """Return the cosine of two passages or sentences on the scale. Raises EmbeddingError."""
        own = self._spreads()
        return cosine if own is None else to_reference(cosine, own.alike, reference().alike)

    def doubts(self) -> list[str]:
        """Return what is wrong with the embedder, as French sentences; none when it will do."""
        try:
            own = self._spreads()
        except EmbeddingError as error:
            return [str(error)]
        return [] if own is None or (own.asked.tells and own.alike.tells) else [self._doubt(own)]

    def _spreads(self) -> Spreads | None:
        """Return where the embedder's cosines lie; None for the default one."""
        if self._embedder.name == _scale_data()["embedding"]:
            return None
        with self._lock:
            if self._found is None:
                self._found = self._cached() or self._measured()
                if not (self._found.asked.tells and self._found.alike.tells):
                    log.warning("%s", self._doubt(self._found))
            return self._found

    def _doubt(self, own: Spreads) -> str:
        worst = min(own.asked.separation, own.alike.separation)
        return messages.UNCALIBRATED_MODEL.format(self._embedder.name, worst, _LEAST_SEPARATION)

    def _cached(self) -> Spreads | None:
        """Return what was measured at an earlier start, when the model is still the same."""
        try:
            entry = json.loads(self._file.read_text(encoding="utf-8")) if self._file else None
            if not entry or entry["key"] != self._key():
                return None
            spreads = Spreads(Spread(**entry["asked"]), Spread(**entry["alike"]))
            probe = entry["probe"]
        except (OSError, ValueError, TypeError, KeyError):
            return None
        import numpy as np

        now = self._probe()
        return spreads if len(probe) == len(now) and np.dot(probe, now) > _SAME_COSINE else None

    def _measured(self) -> Spreads:
        log.info("étalonnage du modèle d'embedding « %s »", self._embedder.name)
        spreads = measure_spreads(self._embedder)
        if self._file:
            entry = {
                "key": self._key(),
                **asdict(spreads),
                "probe": [round(float(x), 5) for x in self._probe()],
            }
            try:
                made = self._file.with_suffix(".new")
                made.write_text(json.dumps(entry), encoding="utf-8")
                made.replace(self._file)
            except OSError as error:  # it is only measured again
                log.warning("étalonnage non gardé : %s", error)
        return spreads

    def _probe(self) -> Vectors:
        vector: Vectors = self._embedder.embed_questions([_triples()[0][0]])[0]
        return vector

    def _key(self) -> list[Any]:
        return [self._embedder.name, _digest()]


def to_reference(cosine: float, own: Spread, reference: Spread) -> float:
    """Return the cosine of a model of spread `own` on the scale of `reference`.

    Along a straight line, never above 1. A noise like the reference's takes the
    means to the means; what is noisier is drawn to the middle, as the least
    squares would, or it would pass chance off as likeness (with an English
    model, 37% of unanswerable questions got an answer, and 23% so). The cosine
    of a model that does not tell related texts apart says nothing: it counts
    as half-way, so that words decide.
    """
    if not own.tells:
        return reference.middle
    slope = reference.gap / own.gap * min(1.0, own.reliability / reference.reliability)
    return max(-1.0, min(1.0, reference.middle + slope * (cosine - own.middle)))


def measure_spreads(embedder: Embedder) -> Spreads:
    """Return where the cosines of an embedder lie. Raises EmbeddingError."""
    questions, sentences, restated = zip(*_triples(), strict=True)
    queries = embedder.embed_questions(questions)
    vectors = embedder.embed_passages([*sentences, *restated])
    answers, paraphrases = vectors[: len(sentences)], vectors[len(sentences) :]
    return Spreads(_spread(queries, answers), _spread(answers, paraphrases))


def reference() -> Spreads:
    """Return where the cosines of the default embedder lie."""
    data = _scale_data()
    return Spreads(Spread(**data["asked"]), Spread(**data["alike"]))


def _spread(some: Vectors, others: Vectors) -> Spread:
    """Return the spread of the cosines of rows: those of one rank are related."""
    import numpy as np

    cosines = some @ others.T
    crossed = ~np.eye(len(some), dtype=bool)
    related, unrelated = cosines.diagonal(), cosines[crossed]
    above = (related[:, None] > unrelated).mean()
    noise = ((related.var() + unrelated.var()) / 2) ** 0.5
    return Spread(float(unrelated.mean()), float(related.mean()), float(noise), float(above))


def _triples() -> Sequence[tuple[str, str, str]]:
    """Return the texts: a question, a sentence that answers it, the sentence said otherwise."""
    return [(a, b, c) for a, b, c in _scale_data()["triples"]]


@lru_cache(maxsize=1)
def _scale_data() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        (files("rag.models") / "scale.json").read_text(encoding="utf-8")
    )
    return loaded


@lru_cache(maxsize=1)
def _digest() -> str:
    """Return what changes when the texts do."""
    texts = json.dumps(_scale_data()["triples"])
    return hashlib.sha256(texts.encode()).hexdigest()[:16]
