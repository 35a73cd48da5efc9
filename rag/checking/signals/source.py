"""Somebody's word, or hearsay, stated as a fact."""

from __future__ import annotations

from rag import texts
from rag.checking.signals.pair import Pair
from rag.domain import Kind, Side, Signal, SignalName
from rag.french.speech import attribute


def statement_as_fact(pair: Pair) -> Signal | None:
    """Tell that the nearest sentence is somebody's, and the hypothesis does not say so."""
    return _dropped(pair, Kind.STATEMENT)


def hearsay_as_fact(pair: Pair) -> Signal | None:
    """Tell that the nearest sentence is hearsay, and the hypothesis does not say so."""
    return _dropped(pair, Kind.CONDITIONAL)


def _dropped(pair: Pair, kind: Kind) -> Signal | None:
    if attribute(pair.premise, *pair.nearest).kind is not kind:
        return None
    if attribute(pair.hypothesis).kind is not Kind.REPORTED:
        return None
    return Signal(SignalName.SOURCE, texts.WORD_DROPPED, Side.OPEN)
