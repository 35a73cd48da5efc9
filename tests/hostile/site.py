"""A server on loopback whose every answer is hostile in its way."""

from __future__ import annotations

import gzip
import io
import socket
import socketserver
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.hostile.files import md, page, story


@dataclass(frozen=True)
class Answer:
    """One hostile answer: what is sent for `path`; `why` is a piece of the reason, or ""."""

    path: str
    what: str
    send: Callable[[Connection], None]
    why: str = ""


class Connection(socketserver.BaseRequestHandler):
    """One request of a page; the answer writes what it wants, as it wants."""

    server: Site

    def handle(self) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked and (piece := self.request.recv(65536)):
            asked += piece
        path = asked.partition(b" ")[2].partition(b" ")[0].decode()
        answer = self.server.answers.get(path)
        try:
            if answer is not None:
                answer.send(self)
        except OSError:
            pass  # the reader left, as it should

    def say(self, raw: bytes | str) -> None:
        self.request.sendall(raw.encode() if isinstance(raw, str) else raw)

    def head(
        self, status: str = "200 OK", kind: str = "text/html; charset=utf-8", *more: str
    ) -> None:
        named = [f"Content-Type: {kind}"] if kind else []
        self.say("\r\n".join([f"HTTP/1.1 {status}", *named, *more, "", ""]))


