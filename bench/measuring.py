"""What the benches share: spreads of times, sizes of folders, a server to ask, JSON of a process."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil

from bench.golden import ROOT

T = TypeVar("T")
Figure = dict[str, Any]
_STARTS = 300.0  # seconds given to the app to answer
# What loads models asks no hub, and says nothing to anyone.
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}


def spread(times: Sequence[float], unit: str = "ms") -> Figure:
    """Return the 50th and 95th centiles of times in seconds, and how many they are."""
    if not times:
        return {"p50": None, "p95": None, "n": 0, "unit": unit}
    ordered = sorted(times)
    factor = 1000 if unit == "ms" else 1
    return {
        "p50": round(ordered[len(ordered) // 2] * factor, 2),
        "p95": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))] * factor, 2),
        "n": len(ordered),
        "unit": unit,
    }


def single(value: float, unit: str) -> Figure:
    """Return a figure measured once."""
    return {"value": round(value, 3), "n": 1, "unit": unit}


def timed(call: Callable[[T], object], items: Iterable[T]) -> list[float]:
    """Return the seconds that a call takes on each item."""
    times = []
    for item in items:
        began = time.perf_counter()
        call(item)
        times.append(time.perf_counter() - began)
    return times


def sizes(folder: Path) -> dict[str, int]:
    """Return the bytes on disk of each entry of a folder: what is allotted, not what is said."""
    found: dict[str, int] = {}
    for entry in folder.iterdir():
        files = [entry, *entry.rglob("*")] if entry.is_dir() else [entry]
        found[entry.name] = sum(f.lstat().st_blocks * 512 for f in files)
    return found


def by_part(folder: Path) -> dict[str, int]:
    """Return the bytes on disk of an index: "chroma", "lexical", "catalogue" and "others"."""
    parts = {"chroma": 0, "lexical": 0, "catalogue": 0, "others": 0}
    for name, size in sizes(folder).items():
        part = next((p for p in parts if name.startswith(p)), "others")
        parts[part] += size
    return parts


def resident(pid: int) -> float:
    """Return the resident memory of a process and of its children, in MB."""
    process = psutil.Process(pid)
    tree = [process, *process.children(recursive=True)]
    total = 0
    for one in tree:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


def json_of(command: Sequence[str], environment: dict[str, str] | None = None) -> Any:
    """Return the JSON that a process prints on its last line. Raises CalledProcessError."""
    done = subprocess.run(
        command, env=os.environ | OFFLINE | (environment or {}), cwd=ROOT,
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        sys.stderr.write(done.stderr[-4000:])
        done.check_returncode()
    return json.loads(done.stdout.strip().splitlines()[-1])


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    flags = ""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = dict(
            [part.strip() for part in line.split(":", 1)]
            for line in cpuinfo.read_text(encoding="utf-8").splitlines()
            if ":" in line
        )
        model, flags = lines.get("model name", model), lines.get("flags", "")
    wide = [f for f in ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8") if f in flags]
    return {
        "cpu": model,
        "instructions": wide,
        "cores": len(os.sched_getaffinity(0)),
        "memory, GB": round(psutil.virtual_memory().total / 1e9, 1),
        "python": platform.python_version(),
        "load before": [round(x, 2) for x in os.getloadavg()],
    }


def index_environment(folder: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a process that works on the index of a folder, without bounds."""
    unbound = {"RATE_CLIENT": "1000000/minute", "RATE_GLOBAL": "1000000/minute"}
    given = {"INDEX_DIR": str(folder), **unbound, **settings}
    return dict(os.environ) | OFFLINE | {f"RECOUPE_{k}": v for k, v in given.items()}


@dataclass(frozen=True, slots=True)
class App:
    """A running app: its process, its address, and how long `/health` took to answer."""

    pid: int
    url: str
    started: float


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[App]:
    """Run the app over the index of a folder, from its start until `/health` says it is ready.

    `settings` are those of the app, by their names in capitals.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py"], env=index_environment(folder, PORT=str(port), **settings), cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _await_health(url, process, began + _STARTS)
        yield App(process.pid, url, time.perf_counter() - began)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def _await_health(url: str, process: subprocess.Popen[bytes], until: float) -> None:
    while time.perf_counter() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the app ended with status {process.returncode}")
        try:
            if httpx.get(f"{url}/api/v1/health", timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.02)
    raise TimeoutError("the app did not answer in time")
