"""Files of the machine, addresses reached through the app, and states that links carry."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.attack.stage import (
    SECRET,
    Answer,
    App,
    Attempt,
    Function,
    Stage,
    Trap,
    new_session,
    together,
)

_DATA = {"_type": "gradio.FileData"}
_CALLS = ("run", "api")
_NAMES = ("ask", "open_citation", "check", "act", "restore", "list_articles", "upload", "remove",
          "edit", "predict")  # fmt: skip


def files(stage: Stage) -> Iterator[Attempt]:
    """Give the address of a file where a value is expected, and spell it in many ways."""
    app = stage.main
    plain, secret = _file(stage.secret), stage.secret
    for function in (f for f in app.functions() if f.inputs):
        for route in (*_CALLS, "join"):
            places = range(len(function.inputs))
            parts = [_taken(app, f"input {at}", _sent(app, route, function, at, plain), secret)
                     for at in places]  # fmt: skip
            yield together("files", f"{route} of {function.name or function.id}", parts)
    for name in _NAMES:
        parts = []
        for way in ("call", "call/v2", "run", "api"):
            body = {"data": [plain, plain], "x": plain, "session_hash": new_session()}
            made = _judged(app, f"/gradio_api/{way}/{name}", secret, json=body)
            parts.append(_taken(app, way, made, secret))
        yield together("files", f"{name} by its name", parts)
    roles = ("act", "list") if stage.fast else ("ask", "act", "list")  # an answer takes longest
    chosen = [app.function(role) for role in roles]
    targets = [app.index / "catalogue.sqlite3", app.index / "owner.json", Path("/proc/self/environ"),
               Path("/etc/hostname"), app.log_file, Path("pyproject.toml")]  # fmt: skip
    tried = [(target.name, _file(target), target) for target in targets]
    tried += [(shape, payload, secret) for shape, payload in _shapes(secret).items()]
    for what, payload, path in tried:
        for route in ("run", "join"):
            parts = [_taken(app, f.name, _sent(app, route, f, 0, payload), path) for f in chosen]
            yield together("files", f"{route}: {what}", parts)
    yield from _spellings(stage, app)
    yield from _uploads(app)


def device(stage: Stage) -> Iterator[Attempt]:
    """Give a file without an end, in an app of its own."""
    for route in ("run", "join"):
        app = stage.app(f"device {route}")
        function = app.function("list")
        _sent(app, route, function, 0, _file(Path("/dev/zero")), seconds=3.0)
        start, used = time.monotonic(), app.cpu()
        health = app.request("GET", "/api/v1/health", seconds=5.0)
        time.sleep(max(0.0, 2 - (time.monotonic() - start)))
        busy = (app.cpu() - used) / (time.monotonic() - start)
        held = health.status == 200 and busy < 0.5
        detail = f"health {health.status} in {health.seconds:.1f} s, then {busy:.0%} of a core"
        stage.stop(f"device {route}")
        yield Attempt("device", f"{route} with /dev/zero", held, detail)


def proxy(stage: Stage) -> Iterator[Attempt]:
    """Have the app ask a server of ours."""
    app = stage.main
    with Trap() as trap:
        base = trap.base
        written = (base, base.replace("//", "/"), base.replace("http", "HTTP"), base[5:])
        for way in ("file=", "proxy=", "file/", "proxy/", "stream/", "file=http://x/../../",
                    "custom_component/"):  # fmt: skip
            for prefix in ("/gradio_api/", "/"):
                parts = []
                for address in written:
                    got = app.request("GET", f"{prefix}{way}{address}/a")
                    led = "redirected to it: " if base[7:] in got.location else ""
                    parts.append(_hit(trap, address.replace(base[7:], "…"), got, led))
                yield together("proxy", f"GET {prefix}{way}ADDRESS", parts)
        fields: tuple[dict[str, Any], ...] = (
            {"path": base + "/b"},
            {"url": base + "/b", "path": ""},
            {"url": base + "/b", "path": "b.txt"},
            {"path": base + "/b", "url": base + "/b", "is_stream": True},
        )
        for number, field in enumerate(fields):
            for route in (*_CALLS, "join"):
                payload = field | {"meta": _DATA, "orig_name": "b.txt"}
                sent = ((r, _sent(app, route, app.function(r), 0, payload)[0])
                        for r in ("ask", "act", "list"))  # fmt: skip
                # Gradio itself fetches from other machines what it does not from this one.
                parts = [
                    _hit(trap, role, got, "" if got.refused else "taken: ") for role, got in sent
                ]
                yield together("proxy", f"{route} with an address as a file, {number}", parts)


def deep_links(stage: Stage) -> Iterator[Attempt]:
    """Have the state of a session kept, and served to another."""
    app = stage.main
    session = new_session()
    app.chat(
        "ask", ["Quand la halle rouvre-t-elle ?", None, "", [], [], [], "", "", ""], session=session
    )
    made = app.request("GET", f"/gradio_api/deep_link?session_hash={session}")
    key = made.text.strip('"') if made.status == 200 else "A" * 11
    for name, query in (
        ("its own", session),
        ("unknown", "unknown"),
        ("empty", ""),
        ("odd", "..%2f"),
    ):
        got = app.request("GET", f"/gradio_api/deep_link?session_hash={query}")
        yield Attempt("deep links", f"GET deep_link of a session, {name}", got.refused, got.brief)
    kept = [path for path in app.temporary() if "deep_links" in path.parts]
    yield Attempt("deep links", "the state is on the disk", not kept, f"{len(kept)} files")
    for page in ("/", "/config", "/config/"):
        for link in (key, "../" + key, "A" * 200, "%2e%2e%2f" + key):
            got = app.request("GET", f"{page}?deep_link={link}")
            held = '"deep_link_state":"valid"' not in got.text and got.status < 500
            detail = f"{got.status}, {'no state' if held else 'the state is served'}"
            yield Attempt("deep links", f"GET {page}?deep_link={link[:14]}", held, detail)


def _file(path: Path) -> dict[str, Any]:
    return {"path": str(path), "meta": _DATA}


def _shapes(secret: Path) -> dict[str, Any]:
    """Return ways to put a file into a value."""
    plain, deep = _file(secret), _file(secret)
    for _ in range(8):
        deep = {"x": [deep]}
    return {
        "in a list": [plain],
        "in a dict": {"a": plain},
        "deep": deep,
        "many": [plain] * 20,
        "with url": {"url": str(secret), "path": "", "meta": _DATA},
        "url and path": plain | {"url": f"/gradio_api/file={secret}"},
        "file address": {"path": f"file://{secret}", "meta": _DATA},
        "with orig_name": plain | {"orig_name": "../../x.txt"},
        "as a stream": plain | {"is_stream": True},
        "without meta": {"path": str(secret)},
        "up and down": _file(secret.parent / "index" / ".." / secret.name),
        "not first": {"claims": [], "x": plain},
    }


def _sent(
    app: App, route: str, function: Function, place: int, payload: Any, seconds: float = 10.0
) -> tuple[Answer, set[Path]]:
    """Call a function with a payload at one place; return the reply, and the files it made."""
    data: list[Any] = [None] * len(function.inputs)
    data[place] = payload
    before, session = app.temporary(), new_session()
    if route == "join":
        got = app.join(function, data, session, event={"claim": 0}, seconds=seconds)
        if got.status == 200:
            events = app.events(session, seconds=seconds)
            got = Answer(200, got.text + events.text, got.seconds + events.seconds)
    else:
        body = {"data": data, "fn_index": function.id, "session_hash": session}
        got = app.request("POST", f"/gradio_api/{route}/predict", json=body, seconds=seconds)
    return got, app.new_files(before)


def _judged(app: App, path: str, secret: Path, **body: Any) -> tuple[Answer, set[Path]]:
    before = app.temporary()
    got = app.request("POST", path, **body)
    return got, {p for p in app.new_files(before) if p.name == secret.name}


def _taken(app: App, name: str, sent: tuple[Answer, set[Path]], path: Path) -> Attempt:
    """Judge what became of the file that a body names."""
    got, copies = sent
    copied = [p for p in copies if p.name == path.name]
    served = [p for p in copied if app.request("GET", f"/gradio_api/file={p}").status == 200]
    for copy in copied:
        copy.unlink(missing_ok=True)
    if SECRET in got.text or "RECOUPE_ADMIN" in got.text:
        detail = "its bytes come back"
    elif copied:
        detail = "copied into the cache" + (" and served there" if served else "")
    elif not got.refused:
        detail = f"taken: {got.brief}"
    else:
        return Attempt("files", name, True, got.brief)
    return Attempt("files", name, False, detail)


def _spellings(stage: Stage, app: App) -> Iterator[Attempt]:
    """Ask for files by their address, as it should and should not be written."""
    secret = str(stage.secret).encode()
    up = b"/".join([b".."] * 12)
    dots = up.replace(b".", b"%2e")
    cached = app.tmp / "gradio" / "x" / "own.txt"
    cached.parent.mkdir(parents=True, exist_ok=True)
    cached.write_text(SECRET, encoding="utf-8")
    paths = (
        secret, b"/" + secret, secret[1:], up + secret, dots + secret, b"." + secret,
        secret.replace(b"/", b"%2f"), secret.replace(b"/", b"\\"), secret.replace(b"/", b"%5c"),
        secret + b"%00", b"%00" + secret, secret + b"%00.txt", secret.replace(b"/", b"//"),
        secret.replace(b"/", b"/./"), secret.replace(b"/", b"%252f"), b"file://" + secret,
        b"/proc/self/root" + secret, b"/proc/self/environ", b"/proc/self/cwd/pyproject.toml",
        bytes(app.index / "owner.json"), bytes(app.index / "catalogue.sqlite3"),
        bytes(app.log_file), bytes(cached), b"/dev/stdin", b"pyproject.toml", b"/etc/hostname",
    )  # fmt: skip
    signs = (SECRET, "RECOUPE_ADMIN", "[build-system]", "SQLite format", "recoupe serve")
    places = (b"/gradio_api/file=", b"/file=", b"/gradio_api/file/", b"/static/", b"/assets/",
              b"/svelte/", b"/gradio_api/upload_progress?upload_id=")  # fmt: skip
    for at, path in enumerate(paths):
        parts = []
        for place in places if at < 16 else places[:2]:
            got = app.raw(place + path)
            sign = next((s for s in signs if s in got.text), "")
            detail = "its bytes come back" if sign else str(got.status)
            parts.append(Attempt("", place.decode(), got.refused and not sign, detail))
        yield together("files", f"GET …{path.decode().replace(str(stage.root), 'ROOT')}", parts)
    cached.unlink(missing_ok=True)


def _uploads(app: App) -> Iterator[Attempt]:
    """Give files without the right to."""
    names = (
        "a.txt",
        "../../a.txt",
        "a/b/c.txt",
        "..\\a.txt",
        "/x/a.txt",
        "a\x00.txt",
        "x" * 300,
        "é.txt",
        "con",
        ".",
    )
    for path in ("/gradio_api/upload", "/upload", "/gradio_api/upload/", "/gradio_api//upload",
                 "/gradio_api/process_recording", "/process_recording"):  # fmt: skip
        for name in names if path == "/gradio_api/upload" else names[:3]:
            before = app.temporary()
            got = app.request("POST", path, files={"files": (name, b"planted", "text/plain")})
            new = app.new_files(before)
            detail = f"{got.brief}, {len(new)} files" if new else got.brief
            yield Attempt(
                "files", f"POST {path} named {name[:20]!r}", got.refused and not new, detail
            )
    for path in ("/gradio_api/upload_progress?upload_id=a", "/gradio_api/upload_progress",
                 "/upload_progress?upload_id=a"):  # fmt: skip
        got = app.request("GET", path, seconds=2.0)
        yield Attempt("files", f"GET {path}", got.refused, got.brief)


def _hit(trap: Trap, name: str, got: Answer, wrong: str = "") -> Attempt:
    hits = len(trap.hits)
    trap.hits.clear()
    detail = f"{hits} requests came" if hits else f"{wrong}{got.brief}"
    return Attempt("proxy", name, not hits and not wrong, detail)
