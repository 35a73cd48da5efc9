"""Errors as RFC 9457 problem documents, in French."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rag import texts
from rag.errors import (
    ArticleNotFoundError,
    CursorError,
    EmbeddingError,
    IndexBusyError,
    ModelError,
    QuestionError,
    ReadError,
    RecoupeError,
    RemovedError,
)
from rag.french.typography import typographic
from rag.web.limits import TooManyError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_STATUS: dict[type[RecoupeError], int] = {
    ArticleNotFoundError: 404,
    CursorError: 422,
    QuestionError: 422,
    ReadError: 422,
    RemovedError: 409,
    IndexBusyError: 503,
    EmbeddingError: 502,
    ModelError: 502,
}


class ForbiddenError(RecoupeError):
    """Administration without its token; 401 when one would do, 403 when it is off."""

    def __init__(self, status: int, message: str) -> None:
        """Take the status and the sentence."""
        self.status = status
        super().__init__(message)


def problem_body(status: int, detail: str, instance: str = "") -> dict[str, Any]:
    """Return the fields of a problem document (RFC 9457, section 3)."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status,
            "detail": detail}  # fmt: skip
    return body | ({"instance": instance} if instance else {})


def problem(status: int, detail: str, request: Request, **headers: str) -> JSONResponse:
    """Return a problem document as a response."""
    body = problem_body(status, detail, request.url.path)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(body, status, headers=named, media_type=MEDIA_TYPE)


def describe_error(error: Exception) -> tuple[int, str]:
    """Return the status and the French sentence of an error; what is unknown is logged whole."""
    if isinstance(error, TooManyError | ForbiddenError):
        return error.status, str(error)
    if isinstance(error, RecoupeError):
        log.info("%s", error, exc_info=error)
        return _STATUS.get(type(error), 500), typographic(str(error))
    log.error("erreur inattendue", exc_info=error)
    return 500, texts.UNEXPECTED


async def invalid(request: Request, error: Exception) -> JSONResponse:
    """Return the problem of a request that does not fit its schema.

    FastAPI's own answer repeats the input, and fails on one that is not UTF-8.
    """
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0] if error.errors() else {"loc": (), "type": ""}
    why = texts.FIELD_ERRORS.get(str(first["type"]), texts.OTHER_FIELD_ERROR)
    field = ".".join(str(part) for part in first["loc"] if part != "body")
    return problem(422, texts.BAD_FIELD.format(field or "corps", why), request)


def add_problem_handlers(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""

    @app.exception_handler(RecoupeError)
    async def recoupe(request: Request, error: Exception) -> JSONResponse:
        status, detail = describe_error(error)
        if isinstance(error, TooManyError):
            return problem(status, detail, request, Retry_After=str(error.after))
        if status == 401:
            return problem(status, detail, request, WWW_Authenticate="Bearer")
        return problem(status, detail, request)

    app.add_exception_handler(RequestValidationError, invalid)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        detail = texts.HTTP_ERRORS.get(error.status_code, str(error.detail))
        allow = (error.headers or {}).get("Allow", "")
        return problem(error.status_code, detail, request, **({"Allow": allow} if allow else {}))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        return problem(*describe_error(error), request)
