"""How much may be asked: rates per visitor and in all, and few questions at a time.

A visitor is known by a keyed hash of the address, with a key drawn at start:
no address is kept, and the hashes mean nothing after a restart.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from rag import texts
from rag.errors import RecoupeError, SettingsError
from rag.settings import Settings

_KEY = secrets.token_bytes(32)
_TURN = 3.0  # seconds that a question is expected to take, for Retry-After


class TooManyError(RecoupeError):
    """Too much was asked; `after` is in how many seconds to try again."""

    def __init__(self, after: float, status: int) -> None:
        """Take the seconds to wait and the HTTP status: 429 a visitor, 503 everybody."""
        self.after = max(1, round(after))
        self.status = status
        super().__init__(texts.TRY_AGAIN.format(self.after))


def client_of(request: Any) -> str:
    """Return a visitor's address from Gradio's request, "" when it has none."""
    return str(getattr(getattr(request, "client", None), "host", "") or "")


class Rates:
    """Rates per visitor and in all, over a moving window (library `limits`)."""

    def __init__(self, settings: Settings) -> None:
        """Take the rates. Raises SettingsError for one that cannot be read."""
        self._client = _rate(settings.rate_client, "RECOUPE_RATE_CLIENT")
        self._all = _rate(settings.rate_global, "RECOUPE_RATE_GLOBAL")
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def take(self, address: str) -> None:
        """Count one question of a visitor. Raises TooManyError."""
        visitor = hashlib.blake2b(address.encode(), key=_KEY, digest_size=16).hexdigest()
        for rate, name, status in ((self._client, visitor, 429), (self._all, "all", 503)):
            if not self._limiter.hit(rate, name):
                reset, _ = self._limiter.get_window_stats(rate, name)
                raise TooManyError(reset - time.time(), status)


class Gate:
    """Lets a few questions through at a time; a bounded number waits, the rest is told when."""

    def __init__(self, concurrent: int, waiting: int) -> None:
        """Take how many are worked on and how many may wait."""
        self._slots = asyncio.Semaphore(concurrent)
        self._concurrent, self._most = concurrent, waiting
        self.waiting = 0
        self.working = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it. Raises TooManyError when too many wait."""
        if self._slots.locked():
            if self.waiting >= self._most:
                raise TooManyError(_TURN * (self.waiting + 1) / self._concurrent, 503)
            self.waiting += 1
            try:
                await self._slots.acquire()
            finally:
                self.waiting -= 1
        else:
            await self._slots.acquire()
        self.working += 1
        try:
            yield
        finally:
            self.working -= 1
            self._slots.release()


def _rate(text: str, name: str) -> RateLimitItem:
    try:
        return parse(text)
    except ValueError as error:
        raise SettingsError(
            f"{name} vaut « {text} » : écrivez un nombre par durée, comme 30/minute."
        ) from error
