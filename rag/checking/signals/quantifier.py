"""What the hypothesis states of all, and the premise of some."""

from __future__ import annotations

import re

from rag import texts
from rag.checking.signals.pair import Pair
from rag.domain import Side, Signal, SignalName
from rag.french.words import fold

_ALL = re.compile(
    r"\b(?:tous|toutes|toujours|chaque|entierement|totalement|integralement|unanim\w+)\b"
)


def find(pair: Pair) -> Signal | None:
    """Tell of a word for all that the premise has not."""
    if not _ALL.search(fold(pair.hypothesis)) or _ALL.search(fold(pair.whole)):
        return None
    return Signal(SignalName.SCOPE, texts.ALL_FOR_SOME, Side.AGAINST)
