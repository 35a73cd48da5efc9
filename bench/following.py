"""Real press articles as a site serves them: read by its sitemap, then again.

`python -m bench.following articles.jsonl …` (objects with `id`, `title`, `text`, `date`) serves
them on loopback and tells how many come back with all their paragraphs, and what a second
reading asks for.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from rag.assistant import LocalAssistant
from rag.french.words import fold
from rag.settings import load_settings
from rag.sources.web import CrawlPolicy, Web
from tests.newspaper import Newspaper, Story, loopback


def stories(files: list[Path]) -> list[Story]:
    """Return the articles of files of JSON Lines as stories, a paragraph a line."""
    found = []
    for row in (json.loads(line) for file in files for line in file.open(encoding="utf-8")):
        text = "\n".join(" ".join(line.split()) for line in row["text"].split("\n") if line.strip())
        found.append(Story(row["id"], row["title"], text, row.get("date") or "2012-08-01"))
    return found


def main() -> None:
    """Serve, read twice, and print what was measured."""
    paper = Newspaper(split=50)
    paper.publish(*stories([Path(name) for name in sys.argv[1:]]))
    with paper.serving() as url, tempfile.TemporaryDirectory() as folder:
        assistant = LocalAssistant(load_settings(index_dir=Path(folder)))
        web = Web(assistant, assistant.memory, CrawlPolicy(0, allowed=loopback))
        began = time.perf_counter()
        report = web.sync(f"{url}/sitemap.xml")
        seconds = time.perf_counter() - began
        held = {r.source.title: assistant.article(r.id).text for r in assistant.index.records()}
        said = {fold(title): fold("".join(text.split())) for title, text in held.items()}
        lines = [(s.title, line) for s in paper.listed for line in s.text.split("\n")]
        lost = [
            line
            for title, line in lines
            if fold("".join(line.split())) not in said.get(fold(title), "")
        ]
        asked = len(paper.asked)
        again = web.sync(f"{url}/sitemap.xml")
        assistant.close()
    print(f"served {len(paper.listed)}, indexed {len(report.new)}, failed {len(report.failed)}")
    print(f"paragraphs found {len(lines) - len(lost)} of {len(lines)}; {seconds:.1f} s")
    print(
        f"second reading: {len(paper.asked) - asked} requests, {len(again.new)} new, "
        f"{len(again.updated)} updated, {len(again.unchanged)} the same"
    )
    for line in lost[:10]:
        print("lost:", line[:200])
    for failure in report.failed[:10]:
        print(failure.name, failure.reason)


if __name__ == "__main__":
    main()
