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
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training import folder, network, pieces
from training.run import Run, load
from training.weights import SHIPPED, shipped

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer
    from transformers import BertModel

    from training.network import Weights

    Batch = tuple[torch.Tensor, torch.Tensor]

SEED = 20
BATCH_TOKENS = 2048
LONGEST = 192  # tokens
QUERIES = 0.3  # share of texts read as questions
PEAK = 5e-4
WARM_UP = 0.03  # share of the time
HELD_OUT = 25  # one text in so many only measures
CHECKPOINT_SECONDS = 240.0
LOG_STEPS = 20

log = logging.getLogger("training")


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


def batch(draw: random.Random, texts: tuple[list[str], list[str]], tokenizer: Tokenizer) -> Batch:
    """Return ids and mask, int64 of shape (texts, tokens), of about BATCH_TOKENS in all.

    Texts are questions or runs of words; those of a batch have much the same length.
    """
    import torch

    questions, others = texts
    words = int(draw.lognormvariate(3.2, 0.7)) + 4
    lines = []
    for _ in range(BATCH_TOKENS // 8):
        if draw.random() < QUERIES and questions and words < 40:
            lines.append(f"query: {draw.choice(questions)}")
            continue
        run = draw.choice(others).split()
        size = max(4, int(words * draw.uniform(0.8, 1.2)))
        start = draw.randrange(max(1, len(run) - size + 1))
        prefix = "query: " if draw.random() < 0.1 else "passage: "
        lines.append(prefix + " ".join(run[start : start + size]))
    ids = [e.ids for e in tokenizer.encode_batch_fast(lines)]
    # The lines just shorter than one drawn: little padding, and all lengths have their turn.
    ids.sort(key=len)
    end = draw.randrange(len(ids)) + 1
    count = max(1, BATCH_TOKENS // len(ids[end - 1]))
    chosen = ids[max(0, end - count) : end]
    longest = len(chosen[-1])
    padded = torch.tensor([row + [1] * (longest - len(row)) for row in chosen])
    return padded, (padded != 1).long()


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


def train(sources: Sequence[Path], out: Path, minutes: float, *, half: bool) -> None:
    """Train until `minutes` have passed in all; `out` gets `last.pt`, as often as every 4 minutes.

    `half` computes in bf16 where torch deems it safe.
    """
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    out.mkdir(parents=True, exist_ok=True)
    questions, others = texts_of(sources)
    log.info("%d questions, %d other texts, on %s", len(questions), len(others), device)
    run = _Run(shipped(), device)
    run.resume(out / "last.pt")
    seen = (
        [q for i, q in enumerate(questions) if i % HELD_OUT],
        [t for i, t in enumerate(others) if i % HELD_OUT],
    )
    kept = (questions[::HELD_OUT], others[::HELD_OUT])
    held = [batch(random.Random(seed), kept, run.tokenizer) for seed in range(8)]  # noqa: S311
    whole = minutes * 60
    saved, tokens, total = run.spent, 0, 0.0
    while run.spent < whole:
        began = time.monotonic()
        inputs = batch(run.draw, seen, run.tokenizer)
        total += run.learn(inputs, run.spent / whole, half=half)
        tokens += int(inputs[1].sum())
        run.spent += time.monotonic() - began
        if run.step % LOG_STEPS == 0:
            log.info(
                "step %d, %.0f s, loss %.4f, %d tokens",
                run.step, run.spent, total / LOG_STEPS, tokens,
            )  # fmt: skip
            tokens, total = 0, 0.0
        if run.spent - saved > CHECKPOINT_SECONDS or run.spent >= whole:
            saved = run.spent
            run.save(out / "last.pt")
            log.info("held out: cosine with the teacher %.5f", run.cosine(held))


class _Run(Run):
    """The two networks and what must outlive an interruption."""

    def __init__(self, weights: Weights, device: str) -> None:
        import torch

        torch.manual_seed(SEED)
        self.tokenizer = pieces.tokenizer(weights.pieces, max_length=LONGEST)
        self.device = device
        self.teacher = network.bert(weights).requires_grad_(requires_grad=False)
        self.student = network.bert(network.halved(weights))
        torch.nn.Module.to(self.teacher, device)
        torch.nn.Module.to(self.student, device)
        self.student.embeddings.requires_grad_(requires_grad=False)
        super().__init__([self.student], SEED, lr=PEAK, betas=(0.9, 0.98), weight_decay=0.01)

    def learn(self, inputs: Batch, done: float, *, half: bool) -> float:
        """Take one step, `done` of the whole time having passed; return the loss."""
        import torch

        with torch.autocast(self.device, torch.bfloat16, enabled=half):
            loss = loss_of(self.teacher, self.student, self._here(inputs))
        return self.update(loss, PEAK * min(done / WARM_UP + 0.02, 1.0) * max(0.02, 1 - done))

    def cosine(self, batches: Sequence[Batch]) -> float:
        """Return the mean cosine of the pooled vectors of both, in fp32."""
        import torch

        values: list[float] = []
        with torch.no_grad():
            for ids, mask in map(self._here, batches):
                ours = _pooled(self.student(input_ids=ids, attention_mask=mask), mask)
                theirs = _pooled(self.teacher(input_ids=ids, attention_mask=mask), mask)
                values += (ours * theirs).sum(dim=1).tolist()
        return sum(values) / len(values)

    def _here(self, inputs: Batch) -> Batch:
        return inputs[0].to(self.device), inputs[1].to(self.device)


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
    training.add_argument("--out", type=Path, required=True)
    training.add_argument("--minutes", type=float, default=60)
    training.add_argument("--bf16", action="store_true", help="autocast, for a GPU")
    exporting = commands.add_parser("export")
    exporting.add_argument("checkpoint", type=Path)
    exporting.add_argument("--out", type=Path, required=True)
    exporting.add_argument("--fp32", action="store_true", help=f"torch, not int8 as {SHIPPED}")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.command == "train":
        train(options.texts, options.out, options.minutes, half=options.bf16)
    else:
        export(options.checkpoint, options.out, fp32=options.fp32)


def _pooled(output: Any, mask: torch.Tensor) -> torch.Tensor:
    import torch

    states = output.last_hidden_state.float() * mask.unsqueeze(-1)
    return torch.nn.functional.normalize(states.sum(dim=1), dim=-1)


if __name__ == "__main__":
    main()
