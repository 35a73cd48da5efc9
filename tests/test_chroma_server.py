"""The index on a Chroma server: the same articles, the same answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rag.assistant import LocalAssistant
from rag.domain import Reading
from rag.settings import load_settings
from tests.conftest import make_article


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("chroma")
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
        yield url
    finally:
        process.terminate()
        process.wait(20)


def test_articles_live_on_the_server(server: str, tmp_path: Path) -> None:
    pont = make_article("pont", "Le pont de Lérac a rouvert mardi 12 mars 2024 aux voitures.")
    pain = make_article("pain", "Le boulanger de Vernoux fait cuire cent pains chaque nuit.")
    here = LocalAssistant(load_settings(index_dir=tmp_path / "a", chroma_url=server))
    report = here.ingest(Reading((pont, pain)))
    assert set(report.new) == {"pont", "pain"}
    assert here.check() == []
    # Another machine, with a folder of its own, finds them there.
    there = LocalAssistant(load_settings(index_dir=tmp_path / "b", chroma_url=server))
    assert {r.id for r in there.records()} == {"pont", "pain"}
    assert there.search("Quand le pont a-t-il rouvert ?", 1)[0].passage.article_id == "pont"
    assert there.article("pont").text == pont.text
    assert here.ingest(Reading((pont, pain))).unchanged == ("pont", "pain")
    assert there.remove(["pain"]) == ["pain"]
