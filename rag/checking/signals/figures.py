"""Figures and dates of the hypothesis that the premise gives otherwise, or not at all."""

from __future__ import annotations

from rag import texts
from rag.checking.signals.pair import Pair
from rag.checking.signals.quantities import Figure, Match
from rag.domain import Side, Signal, SignalName
from rag.french.words import content_stems


def quantity_conflict(pair: Pair) -> Signal | None:
    """Return a figure for which the premise has another one of its kind."""
    return _conflict(pair, dated=False)


def date_conflict(pair: Pair) -> Signal | None:
    """Return a date for which the premise has another one."""
    return _conflict(pair, dated=True)


def quantity_absent(pair: Pair) -> Signal | None:
    """Return a figure that the premise lacks."""
    return _absent(pair, dated=False)


def date_absent(pair: Pair) -> Signal | None:
    """Return a date that the premise lacks."""
    return _absent(pair, dated=True)


def agreement(pair: Pair) -> Signal | None:
    """Return the first figure that both give, for the reader: it weighs nothing."""
    agreed = (Match.EXACT, Match.ROUNDED, Match.DERIVED)
    figure = next((f for f in pair.figures if f.match in agreed and not f.dated), None)
    if figure is None:
        return None
    if figure.match is Match.DERIVED:
        return Signal(SignalName.NUMBER, texts.DERIVED_FIGURE.format(figure.text), Side.FOR)
    mine, theirs = (set(content_stems(text)) for text in (figure.text, figure.counterpart))
    if not figure.counterpart or mine <= theirs:
        return Signal(SignalName.NUMBER, texts.SAME_FIGURE.format(figure.text), Side.FOR)
    # « Six détenus » beside « six agents » may be of other people.
    both = texts.LIKE_FIGURE.format(figure.text, figure.counterpart)
    return Signal(SignalName.NUMBER, both, Side.FOR if theirs <= mine else Side.OPEN)


def _conflict(pair: Pair, *, dated: bool) -> Signal | None:
    figure = _first(pair, Match.CONFLICT, dated=dated)
    if figure is None:
        return None
    return Signal(
        _name(dated=dated), texts.OTHER_FIGURE.format(figure.text, figure.counterpart), Side.AGAINST
    )


def _absent(pair: Pair, *, dated: bool) -> Signal | None:
    figure = _first(pair, Match.ABSENT, dated=dated)
    if figure is None:
        return None
    return Signal(_name(dated=dated), texts.ABSENT_NUMBER.format(figure.text), Side.OPEN)


def _first(pair: Pair, match: Match, *, dated: bool) -> Figure | None:
    return next((f for f in pair.figures if f.match is match and f.dated == dated), None)


def _name(*, dated: bool) -> SignalName:
    return SignalName.DATE if dated else SignalName.NUMBER
