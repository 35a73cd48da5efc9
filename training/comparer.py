"""Trains the comparer: whether what is said follows from sentences, is against them, or neither.

    python -m training.comparer train ../shared/data --out /tmp/comparer --minutes 75 \
        --until 25 --inference 0.5
    python -m training.comparer train ../shared/data --out /tmp/comparer --minutes 75
    python -m training.comparer measure ../shared/data --checkpoint /tmp/comparer/last.pt
    python -m training.comparer export /tmp/comparer/last.pt --out FOLDER

Training starts from the shipped comparer, or with `--start FOLDER` from another of its kind. The
first command above is the phase of general inference, which the second goes on from. The
network has 12 layers (its table of pieces and its lowest layers stay as they are) with one head on
the first token of all, of three numbers. What is said stands first, the sentences second. A pair
may leave open which of two answers is right: the loss is then that of their sum. Run again, `train`
goes on from the last checkpoint; `--minutes` counts earlier runs too. A GPU is used where there is
one.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rag.evaluation.support_scores import read_support
from rag.models.comparer import NAME
from training import network, pieces
from training.comparing_examples import (
    FOLLOWS,
    NOT_FOLLOWING,
    Changes,
    Pair,
    judged,
    stated,
)
from training.mining import entries
from training.run import Run, add_options, device, grouped, load, to_device
from training.weights import SHIPPED, shipped
from training.written_examples import MORE, Inferences, Written, inferred

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from tokenizers import Encoding, Tokenizer

READ = ("piaf_v1.1.json", "afriqa_fr_train.json", "afriqa_fr_dev.json")
SEED = 16
LONGEST = 256  # tokens of both
BATCH_TOKENS = 3072
POOL = 512  # pairs sorted by length at a time
PEAK = 1.5e-4
FROZEN = 4  # layers, from below
# How often each kind of pair is shown.
SHARES = {
    "written": 0.78,
    "inference": 0.09,
    "changes": 0.05,
    "statements": 0.03,
    "conjnli": 0.02,
    "rte3": 0.01,
    "daccord": 0.01,
    "gqnli": 0.01,
}
WRITTEN = Path("written") / "passages.jsonl"
INFERENCE = "inference_pairs.tsv"

Compared = Callable[[Sequence[Pair]], "NDArray[np.float32]"]
log = logging.getLogger("training")


class Batch(NamedTuple):
    """Tokens of shape (pairs, tokens), and the answers that are right, (pairs, 3)."""

    ids: torch.Tensor
    mask: torch.Tensor
    allowed: torch.Tensor


class Comparer(NamedTuple):
    """The network and its head."""

    body: Any
    head: torch.nn.Linear

    def parts(self) -> tuple[torch.nn.Module, ...]:
        """Return its modules."""
        return self.body, self.head

    def __call__(self, batch: Batch) -> torch.Tensor:
        """Return logits of shape (pairs, 3): follows, neither, against."""
        states = self.body(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
        logits: torch.Tensor = self.head(states[:, 0]).float()
        return logits


def made(weights: network.Weights, where: str = "cpu") -> Comparer:
    """Return the comparer before any training."""
    import torch

    body = network.bert(weights)
    body.embeddings.requires_grad_(requires_grad=False)
    network.for_training(body, where)
    for layer in body.encoder.layer[:FROZEN]:
        layer.requires_grad_(requires_grad=False)
    head = torch.nn.Linear(weights.hidden, 3)
    for part in (body, head):
        torch.nn.Module.to(part, where)
    return Comparer(body, head)


def started(folder: Path, where: str = "cpu") -> Comparer:
    """Return the comparer that training starts from: a folder's, with its head if it has one."""
    import torch

    path = folder / f"{NAME}.onnx"
    comparer = made(network.from_onnx(path, shipped()))
    with suppress(KeyError):
        network.put_head(path, "stances", comparer.head)
    for part in comparer.parts():
        torch.nn.Module.to(part, where)
    return comparer


