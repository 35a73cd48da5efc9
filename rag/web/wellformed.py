"""Whether a request can be read at all: its host, its origin, its length, its address.

Decided before anything else looks at them, by the grammars of RFC 3986, 6454
and 9110: what lies behind (URL parsers, Gradio, the file system) raises at
what it does not expect. Who may do what is not decided here, see `access`.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from starlette.datastructures import Headers

_HOST = re.compile(r"(?:([A-Za-z0-9._-]{1,255})|\[([0-9A-Fa-f:.]{2,45})\])(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://([^/?#@\s]+)")
# Printable ASCII without a space, each percent sign with its two digits.
_ENCODED = re.compile(rb"(?:[!-$&-~]|%[0-9A-Fa-f]{2})*")
_LONGEST_ADDRESS = 8_000  # bytes, of the path and of the query each
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_NUL = re.compile(r"[\x00\ud800-\udfff]")
# Each is read as one value, by us, by Gradio or by the server: two of them is a trick.
_ONCE_HEADERS = ("host", "content-length", "x-forwarded-host", "x-forwarded-proto")


def host_name(host: str) -> str | None:
    """Return the name or address in a `Host` header, in lower case; None when it is malformed."""
    found = _HOST.fullmatch(host)
    if not found or int(found[3] or 0) > 65_535:
        return None
    if found[2] is None:
        return found[1].lower()
    try:
        return str(IPv6Address(found[2]))
    except AddressValueError:
        return None


def origin_parts(origin: str) -> tuple[str, str] | None:
    """Return an origin's scheme and `host[:port]`, in lower case; None when it is malformed."""
    found = _ORIGIN.fullmatch(origin.lower())
    return (found[1], found[2]) if found and host_name(found[2]) is not None else None


def readable(scope: Any, headers: Headers) -> bool:
    """Tell whether a request's headers and address are well formed; an absent host is."""
    if any(len(headers.getlist(name)) > 1 for name in _ONCE_HEADERS):
        return False
    hosts = [headers.get("host", ""), *_listed(headers, "x-forwarded-host")]
    schemes = _listed(headers, "x-forwarded-proto")
    length = headers.get("content-length", "0")
    return (
        all(not host or host_name(host) is not None for host in hosts)
        and all(scheme.lower() in {"http", "https"} for scheme in schemes)
        and re.fullmatch(r"[0-9]+", length) is not None
        and _CONTROLS.search(scope["path"]) is None
        and _decodes(scope.get("raw_path") or b"", _CONTROLS)
        and _decodes(scope.get("query_string") or b"", _NUL)
    )


def _listed(headers: Headers, name: str) -> list[str]:
    """Return what each of a chain of proxies wrote in a header."""
    return [value.strip() for value in headers.get(name, "").split(",") if name in headers]


def _decodes(encoded: bytes, unwanted: re.Pattern[str]) -> bool:
    """Tell whether percent-encoded bytes are UTF-8 text without what is unwanted."""
    if len(encoded) > _LONGEST_ADDRESS or not _ENCODED.fullmatch(encoded):
        return False
    try:
        return unwanted.search(unquote_to_bytes(encoded).decode()) is None
    except UnicodeDecodeError:
        return False
