"""Words that exclude each other, and words that turn what follows into its contrary."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from pathlib import Path

from rag.french.words import fold, stem

# « il a refusé de signer » : what they govern did not happen.
_DENYING = """
refuser empêcher démentir nier éviter renoncer échouer cesser interdire manquer réfuter contester
rejeter exclure annuler abandonner suspendre omettre négliger arrêter infirmer
"""
_FALSE = """
faux fausse fausses infondé infondée infondées erroné erronée inexact inexacte mensonger mensongère
trompeur trompeuse impossible truqué truquée fictif fictive mythe rumeur
désinformation infox canular contrairement tort hors-contexte parodique satirique
"""


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


DENYING = frozenset(map(root, _DENYING.split()))
FALSE = frozenset(map(root, _FALSE.split()))
