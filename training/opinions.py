"""Fits what tells a sentence that states a fact from one that articles cannot settle.

    python -m training.opinions

`training/opinions.jsonl` holds sentences written for it: opinions, judgements, advice, orders,
wishes, prophecies, feelings, exclamations, maxims and personal matters on what the press speaks
of, and facts of the same kinds of subjects, many in words of praise or blame that somebody else
says. Beside them stand claims of the passages written for training: « X a félicité Y » is a fact
too. A logistic model reads the vector that the default encoder makes of a sentence. Its threshold
lets one in 100 of these, and of the harder facts, be set aside by five folds: a fact that is not
checked is worse than an opinion that is. Writes `rag/checking/opinions.json`.

Claims by another author, « Non vérifiable » among them, measure what it reaches:
`recoupe eval verify`.
"""

from __future__ import annotations

import json
import logging
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from rag.models.encoder import Encoder
from training.prompt_injection import save
from training.written_examples import MORE, passages

WRITTEN = Path("training/opinions.jsonl")
OUT = Path("rag/checking/opinions.json")
SEED = 20
CLAIMS = 1000  # of the written passages, half of them short
SHORT = 9  # words
STRENGTHS = (1.0, 10.0, 50.0)  # inverse of the regularisation: the best by five folds is taken
SET_ASIDE = 0.01  # share of the claims, and of the harder facts, that may be taken for opinions
log = logging.getLogger("training")


def main() -> None:
    """Fit, tell, write."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    encoder = Encoder()
    rows = [json.loads(line) for line in WRITTEN.read_text(encoding="utf-8").splitlines()]
    rows += claims()
    opinion = np.array([not row["checkable"] for row in rows])
    claimed = np.array([row["kind"] == "claim" for row in rows])
    vectors = np.array(encoder.embed_passages([row["text"] for row in rows]))
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    best, said, model = 0.0, np.zeros(len(rows)), None
    for strength in STRENGTHS:
        tried = LogisticRegression(C=strength, class_weight="balanced", max_iter=3000)
        found = cross_val_predict(tried, vectors, opinion, cv=folds, method="decision_function")
        area = float(roc_auc_score(opinion, found))
        log.info("C=%g: AUC %.3f", strength, area)
        if area > best:
            best, said, model = area, found, tried
    assert model is not None
    hard = ~claimed & ~opinion
    threshold = max(
        float(np.quantile(said[claimed], 1 - SET_ASIDE)),
        float(np.quantile(said[hard], 1 - SET_ASIDE)),
    )
    model.fit(vectors, opinion)
    told = Counter(r["kind"] for r, s in zip(rows, said, strict=True) if s > threshold)
    for kind, count in Counter(row["kind"] for row in rows).items():
        log.info("%s: %d of %d set aside", kind, told[kind], count)
    log.info("found %.3f of the opinions", (said[opinion] > threshold).mean())
    save(OUT, "training/opinions.py", model, threshold, encoder)


def claims() -> list[dict[str, Any]]:
    """Return claims of written passages as facts, drawn at random."""
    drawn = [c["claim"] for row in passages(MORE, measuring=False) for c in row["claims"]]
    chance = random.Random(SEED)  # noqa: S311
    short = [text for text in drawn if len(text.split()) <= SHORT]
    some = chance.sample(short, CLAIMS // 2) + chance.sample(drawn, CLAIMS // 2)
    return [{"text": text, "kind": "claim", "checkable": True} for text in some]


if __name__ == "__main__":
    main()
