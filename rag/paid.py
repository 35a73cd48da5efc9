"""What is shown of articles that readers pay for: quotes bounded in length, never the whole.

The bound is that of a whole reply: one `Allowance` goes through all that it holds, statements,
nearest sentences, passages, evidence of every claim, and counts each character of an article
once. A quote that is cut stays an exact span, a shorter one (I1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import TypeVar, cast

from rag import texts
from rag.citations import render
from rag.domain import (
    Answer,
    Attribution,
    CheckedClaim,
    Citation,
    ClaimEvidence,
    Hit,
    Passage,
    Source,
    Statement,
)
from rag.french.words import fold, words

T = TypeVar("T")
Span = tuple[int, int]
_Word = tuple[str, Span]

_SHORTEST_CUT = 40  # characters of a quote that is cut
# Words in a row that a written sentence has of a passage, from which it copies it
_COPIED_WORDS = 6
# A figure, or a name: a word with a capital that does not begin a sentence.
_FACTS = re.compile(r"\d[\d\s.,]*\d|\d|(?<![.!?] )(?<!^)\b[A-ZÀ-Þ][\w’'-]*")
_CUT_MARK = "\u00a0[…]"  # after a sentence of an answer that was cut


class Allowance:
    """What may still be quoted of each paid article, in characters, as a reply goes on.

    What is shown twice, or in two quotes that overlap, counts once.
    """

    def __init__(self, most: int) -> None:
        """Take what may be quoted of one article in all."""
        self.most = most
        self._shown: dict[str, list[Span]] = {}

    def cut(self, source: Source, article: str, start: int, text: str) -> str:
        """Return what may be shown of a quote: whole words of its beginning, perhaps none."""
        if not source.paywalled:
            return text
        head = _cut(text, self._room(article, start, len(text)))
        # What is left of the allowance is no quote when it is a few words of a longer one.
        if len(head) < min(_SHORTEST_CUT, len(text), self.most):
            return ""
        self._show(article, (start, start + len(head)))
        return head

    def admits(self, text: str, hits: Iterable[Hit]) -> bool:
        """Tell whether a sentence that a model wrote may be shown, for what it copies of hits.

        What it has word for word of a paid article counts as a quote of it; a sentence that
        copies more than is left is not to be shown, and then counts for nothing.
        """
        copies = [
            (hit.passage.article_id, span)
            for hit in hits
            if hit.source.paywalled
            for span in _copied(text, hit.passage)
        ]
        if any(self._room(article, a, b - a) < b - a for article, (a, b) in copies):
            return False
        for article, span in copies:
            self._show(article, span)
        return True

    def _room(self, article: str, start: int, length: int) -> int:
        """Return how many characters from `start` on, at most `length`, may be shown."""
        shown = self._shown.get(article, [])
        left = self.most - sum(b - a for a, b in shown)
        at, end = start, start + length
        for a, b in shown:
            if b <= at or a >= end:
                continue
            fresh = max(a - at, 0)
            if fresh > left:
                break
            left -= fresh
            at = b
        return min(at + left, end) - start if at < end else length

    def _show(self, article: str, span: Span) -> None:
        spans: list[Span] = []
        for a, b in sorted([*self._shown.get(article, []), span]):
            if spans and a <= spans[-1][1]:
                spans[-1] = spans[-1][0], max(b, spans[-1][1])
            else:
                spans.append((a, b))
        self._shown[article] = spans


def bounded_hits(hits: Iterable[Hit], most: int) -> list[Hit]:
    """Return hits, in all at most `most` characters of each paid article."""
    return _hits(hits, Allowance(most))


def bounded_events(events: Iterable[T], allowed: Allowance) -> Iterator[T]:
    """Yield what an answer is made of as it forms, and the answer, within one allowance."""
    for event in events:
        if isinstance(event, Statement):
            if (statement := _statement(event, allowed)) is not None:
                yield cast("T", statement)
        elif isinstance(event, Answer):
            yield cast("T", _answer(event, allowed))
        else:
            yield event


def bounded_claim(claim: CheckedClaim, allowed: Allowance) -> CheckedClaim:
    """Return a claim whose evidence is within the allowance of the reply that it stands in.

    What is said of evidence tells figures and names of it: only of what is shown.
    """
    evidence = tuple(e for made in claim.evidence if (e := _evidence(claim.text, made, allowed)))
    context = " ".join(
        [claim.text, *(f"{e.citation.quote} {texts.cited(e.citation)}" for e in evidence)]
    )
    paid = any(e.citation.source.paywalled for e in claim.evidence)
    hidden = paid and _tells(claim.reason, context)
    reason = "" if hidden else claim.reason
    if claim.evidence and (hidden or not evidence):
        reason = f"{reason} {texts.PAID_SPENT}".strip()
    return replace(claim, evidence=evidence, reason=reason)


def _answer(shown: Answer, allowed: Allowance) -> Answer:
    statements = tuple(s for made in shown.statements if (s := _statement(made, allowed)))
    nearest = tuple(
        replace(near, citation=citation)
        for near in shown.nearest
        if (citation := _citation(near.citation, allowed))
    )
    same = statements == shown.statements
    tentative = shown.tentative and bool(nearest)
    if shown.refused and shown.nearest and not nearest:
        shown = replace(shown, text=texts.NO_PASSAGE)
    if shown.statements and not statements:
        return replace(
            shown,
            refused=True,
            statements=(),
            intro="",
            text=texts.PAID_ANSWER,
            nearest=(),
            hits=(),
        )
    return replace(
        shown,
        statements=statements,
        text=shown.text if same else render(statements),
        nearest=nearest,
        tentative=tentative,
        hits=tuple(_hits(shown.hits, allowed)),
    )


def _statement(shown: Statement, allowed: Allowance) -> Statement | None:
    """Return a statement with what may be quoted; None when that is nothing of what it quotes."""
    cut = [(before, _citation(before, allowed)) for before in shown.citations]
    citations = tuple(after for _, after in cut if after)
    if cut and not citations:
        return None
    text = shown.text
    # A sentence of the article itself is as long as its quote.
    for before, after in cut:
        if before.quote.strip() == text.strip() and after:
            text = after.quote.strip() + (_CUT_MARK if after.quote != before.quote else "")
            break
    span = shown.span
    if span and text[slice(*span)] != shown.text[slice(*span)]:
        span = None
    return replace(shown, text=text, citations=citations, span=span)


def _evidence(claim: str, shown: ClaimEvidence, allowed: Allowance) -> ClaimEvidence | None:
    if not shown.citation.source.paywalled:
        return shown
    if (citation := _citation(shown.citation, allowed)) is None:
        return None
    context = f"{claim} {citation.quote}"
    attribution = shown.attribution
    if _tells(attribution.speaker, context):
        attribution = Attribution(attribution.kind)
    return replace(
        shown,
        citation=citation,
        before="",
        after="",
        attribution=attribution,
        signals=tuple(s for s in shown.signals if not _tells(s.text, context)),
    )


def _tells(text: str, context: str) -> bool:
    """Tell whether a sentence of ours has a figure or a name that its context does not show."""
    context_words = set(words(context))
    return any(not set(words(m.group())) <= context_words for m in _FACTS.finditer(text))


def _citation(shown: Citation, allowed: Allowance) -> Citation | None:
    if shown.in_title:  # which stands beside each quote anyway
        return shown
    quote = allowed.cut(shown.source, shown.article_id, shown.start, shown.quote)
    if quote == shown.quote:
        return shown
    return replace(shown, quote=quote, end=shown.start + len(quote)) if quote else None


def _hits(hits: Iterable[Hit], allowed: Allowance) -> list[Hit]:
    shown = (
        replace(
            hit,
            passage=_passage(hit.passage, hit.source, allowed),
            also=tuple((_passage(p, s, allowed), s) for p, s in hit.also),
        )
        for hit in hits
    )
    return [hit for hit in shown if hit.passage.text]


def _passage(passage: Passage, source: Source, allowed: Allowance) -> Passage:
    if not source.paywalled:
        return passage
    text = allowed.cut(source, passage.article_id, passage.start, passage.text)
    # Its heading is text of the article too, and stands in the quote or is not shown.
    if not text.startswith(passage.heading):
        passage = replace(passage, heading="")
    if text == passage.text:
        return passage
    return replace(passage, text=text, end=passage.start + len(text))


def _copied(text: str, passage: Passage) -> list[Span]:
    """Return the spans of an article, in its passage, that a sentence has word for word."""
    return [
        (passage.start + a, passage.start + b) for a, b in _runs(_words(passage.text), _words(text))
    ]


def _runs(reference: Sequence[_Word], written: Sequence[_Word]) -> list[Span]:
    """Return the spans of a reference of which a text has `_COPIED_WORDS` words in a row."""
    matcher = SequenceMatcher(
        None, [w for w, _ in reference], [w for w, _ in written], autojunk=False
    )
    return [
        (reference[m.a][1][0], reference[m.a + m.size - 1][1][1])
        for m in matcher.get_matching_blocks()
        if m.size >= _COPIED_WORDS
    ]


def _words(text: str) -> Sequence[_Word]:
    return [(fold(m.group()), m.span()) for m in re.finditer(r"\w+", text)]


def _cut(text: str, most: int) -> str:
    """Return the beginning of a text, whole words, at most so many characters."""
    if most >= len(text):
        return text
    head = text[: max(most, 0)]
    if head and not text[len(head)].isspace():
        head = head.rpartition(" ")[0] or head
    return head.rstrip()
