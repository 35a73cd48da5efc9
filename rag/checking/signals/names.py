"""Names of the hypothesis that the premise lacks, or in whose place it has another."""

from __future__ import annotations

import re

from rag import texts
from rag.checking.signals.pair import Pair
from rag.checking.signals.swapped import substituted_name
from rag.domain import Side, Signal, SignalName
from rag.french.names import names
from rag.french.words import fold, words

_PART = re.compile(r"[^\W\d_]+")  # « Pfalz » of « Rheinland-Pfalz »
WORD = re.compile(r"[^\W\d_][\w-]*")


def absent(pair: Pair) -> Signal | None:
    """Return the names that the premise lacks."""
    missing = sorted(names(pair.hypothesis) - set(words(pair.whole)))
    if not missing:
        return None
    text = ", ".join(as_written(pair.hypothesis, name) for name in missing)
    return Signal(SignalName.NAMES, texts.ABSENT_NAME.format(text), Side.OPEN)


def substituted(pair: Pair) -> Signal | None:
    """Return a name in whose place the premise has another one."""
    other = substituted_name(pair.hypothesis, pair.premise)
    return (
        Signal(SignalName.NAMES, texts.OTHER_NAME.format(*other), Side.AGAINST) if other else None
    )


def as_written(text: str, folded: str) -> str:
    """Return a word of a text as it is written there."""
    found = (
        m.group() for p in (WORD, _PART) for m in p.finditer(text) if fold(m.group()) == folded
    )
    return next(found, folded)
