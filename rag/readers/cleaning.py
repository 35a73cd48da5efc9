"""Repair what scraping did to an article, and say what was cut.

Works on blocks (a heading or a paragraph). What is kept keeps its typography:
apostrophes, guillemets and French spaces are never normalised here.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from rag.french.words import fold
from rag.readers.furniture import noise
from rag.readers.links import without_links

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or a heading of an article, one line; `page` where it was read from pages."""

    text: str
    heading: bool = False
    page: str = ""


# Invisible characters that scraping leaves: zero-width marks, soft hyphens, controls.
# And direction marks: a quotation must not be shown in another order than it was written.
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u2060\ufeff\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ud800-\udfff"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
# Letters that typesetting draws as one, as PDFs have them: « ﬁn » is found by « fin » alone so.
_LIGATURES = {
    0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl",
    0xFB05: "st", 0xFB06: "st",
}  # fmt: skip
# Where a run of combining marks may hide: putting them in order takes the square
# of their number, and Unicode's stream-safe format (UAX 15) has 30 at most.
_SIGNS = re.compile(r"[^\w\s\x00-\u02ff]{31,}")
_MOST_MARKS = 30
_BLANKS = re.compile("[ \t\u00a0\u202f]{2,}|\t")
_MISSING_SPACE = re.compile(
    r"(?<=[a-zà-öø-ÿ0-9»)])([.!?…]|\.»)(?=(?:[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]*['’ \u00a0]|[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]+[ ,]|«\s?[A-Z]))"
)
_ADDRESS = re.compile(r"https?://|www\.")
_READING_TIMES = (
    # Spaces are counted: two unbounded runs of them side by side take the square of the time.
    re.compile(
        r"""^(?:(?:temps\s{1,3}de\s{1,3})?lecture\s{0,3}:?\s{0,3}\d{1,3}\s{0,3}(?:min(?:utes?)?|mn)\b\.?
              | \d{1,3}\s{0,3}(?:min(?:utes?)?|mn)\.?\s{1,3}de\s{1,3}lecture\.?
              | \d{1,3}\s{0,3}(?:minutes?|min|mn)\.?$)\s{0,3}[|·–-]?\s{0,3}""",
        re.VERBOSE | re.IGNORECASE,
    ),
    # Glued to a capital: case tells « 2 minutesSécurité » from « 2 minutes suffisent ».
    re.compile(r"^\d{1,3}\s{0,3}(?:minutes?|min|mn)\.?(?=[A-ZÀ-ÖØ-Þ«])"),
)

_FINAL = ".!…;:,"
_LIST_MARK = re.compile(r"^(?:[-–—•*]|\d{1,2}[.)])\s")


def clean(blocks: Iterable[Block], title: str, name: str = "") -> list[Block]:
    """Return the blocks of an article without what is not the article.

    Cuts reading times, the repeated title, « Lire aussi » and share lines,
    links glued to a sentence, cookie and subscription notices; mends spaces; marks bare subheads as
    headings. What is cut is logged at INFO under `name`.
    """
    body: list[Block] = []
    bare_title = _bare(title)
    for block in blocks:
        text = tidy(block.text)
        trimmed = strip_reading_time(text)
        glued = trimmed != text
        if glued:
            _log_cut(name, "temps de lecture", text[: len(text) - len(trimmed)])
        if not body:
            trimmed = _strip_title(trimmed, title, bare_title, name)
            # A title cut off may uncover a reading time that was glued to it.
            rest = strip_reading_time(trimmed)
            glued = glued or rest != trimmed
            trimmed = rest
        trimmed, links = without_links(trimmed)
        for link in links:
            _log_cut(name, "renvoi", link)
        if not trimmed:
            continue
        if reason := noise(trimmed):
            _log_cut(name, reason, trimmed)
            continue
        heading = block.heading or (glued and _short(trimmed))
        body.append(Block(trimmed, heading, block.page))
    return _mark_subheads(body)


def tidy(text: str) -> str:
    """Return one line with single spaces and the spaces missing after full stops.

    A run of spaces that holds a no-break space keeps one of that kind.
    """
    text = _SIGNS.sub(_fewer_marks, _INVISIBLE.sub("", text))
    text = unicodedata.normalize("NFC", text).replace("\n", " ").translate(_LIGATURES)
    text = _BLANKS.sub(_one_space, text).strip()
    addresses = _addresses(text)
    starts = [start for start, _ in addresses]

    def mend(match: re.Match[str]) -> str:
        before = bisect_right(starts, match.start()) - 1
        if before >= 0 and match.start() < addresses[before][1]:
            return match.group()
        return match.group() + " "

    return re.sub(r"»(?=[A-ZÀ-ÖØ-Þ])", "» ", _MISSING_SPACE.sub(mend, text))


