"""Who pays for what: rates a visitor and in all, and the places of the queue."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

from bench.attack.stage import Answer, App, Attempt, Stage, new_session

_RATE = 10
_RPC = {"Accept": "application/json, text/event-stream"}
_Call = Callable[[App, str], Answer]


def rates(stage: Stage) -> Iterator[Attempt]:
    """Have more than a share, by many addresses or at the cost of others."""
    app = stage.app("rates", RECOUPE_RATE_CLIENT=f"{_RATE}/minute", RECOUPE_RATE_CLAIMS="3/minute")
    for number, (name, call) in enumerate(_CALLS.items()):
        prefix = f"2001:db8:0:{number + 1:x}"
        passed = _passed(call(app, f"{prefix}::{host:x}") for host in range(1, 41))
        yield Attempt(
            "rates", f"{name}: 40 addresses of one /64", passed <= _RATE, f"{passed} passed"
        )
        other = call(app, f"2001:db8:1:{number + 1:x}::1")
        yield Attempt(
            "rates", f"{name}: another /64 is not affected", other.status == 200, other.brief
        )
    search = _CALLS["search"]
    forms: dict[str, list[str]] = {
        "an IPv4 address and its IPv6 forms": [
            "203.0.113.9",
            "::ffff:203.0.113.9",
            "::ffff:cb00:7109",
        ],
        "an IPv6 address spelled in many ways": [
            "2001:db8:9::1",
            "2001:DB8:9:0::1",
            "2001:0db8:9::0001",
        ],
        "an address with a port": ["203.0.113.10", "203.0.113.10:80", "203.0.113.10:81"],
        "an address with spaces": ["203.0.113.11", " 203.0.113.11", "203.0.113.11 "],
        "an address behind forged ones": [f"198.51.100.{n}, 203.0.113.12" for n in range(3)],
        "IPv4 in IPv6 of a translator": [f"64:ff9b::cb00:{n:x}" for n in range(30)],
    }
    for name, addresses in forms.items():
        passed = _passed(search(app, addresses[n % len(addresses)]) for n in range(_RATE + 5))
        yield Attempt("rates", name, passed <= _RATE, f"{passed} of {_RATE + 5} passed")
    yield from _tools(app)
    stage.stop("rates")
    yield from _everybody(stage)
    yield from _untrusted(stage)


def _search(app: App, visitor: str) -> Answer:
    return app.request(
        "POST", "/api/v1/search", json={"question": "halle", "limit": 1}, visitor=visitor
    )


def _feedback(app: App, visitor: str) -> Answer:
    got = app.request("POST", "/api/v1/feedback", json={"rating": "useful"}, visitor=visitor)
    return Answer(200 if got.status == 201 else got.status, got.text, got.seconds)


def _model(app: App, visitor: str) -> Answer:
    body = {"messages": [{"role": "user", "content": "halle ?"}]}
    return app.request("POST", "/v1/chat/completions", json=body, visitor=visitor)


def _tool(app: App, visitor: str) -> Answer:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    return app.request("POST", "/mcp", json=body, headers=_RPC, visitor=visitor)


def _chat(app: App, visitor: str) -> Answer:
    got = app.chat(
        "ask", ["La halle rouvre-t-elle ?", None, "", [], [], [], "", "", ""], visitor=visitor
    )
    answered = got.status == 200 and ("rc-refusal" in got.text or "rc-statement" in got.text or "[1]" in got.text)  # fmt: skip
    return Answer(200 if answered else 429, got.text[-300:], got.seconds)


_CALLS: dict[str, _Call] = {
    "search": _search, "feedback": _feedback, "/v1": _model, "/mcp": _tool, "the chat": _chat,
}  # fmt: skip


def _passed(answers: Iterator[Answer]) -> int:
    return Counter(answer.status for answer in answers)[200]


def _tools(app: App) -> Iterator[Attempt]:
    """Have two clients of the tools verify as much as one may."""
    text = "La halle a rouvert.\nLe pont a fermé.\nLe train revient à Malvaux."
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "verify", "arguments": {"text": text}}}  # fmt: skip
    for number, visitor in enumerate(("203.0.113.41", "203.0.113.42", "2001:db8:77::1")):
        got = app.request("POST", "/mcp", json=body, headers=_RPC, visitor=visitor, seconds=20)
        held = got.status == 200 and '"isError":true' not in got.text.replace(" ", "")
        yield Attempt("rates", f"client {number} of the tools verifies", held, got.text[-140:])


def _everybody(stage: Stage) -> Iterator[Attempt]:
    """Use up what all have together by requests that cost nothing."""
    app = stage.app("everybody", RECOUPE_RATE_GLOBAL="20/3 second", RECOUPE_RATE_CLIENT="30/minute")
    bodies: dict[str, tuple[str, bytes]] = {
        "bad JSON": ("/api/v1/ask", b"{"),
        "a missing field": ("/api/v1/search", b"{}"),
        "no claim": ("/api/v1/verify", b'{"text": ""}'),
        "a bad completion": ("/v1/chat/completions", b"[]"),
        "a bad call of a tool": ("/mcp", b"{"),
    }
    for number, (name, (path, body)) in enumerate(bodies.items()):
        for count in range(40):
            visitor = f"198.51.{100 + number}.{count % 12 + 1}"
            app.request("POST", path, content=body, visitor=visitor,
                        headers={"Content-Type": "application/json"} | _RPC)  # fmt: skip
        got = _search(app, f"203.0.113.{number + 60}")
        yield Attempt(
            "rates", f"40 requests of a dozen visitors, {name}", got.status == 200, got.brief
        )
        if got.status == 503:
            time.sleep(3.2)
    stage.stop("everybody")


def _untrusted(stage: Stage) -> Iterator[Attempt]:
    """Say another address each time, to an app that trusts no proxy."""
    app = stage.app("untrusted", RECOUPE_RATE_CLIENT=f"{_RATE}/minute", RECOUPE_TRUSTED_PROXIES="")
    for name, header in (("X-Forwarded-For", "{}"), ("Forwarded", "for={}"), ("X-Real-IP", "{}"),
                         ("X-Client-IP", "{}"), ("CF-Connecting-IP", "{}")):  # fmt: skip
        passed = 0
        for number in range(_RATE + 5):
            given = {name: header.format(f"203.0.113.{number + 1}")}
            got = app.request("POST", "/api/v1/search", json={"question": "halle"}, headers=given)
            passed += got.status == 200
        yield Attempt(
            "rates", f"{name} of somebody not trusted", passed <= _RATE, f"{passed} passed"
        )
    stage.stop("untrusted")


def queue(stage: Stage) -> Iterator[Attempt]:
    """Fill the queue of the chat, and ask as somebody else."""
    app = stage.app("queue")
    asked, statuses = app.function("ask"), Counter[int]()
    data: list[object]
    for number in range(120):
        question = f"Quand la halle de Brissange rouvre-t-elle, question {number} ?"
        data = [question, None, "", [], [], [], "", "", ""]
        statuses[app.join(asked, data, new_session(), visitor="203.0.113.1").status] += 1
    start = time.monotonic()
    data = ["Quand la halle rouvre-t-elle ?", None, "", [], [], [], "", "", ""]
    mine = app.chat("ask", data, visitor="203.0.113.2", seconds=20)
    seconds = time.monotonic() - start
    held = mine.status == 200 and '"process_completed"' in mine.text and seconds < 20
    detail = (
        f"{'answered' if held else mine.brief} after {seconds:.1f} s; the 120: {dict(statuses)}"
    )
    yield Attempt("queue", "120 joins by one visitor, then another asks", held, detail)
    health = app.request("GET", "/api/v1/health")
    yield Attempt("queue", "health behind the 120", health.status == 200, health.brief)
    stage.stop("queue")
