"""What is being changed and what has been: how writers of one store stay out of each other's way.

A third collection, `recoupe-changes`, holds one row a writer (a process and
its index folder). While a writer changes something, its row says what: an
interrupted change can be settled by whoever finds it, and nothing that is in
flight is taken for rubbish. Each change has a number; followers ask for the
articles of the numbers that they have not seen. Numbers, not clocks: machines
disagree about the time, and clocks are set back.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import messages
from rag.errors import StoreError, why

if TYPE_CHECKING:
    from rag.indexing.chroma import Chroma

log = logging.getLogger(__name__)

CHANGES = "recoupe-changes"
# Seconds in which a live writer moves on from a change; a batch takes about one
LEASE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class VersionChange:
    """What a change does to one article: from a version to another, "" for absent."""

    article_id: str
    old: str = ""
    old_passages: int = 0
    new: str = ""
    new_passages: int = 0


@dataclass(frozen=True, slots=True)
class Writer:
    """A writer's row.

    `done` numbers its last finished switch; `pending` the change under way, 0
    for none, and `switched` tells that its articles are switched and only the
    old passages are left to sweep. `beat` is drawn anew at each step. `dropped`
    counts the passages deleted since the store was last rebuilt. `changed` is when its last change
    began, in seconds since 1970 by its own clock, 0.0 where no row says: shown, never compared.
    """

    id: str
    done: int = 0
    pending: int = 0
    switched: bool = False
    beat: str = ""
    dropped: int = 0
    steps: tuple[VersionChange, ...] = ()
    changed: float = 0.0

    @property
    def in_flight(self) -> frozenset[tuple[str, str]]:
        """The (article, version) pairs that it is writing and that are no rubbish yet."""
        if not self.pending or self.switched:
            return frozenset()
        return frozenset((s.article_id, s.new) for s in self.steps if s.new)


class ChangeLog:
    """The rows of all writers, and this process's own."""

    def __init__(self, chroma: Chroma, index_dir: Path) -> None:
        """Open the log; the writer is this machine and folder. Raises StoreError."""
        self._chroma = chroma
        self._rows = chroma.call(
            chroma.client.get_or_create_collection, name=CHANGES, embedding_function=None
        )
        # The lock on the folder (`owner.py`) makes it the only writer of this name.
        self.writer = _name(index_dir) if chroma.shared else "local"
        self.store = str(self._rows.id)
        self._session = secrets.token_hex(4)
        self.own = next((w for w in self.writers() if w.id == self.writer), Writer(self.writer))
        self._stuck: dict[str, tuple[str, float]] = {}

    def generation(self, number: int) -> str:
        """Return the generation of what change `number` writes: no other write has it."""
        return f"{self._session}{number:x}"

    def writers(self) -> list[Writer]:
        """Return every writer's row."""
        found = []
        for page in self._chroma.pages(
            self._rows, where={"kind": "writer"}, include=["metadatas", "documents"]
        ):
            rows = zip(page["ids"], page["metadatas"], page["documents"], strict=True)
            found += [_writer(i, meta, text) for i, meta, text in rows]
        return found

    @property
    def next(self) -> int:
        """The number of the change that would begin now."""
        return max(self.own.done, self.own.pending) + 1

    def begin(self, steps: Sequence[VersionChange]) -> int:
        """Say what is about to change; return the number of the change."""
        number = self.next
        begun = replace(self.own, pending=number, switched=False, steps=tuple(steps))
        self._put(replace(begun, changed=time.time()))
        return number

    def switched(self) -> None:
        """Say that the articles are switched: others may follow."""
        self._put(replace(self.own, done=self.own.pending, switched=True))

    def end(self, dropped: int = 0) -> None:
        """Say that nothing is left to do, and how many passages were deleted."""
        done, total = max(self.own.done, self.own.pending), self.own.dropped + dropped
        self._put(replace(self.own, done=done, pending=0, switched=False, steps=(), dropped=total))

    def fenced(self) -> bool:
        """Tell whether others took this writer for dead and settled its change."""
        return not self._unmoved(self.own)

    def gone(self, ids: Iterable[str], number: int) -> None:
        """Leave a mark of removed articles, for those who follow."""
        for part in self._chroma.parts(list(ids)):
            self._chroma.call(
                self._rows.upsert,
                ids=[
                    f"gone:{hashlib.blake2b(i.encode(), digest_size=16).hexdigest()}" for i in part
                ],
                embeddings=[_FILLER] * len(part),
                metadatas=[
                    {"kind": "gone", "article": i, "writer": self.writer, "change": number}
                    for i in part
                ],
            )

    def gone_since(self, writer: str, number: int) -> set[str]:
        """Return the articles that a writer removed in changes after `number`."""
        where = {"$and": [{"kind": "gone"}, {"writer": writer}, {"change": {"$gt": number}}]}
        pages = self._chroma.pages(self._rows, where=where, include=["metadatas"])
        return {str(m["article"]) for page in pages for m in page["metadatas"]}

    def dead(self, writers: Iterable[Writer], lease: float = LEASE_SECONDS) -> list[Writer]:
        """Return the writers whose change has not moved on for `lease` seconds, as seen from here.

        Each is fenced first: should it be suspended and wake, it finds out and
        writes again instead of trusting what was swept.
        """
        now = time.monotonic()
        pending = {w.id: w for w in writers if w.pending and w.id != self.writer}
        self._stuck = {
            i: (w.beat, now) if self._stuck.get(i, ("", 0))[0] != w.beat else self._stuck[i]
            for i, w in pending.items()
        }
        late = [pending[i] for i, (_, since) in self._stuck.items() if now - since >= lease]
        found = []
        for writer in late:
            if self._unmoved(writer):
                fenced = replace(writer, beat=secrets.token_hex(4))
                self._write(fenced)
                found.append(fenced)
        return found

    def settled(self, writer: Writer, dropped: int) -> None:
        """Close the change of a writer that is gone (or of this one, before).

        One that has come back and moved on meanwhile keeps its row.
        """
        if writer.id == self.writer:
            self.end(dropped)
        elif self._unmoved(writer):
            done, total = max(writer.done, writer.pending), writer.dropped + dropped
            self._write(
                Writer(
                    writer.id, done, beat=secrets.token_hex(4), dropped=total,
                    changed=writer.changed,
                )
            )  # fmt: skip

    def _unmoved(self, writer: Writer) -> bool:
        """Tell whether a writer's row is still as it was read."""
        found = self._chroma.call(self._rows.get, ids=[writer.id], include=["metadatas"])
        return bool(found["ids"]) and found["metadatas"][0]["beat"] == writer.beat

    def date(self, changed: float) -> None:
        """Say when the last change was, of a store that was made of another."""
        self._put(replace(self.own, changed=changed))

    def rebuilt(self) -> None:
        """Say that the store holds no deleted passage any more."""
        self._put(replace(self.own, dropped=0))

    def _put(self, own: Writer) -> None:
        self.own = replace(own, beat=secrets.token_hex(4))
        self._write(self.own)

    def _write(self, writer: Writer) -> None:
        steps = [[s.article_id, s.old, s.old_passages, s.new, s.new_passages]
                 for s in writer.steps]  # fmt: skip
        self._chroma.call(
            self._rows.upsert,
            ids=[writer.id],
            embeddings=[_FILLER],
            documents=[json.dumps(steps, separators=(",", ":"))],
            metadatas=[
                {
                    "kind": "writer", "done": writer.done, "pending": writer.pending,
                    "switched": writer.switched, "beat": writer.beat, "dropped": writer.dropped,
                    "changed": writer.changed,
                }
            ],
        )  # fmt: skip


