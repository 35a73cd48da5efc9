"""Vectors from the folders that `training.weights` writes, without sentence-transformers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from rag.models.embedding import DEFAULT
from training.folder import MAX_TOKENS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Array = NDArray[np.float32]
    Ids = NDArray[np.int64]

# From ids and mask, (batch, sequence), to states, (batch, sequence, hidden).
Network = Callable[["Ids", "Ids"], "Array"]

BATCH_TOKENS = 4096


def int8_network(folder: Path, *, spin: bool = False, threads: int | None = None) -> Network:
    """Return the encoder of a folder, run by onnxruntime.

    `spin` lets its threads wait in a loop, as onnxruntime does by default; threads: all the cores.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or os.cpu_count() or 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spin)))
    session = onnxruntime.InferenceSession(
        str(folder / f"{DEFAULT}.onnx"), options, providers=["CPUExecutionProvider"]
    )

    def run(ids: Ids, mask: Ids) -> Array:
        states: Array = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return states

    return run


def torch_network(folder: Path) -> Network:
    """Return the fp32 network of `folder/model.safetensors` run by torch."""
    import torch
    from transformers import BertModel

    model = BertModel.from_pretrained(folder)
    model.train(mode=False)

    def run(ids: Ids, mask: Ids) -> Array:
        with torch.inference_mode():
            output = model(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask))
        states: Array = output.last_hidden_state.numpy()
        return states

    return run


class Encoder:
    """A tokenizer and a network; texts carry their prefix, `query: ` or `passage: `."""

    def __init__(self, folder: Path, network: Network) -> None:
        self.network = network
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(MAX_TOKENS)

    def encode(self, texts: Sequence[str]) -> Array:
        """Return unit vectors of shape (len(texts), hidden), batched by length."""
        ids = [e.ids for e in self.tokenizer.encode_batch_fast(list(texts))]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        rows: dict[int, Array] = {}
        while order:
            size = max(1, BATCH_TOKENS // len(ids[order[-1]]))
            batch, order = order[-size:], order[:-size]
            rows.update(zip(batch, self._pooled([ids[i] for i in batch]), strict=True))
        return np.stack([rows[i] for i in range(len(ids))])

    def _pooled(self, ids: Sequence[Sequence[int]]) -> Array:
        longest = max(map(len, ids))
        padded = np.ones((len(ids), longest), np.int64)  # <pad> is 1
        mask = np.zeros_like(padded)
        for row, text in enumerate(ids):
            padded[row, : len(text)] = text
            mask[row, : len(text)] = 1
        states = self.network(padded, mask)
        sums = (states * mask[:, :, None].astype(np.float32)).sum(axis=1)
        unit: Array = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return unit
