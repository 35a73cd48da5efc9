"""Serve the chat, the API, the widget and the owner's routes, on one address."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import rag.web  # noqa: F401 - turns telemetry off before Gradio is imported
from rag.assistant import LocalAssistant
from rag.errors import StoreError
from rag.sources.watch import Watch

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)


def build_app(assistant: LocalAssistant, token: str) -> FastAPI:
    """Return the web application; `token` opens the owner's routes.

    Who may do what comes from the settings, see `Access`. Raises SettingsError.
    """
    from fastapi import FastAPI
    from fastapi.exceptions import RequestValidationError

    from rag.web.access import Access
    from rag.web.api import build_api, mount_metrics
    from rag.web.chat import mount_chat
    from rag.web.guard import Guard
    from rag.web.limits import Gate, Rates
    from rag.web.metrics import Metrics
    from rag.web.owner_api import mount_owner_api
    from rag.web.problems import invalid
    from rag.web.site import mount_site

    settings = assistant.settings
    access = Access.of(settings)
    rates = Rates(settings)
    gate = Gate(settings.concurrent, settings.waiting)
    metrics = Metrics(gate, assistant.index.articles)
    metrics.follow(assistant.followed)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None,
                  exception_handlers={RequestValidationError: invalid})  # fmt: skip
    app.add_middleware(Guard, access=access, rates=rates, max_body=settings.max_body_kb * 1024)
    # Without a token drawn by the owner nobody may use its routes.
    mount_owner_api(app, assistant, token or secrets.token_urlsafe(32))
    mount_metrics(app, access, metrics)
    app.mount("/api/v1", build_api(assistant, access, rates, gate, metrics))
    mount_site(app)
    return mount_chat(app, assistant, access, rates, gate)


def serve(assistant: LocalAssistant, on_ready: Callable[[str], None]) -> None:
    """Serve until interrupted; `on_ready` is told the address once it answers.

    Raises StoreError when the port is taken, SettingsError for a bad rule.
    """
    import uvicorn

    settings = assistant.settings
    listener = listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    reached = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - comparison only
    url = f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
    token = secrets.token_urlsafe(32)
    app = build_app(assistant, token)
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, date_header=False,
        timeout_keep_alive=5, h11_max_incomplete_event_size=64 * 1024,
    )  # fmt: skip
    server = uvicorn.Server(config)
    watch = Watch(assistant, assistant.memory, settings, settings.sources)

    async def run() -> None:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(0.05)
        if server.started:
            if assistant.ownership:
                assistant.ownership.announce(url, token)
            on_ready(url)
            watch.start()
        while not server.should_exit and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        # An ingestion handed over would keep the server, and the index, for hours.
        assistant.stop()
        await asyncio.to_thread(watch.stop)
        await task

    try:
        asyncio.run(run())
    finally:
        # What is still being written keeps the index for a while: others wait for it.
        if assistant.ownership:
            assistant.ownership.withdraw()


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket. Raises StoreError, in French, when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StoreError(
            f"Le port {port} de {host} ne peut pas être ouvert ({error.strerror}) : arrêtez ce qui "
            "l'occupe ou choisissez-en un autre avec RECOUPE_PORT."
        ) from error
    return listener