class Site(socketserver.ThreadingTCPServer):
    """A server on loopback whose every answer is hostile in its way."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.answers = {answer.path: answer for answer in answers()}
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    @contextmanager
    def serving(self) -> Iterator[Site]:
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


def loopback(address: str) -> bool:
    """Let a test read from this machine."""
    return address == "127.0.0.1"


def _sent(
    content: bytes | str = "",
    status: str = "200 OK",
    kind: str = "text/html; charset=utf-8",
    *more: str,
) -> Callable[[Connection], None]:
    def send(to: Connection) -> None:
        to.head(status, kind, *more)
        to.say(content)

    return send


def _raw(content: bytes | str) -> Callable[[Connection], None]:
    return lambda to: to.say(content)


def _moved(location: str, status: str = "302 Found") -> Callable[[Connection], None]:
    return _sent("", status, "", f"Location: {location}")


def _dripped(start: str, piece: bytes, pause: float) -> Callable[[Connection], None]:
    """Send a start, then one piece again and again, for ever."""

    def send(to: Connection) -> None:
        to.say(start)
        end = time.monotonic() + 60  # for ever, as a reader with a bound sees it
        while time.monotonic() < end:
            to.say(piece)
            time.sleep(pause)

    return send


def _silent(to: Connection) -> None:
    to.request.settimeout(60)
    to.request.recv(1)  # until the reader leaves


def _reset(to: Connection) -> None:
    to.head()
    to.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    to.request.close()


def _late_move(to: Connection) -> None:
    time.sleep(0.6)
    to.head("302 Found", "", "Location: /deplace-lent")


def _chunked(body: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    )


def answers() -> list[Answer]:
    """Return what the server says, by path."""
    fine = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    bomb = io.BytesIO()
    with gzip.GzipFile(fileobj=bomb, mode="wb", compresslevel=9) as packed:
        for _ in range(100):
            packed.write(b"<p>" + b"a" * 1_000_000)

    def html(key: str) -> str:
        return page(f"web {key}")

    def as_said(key: str, charset: str, encoding: str) -> Callable[[Connection], None]:
        body = html(key).replace("’", "'").encode(encoding)
        return _sent(body, "200 OK", f"text/html; charset={charset}")

    return [
        Answer("/bon", "a good page", _sent(html("bon"))),
        Answer("/bon-texte", "a good text", _sent(story("web texte"), "200 OK", "text/plain")),
        Answer(
            "/bon-md",
            "Markdown, date: 0000-00-00",
            _sent(md("date: 0000-00-00", "web md"), "200 OK", "text/markdown"),
        ),
        Answer("/302", "302 without Location", _sent("", "302 Found", ""), "sans dire où"),
        Answer("/304", "304 without Location", _sent("", "304 Not Modified", ""), "304"),
        Answer("/301-vide", "301, empty Location", _moved("", "301 Moved"), "sans dire où"),
        Answer("/boucle", "a redirect to itself", _moved("/boucle"), "redirections"),
        Answer("/fichier", "a redirect to a file", _moved("file:///etc/passwd"), "http et https"),
        Answer("/prive", "a redirect into a network", _moved("http://10.0.0.1/"), "public"),
        Answer("/mauvais", "a redirect to http://[::1", _moved("http://[::1"), "mal formée"),
        Answer(
            "/port",
            "a redirect to a port that is none",
            _moved("http://127.0.0.1:99999/"),
            "mal formée",
        ),
        Answer("/deplace", "a good redirect, with an accent", _moved("/é t"), ""),
        Answer("/%C3%A9%20t", "where it leads", _sent(html("deplace")), ""),
        Answer("/deplace-lent", "slow redirects", _late_move, "secondes"),
        Answer("/silence", "no answer", _silent, "secondes"),
        Answer(
            "/entete-lent",
            "headers, a letter at a time",
            _dripped("HTTP/1.1 200 OK\r\nX: ", b"a", 0.2),
            "secondes",
        ),
        Answer(
            "/entetes",
            "headers without end",
            _dripped("HTTP/1.1 200 OK\r\n", b"X: " + b"a" * 60_000 + b"\r\n", 0),
            "coupée",
        ),
        Answer(
            "/continue",
            "« 100 Continue » without end",
            _dripped("", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
            "secondes",
        ),
        Answer(
            "/lent", "a body, a letter at a time", _dripped(fine + "\r\n", b"a", 0.2), "secondes"
        ),
        Answer(
            "/sans-fin", "a body without end", _dripped(fine + "\r\n", b"a" * 60_000, 0), "dépasse"
        ),
        Answer(
            "/morceaux",
            "chunks without end",
            _dripped(
                fine + "Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"a" * 4096 + b"\r\n", 0
            ),
            "dépasse",
        ),
        Answer(
            "/trop-long",
            "Content-Length too long",
            _sent(html("l"), "200 OK", "text/html", "Content-Length: 999999"),
            "coupée",
        ),
        Answer(
            "/trop-court",
            "Content-Length too short",
            _sent(
                html("court") + "x" * 999,
                "200 OK",
                "text/html",
                f"Content-Length: {len(html('court').encode())}",
            ),
        ),
        Answer(
            "/longueur",
            "Content-Length that is no number",
            _sent(html("n"), "200 OK", "text/html", "Content-Length: -1"),
            "coupée",
        ),
        Answer(
            "/deux-longueurs",
            "two Content-Lengths",
            _sent(html("d"), "200 OK", "text/html", "Content-Length: 5", "Content-Length: 9"),
            "coupée",
        ),
        Answer(
            "/morceau", "a chunk of no size", _raw(_chunked(b"zz\r\nabc\r\n0\r\n\r\n")), "coupée"
        ),
        Answer("/morceau-coupe", "a chunk cut", _raw(_chunked(b"ffff\r\nabc")), "coupée"),
        Answer(
            "/bombe",
            "100 MB in 100 KB, gzip",
            _sent(bomb.getvalue(), "200 OK", "text/html", "Content-Encoding: gzip"),
            "dépasse",
        ),
        Answer(
            "/gzip",
            "gzip",
            _sent(
                gzip.compress(html("gzip").encode()),
                "200 OK",
                "text/html",
                "Content-Encoding: gzip",
            ),
        ),
        Answer(
            "/deflate",
            "deflate",
            _sent(
                zlib.compress(html("deflate").encode()),
                "200 OK",
                "text/html",
                "Content-Encoding: deflate",
            ),
        ),
        Answer(
            "/gzip-coupe",
            "gzip, cut",
            _sent(
                gzip.compress(html("z").encode())[:-20],
                "200 OK",
                "text/html",
                "Content-Encoding: gzip",
            ),
            "coupée",
        ),
        Answer(
            "/gzip-faux",
            "gzip that is none",
            _sent(html("f"), "200 OK", "text/html", "Content-Encoding: gzip"),
            "mal compressée",
        ),
        Answer(
            "/gzip-double",
            "gzip in gzip",
            _sent(
                gzip.compress(gzip.compress(b"a")),
                "200 OK",
                "text/html",
                "Content-Encoding: gzip, gzip",
            ),
            "compression",
        ),
        Answer(
            "/br",
            "a packing that was not asked for",
            _sent(b"\x0b\x02\x80", "200 OK", "text/html", "Content-Encoding: br"),
            "compression",
        ),
        Answer("/ssh", "not HTTP", _raw("SSH-2.0-OpenSSH_9.6\r\n"), "HTTP"),
        Answer("/rien", "closed at once", _raw(""), "HTTP"),
        Answer("/coupe", "the connection reset", _reset, "connexion coupée"),
        Answer(
            "/http9",
            "a version that is none",
            _raw("HTTP/9.9 200 OK\r\nContent-Type: text/html\r\n\r\n" + html("9")),
        ),
        Answer("/404", "404", _sent(html("4"), "404 Not Found"), "404"),
        Answer("/500", "500", _sent(html("5"), "500 Oops"), "500"),
        Answer("/206", "a part of a page", _sent(html("2"), "206 Partial"), "206"),
        Answer("/sans-type", "no type", _sent(html("t"), "200 OK", ""), "type"),
        Answer("/pdf", "a broken PDF", _sent("%PDF", "200 OK", "application/pdf"), "abîmé"),
        Answer(
            "/type",
            "a type with escapes",
            _raw("HTTP/1.1 200 OK\r\nContent-Type: te\u202ext/\u00e9\r\n\r\n"),
            "type",
        ),
        Answer(
            "/nul",
            "a NUL in a header",
            _raw("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX: a\0b\r\n\r\n"),
            "HTTP",
        ),
        Answer("/latin", "Latin-1, said", as_said("latin", "iso-8859-1", "latin-1")),
        Answer("/utf8-faux", "Latin-1, said to be UTF-8", as_said("utf8faux", "utf-8", "latin-1")),
        Answer(
            "/latin-faux", "UTF-8, said to be Latin-1", as_said("latinfaux", "latin-1", "utf-8")
        ),
        Answer(
            "/japonais", "Latin-1, said to be Japanese", as_said("japonais", "shift_jis", "latin-1")
        ),
        Answer("/utf7", "said to be UTF-7", as_said("utf7", "utf-7", "latin-1")),
        Answer(
            "/undefined",
            "said to be a codec that raises",
            as_said("undefined", "undefined", "latin-1"),
        ),
        Answer("/hex", "said to be a codec that is no text", as_said("hex", "hex", "latin-1")),
        Answer("/vide", "an empty page", _sent(""), "vide"),
        Answer("/binaire", "a picture said to be a page", _sent(b"\x89PNG\0\0" * 50), "binaire"),
        Answer(
            "/sans-article",
            "a page without an article",
            _sent("<html><body></body></html>"),
            "aucun",
        ),
        Answer("/imbrique", "50,000 tags in one another", _sent("<div>" * 50_000), "aucun"),
    ]


BAD_ADDRESSES: tuple[tuple[str, str], ...] = (
    ("http://[::1", "mal formée"),
    ("http://[::1]:80:80/", "mal formée"),
    ("http://127.0.0.1:99999/", "mal formée"),
    ("http://127.0.0.1:port/", "mal formée"),
    ("http://127.0.0.1:0/", "mal formée"),
    ("http://exe\0mple.fr/", "mal formée"),
    ("http://exe\nmple.fr/", "mal formée"),
    ("http://☃.fr/", "mal formée"),
    ("http://\ud800.fr/", "mal formée"),
    ("http://accentué.invalid/", "introuvable"),
    ("http://deux mots.invalid/", "introuvable"),
    ("http://" + "a" * 70 + ".invalid/", "introuvable"),
    ("http:///chemin", "http et https"),
    ("http://nom:secret@127.0.0.1/", "mot de passe"),
    ("http://127.0.0.1/" + "a" * 10_000, "8000 caractères"),
    ("http://127.0.0.2/", "public"),
    ("http://[::ffff:10.0.0.1]/", "public"),
)
