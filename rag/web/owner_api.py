"""The owner's private routes: other processes of this user use its index (I3)."""

from __future__ import annotations

import json
import logging
import queue
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from rag.assistant import LocalAssistant
from rag.checking.verification import Verification
from rag.domain import IngestReport
from rag.errors import RecoupeError
from rag.remote import HEADER, PATH, AskCall, IngestCall, PageCall, SearchCall, VerifyCall

log = logging.getLogger(__name__)
Told = Callable[[dict[str, Any]], None]


def mount_owner_api(app: FastAPI, assistant: LocalAssistant, token: str) -> None:
    """Add the routes to `app`; each call must show `token`."""
    router = APIRouter(prefix=PATH, include_in_schema=False)

    def serves(name: str, argument: Any, call: Callable[[Any], Any]) -> None:
        async def route(request: Request) -> Response:
            if not _allowed(request, token):
                return _refused()
            value = TypeAdapter(argument).validate_json(await request.body())
            try:
                result = await run_in_threadpool(call, value)
            except RecoupeError as error:
                return _failed(error)
            body = TypeAdapter(type(result)).dump_json(result)
            return Response(body, media_type="application/json")

        router.add_api_route(f"/{name}", route, methods=["POST"])

    serves("records", None, lambda _: assistant.records())
    serves("page", PageCall, lambda c: assistant.page(c.after, c.limit, c.words))
    serves("facets", None, lambda _: assistant.facets())
    serves("article", str, assistant.article)
    serves("search", SearchCall, lambda c: assistant.search(c.question, c.limit, c.filters))
    serves("ask", AskCall, lambda c: assistant.ask(c.question, c.history, c.filters))
    serves("remove", list[str], assistant.remove)
    serves("check", None, lambda _: assistant.check())
    serves("repair", None, lambda _: assistant.repair())
    serves("compact", None, lambda _: assistant.compact())

    def streams(name: str, argument: Any, call: Callable[[Any, Told], Any]) -> None:
        async def route(request: Request) -> Response:
            if not _allowed(request, token):
                return _refused()
            value = TypeAdapter(argument).validate_json(await request.body())
            return StreamingResponse(
                _steps(lambda told: call(value, told)), media_type="application/x-ndjson"
            )

        router.add_api_route(f"/{name}", route, methods=["POST"])

    streams("ingest", IngestCall, lambda c, told: _ingest(assistant, c, told))
    streams("verify", VerifyCall, lambda c, told: _verify(assistant, c, told))
    app.include_router(router)


def _ingest(assistant: LocalAssistant, call: IngestCall, told: Told) -> IngestReport:
    def step(done: int, total: int) -> None:
        told({"done": done, "total": total})

    return assistant.ingest(call.reading, call.prune, step)


def _verify(assistant: LocalAssistant, call: VerifyCall, told: Told) -> Verification:
    return assistant.verify(call.text, call.filters, lambda claim: told({"claim": _plain(claim)}))


def _steps(work: Callable[[Told], Any]) -> Iterator[str]:
    """Do long work in a thread of its own; yield one JSON line a step, the result last.

    A caller that goes away does not stop it half-way.
    """
    steps: queue.Queue[dict[str, Any] | None] = queue.Queue()

    def run() -> None:
        try:
            steps.put({"result": _plain(work(steps.put))})
        except RecoupeError as error:
            steps.put({"error": type(error).__name__, "message": str(error)})
        except Exception:
            log.exception("travail long")
            message = "L'opération a échoué : voyez le journal ; l'index est resté entier."
            steps.put({"error": "RecoupeError", "message": message})
        finally:
            steps.put(None)

    threading.Thread(target=run, name="travail long").start()
    while (step := steps.get()) is not None:
        yield json.dumps(step) + "\n"


def _plain(value: Any) -> Any:
    return TypeAdapter(type(value)).dump_python(value, mode="json")


def _allowed(request: Request, token: str) -> bool:
    return secrets.compare_digest(request.headers.get(HEADER, "").encode(), token.encode())


def _refused() -> Response:
    return JSONResponse({"error": "RecoupeError", "message": "Accès refusé."}, status_code=403)


def _failed(error: RecoupeError) -> Response:
    log.info("%s", error, exc_info=True)
    body = {"error": type(error).__name__, "message": str(error)}
    return JSONResponse(body, status_code=422)
