"""Long texts, odd bodies, the log, and what they cost in time and memory."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx

from bench.attack.corpus import HALL
from bench.attack.stage import Answer, App, Attempt, Stage, new_session, together

TIMES: dict[str, str] = {}
"""What was measured, by a title."""

_SHAPES = ("l’", "«", "»", "« »", "(", ")", "“", "”", '"', "'", "…", "?!", "l'", "d’", "-", ".", ",",
           "a.", "«“", "\u00a0", "<a ", "</", "&#;", "{{", "l’ ", "?! ")  # fmt: skip
# Seconds that a text of so many KB may take: a longer one takes at least as much more.
_LIMITS = {1: 1.4, 5: 1.4, 25: 5.5, 50: 10.0}
_LOG_BYTES = 400  # that one bad request may write


def shapes(stage: Stage) -> Iterator[Attempt]:
    """Verify texts in which one sign comes again and again."""
    lines = ["shape  " + "".join(f"{size:>8} KB" for size in _LIMITS)]
    for shape in _SHAPES:
        times: list[str] = []
        for size, most in _LIMITS.items():
            app = stage.main if stage.fast else _warm(stage, "strain")
            signs = shape * ((size * 1000 - len(HALL) - 1) // len(shape))
            got = _verify(app, f"{HALL} {signs}", max(most, 5.0))
            times.append(f"{'>' if got.status == 0 else ' '}{got.seconds:>8.2f} s")
            held = got.seconds < most and got.status in {200, 413, 422, 429}
            if got.status == 0:  # it goes on in a thread
                stage.stop("strain")
            if not held or stage.fast or size == max(_LIMITS):
                break
        lines.append(f"{shape!r:<7}{''.join(times)}")
        detail = f"{got.status} in {got.seconds:.1f} s for {size} KB, {most:g} s allowed"
        yield Attempt("shapes", repr(shape), held, detail)
    for count in (250,) if stage.fast else (250, 500):
        lots = {
            "in a row": " ".join(["Est-ce vrai ?"] * count),
            "one a line": "\n".join(["Est-ce vrai ?"] * count),
            "each another": "\n".join(f"Est-ce vrai du numéro {n} ?" for n in range(count)),
        }
        for name, text in lots.items():
            got = _verify(stage.main if stage.fast else _warm(stage, "strain"), text, 20)
            held = got.seconds < 5 * max(1, count / 250) and got.status in {200, 413, 422, 429}
            detail = f"{got.status} in {got.seconds:.1f} s"
            yield Attempt("shapes", f"{count} sentences that claim nothing, {name}", held, detail)
    TIMES["Seconds to verify a text of one shape (> : given up)"] = "\n".join(lines)


def waiting(stage: Stage) -> Iterator[Attempt]:
    """Have others wait behind long texts, and leave before the end of one."""
    claims = [f"La commune numéro {n} a reçu {n}12 000 euros pour sa halle." for n in range(800)]
    texts = {
        "claims": "\n".join(claims),
        "l’": HALL + " " + "l’" * 24_000,
        '"': HALL + " " + '"' * 40_000,
    }
    for name, text in list(texts.items())[:2]:
        app = _warm(stage, "strain")
        alone = _ask(app)
        others = [threading.Thread(target=_verify, args=(app, text[:9000], 12.0)) for _ in range(2)]
        for other in others:
            other.start()
        time.sleep(0.3)
        beside = _ask(app)
        held = beside.status == 200 and beside.seconds < alone.seconds + 3
        detail = f"{beside.status} in {beside.seconds:.1f} s, alone {alone.seconds:.1f} s"
        yield Attempt("waiting", f"a question beside two texts of 9 KB, {name}", held, detail)
        if not held:
            stage.stop("strain")
        for other in others:
            other.join()
    for name, text in texts.items():
        app = _warm(stage, "strain")
        _verify(app, text[:40_000], 1.0)
        time.sleep(5)
        before = app.cpu()
        time.sleep(2)
        grown = app.cpu() - before
        detail = f"{grown:.1f} s of processor in 2 s, 5 s after"
        yield Attempt(
            "waiting", f"a reader who leaves 40 KB after 1 s, {name}", grown < 0.5, detail
        )
        if grown >= 0.5:
            stage.stop("strain")


def _warm(stage: Stage, name: str) -> App:
    """Return an app that has loaded what it works with."""
    known = name in stage.apps
    app = stage.app(name)
    if not known:
        _verify(app, HALL, 60)
        _ask(app)
    return app


def _verify(app: App, text: str, seconds: float) -> Answer:
    with httpx.Client(base_url=app.base, trust_env=False) as client:
        start = time.monotonic()
        try:
            got = client.post("/api/v1/verify", json={"text": text}, timeout=seconds)
            return Answer(got.status_code, got.text, time.monotonic() - start)
        except httpx.HTTPError as error:
            return Answer(0, repr(error), time.monotonic() - start)


def _ask(app: App) -> Answer:
    body = {"question": "Quand la halle rouvre-t-elle ?"}
    return app.request("POST", "/api/v1/ask", json=body, seconds=20)


def log(stage: Stage) -> Iterator[Attempt]:
    """Have much written to the log, or signs that a terminal obeys."""
    app = stage.main
    session = new_session()
    join: dict[str, Any] = {"data": [], "fn_index": 999, "session_hash": session}
    for target in (
        b"/%ff%fe", b"/%00", b"/gradio_api/file=%00", b"/gradio_api/file=%ff", b"/gradio_api/file=/%00a",
        b"/gradio_api/file=" + b"a" * 3000, b"/gradio_api/file=" + b"../" * 900, b"/\xff\xfe",
        b"/gradio_api/queue/data", b"/gradio_api/queue/data?session_hash=unknown",
        b"/gradio_api/queue/data?session_hash=", b"/gradio_api/queue/data?session_hash=%00",
        b"/gradio_api/queue/data?session_hash=" + b"a" * 3000, b"/gradio_api/heartbeat/unknown%0a",
        b"/?deep_link=%00", b"/config?deep_link=%ff", b"/config?a[]=%5b&b=%", b"/?" + b"a=1&" * 900,
        b"/gradio_api/upload_progress?upload_id=x", b"/gradio_api/upload_progress",
        b"/gradio_api/call/ask/unknown", b"/gradio_api/stream/a/b/c/playlist.m3u8", b"/assets/../../x",
        b"/assets/%2e%2e/x", b"/static/" + b"a" * 3000, b"/svelte/%00", b"/static/..%2f..%2fx",
        b"/gradio_api/custom_component/a/b/c/d", b"/api/v1/articles/%1b%5b31m", b"/manifest.json?x=%ff",
        b"/api/v1/articles?after=%ff", b"/api/v1/articles?after=" + b"A" * 900, b"/gradio_api/info?all=%ff",
        b"/gradio_api/deep_link", b"/gradio_api/monitoring/x", b"/pwa_icon/x", b"/%1b[31m", b"*", b"a",
        b"/api/v1/articles/a/history/../..", b"/widget.%00.js", b"/gradio_api/startup-events?x=%ff",
        b"/gradio_api/component_server", b"/gradio_api/vibe-code", b"/theme.css?a=%ff", b"/mcp",
    ):  # fmt: skip
        before = app.log_file.stat().st_size
        got = app.raw(target, seconds=0.5)
        yield _written(app, before, f"GET {target[:60].decode('latin-1')}", str(got.status))
    posts: dict[str, tuple[str, Any]] = {
        "an unknown function": ("/gradio_api/queue/join", join),
        "too few inputs": ("/gradio_api/queue/join", join | {"fn_index": app.function("ask").id}),
        "too many inputs": ("/gradio_api/queue/join", join | {"fn_index": 0, "data": [1] * 50}),
        "a negative function": ("/gradio_api/queue/join", join | {"fn_index": -1}),
        "wrong types": ("/gradio_api/queue/join", {"data": 3, "fn_index": "x"}),
        "an unknown name": ("/gradio_api/run/unknown", {"data": []}),
        "numbers for text": ("/gradio_api/run/predict", join | {"fn_index": app.function("list").id, "data": [3]}),
        "a dict for text": ("/gradio_api/run/predict", join | {"fn_index": app.function("list").id, "data": [{}]}),
        "an odd trail": ("/gradio_api/queue/join", join | {"fn_index": app.function("act").id, "data": [3]}),
        "cancel": ("/gradio_api/cancel", {"session_hash": "a", "fn_index": 0, "event_id": "a"}),
        "reset": ("/gradio_api/reset", {"event_id": "a"}),
        "no call": ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "x\u001b[31m"}),
        "a bad tool": ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": 1}}),
        "owner": ("/owner/facets", {}),
    }  # fmt: skip
    for name, (path, body) in posts.items():
        before = app.log_file.stat().st_size
        got = app.request(
            "POST", path, json=body, headers={"Accept": "application/json, text/event-stream"}
        )
        if path.endswith("join") and got.status == 200:
            app.events(session, seconds=1)
        yield _written(app, before, f"POST {path}, {name}", str(got.status))
    yield from _signs(app)


def _written(app: App, before: int, name: str, status: str) -> Attempt:
    time.sleep(0.04)
    size = app.log_file.stat().st_size - before
    return Attempt("log", name, size <= _LOG_BYTES, f"{status}, {size} bytes written")


def _signs(app: App) -> Iterator[Attempt]:
    """Put signs of terminals, and lines of our own, into the log of questions."""
    signs = {"escape": "\x1b[31m", "newline": "\nERROR forged", "return": "\rforged", "C1": "\x9b31m",
             "bell": "\x07", "line separator": "\u2028forged", "right to left": "\u202eforged",
             "OSC": "\x1b]0;x\x07", "backspace": "\x08\x08", "next line": "\x85forged"}  # fmt: skip
    asked = (
        ("/api/v1/ask", "question"),
        ("/api/v1/search", "question"),
        ("/api/v1/verify", "text"),
    )
    for name, sign in signs.items():
        parts = []
        for path, key in asked:
            before = len(app.log())
            got = app.request("POST", path, json={key: f"La halle {sign} a rouvert."})
            time.sleep(0.05)
            new = app.log()[before:]
            held = sign not in new and got.status < 500 and new.count("\n") <= 1
            parts.append(Attempt("", path, held, f"{got.status}, {new[-60:]!r}"))
        yield together("log", f"a question with {name}", parts)


def bodies(stage: Stage) -> Iterator[Attempt]:
    """Send a thousand odd requests and open five hundred sessions; see status and memory."""
    app = stage.main
    list_function = app.function("list")
    app.chat(list_function, ["halle"])
    memory = [app.memory()]
    paths = ("/api/v1/ask", "/api/v1/search", "/api/v1/verify", "/api/v1/feedback", "/v1/chat/completions",
             "/mcp", "/gradio_api/queue/join", "/api/v1/articles/a", "/login", "/owner/facets")  # fmt: skip
    for kind, (content, extra, times) in _odd().items():
        parts = []
        for path in paths * times:
            got = app.request("POST", path, content=content, headers=extra)
            held = 0 < got.status < 500 and "Traceback" not in got.text
            parts.append(Attempt("", path, held, got.brief))
        yield together("bodies", kind, parts)
    yield from _addresses(app)
    memory.append(app.memory())
    for _ in range(500):
        app.chat(list_function, ["halle"], seconds=5)
    memory.append(app.memory())
    text = f"{memory[0]:.0f} MB before, {memory[1]:.0f} after the requests, {memory[2]:.0f} after 500 sessions"
    TIMES["Resident memory"] = text
    yield Attempt("bodies", "memory", memory[2] - memory[0] < 300, text)
    health = app.request("GET", "/api/v1/health")
    yield Attempt("bodies", "health at the end", health.status == 200, health.brief)


def _odd() -> dict[str, tuple[bytes, dict[str, str], int]]:
    """Return bodies that fit no schema, the headers with them, and how often each is sent."""
    kind = {"Content-Type": "application/json"}
    deep = b"[" * 2000 + b"]" * 2000
    objects = b'{"question":' * 2000 + b"1" + b"}" * 2000
    fields = ("question", "text", "data", "messages", "rating", "fn_index", "session_hash")

    def with_all(value: Any) -> bytes:
        return json.dumps(dict.fromkeys(fields, value)).encode()

    return {
        "nothing": (b"", kind, 8),
        "bad JSON": (b'{"question": ', kind, 8),
        "no UTF-8": (b'{"question": "\xff\xfe"}', kind, 8),
        "a lone surrogate": (b'{"question": "\\ud800", "text": "\\udfff"}', kind, 8),
        "deep lists": (deep, kind, 6),
        "deep objects": (objects, kind, 6),
        "a huge number": (b'{"question": "a", "limit": ' + b"9" * 5000 + b"}", kind, 6),
        "a huge exponent": (b'{"limit": 1e999, "question": "a", "fn_index": 1e999}', kind, 6),
        "NaN": (b'{"limit": NaN, "question": NaN, "fn_index": NaN}', kind, 6),
        "numbers": (with_all(7), kind, 6),
        "lists": (with_all([[], {}]), kind, 6),
        "nulls": (with_all(None), kind, 6),
        "booleans": (with_all(True), kind, 4),
        "text for all": (with_all("x"), kind, 4),
        "NUL in text": (with_all("a\x00b"), kind, 4),
        "keys twice": (b'{"question": 1, "question": "a"}', kind, 4),
        "another type": (b"<a/>", {"Content-Type": "application/xml"}, 4),
        "no type": (b'{"question": 3}', {}, 4),
        "a bad charset": (
            b'{"question": 3}',
            {"Content-Type": "application/json; charset=utf-7"},
            4,
        ),
        "a bad form": (b"--x\r\n", {"Content-Type": "multipart/form-data; boundary=x"}, 4),
        "said to be packed": (b'{"question": 3}', kind | {"Content-Encoding": "gzip"}, 4),
        "an unknown function": (b'{"data": [], "fn_index": 999, "session_hash": "a"}', kind, 2),
        "a negative function": (b'{"data": [], "fn_index": -1, "session_hash": "a"}', kind, 2),
        "2 MB": (b'{"question": "' + b"a" * 2_000_000 + b'"}', kind, 2),
    }


def _addresses(app: App) -> Iterator[Attempt]:
    for target in (
        b"/api/v1/articles/%01", b"/api/v1/articles/a%0ab", b"/%7f", b"/%0d%0aX: y", b"/api/v1/articles?limit=-1",
        b"/api/v1/articles?limit=" + b"9" * 4000, b"/api/v1/articles?" + b"a" * 7900, b"/" + b"a/" * 4000,
        b"/api/v1/articles?ids=" + b"a," * 2400, b"/?" + b"%41" * 2600, b"/api/v1/articles/" + b"a" * 7000,
        b"/api/v1/articles?after=%f0%9f%98%80", b"http://127.0.0.1/", b"//", b"/..", b"/.%2e/",
        b"/api/v1/articles/a?limit=%00", b"/gradio_api/queue/data?session_hash=%22", b"/config?page=%2e%2e",
        b"/static/" + b"a" * 3000, b"/assets/" + b"a" * 3000, b"/svelte/" + b"a" * 3000, b"/widget/" + b"a" * 3000,
    ):  # fmt: skip
        parts = []
        for method in ("GET", "POST", "PUT", "DELETE", "BREW"):
            got = app.raw(target, method, b"Content-Length: 0\r\n", seconds=1.0)
            held = 0 < got.status < 500 and "Traceback" not in got.text
            parts.append(Attempt("", method, held, str(got.status)))
        yield together("bodies", f"all methods of {target[:40].decode()}", parts)
