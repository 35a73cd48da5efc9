"""The index: the store, the words and the catalogue, kept in agreement.

A change says first what it is about (`changes.py`), then writes passages,
then records — the switch of I2 —, then words and catalogue, and sweeps last. Whatever
interrupts it, what is said tells what to settle: the articles of that change
alone. Records are read when they are needed, so that what other processes
write to a shared store is seen at once; the words follow a second behind.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from rag import texts
from rag.domain import (
    BROKEN,
    ArticleRecord,
    Filters,
    Passage,
    Source,
    StoredArticle,
    passage_ids,
    version_of,
)
from rag.errors import ArticleNotFoundError, IndexReplacedError, RecoupeError, StoreError
from rag.indexing.catalogue import CachedPassage, Catalogue, Row
from rag.indexing.changes import LEASE, ChangeLog, Positions, Step, Writer, news
from rag.indexing.chroma import (
    CLOSING,
    Chroma,
    batched,
    connect,
    embedded,
    next_folder,
    paged,
    switch_folder,
)
from rag.indexing.codec import Fields
from rag.indexing.copies import signature
from rag.indexing.generations import current
from rag.indexing.history import History
from rag.indexing.keyword_index import KeywordIndex
from rag.indexing.store import Store
from rag.indexing.understanding import Made, again
from rag.models.packing import cosines, pack
from rag.models.scale import CosineScale

if TYPE_CHECKING:
    from rag.indexing.understanding import Embedded
    from rag.models.embedding import Embedder, Vectors
    from rag.settings import Settings

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with (articles done, articles to do, as far as is known)."""

_FOLLOW = 0.5  # seconds between two looks at what others have changed
_STEPS = 80  # articles of one change: what is said of it has to fit 16 KB
_PAGE = 200  # articles whose words are made again at a time
_STALE = 0.5  # passages deleted, per living one, above which the store is rebuilt
_FEW = 500  # passages deleted below which it never is: they weigh little
_LINGER = 30.0  # seconds that a replaced store stays open for the searches that use it
_COMPARED = 5000  # passages that filters accept, up to which each is compared with the question
_NEIGHBOURS = 2000  # asked of the store, to keep those that filters accept
_MARGINS = (1.5, 6.0)  # where a source is rare about a subject, the first is too small


def _silent(_done: int, _total: int) -> None:
    return None


