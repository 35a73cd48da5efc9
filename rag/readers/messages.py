"""What a process that reads and its parent say to each other, over the pipes between them.

A message is four bytes that tell its length, then its content. A task goes to the worker as a
pickle, of our own making. What comes back was made where a file was read that nobody vouches
for: it is JSON, checked against the types that the function announces, and runs nothing.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from functools import cache
from typing import IO, TYPE_CHECKING, Any

from rag.domain import Article
from rag.errors import MovedError, PrivateHostError, ReadError, ReservedError, StatusError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_LONGEST = 256_000_000  # bytes: more than what a task may hold in memory

_ERRORS = {
    e.__name__: e for e in (ReadError, StatusError, MovedError, PrivateHostError, ReservedError)
}


@dataclass(frozen=True, slots=True)
class Line:
    """A record of a worker's log, as text."""

    logger: str
    level: int
    path: str
    number: int
    message: str
    traceback: str


@dataclass(frozen=True, slots=True)
class Report:
    """How a task went: `reason` says in French why it gave nothing.

    `error` is what was raised to say so: its name, and what it is made of. `left` counts the
    articles that lie in the task's file, past those that the answer holds.
    """

    reason: str = ""
    error: tuple[str, tuple[str | int | float, ...]] | None = None
    left: int = 0
    lines: tuple[Line, ...] = ()

    @staticmethod
    def of(error: ReadError) -> Report:
        """Return the report of an error; one of another module is told as a ReadError."""
        name, made_of = type(error).__name__, error.__reduce__()[1]
        if name not in _ERRORS or not isinstance(made_of, tuple):
            name, made_of = "ReadError", (str(error),)
        return Report(str(error), (name, made_of))

    def raised(self) -> ReadError | None:
        """Return the error again. Raises KeyError or TypeError when there is no such one."""
        return _ERRORS[self.error[0]](*self.error[1]) if self.error else None  # type: ignore[arg-type]


def send(pipe: IO[bytes], message: bytes) -> None:
    """Write a message. Raises OSError when the other end is gone."""
    pipe.write(len(message).to_bytes(4))
    pipe.write(message)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """Return the next message; None when the other end is gone, or says too much."""
    size = int.from_bytes(head := pipe.read(4))
    if len(head) < 4 or size > _LONGEST:
        return None
    message = pipe.read(size)
    return message if len(message) == size else None


def encoded(value: object) -> bytes:
    """Return a value of our types as JSON, on one line. Raises TypeError for another."""
    payload = json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))
    return payload.encode(errors="replace")


def _plain(value: object) -> Any:
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not sent")


def answer(read: Callable[..., Any], payload: bytes) -> tuple[Any, Report]:
    """Return what a function gave in a worker, None where it failed, and how it went.

    Raises ValueError when `payload` is not of the type that it announces.
    """
    found: tuple[Any, Report] = _answer_type(read).validate_json(payload, strict=True)
    return found


def article(payload: bytes) -> Article:
    """Return an article. Raises ValueError when `payload` tells none."""
    found: Article = _article_type().validate_json(payload, strict=True)
    return found


@cache
def _answer_type(read: Callable[..., Any]) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    made: Any = typing.get_type_hints(read)["return"]
    answer_type: Any = tuple[made | None, Report]
    return TypeAdapter(answer_type)


@cache
def _article_type() -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(Article)
