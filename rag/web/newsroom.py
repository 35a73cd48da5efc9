"""`/redaction`: what readers asked and what they got, for the newsroom, behind its token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from fastapi import FastAPI, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from rag import messages, texts
from rag.answering.followup import stands_alone
from rag.errors import QuestionError, RecoupeError
from rag.exchanges.reference import Reference
from rag.exchanges.store import Exchange, Wanted
from rag.french.words import fold
from rag.web.newsroom_login import PATH, NewsroomLogin, check_origin
from rag.web.newsroom_views import VIEWS, Newsroom, exchanges_csv, html
from rag.web.problems import ForbiddenError, describe_error, problem

if TYPE_CHECKING:
    from rag.assistant import LocalAssistant
    from rag.web.access import Access

_PRIVATE_HEADERS = {"Cache-Control": "no-store"}
_DONE = {
    "gardee": texts.REFERENCE_KEPT,
    "suite": texts.REFERENCE_FOLLOW_UP,
    "otee": texts.REFERENCE_REMOVED,
}
_MOST_PAGES = 4000
_TITLED, _MOST_NAMED = 200, 5  # articles that a title is looked for among, and that are named
Site = Annotated[str | None, Query(max_length=200)]
Text = Annotated[str, Form(max_length=500)]


def mount_newsroom(app: FastAPI, assistant: LocalAssistant, access: Access) -> None:
    """Add the routes to `app`. Raises StoreError where the logins' key cannot be read."""
    settings = assistant.settings
    secure = settings.public_url.lower().startswith("https:")
    login = NewsroomLogin(settings.index_dir, access, secure=secure)
    _logging_in(app, login)
    page = _Page(assistant, login)
    _reading(app, assistant, login, page)
    _choosing(app, assistant, login, page)


def _logging_in(app: FastAPI, login: NewsroomLogin) -> None:
    @app.get(f"{PATH}/page.css", include_in_schema=False)
    def style() -> Response:
        css = (files("rag.web") / "newsroom.css").read_text(encoding="utf-8")
        return Response(css, media_type="text/css", headers={"Cache-Control": "max-age=300"})

    @app.post(f"{PATH}/connexion", include_in_schema=False)
    def log_in(request: Request, token: Text = "") -> Response:
        if not login.exists:
            return _closed()
        try:
            check_origin(request)
        except ForbiddenError as error:
            return _told(error, request)
        response = RedirectResponse(PATH, 303, headers=_PRIVATE_HEADERS)
        if not login.open(token.strip(), request, response):
            return _login_page(texts.WRONG_TOKEN)
        return response

    @app.post(f"{PATH}/deconnexion", include_in_schema=False)
    def log_out(request: Request, form: Text = "") -> Response:
        try:
            login.check_form(request, form)
        except ForbiddenError as error:
            return _told(error, request)
        response = RedirectResponse(PATH, 303, headers=_PRIVATE_HEADERS)
        login.close(response)
        return response


@dataclass(frozen=True, slots=True)
class _Failed:
    """What could not be kept: of which exchange, said in which form of the page, and why."""

    exchange: int
    place: str
    article: str
    problem: str


class _Page:
    """The page, as it is read and as it comes back from a form that could not be taken."""

    def __init__(self, assistant: LocalAssistant, login: NewsroomLogin) -> None:
        """Take what is shown, and the logins, whose token each form bears."""
        self._assistant = assistant
        self._newsroom = Newsroom(assistant)
        self._login = login

    def show(
        self, session: str, site: str | None, voir: str, page: int, *,
        done: str = "", failed: _Failed | None = None,
    ) -> Response:  # fmt: skip
        """Return the page."""
        view = voir if voir in VIEWS else "refus"
        found = self._newsroom.overview(site, view, page)
        settings = self._assistant.settings
        body = html(
            "newsroom.html",
            found=found,
            site=site,
            view=view,
            views={name: label for name, (label, _) in VIEWS.items()},
            page=page,
            form=self._login.form_token(session),
            done=done,
            failed=failed,
            recording=settings.keep_questions,
            days=settings.keep_questions_days,
            retention=settings.retention_days,
            address=lambda **values: _address(site, view, values),
            reference_id=reference_id,
            references={r.id for r in found.references},
        )
        return HTMLResponse(body, 422 if failed else 200, headers=_PRIVATE_HEADERS)

    def again(self, request: Request, address: str, failed: _Failed) -> Response:
        """Return the page that a form was sent from, with what was written in it."""
        query = dict(parse_qsl(urlsplit(address).query)) if address.startswith(f"{PATH}?") else {}
        number = query.get("page", "")
        page = int(number) if re.fullmatch(r"[1-9]\d{0,3}", number, re.ASCII) else 1
        session = self._login.session(request)
        return self.show(
            session, query.get("site"), query.get("voir", ""), min(page, _MOST_PAGES), failed=failed
        )


