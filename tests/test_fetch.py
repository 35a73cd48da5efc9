"""Fetching pages: public addresses alone, bounded, over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from click.testing import CliRunner

from rag.cli.main import app
from rag.errors import ReadError
from rag.readers import Bounds
from rag.readers.fetch import fetch, is_own_network, is_public
from rag.sources.web import CrawlPolicy
from tests.newspaper import read_web
from tests.servers import running

HTML = (
    "<html><head><title>Le phare rallumé</title></head><body><article><h1>Le phare rallumé</h1>"
    "<p>Le phare de Kerguen a été rallumé jeudi par Maëlle Le Guen, après dix ans de travaux.</p>"
    "</article></body></html>"
)


class Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        routes = {"/loop": "/loop", "/inside": "http://10.0.0.1/", "/file": "file:///etc/passwd",
                  "/moved": "/page"}  # fmt: skip
        if self.path in routes:
            self.send_response(302)
            self.send_header("Location", routes[self.path])
            self.end_headers()
            return
        kind = "application/pdf" if self.path == "/pdf" else "text/html; charset=utf-8"
        self.send_response(404 if self.path == "/gone" else 200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        for _ in range(200 if self.path == "/big" else 1):
            self.wfile.write((HTML if self.path != "/big" else "x" * 10_000).encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with running(Site) as url:
        yield url


def local(address: str) -> bool:
    return address == "127.0.0.1"


def waiting(address: str) -> bool:
    time.sleep(600)  # where a resolver would: before the connection
    return False


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::1",
     "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "100.64.0.1",
     "224.0.0.1", "255.255.255.255", "pas une adresse", "64:ff9b:1::1", "64:ff9b::8.8.8.8",
     "::7f00:1", "::8.8.8.8", "fec0::1", "feff::1", "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8", "3fff::1",
     "5f00::1", "192.88.99.1", "2001:db8::1", "fd00::1", "2001:0:7f00:1::"],
)  # fmt: skip
def test_private_addresses(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "100.64.0.1", "fd00::1", "::1",
                "93.184.216.34", "::ffff:10.0.0.1"],
)  # fmt: skip
def test_a_host_of_one_s_own_may_be_private(address: str) -> None:
    assert is_own_network(address)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "169.254.170.2", "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254",
                "100.100.100.200", "192.0.0.192", "0.0.0.0", "::", "224.0.0.1", "255.255.255.255",
                "64:ff9b::a9fe:a9fe", "::a9fe:a9fe", "2002:a9fe:a9fe::", "pas une adresse"],
)  # fmt: skip
def test_what_tells_a_machine_its_secrets_is_nobody_s_own(address: str) -> None:
    assert not is_own_network(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://localhost:80/", "http://[::1]/", "http://2130706433/",
     "http://0x7f.1/", "http://169.254.169.254/latest/meta-data/", "http://127.0.0.1.:80/"],
)  # fmt: skip
def test_what_is_not_public_is_refused(url: str) -> None:
    with pytest.raises(ReadError, match="public|introuvable"):
        fetch(url, 1000)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a.example/", "http://u:p@a.example/", "x"]
)
def test_other_schemes_are_refused(url: str) -> None:
    with pytest.raises(ReadError, match="http"):
        fetch(url, 1000)


def test_a_page_is_fetched_through_a_redirect(site: str) -> None:
    page = fetch(f"{site}/moved", 10_000, local)
    assert page.url == f"{site}/page"
    assert page.data.decode() == HTML


@pytest.mark.parametrize(
    ("path", "why"),
    [("/inside", "public"), ("/file", "http"), ("/loop", "redirections"), ("/big", "dépasse"),
     ("/pdf", "type"), ("/gone", "404")],
)  # fmt: skip
def test_bad_pages_are_refused_with_the_reason(site: str, path: str, why: str) -> None:
    with pytest.raises(ReadError, match=why):
        fetch(site + path, 1_000_000, local)


def test_a_page_that_comes_too_late_is_left(site: str) -> None:
    with pytest.raises(ReadError, match="secondes"):
        fetch(f"{site}/page", 10_000, local, seconds=-1.0)


def test_the_resolver_of_names_is_waited_for_in_bounds(site: str, tmp_path: Path) -> None:
    policy = CrawlPolicy(0, (), 10_000, 0.5, Bounds(seconds=0.5), waiting)
    report, _ = read_web([f"{site}/page"], tmp_path, policy)
    assert "plus de 1\u00a0secondes" in report.failed[0].reason


def test_only_what_another_process_finds_may_allow(site: str, tmp_path: Path) -> None:
    def allow(address: str) -> bool:
        return True

    allow.__module__ = "__main__"
    with pytest.raises(ValueError, match="module"):
        read_web([site], tmp_path, CrawlPolicy(allowed=allow))


def test_addresses_become_articles(site: str, tmp_path: Path) -> None:
    policy = CrawlPolicy(interval=0, allowed=local)
    report, (article,) = read_web([f"{site}/page", f"{site}/gone"], tmp_path, policy)
    assert article.record.source.title == "Le phare rallumé"
    assert article.record.source.url == f"{site}/page"
    assert [f.name for f in report.failed] == [f"{site}/gone"]


def test_ingest_names_an_address_that_it_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOUPE_INDEX_DIR", str(tmp_path))
    result = CliRunner().invoke(app, ["ingest", "http://127.0.0.1:9/page"])
    assert result.exit_code == 1
    assert "http://127.0.0.1:9/page" in result.stderr
    assert "internet public" in result.stderr
