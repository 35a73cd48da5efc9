"""A text to verify, as the API and the chat take it: paid for by its claims, a turn for each."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from rag.web.limits import Gate, Rates, in_turns

if TYPE_CHECKING:
    from rag.assistant import LocalAssistant
    from rag.checking.checker import Checker
    from rag.checking.claims import Claim
    from rag.domain import CheckedClaim, Filters, Verification


async def claims_in_turns(
    assistant: LocalAssistant,
    gate: Gate,
    rates: Rates,
    visitor: str,
    text: str,
    filters: Filters | None = None,
) -> AsyncGenerator[CheckedClaim | Verification]:
    """Split a text, count its claims for a visitor, and return what checks them one by one.

    Raises QuestionError for a text without a claim, or with more than are ever let through,
    and TooManyError when there is no place or the visitor has to wait.
    """
    async with gate.place(), gate.turn():
        checker, claims = await run_in_threadpool(_split, assistant, text)
    gate.check(long=True)
    rates.take_claims(visitor, len(claims))
    return in_turns(gate, checker.check_claims(claims, filters))


def _split(assistant: LocalAssistant, text: str) -> tuple[Checker, list[Claim]]:
    """Return the claims of a text and what checks them, which loads the French parser."""
    checker = assistant.checker()
    return checker, checker.claims(text)
