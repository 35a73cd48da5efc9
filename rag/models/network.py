"""A network of `recoupe-models`, or of a folder like it: an ONNX graph and its tokenizer."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from rag import messages
from rag.errors import EmbeddingError, SettingsError
from rag.models.embedding import brief

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

LONGEST_INPUT = 512  # tokens that the networks take
_BATCH_TEXTS = 8  # of a batch: what a question waits for at most
# Of a batch, padding included: larger ones are slower, and take twice the memory
_BATCH_TOKENS = 768
_BATCH_COST = 32  # tokens that take as long as a batch costs of itself, 4 ms


class Network:
    """The graph `NAME.onnx` of a folder, loaded at its first use. What is urgent goes first.

    Its table of pieces, `pieces.npy`, lies beside it and is mapped into memory once for all.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self._name = name
        self._loading = threading.Lock()
        self._turns = _Turns()

    def run(
        self, rows: Sequence[Sequence[int]], outputs: list[str] | None = None, *, urgent: bool
    ) -> list[NDArray[np.float32]]:
        """Return the outputs named, all by default, for rows of token ids, padded.

        Each has a row a text. Raises EmbeddingError.
        """
        import numpy as np

        width = max(map(len, rows))
        ids = np.full((len(rows), width), self._padding, dtype=np.int64)
        mask = np.zeros((len(rows), width), dtype=np.int64)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = row
            mask[at, : len(row)] = 1
        fed = {"input_ids": ids, "attention_mask": mask}
        with self._turns.taken(first=urgent):
            try:
                found: list[NDArray[np.float32]] = self._session.run(outputs, fed)
            except Exception as error:  # the runtime's errors share no base
                raise EmbeddingError(
                    messages.NETWORK_FAILED.format(self._name, brief(error))
                ) from error
        return found

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer, without padding, that cuts what is longer than `LONGEST_INPUT` tokens."""
        return _tokenizer(self.folder / "tokenizer.json")

    @cached_property
    def _session(self) -> Any:
        with self._loading:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = _cores()
            options.inter_op_num_threads = 1
            options.enable_cpu_mem_arena = False  # as fast here, and memory is given back
            # Threads that spin while they wait take the cores of other processes.
            options.add_session_config_entry("session.intra_op.allow_spinning", "0")
            options.log_severity_level = 3
            return onnxruntime.InferenceSession(
                str(self.folder / f"{self._name}.onnx"),
                options,
                providers=["CPUExecutionProvider"],
            )

    @cached_property
    def _padding(self) -> int:
        found = self.tokenizer.token_to_id("<pad>")
        return 1 if found is None else int(found)


def batches(lengths: Sequence[int]) -> list[list[int]]:
    """Return the places of texts in batches, few enough for a question not to wait.

    Texts stand by length, and are cut into the batches whose tokens, padding included, and own cost
    (`_BATCH_COST`) are fewest in all: a shortest path over the places where one may begin.
    """
    order = sorted(range(len(lengths)), key=lambda n: -lengths[n])
    least, begins = [0.0], [0]  # of the first texts: the cost, and where their last batch begins
    for end in range(1, len(order) + 1):
        costs = {
            start: least[start] + lengths[order[start]] * (end - start) + _BATCH_COST
            for start in range(max(0, end - _BATCH_TEXTS), end)
            if end - start == 1 or lengths[order[start]] * (end - start) <= _BATCH_TOKENS
        }
        begins.append(min(costs, key=costs.__getitem__))
        least.append(costs[begins[-1]])
    found: list[list[int]] = []
    end = len(order)
    while end:
        found.append(order[begins[end] : end])
        end = begins[end]
    return found[::-1]


def shared(folder: Path | None, name: str) -> Network:
    """Return the network `name` of a folder, of the one shipped by default.

    It is the same for all who use it, gone with the last of them. Raises SettingsError where the
    shipped ones are not installed.
    """
    folder = folder or _shipped()
    with _sharing:
        found = _networks.get((folder, name))
        if found is None:
            found = _networks[folder, name] = Network(folder, name)
        return found


@lru_cache(maxsize=1)
def _tokenizer(file: Path) -> Any:
    """Return the tokenizer of a file: the networks of a folder share it, 15 MB each time."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(file))
    found.enable_truncation(LONGEST_INPUT)
    found.no_padding()
    return found


def _shipped() -> Path:
    try:
        from recoupe_models import FOLDER
    except ImportError as error:
        raise SettingsError(messages.NO_NETWORKS) from error
    return FOLDER


_networks: WeakValueDictionary[tuple[Path, str], Network] = WeakValueDictionary()
_sharing = threading.Lock()


class _Turns:
    """One batch at a time through the network, urgent ones first."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._busy = False
        self._first = 0  # urgent ones that wait

    @contextmanager
    def taken(self, *, first: bool) -> Iterator[None]:
        """Wait for one's turn and hold it."""
        with self._free:
            self._first += first
            try:
                while self._busy or (self._first and not first):
                    self._free.wait()
                self._busy = True
            finally:
                self._first -= first
        try:
            yield
        finally:
            with self._free:
                self._busy = False
                self._free.notify_all()


def _cores() -> int:
    """Return the processor cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
