"""Counts and durations for Prometheus; no text, no address of a visitor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from rag.domain import SourceState
from rag.sources.watch import shown
from rag.web.limits import Gate

_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)


class Metrics:
    """The metrics of one application."""

    def __init__(self, gate: Gate, articles: Callable[[], int]) -> None:
        """Start from zero; the gate's state and the number of articles are read when asked."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "recoupe_requests", "Requests by kind and outcome", ["kind", "outcome"],
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "recoupe_request_seconds", "Duration of requests by kind", ["kind"],
            buckets=_BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._answers = Counter(
            "recoupe_answers", "Answers and refusals", ["outcome"], registry=self.registry
        )
        self._of_sites = Counter(
            "recoupe_site_questions", "Questions of sites by outcome", ["site", "outcome"],
            registry=self.registry,
        )  # fmt: skip

        self._gauge("recoupe_working", "Questions worked on", lambda: gate.working)
        self._gauge("recoupe_waiting", "Questions waiting", lambda: gate.waiting)
        self._gauge("recoupe_articles", "Articles", articles)

    def follow(self, states: Callable[[], Iterable[SourceState]]) -> None:
        """Expose how followed sources do, asked when the metrics are."""
        self.registry.register(_Sources(states))

    def _gauge(self, name: str, about: str, value: Callable[[], int]) -> None:
        Gauge(name, about, registry=self.registry).set_function(value)

    @contextmanager
    def timed(self, kind: str) -> Iterator[None]:
        """Count a request and its duration."""
        start = time.perf_counter()
        outcome = "error"
        try:
            yield
            outcome = "ok"
        finally:
            self._requests.labels(kind, outcome).inc()
            self._seconds.labels(kind).observe(time.perf_counter() - start)

    def answered(self, *, refused: bool) -> None:
        """Count an answer or a refusal."""
        self._answers.labels("refused" if refused else "answered").inc()

    def asked_of(self, site: str, outcome: str, count: int = 1) -> None:
        """Count questions of a site: taken, over its quota, or refused; sites are few."""
        self._of_sites.labels(site, outcome).inc(count)

    def text(self) -> bytes:
        """Return the exposition format."""
        return generate_latest(self.registry)


class _Sources(Collector):
    """How followed sources do."""

    def __init__(self, states: Callable[[], Iterable[SourceState]]) -> None:
        self._states = states

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield a family a figure; times are seconds since 1970, 0 for never."""
        states = list(self._states())
        for name, about, value in (
            ("success_timestamp_seconds", "Last reading without a problem", lambda s: s.succeeded),
            ("fed_timestamp_seconds", "Last time that it gave something new", lambda s: s.fed),
            ("articles_added", "Articles that it gave in all", lambda s: s.added),
            ("failures", "Pages that could not be read the last time", lambda s: s.failed),
            ("down", "Whether it could not be read the last time", lambda s: bool(s.problem)),
        ):
            family = GaugeMetricFamily(f"recoupe_source_{name}", about, labels=["source"])
            for state in states:
                family.add_metric([shown(state.address)], float(value(state)))
            yield family
