"""What the vector of a sentence says by itself: a fitted linear model over the default encoder.

`training/prompt_injection.py` and `training/opinions.py` fit one each, on sentences written for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.models.encoder import Encoder

_CACHE_SIZE = 4096  # sentences whose vector is cached, 6 MB
Vectorize = Callable[[str], "NDArray[np.float32]"]


def vectorizer(encoder: Encoder) -> Vectorize:
    """Return what gives the unit vector of a sentence, of shape (384,), computed once.

    It raises EmbeddingError.
    """

    @lru_cache(maxsize=_CACHE_SIZE)
    def vector(sentence: str) -> NDArray[np.float32]:
        found: NDArray[np.float32] = encoder.embed_passages([sentence])[0]
        return found

    return vector


class LinearClassifier:
    """Tells sentences that are of a kind from those that are not."""

    def __init__(self, vector: Vectorize, name: str) -> None:
        """Take what gives vectors of the default encoder, and the name of a fitted model.

        The model is `rag/checking/NAME.json`. Classifiers may share `vector`, and then embed a
        sentence once.
        """
        text = (files("rag.checking") / f"{name}.json").read_text(encoding="utf-8")
        loaded = json.loads(text)
        self._slopes = np.array(loaded["weights"], dtype=np.float32)
        self._intercept = float(loaded["intercept"])
        self._vector = vector

    def predict(self, sentence: str) -> bool:
        """Tell whether a sentence is of the kind. Raises EmbeddingError."""
        return float(self._vector(sentence) @ self._slopes) + self._intercept > 0
