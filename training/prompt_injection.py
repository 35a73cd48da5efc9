"""Fits what tells a sentence that speaks to a machine from one that speaks to readers.

    python -m training.prompt_injection ../shared/data

`training/prompt_injections.jsonl` holds sentences written for it: attacks that hide in an article
to steer the program that reads it, and ordinary press, half of which looks like them (quoted
orders, advice, laws, notes to readers, news about chatbots). Sentences of an encyclopedia are
ordinary ones too. A logistic model reads the vector that the default encoder makes of a sentence.
Its threshold lets at most one of 1,000 of the encyclopedia's sentences be taken for an attack,
and one in 20 of those that look like attacks, by five folds. Writes
`rag/checking/prompt_injection.json`.

A second model, `injection.npz` beside the encoder, tells it at ingestion from the states that a
sentence's vector is read from, in its passage, so that nothing is embedded for it later. Each
sentence is put into two written passages of press; the others of those passages are ordinary too.

`tests/injections_unseen.jsonl`, by another author who saw neither, measures what it reaches.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.french.sentences import sentence_spans
from rag.models.embedding import PassageText
from rag.models.encoder import Encoder
from training.weights import SHIPPED

WRITTEN = Path("training/prompt_injections.jsonl")
UNSEEN = Path("tests/injections_unseen.jsonl")
OUT = Path("rag/checking/prompt_injection.json")
HEAD = SHIPPED / "injection.npz"
HEAD_STRENGTH = 0.01  # inverse of the regularisation: the best of 0.0001 to 0.1 by five folds
AROUND = 4  # sentences of the passage into which one is put
SEED = 20
SENTENCES = 2000  # of the encyclopedia
STRENGTH = 50.0  # inverse of the regularisation: the best of 1, 10 and 50 by five folds
ORDINARY, ALIKE = 0.001, 0.05  # shares that may be taken for attacks
log = logging.getLogger("training")


def written(path: Path) -> tuple[list[str], list[bool]]:
    """Return the sentences of a file, and which are attacks."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row["text"] for row in rows], [bool(row["attack"]) for row in rows]


def encyclopedia(shared: Path, count: int) -> list[str]:
    """Return sentences of PIAF's paragraphs, drawn at random."""
    data = json.loads((shared / "piaf_v1.1.json").read_text(encoding="utf-8"))["data"]
    contexts = [p["context"] for article in data for p in article["paragraphs"]]
    found = [c[a:b] for c in contexts for a, b in sentence_spans(c) if b - a > 20]
    return random.Random(SEED).sample(found, count)  # noqa: S311


def in_press(
    encoder: Encoder, shared: Path, sentences: Sequence[str], seed: int
) -> tuple[Any, Any]:
    """Return what `Encoder.described` says of sentences within press, and of a neighbour of each.

    Both are float32, of shape (n, described numbers).
    """
    lines = (shared / "written" / "passages.jsonl").read_text(encoding="utf-8").splitlines()
    press = [p for p in map(json.loads, lines) if int(p["id"].split("-")[1]) % 10]
    rng = random.Random(seed)  # noqa: S311
    texts, places = [], []
    for sentence in sentences:
        passage = rng.choice(press)
        around = [s["text"] for s in passage["sentences"]][:AROUND]
        places.append(at := rng.randrange(len(around) + 1))
        around.insert(at, sentence)
        text, spans = passage["title"] + "\n", []
        for each in around:
            spans.append((len(text), len(text) + len(each)))
            text += each + " "
        texts.append(PassageText(text, tuple(spans), passage["title"]))
    found = dict(encoder.described(texts))
    own = np.array([found[n][1][at] for n, at in enumerate(places)])
    return own, np.concatenate([np.delete(found[n][1], at, 0)[:1] for n, at in enumerate(places)])


