"""Whether a sentence of an article speaks to a machine that reads it: no evidence of anything.

A linear model over the default encoder's vector of the sentence, fitted by `training/addressing.py`
on attacks and on ordinary press that looks like them; `addressing.json`.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from rag.french.words import fold
from rag.models.encoder import Encoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rag.models.embedding import Embedder

# The marks by which models tell who speaks, and orders that begin by naming a program: the model
# tells most of them, these need none.
_PLAIN = re.compile(
    r"<\||\[/?(?:inst|system)\]|### ?instruction|</?passage-|\bsystem prompt\b|"
    r"\bignore (?:all )?(?:the )?(?:previous|prior|above) |"
    r"\b(?:notes?|messages?|consignes?) (?:a|pour) (?:l'|les |le )?"
    r"(?:assistants?|ia|intelligences? artificielles?|robots?|systemes? automatiques?)\b|"
    r"^assistant, |"
    r"(?:^|[,:;.!?] ?)(?:dis|dites|affirme|affirmez|ecris|ecrivez|reponds|repondez)"
    r"(?:-le)?(?: toujours| seulement| uniquement)? (?:au lecteur|aux lecteurs|que |qu')"
)
_KEPT = 4096  # sentences whose answer is remembered


class Addressing:
    """Tells sentences that speak to a machine."""

    def __init__(self, embedder: Embedder) -> None:
        """Take the index's embedder; with another than the default one, that one is loaded too."""
        self._encoder = embedder if isinstance(embedder, Encoder) else Encoder()
        self.to_machine = lru_cache(maxsize=_KEPT)(self._to_machine)

    def _to_machine(self, sentence: str) -> bool:
        """Tell whether a sentence speaks to a machine. Raises EmbeddingError."""
        if _PLAIN.search(fold(sentence)):
            return True
        slopes, intercept = _model()
        (vector,) = self._encoder.embed_passages([sentence])
        return float(vector @ slopes) + intercept > 0

    def honest(self, sentences: Sequence[str]) -> list[str]:
        """Return the sentences that speak to readers. Raises EmbeddingError."""
        return [s for s in sentences if not self.to_machine(s)]


@lru_cache(maxsize=1)
def _model() -> tuple[NDArray[np.float32], float]:
    loaded = json.loads((files("rag.checking") / "addressing.json").read_text(encoding="utf-8"))
    return np.array(loaded["weights"], dtype=np.float32), float(loaded["intercept"])
