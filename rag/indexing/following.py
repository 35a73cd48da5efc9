"""Several writers of one store: taking over what others have changed, half a second behind."""

from __future__ import annotations

import logging
import threading

from rag.errors import RecoupeError
from rag.indexing.changes import LEASE_SECONDS, news
from rag.indexing.parts import Parts, Progress, silent
from rag.indexing.recovery import Recovery

log = logging.getLogger(__name__)

_FOLLOW_PERIOD = 0.5  # seconds between two looks at what others have changed


class Follower:
    """Follows the other writers of one index's store; `lease` is their time to move on, seconds."""

    def __init__(self, parts: Parts, recovery: Recovery) -> None:
        """Take the parts of the index, and what settles the changes of writers that are gone."""
        self._parts = parts
        self._recovery = recovery
        self.lease = LEASE_SECONDS
        self._thread = threading.Thread(target=self._keep_following, name="suivi", daemon=True)

    def start(self) -> None:
        """Follow until the index closes."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the end of following, once the index closes."""
        if self._thread.is_alive():
            self._thread.join()

    def follow(self, progress: Progress = silent) -> None:
        """Take over what other writers of the store have changed. Raises StoreError."""
        with self._parts.lock:
            writers = self._parts.changes.writers()
            positions = self._parts.positions
            if positions is None:
                return
            done = {w.id: w.done for w in writers}
            if any(number > done.get(writer, 0) for writer, number in positions.seen.items()):
                # The words are of a later state than the store's: it was taken from a backup.
                self._recovery.fill(progress)
                return
            touched, seen = news(self._parts.changes, writers, self._parts.store.written, positions)
            self._recovery.follow_articles(touched)
            self._recovery.save_positions(seen)
            for writer in self._parts.changes.dead(writers, self.lease):
                self._recovery.settle(writer)

    def _keep_following(self) -> None:
        lost = False
        while not self._parts.closing.wait(_FOLLOW_PERIOD):
            try:
                self.follow()
                if lost:
                    log.warning("le serveur Chroma répond de nouveau")
                lost = False
            except RecoupeError as error:
                if not lost:
                    log.warning("%s", error)
                lost = True
            except Exception:
                log.exception("suivi des changements")
