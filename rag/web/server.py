"""Serve the chat, the API and the widget on one address, the owner's routes on a socket apart."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import rag.web  # noqa: F401 - turns telemetry off before Gradio is imported
from rag import messages, texts
from rag.assistant import LocalAssistant
from rag.domain import Verification
from rag.errors import MissingExtraError, StoreError, why
from rag.sites import Sites
from rag.sources.watch import Watch

if TYPE_CHECKING:
    from fastapi import FastAPI
    from mcp.server.mcpserver import MCPServer
    from starlette.routing import BaseRoute

    from rag.web.limits import Gate, Rates

log = logging.getLogger(__name__)

_DESCRIPTORS = 65_536


def build_app(assistant: LocalAssistant) -> FastAPI:
    """Return the web application, as the public reaches it.

    Who may do what comes from the settings, see `Access`. Raises SettingsError.
    """
    from fastapi import FastAPI
    from fastapi.exceptions import RequestValidationError
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    from rag.web.access import Access
    from rag.web.api import build_api, mount_metrics
    from rag.web.chat import mount_chat
    from rag.web.guard import Guard
    from rag.web.limits import Gate, Rates
    from rag.web.metrics import Metrics
    from rag.web.newsroom import mount_newsroom
    from rag.web.openai_api import build_openai_api
    from rag.web.problems import invalid
    from rag.web.site import mount_site
    from rag.web.sites import SiteAccess
    from rag.web.transport import Transport

    settings = assistant.settings
    access = Access.of(settings)
    rates = Rates(settings)
    gate = Gate(settings.concurrent, settings.waiting)
    # Of the index that serves then: another may take the place of this one.
    metrics = Metrics(gate, lambda: assistant.index.articles())  # noqa: PLW0108
    metrics.follow(assistant.followed)
    sites = SiteAccess(Sites(settings.index_dir), access, metrics, required=settings.require_site)
    tools = _tools(assistant, gate, rates)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=_lifespan(tools),
                  exception_handlers={RequestValidationError: invalid})  # fmt: skip
    mount_metrics(app, access, metrics)
    app.mount("/api/v1", build_api(assistant, access, sites, rates, gate, metrics))
    app.mount("/v1", build_openai_api(assistant, rates, gate, metrics))
    if tools:
        app.router.routes.extend(_mcp_routes(tools))
    mount_site(app, settings.keep_questions_days if settings.keep_questions else 0)
    mount_newsroom(app, assistant, access)
    events = mount_chat(app, assistant, access, rates, gate)
    max_body = settings.max_body_kb * 1024
    app.add_middleware(Transport)
    app.add_middleware(
        Guard, access=access, sites=sites, rates=rates, events=events, max_body=max_body
    )
    if settings.trusted_proxies:
        # Outermost: what a proxy says of the visitor is read, from it alone, before all else.
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    return app


def _tools(assistant: LocalAssistant, gate: Gate, rates: Rates) -> MCPServer[Any] | None:
    """Return the tools for assistants; None where the package `mcp` is not installed."""
    from starlette.concurrency import run_in_threadpool

    from rag.web.limits import VISITOR
    from rag.web.mcp_server import build_tools
    from rag.web.recording import RecordedReads
    from rag.web.turns import claims_in_turns

    async def in_turn(function: Callable[..., Any], *arguments: Any) -> Any:
        rates.take_work()
        async with gate.place(VISITOR.get()), gate.turn():
            return await run_in_threadpool(function, *arguments)

    async def checked(text: str) -> Verification:
        rates.take_work()
        steps = await claims_in_turns(assistant, gate, rates, VISITOR.get(), text)
        async with aclosing(steps):
            found = [step async for step in steps if isinstance(step, Verification)]
        return found[-1]

    settings = assistant.settings
    try:
        reads = RecordedReads(assistant)
        return build_tools(reads, in_turn, checked, settings, whole=settings.public_text)
    except MissingExtraError as error:
        log.info("%s", error)
        return None


def _mcp_routes(tools: MCPServer[Any]) -> list[BaseRoute]:
    """Return the routes of `/mcp`; hosts, origins and sizes are the guard's (`guard.py`)."""
    from mcp.server.transport_security import TransportSecuritySettings

    served = tools.streamable_http_app(
        streamable_http_path="/mcp",
        json_response=True,
        stateless_http=True,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    return list(served.routes)


def _lifespan(
    tools: MCPServer[Any] | None,
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if tools:
                await stack.enter_async_context(tools.session_manager.run())
            yield

    return lifespan


def serve(assistant: LocalAssistant, on_ready: Callable[[str], None]) -> None:
    """Serve until interrupted; `on_ready` is told the address once it answers.

    Raises StoreError when the port is taken, SettingsError for a bad rule.
    """
    import uvicorn

    from rag.web.owner_api import OwnerServer

    settings = assistant.settings
    if settings.public_url and not settings.trusted_proxies:
        log.warning(texts.NO_TRUSTED_PROXY)
    _more_descriptors()
    listener = listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    reached = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - comparison only
    url = f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
    app = build_app(assistant)
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False, server_header=False,
        date_header=False, proxy_headers=False, timeout_keep_alive=5,
        h11_max_incomplete_event_size=64 * 1024,
    )  # fmt: skip
    server = uvicorn.Server(config)
    others = OwnerServer(assistant)
    watch = Watch(assistant, assistant.memory, settings, settings.sources)

    async def run() -> None:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not task.done():  # noqa: ASYNC110 - uvicorn has no event
            await asyncio.sleep(0.05)
        if server.started:
            # What is there now stays: the collector no longer goes through it, which took 0.1 s of
            # a question now and then.
            gc.collect()
            gc.freeze()
            if assistant.ownership:
                others.start()
                assistant.ownership.announce(others.address, others.token, url)
            on_ready(url)
            watch.start()
        while not server.should_exit and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        # Commands that come now wait for the index instead of handing their work over.
        if assistant.ownership:
            assistant.ownership.withdraw()
        # An ingestion handed over would keep the server, and the index, for hours.
        assistant.stop()
        await asyncio.to_thread(watch.stop)
        await asyncio.to_thread(others.stop)
        await task

    try:
        asyncio.run(run())
    finally:
        others.stop()
        # What is still being written keeps the index for a while: others wait for it.
        if assistant.ownership:
            assistant.ownership.withdraw()


def _more_descriptors() -> None:
    """Let this process hold as many connections as the system allows it; an answer keeps two."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket. Raises StoreError, in French, when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StoreError(messages.PORT_UNUSABLE.format(port, host, why(error))) from error
    return listener
