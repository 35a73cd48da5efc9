"""`/v1`: Recoupe as a model, for programs that speak to one by OpenAI's protocol.

Open WebUI, LibreChat and the like then have answers with `[n]` marks and their sources, in
Markdown. The last message is the question, those before it the conversation; what a program
puts as a system message, and how it wants a model to sample, changes nothing of what articles
say. A sentence is sent once it is checked.
"""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from itertools import pairwise
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from rag import messages, texts
from rag.assistant import LocalAssistant
from rag.domain import Answer, Turn
from rag.errors import RecoupeError
from rag.indexing.passages import count_tokens
from rag.web.limits import Gate, Rates, TooManyError, client_of, in_one_turn
from rag.web.markdown import reply_markdown
from rag.web.metrics import Metrics
from rag.web.problems import describe_error
from rag.web.recording import ask, stream

log = logging.getLogger(__name__)

MODEL = "recoupe"
_MOST_MESSAGES = 200
_HISTORY_TURNS = 3  # exchanges before the question
_CREATED = 1704067200  # a date that the protocol asks of each model


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")

    type: str
    text: str | None = None


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore")

    role: str
    content: str | list[_Part] | None = None

    @property
    def text(self) -> str:
        """What the message says; images and such say nothing here."""
        if isinstance(self.content, list):
            return "\n".join(p.text or "" for p in self.content if p.type == "text")
        return self.content or ""


class _StreamOptions(BaseModel):
    model_config = ConfigDict(extra="ignore")

    include_usage: bool = False


class ChatBody(BaseModel):
    """A request for a chat completion; other fields of the protocol are taken and left aside."""

    model_config = ConfigDict(extra="ignore")

    model: str = MODEL
    messages: list[_Message] = Field(min_length=1, max_length=_MOST_MESSAGES)
    stream: bool | None = None
    stream_options: _StreamOptions | None = None

    def asked(self) -> tuple[str, list[Turn]]:
        """Return the question, and the exchanges before it, oldest first."""
        messages = [m for m in self.messages if m.role in {"user", "assistant"}]
        last = max((i for i, m in enumerate(messages) if m.role == "user"), default=-1)
        turns = [
            Turn(asked.text, answered.text)
            for asked, answered in pairwise(messages[: max(last, 0)])
            if (asked.role, answered.role) == ("user", "assistant")
        ]
        return messages[last].text if messages and last >= 0 else "", turns[-_HISTORY_TURNS:]


def build_openai_api(
    assistant: LocalAssistant, rates: Rates, gate: Gate, metrics: Metrics
) -> FastAPI:
    """Return the application to mount at `/v1`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    _add_error_handlers(app)

    @app.get("/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [_model()]}

    @app.get("/models/{name}")
    def model(name: str) -> dict[str, Any]:
        if name != MODEL:
            raise HTTPException(404, messages.NO_SUCH_MODEL.format(MODEL))
        return _model()

    @app.post("/chat/completions", response_model=None)
    async def complete(body: ChatBody, request: Request) -> dict[str, Any] | EventSourceResponse:
        rates.take_work()
        visitor = client_of(request)
        question, history = body.asked()
        made = _Completion(body)
        if body.stream:
            steps = in_one_turn(gate, visitor, stream(assistant, question, history))
            return EventSourceResponse(_events(made, steps, metrics), ping=15, send_timeout=30)
        async with gate.place(visitor), gate.turn():
            with metrics.timed("ask"):
                answer = await run_in_threadpool(ask, assistant, question, history)
        metrics.answered(refused=answer.refused)
        return made.whole(reply_markdown(answer))

    return app


class _Completion:
    """The answer to one request, whole or in chunks."""

    def __init__(self, body: ChatBody) -> None:
        self._id = f"chatcmpl-{uuid.uuid4().hex}"
        self._created = int(time.time())
        self._prompt = [m.text for m in body.messages]
        self.usage = bool(body.stream_options and body.stream_options.include_usage)

    def whole(self, pieces: Sequence[str]) -> dict[str, Any]:
        """Return the completion."""
        text = "".join(pieces).strip()
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "stop",
            "logprobs": None,
        }
        return self._named("chat.completion", [choice]) | {"usage": self.counted(text)}

    def chunk(self, delta: dict[str, str], finish: Literal["stop"] | None = None) -> dict[str, Any]:
        """Return a piece of the completion."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return self._named("chat.completion.chunk", [choice])

    def last(self, text: str) -> dict[str, Any]:
        """Return the chunk that tells the tokens."""
        return self._named("chat.completion.chunk", []) | {"usage": self.counted(text)}

    def counted(self, text: str) -> dict[str, int]:
        """Return the tokens of what was asked and answered, as `cl100k_base` counts them."""
        asked, answered = sum(map(count_tokens, self._prompt)), count_tokens(text)
        return {
            "prompt_tokens": asked,
            "completion_tokens": answered,
            "total_tokens": asked + answered,
        }

    def _named(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        about = {"id": self._id, "object": kind, "created": self._created, "model": MODEL}
        return about | {"choices": choices}


async def _events(
    made: _Completion, steps: Any, metrics: Metrics
) -> AsyncIterator[ServerSentEvent]:
    """Yield the chunks of an answer; a reader that leaves stops the work behind it."""
    sent: list[str] = []
    try:
        yield _event(made.chunk({"role": "assistant", "content": ""}))
        with metrics.timed("ask"):
            async with aclosing(steps):
                async for step in steps:
                    if not isinstance(step, Answer):
                        continue  # a sentence that is not final may be taken back
                    metrics.answered(refused=step.refused)
                    for piece in reply_markdown(step):
                        sent.append(piece)
                        yield _event(made.chunk({"content": piece}))
        yield _event(made.chunk({}, "stop"))
        if made.usage:
            yield _event(made.last("".join(sent)))
    except Exception as error:  # noqa: BLE001 - told to the reader, logged by `describe_error`
        yield _event(_error(*describe_error(error)))
    yield ServerSentEvent("[DONE]")


def _event(payload: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(payload, ensure_ascii=False))


def _model() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": _CREATED, "owned_by": "recoupe"}


def _error(status: int, detail: str) -> dict[str, Any]:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": detail, "type": kind, "param": None, "code": None}}


def _add_error_handlers(app: FastAPI) -> None:
    """Make every error of `app` one of the protocol's, in French."""

    @app.exception_handler(RecoupeError)
    async def recoupe(_request: Request, error: Exception) -> JSONResponse:
        status, detail = describe_error(error)
        headers = {"Retry-After": str(error.after)} if isinstance(error, TooManyError) else {}
        return JSONResponse(_error(status, detail), status, headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0] if error.errors() else {"loc": (), "type": ""}
        field = ".".join(str(part) for part in first["loc"] if part != "body")
        why = texts.FIELD_ERRORS.get(str(first["type"]), texts.OTHER_FIELD_ERROR)
        return JSONResponse(_error(422, texts.BAD_FIELD.format(field or "corps", why)), 422)

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return JSONResponse(_error(error.status_code, str(error.detail)), error.status_code)

    @app.exception_handler(Exception)
    async def unexpected(_request: Request, error: Exception) -> JSONResponse:
        status, detail = describe_error(error)
        return JSONResponse(_error(status, detail), status)
