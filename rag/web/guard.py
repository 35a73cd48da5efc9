"""What every request passes: host, origin, size and rate; what every answer carries: headers.

One plain ASGI middleware around the whole application, chat included, so that
nothing is served that it has not seen.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from rag import texts
from rag.web.limits import TooManyError
from rag.web.problems import problem_body
from rag.web.wellformed import readable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from rag.web.access import Access
    from rag.web.limits import Rates

# The chat counts its questions itself: its queue also carries clicks.
ASKING = (
    "/api/v1/ask",
    "/api/v1/search",
    "/api/v1/verify",
    "/api/v1/feedback",
    "/login",
    "/mcp",
    "/v1/chat",
)
# Uploads are bounded by Gradio, hand-overs of the owner carry its token and whole corpora.
_UNBOUNDED = ("/gradio_api/upload", "/owner/")
_UPLOADS = ("/gradio_api/upload", "/upload")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
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
_STATIC = ("/embed", "/demo", "/widget")


class Guard:
    """See the module."""

    def __init__(self, app: ASGIApp, access: Access, rates: Rates, max_body: int) -> None:
        """Take what is guarded, the rules, and the largest body in bytes."""
        self._app = app
        self._access = access
        self._rates = rates
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it with a problem document."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = self._refusal(scope, headers)
        origin = headers.get("origin", "")
        shared = origin if origin and refused is None else ""
        sending = self._sender(scope, send, shared)
        if refused:
            await _answer(sending, refused, scope)
        elif shared and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(sending)
        else:
            await self._app(scope, self._bounded(scope, receive), sending)

    def _refusal(self, scope: Scope, headers: Headers) -> TooManyError | tuple[int, str] | None:
        """Return why a request is not served, or None."""
        if not readable(scope, headers):
            return 400, texts.UNREADABLE
        host, path = headers.get("host", ""), scope["path"]
        if not self._access.host_allowed(host):
            return 421, texts.WRONG_HOST
        for origin in headers.getlist("origin"):
            if not self._access.origin_allowed(origin, host, scope["scheme"]):
                return 403, texts.WRONG_ORIGIN
        if path.startswith(_UPLOADS) and not self._access.may_upload:
            return 403, texts.NO_UPLOAD
        if not path.startswith(_UNBOUNDED) and _length(headers) > self._max_body:
            return 413, texts.TOO_LARGE.format(self._max_body // 1024)
        if scope["method"] not in _SAFE and path.startswith(ASKING):
            try:
                self._rates.take((scope.get("client") or ("",))[0])
            except TooManyError as error:
                return error
        return None

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Count a body that says no length; past the limit it ends as if the client had left."""
        if scope["path"].startswith(_UNBOUNDED):
            return receive
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            return {"type": "http.disconnect"} if seen > self._max_body else message

        return counted

    def _sender(self, scope: Scope, send: Send, origin: str) -> Send:
        policy = self._policy(scope["path"])

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
                headers["Content-Security-Policy"] = policy
                headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
                del headers["Server"]
                # Ours alone decide who reads an answer.
                for name in ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"):
                    del headers[name]
                headers.add_vary_header("Origin")
                if origin:
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Expose-Headers"] = "Retry-After"
            await send(message)

        return sending

    def _policy(self, path: str) -> str:
        if path.startswith("/api/"):
            return "default-src 'none'; frame-ancestors 'none'"
        if path.startswith(_STATIC):
            return _STRICT + " ".join(["'self'", *sorted(self._access.origins)])
        return _GRADIO


async def _answer(send: Send, refused: TooManyError | tuple[int, str], scope: Scope) -> None:
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
        (b"access-control-allow-headers", b"content-type, accept"),
        (b"access-control-max-age", b"600"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _length(headers: Headers) -> int:
    # Python refuses to read thousands of digits; twenty say enough.
    return int(headers.get("content-length", "0")[:20])