class Index:
    """An open index. One writer at a time in a process; readers see whole versions only."""

    def __init__(
        self,
        chroma: Chroma,
        lexical: KeywordIndex,
        catalogue: Catalogue,
        embedder: Embedder,
        folder: Path,
        progress: Progress = _silent,
        *,
        history: History,
        foreign: bool = False,
    ) -> None:
        """Take the parts; `open_index` makes them.

        What an interrupted process left is settled; `progress` hears of the
        words that have to be made again. A `foreign` index is of any embedding model, to be copied.
        """
        self.store = Store(chroma, embedder.name, foreign=foreign)
        self.lexical = lexical
        self.catalogue = catalogue
        self.embedder = embedder
        self.history = history
        self.scale = CosineScale(embedder, folder)
        self.lease = LEASE
        self.folder = folder
        self._changes = ChangeLog(chroma, folder)
        self._writing = threading.RLock()
        self._closing = threading.Event()
        self._retired = False
        self._replaced: threading.Timer | None = None
        self._positions = Positions.load(folder / "lexical" / "positions.json", self._changes.store)
        with self._writing:
            self._settle(self._changes.own)
            if lexical.fresh or catalogue.fresh or self._positions is None:
                self.fill(progress)
            else:
                self.follow(progress)
            if self.store.outdated:
                self.renew(progress)
        self._follower = threading.Thread(target=self._keep_following, name="suivi", daemon=True)
        if chroma.shared:
            self._follower.start()

    def records(self) -> Iterator[ArticleRecord]:
        """Yield the current record of each article, in no order."""
        return self.store.records()

    def records_of(self, ids: Iterable[str]) -> dict[str, ArticleRecord]:
        """Return the current records of some articles, by id; absent ones are left out.

        The catalogue knows them, but for what others write to a shared store:
        that is seen at once.
        """
        if self.store.chroma.shared:
            return self.store.records_of(ids)
        return self.catalogue.records_of(list(dict.fromkeys(ids)))

    def record(self, article_id: str) -> ArticleRecord | None:
        """Return the current record of an article, None when it is absent."""
        return self.records_of([article_id]).get(article_id)

    def articles(self) -> int:
        """Return the number of articles."""
        return self.store.articles()

    def current(self, passages: Iterable[str]) -> dict[str, ArticleRecord]:
        """Return, for those of some passage ids that may answer, the record.

        They are of a current version, of an article that was not withdrawn, and was not found
        damaged.
        """
        found = self._of_versions(passages, self.records_of)
        return {
            i: record
            for i, record in found.items()
            if record.withdrawn is None and record.recipe != BROKEN
        }

    def _of_versions(
        self,
        passages: Iterable[str],
        records_of: Callable[[Iterable[str]], dict[str, ArticleRecord]],
    ) -> dict[str, ArticleRecord]:
        ids = {i: version_of(i) for i in passages}
        records = records_of(article_id for article_id, _ in ids.values())
        return {
            i: record
            for i, (article_id, version) in ids.items()
            if (record := records.get(article_id)) and record.version == version
        }

    def article(self, article_id: str) -> StoredArticle:
        """Return an article, whole. Raises ArticleNotFoundError, or StoreError if damaged."""
        for pause in (0.0, 0.05, 0.3):  # a version may be swept between the two reads
            time.sleep(pause)
            record = self.record(article_id)
            if record is None:
                raise ArticleNotFoundError(
                    f"Aucun article « {article_id} » : « recoupe list » donne les identifiants."
                )
            found = self.store.passages(record.passage_ids())
            if len(found) == record.passages:
                return StoredArticle(record, tuple(found[i] for i in record.passage_ids()))
        raise StoreError(
            f"L'article « {article_id} » est incomplet dans l'index : lancez « recoupe doctor "
            "--repair », puis ré-ingérez son fichier."
        )

    def whole(self, records: Iterable[ArticleRecord]) -> list[StoredArticle]:
        """Return the articles of some records; one that has changed meanwhile is left out."""
        wanted = list(records)
        kept = self.store.passages([i for r in wanted for i in r.passage_ids()])
        return [
            StoredArticle(r, tuple(kept[i] for i in r.passage_ids()))
            for r in wanted
            if all(i in kept for i in r.passage_ids())
        ]

    def nearest(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """Return current (passage id, cosine) nearest to a unit vector, best first."""
        found = self.store.nearest(vector, limit)
        current = self.current(i for i, _ in found)
        return [(i, cosine) for i, cosine in found if i in current]

    def among(self, vector: Vectors, limit: int, filters: Filters) -> list[tuple[str, float]]:
        """Return (passage id, cosine) nearest to a unit vector that filters accept, best first.

        Few are compared one by one; of many, more neighbours are asked for, as
        the share that is accepted wants. Chroma's own filters take 100 to
        200 ms at 100,000 passages.
        """
        accepted = self.catalogue.accepted(filters)
        if not accepted:
            return []
        share = accepted / max(1, self.store.count())
        for margin in _MARGINS:
            wanted = ceil(limit / share * margin)
            if accepted <= _COMPARED or wanted > _NEIGHBOURS:
                break
            found = self.store.nearest(vector, wanted)
            current = self.current(i for i, _ in found)
            kept = [f for f in found if f[0] in current and filters.accept(current[f[0]].source)]
            if len(kept) >= limit:
                return kept[:limit]
        return self._compared(vector, limit, filters)

    def _compared(self, vector: Vectors, limit: int, filters: Filters) -> list[tuple[str, float]]:
        packed = self.catalogue.vectors(filters)
        found = zip(packed, cosines(vector, list(packed.values())), strict=True)
        return sorted(found, key=lambda f: -f[1])[:limit]

    def understood(self, passages: Iterable[Passage]) -> dict[str, CachedPassage]:
        """Return what is kept of current passages, by id; what is not is made and kept.

        It is not where another process wrote the article, or where the
        catalogue was lost. Raises EmbeddingError.
        """
        wanted = {p.id: p.article_id for p in passages}
        found = self.catalogue.kept(list(wanted))
        for article_id in dict.fromkeys(a for i, a in wanted.items() if i not in found):
            try:
                article = self.article(article_id)
            except ArticleNotFoundError:  # it has gone meanwhile
                continue
            _, rows = again(self.embedder, article)
            self.catalogue.keep(rows)
            found |= {
                r.passage: CachedPassage(r.vector, r.sentences)
                for r in rows
                if r.passage in wanted and r.sentences is not None
            }
        return found

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
        raise StoreError(
            "L'écriture a été interrompue trop longtemps et un autre processus l'a défaite : "
            "relancez l'ingestion ; l'index est resté entier."
        )

    def _written(
        self,
        versions: Sequence[tuple[ArticleRecord, Sequence[Passage]]],
        vectors: Vectors,
        rows: Sequence[Row],
    ) -> bool:
        """Write versions as a change of its own; False when others undid it meanwhile."""
        known = self.store.records_of(record.id for record, _ in versions)
        number = self._changes.next
        generation = self._changes.generation(number)
        records = [replace(record, generation=generation) for record, _ in versions]
        passages = [
            replace(p, id=i)
            for record, (_, ps) in zip(records, versions, strict=True)
            for p, i in zip(ps, record.passage_ids(), strict=True)
        ]
        sources = [r.source for r, (_, ps) in zip(records, versions, strict=True) for _ in ps]
        steps = [_step(known.get(r.id), r) for r in records]
        self.history.keep(self._replaced_by(known, versions))
        self._changes.begin(steps)
        try:
            self.store.put_passages(passages, sources, vectors)
            if self.store.chroma.shared and self._changes.fenced():
                self._undo(steps)
                return False
            self.store.put_records(records, self._changes.writer, number)
        except BaseException:
            self._undo(steps)
            raise
        if self.store.chroma.shared and self._changes.fenced():
            # Suspended for long just here: what others swept is written again, as a new change.
            return False
        self._changes.switched()
        drop = [(s.article_id, s.old) for s in steps if s.old]
        # The signatures first: whoever settles this change looks at the words and the records.
        self._sign((r.id, ps) for r, (_, ps) in zip(records, versions, strict=True))
        self.lexical.update(add=list(zip(passages, sources, strict=True)), drop=drop)
        kept = [replace(row, passage=p.id) for row, p in zip(rows, passages, strict=True)]
        self.catalogue.put(records, kept)
        self._end(steps)
        return True

    def _sign(self, articles: Iterable[tuple[str, Sequence[Passage]]]) -> None:
        """Find the copies of articles, whose passages are given in order."""
        self.catalogue.sign((i, signature("".join(p.text for p in ps))) for i, ps in articles)

    def _replaced_by(
        self,
        known: Mapping[str, ArticleRecord],
        versions: Sequence[tuple[ArticleRecord, Sequence[Passage]]],
    ) -> Iterator[tuple[ArticleRecord, str]]:
        """Yield the present versions that say something else than those about to come."""
        old = self.store.passages([i for r in known.values() for i in r.passage_ids()])
        for record, passages in versions:
            before = known.get(record.id)
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
        for some in batched(list(paths), _STEPS):
            self._amend({i: {"path": paths[i]} for i in some})

    def withdraw(self, days: Mapping[str, date | None]) -> list[str]:
        """Say of articles, by id, on which day they were withdrawn; None for not at all.

        What is withdrawn is kept, and answers nothing. Returns the ids for which that is
        new. Raises StoreError.
        """
        told: list[str] = []
        for some in batched(list(days), _STEPS):
            known = self.records_of(some)
            fresh = {
                i: days[i]
                for i in some
                if i in known
                and not known[i].withheld  # what a keeper withholds, a publisher does not give back
                and (known[i].withdrawn is None) != (days[i] is None)
            }
            if fresh:
                self._amend({i: {"withdrawn": day} for i, day in fresh.items()})
                told += fresh
        return told

    def _amend(self, changes: Mapping[str, Fields]) -> None:
        """Give articles, by id, other values of some fields of their records."""
        with self.write_lock():
            number = self._changes.begin([])
            self.store.amend_records(changes, self._changes.writer, number)
            self.catalogue.amend(changes)
            self._changes.end()

    def remove(self, ids: Iterable[str]) -> list[str]:
        """Remove articles; return the ids that were there. Raises StoreError."""
        gone: list[str] = []
        for some in batched(list(dict.fromkeys(ids)), _STEPS):
            with self.write_lock():
                known = self.store.records_of(some)
                if not known:
                    continue
                steps = [Step(r.id, r.version, r.passages) for r in known.values()]
                number = self._changes.begin(steps)
                # What another has replaced in between is not what was asked to go.
                now = self.store.records_of(known)
                known = {i: r for i, r in now.items() if r.version == known[i].version}
                steps = [s for s in steps if s.article_id in known]
                if self.store.chroma.shared:
                    self._changes.gone(known, number)
                self.store.delete_records(list(known))
                self._changes.switched()
                self.lexical.update(drop=[(s.article_id, s.old) for s in steps])
                self.catalogue.drop(known)
                self._end(steps)
                self.history.forget(list(known))
                gone += known
        return gone

    def backup(self, folder: Path, progress: Progress = _silent) -> int:
        """Copy the index into a new folder, itself an index; return how many articles it has.

        Searches go on meanwhile, writers wait. A kill leaves no folder of that name. Raises
        StoreError.
        """
        if folder.exists():
            raise StoreError(texts.BACKUP_THERE.format(folder))
        if any(folder.is_relative_to(own.resolve()) for own in self.folders()):
            raise StoreError(texts.BACKUP_INSIDE.format(folder))
        draft = folder.with_name(f".{folder.name}.{uuid4().hex}.partiel")
        with self.write_lock():
            try:
                draft.mkdir(parents=True)
                old = self.store.chroma
                place = draft / "chroma"
                fresh = Chroma(embedded(place), str(place), place, old.most)
                try:
                    for done in self.store.copy_to(fresh):
                        progress(done, self.articles())
                finally:
                    fresh.close()
                # What lies beside the history last: it is the index's own.
                for base in bases((self.folder, *self.history.folders)):
                    _copy_base(base, draft / base.name)
                draft.rename(folder)
            except (OSError, sqlite3.Error) as error:
                shutil.rmtree(draft, ignore_errors=True)
                raise StoreError(
                    f"La copie dans {folder} a échoué ({error}) : vérifiez la place et les droits."
                ) from error
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
        return self.articles()

    def erase(self, ids: Iterable[str], progress: Progress = _silent) -> list[str]:
        """Remove articles and all that is left of them in the folder; return who was there.

        The store is made again without them, the words and the catalogue too. Of a server's
        own folder nothing can be said. Raises StoreError.
        """
        with self._writing:
            gone = self.remove(ids)
            if gone:
                self.compact(progress)
                self._discard_replaced()
                self.lexical.clear()
                self.fill(progress)
                self.catalogue.shrink()
        return gone

    def holding(self, sentences: Sequence[str]) -> dict[str, set[str]]:
        """Return which of some sentences each article says; those that say none are left out."""
        found: dict[str, set[str]] = {}
        for some in paged(self.records(), _PAGE) if sentences else ():
            kept = self.store.passages([i for r in some for i in r.passage_ids()])
            for record in some:
                text = "".join(kept[i].text for i in record.passage_ids() if i in kept)
                title = record.source.title
                if held := {said for said in sentences if said in text or said in title}:
                    found[record.id] = held
        return found

    def _ready(self) -> None:
        """Refuse to begin what cannot end well; settle what a failure left."""
        if self._closing.is_set():
            raise StoreError(CLOSING)
        if self._retired:
            raise IndexReplacedError(texts.INDEX_REPLACED)
        self.store.chroma.check_room()
        self._settle(self._changes.own)

    def _end(self, steps: Sequence[Step]) -> None:
        """Sweep the versions that a change has replaced, and close it."""
        if self.store.chroma.shared:
            dropped = self._sweep_around([s.article_id for s in steps])
        else:
            dropped = self._delete([(s.article_id, s.old, s.old_passages) for s in steps if s.old])
        self._changes.end(dropped)
        self._save_positions({self._changes.writer: self._changes.own.done})

    def _undo(self, steps: Sequence[Step]) -> None:
        """Take back a change that did not come to its switch; what fails is settled later."""
        try:
            self._settle(replace(self._changes.own, steps=tuple(steps)))
        except RecoupeError:
            log.warning("changement interrompu : il sera défait à la prochaine écriture")

    def _settle(self, writer: Writer) -> None:
        """Bring to an end the change that a writer left: to its old state, or to its new one."""
        if not writer.pending:
            return
        log.info("changement interrompu de %s : %d articles", writer.id, len(writer.steps))
        records = self.store.records_of(s.article_id for s in writer.steps)
        versions = [
            (s.article_id, version, count)
            for s in writer.steps
            for version, count in ((s.old, s.old_passages), (s.new, s.new_passages))
            if version and version != (r.version if (r := records.get(s.article_id)) else "")
        ]
        dropped = self._delete(versions)
        self._follow_articles({s.article_id for s in writer.steps})
        self._changes.settled(writer, dropped)

    def _delete(self, versions: Iterable[tuple[str, str, int]]) -> int:
        """Delete versions: article, version, how many passages; return how many there were."""
        ids = [i for version in versions for i in passage_ids(*version)]
        self.store.delete_passages(ids)
        return len(ids)

    def _sweep_around(self, articles: Sequence[str]) -> int:
        """Delete all versions of some articles but the current, and those in flight."""
        stale = self.stale(self.store.passage_ids(articles))
        self.store.delete_passages(sorted(stale))
        return len(stale)

    def stale(self, listed: set[str]) -> set[str]:
        """Return, of passages just listed, those of no current version that nobody is writing.

        The order makes it safe: passages are listed first, then what is in
        flight, then the records. A passage listed is announced before it is
        written; when it is announced no more, its record has been switched.
        """
        flying = {v for w in self._changes.writers() for v in w.in_flight}
        flying -= self._changes.own.in_flight
        current = self._of_versions(listed, self.store.records_of)
        return {i for i in listed if i not in current and version_of(i) not in flying}

    def incomplete(self, records: Iterable[ArticleRecord], listed: set[str]) -> list[str]:
        """Return the articles that lack a passage, among records read after passages were listed.

        What somebody has written in between is not missing: those are looked at again.
        """
        suspects = [r.id for r in records if not listed.issuperset(r.passage_ids())]
        return sorted(
            i
            for i, r in self.store.records_of(suspects).items()
            if len(self.store.passages(r.passage_ids())) < r.passages
        )

    def put_back(self, records: Sequence[ArticleRecord]) -> None:
        """Make records that only the catalogue has the current ones again."""
        for some in batched(records, _STEPS):
            with self.write_lock():
                number = self._changes.begin([])
                self.store.put_records(some, self._changes.writer, number)
                self._changes.end()

    def mark_broken(self, articles: Iterable[str]) -> None:
        """Say of articles that they are to be read again, whatever they say."""
        for some in batched(list(articles), _STEPS):
            self._amend({i: {"recipe": BROKEN} for i in some})

    def follow(self, progress: Progress = _silent) -> None:
        """Take over what other writers of the store have changed. Raises StoreError."""
        with self._writing:
            writers = self._changes.writers()
            positions = self._positions
            if positions is None:
                return
            done = {w.id: w.done for w in writers}
            if any(number > done.get(writer, 0) for writer, number in positions.seen.items()):
                # The words are of a later state than the store's: it was taken from a backup.
                self.fill(progress)
                return
            touched, seen = news(self._changes, writers, self.store.written, positions)
            self._follow_articles(touched)
            self._save_positions(seen)
            for writer in self._changes.dead(writers, self.lease):
                self._settle(writer)

    def _keep_following(self) -> None:
        lost = False
        while not self._closing.wait(_FOLLOW):
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

    def _follow_articles(self, articles: Iterable[str]) -> None:
        """Make words and catalogue of some articles those of their current versions."""
        for some in batched(sorted(articles), _STEPS):
            records = self.store.records_of(some)
            held = self.lexical.versions_of(some)
            drop, add = [], []
            for i in some:
                wanted = records[i].version if i in records else ""
                drop += [(i, v) for v in held.get(i, ()) if v != wanted]
                if wanted and wanted not in held.get(i, ()):
                    add.append(records[i])
            if drop or add:
                passages = self._with_passages(add)
                self._sign(_by_article(passages))
                self.lexical.update(add=passages, drop=drop)
            known = self.catalogue.records_of(some)
            self.catalogue.drop([i for i in known if i not in records])
            self._catalogued([r for i, r in records.items() if r != known.get(i)])

    def _catalogued(self, records: Sequence[ArticleRecord]) -> None:
        """Put records in the catalogue, and the vectors of passages of which it has nothing."""
        lacking = self.catalogue.lacking([i for r in records for i in r.passage_ids()])
        vectors = self.store.vectors(lacking)
        packed = pack(list(vectors.values()))
        self.catalogue.put(records, [Row(i, b"", v) for i, v in zip(vectors, packed, strict=True)])

    def embedded_before(self, contents: Sequence[bytes]) -> Embedded:
        """Return, by content, what was made of a passage and of its sentences and serves again."""
        alike = self.catalogue.alike(contents)
        vectors = self.store.vectors(list(alike.values()))
        kept = self.catalogue.kept(list(vectors))
        found: Embedded = {}
        for content, i in alike.items():
            if i in vectors and i in kept:
                own = [s for s in kept[i].sentences if s.vector]
                found[content] = Made(
                    vectors[i],
                    [s.vector for s in own],
                    [s.injection for s in own],
                    [s.attribution for s in own],
                )
        return found

    def _with_passages(self, records: Sequence[ArticleRecord]) -> list[tuple[Passage, Source]]:
        found = self.store.passages([i for r in records for i in r.passage_ids()])
        return [(found[i], r.source) for r in records for i in r.passage_ids() if i in found]

    def fill(self, progress: Progress = _silent) -> None:
        """Make the words and the catalogue again from the store."""
        seen = {w.id: w.done for w in self._changes.writers()}
        total = self.articles()
        if total:
            log.warning("index lexical et catalogue refaits : %d articles", total)
        self.lexical.clear()
        self.catalogue.clear()
        done = 0
        for some in paged(self.store.records(), _PAGE):
            passages = self._with_passages(some)
            self.lexical.update(add=passages)
            self._catalogued(some)
            self._sign(_by_article(passages))
            done += len(some)
            progress(min(total, done), total)
        self.catalogue.sweep()
        self.lexical.confirm()
        self.catalogue.confirm()
        file = self.folder / "lexical" / "positions.json"
        self._positions = Positions(file, self._changes.store, seen)
        self._positions.save()

    def _save_positions(self, seen: dict[str, int]) -> None:
        positions = self._positions
        if positions and any(positions.seen.get(w) != n for w, n in seen.items()):
            positions.seen |= seen
            positions.save()

    def check(self) -> list[str]:
        """Return what is wrong, as French sentences; an empty list when all is whole."""
        from rag.indexing.doctor import examine

        return examine(self).sentences()

    def repair(self, progress: Progress = _silent) -> list[ArticleRecord]:
        """Mend what can be rebuilt; return the articles that have to be read again.

        They stay as they are until then.
        """
        from rag.indexing.doctor import mend

        return mend(self, progress)

    @property
    def compactable(self) -> bool:
        """Whether enough of an embedded store is dead weight for `compact` to pay.

        Chroma never gives back the room of deleted vectors and walks over them
        in each search (chroma issues 2594, 4737).
        """
        dropped = self._changes.own.dropped
        return not self.store.chroma.shared and dropped > max(_FEW, _STALE * self.store.count())

    def compact(self, progress: Progress = _silent) -> bool:
        """Copy the living passages into a fresh store and switch to it; False on a server.

        Searches go on meanwhile, writers wait. A kill at any point leaves the
        old store or the new one. Raises StoreError.
        """
        if self.store.chroma.shared:
            return False
        self._rebuild(self.store.copy_to, progress)
        return True

    def renew(self, progress: Progress) -> None:
        """Embed all passages again, into a fresh store where it is embedded."""
        log.warning("vecteurs refaits : %d articles", self.articles())
        if self.store.chroma.shared:
            total = self.articles()
            for done in self.store.embed_again(self._embedded_again):
                progress(done, total)
        else:
            self._rebuild(lambda fresh: self.store.copy_to(fresh, self._embedded_again), progress)

    def _embedded_again(self, articles: Sequence[StoredArticle]) -> Vectors:
        found = [again(self.embedder, article) for article in articles]
        self.catalogue.keep(row for _, rows in found for row in rows)
        import numpy as np

        return np.concatenate([vectors for vectors, _ in found])

    def _rebuild(self, copied: Callable[[Chroma], Iterator[int]], progress: Progress) -> None:
        with self.write_lock():
            old = self.store
            assert old.chroma.folder is not None
            old.chroma.check_room(_size(old.chroma.folder))
            total = self.articles()
            folder = next_folder(self.folder)
            fresh = Chroma(embedded(folder), old.chroma.where, folder, old.chroma.most)
            try:
                for done in copied(fresh):
                    progress(done, total)
                    if self._closing.is_set():
                        raise StoreError(CLOSING)
                # The store's numbers go on where they were.
                changes = ChangeLog(fresh, self.folder)
                changes.own = self._changes.own
                changes.rebuilt()
                store = Store(fresh, self.embedder.name)
                switch_folder(self.folder, folder)
            except BaseException:
                _discard(fresh)
                raise
            self.store, self._changes = store, changes
            if self._positions:
                self._positions.store = changes.store
                self._positions.save()
        self._discard_replaced()
        self._replaced = threading.Timer(_LINGER, _discard, [old.chroma])
        self._replaced.daemon = True
        self._replaced.start()

    def _discard_replaced(self) -> None:
        """Remove the store that a rebuild has replaced, if it is still there."""
        if self._replaced:
            self._replaced.cancel()
            self._replaced.function(*self._replaced.args)
            self._replaced = None

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Let no other thread change the index meanwhile."""
        with self._writing:
            yield

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """Let no other thread change the index, to change it. Raises StoreError."""
        with self.lock():
            self._ready()
            yield

    def folders(self) -> list[Path]:
        """Return the folders that have its files of SQLite."""
        store = self.store.chroma.folder
        return [*self.history.folders, self.folder, *([store] if store else [])]

    def retire(self, successor: Index) -> None:
        """Change no more, and give the history to the index that takes the place of this one.

        Questions under way are still answered. Later changes raise IndexReplacedError.
        """
        with self._writing:
            self._retired = True
            successor.history.close()  # of what it was built of: nobody's past
            successor.history, self.history = self.history, History(None)

    def size(self) -> int:
        """Return what the folder of an embedded store, its words and its catalogue weigh."""
        places = [self.store.chroma.folder, self.folder / "lexical"]
        catalogue = (self.folder / "catalogue.sqlite3").stat().st_size
        return catalogue + sum(_size(place) for place in places if place)

    def stop(self) -> None:
        """Refuse further changes; the one under way ends, and questions are still answered."""
        self._closing.set()

    def close(self) -> None:
        """Wait for the change under way and let go; later changes are refused."""
        self.stop()
        if self._follower.is_alive():
            self._follower.join()
        with self._writing:
            self.store.chroma.close()
            self.catalogue.close()
            self.history.close()
            self._discard_replaced()


def _by_article(
    passages: Iterable[tuple[Passage, Source]],
) -> Iterator[tuple[str, list[Passage]]]:
    """Yield the passages of each article; those of one come together."""
    for article_id, some in groupby((p for p, _ in passages), key=lambda p: p.article_id):
        yield article_id, list(some)


def bases(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the files of SQLite in some folders, in their order."""
    for folder in dict.fromkeys(folders):
        for file in sorted(folder.glob("*.sqlite*")):
            if file.suffix in {".sqlite", ".sqlite3"}:
                yield file


def _size(folder: Path) -> int:
    """Return the size of a folder, in bytes."""
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def _copy_base(base: Path, copy: Path) -> None:
    """Copy a SQLite file as it is at one moment, while others may use it."""
    with closing(sqlite3.connect(base)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


def _discard(chroma: Chroma) -> None:
    """Remove a store that another has replaced; once more does no harm."""
    chroma.close()
    if chroma.folder:
        shutil.rmtree(chroma.folder, ignore_errors=True)


def _step(old: ArticleRecord | None, new: ArticleRecord) -> Step:
    if old is None:
        return Step(new.id, new=new.version, new_passages=new.passages)
    return Step(new.id, old.version, old.passages, new.version, new.passages)


def open_index(
    settings: Settings,
    embedder: Embedder,
    progress: Progress = _silent,
    *,
    folder: Path | None = None,
    foreign: bool = False,
) -> Index:
    """Open the index that the settings name; the caller owns it (see `owner.py`).

    `folder` is that of another generation than the one that serves (see `generations.py`);
    it then keeps no history. A `foreign` index is of any embedding model, to be copied.
    """
    home = settings.index_dir
    place = folder or (home if settings.chroma_url else current(home))
    chroma = connect(settings, place)
    lexical, catalogue = KeywordIndex(place / "lexical"), Catalogue(place)
    return Index(
        chroma, lexical, catalogue, embedder, place, progress,
        history=History(None if folder else home), foreign=foreign,
    )  # fmt: skip
