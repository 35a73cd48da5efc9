"""Mines what the reader learns to refuse: passages well ranked that do not answer.

    python -m training.mining piaf_v1.1.json afriqa_fr_train.json … --out mined.jsonl

Every paragraph of the SQuAD files becomes an article of one index, and every question is asked of
it by Recoupe's own retrieval, without reranker. A line of the result is a question with its
paragraph, its answers, and the paragraphs found that do not hold the text of an answer. With
`--by-words` the paragraphs are those of the most words in common (TF-IDF): a minute for ten.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.golden import index_of
from rag.domain import Article, Source
from rag.indexing.index import Index
from rag.searching.retrieval import Retriever

FOUND = 24  # passages looked at
KEPT = 8  # negatives of a question
HELD_OUT = 8  # one article in so many is never trained on
_MARKUP = re.compile(r"<[^>]*>")  # in titles of PIAF
TITLED_BY_QUESTIONS = "cnil"  # a file whose titles are the questions themselves

log = logging.getLogger("training")


def entries(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Return the questions of SQuAD files that have an answer.

    Keys: `set` (the file), `title` (of the article, "" where it would tell the question),
    `held` (the article is kept for measuring), `question`, `context`, `answers` as (start, end).
    """
    rows = []
    for path in files:
        for entry in json.loads(path.read_text(encoding="utf-8"))["data"]:
            name = entry.get("title", "").replace("_", " ")
            title = "" if TITLED_BY_QUESTIONS in path.stem else _MARKUP.sub("", name)
            held = zlib.crc32(name.encode()) % HELD_OUT == 0
            for paragraph in entry["paragraphs"]:
                rows += [
                    {
                        "set": path.stem,
                        "title": title,
                        "held": held,
                        "question": " ".join(qa["question"].split()),
                        "context": paragraph["context"],
                        "answers": spans,
                    }
                    for qa in paragraph["qas"]
                    if (spans := _spans(qa, paragraph["context"]))
                ]
    return rows


def mined(rows: Sequence[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Return the same rows with `negatives`, a list of [title, text], best placed first."""
    paragraphs = {(row["title"], row["context"]) for row in rows}
    articles = [
        Article(f"p{at}", Source(title or " ".join(text.split()[:8])), text)
        for at, (title, text) in enumerate(sorted(paragraphs))
    ]
    own = {a.id: a for a in articles}
    log.info("%d questions over %d paragraphs", len(rows), len(articles))
    index = index_of(articles, folder)
    done = []
    try:
        for at, row in enumerate(rows):
            done.append({**row, "negatives": _negatives(index, row, own)})
            if at % 1000 == 999:
                log.info("%d questions asked", at + 1)
    finally:
        index.close()
    return done


def mined_by_words(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the same as `mined`, the paragraphs placed by the words that they share."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    paragraphs = sorted({(row["title"], row["context"]) for row in rows})
    vectoriser = TfidfVectorizer(sublinear_tf=True, strip_accents="unicode")
    texts = vectoriser.fit_transform([f"{title} {text}" for title, text in paragraphs])
    alike = vectoriser.transform([row["question"] for row in rows]) @ texts.T
    done = []
    for at, row in enumerate(rows):
        best = np.argsort(-alike[at].toarray()[0])[:FOUND]
        others = [paragraphs[n] for n in best if paragraphs[n][1] != row["context"]]
        done.append({**row, "negatives": _unanswering(row, others)})
    return done


def main() -> None:
    """Mine and write."""
    parser = argparse.ArgumentParser(description="Mine hard negatives")
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--by-words", action="store_true")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.by_words:
        rows = mined_by_words(entries(options.files))
    else:
        with tempfile.TemporaryDirectory() as folder:
            rows = mined(entries(options.files), Path(folder) / "index")
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _negatives(index: Index, row: dict[str, Any], own: dict[str, Article]) -> list[list[str]]:
    hits = Retriever(index, candidates=FOUND).search(row["question"], FOUND)
    return _unanswering(
        row,
        [
            (hit.source.title, hit.passage.text)
            for hit in hits
            if own[hit.passage.article_id].text != row["context"]
        ],
    )


def _unanswering(row: dict[str, Any], others: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return the first of other passages, (title, text), that hold no answer of a question."""
    answers = {row["context"][a:b].casefold() for a, b in row["answers"]}
    found = [
        ["" if row["title"] == "" else title, text]
        for title, text in others
        if not any(answer in text.casefold() for answer in answers)
    ]
    return found[:KEPT]


def _spans(qa: dict[str, Any], context: str) -> list[tuple[int, int]]:
    """Return the distinct spans of the answers whose text stands where it is said to."""
    spans = {
        (a["answer_start"], a["answer_start"] + len(a["text"]))
        for a in qa.get("answers") or ()
        if a["text"].strip()
        and context[a["answer_start"] : a["answer_start"] + len(a["text"])] == a["text"]
    }
    return sorted(spans)


if __name__ == "__main__":
    main()
