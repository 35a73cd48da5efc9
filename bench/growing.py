"""One index that grows, measured at each size as its users would feel it.

Real articles first, then made ones (`articles.py`). With derived vectors
(`derived.py`) the embedding does not decide how far it can grow.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx

from bench import articles as made_up
from bench import faces
from bench.derived import DerivedEmbedder
from bench.golden import ROOT
from bench.measuring import (
    App,
    by_part,
    index_environment,
    resident,
    serving,
    single,
    spread,
    timed,
)
from rag.domain import Article, Filters, Source

_SLICE = 100  # articles handed over at a time
_WARM = 5  # questions asked before any is counted
_COLD = 5
_LONGEST_BESIDE = 120.0  # seconds of it that are measured, at most
FILTERS = {
    "date": Filters(since=made_up.RECENT),
    "large source": Filters(sources=(made_up.NAMES[0],)),
    "small source": Filters(sources=(made_up.NAMES[-1],)),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What grows, and how it is measured."""

    index: Path
    real: Sequence[Article]
    pool: Sequence[str]
    questions: Sequence[str]
    claims: Sequence[str]
    base: int  # texts embedded for good; 0: all
    per_article: int
    count: int  # of each measure
    beside: int  # articles ingested while questions are asked; 0: none
    seed: int

    def asked(self, count: int | None = None) -> Iterator[str]:
        """Return as many questions as are to be asked, each again only after all others."""
        return islice(cycle(self.questions), count or self.count)


