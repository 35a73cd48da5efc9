"""What the vector of a sentence tells by itself: a fitted linear model over the default encoder.

`training/addressing.py` and `training/opinions.py` fit one each, on sentences written for it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rag.models.embedding import Vectors
    from rag.models.encoder import Encoder

_KEPT = 4096  # sentences whose answer is remembered


class Fitted:
    """The weights of a fitted model, for vectors of the default encoder."""

    def __init__(self, name: str) -> None:
        """Take the name of a fitted model, `rag/checking/NAME.json`."""
        text = (files("rag.checking") / f"{name}.json").read_text(encoding="utf-8")
        loaded = json.loads(text)
        self._slopes = np.array(loaded["weights"], dtype=np.float32)
        self._intercept = float(loaded["intercept"])

    def predict(self, vector: Vectors) -> bool:
        """Tell whether a vector, of shape (dimension,) and norm 1, is of the kind."""
        return float(vector @ self._slopes) + self._intercept > 0


class Probe:
    """Tells sentences that are of a kind from those that are not."""

    def __init__(self, encoder: Encoder, name: str) -> None:
        """Take the default encoder and the name of a fitted model, see `Fitted`."""
        self._fitted = Fitted(name)
        self._encoder = encoder
        self.tells = lru_cache(maxsize=_KEPT)(self._tells)

    def _tells(self, sentence: str) -> bool:
        """Tell whether a sentence is of the kind. Raises EmbeddingError."""
        (vector,) = self._encoder.embed_passages([sentence])
        return self._fitted.predict(vector)
