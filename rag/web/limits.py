"""How much may be asked: rates per visitor and in all, and few questions at a time.

A question costs one turn of work; a text to verify costs one for each of its
claims, and others get theirs in between.

A visitor is known by a keyed hash of the address, with a key drawn at start:
no address is kept, and the hashes mean nothing after a restart.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.concurrency import run_in_threadpool

from rag import texts
from rag.errors import QuestionError, RecoupeError, SettingsError
from rag.settings import Settings

T = TypeVar("T")

_KEY = secrets.token_bytes(32)
_TURN = 3.0  # seconds that a question is expected to take, for Retry-After


class TooManyError(RecoupeError):
    """Too much was asked; `after` is in how many seconds to try again."""

    def __init__(self, after: float, status: int, sentence: str = texts.TRY_AGAIN) -> None:
        """Take the seconds to wait and the HTTP status: 429 a visitor, 503 everybody."""
        self.after = max(1, math.ceil(after))
        self.status = status
        super().__init__(sentence.format(self.after))


def client_of(request: Any) -> str:
    """Return a visitor's address from Starlette's request or Gradio's, "" when it has none."""
    return str(getattr(getattr(request, "client", None), "host", "") or "")


class Rates:
    """Rates per visitor and in all, over a moving window (library `limits`)."""

    def __init__(self, settings: Settings) -> None:
        """Take the rates. Raises SettingsError for one that cannot be read."""
        self._client = _rate(settings.rate_client, "RECOUPE_RATE_CLIENT")
        self._all = _rate(settings.rate_global, "RECOUPE_RATE_GLOBAL")
        self._claims = _rate(settings.rate_claims, "RECOUPE_RATE_CLAIMS")
        self._storage = MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self._storage)

    def take(self, address: str) -> None:
        """Count one question of a visitor. Raises TooManyError."""
        for rate, name, status in ((self._client, _visitor(address), 429), (self._all, "all", 503)):
            if not self._limiter.hit(rate, name):
                raise TooManyError(self._wait(rate, name, 1), status)

    def take_claims(self, address: str, count: int) -> None:
        """Count the claims of one text of a visitor, all of them or none.

        Raises TooManyError, and QuestionError for more than will ever be let through at once.
        """
        rate, name = self._claims, f"claims {_visitor(address)}"
        if count > rate.amount:
            raise QuestionError(texts.CLAIMS_OVER_RATE.format(count, rate.amount))
        if not self._limiter.hit(rate, name, cost=count):
            raise TooManyError(self._wait(rate, name, count), 429, texts.CLAIMS_AGAIN)

    def _wait(self, rate: RateLimitItem, name: str, cost: int) -> float:
        """Return in how many seconds `cost` fits: once the entry that is in its place has gone.

        The library itself tells only when the oldest entry goes.
        """
        newest_first = self._storage.events.get(rate.key_for(name), [])[:]
        if len(newest_first) <= rate.amount - cost:
            return 0.0
        return newest_first[rate.amount - cost].atime + rate.get_expiry() - time.time()


class Gate:
    """Lets a few questions through at a time; a bounded number waits, the rest is told when.

    A question, or a text to verify, has one place for as long as it lasts, and
    a turn for each piece of its work, in the order they were asked for.
    """

    def __init__(self, concurrent: int, waiting: int) -> None:
        """Take how many are worked on and how many may wait."""
        self._slots = asyncio.Semaphore(concurrent)
        self._concurrent = concurrent
        self._places = concurrent + waiting
        # Long work comes back for turns: with all places it would make each question wait for all.
        self._long_places = max(1, self._places // 2)
        self._taken = self._long = 0
        self.working = 0

    @property
    def waiting(self) -> int:
        """How many have a place and not their turn."""
        return self._taken - self.working

    def check(self, *, long: bool = False) -> None:
        """Raise TooManyError when there is no place left, for long work or for any."""
        if self._taken >= self._places or (long and self._long >= self._long_places):
            before = max(self._taken - self._concurrent, 0) + 1
            raise TooManyError(_TURN * before / self._concurrent, 503)

    @asynccontextmanager
    async def place(self, *, long: bool = False) -> AsyncIterator[None]:
        """Hold a place. Raises TooManyError when there is none."""
        self.check(long=long)
        self._taken += 1
        self._long += long
        try:
            yield
        finally:
            self._taken -= 1
            self._long -= long

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it; for what has a place."""
        await self._slots.acquire()
        self.working += 1
        try:
            yield
        finally:
            self.working -= 1
            self._slots.release()


async def in_turns(gate: Gate, work: Iterator[T]) -> AsyncGenerator[T]:
    """Yield the steps of long work, each made by a thread in a turn of its own.

    No turn is held while a step is on its way to the reader, and none is
    taken after he has left. Raises TooManyError when there is no place.
    """
    try:
        async with gate.place(long=True):
            while True:
                async with gate.turn():
                    step = await run_in_threadpool(next, work, None)
                if step is None:
                    return
                yield step
    finally:
        _close(work)


async def in_one_turn(gate: Gate, work: Iterator[T]) -> AsyncGenerator[T]:
    """Yield the steps of work that takes one turn in all. Raises TooManyError."""
    try:
        async with gate.place(), gate.turn():
            while (step := await run_in_threadpool(next, work, None)) is not None:
                yield step
    finally:
        _close(work)


def _close(work: Iterator[Any]) -> None:
    """End a generator, and the model behind it, before its end."""
    if close := getattr(work, "close", None):
        close()


def _visitor(address: str) -> str:
    return hashlib.blake2b(address.encode(), key=_KEY, digest_size=16).hexdigest()


def _rate(text: str, name: str) -> RateLimitItem:
    try:
        return parse(text)
    except ValueError as error:
        raise SettingsError(
            f"{name} vaut « {text} » : écrivez un nombre par durée, comme 30/minute."
        ) from error
