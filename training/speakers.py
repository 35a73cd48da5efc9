"""Trains the head that tells who says each sentence, over the states of the shipped encoder.

    python -m training.speakers train ../shared/data --out /tmp/speakers --minutes 10
    python -m training.speakers export /tmp/speakers/last.pt ../shared/data

The encoder stays as it is: its states of the written passages (`written/passages.jsonl` and those
of `training/passages.jsonl.gz`) are computed once, each passage in several variants: as it is, then
with its first or last sentences, its title or the kind of its quotation marks changed. The targets
are what kind each sentence is, and every place of its passage that names who speaks (their
probabilities add up). `export` writes `speakers.npz` beside the encoder and measures it on the
passages that are held out; `recoupe eval attribution` does on press.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rag.evaluation.attribution_scores import comparable_name
from rag.french.words import lowered
from rag.models.embedding import PassageText
from rag.models.encoder import Encoder
from rag.models.speakers import (
    ELSEWHERE,
    HEADS,
    OUTSIDE,
    distances,
    token_roles,
)
from training.run import Run, add_options, grouped
from training.weights import SHIPPED
from training.written_examples import MORE, passages, spans_of, text_of

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

WRITTEN = Path("written") / "passages.jsonl"
OUT = SHIPPED / "speakers.npz"
KINDS = {"fact": 0, "statement": 1, "hearsay": 2}
WIDTH, LAYERS, DROPPED = 192, 2, 0.15
VARIANTS = 3
REQUOTED, UNTITLED = 0.4, 0.5  # shares of the variants but the first
POINTING = 0.5  # of the loss
BATCH_TOKENS, POOL = 3600, 240
PEAK, DECAY, SEED = 6e-4, 0.02, 20
log = logging.getLogger("training")


@dataclass(frozen=True)
class Example:
    """A passage encoded: `states` float16 of shape (tokens, numbers), and what is right of it.

    `what` and `sentence` are as `placed` gives them; `kinds` has one of `KINDS` a sentence, `names`
    the (first, last) tokens of every mention of who says it, None where it is not to be learned.
    """

    states: NDArray[np.float16]
    what: NDArray[np.int64]
    sentence: NDArray[np.int64]
    kinds: tuple[int, ...]
    names: tuple[tuple[tuple[int, int], ...] | None, ...]


class Batch(NamedTuple):
    """Tensors of passages: (n, tokens, …), (n, sentences, tokens) and (n, sentences)."""

    states: torch.Tensor
    what: torch.Tensor
    mask: torch.Tensor
    member: torch.Tensor
    apart: torch.Tensor
    kinds: torch.Tensor  # -100: no sentence
    starts: torch.Tensor
    ends: torch.Tensor


def variant(
    draw: random.Random, row: dict[str, Any], *, first: bool
) -> tuple[PassageText, Sequence[dict[str, Any]]]:
    """Return a passage as it is embedded, and its sentences; changed unless it is the `first`."""
    whole, spans, told = text_of(row), spans_of(row), row["sentences"]
    title, low, high = row["title"], 0, len(told)
    if not first:
        title = "" if draw.random() < UNTITLED else title
        if len(told) > 4:
            low, high = draw.choice((0, 1, 2, 3)), high - draw.choice((0, 0, 1, 2))
        if draw.random() < REQUOTED:
            whole, spans = requoted(whole, spans)
    head = f"{title}\n" if title else ""
    at = spans[low][0]
    text = head + whole[at : spans[high - 1][1]]
    shift = len(head) - at
    moved = tuple((a + shift, b + shift) for a, b in spans[low:high])
    return PassageText(text, moved, title), told[low:high]


def requoted(text: str, spans: Sequence[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    """Return a text with quotation marks of the other kind, and where its sentences are then."""
    if "«" in text:
        change = [(m.span(), '"') for m in re.finditer(r"«\s?|\s?»", text)]
    else:
        marks = ("«\u00a0", "\u00a0»")
        change = [(m.span(), marks[at % 2]) for at, m in enumerate(re.finditer('"', text))]
    made, done, moves = "", 0, []
    for (a, b), mark in change:
        made += text[done:a] + mark
        done = b
        moves.append((b, len(made) - b))

    def moved(at: int) -> int:
        return at + next((by for end, by in reversed(moves) if end <= at), 0)

    return made + text[done:], [(moved(a), moved(b)) for a, b in spans]


def encoded(encoder: Encoder, rows: Sequence[dict[str, Any]], variants: int) -> list[Example]:
    """Return written passages, each in several variants, with the encoder's states of them."""
    draw = random.Random(SEED)  # noqa: S311
    made = [variant(draw, r, first=n == 0) for r in rows for n in range(variants)]
    found: list[Any] = [None] * len(made)
    for at, states, offsets in encoder.token_states([text for text, _ in made]):
        text, told = made[at]
        what, sentence = token_roles(offsets, text.sentences, text.sentences[0][0])
        found[at] = Example(
            states.astype(np.float16),
            what,
            sentence,
            tuple(KINDS[s["kind"]] for s in told),
            tuple(_names(text.text, offsets, s) for s in told),
        )
    return found