def fit_head(encoder: Encoder, shared: Path, texts: Sequence[str], plain: Sequence[str]) -> None:
    """Fit and write what tells attacks at ingestion; its threshold is that of the first model."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    _, attacks = written(WRITTEN)
    one, near = in_press(encoder, shared, texts, SEED)
    two, nearer = in_press(encoder, shared, texts, SEED + 1)
    ordinary, _ = in_press(encoder, shared, plain, SEED)
    rest = np.concatenate([near, nearer, ordinary])
    vectors = np.concatenate([one, two, rest])
    true = np.array([*attacks, *attacks, *[False] * len(rest)])
    groups = [*range(len(texts)), *range(len(texts)), *range(len(texts), len(texts) + len(rest))]
    logistic = LogisticRegression(C=HEAD_STRENGTH, class_weight="balanced", max_iter=2000)
    model = make_pipeline(StandardScaler(), logistic)
    folds = GroupKFold(5, shuffle=True, random_state=SEED)
    said = cross_val_predict(
        model, vectors, true, cv=folds, groups=groups, method="decision_function"
    )
    count = 2 * len(texts)
    alike = said[:count][~true[:count]]
    threshold = float(max(np.quantile(said[count:], 1 - ORDINARY), np.quantile(alike, 1 - ALIKE)))
    model.fit(vectors, true)
    log.info(
        "at ingestion: attacks found %.3f, taken for attacks: alike %.3f, press %.4f",
        (said[true] >= threshold).mean(), (alike >= threshold).mean(),
        (said[count:] >= threshold).mean(),
    )  # fmt: skip
    if UNSEEN.exists():
        texts, attacks = written(UNSEEN)
        own, _ = in_press(encoder, shared, texts, SEED)
        found, unseen = model.decision_function(own) >= threshold, np.array(attacks)
        log.info(
            "by another author: attacks found %d of %d, taken for attacks %d of %d",
            found[unseen].sum(), unseen.sum(), found[~unseen].sum(), (~unseen).sum(),
        )  # fmt: skip
    scaler = model.named_steps["standardscaler"]
    slopes = logistic.coef_[0] / scaler.scale_
    intercept = float(logistic.intercept_[0] - slopes @ scaler.mean_ - threshold)
    np.savez(HEAD, slopes=slopes.astype(np.float32), intercept=np.float32(intercept))


def save(out: Path, by: str, model: Any, threshold: float, encoder: Encoder) -> None:
    """Write a fitted linear model, its threshold in its intercept, for `LinearClassifier`."""
    made = {
        "about": f"{by}; log-odds of a sentence's vector of the encoder",
        "encoder": encoder.name,
        "intercept": round(float(model.intercept_[0]) - threshold, 4),
        "weights": [round(float(w), 4) for w in model.coef_[0]],
    }
    out.write_text(json.dumps(made) + "\n", encoding="utf-8")


def main() -> None:
    """Fit, tell, write."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    parser = argparse.ArgumentParser(description="Fit what tells whom a sentence speaks to")
    parser.add_argument("shared", type=Path)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    encoder = Encoder()
    texts, attacks = written(WRITTEN)
    plain = encyclopedia(options.shared, SENTENCES)
    vectors = np.array(encoder.embed_passages([*texts, *plain]))
    true = np.array([*attacks, *[False] * len(plain)])
    alike = np.array([*(not a for a in attacks), *[False] * len(plain)])
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=3000)
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    said = cross_val_predict(model, vectors, true, cv=folds, method="decision_function")
    threshold = float(
        max(
            np.quantile(said[len(texts) :], 1 - ORDINARY),
            np.quantile(said[alike], 1 - ALIKE),
        )
    )
    model.fit(vectors, true)
    log.info(
        "left out of the fit: AUC against those that look alike %.3f; at %.2f, attacks found %.3f, "
        "taken for attacks: alike %.3f, encyclopedia %.4f",
        roc_auc_score(true[: len(texts)], said[: len(texts)]), threshold,
        (said[true] >= threshold).mean(), (said[alike] >= threshold).mean(),
        (said[len(texts) :] >= threshold).mean(),
    )  # fmt: skip
    if UNSEEN.exists():
        texts, attacks = written(UNSEEN)
        found = model.decision_function(np.array(encoder.embed_passages(texts)))
        unseen = np.array(attacks)
        log.info(
            "by another author: AUC %.3f, attacks found %.3f, taken for attacks %.3f",
            roc_auc_score(unseen, found),
            (found[unseen] >= threshold).mean(), (found[~unseen] >= threshold).mean(),
        )  # fmt: skip
    save(OUT, "training/prompt_injection.py", model, threshold, encoder)
    texts, _ = written(WRITTEN)
    fit_head(encoder, options.shared, texts, plain)


if __name__ == "__main__":
    main()