class Growth:
    """An index on its way; `grown(size)` brings it there and returns what was measured."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._derived: DerivedEmbedder | None = None
        self._left = self._articles()
        self._sources: list[Source] = []
        self._size = 0

    def grown(self, size: int) -> dict[str, Any]:
        """Add articles until there are `size` passages, then measure."""
        plan = self._plan
        found: dict[str, Any] = {"build": self._build(size), "passages": self._size}
        found["articles"] = len(self._sources)
        found["accepted share"] = {
            name: round(sum(chosen.accept("", s) for s in self._sources) / len(self._sources), 4)
            for name, chosen in FILTERS.items()
        }
        found["bytes on disk"] = by_part(plan.index)
        found["search"], found["open, in a process that has all imported"] = self._searches()
        found["cold recoupe ask"] = spread([self._cold(q) for q in plan.asked(_COLD)], "s")
        with serving(plan.index) as app:
            found |= self._app(app)
        return found

    def _articles(self) -> Iterator[Article]:
        yield from self._plan.real
        yield from made_up.made(self._plan.pool, self._plan.seed, self._plan.per_article)

    def _build(self, size: int) -> dict[str, Any]:
        """Ingest up to a size."""
        plan = self._plan
        assistant = faces.opened(plan.index)
        try:
            if plan.base:
                faces.substitute(assistant, self._embedder)
            before = faces.passages(assistant)
            embedding = self._derived.seconds if self._derived else 0.0
            began = time.perf_counter()
            while (there := faces.passages(assistant)) < size:
                lacking = size - there
                some = list(islice(self._left, min(_SLICE, 1 + lacking // plan.per_article)))
                faces.ingest(assistant, some)
                self._sources += [article.source for article in some]
            took = time.perf_counter() - began
            self._size = there
        finally:
            assistant.close()
        embedding = self._derived.seconds - embedding if self._derived else 0.0
        return {
            "passages added": self._size - before,
            "s": round(took, 2),
            "of which embedding, s": round(embedding, 2) if plan.base else None,
            "vectors": {
                "kind": "derived" if plan.base else "real",
                "embedded texts": self._derived.embedded if self._derived else None,
                "derived texts": self._derived.derived if self._derived else None,
            },
        }

    def _embedder(self, real: Any) -> DerivedEmbedder:
        if self._derived is None:
            self._derived = DerivedEmbedder(real, self._plan.base, self._plan.seed)
        return self._derived

    def _searches(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Search, answer, check and open in this process; also return how long its start took."""
        plan = self._plan
        began = time.perf_counter()
        assistant = faces.opened(plan.index)
        opening = single(time.perf_counter() - began, "s")

        def search(filters: Filters | None) -> Callable[[str], object]:
            return lambda question: assistant.search(question, 10, filters)

        try:
            timed(search(None), plan.asked(_WARM))
            found = {"no filter": spread(timed(search(None), plan.asked()))}
            for name, filters in FILTERS.items():
                timed(search(filters), plan.asked(_WARM))
                found[name] = spread(timed(search(filters), plan.asked()))
            timed(assistant.ask, plan.asked(_WARM))
            found["answer"] = spread(timed(assistant.ask, plan.asked()))
            claims = list(islice(cycle(plan.claims), plan.count))
            timed(assistant.verify, claims[:_WARM])
            found["claim"] = spread(timed(assistant.verify, claims))
            some = [record.id for record in assistant.page(limit=plan.count).records]
            found["opened article"] = spread(timed(lambda one: faces.shown(assistant, one), some))
            return found, opening
        finally:
            assistant.close()

    def _cold(self, question: str) -> float:
        """Return the seconds of `recoupe ask` in a fresh process."""
        began = time.perf_counter()
        self._run("ask", question)
        return time.perf_counter() - began

    def _app(self, app: App) -> dict[str, Any]:
        """Return what the app takes to start, to hold, and to answer."""
        found: dict[str, Any] = {
            "app start until health": single(app.started, "s"),
            "app resident at start": single(resident(app.pid), "MB"),
        }
        with httpx.Client(base_url=app.url, timeout=300) as client:

            def get(address: str) -> None:
                client.get(address).raise_for_status()

            def ask(question: str) -> None:
                body = {"question": question}
                client.post("/api/v1/ask", json=body).raise_for_status()

            first, last = "/api/v1/articles?limit=100", faces.last_page(client)
            for name, address in (("page /", "/"), ("GET /articles, first page", first),
                                  ("GET /articles, last page", last)):  # fmt: skip
                get(address)
                found[name] = spread(timed(get, [address] * max(10, self._plan.count // 4)))
            timed(ask, self._plan.asked(_WARM))
            found["POST /ask"] = spread(timed(ask, self._plan.asked()))
            found["app resident after questions"] = single(resident(app.pid), "MB")
            if self._plan.beside:
                found["POST /ask during an ingestion"] = self._beside(ask)
                found["app resident after the ingestion"] = single(resident(app.pid), "MB")
        return found

    def _beside(self, ask: Callable[[str], None]) -> dict[str, Any]:
        """Ask while the app ingests what a command hands over, embedded for good; undo it."""
        plan = self._plan
        folder = plan.index.parent / "beside"
        folder.mkdir(exist_ok=True)
        some = made_up.sample(
            plan.beside + 1, plan.pool, plan.seed + self._size, plan.per_article, "beside"
        )
        first = made_up.write([made_up.row(some[0])], folder / "first.jsonl")
        others = made_up.write([made_up.row(a) for a in some[1:]], folder / "others.jsonl")
        began = time.perf_counter()
        self._run("ingest", str(first))
        reading = time.perf_counter() - began  # the command starts and reads, as it will again
        began = time.perf_counter()
        process = self._started("ingest", str(others))
        times: list[float] = []
        questions = cycle(plan.questions)
        while process.poll() is None:
            at = time.perf_counter()
            if at - began > reading + _LONGEST_BESIDE:
                break
            ask(next(questions))
            if at - began > reading:
                times.append(time.perf_counter() - at)
        process.wait()
        took = time.perf_counter() - began
        for file in (first, others):
            file.unlink()
        self._run("ingest", "--prune", str(folder))
        return spread(times) | {"articles": plan.beside, "ingestion, s": round(took, 1)}

    def _run(self, *arguments: str) -> None:
        process = self._started(*arguments)
        if process.wait():
            raise RuntimeError(f"recoupe {arguments[0]} ended with status {process.returncode}")

    def _started(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "rag.cli.main", *arguments],
            env=index_environment(self._plan.index), cwd=ROOT, stdout=subprocess.DEVNULL,
        )  # fmt: skip
