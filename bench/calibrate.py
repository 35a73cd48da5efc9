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
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from bench.golden import ROOT, GoldenQuestion, corpus_index, load_golden
from rag.answering import evidence as ev
from rag.answering.question import parse
from rag.index import Index
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
        retriever = Retriever(index)
        sets = {name: load_golden(name) for name in ("calibration", "questions")}

        def gather(question: GoldenQuestion) -> list[ev.Evidence]:
            hits = retriever.search(question.question, PASSAGES)
            return ev.find_evidence(index, question.question, hits)[0]

        found = {name: [(q, gather(q)) for q in qs] for name, qs in sets.items()}
        sentence = fit_sentences(found["calibration"])
        # The answer model describes the sentence that the fitted ranking puts first.
        rows = {
            name: [answer_row(index, sentence, q, e) for q, e in pairs]
            for name, pairs in found.items()
        }
    x, y = stack(rows["calibration"])
    answer = fit_answers(x, y)
    crossed = np.zeros(len(y))
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(x, y):
        crossed[test] = predict(fit_answers(x[train], y[train]), x[test])
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


def fit_sentences(pairs: Sequence[tuple[GoldenQuestion, list[ev.Evidence]]]) -> Model:
    """Return weights that maximise the softmax probability of a right sentence (ListNet)."""
    groups = []
    for question, evidence in pairs:
        right = np.array(
            [question.hit_by(e.hit.passage.article_id, e.start, e.end) for e in evidence]
        )
        if right.any():
            rows = [[e.features[k] for k in ev.SENTENCE_FEATURES] for e in evidence]
            groups.append((np.array(rows), right))
    scale = np.vstack([x for x, _ in groups]).std(0) + 1e-9

    def loss(w: Matrix) -> tuple[float, Matrix]:
        total, gradient = 0.3 * float(w @ w), 0.6 * w
        for x, right in groups:
            z = (x / scale) @ w
            p = np.exp(z - z.max())
            p /= p.sum()
            mass = p[right].sum()
            total -= float(np.log(mass + 1e-12))
            gradient = gradient - (np.where(right, p, 0) / mass - p) @ (x / scale)
        return total, gradient

    w = minimize(loss, np.zeros(len(scale)), jac=True).x / scale
    return {"intercept": 0.0} | {
        k: round(float(v), 4) for k, v in zip(ev.SENTENCE_FEATURES, w, strict=True)
    }


def answer_row(
    index: Index, model: Model, question: GoldenQuestion, evidence: list[ev.Evidence]
) -> tuple[list[float], bool]:
    """Return the features of the best sentence, and whether the question has an answer."""
    scored = [ev.rescored(e, model) for e in evidence]
    scored.sort(key=lambda e: -e.score)
    parsed = parse(question.question)
    features = ev.answer_features(parsed, ev.idf(index, parsed.stems), scored)
    return [features[k] for k in ev.ANSWER_FEATURES], bool(question.answers)


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
