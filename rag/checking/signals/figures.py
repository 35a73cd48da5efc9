"""Figures and dates of the hypothesis that the premise gives otherwise, or not at all."""

from __future__ import annotations

from rag import texts
from rag.checking.signals.pair import Pair
from rag.checking.signals.quantities import Figure, Match
from rag.domain import Side, Signal, SignalName
from rag.french.words import content_stems


def quantity_conflict(pair: Pair) -> Signal | None:
    """Return a figure of which another one of its kind is shown."""
    return _conflict(pair, dated=False)


def date_conflict(pair: Pair) -> Signal | None:
    """Return a date of which another one is shown."""
    return _conflict(pair, dated=True)


def quantity_absent(pair: Pair) -> Signal | None:
    """Return a figure that is not shown."""
    return _absent(pair, dated=False)


def date_absent(pair: Pair) -> Signal | None:
    """Return a date that is not shown."""
    return _absent(pair, dated=True)


def agreement(pair: Pair) -> Signal | None:
    """Return the first figure that both give, for the reader: it weighs nothing."""
    agreed = (Match.EXACT, Match.ROUNDED, Match.DERIVED)
    figure = next((f for f in pair.figures if f.match in agreed and not f.dated), None)
    return Signal(SignalName.NUMBER, _agreement(figure), Side.FOR) if figure else None


def _agreement(figure: Figure) -> str:
    """Return what both give, alike or not: « 8 000 personnes » is not « 8 000 postes »."""
    if not figure.shown or set(content_stems(figure.said)) <= set(content_stems(figure.shown)):
        return texts.SAME_FIGURE.format(figure.said)
    return texts.LIKE_FIGURE.format(figure.said, figure.shown)


def _conflict(pair: Pair, *, dated: bool) -> Signal | None:
    figure = _first(pair, Match.CONFLICT, dated=dated)
    if figure is None:
        return None
    return Signal(
        _name(dated=dated), texts.OTHER_FIGURE.format(figure.said, figure.shown), Side.AGAINST
    )


def _absent(pair: Pair, *, dated: bool) -> Signal | None:
    figure = _first(pair, Match.ABSENT, dated=dated)
    if figure is None:
        return None
    return Signal(_name(dated=dated), texts.ABSENT_NUMBER.format(figure.said), Side.OPEN)


def _first(pair: Pair, match: Match, *, dated: bool) -> Figure | None:
    return next((f for f in pair.figures if f.match is match and f.dated == dated), None)


def _name(*, dated: bool) -> SignalName:
    return SignalName.DATE if dated else SignalName.NUMBER
