"""Vectors in 8 bits: what is kept of sentences and of passages beside the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

# Levels to a standard deviation. Rounding moves a cosine by about 0.001, and a
# compressor finds that five to six bits a number are used.
_LEVELS = 12.0


def pack(rows: Vectors | Sequence[Vectors]) -> list[bytes]:
    """Return vectors of shape (n, dimension) as n strings of `dimension` signed bytes."""
    import numpy as np

    if not len(rows):
        return []
    vectors = np.asarray(rows, dtype=np.float32)
    spread = np.sqrt(np.mean(np.square(vectors), axis=1, keepdims=True))
    levels = np.rint(vectors * (_LEVELS / np.maximum(spread, 1e-12)))
    return [row.tobytes() for row in np.clip(levels, -127, 127).astype(np.int8)]


def unpack(packed: Sequence[bytes]) -> Vectors:
    """Return packed vectors as float32 of shape (len(packed), dimension), norm 1; none empty."""
    import numpy as np

    rows = np.frombuffer(b"".join(packed), dtype=np.int8).reshape(len(packed), -1)
    found: Vectors = rows.astype(np.float32)
    found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    return found


def cosines(vector: Vectors, packed: Sequence[bytes]) -> list[float]:
    """Return the cosines of a unit vector of shape (dimension,) with packed vectors."""
    if not packed:
        return []
    found: list[float] = (unpack(packed) @ vector).tolist()
    return found