def _addresses(text: str) -> list[tuple[int, int]]:
    """Return the spans of web and mail addresses, in order."""
    spans = []
    for token in re.finditer(r"\S+", text):
        start, end = token.span()
        if token.group().rfind("@") > 0:
            spans.append((start, end))
        elif web := _ADDRESS.search(text, start, end):
            spans.append((web.start(), end))
    return spans


def _fewer_marks(signs: re.Match[str]) -> str:
    """Return a run of signs, each with no more combining marks than any script uses."""
    characters, marks = [], 0
    for sign in signs.group():
        marks = marks + 1 if unicodedata.category(sign).startswith("M") else 0
        if marks <= _MOST_MARKS:
            characters.append(sign)
    return "".join(characters)


def strip_reading_time(text: str) -> str:
    """Return `text` without a reading time at its start, glued to a heading or not."""
    for pattern in _READING_TIMES:
        text = pattern.sub("", text, count=1)
    return text


def assemble(
    blocks: Iterable[Block],
) -> tuple[str, tuple[tuple[int, int], ...], tuple[tuple[int, str], ...]]:
    """Return the text of blocks, one blank line between them, its heading spans and its pages."""
    parts: list[str] = []
    headings: list[tuple[int, int]] = []
    pages: list[tuple[int, str]] = []
    at = 0
    for block in blocks:
        if block.heading:
            headings.append((at, at + len(block.text)))
        if block.page and (not pages or pages[-1][1] != block.page):
            pages.append((at, block.page))
        parts.append(block.text)
        at += len(block.text) + 2
    return "\n\n".join(parts), tuple(headings), tuple(pages)


def blocks_of(text: str) -> list[Block]:
    """Return the paragraphs of plain text: lines, or blank-line groups when hard-wrapped."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    groups = [
        [ln.strip() for ln in g.split("\n") if ln.strip()] for g in re.split(r"\n\s*\n", text)
    ]
    inner = [line for g in groups for line in g[:-1]]
    wrapped = [ln for ln in inner if len(ln) >= 45 and ln[-1] not in ".!?…»:"]
    if inner and len(wrapped) >= 0.5 * len(inner) and all(len(ln) <= 120 for ln in inner):
        return [Block(" ".join(g)) for g in groups if g]
    return [Block(line) for g in groups for line in g]


def _one_space(match: re.Match[str]) -> str:
    for blank in match.group():
        if blank in "\u00a0\u202f":
            return blank
    return " "


def _strip_title(text: str, title: str, bare_title: str, name: str) -> str:
    """Cut the title repeated as the first line, or glued in front of it."""
    if not title:
        return text
    if _bare(text) == bare_title:
        _log_cut(name, "titre répété", text)
        return ""
    rest = text[len(title) :]
    if text.startswith(title) and rest[:1] and (rest[0].isupper() or rest[0].isdigit()):
        _log_cut(name, "titre répété", title)
        return rest
    return text


def _bare(text: str) -> str:
    return re.sub(r"[^\w]+", " ", fold(text)).strip()


def _short(text: str) -> bool:
    """Tell whether a line has the shape of a heading."""
    return (
        len(text) <= 100
        and len(text.split()) <= 14
        and text[-1] not in _FINAL
        and not text.endswith(("»", "”"))
        and (text[0].isupper() or text[0].isdigit() or text[0] in "«“")
        and not _LIST_MARK.match(text)
    )


def _mark_subheads(blocks: list[Block]) -> list[Block]:
    """Mark as headings the short bare lines that a full paragraph follows."""
    marked = []
    for i, block in enumerate(blocks):
        following = blocks[i + 1].text if i + 1 < len(blocks) else ""
        before = blocks[i - 1].text if i else "."
        bare = (
            not block.heading
            and _short(block.text)
            and len(following) > max(80, len(block.text))
            and following[0] not in "-–•"
            and before[-1] in ".!?…»”:)"
        )
        marked.append(Block(block.text, block.heading or bare, block.page))
    return marked


def _log_cut(name: str, reason: str, text: str) -> None:
    log.info("%s : retiré (%s) : %s", name, reason, text[:200])
