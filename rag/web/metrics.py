"""Counts and durations for Prometheus; no text, no address."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

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

        self._gauge("recoupe_working", "Questions worked on", lambda: gate.working)
        self._gauge("recoupe_waiting", "Questions waiting", lambda: gate.waiting)
        self._gauge("recoupe_articles", "Articles", articles)

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

    def text(self) -> bytes:
        """Return the exposition format."""
        return generate_latest(self.registry)
