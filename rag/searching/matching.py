"""How much of what a question says is said by a text: terms weighted by rarity."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.french.thesaurus import family, related
from rag.french.words import SHORTEST_ROOT, content_stems, same_root

if TYPE_CHECKING:
    from rag.indexing.keyword_index import KeywordIndex

_FAMILY_WEIGHT = 0.6  # what a word of the same family counts for


def rarity(lexical: KeywordIndex, stems: Sequence[str]) -> dict[str, float]:
    """Return the rarity of stems among the passages: BM25's inverse document frequency."""
    total, frequencies = lexical.document_frequencies(stems)
    return {s: inverse_frequency(n, total) if n <= total else 0.01 for s, n in frequencies.items()}


def inverse_frequency(count: int, total: int) -> float:
    """Return BM25's inverse frequency of what `count` of `total` texts hold."""
    return math.log(1 + (total - count + 0.5) / (count + 0.5))


class Terms:
    """What a question says, weighted by rarity, and how much of it a text says too.

    Few of a text's stems can say the same as one of the question's: those of
    one beginning or of one family. They are told once a question, then looked up.
    """

    def __init__(self, weights: Mapping[str, float] | None = None) -> None:
        self.weights: Mapping[str, float] = dict(weights or {})
        self._total = math.fsum(self.weights.values())
        self._beginnings = {stem[:SHORTEST_ROOT] for stem in self.weights}
        self._families = frozenset[str]().union(*map(family, self.weights))
        self._alike: dict[str, tuple[tuple[str, float], ...]] = {}

    def term_overlap(self, stems: Iterable[str]) -> dict[str, float]:
        """Return how far the most alike of `stems` says each of the terms, in (0, 1]."""
        found: dict[str, float] = {}
        for stem in stems:
            alike = self._alike.get(stem)
            if alike is None:
                alike = self._alike[stem] = tuple(self._terms_like(stem))
            for term, degree in alike:
                if degree > found.get(term, 0.0):
                    found[term] = degree
        return found

    def idf_coverage(self, stems: Iterable[str], among: Collection[str] | None = None) -> float:
        """Return the share of the terms, weighted by rarity, that `stems` hold.

        `among` says which of the terms count; default: all.
        """
        found = self.term_overlap(stems)
        if among is None:
            total = self._total
        else:
            total = math.fsum(self.weights[term] for term in among)
            found = {term: degree for term, degree in found.items() if term in among}
        if not total:
            return 0.0
        # An exact sum: sets have another order in each process, and so would near sentences.
        return math.fsum(self.weights[term] * degree for term, degree in found.items()) / total

    def _terms_like(self, stem: str) -> Iterator[tuple[str, float]]:
        if (
            stem in self.weights
            or stem[:SHORTEST_ROOT] in self._beginnings
            or (stem in self._families)
        ):
            for term in self.weights:
                if degree := 1.0 if term == stem else likeness(term, stem):
                    yield term, degree


@lru_cache(maxsize=200_000)
def likeness(a: str, b: str) -> float:
    """Return how far two stems say the same, in [0, 1]: equal, of one root, of one family."""
    return same_root(a, b) or (_FAMILY_WEIGHT if related(a, b) else 0.0)


def stem_set(text: str) -> frozenset[str]:
    """Return the distinct content stems of a text."""
    return frozenset(content_stems(text))
