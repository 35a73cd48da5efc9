"""What pages and scripts weigh: compressed on the way, kept by a browser if they never change.

What the API answers is not compressed: a visitor's words would stand beside what is another's, and
the size of both would tell on it (BREACH, Gluck et al. 2013). A proxy that compresses has nothing
left to do.
"""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.web.site import STATIC

_COMPRESSED_PATHS = (*STATIC, "/theme.css", "/assets/", "/static/")
_LEAST_BYTES = 1000  # bytes; less is not worth it
_UNCHANGING = re.compile(r"/assets/.+-[\w-]{8,12}\.(?:js|css|woff2)")  # their hash is in the name
_FOR_A_YEAR = "public, max-age=31536000, immutable"


class Transport:
    """Sends what an application answers, lighter."""

    def __init__(self, app: ASGIApp) -> None:
        """Take the application."""
        self._app = app
        self._compressing = GZipMiddleware(app, minimum_size=_LEAST_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        path = scope.get("path", "")
        compressed = scope["type"] == "http" and (path == "/" or path.startswith(_COMPRESSED_PATHS))
        app = self._compressing if compressed else self._app
        unchanging = compressed and _UNCHANGING.fullmatch(path)
        await app(scope, receive, _keeping(send) if unchanging else send)


def _keeping(send: Send) -> Send:
    async def marking(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            MutableHeaders(scope=message)["Cache-Control"] = _FOR_A_YEAR
        await send(message)

    return marking
