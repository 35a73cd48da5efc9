"""The encoder that ships with Recoupe: multilingual-e5-small in 8 bits on ONNX Runtime.

`e5-small-fr` is made by `training/`; see its model card. A passage goes through
the network once. Its vector is the mean of its token states; those of its
sentences are read from the same states (late chunking, Günther et al. 2024,
arXiv:2409.04701) by a linear map that was fitted to give what each sentence has
when it is embedded apart, under its title: the mean of its own last states alone
is coloured by the whole passage, and finds the sentence that answers less often.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.models.blas import single_threaded
from rag.models.embedding import (
    DEFAULT,
    CheckedEmbedder,
    Embedding,
    PassageText,
    Voice,
    unit_rows,
)
from rag.models.network import batches, shared

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.models.speakers import SpeakerHead

_QUESTION, _PASSAGE = "query: ", "passage: "


class _Encoded(NamedTuple):
    """A text as tokens: ids, and the span of each token in the text that was tokenised."""

    ids: list[int]
    offsets: list[tuple[int, int]]


class Encoder(CheckedEmbedder):
    """The network, loaded at its first use. Questions go before passages."""

    name = DEFAULT

    def __init__(self, folder: Path | None = None) -> None:
        """Take the folder of another `e5-small-fr.onnx`; default: the one shipped."""
        self._network = shared(folder, self.name)

    def embed_sentences(self, texts: Sequence[PassageText]) -> Embedding:
        """See `Embedder`: one pass through the network for a passage and its sentences."""
        import numpy as np

        if not texts:
            return Embedding(self.embed_passages([]), [])
        whole: list[Any] = [None] * len(texts)
        parts: list[Any] = [None] * len(texts)
        injections: list[list[bool]] = [[] for _ in texts]
        voices: list[list[Voice]] = [[] for _ in texts]
        head, speakers = self._injection_head, self._speaker_head
        with single_threaded():
            for at, states, offsets in self._passes(texts):
                spans = texts[at].sentences
                whole[at] = states[0].mean(axis=0)
                read = _described(states, offsets, spans)
                parts[at] = read @ self._map[:-1] + self._map[-1]
                if head:
                    injections[at] = (read @ head[0] + head[1] > 0).tolist()
                if speakers:
                    beside = np.concatenate(states, axis=1)
                    voices[at] = speakers.read(beside, offsets, spans, texts[at].text)
        vectors = unit_rows(np.stack(whole), len(texts), self.name)
        sentences = [
            # A passage of one sentence is that sentence.
            vectors[at : at + 1]
            if len(found) == 1
            else (unit_rows(found, len(found), self.name) if len(found) else vectors[:0])
            for at, found in enumerate(parts)
        ]
        return Embedding(
            vectors, sentences, injections if head else None, voices if speakers else None
        )

    def token_states(
        self, texts: Sequence[PassageText]
    ) -> Iterator[tuple[int, NDArray[np.float32], NDArray[np.int64]]]:
        """Yield, in no order, which passage, its tokens' states at all depths, and their spans.

        States are of shape (tokens, 5 x 384), the last first; spans count in the passage, below 0
        for what stands before it.
        """
        import numpy as np

        for at, states, offsets in self._passes(texts):
            yield at, np.concatenate(states, axis=1), offsets

    def described(
        self, texts: Sequence[PassageText]
    ) -> Iterator[tuple[int, tuple[NDArray[np.float32], NDArray[np.float32]]]]:
        """Yield, in no order, which passage, its mean state, and what its sentences are read from.

        The latter has a row a sentence: the means of its tokens' states at
        each of five depths, that of the passage's and that of its title's
        last states, of 384 numbers each.
        """
        for at, states, offsets in self._passes(texts):
            yield at, (states[0].mean(axis=0), _described(states, offsets, texts[at].sentences))

    def _passes(
        self, texts: Sequence[PassageText]
    ) -> Iterator[tuple[int, list[NDArray[np.float32]], NDArray[np.int64]]]:
        """Yield, in no order, which passage, its states at each depth, and its tokens' spans in it.

        Tokens before the passage have spans below 0.
        """
        import numpy as np

        plain = [t.text for t in texts]
        for at, states, encoded in self._states(plain, question=False, deep=True):
            yield at, states, np.array(encoded.offsets) - len(_PASSAGE)

    def _raw(self, texts: list[str], *, question: bool) -> Any:
        import numpy as np

        rows: list[Any] = [None] * len(texts)
        for at, states, _ in self._states(texts, question=question):
            rows[at] = states[0].mean(axis=0)
        return np.stack(rows)

    def _states(
        self, texts: Sequence[str], *, question: bool, deep: bool = False
    ) -> Iterator[tuple[int, list[NDArray[np.float32]], _Encoded]]:
        """Yield, in no order, (which text, its token states, tokens).

        States are arrays of shape (tokens, 384): the last alone, or, `deep`,
        then those of the layers before.
        """
        head = _QUESTION if question else _PASSAGE
        encoded = [
            _Encoded(e.ids, e.offsets)
            for e in self._network.tokenizer.encode_batch([head + text for text in texts])
        ]
        for batch in batches([len(e.ids) for e in encoded]):
            states = self._network.run(
                [encoded[at].ids for at in batch],
                None if deep else ["last_hidden_state"],
                urgent=question,
            )
            for row, at in enumerate(batch):
                yield at, [s[row, : len(encoded[at].ids)] for s in states], encoded[at]

    @cached_property
    def _map(self) -> NDArray[np.float32]:
        """What makes the vector of a sentence: shape (described numbers + 1, 384)."""
        import numpy as np

        with np.load(self._network.folder / "sentences.npz") as archive:
            found: NDArray[np.float32] = archive["map"].astype(np.float32)
        return found

    @cached_property
    def _speaker_head(self) -> SpeakerHead | None:
        """What tells who says each sentence; None in a folder without."""
        from rag.models.speakers import SpeakerHead

        path = self._network.folder / "speakers.npz"
        return SpeakerHead(path) if path.exists() else None

    @cached_property
    def _injection_head(self) -> tuple[NDArray[np.float32], float] | None:
        """What tells sentences that speak to a machine: slopes and intercept; None without."""
        import numpy as np

        path = self._network.folder / "injection.npz"
        if not path.exists():
            return None
        with np.load(path) as archive:
            return archive["slopes"], float(archive["intercept"])


def _described(
    states: Sequence[NDArray[np.float32]],
    offsets: NDArray[np.int64],
    spans: Sequence[tuple[int, int]],
) -> NDArray[np.float32]:
    """Return what sentences are read from, see `Encoder.described`.

    `spans` are theirs in the text, `offsets` those of the tokens. One without a token
    (past what the network takes) has the means of the passage.
    """
    import numpy as np

    starts, ends = offsets[:, 0], offsets[:, 1]
    whole = [s.mean(axis=0) for s in states]
    first = min((a for a, _ in spans), default=0)
    above = (ends <= first) & (ends > starts)
    title = states[0][above].mean(axis=0) if above.any() else np.zeros_like(whole[0])
    rows = []
    for a, b in spans:
        own = (starts >= a) & (ends <= b) & (ends > starts)
        means = [s[own].mean(axis=0) for s in states] if own.any() else whole
        rows.append(np.concatenate([*means, whole[0], title]))
    width = (len(states) + 2) * states[0].shape[1]
    return np.array(rows, dtype=np.float32).reshape(len(spans), width)
