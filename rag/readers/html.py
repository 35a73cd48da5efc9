"""Reader for HTML pages: trafilatura finds the article; what its publisher says of it comes first.

What publishers write for machines (`published.py`) is taken before what trafilatura finds; a
date that only the page's text or address tells is marked as deduced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from lxml import etree

from rag import messages
from rag.domain import Failure
from rag.errors import ReadError
from rag.french.dates import parse_date
from rag.readers.cleaning import Block
from rag.readers.draft import Draft, decode, source_of
from rag.readers.published import published

if TYPE_CHECKING:
    from lxml.etree import _Element
    from lxml.html import HtmlElement

_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LEAVES = frozenset({"p", "li", "blockquote", "td", "th", "dt", "dd", "figcaption", "pre", "div"})
_AROUND = frozenset(
    {"body", "tr", "table", "ul", "ol", "section", "article", "header", "footer", "main"}
)
_BESIDE = frozenset({"nav", "header", "footer", "aside", "script", "style", "noscript"})
_MOST_TAGS = 400_000  # a long live blog has some 30,000; a tree takes about 100 bytes a tag
_LISTED_SHARE = 0.6  # of the letters of a page that says itself to list others
_PARAGRAPHS_SHARE = 0.5  # share of the text that its paragraphs are, for them to be taken
_BYLINE = re.compile(r"(?:Par|De|Publié|Mis à jour) .{1,80}")
_BLOCK_TAGS = {"p", "item", "quote", "head", "cell", "code"}


def read_html(data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
    """Read the article of a page. Raises ReadError when there is none.

    `charset` is the encoding that a server announced; the page's own counts without it.
    """
    import trafilatura
    from trafilatura.settings import Document

    page, tree = _parsed(data, charset)
    if tree is None:
        raise ReadError(messages.NO_ARTICLE_IN_PAGE)
    metadata = published(tree)
    if metadata.listing and _link_share(tree) >= _LISTED_SHARE:
        raise ReadError(messages.SECTION_PAGE)
    document = trafilatura.bare_extraction(
        tree, with_metadata=True, include_comments=False, favor_recall=True, include_tables=True
    )
    if not isinstance(document, Document) or document.body is None:
        raise ReadError(messages.NO_ARTICLE_IN_PAGE)
    source = source_of(
        {
            "title": metadata.title or document.title or "",
            "name": metadata.name or document.sitename or "",
            "author": metadata.author or (document.author or "").replace("; ", ", "),
            "url": metadata.canonical or document.url or "",
            "section": metadata.section or ", ".join(document.categories or []),
        },
        name,
    )
    day, deduced = metadata.published, False
    if day is None:
        day = parse_date(document.date) if document.date else _visible_date(page)
        deduced = day is not None
    source = replace(
        source,
        published=day,
        deduced=deduced,
        modified=metadata.modified,
        paywalled=metadata.paywalled,
    )
    yield Draft(source, tuple(_apart(list(_blocks(document.body)), page)))


def _parsed(data: bytes, charset: str) -> tuple[str, HtmlElement | None]:
    """Return a page as text and its tree, if it has one.

    Raises ReadError for a page whose tree alone would take hundreds of megabytes.
    """
    from trafilatura.utils import load_html

    page = decode(data, charset or _declared(data))
    if (tags := page.count("<")) > _MOST_TAGS:
        raise ReadError(messages.MANY_TAGS.format(tags))
    return page, load_html(page)


def _link_share(tree: HtmlElement) -> float:
    """Return the share, in [0, 1], of the letters of a page's main part that are links."""
    main = next(tree.iter("main"), next(tree.iter("body"), tree))
    text = links = beside = linked = 0
    for event, element in etree.iterwalk(main, events=("start", "end")):
        step = 1 if event == "start" else -1
        beside += step * (element.tag in _BESIDE)
        linked += step * (element.tag == "a")
        content = element.text if event == "start" else element.tail
        own = 0 if beside or not isinstance(element.tag, str) else len((content or "").strip())
        text += own
        links += own if linked else 0
    return links / max(1, text)


def page_blocks(data: bytes, charset: str = "") -> list[Block]:
    """Return the headings and paragraphs of a page that is all text: a chapter, a newsletter.

    Text that stands beside a block, and lines that two breaks set apart, are paragraphs too;
    what is not displayed is left. Raises ReadError for one of too many tags.
    """
    _, tree = _parsed(data, charset)
    if tree is None:
        return []
    for gone in tree.xpath("//script | //style | //head | //nav | //template | //noscript"):
        gone.drop_tree()
    for hidden in tree.xpath("//*[contains(translate(@style, ' ', ''), 'display:none')]"):
        if hidden.getparent() is not None:
            hidden.drop_tree()
    lines = _Lines()
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag in _HEADINGS | _LEAVES | _AROUND:
            lines.close(heading=event == "end" and tag in _HEADINGS)
        if event == "end":
            lines.add(element.tail)
        elif tag == "br":
            lines.pieces.append("\n")
        elif tag:
            lines.add(element.text)
    lines.close()
    return lines.found


class _Lines:
    """The blocks of a page as its text comes."""

    def __init__(self) -> None:
        self.found: list[Block] = []
        self.pieces: list[str] = []

    def add(self, text: str | None) -> None:
        """Take text, whose line breaks are the source's."""
        self.pieces.append((text or "").replace("\n", " "))

    def close(self, *, heading: bool = False) -> None:
        """End a block; two breaks end one too."""
        parts = (" ".join(p.split()) for p in re.split(r"\n\s*\n", "".join(self.pieces)))
        self.found += [Block(line, heading) for line in parts if line]
        self.pieces = []


def _declared(data: bytes) -> str:
    found = _CHARSET.search(data[:4096])
    return found.group(1).decode("ascii") if found else ""


def _blocks(body: _Element) -> Iterator[Block]:
    for element in body.iter():
        tag = element.tag
        if tag not in _BLOCK_TAGS or any(a.tag in _BLOCK_TAGS for a in element.iterancestors()):
            continue
        for line in re.split(r"\n+", "".join(element.itertext())):
            if line.strip():
                yield Block(line.strip(), tag == "head")


def _apart(blocks: list[Block], page: str) -> list[Block]:
    """Return blocks as the page has them where all came as one, its title and byline within.

    Of a short page trafilatura gives the text alone. Paragraphs are then those of the page that
    it took, what stands before the first of them left out.
    """
    from trafilatura.utils import load_html

    if len(blocks) != 1 or (tree := load_html(page)) is None:
        return blocks
    whole, found = _squeezed(blocks[0].text), []
    scope = next(tree.iter("article"), next(tree.iter("main"), tree))
    for element in scope.iter("p", "li", "blockquote", "h2", "h3", "h4"):
        text = " ".join("".join(element.itertext()).split())
        if text and _squeezed(text) in whole and not _BYLINE.fullmatch(text):
            found.append(Block(text, element.tag in _HEADINGS))
    taken = sum(len(_squeezed(b.text)) for b in found)
    return found if len(found) > 1 and taken >= _PARAGRAPHS_SHARE * len(whole) else blocks


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _visible_date(page: str) -> date | None:
    """Read a French date printed near « publié le », which metadata often lacks."""
    visible = re.sub(r"<[^<>]+>", " ", page)  # stops at « < »: linear, closed or not
    match = re.search(
        r"(?i)publié(?:e)?\s+le\s+((?:\w+\s+)?\d{1,2}(?:er)?\s+\w+\s+\d{4}|\d{2}/\d{2}/\d{4})",
        visible,
    )
    return parse_date(match.group(1)) if match else None
