"""Proof that nothing of an article's text remains in the folder of an index.

The files are looked through, byte by byte, for each sentence of the article, in the encodings
that the parts of an index write: UTF-8, UTF-16, JSON with escapes. What other articles say too
(a wire story printed twice) is told apart.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rag.domain import StoredArticle
from rag.french.sentences import sentence_spans

MEMORY = "data_level0.bin"  # of hnswlib, see `blank`
_LEAST = 20  # characters of a sentence below which it may be anybody's
_LONGEST = 200  # of a sentence that are looked for: a part of it is as telling


def sentences_of(articles: Iterable[StoredArticle]) -> list[str]:
    """Return what is looked for of articles: their sentences and titles, none twice."""
    found: dict[str, None] = {}
    for article in articles:
        text = article.text
        spans = [text[a:b].strip() for a, b in sentence_spans(text)]
        long = [s for s in (article.record.source.title, *spans) if len(s) >= _LEAST]
        # Of a text of short sentences, its beginning as it is written.
        for said in long or [text.strip() or article.record.source.title]:
            found[said[:_LONGEST]] = None
    return list(found)


def written(sentence: str) -> set[bytes]:
    """Return a sentence as the files of an index may write it."""
    return {
        sentence.encode(errors="replace"),
        sentence.encode("utf-16-le", "replace"),
        json.dumps(sentence)[1:-1].encode(),
    }


def files_of(folder: Path) -> list[Path]:
    """Return all files under a folder."""
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def remaining(files: Sequence[Path], sentences: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """Yield each file and sentence of which something remains in it."""
    wanted = [(said, written(said)) for said in sentences]
    for path in files:
        with path.open("rb") as file:
            if not path.stat().st_size:
                continue
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                for said, forms in wanted:
                    if any(content.find(form) >= 0 for form in forms):
                        yield path, said


def blank(path: Path, sentences: Sequence[str]) -> None:
    """Overwrite with zeros what remains of sentences in a file.

    For the vectors of Chroma (`MEMORY`): hnswlib writes the memory that it has set aside and not
    used yet, and with it whatever this process held there before. No vector looks like a sentence.
    """
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as content:
        for form in {form for said in sentences for form in written(said)}:
            while (at := content.find(form)) >= 0:
                content[at : at + len(form)] = bytes(len(form))
        content.flush()
