"""The comparer that ships with Recoupe: does what is said follow from sentences, or is it denied.

`comparer-fr` is made by `training/`; see its model card. The network reads what is said and what
is shown together, as readers of natural language inference do (Devlin et al. 2019, section 4.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.models.embedding import encodable
from rag.models.network import batches, shared

NAME = "comparer-fr"


@dataclass(frozen=True, slots=True)
class Compared:
    """The probabilities, in [0, 1], that something follows from sentences, or is against them.

    They are the network's own, not calibrated; what is left is that of neither.
    """

    follows: float
    against: float


class Comparer:
    """The network, loaded at its first use."""

    name = "recoupe (modèle intégré)"

    def __init__(self, folder: Path | None = None) -> None:
        """Take the folder of another `NAME.onnx`; default: the one shipped."""
        self._network = shared(folder, NAME)

    def compare(self, pairs: Sequence[tuple[str, str]]) -> list[Compared]:
        """Return what is told of pairs of what is said and what is shown, in order.

        Raises EmbeddingError.
        """
        import numpy as np

        if not pairs:
            return []
        tokens = self._network.tokenizer.encode_batch(
            [(encodable(a), encodable(b)) for a, b in pairs]
        )
        found: dict[int, Compared] = {}
        for batch in batches([len(t.ids) for t in tokens]):
            (logits,) = self._network.run(
                [tokens[at].ids for at in batch], ["stances"], urgent=True
            )
            shares = np.exp(logits - np.logaddexp.reduce(logits, axis=1)[:, None])
            for at, (follows, _, against) in zip(batch, shares.tolist(), strict=True):
                found[at] = Compared(follows, against)
        return [found[at] for at in range(len(pairs))]
