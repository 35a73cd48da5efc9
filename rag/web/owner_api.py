"""The owner's private routes: other processes of this user use its index (I3).

One a line of `OPERATIONS`; see `rag/operations.py` for what is said.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from rag import messages
from rag.assistant import LocalAssistant
from rag.errors import RecoupeError, StoreError
from rag.indexing.owner import discard, listen_for_others
from rag.operations import HEADER, OPERATIONS, PATH, Callback, Operation, Stream, made, to_json

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import Receive, Scope, Send

log = logging.getLogger(__name__)
Message = dict[str, Any]

_ITEMS_AHEAD = 16  # items asked for at a time
_LINGER_SECONDS = 5.0  # seconds for a caller whose articles are not wanted any more to go
_PATIENCE_SECONDS = 600.0  # seconds without an item after which its sender is taken for lost


class OwnerServer:
    """Serves the owner's routes to this user's other processes, in a thread of its own.

    It listens apart from the public: on a socket that this user alone may open, see `Owner`.
    """

    def __init__(self, assistant: LocalAssistant) -> None:
        """Take the assistant, whose index's folder has the socket."""
        self._assistant = assistant
        self._server: uvicorn.Server | None = None
        self.address = self.token = ""

    def start(self) -> None:
        """Serve from now on. Raises StoreError where no socket can be made."""
        import uvicorn

        listener, self.address = listen_for_others(self._assistant.settings.index_dir)
        if listener.family == socket.AF_INET:  # anybody on this machine may connect
            self.token = secrets.token_urlsafe(32)
        config = uvicorn.Config(
            build_owner_api(self._assistant, self.token), log_config=None, log_level="warning",
            access_log=False, server_header=False, date_header=False, proxy_headers=False,
        )  # fmt: skip
        self._server = server = uvicorn.Server(config)
        self._thread = threading.Thread(target=server.run, args=([listener],), name="propriétaire")
        self._thread.start()
        while not server.started and self._thread.is_alive():
            time.sleep(0.01)

    def stop(self) -> None:
        """End, once the calls under way have; the assistant refuses changes before."""
        if self._server:
            self._server.should_exit = True
            self._thread.join()
            self._server = None
        discard(self.address)


def build_owner_api(assistant: LocalAssistant, token: str = "") -> FastAPI:
    """Return the application of the owner's routes; a call must show `token`, if there is one."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    for operation in OPERATIONS:
        app.add_api_route(
            f"{PATH}/{operation.name}", _route(operation, assistant, token), methods=["POST"]
        )
    return app


def _route(operation: Operation, assistant: LocalAssistant, token: str) -> Callable[..., Any]:
    async def route(request: Request) -> Response:
        given = request.headers.get(HEADER, "")
        if token and not secrets.compare_digest(given.encode(), token.encode()):
            return _refused()
        lines = _lines(request)
        body = json.loads(await anext(lines))
        heard = _Heard(lines, asyncio.get_running_loop(), lambda: assistant.stopping)
        return _Work(partial(_done, operation, assistant, body, heard), heard)

    return route


def _done(
    operation: Operation,
    assistant: LocalAssistant,
    body: Message,
    heard: _Heard,
    tell: Callable[[Message], None],
) -> Any:
    """Do an operation with the arguments of a request's body; return its result as JSON has it."""
    arguments: dict[str, Any] = {}
    for name, kind in operation.takes.items():
        if isinstance(kind, Callback):
            arguments[name] = partial(_tell, kind, tell)
        elif isinstance(kind, Stream):
            arguments[name] = _sent(kind, heard, tell)
        elif name in body:
            arguments[name] = made(kind, body[name])
    return to_json(operation.gives, getattr(assistant, operation.name)(**arguments))


def _sent(kind: Stream, heard: _Heard, tell: Callable[[Message], None]) -> Iterator[Any]:
    """Yield the items that the caller sends, asking for a few at a time."""
    heard.all = False
    while True:
        tell({"more": _ITEMS_AHEAD})
        for _ in range(_ITEMS_AHEAD):
            item = json.loads(heard.line())
            if item is None:
                heard.all = True
                return
            yield kind.made(item)


class _Heard:
    """The further lines of a request, for a thread that works on it.

    The caller is told when to send: what it sends unasked waits in its own socket. `all`
    tells that nothing more is to come.
    """

    def __init__(
        self,
        lines: AsyncGenerator[bytes],
        loop: asyncio.AbstractEventLoop,
        stopping: Callable[[], bool],
    ) -> None:
        self._lines = lines
        self._loop = loop
        self._stopping = stopping
        self.all = True

    def line(self) -> bytes:
        """Wait for the next line.

        Raises StoreError when the app stops, RecoupeError when the caller has gone, or says
        nothing for so long that it may as well have: others wait for the index.
        """
        coming = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                return coming.result(0.5)
            except TimeoutError:
                if self._stopping():
                    coming.cancel()
                    raise StoreError(messages.CLOSING) from None
            except (StopAsyncIteration, ClientDisconnect, CancelledError) as error:
                raise RecoupeError(messages.SENDER_LEFT) from error
        coming.cancel()
        raise RecoupeError(messages.SENDER_SILENT.format(_PATIENCE_SECONDS))

    async def _next(self) -> bytes:
        return await anext(self._lines)


async def _lines(request: Request) -> AsyncGenerator[bytes]:
    """Yield the lines of a body as they come."""
    begun: list[bytes] = []
    async for chunk in request.stream():
        first, *others = chunk.split(b"\n")
        begun.append(first)
        for other in others:
            yield b"".join(begun)
            begun = [other]


def _tell(kind: Callback, tell: Callable[[Message], None], *values: Any) -> None:
    tell({"told": [*map(to_json, kind.takes, values)]})


class _Work(Response):
    """Work done in a thread of its own, as lines of JSON: a line a step, the result last.

    A caller that goes away does not stop it half-way.
    """

    media_type = "application/x-ndjson"

    def __init__(self, work: Callable[[Callable[[Message], None]], Any], heard: _Heard) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._work = work
        self._heard = heard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        steps: asyncio.Queue[Message | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(step: Message | None) -> None:
            with suppress(RuntimeError):  # the server has stopped; the work ends all the same
                loop.call_soon_threadsafe(steps.put_nowait, step)

        threading.Thread(target=_worked, args=(self._work, tell), name="travail").start()
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        while (step := await steps.get()) is not None:
            body = json.dumps(step).encode() + b"\n"
            await send({"type": "http.response.body", "body": body, "more_body": True})
        if not self._heard.all:
            # A connection that is closed on what was not read takes the answer with it.
            with suppress(TimeoutError):
                async with asyncio.timeout(_LINGER_SECONDS):
                    while (await receive())["type"] != "http.disconnect":
                        pass
        await send({"type": "http.response.body", "body": b""})


def _worked(
    work: Callable[[Callable[[Message], None]], Any], tell: Callable[[Message | None], None]
) -> None:
    try:
        tell({"result": work(tell)})
    except RecoupeError as error:
        log.info("%s", error, exc_info=True)
        tell({"error": type(error).__name__, "message": str(error)})
    except Exception:
        log.exception("travail pour un autre processus")
        tell({"error": "RecoupeError", "message": messages.OPERATION_FAILED})
    finally:
        tell(None)


def _refused() -> Response:
    body = {"error": "RecoupeError", "message": messages.ACCESS_DENIED}
    return JSONResponse(body, status_code=403)
