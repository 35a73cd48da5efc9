"""Hostile inputs: each is named once or read, and none costs the others anything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psutil
import pytest

from rag.domain import Failure
from rag.markup import printable
from rag.sources.web import CrawlPolicy
from tests.conftest import ROOT, run_python
from tests.hostile.files import Input, erase, inputs, named, write
from tests.hostile.site import BAD_ADDRESSES, Site, loopback
from tests.newspaper import read_web

_MINUTES = 10  # a hang guard: it takes one and a half on two idle cores
_GIGABYTE = 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "hostile"
    made.mkdir()
    yield made
    erase(made)


def test_the_set_is_large() -> None:
    with Site().serving() as site:
        assert len(inputs()) + len(site.answers) + len(BAD_ADDRESSES) >= 200
        assert len(site.answers) >= 30
    assert len(inputs()) >= 120


@pytest.mark.skipif(sys.platform == "win32", reason="links, pipes and sockets in folders")
def test_a_new_user_ingests_a_folder_of_hostile_files(folder: Path, tmp_path: Path) -> None:
    written = write(folder)
    index = tmp_path / "index"
    command = [sys.executable, "ingest.py", str(folder), "--json"]
    environment = os.environ | {"RECOUPE_INDEX_DIR": str(index), "PYTHONUTF8": "1"}
    with (
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process,
        _Memory(process.pid) as memory,
    ):
        try:
            out, err = process.communicate(timeout=60 * _MINUTES)
        finally:
            process.kill()
    assert process.returncode == 1, err.decode()
    assert "Traceback" not in err.decode("utf-8")
    assert memory.most < _GIGABYTE
    failed = tuple(Failure(**each) for each in json.loads(out.decode("utf-8"))["failed"])
    listing = run_python(ROOT, index, "-m", "rag.cli.main", "list", "--json")
    paths = [record["path"] for record in json.loads(listing.stdout)]
    wrong = {each.name: was for each in written if (was := _wrong(each, folder, failed, paths))}
    assert wrong == {}
    expected = sum(len(each.failures) for each in written)
    assert len(failed) == expected, "what is no input was named"
    assert len(paths) == sum(each.articles for each in written)


def _wrong(each: Input, folder: Path, failed: tuple[Failure, ...], paths: list[str]) -> str:
    """Return what was done with an input and should not have been, or ""."""
    own = named(each, folder, failed)
    path = printable(str(folder / each.name))
    want = [(path + row, why) for row, why in each.failures]
    if each.under:
        own = [Failure(path, f.reason) for f in own]
    if len(own) != len(want):
        return f"named {len(own)} times, not {len(want)}: {own}"
    for failure, (name, why) in zip(sorted(own, key=_row), want, strict=True):
        if failure.name != name or why not in failure.reason:
            return f"{failure} is not {name}, {why}"
    real = os.path.realpath(folder) + "/" + each.name
    count = sum(p == real or p.startswith((real + "#", real + "/")) for p in paths)
    return "" if count == each.articles else f"{count} articles, not {each.articles}"


def _row(failure: Failure) -> int:
    number = re.search(r"#(\d+)$", failure.name)
    return int(number.group(1)) if number else 0


class _Memory:
    """Samples the resident memory of a process and all those under it, in bytes."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.most = 0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._end.wait(0.1):
            try:
                root = psutil.Process(self.pid)
                tree = [root, *root.children(recursive=True)]
            except psutil.Error:
                return
            self.most = max(self.most, sum(map(_resident, tree)))


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def test_a_hostile_server_costs_one_failure_an_answer(tmp_path: Path) -> None:
    with Site().serving() as site:
        urls = [site.url + path for path in site.answers]
        bad = [url for url, _ in BAD_ADDRESSES]
        own = ("127.0.0.1",)  # that site has no rules that can be read
        policy = CrawlPolicy(0, own, max_bytes=2_000_000, seconds=2, allowed=loopback)
        report, articles = read_web([*urls, *bad], tmp_path, policy)
    reasons = {f.name: f.reason for f in report.failed}
    assert len(reasons) == len(report.failed), "each is named once"
    expected = {site.url + path: answer.why for path, answer in site.answers.items() if answer.why}
    expected |= {printable(url): why for url, why in BAD_ADDRESSES}
    assert reasons.keys() == expected.keys()
    assert {url: r for url, r in reasons.items() if expected[url] not in r} == {}
    # « /deplace » is the page that it leads to: one article at two addresses.
    good = [site.url + path for path, answer in site.answers.items() if not answer.why]
    assert [a.record.path for a in articles] == [u for u in good if not u.endswith("/deplace")]
    assert all("fermé depuis lundi" in a.text for a in articles)
