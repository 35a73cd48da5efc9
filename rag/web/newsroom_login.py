"""The newsroom's login: the administration token, once, for a sealed cookie of some hours.

The token travels in the body of a form, and never in an address; the cookie is the browser's
alone (HttpOnly, SameSite=Strict), ends with the token that opened it, and says nothing of it.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from rag import messages
from rag.web.access import Access
from rag.web.problems import ForbiddenError
from rag.web.sealing import Seal
from rag.web.wellformed import origin_parts

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi import Request, Response

COOKIE, PATH = "recoupe-redaction", "/redaction"
_HOURS = 12  # of a login


class NewsroomLogin:
    """Opens logins, and tells who has one. Without an administration token nobody can."""

    def __init__(self, folder: Path, access: Access, *, secure: bool) -> None:
        """Take the index's folder, which has the key, and the rules.

        `secure` says that browsers reach us by https whatever the proxy tells. Raises StoreError.
        """
        self._access = access
        self._secure = secure
        # A new token ends the logins of the old one.
        self._logins = Seal(folder, f"rédaction {access.token_hash}")
        self._forms = Seal(folder, f"formulaires de la rédaction {access.token_hash}")

    @property
    def exists(self) -> bool:
        """Whether there is a token: loopback alone is not enough to read what readers asked."""
        return bool(self._access.token_hash)

    def open(self, token: str, request: Request, response: Response) -> bool:
        """Log in with the token; False for a wrong one."""
        if not (self.exists and self._access.is_admin(token)):
            return False
        until = int(time.time()) + _HOURS * 3600
        sealed = self._logins.close([until, secrets.token_hex(16)])
        response.set_cookie(
            COOKIE, sealed, max_age=_HOURS * 3600, path=PATH, httponly=True, samesite="strict",
            secure=self._secure or request.url.scheme == "https",
        )  # fmt: skip
        return True

    def close(self, response: Response) -> None:
        """Have the browser forget the login."""
        response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="strict")

    def session(self, request: Request) -> str:
        """Return the name of a request's login, "" where there is none that holds."""
        found = self._logins.open(request.cookies.get(COOKIE)) if self.exists else None
        match found:
            case [int(until), str(name)] if time.time() < until <= time.time() + _HOURS * 3600:
                return name
        return ""

    def check(self, request: Request) -> str:
        """Return the name of a request's login. Raises ForbiddenError.

        A program may show the token itself, in the `Authorization` header: it has no name.
        """
        if not self.exists:
            raise ForbiddenError(404, messages.NO_NEWSROOM)
        if name := self.session(request):
            return name
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and self._access.is_admin(token.strip()):
            return ""
        raise ForbiddenError(401, messages.NEEDS_LOGIN)

    def form_token(self, session: str) -> str:
        """Return what the forms of a login's pages carry."""
        return self._forms.close(session)

    def check_form(self, request: Request, given: str) -> None:
        """Let through what a page of ours has sent, of this login. Raises ForbiddenError."""
        check_origin(request)
        session = self.session(request)
        if not session or self._forms.open(given) != session:
            raise ForbiddenError(401, messages.NEEDS_LOGIN)


def check_origin(request: Request) -> None:
    """Refuse a form of another site's page, of those that embed Recoupe too.

    Raises ForbiddenError.
    """
    origin, host = request.headers.get("origin"), request.headers.get("host", "").lower()
    parts = origin_parts(origin) if origin is not None else ("", host)
    fetched = request.headers.get("sec-fetch-site", "same-origin")
    if parts is None or parts[1] != host or fetched not in {"same-origin", "none"}:
        raise ForbiddenError(403, messages.OTHER_PAGE)
