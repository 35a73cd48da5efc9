"""A small newspaper on loopback, over real HTTP: feed, sitemaps, pages, and what goes wrong."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import blake2b
from html import escape
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote, unquote

from rag.assistant import LocalAssistant
from rag.domain import IngestReport, StoredArticle, together
from rag.settings import load_settings
from rag.sources.web import CrawlPolicy, Web
from tests.servers import running


def read_web(
    urls: Iterable[str], folder: Path, policy: CrawlPolicy
) -> tuple[IngestReport, list[StoredArticle]]:
    """Read addresses into an index of their own; return the report, and the articles."""
    assistant = LocalAssistant(load_settings(index_dir=folder))
    try:
        web = Web(assistant, assistant.memory, policy)
        report = together([web.sync(url) for url in urls])
        return report, [assistant.article(i) for i in report.new]
    finally:
        assistant.close()


def loopback(address: str) -> bool:
    return address == "127.0.0.1"


@dataclass
class Story:
    """An article of the newspaper; `text` has one paragraph a line."""

    slug: str
    title: str
    text: str
    day: str = "2024-05-07"
    changed: str = "2024-05-07T08:00:00+00:00"
    free: bool = True
    section: str = "Littoral"
    status: int = 200
    canonical: str = ""

    def page(self, root: str) -> bytes:
        said = {
            "@context": "https://schema.org", "@type": "NewsArticle", "headline": self.title,
            "datePublished": self.day, "dateModified": self.changed,
            "author": {"@type": "Person", "name": "Inès Caron"},
            "publisher": {"@type": "Organization", "name": "Le Rivage"},
            "articleSection": self.section, "isAccessibleForFree": self.free,
        }  # fmt: skip
        paragraphs = "".join(f"<p>{escape(line)}</p>" for line in self.text.split("\n"))
        canonical = self.canonical or f"{root}/a/{quote(self.slug)}"
        return (
            f'<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>{escape(self.title)}'
            f'</title><link rel="canonical" href="{canonical}"><script type="application/ld+json">'
            f"{json.dumps(said)}</script></head><body><article><h1>{escape(self.title)}</h1>"
            f"{paragraphs}</article></body></html>"
        ).encode()


@dataclass
class Newspaper:
    """What is published now, and what was asked for. `hooks` answer a path their own way."""

    stories: dict[str, Story] = field(default_factory=dict)
    url: str = ""
    robots: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, conditional header
    hooks: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    split: int = 0  # articles of one sitemap; 0 for a single one
    dated: bool = True  # whether the sitemap tells lastmod
    lock: threading.Lock = field(default_factory=threading.Lock)

    def publish(self, *stories: Story) -> None:
        with self.lock:
            self.stories |= {s.slug: s for s in stories}

    def withdraw(self, slug: str, status: int = 410) -> None:
        """Take an article off the lists; its page answers `status`."""
        with self.lock:
            self.stories[slug].status = status

    def asked_for(self, path: str) -> int:
        return sum(p == path for p, _ in self.asked)

    @property
    def listed(self) -> list[Story]:
        return [s for s in self.stories.values() if s.status == 200]

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Return (status, type, body) of a path."""
        root = self.url
        if path == "/":
            links = '<link rel="alternate" type="application/rss+xml" href="/feed.xml">'
            return 200, "text/html; charset=utf-8", f"<html><head>{links}</head><body>".encode()
        if path == "/robots.txt":
            return (200, "text/plain", self.robots.encode()) if self.robots else (404, "", b"")
        if path == "/feed.xml":
            items = "".join(
                f"<item><title>{escape(s.title)}</title><link>{root}/a/{quote(s.slug)}?utm_source=rss</link>"
                f"<pubDate>{formatdate(0)}</pubDate></item>"
                for s in self.listed
            )
            body = f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>'
            return 200, "application/rss+xml", body.encode()
        if path == "/feed.json":
            items_ = [
                {"url": f"{root}/a/{quote(s.slug)}", "date_modified": s.changed}
                for s in self.listed
            ]
            said = {"version": "https://jsonfeed.org/version/1.1", "items": items_}
            return 200, "application/feed+json", json.dumps(said).encode()
        if path == "/atom.xml":
            entries = "".join(
                f'<entry><title>{escape(s.title)}</title><link href="{root}/a/{quote(s.slug)}"/>'
                f"<updated>{s.changed}</updated></entry>"
                for s in self.listed
            )
            body = f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'
            return 200, "application/atom+xml", body.encode()
        if path.startswith("/sitemap"):
            return 200, "application/xml", self._sitemap(path).encode()
        story = self.stories.get(unquote(path).removeprefix("/a/").partition("?")[0])
        if story is None:
            return 404, "text/html", b""
        return story.status, "text/html; charset=utf-8", story.page(root)

    def _sitemap(self, path: str) -> str:
        space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        stories = self.listed
        if self.split and path == "/sitemap.xml":
            parts = range(0, len(stories), self.split)
            maps = "".join(
                f"<sitemap><loc>{self.url}/sitemap-{at}.xml</loc></sitemap>" for at in parts
            )
            return f"<sitemapindex {space}>{maps}</sitemapindex>"
        if self.split:
            at = int(path.removeprefix("/sitemap-").removesuffix(".xml"))
            stories = stories[at : at + self.split]
        lastmod = "<lastmod>{}</lastmod>" if self.dated else ""
        urls = "".join(
            f"<url><loc>{self.url}/a/{quote(s.slug)}</loc>{lastmod.format(s.changed)}</url>"
            for s in stories
        )
        return f'<?xml version="1.0" encoding="utf-8"?><urlset {space}>{urls}</urlset>'

    @contextmanager
    def serving(self) -> Iterator[str]:
        paper = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sent = self.headers.get("If-None-Match", "")
                with paper.lock:
                    paper.asked.append((self.path, sent))
                    hook = paper.hooks.get(self.path)
                    status, kind, body = paper.answer(self.path)
                if hook:
                    hook(self)
                    return
                etag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
                if status == 200 and sent == etag:
                    status, body = 304, b""
                packed = gzip.compress(body) if body and self.path != "/robots.txt" else body
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("ETag", etag)
                if packed is not body:
                    self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(len(packed)))
                self.end_headers()
                self.wfile.write(packed)

            def log_message(self, *args: object) -> None:
                pass

        with running(Handler) as url:
            self.url = url
            yield url


_PLACES = "Lérins Brégance Montfauzy Sarrelle Kerguen Argenval Tourville Ormesson Valcreuse Pradel".split()
_THINGS = (
    "le bac|le marché couvert|la piscine|le phare|la médiathèque|le pont tournant|la digue".split(
        "|"
    )
)


def story(number: int, amount: int = 0, **fields: object) -> Story:
    """Return an article of its own for a number; `amount` is a figure in it."""
    place, thing = _PLACES[number % 10], _THINGS[number % 7]
    cost = amount or 120_000 + 1_000 * number
    text = (
        f"À {place}, {thing} numéro {number} rouvre jeudi après {number + 3} semaines de travaux, a "
        "annoncé la mairie.\n"
        f"Le chantier a coûté {cost} euros, que la commune a payés avec l’aide du département.\n"
        f"Les {200 + number} habitants du quartier {place}-{number} l’attendaient depuis l’automne."
    )
    return Story(f"{place.lower()}-{number}", f"{thing.capitalize()} de {place} rouvre ({number})",
                 text, **fields)  # type: ignore[arg-type]  # fmt: skip


def slow_answer(seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
    def hook(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        handler.send_response(200)
        handler.end_headers()

    return hook
