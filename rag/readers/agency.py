"""Readers for what agencies send: NewsML-G2, NITF, ninjs (iptc.org), and JSON of articles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rag import messages
from rag.domain import Failure
from rag.errors import ReadError
from rag.readers.cleaning import Block, blocks_of
from rag.readers.documents import parse_xml, texts_of
from rag.readers.draft import Draft, decode, known_fields, source_of
from rag.readers.html import page_blocks
from rag.readers.published import day_of

if TYPE_CHECKING:
    from lxml.etree import _Element

_MARKUP = re.compile(r"</?(?:p|br|div|h[1-6]|ul|li)\b[^<>]*>")
_MOST_ITEMS = 50_000


def read_xml(data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
    """Read NewsML-G2 or NITF, told by what the file holds. Raises ReadError for other XML."""
    del charset  # XML says its own
    from lxml import etree

    root = parse_xml(data)
    kind = etree.QName(root).localname
    if kind == "nitf":
        yield _nitf(root, {}, name, 0)
        return
    items = list(root.iter("{*}newsItem"))
    if not items:
        raise ReadError(messages.UNKNOWN_XML)
    for row, item in enumerate(items, 1):
        try:
            yield _news_item(item, name, row if len(items) > 1 else 0)
        except ReadError as error:
            yield Failure(f"{name}#{row}" if len(items) > 1 else name, str(error))


def _news_item(item: _Element, name: str, row: int) -> Draft:
    """Return the draft of a NewsML-G2 item. Raises ReadError where it has no text."""
    status = next((e.get("qcode") or e.get("uri") or "" for e in item.iter("{*}pubStatus")), "")
    if status.rpartition(":")[2].rpartition("/")[2] in {"canceled", "withheld"}:
        raise ReadError(messages.CANCELLED_DISPATCH)
    meta = item.find("{*}contentMeta")
    empty = item.makeelement("none")
    about = empty if meta is None else meta

    def first(path: str) -> str:
        return next(iter(texts_of(about.iterfind(path))), "")

    provider = next(item.iter("{*}provider"), None)
    fields = {
        "identity": item.get("guid") or "",
        "title": first("{*}headline"),
        "author": first("{*}by") or first("{*}creator/{*}name"),
        "name": first("{*}infoSource/{*}name")
        or (next(iter(texts_of(provider.iterfind("{*}name"))), "") if provider is not None else ""),
        "published": _first_date(item),
        "section": ", ".join(texts_of(about.iterfind("{*}subject/{*}name"))[:3]),
    }
    content = item.find("{*}contentSet")
    inline = None if content is None else next(iter(content.iter("{*}inlineXML")), None)
    if inline is not None:
        nitf = next(inline.iter("{*}nitf", "nitf"), None)
        if nitf is not None:
            return _nitf(nitf, fields, name, row)
        blocks = list(_xhtml(inline))
    else:
        data = "" if content is None else "\n\n".join(
            e.text or "" for e in content.iter("{*}inlineData")
        )  # fmt: skip
        blocks = blocks_of(data)
    if not blocks:
        raise ReadError(messages.NO_TEXT_IN_DISPATCH)
    return Draft(source_of(fields, name), tuple(blocks), fields["identity"], row)


def _first_date(item: _Element) -> str:
    for path in ("{*}contentMeta/{*}contentCreated", "{*}itemMeta/{*}firstCreated",
                 "{*}itemMeta/{*}versionCreated"):  # fmt: skip
        if value := (item.findtext(path) or "").strip():
            return day_of(value)
    return ""


_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = _HEADINGS | {"p", "li", "blockquote", "td", "div"}


def _xhtml(element: _Element) -> Iterator[Block]:
    """Yield the blocks of XHTML that hold no other block."""
    for node in element.iter():
        if _name(node) not in _BLOCKS or any(_name(n) in _BLOCKS for n in node.iterdescendants()):
            continue
        for line in node.iterdescendants("{*}br"):
            line.tail = " " + (line.tail or "")
        for text in texts_of([node]):
            yield Block(text, _name(node) in _HEADINGS)


def _name(node: _Element) -> str:
    return node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""


def _nitf(root: _Element, metadata: dict[str, str], name: str, row: int) -> Draft:
    """Return the draft of a NITF document; its `metadata` come first."""
    body = root.find(".//{*}body.content")
    blocks = [
        Block(text, node.tag.rpartition("}")[2] == "hl2")
        for node in (() if body is None else body.iter("{*}p", "{*}hl2"))
        for text in texts_of([node])
    ]

    def first(path: str) -> str:
        return next(iter(texts_of(root.iterfind(path))), "")

    def value_of(path: str, attribute: str) -> str:
        found = root.find(path)
        return "" if found is None else found.get(attribute) or ""

    issued = value_of(".//{*}date.issue", "norm") or value_of(".//{*}pubdata", "date.publication")
    own = {
        "identity": value_of(".//{*}doc-id", "id-string"),
        "title": first(".//{*}hedline/{*}hl1") or first(".//{*}head/{*}title"),
        "author": first(".//{*}byline"),
        "name": value_of(".//{*}pubdata", "name") or value_of(".//{*}doc.copyright", "holder"),
        "published": day_of(issued),
        "section": value_of(".//{*}pubdata", "position.section"),
    }  # fmt: skip
    fields = own | {key: value for key, value in metadata.items() if value}
    if not blocks:
        raise ReadError(messages.NO_TEXT_IN_DISPATCH)
    return Draft(source_of(fields, name), tuple(blocks), fields["identity"], row)


def read_json(data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
    """Read ninjs, or objects with the fields of articles: one, or a list of them."""
    try:
        payload = json.loads(decode(data, charset), parse_int=str, parse_float=str,
                             parse_constant=lambda _: None)  # fmt: skip
    except json.JSONDecodeError as error:
        raise ReadError(messages.DAMAGED_JSON.format(error.pos)) from error
    except RecursionError as error:
        raise ReadError(messages.DEEP_JSON) from error
    if isinstance(payload, dict):
        listed = next(
            (payload[k] for k in ("items", "articles", "data") if isinstance(payload.get(k), list)),
            None,
        )
        items = [payload] if listed is None else listed
    else:
        items = payload if isinstance(payload, list) else []
    if not items:
        raise ReadError(messages.NO_ARTICLE_IN_JSON)
    for row, item in enumerate(items[:_MOST_ITEMS], 1):
        where = f"{name}#{row}" if len(items) > 1 else name
        try:
            yield _object(item, name, row if len(items) > 1 else 0)
        except ReadError as error:
            yield Failure(where, str(error))
    if len(items) > _MOST_ITEMS:
        yield Failure(name, messages.MANY_ARTICLES.format(_MOST_ITEMS))


def _object(item: Any, name: str, row: int) -> Draft:
    """Return the draft of an object. Raises ReadError where it is no article."""
    if not isinstance(item, dict):
        raise ReadError(messages.NOT_AN_OBJECT)
    if item.get("pubstatus") in {"canceled", "withheld"}:
        raise ReadError(messages.CANCELLED_DISPATCH)
    fields = known_fields(item)
    blocks: list[Block] = []
    for key in ("body_xhtml", "body_html", "body_text"):
        body = item.get(key)
        if isinstance(body, str) and body.strip():
            blocks = page_blocks(body.encode()) if key != "body_text" else blocks_of(body)
            break
    fields.setdefault(
        "published", day_of(_text(item.get("firstcreated") or item.get("versioncreated")))
    )
    fields.setdefault("identity", _text(item.get("uri")))
    fields.setdefault("name", _text(item.get("copyrightholder")))
    if not blocks:
        text = fields.get("text", "")
        blocks = page_blocks(text.encode()) if _MARKUP.search(text) else blocks_of(text)
    if not blocks:
        raise ReadError(messages.NO_TEXT_IN_OBJECT)
    return Draft(source_of(fields, name), tuple(blocks), fields["identity"], row)


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
