"""Who says each sentence of a passage, read from the states that its one pass left.

A small transformer over those states, trained by `training/speakers.py`: of each sentence it gives
how likely it is the newsroom's, somebody's words or hearsay, and it points at the words of the
passage that name who speaks (a pointer network, Vinyals et al. 2015, arXiv:1506.03134), so that
« il » leads to a name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rag.french import names
from rag.models.embedding import Voice

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rag.french.sentences import Span

    Array = NDArray[np.float32]

HEADS = 4
# What a token is: of a sentence, of the title, or neither.
ORDINARY, TITLE, OUTSIDE = range(3)
NEAREST, FARTHEST = -2, 7  # sentences from a token's to the one that is read; beyond, alike
ELSEWHERE = FARTHEST - NEAREST + 1  # the distance of a token that is of no sentence
_LONGEST_NAME = 24  # tokens of a name
_SPOKEN_PROBABILITY = 0.2  # probability of words of somebody from which who speaks is looked for
_EDGES = ' \u00a0\u202f\n,;:.!?«»“”"()—–-'
_CIVILITY = re.compile(rf"\b{names.TITLE}\s*\Z")  # is part of a name
_CIVILITY_LENGTH = 6  # characters of one
# What is told of somebody beside his name.
_BESIDE = re.compile(
    r",?\s+(?:que|qui|dont|où|lors|avant|après)\b.*|,?\s+(?:qu['’]|«).*", re.DOTALL
)
_EPSILON = 1e-5  # as torch's LayerNorm


def token_roles(
    offsets: NDArray[np.int64], spans: Sequence[Span], start: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what each token is, and the number of its sentence, below 0 for none.

    `offsets` of shape (tokens, 2) and `spans` count in the same text, whose title ends before
    `start`.
    """
    begins, ends = offsets[:, 0], offsets[:, 1]
    real = ends > begins
    sentence = np.full(len(offsets), -1)
    for at, (a, b) in enumerate(spans):
        sentence[real & (begins >= a) & (ends <= b)] = at
    what = np.full(len(offsets), OUTSIDE)
    what[sentence >= 0] = ORDINARY
    what[real & (begins >= 0) & (ends <= start)] = TITLE
    return what, sentence


