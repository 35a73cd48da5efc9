"""Work that a page may ask to stop: it looks, between two steps, whether it was asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from rag.web.gradio_quickly import gr


class Stops:
    """The work under way of each page, the last that it began."""

    def __init__(self) -> None:
        """Begin with none."""
        self._working: dict[str, asyncio.Event] = {}

    @contextmanager
    def of(self, request: gr.Request) -> Iterator[asyncio.Event]:
        """Give what is set when the page asks to stop the work that begins here."""
        session = str(request.session_hash)
        self._working[session] = asked = asyncio.Event()
        try:
            yield asked
        finally:
            if self._working.get(session) is asked:
                del self._working[session]

    def ask(self, request: gr.Request) -> None:
        """Ask the work of a page to stop, if it has any."""
        if asked := self._working.get(str(request.session_hash)):
            asked.set()
