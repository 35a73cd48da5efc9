"""Recoupe beside others in one run: ingestion of the same articles, and the encoder alone."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.articles import row, write
from bench.faces import read
from bench.measuring import Figure, json_of, spread
from rag.models.loading import load_embedder
from rag.settings import load_settings

PEERS = Path(__file__).parent / "peers"
RECOUPE, LANGCHAIN, TXTAI = "Recoupe", "LangChain tutorial", "txtai"
TORCH = "torch fp32"


def ingestion(files: Sequence[Path], model: Path, python: Path, rounds: int) -> dict[str, Any]:
    """Return what each pipeline takes to index the same articles, in turns, `rounds` times."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        articles = read(files)
        plain = write([row(a) for a in articles], work / "articles.jsonl")
        runs: dict[str, list[dict[str, float]]] = {RECOUPE: [], LANGCHAIN: [], TXTAI: []}
        for turn in range(rounds):
            ours = [sys.executable, "-m", "bench.recoupe_ingest", str(work / f"recoupe-{turn}")]
            runs[RECOUPE].append(json_of([*ours, *map(str, files)]))
            for peer, script in ((LANGCHAIN, "langchain_tutorial"), (TXTAI, "txtai_index")):
                given = [str(plain), str(model), str(work / f"{script}-{turn}")]
                runs[peer].append(json_of([str(python), str(PEERS / f"{script}.py"), *given]))
    pipelines = {name: _middle(found) for name, found in runs.items()}
    ours_s = pipelines[RECOUPE]["work, s"]
    return {
        "articles": len(articles),
        "characters": sum(len(a.text) for a in articles),
        "rounds": rounds,
        "pipelines": pipelines,
        "times Recoupe is as fast": {
            name: round(found["work, s"] / ours_s, 2)
            for name, found in pipelines.items()
            if name != RECOUPE
        },
    }


def _middle(runs: Sequence[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(run[key] for run in runs), 2) for key in runs[0]}


def encoder(files: Sequence[Path], model: Path, python: Path, rounds: int) -> dict[str, Any]:
    """Return tokens a second and the time of a question, Recoupe's encoder and torch in turns."""
    script = [str(python), str(PEERS / "torch_encoder.py")]
    with tempfile.TemporaryDirectory() as name:
        plain = write([row(a) for a in read(files)], Path(name) / "articles.jsonl")
        texts = Path(name) / "texts.json"
        texts.write_text(json.dumps(json_of([*script, "cut", str(plain), str(model)])), "utf-8")
        runs: dict[str, list[Any]] = {RECOUPE: [], TORCH: []}
        for _ in range(rounds):
            runs[TORCH].append(json_of([*script, "time", str(texts), str(model)]))
            ours = [sys.executable, "-m", "bench.comparing", str(texts)]
            runs[RECOUPE].append(json_of(ours))
    tokens = {name: b["tokens a text"] for name, b in runs[TORCH][0]["batches"].items()}
    engines: dict[str, Any] = {}
    for engine, found in runs.items():
        batches = {shape: _rate(shape, tokens[shape], found) for shape in tokens}
        asked = [s for run in found for s in run["questions, s"]]
        engines[engine] = {"tokens/s": batches, "question of 16 tokens": spread(asked)}
    ratio = {
        shape: round(_value(engines, RECOUPE, shape) / _value(engines, TORCH, shape), 2)
        for shape in tokens
    }
    return {"engines": engines, "Recoupe over torch": ratio, "tokens a text": tokens}


def _rate(shape: str, tokens: float, runs: Sequence[Any]) -> Figure:
    """Return the median over batches of the tokens of one in a second."""
    size = int(shape.partition("x")[0])
    seconds = [s for run in runs for s in run["batches"][shape]["s"]]
    return {"value": round(size * tokens / statistics.median(seconds)), "n": len(seconds)}


def _value(engines: dict[str, Any], name: str, shape: str) -> float:
    return float(engines[name]["tokens/s"][shape]["value"])


def main() -> None:
    """Time Recoupe's encoder on the texts of a file, as `peers/torch_encoder.py time` does."""
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    embedder = load_embedder(load_settings())
    found: dict[str, Any] = {"batches": {}, "questions, s": []}
    for name, batches in given["batches"].items():
        seconds = []
        for batch in batches:
            began = time.perf_counter()
            embedder.embed_passages(batch)
            seconds.append(time.perf_counter() - began)
        found["batches"][name] = {"s": seconds[1:]}
    for question in given["questions"]:
        began = time.perf_counter()
        embedder.embed_questions([question])
        found["questions, s"].append(time.perf_counter() - began)
    del found["questions, s"][:5]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
