"""What of the framework inside the web application anybody reaches: what the page uses, no more.

Each fault tried here was one: any file of the machine read, any address fetched, sessions given
away. `bench/attack.py` tries many more.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from fastapi import FastAPI

from rag.assistant import LocalAssistant
from rag.web.access import new_token
from rag.web.framework import BadEventError, Events
from rag.web.gradio_quickly import _no_interfaces, gr
from rag.web.server import build_app
from tests.conftest import over_copy
from tests.test_api import PROBLEM, page_config, serving, with_settings

SECRET = "le-code-du-coffre-est-4517"
# What a browser that walks through every feature asks for; and, of ours, what is mounted one by
# one. A new version of Gradio, or of Recoupe, that mounts more under these fails here.
OPEN = {
    ("GET", "/"), ("HEAD", "/"), ("GET", "/assets/a"), ("GET", "/static/a"),
    ("GET", "/theme.css"), ("GET", "/favicon.ico"), ("GET", "/manifest.json"),
    ("POST", "/gradio_api/queue/join"), ("GET", "/gradio_api/queue/data"),
    ("GET", "/gradio_api/app_id"),
    ("POST", "/gradio_api/upload"), ("GET", "/gradio_api/upload_progress"),
    ("GET", "/mcp"), ("GET", "/metrics"), ("GET", "/widget.js"), ("GET", "/widget.a.js"),
    ("GET", "/widget/a"), ("GET", "/embed"), ("GET", "/demo"), ("GET", "/a-propos"),
    ("GET", "/redaction"), ("GET", "/redaction/page.css"), ("GET", "/redaction/echanges.csv"),
    ("GET", "/redaction/reference.jsonl"), ("POST", "/redaction/connexion"),
    ("POST", "/redaction/deconnexion"), ("POST", "/redaction/reference"),
    ("POST", "/redaction/reference/retrait"),
}  # fmt: skip


@pytest.fixture(scope="module")
def public(
    tmp_path_factory: pytest.TempPathFactory, corpus_index: Path
) -> Iterator[LocalAssistant]:
    """An app as a newsroom serves it, with a token."""
    rates = dict.fromkeys(("rate_client", "rate_global", "rate_events"), "100000/minute")
    folder = tmp_path_factory.mktemp("public") / "index"
    made = over_copy(corpus_index, folder, admin_token_hash=new_token()[1], **rates)
    yield made
    made.close()


@pytest.fixture(scope="module")
def web(public: LocalAssistant) -> Iterator[httpx.Client]:
    with serving(public) as url, httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        yield client


def mounted(routes: list[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (method, path) of all routes, those of routers and of mounted applications too."""
    for route in routes:
        path = prefix + str(getattr(route, "path", ""))
        if router := getattr(route, "original_router", None):
            yield from mounted(router.routes, prefix + route.include_context.prefix)
        elif methods := getattr(route, "methods", None):
            yield from ((method, path) for method in methods)
        elif inner := getattr(route, "routes", None):
            yield from mounted(inner, path.rstrip("/"))
        else:
            yield "GET", path


def filled(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "a", path)


def test_of_all_that_is_mounted_these_alone_are_open(public: LocalAssistant) -> None:
    app: FastAPI = build_app(public)
    every = {(method, filled(path)) for method, path in mounted(app.routes)}
    # The enumeration sees the framework's routes, those that were the faults among them.
    assert {
        ("POST", "/gradio_api/run/a"), ("GET", "/gradio_api/file=a"), ("GET", "/gradio_api/proxy=a"),
        ("GET", "/gradio_api/deep_link"), ("POST", "/gradio_api/process_recording"),
        ("GET", "/logout"), ("GET", "/config"), ("POST", "/gradio_api/queue/join"),
    } <= every  # fmt: skip
    assert len(every) > 80
    ours = {(m, p) for m, p in every if p.startswith(("/api/v1", "/v1"))}
    with serving(public) as url, httpx.Client(base_url=url, timeout=30) as client:
        answers = {(m, p): client.build_request(m, p) for m, p in every - ours}
        closed = set()
        for (method, path), request in answers.items():
            got = client.send(request, stream=True)  # some stay open
            got.close()
            if got.status_code == 404 and got.headers.get("content-type") == PROBLEM:
                closed.add((method, path))
    assert every - ours - closed == OPEN


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/file=/etc/hostname"), ("GET", "/gradio_api/file/etc/hostname"),
        ("GET", "/gradio_api/file=http://127.0.0.1:1/"), ("GET", "/gradio_api/proxy=http://a.example/"),
        ("GET", "/gradio_api/deep_link?session_hash=a"), ("POST", "/gradio_api/run/predict"),
        ("POST", "/gradio_api/api/predict"), ("POST", "/gradio_api/call/predict"),
        ("POST", "/gradio_api/call/v2/predict"), ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/component_server"), ("POST", "/gradio_api/reset"),
        ("POST", "/gradio_api/cancel"), ("GET", "/gradio_api/info"), ("GET", "/config"),
        ("GET", "/gradio_api/token"), ("GET", "/monitoring"), ("GET", "/logout"), ("GET", "/openapi.json"),
        ("POST", "/gradio_api/queue/join/"), ("POST", "//gradio_api/queue/join"),
        ("POST", "/gradio_api/%71ueue/join/"), ("GET", "/assets/..%2findex.html"),
        ("GET", "/static/../index.html"), ("GET", "/assets/a/../../b"), ("GET", "/svelte/a.js"),
        ("GET", "/static/" + "a" * 3000), ("GET", "/assets/" + "a" * 300), ("GET", "/static" + "/a" * 9),
        ("POST", "/login"), ("POST", "/owner/edit"), ("GET", "/robots.txt"), ("DELETE", "/"),
    ],
)  # fmt: skip
def test_what_the_page_does_not_use_is_not_there(web: httpx.Client, method: str, path: str) -> None:
    got = web.request(method, path)
    assert got.status_code == 404
    assert got.headers["content-type"] == PROBLEM
    assert got.json()["detail"].endswith(".")


