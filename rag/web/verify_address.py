"""The text of an article at an address, for whoever checks it: of the newspaper's own sites alone.

An address that a visitor gives is a request that this machine makes for him. So: hosts that the
keeper named (`own_hosts`), at public IP addresses only, each redirect held to the same; nothing
that readers pay for, though the site may give it to us.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rag import messages, texts
from rag.errors import MovedError, ReadError
from rag.readers import Bounds, workers
from rag.readers.fetch import Validators, is_public, parse_url
from rag.readers.isolation import Task
from rag.settings import Settings
from rag.sources.listing import FetchLimits, look

_FETCH_SECONDS = 15.0  # to fetch a page, each redirect anew
_REDIRECTS = 3
_ADDRESS = re.compile(
    r"(?:https?://([^\s/?#]+)|(www\.[\w.-]+|[\w.-]+\.[^\W\d_]{2,}(?=/)))(?:[/?#]\S*)?",
    re.IGNORECASE,
)


def text_at(url: str, settings: Settings, allowed: Callable[[str], bool] = is_public) -> str:
    """Return the title and text of the article at an address.

    `allowed` tells which IP addresses may be reached, and is a function of a module, since another
    process calls it. Raises ReadError, in French.
    """
    url = url.strip()
    for _ in range(_REDIRECTS + 1):
        # With its port, where it has one of its own: the others of a host are not its site.
        if parse_url(url).netloc.decode("ascii").lower() not in hosts(settings):
            raise ReadError(messages.NOT_OUR_HOST.format(", ".join(sorted(hosts(settings)))))
        try:
            return _read(url, settings, allowed)
        except MovedError as moved:
            url = moved.url
    raise ReadError(messages.NOT_AN_ARTICLE)


def lone_address(text: str) -> str:
    """Return the host of the first address of a text that is nothing but addresses, "" else."""
    found = [_ADDRESS.fullmatch(word) for word in text.split()]
    if not found or not (first := found[0]) or not all(found):
        return ""
    return str(first[1] or first[2]).lower()


def hosts(settings: Settings) -> frozenset[str]:
    """Return the hosts whose pages anybody may have read."""
    return frozenset(host.lower() for host in settings.own_hosts)


def _read(url: str, settings: Settings, allowed: Callable[[str], bool]) -> str:
    bounds = Bounds.of(settings)
    limits = FetchLimits(settings.max_file_mb * 1_000_000, _FETCH_SECONDS, allowed)
    seconds = _FETCH_SECONDS + bounds.seconds
    task = Task(look, (url, Validators(), limits), seconds, texts.LATE_PAGE.format(seconds))
    (outcome,) = workers.run([task], bounds.memory_mb)
    if outcome.error is not None:
        raise outcome.error
    article = next(outcome.found(), None)
    if outcome.reason or article is None:
        raise ReadError(outcome.reason or messages.NOT_AN_ARTICLE)
    if article.source.paywalled:
        raise ReadError(messages.PAID_PAGE)
    return f"{article.source.title}\n\n{article.text}"
