"""One process owns an index (I3): waiting, and handing over to the running app."""

from __future__ import annotations

import inspect
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from rag import messages
from rag.assistant import LocalAssistant, open_assistant
from rag.domain import (
    Article,
    CheckedClaim,
    Failure,
    FileRead,
    Filters,
    Found,
    Hit,
    IngestReport,
    Reading,
)
from rag.errors import (
    ArticleNotFoundError,
    CursorError,
    IndexBusyError,
    QuestionError,
    RecoupeError,
)
from rag.indexing.owner import Owner, Ownership, acquire, read_owner
from rag.operations import OPERATIONS, Assistant, Callback, Stream
from rag.readers import read_files
from rag.remote import RemoteAssistant
from rag.settings import Settings, load_settings
from rag.web.owner_api import OwnerServer
from tests.conftest import ROOT, Quick, make_article, run_python

BRIDGE = "Le pont de Lérac est fermé aux voitures depuis lundi, selon la mairie."


def test_the_second_is_told_who_holds_the_index(tmp_path: Path) -> None:
    held = Ownership(tmp_path, "recoupe ingest")
    with pytest.raises(IndexBusyError, match=f"recoupe ingest.*processus {os.getpid()}"):
        acquire(tmp_path, "recoupe ask")
    held.release()
    again = acquire(tmp_path, "recoupe ask")
    assert isinstance(again, Ownership)
    again.release()


def test_the_second_waits_and_says_so_once(tmp_path: Path) -> None:
    held = Ownership(tmp_path, "recoupe ingest")
    told: list[Owner | None] = []
    threading.Timer(0.7, held.release).start()
    taken = acquire(tmp_path, "recoupe ask", wait=10, on_wait=told.append)
    assert isinstance(taken, Ownership)
    assert [o.command for o in told if o] == ["recoupe ingest"]
    taken.release()


def test_a_dead_owner_holds_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from rag.indexing.owner import Ownership\n"
        "o = Ownership(Path(sys.argv[1]), 'mort'); print('pris', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(IndexBusyError, match="mort"):
        acquire(tmp_path, "x")
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    taken = acquire(tmp_path, "x")
    assert isinstance(taken, Ownership)
    taken.release()


def test_the_note_is_private(tmp_path: Path) -> None:
    held = Ownership(tmp_path, "x")
    held.announce("tcp:127.0.0.1:1", "t")
    assert (tmp_path / "owner.json").stat().st_mode & 0o077 == 0
    assert read_owner(tmp_path) is not None
    held.release()
    assert read_owner(tmp_path) is None


def test_an_owner_that_stops_is_waited_for(tmp_path: Path) -> None:
    """Its address is in the note and its socket closed: for a moment, not for ever."""
    held = Ownership(tmp_path, "recoupe serve")
    held.announce("tcp:127.0.0.1:9", "t")
    threading.Timer(0.7, held.release).start()
    taken = acquire(tmp_path, "recoupe ask")
    assert isinstance(taken, Ownership)
    taken.release()


def test_an_owner_that_never_answers_is_said(tmp_path: Path) -> None:
    held = Ownership(tmp_path, "recoupe serve")
    held.announce("tcp:127.0.0.1:9", "t")
    with pytest.raises(IndexBusyError, match="ne répond plus"):
        acquire(tmp_path, "recoupe ask")
    held.withdraw()
    with pytest.raises(IndexBusyError, match="attendez qu’il finisse"):
        acquire(tmp_path, "recoupe ask")
    held.release()


