"""From articles to the index: what is new, changed, the same or gone.

Only what is new or changed is split and embedded (I5). A batch of articles is
switched at a time, each of them whole (I2).
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.domain import Article, ArticleRecord, IngestReport, Reading
from rag.indexing.index import Index, Progress
from rag.indexing.understanding import Understood, embedded, understood
from rag.wire import SourceOut

log = logging.getLogger(__name__)

_RECIPE = 4  # raise it when splitting or the embedded text changes: articles are made again
_BATCH_PASSAGES = 32
_ROW = re.compile(r"#\d+$")  # a row in a path; a « # » elsewhere belongs to the file's name


def ingest(
    index: Index,
    reading: Reading,
    passage_tokens: int,
    prune: Sequence[str] = (),
    progress: Progress = lambda _done, _total: None,
    *,
    sentence_vectors: bool = True,
) -> IngestReport:
    """Bring the index up to date with what was read; return what was done.

    `sentence_vectors` makes a vector for each sentence besides its passage's:
    passages and answers are then ranked better.

    `prune` lists resolved paths of files and folders: articles that came from
    under them and are no longer there are removed. Nothing else is.
    """
    new: list[str] = []
    updated: list[str] = []
    unchanged: list[str] = []
    moved: dict[str, str] = {}
    todo: list[tuple[Article, str]] = []
    known = index.records_of(article.id for article in reading.articles)
    for article in reading.articles:
        version = fingerprint(article, passage_tokens, sentence_vectors=sentence_vectors)
        record = known.get(article.id)
        if record and record.fingerprint == version:
            unchanged.append(article.id)
            if record.path != article.path:
                moved[article.id] = article.path
        else:
            todo.append((article, version))
            (updated if record else new).append(article.id)
    if moved:
        index.move(moved)
    done = 0
    progress(0, len(todo))
    for batch in _batches(todo, passage_tokens):
        vectors, rows = embedded(
            index.embedder,
            [u for _, us in batch for u in us],
            index.embedded_before,
            sentence_vectors=sentence_vectors,
        )
        index.write([(r, [u.passage for u in us]) for r, us in batch], vectors, rows)
        done += len(batch)
        progress(done, len(todo))
    removed = index.remove(gone(index, reading, prune)) if prune else []
    return IngestReport(
        tuple(new), tuple(updated), tuple(unchanged), tuple(removed), reading.failures
    )


def fingerprint(article: Article, passage_tokens: int, *, sentence_vectors: bool = True) -> str:
    """Return the version of an article: 16 hex digits of all that its passages depend on."""
    recipe = [_RECIPE, passage_tokens, sentence_vectors]
    parts = [recipe, article.text, article.headings, SourceOut.of(article.source).plain()]
    content = json.dumps(parts, ensure_ascii=True).encode()
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def gone(index: Index, reading: Reading, roots: Sequence[str]) -> list[str]:
    """Return the articles under `roots` whose file or row is no longer there.

    A file that is there but could not be read whole keeps its articles.
    """
    present = {article.id for article in reading.articles}
    read = set(reading.read)
    found = []
    for record in index.records():
        file = _ROW.sub("", record.path)
        if not file or record.id in present or not _under(file, roots):
            continue
        if file in read or _absent(file):
            found.append(record.id)
    return found


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
    todo: Sequence[tuple[Article, str]], passage_tokens: int
) -> Iterator[list[tuple[ArticleRecord, list[Understood]]]]:
    """Understand articles and group them so that a batch has some tens of passages."""
    batch: list[tuple[ArticleRecord, list[Understood]]] = []
    size = 0
    for article, version in todo:
        passages = understood(article, passage_tokens)
        record = ArticleRecord(
            article.id, version, article.source, len(passages), len(article.text), article.path
        )
        batch.append((record, passages))
        size += len(passages)
        if size >= _BATCH_PASSAGES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
