"""Fit the comparison of `rag/checking/comparison.py` and write what it reaches on pairs left out.

    python -m bench.comparison [--ablate]

A logistic model over its features, fitted on `../shared/data/press/support.jsonl` with what the check
of a model's sentence shows for each passage, and on each statement with a passage of another article
and another one of its own, which it does not follow from. The network itself saw none of these pairs. No exact
signal may count in favour and the network's belief never against: a set whose false sentences stay
close to their passages would else teach that closeness is a fault. Measures are those of pairs left
out of the fit, in five folds that keep articles whole, drawn five times; their 95 % intervals are of
2,000 draws of articles. `--ablate` tells what the network and the exact signals give alone. Writes
`rag/checking/comparison.json`.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from bench.golden import ROOT, SHARED
from rag.checking.addressing import Addressing
from rag.checking.comparison import EXACT, FEATURES, FOLLOWS, NET, described
from rag.checking.support import SupportCheck
from rag.evaluation.support_scores import Pair, read_support
from rag.models.comparer import Comparer
from rag.models.encoder import Encoder

OUT = ROOT / "rag" / "checking" / "comparison.json"
PRESS = SHARED / "press" / "support.jsonl"
REGULARISATION = 0.2  # of standardised features; 0.1 to 1 give the same to 0.01
STRANGE = 0.3
FOLDS, DRAWS, RESAMPLED = 5, 5, 2000
FOR, AGAINST = (0.0, None), (None, 0.0)  # bounds of a weight
SIGNS = {"net_follows": FOR} | dict.fromkeys(EXACT, AGAINST)

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]


def main() -> None:
    """Fit, measure, write."""
    parser = argparse.ArgumentParser(description="Fit the comparison")
    parser.add_argument("--ablate", action="store_true")
    options = parser.parse_args()
    pairs = read_support(PRESS)
    articles = [json.loads(line)["article_id"] for line in PRESS.read_text("utf-8").splitlines()]
    shown = [*pairs, *strangers(pairs, articles)]
    rows, verbatim = matrix(shown)
    truth = np.array([p.supported for p in shown])
    strange = np.array([p.kind == "strange" for p in shown])
    groups = [*articles, *articles, *articles]
    found = crossed(rows, truth, strange, groups, FEATURES, verbatim)
    found, others = found[: len(pairs)], found[len(pairs) :]
    measured = measures(pairs, truth[: len(pairs)], found, articles)
    measured["strange refused"] = round(float((others < FOLLOWS).mean()), 3)
    made = {
        "about": "bench/comparison.py; weights of rag/checking/comparison.py features, log-odds",
        "measured, left out of the fit": measured,
        "weights": fitted(rows[~verbatim], truth[~verbatim], strange[~verbatim], FEATURES),
    }
    OUT.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(made, indent=1, ensure_ascii=False))
    if options.ablate:
        for title, names in {"the network": NET, "exact signals": EXACT}.items():
            kept = [FEATURES.index(name) for name in names]
            alone = crossed(rows[:, kept], truth, strange, groups, names, verbatim)[: len(pairs)]
            told = measures(pairs, truth[: len(pairs)], alone, articles)
            print(title, json.dumps(told, ensure_ascii=False))


def strangers(pairs: Sequence[Pair], articles: Sequence[str]) -> list[Pair]:
    """Return each statement with a passage of another article, then with another of its own."""
    draw, made = random.Random(16), []
    for own in (False, True):
        for pair, article in zip(pairs, articles, strict=True):
            others = [
                p.passage
                for p, a in zip(pairs, articles, strict=True)
                if (a == article) == own and p.passage != pair.passage
            ]
            passage = draw.choice(others or [p.passage for p in pairs if p.passage != pair.passage])
            made.append(Pair(passage, pair.statement, supported=False, kind="strange"))
    return made


def matrix(pairs: Sequence[Pair]) -> tuple[Matrix, Flags]:
    """Return the features of each pair, in the order of FEATURES, and which are verbatim."""
    comparer, rows = Comparer(), []
    support = SupportCheck(comparer, Addressing(Encoder()))
    for pair in pairs:
        _, quotes = support.quoted(pair.statement, [pair.hit()])
        shown, label = support.evidence(quotes)
        found = described(pair.statement, shown, comparer, label=label)
        rows.append([found[0][name] for name in FEATURES] if found else None)
    verbatim = np.array([row is None for row in rows])
    return np.array([row or [0.0] * len(FEATURES) for row in rows]), verbatim


def crossed(
    rows: Matrix,
    truth: Flags,
    strange: Flags,
    groups: Sequence[str],
    names: Sequence[str],
    verbatim: Flags,
) -> Matrix:
    """Return the probability of each pair by models that did not see its article."""
    found = np.zeros(len(truth))
    for draw in range(DRAWS):
        folds = GroupKFold(FOLDS, shuffle=True, random_state=draw)
        for seen, left in folds.split(rows, groups=groups):
            kept = seen[~verbatim[seen]]
            model = fitted(rows[kept], truth[kept], strange[kept], names)
            slopes = np.array([model[name] for name in names])
            found[left] += 1 / (1 + np.exp(-(rows[left] @ slopes + model["intercept"]))) / DRAWS
    found[verbatim] = 1.0
    return found


def fitted(rows: Matrix, truth: Flags, strange: Flags, names: Sequence[str]) -> dict[str, float]:
    """Return the weights of a logistic model whose weights keep their signs.

    True pairs weigh as much as false ones, of which `strange` ones weigh STRANGE in all.
    """
    spread = rows.std(axis=0) + 1e-9
    standard = rows / spread
    signed = np.where(truth, 1.0, -1.0)
    kinds = (truth, 0.5), (~truth & ~strange, 0.5 * (1 - STRANGE)), (strange, 0.5 * STRANGE)
    weight = sum(kind * share / max(kind.mean(), 1e-9) for kind, share in kinds)

    def loss(model: Matrix) -> tuple[float, Matrix]:
        margins = signed * (standard @ model[1:] + model[0])
        pull = -weight * signed / (1 + np.exp(margins))
        slopes = model[1:]
        value = weight @ np.logaddexp(0, -margins) + slopes @ slopes / (2 * REGULARISATION)
        return float(value), np.append(pull.sum(), standard.T @ pull + slopes / REGULARISATION)

    bounds = [(None, None), *(SIGNS[name] for name in names)]
    best = minimize(loss, np.zeros(len(names) + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    named = zip(names, best[1:] / spread, strict=True)
    return {"intercept": round(float(best[0]), 4)} | {n: round(float(w), 4) for n, w in named}


def measures(
    pairs: Sequence[Pair], truth: Flags, found: Matrix, articles: Sequence[str]
) -> dict[str, object]:
    """Return what probabilities reach: does each say what the pair's label says."""
    right = (found >= FOLLOWS) == truth
    kinds: dict[str, list[bool]] = defaultdict(list)
    for pair, fine in zip(pairs, right, strict=True):
        kinds[f"{'true' if pair.supported else 'false'}, {pair.kind}"].append(bool(fine))

    def balanced(of: NDArray[np.int64]) -> float:
        return float(right[of][truth[of]].mean() + right[of][~truth[of]].mean()) / 2

    return {
        "AUC": round(float(roc_auc_score(truth, found)), 3),
        "balanced accuracy": round(balanced(np.arange(len(truth))), 3),
        "its 95 % interval": interval(balanced, articles),
        "kept": round(float(right[truth].mean()), 3),
        "caught": round(float(right[~truth].mean()), 3),
        "by kind": {kind: round(float(np.mean(v)), 2) for kind, v in sorted(kinds.items())},
    }


def interval(
    measure: Callable[[NDArray[np.int64]], float], articles: Sequence[str]
) -> tuple[float, float]:
    """Return the 95 % interval of a measure of rows over draws of whole articles."""
    draw = np.random.default_rng(16)
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, article in enumerate(articles):
        rows_of[article].append(row)
    groups = list(rows_of.values())
    drawn = [
        measure(np.concatenate([groups[i] for i in draw.integers(len(groups), size=len(groups))]))
        for _ in range(RESAMPLED)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return round(float(low), 3), round(float(high), 3)


if __name__ == "__main__":
    main()
