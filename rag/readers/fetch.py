"""Fetch a page by its address, and nothing that is not public.

The name is resolved here, each of its addresses must be a public one, and the
connection is made to the address that was checked, so that a name that
changes between the check and the use (DNS rebinding) gains nothing. Redirects
are followed by hand, each checked again. Size, time and type are bounded.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx

from rag import __version__
from rag.errors import ReadError

_REDIRECTS = 5
_SECONDS = 20.0
_TYPES = ("text/html", "application/xhtml+xml", "text/plain", "text/markdown")
# IPv4 behind a translator (RFC 6052, RFC 8215): what is reached cannot be told.
_NAT64 = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48")))
_AGENT = f"Recoupe/{__version__}"


@dataclass(frozen=True, slots=True)
class Page:
    """What an address gave: the final `url`, its bytes, and its type without parameters."""

    url: str
    data: bytes
    type: str


def is_public(address: str) -> bool:
    """Tell whether an IP address is on the public internet."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if any(ip in network for network in _NAT64):
            return False
        # An address that carries an IPv4 one is as public as that one.
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def fetch(url: str, max_bytes: int, allowed: Callable[[str], bool] = is_public) -> Page:
    """Return the page at an address. Raises ReadError, in French, for each refusal.

    `allowed` tells which IP addresses may be reached.
    """
    end = time.monotonic() + _SECONDS
    with httpx.Client(trust_env=False, timeout=10, headers={"User-Agent": _AGENT}) as client:
        for _ in range(_REDIRECTS + 1):
            step = _get(client, url, max_bytes, allowed, end)
            if isinstance(step, Page):
                return step
            url = step
    raise ReadError(f"plus de {_REDIRECTS} redirections")


def _get(
    client: httpx.Client, url: str, max_bytes: int, allowed: Callable[[str], bool], end: float
) -> Page | str:
    """Return the page, or the address that it redirects to."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise ReadError("seules les adresses http et https sans mot de passe sont lues")
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError, UnicodeError) as error:
        raise ReadError(f"le nom « {parts.hostname} » est introuvable") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not all(map(allowed, addresses)):
        raise ReadError(f"« {parts.hostname} » n'est pas sur l'internet public : adresse refusée")
    target = httpx.URL(url).copy_with(host=addresses[0], fragment=None)
    request = client.build_request(
        "GET", target, headers={"Host": parts.netloc}, extensions={"sni_hostname": parts.hostname}
    )
    try:
        response = client.send(request, stream=True)
        try:
            return _read(response, url, max_bytes, end)
        finally:
            response.close()
    except httpx.HTTPError as error:
        raise ReadError(f"la page ne répond pas ({type(error).__name__})") from error


def _read(response: httpx.Response, url: str, max_bytes: int, end: float) -> Page | str:
    if response.is_redirect:
        return urljoin(url, response.headers["location"])
    if response.status_code != 200:
        raise ReadError(f"la page répond {response.status_code}")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise ReadError(f"le type « {kind or 'inconnu'} » n'est pas celui d'un article")
    data = bytearray()
    for chunk in response.iter_bytes():
        data += chunk
        if len(data) > max_bytes:
            raise ReadError(f"la page dépasse {max_bytes // 1_000_000} Mo")
        if time.monotonic() > end:
            raise ReadError(f"la page met plus de {_SECONDS:.0f} secondes à venir")
    return Page(url, bytes(data), kind)
