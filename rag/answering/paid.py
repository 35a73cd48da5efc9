"""What is shown of articles that readers pay for: quotes bounded in length, never the whole.

A quote that is cut stays an exact span, a shorter one (I1).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import singledispatch
from typing import TypeVar, cast

from rag.domain import (
    Answer,
    CheckedClaim,
    Citation,
    ClaimEvidence,
    Hit,
    Passage,
    Source,
    Statement,
    Verification,
)

T = TypeVar("T")

_LEAST = 40  # characters of a quote that is cut
_CUT = "\u00a0[…]"  # after a sentence of an answer that was cut


class Allowance:
    """What may still be quoted of each paid article, in characters, as a reply goes on.

    A quote that is shown twice counts once.
    """

    def __init__(self, most: int) -> None:
        """Take what may be quoted of one article in all."""
        self.most = most
        self._left: dict[str, int] = {}
        self._shown: dict[tuple[str, int, int], str] = {}

    def cut(self, source: Source, article: str, start: int, text: str) -> str:
        """Return what may be shown of a quote: whole words of its beginning, perhaps none."""
        if not source.paywalled:
            return text
        place = article, start, len(text)
        if place in self._shown:
            return self._shown[place]
        left = self._left.get(article, self.most)
        # What is left of the allowance is no quote when it is a few words of a longer one.
        least = min(_LEAST, len(text), self.most)
        shown = _cut(text, left) if left >= least else ""
        self._left[article] = left - len(shown)
        self._shown[place] = shown
        return shown


def bounded(shown: T, most: int) -> T:
    """Return what is shown, in all at most `most` characters of each paid article.

    What nothing may be quoted for any more is left out.
    """
    return cast("T", _bounded(shown, Allowance(most)))


def bounded_hits(hits: Iterable[Hit], most: int) -> list[Hit]:
    """Return hits, in all at most `most` characters of each paid article."""
    allowed = Allowance(most)
    shown = (
        replace(
            hit,
            passage=_passage(hit.passage, hit.source, allowed),
            also=tuple((_passage(p, s, allowed), s) for p, s in hit.also),
        )
        for hit in hits
    )
    return [hit for hit in shown if hit.passage.text]


def bounded_events(events: Iterable[T], most: int) -> Iterator[T]:
    """Yield what is told of an answer as it forms, bounded as the answer will be."""
    allowed = Allowance(most)
    for event in events:
        if isinstance(event, Statement):
            if (statement := _statement(event, allowed)) is not None:
                yield cast("T", statement)
        else:
            yield bounded(event, most)


@singledispatch
def _bounded(shown: object, allowed: Allowance) -> object:  # noqa: ARG001 - of what holds no quote
    return shown


@_bounded.register
def _citation(shown: Citation, allowed: Allowance) -> Citation:
    quote = allowed.cut(shown.source, shown.article_id, shown.start, shown.quote)
    if quote == shown.quote:
        return shown
    return replace(shown, quote=quote, end=shown.start + len(quote))


@_bounded.register
def _(shown: Answer, allowed: Allowance) -> Answer:
    from rag.answering.extractive import render

    most = allowed.most
    statements = tuple(s for made in shown.statements if (s := _statement(made, allowed)))
    near, same = Allowance(most), statements == shown.statements
    nearest = (replace(n, citation=_citation(n.citation, near)) for n in shown.nearest)
    return replace(
        shown,
        statements=statements,
        text=shown.text if same else render(statements),
        hits=tuple(bounded_hits(shown.hits, most)),
        nearest=tuple(n for n in nearest if n.citation.quote),
    )


@_bounded.register
def _(shown: CheckedClaim, allowed: Allowance) -> CheckedClaim:
    evidence = (_evidence(e, allowed) for e in shown.evidence)
    return replace(shown, evidence=tuple(e for e in evidence if e.citation.quote))


@_bounded.register
def _(shown: Verification, allowed: Allowance) -> Verification:
    return replace(shown, claims=tuple(bounded(c, allowed.most) for c in shown.claims))


def _statement(shown: Statement, allowed: Allowance) -> Statement | None:
    """Return a statement with what may be quoted; None when that is nothing of what it quotes."""
    cut = [(before, _citation(before, allowed)) for before in shown.citations]
    citations = tuple(after for _, after in cut if after.quote)
    if cut and not citations:
        return None
    text = shown.text
    # A sentence of the article itself is as long as its quote.
    for before, after in cut:
        if before.quote.strip() == text.strip() and after.quote:
            text = after.quote.strip() + (_CUT if after.quote != before.quote else "")
            break
    return replace(shown, text=text, citations=citations)


def _evidence(shown: ClaimEvidence, allowed: Allowance) -> ClaimEvidence:
    if not shown.citation.source.paywalled:
        return shown
    citation = _citation(shown.citation, allowed)
    return replace(shown, citation=citation, before="", after="")


def _passage(passage: Passage, source: Source, allowed: Allowance) -> Passage:
    text = allowed.cut(source, passage.article_id, passage.start, passage.text)
    if text == passage.text:
        return passage
    return replace(passage, text=text, end=passage.start + len(text))


def _cut(text: str, most: int) -> str:
    """Return the beginning of a text, whole words, at most so many characters."""
    head = text[:most]
    if len(text) > most and not text[most].isspace():
        head = head.rpartition(" ")[0] or head
    return head.rstrip()
