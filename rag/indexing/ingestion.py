"""From articles to the index: what is new, changed, the same or gone.

Only what is new or changed is split and embedded (I5). A batch of articles is
switched at a time, each of them whole (I2).
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, replace
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path

from rag import messages
from rag.domain import (
    BROKEN,
    Article,
    ArticleRecord,
    Failure,
    FileRead,
    Found,
    IngestReport,
    Source,
    StoredArticle,
    digest_of,
)
from rag.indexing import edits as keeper
from rag.indexing.copies import signature
from rag.indexing.index import Index, Progress
from rag.indexing.removals import Removals
from rag.indexing.understanding import (
    CachedVectors,
    Understood,
    again,
    embed_understood,
    understood,
)

log = logging.getLogger(__name__)

RECIPE = 8  # raise it when splitting, reading or the embedded text changes: all are made again
_BATCH_PASSAGES = 32
_LOOKED_UP = 16  # articles whose records are asked for at a time
_New = tuple[Article, str]  # with its version
_ROW = re.compile(r"#\d+$")  # a row in a path; a « # » elsewhere belongs to the file's name


def ingest(
    index: Index,
    found: Iterable[Found],
    passage_tokens: int,
    prune: Sequence[str] = (),
    progress: Progress = lambda _done, _met: None,
    *,
    sentence_vectors: bool = True,
    cached_vectors: CachedVectors = lambda _: {},
    removals: Removals | None = None,
    readmit: bool = False,
    dry: bool = False,
) -> IngestReport:
    """Bring the index up to date with what readers find, as they find it.

    Some tens of articles are held at a time. What is found may be endless for all that
    is known: `progress` hears how many articles are written, and how many have been met
    so far that had to be. Whatever `found` raises ends the ingestion after whole batches,
    and nothing is removed.

    `sentence_vectors` makes a vector for each sentence besides its passage's:
    passages and answers are then ranked better.

    `prune` lists resolved paths of files and folders: articles that came from
    under them and are no longer there are removed. Nothing else is.

    `known` gives vectors that were made elsewhere, as `index.embedded_before` those made here.

    What `removals` tell to have been removed on purpose is not taken; with `readmit` it is, and
    the removal forgotten.

    `dry` reads and compares, and changes nothing: the report says what would be.
    """
    met = _IngestState(
        index,
        partial(fingerprint, passage_tokens=passage_tokens, sentence_vectors=sentence_vectors),
        removals or Removals(None),
        readmit=readmit,
        dry=dry,
    )
    if dry:
        for _ in met.changed(found):
            pass
        return met.report(gone(index, met.ids, met.read, prune) if prune else [])
    done = 0
    progress(0, 0)
    for batch in _batches(met.changed(found), passage_tokens):
        vectors, rows = embed_understood(
            index.embedder,
            [u for _, us in batch for u in us],
            lambda contents: cached_vectors(contents) | index.embedded_before(contents),
            sentence_vectors=sentence_vectors,
        )
        index.writer.write([(r, [u.passage for u in us]) for r, us in batch], vectors, rows)
        done += len(batch)
        progress(done, len(met.new) + len(met.updated))
    return met.report(index.writer.remove(gone(index, met.ids, met.read, prune)) if prune else [])


class _IngestState:
    """What an ingestion has met so far: ids and paths, no text."""

    def __init__(
        self,
        index: Index,
        version: Callable[[Article], str],
        removals: Removals,
        *,
        readmit: bool,
        dry: bool,
    ) -> None:
        self._dry = dry
        self._removals = removals
        self._removed = removals.snapshot()
        self._readmit = readmit
        self.barred: list[str] = []
        self.new: list[str] = []
        self.updated: list[str] = []
        self.unchanged: list[str] = []
        self.failed: list[Failure] = []
        self.ids: set[str] = set()
        self.read: set[str] = set()
        self._index = index
        self._version = version

    def report(self, removed: Sequence[str]) -> IngestReport:
        """Return what was met, and what was removed."""
        return IngestReport(
            tuple(self.new), tuple(self.updated), tuple(self.unchanged), tuple(removed),
            tuple(self.failed), barred=tuple(self.barred),
        )  # fmt: skip

    def changed(self, found: Iterable[Found]) -> Iterator[_New]:
        """Yield the articles to be written, with their versions; note all that is found."""
        coming = iter(found)
        while some := list(islice(coming, _LOOKED_UP)):
            yield from self._sorted([a for f in some if (a := self._article(f))])

    def _article(self, found: Found) -> Article | None:
        """Return what is found if it is an article that was not met before."""
        if isinstance(found, FileRead):
            self.read.add(found.path)
        elif isinstance(found, Failure):
            self.failed.append(found)
        elif found.id in self.ids:  # a change of the index names an article once
            name = found.path or found.source.url or found.source.title
            self.failed.append(Failure(name, messages.READ_BEFORE))
        elif not self._is_barred(found):
            self.ids.add(found.id)
            return found
        return None

    def _is_barred(self, article: Article) -> bool:
        """Tell whether an article stays away: it was removed, and nobody asks for it again."""
        removed = self._removed.match(article) if self._removed else None
        if removed is None:
            return False
        if removed != article.id and self._index.records_of([article.id]):
            return False  # it prints the same text, and was not removed itself
        if self._readmit:
            if not self._dry:
                self._removals.readmit([removed])
            return False
        name = article.path or article.source.url
        self.barred.append(f"{article.source.title} ({name})" if name else article.source.title)
        return True

    def _where_it_was(self, records: dict[str, ArticleRecord], article: Article) -> Article:
        """Return an article under the id that it had before its file was moved or renamed.

        It is the one whose file is no longer there, with the same text and title; what is
        known by an id or an address of its own has that id anyway.
        """
        if article.id in records or not article.path:
            return article
        catalogue, signed = self._index.catalogue, signature(article.text)
        same = [*catalogue.at_path(article.path), *(catalogue.same_text(signed) if signed else ())]
        for record in self._index.records_of(same).values():
            if record.id not in self.ids and _is_moved(record, article):
                self.ids.discard(article.id)
                self.ids.add(record.id)
                records[record.id] = record
                return replace(article, id=record.id)
        return article

    def _sorted(self, articles: Sequence[Article]) -> list[_New]:
        """Return those of some articles that are not in the index as they are."""
        todo: list[_New] = []
        moved: dict[str, str] = {}
        withdrawn: dict[str, date | None] = {}
        records = self._index.records_of(article.id for article in articles)
        for found in map(partial(self._where_it_was, records), articles):
            record = records.get(found.id)
            article = _with_record(found, record)
            version = self._version(article)
            if record and not _is_to_be_written(record, article, version):
                self.unchanged.append(article.id)
                if record.path != article.path:
                    moved[article.id] = article.path
                if article.withdrawn and record.withdrawn is None:
                    withdrawn[article.id] = article.withdrawn
            else:
                todo.append((article, version))
                (self.updated if record else self.new).append(article.id)
        if self._dry:
            return todo
        if moved:
            self._index.writer.move(moved)
        if withdrawn:
            self._index.writer.withdraw(withdrawn)
        return todo


def _with_record(found: Article, record: ArticleRecord | None) -> Article:
    """Return an article that was found with what was said of it before: a keeper's edits hold.

    One that is read again because it was damaged stays withdrawn too, and one that a keeper
    withholds whatever is read of it.
    """
    if record is None:
        edits, withdrawn = found.edits, found.withdrawn
    else:
        edits = keeper.read_again(record.edits, found.source)
        if found.edits:  # an export tells them, and what the article said itself
            edits = tuple(sorted((dict(record.edits) | dict(found.edits)).items()))
        previous = record.withdrawn if record.recipe == BROKEN else None
        withdrawn = found.withdrawn or previous
    source = keeper.corrected(found.source, edits)
    withdrawn = keeper.withheld_on(edits) or withdrawn
    return replace(found, source=source, edits=edits, withdrawn=withdrawn)


def _is_to_be_written(record: ArticleRecord, article: Article, version: str) -> bool:
    same = record.fingerprint == version and record.edits == article.edits
    return not same or record.recipe == BROKEN


def _is_moved(record: ArticleRecord, article: Article) -> bool:
    """Tell whether an article is a record's, whose file was moved before or is no longer there."""
    file = file_of(record.path)
    if record.path == article.path and file == record.path:
        return True
    there = record.path != article.path and (not file or not _absent(file))
    return not there and record.source.title == article.source.title


