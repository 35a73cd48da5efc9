"""An amount of money of the hypothesis where the premise has amounts of another currency alone.

Four million euros do not follow from six million dollars; nor are they contradicted: one may be the
other, converted.
"""

from __future__ import annotations

from rag import texts
from rag.checking.signals.pair import Pair
from rag.checking.signals.quantities import Amount, amounts
from rag.domain import Side, Signal, SignalName
from rag.french.units import CURRENCIES


def find(pair: Pair) -> Signal | None:
    """Return an amount whose currency the premise has nowhere, though it has another."""
    mine = _money(pair.hypothesis)
    theirs = _money(pair.whole) if mine else []
    present = {a.kind for a in theirs}
    other = next((a for a in mine if present and a.kind not in present), None)
    if other is None:
        return None
    text = texts.OTHER_CURRENCY.format(other.text, theirs[0].text)
    return Signal(SignalName.CURRENCY, text, Side.AGAINST)


def _money(text: str) -> list[Amount]:
    return [a for a in amounts(text) if a.kind in CURRENCIES]
