"""Gradio, without the interfaces for editors that it writes beside its modules as it is imported.

For them it reads and parses the source of each component, three times: a third of the time of its
import, and it writes where packages are installed, which may be read-only (gradio issue 10121). A
class whose file cannot be told is passed over.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["gr", "queueing", "state_holder", "utils"]


@contextmanager
def _no_interfaces() -> Iterator[None]:
    """Have Gradio's components tell no file, and all else its own."""
    getfile = inspect.getfile

    def told(thing: Any) -> str:
        if type(thing).__name__ == "ComponentMeta":
            raise OSError("a component of Gradio")
        return getfile(thing)

    inspect.getfile = told  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = getfile


with _no_interfaces():
    import gradio as gr
    from gradio import queueing, state_holder, utils
