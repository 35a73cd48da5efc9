"""What an address lists: the entries of a feed, the pages of a sitemap, the feeds of a site.

Runs in the workers (`rag/readers/isolation.py`), which bound the memory and the time of what a
server sends.
"""

from __future__ import annotations

import json
import logging
import re
from calendar import timegm
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from rag import messages
from rag.domain import Article, Failure
from rag.errors import ReadError
from rag.markup import is_web_address
from rag.readers.articles import article_id, read_bytes
from rag.readers.draft import decode
from rag.readers.fetch import ARTICLES, LISTS, Page, Validators, fetch, parse_url, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

MOST_ENTRIES = 50_000  # of one file: what the protocol of sitemaps allows
_MOST_FEEDS = 5  # of one page
_ROBOTS_BYTES = 500_000  # RFC 9309 asks readers to take as much at least
_PDF = "application/pdf"
_IS_FEED = re.compile(
    rb"(?:<\?[^>]*\?>|<!--.*?-->|<!DOCTYPE[^>]*>|\s)*<(?:rss|feed|rdf:RDF)\b", re.DOTALL
)
_UNTOLD_TYPES = ("application/octet-stream", "binary/octet-stream")  # what servers say of `.gz`
_TYPES = (*ARTICLES, *LISTS, _PDF, *_UNTOLD_TYPES)
_SUFFIXES = {"text/plain": ".txt", "text/markdown": ".md", _PDF: ".pdf"}
_HEAD_BYTES = 64_000  # bytes in which a list says what it is
_IS_MAP = re.compile(rb"<(?:[\w.-]+:)?(?:urlset|sitemapindex)\b")


