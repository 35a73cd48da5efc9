"""Long sequences in runs: what is written, read or counted a few hundred at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut a sequence into runs of `size`, the last one shorter."""
    for at in range(0, len(items), size):
        yield items[at : at + size]


def paged(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield what an iterator gives in lists of `size`, the last one shorter."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
