"""What every request passes: host, origin, address, size and rate; what answers carry: headers.

One plain ASGI middleware around the whole application, chat included, so that
nothing is served that it has not seen. What it does not know is refused (`framework.py`).
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException

from rag import texts
from rag.web.framework import JOIN, STREAM, UPLOAD, UPLOADS, BadEventError, Events, is_open
from rag.web.limits import VISITOR, TooManyError, visitor_key
from rag.web.problems import problem_body
from rag.web.site import STATIC
from rag.web.wellformed import readable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rag.web.access import Access
    from rag.web.limits import Rates
    from rag.web.sites import SiteAccess

log = logging.getLogger(__name__)

# The chat counts its questions itself: its queue also carries clicks.
ASKING = (
    "/api/v1/ask",
    "/api/v1/search",
    "/api/v1/verify",
    "/api/v1/feedback",
    "/login",
    "/mcp",
    "/v1/chat",
    "/redaction",
)
_MOST_UPLOADED = 200 * 1024 * 1024  # bytes of one upload; Gradio bounds each of its files
_MOST_STREAMS, _STREAMS_OF_ONE = 2000, 256  # answers awaited at a time, in all and of a subscriber
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# What a proxy says of a request was read, where one is trusted, before it comes here.
_FORWARDED = (b"x-forwarded-", b"forwarded", b"x-gradio-", b"x-real-ip", b"x-original-")
_STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "
)
# Gradio starts with inline scripts and styles, and compiles its templates (`new Function`).
_GRADIO = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
_NEWSROOM = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
Refusal = TooManyError | tuple[int, str]


class Guard:
    """See the module."""

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        sites: SiteAccess,
        rates: Rates,
        events: Events,
        max_body: int,
    ) -> None:
        """Take what is guarded, the rules, what reads events, and the largest body in bytes."""
        self._app = app
        self._access = access
        self._sites = sites
        self._rates = rates
        self._events = events
        self._max_body = max_body
        self._streams: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it with a problem document."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks by sockets
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        refused = self._refusal(scope, headers)
        origin = headers.get("origin", "")
        shared = origin if origin and refused is None else ""
        sending = _Sender(send, shared, self._policy(scope), scope["scheme"])
        if refused:
            await _answer(sending, refused, scope)
        elif shared and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(sending)
        else:
            await self._pass(scope, receive, sending)

    async def _pass(self, scope: Scope, receive: Receive, sending: _Sender) -> None:
        """Give a request to the application; what that raises is logged and told in a line."""
        path, visitor = scope["path"], _visitor(scope)
        forwarded = [h for h in scope["headers"] if not h[0].lower().startswith(_FORWARDED)]
        inner = {**scope, "headers": forwarded}
        VISITOR.set(visitor)
        receive = self._bounded(path, receive)
        try:
            if path == JOIN:
                body = await _whole(receive)
                session = self._events.read(body).session
                self._rates.take_event(visitor, session)
                if not self._events.has_room(session):
                    raise TooManyError(5, 429)
                receive = _again(body, receive)
            with self._open_stream(path, visitor):
                await self._app(inner, receive, sending)
        except TooManyError as error:
            await _answer(sending, error, scope)
        except BadEventError as error:
            log.info("évènement refusé : %s", error)
            await _answer(sending, (422, texts.BAD_EVENT), scope)
        except Exception as error:
            if isinstance(error.__cause__, HTTPException):  # refused when it had begun to answer
                log.info("%s %s : %s", scope["method"], path, error.__cause__.detail)
            else:
                log.exception("%s %s", scope["method"], path)
            if not sending.started:
                await _answer(sending, (500, texts.UNEXPECTED), scope)
            elif not sending.ended:
                await sending({"type": "http.response.body", "body": b""})

    def _refusal(self, scope: Scope, headers: Headers) -> Refusal | None:
        """Return why a request is not served, or None."""
        if not readable(scope, headers):
            return 400, texts.UNREADABLE
        host, path, method = headers.get("host", ""), scope["path"], scope["method"]
        if not self._access.host_allowed(host):
            return 421, texts.WRONG_HOST
        for origin in headers.getlist("origin"):
            allowed = self._access.origin_allowed(origin, host, scope["scheme"])
            if not allowed and not self._sites.admits(origin, scope, headers):
                return 403, texts.WRONG_ORIGIN
        if elsewhere := self._sites.closed(path, headers):
            return 403, elsewhere
        if closed := self._closed(method, path):
            return closed
        if _length(headers) > self._most(path):
            return 413, texts.TOO_LARGE.format(self._most(path) // 1024)
        if method not in _SAFE and path.startswith((*ASKING, UPLOAD)):
            try:
                self._rates.take_request(_visitor(scope))
            except TooManyError as error:
                return error
        return None

    def _closed(self, method: str, path: str) -> tuple[int, str] | None:
        """Return why an address is not open to anybody, or to this method, or None."""
        if path == "/mcp" and method == "GET":  # a stream that our tools have no use for
            return 405, texts.HTTP_ERRORS[405]
        if not is_open(method, path, login=self._access.login is not None):
            return 404, texts.HTTP_ERRORS[404]
        if path in UPLOADS and not self._access.may_upload:
            return 403, texts.NO_UPLOAD
        if path == UPLOAD and not self._events.has_space():
            return 413, texts.UPLOADS_FULL
        return None

    def _most(self, path: str) -> int:
        """Return the largest body of an address, in bytes."""
        return _MOST_UPLOADED if path == UPLOAD else self._max_body

    def _bounded(self, path: str, receive: Receive) -> Receive:
        """Count a body that says no length; past the limit it ends as if the client had left."""
        seen, most = 0, self._most(path)

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            return {"type": "http.disconnect"} if seen > most else message

        return counted

    @contextmanager
    def _open_stream(self, path: str, visitor: str) -> Iterator[None]:
        """Count a connection that stays open as long as an answer. Raises TooManyError."""
        if not path.startswith(STREAM):
            yield
            return
        one = visitor_key(visitor)
        if self._streams[one] >= _STREAMS_OF_ONE:
            raise TooManyError(60, 429)
        if self._streams.total() >= _MOST_STREAMS:
            raise TooManyError(60, 503)
        self._streams[one] += 1
        try:
            yield
        finally:
            self._streams[one] -= 1
            self._streams += Counter()  # forget those who have none

    def _policy(self, scope: Scope) -> str:
        path = scope["path"]
        if path.startswith("/api/"):
            return "default-src 'none'; frame-ancestors 'none'"
        if path.startswith("/redaction"):
            return _NEWSROOM
        if path.startswith(STATIC):
            own = self._sites.framers(scope["query_string"]) if path == "/embed" else ()
            return _STRICT + " ".join(["'self'", *(own or sorted(self._access.origins))])
        return _GRADIO


class _Sender:
    """Sends an answer with our headers; tells whether it has `started`, and `ended`."""

    def __init__(self, send: Send, origin: str, policy: str, scheme: str) -> None:
        self._send = send
        self._secure = scheme == "https"
        self._origin = origin
        self._policy = policy
        self.started = self.ended = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
            headers["Content-Security-Policy"] = self._policy
            headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
            del headers["Server"]
            if self._secure:
                _drop_open_cookies(message)
            # Ours alone decide who reads an answer.
            for name in ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"):
                del headers[name]
            headers.add_vary_header("Origin")
            if self._origin:
                headers["Access-Control-Allow-Origin"] = self._origin
                headers["Access-Control-Expose-Headers"] = "Retry-After"
        elif message["type"] == "http.response.body":
            self.ended = not message.get("more_body", False)
        await self._send(message)


def _drop_open_cookies(message: Message) -> None:
    """Drop the cookies that a browser would send in clear too: the framework sets both kinds."""
    message["headers"] = [
        (name, value)
        for name, value in message["headers"]
        if name.lower() != b"set-cookie" or b"secure" in value.lower().partition(b";")[2]
    ]


async def _whole(receive: Receive) -> bytes:
    """Return a request's body. Raises BadEventError when the client leaves, or sends too much."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise BadEventError("cut off")
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read, then what comes after it."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _visitor(scope: Scope) -> str:
    return str((scope.get("client") or ("",))[0])


async def _answer(send: Send, refused: Refusal, scope: Scope) -> None:
    headers = [(b"content-type", b"application/problem+json")]
    if isinstance(refused, TooManyError):
        status, detail = refused.status, str(refused)
        headers.append((b"retry-after", str(refused.after).encode()))
    else:
        status, detail = refused
    # Escaped: an address that cannot be read may hold what UTF-8 cannot.
    body = json.dumps(problem_body(status, detail, scope["path"])).encode()
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _preflight(send: Send) -> None:
    headers = [
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", b"content-type, accept, x-recoupe-site"),
        (b"access-control-max-age", b"600"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _length(headers: Headers) -> int:
    # Python refuses to read thousands of digits; twenty say enough.
    return int(headers.get("content-length", "0")[:20])
