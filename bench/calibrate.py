"""Fit the two models of `rag/answering/evidence.py` and write what they reach.

    python -m bench.calibrate

Fits on `tests/golden/calibration.jsonl` alone, measures by five-fold
cross-validation there and on the golden questions, which are never fitted,
and writes `rag/answering/calibration.json`. Needs scikit-learn and scipy,
which sentence-transformers brings.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from bench.golden import ROOT, corpus_index, load_golden
from bench.listnet import fit_ranking
from rag.answering import evidence as ev
from rag.evaluation.data import Item
from rag.index import Index
from rag.matching import rarity
from rag.question import parse
from rag.reranking import FeatureReranker
from rag.retrieval import Retriever
from rag.settings import load_settings

OUT = ROOT / "rag" / "answering" / "calibration.json"
PASSAGES = 6
THRESHOLD = load_settings().threshold
Matrix = NDArray[np.float64]
Model = dict[str, float]


def main() -> None:
    """Fit, measure, write."""
    with tempfile.TemporaryDirectory() as folder:
        index = corpus_index(Path(folder))
        retriever = Retriever(index, reranker=FeatureReranker(index.lexical))
        sets = {name: load_golden(name) for name in ("calibration", "questions")}

        def gather(question: Item, without: Sequence[str] = ()) -> list[ev.Evidence]:
            hits = retriever.search(question.question, PASSAGES + 3 * len(without))
            kept = [h for h in hits if h.passage.article_id not in without][:PASSAGES]
            return ev.find_evidence(index, question.question, kept)[0]

        found = {name: [(q, gather(q)) for q in qs] for name, qs in sets.items()}
        # A question whose articles are left out has no answer: more refusals to learn from.
        held_out = [
            (replace(q, gold=()), gather(q, [g.article_id for g in q.gold]))
            for q in sets["calibration"]
            if q.gold
        ]
        sentence = fit_sentences(found["calibration"])
        # The answer model describes the sentence that the fitted ranking puts first.
        found["held out"] = held_out
        rows = {
            name: [answer_row(index, sentence, q, e) for q, e in pairs]
            for name, pairs in found.items()
        }
    x, y = stack(rows["calibration"])
    xh, yh = stack(rows["held out"])
    answer = fit_answers(np.vstack([x, xh]), np.r_[y, yh])
    crossed = np.zeros(len(y))
    answerable = np.flatnonzero(y)
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(x, y):
        # Row i of `held out` is answerable row i without its articles: same side of the fold.
        same = [i for i, row in enumerate(answerable) if row in set(train)]
        fold = fit_answers(np.vstack([x[train], xh[same]]), np.r_[y[train], yh[same]])
        crossed[test] = predict(fold, x[test])
    xt, yt = stack(rows["questions"])
    report = {
        "models": {"sentence": sentence, "answer": answer},
        "measured": {
            "threshold": THRESHOLD,
            "calibration, five-fold": rates(crossed, y, THRESHOLD),
            "golden, never fitted": rates(predict(answer, xt), yt, THRESHOLD),
        },
    }
    OUT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report["measured"], indent=2))
    for t in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55):
        print(t, rates(crossed, y, t), rates(predict(answer, xt), yt, t))


def fit_sentences(pairs: Sequence[tuple[Item, list[ev.Evidence]]]) -> Model:
    """Return weights that maximise the softmax probability of a right sentence."""
    groups = []
    for question, evidence in pairs:
        right = np.array([question.answered_by(e.citation()) for e in evidence])
        if right.any():
            rows = [[e.features[k] for k in ev.SENTENCE_FEATURES] for e in evidence]
            groups.append((np.array(rows), right))
    w = fit_ranking(groups, penalty=0.3)
    return {"intercept": 0.0} | {
        k: round(float(v), 4) for k, v in zip(ev.SENTENCE_FEATURES, w, strict=True)
    }


def answer_row(
    index: Index, model: Model, question: Item, evidence: list[ev.Evidence]
) -> tuple[list[float], bool]:
    """Return the features of the best sentence, and whether the question has an answer."""
    scored = [ev.rescored(e, model) for e in evidence]
    scored.sort(key=lambda e: -e.score)
    parsed = parse(question.question)
    features = ev.answer_features(parsed, rarity(index.lexical, parsed.stems), scored)
    return [features[k] for k in ev.ANSWER_FEATURES], bool(question.gold)


def stack(rows: Sequence[tuple[list[float], bool]]) -> tuple[Matrix, NDArray[np.bool_]]:
    """Return features (questions, features) and labels (questions,)."""
    return np.array([x for x, _ in rows]), np.array([y for _, y in rows])


def fit_answers(x: Matrix, y: NDArray[np.bool_]) -> Model:
    """Return a logistic regression over raw features, classes weighted evenly."""
    mean, scale = x.mean(0), x.std(0) + 1e-9
    fitted = LogisticRegression(C=0.05, class_weight="balanced").fit((x - mean) / scale, y)
    weights = fitted.coef_[0] / scale
    intercept = float(fitted.intercept_[0] - weights @ mean)
    return {"intercept": round(intercept, 4)} | {
        k: round(float(v), 4) for k, v in zip(ev.ANSWER_FEATURES, weights, strict=True)
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
