"""Print what is done with each hostile input, as a Markdown table."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rag.domain import Reading
from rag.markup import printable
from rag.readers import find_files, read_files
from rag.sources.web import CrawlPolicy
from tests.hostile.files import articles_of, erase, named, write
from tests.hostile.site import BAD_ADDRESSES, Site, loopback
from tests.newspaper import read_web


def _cell(text: str) -> str:
    short = text if len(text) <= 70 else text[:60] + "…"
    return printable(short).replace("|", "\\|").replace("`", "'")


def _table(rows: list[tuple[str, str, str, str]]) -> str:
    head = "| input | what it is | done | reason |\n|---|---|---|---|\n"
    return head + "".join("| `{}` | {} | {} | {} |\n".format(*map(_cell, each)) for each in rows)


def _done(articles: int) -> str:
    return "—" if not articles else "1 article" if articles == 1 else f"{articles} articles"


def main() -> None:
    """Read all the inputs here and print what was done with each."""
    told: list[tuple[str, str, str, str]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written = write(folder)
        files, unusable = find_files([folder])
        reading = Reading.of(read_files(files))
        failures = (*unusable, *reading.failures)
        for each in written:
            own = named(each, folder, failures)
            count = len(articles_of(each, folder, reading))
            told.append((each.name, each.what, _done(count), " ; ".join(f.reason for f in own)))
        for each in written:
            erase(folder / each.name)
    with Site().serving() as site:
        urls = [site.url + path for path in site.answers]
        bad = [url for url, _ in BAD_ADDRESSES]
        own = ("127.0.0.1",)
        policy = CrawlPolicy(0, own, max_bytes=2_000_000, seconds=3, allowed=loopback)
        with tempfile.TemporaryDirectory() as index:
            report, articles = read_web([*urls, *bad], Path(index), policy)
        reasons = {f.name: f.reason for f in report.failed}
        read = {a.record.path for a in articles}
        for answer in site.answers.values():
            url = site.url + answer.path
            reason = reasons.get(printable(url), "")
            told.append((answer.path, answer.what, _done(int(not reason)), reason))
        told += [
            (url, "an address", _done(int(url in read)), reasons.get(printable(url), ""))
            for url in bad
        ]
    sys.stdout.write(_table(told))


if __name__ == "__main__":
    main()
