"""The network as an ONNX graph in int8, for onnxruntime on any processor.

Written node by node, which needs no exporter and leaves nothing for graph optimisers to find:

- Matrices are int8 with one scale per output. Values stay within ±63, seven bits: processors with
  AVX2 but no VNNI add pairs of products in 16 bits with saturation, and 255 * 63 * 2 is less than
  2**15, so that every processor gives the same sums.
- What goes into a matrix is quantised per token, symmetrically, eight bits around 128. ONNX's
  dynamic quantisation takes one scale for the whole batch: coarser, and a text's vector would
  depend on the texts beside it.
- The table of pieces is int8 with one scale a row. It lies beside the graphs, which share it
  (`pieces.npy`, external data): no training changes it.
- `Sum`, not `Add`, before a normalisation: onnxruntime would fuse the latter into its
  SkipLayerNormalization, which took several times as long where this was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from training.network import Weights

    Array = NDArray[np.float32]

MICROSOFT = "com.microsoft"
OPSET = 17
IR_VERSION = 9
WEIGHT_LIMIT = 63  # see above
TABLE_LIMIT = 127  # rows are looked up, not multiplied
TABLE = "pieces.npy"


def quantised(
    matrix: NDArray[np.float32], limit: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return int8 values within ±`limit` and a scale per row; their product is near `matrix`."""
    scales = np.maximum(np.abs(matrix).max(axis=1), 1e-12) / limit
    values = np.clip(np.rint(matrix / scales[:, None]), -limit, limit).astype(np.int8)
    return values, scales.astype(np.float32)


def read_states(layers: int) -> tuple[str, ...]:
    """Return the names of the states inside the network that are given too.

    Those of the pieces themselves, and after a quarter, a half and three quarters of the layers.
    """
    return ("embedded", *(f"l{layers * part // 4 - 1}.end" for part in (1, 2, 3)))


def save(weights: Weights, path: Path) -> None:
    """Write the graph to `path`.

    Inputs `input_ids` and `attention_mask`, int64 of shape (batch, sequence); outputs
    `last_hidden_state`, float32 of shape (batch, sequence, hidden), and of the same shape
    the states that `sentences.py` reads (`read_states`).
    """
    _save(_Graph(weights), path)


@dataclass(frozen=True)
class Heads:
    """What the reader puts on the states: `spans` is of shape (2, hidden), `answers` (1, hidden).

    Each stands with its biases.
    """

    spans: tuple[Array, Array]
    answers: tuple[Array, Array]


def save_reader(weights: Weights, heads: Heads, path: Path) -> None:
    """Write the graph of the reader to `path`.

    Inputs as `save`; outputs float32 logits: `spans` of shape (batch, sequence, 2), `answers` of
    shape (batch, 1).
    """
    _save(_ReaderGraph(weights, heads), path)


def save_comparer(weights: Weights, head: tuple[Array, Array], path: Path) -> None:
    """Write the graph of the comparer to `path`.

    Its head is of shape (3, hidden), with its biases. Inputs as `save`; output float32 logits
    `stances` of shape (batch, 3).
    """
    _save(_ComparerGraph(weights, head), path)


def _save(graph: _Graph, path: Path) -> None:
    """Write a graph, and its table of pieces beside it. Raises ValueError for another one there."""
    model = graph.model()
    beside = path.with_name(TABLE)
    if not beside.exists():
        np.save(beside, graph.pieces)
    elif not np.array_equal(np.load(beside), graph.pieces):
        raise ValueError(f"{beside} is the table of another network")
    for tensor in model.graph.initializer:
        if tensor.name == "word.values":
            size = graph.pieces.nbytes
            set_external_data(tensor, TABLE, beside.stat().st_size - size, size)
            tensor.ClearField("raw_data")
    onnx.save(model, path)