def _names(
    text: str, offsets: NDArray[np.int64], sentence: dict[str, Any]
) -> tuple[tuple[int, int], ...] | None:
    """Return the tokens that name who says a sentence; the first where nobody is known."""
    if sentence["kind"] != "statement" and not sentence["speaker"]:
        return None
    if not sentence["speaker"]:
        return ((0, 0),)
    low, begins, ends = lowered(text), offsets[:, 0], offsets[:, 1]
    found = []
    exact = lowered(sentence["speaker"]).strip(" .,")
    for name in (exact, comparable_name(exact)):
        for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", low):
            a, b = match.span()
            inside = np.flatnonzero((begins < b) & (ends > a) & (ends > begins) & (begins >= 0))
            if len(inside):
                found.append((int(inside[0]), int(inside[-1])))
        if found:
            break
    return tuple(found) or None


def head_module(numbers: int) -> Any:
    """Return the network to train; see `SpeakerHead`, which computes the same."""
    import torch
    from torch import nn

    class Head(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.proj = nn.LayerNorm(numbers), nn.Linear(numbers, WIDTH)
            self.flags = nn.Embedding(3, WIDTH)
            self.layers = nn.ModuleList(
                nn.TransformerEncoderLayer(
                    WIDTH, HEADS, 2 * WIDTH, DROPPED, "relu", batch_first=True, norm_first=True
                )
                for _ in range(LAYERS)
            )
            self.out, self.att = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 1)
            self.kind = nn.Sequential(nn.Linear(2 * WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 3))
            self.q, self.k = nn.Linear(2 * WIDTH, 2 * WIDTH), nn.Linear(WIDTH, 2 * WIDTH)
            self.bias = nn.Embedding(ELSEWHERE + 1, 2)

        def forward(self, batch: Batch) -> tuple[torch.Tensor, ...]:
            hidden = self.proj(self.norm(batch.states)) + self.flags(batch.what)
            for layer in self.layers:
                hidden = layer(hidden, src_key_padding_mask=~batch.mask)
            hidden = self.out(hidden).float()
            weights = self.att(hidden).squeeze(-1)[:, None, :].masked_fill(~batch.member, -1e4)
            member = batch.member.float()
            mean = (member / member.sum(-1, keepdim=True).clamp(min=1)) @ hidden
            about = torch.cat([weights.softmax(-1) @ hidden, mean], -1)
            keys, asked, bias = self.k(hidden), self.q(about), self.bias(batch.apart)
            parts = (slice(WIDTH), slice(WIDTH, None))
            starts, ends = (
                (
                    asked[..., part] @ keys[..., part].transpose(1, 2) / math.sqrt(WIDTH)
                    + bias[..., at]
                ).masked_fill(~batch.mask[:, None, :], -1e4)
                for at, part in enumerate(parts)
            )
            return self.kind(about), starts, ends

    return Head()


def batched(found: Sequence[Example]) -> Batch:
    """Return examples as one batch."""
    import torch

    tokens, most = max(len(e.what) for e in found), max(len(e.kinds) for e in found)
    n = len(found)
    states = np.zeros((n, tokens, found[0].states.shape[1]), dtype=np.float32)
    what = np.full((n, tokens), OUTSIDE)
    mask = np.zeros((n, tokens), dtype=bool)
    member, starts, ends = (np.zeros((n, most, tokens), dtype=bool) for _ in range(3))
    apart = np.full((n, most, tokens), ELSEWHERE)
    kinds = np.full((n, most), -100)
    for at, one in enumerate(found):
        size, count = len(one.what), len(one.kinds)
        states[at, :size], what[at, :size], mask[at, :size] = one.states, one.what, True
        member[at, :count, :size] = one.sentence[None] == np.arange(count)[:, None]
        apart[at, :count, :size] = distances(one.sentence, count)
        seen = np.any(member[at, :count], axis=1)  # of what the network takes
        kinds[at, :count][seen] = np.array(one.kinds)[seen]
        for s, names in enumerate(one.names):
            for first, last in names or ():
                starts[at, s, first] = ends[at, s, last] = bool(seen[s])
    made = map(torch.from_numpy, (states, what, mask, member, apart, kinds, starts, ends))
    return Batch(*made)