def fingerprint(article: Article, passage_tokens: int, *, sentence_vectors: bool = True) -> str:
    """Return the version of an article: 16 hex digits of all that its passages depend on."""
    recipe = [RECIPE, passage_tokens, sentence_vectors]
    parts = [recipe, article.text, article.headings, article.pages, astuple(article.source)]
    content = json.dumps(parts, ensure_ascii=True, default=str).encode()
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def edit(
    index: Index, article_id: str, edits: Mapping[str, str], version: Callable[[Article], str]
) -> ArticleRecord:
    """Correct fields of an article's source; "" takes a text away, or says that there is no date.

    `WITHHELD` with a day withholds the article, with "" it answers again. What is said of time
    and what is searched is made again; `version` tells what the article is made of, as
    `fingerprint`. Returns the new record. Raises ArticleNotFoundError, StoreError,
    EmbeddingError.
    """
    stored = index.article(article_id)
    record = stored.record
    source = keeper.corrected(record.source, edits.items())
    return _rewritten(index, stored, source, keeper.merged(record.edits, edits, record.source),
                      version)  # fmt: skip


def undo_edits(
    index: Index, article_id: str, fields: Sequence[str], version: Callable[[Article], str]
) -> ArticleRecord:
    """Take back a keeper's corrections of some fields; see `edit`, and `rag.indexing.edits`."""
    stored = index.article(article_id)
    source, edits = keeper.undone(stored.record.edits, fields, stored.record.source)
    return _rewritten(index, stored, source, edits, version)


