"""Questions that ask for the same thing, grouped by meaning: average linkage over cosines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.models.embedding import Vectors

# Mean cosine of the shipped encoder from which two groups are one, see docs/guide-redaction.md.
SAME_MEANING_COSINE = 0.91


def grouped(vectors: Vectors, alike: float = SAME_MEANING_COSINE) -> list[list[int]]:
    """Return the rows of unit vectors in groups, the largest first, the most typical row first.

    The two groups whose mean cosine is the highest become one as long as it is at least `alike`.
    """
    import numpy as np

    groups = [[i] for i in range(len(vectors))]
    cosines = vectors @ vectors.T
    means = cosines.astype(np.float64)
    np.fill_diagonal(means, -np.inf)
    while len(groups) > 1:
        at = int(np.argmax(means))
        into, gone = sorted(divmod(at, len(vectors)))
        if means[into, gone] < alike:
            break
        # The mean of a group with another is the mean of its halves', by their sizes.
        a, b = len(groups[into]), len(groups[gone])
        merged = (a * means[into] + b * means[gone]) / (a + b)
        merged[[into, gone]] = -np.inf
        means[into] = means[:, into] = merged
        means[gone] = means[:, gone] = -np.inf
        groups[into] += groups[gone]
        groups[gone] = []
    found = [_typical_first(group, cosines) for group in groups if group]
    return sorted(found, key=lambda group: (-len(group), group[0]))


def _typical_first(group: Sequence[int], cosines: Vectors) -> list[int]:
    own = cosines[list(group)][:, list(group)].sum(axis=1)
    return [i for _, i in sorted(zip(-own.round(6), group, strict=True))]
