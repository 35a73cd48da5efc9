"""Load the HTTP API on loopback, for a bounded time: throughput, latency, errors, memory.

    python -m bench.load [--clients 50] [--seconds 60] [--slow 200]
    python -m bench.load --mixed 60 [--pause 4]

Starts its own server over the sample corpus (with `--mixed` over the press articles too) in a
temporary folder and stops it. First `clients` ask one question after another; then `slow`
connections send their request a byte at a time while a few others ask. With `--mixed` one client
asks, follows up, checks, searches and reads articles for so many minutes, with a pause between, and
the memory of the server is read every tenth of them.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx

from bench.golden import GOLDEN, SHARED, load_golden
from rag.evaluation.claim_scores import read_claims

QUESTIONS = [item.question for item in load_golden("questions")]
_WITH_RETRY = {429, 503}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--slow", type=int, default=200)
    parser.add_argument("--mixed", type=float, help="minutes of mixed use instead")
    parser.add_argument("--pause", type=float, default=4.0, help="seconds between two requests")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "RECOUPE_INDEX_DIR": str(Path(folder) / "index"), "RECOUPE_PORT": "0",
            "RECOUPE_RATE_CLIENT": "1000000/minute", "RECOUPE_RATE_GLOBAL": "1000000/minute",
        }  # fmt: skip
        environment = os.environ | settings
        subprocess.run([sys.executable, "ingest.py"], env=environment, check=True)
        if given.mixed:
            added = [sys.executable, "ingest.py", str(SHARED / "press" / "wikinews_fr.jsonl")]
            subprocess.run(added, env=environment, check=True)
        server = subprocess.Popen(
            [sys.executable, "-u", "app.py"], env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout
            url = server.stdout.readline().split()[-1]
            work = mixed if given.mixed else measured
            print(json.dumps(asyncio.run(work(url, server.pid, given)), indent=1))
        finally:
            server.terminate()
            server.wait(20)


async def measured(url: str, pid: int, given: argparse.Namespace) -> dict[str, object]:
    """Return the figures of both parts."""
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=httpx.Limits()) as client:
        for question in QUESTIONS[:5]:
            await client.post("/api/v1/ask", json={"question": question})
        before = resident(pid)
        usual = await asking(client, given.clients, given.seconds)
        after = resident(pid)
        again = await asking(client, given.clients, given.seconds // 4)
        end = resident(pid)
        quiet = await asking(client, 1, 10)
        slow = [asyncio.create_task(dripping(url)) for _ in range(given.slow)]
        await asyncio.sleep(2)
        beside = await asking(client, 1, 10)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
    return {
        f"{given.clients} clients, {given.seconds} s": usual,
        "resident memory in MB: before, after, after a quarter more": [before, after, end],
        "memory again": again["answers"],
        "alone": quiet,
        f"beside {given.slow} slow clients": beside,
    }


async def mixed(url: str, pid: int, given: argparse.Namespace) -> dict[str, object]:
    """Return the server's memory through some time of what a reader and a journalist do."""
    claims = [known.text for known in read_claims(GOLDEN / "claims.jsonl")]
    turns: list[dict[str, str]] = []
    codes: Counter[int] = Counter()
    memory = [resident(pid)]
    begun = time.perf_counter()
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        for at in itertools.count():
            question, claim = QUESTIONS[at % len(QUESTIONS)], claims[at % len(claims)]
            match at % 5:
                case 0:
                    response = await client.post("/api/v1/ask", json={"question": question})
                    turns = [{"question": question, "answer": response.json().get("text", "")}]
                case 1:
                    asked = {"question": "Et pourquoi ?", "history": turns}
                    response = await client.post("/api/v1/ask", json=asked)
                case 2:
                    response = await client.post("/api/v1/verify", json={"text": claim})
                case 3:
                    found = {"question": question, "limit": 10}
                    response = await client.post("/api/v1/search", json=found)
                case _:
                    response = await client.get("/api/v1/articles", params={"limit": 50})
            codes[response.status_code] += 1
            passed = (time.perf_counter() - begun) / 60
            if passed >= given.mixed * len(memory) / 10:
                memory.append(resident(pid))
            if passed >= given.mixed:
                break
            await asyncio.sleep(given.pause)
    return {
        "requests": at + 1,
        "codes": {str(k): v for k, v in sorted(codes.items())},
        "resident memory in MB: at first, then every tenth of the time": memory,
    }


async def asking(client: httpx.AsyncClient, clients: int, seconds: float) -> dict[str, object]:
    """Ask from `clients` tasks; a refused one waits as long as Retry-After says, at most 1 s."""
    codes: Counter[int] = Counter()
    untold = 0
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def one(number: int) -> None:
        nonlocal untold
        at = number
        while time.perf_counter() < end:
            question = QUESTIONS[at % len(QUESTIONS)]
            at += clients
            start = time.perf_counter()
            response = await client.post("/api/v1/ask", json={"question": question})
            codes[response.status_code] += 1
            if response.status_code == 200:
                took.append(time.perf_counter() - start)
                continue
            told = "retry-after" in response.headers
            untold += not (told and response.status_code in _WITH_RETRY)
            await asyncio.sleep(min(1.0, float(response.headers.get("retry-after", 1))))

    await asyncio.gather(*(one(n) for n in range(clients)))
    took.sort()
    return {
        "answers": len(took),
        "per second": round(len(took) / seconds, 2),
        "p50 s": round(took[len(took) // 2], 2) if took else None,
        "p95 s": round(took[int(len(took) * 0.95)], 2) if took else None,
        "codes": {str(k): v for k, v in sorted(codes.items())},
        "errors without Retry-After": untold,
    }


async def dripping(url: str) -> None:
    """Send a request a byte at a time, and never end it."""
    host, port = url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    request = f"POST /api/v1/ask HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 999\r\n\r\n"
    try:
        for letter in request + "x" * 900:
            writer.write(letter.encode())
            await writer.drain()
            await asyncio.sleep(0.1)
    finally:
        writer.close()


def resident(pid: int) -> int:
    """Return the resident memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024
    return 0


if __name__ == "__main__":
    main()
