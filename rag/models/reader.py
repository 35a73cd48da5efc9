"""The reader that ships with Recoupe: how well each sentence of a passage answers a question.

`reader-fr` is made by `training/`; see its model card. The network reads question and passage
together; for each token it tells whether the answer begins or ends there (Devlin et al. 2019,
section 4.3), and for the passage whether it answers at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rag.models.embedding import encodable
from rag.models.network import batches, shared

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Encoding

    from rag.models.embedding import PassageText

NAME = "reader-fr"


@dataclass(frozen=True, slots=True)
class Read:
    """What the reader says of a passage; log-odds, higher for better.

    `answers` is for the whole; `sentences` has, for each sentence, how much likelier it is
    to hold the answer than no sentence is, and `spans` the words of it that answer best,
    `[start, end)` in the text that was read; None where the network takes no word of it.
    """

    answers: float
    sentences: tuple[float, ...]
    spans: tuple[tuple[int, int] | None, ...] = ()

    def or_likelier(self, other: Read) -> Read:
        """Return, sentence by sentence, the likelier of two readings of one passage."""
        better = [theirs > own for own, theirs in zip(self.sentences, other.sentences, strict=True)]
        return Read(
            max(self.answers, other.answers),
            tuple(map(max, self.sentences, other.sentences)),
            tuple(
                theirs if likelier else own
                for likelier, own, theirs in zip(better, self.spans, other.spans, strict=True)
            ),
        )


class Reader:
    """The network, loaded at its first use."""

    def __init__(self, folder: Path | None = None) -> None:
        """Take the folder of another `NAME.onnx`; default: the one shipped."""
        self._network = shared(folder, NAME)

    def read(self, question: str, passages: Sequence[PassageText]) -> list[Read]:
        """Return what is said of each passage. Raises EmbeddingError."""
        return self.read_each([question] * len(passages), passages)

    def read_each(self, questions: Sequence[str], passages: Sequence[PassageText]) -> list[Read]:
        """Return what is said of each passage, asked a question of its own.

        Raises EmbeddingError.
        """
        if not passages:
            return []
        pairs = [
            (encodable(q), encodable(p.text)) for q, p in zip(questions, passages, strict=True)
        ]
        tokens = self._network.tokenizer.encode_batch(pairs)
        found: list[Read | None] = [None] * len(passages)
        for batch in batches([len(t.ids) for t in tokens]):
            spans, answers = self._network.run(
                [tokens[at].ids for at in batch], ["spans", "answers"], urgent=True
            )
            for row, at in enumerate(batch):
                answer = float(answers[row][0])
                found[at] = of_sentences(tokens[at], spans[row], answer, passages[at].sentences)
        return [read for read in found if read is not None]


def of_sentences(
    tokens: Encoding,
    spans: NDArray[np.float32],
    answers: float,
    sentences: Sequence[tuple[int, int]],
) -> Read:
    """Return what the network's numbers say of a passage and its sentences.

    `spans` are logits of shape (tokens, 2), `answers` is that of the whole. A sentence has the
    log-odds that the answer begins or ends there against none; one without a token (past what the
    network takes) the least of all.
    """
    import numpy as np

    of = [n for n, s in enumerate(tokens.sequence_ids) if s == 1]
    starts = np.array([tokens.offsets[n][0] for n in of])
    ends = np.array([tokens.offsets[n][1] for n in of])
    inside, none = spans[of], spans[0]
    found: list[float] = []
    words: list[tuple[int, int] | None] = []
    for a, b in sentences:
        own = (starts < b) & (ends > a)
        if not own.any():
            found.append(-np.inf)
            words.append(None)
            continue
        mass = np.logaddexp.reduce(inside[own], axis=0) - none
        found.append(float(mass.mean()))
        first, last = _best(inside[own])
        words.append((max(a, int(starts[own][first])), min(b, int(ends[own][last]))))
    least = min((f for f in found if np.isfinite(f)), default=0.0)
    return Read(answers, tuple(f if np.isfinite(f) else least for f in found), tuple(words))


def _best(logits: NDArray[np.float32]) -> tuple[int, int]:
    """Return the first and the last token of the likeliest answer, of logits (tokens, 2)."""
    import numpy as np

    both = logits[:, :1] + logits[:, 1]
    both = np.where(np.triu(np.ones_like(both)) > 0, both, -np.inf)
    first, last = np.unravel_index(int(both.argmax()), both.shape)
    return int(first), int(last)
