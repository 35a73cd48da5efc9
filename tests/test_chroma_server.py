"""The index on a Chroma server: the same answers, several processes, what may go wrong."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from bench.workers import chroma_server, free_port, rounds
from rag.assistant import LocalAssistant
from rag.domain import Article, ArticleRecord, Passage, Reading, Source, version_of
from rag.errors import StoreError
from rag.french.words import question_stems
from rag.indexing.catalogue import Row
from rag.indexing.chroma import QUOTA_RECORDS, Chroma, connect
from rag.indexing.index import Index
from rag.models.packing import pack
from rag.settings import Settings, load_settings
from tests.conftest import make_article
from tests.servers import running

BRIDGE = "Le pont de Lérac a rouvert mardi 12 mars 2024 aux voitures."
BREAD = "Le boulanger de Vernoux fait cuire cent pains chaque nuit."


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "chroma"
    folder.mkdir()
    with chroma_server(folder) as (url, _):
        yield url


Opened = Callable[[str], LocalAssistant]


@pytest.fixture
def opened(server: str, tmp_path: Path) -> Iterator[Opened]:
    """Open an assistant on the server, as a process with that folder would."""
    made: list[LocalAssistant] = []

    def open_one(name: str) -> LocalAssistant:
        made.append(LocalAssistant(load_settings(index_dir=tmp_path / name, chroma_url=server)))
        return made[-1]

    yield open_one
    for assistant in made:
        assistant.close()


def add(assistant: LocalAssistant, *articles: Article) -> None:
    assistant.ingest(Reading(articles))


def eventually(holds: Callable[[], bool], seconds: float = 2.0) -> bool:
    until = time.monotonic() + seconds
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(0.05)
    return held


def test_articles_live_on_the_server(opened: Opened) -> None:
    pont, pain = make_article("pont", BRIDGE), make_article("pain", BREAD)
    here = opened("a")
    report = here.ingest(Reading((pont, pain)))
    assert set(report.new) == {"pont", "pain"}
    assert here.check() == []
    # Another machine, with a folder of its own, finds them there.
    there = opened("b")
    assert {r.id for r in there.index.records()} == {"pont", "pain"}
    assert there.search("Quand le pont a-t-il rouvert ?", 1)[0].passage.article_id == "pont"
    assert there.article("pont").text == pont.text
    assert here.ingest(Reading((pont, pain))).unchanged == ("pont", "pain")
    assert there.remove(["pain"]) == ["pain"]
    assert there.compact() is False


def words_of(assistant: LocalAssistant, question: str) -> set[str]:
    hits = assistant.index.lexical.search(question_stems(question), 9)
    return {version_of(i)[0] for i in assistant.index.current(i for i, _ in hits)}


def test_each_sees_what_another_adds_changes_and_removes(opened: Opened) -> None:
    here, there = opened("a"), opened("b")
    add(here, make_article("pont", BRIDGE))
    assert [h.passage.text for h in there.search("pont", 3)] == [BRIDGE]  # by meaning, at once
    assert eventually(lambda: words_of(there, "rouvert voitures") == {"pont"})
    add(here, make_article("pont", BREAD))
    assert there.article("pont").text == BREAD
    assert eventually(lambda: words_of(there, "boulanger") == {"pont"})
    assert words_of(there, "rouvert voitures") == set()
    here.remove(["pont"])
    assert list(there.index.records()) == []
    assert eventually(lambda: there.index.lexical.versions() == 0)


def test_what_changed_while_a_process_was_away_is_caught_up(opened: Opened) -> None:
    here, there = opened("a"), opened("b")
    add(here, make_article("pont", BRIDGE), make_article("pain", BREAD))
    assert eventually(lambda: there.index.lexical.versions() == 2)
    there.close()
    add(here, make_article("pont", f"{BRIDGE} Et refermé."))
    here.remove(["pain"])
    again = opened("b")
    assert words_of(again, "refermé") == {"pont"}
    assert again.index.lexical.versions() == 1


class StoppedError(Exception):
    """Stands for the end of a process: nothing of it runs any more."""


def die_before(index: Index, step: str) -> None:
    """Make an index stop for good just before a step of the store or the log."""

    def dead(*_: object, **__: object) -> Any:
        raise StoppedError

    owner = index.store if hasattr(index.store, step) else index._parts.changes
    setattr(owner, step, dead)
    index.recovery.undo = lambda _steps: None  # type: ignore[method-assign]
    index._parts.closing.set()  # its thread ends too


@pytest.mark.parametrize("step", ["put_passages", "put_records", "switched", "delete_passages"])
def test_a_dead_writer_is_settled_after_its_lease_not_before(opened: Opened, step: str) -> None:
    here, there = opened("a"), opened("b")
    add(here, make_article("pont", BRIDGE))
    die_before(here.index, step)
    here.index._parts.closing.clear()
    with pytest.raises(StoppedError):
        add(here, make_article("pont", BREAD))
    here.index._parts.closing.set()
    there.repair()  # a sweep in the meantime touches nothing that may be in flight
    text = there.article("pont").text
    assert text == (BRIDGE if step in {"put_passages", "put_records"} else BREAD)
    if step == "put_records":
        assert there.index.store.count() == 2
    there.index.follower.lease = 0.2
    assert eventually(lambda: not any(w.pending for w in there.index._parts.changes.writers()), 5)
    assert there.index.store.count() == 1
    assert there.article("pont").text == text
    assert there.check() == []


def test_a_sweep_leaves_what_another_is_writing(opened: Opened) -> None:
    """A worker that started between the passages and the record swept them: « incomplet »."""
    here, there = opened("a"), opened("b")
    put = here.index.store.put_records

    def meanwhile(*arguments: Any) -> None:
        there.repair()
        opened("c")
        put(*arguments)

    here.index.store.put_records = meanwhile  # type: ignore[method-assign]
    add(here, make_article("pont", BRIDGE))
    assert there.article("pont").text == BRIDGE
    assert there.check() == []


def test_a_writer_taken_for_dead_writes_again(opened: Opened) -> None:
    here, there = opened("a"), opened("b")
    there.index.follower.lease = 0.1
    put, times = here.index.store.put_passages, []

    def asleep(*arguments: Any) -> None:
        put(*arguments)
        times.append(1)
        if len(times) == 1:
            here.index._parts.closing.set()  # suspended: neither its thread nor it moves
            time.sleep(0.2)
            assert eventually(lambda: there.index.store.count() == 0, 5)
            here.index._parts.closing.clear()

    here.index.store.put_passages = asleep  # type: ignore[method-assign]
    add(here, make_article("pont", BRIDGE))
    assert len(times) == 2
    assert there.article("pont").text == BRIDGE
    assert there.check() == []


def test_two_who_write_one_article_at_once_leave_one_version(opened: Opened) -> None:
    here, there = opened("a"), opened("b")
    put = here.index.store.put_records

    def meanwhile(*arguments: Any) -> None:
        here.index.store.put_records = put  # type: ignore[method-assign]
        add(there, make_article("pont", BREAD))
        put(*arguments)

    here.index.store.put_records = meanwhile  # type: ignore[method-assign]
    add(here, make_article("pont", BRIDGE))
    assert here.article("pont").text == there.article("pont").text == BRIDGE
    assert here.index.store.count() == 1
    # A file that moved does not bring back the version that was read before.
    add(there, make_article("pont", BREAD))
    here.index.writer.move({"pont": "/ailleurs/pont.txt"})
    assert here.article("pont").text == BREAD
    assert here.article("pont").record.path == "/ailleurs/pont.txt"
    assert here.check() == []


def test_two_who_write_many_at_once_leave_each_article_once(opened: Opened) -> None:
    both = opened("a"), opened("b")
    articles = [
        [make_article(f"a{n}", f"{BRIDGE} Version {name}, numéro {n}.") for n in range(40)]
        for name in ("une", "deux")
    ]
    threads = [
        threading.Thread(target=add, args=(assistant, *some))
        for assistant, some in zip(both, articles, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(r.id for r in both[0].index.records()) == sorted(f"a{n}" for n in range(40))
    assert both[0].index.store.count() == 40
    assert [a.check() for a in both] == [[], []]


def passage(article_id: str, number: int) -> Passage:
    text = f"Pont numéro {number:04d}, phrase de 40 lettres.\n"
    at = number * len(text)
    return Passage("", article_id, number, at, at + len(text), text, heading="H" * 1000)


def test_calls_stay_within_the_quotas_of_the_cloud(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """300 records a call, 4,096 bytes a value, 128 bytes an id, 16,384 a document."""
    seen: list[dict[str, Any]] = []
    call = Chroma.call

    def noted(self: Chroma, what: Callable[..., Any], /, **arguments: Any) -> Any:
        result = call(self, what, **arguments)
        seen.append(arguments)
        if isinstance(result, dict) and result.get("ids") and isinstance(result["ids"][0], str):
            seen.append({"ids": result["ids"]})
        return result

    monkeypatch.setattr(Chroma, "call", noted)
    here = opened("a")
    index = here.index
    characters = len(passage("", 0).text)
    made = [
        (ArticleRecord(key, "f" * 16, Source("Pont"), count, count * characters), count)
        for key, count in [("a" * 80, 700), *((f"b{n}", 1) for n in range(320))]
    ]
    for at in range(0, len(made), 40):
        some = [(r, [passage(r.id, n) for n in range(count)]) for r, count in made[at : at + 40]]
        total = sum(len(ps) for _, ps in some)
        vectors = np.random.default_rng(at).normal(size=(total, 384)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        rows = [Row("", b"", v, ()) for v in pack(vectors)]
        assert len(rows) == total
        index.writer.write(some, vectors, rows)
    here.search("pont", 50)
    index.nearest(vectors[0], 500)
    assert index.article("a" * 80).text.count("Pont") == 700
    assert here.check() == []
    here.remove([f"b{n}" for n in range(320)])
    here.repair()
    assert len(seen) > 50
    for arguments in seen:
        ids = arguments.get("ids", [])
        assert len(ids) <= QUOTA_RECORDS
        assert arguments.get("limit", 0) <= QUOTA_RECORDS
        assert arguments.get("n_results", 0) <= QUOTA_RECORDS
        assert all(len(str(i).encode()) <= 128 for i in ids)
        assert all(len(d.encode()) <= 16_384 for d in arguments.get("documents", []))
        for metadata in arguments.get("metadatas", []):
            assert len(metadata) <= 32
            assert all(len(str(v).encode()) <= 4_096 for v in metadata.values())


def test_a_server_that_goes_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    folder, port = tmp_path / "chroma", free_port()
    folder.mkdir()
    settings = load_settings(index_dir=tmp_path / "a", chroma_url=f"http://127.0.0.1:{port}")
    with chroma_server(folder, port) as (_, process):
        here = LocalAssistant(settings)
        add(here, make_article("pont", BRIDGE))
        process.kill()
        process.wait()
    back = threading.Event()

    def serve_again() -> None:
        with chroma_server(folder, port):
            back.wait(60)

    thread = threading.Timer(1.0, serve_again)
    thread.start()
    try:
        add(here, make_article("pain", BREAD))
        assert here.article("pont").text == BRIDGE
        assert here.article("pain").text == BREAD
        assert here.check() == []
    finally:
        here.close()
        back.set()
        thread.join()


def test_a_server_that_stays_away_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.indexing.chroma._PATIENCE_SECONDS", 0.5)
    folder = tmp_path / "chroma"
    folder.mkdir()
    with chroma_server(folder) as (url, process):
        here = LocalAssistant(load_settings(index_dir=tmp_path / "a", chroma_url=url))
        process.kill()
        process.wait()
        with pytest.raises(StoreError, match="ne répond pas.*RECOUPE_CHROMA_URL"):
            add(here, make_article("pont", BRIDGE))
        here.close()
    with pytest.raises(StoreError, match="RECOUPE_CHROMA_URL"):
        LocalAssistant(load_settings(index_dir=tmp_path / "b", chroma_url=url))


def test_the_key_and_the_tenant_reach_the_server() -> None:
    seen: list[tuple[str, str | None]] = []

    class Cloud(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, self.headers.get("x-chroma-token")))
            identity = {"user_id": "u", "tenant": "journal", "databases": ["archives"]}
            named = {"name": "x", "id": "0", "tenant": "journal"}
            body = json.dumps(identity if "identity" in self.path else named)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args: object) -> None:
            pass

    with running(Cloud) as url:
        chroma = connect(
            Settings(
                chroma_url=url, chroma_api_key=SecretStr("ck-secret"), chroma_tenant="journal",
                chroma_database="archives",
            )
        )  # fmt: skip
        chroma.close()
    assert {key for _, key in seen} == {"ck-secret"}
    assert any("/tenants/journal" in path for path, _ in seen)
    assert any("/databases/archives" in path for path, _ in seen)


def test_workers_and_ingestions_with_kills(tmp_path: Path) -> None:
    """`bench/workers.py` does the same for more rounds."""
    assert max(rounds(tmp_path, 1)) <= 2.0
