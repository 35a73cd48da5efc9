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
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from rag.domain import Article, ArticleRecord, IngestReport, Passage, Reading
from rag.indexing.index import Index, Progress, embedded_parts, embedded_text, make_passages
from rag.indexing.passages import split
from rag.wire import SourceOut

if TYPE_CHECKING:
    from rag.models.embedding import Vectors

log = logging.getLogger(__name__)

_RECIPE = 3  # raise it when splitting or the embedded text changes: articles are made again
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

    `sentence_vectors` embeds each sentence besides its passage, for about
    twice the time: passages and answers are then ranked better and faster.

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
        passages = [(p, r) for r, ps in batch for p in ps]
        index.write(batch, *_embed(index, passages, sentence_vectors=sentence_vectors))
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
) -> Iterator[list[tuple[ArticleRecord, list[Passage]]]]:
    """Split articles and group them so that a batch has some tens of passages."""
    batch: list[tuple[ArticleRecord, list[Passage]]] = []
    size = 0
    for article, version in todo:
        spans = split(article.text, article.headings, passage_tokens)
        passages = make_passages(article.id, article.text, spans, article.headings)
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


def _embed(
    index: Index, passages: Sequence[tuple[Passage, ArticleRecord]], *, sentence_vectors: bool
) -> tuple[Vectors, list[Vectors]]:
    """Return the vectors of passages, and those of each one's parts."""
    vectors = index.embedder.embed_passages([embedded_text(p, r.source) for p, r in passages])
    if not sentence_vectors:
        return vectors, []
    texts = [embedded_parts(p, r.source) for p, r in passages]
    flat = index.embedder.embed_passages([t for found in texts for t in found])
    ends = list(accumulate(map(len, texts), initial=0))
    return vectors, [flat[a:b] for a, b in pairwise(ends)]
