"""The owner's private routes: other processes of this user use its index (I3).

One a line of `OPERATIONS`; see `rag/operations.py` for what is said.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from rag.assistant import LocalAssistant
from rag.errors import RecoupeError
from rag.operations import HEADER, OPERATIONS, PATH, Operation, Told, made, plain

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

log = logging.getLogger(__name__)
Step = dict[str, Any]


def mount_owner_api(app: FastAPI, assistant: LocalAssistant, token: str) -> None:
    """Add the routes to `app`; each call must show `token`."""
    router = APIRouter(prefix=PATH, include_in_schema=False)
    for operation in OPERATIONS:
        router.add_api_route(
            f"/{operation.name}", _route(operation, assistant, token), methods=["POST"]
        )
    app.include_router(router)


def _route(operation: Operation, assistant: LocalAssistant, token: str) -> Callable[..., Any]:
    async def route(request: Request) -> Response:
        if not secrets.compare_digest(request.headers.get(HEADER, "").encode(), token.encode()):
            return _refused()
        said = json.loads(await request.body())
        return _Work(partial(_done, operation, assistant, said))

    return route


def _done(
    operation: Operation, assistant: LocalAssistant, said: Step, tell: Callable[[Step], None]
) -> Any:
    """Do an operation with the arguments that were said; return its result as JSON has it."""
    arguments: dict[str, Any] = {}
    for name, kind in operation.takes.items():
        if isinstance(kind, Told):
            arguments[name] = partial(_tell, kind, tell)
        elif name in said:
            arguments[name] = made(kind, said[name])
    return plain(operation.gives, getattr(assistant, operation.name)(**arguments))


def _tell(kind: Told, tell: Callable[[Step], None], *values: Any) -> None:
    tell({"told": [*map(plain, kind.takes, values)]})


class _Work(Response):
    """Work done in a thread of its own, as lines of JSON: a line a step, the result last.

    A caller that goes away does not stop it half-way.
    """

    media_type = "application/x-ndjson"

    def __init__(self, work: Callable[[Callable[[Step], None]], Any]) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._work = work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        steps: asyncio.Queue[Step | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(step: Step | None) -> None:
            with suppress(RuntimeError):  # the server has stopped; the work ends all the same
                loop.call_soon_threadsafe(steps.put_nowait, step)

        threading.Thread(target=_worked, args=(self._work, tell), name="travail").start()
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        while (step := await steps.get()) is not None:
            body = json.dumps(step).encode() + b"\n"
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _worked(
    work: Callable[[Callable[[Step], None]], Any], tell: Callable[[Step | None], None]
) -> None:
    try:
        tell({"result": work(tell)})
    except RecoupeError as error:
        log.info("%s", error, exc_info=True)
        tell({"error": type(error).__name__, "message": str(error)})
    except Exception:
        log.exception("travail pour un autre processus")
        message = "L'opération a échoué : voyez le journal ; l'index est resté entier."
        tell({"error": "RecoupeError", "message": message})
    finally:
        tell(None)


def _refused() -> Response:
    return JSONResponse({"error": "RecoupeError", "message": "Accès refusé."}, status_code=403)
