"""What a stranger can make the log say, and how much of it."""

from __future__ import annotations

import io
import logging

import httpx
import pytest

from rag.assistant import LocalAssistant
from rag.logs import without_keys
from tests.test_api import serving, with_settings

log = logging.getLogger("rag.tests")


def test_a_message_is_one_line_of_text(written: io.StringIO) -> None:
    log.error("question : %s", "oui\n\x1b[31mERROR rag : forgé\r\u202e\u2028\x9b2J")
    line = written.getvalue()
    assert line.count("\n") == 1
    assert not set("\x1b\r\u202e\u2028\x9b") & set(line)
    assert "\\x1b[31m" in line


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("https://a.example/flux?cle=secret&x=1 : 304", "https://a.example/flux?… : 304"),
        ("https://moi:secret@a.example/flux?x", "https://a.example/flux?…"),
        ("http://a.example/p#secret", "http://a.example/p?…"),
        ("« https://a.example/p »", "« https://a.example/p »"),
    ],
)
def test_an_address_has_no_query(written: io.StringIO, told: str, shown: str) -> None:
    assert without_keys(told) == shown
    log.error("%s", told)
    try:
        raise ValueError(told)
    except ValueError:
        log.exception("lecture")
    assert "secret" not in written.getvalue()


def test_a_traceback_is_written_once(written: io.StringIO) -> None:
    def fails() -> None:
        raise ValueError("non")

    for _ in range(5):
        try:
            fails()
        except ValueError:
            log.exception("GET /x")
    text = written.getvalue()
    assert text.count("Traceback") == 1
    assert text.count("GET /x [ValueError]") == 5


def test_what_repeats_itself_is_counted(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("rag.logs.time.monotonic", lambda: now)

    def noise(times: int) -> None:
        for n in range(times):
            log.error("bruit %d", n)

    noise(1000)
    assert written.getvalue().count("\n") == 20
    log.error("autre")
    now = 61.0
    noise(1)
    last = written.getvalue().splitlines()[-1]
    assert "et 980 lignes semblables" in last
    assert "ERROR rag.tests : autre" in written.getvalue()


def test_bad_requests_write_little(assistant: LocalAssistant, written: io.StringIO) -> None:
    """One used to write 7 KB of traceback: anybody filled the disk."""
    paths = [
        "/gradio_api/queue/data?session_hash=inconnue", "/gradio_api/queue/data", "/%ff", "/a?b=%zz",
        "/gradio_api/file=%00", "/gradio_api/upload_progress?upload_id=x", "/assets/absent.js",
        "/static/absent.svg", "/api/v1/articles/absent", "/gradio_api/heartbeat/",
    ]  # fmt: skip
    with serving(assistant) as url, httpx.Client(base_url=url, timeout=20) as client:
        for _ in range(6):
            for path in paths:
                assert client.get(path).status_code < 500
    assert len(written.getvalue()) < 4_000
    assert written.getvalue().count("Traceback") <= 1


def test_a_question_that_is_logged_forges_no_line(
    assistant: LocalAssistant, written: io.StringIO
) -> None:
    with serving(with_settings(assistant, log_questions=True)) as url:
        asked = {"question": "Quoi ?\nERROR rag : forgé \x1b[2J"}
        httpx.post(f"{url}/api/v1/search", json=asked, timeout=60)
    lines = written.getvalue().splitlines()
    assert not any(line.startswith("ERROR rag : forgé") for line in lines)
    assert "\x1b" not in written.getvalue()
