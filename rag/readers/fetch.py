"""Fetch a page by its address, and nothing that is not public.

The name is resolved here, each of its addresses must be a public one, and the
connection is made to the address that was checked, so that a name that
changes between the check and the use (DNS rebinding) gains nothing. Redirects
are followed by hand, each checked again. Size, time and type are bounded: the
time covers all that is waited for but the resolver of names, which only the
process that reads can be stopped in.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

from rag import messages
from rag.errors import MovedError, PrivateHostError, ReadError, StatusError
from rag.markup import is_web_address, printable
from rag.version import VERSION

if TYPE_CHECKING:
    import ssl

_REDIRECTS = 5
ARTICLES = ("text/html", "application/xhtml+xml", "text/plain", "text/markdown")
LISTS = (
    "application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json",
    "application/json", "application/xml", "text/xml", "application/gzip", "application/x-gzip",
)  # fmt: skip
# What Python's `is_global` takes for public and is not, or cannot be told: IPv4 behind a
# translator (RFC 6052, RFC 8215, and before RFC 2765), the old IPv4-compatible form (RFC 4291,
# 2.5.5.1), site-local addresses (RFC 3879), those of documentation (RFC 9637), of segments of a
# route (RFC 9602), of relays to 6to4 (RFC 7526).
_NOT_PUBLIC = tuple(
    map(
        ipaddress.ip_network,
        ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96", "fec0::/10", "3fff::/20",
         "5f00::/16", "192.88.99.0/24"),
    )
)  # fmt: skip
# Of Alibaba, Oracle and AWS (IPv6); the others' is link-local.
_METADATA = frozenset({"100.100.100.200", "192.0.0.192", "fd00:ec2::254"})
NAME = "Recoupe"  # by which robots.txt names it
_AGENT = f"{NAME}/{VERSION}"
_LONGEST_VALIDATOR = 1000  # characters
_LONGEST_ADDRESS = 8000  # characters; servers refuse longer ones


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said of a page that tells whether it has changed (RFC 9110, 8.8)."""

    etag: str = ""
    modified: str = ""

    def __bool__(self) -> bool:
        return bool(self.etag or self.modified)


@dataclass(frozen=True, slots=True)
class Page:
    """What an address gave: the final `url`, its bytes, its type and charset, as announced.

    `same` tells that it is as it was when the `validators` were given: there are no bytes.
    `reserved` tells that its server reserves text and data mining (TDMRep).
    """

    url: str
    data: bytes
    type: str
    charset: str = ""
    validators: Validators = Validators()
    same: bool = False
    reserved: bool = False


def is_public(address: str) -> bool:
    """Tell whether an IP address is on the public internet."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if any(ip in network for network in _NOT_PUBLIC if network.version == ip.version):
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        # An address that carries an IPv4 one is as public as that one.
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast


def is_own_network(address: str) -> bool:
    """Tell whether a host that a keeper named as his own may be at an IP address.

    Public or private, and never those by which a machine is told its own secrets: link-local
    ones and the clouds' services of metadata, in whatever disguise.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return is_own_network(str(inner))
        if (
            any(ip in network for network in _NOT_PUBLIC if network.version == 6)
            and not ip.is_loopback
        ):
            return False
    refused = ip.is_link_local or ip.is_multicast or ip.is_unspecified
    return not (refused or str(ip) in _METADATA or (ip.is_reserved and not ip.is_loopback))


def fetch(
    url: str,
    max_bytes: int,
    allowed: Callable[[str], bool] = is_public,
    seconds: float = 20.0,
    *,
    types: Sequence[str] = ARTICLES,
    validators: Validators = Validators(),
    redirects: bool = True,
    cut: bool = False,
) -> Page:
    """Return the page at an address. Raises ReadError, in French, for each refusal.

    `allowed` tells which IP addresses may be reached; `seconds` bounds the whole, with
    redirects; `max_bytes` bounds the page, unpacked, which is refused past them or, with `cut`,
    cut there; `types` are the media types that are taken, all without any. With validators
    that are `known`, the page may come back as the `same`. Raises StatusError where the server
    answers with something else, and MovedError for a redirect without `redirects`.
    """
    line = _Line(seconds)
    for _ in range(_REDIRECTS + 1):
        step = _get(url, _Request(max_bytes, tuple(types), validators, cut), allowed, line)
        if isinstance(step, Page):
            return step
        if not redirects:
            raise MovedError(step)
        url = step
    raise ReadError(messages.MANY_REDIRECTS.format(_REDIRECTS))


