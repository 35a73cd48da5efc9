"""Fit the comparison of `rag/checking/compare.py` and write what it reaches on pairs left out.

    python -m bench.compare [--network FOLDER] [--ablate]

Two logistic models over its features, « follows » and « contradicts ». Pairs: `press/support.jsonl`
with what the check of a model's sentence shows for each passage, and each statement with a passage
of another article and another one of its own; the claims of the written passages that the network
was not trained on, with the sentences that decide, and with a sentence of another passage of most
words in common, as a search finds it. A press pair counts for « follows » alone, for
nothing tells there what is contradicted. Shared words count for « contradicts » alone. No signal
may count in favour, and the network's belief never against: a set whose false sentences stay close to their passages would else teach that
closeness is a fault. Measures are those of pairs left out of the fit, in five folds that keep
articles and passages whole, drawn three times; 95 % intervals are of 2,000 draws of articles.
`--ablate` tells what the network and the signals give alone, and what each signal gives. Writes
`rag/checking/compare.json`.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from bench.golden import ROOT, SHARED
from rag.checking.compare import (
    FEATURES,
    FOLLOWS,
    NETWORK,
    OVERLAP,
    is_verbatim,
    pair_features,
    paired,
)
from rag.checking.prompt_injection import InjectionDetector
from rag.checking.signals import REGISTRY
from rag.checking.support import SupportCheck
from rag.domain import Side
from rag.evaluation.support_scores import Pair as Support
from rag.evaluation.support_scores import read_support
from rag.models.comparer import Comparer
from rag.models.encoder import Encoder
from training.written_examples import LABELS, Written

OUT = ROOT / "rag" / "checking" / "compare.json"
PRESS = SHARED / "press" / "support.jsonl"
WRITTEN = SHARED / "written" / "passages.jsonl"
REGULARISATION = 0.2  # of standardised features; 0.1 to 1 give the same to 0.01
# Share of the false pairs' weight that passages from elsewhere have: of most sentences that are
# retrieved for a claim nothing is contradicted.
STRANGE = {"follows": 0.15, "contradicts": 0.5}
PRESS_SHARE = 0.5  # of the weight of all pairs
FOLDS, DRAWS, RESAMPLED = 5, 3, 2000
UP, DOWN, NOTHING = (0.0, None), (None, 0.0), (0.0, 0.0)  # bounds of a weight

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Row:
    """A pair described: its features, whether it follows and is contradicted, where it is from."""

    features: tuple[float, ...] | None  # None: word for word
    follows: bool
    contradicted: bool | None  # None: not told
    kind: str
    group: str
    set: str
    sides: tuple[str, ...] = ()


def main() -> None:
    """Fit, measure, write."""
    parser = argparse.ArgumentParser(description="Fit the comparison")
    parser.add_argument("--network", type=Path, help="folder of another network")
    parser.add_argument("--ablate", action="store_true")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    network = Comparer(options.network) if options.network else Comparer()
    rows = [*press(network), *written(network)]
    made = {
        "about": "bench/compare.py; weights of rag/checking/compare.py features, log-odds",
        "measured, left out of the fit": measured(rows, FEATURES),
        "weights": {side: fitted(rows, side, FEATURES) for side in ("follows", "contradicts")},
    }
    options.out.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(made, indent=1, ensure_ascii=False))
    if options.ablate:
        kept = {"the network": NETWORK, "the signals": tuple(REGISTRY)}
        kept |= {f"without {n}": tuple(f for f in FEATURES if f != n) for n in REGISTRY}
        for title, names in kept.items():
            told = measured(rows, names)
            print(title, {k: (v["AUC"], v["balanced accuracy"]) for k, v in told.items()})


def press(network: Comparer) -> list[Row]:
    """Return the pairs of press, and their statements with passages that do not say them."""
    pairs = read_support(PRESS)
    articles = [json.loads(line)["article_id"] for line in PRESS.read_text("utf-8").splitlines()]
    draw = random.Random(16)
    named = list(zip(pairs, articles, strict=True))
    for own in (False, True):
        for pair, article in zip(pairs, articles, strict=True):
            others = [p.passage for p, a in named[: len(pairs)]
                      if (a == article) == own and p.passage != pair.passage]  # fmt: skip
            passage = draw.choice(others or [p.passage for p in pairs if p.passage != pair.passage])
            named.append((Support(passage, pair.statement, supported=False, kind="strange"),
                          article))  # fmt: skip
    support = SupportCheck(network, InjectionDetector(Encoder()))
    found = []
    for pair, article in named:
        _, quotes = support.quoted(pair.statement, [pair.hit()])
        shown, label = support.evidence(quotes)
        found.append(_row(network, pair.statement, shown, label, pair.supported, None,
                          (pair.kind, article, "press")))  # fmt: skip
    return found


def written(network: Comparer) -> list[Row]:
    """Return the claims of written passages that no training saw, with what decides, and without."""
    kept = Written(WRITTEN, measuring=True)
    found = []
    draw = random.Random(16)
    for claim, pair in zip(kept.claims, kept.plain(), strict=True):
        follows, _, contradicted = LABELS[claim.label]
        group = kept.passages[claim.passage]["id"]
        found.append(_row(network, pair.said, pair.shown, "", follows, contradicted,
                          (claim.kind, group, "written")))  # fmt: skip
        other = kept.elsewhere(draw, claim)
        found.append(_row(network, other.said, other.shown, "", False, False,
                          ("strange", group, "written")))  # fmt: skip
    return found


def _row(
    network: Comparer,
    said: str,
    shown: str,
    label: str,
    follows: bool,
    contradicted: bool | None,
    where: tuple[str, str, str],
) -> Row:
    pair = paired(said, shown, label)
    if is_verbatim(pair.hypothesis, pair.premise):
        return Row(None, follows, contradicted, *where)
    features, signals = pair_features(pair, network)
    sides = tuple(name for name, s in signals.items() if s.side == Side.AGAINST)
    return Row(tuple(features[n] for n in FEATURES), follows, contradicted, *where, sides)


def fitted(rows: Sequence[Row], side: str, names: Sequence[str]) -> dict[str, float]:
    """Return the weights of a logistic model whose weights keep their signs.

    True pairs weigh as much as false ones, press as `PRESS_SHARE` of all.
    """
    kept = [r for r in rows if r.features and (side == "follows" or r.contradicted is not None)]
    columns = [FEATURES.index(n) for n in names]
    matrix = np.array([r.features for r in kept])[:, columns]
    truth = np.array([r.follows if side == "follows" else bool(r.contradicted) for r in kept])
    spread = matrix.std(axis=0) + 1e-9
    standard = matrix / spread
    signed = np.where(truth, 1.0, -1.0)
    weight = _weights(kept, truth, STRANGE[side])

    def loss(model: Matrix) -> tuple[float, Matrix]:
        margins = signed * (standard @ model[1:] + model[0])
        pull = -weight * signed / (1 + np.exp(margins))
        slopes = model[1:]
        value = weight @ np.logaddexp(0, -margins) + slopes @ slopes / (2 * REGULARISATION)
        return float(value), np.append(pull.sum(), standard.T @ pull + slopes / REGULARISATION)

    bounds = [(None, None), *(_bounds(name, side, kept) for name in names)]
    best = minimize(loss, np.zeros(len(names) + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    slopes = dict.fromkeys(FEATURES, 0.0) | {
        n: round(float(w), 4) for n, w in zip(names, best[1:] / spread, strict=True)
    }
    return {"intercept": round(float(best[0]), 4)} | slopes


def _weights(rows: Sequence[Row], truth: Flags, share_of_strange: float) -> Matrix:
    strange = np.array([r.kind == "strange" for r in rows])
    weight = np.zeros(len(rows))
    sets = sorted({r.set for r in rows})
    for name in sets:
        of = np.array([r.set == name for r in rows])
        share = 1.0 if len(sets) == 1 else PRESS_SHARE if name == "press" else 1 - PRESS_SHARE
        lone = strange[of].any()
        for kind, part in (
            (of & truth, 0.5),
            (of & ~truth & ~strange, 0.5 * (1 - share_of_strange if lone else 1.0)),
            (of & ~truth & strange, 0.5 * share_of_strange),
        ):
            weight[kind] = share * part * len(rows) / max(kind.sum(), 1)
    return weight


def _bounds(name: str, side: str, rows: Sequence[Row]) -> tuple[float | None, float | None]:
    if name in NETWORK:
        return UP if name == f"net_{side}" else DOWN
    if name == OVERLAP:
        return UP if side == "contradicts" else NOTHING
    if side == "follows":
        return DOWN
    return UP if any(name in r.sides for r in rows) else DOWN


def crossed(rows: Sequence[Row], side: str, names: Sequence[str]) -> Matrix:
    """Return the probability of each pair by models that did not see its article or passage."""
    found = np.zeros(len(rows))
    groups = [r.group for r in rows]
    matrix = np.array([r.features or [0.0] * len(FEATURES) for r in rows])
    for draw in range(DRAWS):
        folds = GroupKFold(FOLDS, shuffle=True, random_state=draw)
        for seen, left in folds.split(matrix, groups=groups):
            model = fitted([rows[i] for i in seen], side, names)
            slopes = np.array([model[name] for name in FEATURES])
            found[left] += 1 / (1 + np.exp(-(matrix[left] @ slopes + model["intercept"]))) / DRAWS
    found[[r.features is None for r in rows]] = 1.0 if side == "follows" else 0.0
    return found


def measured(rows: Sequence[Row], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what probabilities reach on pairs left out: does each say what its label says."""
    follows, against = (crossed(rows, side, names) for side in ("follows", "contradicts"))
    truth = np.array([r.follows for r in rows])
    of = {name: [i for i, r in enumerate(rows) if r.set == name and r.kind != "strange"]
          for name in ("press", "written")}  # fmt: skip
    told = {name: _told(rows, truth, follows, at) for name, at in of.items()}
    at = of["written"]
    three = np.where(
        (follows[at] >= FOLLOWS) & (follows[at] >= against[at]), 0,
        np.where(against[at] >= FOLLOWS, 2, 1),
    )  # fmt: skip
    right = [0 if rows[i].follows else 2 if rows[i].contradicted else 1 for i in at]
    told["written"]["three labels"] = round(float((three == right).mean()), 3)
    contradicted = np.array([bool(rows[i].contradicted) for i in at])
    told["written"]["AUC of contradicted"] = round(
        float(roc_auc_score(contradicted, against[at])), 3
    )
    every = [
        i
        for i, r in enumerate(rows)
        if r.set == "written" and (r.contradicted or r.kind == "strange")
    ]
    told["written"]["AUC of contradicted, beside what a search finds of other events"] = round(
        float(roc_auc_score([bool(rows[i].contradicted) for i in every], against[every])), 3
    )
    return told


def _told(rows: Sequence[Row], truth: Flags, found: Matrix, at: Sequence[int]) -> dict[str, Any]:
    truth, found = truth[at], found[at]
    right = (found >= FOLLOWS) == truth
    kinds: dict[str, list[bool]] = defaultdict(list)
    for i, fine in zip(at, right, strict=True):
        kinds[f"{'true' if rows[i].follows else 'false'}, {rows[i].kind}"].append(bool(fine))

    def balanced(of: NDArray[np.int64]) -> float:
        return float(right[of][truth[of]].mean() + right[of][~truth[of]].mean()) / 2

    return {
        "AUC": round(float(roc_auc_score(truth, found)), 3),
        "balanced accuracy": round(balanced(np.arange(len(truth))), 3),
        "its 95 % interval": interval(balanced, [rows[i].group for i in at]),
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
