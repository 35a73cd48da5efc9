"""What the newsroom's page costs when much was asked: each view, and the CSV of all of it.

    python -m bench.newsroom [--exchanges 20000]

Puts questions of the golden set, each with a word of its own, over eight weeks into an index of the
sample corpus, a third of them refused, and asks each address on loopback five times.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from bench.faces import opened
from bench.golden import ROOT, load_golden
from bench.measuring import serving, spread, timed
from rag.domain import Reading
from rag.exchanges.store import ANSWERED, REFUSED, Exchange
from rag.readers import find_files, read_files
from rag.web.access import hashed

TOKEN = "bench"
WEEKS, TURNS = 8, 5
VIEWS = {
    "overview": "/redaction",
    "refused": "/redaction?voir=refus",
    "all": "/redaction?voir=tout",
    "csv": "/redaction/echanges.csv",
}


def filled(folder: Path, count: int) -> None:
    """Make an index of the sample corpus with `count` exchanges."""
    assistant = opened(folder, keep_questions=True, keep_questions_days=90)
    assistant.ingest(Reading.of(read_files(find_files([ROOT / "corpus"])[0])))
    articles = [record.id for record in assistant.index.records()]
    questions = [item.question for item in load_golden("questions")]
    store = assistant.recorder.store()
    assert store is not None
    now = datetime.now(UTC)
    for n in range(count):
        refused = n % 3 == 0
        store.add(
            Exchange(
                f"{questions[n % len(questions)]} {n}",
                REFUSED if refused else ANSWERED,
                ms=200 + n % 900,
                cited=() if refused else (articles[n % len(articles)],),
                at=now - timedelta(weeks=WEEKS) * (n / count),
            )
        )
    assistant.close()


def main() -> None:
    """Measure, and print as JSON."""
    parser = argparse.ArgumentParser(description="What the newsroom's page costs")
    parser.add_argument("--exchanges", type=int, default=20_000)
    options = parser.parse_args()
    settings = {
        "KEEP_QUESTIONS": "true", "KEEP_QUESTIONS_DAYS": "90", "ADMIN_TOKEN_HASH": hashed(TOKEN)
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        filled(Path(name) / "index", options.exchanges)
        with (
            serving(Path(name) / "index", **settings) as app,
            httpx.Client(base_url=app.url, timeout=120, trust_env=False) as client,
        ):
            client.post("/redaction/connexion", data={"token": TOKEN})
            found = {
                view: spread(
                    timed(lambda path: client.get(path).raise_for_status(), [path] * TURNS)
                )
                for view, path in VIEWS.items()
            }
            size = len(client.get(VIEWS["csv"]).content)
    print(json.dumps(found | {"csv bytes": size}, indent=2))


if __name__ == "__main__":
    main()
