"""Ask the process that owns the index (I3), by HTTP over its socket; see `rag/operations.py`."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import wraps
from typing import Any

from rag import errors, messages
from rag.errors import IndexBusyError, RecoupeError
from rag.indexing.owner import Owner, connect_to_owner, lost_message
from rag.operations import (
    HEADER,
    OPERATIONS,
    PATH,
    Assistant,
    Callback,
    Operation,
    Stream,
    made,
    to_json,
)

_CONNECT_SECONDS = 5.0  # seconds
_SILENCE_SECONDS = 600.0  # seconds without a word after which the owner is taken for lost


class RemoteAssistant(Assistant):
    """The assistant of another process, which does each of `OPERATIONS`."""

    def __init__(self, owner: Owner) -> None:
        """Take the owner's note, which has its address and token."""
        self.owner = owner

    def close(self) -> None:
        """See `Assistant`. Nothing is kept between two calls."""

    def _call(self, operation: Operation, arguments: dict[str, Any]) -> Any:
        """Have the owner do something; raise the error that it met."""
        fields: dict[str, Any] = {}
        hears: tuple[Any, ...] = ()
        listener: Callable[..., None] = lambda *_: None  # noqa: E731
        items: Iterator[dict[str, Any]] | None = None
        for name, value in arguments.items():
            kind = operation.takes[name]
            if isinstance(kind, Callback):
                hears, listener = kind.takes, value
            elif isinstance(kind, Stream):
                items = map(kind.to_json, value)
            else:
                fields[name] = to_json(kind, value)
        with closing(_Call(self.owner, operation.name)) as call:
            call.say(fields)
            if items is None:
                call.end()
            for step in call.answers():
                if "result" in step:
                    return made(operation.gives, step["result"])
                if "error" in step:
                    raise _named(step["error"], step["message"])
                if "more" in step and items:
                    call.send(items, step["more"])
                elif hears and "told" in step:
                    listener(*map(made, hears, step["told"]))
        raise IndexBusyError(lost_message(self.owner))


def _method(operation: Operation) -> Callable[..., Any]:
    @wraps(operation.method)
    def method(self: RemoteAssistant, *given: Any, **named: Any) -> Any:
        return self._call(operation, operation.arguments(*given, **named))

    return method


for _operation in OPERATIONS:
    setattr(RemoteAssistant, _operation.name, _method(_operation))


class _Call:
    """One call under way. Whatever happens to the connection is an IndexBusyError.

    A plain connection, not a client with a pool: it is written and read in turns, and goes
    through no proxy, which must never see the token.
    """

    def __init__(self, owner: Owner, name: str) -> None:
        self._owner = owner
        self._http = http.client.HTTPConnection("127.0.0.1")
        self._answer: http.client.HTTPResponse | None = None
        try:
            self._http.sock = connect_to_owner(owner.address, _CONNECT_SECONDS)
            self._http.sock.settimeout(_SILENCE_SECONDS)
            self._http.putrequest("POST", f"{PATH}/{name}", skip_accept_encoding=True)
            if owner.token:
                self._http.putheader(HEADER, owner.token)
            self._http.putheader("Transfer-Encoding", "chunked")
            self._http.endheaders()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._lost() from error

    def say(self, value: Any) -> None:
        """Send one line."""
        line = json.dumps(value).encode() + b"\n"
        self._send(b"%x\r\n%s\r\n" % (len(line), line))

    def send(self, items: Iterator[Any], count: int) -> None:
        """Send so many items, a line each; fewer are the last."""
        for _ in range(count):
            item = next(items, None)
            self.say(item)
            if item is None:
                self.end()
                return

    def end(self) -> None:
        """Say that no line follows."""
        self._send(b"0\r\n\r\n")

    def answers(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of the answer as they come."""
        while line := self._line():
            yield json.loads(line)

    def close(self) -> None:
        """Let go, whether the answer has come or not."""
        if self._answer:
            self._answer.close()
        self._http.close()

    def _line(self) -> bytes:
        try:
            if self._answer is None:
                self._answer = self._http.getresponse()
                if self._answer.status >= 400:
                    raise _refused(self._answer.status, self._answer.read())
            return self._answer.readline()
        except (OSError, http.client.HTTPException) as error:
            raise self._lost() from error

    def _send(self, data: bytes) -> None:
        try:
            self._http.send(data)
        except (OSError, http.client.HTTPException) as error:
            raise self._lost() from error

    def _lost(self) -> RecoupeError:
        return IndexBusyError(lost_message(self._owner))


def _refused(status: int, body: bytes) -> RecoupeError:
    try:
        payload = json.loads(body)
        return _named(payload["error"], payload["message"])
    except (ValueError, KeyError, TypeError):
        return RecoupeError(messages.OWNER_FAILED.format(status))


def _named(name: str, message: str) -> RecoupeError:
    kind = getattr(errors, name, RecoupeError)
    is_ours = isinstance(kind, type) and issubclass(kind, RecoupeError)
    return kind(message) if is_ours else RecoupeError(message)
