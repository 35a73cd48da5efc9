"""Measure retrieval on the shared French questions, when they are there.

    python -m bench.retrieval [FILE.json]

The file has SQuAD's layout; each context is an article, each question should
find its own. Default: `../shared/data/cnil_faq_squad.json`; where it is
absent this says so and measures the golden questions instead.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.golden import ROOT, corpus_index, load_golden
from rag.cleaning import blocks_of
from rag.domain import Reading, Source
from rag.embedding import load_embedder
from rag.errors import ReadError
from rag.index import Index, open_index
from rag.ingestion import ingest
from rag.readers import to_article
from rag.readers.draft import Draft
from rag.retrieval import Retriever
from rag.settings import load_settings

DEFAULT = ROOT.parent / "shared" / "data" / "cnil_faq_squad.json"


def main(path: str = str(DEFAULT)) -> None:
    """Print R@1, R@5 and MRR@10."""
    with tempfile.TemporaryDirectory() as folder:
        if Path(path).exists():
            index, questions = squad(Path(path), Path(folder))
            report(path, Retriever(index), questions, lambda hit: [hit.passage.article_id])
        else:
            print(f"{path} is absent: measuring the golden questions of the sample corpus")
            retriever = Retriever(corpus_index(Path(folder)))
            golden = [q for q in load_golden("questions") if q.answers]
            pairs = [(q.question, {a for a, _, _ in q.answers}) for q in golden]
            report(
                "golden", retriever, pairs,
                lambda hit: [hit.passage.article_id, *(p.article_id for p, _ in hit.also)],
            )  # fmt: skip


def squad(path: Path, folder: Path) -> tuple[Index, list[tuple[str, set[str]]]]:
    """Index the contexts; return the questions, each with the article that answers it."""
    data = json.loads(path.read_text(encoding="utf-8"))["data"]
    paragraphs = [p for item in data for p in item["paragraphs"]]
    by_context: dict[str, str] = {}
    articles = []
    for n, context in enumerate(dict.fromkeys(p["context"] for p in paragraphs)):
        draft = Draft(Source(""), tuple(blocks_of(context)), identity=f"context-{n}")
        try:
            article = to_article(draft, "")
        except ReadError as error:
            print(f"context left out, with its questions: {context[:60]!r}: {error}")
            continue
        by_context[context] = article.id
        articles.append(article)
    settings = load_settings(index_dir=folder)
    index = open_index(settings, load_embedder(settings))
    ingest(index, Reading(tuple(articles)), settings.passage_tokens)
    questions = [
        (qa["question"], {by_context[p["context"]]})
        for p in paragraphs
        if p["context"] in by_context
        for qa in p["qas"]
    ]
    return index, questions


def report(
    name: str,
    retriever: Retriever,
    questions: Sequence[tuple[str, set[str]]],
    articles_of: Callable[..., list[str]],
) -> None:
    """Rank articles by their best passage and print the measures."""
    ranks = []
    for question, right in questions:
        ranked: dict[str, None] = {}
        for hit in retriever.search(question, 30):
            ranked.update(dict.fromkeys(articles_of(hit)))
        order = list(ranked)
        ranks.append(min((order.index(a) for a in right if a in ranked), default=10_000))
    count = len(ranks)
    result = {
        "questions": count,
        "R@1": round(sum(r < 1 for r in ranks) / count, 3),
        "R@5": round(sum(r < 5 for r in ranks) / count, 3),
        "MRR@10": round(sum(1 / (r + 1) for r in ranks if r < 10) / count, 3),
    }
    print(f"{Path(name).name}: {json.dumps(result)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
