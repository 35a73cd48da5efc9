"""Figures of what was asked: by week and site, what is cited most, what finds nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

from rag.exchanges.store import ERROR, REFUSED, TENTATIVE, Exchange

NOTHING_FOUND = (REFUSED, TENTATIVE)


@dataclass
class Tally:
    """What was asked in a week; `durations` are milliseconds, of questions that did not fail."""

    questions: int = 0
    refused: int = 0
    errors: int = 0
    claims: int = 0
    durations: list[int] = field(default_factory=list)

    def add(self, exchange: Exchange) -> None:
        """Count an exchange."""
        failed = exchange.verdict == ERROR
        self.errors += failed
        if exchange.kind == "claim":
            self.claims += 1
            return
        self.questions += 1
        self.refused += exchange.verdict in NOTHING_FOUND
        if not failed:
            self.durations.append(exchange.ms)

    @property
    def refused_share(self) -> float | None:
        """The share of questions that found nothing sure, of those that did not fail."""
        return self.refused / len(self.durations) if self.durations else None

    def percentile(self, share: float) -> int | None:
        """Return the milliseconds that a share of the questions took at most (nearest rank)."""
        ranked = sorted(self.durations)
        return ranked[max(0, math.ceil(share * len(ranked)) - 1)] if ranked else None


@dataclass
class Recurrence:
    """How often a question was asked, and when last."""

    times: int
    last: datetime


@dataclass
class Figures:
    """The figures of some exchanges; a week is the day of its Monday, where Recoupe runs."""

    weeks: dict[date, Tally] = field(default_factory=dict)
    by_site: dict[tuple[date, str], Tally] = field(default_factory=dict)
    cited: Counter[str] = field(default_factory=Counter)
    unanswered: dict[str, Recurrence] = field(default_factory=dict)

    @classmethod
    def of(cls, exchanges: Iterable[Exchange]) -> Figures:
        """Count exchanges, which are read once, oldest first."""
        found = cls()
        for exchange in exchanges:
            found._add(exchange)
        return found

    def _add(self, exchange: Exchange) -> None:
        week = monday(exchange.at)
        self.weeks.setdefault(week, Tally()).add(exchange)
        self.by_site.setdefault((week, exchange.site), Tally()).add(exchange)
        self.cited.update(set(exchange.cited))
        if exchange.kind == "question" and exchange.verdict in NOTHING_FOUND:
            asked = self.unanswered.setdefault(exchange.text, Recurrence(0, exchange.at))
            asked.times += 1
            asked.last = max(asked.last, exchange.at)

    def recurring(self, most: int) -> list[str]:
        """Return the questions that found nothing, the most often asked first, then the newest."""
        ranked = sorted(self.unanswered.items(), key=lambda a: a[1].last, reverse=True)
        ranked.sort(key=lambda a: a[1].times, reverse=True)
        return [text for text, _ in ranked[:most]]


def monday(at: datetime) -> date:
    """Return the Monday of the week of a moment, where Recoupe runs."""
    return _monday(at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0))


@lru_cache(maxsize=10_000)
def _monday(quarter: datetime) -> date:
    day = quarter.astimezone().date()
    return day - timedelta(days=day.weekday())


def sources_of(cited: Counter[str], names: dict[str, str], most: int) -> Sequence[tuple[str, int]]:
    """Return the publications that are cited most, of articles whose publication is known."""
    found: Counter[str] = Counter()
    for article, times in cited.items():
        if name := names.get(article):
            found[name] += times
    return found.most_common(most)
