"""Routes that the page does not need, the owner's, what headers do, and who is logged in."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx

from bench.attack.stage import TOKEN, App, Attempt, Stage, ask, page_config, together

_CLOSED = {401, 403, 404, 405, 422}
_GET = (
    "user", "login_check", "token", "app_id", "dev/reload", "runs", "run-history/buckets",
    "run-history/records", "run-history/records/predict/1/assets/1", "deep_link?session_hash=a",
    "openapi.json", "custom_component/a/client/component/index.js", "proxy=http://127.0.0.1:9/a",
    "file=/etc/hostname", "file/etc/hostname", "stream/a/b/1/playlist.m3u8",
    "stream/a/b/1/s.ts", "stream/a/b/1/playlist-file", "call/ask/1", "call/v2/ask/1",
    "upload_progress?upload_id=a", "theme.css", "monitoring", "monitoring/summary",
    "monitoring/a", "vibe-code", "profiling/traces", "profiling/summary", "config/",
    "docs", "redoc", "pwa_icon", "pwa_icon/64", "robots.txt", "logout", "component_server",
    "mcp", "mcp/sse", "mcp/schema", "mcp/messages/", "theme-builder", "hot-reload",
)  # fmt: skip
_POST = (
    "run/predict", "run/ask", "api/predict", "api/ask", "call/ask", "call/check", "call/v2/ask",
    "reset", "cancel", "stream/a", "stream/a/close", "component_server", "component_server/",
    "run-history/connect", "process_recording", "vibe-edit", "undo-vibe-edit", "vibe-code",
    "vibe-starter-queries", "profiling/clear", "queue/push", "predict", "batch", "state", "reload",
    "login", "deep_link", "token",
)  # fmt: skip
# What the page, or the app beside Gradio, serves by right under the same name.
_ALLOWED = {
    "/mcp",
    "/mcp/",
    "/theme.css",
    "/theme.css/",
    "/robots.txt",
    "/robots.txt/",
    "/config",
    "/gradio_api/app_id",
}
_BODY = {"fn_index": 0, "session_hash": "aaaaaaaaaa", "data": [], "event_id": "a",
         "component_id": 1, "fn_name": "a", "prompt": "a", "code": "a", "hash": "a"}  # fmt: skip
# X-Forwarded-Proto is a proxy's to say, and this app trusts the one that it is spoken to by.
_NAMES = ("X-Forwarded-Host", "X-Gradio-Server", "Forwarded", "X-Forwarded-Prefix",
          "X-Forwarded-Server", "X-Original-Url", "X-Direct-Url")  # fmt: skip
_SITE = "other-site.example"


def routes(stage: Stage) -> Iterator[Attempt]:
    """Ask for each route of Gradio that the page can do without."""
    app = stage.main
    for method, names in (("GET", _GET), ("POST", _POST)):
        body: dict[str, Any] = {"json": _BODY} if method == "POST" else {}
        for name in names:
            parts = []
            path, mark, query = name.rstrip("/").partition("?")
            for spelled in (f"/gradio_api/{path}", f"/gradio_api/{path}/", f"/{path}", f"/{path}/"):
                if spelled in _ALLOWED:
                    continue
                got = app.request(method, spelled + mark + query, seconds=1.0, **body)
                parts.append(Attempt("", spelled, got.status in _CLOSED, got.brief))
            yield together("routes", f"{method} {name}", parts)
    for path in ("/gradio_api/queue/join", "/config", "/", "/gradio_api/queue/data"):
        methods = ("PUT", "DELETE", "PATCH", "TRACE")
        answers = {method: app.request(method, path, seconds=3.0) for method in methods}
        parts = [Attempt("", m, a.status in _CLOSED, a.brief) for m, a in answers.items()]
        yield together("routes", f"other methods of {path}", parts)
    for path in ("/gradio_api/QUEUE/join", "/gradio_api/./run/predict", "/GRADIO_API/run/predict",
                 "//gradio_api/run/predict", "/gradio_api//run/predict", "/gradio_api/%72un/predict",
                 "/gradio_api/run%2fpredict", "/gradio_api/x/../run/predict"):  # fmt: skip
        body_text = json.dumps(
            _BODY | {"data": ["halle"], "fn_index": app.function("list").id}
        ).encode()
        extra = b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body_text)
        got = app.raw(path.encode(), "POST", extra + b"\r\n" + body_text)
        yield Attempt("routes", f"POST {path}", got.status in _CLOSED | {400}, str(got.status))


def headers(stage: Stage) -> Iterator[Attempt]:
    """Say another host, scheme and prefix than those that are served."""
    app = stage.main
    hostile = {
        "Forwarded": f"for=192.0.2.7;host={_SITE};proto=https",
        "X-Gradio-Server": f"http://{_SITE}",
        "X-Forwarded-Prefix": f"/{_SITE}",
        "X-Original-Url": f"/{_SITE}",
        "X-Direct-Url": f"https://{_SITE}/a",
    }
    for name in _NAMES:
        for path in ("/", "/config", "/theme.css", "/manifest.json", "/embed", "/logout"):
            got = app.request("GET", path, headers={name: hostile.get(name, _SITE)})
            shown = _SITE in got.text or _SITE in got.location
            detail = f"{got.status}, « {_SITE} » is in the reply" if shown else str(got.status)
            yield Attempt(
                "headers", f"{name} on {path}", not shown and 0 < got.status < 500, detail
            )


def owner(stage: Stage) -> Iterator[Attempt]:
    """Ask over TCP for what the processes of one user ask of each other."""
    app = stage.main
    found = _tokens(app)
    note = app.index / "owner.json"
    said = json.loads(note.read_text(encoding="utf-8")) if note.exists() else {}
    real = str(said.get("token") or "")
    header, prefix, names = _operations()
    for name in names:
        parts = []
        for kind, token in (("no token", ""), ("a wrong token", "x" * 43), ("the note's", real)):
            if kind == "the note's" and not real:
                continue
            # A body that is not JSON: with the right token nothing may be done for good.
            body = b"{}\n" if name in {"facets", "check"} else b"not json\n"
            given = {header: token} if token else {}
            got = app.request("POST", f"{prefix}/{name}", headers=given, content=body, seconds=5.0)
            parts.append(Attempt("", kind, got.status in {404, 405}, got.brief))
        yield together("owner", f"POST {prefix}/{name}", parts)
    address = str(said.get("address") or said.get("url") or "")
    yield Attempt("owner", "owner.json tells a token", not real, "")
    yield Attempt("owner", "the owner is on a socket", address.startswith("unix:"), address)
    for where, token in found:
        for path, method in (("/api/v1/feedback", "GET"), ("/metrics", "GET")):
            got = app.request(method, path, token=token)
            yield Attempt(
                "owner", f"{method} {path} with the token in {where}", got.refused, got.brief
            )
        got = app.request("POST", f"{prefix}/facets", headers={header: token}, content=b"{}\n")
        held = got.status in {404, 405}
        yield Attempt("owner", f"POST {prefix}/facets with the token in {where}", held, got.brief)


def sessions(stage: Stage) -> Iterator[Attempt]:
    """End the session of somebody else."""
    password = secrets.token_urlsafe(16)
    digest = hashlib.sha256(password.encode()).hexdigest()
    app = stage.app("login", RECOUPE_CHAT_LOGIN=f"redaction:{digest}")
    with closing(_client(app)) as nobody:
        yield Attempt("sessions", "the page without a login", not _opens(nobody), "")
    wrong = app.request("POST", "/login", data={"username": "redaction", "password": "x"})
    yield Attempt("sessions", "POST /login with a wrong password", wrong.refused, wrong.brief)
    other = {"Origin": f"https://{_SITE}", "Referer": f"https://{_SITE}/a",
             "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}  # fmt: skip
    tries: dict[str, tuple[str, dict[str, str]]] = {
        "from another site": ("/logout", other),
        "from another site, no Origin": (
            "/logout",
            {k: v for k, v in other.items() if k != "Origin"},
        ),
        "as a link is followed": ("/logout", {}),
        "of all sessions": ("/logout?all_session=true", {}),
        "with a slash": ("/logout/?all_session=true", {}),
        "under gradio_api": ("/gradio_api/logout?all_session=true", {}),
    }
    for name, (path, given) in tries.items():
        with (
            closing(_logged_in(app, password)) as mine,
            closing(_logged_in(app, password)) as theirs,
        ):
            before = _opens(theirs)
            ask(mine, "GET", path, headers=given)
            after = _opens(theirs)
            yield Attempt("sessions", f"GET {path} {name}", before and after,
                          f"another session is open: {before} before, {after} after")  # fmt: skip
    with closing(_logged_in(app, password)) as theirs, closing(_client(app)) as mine:
        ask(mine, "GET", "/logout?all_session=true")
        yield Attempt("sessions", "GET /logout without a session", _opens(theirs), "")
        cookies = "; ".join(f"{c.name}={c.value}" for c in theirs.cookies.jar)
    with closing(_logged_in(app, password)) as theirs:
        again = "; ".join(f"{c.name}={c.value}" for c in theirs.cookies.jar)
        yield Attempt("sessions", "a session's cookie is drawn anew", again != cookies, "")
    stage.stop("login")


def _opens(client: httpx.Client) -> bool:
    """Tell whether a browser with these cookies gets the chat."""
    return bool(page_config(ask(client, "GET", "/").text).get("dependencies"))


def _client(app: App) -> httpx.Client:
    return httpx.Client(base_url=app.base, trust_env=False, timeout=10.0)


def _logged_in(app: App, password: str) -> httpx.Client:
    client = _client(app)
    made = client.post("/login", data={"username": "redaction", "password": password})
    # A cookie for TLS alone stays with us, who speak to loopback.
    for cookie in made.headers.get_list("set-cookie"):
        name, _, value = cookie.partition(";")[0].partition("=")
        client.cookies.set(name, value)
    return client


def _tokens(app: App) -> list[tuple[str, str]]:
    """Return what looks like a token in the small files of the index, with where it is."""
    found: list[tuple[str, str]] = []
    for path in app.index.rglob("*"):
        if path.is_file() and path.stat().st_size < 100_000 and "sqlite" not in path.name:
            text = path.read_bytes().decode("utf-8", "replace")
            seen = re.findall(r"[A-Za-z0-9_-]{40,64}", text)[:3]
            found += [(path.name, token) for token in seen if token != TOKEN]
    return found[:12]


def _operations() -> tuple[str, str, list[str]]:
    """Return the header of the token, where the owner's routes are or were, and their names."""
    try:
        from rag.operations import OPERATIONS
    except ImportError:
        return "X-Recoupe-Owner", "/owner", ["facets", "remove", "erase"]
    from rag import operations

    header = str(getattr(operations, "HEADER", "X-Recoupe-Owner"))
    return header, str(getattr(operations, "PATH", "/owner")), [o.name for o in OPERATIONS]
