"""Writes what was asked from a thread of its own: no answer waits for the disk or fails by it."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rag.errors import RecoupeError, StoreError
from rag.exchanges.reference import ReferenceQuestions
from rag.exchanges.store import FILE, Exchange, Exchanges
from rag.french.masking import IsPublic, mask
from rag.models.embedding import encodable

log = logging.getLogger(__name__)

_MOST_WAITING = 1000  # exchanges that wait for the disk; more are dropped
_EXPIRY_PERIOD = 3600.0  # seconds between two looks at what is outdated
_PATIENCE_SECONDS = 5.0  # seconds that closing waits for what is still to be written
_LONGEST, _LONGEST_SITE, _LONGEST_FILTERS = 2000, 60, 300  # characters


class Recorder:
    """Records exchanges where `recording`, and has the file of them and of reference questions."""

    def __init__(self, folder: Path, days: int, is_public: IsPublic, *, recording: bool) -> None:
        """Open the file where there is one, or one is to be made; nothing is raised.

        What is outdated in it goes, whether anything is still recorded or not.
        """
        self._folder = folder
        self._days = days
        self._is_public = is_public
        self._store: Exchanges | None = None
        self._lock = threading.Lock()
        self.recording = recording
        self.references = ReferenceQuestions(folder)
        self._queue: queue.Queue[Exchange | None] = queue.Queue(_MOST_WAITING)
        self._thread: threading.Thread | None = None
        try:
            self.store()
        except StoreError as error:
            log.warning("%s", error)
        if recording:
            self._thread = threading.Thread(target=self._run, name="échanges", daemon=True)
            self._thread.start()

    def store(self) -> Exchanges | None:
        """Return the file, opened again where it could not be; None where nothing was recorded.

        Raises StoreError.
        """
        with self._lock:
            there = self.recording or (self._folder / FILE).exists()
            if self._store is None and there:
                self._store = Exchanges(self._folder, self._days)
            return self._store

    def record(self, exchange: Exchange) -> None:
        """Have an exchange written, masked; at once for the caller, whatever the disk does."""
        if not self._thread:
            return
        try:
            self._queue.put_nowait(exchange)
        except queue.Full:
            log.warning("trop d'échanges attendent le disque : un n'est pas gardé")

    def masked(self, text: str) -> str:
        """Return a text without what tells a private person; wholly masked names where in doubt."""
        try:
            return mask(text, self._is_public)
        except RecoupeError:  # the index cannot be asked: nobody is public
            log.info("noms publics", exc_info=True)
            return mask(text, lambda _: False)

    def wait(self) -> None:
        """Wait until what was recorded is written."""
        self._queue.join()

    def forget(self, sentences: list[str], articles: list[str]) -> int:
        """Leave nothing of erased articles in what was recorded; return how many exchanges went.

        Raises StoreError.
        """
        self.wait()
        self.references.forget(sentences, articles, self.masked)
        store = self.store()
        return store.forget(sentences, articles, self.masked) if store else 0

    def close(self) -> None:
        """Write what waits, within some seconds, and let go of the file."""
        if thread := self._thread:
            self._thread = None
            try:
                self._queue.put(None, timeout=_PATIENCE_SECONDS)
            except queue.Full:
                log.warning("des échanges ne sont pas gardés : le disque ne répond pas")
            thread.join(_PATIENCE_SECONDS)
            if thread.is_alive():
                return  # it still has the file
        if self._store:
            self._store.close()
            self._store = None

    def _run(self) -> None:
        while True:
            try:
                exchange = self._queue.get(timeout=_EXPIRY_PERIOD)
            except queue.Empty:
                self._do(lambda store: store.expire())
                continue
            try:
                if exchange is None:
                    return
                self._write(exchange)
            finally:
                self._queue.task_done()

    def _write(self, exchange: Exchange) -> None:
        def add(store: Exchanges) -> None:
            # Masked first: a cut would leave half of a number.
            text = self.masked(encodable(exchange.text))[:_LONGEST]
            site = encodable(exchange.site)[:_LONGEST_SITE]
            filters = self.masked(encodable(exchange.filters))[:_LONGEST_FILTERS]
            store.add(replace(exchange, text=text, site=site, filters=filters))

        self._do(add)

    def _do(self, work: Callable[[Exchanges], object]) -> None:
        """Do something with the file; what goes wrong is a line of the log."""
        try:
            if store := self.store():
                work(store)
        except (RecoupeError, OSError, sqlite3.Error) as error:
            log.warning("un échange n'est pas gardé : %s", error)
        except Exception:
            log.exception("un échange n'est pas gardé")
