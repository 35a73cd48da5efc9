"""What publishers write about their articles in a page, for machines to read.

JSON-LD first (schema.org `NewsArticle` and its kin, as news search engines ask for it), then
OpenGraph and `meta`. What neither tells is left to guesses, which are marked as such.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from email.utils import parsedate_to_datetime
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from rag.french.dates import parse_date
from rag.markup import is_web_address

if TYPE_CHECKING:
    from lxml.html import HtmlElement

log = logging.getLogger(__name__)

_ARTICLES = re.compile(
    r"(?:https?://schema\.org/|schema:)?(?:\w*Article|Report|Review|BlogPosting|LiveBlogPosting)"
)
_PAGES = re.compile(r"(?:https?://schema\.org/|schema:)?(?:\w*Page|CreativeWork)")
_LISTINGS = re.compile(
    r"(?:https?://schema\.org/|schema:)?(?:CollectionPage|SearchResultsPage|ProfilePage|ItemList)"
)
_LISTING_TYPES = frozenset({"website", "profile"})
_WRAPPING = re.compile(r"^\s*(?:<!--|//<!\[CDATA\[)|(?:-->|//\]\]>)\s*$")
_MOST_SCRIPTS, _LONGEST_SCRIPT = 50, 1_000_000
_MOST_NODES = 2000
_METAS = {
    "title": ("og:title", "twitter:title", "dc.title"),
    "name": ("og:site_name", "application-name", "dc.publisher"),
    "author": ("article:author", "author", "dc.creator", "parsely-author"),
    "published": (
        "article:published_time", "og:article:published_time", "article:published",
        "datepublished", "date", "dc.date", "dc.date.issued", "dcterms.created", "pubdate",
        "publication_date", "parsely-pub-date", "sailthru.date",
    ),
    "modified": (
        "article:modified_time", "og:updated_time", "datemodified", "dcterms.modified",
        "last-modified",
    ),
    "section": ("article:section", "parsely-section", "dc.subject"),
}  # fmt: skip
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?!\d)")


@dataclass(frozen=True, slots=True)
class Published:
    """What a page says of its article, "" or None where it says nothing.

    `canonical` is the address that it says is the article's own, `tdm_reserved` that text
    and data mining are reserved (TDMRep, `meta`). `listing` tells that it says itself to be
    a page of others: a section, the results of a search.
    """

    title: str = ""
    name: str = ""
    author: str = ""
    section: str = ""
    published: date | None = None
    modified: date | None = None
    canonical: str = ""
    paywalled: bool = False
    tdm_reserved: bool = False
    listing: bool = False


def published(tree: HtmlElement, url: str = "") -> Published:
    """Return what the page of `tree` says of its article; `url` is where it was found."""
    metas = _metas(tree)
    graph = _graph(tree)
    canonical = _canonical(tree, metas, url)
    node = _own([n for n in graph if _is_a(n, _ARTICLES)], tree, canonical)
    pages = [n for n in graph if _is_a(n, _PAGES)]
    entities = {n["@id"]: n for n in graph if isinstance(n.get("@id"), str) and "name" in n}
    found = {name: _first(metas, keys) for name, keys in _METAS.items()}
    own = {
        "title": _text(node.get("headline") or node.get("name")),
        "name": _text(_named(_resolved(node.get("publisher"), entities)))
        or _text(_named(node.get("isPartOf"))),
        "author": _people(_resolved(node.get("author") or node.get("creator"), entities)),
        "published": _text(node.get("datePublished") or node.get("dateCreated")),
        "modified": _text(node.get("dateModified")),
        "section": _people(node.get("articleSection")),
    }
    fields = {name: own[name] or value for name, value in found.items()}
    if is_web_address(fields["author"]):  # `article:author` is often a profile
        fields["author"] = ""
    return Published(
        title=fields["title"],
        name=fields["name"],
        author=fields["author"],
        section=fields["section"],
        published=_day(fields["published"]),
        modified=_day(fields["modified"]),
        canonical=canonical,
        paywalled=any(map(_paywalled, (node, *pages)))
        or metas.get("article:content_tier", "").lower() == "locked",
        listing=not node
        and _day(fields["published"]) is None
        and (any(_is_a(n, _LISTINGS) for n in graph) or _type(metas) in _LISTING_TYPES),
        tdm_reserved=metas.get("tdm-reservation", "").strip() == "1",
    )


def _metas(tree: HtmlElement) -> dict[str, str]:
    """Return the first content of each `meta`, by its name, in lower case."""
    found: dict[str, str] = {}
    for meta in tree.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or ""
        content = (meta.get("content") or "").strip()
        if name and content:
            found.setdefault(name.strip().lower(), content)
    return found


def _type(metas: dict[str, str]) -> str:
    return metas.get("og:type", "").strip().lower()


def _first(metas: dict[str, str], names: tuple[str, ...]) -> str:
    return next((metas[name] for name in names if name in metas), "")


def _graph(tree: HtmlElement) -> list[dict[str, Any]]:
    """Return the objects that the JSON-LD of a page tells, in order."""
    found: list[dict[str, Any]] = []
    for script in tree.xpath("//script[contains(@type, 'ld+json')]")[:_MOST_SCRIPTS]:
        source = (script.text or "").strip()
        if not source or len(source) > _LONGEST_SCRIPT:
            continue
        try:
            data = json.loads(_WRAPPING.sub("", source), strict=False)
        except (ValueError, RecursionError):
            log.debug("JSON-LD illisible", exc_info=True)
            continue
        found += _nodes(data)
    return found


def _own(nodes: list[dict[str, Any]], tree: HtmlElement, canonical: str) -> dict[str, Any]:
    """Return the article that the page is about: pages tell of related ones too."""
    titles = {" ".join("".join(h.itertext()).split()).casefold() for h in tree.iter("h1")}
    for node in nodes:
        page = node.get("mainEntityOfPage")
        places = (node.get("url"), page.get("@id") if isinstance(page, dict) else page)
        if canonical and canonical in [p for p in places if isinstance(p, str)]:
            return node
    for node in nodes:
        if _text(node.get("headline")).casefold() in titles - {""}:
            return node
    return nodes[0] if nodes else {}


def _is_a(node: dict[str, Any], kinds: re.Pattern[str]) -> bool:
    value = node.get("@type")
    return any(
        isinstance(k, str) and kinds.fullmatch(k)
        for k in (value if isinstance(value, list) else [value])
    )


def _resolved(value: Any, entities: dict[str, dict[str, Any]]) -> Any:
    """Return what a reference (`@id`) stands for."""
    if isinstance(value, list):
        return [_resolved(v, entities) for v in value[:_MOST_SCRIPTS] if not isinstance(v, list)]
    if isinstance(value, dict) and "name" not in value and isinstance(value.get("@id"), str):
        return entities.get(value["@id"], value)
    return value


def _nodes(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of JSON-LD: itself, of a list, of `@graph`, of `mainEntity`."""
    todo, met = [data], 0
    while todo and met < _MOST_NODES:
        node = todo.pop(0)
        met += 1
        if isinstance(node, list):
            todo = node[:_MOST_NODES] + todo
        elif isinstance(node, dict):
            yield node
            todo += [node[k] for k in ("@graph", "mainEntity") if k in node]


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = next((v for v in value if isinstance(v, str)), "")
    # Many publishers escape what they put into JSON too.
    return " ".join(unescape(value).split()) if isinstance(value, str) else ""


