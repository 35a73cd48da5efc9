"""Distils the encoder from 12 layers to 6 on unlabelled text.

    python -m training.distil train DATA [DATA ...] --out /tmp/distil --minutes 60
    python -m training.distil export /tmp/distil/last.pt --out /tmp/e5-small-fr-6
    python -m training.check --int8 /tmp/e5-small-fr-6 --torch FP32_FOLDER --texts articles.jsonl
    python -m training.retrieval piaf_v1.1.json --int8 /tmp/e5-small-fr-6

The student starts as every other layer and learns the token states of the teacher, after each of
its layers those of the layer it stands for, and the pooled vectors. Embeddings are frozen. Run
again, `train` goes on from the last checkpoint; `--minutes` counts earlier runs too.
"""

from __future__ import annotations

import argparse
import logging
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from training import folder, network, pieces
from training.run import Run, add_options, device, load, to_device
from training.weights import SHIPPED, shipped

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from transformers import BertModel


SEED = 20
BATCH_TOKENS = 2048
LONGEST = 192  # tokens
QUERIES = 0.3  # share of texts read as questions
PEAK = 5e-4
HELD_OUT = 25  # one text in so many only measures

log = logging.getLogger("training")


class Batch(NamedTuple):
    """Ids and mask, int64 of shape (texts, tokens)."""

    ids: torch.Tensor
    mask: torch.Tensor


def texts_of(sources: Sequence[Path]) -> tuple[list[str], list[str]]:
    """Return questions and other texts of more than two words, each once."""
    seen: dict[str, None] = {}
    for source in sources:
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if path.is_file():
                try:
                    found = list(pieces.texts_in(path))
                except UnicodeDecodeError:
                    continue
                cells = (cell for text in found for cell in text.split("\t"))
                seen.update(dict.fromkeys(c.strip() for c in cells if c.count(" ") > 2))
    questions = [t for t in seen if t.endswith("?") and len(t) < 300]
    asked = set(questions)
    return questions, [t for t in seen if t not in asked]


def batches(
    draw: random.Random, texts: tuple[list[str], list[str]], tokenizer: Tokenizer, size: int
) -> Iterator[Batch]:
    """Yield batches without end."""
    while True:
        yield batch(draw, texts, tokenizer, size)


