"""The HTTP API of `/api/v1`: ask, search, verify, articles, health, feedback.

The public surface (ask, search, verify, read articles, say what one thinks)
and administration (push and remove articles, export feedback) are separate;
administration follows `Access`. Errors are problem documents. Documented in
French, and in English at `openapi.json?lang=en`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Depends, FastAPI, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST
from sse_starlette import EventSourceResponse, JSONServerSentEvent, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from rag import messages
from rag.answering.writing import PartialText
from rag.assistant import LocalAssistant
from rag.domain import (
    Answer,
    ArticleOrder,
    ArticlePage,
    ArticleQuery,
    CheckedClaim,
    Statement,
    StoredArticle,
    Verification,
)
from rag.errors import ArticleNotFoundError, ReadError, RemovedError
from rag.feedback import Feedback, FeedbackStore
from rag.french.words import excerpt
from rag.indexing.article_index import LONGEST_WORDS
from rag.readers import Bounds
from rag.sites import Site
from rag.sources.watch import silence
from rag.version import VERSION
from rag.web.access import Access
from rag.web.limits import Gate, LeftError, Rates, client_of, in_one_turn
from rag.web.metrics import Metrics
from rag.web.openapi import RESPONSES, document
from rag.web.problems import (
    ForbiddenError,
    add_problem_handlers,
    describe_error,
    problem,
    problem_body,
)
from rag.web.pushed import pushed_article
from rag.web.recording import ask as ask_recorded
from rag.web.recording import stream
from rag.web.schemas import (
    MOST_NAMES,
    ArticleBody,
    ArticleId,
    AskBody,
    Day,
    FeedbackBody,
    FiltersBody,
    Name,
    SearchBody,
    VerifyBody,
)
from rag.web.sites import OfSite, SiteAccess
from rag.web.turns import claims_in_turns
from rag.wire import (
    EVENTS,
    AllFeedbackOut,
    AnswerOut,
    ArticleOut,
    ArticlesOut,
    ArticleTextOut,
    ClaimOut,
    CopiesOut,
    DraftOut,
    FeedbackOut,
    HealthOut,
    HistoryOut,
    KeptOut,
    Out,
    PushedOut,
    SearchOut,
    SiteOut,
    StatementOut,
    VerificationOut,
    VersionOut,
)

log = logging.getLogger(__name__)
T = TypeVar("T")

_STREAM = "text/event-stream"
_LONGEST_IDS = 5000  # characters of the ids asked for at a time: a server bounds an address
_IDS = r"^[A-Za-z0-9._,-]*$"
_NAMES = Query(max_length=MOST_NAMES)
_GONE_STATUS = 499  # nobody reads it: the reader has left
_bearer = HTTPBearer(auto_error=False, scheme_name="Administration")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def build_api(
    assistant: LocalAssistant,
    access: Access,
    sites: SiteAccess,
    rates: Rates,
    gate: Gate,
    metrics: Metrics,
) -> FastAPI:
    """Return the application to mount at `/api/v1`."""

    def named(request: Request) -> None:
        request.state.site = sites.site(request)

    # Of the application, so that no address is without it.
    app = FastAPI(title="Recoupe", version=VERSION, docs_url=None, redoc_url=None,
                  openapi_url=None, responses=RESPONSES, dependencies=[Depends(named)])  # fmt: skip
    add_problem_handlers(app)
    settings = assistant.settings
    feedback = FeedbackStore(settings.index_dir, settings.retention_days, settings.feedback_max_mb)
    _asking(app, assistant, sites, rates, gate, metrics)
    _verifying(app, assistant, sites, rates, gate, metrics)
    _reading(app, assistant, access)
    _running(app, assistant, rates, feedback)
    _administration(app, assistant, access, feedback)

    @lru_cache
    def described(language: Literal["fr", "en"]) -> dict[str, Any]:
        return document(app, language)

    @app.get("/openapi.json", include_in_schema=False)
    def openapi(lang: str = "fr") -> JSONResponse:
        return JSONResponse(described("en" if lang == "en" else "fr"))

    return app


def _asking(
    app: FastAPI,
    assistant: LocalAssistant,
    sites: SiteAccess,
    rates: Rates,
    gate: Gate,
    metrics: Metrics,
) -> None:
    async def counted(request: Request, site: Site) -> None:
        """Count a question that has a place. Raises TooManyError."""
        rates.take_work()
        if site.name:
            gate.check(client_of(request))  # what is told to come back is not counted for the site
        await sites.take(site, 1)

    async def in_turn(request: Request, kind: str, call: Callable[..., T], *arguments: Any) -> T:
        async with gate.place(client_of(request)), gate.turn():
            with metrics.timed(kind):
                return await run_in_threadpool(call, *arguments)

    @app.post("/ask", operation_id="ask", response_model=AnswerOut)
    async def ask(body: AskBody, request: Request, site: OfSite) -> AnswerOut | Response:
        filters = site.filters(body.filters.filters())
        await counted(request, site)
        _heard(assistant, "question", body.question)
        history = [t.turn() for t in body.history]
        if _wants_stream(request):
            work = stream(assistant, body.question, history, filters, site.name)
            return _streamed(
                metrics, "ask", in_one_turn(gate, client_of(request), work), _ask_event
            )
        asked = (assistant, body.question, history, filters, site.name)
        answer = await in_turn(request, "ask", ask_recorded, *asked)
        metrics.answered(refused=answer.refused)
        return AnswerOut.of(answer)

    @app.post("/search", operation_id="search")
    async def search(body: SearchBody, request: Request, site: OfSite) -> SearchOut:
        filters = site.filters(body.filters.filters())
        await counted(request, site)
        _heard(assistant, "recherche", body.question)
        asked = (body.question, body.limit, filters)
        hits = await in_turn(request, "search", assistant.search, *asked)
        return SearchOut.of(hits)


def _verifying(
    app: FastAPI,
    assistant: LocalAssistant,
    sites: SiteAccess,
    rates: Rates,
    gate: Gate,
    metrics: Metrics,
) -> None:
    @app.post("/verify", operation_id="verify", response_model=VerificationOut)
    async def verify(
        body: VerifyBody, request: Request, site: OfSite
    ) -> VerificationOut | Response:
        visitor, filters = client_of(request), site.filters(body.filters.filters())
        rates.take_work()
        await sites.take(site, 0)  # before the text is split, which is work
        _heard(assistant, "vérification", body.text)
        count = partial(sites.take, site)
        try:
            steps = await claims_in_turns(
                assistant, gate, rates, visitor, body.text, filters, request.is_disconnected,
                site.name, count,
            )  # fmt: skip
        except LeftError:
            return Response(status_code=_GONE_STATUS)
        if _wants_stream(request):
            return _streamed(metrics, "verify", steps, _verify_event)
        with metrics.timed("verify"):
            async with aclosing(steps):
                async for step in steps:
                    if isinstance(step, Verification):
                        return VerificationOut.of(step)
                    if await request.is_disconnected():
                        break
        return Response(status_code=_GONE_STATUS)


def _heard(assistant: LocalAssistant, kind: str, text: str) -> None:
    if assistant.settings.log_questions:
        log.warning("%s : %s", kind, excerpt(text, 300))


def _reading(app: FastAPI, assistant: LocalAssistant, access: Access) -> None:
    @app.get("/articles", operation_id="listArticles")
    def articles(
        after: Annotated[str, Query(max_length=1000)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        ids: Annotated[str, Query(max_length=_LONGEST_IDS, pattern=_IDS)] = "",
        words: Annotated[str, Query(max_length=LONGEST_WORDS)] = "",
        source: Annotated[list[Name], _NAMES] = [],  # noqa: B006 - FastAPI copies it
        author: Annotated[list[Name], _NAMES] = [],  # noqa: B006
        section: Annotated[list[Name], _NAMES] = [],  # noqa: B006
        since: Day | None = None,
        until: Day | None = None,
        order: ArticleOrder | None = None,
        *,
        site: OfSite,
    ) -> ArticlesOut:
        catalogue = assistant.index.catalogue
        body = FiltersBody(
            sources=source, authors=author, sections=section, since=since, until=until
        )
        if words or order or body.filters():
            query = ArticleQuery(words, site.filters(body.filters()), order)
            results = assistant.browse(query, after, limit)
            total = catalogue.facets(site.bounds).articles
            return ArticlesOut.of_results(replace(results, total=total))
        if wanted := [i for i in ids.split(",") if i]:
            found = tuple(r for r in assistant.records(wanted) if site.sees(r.source))
            total = catalogue.facets(site.bounds).articles
            return ArticlesOut.of(ArticlePage(found, "", total))
        return ArticlesOut.of(catalogue.page(after, limit, part=site.bounds))

    @app.get("/articles/{article_id}", operation_id="getArticle")
    def article(
        article_id: Annotated[ArticleId, Path()], given: Credentials, site: OfSite
    ) -> ArticleTextOut | ArticleOut:
        stored = _of_site(assistant, article_id, site)
        if may_read(stored, given):
            return ArticleTextOut.of(stored)
        return ArticleOut.of(stored.record)

    def may_read(stored: StoredArticle, given: Credentials) -> bool:
        public = assistant.settings.public_text and not stored.record.source.paywalled
        return public or access.is_admin(given.credentials if given else "")

    @app.get("/articles/{article_id}/history", operation_id="getHistory")
    def history(
        article_id: Annotated[ArticleId, Path()], given: Credentials, site: OfSite
    ) -> HistoryOut:
        stored = _of_site(assistant, article_id, site)
        if not may_read(stored, given):
            check_admin(access, given.credentials if given else "")
        keeper = access.is_admin(given.credentials if given else "")
        # Before it was moved to the site, it may have been another's.
        past = [v for v in assistant.history(article_id) if site.sees(v.source)]
        shown = (v for v in past if keeper or not v.source.paywalled)  # it may be free today
        return HistoryOut(versions=list(map(VersionOut.of, shown)))

    @app.get("/articles/{article_id}/copies", operation_id="getCopies")
    def copies(article_id: Annotated[ArticleId, Path()], site: OfSite) -> CopiesOut:
        _of_site(assistant, article_id, site)  # says so when there is none
        found = (r for r in assistant.copies(article_id) if site.sees(r.source))
        return CopiesOut(copies=list(map(ArticleOut.of, found)))


def _of_site(assistant: LocalAssistant, article_id: str, site: Site) -> StoredArticle:
    """Return an article of a site; another's is not there. Raises ArticleNotFoundError."""
    stored = assistant.article(article_id)
    if not site.sees(stored.record.source):
        raise ArticleNotFoundError(messages.NO_SUCH_ARTICLE.format(article_id))
    return stored


