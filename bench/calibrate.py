"""Fit the two models of `rag/answering/evidence.py` and write what they reach.

    python -m bench.calibrate

The sentence model is fitted on `tests/golden/calibration.jsonl`, the answer
model on it and on a sample of the shared questions on data protection, both
also with the answering articles left out. Measures by five-fold
cross-validation there and on the golden questions, which are never fitted,
and writes `rag/answering/calibration.json`. Needs scikit-learn and scipy,
which sentence-transformers brings.
"""

from __future__ import annotations

import json
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from bench.golden import ROOT, SHARED, corpus_index, index_of, load_golden
from bench.listnet import fit_ranking
from rag.answering import evidence as ev
from rag.evaluation.data import Item, read_squad, sample
from rag.indexing.index import Index
from rag.searching.question import Question
from rag.searching.reranking import FeatureReranker
from rag.searching.retrieval import Retriever
from rag.settings import load_settings

OUT = ROOT / "rag" / "answering" / "calibration.json"
PASSAGES = 6
THRESHOLD = load_settings().threshold
CNIL = SHARED / "cnil_faq_squad.json"
SAMPLE = 150  # questions of it
Matrix = NDArray[np.float64]
Pairs = list[tuple[Item, Question, list[ev.Evidence]]]
Rows = tuple[Matrix, NDArray[np.bool_], NDArray[np.int64]]
Model = dict[str, float]


def main() -> None:
    """Fit, measure, write."""
    with tempfile.TemporaryDirectory() as folder:
        index = corpus_index(Path(folder) / "corpus")
        found = {name: gathered(index, load_golden(name)) for name in ("calibration", "questions")}
        sentence = fit_sentences(found["calibration"])
        # The answer model describes the sentence that the fitted ranking puts first.
        corpus = [
            answer_rows(sentence, pairs)
            for pairs in (found["calibration"], held_out(index, load_golden("calibration")))
        ]
        golden = answer_rows(sentence, found["questions"])
        faq: list[Rows] = []
        if CNIL.exists():
            articles, items = read_squad(CNIL)
            items = sample(items, SAMPLE, seed=0)
            index = index_of(articles, Path(folder) / "cnil")
            faq = [
                answer_rows(sentence, pairs)
                for pairs in (gathered(index, items), held_out(index, items))
            ]
        else:
            print(f"{CNIL} is absent: fitted on the sample corpus alone")
    sets = {"calibration": joined(corpus)} | ({"cnil": joined(faq)} if faq else {})
    crossed = cross_predicted(sets)
    answer = fit_answers(list(sets.values()))
    report = {
        "models": {"sentence": sentence, "answer": answer},
        "measured": {
            "threshold": THRESHOLD,
            **{
                f"{name}, five-fold": rates(crossed[name], y, THRESHOLD)
                for name, (_, y, _) in sets.items()
            },
            "golden, never fitted": rates(predict(answer, golden[0]), golden[1], THRESHOLD),
        },
    }
    OUT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report["measured"], indent=2))
    for t in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65):
        print(t, {name: rates(crossed[name], y, t) for name, (_, y, _) in sets.items()})
        print("   golden", rates(predict(answer, golden[0]), golden[1], t))


def gathered(
    index: Index, items: Sequence[Item], without: Sequence[Sequence[str]] | None = None
) -> Pairs:
    """Return the evidence for each item, the articles `without` it left out."""
    retriever = Retriever(index, reranker=FeatureReranker())
    found = []
    for item, gone in zip(items, without or [()] * len(items), strict=True):
        question = retriever.understood(item.question)
        hits = retriever.search(question, PASSAGES + 3 * len(gone))
        kept = [h for h in hits if h.passage.article_id not in gone][:PASSAGES]
        found.append((item, question, ev.find_evidence(question, kept, index.scale)[0]))
    return found


