"""How much of what a question says is said by a text: terms weighted by rarity."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.french.thesaurus import related
from rag.french.words import content_stems
from rag.searching.question import same_root

if TYPE_CHECKING:
    from rag.indexing.lexical import LexicalIndex

_FAMILY = 0.6  # what a word of the same family counts for


def rarity(lexical: LexicalIndex, stems: Sequence[str]) -> dict[str, float]:
    """Return the rarity of stems among the passages: BM25's inverse document frequency."""
    total, frequencies = lexical.document_frequencies(stems)
    return {s: inverse_frequency(n, total) if n <= total else 0.01 for s, n in frequencies.items()}


def inverse_frequency(count: int, total: int) -> float:
    """Return BM25's inverse frequency of what `count` of `total` texts hold."""
    return math.log(1 + (total - count + 0.5) / (count + 0.5))


def coverage(weights: Mapping[str, float], stems: Collection[str]) -> float:
    """Return the share of the question's stems, weighted by rarity, that `stems` hold."""
    total = sum(weights.values())
    if not total:
        return 0.0
    return sum(w * held(s, stems) for s, w in weights.items()) / total


def held(stem: str, stems: Collection[str]) -> float:
    """Return how far the most alike of `stems` says the same as `stem`, in [0, 1]."""
    return 1.0 if stem in stems else max((likeness(stem, k) for k in stems), default=0.0)


@lru_cache(maxsize=200_000)
def likeness(a: str, b: str) -> float:
    """Return how far two stems say the same, in [0, 1]: equal, of one root, of one family."""
    return same_root(a, b) or (_FAMILY if related(a, b) else 0.0)


def stem_set(text: str) -> frozenset[str]:
    """Return the distinct content stems of a text."""
    return frozenset(content_stems(text))
