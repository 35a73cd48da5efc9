"""What replacing articles costs: disk, memory and search after many ingestions.

    python -m bench.churn [TIMES] [ARTICLES] [--no-compact]

Writes ARTICLES articles of five passages, then replaces all of them TIMES
times, as a newsroom's feed does over months. Vectors are drawn at random: the
store is what is measured, not the embedding. Prints, as Markdown, the size on
disk, resident memory and the latency of a search as the turns go, with the
rebuild that an ingestion does by itself, or without.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from rag.domain import ArticleRecord, Passage, Sentence, Source
from rag.indexing.catalogue import Row
from rag.indexing.doctor import examine
from rag.indexing.index import Index, open_index
from rag.models.loading import load_embedder
from rag.models.packing import pack
from rag.settings import load_settings

_PASSAGES = 5
_BATCH = 8
_DIMENSION = 384


def main(times: str = "100", articles: str = "500", *, compact: bool = True) -> None:
    """Run and print the table."""
    rng = np.random.default_rng(0)
    print(f"{articles} articles of {_PASSAGES} passages, {'' if compact else 'no '}rebuild\n")
    print("| replaced | disk, MB | growth | resident, MB | search p50, ms | p95, ms |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        settings = load_settings(index_dir=name)
        index = open_index(settings, load_embedder(settings))
        one, rebuilt, peak = 0.0, 0, 0.0
        for turn in range(int(times) + 1):
            _replace(index, turn, int(articles), rng)
            if compact and index.rebuilder.compactable:
                peak = max(peak, _disk(Path(name), index))
                index.rebuilder.compact()
                rebuilt += 1
            if turn == 0 or turn in {1, 2, 5} or turn % 10 == 0:
                size = _disk(Path(name), index)
                one = one or size
                p50, p95 = _search(index, rng)
                resident = psutil.Process().memory_info().rss / 1e6
                print(f"| {turn} | {size:.0f} | {size / one - 1:+.0%} | {resident:.0f} | "
                      f"{p50:.1f} | {p95:.1f} |", flush=True)  # fmt: skip
        print(
            f"\n{rebuilt} rebuilds; most on disk before one {peak:.0f} MB ({peak / one - 1:+.0%})"
        )
        assert examine(index).sentences() == []
        index.close()


def _replace(index: Index, turn: int, count: int, rng: np.random.Generator) -> None:
    for at in range(0, count, _BATCH):
        some = []
        for n in range(at, min(count, at + _BATCH)):
            words = " ".join(f"mot{w}" for w in rng.integers(0, 20_000, 200))
            texts = [
                f"Version {turn} de l'article {n}, passage {p}. {words}" for p in range(_PASSAGES)
            ]
            passages = [Passage("", f"a{n}", p, p, p + 1, text) for p, text in enumerate(texts)]
            record = ArticleRecord(
                f"a{n}", f"{turn:016x}", Source(f"Article {n}"), _PASSAGES, _PASSAGES
            )
            some.append((record, passages))
        vectors = _unit(rng, len(some) * _PASSAGES)
        rows = [
            Row("", b"", vector, tuple(Sentence(0, 1, vector=v) for v in pack(_unit(rng, 8))))
            for vector in pack(vectors)
        ]
        index.writer.write(some, vectors, rows)


def _unit(rng: np.random.Generator, count: int) -> np.ndarray:
    vectors = rng.normal(size=(count, _DIMENSION)).astype(np.float32)
    unit: np.ndarray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _disk(folder: Path, index: Index | None = None) -> float:
    """Return the size of an index in MB; of its present store alone when `index` is given.

    A replaced store stays for some seconds, for the searches that use it.
    """
    present = index.store.folder if index else None
    files = [
        f for f in folder.rglob("*")
        if f.is_file() and (present is None or present in f.parents or "lexical" in f.parts)
    ]  # fmt: skip
    return sum(f.stat().st_size for f in files) / 1e6


def _search(index: Index, rng: np.random.Generator) -> tuple[float, float]:
    times = []
    for vector in _unit(rng, 60):
        began = time.perf_counter()
        index.nearest(vector, 50)
        times.append(1000 * (time.perf_counter() - began))
    return float(np.median(times)), float(np.quantile(times, 0.95))


if __name__ == "__main__":
    given = [a for a in sys.argv[1:] if a != "--no-compact"]
    main(*given, compact="--no-compact" not in sys.argv)