def _named(value: Any) -> Any:
    """Return the name of a thing, or of the first of a list of things."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return value.get("name", "") if isinstance(value, dict) else value


def _people(value: Any) -> str:
    """Return the names of people, or sections, one after the other."""
    several = value if isinstance(value, list) else [value]
    names = [n for v in several if (n := _text(_named(v))) and not is_web_address(n)]
    return ", ".join(dict.fromkeys(names))


def day_of(text: str) -> str:
    """Return the day of a date and time as ISO 8601, whole or compact; else the text as it is."""
    found = _DAY.match(text.strip())
    return "-".join(found.groups()) if found else text


def _day(text: str) -> date | None:
    """Return the day of a date and time, as its own time zone has it."""
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).date()  # RFC 5322, as feeds have it
    except (ValueError, TypeError, OverflowError):
        pass
    try:
        day = parse_date(day_of(text))
        return day if day and day.year <= date.today().year + 1 else None
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError):
        log.debug("date illisible : %.80s", text, exc_info=True)  # what date libraries raise
        return None


def _canonical(tree: HtmlElement, metas: dict[str, str], url: str) -> str:
    links = tree.xpath("//link[contains(concat(' ', @rel, ' '), ' canonical ')]/@href")
    for link in (*links[:1], metas.get("og:url", "")):
        try:
            address = urljoin(url, link.strip()).partition("#")[0] if link else ""
        except ValueError:
            continue
        if is_web_address(address):
            return address
    return ""


def _paywalled(node: dict[str, Any]) -> bool:
    """Tell whether readers pay for the article: `isAccessibleForFree`, a boolean or its word."""
    parts = node.get("hasPart")
    inner = [p for p in (parts if isinstance(parts, list) else [parts]) if isinstance(p, dict)]
    return any(_closed(n.get("isAccessibleForFree")) for n in (node, *inner[:_MOST_SCRIPTS]))


def _closed(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_closed, value[:_MOST_SCRIPTS])) if len(value) < _MOST_SCRIPTS else False
    word = value.strip().lower().rpartition("/")[2] if isinstance(value, str) else value
    return word in ("false", "no", "0", 0, False) and word is not None