def functions(client: httpx.Client) -> dict[int, int]:
    """Return how many values each function of the page takes, by its number."""
    return {d["id"]: len(d["inputs"]) for d in page_config(client)["dependencies"]}


@pytest.mark.parametrize("function", [-1, 999, 10**30])
def test_a_function_that_there_is_not_is_refused(web: httpx.Client, function: int) -> None:
    assert join(web, function, []).status_code == 422


@pytest.mark.parametrize("count", [0, 1, 50])
def test_a_function_gets_as_many_values_as_it_takes(web: httpx.Client, count: int) -> None:
    taking = set(functions(web).values())
    for function, wanted in functions(web).items():
        if wanted != count:
            assert join(web, function, [""] * count).status_code == 422
    assert len(taking) > 2


def join(client: httpx.Client, function: int, data: list[Any], **more: Any) -> httpx.Response:
    body = {"fn_index": function, "session_hash": "z", "data": data, "event_data": None} | more
    return client.post("/gradio_api/queue/join", json=body)


def file_data(path: Any, **more: Any) -> dict[str, Any]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}} | more


@pytest.mark.parametrize("position", range(5))
@pytest.mark.parametrize("nest", [lambda f: f, lambda f: [f], lambda f: {"a": f}, lambda f: [[f]]])
def test_no_value_of_an_event_names_a_file(
    web: httpx.Client, public: LocalAssistant, tmp_path: Path, position: int, nest: Any
) -> None:
    secret = tmp_path / "coffre.txt"
    secret.write_text(SECRET, "utf-8")
    for made in (
        file_data(str(secret)),
        {"path": str(secret)},
        file_data("", url="http://a.example/"),
    ):
        for function, count in functions(web).items():
            data: list[Any] = [None] * max(count, 1)
            data[min(position, count - 1)] = nest(made)
            got = join(web, function, data)
            assert got.status_code == 422
            assert SECRET not in got.text
    kept = [p for p in (public.settings.index_dir / "uploads").rglob("*") if p.is_file()]
    assert kept == []


@pytest.mark.parametrize(
    "told",
    [
        {"path": "/etc/hostname"}, {"a": {"meta": {"_type": "gradio.FileData"}}},
        [[{"a": {"_type": "gradio.FileData"}}]], {"a": [{"path": ["x"]}]},
    ],
)  # fmt: skip
def test_what_an_event_tells_of_itself_names_no_file(web: httpx.Client, told: Any) -> None:
    assert (
        join(web, 0, ["Quoi ?", None, "", [], [], [], "", "", ""], event_data=told).status_code
        == 422
    )


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b'"a"', b"{", b"[" * 100_000, b"\xff", b"{}", b'{"data": []}',
        b'{"session_hash": "z", "fn_index": 0}', b'{"session_hash": "z", "fn_index": true, "data": []}',
        b'{"session_hash": "../z", "fn_index": 0, "data": []}',
        b'{"session_hash": "z", "fn_index": 0, "data": {"a": 1}}',
        b'{"session_hash": "z", "fn_index": "0", "data": []}',
    ],
)  # fmt: skip
def test_a_body_that_is_no_event_is_refused(web: httpx.Client, body: bytes) -> None:
    got = web.post("/gradio_api/queue/join", content=body)
    assert (got.status_code, got.headers["content-type"]) == (422, PROBLEM)


def test_an_upload_is_of_the_folder_of_uploads_and_of_its_function(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "article.txt").write_text("x")
    (tmp_path / "autre.txt").write_text("x")
    (folder / "lien.txt").symlink_to(tmp_path / "autre.txt")
    events = Events(folder, {6: 2, 7: 2}, 7)

    def read(path: Any, function: int = 7) -> None:
        told = {"session_hash": "z", "fn_index": function, "data": [[file_data(path)], "jeton"]}
        events.read(json.dumps(told).encode())

    read(str(folder / "a" / "article.txt"))
    for path in (
        tmp_path / "autre.txt", folder / "lien.txt", folder / "a", folder / ".." / "autre.txt",
        "/etc/hostname", "http://a.example/x", "file:///etc/hostname", "", "\0", None, 3, ["x"],
    ):  # fmt: skip
        with pytest.raises(BadEventError):
            read(str(path) if isinstance(path, Path) else path)
    with pytest.raises(BadEventError):
        read(str(folder / "a" / "article.txt"), function=6)
    with pytest.raises(BadEventError):
        Events(folder, {0: 1}, None).read(
            json.dumps(
                {
                    "session_hash": "z",
                    "fn_index": 0,
                    "data": [[file_data(str(folder / "a/article.txt"))]],
                }
            ).encode()
        )