class _Graph:
    """Collects nodes and constants; a method returns the name of the tensor it makes."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def model(self) -> Any:
        """Return the whole graph, checked for its form."""
        shape = ["batch", "sequence"]
        inputs = [
            helper.make_tensor_value_info(name, TensorProto.INT64, shape)
            for name in ("input_ids", "attention_mask")
        ]
        self._network()
        outputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, of)
            for name, of in self._outputs(shape)
        ]
        graph = helper.make_graph(
            self.nodes, "encoder", inputs, outputs, list(self.constants.values())
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="recoupe"
        )

    def _outputs(self, shape: list[str]) -> list[tuple[str, list[str | int]]]:
        """Return the names and shapes of what the graph gives."""
        names = ("last_hidden_state", *read_states(self.weights.layers))
        return [(name, [*shape, self.weights.hidden]) for name in names]

    def _network(self) -> None:
        self._constant("one", np.array(1, np.float32))
        self._constant("middle", np.array(128, np.uint8))
        self._constant("smallest", np.array(1e-6, np.float32))
        self._constant("per_step", np.array(1 / 127, np.float32))
        self._node("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
        state = self._embeddings()
        last = self.weights.layers - 1
        for layer in range(last + 1):
            state = self._layer(state, layer, "last_hidden_state" if layer == last else "")

    def _embeddings(self) -> str:
        tensors = self.weights.tensors
        values, scales = quantised(tensors["emb.word"], TABLE_LIMIT)
        self.pieces = values
        self._constant("word.values", values)
        self._constant("word.scales", scales[:, None])
        self._node("Gather", ["word.values", "input_ids"], "word.small")
        self._node("Cast", ["word.small"], "word.float", to=TensorProto.FLOAT)
        self._node("Gather", ["word.scales", "input_ids"], "word.scale")
        self._node("Mul", ["word.float", "word.scale"], "word")
        self._constant("positions", tensors["emb.pos"] + tensors["emb.type"][0])
        self._constant("zero", np.array([0], np.int64))
        self._node("Shape", ["input_ids"], "length", start=1, end=2)
        self._node("Slice", ["positions", "zero", "length", "zero"], "position")
        self._node("Add", ["word", "position"], "placed")
        return self._normalised("placed", "emb.ln", "embedded")

    def _layer(self, state: str, layer: int, output: str) -> str:
        prefix = f"l{layer}."
        tensors = self.weights.tensors
        small = self._per_token(state)
        triple = [self._product(small, prefix + part) for part in "qkv"]
        bias = np.concatenate([tensors[f"{prefix}{part}.b"] for part in "qkv"])
        context = self._node(
            "MultiHeadAttention",
            [*triple, self._constant(prefix + "qkv.b", bias), "mask"],
            prefix + "context",
            domain=MICROSOFT,
            num_heads=self.weights.heads,
        )
        attended = self._product(self._per_token(context), prefix + "ao")
        state = self._added(state, attended, prefix + "ao", prefix + "aln", prefix + "middle")
        inner = self._product(self._per_token(state), prefix + "fi")
        inner = self._node(
            "BiasGelu", [inner, self._tensor(prefix + "fi.b")], prefix + "gelu", domain=MICROSOFT
        )
        outer = self._product(self._per_token(inner), prefix + "fo")
        return self._added(state, outer, prefix + "fo", prefix + "oln", output or prefix + "end")

    def _per_token(self, state: str) -> tuple[str, str]:
        """Return `state` in uint8 around 128, and the scale of each token."""
        self._node("Abs", [state], state + ".abs")
        self._node("ReduceMax", [state + ".abs"], state + ".max", axes=[-1], keepdims=1)
        self._node("Max", [state + ".max", "smallest"], state + ".some")
        scale = self._node("Mul", [state + ".some", "per_step"], state + ".scale")
        self._node("Div", [state, scale], state + ".steps")
        small = self._node("QuantizeLinear", [state + ".steps", "one", "middle"], state + ".small")
        return small, scale

    def _product(self, state: tuple[str, str], name: str) -> str:
        """Multiply a quantised state by the matrix `name`; its bias is left to the next node."""
        values, scales = quantised(self.weights.tensors[name + ".w"], WEIGHT_LIMIT)
        small, scale = state
        inputs = [
            small,
            self._constant(name + ".values", np.ascontiguousarray(values.T)),
            "one",
            self._constant(name + ".scales", scales),
            "middle",
        ]
        steps = self._node("MatMulIntegerToFloat", inputs, name + ".steps", domain=MICROSOFT)
        return self._node("Mul", [steps, scale], name)

    def _added(self, state: str, change: str, matrix: str, norm: str, output: str) -> str:
        total = self._node("Sum", [state, change, self._tensor(matrix + ".b")], norm + ".sum")
        return self._normalised(total, norm, output)

    def _normalised(self, state: str, norm: str, output: str) -> str:
        inputs = [state, self._tensor(norm + ".w"), self._tensor(norm + ".b")]
        return self._node("LayerNormalization", inputs, output, axis=-1, epsilon=self.weights.eps)

    def _tensor(self, name: str) -> str:
        return self._constant(name, self.weights.tensors[name])

    def _constant(self, name: str, array: NDArray[Any]) -> str:
        self.constants[name] = numpy_helper.from_array(array, name)
        return name

    def _node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output


class _HeadedGraph(_Graph):
    """The same network with heads on its states, in fp32: they weigh nothing."""

    def _opening(self) -> str:
        """Return the states of the first token of each text."""
        self._constant("first", np.array(0, np.int64))
        return self._node("Gather", ["last_hidden_state", "first"], "opening", axis=1)

    def _head(self, state: str, head: tuple[Array, Array], name: str) -> None:
        matrix = self._constant(f"{name}.w", np.ascontiguousarray(head[0].T))
        product = self._node("MatMul", [state, matrix], f"{name}.product")
        self._node("Add", [product, self._constant(f"{name}.b", head[1])], name)


class _ComparerGraph(_HeadedGraph):
    """The comparer: one head on the first token."""

    def __init__(self, weights: Weights, head: tuple[Array, Array]) -> None:
        super().__init__(weights)
        self.head = head

    def _outputs(self, shape: list[str]) -> list[tuple[str, list[str | int]]]:
        self._head(self._opening(), self.head, "stances")
        return [("stances", [shape[0], 3])]


class _ReaderGraph(_HeadedGraph):
    """The reader: a head on every token and one on the first."""

    def __init__(self, weights: Weights, heads: Heads) -> None:
        super().__init__(weights)
        self.heads = heads

    def _outputs(self, shape: list[str]) -> list[tuple[str, list[str | int]]]:
        self._head("last_hidden_state", self.heads.spans, "spans")
        self._head(self._opening(), self.heads.answers, "answers")
        return [("spans", [*shape, 2]), ("answers", [shape[0], 1])]
