"""The widget's script and the pages around it: `/widget.js`, `/embed`, `/demo`, `/a-propos`."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from html import escape
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment

STATIC = ("/embed", "/demo", "/a-propos", "/widget")  # where what is served here begins
_YEAR = 365 * 24 * 3600
_TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}


@lru_cache
def read(name: str) -> str:
    """Return a file of the widget's folder."""
    return (files("rag.web") / "widget" / name).read_text(encoding="utf-8")


def version() -> str:
    """Return the version of the script: the head of its SHA-256."""
    return hashlib.sha256(read("widget.js").encode()).hexdigest()[:12]


def integrity() -> str:
    """Return the script's value for the `integrity` attribute (Subresource Integrity)."""
    digest = hashlib.sha384(read("widget.js").encode()).digest()
    return f"sha384-{base64.b64encode(digest).decode()}"


def snippet(host: str, key: str = "") -> str:
    """Return the lines that a site adds, with its key where it has one.

    The pinned script never changes under its version.
    """
    named = f' site="{key}"' if key else ""
    return (
        f'<script src="{host}/widget.{version()}.js" integrity="{integrity()}" '
        f'crossorigin="anonymous" async></script>\n<recoupe-chat{named}></recoupe-chat>'
    )


def mount_site(app: FastAPI, days: int) -> None:
    """Add the routes to `app`; `days` are those that questions are kept, 0 where they are not."""

    @app.get("/widget.js", include_in_schema=False)
    def script(request: Request) -> Response:
        return _text("widget.js", request, 300)

    @app.get("/widget.{wanted}.js", include_in_schema=False)
    def pinned(wanted: str, request: Request) -> Response:
        if wanted != version():
            return Response("// Cette version n'est plus servie.\n", 404, media_type=_TYPES["js"])
        return _text("widget.js", request, _YEAR)

    @app.get("/widget/{name}", include_in_schema=False)
    def asset(name: str, request: Request) -> Response:
        if name not in {"page.css", "demo.css"}:
            return Response(status_code=404)
        return _text(name, request, 300)

    @app.get("/embed", include_in_schema=False)
    def embed(site: str | None = None) -> HTMLResponse:
        page = read("embed.html")
        if site is not None:  # a key that is wrong too: without one it would ask the whole corpus
            page = page.replace("<recoupe-chat>", f'<recoupe-chat site="{escape(site[:100])}">')
        return HTMLResponse(page)

    @app.get("/a-propos", include_in_schema=False)
    def about() -> HTMLResponse:
        page = Environment(autoescape=True).from_string(read("about.html"))
        return HTMLResponse(page.render(days=days))

    @app.get("/demo", include_in_schema=False)
    def demo() -> HTMLResponse:
        return HTMLResponse(read("demo.html"))


def _text(name: str, request: Request, seconds: int) -> Response:
    content = read(name)
    tag = f'"{hashlib.sha256(content.encode()).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={seconds}"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=_TYPES[name.rpartition(".")[2]], headers=headers)
