"""The apps under attack, and what speaks to them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil

from bench.attack import corpus

TREE = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
TOKEN = secrets.token_urlsafe(32)
SECRET = f"planted-{secrets.token_hex(16)}"
_LARGEST_FILE = 200_000_000  # bytes that an app may write in a file: /dev/zero has no end
_READ = 2_000_000  # bytes of a reply that are looked at
# A connection that the server has just closed; the next one is new.
_DROPPED = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError)
_WIDE = {
    "RECOUPE_RATE_CLIENT": "100000/minute",
    "RECOUPE_RATE_GLOBAL": "1000000/minute",
    "RECOUPE_RATE_CLAIMS": "100000/minute",
}


@dataclass(frozen=True)
class Attempt:
    """One thing that was tried; `held` tells that the app stood it."""

    area: str
    name: str
    held: bool
    detail: str


@dataclass(frozen=True)
class Answer:
    """What came back; a `status` of 0 tells that nothing did, and `text` why."""

    status: int
    text: str
    seconds: float
    location: str = ""

    @property
    def refused(self) -> bool:
        """Whether it is the client's mistake, as the app sees it."""
        return 400 <= self.status < 500

    @property
    def brief(self) -> str:
        """The status and the beginning of the text."""
        return f"{self.status} {' '.join(self.text[:90].split())}"


def page_config(page: str) -> dict[str, Any]:
    """Return what the chat's page says of itself to its scripts.

    Where it asks for a login, it has no functions.
    """
    found = re.search(r"window\.gradio_config = (\{.*?\});</script>", page, re.DOTALL)
    config: dict[str, Any] = json.loads(found[1]) if found else {}
    return config


@dataclass(frozen=True)
class Function:
    """A function of the page as the page tells it; components by `elem_id`, "" without one."""

    id: int
    name: str
    targets: tuple[tuple[str, str], ...]
    trigger: int | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def together(area: str, name: str, parts: Iterable[Attempt]) -> Attempt:
    """Return attempts as one row: held when all are; the detail tells the first that are not."""
    every = list(parts)
    bad = [part for part in every if not part.held]
    if not bad:
        return Attempt(area, f"{name} ({len(every)})", True, every[0].detail if every else "")
    detail = "; ".join(f"{part.name}: {part.detail[:80]}" for part in bad[:3])
    return Attempt(area, f"{name} ({len(bad)} of {len(every)})", False, detail)