def _rewritten(
    index: Index,
    stored: StoredArticle,
    source: Source,
    edits: keeper.Edits,
    version: Callable[[Article], str],
) -> ArticleRecord:
    """Write an article with another source and other edits; return its new record."""
    record = stored.record
    withdrawn = keeper.withheld_on(edits) or (None if record.withheld else record.withdrawn)
    record = replace(
        record,
        fingerprint=version(replace(stored.article, source=source)),
        source=source,
        withdrawn=withdrawn,
        edits=edits,
    )
    vectors, rows = again(index.embedder, StoredArticle(record, stored.passages))
    index.writer.write([(record, stored.passages)], vectors, rows)
    return record


def gone(index: Index, present: set[str], read: set[str], roots: Sequence[str]) -> list[str]:
    """Return the articles under `roots` whose file or row is no longer there.

    `present` are ids; `read` the files that were read whole: one that is there but could
    not be keeps its articles.
    """
    found = []
    for record in index.records():
        file = file_of(record.path)
        if not file or record.id in present or not _under(file, roots):
            continue
        if file in read or _absent(file):
            found.append(record.id)
    return found


def file_of(path: str) -> str:
    """Return the file of an article's path, which may say a row of it too."""
    return _ROW.sub("", path)


def sources_of(records: Iterable[ArticleRecord]) -> list[str]:
    """Return the files that articles were read from and that are still there, none twice."""
    files = dict.fromkeys(file_of(record.path) for record in records if record.path)
    return [file for file in files if not _absent(file)]


def _absent(file: str) -> bool:
    """Tell whether a file is surely gone; what cannot be looked at may be there."""
    try:
        Path(file).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _under(file: str, roots: Sequence[str]) -> bool:
    path = Path(file)
    return any(path == Path(root) or Path(root) in path.parents for root in roots)


def _batches(
    todo: Iterable[_New], passage_tokens: int
) -> Iterator[list[tuple[ArticleRecord, list[Understood]]]]:
    """Understand articles and group them so that a batch has some tens of passages."""
    batch: list[tuple[ArticleRecord, list[Understood]]] = []
    size = 0
    for article, version in todo:
        passages = understood(article, passage_tokens)
        record = ArticleRecord(
            article.id, version, article.source, len(passages), len(article.text), article.path,
            withdrawn=article.withdrawn, edits=article.edits, recipe=RECIPE,
            digest=digest_of(article.text),
        )  # fmt: skip
        batch.append((record, passages))
        size += len(passages)
        if size >= _BATCH_PASSAGES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