@dataclass(frozen=True, slots=True)
class _Request:
    max_bytes: int
    types: tuple[str, ...]
    validators: Validators
    cut: bool


class _Line(httpcore.NetworkBackend):
    """Connections that all end at one moment, however slowly the other side speaks."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.end = time.monotonic() + seconds
        self.sockets = httpcore.SyncBackend()

    def left(self, timeout: float | None = None) -> float:
        """Return the seconds left, `timeout` at most. Raises ReadError when there are none."""
        if (left := self.end - time.monotonic()) <= 0:
            raise self.late()
        return left if timeout is None else min(left, timeout)

    def late(self) -> ReadError:
        """Return what to raise when the time has passed."""
        return ReadError(messages.SLOW_PAGE.format(self.seconds))

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect, in the time that is left."""
        stream = self.sockets.connect_tcp(
            host, port, self.left(timeout), local_address, socket_options
        )
        return _Stream(stream, self)


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait is bounded by what is left of its line's time."""

    def __init__(self, inner: httpcore.NetworkStream, line: _Line) -> None:
        self.inner = inner
        self.line = line

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, self.line.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, self.line.left(timeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(
            self.inner.start_tls(ssl_context, server_hostname, self.line.left(timeout)), self.line
        )

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


def _get(url: str, request: _Request, allowed: Callable[[str], bool], line: _Line) -> Page | str:
    """Return the page, or the address that it redirects to."""
    parts = parse_url(url)
    host = parts.raw_host.decode("ascii")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _resolved(host, port, allowed)
    line.left()
    secure = httpx.create_ssl_context(trust_env=False) if parts.scheme == "https" else None
    target = httpcore.URL(
        scheme=parts.raw_scheme, host=address.encode(), port=port, target=parts.raw_path
    )
    headers: dict[bytes | str, bytes | str] = {
        "Host": parts.netloc,
        "User-Agent": _AGENT,
        "Accept": ", ".join(request.types) or "*/*",
        "Accept-Encoding": "gzip",
        "Connection": "close",
    }
    if request.validators.etag:
        headers["If-None-Match"] = request.validators.etag
    elif request.validators.modified:
        headers["If-Modified-Since"] = request.validators.modified
    extensions = {"sni_hostname": host}
    try:
        with (
            httpcore.ConnectionPool(ssl_context=secure, network_backend=line) as pool,
            pool.stream("GET", target, headers=headers, extensions=extensions) as response,
        ):
            # The address is kept as it was given: articles are known by it.
            page_url = url if is_web_address(url) else str(parts)
            return _read(response, page_url, request)
    except httpcore.TimeoutException as error:
        raise line.late() from error
    except httpcore.RemoteProtocolError as error:
        raise ReadError(messages.BROKEN_ANSWER) from error
    except (httpcore.ConnectError, OSError) as error:
        raise ReadError(messages.CONNECTION_REFUSED) from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise ReadError(messages.CONNECTION_LOST) from error


def parse_url(url: str) -> httpx.URL:
    """Return an address in its parts, its name in ASCII (IDNA). Raises ReadError."""
    if len(url) > _LONGEST_ADDRESS:
        raise ReadError(messages.LONG_ADDRESS.format(_LONGEST_ADDRESS))
    try:
        parts = httpx.URL(url).copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError) as error:  # ValueError: of `idna` and `ipaddress`
        raise ReadError(messages.BAD_ADDRESS) from error
    if parts.port is not None and not 0 < parts.port < 65536:
        raise ReadError(messages.BAD_ADDRESS)
    if parts.scheme not in {"http", "https"} or not parts.host or parts.userinfo:
        raise ReadError(messages.NOT_HTTP)
    return parts