def held_out(index: Index, items: Sequence[Item]) -> Pairs:
    """Return the evidence for answerable items without their articles: none then answers."""
    answerable = [item for item in items if item.gold]
    gone = [[g.article_id for g in item.gold] for item in answerable]
    pairs = gathered(index, answerable, gone)
    return [(replace(item, gold=()), question, found) for item, question, found in pairs]


def fit_sentences(pairs: Pairs) -> Model:
    """Return weights that maximise the softmax probability of a right sentence."""
    groups = []
    for item, _, evidence in pairs:
        right = np.array([item.answered_by(e.citation()) for e in evidence])
        if right.any():
            rows = [[e.features[k] for k in ev.SENTENCE_FEATURES] for e in evidence]
            groups.append((np.array(rows), right))
    w = fit_ranking(groups, penalty=0.3)
    return {"intercept": 0.0} | {
        k: round(float(v), 4) for k, v in zip(ev.SENTENCE_FEATURES, w, strict=True)
    }


def answer_rows(model: Model, pairs: Pairs) -> Rows:
    """Return features (questions, features), whether each has an answer, and question numbers."""
    x, y = [], []
    for item, question, evidence in pairs:
        ranked = sorted((ev.rescored(e, model) for e in evidence), key=lambda e: -e.score)
        features = ev.answer_features(question, ranked)
        x.append([features[k] for k in ev.ANSWER_FEATURES])
        y.append(bool(item.gold))
    groups = [zlib.crc32(item.question.encode()) for item, *_ in pairs]
    return np.array(x), np.array(y), np.array(groups)


def joined(parts: Sequence[Rows]) -> Rows:
    """Return rows one after the other."""
    x, y, groups = zip(*parts, strict=True)
    return np.vstack(x), np.concatenate(y), np.concatenate(groups)


def cross_predicted(sets: dict[str, Rows]) -> dict[str, Matrix]:
    """Return probabilities by five-fold cross-validation within each set.

    A question stays on one side of a fold with its held-out twin; the other
    sets are fitted whole.
    """
    found = {}
    for name, (x, y, groups) in sets.items():
        crossed = np.zeros(len(y))
        for train, test in GroupKFold(5).split(x, y, groups):
            fold = (x[train], y[train], groups[train])
            others = [rows for other, rows in sets.items() if other != name]
            crossed[test] = predict(fit_answers([fold, *others]), x[test])
        found[name] = crossed
    return found


def fit_answers(sets: Sequence[Rows]) -> Model:
    """Return a logistic regression over raw features; sets and classes weigh alike."""
    x, y, _ = joined(sets)
    shares = [np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum()) for _, labels, _ in sets]
    weights = np.concatenate(shares) * len(y) / len(sets)
    mean, scale = x.mean(0), x.std(0) + 1e-9
    fitted = LogisticRegression(C=0.05).fit((x - mean) / scale, y, sample_weight=weights)
    coefficients = fitted.coef_[0] / scale
    intercept = float(fitted.intercept_[0] - coefficients @ mean)
    return {"intercept": round(intercept, 4)} | {
        k: round(float(v), 4) for k, v in zip(ev.ANSWER_FEATURES, coefficients, strict=True)
    }


def predict(model: Model, x: Matrix) -> Matrix:
    """Return probabilities of shape (questions,)."""
    weights = np.array([model[k] for k in ev.ANSWER_FEATURES])
    result: Matrix = 1 / (1 + np.exp(-(model["intercept"] + x @ weights)))
    return result


def rates(p: Matrix, y: NDArray[np.bool_], threshold: float) -> dict[str, float | int]:
    """Return the shares of false answers (of unanswerable) and false refusals (of answerable)."""
    return {
        "answerable": int(y.sum()),
        "unanswerable": int((~y).sum()),
        "false answers": round(float((p[~y] >= threshold).mean()), 3),
        "false refusals": round(float((p[y] < threshold).mean()), 3),
    }


if __name__ == "__main__":
    main()
