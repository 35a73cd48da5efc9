"""Reading in worker processes: their bounds, their deaths, and what is left of them."""

from __future__ import annotations

import ctypes
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import messages
from rag.domain import Article, Failure, Reading, Source
from rag.errors import ReadError, StatusError
from rag.readers import read_files
from rag.readers.articles import FileContents
from rag.readers.isolation import Bounds, Outcome, Task, workers, workers_count
from rag.readers.messages import article, encoded
from tests.conftest import ROOT

SENTENCE = "Le pont est fermé depuis lundi, selon l’adjoint à la voirie."
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


def say(key: str) -> FileContents:
    return [], [Failure(key, "lu")]


def hang() -> FileContents:
    time.sleep(600)
    return [], []


def hang_in_c() -> FileContents:
    re.match(r"(a+)+$", "a" * 60 + "b")
    return [], []


def fill() -> FileContents:
    kept = [bytearray(10_000_000) for _ in range(1000)]
    return [], [Failure(str(len(kept)), "")]


def die(number: int) -> FileContents:
    os.kill(os.getpid(), number)
    return [], []


def leave() -> FileContents:
    os._exit(0)


def crash() -> FileContents:
    ctypes.string_at(0)
    return [], []


def refuse() -> FileContents:
    raise ReadError("illisible pour cette raison")


def recurse() -> FileContents:
    return recurse()


def unexpected() -> FileContents:
    raise KeyError("clé")


def unsendable() -> FileContents:
    return [], [lambda: 1]  # type: ignore[list-item]


def warn() -> FileContents:
    logging.getLogger("rag.essai").warning("premier\nsecond \x1b[31m %s", "mot")
    logging.getLogger("rag.essai").debug("pas gardé")
    return [], []


def speak() -> FileContents:
    sys.stdout.write("bruit\n")
    sys.stdout.flush()
    os.write(1, b"\x00\x00\x00\x01bruit")
    os.write(2, b"bruit" * 200_000)
    return [], [Failure("lu", sys.stdin.read())]


def speak_and_die() -> FileContents:
    os.write(2, b"bruit " * 200_000 + b"\x1b dernier mot")
    os._exit(3)


def garble() -> FileContents:
    for number in range(3, 20):
        with suppress(OSError):
            os.write(number, b"\xff" * 100)
    return [], []


def lie() -> FileContents:
    return [], [Failure(1, ["deux"])]  # type: ignore[arg-type]


def overheard() -> FileContents:
    return [], [Failure(" ".join(os.environ), "")]


def answered_503() -> FileContents:
    raise StatusError("occupé", 503, 1.5)


def spend(seconds: float) -> FileContents:
    time.sleep(seconds)
    return [], [Failure(str(seconds), "lu")]


def run(
    read: Callable[..., FileContents], *args: Any, seconds: float = 60, memory_mb: int = 300
) -> Outcome:
    (outcome,) = workers.run([Task(read, args, seconds, "trop lent")], memory_mb)
    return outcome


def test_outcomes_come_in_the_order_of_tasks() -> None:
    pauses = [0.2, 0.0, 0.1, 0.0, 0.05, 0.0]
    tasks = (Task(spend, (p,), 60.0, "") for p in pauses)
    found = [o.failures[0].name for o in workers.run(tasks, 300)]
    assert found == [str(p) for p in pauses]


def test_tasks_are_taken_a_few_ahead_and_left_with_their_listener() -> None:
    taken: list[int] = []

    def tasks() -> Iterator[Task]:
        for n in range(10_000):
            taken.append(n)
            yield Task(spend, (0.0,), 60.0, "")

    outcomes = workers.run(tasks(), 300)
    for n in range(1, 50):
        next(outcomes)
        assert len(taken) - n <= 16 * workers_count()
    outcomes.close()  # type: ignore[attr-defined]
    assert len(taken) < 1000


def many(count: int) -> FileContents:
    return [Article(str(n), Source("T"), f"{SENTENCE} " * 30) for n in range(count)], []


def test_of_a_file_of_many_articles_few_are_held() -> None:
    outcomes = workers.run([Task(many, (2000,), 60.0, "")], 300)
    outcome = next(outcomes)
    assert sum(len(a.text) for a in outcome.articles) < 50_000
    assert [a.id for a in outcome.found()] == [str(n) for n in range(2000)]
    assert next(outcomes, None) is None
    assert not Path(outcome.rest).parent.exists()


