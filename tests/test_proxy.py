"""Behind the real nginx and the real Caddy, as docs/deployment.md writes them."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from rag.assistant import LocalAssistant
from tests.conftest import ROOT
from tests.test_api import page_config, serving, with_settings

REQUIRED = os.environ.get("RECOUPE_BROWSER_TESTS") == "required"
DOC = (ROOT / "docs" / "deployment.md").read_text("utf-8")
NAME = "recoupe.journal.example"
pytestmark = pytest.mark.server


def written(proxy: str) -> str:
    """Return the example of the docs for a proxy."""
    found = re.search(rf"<!-- {proxy} -->\n```\n(.*?)```", DOC, re.DOTALL)
    assert found
    return found[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def nginx(folder: Path, app: str, port: int) -> Iterator[None]:
    site = written("nginx").replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    site = re.sub(r"(?m)^ *ssl_.*$", "", site).replace("http://127.0.0.1:7860", app)
    site = site.replace("allow 10.0.0.0/8;", "")  # nobody here is inside
    places = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"pid {folder}/pid; error_log stderr; daemon off; events {{}} "
        f"http {{ access_log off; {places} {site} }}"
    )
    command = ["nginx", "-p", str(folder), "-c", str(config)]
    assert subprocess.run([*command, "-t"], capture_output=True, check=False).returncode == 0
    with started(command, port):
        yield


@contextmanager
def caddy(folder: Path, app: str, port: int) -> Iterator[None]:
    site = written("caddy").replace(NAME, f"http://{NAME}:{port}", 1)
    site = site.replace("127.0.0.1:7860", app.removeprefix("http://"))
    file = folder / "Caddyfile"
    file.write_text(f"{{\n\tadmin off\n\tauto_https off\n}}\n{site}")
    with started(["caddy", "run", "--config", str(file), "--adapter", "caddyfile"], port):
        yield


@contextmanager
def started(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            time.sleep(0.1)
            assert process.poll() is None
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("proxy", ["nginx", "caddy"])
def test_behind_a_proxy(assistant: LocalAssistant, tmp_path: Path, proxy: str) -> None:
    if not REQUIRED and not shutil.which(proxy):
        pytest.skip(f"{proxy} absent")
    served = with_settings(
        assistant, public_url=f"https://{NAME}", trusted_proxies=("127.0.0.1",),
        rate_client="2/minute",
    )  # fmt: skip
    port = free_port()
    behind = {"nginx": nginx, "caddy": caddy}[proxy]
    with (
        serving(served) as app,
        behind(tmp_path, app, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Host": NAME}) as client,
    ):
        assert page_config(client)["dependencies"]
        evil = {"X-Forwarded-Host": "evil.example", "X-Gradio-Server": "http://evil.example",
                "Forwarded": "host=evil.example"}  # fmt: skip
        assert "evil.example" not in client.get("/", headers=evil).text
        for closed in ("/metrics", "/demo", "/gradio_api/upload", "/mcp", "/v1/models"):
            assert client.get(closed).status_code == 403, closed
        for absent in ("/gradio_api/file=/etc/hostname", "/config", "/owner/page", "/logout"):
            assert client.get(absent).status_code == 404, absent
        too_large = client.post("/api/v1/ask", content=b"x" * 3_000_000)
        # Refused before it is read: a proxy that is still sending may tell the break (502) instead.
        assert too_large.status_code in {413, 502}
        # Whoever he says that he is, the proxy tells who connects.
        asked = {"question": "Combien a coûté la restauration de la halle aux grains ?"}
        statuses = [
            client.post(
                "/api/v1/ask", json=asked, headers={"X-Forwarded-For": f"203.0.113.{n}"}, timeout=60
            ).status_code
            for n in range(3)
        ]
        assert statuses == [200, 200, 429]