class App:
    """One running app: its process, its folders, and requests to it."""

    def __init__(self, root: Path, index: Path, env: dict[str, str]) -> None:
        self.port = _free_port()
        self.base = f"http://{LOOPBACK}:{self.port}"
        self.index, self.tmp, self.log_file = root / "index", root / "tmp", root / "log"
        shutil.copytree(index, self.index)
        self.tmp.mkdir()
        own = {
            "RECOUPE_INDEX_DIR": str(self.index),
            "RECOUPE_HOST": LOOPBACK,
            "RECOUPE_PORT": str(self.port),
            "RECOUPE_PUBLIC_URL": self.base,
            "RECOUPE_TRUSTED_PROXIES": json.dumps([LOOPBACK]),
            "RECOUPE_ADMIN_TOKEN_HASH": hashlib.sha256(TOKEN.encode()).hexdigest(),
            "TMPDIR": str(self.tmp),
        }
        given = clean_env() | own | _WIDE | env
        with self.log_file.open("wb") as log:
            self.process = psutil.Popen(
                [sys.executable, str(TREE / "app.py")],
                cwd=TREE, env={k: v for k, v in given.items() if v}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.process.rlimit(psutil.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
        self.client = httpx.Client(base_url=self.base, trust_env=False, timeout=10.0)
        self._functions: dict[str, Function] | None = None

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until it answers. Raises RuntimeError when it does not."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            if self.request("GET", "/api/v1/health", seconds=2).status == 200:
                return
            time.sleep(0.2)
        raise RuntimeError(self.log()[-2000:])

    def stop(self) -> None:
        """Stop it and what it started."""
        self.client.close()
        if self.process.poll() is not None:
            return
        mine = self.process.children(recursive=True)
        self.process.terminate()
        try:
            self.process.wait(2)
        except psutil.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
        for child in psutil.wait_procs(mine, timeout=1)[1]:
            child.kill()

    def log(self) -> str:
        """Return what it wrote so far."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def request(
        self, method: str, path: str, *, visitor: str = "", token: str = "",
        headers: dict[str, str] | None = None, seconds: float = 10.0, **body: Any,
    ) -> Answer:  # fmt: skip
        """Ask for something; `visitor` is the address that a proxy would tell."""
        return ask(self.client, method, path, seconds, **body,
                   headers=_headers(visitor, token) | (headers or {}))  # fmt: skip

    def raw(
        self, target: bytes, method: str = "GET", extra: bytes = b"", seconds: float = 5.0
    ) -> Answer:
        """Ask for a target as it is written, which clients would mend."""
        start, data = time.monotonic(), b""
        head = b"%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n" % (
            method.encode(), target, f"{LOOPBACK}:{self.port}".encode(), extra,
        )  # fmt: skip
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=seconds) as line:
                line.sendall(head)
                while len(data) < _READ and time.monotonic() - start < seconds:
                    if not (piece := line.recv(65536)):
                        break
                    data += piece
        except OSError as error:
            if not data:
                return Answer(0, repr(error), time.monotonic() - start)
        status = re.match(rb"HTTP/1\.\d (\d{3})", data)
        text = data.decode("utf-8", "replace")
        return Answer(int(status[1]) if status else 0, text, time.monotonic() - start)

    def functions(self) -> list[Function]:
        """Return the functions of the page."""
        config = page_config(self.request("GET", "/").text)
        names = {c["id"]: str((c.get("props") or {}).get("elem_id") or "")
                 for c in config.get("components", [])}  # fmt: skip
        return [
            Function(
                d["id"],
                str(d.get("api_name") or ""),
                tuple((names.get(t[0], ""), str(t[1])) for t in d["targets"]),
                next((t[0] for t in d["targets"]), None),
                tuple(names.get(i, "") for i in d["inputs"]),
                tuple(names.get(i, "") for i in d["outputs"]),
            )
            for d in config.get("dependencies", [])
        ]

    def function(self, name: str) -> Function:
        """Return one by what it is for: ask, open, clear, check, act, restore, list."""
        if self._functions is None:
            self._functions = {}
            for found in self.functions():
                if (role := _role(found)) and role not in self._functions:
                    self._functions[role] = found
        return self._functions[name]

    def join(
        self, function: Function, data: list[Any], session: str, *, visitor: str = "",
        event: Any = None, seconds: float = 10.0,
    ) -> Answer:  # fmt: skip
        """Call a function of the page as its queue takes it."""
        body = {"data": data, "event_data": event, "fn_index": function.id,
                "trigger_id": function.trigger, "session_hash": session}  # fmt: skip
        return self.request("POST", "/gradio_api/queue/join", json=body, visitor=visitor,
                            seconds=seconds)  # fmt: skip

    def events(self, session: str, *, visitor: str = "", seconds: float = 15.0) -> Answer:
        """Read the events of a session up to the end of its call."""
        start, lines = time.monotonic(), []
        try:
            with self.client.stream(
                "GET", "/gradio_api/queue/data", params={"session_hash": session},
                headers=_headers(visitor, ""), timeout=seconds,
            ) as reply:  # fmt: skip
                for line in reply.iter_lines():
                    lines.append(line)
                    done = '"process_completed"' in line or '"close_stream"' in line
                    if done or time.monotonic() - start > seconds:
                        break
                return Answer(reply.status_code, "\n".join(lines), time.monotonic() - start)
        except httpx.HTTPError as error:
            if isinstance(error, _DROPPED) and not lines and seconds > 2:
                return self.events(session, visitor=visitor, seconds=2)
            return Answer(0, "\n".join([*lines, repr(error)]), time.monotonic() - start)

    def chat(
        self, role: str | Function, data: list[Any], *, session: str = "", event: Any = None,
        visitor: str = "", seconds: float = 15.0,
    ) -> Answer:  # fmt: skip
        """Call a function and read its events."""
        session = session or new_session()
        function = self.function(role) if isinstance(role, str) else role
        joined = self.join(function, data, session, event=event, visitor=visitor)
        if joined.status != 200:
            return joined
        return self.events(session, visitor=visitor, seconds=seconds)

    def new_files(self, before: set[Path]) -> set[Path]:
        """Return the files that its temporary folder has and had not."""
        return self.temporary() - before

    def temporary(self) -> set[Path]:
        """Return the files of its temporary folder."""
        return {path for path in self.tmp.rglob("*") if path.is_file()}

    def cpu(self) -> float:
        """Return the seconds of processor that it and what it started have used."""
        used = self.process.cpu_times()
        return float(used.user + used.system + used.children_user + used.children_system)

    def memory(self) -> float:
        """Return its resident memory, in MB."""
        return float(self.process.memory_info().rss) / 1e6


@dataclass
class Stage:
    """The temporary folder, the index that apps are given a copy of, and the apps."""

    fast: bool = False
    root: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="attack-")))
    apps: dict[str, App] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.secret.write_text(SECRET + "\n", encoding="utf-8")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in list(self.apps):
            self.stop(name)
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def secret(self) -> Path:
        """A file outside of everything that the app may give."""
        return self.root / "secret.txt"

    @property
    def main(self) -> App:
        """The app that most is tried on."""
        return self.app("main", RECOUPE_LOG_QUESTIONS="true")

    def app(self, name: str, **env: str) -> App:
        """Return the app of a name, started when it is asked for first; "" unsets a variable."""
        if name not in self.apps:
            folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.root))
            self.apps[name] = App(folder, self._index(), env)
            self.apps[name].wait()
        return self.apps[name]

    def stop(self, name: str) -> None:
        """Stop the app of a name."""
        self.apps.pop(name).stop()

    def _index(self) -> Path:
        index = self.root / "index"
        if not index.exists():
            corpus.write(self.root / "corpus")
            env = clean_env() | {"RECOUPE_INDEX_DIR": str(index)}
            subprocess.run(
                [sys.executable, str(TREE / "ingest.py"), str(self.root / "corpus")],
                cwd=TREE, env=env, check=True, capture_output=True, timeout=120,
            )  # fmt: skip
        return index


class Trap:
    """A server of our own that nobody may be made to ask."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        hits = self.hits

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hits.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"trap")

            do_HEAD = do_POST = do_GET  # noqa: N815 - names of the library

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Write nothing."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.base = f"http://{LOOPBACK}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def ask(
    client: httpx.Client,
    method: str,
    path: str,
    seconds: float = 10.0,
    *,
    again: bool = True,
    **body: Any,
) -> Answer:
    """Ask a server, and return what comes within some seconds."""
    start, data = time.monotonic(), b""
    try:
        with client.stream(method, path, timeout=seconds, **body) as reply:
            for piece in reply.iter_bytes():
                data += piece
                if len(data) > _READ or time.monotonic() - start > seconds:
                    break
        text = data.decode("utf-8", "replace")
        location = reply.headers.get("location", "")
        return Answer(reply.status_code, text, time.monotonic() - start, location)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        took = time.monotonic() - start
        if again and isinstance(error, _DROPPED) and not data and took < 1:
            return ask(client, method, path, seconds, again=False, **body)
        return Answer(0, repr(error), took)


