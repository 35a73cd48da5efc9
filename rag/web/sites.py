"""Which site a request is of, by its header `X-Recoupe-Site`: its part of the corpus, its rules.

A key names a site and is no secret (`rag/sites/store.py`). A browser tells the truth of the page
that asks, so the origins of a site keep its key to its pages; a program tells what it likes, meets
the quota and the rates.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from rag import messages, texts
from rag.errors import StoreError
from rag.sites import EVERYWHERE, Site, Sites
from rag.web.access import is_own
from rag.web.limits import TooManyError
from rag.web.problems import ForbiddenError

if TYPE_CHECKING:
    from starlette.datastructures import Headers

    from rag.web.access import Access
    from rag.web.metrics import Metrics

log = logging.getLogger(__name__)

HEADER = "X-Recoupe-Site"
_API = "/api/v1/"
# What a page of a site loads and asks, and no more: the chat is not for other origins.
_SHARED_PATHS = (_API, "/widget")
_OTHER_PATHS = ("/v1/", "/mcp")
# Without a key where one is required: what shows no article, and what is a keeper's alone.
_OPEN_PATHS = ("/api/v1/openapi.json", "/api/v1/health", "/api/v1/feedback")


class SiteAccess:
    """Who asks for which site, and whether it may now."""

    def __init__(self, sites: Sites, access: Access, metrics: Metrics, *, required: bool) -> None:
        """Take the sites, the rules for all, what counts, and whether a site has to be named."""
        self._sites = sites
        self._access = access
        self._metrics = metrics
        self._required = required

    def site(self, request: Request) -> Site:
        """Return the site of a request; `EVERYWHERE` for one that names none, where it may.

        Raises ForbiddenError for a key that is nobody's, a paused site, and a page that is not the
        site's.
        """
        headers, path = request.headers, request.scope["path"]
        key = headers.get(HEADER)
        if key is None:
            free = request.method in {"PUT", "DELETE"} or (
                request.method == "GET" and path in _OPEN_PATHS
            )
            if self._required and not free and not self._is_keeper(headers):
                raise ForbiddenError(403, messages.SITE_REQUIRED)
            return EVERYWHERE
        found = self._sites.of_key(key)
        if found is None:
            raise ForbiddenError(403, messages.UNKNOWN_KEY)
        if refusal := self._refusal(found, headers, request.scope["scheme"]):
            self._metrics.asked_of(found.name, "refused")
            raise ForbiddenError(403, refusal)
        return found

    def _refusal(self, site: Site, headers: Headers, scheme: str) -> str:
        """Return why a site does not answer a page now, "" where it does."""
        origin, host = headers.get("origin", ""), headers.get("host", "")
        foreign = origin and site.origins and origin.lower() not in site.origins
        if foreign and not is_own(origin, host, scheme):  # own: /embed, in a frame
            return texts.OTHER_ORIGIN
        return texts.PAUSED if site.paused else ""

    async def take(self, site: Site, count: int) -> None:
        """Count questions of a site. Raises TooManyError past its quota, until midnight."""
        if not site.name:
            return
        wait = await run_in_threadpool(self._sites.take, site, count)
        self._metrics.asked_of(site.name, "over_quota" if wait else "taken", 1 if wait else count)
        if wait:
            raise TooManyError(wait, 429, messages.QUOTA_USED)

    def admits(self, origin: str, scope: Any, headers: Headers) -> bool:
        """Tell whether a page of a site may call, whose origin is none of the settings'.

        Before its request a browser asks (OPTIONS) without the key; the request then has it.
        """
        path = scope["path"]
        if not path.startswith(_SHARED_PATHS):
            return False
        try:
            if path.startswith(_API) and scope["method"] != "OPTIONS":
                site = self._sites.of_key(headers.get(HEADER, ""))
                return site is not None and origin.lower() in site.origins
            return self._sites.has_origin(origin)
        except StoreError as error:
            log.warning("%s", error)
            return False

    def closed(self, path: str, headers: Headers) -> str:
        """Return why an address that knows no sites answers nothing, "" where it does."""
        if not path.startswith(_OTHER_PATHS):
            return ""
        if HEADER in headers:
            return texts.SITE_NOT_HERE
        return texts.SITE_NOT_HERE if self._required and not self._is_keeper(headers) else ""

    def framers(self, query: bytes) -> tuple[str, ...]:
        """Return the origins that may frame `/embed` for the site of its query, () for any."""
        name, _, key = query.decode("ascii", "replace").partition("=")
        try:
            site = self._sites.of_key(key) if name == "site" else None
        except StoreError as error:
            log.warning("%s", error)
            return ()
        return site.origins if site else ()

    def _is_keeper(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        given = token if scheme.lower() == "bearer" else ""
        return bool(self._access.token_hash) and self._access.is_admin(given)


async def site_of(request: Request) -> Site:
    """Return the site of a request to the API, which the application's own dependency found."""
    found: Site = request.state.site
    return found


OfSite = Annotated[Site, Depends(site_of)]
