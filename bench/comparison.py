"""Fit the comparison of `rag/checking/comparison.py` and write what it reaches on pairs left out.

    python -m bench.comparison [--ablate]

A logistic model over its features, fitted on `../shared/data/press/support.jsonl` with what the check
of a model's sentence shows for each passage. The network itself saw none of these pairs. Measures are
those of pairs left out of the fit, in five folds that keep articles whole, drawn three times;
`--ablate` tells what the network and the exact signals give alone. Writes
`rag/checking/comparison.json`.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from bench.golden import ROOT, SHARED
from rag.checking.comparison import EXACT, FEATURES, described
from rag.checking.support import FOLLOWS, quoted, shown
from rag.evaluation.support_scores import Pair, read_support
from rag.models.comparer import Comparer
from rag.models.loading import load_embedder
from rag.models.scale import CosineScale
from rag.settings import load_settings

OUT = ROOT / "rag" / "checking" / "comparison.json"
PRESS = SHARED / "press" / "support.jsonl"
REGULARISATION = 0.1
FOLDS, DRAWS = 5, 3

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]


def main() -> None:
    """Fit, measure, write."""
    parser = argparse.ArgumentParser(description="Fit the comparison")
    parser.add_argument("--ablate", action="store_true")
    options = parser.parse_args()
    pairs = read_support(PRESS)
    articles = [json.loads(line)["article_id"] for line in PRESS.read_text("utf-8").splitlines()]
    rows, truth = matrix(pairs), np.array([p.supported for p in pairs])
    measured = measures(pairs, truth, crossed(rows, truth, articles))
    made = {
        "about": "bench/comparison.py; weights of rag/checking/comparison.py features, log-odds",
        "measured, left out of the fit": measured,
        "weights": fitted(rows, truth),
    }
    OUT.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(measured, indent=1, ensure_ascii=False))
    if options.ablate:
        net = [FEATURES.index(name) for name in ("net_follows", "net_against")]
        exact = [FEATURES.index(name) for name in EXACT]
        for name, kept in {"the network": net, "exact signals": exact}.items():
            found = measures(pairs, truth, crossed(rows[:, kept], truth, articles))
            print(name, {k: found[k] for k in ("AUC", "balanced accuracy", "kept", "caught")})


def matrix(pairs: Sequence[Pair]) -> Matrix:
    """Return the features of each pair, in the order of FEATURES."""
    embedder, comparer = load_embedder(load_settings()), Comparer()
    scale = CosineScale(embedder)
    rows = []
    for pair in pairs:
        _, quotes = quoted(pair.statement, [pair.hit()])
        seen = shown(pair.statement, quotes, embedder, scale)
        ((features, _),) = described(pair.statement, [seen], comparer)
        rows.append([features[name] for name in FEATURES])
    return np.array(rows)


def crossed(rows: Matrix, truth: Flags, groups: Sequence[str]) -> Matrix:
    """Return the probability of each pair by models that did not see its article."""
    found = np.zeros(len(truth))
    for draw in range(DRAWS):
        for kept, left in GroupKFold(FOLDS, shuffle=True, random_state=draw).split(
            rows, groups=groups
        ):
            model = _pipeline().fit(rows[kept], truth[kept])
            found[left] += model.predict_proba(rows[left])[:, 1] / DRAWS
    return found


def _pipeline() -> LogisticRegression:
    return make_pipeline(
        StandardScaler(),
        LogisticRegression(C=REGULARISATION, class_weight="balanced", max_iter=5000),
    )


def fitted(rows: Matrix, truth: Flags) -> dict[str, float]:
    """Return the weights of a fit on all pairs."""
    pipeline = _pipeline().fit(rows, truth)
    scaler, model = pipeline[0], pipeline[1]
    slopes = model.coef_[0] / scaler.scale_
    intercept = float(model.intercept_[0] - slopes @ scaler.mean_)
    named = {f: round(float(w), 4) for f, w in zip(FEATURES, slopes, strict=True)}
    return {"intercept": round(intercept, 4)} | named


def measures(pairs: Sequence[Pair], truth: Flags, found: Matrix) -> dict[str, object]:
    """Return what probabilities reach: does each say what the pair's label says."""
    right = (found >= FOLLOWS) == truth
    kinds: dict[str, list[bool]] = defaultdict(list)
    for pair, fine in zip(pairs, right, strict=True):
        kinds[f"{'true' if pair.supported else 'false'}, {pair.kind}"].append(bool(fine))
    return {
        "AUC": round(float(roc_auc_score(truth, found)), 3),
        "balanced accuracy": round(float(right[truth].mean() + right[~truth].mean()) / 2, 3),
        "kept": round(float(right[truth].mean()), 3),
        "caught": round(float(right[~truth].mean()), 3),
        "by kind": {kind: round(float(np.mean(v)), 2) for kind, v in sorted(kinds.items())},
    }


if __name__ == "__main__":
    main()
