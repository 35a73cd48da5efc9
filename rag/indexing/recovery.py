"""Bringing to an end what an interruption left, and words and catalogue back in step.

Whatever interrupts a change, what was said of it before (`changes.py`) tells what to settle: the
articles of that change alone. Words and catalogue can be made again from the store.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rag.domain import passage_ids
from rag.errors import RecoupeError
from rag.indexing.batches import batched, paged
from rag.indexing.changes import Positions, VersionChange, Writer
from rag.indexing.parts import Parts, Progress, silent

log = logging.getLogger(__name__)

STEPS_PER_CHANGE = 80  # articles of one change: what is said of it has to fit 16 KB
_PAGE_ARTICLES = 200  # articles whose words are made again at a time


class Recovery:
    """Settles interrupted changes of one index."""

    def __init__(self, parts: Parts) -> None:
        """Take the parts of the index."""
        self._parts = parts

    def undo(self, steps: Sequence[VersionChange]) -> None:
        """Take back a change that did not come to its switch; what fails is settled later."""
        try:
            self.settle(replace(self._parts.changes.own, steps=tuple(steps)))
        except RecoupeError:
            log.warning("changement interrompu : il sera défait à la prochaine écriture")

    def settle(self, writer: Writer) -> None:
        """Bring to an end the change that a writer left: to its old state, or to its new one."""
        if not writer.pending:
            return
        log.info("changement interrompu de %s : %d articles", writer.id, len(writer.steps))
        records = self._parts.store.records_of(s.article_id for s in writer.steps)
        versions = [
            (s.article_id, version, count)
            for s in writer.steps
            for version, count in ((s.old, s.old_passages), (s.new, s.new_passages))
            if version and version != (r.version if (r := records.get(s.article_id)) else "")
        ]
        dropped = self.delete(versions)
        self.follow_articles({s.article_id for s in writer.steps})
        self._parts.changes.settled(writer, dropped)

    def delete(self, versions: Iterable[tuple[str, str, int]]) -> int:
        """Delete versions: article, version, how many passages; return how many there were."""
        ids = [i for version in versions for i in passage_ids(*version)]
        self._parts.store.delete_passages(ids)
        return len(ids)

    def follow_articles(self, articles: Iterable[str]) -> None:
        """Make words and catalogue of some articles those of their current versions."""
        for some in batched(sorted(articles), STEPS_PER_CHANGE):
            records = self._parts.store.records_of(some)
            versions = self._parts.lexical.versions_of(some)
            drop, add = [], []
            for i in some:
                wanted = records[i].version if i in records else ""
                drop += [(i, v) for v in versions.get(i, ()) if v != wanted]
                if wanted and wanted not in versions.get(i, ()):
                    add.append(records[i])
            if drop or add:
                passages = self._parts.passages_of(add)
                self._parts.sign_passages(passages)
                self._parts.lexical.update(add=passages, drop=drop)
            entries = self._parts.catalogue.records_of(some)
            self._parts.catalogue.drop([i for i in entries if i not in records])
            self._parts.put_in_catalogue([r for i, r in records.items() if r != entries.get(i)])

    def fill(self, progress: Progress = silent) -> None:
        """Make the words and the catalogue again from the store."""
        seen = {w.id: w.done for w in self._parts.changes.writers()}
        total = self._parts.store.articles()
        if total:
            log.warning("index lexical et catalogue refaits : %d articles", total)
        self._parts.lexical.clear()
        self._parts.catalogue.clear()
        done = 0
        for some in paged(self._parts.store.records(), _PAGE_ARTICLES):
            passages = self._parts.passages_of(some)
            self._parts.lexical.update(add=passages)
            self._parts.put_in_catalogue(some)
            self._parts.sign_passages(passages)
            done += len(some)
            progress(min(total, done), total)
        self._parts.catalogue.sweep()
        self._parts.lexical.confirm()
        self._parts.catalogue.confirm()
        file = self._parts.folder / "lexical" / "positions.json"
        self._parts.positions = Positions(file, self._parts.changes.store, seen)
        self._parts.positions.save()

    def save_positions(self, seen: dict[str, int]) -> None:
        """Remember up to which change of each writer words and catalogue have come."""
        positions = self._parts.positions
        if positions and any(positions.seen.get(w) != n for w, n in seen.items()):
            positions.seen |= seen
            positions.save()
