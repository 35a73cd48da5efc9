"""Where what the public asks is recorded: one place for questions, one for claims.

The chat, the API, the widget and assistants ask through here; commands and measures do not, and
are no readers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from rag import texts
from rag.domain import Answer, CheckedClaim, Filters, Turn, Verification
from rag.errors import QuestionError
from rag.exchanges.store import ANSWERED, ERROR, REFUSED, TENTATIVE, Exchange
from rag.french.dates import format_date

if TYPE_CHECKING:
    from rag.answering.answerer import Event
    from rag.assistant import LocalAssistant
    from rag.checking.checker import Checker
    from rag.checking.claims import Claim
    from rag.domain import Hit, StoredArticle
    from rag.exchanges.recorder import Recorder

T = TypeVar("T")


def ask(
    assistant: LocalAssistant,
    question: str,
    history: Sequence[Turn] = (),
    filters: Filters | None = None,
    site: str = "",
) -> Answer:
    """Return what `Assistant.ask` does, and record it."""
    *_, last = stream(assistant, question, history, filters, site)
    assert isinstance(last, Answer)
    return last


def stream(
    assistant: LocalAssistant,
    question: str,
    history: Sequence[Turn] = (),
    filters: Filters | None = None,
    site: str = "",
) -> Iterator[Event]:
    """Yield an answer as it forms, see `Answerer.stream`, and record it when it is whole."""
    recorder = assistant.recorder

    def found(event: Event, ms: int) -> None:
        if isinstance(event, Answer):
            verdict = TENTATIVE if event.tentative else REFUSED if event.refused else ANSWERED
            quoted = [c for s in event.statements for c in s.citations]
            quoted += [near.citation for near in event.nearest] if event.tentative else []
            cited = [c.article_id for c in quoted]
            recorder.record(
                Exchange(
                    question, verdict, "question", site, event.mode, ms,
                    tuple(dict.fromkeys(cited)), _filtered(filters, site),
                )
            )  # fmt: skip

    def failed(ms: int) -> None:
        recorder.record(Exchange(question, ERROR, "question", site, ms=ms))

    events = assistant.stream(question, history, filters)
    return _watched(events, found, failed) if recorder.recording else events


def _filtered(filters: Filters | None, site: str) -> str:
    """Return the filters that a reader has set, in words; a site's own part is none of his."""
    if not filters:
        return ""
    named = (*filters.sources, *filters.sections) if not site else ()
    days = [texts.SINCE.format(format_date(filters.since))] if filters.since else []
    days += [texts.UNTIL.format(format_date(filters.until))] if filters.until else []
    one = [texts.ONE_ARTICLE] if filters.articles else []
    return "\u202f; ".join((*named, *filters.authors, *days, *one))


def check_claims(
    recorder: Recorder,
    checker: Checker,
    claims: Sequence[Claim],
    filters: Filters | None,
    site: str = "",
) -> Iterator[CheckedClaim | Verification]:
    """Yield claims as they are checked, see `Checker.check_claims`, and record each."""
    left = iter(claims)

    def found(step: CheckedClaim | Verification, ms: int) -> None:
        if isinstance(step, CheckedClaim):
            next(left, None)
            cited = tuple(dict.fromkeys(e.citation.article_id for e in step.evidence))
            recorder.record(
                Exchange(step.text, step.verdict.value, "claim", site, ms=ms, cited=cited)
            )

    def failed(ms: int) -> None:
        if claim := next(left, None):
            recorder.record(Exchange(claim.text, ERROR, "claim", site, ms=ms))

    steps = checker.check_claims(claims, filters)
    return _watched(steps, found, failed) if recorder.recording else steps


class RecordedReads:
    """What tools for assistants ask of an assistant (`mcp_server.Reads`), questions recorded."""

    def __init__(self, assistant: LocalAssistant) -> None:
        """Take the assistant."""
        self._assistant = assistant

    def search(self, question: str, limit: int) -> list[Hit]:
        """See `Assistant`."""
        return self._assistant.search(question, limit)

    def article(self, article_id: str) -> StoredArticle:
        """See `Assistant`."""
        return self._assistant.article(article_id)

    def ask(self, question: str) -> Answer:
        """See `Assistant`."""
        return ask(self._assistant, question)


def _watched(
    steps: Iterator[T], found: Callable[[T, int], None], failed: Callable[[int], None]
) -> Iterator[T]:
    """Yield steps, and tell each with the milliseconds of work since the last that was told.

    Time in which nobody waits for a step does not count, nor what is no question.
    """
    spent = 0.0
    try:
        while True:
            start = time.perf_counter()
            try:
                step = next(steps)
            except StopIteration:
                return
            except QuestionError:
                raise
            except Exception:
                failed(_ms(spent + time.perf_counter() - start))
                raise
            spent += time.perf_counter() - start
            found(step, _ms(spent))
            if isinstance(step, CheckedClaim):
                spent = 0.0
            yield step
    finally:
        if close := getattr(steps, "close", None):
            close()


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