def batch(
    draw: random.Random, texts: tuple[list[str], list[str]], tokenizer: Tokenizer, size: int
) -> Batch:
    """Return a batch of about `size` tokens in all.

    Texts are questions or runs of words; those of a batch have much the same length.
    """
    import torch

    questions, others = texts
    words = int(draw.lognormvariate(3.2, 0.7)) + 4
    lines = []
    for _ in range(size // 8):
        if draw.random() < QUERIES and questions and words < 40:
            lines.append(f"query: {draw.choice(questions)}")
            continue
        run = draw.choice(others).split()
        count = max(4, int(words * draw.uniform(0.8, 1.2)))
        start = draw.randrange(max(1, len(run) - count + 1))
        prefix = "query: " if draw.random() < 0.1 else "passage: "
        lines.append(prefix + " ".join(run[start : start + count]))
    ids = [e.ids for e in tokenizer.encode_batch_fast(lines)]
    # The lines just shorter than one drawn: little padding, and all lengths have their turn.
    ids.sort(key=len)
    end = draw.randrange(len(ids)) + 1
    count = max(1, size // len(ids[end - 1]))
    chosen = ids[max(0, end - count) : end]
    longest = len(chosen[-1])
    padded = torch.tensor([row + [1] * (longest - len(row)) for row in chosen])
    return Batch(padded, (padded != 1).long())


def loss_of(teacher: BertModel, student: BertModel, inputs: Batch) -> torch.Tensor:
    """Return the distance of the student's states from the teacher's.

    The last layer's squared error per number, relative to the variance of the teacher's states, a
    third of that of the layers before, and the pooled vectors' cosine distance ten times.
    """
    import torch

    ids, mask = inputs
    with torch.no_grad():
        goal = teacher(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    made = student(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    step = (len(goal.hidden_states) - 1) // (len(made.hidden_states) - 1)
    keep = mask.bool()
    parts = []
    for state, wanted in zip(made.hidden_states[1:], goal.hidden_states[step::step], strict=True):
        ours, theirs = state[keep].float(), wanted[keep].float()
        parts.append((ours - theirs).square().mean() / theirs.var())
    between = torch.stack(parts[:-1]).mean() if len(parts) > 1 else parts[-1] * 0
    cosine = (_pooled(made, mask) * _pooled(goal, mask)).sum(dim=1).mean()
    loss: torch.Tensor = parts[-1] + between / 3 + 10 * (1 - cosine)
    return loss


def train(
    sources: Sequence[Path], out: Path, minutes: float, *, half: bool, workers: int, size: int
) -> None:
    """Train until `minutes` have passed in all; for the rest see `Run.train`.

    `size` is the tokens of a batch.
    """
    import torch

    where = device()
    questions, others = texts_of(sources)
    log.info("%d questions, %d other texts, on %s", len(questions), len(others), where)
    torch.manual_seed(SEED)
    weights = shipped()
    tokenizer = pieces.tokenizer(weights.pieces, max_length=LONGEST)
    teacher = network.bert(weights).requires_grad_(requires_grad=False)
    student = network.bert(network.halved(weights))
    torch.nn.Module.to(teacher, where)
    torch.nn.Module.to(student, where)
    student.embeddings.requires_grad_(requires_grad=False)
    run = Run([student], peak=PEAK, betas=(0.9, 0.98), weight_decay=0.01)
    seen = (
        [q for i, q in enumerate(questions) if i % HELD_OUT],
        [t for i, t in enumerate(others) if i % HELD_OUT],
    )
    run.train(
        lambda draw: batches(draw, seen, tokenizer, size),
        lambda inputs: loss_of(teacher, student, inputs),
        out,
        minutes,
        seed=SEED,
        workers=workers,
        half=half,
    )
    left_out = (questions[::HELD_OUT], others[::HELD_OUT])
    kept = batches(random.Random(SEED), left_out, tokenizer, size)  # noqa: S311
    values: list[float] = []
    with torch.no_grad():
        for ids, mask in (to_device(next(kept), where) for _ in range(8)):
            ours = _pooled(student(input_ids=ids, attention_mask=mask), mask)
            theirs = _pooled(teacher(input_ids=ids, attention_mask=mask), mask)
            values += (ours * theirs).sum(dim=1).tolist()
    log.info("held out: cosine with the teacher %.5f", sum(values) / len(values))


def export(checkpoint: Path, out: Path, *, fp32: bool = False) -> None:
    """Write the student of a checkpoint as an int8 folder, or as an fp32 one for torch."""
    weights = shipped()
    student = network.bert(network.halved(weights))
    stored = load([student], checkpoint)
    made = network.from_bert(student, weights.pieces)
    (folder.write_torch if fp32 else folder.write_int8)(made, out)
    log.info("step %d, %.0f s of training: %s", stored["step"], stored["spent"], out)


def main() -> None:
    """Train or export, as the command line says."""
    parser = argparse.ArgumentParser(description="Distil 12 layers into 6")
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    training.add_argument("texts", type=Path, nargs="+")
    add_options(training, minutes=60, tokens=BATCH_TOKENS)
    training.add_argument("--bf16", action="store_true", help="autocast, for a GPU")
    exporting = commands.add_parser("export")
    exporting.add_argument("checkpoint", type=Path)
    exporting.add_argument("--out", type=Path, required=True)
    exporting.add_argument("--fp32", action="store_true", help=f"torch, not int8 as {SHIPPED}")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.command == "train":
        train(
            options.texts,
            options.out,
            options.minutes,
            half=options.bf16,
            workers=options.workers,
            size=options.tokens,
        )
    else:
        export(options.checkpoint, options.out, fp32=options.fp32)


def _pooled(output: Any, mask: torch.Tensor) -> torch.Tensor:
    import torch

    states = output.last_hidden_state.float() * mask.unsqueeze(-1)
    return torch.nn.functional.normalize(states.sum(dim=1), dim=-1)


if __name__ == "__main__":
    main()
