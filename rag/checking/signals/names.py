"""Names of the hypothesis that the premise lacks, or in whose place it has another."""

from __future__ import annotations

import re

from rag import texts
from rag.checking.signals.pair import Pair
from rag.checking.signals.swapped import substituted_name
from rag.domain import Side, Signal, SignalName
from rag.french.names import names
from rag.french.words import fold, words

WORD = re.compile(r"[^\W\d_][\w-]*")


def absent(pair: Pair) -> Signal | None:
    """Return the names that the premise lacks."""
    missing = sorted(names(pair.hypothesis) - set(words(pair.whole)))
    if not missing:
        return None
    whole = dict.fromkeys(as_written(pair.hypothesis, name) for name in missing)
    return Signal(SignalName.NAMES, texts.ABSENT_NAME.format(", ".join(whole)), Side.OPEN)


def substituted(pair: Pair) -> Signal | None:
    """Return a name in whose place the premise has another one."""
    other = substituted_name(pair.hypothesis, pair.premise)
    return (
        Signal(SignalName.NAMES, texts.OTHER_NAME.format(*other), Side.AGAINST) if other else None
    )


def as_written(text: str, folded: str) -> str:
    """Return a word as a text has it, whole: « Rheinland-Pfalz » for « pfalz »."""
    written = [m.group() for m in WORD.finditer(text)]
    exact = (word for word in written if fold(word) == folded)
    return next(exact, next((word for word in written if folded in words(word)), folded))
