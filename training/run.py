"""A training run that goes on where it was interrupted."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from argparse import ArgumentParser

    import torch

CHECKPOINT_SECONDS = 300.0
LONGEST_STEP = 20.0  # seconds; a longer one was suspended
LOG_STEPS = 20
WARM_UP = 0.04  # share of the time
LEAST = 0.01  # of the peak, at the end

# A batch is a NamedTuple of tensors.
Batch = TypeVar("Batch", bound=tuple[Any, ...])
Sample = TypeVar("Sample")
log = logging.getLogger("training")


def device() -> str:
    """Return where to compute: a GPU where there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def half_is_fast(where: str) -> bool:
    """Return whether a device multiplies bf16 in hardware; without it fp32 is many times faster."""
    import torch

    if where != "cpu":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def to_device(batch: Batch, where: str) -> Batch:
    """Return a batch with its tensors on a device."""
    return type(batch)(*(t.to(where, non_blocking=True) for t in batch))


def add_options(parser: ArgumentParser, *, minutes: float, tokens: int) -> None:
    """Add what every training asks for to its command line; the numbers are defaults."""
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--tokens", type=int, default=tokens, help="of a batch")
    parser.add_argument("--workers", type=int, default=0, help="processes that make batches")


def grouped(
    draw: random.Random,
    made: Callable[[], Sample],
    tokens_of: Callable[[Sample], int],
    size: int,
    pool: int,
) -> Iterator[list[Sample]]:
    """Yield groups of samples without end, each of about one length and of about `size` tokens.

    `pool` samples are drawn and sorted at a time; padding counts as tokens.
    """
    while True:
        groups: list[list[Sample]] = [[]]
        for one in sorted((made() for _ in range(pool)), key=tokens_of, reverse=True):
            longest = tokens_of(groups[-1][0]) if groups[-1] else 0
            if longest * (len(groups[-1]) + 1) > size:
                groups.append([])
            groups[-1].append(one)
        draw.shuffle(groups)
        yield from groups


class Run:
    """What is learned, and what else must outlive an interruption.

    `spent` counts seconds, `step` updates.
    """

    def __init__(
        self, modules: Sequence[torch.nn.Module], *, peak: float, **optimizer: Any
    ) -> None:
        """Take the modules that learn, the highest learning rate, other settings of AdamW."""
        import torch

        self.modules, self.peak = modules, peak
        self.learned = [p for m in modules for p in m.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.learned, lr=peak, fused=True, **optimizer)
        self.spent, self.step = 0.0, 0

    def train(
        self,
        make: Callable[[random.Random], Iterator[Batch]],
        loss_of: Callable[[Batch], torch.Tensor],
        out: Path,
        minutes: float,
        *,
        seed: int,
        workers: int = 0,
        half: bool = True,
        until: float | None = None,
    ) -> None:
        """Train until `minutes` have passed in all; `out/last.pt` is written every 5 minutes.

        With `until` it stops after so many of them, to be gone on from in another way.

        `make` yields batches without end from a source of chance; `workers` processes do it beside
        the training. `half` computes in bf16 where torch deems it safe and the device has it. The
        rate rises in the first hundredths of the time and falls to its end.
        """
        import torch

        where = device()
        half = half and half_is_fast(where)
        out.mkdir(parents=True, exist_ok=True)
        self.resume(out / "last.pt")
        whole, saved, total = minutes * 60, self.spent, torch.zeros((), device=where)
        end = whole if until is None else min(whole, until * 60)
        began = time.monotonic()
        for batch in _stream(make, f"{seed} {self.step}", workers):
            with torch.autocast(where, torch.bfloat16, enabled=half):
                loss = loss_of(to_device(batch, where))
            total += self._update(loss, self.spent / whole)
            if self.step % LOG_STEPS == 0:
                mean = float(total) / LOG_STEPS  # waits for the device
                log.info("step %d, %.0f s, loss %.4f", self.step, self.spent, mean)
                total.zero_()
            now = time.monotonic()
            self.spent += min(now - began, LONGEST_STEP)
            began = now
            if self.spent - saved > CHECKPOINT_SECONDS or self.spent >= end:
                saved = self.spent
                self.save(out / "last.pt")
            if self.spent >= end:
                break

    def _update(self, loss: torch.Tensor, done: float) -> torch.Tensor:
        """Take one step down a loss, `done` of the time having passed; return the loss."""
        import torch

        for group in self.optimizer.param_groups:
            group["lr"] = self.peak * min(done / WARM_UP + 0.02, 1.0) * max(LEAST, 1 - done)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.learned, 1.0)
        self.optimizer.step()
        self.step += 1
        return loss.detach()

    def save(self, path: Path) -> None:
        """Write a checkpoint; one that is there stays until the new one is whole."""
        import torch

        state = {
            "modules": [m.state_dict() for m in self.modules],
            "optimizer": self.optimizer.state_dict(),
            "spent": self.spent,
            "step": self.step,
        }
        torch.save(state, path.with_suffix(".next"))
        path.with_suffix(".next").replace(path)

    def resume(self, path: Path) -> None:
        """Go on from the checkpoint, if there is one."""
        if not path.exists():
            return
        stored = load(self.modules, path)
        self.optimizer.load_state_dict(stored["optimizer"])
        self.spent, self.step = stored["spent"], stored["step"]
        log.info("goes on from step %d, %.0f s", self.step, self.spent)


def load(modules: Sequence[torch.nn.Module], path: Path) -> dict[str, Any]:
    """Put the weights of a checkpoint into modules; return all that it holds."""
    import torch

    stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    for module, state in zip(modules, stored["modules"], strict=True):
        module.load_state_dict(state)
    return stored


def _stream(
    make: Callable[[random.Random], Iterator[Batch]], seed: str, workers: int
) -> Iterator[Batch]:
    """Yield what `make` does; each process has chances of its own."""
    from torch.utils.data import DataLoader, IterableDataset, get_worker_info

    class Stream(IterableDataset[Batch]):
        def __iter__(self) -> Iterator[Batch]:
            info = get_worker_info()
            return make(random.Random(f"{seed} {info.id if info else 0}"))  # noqa: S311

    return iter(DataLoader(Stream(), batch_size=None, num_workers=workers))