def start_app(settings: Settings) -> subprocess.Popen[str]:
    """Start the real app on a free port; it opens the index in its own time."""
    environment = os.environ | {"RECOUPE_INDEX_DIR": str(settings.index_dir), "RECOUPE_PORT": "0"}
    return subprocess.Popen(
        [sys.executable, str(ROOT / "app.py")], env=environment, cwd=settings.index_dir.parent,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_the_app_is_reached_as_soon_as_it_says_where_until_it_stops(tmp_path: Path) -> None:
    """Commands that come while it starts, and while it stops, are never told to stop it."""
    settings = load_settings(index_dir=tmp_path / "index")
    process = start_app(settings)
    until = time.monotonic() + 120
    try:
        while (owner := read_owner(settings.index_dir)) is None:
            assert time.monotonic() < until
            time.sleep(0.01)
        assert owner.pid == process.pid
        for _ in range(20):
            remote = open_assistant(settings, "test", wait=90)
            assert isinstance(remote, RemoteAssistant)
            assert remote.page().records == ()
            remote.close()
        process.send_signal(signal.SIGINT)
        opened = remote
        while isinstance(opened, RemoteAssistant):
            opened = open_assistant(settings, "test", wait=90)  # type: ignore[assignment]
            opened.close()
        assert isinstance(opened, LocalAssistant)
    finally:
        process.kill()
        process.communicate()


def test_an_app_that_stops_ends_its_batch_and_keeps_the_lock_until_then(tmp_path: Path) -> None:
    """The lock used to be released while the ingestion handed over was still writing."""
    settings = load_settings(index_dir=tmp_path / "index")
    process = start_app(settings)
    try:
        until = time.monotonic() + 120
        while (owner := read_owner(settings.index_dir)) is None or not owner.address:
            assert time.monotonic() < until
            time.sleep(0.05)
        remote = open_assistant(settings, "test", wait=90)
        articles = tuple(
            make_article(f"a{n}", f"{BRIDGE} {'Il pleut sur Lérac. ' * 8} Numéro {n}.")
            for n in range(400)
        )

        def stop(done: int, _total: int) -> None:
            if done == 0:
                process.send_signal(signal.SIGINT)

        with pytest.raises(RecoupeError, match=messages.CLOSING):
            remote.ingest(Reading(articles), (), stop)
        opened = open_assistant(settings, "test", wait=60)
        assert isinstance(opened, LocalAssistant)
        assert opened.check() == []
        assert opened.facets().articles < 400
        opened.close()
        assert process.wait(30) in {0, 130}
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, str]]:
    """The real app in a process of its own, over an empty index."""
    settings = load_settings(index_dir=tmp_path_factory.mktemp("owned") / "index")
    process = start_app(settings)
    assert process.stdout is not None
    lines: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=lambda: [lines.put(x) for x in process.stdout], daemon=True)  # type: ignore[union-attr]
    reader.start()
    seen = ""
    while "répond sur" not in seen:
        seen = lines.get(timeout=90)
    yield settings, seen.split()[-1]
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) in {0, 130}
    reader.join(timeout=5)
    process.stdout.close()


def test_another_process_works_through_the_app(app: tuple[Settings, str]) -> None:
    settings, url = app
    remote = open_assistant(settings, "test")
    assert isinstance(remote, RemoteAssistant)
    assert remote.owner.url == url
    steps: list[tuple[int, int]] = []
    report = remote.ingest(
        Reading((make_article("pont", BRIDGE, name="L’Écho"),)),
        (),
        lambda d, t: steps.append((d, t)),
    )
    assert report.new == ("pont",)
    assert steps[-1] == (1, 1)
    assert remote.article("pont").text == BRIDGE
    assert remote.page().records[0].source.name == "L’Écho"
    page = remote.page(words="pont")
    assert (page.records, page.next, page.total) == (remote.page().records, "", 1)
    assert remote.page(words="gare").records == ()
    facets = remote.facets()
    assert (facets.sources, facets.articles, facets.passages) == ((("L’Écho", 1),), 1, 1)
    with pytest.raises(CursorError):
        remote.page("inconnu")
    assert remote.search("pont", 3)[0].passage.text == BRIDGE
    assert remote.search("pont", 3, Filters(sources=("Autre",))) == []
    assert BRIDGE in remote.ask("Quand le pont de Lérac a-t-il été fermé ?").text
    assert remote.check() == []
    with pytest.raises(ArticleNotFoundError):
        remote.article("absent")
    with pytest.raises(QuestionError):
        remote.ask(" ")
    assert remote.remove(["pont"]) == ["pont"]
    remote.repair()
    remote.close()


def test_a_large_ingestion_is_handed_over_as_it_is_read(tmp_path: Path) -> None:
    """Of 600 articles of one file some tens are read that the owner has not yet written."""
    owner = LocalAssistant(load_settings(index_dir=tmp_path / "index"))
    owner.index._parts.embedder = Quick()
    file = tmp_path / "archives.jsonl"
    rows = [{"titre": f"Brève {n}", "texte": f"{BRIDGE} Numéro {n}."} for n in range(600)]
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    taken = 0
    ahead: list[int] = []

    def found() -> Iterator[Found]:
        nonlocal taken
        for each in read_files([file]):
            taken += 1
            yield each

    with others_served(owner) as note:
        remote = RemoteAssistant(note)
        report = remote.ingest(found(), progress=lambda done, _met: ahead.append(taken - done))
    assert len(report.new) == owner.index.articles() == 600
    assert len(ahead) > 15
    assert max(ahead) < 100
    owner.close()