def _reading(app: FastAPI, assistant: LocalAssistant, login: NewsroomLogin, shown: _Page) -> None:
    @app.get(PATH, include_in_schema=False)
    def page(
        request: Request,
        site: Site = None,
        voir: Annotated[str, Query(max_length=20)] = "refus",
        page: Annotated[int, Query(ge=1, le=_MOST_PAGES)] = 1,
        fait: Annotated[str, Query(max_length=20)] = "",
    ) -> Response:
        if not login.exists:
            return _closed()
        session = login.session(request)
        if not session:
            return _login_page()
        return shown.show(session, site, voir, page, done=_DONE.get(fait, ""))

    @app.get(f"{PATH}/echanges.csv", include_in_schema=False)
    def as_csv(request: Request, site: Site = None) -> Response:
        try:
            login.check(request)
            store = assistant.recorder.store()
            rows = store.every(Wanted(site)) if store else iter(())
            # One is read before the answer begins: what fails can still be told.
            first = list(islice(rows, 1))
        except RecoupeError as error:
            return _told(error, request)
        pieces = exchanges_csv(chain(first, rows))
        return StreamingResponse(pieces, media_type="text/csv; charset=utf-8",
                                 headers=_attached("recoupe-echanges.csv"))  # fmt: skip

    @app.get(f"{PATH}/reference.jsonl", include_in_schema=False)
    def references(request: Request) -> Response:
        try:
            login.check(request)
            lines = "".join(r.line() for r in assistant.recorder.references.all())
        except RecoupeError as error:
            return _told(error, request)
        return Response(lines, media_type="application/x-ndjson",
                        headers=_attached("reference.jsonl"))  # fmt: skip


def _choosing(app: FastAPI, assistant: LocalAssistant, login: NewsroomLogin, shown: _Page) -> None:
    recorder = assistant.recorder

    @app.post(f"{PATH}/reference", include_in_schema=False)
    def keep(
        request: Request,
        exchange: Annotated[int, Form(ge=0, le=2**62)],
        form: Text = "",
        avis: Text = "",
        article: Text = "",
        choix: Text = "",
        ou: Text = "",
        retour: Text = "",
    ) -> Response:
        try:
            login.check_form(request, form)
            store = recorder.store()
            found = store.get(exchange) if store else None
            if found is None or found.kind != "question":
                raise QuestionError(messages.EXCHANGE_GONE)
            named = article.strip() or choix.strip()
            recorder.references.put(_reference(assistant, found, avis, named))
        except QuestionError as error:
            return shown.again(request, retour, _Failed(exchange, ou, article, str(error)))
        except RecoupeError as error:
            return _told(error, request)
        return _back(retour, "gardee" if stands_alone(found.text) else "suite")

    @app.post(f"{PATH}/reference/retrait", include_in_schema=False)
    def remove(request: Request, form: Text = "", question: Text = "") -> Response:
        try:
            login.check_form(request, form)
            recorder.references.remove(question)
        except RecoupeError as error:
            return _told(error, request)
        return _back("", "otee")


def _reference(assistant: LocalAssistant, found: Exchange, choice: str, article: str) -> Reference:
    """Return the reference question that a keeper makes of an exchange. Raises QuestionError."""
    named = (_named(assistant, article),) if choice == "article" else ()
    wanted = {"juste": found.cited, "aucun": (), "article": named}.get(choice)
    if wanted is None or (choice == "juste" and not wanted):
        raise QuestionError(messages.NO_CHOICE)
    records = {r.id: r for r in assistant.records([i for i in wanted if i])}
    if gone := [i for i in wanted if i not in records]:
        raise QuestionError(messages.REFERENCE_WITHOUT_ARTICLE.format(gone[0]))
    articles = tuple((i, records[i].characters) for i in wanted)
    return Reference(reference_id(found), found.text, articles)


def _named(assistant: LocalAssistant, name: str) -> str:
    """Return the id of the article that has this id or this title. Raises QuestionError."""
    if not name:
        raise QuestionError(messages.NO_CHOICE)
    if assistant.records([name]):
        return name
    titled = assistant.page(limit=_TITLED, words=name).records
    found = [r for r in titled if fold(r.source.title).strip() == fold(name)]
    if not found:
        raise QuestionError(messages.REFERENCE_WITHOUT_ARTICLE.format(name))
    if len(found) > 1:
        labels = [f"{r.id} ({texts.label(r.source)})" for r in found[:_MOST_NAMED]]
        raise QuestionError(messages.several_articles(name, labels, len(found)))
    return found[0].id


def reference_id(exchange: Exchange) -> str:
    """Return the id of the reference question that is made of an exchange."""
    return f"{exchange.at:%Y%m%d-%H%M%S}-{exchange.id}"


def _address(site: str | None, view: str, values: dict[str, object]) -> str:
    """Return the page's address with other values of its query."""
    query = {"site": site, "voir": view} | values
    return f"{PATH}?{urlencode({k: v for k, v in query.items() if v is not None}, quote_via=quote)}"


def _back(address: str, done: str) -> Response:
    """Return to the page, or to where it was looked at; never to another site."""
    place = address if address.startswith(f"{PATH}?") else f"{PATH}?"
    return RedirectResponse(f"{place}&fait={done}", 303, headers=_PRIVATE_HEADERS)


def _login_page(problem_told: str = "") -> Response:
    body = html("newsroom_login.html", problem=problem_told)
    return HTMLResponse(body, 401, headers=_PRIVATE_HEADERS)


def _closed() -> Response:
    body = html("newsroom_message.html", message=messages.NO_NEWSROOM, back="")
    return HTMLResponse(body, 404, headers=_PRIVATE_HEADERS)


def _attached(name: str) -> dict[str, str]:
    return _PRIVATE_HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}


def _told(error: RecoupeError, request: Request) -> Response:
    """Return an error as a page where a person sent a form, as a problem document else."""
    status, detail = describe_error(error)
    if request.method != "POST":
        return problem(status, detail, request)
    body = html("newsroom_message.html", message=detail, back=PATH)
    return HTMLResponse(body, status, headers=_PRIVATE_HEADERS)
