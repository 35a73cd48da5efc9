"""What needs no server: the reports that spreadsheets open, the addresses that are fetched."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date
from unittest.mock import patch

import httpcore

from bench.attack.stage import Attempt, Stage

_PRIVATE = (
    "::1", "::", "::7f00:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:0:127.0.0.1", "fec0::1",
    "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "100::1",
    "2001:db8::1", "fd00::1", "fc00::1", "fe80::1", "ff02::1", "5f00::1", "3fff::1",
    "100.64.0.1", "169.254.169.254", "0.0.0.0", "10.1.1.1", "192.168.1.1", "172.16.0.1",
    "127.0.0.1", "127.8.8.8", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
    "240.0.0.1", "192.88.99.1",
)  # fmt: skip
_SPELLED = ("0", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "127.0.0.1.")
_INNER = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    " =1",
    '"=1',
    "'\t=1",
)
_SEPARATORS = (";", ",", "\t", "\n", "\r\n", '";')


def fetcher(_: Stage) -> Iterator[Attempt]:
    """Have an address fetched that is not on the public internet."""
    from rag.errors import ReadError
    from rag.readers.fetch import fetch, is_public

    reached: list[str] = []

    def connect(_: object, host: str, *__: object, **___: object) -> httpcore.NetworkStream:
        reached.append(host)
        raise httpcore.ConnectError("the bench lets nothing be reached")

    with patch.object(httpcore.SyncBackend, "connect_tcp", connect):
        for address in (*_PRIVATE, *_SPELLED):
            url = f"http://[{address}]/" if ":" in address else f"http://{address}/"
            reached.clear()
            try:
                fetch(url, 1000, seconds=2.0)
                why = "a page"
            except ReadError as error:
                why = str(error)
            held = not reached and why != "a page" and not is_public(address)
            detail = f"a connection to {reached[0]} was tried" if reached else why
            yield Attempt("fetcher", url, held, detail)


def exports(_: Stage) -> Iterator[Attempt]:
    """Put into a report what a spreadsheet would compute."""
    from rag.checking import report
    from rag.domain import (
        Attribution,
        CheckedClaim,
        Citation,
        ClaimEvidence,
        Label,
        Source,
        Stance,
        Verification,
    )

    def made(text: str, inner: str, address: str) -> Verification:
        source = Source(text, text, text, date(2024, 3, 1), address)
        quoted = Citation("a", source, 0, len(text), text)
        proof = ClaimEvidence(quoted, Attribution(), Stance.SUPPORTS, 0.9, 0.9)
        claims = tuple(
            CheckedClaim(said, Label.SUPPORTED, said, "élevée", 1, evidence=(proof,))
            for said in (text, inner)
        )
        return Verification(claims, "2024-03-01T10:00:00+00:00", text, text, "c", 1, "1")

    tries = [
        (f"a claim and a quote with {separator + inner!r}",
         made(f"Le maire l’a dit{separator}{inner}", inner, "https://a.example/a"))
        for separator in _SEPARATORS for inner in _INNER
    ]  # fmt: skip
    tries += [
        (f"an address with {part!r}", made("a", "a", "https://a.example/?a" + part))
        for part in (";=1+1", ",=1+1", ";@a", "\t=1", "\n=1")
    ]
    for name, done in tries:
        bad = _computed(report.as_csv(done))
        detail = "; ".join(f"{how}: {cell[:24]!r}" for how, cell in bad[:2]) or "text alone"
        yield Attempt("csv", name, not bad, detail)


def _computed(table: str) -> list[tuple[str, str]]:
    """Return the cells that a spreadsheet would compute, whatever it splits lines by."""
    found: list[tuple[str, str]] = []
    for delimiter in (";", ",", "\t"):
        rows = [*csv.reader(io.StringIO(table, newline=""), delimiter=delimiter)]
        lines = table.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for how, cells in (("quotes honoured", rows), ("not", [x.split(delimiter) for x in lines])):
            found += [
                (f"split at {delimiter!r}, {how}", cell)
                for row in cells
                for cell in row
                if cell[:1] in {"\t", "\r"} or cell.lstrip(' "')[:1] in set("=+-@\t\r") - {""}
            ]
    return found