class Pairs:
    """Pairs without end, of each source as often as `SHARES` says."""

    def __init__(
        self,
        shared: Path,
        *,
        written: float = 1.0,
        inference: float | None = None,
        short: float = 0.0,
        fresh: Sequence[str] = (),
    ) -> None:
        """Read the sources of a folder, without what is held out; a share of what was written.

        `inference` is the share of the pairs that is general inference, where it is not the usual;
        `short` is the share of the short written pairs; `fresh` are the lots of written passages
        that are shown more often.
        """
        self._shares = dict(SHARES)
        if inference is not None:
            self._shares["inference"] = inference * (1 - SHARES["inference"]) / (1 - inference)
        rows = [r for r in entries(_files(shared)) if not r["held"]]
        lists = {**judged(shared), "statements": stated(rows)}
        if (shared / INFERENCE).exists():
            lists["inference"] = inferred(shared / INFERENCE)
        self._sources: dict[str, Callable[[random.Random], Pair]] = {
            name: partial(_drawn_from, found) for name, found in lists.items()
        }
        self._sources["changes"] = Changes(sorted({r["context"] for r in rows})).draw
        if written and (shared / WRITTEN).exists():
            press = Written(shared / WRITTEN, MORE, share=written, fresh=fresh)
            self._sources["written"] = press.draw
        if short:
            self._shares["short"] = short * sum(self._shares.values()) / (1 - short)
            self._sources["short"] = Inferences().draw
        log.info("%s", {name: len(found) for name, found in lists.items()})

    def draw(self, draw: random.Random) -> Pair:
        """Return a pair of a source drawn at random."""
        names = [n for n in self._shares if n in self._sources]
        return self._sources[draw.choices(names, [self._shares[n] for n in names])[0]](draw)


def _drawn_from(pairs: Sequence[Pair], draw: random.Random) -> Pair:
    return draw.choice(pairs)


def _files(shared: Path) -> list[Path]:
    return [shared / name for name in READ if (shared / name).exists()]


def batched(found: Sequence[tuple[Encoding, Pair]]) -> Batch:
    """Return pairs as one batch."""
    import torch

    width = max(len(e.ids) for e, _ in found)
    ids = np.full((len(found), width), 1, dtype=np.int64)
    mask = np.zeros((len(found), width), dtype=np.int64)
    for row, (e, _) in enumerate(found):
        ids[row, : len(e.ids)] = e.ids
        mask[row, : len(e.ids)] = 1
    allowed = torch.tensor([pair.allowed for _, pair in found])
    return Batch(torch.from_numpy(ids), torch.from_numpy(mask), allowed)


