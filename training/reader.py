"""Trains the reader: which words of a passage answer a question, and whether any does.

    python -m training.mining piaf_v1.1.json afriqa_fr_train.json … --out mined.jsonl
    python -m training.reader train mined.jsonl --out /tmp/reader --minutes 90
    python -m training.reader export /tmp/reader/last.pt
    python -m training.reader measure mined.jsonl

The network is the encoder's (12 layers, its table of pieces and first layers frozen) with two
heads: the first and the last token of the answer, where the first token of all stands for « no
answer » (Devlin et al. 2019, section 4.3), and whether the passage answers. Run again, `train`
goes on from the last checkpoint; `--minutes` counts earlier runs too. A GPU is used where there
is one.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rag.french.sentences import sentence_spans
from rag.models.embedding import PassageText
from rag.models.reader import Reader as ShippedReader
from training import folder, graph, network, pieces
from training.reading_examples import Example, example, excised
from training.run import Run, load
from training.weights import shipped

if TYPE_CHECKING:
    import torch
    from tokenizers import Encoding, Tokenizer

SHIPPED = Path("rag/models/reader-fr")
SEED = 15
LONGEST = 320  # tokens of question, title and passage
BATCH_TOKENS = 3072
POOL = 256  # examples sorted by length at a time
PEAK = 6e-5
WARM_UP = 0.04  # share of the time
CHECKPOINT_SECONDS = 300.0
LONGEST_STEP = 20.0  # seconds; a longer one was suspended
FROZEN = 4  # layers: a fifth of the time, and what they do is the same for all tasks
LOG_STEPS = 20

log = logging.getLogger("training")


class Batch(NamedTuple):
    """Tokens of shape (examples, tokens), and what is to be found.

    `passage` is true where a token is of the passage, or the first of all; `first` and `last` are
    the places of the answer, 0 for none.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    passage: torch.Tensor
    first: torch.Tensor
    last: torch.Tensor


