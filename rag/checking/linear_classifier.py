"""What the vector of a sentence says by itself: a fitted linear model over the default encoder.

`training/prompt_injection.py` and `training/opinions.py` fit one each, on sentences written for it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rag.models.encoder import Encoder

_CACHE_SIZE = 4096  # sentences whose answer is cached


class LinearClassifier:
    """Tells sentences that are of a kind from those that are not."""

    def __init__(self, encoder: Encoder, name: str) -> None:
        """Take the default encoder and the name of a fitted model, `rag/checking/NAME.json`."""
        text = (files("rag.checking") / f"{name}.json").read_text(encoding="utf-8")
        loaded = json.loads(text)
        self._slopes = np.array(loaded["weights"], dtype=np.float32)
        self._intercept = float(loaded["intercept"])
        self._encoder = encoder
        self.predict = lru_cache(maxsize=_CACHE_SIZE)(self._predict)

    def _predict(self, sentence: str) -> bool:
        """Tell whether a sentence is of the kind. Raises EmbeddingError."""
        (vector,) = self._encoder.embed_passages([sentence])
        return float(vector @ self._slopes) + self._intercept > 0
