"""What an embedding model gives, and what all of them share.

Its backends are `encoder.py`, `hub.py` and `endpoint.py`; `loading.py` chooses one.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from rag import messages
from rag.errors import EmbeddingError
from rag.french.sentences import Span
from rag.french.words import excerpt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

log = logging.getLogger(__name__)

DEFAULT = "e5-small-fr"


@dataclass(frozen=True, slots=True)
class PassageText:
    """What is embedded for a passage: the text, the spans of its sentences in it, the title."""

    text: str
    sentences: tuple[Span, ...]
    title: str = ""

    def alone(self) -> list[str]:
        """Return each sentence under the title, as it is embedded where it has to be apart."""
        head = f"{self.title}\n" if self.title and self.text.startswith(self.title) else ""
        return [f"{head}{self.text[a:b]}" for a, b in self.sentences]


class Voice(NamedTuple):
    """Who says a sentence, as a network reads it: three probabilities, and who would speak.

    `speaker` is as the passage names him, "" for nobody named there; `sureness` the probability
    that it is him.
    """

    fact: float
    statement: float
    hearsay: float
    speaker: str = ""
    sureness: float = 0.0


class Embedding(NamedTuple):
    """What an embedder makes of passages with their sentences.

    `passages` are float32 vectors of shape (n, dimension), norm 1; `sentences` one such array a
    passage, a row a sentence; `injections` tell of each sentence of each passage whether it
    speaks to a machine, `voices` who says it, None where the embedder does not tell.
    """

    passages: Vectors
    sentences: list[Vectors]
    injections: list[list[bool]] | None = None
    voices: list[list[Voice]] | None = None


class Embedder(Protocol):
    """Makes unit vectors; cosine similarity is then the dot product.

    Nothing gives an array of shape (0, dimension), any text a vector: empty,
    with NUL characters or lone surrogates. Each method raises EmbeddingError.
    """

    name: str

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """Return float32 vectors of shape (len(texts), dimension), norm 1."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return float32 vectors of shape (len(texts), dimension), norm 1."""
        ...

    def embed_sentences(self, texts: Sequence[PassageText]) -> Embedding:
        """Return the vectors of passages, as `embed_passages`, and those of their sentences."""
        ...


class CheckedEmbedder(ABC):
    """What the embedders share: clean texts go in, checked unit vectors come out."""

    name: str
    _seen = 0  # dimension of the vectors made so far

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        return self._embed(texts, question=True)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        return self._embed(texts, question=False)

    def embed_sentences(self, texts: Sequence[PassageText]) -> Embedding:
        """See `Embedder`. Here sentences are embedded on their own, under their title."""
        apart = [t.alone() if len(t.sentences) > 1 else [] for t in texts]
        vectors = self.embed_passages([t.text for t in texts])
        flat = self.embed_passages([s for found in apart for s in found])
        ends = list(accumulate(map(len, apart), initial=0))
        # A passage of one sentence is that sentence.
        parts = [
            flat[a:b] if b > a else vectors[at : at + len(t.sentences)]
            for at, (t, (a, b)) in enumerate(zip(texts, pairwise(ends), strict=True))
        ]
        return Embedding(vectors, parts)

    def _embed(self, texts: Sequence[str], *, question: bool) -> Vectors:
        if not texts:
            import numpy as np

            dimension = self._seen or self._embed(["."], question=question).shape[1]
            return np.zeros((0, dimension), dtype=np.float32)
        raw = self._raw([encodable(t) for t in texts], question=question)
        vectors = unit_rows(raw, len(texts), self.name)
        if self._seen and vectors.shape[1] != self._seen:
            made = messages.OTHER_DIMENSION.format(vectors.shape[1], self._seen)
            raise _unusable(self.name, made)
        self._seen = vectors.shape[1]
        return vectors

    @abstractmethod
    def _raw(self, texts: list[str], *, question: bool) -> Any:
        """Return one row of numbers a text, of any norm; `texts` is not empty."""


def unit_rows(rows: Any, count: int, name: str) -> Vectors:
    """Return rows of numbers as float32 vectors of norm 1, of shape (count, dimension).

    A row of zeros, which models give to a text without a word that they know,
    becomes a vector that is like no text more than another. Raises
    EmbeddingError, which tells the embedder's `name`, when the rows are not
    `count`, not of one dimension or not finite.
    """
    import numpy as np

    try:
        found = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise _unusable(name, messages.VECTORS_WITHOUT_NUMBERS) from error
    if found.ndim != 2 or not found.shape[1]:
        raise _unusable(name, messages.UNEVEN_VECTORS)
    if len(found) != count:
        raise _unusable(name, messages.WRONG_NUMBER_OF_VECTORS.format(len(found), count))
    if not np.isfinite(found).all():
        raise _unusable(name, messages.NOT_NUMBERS)
    found[~found.any(axis=1)] = 1.0
    found /= np.abs(found).max(axis=1, keepdims=True)  # squares of huge numbers overflow
    unit: Vectors = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
    return unit


def brief(error: Exception) -> str:
    """Return an error of a library as a few words on one line."""
    return excerpt(str(error), 200) or type(error).__name__


def _unusable(name: str, made: str) -> EmbeddingError:
    return EmbeddingError(messages.BAD_VECTORS.format(name, made))


def encodable(text: str) -> str:
    """Return a text that every tokenizer and JSON take: no NUL, no lone surrogate."""
    return text.replace("\0", " ").encode("utf-8", "replace").decode("utf-8")
