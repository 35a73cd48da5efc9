"""A text to verify, as the API and the chat take it: paid for by its claims, a turn for each."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from rag import texts
from rag.errors import QuestionError
from rag.web.limits import Gate, LeftError, Rates, in_turns

if TYPE_CHECKING:
    from rag.assistant import LocalAssistant
    from rag.checking.claims import Claim
    from rag.domain import CheckedClaim, Filters, Verification

_PIECE = 0.2  # seconds of work that a turn of splitting takes: a question beside it waits no longer
_BUDGET = 20.0  # seconds in all that a text may take to be split


async def _never() -> bool:
    return False


async def _uncounted(_claims: int) -> None:
    return None


async def claims_in_turns(
    assistant: LocalAssistant,
    gate: Gate,
    rates: Rates,
    visitor: str,
    text: str,
    filters: Filters | None = None,
    left: Callable[[], Awaitable[bool]] = _never,
    count: Callable[[int], Awaitable[None]] = _uncounted,
) -> AsyncGenerator[CheckedClaim | Verification]:
    """Split a text, count its claims for a visitor, and return what checks them one by one.

    The splitting takes turns too, of `_PIECE` seconds, and ends when the reader has `left`.
    `count` hears how many claims there are, and may refuse them.

    Raises QuestionError for a text without a claim, with more than are ever let through, or that
    takes too long to split; TooManyError when there is no place or the visitor has to wait;
    LeftError.
    """
    claims: list[Claim] = []
    async with gate.place(visitor, long=True):
        async with gate.turn():
            checker = await run_in_threadpool(assistant.checker)
        splitting, spent = checker.split(text), 0.0
        while True:
            async with gate.turn():
                piece, seconds = await run_in_threadpool(_piece, splitting)
            if not piece:
                break
            claims += piece
            spent += seconds
            if spent > _BUDGET:
                raise QuestionError(texts.LONG_SPLIT)
            if await left():
                raise LeftError(texts.READER_LEFT)
    gate.check(visitor, long=True)
    rates.take_claims(visitor, len(claims))
    await count(len(claims))
    return in_turns(gate, visitor, checker.check_claims(claims, filters))


def _piece(splitting: Iterator[Claim]) -> tuple[list[Claim], float]:
    """Return the claims of the next `_PIECE` seconds, none at the end, and the seconds taken."""
    start, claims = time.monotonic(), []
    for claim in splitting:
        claims.append(claim)
        if time.monotonic() - start > _PIECE:
            break
    return claims, time.monotonic() - start
