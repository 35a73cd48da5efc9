"""How much may be asked: rates per visitor and in all, and few questions at a time.

A question costs one turn of work; a text to verify costs one for each of its
claims, and others get theirs in between.

A visitor is known by a keyed hash of the address (of its /64 in IPv6), with a key
drawn at start: no address is kept, and the hashes mean nothing after a restart.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any, TypeVar

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.concurrency import run_in_threadpool

from rag import messages, texts
from rag.errors import QuestionError, RecoupeError
from rag.settings import Settings

T = TypeVar("T")

VISITOR: ContextVar[str] = ContextVar("visitor", default="")
"""The address of the visitor whose request is served."""
_KEY = secrets.token_bytes(32)
RETENTION = 2 * 3600  # seconds that what a page shows is remembered after its last change
_MOST_PAGES = 20_000  # open pages that are remembered
_TURN_SECONDS = 3.0  # seconds that a question is expected to take, for Retry-After


class TooManyError(RecoupeError):
    """Too much was asked; `after` is in how many seconds to try again."""

    def __init__(self, after: float, status: int, sentence: str = texts.TRY_AGAIN) -> None:
        """Take the seconds to wait and the HTTP status: 429 a visitor, 503 everybody."""
        self.after = max(1, math.ceil(after))
        self.status = status
        super().__init__(sentence.format(self.after))


class LeftError(RecoupeError):
    """The reader has left: nobody waits for the rest of the work."""


def client_of(request: Any) -> str:
    """Return a visitor's address from Starlette's request or Gradio's, "" when it has none."""
    return str(getattr(getattr(request, "client", None), "host", "") or "")


class Rates:
    """Rates per subscriber and in all, over a moving window (library `limits`).

    What is refused before it is work (a body that cannot be read) costs its subscriber alone.
    """

    def __init__(self, settings: Settings) -> None:
        """Take the rates, which `Settings` has found to be ones."""
        self._client = parse(settings.rate_client)
        self._all = parse(settings.rate_global)
        self._claims = parse(settings.rate_claims)
        self._events = parse(settings.rate_events)
        self._sessions = parse(settings.rate_sessions)
        self._storage = MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._pages: OrderedDict[tuple[str, str], None] = OrderedDict()

    def take(self, address: str) -> None:
        """Count one question of a visitor that is work. Raises TooManyError."""
        self.take_request(address)
        self.take_work()

    def take_request(self, address: str) -> None:
        """Count what a visitor asks, whether it can be read or not. Raises TooManyError."""
        self._hit(self._client, visitor_key(address), 429)

    def take_work(self) -> None:
        """Count one question, of anybody, that will be worked on. Raises TooManyError."""
        self._hit(self._all, "all", 503)

    def take_event(self, address: str, session: str) -> None:
        """Count a click of a visitor in the page, and the page itself the first time it is seen.

        Raises TooManyError.
        """
        visitor = visitor_key(address)
        self._hit(self._events, f"events {visitor}", 429)
        page = visitor, session
        if page in self._pages:
            self._pages.move_to_end(page)
            return
        self._hit(self._sessions, f"sessions {visitor}", 429)
        self._pages[page] = None
        if len(self._pages) > _MOST_PAGES:
            self._pages.popitem(last=False)

    def take_claims(self, address: str, count: int) -> None:
        """Count the claims of one text of a visitor, all of them or none.

        Raises TooManyError, and QuestionError for more than will ever be let through at once.
        """
        rate, name = self._claims, f"claims {visitor_key(address)}"
        if count > rate.amount:
            raise QuestionError(messages.CLAIMS_OVER_RATE.format(count, rate.amount))
        if not self._limiter.hit(rate, name, cost=count):
            raise TooManyError(self._wait(rate, name, count), 429, messages.CLAIMS_AGAIN)

    def _hit(self, rate: RateLimitItem, name: str, status: int) -> None:
        if not self._limiter.hit(rate, name):
            raise TooManyError(self._wait(rate, name, 1), status)

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
    a turn for each piece of its work, in the order they were asked for. Long work
    has half of the places at most; one visitor half of all, and of those.
    """

    def __init__(self, concurrent: int, waiting: int) -> None:
        """Take how many are worked on and how many may wait."""
        self._slots = asyncio.Semaphore(concurrent)
        self._concurrent = concurrent
        self._places = concurrent + waiting
        # Long work comes back for turns: with all places it would make each question wait for all.
        self._half = max(1, self._places // 2)
        self._taken = self._long = 0
        self._of: Counter[str] = Counter()
        self._long_of: Counter[str] = Counter()
        self.working = 0

    @property
    def waiting(self) -> int:
        """How many have a place and not their turn."""
        return self._taken - self.working

    def check(self, address: str, *, long: bool = False) -> None:
        """Raise TooManyError when there is no place left, for long work or for a visitor."""
        before = max(self._taken - self._concurrent, 0) + 1
        wait = _TURN_SECONDS * before / self._concurrent
        if self._taken >= self._places or (long and self._long >= self._half):
            raise TooManyError(wait, 503)
        visitor = visitor_key(address)
        if self._of[visitor] >= max(self._half, self._concurrent):
            raise TooManyError(wait, 429)
        if long and self._long_of[visitor] >= max(1, self._half // 2):
            raise TooManyError(wait, 429)

    @asynccontextmanager
    async def place(self, address: str, *, long: bool = False) -> AsyncIterator[None]:
        """Hold a place for a visitor. Raises TooManyError when there is none."""
        self.check(address, long=long)
        visitor = visitor_key(address)
        self._taken += 1
        self._long += long
        self._of[visitor] += 1
        self._long_of[visitor] += long
        try:
            yield
        finally:
            self._taken -= 1
            self._long -= long
            self._of[visitor] -= 1
            self._long_of[visitor] -= long
            self._of += Counter()  # forget those who have none
            self._long_of += Counter()

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


async def in_turns(gate: Gate, address: str, work: Iterator[T]) -> AsyncGenerator[T]:
    """Yield the steps of long work, each made by a thread in a turn of its own.

    No turn is held while a step is on its way to the reader, and none is
    taken after he has left. Raises TooManyError when there is no place.
    """
    try:
        async with gate.place(address, long=True):
            while True:
                async with gate.turn():
                    step = await run_in_threadpool(next, work, None)
                if step is None:
                    return
                yield step
    finally:
        _close(work)


async def in_one_turn(gate: Gate, address: str, work: Iterator[T]) -> AsyncGenerator[T]:
    """Yield the steps of work that takes one turn in all. Raises TooManyError."""
    try:
        async with gate.place(address), gate.turn():
            while (step := await run_in_threadpool(next, work, None)) is not None:
                yield step
    finally:
        _close(work)


def _close(work: Iterator[Any]) -> None:
    """End a generator, and the model behind it, before its end."""
    if close := getattr(work, "close", None):
        close()


def subscriber(address: str) -> str:
    """Return what stands for all addresses of one subscriber: an IPv4 address, an IPv6 /64.

    A provider gives a subscriber at least a /64 (RFC 6177); all that is no address is one.
    """
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:  # what a proxy passes on of anybody's making counts for one
        return "?" if address else ""
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(IPv6Network((int(ip) >> 64 << 64, 64)))
    return str(ip)


def visitor_key(address: str) -> str:
    """Return what a visitor is counted by: a keyed hash of his subscriber's address."""
    return hashlib.blake2b(subscriber(address).encode(), key=_KEY, digest_size=16).hexdigest()