def test_gradio_s_own_check_of_paths_is_on(public: LocalAssistant, tmp_path: Path) -> None:
    """Were the guard to let a path through, the framework refuses it: see `_check_allowed`."""
    from gradio.context import LocalContext
    from gradio.exceptions import InvalidPathError
    from gradio.processing_utils import _check_allowed

    from rag.web.access import Access
    from rag.web.chat import Chat
    from rag.web.limits import Gate, Rates

    settings = public.settings
    rules = (Access.of(settings), Rates(settings), Gate(1, 1))
    page = Chat(public, *rules, settings.index_dir / "uploads").build()
    before = LocalContext.blocks.set(page)
    try:
        with pytest.raises(InvalidPathError):
            _check_allowed("/etc/hostname", check_in_upload_folder=True)
    finally:
        LocalContext.blocks.reset(before)


def test_the_version_of_gradio_is_one_that_was_looked_through() -> None:
    """Its routes, its bodies and its checks were read for 6.31: see docs/deployment.md."""
    import gradio

    assert gradio.__version__.split(".")[:2] == ["6", "31"]


def test_uploads_of_a_process_that_was_killed_go_at_the_next_start(public: LocalAssistant) -> None:
    left = public.settings.index_dir / "uploads" / "abc" / "laisse.txt"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_text("laissé")
    build_app(public)
    assert not left.exists()


HEADERS = [
    "X-Forwarded-Host",
    "X-Gradio-Server",
    "X-Forwarded-Prefix",
    "X-Original-URL",
    "Forwarded",
]


@pytest.mark.parametrize("name", HEADERS)
def test_what_a_visitor_says_of_proxies_is_not_read(web: httpx.Client, name: str) -> None:
    value = "http://evil.example" if name == "X-Gradio-Server" else "evil.example"
    got = web.get("/", headers={name: value, "X-Forwarded-Proto": "https"})
    assert got.status_code == 200
    assert "evil.example" not in got.text
    assert f'"root": "{web.base_url}"'.rstrip("/") in got.text.replace('"root":"', '"root": "')


def test_a_proxy_that_is_trusted_says_who_asks_and_how(public: LocalAssistant) -> None:
    told = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    small = {"rate_client": "1/minute", "admin_token_hash": public.settings.admin_token_hash}
    asked = {"question": "Qui ?"}
    for trusted, statuses in (((), [200, 429]), (("127.0.0.1",), [200, 200])):
        served = with_settings(public, trusted_proxies=trusted, **small)
        with serving(served) as url:
            page = httpx.get(url, headers=told).text
            assert (f'"https://{url[7:]}"' in page) == bool(trusted)
            seen = [
                httpx.post(f"{url}/api/v1/search", json=asked, headers=h, timeout=60).status_code
                for h in (told, told | {"X-Forwarded-For": "203.0.113.10"})
            ]
        assert seen == statuses


def test_pages_and_scripts_travel_light_and_answers_plain(web: httpx.Client) -> None:
    """What the API answers is not compressed: its size would tell what stands beside."""
    page = web.get("/")
    script = re.search(r"\./(assets/index-[\w-]+\.js)", page.text)
    assert script
    for path in ("/", "/widget.js", "/a-propos", f"/{script[1]}"):
        got = web.get(path)
        assert got.headers["content-encoding"] in {"gzip", "br"}, path
        assert "accept-encoding" in got.headers["vary"].lower()
        assert len(got.content) > 1.5 * got.num_bytes_downloaded
        plain = web.get(path, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == got.content
    assert "immutable" in web.get(f"/{script[1]}").headers["cache-control"]
    assert "immutable" not in web.get("/assets/index-AAAAAAAA.js").headers.get("cache-control", "")
    assert "immutable" not in page.headers.get("cache-control", "")
    answer = web.post("/api/v1/ask", json={"question": "Quand la halle aux grains rouvre-t-elle ?"})
    assert len(answer.content) > 1000
    assert "content-encoding" not in answer.headers


def test_components_are_made_without_files_for_editors() -> None:
    """Gradio parses each component's source, and writes beside it: a third of its import."""
    getfile = inspect.getfile
    with _no_interfaces():

        class Own(gr.Textbox):
            EVENTS: ClassVar[list[str]] = ["own"]

    assert hasattr(Own, "own")
    assert not Path(__file__).with_suffix(".pyi").exists()
    assert inspect.getfile is getfile
