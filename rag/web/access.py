"""Who may do what: hosts, origins, the administration token, the chat's login."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag import messages
from rag.errors import SettingsError
from rag.sites.rules import ORIGIN
from rag.web.wellformed import host_name, origin_parts

if TYPE_CHECKING:
    from rag.settings import Settings

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HASH = re.compile(r"[0-9a-f]{64}")


def new_token() -> tuple[str, str]:
    """Return a token of 256 random bits, and the hash that settings keep."""
    token = secrets.token_urlsafe(32)
    return token, hashed(token)


def hashed(token: str) -> str:
    """Return the SHA-256 of a token, as 64 hexadecimal digits.

    A fast hash is enough for what is drawn at random; for a chosen password
    it is not, which is why `recoupe token` draws both.
    """
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


@dataclass(frozen=True)
class Access:
    """The rules, read from the settings once. `hosts` is None when any host may be named."""

    origins: frozenset[str]
    hosts: frozenset[str] | None
    local: bool
    token_hash: str
    login: tuple[str, str] | None

    @classmethod
    def of(cls, settings: Settings) -> Access:
        """Return the rules that the settings give. Raises SettingsError for a bad one."""
        origins = frozenset(o.rstrip("/").lower() for o in settings.allowed_origins)
        if wrong := [o for o in sorted(origins) if not ORIGIN.fullmatch(o)]:
            raise SettingsError(messages.BAD_ORIGIN.format(wrong[0]))
        name, _, password_hash = settings.chat_login.partition(":")
        for value, where in ((settings.admin_token_hash, "RECOUPE_ADMIN_TOKEN_HASH"),
                             (password_hash, "RECOUPE_CHAT_LOGIN")):  # fmt: skip
            if value and not _HASH.fullmatch(value):
                raise SettingsError(messages.BAD_HASH.format(where))
        if settings.chat_login and not (name and password_hash):
            raise SettingsError(messages.BAD_LOGIN)
        local = settings.host in LOOPBACK
        public = _public_host(settings.public_url)
        # A name that a page makes point to this machine (DNS rebinding) is not ours. A public
        # address says our names whatever is listened on: behind it, nobody else's is served.
        hosts = frozenset(LOOPBACK | {public} - {""}) if local or public else None
        return cls(origins, hosts, local and not public, settings.admin_token_hash,
                   (name, password_hash) if name else None)  # fmt: skip

    @property
    def open_admin(self) -> bool:
        """Whether administration needs no token: loopback alone, and none is set."""
        return self.local and not self.token_hash

    @property
    def has_admin(self) -> bool:
        """Whether anybody can administrate through the web."""
        return self.open_admin or bool(self.token_hash)

    @property
    def may_upload(self) -> bool:
        """Whether the chat takes files: a token comes too late, once a file is on the disk."""
        return self.open_admin or (bool(self.token_hash) and self.login is not None)

    def is_admin(self, token: str) -> bool:
        """Tell whether a token administrates; compared in constant time."""
        if not self.token_hash:
            return self.open_admin
        return secrets.compare_digest(hashed(token), self.token_hash)

    def logs_in(self, name: str, password: str) -> bool:
        """Tell whether a name and password open the chat; compared in constant time."""
        if not self.login:
            return True
        same = secrets.compare_digest(name.encode(errors="replace"), self.login[0].encode())
        return secrets.compare_digest(hashed(password), self.login[1]) and same

    def host_allowed(self, host: str) -> bool:
        """Tell whether the `Host` header may be served."""
        return self.hosts is None or host_name(host) in self.hosts

    def origin_allowed(self, origin: str, host: str, scheme: str) -> bool:
        """Tell whether a page of `origin` may call: the own origin, or one of the list."""
        if origin_parts(origin) is None:
            return False
        return origin.lower() in self.origins or is_own(origin, host, scheme)


def is_own(origin: str, host: str, scheme: str) -> bool:
    """Tell whether an origin is that of the pages which Recoupe itself serves as `host`."""
    parts = origin_parts(origin)
    # A proxy that ends TLS leaves http here; the host tells.
    return parts is not None and parts[1] == host.lower() and parts[0] in {scheme, "https"}


def _public_host(url: str) -> str:
    """Return the host of the public address, "" without one. Raises SettingsError."""
    if not url:
        return ""
    # A path after it is harmless; without a scheme its host would be lost, and our rules with it.
    base = re.match(r"https?://[^/?#]*", url.lower())
    parts = origin_parts(base.group()) if base else None
    name = host_name(parts[1]) if parts else None
    if not name:
        raise SettingsError(messages.BAD_PUBLIC_URL.format(url))
    return name
