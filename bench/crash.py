"""Kill an ingestion at random moments and check what is left.

    python -m bench.crash [TIMES] [SEED]

Each time: start from an index that holds old versions of every article, kill
-9 an ingestion of the new ones at a random moment, open the index, and check
that every article is whole and in exactly one of its two versions.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bench.golden import ROOT
from rag.domain import Reading
from rag.embedding import load_embedder
from rag.index import open_index
from rag.ingestion import ingest
from rag.readers import find_files, read_files
from rag.settings import load_settings


def main(times: str = "20", seed: str = "0") -> None:
    """Run and print one line a kill."""
    rng = random.Random(int(seed))
    files, _ = find_files([ROOT / "corpus"])
    new = read_files(files)
    old = Reading(tuple(replace(a, text="Ancienne version. " + a.text) for a in new.articles))
    texts = {a.id: {a.text} for a in new.articles}
    for article in old.articles:
        texts[article.id].add(article.text)
    embedder = load_embedder(load_settings())
    with tempfile.TemporaryDirectory() as name:
        start = Path(name) / "start"
        ingest(open_index(load_settings(index_dir=start), embedder), old, 160)
        length = run(copy(start, Path(name) / "whole"), None)
        print(f"an ingestion lasts {length:.1f} s")
        for n in range(int(times)):
            folder = copy(start, Path(name) / f"kill-{n}")
            moment = rng.uniform(0, length)
            run(folder, moment)
            index = open_index(load_settings(index_dir=folder), embedder)
            assert index.check() == []
            stored = {r.id: index.article(r.id).text for r in index.records()}
            assert stored.keys() == texts.keys()
            assert all(stored[i] in texts[i] for i in stored)
            switched = sum(stored[a.id] == a.text for a in new.articles)
            print(f"kill {n + 1:2d} at {moment:5.2f} s: whole; {switched} new of {len(stored)}")
            shutil.rmtree(folder)


def copy(start: Path, folder: Path) -> Path:
    """Return a copy of the index to work on."""
    shutil.copytree(start, folder)
    return folder


def run(folder: Path, kill_after: float | None) -> float:
    """Ingest in a process, killed after so many seconds; return how long it ran."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "ingest.py", "corpus"],
        env=os.environ | {"RECOUPE_INDEX_DIR": str(folder)},
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    if kill_after is not None:
        time.sleep(kill_after)
        process.send_signal(signal.SIGKILL)
    process.wait()
    return time.perf_counter() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