def batches(draw: random.Random, pairs: Pairs, tokenizer: Tokenizer, size: int) -> Iterator[Batch]:
    """Yield batches without end, each of about `size` tokens in pairs of about one length."""

    def one() -> tuple[Encoding, Pair]:
        pair = pairs.draw(draw)
        return tokenizer.encode(pair.said, pair.shown), pair

    for group in grouped(draw, one, lambda e: len(e[0].ids), size, POOL * size // BATCH_TOKENS):
        yield batched(group)


def loss_of(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Return the mean of minus the log of what the right answers are given together."""
    import torch

    said = logits.log_softmax(dim=1).masked_fill(~batch.allowed, float("-inf"))
    return -torch.logsumexp(said, dim=1).mean()


def train(
    shared: Path,
    out: Path,
    minutes: float,
    *,
    seed: int = SEED,
    size: int = BATCH_TOKENS,
    workers: int = 0,
    start: Path = SHIPPED,
    written: float = 1.0,
    inference: float | None = None,
    until: float | None = None,
    dropout: float = 0.0,
    short: float = 0.0,
    fresh: Sequence[str] = (),
) -> None:
    """Train until `minutes` have passed in all; for the rest see `Run.train`.

    `start` is the folder of the comparer to go on from; `written` the share of the written passages
    that are shown, `inference` that of general inference among the pairs, `short` that of the short
    written ones. `dropout` is for passages
    that earlier trainings have shown several times, `fresh` the lots that none has.
    """
    import torch

    where = device()
    pairs = Pairs(shared, written=written, inference=inference, short=short, fresh=fresh)
    torch.manual_seed(seed)
    comparer, tokens = started(start, where), tokenizer(shipped())
    network.put_dropout(comparer.body, dropout)
    for part in comparer.parts():
        part.train()
    run = Run(comparer.parts(), peak=PEAK * (size / BATCH_TOKENS) ** 0.5, weight_decay=0.01)
    run.train(
        lambda draw: batches(draw, pairs, tokens, size),
        lambda batch: loss_of(comparer(batch), batch),
        out,
        minutes,
        seed=seed,
        workers=workers,
        until=until,
    )


def export(checkpoint: Path, out: Path, beside: Path | None = None, share: float = 0.5) -> None:
    """Write the comparer of a checkpoint in int8.

    With `beside`, its mean with the comparer of a folder, which counts for a `share`.
    """
    from training import folder

    weights = shipped()
    comparer = made(weights)
    stored = load(comparer.parts(), checkpoint)
    if beside:
        network.average(comparer.parts(), started(beside).parts(), share)
    head = comparer.head.weight.detach().numpy(), comparer.head.bias.detach().numpy()
    folder.write_comparer(network.from_bert(comparer.body, weights.pieces), head, out)
    log.info("step %d, %.0f s of training: %s", stored["step"], stored["spent"], out)


def comparing(checkpoint: Path) -> Compared:
    """Return what compares with the weights of a checkpoint, in fp32."""
    import torch

    where, weights = device(), shipped()
    comparer, tokens = made(weights, where), tokenizer(weights)
    load(comparer.parts(), checkpoint)

    def compare(pairs: Sequence[Pair]) -> NDArray[np.float32]:
        found = []
        with torch.no_grad():
            for at in range(0, len(pairs), 16):
                some = pairs[at : at + 16]
                batch = batched([(tokens.encode(p.said, p.shown), p) for p in some])
                found.append(comparer(to_device(batch, where)).softmax(dim=1).cpu().numpy())
        return np.concatenate(found)

    return compare


def measure(shared: Path, compare: Compared, count: int) -> dict[str, Any]:
    """Return what a comparer reaches on pairs that it was not trained on.

    - `held out`: balanced accuracy, by kind, of statements and changed sentences of the articles
      kept for measuring: does it tell what follows;
    - `press`: the same of `press/support.jsonl`; no pair of it is trained on.
    """
    rows = [r for r in entries(_files(shared)) if r["held"]]
    changes = Changes(sorted({r["context"] for r in rows}))
    draw = random.Random(SEED)  # noqa: S311
    own = [changes.draw(draw) for _ in range(count)]
    own += draw.sample(stated(rows), count)
    found = {"held out": _told(own, compare(own))}
    press = shared / "press" / "support.jsonl"
    if press.exists():
        pairs = [
            Pair(r.statement, r.passage, FOLLOWS if r.supported else NOT_FOLLOWING, r.kind)
            for r in read_support(press)
        ]
        found["press"] = _told(pairs, compare(pairs))
    return found


def _told(pairs: Sequence[Pair], said: NDArray[np.float32]) -> dict[str, Any]:
    from sklearn.metrics import roc_auc_score

    true = np.array([p.allowed == FOLLOWS for p in pairs])
    right = (said[:, 0] >= 0.5) == true
    kinds: dict[str, list[bool]] = defaultdict(list)
    for pair, fine in zip(pairs, right, strict=True):
        kinds[pair.kind].append(bool(fine))
    return {
        "pairs": len(pairs),
        "balanced accuracy": round(float((right[true].mean() + right[~true].mean()) / 2), 3),
        "AUC": round(float(roc_auc_score(true, said[:, 0])), 3),
        "by kind": {k: round(float(np.mean(v)), 2) for k, v in sorted(kinds.items())},
    }


def tokenizer(weights: network.Weights) -> Tokenizer:
    """Return the tokenizer of pairs: what is shown is cut, what is said is not."""
    found = pieces.tokenizer(weights.pieces)
    found.enable_truncation(LONGEST, strategy="only_second")
    return found


def main() -> None:
    """Train, as the command line says."""
    parser = argparse.ArgumentParser(description="Train the comparer")
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    training.add_argument("shared", type=Path)
    add_options(training, minutes=90, tokens=BATCH_TOKENS)
    training.add_argument("--seed", type=int, default=SEED)
    training.add_argument("--start", type=Path, default=SHIPPED, help="folder of a comparer")
    training.add_argument("--written", type=float, default=1.0, help="share of the passages")
    training.add_argument("--inference", type=float, help="share of general inference")
    training.add_argument("--short", type=float, default=0.0, help="share of short written pairs")
    training.add_argument("--until", type=float, help="stop after so many of the minutes")
    training.add_argument("--dropout", type=float, default=0.0)
    training.add_argument("--fresh", nargs="*", default=(), help="lots to draw more often")
    exporting = commands.add_parser("export")
    exporting.add_argument("checkpoint", type=Path)
    exporting.add_argument("--out", type=Path, required=True)
    exporting.add_argument("--beside", type=Path, help="folder of a comparer to take the mean with")
    exporting.add_argument("--share", type=float, default=0.5, help="of that folder in the mean")
    measuring = commands.add_parser("measure")
    measuring.add_argument("shared", type=Path)
    measuring.add_argument("--checkpoint", type=Path, required=True)
    measuring.add_argument("--pairs", type=int, default=400, help="of each kind of source")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.command == "train":
        train(
            options.shared,
            options.out,
            options.minutes,
            seed=options.seed,
            size=options.tokens,
            workers=options.workers,
            start=options.start,
            written=options.written,
            inference=options.inference,
            until=options.until,
            dropout=options.dropout,
            short=options.short,
            fresh=options.fresh,
        )
    elif options.command == "export":
        export(options.checkpoint, options.out, options.beside, options.share)
    else:
        log.info(
            "%s", json.dumps(measure(options.shared, comparing(options.checkpoint), options.pairs))
        )


if __name__ == "__main__":
    main()
