"""Make a SQuAD file of two French manuals and the questions of `bench/manuals.tsv`.

    apt-get install debian-handbook stellarium-data   # or unpack them under ROOT
    python -m bench.manuals manuals.json [ROOT]
    recoupe eval retrieval manuals.json

A set of another kind than the sample corpus: some 600 paragraphs of which
many speak of the same matter, and questions about one of their facts. The
texts are the packages' own and stay there; a question names its paragraph by
a digest, so one whose paragraph another edition changed is left out and said.
Nothing is fitted on it.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from lxml import html

QUESTIONS = Path(__file__).parent / "manuals.tsv"
HANDBOOK = "usr/share/doc/debian-handbook/html/fr-FR/*.html"
SKY = ("skycultures/*/description.fr.utf8", "landscapes/*/description.fr.utf8")
_FULL = 90  # words of a paragraph; shorter ones are joined to the next
_FRENCH = re.compile(r"\b(?:le|la|les|des|est|une|dans|pour|et)\b")


def main(out: str, root: str = "/") -> None:
    """Write the file."""
    contexts = {digest(c): c for c in (*sky(Path(root)), *handbook(Path(root)))}
    asked: dict[str, list[dict[str, str]]] = {}
    with QUESTIONS.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines, delimiter="\t")):
            asked.setdefault(row["paragraph"], []).append(
                {"id": str(number), "question": row["question"]}
            )
    lost = sum(len(found) for key, found in asked.items() if key not in contexts)
    paragraphs = [{"context": c, "qas": asked.get(key, [])} for key, c in contexts.items()]
    data = {"data": [{"title": "manuals", "paragraphs": paragraphs}]}
    Path(out).write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    print(f"{len(contexts)} paragraphs; {lost} questions left out")


def digest(context: str) -> str:
    """Return the name of a paragraph: 12 hex digits."""
    return hashlib.sha256(context.encode()).hexdigest()[:12]


def handbook(root: Path) -> Iterator[str]:
    """Yield the French paragraphs of the handbook, section by section."""
    found: list[str] = []
    for path in sorted(root.glob(HANDBOOK)):
        for section in html.parse(str(path)).getroot().iter("div"):
            kinds = section.get("class") or ""
            if "section" in kinds or "sidebar" in kinds:
                found += packed(
                    (
                        _flat(p)
                        for p in section.iterchildren()
                        if p.tag == "p" or (p.tag == "div" and "para" in (p.get("class") or ""))
                    ),
                    least=40,
                )
    kept = [c for c in dict.fromkeys(found) if _is_french(c)]
    yield from (c for c in kept if not any(c != other and c in other for other in kept))


def sky(root: Path) -> Iterator[str]:
    """Yield the French descriptions of skies and landscapes."""
    found: list[str] = []
    for pattern in SKY:
        for path in sorted((root / "usr/share/stellarium").glob(pattern)):
            text = re.sub(r"<\?.*?\?>", "", path.read_text(encoding="utf-8"))
            page = html.fromstring(f"<div>{text}</div>")
            found += packed((_flat(p) for p in page.iter("p", "li", "td")), least=35, shortest=5)
    yield from (c for c in dict.fromkeys(found) if _is_french(c))


def packed(texts: Iterable[str], least: int, shortest: int = 0) -> Iterator[str]:
    """Join texts until they have `_FULL` words; a rest of fewer than `least` is dropped."""
    held: list[str] = []
    for text in texts:
        if len(text.split()) >= shortest:
            held.append(text)
        if sum(len(t.split()) for t in held) >= _FULL:
            yield " ".join(held)
            held = []
    if sum(len(t.split()) for t in held) >= least:
        yield " ".join(held)


def _flat(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def _is_french(text: str) -> bool:
    return len(_FRENCH.findall(text.lower())) > 0.12 * len(text.split())


if __name__ == "__main__":
    main(*sys.argv[1:])