@dataclass(frozen=True, slots=True)
class ListedPage:
    """A page that is listed. `changed` is when it last changed, as the list has it, or ""."""

    url: str
    changed: str = ""


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What was seen at an address: `url` after redirects, and what it lists, if it lists.

    `kind` is "page", "feed", "sitemap", "index" (of sitemaps) or "site"; `lists` are further
    addresses that list pages; `cut` tells that there were more than is taken.
    """

    kind: str
    url: str
    validators: Validators = Validators()  # noqa: RUF009 - frozen
    same: bool = False
    entries: tuple[ListedPage, ...] = ()
    lists: tuple[str, ...] = ()
    cut: bool = False
    reserved: bool = False


Seen = tuple[list[Article], list[Failure], FetchResult]


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """How far an address may be followed: bytes, seconds, and which IP addresses."""

    max_bytes: int
    seconds: float
    allowed: Callable[[str], bool]


def look(url: str, validators: Validators, limits: FetchLimits) -> Seen:
    """Return what is at an address: an article, or a list. Raises ReadError, StatusError."""
    page = fetch(
        url,
        limits.max_bytes,
        limits.allowed,
        limits.seconds,
        types=_TYPES,
        validators=validators,
        redirects=False,
    )
    if page.same:
        return [], [], FetchResult("page", page.url, page.validators, same=True)
    packed = page.data.startswith(b"\x1f\x8b")
    if page.type in _UNTOLD_TYPES and not packed:
        raise ReadError(messages.WRONG_TYPE.format(page.type))
    if packed:
        page = replace(page, data=unpacked([page.data], "gzip", limits.max_bytes))
    found = _listed(page) if page.type != _PDF else None
    if found is not None:
        return [], [], replace(
            found, validators=page.validators, entries=_clean(found.entries, page.url)
        )  # fmt: skip
    return _article(page)


def read_robots(url: str, limits: FetchLimits) -> tuple[list[Article], list[Failure], str]:
    """Return the beginning of a file that says rules, whatever type its server gives it.

    Raises ReadError, StatusError.
    """
    page = fetch(url, _ROBOTS_BYTES, limits.allowed, limits.seconds, types=(), cut=True)
    return [], [], page.data.decode("utf-8-sig", "replace")


def _listed(page: Page) -> FetchResult | None:
    """Return what a page lists; None when it is no list."""
    head = page.data[:_HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"{") and page.type not in ARTICLES:
        return _json_feed(page)
    if not head.startswith(b"<"):
        lines = _lines(page)
        return FetchResult("sitemap", page.url, entries=lines) if lines else None
    if _IS_FEED.match(head):
        return _feed(page)
    if b"<html" in head.lower() or b"<!doctype html" in head.lower():
        return _site(page)
    if _IS_MAP.search(head):
        return _sitemap(page)
    if page.type in ARTICLES and not any(m in head for m in (b"<rss", b"<feed", b"<rdf:RDF")):
        return _site(page)
    return _feed(page)


def _feed(page: Page) -> FetchResult:
    """Read RSS or Atom. Raises ReadError where it is neither."""
    import feedparser

    headers = {"content-location": page.url, "content-type": page.type}
    parsed = feedparser.parse(BytesIO(page.data), response_headers=headers, sanitize_html=False)
    if not parsed.version and not parsed.entries:
        raise ReadError(messages.NOT_A_LIST)
    entries = []
    for entry in islice(parsed.entries, MOST_ENTRIES):
        # What RSS dates is the publication: it tells nothing of a later change.
        stamp = entry.get("updated_parsed") if parsed.version.startswith("atom") else None
        changed = datetime.fromtimestamp(timegm(stamp), UTC).isoformat() if stamp else ""
        link = entry.get("feedburner_origlink") or entry.get("link") or ""
        entries.append(ListedPage(urljoin(page.url, link), changed))
    following = [
        urljoin(page.url, link.get("href", ""))
        for link in parsed.feed.get("links", [])
        if link.get("rel") in {"next", "prev-archive"}  # RFC 5005
    ]
    return FetchResult("feed", page.url, entries=tuple(entries), lists=tuple(following[:1]))


def _json_feed(page: Page) -> FetchResult | None:
    """Read a JSON Feed (jsonfeed.org, version 1.1)."""
    try:
        feed = json.loads(decode(page.data, page.charset))
    except (ValueError, RecursionError) as error:
        raise ReadError(messages.DAMAGED_JSON_IN_PAGE) from error
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(items, list):
        raise ReadError(messages.NOT_A_LIST)
    entries = [
        ListedPage(urljoin(page.url, _text(item, "url") or _text(item, "id")),
                   _text(item, "date_modified"))
        for item in items[:MOST_ENTRIES]
        if isinstance(item, dict)
    ]  # fmt: skip
    following = _text(feed, "next_url")
    return FetchResult(
        "feed", page.url, entries=tuple(entries), lists=(following,) if following else ()
    )


def _text(item: dict[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _sitemap(page: Page) -> FetchResult:
    """Read a sitemap, or an index of them, an element at a time (sitemaps.org)."""
    from lxml import etree

    entries: list[ListedPage] = []
    index, cut = False, False
    try:
        for _, element in etree.iterparse(
            BytesIO(page.data), tag=("{*}url", "{*}sitemap"), resolve_entities=False,
            no_network=True, load_dtd=False, huge_tree=False, recover=True,
        ):  # fmt: skip
            if len(entries) >= MOST_ENTRIES:
                cut = True
                break
            index |= etree.QName(element).localname == "sitemap"
            place = (element.findtext("{*}loc") or "").strip()
            changed = (element.findtext("{*}lastmod") or "").strip()[:40]
            entries.append(ListedPage(urljoin(page.url, place), changed))
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    except (etree.LxmlError, ValueError) as error:
        raise ReadError(messages.DAMAGED_SITEMAP) from error
    if not index:
        return FetchResult("sitemap", page.url, entries=tuple(entries), cut=cut)
    lists = tuple(e.url for e in entries if is_web_address(e.url))
    return FetchResult("index", page.url, lists=lists, cut=cut)


def _lines(page: Page) -> tuple[ListedPage, ...]:
    """Return the pages of a sitemap that is a text, one address a line; none if it is another."""
    if page.type != "text/plain":
        return ()
    lines = decode(page.data, page.charset).split()
    listed = len(lines) > 1 and all(is_web_address(line) for line in lines)
    return tuple(map(ListedPage, lines[:MOST_ENTRIES])) if listed else ()


def _site(page: Page) -> FetchResult | None:
    """Return the feeds of a home page; None where the page is another one."""
    parts = urlsplit(page.url)
    if parts.path not in {"", "/"} or parts.query:
        return None
    return FetchResult("site", page.url, lists=_feeds(page))


def _feeds(page: Page) -> tuple[str, ...]:
    """Return the feeds that a page names, none of them of comments."""
    from trafilatura.feeds import FeedParameters, determine_feed

    parts = urlsplit(page.url)
    base = f"{parts.scheme}://{parts.netloc}"
    found = determine_feed(
        decode(page.data, page.charset), FeedParameters(base, parts.hostname or "", page.url)
    )
    return tuple(found[:_MOST_FEEDS])


def _article(page: Page) -> Seen:
    suffix = _SUFFIXES.get(page.type, ".html")
    try:
        made, failed = read_bytes(page.data, f"page{suffix}", page.url, page.charset)
    except ReadError:
        feeds = _feeds(page) if suffix == ".html" else ()
        if not feeds:
            raise
        return [], [], FetchResult("site", page.url, page.validators, lists=feeds)
    articles = [_of_its_site(article, page.url) for article in made]
    failures = [Failure(page.url, f.reason) for f in failed]
    reserved = page.reserved or _reserves(page)
    return articles, failures, FetchResult("page", page.url, page.validators, reserved=reserved)


def _reserves(page: Page) -> bool:
    """Tell whether a page reserves text and data mining in its `meta` (TDMRep)."""
    head = page.data[:200_000].lower()
    if b"tdm-reservation" not in head:
        return False
    from trafilatura.utils import load_html

    from rag.readers.published import published

    tree = load_html(decode(page.data, page.charset))
    return tree is not None and published(tree).tdm_reserved


def _of_its_site(article: Article, url: str) -> Article:
    """Return an article under the address that its page gives it, if that is of its site.

    A page that says that it is another site's article would take that one's place.
    """
    canonical = article.source.url
    if canonical and site(canonical) == site(url):
        return article
    return replace(article, id=article_id(url), source=replace(article.source, url=url))


def site(url: str) -> str:
    """Return what addresses of one site share: the host and port, « www » and its kin aside."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    for prefix in ("www.", "m.", "amp.", "mobile."):
        host = host.removeprefix(prefix)
    try:
        port = parts.port
    except ValueError:
        port = None
    return f"{host}:{port}" if port not in {None, 80, 443} else host


def _well_formed(url: str) -> bool:
    try:
        parse_url(url)
    except ReadError:
        return False
    return True


def same_page(one: str, other: str) -> bool:
    """Tell whether two addresses are one but for « www », the scheme, trackers, a last slash."""
    return _bare(one) == _bare(other)


def _bare(url: str) -> tuple[str, str, str]:
    from courlan import clean_url

    parts = urlsplit(clean_url(url) or url)
    return site(url), parts.path.rstrip("/"), parts.query


def _clean(entries: Iterable[ListedPage], at: str) -> tuple[ListedPage, ...]:
    """Return entries once each, their addresses without trackers; what is no address is left."""
    from courlan import clean_url

    found: dict[str, ListedPage] = {}
    for entry in entries:
        if not is_web_address(entry.url) or not _well_formed(entry.url):
            log.info("%s : adresse laissée : %.80s", at, entry.url)
            continue
        url = (clean_url(entry.url) or entry.url).partition("#")[0]
        found.setdefault(url, replace(entry, url=url))
    return tuple(found.values())
