r"""What stands between quotation marks in French text: « », “ ” and straight ones.

A quotation may go on over several sentences and paragraphs; each of these may open with a mark of
its own (« … \n« … »). Straight marks do not say which they are: one after a space opens, one after
a word closes.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from rag.french.sentences import Span

_MARK = re.compile(r"[«»“”\"]")
_FOOT = re.compile(r"\n\s*")
_LONGEST_QUOTATION = 3000  # characters; what is not closed by then was no quotation


def quotations(text: str) -> list[Span]:
    """Return the spans `[start, end)` of quotations, marks included, in order, none in another.

    One that is not closed ends with its paragraph.
    """
    found: list[Span] = []
    opened, closing = -1, ""
    for match in _MARK.finditer(text):
        mark, at = match.group(), match.start()
        if opened >= 0 and at - opened > _LONGEST_QUOTATION:
            found.append((opened, _paragraph_end(text, opened)))
            opened = -1
        if opened < 0:
            if mark in "«“" or (mark == '"' and _opens(text, at)):
                opened, closing = at, {"«": "»", "“": "”", '"': '"'}[mark]
        elif mark == closing and not (mark == '"' and _opens(text, at)):
            found.append((opened, at + 1))
            opened = -1
    if opened >= 0:
        found.append((opened, _paragraph_end(text, opened)))
    return found


def _opens(text: str, at: int) -> bool:
    """Tell whether a straight mark opens: after a space or nothing, before a word."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return (not before or before.isspace() or before in "('’(-—:") and not after.isspace()


def _paragraph_end(text: str, start: int) -> int:
    end = _FOOT.search(text, start)
    return end.start() if end else len(text)


def mark_quotations(text: str) -> str:
    """Return a text with « and » for the straight marks of its quotations, one for one."""
    chars = list(text)
    for a, b in quotations(text):
        if text[a] == '"':
            chars[a] = "«"
            if text[b - 1] == '"':
                chars[b - 1] = "»"
    return "".join(chars)


class Quoted:
    """The quotations of a text, asked about places."""

    def __init__(self, text: str) -> None:
        self.spans: Sequence[Span] = quotations(text)
        self._starts = [a for a, _ in self.spans]

    def around(self, at: int) -> Span | None:
        """Return the quotation that a place stands in, its first mark left out, or None."""
        n = bisect_right(self._starts, at - 1) - 1
        return self.spans[n] if n >= 0 and at < self.spans[n][1] else None

    def within(self, start: int, end: int) -> list[Span]:
        """Return the parts of quotations in `[start, end)`."""
        first = max(0, bisect_right(self._starts, start) - 1)
        return [
            (max(a, start), min(b, end))
            for a, b in self.spans[first : bisect_right(self._starts, end)]
            if a < end and b > start
        ]