def test_a_caller_that_dies_leaves_whole_articles_and_prunes_nothing(
    app: tuple[Settings, str], tmp_path: Path
) -> None:
    settings, _ = app
    file = tmp_path / "parti.txt"
    file.write_text(
        "Titre : Parti\n\nLe phare de Kermor a été éteint en juin, faute de gardien.", "utf-8"
    )
    remote = open_assistant(settings, "test")
    (gone,) = remote.ingest(read_files([file])).new
    file.unlink()
    code = (
        "import os, sys\nfrom tests.test_owner import *\n"
        "def found():\n"
        "    for n in range(100):\n"
        "        yield make_article(f'a{n}', f'Le bac {n} a repris ses traversées mardi matin.')\n"
        "    os.kill(os.getpid(), 9)\n"
        "open_assistant(load_settings(), 'mort').ingest(found(), [sys.argv[1]])\n"
    )
    done = run_python(ROOT, settings.index_dir, "-c", code, str(tmp_path))
    assert done.returncode == -signal.SIGKILL, done.stderr
    # The next one waits for what is left of it.
    remote.ingest([make_article("b", BRIDGE)])
    ids = [r.id for r in remote.page(limit=200).records]
    assert gone in ids
    assert 50 < sum(i.startswith("a") for i in ids) < 100
    assert remote.check() == []
    remote.remove(ids)
    remote.close()


def test_what_a_source_raises_reaches_its_caller(app: tuple[Settings, str]) -> None:
    settings, _ = app
    remote = open_assistant(settings, "test")

    def found() -> Iterator[Found]:
        yield make_article("seul", BRIDGE)
        raise OSError("disque")

    with pytest.raises(OSError, match="disque"):
        remote.ingest(found())
    assert remote.ingest([]) == IngestReport()
    assert "seul" not in [r.id for r in remote.page().records]
    remote.close()


def test_ingest_in_another_terminal_is_answered_from_at_once(
    app: tuple[Settings, str], tmp_path: Path
) -> None:
    settings, _ = app
    article = tmp_path / "maree.txt"
    article.write_text(
        "Titre : La marée noire évitée\n\nUn cargo chargé de mazout s’est échoué à Port-Amance.",
        "utf-8",
    )
    shell = partial(run_python, tmp_path, settings.index_dir)

    done = shell(str(ROOT / "ingest.py"), str(article))
    assert (done.returncode, done.stderr) == (0, "")
    asked = shell("-m", "rag.cli.main", "ask", "Où le cargo s’est-il échoué ?", "--json")
    answer = json.loads(asked.stdout)
    assert "Port-Amance" in answer["passages"][0]["text"]
    # What the newsroom says to be right is measured while the application runs.
    file = tmp_path / "reference.jsonl"
    file.write_text('{"question": "Qui a peint la fresque de Lérac ?", "answers": []}\n', "utf-8")
    measured = shell("-m", "rag.cli.main", "eval", "answers", str(file), "--json")
    assert measured.returncode == 0, measured.stderr
    assert json.loads(measured.stdout)["count"] == 1
    again = shell(str(ROOT / "app.py"))
    assert "Recoupe répond déjà sur" in again.stdout


@contextmanager
def others_served(assistant: LocalAssistant) -> Iterator[Owner]:
    """Serve an assistant to other processes; give the note by which they find it."""
    server = OwnerServer(assistant)
    server.start()
    try:
        yield Owner(1, "recoupe serve", server.address, server.token)
    finally:
        server.stop()


@pytest.mark.parametrize("token", ["", "faux", "t"])
def test_the_public_listener_has_no_way_to_the_owner(app: tuple[Settings, str], token: str) -> None:
    settings, url = app
    note = read_owner(settings.index_dir)
    assert note is not None
    for name in ("page", "ask", "ingest", "remove", "repair", "edit"):
        for prefix in ("/owner", "//owner", "/api/v1/owner", "/owner/../owner", "/%6fwner"):
            request = urllib.request.Request(
                f"{url}{prefix}/{name}", data=b"null", headers={"X-Recoupe-Owner-Token": token}
            )
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=10)
            assert refused.value.code in {404, 405}
            refused.value.close()