def strings(text: str) -> list[str]:
    """Return the strings in a reply: of its JSON, or of the JSON of its events; HTML as text."""
    found: list[str] = []
    for line in [text, *text.splitlines()]:
        try:
            _collect(json.loads(line.removeprefix("data:").strip()), found)
        except ValueError:
            continue
    for inner in [s for s in found if s[:1] in {"{", "["}]:  # JSON in JSON, as MCP has it
        try:
            _collect(json.loads(inner), found)
        except ValueError:
            continue
    found = found or [text]
    return found + [unescape(re.sub(r"<[^>]*>", "", s)) for s in found if "<" in s or "&" in s]


def _collect(value: Any, found: list[str]) -> None:
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _collect(item, found)


def new_session() -> str:
    """Return a session's hash, as the page draws one."""
    return secrets.token_hex(5)


def clean_env() -> dict[str, str]:
    """Return the environment without what would change an app."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("RECOUPE_", "GRADIO_", "FORWARDED_")) and "proxy" not in k.lower()}  # fmt: skip
    return env | {"PYTHONPATH": str(TREE)}


def _headers(visitor: str, token: str) -> dict[str, str]:
    headers = {"X-Forwarded-For": visitor} if visitor else {}
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})


def _role(function: Function) -> str:
    inputs, outputs, events = function.inputs, function.outputs, dict(function.targets)
    if "rc-conversation" in outputs:
        return "ask" if "rc-question" in inputs else "clear"
    if events.get("rc-conversation") == "select":
        return "open"
    if events.get("rc-claims") == "select":
        return "act"
    if "rc-claims" in outputs and "load" in events.values():
        return "restore"
    if "rc-claims" in outputs and "rc-claims-text" in inputs:
        return "check"
    if "rc-listing" in outputs and "rc-corpus-words" in inputs:
        return "list"
    return "upload" if "rc-upload" in inputs else ""


def _free_port() -> int:
    with socket.socket() as line:
        line.bind((LOOPBACK, 0))
        return int(line.getsockname()[1])
