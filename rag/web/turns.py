"""A text to verify, as the API and the chat take it: paid for by its claims, a turn for each."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from rag import messages
from rag.errors import QuestionError
from rag.web.limits import Gate, LeftError, Rates, in_turns
from rag.web.recording import check_claims

if TYPE_CHECKING:
    from rag.assistant import LocalAssistant
    from rag.checking.claims import Claim
    from rag.domain import CheckedClaim, Filters, Verification

# Seconds of work that a turn of splitting takes: a question beside it waits no longer
_PIECE_SECONDS = 0.2
_BUDGET_SECONDS = 20.0  # seconds in all that a text may take to be split


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
    site: str = "",
    count: Callable[[int], Awaitable[None]] = _uncounted,
) -> AsyncGenerator[CheckedClaim | Verification]:
    """Split a text, count its claims for a visitor, and return what checks them one by one.

    `count` hears how many claims there are, and may refuse them. Raises as `split_in_turns` and
    `checked_in_turns`; LeftError when the reader has `left`.
    """
    claims: list[Claim] = []
    async with aclosing(split_in_turns(assistant, gate, visitor, text)) as pieces:
        async for piece in pieces:
            claims += piece
            if await left():
                raise LeftError(messages.READER_LEFT)
    return await checked_in_turns(assistant, gate, rates, visitor, claims, filters, site, count)


async def split_in_turns(
    assistant: LocalAssistant, gate: Gate, visitor: str, text: str
) -> AsyncGenerator[list[Claim]]:
    """Yield the claims of a text as they are found, in turns of `_PIECE_SECONDS` seconds.

    Raises QuestionError for a text without a claim, with more than are ever let through, or that
    takes too long to split; TooManyError when there is no place.
    """
    async with gate.place(visitor, long=True):
        async with gate.turn():
            checker = await run_in_threadpool(assistant.checker)
        splitting, spent = checker.split(text), 0.0
        while True:
            async with gate.turn():
                piece, seconds = await run_in_threadpool(_piece, splitting)
            if not piece:
                return
            spent += seconds
            if spent > _BUDGET_SECONDS:
                raise QuestionError(messages.LONG_SPLIT)
            yield piece


async def checked_in_turns(
    assistant: LocalAssistant,
    gate: Gate,
    rates: Rates,
    visitor: str,
    claims: Sequence[Claim],
    filters: Filters | None = None,
    site: str = "",
    count: Callable[[int], Awaitable[None]] = _uncounted,
) -> AsyncGenerator[CheckedClaim | Verification]:
    """Count the claims of a text for a visitor, and return what checks them one by one.

    Raises QuestionError for more than are ever let through; TooManyError when there is no place or
    the visitor has to wait.
    """
    gate.check(visitor, long=True)
    rates.take_claims(visitor, len(claims))
    await count(len(claims))
    checker = await run_in_threadpool(assistant.checker)
    steps = check_claims(assistant.recorder, checker, claims, filters, site)
    return in_turns(gate, visitor, steps)


def _piece(splitting: Iterator[Claim]) -> tuple[list[Claim], float]:
    """Return the claims of the next `_PIECE_SECONDS`, none at the end, and the seconds taken."""
    start, claims = time.monotonic(), []
    for claim in splitting:
        claims.append(claim)
        if time.monotonic() - start > _PIECE_SECONDS:
            break
    return claims, time.monotonic() - start
