"""Words that exclude each other."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from pathlib import Path

from rag.french.words import fold, stem


@lru_cache(maxsize=1)
def _pairs() -> frozenset[tuple[str, str]]:
    text = (Path(__file__).parent / "antonyms.txt").read_text(encoding="utf-8")
    found = set()
    for line in text.splitlines():
        if line and not line.startswith("#"):
            left, right = (side.split() for side in line.split(" / "))
            found |= set(product(map(root, left), map(root, right)))
    return frozenset(found | {(b, a) for a, b in found})


def root(word: str) -> str:
    """Return the folded stem of a word."""
    return stem(fold(word))


def opposed(a: str, b: str) -> bool:
    """Tell whether two stems exclude each other."""
    return (a, b) in _pairs()
