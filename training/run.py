"""A training run that goes on where it was interrupted."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import torch

log = logging.getLogger("training")


class Run:
    """What is learned, and what else must outlive an interruption.

    `spent` counts seconds, `step` updates; `draw` is the source of chance.
    """

    def __init__(self, modules: Sequence[torch.nn.Module], seed: int, **optimizer: Any) -> None:
        """Take the modules that learn, and the settings of AdamW."""
        import torch

        self.modules = modules
        self.draw = random.Random(seed)  # noqa: S311
        self.learned = [p for m in modules for p in m.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.learned, **optimizer)
        self.spent, self.step = 0.0, 0

    def update(self, loss: torch.Tensor, rate: float) -> float:
        """Take one step down a loss; return it."""
        import torch

        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.learned, 1.0)
        self.optimizer.step()
        self.step += 1
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Write a checkpoint; one that is there stays until the new one is whole."""
        import torch

        state = {
            "modules": [m.state_dict() for m in self.modules],
            "optimizer": self.optimizer.state_dict(),
            "spent": self.spent,
            "step": self.step,
            "draw": self.draw.getstate(),
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
        self.draw.setstate(stored["draw"])
        log.info("goes on from step %d, %.0f s", self.step, self.spent)


def load(modules: Sequence[torch.nn.Module], path: Path) -> dict[str, Any]:
    """Put the weights of a checkpoint into modules; return all that it holds."""
    import torch

    # A checkpoint of one's own: the state of the random draw is a tuple, not a tensor.
    stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
    for module, state in zip(modules, stored["modules"], strict=True):
        module.load_state_dict(state)
    return stored
