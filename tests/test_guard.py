"""What the guard lets through: hosts, origins, and requests that no browser would send."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rag.assistant import LocalAssistant
from rag.errors import SettingsError
from rag.settings import load_settings
from rag.web.access import Access
from rag.web.server import build_app
from tests.test_api import PROBLEM, serving, with_settings

Pairs = Sequence[tuple[bytes, bytes]]


@dataclass
class Told:
    """What an ASGI application sent."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Caller:
    """Calls the real application as a server would, with any bytes: what it raises is seen."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def __call__(
        self,
        path: bytes,
        headers: Pairs,
        method: str = "GET",
        query: bytes = b"",
        body: bytes = b"",
    ) -> Told:
        told = Told()
        received = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> dict[str, Any]:
            return next(received, {"type": "http.disconnect"})

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                told.status = message["status"]
                told.headers = {k.decode(): v.decode("latin-1") for k, v in message["headers"]}
            elif message["type"] == "http.response.body":
                told.body += message.get("body", b"")

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": "http", "path": unquote(path.decode("latin-1")), "raw_path": path,
            "query_string": query, "root_path": "", "headers": list(headers), "state": {},
            "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 7860),
        }  # fmt: skip
        self._loop.run_until_complete(asyncio.wait_for(self._app(scope, receive, send), 30))
        return told


@pytest.fixture(scope="module")
def served(assistant: LocalAssistant) -> LocalAssistant:
    rates = {"rate_client": "1000000/minute", "rate_global": "1000000/minute"}
    return with_settings(assistant, **rates)


@pytest.fixture(scope="module")
def call(served: LocalAssistant) -> Iterator[Caller]:
    caller = Caller(build_app(served))
    yield caller
    caller.close()


HEALTH = b"/api/v1/health"
HERE = (b"host", b"127.0.0.1:7860")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"host", b"[")], 400),
        ([(b"host", b"[::1")], 400),
        ([(b"host", b"[zz]")], 400),
        ([(b"host", b"127.0.0.1:99999")], 400),
        ([(b"host", b"127.0.0.1:\xb2")], 400),
        ([(b"host", b"evil.example@127.0.0.1")], 400),
        ([(b"host", b"127.0.0.1/x")], 400),
        ([(b"host", b"\xff")], 400),
        ([HERE, (b"host", b"evil.example")], 400),
        ([(b"host", b"evil.example")], 421),
        ([], 421),
        ([(b"host", b"")], 421),
        ([HERE, (b"origin", b"http://[")], 403),
        ([HERE, (b"origin", b"http://[::1]:x")], 403),
        ([HERE, (b"origin", b"http://127.0.0.1:7860\xff")], 403),
        ([HERE, (b"origin", b"http://127.0.0.1:7860"), (b"origin", b"http://evil.example")], 403),
        ([HERE, (b"content-length", b"-1")], 400),
        ([HERE, (b"content-length", b"1, 2")], 400),
        ([HERE, (b"content-length", b"\xb2")], 400),
        ([HERE, (b"content-length", b"9" * 5000)], 413),
        ([HERE, (b"x-forwarded-host", b"[")], 400),
        ([HERE, (b"x-forwarded-host", b"a.example, [")], 400),
        ([HERE, (b"x-forwarded-proto", b"[")], 400),
        ([HERE, (b"x-forwarded-host", b"a.example, b.example:8000")], 200),
        ([HERE, (b"x-forwarded-proto", b"https, http")], 200),
        ([HERE, (b"origin", b"http://127.0.0.1:7860")], 200),
        ([(b"host", b"[::1]:7860"), (b"origin", b"http://[::1]:7860")], 200),
        ([(b"host", b"LocalHost")], 200),
    ],
)
def test_malformed_headers_are_refused_with_a_problem(
    call: Caller, headers: Pairs, status: int
) -> None:
    told = call(HEALTH, headers)
    assert told.status == status
    if status != 200:
        assert told.headers["content-type"] == PROBLEM
        assert json.loads(told.body)["detail"].endswith(".")
        assert "access-control-allow-origin" not in told.headers


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (b"/api/v1/articles/%ff", b""),
        (b"/api/v1/articles/%zz", b""),
        (b"/api/v1/articles/%", b""),
        (b"/gradio_api/file=%00", b""),
        (b"/api/v1/articles/\xff", b""),
        (HEALTH, b"x=%zz"),
        (HEALTH, b"x=%ff"),
        (HEALTH, b"x=%00"),
        (HEALTH, b"x=\xff"),
        (b"/", b"\x01"),
        (b"/", b"a b"),
        (b"/", b"x=" + b"y" * 70_000),
    ],
)
def test_addresses_that_are_not_well_encoded_are_refused(
    call: Caller, path: bytes, query: bytes
) -> None:
    told = call(path, [HERE], query=query)
    assert (told.status, told.headers["content-type"]) == (400, PROBLEM)


NAMES = st.sampled_from(
    [
        b"host", b"origin", b"content-length", b"content-type", b"accept", b"authorization",
        b"cookie", b"range", b"if-none-match", b"access-control-request-method", b"referer",
        b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-gradio-user",
        b"accept-language", b"transfer-encoding", b"x-recoupe-owner-token",
    ]
)  # fmt: skip
ODD = st.sampled_from(
    [b"[", b"]", b"http://[", b"http://[::1", b"://", b"%", b"\xff", b"\x00", b"9" * 5000, b"-1",
     b"127.0.0.1", b"http://127.0.0.1:7860", b"null", b"bytes=9-1", b"Bearer \xe9", b"a=b; c",
     b"multipart/form-data", b"application/json", b"text/event-stream", b",", b"*"]
)  # fmt: skip
VALUES = st.binary(max_size=40) | ODD | st.tuples(ODD, ODD).map(b"".join)
PATHS = st.sampled_from(
    [b"/", b"/config", b"/theme.css", b"/widget.js", b"/embed", b"/metrics", b"/api/v1/health",
     b"/api/v1/ask", b"/api/v1/verify", b"/api/v1/articles", b"/api/v1/articles/", b"/owner/ask",
     b"/api/v1/openapi.json", b"/gradio_api/info", b"/gradio_api/file=", b"/gradio_api/upload",
     b"/gradio_api/queue/join", b"/gradio_api/call/", b"/static/", b"/assets/", b"/svelte/",
     b"/manifest.json", b"/login", b"/user", b"/token", b"/favicon.ico"]
)  # fmt: skip
TAILS = st.just(b"") | st.binary(max_size=20) | st.sampled_from([b"%00", b"%ff", b"..%2f..", b"//"])
METHODS = st.sampled_from(["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE", "\xff"])


@hypothesis_settings(max_examples=300, deadline=None)
@example([(b"host", b"[")], b"/", b"", b"", "GET", b"")
@example([(b"origin", b"http://[")], b"/", b"", b"", "GET", b"")
@example([(b"x-forwarded-host", b"a.example, b.example:8000")], b"/", b"", b"", "GET", b"")
@example([(b"x-forwarded-proto", b"https, http")], b"/", b"", b"", "GET", b"")
@given(
    st.lists(st.tuples(NAMES, VALUES), max_size=5), PATHS, TAILS, TAILS, METHODS,
    st.binary(max_size=20),
)  # fmt: skip
def test_no_bytes_make_it_fail(
    call: Caller, headers: Pairs, path: bytes, tail: bytes, query: bytes, method: str, body: bytes
) -> None:
    """Any header, address and method, with the right host and without: an answer, never 5xx."""
    named = [HERE, *(h for h in headers if h[0] != b"host")]
    for sent in (headers, named):
        told = call(path + tail, sent, method, query, body)
        assert 200 <= told.status < 500, (told, sent)


def test_a_body_of_the_chat_that_is_not_text_is_refused(call: Caller) -> None:
    told = call(b"/gradio_api/queue/join", [HERE], "POST", body=b"\x80")
    assert (told.status, told.headers["content-type"]) == (422, PROBLEM)


def test_the_real_server_answers_malformed_requests(served: LocalAssistant) -> None:
    with serving(served) as url:
        address = urlsplit(url)
        for lines in (b"Host: [", b"Host: 127.0.0.1\r\nOrigin: http://["):
            with socket.create_connection((address.hostname, address.port), timeout=20) as client:
                client.sendall(
                    b"GET /api/v1/health HTTP/1.1\r\nConnection: close\r\n" + lines + b"\r\n\r\n"
                )
                answer = b"".join(iter(lambda: client.recv(4096), b""))
            assert answer.split(b" ", 2)[1] in {b"400", b"403"}
            assert b"problem+json" in answer


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::"])
def test_with_a_public_address_its_host_alone_is_served(served: LocalAssistant, host: str) -> None:
    behind = with_settings(served, host=host, public_url="https://Recoupe.example/")
    with serving(behind) as url:
        for name, status in (
            ("recoupe.example", 200), ("recoupe.example:443", 200), ("localhost", 200),
            ("rebound.example", 421), ("recoupe.example.evil.example", 421), ("10.0.0.7", 421),
        ):  # fmt: skip
            got = httpx.get(f"{url}/api/v1/health", headers={"Host": name})
            assert got.status_code == status, name


def test_beyond_loopback_without_a_public_address_any_name_is_served() -> None:
    assert Access.of(load_settings(host="0.0.0.0")).host_allowed("machine.example:7860")


@pytest.mark.parametrize(
    "address", ["http://[", "recoupe.example", "ftp://recoupe.example", "https://", "https://a b"]
)
def test_a_public_address_that_is_none_is_refused_at_start(address: str) -> None:
    with pytest.raises(SettingsError, match=r"public_url|RECOUPE_PUBLIC_URL"):
        Access.of(load_settings(public_url=address))