@pytest.mark.parametrize("read", [hang, hang_in_c])
def test_a_task_that_does_not_end_is_stopped(read: Callable[..., FileContents]) -> None:
    assert run(read, seconds=1).reason == "trop lent"
    assert run(say, "après").failures == (Failure("après", "lu"),)


@posix
def test_a_task_that_fills_the_memory_is_stopped() -> None:
    assert "mémoire" in run(fill).reason
    assert run(say, "après").failures == (Failure("après", "lu"),)


@posix
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGABRT])
def test_a_worker_that_dies_is_one_failure(number: int) -> None:
    tasks = [
        Task(say, ("a",), 60, ""),
        Task(die, (int(number),), 60, ""),
        Task(say, ("b",), 60, ""),
    ]
    first, dead, last = workers.run(tasks, 300)
    assert (first.failures[0].name, last.failures[0].name) == ("a", "b")
    assert "arrêtée net" in dead.reason


@posix
def test_a_fault_of_a_c_library_is_one_failure() -> None:
    assert "arrêtée net" in run(crash).reason


@pytest.mark.parametrize(
    ("read", "why"),
    [(refuse, "pour cette raison"), (recurse, "RecursionError"), (unexpected, "KeyError")],
)
def test_what_a_reader_raises_is_one_reason(read: Callable[..., FileContents], why: str) -> None:
    assert why in run(read).reason


def test_what_cannot_be_sent_back_is_one_failure() -> None:
    assert "arrêtée net" in run(unsendable).reason
    assert run(say, "après").failures == (Failure("après", "lu"),)


def test_what_a_reader_logs_reaches_this_log_on_one_line(caplog: pytest.LogCaptureFixture) -> None:
    run(warn)
    (record,) = [r for r in caplog.records if r.name == "rag.essai"]
    assert record.getMessage() == r"premier\nsecond \x1b[31m mot"


def test_what_a_library_prints_or_asks_for_disturbs_nothing() -> None:
    assert run(speak).failures == (Failure("lu", ""),)
    assert run(say, "après").failures == (Failure("après", "lu"),)


def test_what_a_worker_printed_before_it_died_is_logged_in_bounds(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "rag.readers.process")
    assert "arrêtée net" in run(speak_and_die).reason
    said = caplog.records[-1].getMessage()
    assert said.endswith(r"\x1b dernier mot")
    assert len(said) < 5000


@pytest.mark.parametrize("read", [garble, lie])
def test_an_answer_that_is_not_of_its_type_is_one_failure(
    read: Callable[..., FileContents],
) -> None:
    assert "arrêtée net" in run(read).reason
    assert run(say, "après").failures == (Failure("après", "lu"),)


def test_what_a_reader_raises_comes_back_as_it_was() -> None:
    error = run(answered_503).error
    assert isinstance(error, StatusError)
    assert (str(error), error.status, error.wait) == ("occupé", 503, 1.5)


@given(
    st.builds(
        Article,
        st.text(),
        st.builds(Source, st.text(), published=st.none() | st.dates(), paywalled=st.booleans()),
        st.text(),
        headings=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))).map(tuple),
        path=st.text(),
        pages=st.lists(st.tuples(st.integers(0, 9), st.text())).map(tuple),
    )
)
def test_an_article_comes_back_as_it_was(made: Article) -> None:
    said = encoded(made)
    assert b"\n" not in said
    assert article(said) == made


def test_half_a_character_does_not_stop_an_answer() -> None:
    assert article(encoded(Article("a", Source("\ud800"), ""))).source.title == "?"


def test_a_worker_knows_no_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("RECOUPE_ADMIN_PASSWORD", "k")
    monkeypatch.setenv("ESSAI", "e")
    workers.close()
    names = run(overheard).failures[0].name.split()
    assert "ESSAI" in names
    assert not {"OPENAI_API_KEY", "RECOUPE_ADMIN_PASSWORD"} & set(names)


def test_who_stops_listening_stops_the_tasks_under_way() -> None:
    count = workers_count()
    tasks = [Task(say, ("a",), 60.0, ""), *[Task(hang, (), 600.0, "")] * count]
    outcomes = workers.run(tasks, 300)
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    assert run(say, "après").failures == (Failure("après", "lu"),)


