"""Fits what tells a sentence that speaks to a machine from one that speaks to readers.

    python -m training.addressing ../shared/data

`training/addressed.jsonl` holds sentences written for it: attacks that hide in an article to steer
the program that reads it, and ordinary press, half of which looks like them (quoted orders, advice,
laws, notes to readers, news about chatbots). Sentences of an encyclopedia are ordinary ones too. A
logistic model reads the vector that the default encoder makes of a sentence. Its threshold lets at
most one of 1,000 of the encyclopedia's sentences be taken for an attack, and one in 20 of those
that look like attacks, by five folds. Writes `rag/checking/addressing.json`.

A second model, `rag/checking/addressing_sieve.json`, reads the vector that the index keeps of a
sentence, made in its passage: it tells less, and which sentences need not be embedded to be told.
Each sentence is put into a written passage of press for it. Its threshold keeps 98 % of the attacks
that the first finds, by five folds.

`tests/injections_unseen.jsonl`, by another author who saw neither, measures what it reaches.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.french.sentences import sentence_spans
from rag.models.embedding import PassageText
from rag.models.encoder import Encoder
from rag.models.packing import pack, unpack

if TYPE_CHECKING:
    from rag.models.embedding import Vectors

WRITTEN = Path("training/addressed.jsonl")
UNSEEN = Path("tests/injections_unseen.jsonl")
OUT = Path("rag/checking/addressing.json")
SIEVE = Path("rag/checking/addressing_sieve.json")
SIEVE_STRENGTH, KEPT = 20.0, 0.98  # of the sieve, and the share of found attacks that it keeps
AROUND = 6  # sentences of the passage into which one is put
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


def in_press(encoder: Encoder, shared: Path, sentences: Sequence[str]) -> tuple[Vectors, Vectors]:
    """Return the vectors of sentences as an index keeps them, and of two neighbours of each.

    Both are float32, of shape (n, dimension), norm 1.
    """
    lines = (shared / "written" / "passages.jsonl").read_text(encoding="utf-8").splitlines()
    press = [p for p in map(json.loads, lines) if int(p["id"].split("-")[1]) % 10]
    rng = random.Random(SEED)  # noqa: S311
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
    _, parts = encoder.embed_sentences(texts)
    kept = [unpack(pack(part)) for part in parts]
    own = np.array([rows[at] for rows, at in zip(kept, places, strict=True)])
    others = [np.delete(rows, at, 0)[:2] for rows, at in zip(kept, places, strict=True)]
    return own, np.concatenate(others)


def fit_sieve(
    encoder: Encoder, shared: Path, texts: Sequence[str], plain: Sequence[str], found: Any
) -> None:
    """Fit the sieve; `found` tells the attacks that the first model finds among `texts`."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_predict

    _, attacks = written(WRITTEN)
    own, _ = in_press(encoder, shared, texts)
    ordinary, neighbours = in_press(encoder, shared, plain)
    half = len(neighbours) // 2
    vectors = np.concatenate([own, ordinary, neighbours[:half]])
    true = np.array([*attacks, *[False] * (len(ordinary) + half)])
    model = LogisticRegression(C=SIEVE_STRENGTH, class_weight="balanced", max_iter=3000)
    said = cross_val_predict(model, vectors, true, cv=5, method="decision_function")
    threshold = float(np.quantile(said[: len(texts)][found], 1 - KEPT))
    model.fit(vectors, true)
    passing = (model.decision_function(neighbours[half:]) >= threshold).mean()
    log.info("sieve at %.2f: sentences of press that pass %.3f", threshold, passing)
    if UNSEEN.exists():
        texts, attacks = written(UNSEEN)
        own, _ = in_press(encoder, shared, texts)
        kept = model.decision_function(own)[np.array(attacks)] >= threshold
        log.info("attacks by another author that pass: %d of %d", kept.sum(), len(kept))
    save(SIEVE, "training/addressing.py", model, threshold, encoder)


def save(out: Path, by: str, model: Any, threshold: float, encoder: Encoder) -> None:
    """Write a fitted linear model, its threshold in its intercept, as `Probe` reads it."""
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
    save(OUT, "training/addressing.py", model, threshold, encoder)
    texts, attacks = written(WRITTEN)
    found = (model.decision_function(vectors[: len(texts)]) >= threshold) & np.array(attacks)
    fit_sieve(encoder, options.shared, texts, plain, found)


if __name__ == "__main__":
    main()
