"""Everything that an index keeps, held against everything else, and what can be rebuilt, mended.

The store is what the rest is made of: its records against its passages, their spans and their
vectors; then, against the store, the words, the catalogue, the signatures of copies, the history;
then the files themselves, as SQLite sees them.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from rag import messages
from rag.domain import BROKEN, ArticleRecord, Passage, StoredArticle, digest_of
from rag.errors import RecoupeError, StoreError
from rag.indexing.batches import batched, paged
from rag.indexing.copies import signature
from rag.indexing.parts import files_of_sqlite, silent
from rag.indexing.understanding import again
from rag.models.packing import pack

if TYPE_CHECKING:
    from rag.indexing.index import Index, Progress
    from rag.models.embedding import Vectors

log = logging.getLogger(__name__)

_PAGE_ARTICLES = 200  # articles in memory at a time
_SAMPLE_PASSAGES = 40  # passages whose neighbours are asked for
_NEIGHBOURS = 10  # neighbours among which a passage, or one that says the same, has to be
_SAME_COSINE = 0.999  # cosine of a vector with itself, rounded
_UNIT_TOLERANCE = 1e-2  # by which the norm of a vector may differ from 1
_MAX_NAMES = 5  # ids in a sentence


@dataclass
class Findings:
    """What is wrong with an index; all empty when it is whole."""

    stale: set[str] = field(default_factory=set)  # passages of no current version
    lost: list[ArticleRecord] = field(default_factory=list)  # whose record only the catalogue has
    incomplete: list[str] = field(default_factory=list)  # articles that lack text, or have another
    unembedded: list[str] = field(default_factory=list)  # articles with a vector that is none
    unreachable: int = 0  # passages of the sample that no search would find
    words: list[str] = field(default_factory=list)  # articles whose words are others
    words_damaged: bool = False  # the words cannot be read
    words_surplus: int = 0  # passages in the words beyond those of the store
    catalogue: list[str] = field(default_factory=list)  # articles that the catalogue tells wrongly
    catalogue_surplus: int = 0  # passages in the catalogue of no current version
    orphans: list[str] = field(default_factory=list)  # articles with a past and no present
    unreadable: int = 0  # past versions that cannot be read
    files: dict[str, str] = field(default_factory=dict)  # damaged files, with what is wrong

    def sentences(self) -> list[str]:
        """Return the findings as French sentences."""
        findings: tuple[tuple[list[str] | int, str], ...] = (
            ([r.id for r in self.lost], messages.ARTICLES_WITHOUT_RECORD),
            (self.incomplete, messages.INCOMPLETE_ARTICLES),
            (len(self.stale), messages.STALE_PASSAGES),
            (self.unembedded, messages.ARTICLES_WITHOUT_VECTOR),
            (self.unreachable, messages.UNREACHABLE_PASSAGES),
            (int(self.words_damaged), messages.WORDS_DAMAGED),
            (self.words, messages.WORDS_DIFFER),
            (self.words_surplus, messages.WORDS_SURPLUS),
            (self.catalogue, messages.CATALOGUE_DIFFERS),
            (self.catalogue_surplus, messages.CATALOGUE_SURPLUS),
            (self.orphans, messages.PAST_WITHOUT_PRESENT),
            (self.unreadable, messages.UNREADABLE_VERSIONS),
        )
        sentences = []
        for value, sentence in findings:
            if value:
                many = value if isinstance(value, int) else len(value)
                names = "" if isinstance(value, int) else ", ".join(sorted(value)[:_MAX_NAMES])
                sentences.append(sentence.format(many, names, sample=_SAMPLE_PASSAGES))
        sentences += [messages.DAMAGED_SQLITE.format(name, why) for name, why in self.files.items()]
        return sentences


def examine(index: Index) -> Findings:
    """Hold everything against everything. Raises StoreError where the store cannot be read."""
    found = Findings()
    with index.writer.lock():
        index.follower.follow()
        listed = index.store.passage_ids()
        records = list(index.records())
        if not index.store.shared:
            found.lost = index.catalogue.beyond({r.id for r in records})
        # What the catalogue alone still knows is not swept.
        catalogue_only = {i for r in found.lost for i in r.passage_ids()}
        found.stale = index.writer.stale(listed) - catalogue_only
        found.incomplete = index.writer.incomplete(records, listed)
        found.incomplete += [r.id for r in records if r.recipe == BROKEN]
        found.incomplete = list(dict.fromkeys(found.incomplete))
        for some in paged(iter(records), _PAGE_ARTICLES):
            _examine_some(index, some, found)
        if index.store.shared:  # others write meanwhile: a second look at what changed
            _look_again(index, found, {r.id: r for r in records})
        else:
            _examine_whole(index, records, listed, found)
    for file in files_of_sqlite(index.folders()):
        if why := _damage(file):
            found.files[file.name] = why
    return found


def _examine_whole(
    index: Index, records: Sequence[ArticleRecord], listed: AbstractSet[str], found: Findings
) -> None:
    """Look at what only an index that nobody else writes tells."""
    if not found.words_damaged:
        expected = sum(r.passages for r in records)
        found.words_surplus = max(0, index.lexical.versions() - expected)
    found.catalogue_surplus = index.catalogue.stale()
    found.unreachable = _unreachable(index, records, listed)
    articles, found.unreadable = index.history.inventory()
    found.orphans = sorted(articles - {r.id for r in records} - {r.id for r in found.lost})


def mend(index: Index, progress: Progress = silent) -> list[ArticleRecord]:
    """Mend what can be rebuilt; return the articles that have to be read again.

    Those stay as they are until then: nothing is removed that could be of use. Raises StoreError.
    """
    with index.writer.write_lock():
        found = examine(index)
        log.info("réparation de l'index : %s", found.sentences() or "rien à réparer")
        index.writer.put_back(found.lost)
        index.store.delete_passages(sorted(found.stale))
        if found.unreachable:
            index.rebuilder.renew(progress)
            found.unembedded = []
        for some in batched(found.unembedded, _PAGE_ARTICLES):
            _embed(index, index.whole(index.store.records_of(some).values()))
        index.catalogue.drop(found.catalogue)
        index.lexical.remake()
        index.recovery.fill(progress)
        index.history.forget(found.orphans)
        index.history.drop_unreadable()
        # A record that was put back may lack passages too.
        broken = [*found.incomplete, *index.writer.incomplete(found.lost, set())]
        index.writer.mark_broken(broken)
        return list(index.store.records_of(broken).values())


def _examine_some(index: Index, records: Sequence[ArticleRecord], found: Findings) -> None:
    """Hold some articles of the store against themselves, the words and the catalogue."""
    ids = [i for r in records for i in r.passage_ids()]
    passages, vectors = index.store.passages(ids), _vectors(index, ids)
    dimension = len(next(iter(vectors.values()), ()))
    words = _words(index, records, found)
    entries = index.catalogue.records_of([r.id for r in records])
    cached = index.catalogue.packed(ids)
    copies = index.catalogue.signatures([r.id for r in records])
    incomplete = set(found.incomplete)
    for record in records:
        own = record.passage_ids()
        if record.id in incomplete or any(i not in passages for i in own):
            continue  # told as such, whatever else is wrong
        parts = [passages[i] for i in own]
        if not _whole(record, parts):
            found.incomplete.append(record.id)
            continue
        if not _embedded(own, vectors, dimension):
            found.unembedded.append(record.id)
        if words is not None and words.get(record.id) != {record.version}:
            found.words.append(record.id)
        packed = dict(zip(own, pack([vectors[i] for i in own if i in vectors]), strict=False))
        signed = signature("".join(p.text for p in parts))
        if (
            entries.get(record.id) != record
            or copies.get(record.id) != signed
            or any(cached.get(i, b"") not in {packed.get(i), b""} or i not in cached for i in own)
        ):
            found.catalogue.append(record.id)


def _vectors(index: Index, ids: Sequence[str]) -> dict[str, Vectors]:
    """Return the vectors of passages; of none where the store has lost some."""
    try:
        return index.store.vectors(ids)
    except StoreError:
        log.info("vecteurs illisibles", exc_info=True)
        return {}


def _whole(record: ArticleRecord, passages: Sequence[Passage]) -> bool:
    """Tell whether passages follow each other, and are as long as they and the record say."""
    at = 0
    for passage in passages:
        if passage.start != at or len(passage.text) != passage.end - passage.start:
            return False
        at = passage.end
    if record.digest and record.digest != digest_of("".join(p.text for p in passages)):
        return False
    return at == record.characters


def _words(
    index: Index, records: Sequence[ArticleRecord], found: Findings
) -> dict[str, set[str]] | None:
    """Return the versions whose words are held, by article; None where they cannot be read."""
    try:
        return None if found.words_damaged else index.lexical.versions_of([r.id for r in records])
    except StoreError:
        found.words_damaged = True
        return None


def _embedded(ids: Sequence[str], vectors: Mapping[str, Vectors], dimension: int) -> bool:
    """Tell whether all passages have a vector of norm 1, of the dimension of the others."""
    import numpy as np

    if any(i not in vectors or len(vectors[i]) != dimension for i in ids):
        return False
    norms = np.linalg.norm(np.array([vectors[i] for i in ids], dtype=np.float64), axis=1)
    return bool(np.all(np.isfinite(norms)) and np.all(np.abs(norms - 1) < _UNIT_TOLERANCE))


def _look_again(index: Index, found: Findings, records: Mapping[str, ArticleRecord]) -> None:
    """Keep of the findings the articles that nobody has changed since they were listed."""
    index.follower.follow()
    now = index.store.records_of({*found.unembedded, *found.words, *found.catalogue})
    for name in ("unembedded", "words", "catalogue"):
        suspects = [i for i in getattr(found, name) if now.get(i) == records[i]]
        setattr(found, name, suspects)


def _unreachable(index: Index, records: Sequence[ArticleRecord], listed: AbstractSet[str]) -> int:
    """Return how many of some passages, evenly taken, are not among their own neighbours."""
    step = max(1, len(records) // _SAMPLE_PASSAGES)
    firsts = [r.passage_ids()[0] for r in islice(records, 0, None, step) if r.passages]
    ids = [i for i in firsts if i in listed][:_SAMPLE_PASSAGES]
    vectors = _vectors(index, ids)
    lost = len(ids) - len(vectors)
    if lost:
        log.warning("sans vecteur : %s", ", ".join(i for i in ids if i not in vectors)[:400])
    for passage, vector in vectors.items():
        try:
            near = index.store.nearest(vector, _NEIGHBOURS)
        except RecoupeError:
            log.info("recherche impossible", exc_info=True)
            return len(ids)
        if not any(i == passage or cosine > _SAME_COSINE for i, cosine in near):
            lost += 1
            log.warning("introuvable par son vecteur : %s ; ses voisins : %s", passage, near)
    return lost


def _damage(file: Path) -> str:
    """Return what SQLite says is wrong with a file, "" when it is whole."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as base:
            (result,) = base.execute("pragma quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return "" if result == "ok" else str(result)


def _embed(index: Index, articles: Sequence[StoredArticle]) -> None:
    """Make the vectors of articles again."""
    for stored in articles:
        vectors, rows = again(index.embedder, stored)
        index.writer.write([(stored.record, stored.passages)], vectors, rows)