@dataclass
class Positions:
    """How far the lexical cache has followed each writer of a store, kept beside it."""

    file: Path
    store: str
    seen: dict[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path, store: str) -> Positions | None:
        """Return the positions kept in `file`; None when there are none, or another store's."""
        try:
            payload = json.loads(file.read_text(encoding="utf-8"))
            if payload["store"] != store:
                return None
            return cls(file, store, {str(k): int(v) for k, v in payload["seen"].items()})
        except (OSError, ValueError, AttributeError, TypeError, KeyError):
            return None

    def save(self) -> None:
        """Write them whole or not at all; what is not kept is only followed again."""
        draft = self.file.with_suffix(".tmp")
        try:
            draft.write_text(json.dumps({"store": self.store, "seen": self.seen}), "utf-8")
            draft.replace(self.file)
        except OSError:
            log.info("positions non gardées", exc_info=True)


Articles = Callable[[str, int], set[str]]
"""Called with (writer, number): the articles that it wrote in changes after `number`."""


def news(
    changes: ChangeLog, writers: Sequence[Writer], written: Articles, positions: Positions
) -> tuple[set[str], dict[str, int]]:
    """Return the articles changed since `positions`, and the positions that they lead to.

    A change under way counts too, as far as it is visible; it is told again
    until it is finished.
    """
    touched: set[str] = set()
    ahead = dict(positions.seen)
    for writer in writers:
        previous = positions.seen.get(writer.id, 0)
        if writer.done > previous or writer.pending:
            touched |= written(writer.id, previous) | changes.gone_since(writer.id, previous)
            touched |= {s.article_id for s in writer.steps}
        ahead[writer.id] = max(previous, writer.done)
    return touched, ahead


_FILLER = [1.0, 0.0]  # rows are never searched by likeness


def _name(index_dir: Path) -> str:
    """Return the name under which a folder writes, drawn once. Raises StoreError."""
    file = index_dir / "writer"
    try:
        if not file.exists():
            index_dir.mkdir(parents=True, exist_ok=True)
            file.write_text(secrets.token_hex(8), encoding="utf-8")
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StoreError(messages.UNUSABLE_FOLDER.format(index_dir, why(error))) from error


def _writer(row: str, meta: Any, text: str) -> Writer:
    steps = tuple(VersionChange(*values) for values in json.loads(text or "[]"))
    return Writer(
        row, int(meta["done"]), int(meta["pending"]), bool(meta["switched"]), str(meta["beat"]),
        int(meta["dropped"]), steps, float(meta.get("changed") or 0.0),
    )  # fmt: skip
