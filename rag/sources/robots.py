"""What a site allows: robots.txt (RFC 9309), and text and data mining (TDMRep)."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from protego import Protego

from rag import messages
from rag.readers.fetch import NAME

log = logging.getLogger(__name__)

_LONGEST_DELAY = 30.0  # seconds between two requests, whatever a site asks
_MOST_RULES = 1000


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one host."""

    robots: Protego
    reserved: tuple[str, ...] = ()  # patterns of paths whose mining is reserved
    unread: str = ""  # why the robots.txt could not be read

    def refusal(self, url: str) -> str:
        """Return why an address may not be read, in French, or ""."""
        if self.unread:
            return messages.ROBOTS_NOT_READ.format(self.unread)
        if not self.robots.can_fetch(url, NAME):
            return messages.ROBOTS_REFUSE
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if any(_matches(pattern, path) for pattern in self.reserved):
            return messages.RESERVED
        return ""

    @property
    def delay(self) -> float:
        """The seconds that the site asks between two requests, 30 at most."""
        return min(float(self.robots.crawl_delay(NAME) or 0), _LONGEST_DELAY)

    @property
    def sitemaps(self) -> list[str]:
        """The sitemaps that the site names."""
        return list(self.robots.sitemaps)


def parse_robots(robots: str, tdmrep: str) -> Rules:
    """Return the rules that the two files of a host say; an empty one says none."""
    return Rules(Protego.parse(robots), tuple(_reserved(tdmrep)))


def forbidding(why: str) -> Rules:
    """Return the rules of a host whose robots.txt cannot be had: nothing is read (RFC 9309)."""
    return Rules(Protego.parse("User-agent: *\nDisallow: /"), unread=why)


def _reserved(tdmrep: str) -> list[str]:
    """Return the patterns that `/.well-known/tdmrep.json` reserves; a fault in it says nothing."""
    if not tdmrep.strip():
        return []
    try:
        rules: Any = json.loads(tdmrep)
    except (ValueError, RecursionError):
        log.info("tdmrep.json illisible", exc_info=True)
        return []
    return [
        rule["location"]
        for rule in (rules if isinstance(rules, list) else [])[:_MOST_RULES]
        if isinstance(rule, dict)
        and isinstance(rule.get("location"), str)
        and str(rule.get("tdm-reservation")) == "1"
    ]


def _matches(pattern: str, path: str) -> bool:
    """Tell whether a path is one of a pattern's: `*` for anything, `$` for the end."""
    end = pattern.endswith("$")
    parts = pattern.removesuffix("$").split("*")
    found = ".*".join(map(re.escape, parts)) + ("$" if end else "")
    return re.match(found, path) is not None
