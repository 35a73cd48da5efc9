"""Measure what a user waits for: cold starts, a warm search, an answer, memory.

    python -m bench.speed

Uses the sample corpus in a temporary index. Quote ratios from one run.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench.golden import ROOT, corpus_index, load_golden
from rag.assistant import LocalAssistant
from rag.settings import load_settings


def main() -> None:
    """Print the measures as JSON."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        corpus_index(folder)
        result: dict[str, float] = {"ingest corpus, s": round(time.perf_counter() - began, 2)}
        environment = os.environ | {"RECOUPE_INDEX_DIR": name, "RECOUPE_PORT": "0"}
        result["cold `recoupe ask`, s"] = cold_ask(environment)
        result["cold app until it answers, s"] = cold_app(environment)
        questions = [q.question for q in load_golden("questions")]
        assistant = LocalAssistant(load_settings(index_dir=folder))
        assistant.ask(questions[0])
        result["warm search p50, ms"] = p50(lambda q: assistant.search(q, 10), questions)
        result["warm answer p50, ms"] = p50(assistant.ask, questions[:40])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    result["peak memory here, MB"] = round(peak / 1024)
    result["peak memory of ask and app, MB"] = round(children / 1024)
    print(json.dumps(result, indent=2, ensure_ascii=False))


def cold_ask(environment: dict[str, str]) -> float:
    """Return the median of three runs of the command, in seconds."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "rag.cli.main", "ask", "Qui préside le collectif Ciel ouvert ?"],
            env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        times.append(time.perf_counter() - began)
    return round(statistics.median(times), 2)


def cold_app(environment: dict[str, str]) -> float:
    """Return the seconds from the start of the app to its printed address."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py"], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None
    stream = process.stdout

    def read() -> None:
        for line in stream:
            lines.put(line)

    threading.Thread(target=read, daemon=True).start()
    try:
        while "répond sur" not in lines.get(timeout=120):
            pass
        return round(time.perf_counter() - began, 2)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def p50(call, questions: list[str]) -> float:  # type: ignore[no-untyped-def]
    """Return the median time of `call` over questions, in milliseconds."""
    times = []
    for question in questions:
        began = time.perf_counter()
        call(question)
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 1)


if __name__ == "__main__":
    main()
