"""Vectors for more passages than there is time to embed.

The first texts are embedded for good; each later one gets the vector of one of
them, moved by a noise of its own. The graph of the store then has the size and
about the clusters of a real one, while searches embed their question for good.
What it cannot tell is how well anything is found.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.models.embedding import Embedding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_NOISE = 0.3  # of the norm: two texts of one base have a cosine of about 0.92
_NOISES = 4096


class DerivedEmbedder:
    """Embeds the first `base` texts with `real`, derives the others; `seconds` is its time."""

    def __init__(self, real: Any, base: int, seed: int) -> None:
        self.name: str = real.name
        self.seconds = 0.0
        self.derived = 0
        self._real = real
        self._base = base
        self._seed = seed
        self._pool: Vectors = np.zeros((0, 0), dtype=np.float32)
        self._noise: Vectors = self._pool

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """Return what the real embedder returns."""
        vectors: Vectors = self._real.embed_questions(texts)
        return vectors

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector a text."""
        began = time.perf_counter()
        try:
            if len(self._pool) >= self._base:
                return self._derive(texts)
            vectors: Vectors = self._real.embed_passages(texts)
            self._learn(vectors)
            return vectors
        finally:
            self.seconds += time.perf_counter() - began

    def embed_sentences(self, texts: Sequence[Any]) -> Embedding:
        """Return the vectors of passages, and those of the sentences of each."""
        began = time.perf_counter()
        try:
            if len(self._pool) < self._base:
                made: Embedding = self._real.embed_sentences(texts)
                self._learn(made.passages)
                return made
            inside = [self._derive([t.text[a:b] for a, b in t.sentences]) for t in texts]
            return Embedding(self._derive([t.text for t in texts]), inside)
        finally:
            self.seconds += time.perf_counter() - began

    @property
    def embedded(self) -> int:
        """How many texts were embedded for good."""
        return len(self._pool)

    def _learn(self, vectors: Vectors) -> None:
        self._pool = np.concatenate([self._pool, vectors]) if len(self._pool) else vectors
        if not len(self._noise):
            noise = np.random.default_rng(self._seed).normal(size=(_NOISES, vectors.shape[1]))
            noise *= _NOISE / np.linalg.norm(noise, axis=1, keepdims=True)
            self._noise = noise.astype(np.float32)

    def _derive(self, texts: Sequence[str]) -> Vectors:
        """Return a vector a text, always the same for one text."""
        self.derived += len(texts)
        dimension = self._pool.shape[1]
        made = np.empty((len(texts), dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            number = int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=8).digest())
            number, base = divmod(number, len(self._pool))
            number, noise = divmod(number, _NOISES)
            made[row] = self._pool[base] + np.roll(self._noise[noise], number % dimension)
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        return made
