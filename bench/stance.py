"""Fit the stance model of `rag/checking/stance.py` and write what it reaches.

    python -m bench.stance

Two logistic models over the features of `rag/checking/signals.py`: does the
sentence contradict the claim, and, when not, does it support it. Fitted on
shared sentence pairs (RTE3-FR, DACCORD) and on pairs made from the sample
corpus; figures are of five-fold cross-validation, articles kept whole.
Writes `rag/checking/stance.json`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bench.golden import ROOT, SHARED
from bench.stance_pairs import CONTRADICTS, NEITHER, SUPPORTS, Pair, generated
from rag.checking.said import Said
from rag.checking.signals import FEATURES, read
from rag.evaluation.stance_scores import read_pairs
from rag.models.embedding import Embedder
from rag.models.loading import load_embedder
from rag.settings import load_settings

OUT = ROOT / "rag" / "checking" / "stance.json"
REGULARISATION = 0.1
WEIGHTS = {"rte3": 1.0, "daccord": 1.0, "corpus": 0.5}
# The heads are fitted as if contradictions were as common as the rest; of sentences found for a
# claim they are rarer. Chosen among five values on RTE3-FR.
PRIOR = -1.0
COMPATIBLE = -1  # DACCORD says that a pair does not contradict, not which of the others it is
Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]


def main() -> None:
    """Fit, measure, write."""
    sets = {
        "rte3": [Pair(p, h, k) for p, h, k in read_pairs(SHARED / "rte3_fr_dev.tsv")],
        "daccord": [
            Pair(p, h, CONTRADICTS if k == CONTRADICTS else COMPATIBLE)
            for p, h, k in read_pairs(SHARED / "daccord_dev.tsv")
        ],
        "corpus": generated(ROOT / "corpus"),
    }
    embedder = load_embedder(load_settings())
    rows = {name: features(pairs, embedder) for name, pairs in sets.items()}
    labels = {name: np.array([p.stance for p in pairs]) for name, pairs in sets.items()}
    groups = {name: [p.context or str(i) for i, p in enumerate(sets[name])] for name in sets}
    measured = cross_validated(rows, labels, groups)
    contradiction, support = fitted(rows, labels)
    model = {
        "about": "bench/stance.py; weights of rag/checking/signals.py features, log-odds",
        "pairs": {name: len(pairs) for name, pairs in sets.items()},
        "measured": measured,
        "prior": PRIOR,
        "contradiction": contradiction,
        "support": support,
    }
    OUT.write_text(json.dumps(model, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(measured, indent=1))


def features(pairs: Sequence[Pair], embedder: Embedder) -> Matrix:
    """Return the features of each pair, in the order of FEATURES."""
    texts = sorted({t for p in pairs for t in (p.claim, p.evidence)}, key=len)
    vectors = dict(zip(texts, embedder.embed_passages(texts), strict=True))
    readings = [
        read(Said(p.claim), Said(p.evidence), float(vectors[p.claim] @ vectors[p.evidence]),
             title=Said(p.context.partition("\n")[0]), around=Said(p.context.partition("\n")[2]),
             written_on=p.written_on)
        for p in pairs
    ]  # fmt: skip
    return np.array([[r.features[f] for f in FEATURES] for r in readings])


def cross_validated(
    rows: dict[str, Matrix], labels: dict[str, Labels], groups: dict[str, list[str]]
) -> dict[str, dict[str, float]]:
    """Return accuracy, macro-F1 and precision of confident stances, each pair never fitted."""
    folds = {
        n: list(GroupKFold(5, shuffle=True, random_state=1).split(rows[n], groups=groups[n]))
        for n in rows
    }
    found = {n: np.zeros((len(labels[n]), 3)) for n in rows}
    for fold in range(5):
        kept = {n: folds[n][fold][0] for n in rows}
        heads = fitted({n: rows[n][kept[n]] for n in rows}, {n: labels[n][kept[n]] for n in rows})
        for n in rows:
            tested = folds[n][fold][1]
            found[n][tested] = probabilities(rows[n][tested], *heads)
    return {n: measures(found[n], labels[n], two=n == "daccord") for n in rows}


def measures(found: Matrix, labels: Labels, *, two: bool) -> dict[str, float]:
    """Return the measures of one set; `two` classes are contradiction or not, equally likely."""
    if two:
        odds = np.log(found[:, CONTRADICTS] / (1 - found[:, CONTRADICTS])) - PRIOR
        said, truth = odds > 0, labels == CONTRADICTS
    else:
        said, truth = found.argmax(axis=1), labels
    supported = found[:, SUPPORTS] >= 0.8
    right = labels == (COMPATIBLE if two else SUPPORTS)
    return {
        "accuracy": round(float(accuracy_score(truth, said)), 3),
        "macro_f1": round(float(f1_score(truth, said, average="macro")), 3),
        "support_precision_at_0.8": round(float(right[supported].mean()), 3),
        "support_said_at_0.8": int(supported.sum()),
    }


Head = dict[str, float]


def fitted(rows: dict[str, Matrix], labels: dict[str, Labels]) -> tuple[Head, Head]:
    """Return the heads for contradiction and for support, as weights by feature."""
    known = [n for n in rows if COMPATIBLE not in labels[n]]
    open_ = {n: labels[n] != CONTRADICTS for n in known}
    return (
        _head({n: rows[n] for n in rows}, {n: labels[n] == CONTRADICTS for n in rows}),
        _head(
            {n: rows[n][open_[n]] for n in known},
            {n: labels[n][open_[n]] == SUPPORTS for n in known},
        ),
    )


def _head(rows: dict[str, Matrix], truths: dict[str, NDArray[np.bool_]]) -> Head:
    weights = []
    for name, truth in truths.items():
        share = np.where(truth, truth.mean(), 1 - truth.mean())
        weights.append(WEIGHTS[name] * 0.5 / share)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=REGULARISATION, max_iter=5000))
    pipeline.fit(
        np.vstack(list(rows.values())),
        np.concatenate(list(truths.values())),
        logisticregression__sample_weight=np.concatenate(weights),
    )
    scaler, model = pipeline[0], pipeline[1]
    slopes = model.coef_[0] / scaler.scale_
    intercept = float(model.intercept_[0] - slopes @ scaler.mean_)
    named = {f: round(float(w), 4) for f, w in zip(FEATURES, slopes, strict=True)}
    return {"intercept": round(intercept, 4)} | named


def probabilities(rows: Matrix, contradiction: Head, support: Head) -> Matrix:
    """Return P(supports), P(neither), P(contradicts) of each row."""

    def head(weights: Head, shift: float) -> Matrix:
        odds = weights["intercept"] + rows @ np.array([weights[f] for f in FEATURES]) + shift
        return np.asarray(1 / (1 + np.exp(-odds)))

    against, held = head(contradiction, PRIOR), head(support, 0.0)
    made = np.zeros((len(rows), 3))
    made[:, SUPPORTS] = (1 - against) * held
    made[:, NEITHER] = (1 - against) * (1 - held)
    made[:, CONTRADICTS] = against
    return made


if __name__ == "__main__":
    main()
