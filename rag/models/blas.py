"""Products of matrices on one thread.

Those of a passage are small: what OpenBLAS gains by a second thread it loses in waiting for it,
spinning, and two processes on two cores then take three times as long (measured).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

_lock = threading.Lock()
_within: list[Any] = []  # the limit, once for each that is inside


@contextmanager
def single_threaded() -> Iterator[None]:
    """Hold numpy's products to one thread, of the whole process, until the last leaves."""
    with _lock:
        _within.append(_within[0] if _within else _controller().limit(limits=1, user_api="blas"))
    try:
        yield
    finally:
        with _lock:
            limit = _within.pop()
            if not _within:
                limit.restore_original_limits()


@lru_cache(maxsize=1)
def _controller() -> Any:
    """Return what limits the libraries that are loaded, numpy's among them."""
    import numpy as np  # noqa: F401 - loads its own
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
