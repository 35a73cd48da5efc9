"""Texts that are printed several times: one address and another, a wire story lightly edited.

MinHash (Broder, 1997) over shingles of five words, in bands (locality-sensitive hashing): two
texts that share a band are compared. Texts whose figures differ are no copies, however alike: an
update says something else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rag.french.numbers import numbers
from rag.french.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_SHINGLE_WORDS = 5  # words
_HASHES, _BANDS = 64, 16  # rows of 4: half of the pairs that are alike to 0.5 share a band
_SEED = 1  # of the hashes: signatures are kept
_COPY_SIMILARITY = 0.7  # estimated share of shingles from which two texts are copies
# Words below which a text is no copy: « Le conseil est reporté » is everybody's
_SHORTEST_TEXT = 20


@dataclass(frozen=True, slots=True)
class Signature:
    """What tells copies of a text: its hashes, and its figures."""

    hashes: bytes
    figures: str

    def bands(self) -> list[bytes]:
        """Return the keys by which candidates are looked up, 8 bytes each."""
        width = len(self.hashes) // _BANDS
        return [
            hashlib.blake2b(
                bytes([at]) + self.hashes[at * width : (at + 1) * width], digest_size=8
            ).digest()
            for at in range(_BANDS)
        ]

    def alike(self, other: Signature, least: float = _COPY_SIMILARITY) -> bool:
        """Tell whether two texts are copies of one: at least so alike, with the same figures."""
        if self.figures != other.figures:
            return False
        return float((self._array() == other._array()).mean()) >= least

    def _array(self) -> NDArray[np.uint32]:
        return np.frombuffer(self.hashes, dtype=np.uint32)


def signature(text: str) -> Signature | None:
    """Return the signature of an article's text; None for one that is too short."""
    from rensa import RMinHash

    tokens = words(text)
    if len(tokens) < _SHORTEST_TEXT:
        return None
    minhash = RMinHash(num_perm=_HASHES, seed=_SEED)
    minhash.update(list(_shingles(tokens)))
    hashes = np.asarray(minhash.digest(), dtype=np.uint32).tobytes()
    return Signature(hashes, " ".join(sorted(numbers(text))))


def _shingles(tokens: list[str]) -> Iterator[str]:
    for at in range(len(tokens) - _SHINGLE_WORDS + 1):
        yield " ".join(tokens[at : at + _SHINGLE_WORDS])
