"""The HTTP API of `/api/v1`: ask, search, verify, articles, health, feedback.

The public surface (ask, search, verify, read articles, say what one thinks)
and administration (push and remove articles, export feedback) are separate;
administration follows `Access`. Errors are problem documents. Documented in
French, and in English at `openapi.json?lang=en`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST
from sse_starlette import EventSourceResponse, JSONServerSentEvent, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from rag import __version__, texts
from rag.assistant import LocalAssistant
from rag.chatmodel.writing import Draft
from rag.checking.verification import Verification, claim_json, verification_json
from rag.domain import (
    Answer,
    Reading,
    Statement,
    answer_json,
    hit_json,
    record_json,
    statement_json,
)
from rag.errors import ReadError
from rag.french.words import excerpt
from rag.readers import Bounds
from rag.web.access import Access
from rag.web.feedback import Feedback, FeedbackStore
from rag.web.limits import Gate, Rates, client_of, in_one_turn
from rag.web.metrics import Metrics
from rag.web.openapi import RESPONSES, document
from rag.web.problems import ForbiddenError, add_problem_handlers, problem, problem_body, told
from rag.web.pushed import pushed_article
from rag.web.schemas import ArticleBody, ArticleId, AskBody, FeedbackBody, SearchBody, VerifyBody
from rag.web.turns import claims_in_turns

log = logging.getLogger(__name__)
T = TypeVar("T")

_STREAM = "text/event-stream"
_GONE = 499  # nobody reads it: the reader has left
_bearer = HTTPBearer(auto_error=False, scheme_name="Administration")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def build_api(
    assistant: LocalAssistant, access: Access, rates: Rates, gate: Gate, metrics: Metrics
) -> FastAPI:
    """Return the application to mount at `/api/v1`."""
    app = FastAPI(title="Recoupe", version=__version__, docs_url=None, redoc_url=None,
                  openapi_url=None, responses=RESPONSES)  # fmt: skip
    add_problem_handlers(app)
    settings = assistant.settings
    feedback = FeedbackStore(settings.index_dir, settings.retention_days, settings.feedback_max_mb)
    _asking(app, assistant, gate, metrics)
    _verifying(app, assistant, rates, gate, metrics)
    _reading(app, assistant, access, feedback)
    _administration(app, assistant, access, feedback)

    @app.get("/openapi.json", include_in_schema=False)
    def openapi(lang: str = "fr") -> JSONResponse:
        return JSONResponse(document(app, "en" if lang == "en" else "fr"))

    return app


def _asking(app: FastAPI, assistant: LocalAssistant, gate: Gate, metrics: Metrics) -> None:
    async def in_turn(kind: str, call: Callable[..., T], *arguments: Any) -> T:
        async with gate.place(), gate.turn():
            with metrics.timed(kind):
                return await run_in_threadpool(call, *arguments)

    @app.post("/ask", operation_id="ask", response_model=None)
    async def ask(body: AskBody, request: Request) -> Response:
        _heard(assistant, "question", body.question)
        history = [t.turn() for t in body.history]
        filters = body.filters.filters()
        if _wants_stream(request):
            work = assistant.stream(body.question, history, filters)
            return _streamed(metrics, "ask", in_one_turn(gate, work), _ask_event)
        answer = await in_turn("ask", assistant.ask, body.question, history, filters)
        metrics.answered(refused=answer.refused)
        return JSONResponse(answer_json(answer))

    @app.post("/search", operation_id="search", response_model=None)
    async def search(body: SearchBody) -> Response:
        _heard(assistant, "recherche", body.question)
        asked = (body.question, body.limit, body.filters.filters())
        hits = await in_turn("search", assistant.search, *asked)
        return JSONResponse({"passages": [hit_json(h) for h in hits]})


def _verifying(
    app: FastAPI, assistant: LocalAssistant, rates: Rates, gate: Gate, metrics: Metrics
) -> None:
    @app.post("/verify", operation_id="verify", response_model=None)
    async def verify(body: VerifyBody, request: Request) -> Response:
        _heard(assistant, "vérification", body.text)
        visitor, filters = client_of(request), body.filters.filters()
        steps = await claims_in_turns(assistant, gate, rates, visitor, body.text, filters)
        if _wants_stream(request):
            return _streamed(metrics, "verify", steps, _verify_event)
        with metrics.timed("verify"):
            async with aclosing(steps):
                async for step in steps:
                    if isinstance(step, Verification):
                        return JSONResponse(verification_json(step))
                    if await request.is_disconnected():
                        break
        return Response(status_code=_GONE)


def _heard(assistant: LocalAssistant, kind: str, text: str) -> None:
    if assistant.settings.log_questions:
        log.warning("%s : %s", kind, excerpt(text, 300))


def _reading(
    app: FastAPI, assistant: LocalAssistant, access: Access, feedback: FeedbackStore
) -> None:
    @app.get("/articles", operation_id="listArticles", response_model=None)
    def articles(
        after: Annotated[str, Query(max_length=1000)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Response:
        page = assistant.page(after, limit)
        shown = [_public_record(r) for r in page.records]
        return JSONResponse({"articles": shown, "next": page.next, "total": page.total})

    @app.get("/articles/{article_id}", operation_id="getArticle", response_model=None)
    def article(article_id: Annotated[ArticleId, Path()], given: Credentials) -> Response:
        stored = assistant.article(article_id)
        shown = _public_record(stored.record)
        if assistant.settings.public_text or access.is_admin(given.credentials if given else ""):
            shown["text"] = stored.text
        return JSONResponse(shown)

    @app.get("/health", operation_id="health", response_model=None)
    def health() -> Response:
        count = assistant.index.articles()
        body = {"live": True, "ready": count > 0, "articles": count}
        return JSONResponse(body, 200 if count else 503)

    @app.post("/feedback", operation_id="sendFeedback", status_code=201, response_model=None)
    def send_feedback(body: FeedbackBody) -> Response:
        key = feedback.add(Feedback(body.rating, body.question, body.answer, body.note))
        return JSONResponse({"id": key}, 201)


def _administration(
    app: FastAPI, assistant: LocalAssistant, access: Access, feedback: FeedbackStore
) -> None:
    def admin(given: Credentials) -> None:
        check_admin(access, given.credentials if given else "")

    guarded = [Depends(admin)]

    @app.put("/articles/{article_id}", operation_id="putArticle", dependencies=guarded,
             response_model=None)  # fmt: skip
    def put_article(article_id: Annotated[ArticleId, Path()], body: ArticleBody) -> Response:
        bounds = Bounds.of(assistant.settings)
        report = assistant.ingest(Reading((pushed_article(article_id, body, bounds),)))
        if report.failed:
            raise ReadError(report.failed[0].reason)
        status = "new" if report.new else "updated" if report.updated else "unchanged"
        return JSONResponse({"article_id": article_id, "status": status})

    @app.delete("/articles/{article_id}", operation_id="deleteArticle", dependencies=guarded,
                status_code=204, response_model=None)  # fmt: skip
    def delete_article(article_id: Annotated[ArticleId, Path()]) -> Response:
        assistant.article(article_id)  # says so when there is none
        assistant.remove([article_id])
        return Response(status_code=204)

    @app.get("/feedback", operation_id="exportFeedback", dependencies=guarded, response_model=None)
    def export_feedback() -> Response:
        return JSONResponse({"feedback": list(feedback.all())})


def mount_metrics(app: FastAPI, access: Access, metrics: Metrics) -> None:
    """Add `/metrics` (Prometheus) to `app`, for administrators."""

    @app.get("/metrics", include_in_schema=False)
    def exposition(request: Request, given: Credentials) -> Response:
        try:
            check_admin(access, given.credentials if given else "")
        except ForbiddenError as error:
            return problem(error.status, str(error), request)
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)


def check_admin(access: Access, token: str) -> None:
    """Let an administrator through. Raises ForbiddenError."""
    if not access.has_admin:
        raise ForbiddenError(403, texts.ADMIN_OFF)
    if not access.is_admin(token):
        raise ForbiddenError(401, texts.NEEDS_ADMIN)


def _wants_stream(request: Request) -> bool:
    return _STREAM in request.headers.get("accept", "")


def _public_record(record: Any) -> dict[str, Any]:
    # The file's place on the server's disk is nobody's business.
    return {k: v for k, v in record_json(record).items() if k != "path"}


def _streamed(
    metrics: Metrics,
    name: str,
    steps: AsyncGenerator[Any],
    to_event: Callable[[Any], JSONServerSentEvent | None],
) -> EventSourceResponse:
    """Stream the steps of work as events.

    A reader that leaves stops it: the generator, and the model behind it, are closed.
    """

    async def events() -> AsyncIterator[ServerSentEvent]:
        try:
            with metrics.timed(name):
                async with aclosing(steps):
                    async for step in steps:
                        if isinstance(step, Answer):
                            metrics.answered(refused=step.refused)
                        if event := to_event(step):
                            yield event
        except Exception as error:  # noqa: BLE001 - told to the reader, logged by `told`
            status, detail = told(error)
            yield JSONServerSentEvent(problem_body(status, detail), event="error")

    return EventSourceResponse(events(), ping=15, send_timeout=30)


def _ask_event(event: Any) -> JSONServerSentEvent | None:
    if isinstance(event, Answer):
        return JSONServerSentEvent(answer_json(event), event="done")
    if isinstance(event, Statement):
        return JSONServerSentEvent(statement_json(event), event="statement")
    if isinstance(event, Draft):
        return JSONServerSentEvent({"text": event.text}, event="draft")
    return None


def _verify_event(event: Any) -> JSONServerSentEvent:
    if isinstance(event, Verification):
        return JSONServerSentEvent(verification_json(event), event="done")
    return JSONServerSentEvent(claim_json(event), event="claim")