def test_nothing_that_a_file_tells_opens_the_owner(app: tuple[Settings, str]) -> None:
    """A note that is copied away holds the path of a socket that this user alone may open."""
    settings, _ = app
    note = read_owner(settings.index_dir)
    assert note is not None
    assert note.token == ""
    path = Path(note.address.removeprefix("unix:"))
    assert path == settings.index_dir.resolve() / "owner.sock"
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_index_deep_in_the_disk_has_a_socket_too(tmp_path: Path) -> None:
    """The path of a Unix socket has some hundred bytes at most."""
    deep = tmp_path / ("é" * 60) / "index"
    owner = LocalAssistant(load_settings(index_dir=deep))
    owner.ingest([make_article("pont", BRIDGE)])
    with others_served(owner) as note:
        path = Path(note.address.removeprefix("unix:"))
        assert not path.is_relative_to(tmp_path)
        assert path.parent.stat().st_mode & 0o077 == 0
        assert RemoteAssistant(note).article("pont").text == BRIDGE
    assert not path.parent.exists()
    owner.close()


def test_where_there_are_no_unix_sockets_a_token_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = LocalAssistant(load_settings(index_dir=tmp_path / "index"))
    owner.ingest([make_article("pont", BRIDGE)])
    monkeypatch.delattr(socket, "AF_UNIX")
    with others_served(owner) as note:
        assert note.address.startswith("tcp:127.0.0.1:")
        assert RemoteAssistant(note).article("pont").text == BRIDGE
        for token in ("", "faux"):
            with pytest.raises(RecoupeError, match="refusé"):
                RemoteAssistant(replace(note, token=token)).article("pont")
        address = note.address.removeprefix("tcp:")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://{address}/", timeout=10)
        refused.value.close()
    owner.close()


@pytest.mark.parametrize(
    "address", ["", "unix:/absent", "tcp:10.0.0.1:80", "http://a.example", "x"]
)
def test_an_address_that_is_no_owner_s_is_not_called(address: str) -> None:
    with pytest.raises(IndexBusyError, match="ne répond plus"):
        RemoteAssistant(Owner(1, "recoupe serve", address, "t")).facets()


def test_each_operation_is_declared_once() -> None:
    """Arguments, their defaults and their types: as `Assistant` says, at both ends."""
    for operation in OPERATIONS:
        declaration = inspect.signature(getattr(Assistant, operation.name))
        for kind in (LocalAssistant, RemoteAssistant):
            assert operation.name in vars(kind)
            assert inspect.signature(getattr(kind, operation.name)) == declaration


def test_what_goes_is_read_from_the_annotations() -> None:
    takes = {o.name: o.takes for o in OPERATIONS}
    assert "close" not in takes
    assert list(takes["page"].items()) == [("after", str), ("limit", int), ("words", str)]
    assert takes["verify"]["on_claim"] == Callback((CheckedClaim,))
    assert takes["ingest"]["found"] == Stream((Article, Failure, FileRead))
    assert takes["ingest"]["progress"] == Callback((int, int))
    assert {o.name: o.gives for o in OPERATIONS}["search"] == list[Hit]


def test_what_an_operation_does_not_take_is_refused_before_it_is_sent() -> None:
    remote = RemoteAssistant(Owner(1, "recoupe serve", "tcp:127.0.0.1:9", "t"))
    with pytest.raises(TypeError, match="too many"):
        remote.article("pont", "gare")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="colour"):
        remote.page(colour="bleu")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="question"):
        remote.search(limit=3)  # type: ignore[call-arg]


def test_an_owner_that_vanished_is_said(tmp_path: Path) -> None:
    remote = RemoteAssistant(Owner(1, "recoupe serve", "tcp:127.0.0.1:9", "t"))
    with pytest.raises(IndexBusyError, match="ne répond plus"):
        remote.page()
    remote.close()


def test_two_ingestions_of_one_process_take_turns(tmp_path: Path) -> None:
    assistant = LocalAssistant(load_settings(index_dir=tmp_path))
    readings = [Reading((make_article(f"a{i}", f"{BRIDGE} ({i})"),)) for i in range(4)]
    threads = [threading.Thread(target=assistant.ingest, args=(r,)) for r in readings]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 60
    for thread in threads:
        thread.join(timeout=max(0.1, until - time.monotonic()))
    assert sorted(r.id for r in assistant.index.records()) == ["a0", "a1", "a2", "a3"]
    assert assistant.check() == []


def test_a_folder_that_is_no_more_written_is_let_go(tmp_path: Path) -> None:
    """The note cannot be removed; the lock is released all the same, and nothing is raised."""
    held = Ownership(tmp_path / "index", "recoupe ingest")
    held._note = Path("/proc/version")  # removing and replacing it fail, for root too
    held.withdraw()
    held.release()
    taken = acquire(tmp_path / "index", "recoupe ask")
    assert isinstance(taken, Ownership)
    taken.release()
