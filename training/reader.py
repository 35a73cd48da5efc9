"""Trains the reader: which words of a passage answer a question, and whether any does.

    python -m training.mining piaf_v1.1.json afriqa_fr_train.json … --out mined.jsonl
    python -m training.reader train mined.jsonl --written passages.jsonl --out /tmp/reader
    python -m training.reader export /tmp/reader/last.pt
    python -m training.reader measure mined.jsonl --written passages.jsonl

The network is the encoder's (12 layers, its table of pieces frozen) with two heads: the first and
the last token of the answer, where the first token of all stands for « no answer » (Devlin et al.
2019, section 4.3), and whether the passage answers. Run again, `train` goes on from the last
checkpoint; `--minutes` counts earlier runs too. A GPU is used where there is one. `--start` takes
the weights of a checkpoint, or of a reader's folder.

With `--teachers` it learns what readers trained before, of other seeds, say together (Hinton et al.
2015), besides what is right.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from rag.french.sentences import sentence_spans
from rag.models.embedding import PassageText
from rag.models.reader import NAME, Read, of_sentences
from rag.models.reader import Reader as ShippedReader
from training import folder, graph, network, pieces
from training.reading_examples import KINDS, Example, Examples, Kinds, excised
from training.run import Run, add_options, device, grouped, load, to_device
from training.weights import SHIPPED, shipped
from training.written_examples import MORE, spans_of, text_of
from training.written_questions import WrittenQuestions

if TYPE_CHECKING:
    import torch
    from tokenizers import Encoding, Tokenizer

SEED = 15
LONGEST = 320  # tokens of question, title and passage
BATCH_TOKENS = 3072
POOL = 256  # examples sorted by length at a time
PEAK = 6e-5  # for such batches; it grows with the root of their size
SOFT = 0.7  # of what is learned, the share that teachers say
WRITTEN = 0.6  # share of the examples that are of written press, where that is given

Reading = Callable[[str, Sequence[PassageText]], list[Read]]
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


def made(weights: network.Weights, where: str = "cpu") -> Reader:
    """Return the reader before any training."""
    import torch

    body = network.bert(weights)
    body.embeddings.requires_grad_(requires_grad=False)
    spans = torch.nn.Linear(weights.hidden, 2)
    answers = torch.nn.Linear(weights.hidden, 1)
    for part in (body, spans, answers):
        torch.nn.Module.to(part, where)
    return Reader(body, spans, answers)


def started(folder: Path, where: str = "cpu") -> Reader:
    """Return the reader of a folder, its int8 multiplied out."""
    import torch

    path = folder / f"{NAME}.onnx"
    reader = made(network.from_onnx(path, shipped()))
    network.put_head(path, "spans", reader.spans)
    network.put_head(path, "answers", reader.answers)
    network.for_training(reader.body, where)
    for part in reader.parts():
        torch.nn.Module.to(part, where)
    return reader


class Drawn(Protocol):
    """What examples are drawn from."""

    def draw(self, draw: random.Random) -> Example:
        """Return an example drawn at random."""


class Mixed:
    """Mined questions, and those of written press as `WRITTEN` says."""

    def __init__(self, mined: Drawn, press: Drawn) -> None:
        """Take both."""
        self._mined, self._press = mined, press

    def draw(self, draw: random.Random) -> Example:
        """Return an example of one of them."""
        return (self._press if draw.random() < WRITTEN else self._mined).draw(draw)


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


def batched(found: Sequence[tuple[Encoding, int, int]]) -> Batch:
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
    whole = [torch.from_numpy(a) for a in (ids, mask, passage)]
    return Batch(whole[0], whole[1], whole[2], places[:, 0], places[:, 1])


def batches(
    draw: random.Random, examples: Drawn, tokenizer: Tokenizer, size: int
) -> Iterator[Batch]:
    """Yield batches without end, each of about `size` tokens in examples of about one length."""
    for group in grouped(
        draw,
        lambda: encoded(tokenizer, examples.draw(draw)),
        lambda e: len(e[0].ids),
        size,
        POOL * size // BATCH_TOKENS,
    ):
        yield batched(group)


def loss_of(said: tuple[torch.Tensor, torch.Tensor], batch: Batch) -> torch.Tensor:
    """Return the mean cross-entropy of both places, and that of « answers »."""
    from torch.nn import functional

    spans, answers = said
    first = functional.cross_entropy(spans[..., 0], batch.first)
    last = functional.cross_entropy(spans[..., 1], batch.last)
    told = functional.binary_cross_entropy_with_logits(answers, (batch.first > 0).float())
    return (first + last) / 2 + told


def taught(reader: Reader, teachers: Sequence[Reader], batch: Batch) -> torch.Tensor:
    """Return the cross-entropy with what the teachers say on average, and `loss_of` in part."""
    import torch
    from torch.nn import functional

    with torch.no_grad():
        said = [teacher(batch) for teacher in teachers]
        places = torch.stack([spans.softmax(dim=1) for spans, _ in said]).mean(dim=0)
        answers = torch.stack([answers.sigmoid() for _, answers in said]).mean(dim=0)
    spans, mine = reader(batch)
    soft = -(places * spans.log_softmax(dim=1)).sum(dim=1).mean()
    soft = soft + functional.binary_cross_entropy_with_logits(mine, answers)
    return SOFT * soft + (1 - SOFT) * loss_of((spans, mine), batch)


def train(
    mined: Path,
    out: Path,
    minutes: float,
    *,
    seed: int = SEED,
    start: Path | None = None,
    teachers: Sequence[Path] = (),
    kinds: Kinds = KINDS,
    size: int = BATCH_TOKENS,
    workers: int = 0,
    press: Path | None = None,
    frozen: int = 0,
    peak: float = PEAK,
    fresh: Sequence[str] = (),
    dropout: float = 0.0,
) -> None:
    """Train until `minutes` have passed in all; for the rest see `Run.train`.

    `start` and `teachers` are checkpoints, `start` may be a reader's folder; `size` is the tokens
    of a batch, `press` the file of written passages, `frozen` how many of the lowest layers stay as
    they are, `peak` the highest learning rate. `fresh` are the lots of `MORE` that are drawn more
    often; `dropout` is for passages that earlier trainings have shown several times.
    """
    import torch

    where = device()
    examples: Drawn = Examples([r for r in read_mined(mined) if not r["held"]], kinds)
    if press:
        examples = Mixed(examples, WrittenQuestions(press, MORE, fresh=fresh))
    torch.manual_seed(seed)
    weights = shipped()
    pairs = tokenizer(weights)
    reader = started(start, where) if start and start.is_dir() else made(weights, where)
    if start and not start.is_dir():
        load(reader.parts(), start)
    for layer in reader.body.encoder.layer[:frozen]:
        layer.requires_grad_(requires_grad=False)
    if dropout:
        network.put_dropout(reader.body, dropout)
    known = [made(weights, where) for _ in teachers]
    for teacher, path in zip(known, teachers, strict=True):
        load(teacher.parts(), path)
        for part in teacher.parts():
            part.train(mode=False)
    for part in reader.parts():
        part.train()
    run = Run(reader.parts(), peak=peak * (size / BATCH_TOKENS) ** 0.5, weight_decay=0.01)
    run.train(
        lambda draw: batches(draw, examples, pairs, size),
        lambda batch: taught(reader, known, batch) if known else loss_of(reader(batch), batch),
        out,
        minutes,
        seed=seed,
        workers=workers,
    )


def export(checkpoint: Path, out: Path, beside: Path | None = None, share: float = 0.5) -> None:
    """Write the reader of a checkpoint in int8.

    With `beside`, its mean with the reader of a folder, which counts for a `share`.
    """
    weights = shipped()
    reader = made(weights, "cpu")
    stored = load(reader.parts(), checkpoint)
    if beside:
        network.average(reader.parts(), started(beside).parts(), share)
    spans, answers = (
        (part.weight.detach().numpy(), part.bias.detach().numpy())
        for part in (reader.spans, reader.answers)
    )
    folder.write_reader(
        network.from_bert(reader.body, weights.pieces), graph.Heads(spans, answers), out
    )
    log.info("step %d, %.0f s of training: %s", stored["step"], stored["spent"], out)


def reading(checkpoint: Path) -> Reading:
    """Return what reads with the weights of a checkpoint, in fp32."""
    import torch

    where, weights = device(), shipped()
    reader, pairs = made(weights, where), tokenizer(weights)
    load(reader.parts(), checkpoint)

    def read(question: str, passages: Sequence[PassageText]) -> list[Read]:
        found = [(pairs.encode(question, p.text), 0, 0) for p in passages]
        with torch.no_grad():
            spans, answers = reader(to_device(batched(found), where))
        return [
            of_sentences(tokens, row, float(answer), passage.sentences)
            for (tokens, _, _), row, answer, passage in zip(
                found, spans.cpu().numpy(), answers, passages, strict=True
            )
        ]

    return read


def measure(mined: Path, read: Reading, count: int) -> dict[str, float]:
    """Return what a reader reaches on questions of the articles kept for measuring.

    - `sentence`: the best sentence of the question's own paragraph holds the answer (paragraphs of
      several sentences);
    - `AUC, mined`, `AUC, excised`: the own paragraph before the best that retrieval finds
      elsewhere, and before itself without the sentences that answer.
    """
    from sklearn.metrics import roc_auc_score

    rows = [row for row in read_mined(mined) if row["held"]]
    rows = random.Random(SEED).sample(rows, min(count, len(rows)))  # noqa: S311
    right, scores = [], {"own": [], "mined": [], "excised": []}  # type: ignore[var-annotated]
    for row in rows:
        whole, shift = written(row["title"], row["context"])
        spans = [(a + shift, b + shift) for a, b in sentence_spans(row["context"])]
        others = [("mined", *row["negatives"][0])] if row["negatives"] else []
        if left := excised(row):
            others.append(("excised", row["title"], left))
        texts = [PassageText(whole, tuple(spans))]
        texts += [PassageText(written(title, text)[0], ()) for _, title, text in others]
        own, *rest = read(row["question"], texts)
        scores["own"].append(own.answers)
        for (name, *_), said in zip(others, rest, strict=True):
            scores[name].append(said.answers)
        if len(spans) > 1:
            a, b = spans[int(np.argmax(own.sentences))]
            right.append(any(a < e + shift and b > s + shift for s, e in row["answers"]))
    found = {"questions": float(len(rows)), "sentence": float(np.mean(right))}
    for name in ("mined", "excised"):
        labels = [1] * len(scores["own"]) + [0] * len(scores[name])
        found[f"AUC, {name}"] = float(roc_auc_score(labels, scores["own"] + scores[name]))
    return {name: round(value, 4) for name, value in found.items()}


def measure_written(path: Path, read: Reading, count: int) -> dict[str, Any]:
    """Return what a reader reaches on questions of written passages kept for measuring.

    - `sentence`: the best sentence of the passage is one of those that tell, by kind of question;
    - `AUC`: questions that their passage answers before those that none answers (`none`), that
      suppose what is false (`premise`), and before the passage without what tells (`excised`).
    """
    from sklearn.metrics import roc_auc_score

    press = WrittenQuestions(path, measuring=True)
    right: dict[str, list[bool]] = defaultdict(list)
    scores: dict[str, list[float]] = defaultdict(list)
    asked = press.questions
    if count < len(asked):
        asked = random.Random(SEED).sample(asked, count)  # noqa: S311
    for question in asked:
        row = press.passages[question.passage]
        whole, shift = written(row["title"], text_of(row))
        places = tuple((a + shift, b + shift) for a, b in spans_of(row))
        (said,) = read(question.text, [PassageText(whole, places)])
        scores["answered" if question.answer else question.kind].append(said.answers)
        if not question.answer:
            continue
        right[question.kind].append(int(np.argmax(said.sentences)) in question.sentences)
        if left := press.without(question):
            text = written(row["title"], left)[0]
            scores["excised"] += [r.answers for r in read(question.text, [PassageText(text, ())])]
    every = [fine for fines in right.values() for fine in fines]
    found: dict[str, Any] = {"questions": len(asked), "sentence": float(np.mean(every))}
    for name in ("none", "premise", "excised"):
        labels = [1] * len(scores["answered"]) + [0] * len(scores[name])
        found[f"AUC, {name}"] = float(roc_auc_score(labels, scores["answered"] + scores[name]))
    found = {name: round(value, 4) for name, value in found.items()}
    return found | {"sentence by kind": {k: round(float(np.mean(v)), 3) for k, v in right.items()}}


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
    add_options(training, minutes=90, tokens=BATCH_TOKENS)
    training.add_argument("--seed", type=int, default=SEED)
    training.add_argument("--start", type=Path, help="a checkpoint or a folder to go on from")
    training.add_argument("--written", type=Path, help="written passages, to learn from too")
    training.add_argument("--peak", type=float, default=PEAK, help="learning rate")
    training.add_argument("--frozen", type=int, default=0, help="lowest layers that stay")
    training.add_argument("--dropout", type=float, default=0.0)
    training.add_argument(
        "--fresh", nargs="*", default=(), help="lots of written passages to draw more often"
    )
    training.add_argument("--teachers", type=Path, nargs="*", default=[], help="checkpoints")
    exporting = commands.add_parser("export")
    exporting.add_argument("checkpoint", type=Path)
    exporting.add_argument("--out", type=Path, default=SHIPPED)
    exporting.add_argument("--beside", type=Path, help="folder of a reader to take the mean with")
    exporting.add_argument("--share", type=float, default=0.5, help="of that folder in the mean")
    measuring = commands.add_parser("measure")
    measuring.add_argument("mined", type=Path)
    measuring.add_argument("--folder", type=Path, default=SHIPPED)
    measuring.add_argument("--checkpoint", type=Path, help="instead of a folder")
    measuring.add_argument("--questions", type=int, default=400)
    measuring.add_argument("--written", type=Path, help="written passages, to measure on too")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.command == "train":
        train(
            options.mined,
            options.out,
            options.minutes,
            seed=options.seed,
            start=options.start,
            teachers=options.teachers,
            size=options.tokens,
            workers=options.workers,
            press=options.written,
            frozen=options.frozen,
            peak=options.peak,
            fresh=options.fresh,
            dropout=options.dropout,
        )
    elif options.command == "export":
        export(options.checkpoint, options.out, options.beside, options.share)
    else:
        chosen = options.checkpoint
        read = reading(chosen) if chosen else ShippedReader(options.folder).read
        log.info("%s", measure(options.mined, read, options.questions))
        if options.written:
            log.info("%s", measure_written(options.written, read, 2 * options.questions))


if __name__ == "__main__":
    main()