def test_threads_share_the_workers() -> None:
    found: dict[str, str] = {}

    def ask(key: str) -> None:
        found[key] = run(say, key).failures[0].name

    threads = [threading.Thread(target=ask, args=(str(i),)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {str(i): str(i) for i in range(20)}


@posix
def test_all_the_workers_killed_at_rest_are_replaced() -> None:
    run(say, "a")
    for child in _workers():
        child.kill()
    assert run(say, "b").failures == (Failure("b", "lu"),)


def test_closing_leaves_no_worker_and_the_next_task_starts_some() -> None:
    run(say, "a")
    assert _workers()
    workers.close()
    assert _workers() == []
    assert run(say, "b").failures == (Failure("b", "lu"),)


def _workers() -> list[psutil.Process]:
    """Return the workers of this process."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "rag.readers.worker" in child.cmdline():
                found.append(child)
        except psutil.Error:
            continue
    return found


@posix
def test_a_script_without_a_guard_reads_and_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(SENTENCE, "utf-8")
    script = tmp_path / "lire.py"
    script.write_text(
        "from pathlib import Path\nfrom rag.domain import Reading\nfrom rag.readers import read_files\n"
        "print('main')\nprint(len(Reading.of(read_files([Path('a.txt')])).articles))\n"
    )
    done = _python(tmp_path, str(script))
    assert (done.stdout, done.stderr, done.returncode) == ("main\n1\n", "", 0)
    assert not [p for p in psutil.process_iter(["environ"]) if _is_of(p, tmp_path)]


def test_no_module_is_taken_from_the_folder_where_one_works(tmp_path: Path) -> None:
    (tmp_path / "trafilatura.py").write_text("raise SystemExit('pris')")
    (tmp_path / "a.txt").write_text(SENTENCE, "utf-8")
    (tmp_path / "b").mkdir()
    script = tmp_path / "b" / "lire.py"
    script.write_text(
        "from pathlib import Path\nfrom rag.domain import Reading\nfrom rag.readers import read_files\n"
        "print(len(Reading.of(read_files([Path('a.txt')])).articles))\n"
    )
    assert _python(tmp_path, str(script)).stdout == "1\n"


@posix
def test_a_copy_of_a_process_has_workers_of_its_own(tmp_path: Path) -> None:
    script = (
        "import os, warnings\nwarnings.simplefilter('ignore')\nfrom tests import test_isolation as t\n"
        "t.run(t.say, 'a')\n"
        "if copy := os.fork():\n    os.waitpid(copy, 0)\n"
        "print(t.run(t.say, 'b').failures[0].name, flush=True)\n"
    )
    assert _python(tmp_path, "-c", script).stdout == "b\nb\n"


@posix
def test_a_parent_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    script = (
        "import os, threading, time\nfrom rag.readers.isolation import Task, workers\n"
        "from tests import test_isolation as t\n"
        "threading.Thread(target=t.run, args=(t.hang,), kwargs={'seconds': 1}, daemon=True).start()\n"
        "t.run(t.say, 'a')\nos.kill(os.getpid(), 9)\n"
    )
    assert _python(tmp_path, "-c", script).returncode == -signal.SIGKILL
    end = time.monotonic() + 60
    while left := [p for p in psutil.process_iter(["environ"]) if _is_of(p, tmp_path)]:
        assert time.monotonic() < end, left
        time.sleep(0.2)


def _python(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "RECOUPE_ESSAI": str(folder)}
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _is_of(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.environ().get("RECOUPE_ESSAI") == str(folder)
    except psutil.Error:
        return False


def test_bounds_are_told_in_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    many = "".join(f"a{i}=1 " for i in range(400_000))
    path.write_text(f"<html><body><p {many}>{SENTENCE}</p></body></html>", "utf-8")
    (tmp_path / "b.txt").write_text(SENTENCE, "utf-8")
    reading = Reading.of(read_files([path, tmp_path / "b.txt"], bounds=Bounds(seconds=1)))
    assert reading.failures[0].reason == messages.LATE_FILE.format(1)
    assert len(reading.articles) == 1


@posix
def test_a_process_that_ends_while_workers_start_prints_nothing(tmp_path: Path) -> None:
    """They find that their parent is gone."""
    (tmp_path / "a.txt").write_text(
        "Titre : A\n\nLe pont de Lérac est fermé depuis lundi.", "utf-8"
    )
    code = (
        "import os, signal, sys\n"
        "from rag.domain import Reading\n"
        "from rag.readers import read_files\n"
        "from pathlib import Path\n"
        "assert Reading.of(read_files([Path(sys.argv[1])])).articles\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.txt")],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == -9
    assert done.stderr == ""