def distances(sentence: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return how far each token's sentence is from each of `count`: shape (count, tokens)."""
    apart = np.clip(np.arange(count)[:, None] - sentence[None, :], NEAREST, FARTHEST) - NEAREST
    return np.where(sentence[None, :] >= 0, apart, ELSEWHERE)


def pointed(
    starts: Array, ends: Array, segments: NDArray[np.int64]
) -> tuple[tuple[int, int] | None, float]:
    """Return the tokens, first and last, that two rows of log-probabilities point at, and theirs.

    None where they point at the first token: nobody is named. A name stays in one segment.
    """
    best, found = float(starts[0] + ends[0]), None
    size = len(starts)
    for length in range(min(_LONGEST_NAME, size - 1)):
        whole = starts[1 : size - length] + ends[1 + length :]
        whole = np.where(segments[1 : size - length] == segments[1 + length :], whole, -np.inf)
        at = int(whole.argmax())
        if whole[at] > best:
            best, found = float(whole[at]), (1 + at, 1 + at + length)
    return found, best


class SpeakerHead:
    """The trained weights of a file, by the names that torch gives them."""

    def __init__(self, path: Path) -> None:
        """Load them; raises OSError, KeyError for another file."""
        with np.load(path) as archive:
            self._w = {name: archive[name].astype(np.float32) for name in archive.files}
        self._layers = 1 + max(int(n.split(".")[1]) for n in self._w if n.startswith("layers."))
        # The normalisation's own weights go into the projection: see `_projected`.
        self._projection = self._w["proj.weight"] * self._w["norm.weight"]
        self._shift = self._w["proj.bias"] + self._w["proj.weight"] @ self._w["norm.bias"]

    def read(
        self, states: Array, offsets: NDArray[np.int64], spans: Sequence[Span], text: str
    ) -> list[Voice]:
        """Return who says each sentence of a passage.

        `states` are of shape (tokens, numbers): those of all depths side by side; `offsets` are
        the tokens' spans in `text`, below 0 before it.
        """
        if not spans:
            return []
        what, sentence = token_roles(offsets, spans, spans[0][0])
        hidden = self._states(states, what)
        count = len(spans)
        member = sentence[None, :] == np.arange(count)[:, None]
        weights = np.where(member, (hidden @ self._w["att.weight"].T)[:, 0], -1e4)
        weights = np.exp(_log_softmax(weights)) * member  # none of a sentence without a token
        mean = member / np.maximum(member.sum(axis=1, keepdims=True), 1)
        about = np.concatenate([weights @ hidden, mean @ hidden], axis=1)
        kinds = np.exp(_log_softmax(self._linear(
            np.maximum(self._linear(about, "kind.0"), 0.0), "kind.2")))  # fmt: skip
        keys, query = self._linear(hidden, "k"), self._linear(about, "q")
        width = hidden.shape[1]
        bias = self._w["bias.weight"][distances(sentence, count)]
        starts, ends = (
            _log_softmax(query[:, part] @ keys[:, part].T / np.sqrt(width) + bias[..., at])
            for at, part in enumerate((slice(width), slice(width, None)))
        )
        segments = np.where(what == TITLE, -2, sentence)
        found = []
        for at in range(count):
            speaker, sure = "", 0.0
            if kinds[at, 1] >= _SPOKEN_PROBABILITY and member[at].any():
                tokens, likely = pointed(starts[at], ends[at], segments)
                sure = float(np.exp(likely))
                if tokens is not None:
                    a, b = int(offsets[tokens[0], 0]), int(offsets[tokens[1], 1])
                    civility = _CIVILITY.search(text, max(0, a - _CIVILITY_LENGTH), a)
                    name = text[civility.start() if civility else a : b]
                    speaker = _BESIDE.sub("", name).strip(_EDGES)
            fact, statement, hearsay = map(float, kinds[at])
            found.append(Voice(fact, statement, hearsay, " ".join(speaker.split()), sure))
        return found

    def _states(self, states: Array, what: NDArray[np.int64]) -> Array:
        hidden = self._projected(states) + self._w["flags.weight"][what]
        for layer in range(self._layers):
            name = f"layers.{layer}"
            hidden = hidden + self._attention(self._normed(hidden, f"{name}.norm1"), name)
            inner = self._linear(self._normed(hidden, f"{name}.norm2"), f"{name}.linear1")
            hidden = hidden + self._linear(np.maximum(inner, 0.0), f"{name}.linear2")
        return self._normed(hidden, "out")

    def _projected(self, states: Array) -> Array:
        """Return the states normalised and projected, without a normalised copy of them."""
        weight = self._projection
        mean = states.mean(axis=1, keepdims=True)
        square = np.einsum("ij,ij->i", states, states)[:, None] / states.shape[1]
        spread = np.sqrt(square - mean * mean + _EPSILON)
        found: Array = (states @ weight.T - mean * weight.sum(axis=1)) / spread + self._shift
        return found

    def _attention(self, hidden: Array, name: str) -> Array:
        tokens, width = hidden.shape
        whole = self._linear(hidden, f"{name}.self_attn.in_proj", dotted=False)
        # (3, heads, tokens, numbers of a head)
        parts = whole.reshape(tokens, 3, HEADS, width // HEADS).transpose(1, 2, 0, 3)
        looked = np.exp(_log_softmax(parts[0] @ parts[1].transpose(0, 2, 1)
                                     / np.sqrt(width // HEADS)))  # fmt: skip
        seen = (looked @ parts[2]).transpose(1, 0, 2).reshape(tokens, width)
        return self._linear(seen, f"{name}.self_attn.out_proj")

    def _linear(self, x: Array, name: str, *, dotted: bool = True) -> Array:
        sign = "." if dotted else "_"
        found: Array = x @ self._w[f"{name}{sign}weight"].T + self._w[f"{name}{sign}bias"]
        return found

    def _normed(self, x: Array, name: str) -> Array:
        centred = x - x.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + _EPSILON)
        found: Array = centred / spread * self._w[f"{name}.weight"] + self._w[f"{name}.bias"]
        return found


def _log_softmax(x: Array) -> Array:
    top = x - x.max(axis=-1, keepdims=True)
    found: Array = top - np.log(np.exp(top).sum(axis=-1, keepdims=True))
    return found
