"""Bars of an inline SVG, placed here and drawn by a template; no script, no style attribute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 320, 150  # of the view box
_TOP, _BOTTOM, _GAP = 18, 22, 0.25  # room for figures and labels; share of a week left empty


@dataclass(frozen=True, slots=True)
class PlotBar:
    """A bar, its figure above it; `series` is 0 or 1, drawn full or hatched."""

    x: float
    y: float
    width: float
    height: float
    series: int
    text: str

    @property
    def middle(self) -> float:
        """Where the figure stands."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot: `name` for its ids, its title, the names of its series, bars, labels with places."""

    name: str
    title: str
    series: tuple[str, ...]
    bars: tuple[PlotBar, ...]
    labels: tuple[tuple[float, str], ...]
    base: float = HEIGHT - _BOTTOM


def plot(
    name: str,
    title: str,
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None]]],
    written: Sequence[Sequence[str]],
) -> Plot:
    """Return the plot of one or two series, a group of bars a label; None has no bar.

    `written` are the figures as they are shown, series by series.
    """
    top = max((v for _, values in series for v in values if v is not None), default=0) or 1
    step = WIDTH / max(len(labels), 3)
    width = step * (1 - _GAP) / len(series)
    bars = [
        _bar(at, number, value / top, written[number][at], step, width)
        for number, (_, values) in enumerate(series)
        for at, value in enumerate(values)
        if value is not None
    ]
    places = [(round(at * step + step / 2, 1), label) for at, label in enumerate(labels)]
    return Plot(name, title, tuple(n for n, _ in series), tuple(bars), tuple(places))


def _bar(at: int, number: int, share: float, text: str, step: float, width: float) -> PlotBar:
    height = round(share * (HEIGHT - _TOP - _BOTTOM), 1)
    x = round(at * step + step * _GAP / 2 + number * width, 1)
    return PlotBar(
        x, round(HEIGHT - _BOTTOM - height, 1), round(width - 1, 1), height, number, text
    )
