"""Which names the articles hold: a person whom the press names is public, others are not.

Exact as the text goes: a name is public where its words stand in a row, with capitals, in an
article that may answer, or where it signs one. It cannot tell two people of one name apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rag.french.words import WORD, content_stems, fold

if TYPE_CHECKING:
    from rag.indexing.index import Index

# Passages that hold all words of a name, the best first, in which it is looked for
_MOST_PASSAGES = 200
_MOST_KEPT = 5000  # names whose answer is remembered


class PublicNames:
    """Tells whether the articles of the index that serves hold a name."""

    def __init__(self, index: Callable[[], Index]) -> None:
        """Take what gives the index: another may take its place."""
        self._serving = index
        self._digest = ""
        self._told: dict[str, bool] = {}

    def __call__(self, name: str) -> bool:
        """Tell whether an article that may answer has a name, typography and accents apart.

        Raises StoreError where the index cannot be read.
        """
        index = self._serving()
        digest = index.catalogue.digest()
        if digest != self._digest or len(self._told) > _MOST_KEPT:
            self._told.clear()
            self._digest = digest
        if name not in self._told:
            self._told[name] = _find(index, name)
        return self._told[name]


def _find(index: Index, name: str) -> bool:
    wanted = _folded(name)
    if any(wanted == _folded(author) for author, _ in index.catalogue.facets().authors):
        return True
    records = index.current(index.lexical.holding(content_stems(name), _MOST_PASSAGES))
    passages = index.store.passages(list(records))
    return any(
        _names(text, wanted)
        for i, passage in passages.items()
        for text in (passage.headed, records[i].source.title)
    )


def _folded(text: str) -> list[str]:
    return [fold(word) for word in WORD.findall(text)]


def _names(text: str, wanted: list[str]) -> bool:
    """Tell whether words stand in a row in a text, the first and the last with a capital."""
    written = WORD.findall(text)
    folded = [fold(word) for word in written]
    length = len(wanted)
    return any(
        folded[at : at + length] == wanted
        and written[at][0].isupper()
        and written[at + length - 1][0].isupper()
        for at in range(len(folded) - length + 1)
    )
