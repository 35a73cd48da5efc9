"""Changes of an index: new versions, amended records, removals.

A change says first what it is about (`changes.py`), then writes passages, then records — the switch
of I2 —, then words and catalogue, and sweeps last.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from rag import messages
from rag.domain import BROKEN, ArticleRecord, Passage, version_of
from rag.errors import IndexReplacedError, StoreError
from rag.indexing.batches import batched
from rag.indexing.catalogue import Row
from rag.indexing.changes import VersionChange
from rag.indexing.codec import Fields
from rag.indexing.parts import Parts, of_versions
from rag.indexing.recovery import STEPS_PER_CHANGE, Recovery

if TYPE_CHECKING:
    from rag.models.embedding import Vectors

log = logging.getLogger(__name__)


class IndexWriter:
    """Writes one index; one change at a time in a process."""

    def __init__(
        self,
        parts: Parts,
        recovery: Recovery,
        records_of: Callable[[Iterable[str]], dict[str, ArticleRecord]],
    ) -> None:
        """Take the parts of the index, what settles changes, and what reads current records."""
        self._parts = parts
        self._recovery = recovery
        self._records_of = records_of

    def write(
        self,
        versions: Sequence[tuple[ArticleRecord, Sequence[Passage]]],
        vectors: Vectors,
        rows: Sequence[Row],
    ) -> None:
        """Make new versions current: at most some tens of articles.

        `vectors` and `rows` have one row a passage, in order. Raises
        StoreError, and the index is then as it was.
        """
        with self.write_lock():
            for attempt in range(3):
                if self._written(versions, vectors, rows):
                    return
                log.warning("écriture reprise : ce processus avait été cru mort (%d)", attempt + 1)
        raise StoreError(messages.WRITING_LOST)

    def _written(
        self,
        versions: Sequence[tuple[ArticleRecord, Sequence[Passage]]],
        vectors: Vectors,
        rows: Sequence[Row],
    ) -> bool:
        """Write versions as a change of its own; False when others undid it meanwhile."""
        existing = self._parts.store.records_of(record.id for record, _ in versions)
        number = self._parts.changes.next
        generation = self._parts.changes.generation(number)
        records = [replace(record, generation=generation) for record, _ in versions]
        passages = [
            replace(p, id=i)
            for record, (_, ps) in zip(records, versions, strict=True)
            for p, i in zip(ps, record.passage_ids(), strict=True)
        ]
        sources = [r.source for r, (_, ps) in zip(records, versions, strict=True) for _ in ps]
        steps = [_step(existing.get(r.id), r) for r in records]
        self._parts.history.keep(self._replaced_by(existing, versions))
        self._parts.changes.begin(steps)
        try:
            self._parts.store.put_passages(passages, sources, vectors)
            if self._parts.store.shared and self._parts.changes.fenced():
                self._recovery.undo(steps)
                return False
            self._parts.store.put_records(records, self._parts.changes.writer, number)
        except BaseException:
            self._recovery.undo(steps)
            raise
        if self._parts.store.shared and self._parts.changes.fenced():
            # Suspended for long just here: what others swept is written again, as a new change.
            return False
        self._parts.changes.switched()
        drop = [(s.article_id, s.old) for s in steps if s.old]
        # The signatures first: whoever settles this change looks at the words and the records.
        self._parts.sign((r.id, ps) for r, (_, ps) in zip(records, versions, strict=True))
        self._parts.lexical.update(add=list(zip(passages, sources, strict=True)), drop=drop)
        entries = [replace(row, passage=p.id) for row, p in zip(rows, passages, strict=True)]
        self._parts.catalogue.put(records, entries)
        self._end(steps)
        return True

    def _replaced_by(
        self,
        existing: Mapping[str, ArticleRecord],
        versions: Sequence[tuple[ArticleRecord, Sequence[Passage]]],
    ) -> Iterator[tuple[ArticleRecord, str]]:
        """Yield the present versions that say something else than those about to come."""
        old = self._parts.store.passages([i for r in existing.values() for i in r.passage_ids()])
        for record, passages in versions:
            before = existing.get(record.id)
            if before is None or before.recipe != record.recipe:
                continue  # what another way of reading changed, its publisher did not
            if any(i not in old for i in before.passage_ids()):
                continue
            text = "".join(old[i].text for i in before.passage_ids())
            same_title = before.source.title == record.source.title
            if not same_title or text != "".join(p.text for p in passages):
                yield before, text

    def move(self, paths: dict[str, str]) -> None:
        """Say where articles, by id, now lie: a file that moved."""
        for some in batched(list(paths), STEPS_PER_CHANGE):
            self._amend({i: {"path": paths[i]} for i in some})

    def withdraw(self, days: Mapping[str, date | None]) -> list[str]:
        """Say of articles, by id, on which day they were withdrawn; None for not at all.

        What is withdrawn is kept, and answers nothing. Returns the ids for which that is
        new. Raises StoreError.
        """
        new_ids: list[str] = []
        for some in batched(list(days), STEPS_PER_CHANGE):
            records = self._records_of(some)
            fresh = {
                i: days[i]
                for i in some
                if i in records
                # What a keeper withholds, a publisher does not give back.
                and not records[i].withheld
                and (records[i].withdrawn is None) != (days[i] is None)
            }
            if fresh:
                self._amend({i: {"withdrawn": day} for i, day in fresh.items()})
                new_ids += fresh
        return new_ids

    def _amend(self, changes: Mapping[str, Fields]) -> None:
        """Give articles, by id, other values of some fields of their records."""
        with self.write_lock():
            number = self._parts.changes.begin([])
            self._parts.store.amend_records(changes, self._parts.changes.writer, number)
            self._parts.catalogue.amend(changes)
            self._parts.changes.end()

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Remove articles; return the ids that were there. Raises StoreError."""
        gone: list[str] = []
        for some in batched(list(dict.fromkeys(ids)), STEPS_PER_CHANGE):
            with self.write_lock():
                records = self._parts.store.records_of(some)
                if not records:
                    continue
                steps = [VersionChange(r.id, r.version, r.passages) for r in records.values()]
                number = self._parts.changes.begin(steps)
                # What another has replaced in between is not what was asked to go.
                now = self._parts.store.records_of(records)
                records = {i: r for i, r in now.items() if r.version == records[i].version}
                steps = [s for s in steps if s.article_id in records]
                if self._parts.store.shared:
                    self._parts.changes.gone(records, number)
                self._parts.store.delete_records(list(records))
                self._parts.changes.switched()
                self._parts.lexical.update(drop=[(s.article_id, s.old) for s in steps])
                self._parts.catalogue.drop(records)
                self._end(steps)
                self._parts.history.forget(list(records))
                gone += records
        return gone

    def put_back(self, records: Sequence[ArticleRecord]) -> None:
        """Make records that only the catalogue has the current ones again."""
        for some in batched(records, STEPS_PER_CHANGE):
            with self.write_lock():
                number = self._parts.changes.begin([])
                self._parts.store.put_records(some, self._parts.changes.writer, number)
                self._parts.changes.end()

    def mark_broken(self, articles: Iterable[str]) -> None:
        """Say of articles that they are to be read again, whatever they say."""
        for some in batched(list(articles), STEPS_PER_CHANGE):
            self._amend({i: {"recipe": BROKEN} for i in some})

    def _ready(self) -> None:
        """Refuse to begin what cannot end well; settle what a failure left."""
        if self._parts.closing.is_set():
            raise StoreError(messages.CLOSING)
        if self._parts.retired:
            raise IndexReplacedError(messages.INDEX_REPLACED)
        self._parts.store.check_room()
        self._recovery.settle(self._parts.changes.own)

    def _end(self, steps: Sequence[VersionChange]) -> None:
        """Sweep the versions that a change has replaced, and close it."""
        if self._parts.store.shared:
            dropped = self._sweep_around([s.article_id for s in steps])
        else:
            dropped = self._recovery.delete(
                [(s.article_id, s.old, s.old_passages) for s in steps if s.old]
            )
        self._parts.changes.end(dropped)
        self._recovery.save_positions({self._parts.changes.writer: self._parts.changes.own.done})

    def _sweep_around(self, articles: Sequence[str]) -> int:
        """Delete all versions of some articles but the current, and those in flight."""
        stale = self.stale(self._parts.store.passage_ids(articles))
        self._parts.store.delete_passages(sorted(stale))
        return len(stale)

    def stale(self, listed: set[str]) -> set[str]:
        """Return, of passages just listed, those of no current version that nobody is writing.

        The order makes it safe: passages are listed first, then what is in
        flight, then the records. A passage listed is announced before it is
        written; when it is announced no more, its record has been switched.
        """
        flying = {v for w in self._parts.changes.writers() for v in w.in_flight}
        flying -= self._parts.changes.own.in_flight
        current = of_versions(listed, self._parts.store.records_of)
        return {i for i in listed if i not in current and version_of(i) not in flying}

    def incomplete(self, records: Iterable[ArticleRecord], listed: set[str]) -> list[str]:
        """Return the articles that lack a passage, among records read after passages were listed.

        What somebody has written in between is not missing: those are looked at again.
        """
        suspects = [r.id for r in records if not listed.issuperset(r.passage_ids())]
        return sorted(
            i
            for i, r in self._parts.store.records_of(suspects).items()
            if len(self._parts.store.passages(r.passage_ids())) < r.passages
        )

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let no other thread change the index meanwhile."""
        with self._parts.lock:
            yield

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """Let no other thread change the index, to change it. Raises StoreError."""
        with self.lock():
            self._ready()
            yield


def _step(old: ArticleRecord | None, new: ArticleRecord) -> VersionChange:
    if old is None:
        return VersionChange(new.id, new=new.version, new_passages=new.passages)
    return VersionChange(new.id, old.version, old.passages, new.version, new.passages)