class Reader(NamedTuple):
    """The network and its heads: `spans` gives two numbers a token, `answers` one a passage."""

    body: Any
    spans: torch.nn.Linear
    answers: torch.nn.Linear

    def parts(self) -> tuple[torch.nn.Module, ...]:
        """Return its modules."""
        return self.body, self.spans, self.answers

    def __call__(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits of shape (examples, tokens, 2), and (examples,)."""
        states = self.body(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
        spans = self.spans(states).float()
        spans = spans.masked_fill(~batch.passage.unsqueeze(-1), -1e4)
        return spans, self.answers(states[:, 0]).float().squeeze(-1)


def made(weights: network.Weights, device: str) -> Reader:
    """Return the reader before any training."""
    import torch

    body = network.bert(weights)
    body.embeddings.requires_grad_(requires_grad=False)
    for layer in body.encoder.layer[:FROZEN]:
        layer.requires_grad_(requires_grad=False)
    spans = torch.nn.Linear(weights.hidden, 2)
    answers = torch.nn.Linear(weights.hidden, 1)
    for part in (body, spans, answers):
        torch.nn.Module.to(part, device)
    return Reader(body, spans, answers)


def written(title: str, text: str) -> tuple[str, int]:
    """Return what is read of a passage, and where its text begins in it."""
    head = f"{title}\n" if title else ""
    return head + text, len(head)


def encoded(tokenizer: Tokenizer, one: Example) -> tuple[Encoding, int, int]:
    """Return the tokens of an example and the places of its answer, (0, 0) for none.

    An answer beyond what the network reads counts as none.
    """
    whole, shift = written(one.title, one.text)
    tokens = tokenizer.encode(one.question, whole)
    if one.span is None:
        return tokens, 0, 0
    a, b = one.span[0] + shift, one.span[1] + shift
    inside = [
        at
        for at, (of, (start, end)) in enumerate(
            zip(tokens.sequence_ids, tokens.offsets, strict=True)
        )
        if of == 1 and start < b and end > a
    ]
    return (tokens, inside[0], inside[-1]) if inside else (tokens, 0, 0)


def batched(found: Sequence[tuple[Encoding, int, int]], device: str) -> Batch:
    """Return examples as one batch."""
    import torch

    width = max(len(e.ids) for e, _, _ in found)
    ids = np.full((len(found), width), 1, dtype=np.int64)
    mask = np.zeros((len(found), width), dtype=np.int64)
    passage = np.zeros((len(found), width), dtype=bool)
    for row, (e, _, _) in enumerate(found):
        size = len(e.ids)
        ids[row, :size] = e.ids
        mask[row, :size] = 1
        passage[row, :size] = [at == 0 or of == 1 for at, of in enumerate(e.sequence_ids)]
    places = torch.tensor([(a, b) for _, a, b in found])
    whole = (torch.from_numpy(a) for a in (ids, mask, passage))
    return Batch(*(t.to(device) for t in (*whole, places[:, 0], places[:, 1])))


def batches(
    draw: random.Random, rows: Sequence[dict[str, Any]], tokenizer: Tokenizer, device: str
) -> Iterator[Batch]:
    """Yield batches without end, each of examples of about one length."""
    while True:
        pool = [encoded(tokenizer, example(draw, draw.choice(rows), rows)) for _ in range(POOL)]
        pool.sort(key=lambda e: -len(e[0].ids))
        groups: list[list[Any]] = [[]]
        for e in pool:
            if groups[-1] and len(groups[-1][0][0].ids) * (len(groups[-1]) + 1) > BATCH_TOKENS:
                groups.append([])
            groups[-1].append(e)
        draw.shuffle(groups)
        for group in groups:
            yield batched(group, device)


def loss_of(reader: Reader, batch: Batch) -> torch.Tensor:
    """Return the mean cross-entropy of both places, and that of « answers »."""
    from torch.nn import functional

    spans, answers = reader(batch)
    first = functional.cross_entropy(spans[..., 0], batch.first)
    last = functional.cross_entropy(spans[..., 1], batch.last)
    told = functional.binary_cross_entropy_with_logits(answers, (batch.first > 0).float())
    return (first + last) / 2 + told


def train(mined: Path, out: Path, minutes: float) -> None:
    """Train until `minutes` have passed in all; `out` gets `last.pt` every 5 minutes."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    out.mkdir(parents=True, exist_ok=True)
    rows = [r for r in read_mined(mined) if not r["held"]]
    torch.manual_seed(SEED)
    weights = shipped()
    reader, pairs = made(weights, device), tokenizer(weights)
    for part in reader.parts():
        part.train()
    run = Run(reader.parts(), SEED, lr=PEAK, weight_decay=0.01)
    run.resume(out / "last.pt")
    log.info("%d questions, on %s", len(rows), device)
    whole, saved, tokens, total = minutes * 60, run.spent, 0, 0.0
    for batch in batches(run.draw, rows, pairs, device):
        began = time.monotonic()
        done = run.spent / whole
        with torch.autocast(device, torch.bfloat16):
            loss = loss_of(reader, batch)
        total += run.update(loss, PEAK * min(done / WARM_UP + 0.02, 1.0) * max(0.01, 1 - done))
        tokens += int(batch.mask.sum())
        run.spent += min(time.monotonic() - began, LONGEST_STEP)
        if run.step % LOG_STEPS == 0:
            log.info(
                "step %d, %.0f s, loss %.4f, %d tokens",
                run.step, run.spent, total / LOG_STEPS, tokens,
            )  # fmt: skip
            tokens, total = 0, 0.0
        if run.spent - saved > CHECKPOINT_SECONDS or run.spent >= whole:
            saved = run.spent
            run.save(out / "last.pt")
        if run.spent >= whole:
            break


def export(checkpoint: Path, out: Path) -> None:
    """Write the reader of a checkpoint in int8."""
    weights = shipped()
    reader = made(weights, "cpu")
    stored = load(reader.parts(), checkpoint)
    spans, answers = (
        (part.weight.detach().numpy(), part.bias.detach().numpy())
        for part in (reader.spans, reader.answers)
    )
    folder.write_reader(
        network.from_bert(reader.body, weights.pieces), graph.Heads(spans, answers), out
    )
    log.info("step %d, %.0f s of training: %s", stored["step"], stored["spent"], out)


def measure(mined: Path, made_: Path, count: int) -> dict[str, float]:
    """Return what an exported reader reaches on questions of the articles kept for measuring.

    - `sentence`: the best sentence of the question's own paragraph holds the answer (paragraphs of
      several sentences);
    - `AUC, mined`, `AUC, excised`: the own paragraph before the best that retrieval finds
      elsewhere, and before itself without the sentences that answer.
    """
    from sklearn.metrics import roc_auc_score

    rows = [row for row in read_mined(mined) if row["held"]]
    rows = random.Random(SEED).sample(rows, min(count, len(rows)))  # noqa: S311
    reader = ShippedReader(made_)
    right, scores = [], {"own": [], "mined": [], "excised": []}  # type: ignore[var-annotated]
    for row in rows:
        whole, shift = written(row["title"], row["context"])
        spans = [(a + shift, b + shift) for a, b in sentence_spans(row["context"])]
        others = [("mined", *row["negatives"][0])] if row["negatives"] else []
        if left := excised(row):
            others.append(("excised", row["title"], left))
        texts = [PassageText(whole, tuple(spans))]
        texts += [PassageText(written(title, text)[0], ()) for _, title, text in others]
        own, *rest = reader.read(row["question"], texts)
        scores["own"].append(own.answers)
        for (name, *_), read in zip(others, rest, strict=True):
            scores[name].append(read.answers)
        if len(spans) > 1:
            a, b = spans[int(np.argmax(own.sentences))]
            right.append(any(a < e + shift and b > s + shift for s, e in row["answers"]))
    found = {"questions": float(len(rows)), "sentence": float(np.mean(right))}
    for name in ("mined", "excised"):
        labels = [1] * len(scores["own"]) + [0] * len(scores[name])
        found[f"AUC, {name}"] = float(roc_auc_score(labels, scores["own"] + scores[name]))
    return {name: round(value, 4) for name, value in found.items()}


def tokenizer(weights: network.Weights) -> Tokenizer:
    """Return the tokenizer of pairs: a long passage is cut, a question is not."""
    found = pieces.tokenizer(weights.pieces)
    found.enable_truncation(LONGEST, strategy="only_second")
    return found


def read_mined(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file of `mining.py`."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Train, as the command line says."""
    parser = argparse.ArgumentParser(description="Train the reader")
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    training.add_argument("mined", type=Path)
    training.add_argument("--out", type=Path, required=True)
    training.add_argument("--minutes", type=float, default=90)
    exporting = commands.add_parser("export")
    exporting.add_argument("checkpoint", type=Path)
    exporting.add_argument("--out", type=Path, default=SHIPPED)
    measuring = commands.add_parser("measure")
    measuring.add_argument("mined", type=Path)
    measuring.add_argument("--folder", type=Path, default=SHIPPED)
    measuring.add_argument("--questions", type=int, default=400)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.command == "train":
        train(options.mined, options.out, options.minutes)
    elif options.command == "export":
        export(options.checkpoint, options.out)
    else:
        log.info("%s", measure(options.mined, options.folder, options.questions))


if __name__ == "__main__":
    main()