def loss_of(said: tuple[torch.Tensor, ...], batch: Batch) -> torch.Tensor:
    """Return the cross-entropy of kinds, and that of all the right places of names together."""
    import torch
    from torch.nn import functional

    kinds, starts, ends = said
    loss = functional.cross_entropy(kinds.flatten(0, 1).float(), batch.kinds.flatten())
    known = batch.starts.any(-1)
    for logits, right in ((starts, batch.starts), (ends, batch.ends)):
        likely = logits[known].float().log_softmax(-1).masked_fill(~right[known], -1e4)
        loss = loss - POINTING * torch.logsumexp(likely, -1).mean()
    return loss


def train(shared: Path, out: Path, minutes: float, *, size: int, variants: int = VARIANTS) -> None:
    """Train until `minutes` have passed in all; for the rest see `Run.train`."""
    import torch

    rows = passages(shared / WRITTEN, MORE, measuring=False)
    examples = encoded(Encoder(), rows, variants)
    torch.manual_seed(SEED)
    head = head_module(examples[0].states.shape[1])
    head.train()
    log.info("%d examples, %d weights", len(examples), sum(p.numel() for p in head.parameters()))

    def make(draw: random.Random) -> Iterator[Batch]:
        found = grouped(draw, lambda: draw.choice(examples), lambda e: len(e.what), size, POOL)
        return map(batched, found)

    run = Run([head], peak=PEAK, weight_decay=DECAY)
    run.train(make, lambda batch: loss_of(head(batch), batch), out, minutes, seed=SEED)


def export(checkpoint: Path, out: Path = OUT) -> None:
    """Write the weights of a checkpoint, in float16, for `SpeakerHead`."""
    import torch

    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["modules"][0]
    np.savez(out, **{name: t.numpy().astype(np.float16) for name, t in state.items()})


def measure(shared: Path) -> dict[str, Any]:
    """Return what the shipped head reaches on the passages held out.

    `kind` is macro-F1 over the three; `speaker` the share of statements with a known speaker that
    are told to be one, and his.
    """
    from sklearn.metrics import f1_score

    encoder = Encoder()
    rows = passages(shared / WRITTEN, measuring=True)
    draw = random.Random(SEED)  # noqa: S311
    made = [variant(draw, r, first=True) for r in rows]
    voices = encoder.embed_sentences([text for text, _ in made]).voices or []
    told = [s for _, sentences in made for s in sentences]
    said = [voice for of in voices for voice in of]
    kinds = [KINDS[s["kind"]] for s in told]
    found = [int(np.argmax(voice[:3])) for voice in said]
    named = [
        kind == 1 and comparable_name(voice.speaker) == comparable_name(s["speaker"])
        for s, voice, kind in zip(told, said, found, strict=True)
        if s["kind"] == "statement" and s["speaker"]
    ]
    return {
        "sentences": len(told),
        "kind": round(float(f1_score(kinds, found, average="macro")), 3),
        "speaker": round(float(np.mean(named)), 3),
        "statements": len(named),
    }


def main() -> None:
    """Train, or write and measure, as the command line says."""
    parser = argparse.ArgumentParser(description="Train who says what")
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train")
    training.add_argument("shared", type=Path)
    add_options(training, minutes=10, tokens=BATCH_TOKENS)
    training.add_argument("--variants", type=int, default=VARIANTS, help="of each passage")
    exporting = commands.add_parser("export")
    exporting.add_argument("checkpoint", type=Path)
    exporting.add_argument("shared", type=Path)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.command == "train":
        train(
            options.shared,
            options.out,
            options.minutes,
            size=options.tokens,
            variants=options.variants,
        )
    else:
        export(options.checkpoint)
        log.info("%s", json.dumps(measure(options.shared)))


if __name__ == "__main__":
    main()
