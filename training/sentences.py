"""Fits the map that reads the vectors of sentences from the one pass of their passage.

    python -m training.sentences piaf_v1.1.json afriqa_fr_train.json ...

For each sentence of the paragraphs of SQuAD files: what `Encoder.described` says
of it is mapped, by least squares with a ridge, to the vector that it has when it is
embedded apart, under its title. The ridge is chosen by cross-validation over
articles. Writes `sentences.npz` beside the shipped network.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.domain import Article, Source
from rag.indexing.understanding import understood
from rag.models.embedding import CheckedEmbedder, PassageText
from rag.models.encoder import Encoder
from training.weights import SHIPPED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TARGET = 320  # tokens of a passage, as Recoupe cuts them
FOLDS = 4
RIDGES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
AT_A_TIME = 200  # passages

log = logging.getLogger("training")


def passages(files: Sequence[Path]) -> Iterator[tuple[int, PassageText]]:
    """Yield (number of the article, passage with several sentences) of SQuAD files."""
    number = 0
    for path in files:
        for entry in json.loads(path.read_text(encoding="utf-8"))["data"]:
            number += 1
            title = entry.get("title", "").replace("_", " ")
            for text in dict.fromkeys(p["context"] for p in entry["paragraphs"]):
                article = Article("x", Source(title), text)
                for found in understood(article, TARGET):
                    if len(found.sentences) > 1:
                        yield number, found.text


def described(
    encoder: Encoder, found: Sequence[tuple[int, PassageText]]
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Return what is said of sentences, the vectors they have apart, and their articles."""
    rows, targets, articles = [], [], []
    for at in range(0, len(found), AT_A_TIME):
        some = found[at : at + AT_A_TIME]
        texts = [text for _, text in some]
        said = dict(encoder.described(texts))
        rows += [said[n][1] for n in range(len(texts))]
        targets += CheckedEmbedder.embed_sentences(encoder, texts)[1]
        articles += [number for number, text in some for _ in text.sentences]
        log.info("%d of %d passages", at + len(some), len(found))
    return (
        np.concatenate(rows).astype(np.float64),
        np.concatenate(targets).astype(np.float64),
        np.array(articles),
    )


def fitted(rows: Array, targets: Array, ridge: float) -> Array:
    """Return the map, of shape (numbers + 1, 384); the last row is what is added."""
    whole = np.hstack([rows, np.ones((len(rows), 1))])
    square = whole.T @ whole + ridge * np.eye(whole.shape[1])
    return np.asarray(np.linalg.solve(square, whole.T @ targets), dtype=np.float64)


def likeness(rows: Array, targets: Array, found: Array) -> float:
    """Return the mean cosine of what a map gives with the targets."""
    made = rows @ found[:-1] + found[-1]
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return float((made * targets).sum(axis=1).mean())


def main() -> None:
    """Fit, measure, write."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    found = list(passages([Path(name) for name in sys.argv[1:]]))
    rows, targets, articles = described(Encoder(), found)
    log.info("%d sentences of %d passages", len(rows), len(found))
    own = slice(0, targets.shape[1])
    plain = rows[:, own] / np.linalg.norm(rows[:, own], axis=1, keepdims=True)
    log.info("mean of own last states: cosine %.4f", float((plain * targets).sum(axis=1).mean()))
    folds = articles % FOLDS
    best, ridge = max(
        (
            np.mean(
                [
                    likeness(
                        rows[folds == n],
                        targets[folds == n],
                        fitted(rows[folds != n], targets[folds != n], candidate),
                    )
                    for n in range(FOLDS)
                ]
            ),
            candidate,
        )
        for candidate in RIDGES
    )
    log.info("ridge %g: cosine %.4f on articles left out", ridge, best)
    kept = fitted(rows, targets, ridge)
    np.savez(SHIPPED / "sentences.npz", map=kept.astype(np.float16))


if __name__ == "__main__":
    main()