def _resolved(host: str, port: int, allowed: Callable[[str], bool]) -> str:
    """Return the IP address to connect to, all of the name's being allowed. Raises ReadError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise ReadError(messages.UNKNOWN_HOST.format(host)) from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(map(allowed, addresses)):
        raise PrivateHostError(messages.PRIVATE_HOST.format(host))
    return addresses[0]


def _read(response: httpcore.Response, url: str, request: _Request) -> Page | str:
    status, headers = response.status, response.headers
    if status in {301, 302, 303, 307, 308}:
        location = _header(headers, b"location")
        if not location:
            raise ReadError(messages.REDIRECT_NOWHERE.format(status))
        try:
            return str(httpx.URL(url).join(location))
        except (httpx.InvalidURL, ValueError) as error:
            raise ReadError(messages.BAD_REDIRECT) from error
    reserved = _header(headers, b"tdm-reservation").strip() == "1"
    validators = Validators(
        printable(_header(headers, b"etag"))[:_LONGEST_VALIDATOR],
        printable(_header(headers, b"last-modified"))[:_LONGEST_VALIDATOR],
    )
    if status == 304 and request.validators:
        return Page(url, b"", "", validators=validators or request.validators, same=True)
    if status != 200:
        wait = _seconds(_header(headers, b"retry-after"))
        raise StatusError(messages.BAD_STATUS.format(status), status, wait)
    kind, _, parameters = _header(headers, b"content-type").partition(";")
    kind = kind.strip().lower()
    if request.types and kind not in request.types:
        raise ReadError(messages.WRONG_TYPE.format(printable(kind)[:80] or messages.NO_TYPE))
    charset = re.search(r"charset\s*=\s*[\"']?([\w.:-]+)", parameters, re.IGNORECASE | re.ASCII)
    packing = _header(headers, b"content-encoding").strip().lower()
    most = request.max_bytes
    if request.cut:
        data = _beginning(response.iter_stream(), packing, most)
    else:
        data = unpacked(_within(response.iter_stream(), most), packing, most)
    named = charset.group(1) if charset else ""
    return Page(url, data, kind, named, validators, reserved=reserved)


def _seconds(text: str) -> float:
    """Return the seconds that `Retry-After` asks for, a number or a date; 0 for neither."""
    if text.strip().isascii() and text.strip().isdigit():
        return float(text.strip()[:9])
    try:
        until = parsedate_to_datetime(text)
        return max(0.0, (until - datetime.now(until.tzinfo or UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _header(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> str:
    """Return a header as text, or "": UTF-8, as servers write addresses, else Latin-1."""
    value = next((v for n, v in headers if n.lower() == name), b"")
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _within(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """Yield what comes, and raise ReadError past `max_bytes`."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise ReadError(_too_large(max_bytes))
        yield chunk


def unpacked(chunks: Iterable[bytes], packing: str, max_bytes: int) -> bytes:
    """Return a body unpacked, never more than `max_bytes` of it in memory."""
    if packing in {"", "identity"}:
        return b"".join(chunks)
    if packing not in {"gzip", "x-gzip", "deflate"}:
        raise ReadError(messages.UNASKED_COMPRESSION.format(printable(packing)[:40]))
    machine = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)  # gzip or zlib, told by its start
    data = bytearray()
    try:
        for chunk in chunks:
            data += machine.decompress(chunk, max_bytes + 1 - len(data))
            if len(data) > max_bytes:
                raise ReadError(_too_large(max_bytes))
    except zlib.error as error:
        raise ReadError(messages.BAD_COMPRESSION) from error
    if not machine.eof:
        raise ReadError(messages.BROKEN_ANSWER)
    return bytes(data)


def _beginning(chunks: Iterable[bytes], packing: str, most: int) -> bytes:
    """Return the first bytes of a body, unpacked, `most` of them."""
    machine = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS) if "gzip" in packing else None
    data = bytearray()
    try:
        for chunk in chunks:
            data += machine.decompress(chunk, most) if machine else chunk
            if len(data) >= most:
                break
    except zlib.error as error:
        raise ReadError(messages.BAD_COMPRESSION) from error
    return bytes(data[:most])


def _too_large(max_bytes: int) -> str:
    return messages.LARGE_PAGE.format(max_bytes / 1_000_000)
