"""The turns of a conversation: what a page shows, and what the reader's device keeps of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rag import texts
from rag.citations import number_citations
from rag.domain import Answer, Citation, Filters
from rag.web.sealing import Seal

log = logging.getLogger(__name__)

MOST_TURNS = 30
_NO_FILTERS = Filters()


@dataclass(frozen=True)
class ChatTurn:
    """An answer, which articles could answer, and the sentence that says what was looked for."""

    answer: Answer
    filters: Filters = _NO_FILTERS
    sought: str = ""
    corpus: str = ""  # the state of the corpus that answered
    filtered_by: str = ""  # the filters in words

    def articles(self) -> set[str]:
        """Return the ids of the articles that the answer or the refusal quotes."""
        quoted = [c for s in self.answer.statements for c in s.citations]
        return {c.article_id for c in (*quoted, *(near.citation for near in self.answer.nearest))}

    def citation(self, data: Mapping[str, Any]) -> Citation:
        """Return the citation that a click names: a mark's number, or a nearest sentence.

        Raises what a click that the page does not make does: see `BAD_CLICK`.
        """
        if "number" in data:
            wanted = int(data["number"])
            numbers = number_citations(self.answer.statements)
            return next(iter(c for c, n in numbers.items() if n == wanted))
        return self.answer.nearest[int(data["near"])].citation


# What a click that the page does not make raises: no such turn, no such mark, no number.
BAD_CLICK = (IndexError, KeyError, TypeError, ValueError, OverflowError, StopIteration)
_STORED = TypeAdapter(ChatTurn)


def withdrawn_turn(question: str) -> ChatTurn:
    """Return the turn of a question whose answer may be shown no more."""
    gone = Answer(question, (), (), refused=True, mode="", text=texts.ANSWER_GONE)
    return ChatTurn(gone)


def without_withdrawn(
    turns: Sequence[ChatTurn], answerable: Callable[[Sequence[str]], Mapping[str, bool]]
) -> list[ChatTurn]:
    """Return turns, without the answers that quote an article which may be quoted no more."""
    cited = {i for turn in turns for i in turn.articles()}
    answering = answerable(list(cited)) if cited else {}
    return [
        t if all(answering.get(i) for i in t.articles()) else withdrawn_turn(t.answer.question)
        for t in turns
    ]


def outdated(
    turns: Sequence[ChatTurn], corpus: str, text_of: Callable[[str], str]
) -> list[ChatTurn]:
    """Return turns, those whose article no longer says what they quote with a notice of it.

    `corpus` is the state of the corpus: a turn of this one is as it was. `text_of` returns the text
    of an article.
    """
    texts_of: dict[str, str] = {}

    def stands(citation: Citation) -> bool:
        if citation.in_title:
            return True
        if citation.article_id not in texts_of:
            texts_of[citation.article_id] = text_of(citation.article_id)
        return citation.quote in texts_of[citation.article_id]

    def with_notice(turn: ChatTurn) -> ChatTurn:
        quoted = [c for s in turn.answer.statements for c in s.citations]
        if turn.corpus == corpus or all(map(stands, quoted)):
            return turn
        notice = f"{texts.ANSWER_OUTDATED} {turn.answer.notice}".strip()
        return replace(turn, answer=replace(turn.answer, notice=notice))

    return list(map(with_notice, turns))


class TurnSeal:
    """Seals turns for the device that keeps them."""

    def __init__(self, folder: Path) -> None:
        """Take the index's folder. Raises StoreError: see `Seal`."""
        self._seal = Seal(folder, "conversation")

    def close(self, turn: ChatTurn) -> str:
        """Return a turn sealed, without the passages that were read for it."""
        bare = replace(turn, answer=replace(turn.answer, hits=()))
        return self._seal.close(_STORED.dump_python(bare, mode="json"))

    def open(self, sealed: Any) -> ChatTurn | None:
        """Return the turn of what `close` returned; None for anything else."""
        found = self._seal.open(sealed)
        try:
            return _STORED.validate_python(found) if found else None
        except ValidationError:  # of another version
            log.info("échange gardé illisible")
            return None

    def all_of(self, stored: Any) -> list[ChatTurn]:
        """Return the turns that a device hands back, as `{"q": question, "s": sealed}` each.

        What is no turn of ours becomes one without an answer.
        """
        if not isinstance(stored, list):
            return []
        found = []
        for one in stored[-MOST_TURNS:]:
            each = one if isinstance(one, dict) else {}
            question = str(each.get("q", ""))[:1000]
            found.append(self.open(each.get("s")) or withdrawn_turn(question))
        return found
