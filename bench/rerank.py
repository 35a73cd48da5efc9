"""Fit the reranker's weights and write `rag/searching/reranking.json`.

    python -m bench.rerank

Fits on three sets, each weighed alike: the shared questions on data
protection, the entailed sentences of RTE3-FR (each should find its premise)
and the sample corpus's calibration questions. Measures with each set left out
in turn, and on the golden questions, which are never fitted. The shared data
is read from `../shared/data`; what is absent is left out and said.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.golden import ROOT, SHARED, corpus_index, index_of, load_golden
from bench.listnet import Group, Matrix, fit_ranking
from rag.domain import Article, Hit
from rag.evaluation.data import Gold, Item, article_of, read_squad
from rag.indexing.index import Index
from rag.searching.question import Question
from rag.searching.reranking import FEATURES, features
from rag.searching.retrieval import Retriever

OUT = ROOT / "rag" / "searching" / "reranking.json"
_DEPTH = 40
_SHARE = 200.0  # each set counts like this many questions
_PENALTY = 60.0
_NEWEST = 1.5  # by hand: about a deviation of the cosines between the newest and the oldest


def main() -> None:
    """Fit, measure, write."""
    sets: dict[str, list[Group]] = {}
    with tempfile.TemporaryDirectory() as folder:
        if (SHARED / "cnil_faq_squad.json").exists():
            articles, items = read_squad(SHARED / "cnil_faq_squad.json")
            sets["cnil"] = groups(index_of(articles, Path(folder) / "cnil"), items)
        if (SHARED / "rte3_fr_dev.tsv").exists():
            articles, items = entailed(SHARED / "rte3_fr_dev.tsv")
            sets["rte3"] = groups(index_of(articles, Path(folder) / "rte3"), items)
        index = corpus_index(Path(folder) / "corpus")
        for name in ("calibration", "questions"):
            sets[name] = groups(index, load_golden(name))
    fitted = [name for name in sets if name != "questions"]
    print("fitted on", fitted)
    measured: dict[str, object] = {}
    for held_out in [*fitted, "questions"]:
        w = fit({n: sets[n] for n in fitted if n != held_out})
        fused = measure(sets[held_out], fused_weights())
        reranked = measure(sets[held_out], w)
        measured[f"{held_out}, never fitted"] = {"fused": fused, "reranked": reranked}
    w = fit({n: sets[n] for n in fitted})
    for at, name in enumerate(FEATURES):
        kept = [i for i in range(len(FEATURES)) if i != at]
        left = [FEATURES[i] for i in kept]
        partial = fit({n: [(x[:, kept], r) for x, r in sets[n]] for n in fitted}, left)
        figures = {
            n: measure([(x[:, kept], r) for x, r in sets[n]], partial)["MRR@10"] for n in sets
        }
        print(f"without {name:14s}", figures)
    print("with all              ", {n: measure(sets[n], w)["MRR@10"] for n in sets})
    weights = {k: round(float(v), 4) for k, v in zip(FEATURES, w, strict=True)}
    weights["newest"] = _NEWEST  # no set asks for the present often enough to fit it
    OUT.write_text(json.dumps({"weights": weights, "measured": measured}, indent=2) + "\n")
    print(OUT.read_text())


def entailed(path: Path) -> tuple[list[Article], list[Item]]:
    """Read RTE3's premises as articles, and each entailed hypothesis as a question."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    articles = {r["premise"]: article_of(r["premise"]) for r in rows}
    items = [
        Item(str(at), r["hypothesis"], (Gold(articles[r["premise"]].id, 0, len(r["premise"])),))
        for at, r in enumerate(rows)
        if r["label"] == "0"
    ]
    return list(articles.values()), items


def groups(index: Index, items: Sequence[Item]) -> list[Group]:
    """Return the candidates of each answerable question as features, and which are right."""
    found = []
    for item in items:
        if item.gold:
            hits = candidates(index, item.question)
            right = np.array([item.answered_by(hit.passage) for hit in hits], dtype=bool)
            found.append((matrix(Retriever(index).understood(item.question), hits), right))
    return found


def candidates(index: Index, question: str) -> list[Hit]:
    """Return what the reranker is given."""
    return Retriever(index).stages(question)["fused"][:_DEPTH]


def matrix(question: Question, hits: Sequence[Hit]) -> Matrix:
    """Return features of shape (hits, features)."""
    rows = features(question, hits)
    return np.array([[row[k] for k in FEATURES] for row in rows])


def fit(sets: dict[str, list[Group]], names: Sequence[str] = FEATURES) -> Matrix:
    """Return weights over sets that count alike.

    Each feature was made to speak for a passage, so none may weigh against it:
    a negative weight would be an accident of the sets. The prior is the plain sum
    of meaning, words and characters, and weighs a good deal: the sets at hand
    are few, and on others (617 paragraphs of manuals and of an encyclopedia of
    the sky, 146 questions) a looser fit was worse than the prior itself.
    """
    all_groups = [g for found in sets.values() for g in found]
    shares = [_SHARE / len(found) for found in sets.values() for _ in found]
    return fit_ranking(all_groups, _PENALTY, shares, prior=_prior(names), positive=True)


def fused_weights() -> Matrix:
    """Return the weights under which the linear model is the plain fusion."""
    return np.array([float(name in {"dense", "lexical"}) for name in FEATURES])


def _prior(names: Sequence[str]) -> Matrix:
    return np.array([float(name in {"dense", "lexical", "characters"}) for name in names])


def measure(found: Sequence[Group], w: Matrix) -> dict[str, float]:
    """Return R@1, R@5 and MRR@10 of a linear order; a right one not found ranks last."""
    ranks = []
    for x, right in found:
        scores = x @ w[: x.shape[1]]
        ranks.append(int((scores > scores[right].max()).sum()) if right.any() else 10_000)
    r = np.array(ranks)
    return {
        "R@1": round(float((r < 1).mean()), 3),
        "R@5": round(float((r < 5).mean()), 3),
        "MRR@10": round(float(np.where(r < 10, 1 / (r + 1), 0).mean()), 3),
    }


if __name__ == "__main__":
    main()
