"""What of a piece of evidence stands against a claim, and which figures and names agree with it.

It compares words: what it marks does not explain the verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rag.checking.signals.polarity import NEGATED, contraries
from rag.checking.signals.quantities import counterparts
from rag.checking.signals.swapped import substituted_name
from rag.french.names import capitalised, names
from rag.french.words import fold, is_function_word, lowered, words

_LONGEST_TEXT = 3000  # characters of a text that are compared
_WHOLE = re.compile(r"[^\W\d_]+(?:[-‑][^\W\d_]+)*|\d+")
_FIRST = re.compile(r"(?:^|[.!?…:»]\s+)\W{0,3}\w")
_NEGATIONS = frozenset("pas jamais aucun aucune ni rien guere".split())

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mark:
    """Words `[start, end)` of a quote, and whether they agree with a claim or stand against it."""

    start: int
    end: int
    agrees: bool


# A text is rendered again and again as its claims are judged.
@lru_cache(maxsize=2048)
def differences(claim: str, quote: str) -> tuple[Mark, ...]:
    """Return what a quote has against a claim, and its figures and names that agree, in order.

    Against it: another figure of a unit or a noun that it counts, another date, another name with
    the same words around, a contrary, a negation that it has not. Words are whole.
    """
    claim, quote = claim[:_LONGEST_TEXT], quote[:_LONGEST_TEXT]
    whole = [m.span() for m in _WHOLE.finditer(quote)]
    figures = counterparts(claim, quote)
    against = [span for span, agrees in figures if not agrees]
    against += [*_other_names(claim, quote), *_contraries(claim, quote), *_negations(claim, quote)]
    alike = [span for span, agrees in figures if agrees] + list(_same_names(claim, quote))
    differing = _joined(quote, [_widened(span, whole) for span in against])
    agreeing = [
        span for span in _joined(quote, [_widened(span, whole) for span in alike])
        if not any(span[0] < end and start < span[1] for start, end in differing)
    ]  # fmt: skip
    marks = [Mark(*s, agrees=False) for s in differing] + [Mark(*s, agrees=True) for s in agreeing]
    return tuple(sorted(marks, key=lambda mark: mark.start))


def _other_names(claim: str, quote: str) -> Iterator[Span]:
    """Yield the name that stands in the place of one of the claim's, wherever it is repeated.

    A capital that begins a sentence may be that of any word, and is taken for none.
    """
    if pair := substituted_name(claim, _FIRST.sub(lambda m: m.group().lower(), quote)):
        yield from _places(pair[1], quote)


def _contraries(claim: str, quote: str) -> Iterator[Span]:
    for _, word in contraries(claim, quote):
        yield from _places(word, quote)


def _negations(claim: str, quote: str) -> Iterator[Span]:
    if NEGATED.search(lowered(quote)) and not NEGATED.search(lowered(claim)):
        yield from (m.span() for m in _WHOLE.finditer(quote) if fold(m.group()) in _NEGATIONS)


def _same_names(claim: str, quote: str) -> Iterator[Span]:
    """Yield the names that both have; a capital that only begins both sentences makes none."""
    mine, theirs = capitalised(claim), capitalised(quote)
    both = {w for name in names(claim) & theirs | names(quote) & mine for w in words(name)}
    for m in _WHOLE.finditer(quote):
        parts = words(m.group())
        empty = all(map(is_function_word, parts))
        if m.group()[0].isupper() and both.issuperset(parts) and not empty:
            yield m.span()


def _places(word: str, text: str) -> Iterator[Span]:
    return (m.span() for m in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text))


def _widened(span: Span, whole: list[Span]) -> Span:
    """Return a span with all of the words that it has a part of, compounds too."""
    touched = [w for w in whole if w[0] < span[1] and span[0] < w[1]]
    return min(s for s, _ in [span, *touched]), max(e for _, e in [span, *touched])


def _joined(text: str, spans: list[Span]) -> list[Span]:
    """Return spans in order, those that overlap or have nothing but space between them as one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