def _running(
    app: FastAPI, assistant: LocalAssistant, rates: Rates, feedback: FeedbackStore
) -> None:
    @app.get("/health", operation_id="health")
    def health(response: Response, site: OfSite) -> HealthOut:
        index = assistant.index
        count = index.catalogue.facets(site.bounds).articles if site.name else index.articles()
        response.status_code = 200 if count else 503
        # What is followed tells of other sites too.
        states, now = [] if site.name else assistant.followed(), time.time()
        fed = max((s.fed for s in states), default=0.0)
        silences = [silence(s, assistant.settings.source_silence_hours, now) for s in states]
        return HealthOut(
            live=True,
            ready=count > 0,
            articles=count,
            ingested=datetime.fromtimestamp(fed, UTC) if fed else None,
            warnings=[t for t in silences if t],
        )

    @app.get("/site", operation_id="getSite")
    def look(site: OfSite) -> SiteOut:
        return SiteOut(**asdict(site.theme))

    @app.post("/feedback", operation_id="sendFeedback", status_code=201)
    def send_feedback(body: FeedbackBody) -> KeptOut:
        rates.take_work()
        key = feedback.add(Feedback(body.rating, body.question, body.answer, body.note))
        return KeptOut(id=key)


def _administration(
    app: FastAPI, assistant: LocalAssistant, access: Access, feedback: FeedbackStore
) -> None:
    def admin(given: Credentials) -> None:
        check_admin(access, given.credentials if given else "")

    guarded = [Depends(admin)]

    @app.put("/articles/{article_id}", operation_id="putArticle", dependencies=guarded)
    def put_article(
        article_id: Annotated[ArticleId, Path()],
        body: ArticleBody,
        readmit: Annotated[bool, Query()] = False,
    ) -> PushedOut:
        bounds = Bounds.of(assistant.settings)
        there = assistant.records([article_id])
        paid = any(record.source.paywalled for record in there)
        article = pushed_article(article_id, body, bounds, paid_before=paid)
        report = assistant.ingest([article], readmit=readmit)
        if report.barred:
            raise RemovedError(messages.REMOVED_BEFORE)
        if report.failed:
            raise ReadError(report.failed[0].reason)
        return PushedOut(
            article_id=article_id,
            status="new" if report.new else "updated" if report.updated else "unchanged",
        )

    @app.delete("/articles/{article_id}", operation_id="deleteArticle", dependencies=guarded,
                status_code=204, response_model=None)  # fmt: skip
    def delete_article(article_id: Annotated[ArticleId, Path()]) -> Response:
        assistant.article(article_id)  # says so when there is none
        assistant.remove([article_id])
        return Response(status_code=204)

    @app.get("/feedback", operation_id="exportFeedback", dependencies=guarded)
    def export_feedback() -> AllFeedbackOut:
        return AllFeedbackOut(feedback=[FeedbackOut(**row) for row in feedback.all()])


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
        raise ForbiddenError(403, messages.ADMIN_OFF)
    if not access.is_admin(token):
        raise ForbiddenError(401, messages.NEEDS_ADMIN)


def _wants_stream(request: Request) -> bool:
    return _STREAM in request.headers.get("accept", "")


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
        except Exception as error:  # noqa: BLE001 - told to the reader, logged by `describe_error`
            status, detail = describe_error(error)
            yield JSONServerSentEvent(problem_body(status, detail), event="error")

    return EventSourceResponse(events(), ping=15, send_timeout=30)


def _ask_event(event: Any) -> JSONServerSentEvent | None:
    if isinstance(event, Answer):
        return _event("ask", AnswerOut.of(event))
    if isinstance(event, Statement):
        return _event("ask", StatementOut.of(event))
    if isinstance(event, PartialText):
        return _event("ask", DraftOut(text=event.text))
    return None


def _verify_event(event: Verification | CheckedClaim) -> JSONServerSentEvent:
    if isinstance(event, Verification):
        return _event("verify", VerificationOut.of(event))
    return _event("verify", ClaimOut.of(event))


def _event(call: str, payload: Out) -> JSONServerSentEvent:
    """Return a payload as the event that `EVENTS` makes of it."""
    name = next(name for name, kind in EVENTS[call].items() if isinstance(payload, kind))
    return JSONServerSentEvent(payload.plain(), event=name)
