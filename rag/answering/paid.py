"""What is shown of articles that readers pay for: quotes bounded in length, never the whole.

A quote that is cut stays an exact span, a shorter one (I1).
"""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch
from typing import TypeVar, cast

from rag.domain import (
    Answer,
    CheckedClaim,
    Citation,
    ClaimEvidence,
    Hit,
    Nearest,
    Passage,
    Source,
    Statement,
    Verification,
)

T = TypeVar("T")

_CUT = "\u00a0[…]"  # after a sentence of an answer that was cut


def bounded(shown: T, most: int) -> T:
    """Return what is shown, no quote of a paid article longer than `most` characters."""
    return cast("T", _bounded(shown, most))


@singledispatch
def _bounded(shown: object, most: int) -> object:  # noqa: ARG001 - of what holds no quote
    return shown


@_bounded.register
def _(shown: Citation, most: int) -> Citation:
    if not shown.source.paywalled or len(shown.quote) <= most:
        return shown
    quote = _cut(shown.quote, most)
    return replace(shown, quote=quote, end=shown.start + len(quote))


@_bounded.register
def _(shown: Statement, most: int) -> Statement:
    citations = tuple(bounded(c, most) for c in shown.citations)
    text = shown.text
    # A sentence of the article itself is as long as its quote.
    for before, after in zip(shown.citations, citations, strict=True):
        if before.quote.strip() == text.strip():
            text = after.quote.strip() + (_CUT if after.quote != before.quote else "")
            break
    return replace(shown, text=text, citations=citations)


@_bounded.register
def _(shown: Nearest, most: int) -> Nearest:
    return replace(shown, citation=bounded(shown.citation, most))


@_bounded.register
def _(shown: Hit, most: int) -> Hit:
    return replace(
        shown,
        passage=_passage(shown.passage, shown.source, most),
        also=tuple((_passage(p, s, most), s) for p, s in shown.also),
    )


@_bounded.register
def _(shown: Answer, most: int) -> Answer:
    from rag.answering.extractive import render

    statements = tuple(bounded(s, most) for s in shown.statements)
    same = statements == shown.statements
    return replace(
        shown,
        statements=statements,
        text=shown.text if same else render(statements),
        hits=tuple(bounded(h, most) for h in shown.hits),
        nearest=tuple(bounded(n, most) for n in shown.nearest),
    )


@_bounded.register
def _(shown: ClaimEvidence, most: int) -> ClaimEvidence:
    if not shown.citation.source.paywalled:
        return shown
    return replace(shown, citation=bounded(shown.citation, most), before="", after="")


@_bounded.register
def _(shown: CheckedClaim, most: int) -> CheckedClaim:
    return replace(shown, evidence=tuple(bounded(e, most) for e in shown.evidence))


@_bounded.register
def _(shown: Verification, most: int) -> Verification:
    return replace(shown, claims=tuple(bounded(c, most) for c in shown.claims))


def _passage(passage: Passage, source: Source, most: int) -> Passage:
    if not source.paywalled or len(passage.text) <= most:
        return passage
    text = _cut(passage.text, most)
    return replace(passage, text=text, end=passage.start + len(text))


def _cut(text: str, most: int) -> str:
    """Return the beginning of a text, whole words, at most so many characters."""
    head = text[:most]
    if len(text) > most and not text[most].isspace():
        head = head.rpartition(" ")[0] or head
    return head.rstrip()
