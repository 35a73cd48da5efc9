"""Several workers and ingestions over one Chroma server, with kills.

    python -m bench.workers [ROUNDS] [SEED]

A real `chroma run`, two apps, and each round two ingestions of the same
changed files at once, one of which is killed -9 at a random moment in two
rounds of three. After each round, every article must be seen by both apps, in
its new version, whole and once, within two seconds of the ingestion that
acknowledged it; in the end nothing may be left over.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from bench.golden import ROOT

ARTICLES = 16
_SEEN_WITHIN = 2.0  # seconds


@contextmanager
def chroma_server(folder: Path, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a Chroma server over `folder`; give its address and process."""
    port = port or free_port()
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(folder),
               "--port", str(port)]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | {"ANONYMIZED_TELEMETRY": "False"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                if httpx.get(f"{url}/api/v2/heartbeat", trust_env=False).status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url, process
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def app(folder: Path, settings: Mapping[str, str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the app over an index folder of its own; give its address and process."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "app.py")],
        env=environment(folder, dict(settings) | {"RECOUPE_PORT": "0", "RECOUPE_RATE_CLIENT": "9999/minute",
                                            "RECOUPE_RATE_GLOBAL": "9999/minute"}),
        cwd=folder.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    lines = process.stdout
    url = next(line.split()[-1] for line in lines if "répond sur" in line)
    reader = threading.Thread(target=lambda: [None for _ in lines], daemon=True)
    reader.start()
    try:
        yield url, process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(60)
        reader.join(10)
        lines.close()


def environment(folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a command over an index folder."""
    return os.environ | {"RECOUPE_INDEX_DIR": str(folder)} | dict(settings)


def ingestion(files: Path, folder: Path, settings: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start an ingestion of `files` into the index of `folder`."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "ingest.py"), str(files)],
        env=environment(folder, settings), cwd=folder.parent,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def write_articles(files: Path, version: str, count: int = ARTICLES) -> dict[str, str]:
    """Write `count` small articles of a version; return their last sentence by title."""
    files.mkdir(exist_ok=True)
    said = {}
    for n in range(count):
        last = f"La jauge numéro {n} affiche le relevé {version}."
        (files / f"jauge-{n}.txt").write_text(
            f"Titre : Jauge {n}\nURL : https://jauges.example/{n}\n\n"
            f"La rivière est surveillée à la station {n} depuis lundi matin. {last}\n", "utf-8"
        )  # fmt: skip
        said[f"Jauge {n}"] = last
    return said


def missing(url: str, said: Mapping[str, str]) -> list[str]:
    """Return what an app does not show as it should: each article once, whole, found by words."""
    wrong = []
    with httpx.Client(base_url=url + "/api/v1", timeout=60, trust_env=False) as api:
        page = api.get("/articles", params={"limit": 200}).json()
        listed = page["articles"]
        while page["next"]:
            page = api.get("/articles", params={"limit": 200, "after": page["next"]}).json()
            listed += page["articles"]
        by_title: dict[str, list[str]] = {}
        for record in listed:
            by_title.setdefault(record["title"], []).append(record["article_id"])
        for title, last in said.items():
            ids = by_title.get(title, [])
            if len(ids) != 1:
                wrong.append(f"{title} : {len(ids)} fois")
                continue
            found = api.get(f"/articles/{ids[0]}").json()
            if not found.get("text", "").endswith(last):
                wrong.append(f"{title} : {found.get('detail', 'ancienne version')}")
        title, last = random.choice(list(said.items()))
        hits = api.post("/search", json={"question": last, "limit": 3}).json()["passages"]
        if not any(h["text"].rstrip().endswith(last) and h["lexical"] > 0 for h in hits):
            wrong.append(f"{title} : pas trouvé par ses mots")
    return wrong


def wait_until_seen(urls: Sequence[str], said: Mapping[str, str], limit: float = 20.0) -> float:
    """Return after how many seconds all apps show all articles. Raises AssertionError."""
    began = time.monotonic()
    while True:
        at = time.monotonic() - began
        wrong = [w for url in urls for w in missing(url, said)]
        if not wrong:
            return at
        assert at < limit, wrong
        time.sleep(0.05)


def rounds(folder: Path, count: int, seed: int = 0) -> list[float]:
    """Run rounds; return after how many seconds each was seen. Raises AssertionError."""
    rng = random.Random(seed)
    files = folder / "files"
    (folder / "chroma").mkdir()
    seen = []
    with ExitStack() as stack:
        server, _ = stack.enter_context(chroma_server(folder / "chroma"))
        settings = {"RECOUPE_CHROMA_URL": server}
        urls = [stack.enter_context(app(folder / f"app-{n}", settings))[0] for n in range(2)]
        length = 6.0
        for number in range(count):
            said = write_articles(files, f"{number}")
            began = time.monotonic()
            both = [ingestion(files, folder / f"ingest-{n}", settings) for n in range(2)]
            killed = number % 3 > 0
            if killed:
                time.sleep(rng.uniform(0.3, 1.0) * length)
                both[number % 2].kill()
            ends = [p.communicate(timeout=300) for p in both]
            length = time.monotonic() - began
            for process, (out, err) in zip(both, ends, strict=True):
                assert process.returncode in ({0, -9} if killed else {0}), (out, err)
            seen.append(wait_until_seen(urls, said))
            print(f"round {number + 1:2d}: {'killed' if killed else 'whole '} seen by both after "
                  f"{seen[-1]:.2f} s", flush=True)  # fmt: skip
        # Whoever comes back with the folder of a killed one settles what it left.
        for n in range(2):
            out, err = ingestion(files, folder / f"ingest-{n}", settings).communicate(timeout=300)
            assert "16 inchangés" in out, (out, err)
        assert stored_passages(server) == ARTICLES
        for n in range(2):
            checked = subprocess.run(
                [sys.executable, "-m", "rag.cli.main", "doctor"], cwd=ROOT, check=False,
                env=environment(folder / f"app-{n}", settings), capture_output=True, text=True,
            )  # fmt: skip
            assert "Tout est en ordre" in checked.stdout, checked.stdout
    return seen


def stored_passages(server: str) -> int:
    """Return the number of passages on a server, of all versions."""
    from rag.indexing.chroma import connect
    from rag.indexing.store import PASSAGES
    from rag.settings import load_settings

    chroma = connect(load_settings(chroma_url=server))
    collection = chroma.client.get_collection(PASSAGES, embedding_function=None)
    count = int(collection.count())
    chroma.close()
    return count


def main(count: str = "20", seed: str = "0") -> None:
    """Run and print one line a round."""
    with tempfile.TemporaryDirectory() as name:
        seen = rounds(Path(name), int(count), int(seed))
    late = sum(s > _SEEN_WITHIN for s in seen)
    print(f"{len(seen)} rounds; slowest {max(seen):.2f} s; {late} over {_SEEN_WITHIN} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
