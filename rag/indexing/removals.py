"""Which articles were removed on purpose: nothing brings them back until somebody says so.

What is kept tells an article without a word of it: its id, its address, a digest of its text and
the hashes by which copies are told (`copies.py`). An article of another id and address that
prints the same text is the removed one too; one whose figures differ is another. So is one most of
whose sentences are of the removed: of each, a digest is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from rag import messages
from rag.domain import Article, StoredArticle, digest_of
from rag.french.names import names
from rag.french.sentences import sentence_spans
from rag.french.words import words
from rag.indexing.copies import Signature, signature
from rag.indexing.sqlite import SqliteFile

# Estimated share of shingles from which a text is a removed one, where both name the same: lower
# than between copies, for two words changed in a brief of fifty touch half of them. Where names
# differ it must be all but the same text: « le moulin de X a brûlé » is not that of Y.
_ALIKE, _SAME = 0.4, 0.85
_TABLE = """
pragma secure_delete = on;
create table if not exists removals (
    article text primary key, url text, digest text, hashes blob, figures text, names text,
    removed text
) without rowid;
create table if not exists sentences (
    digest text, article text, primary key (digest, article)
) without rowid;
"""
_MOST_OF_ARTICLE = 0.6  # share of the words of an article that stand in sentences of a removed one
_TELLING_WORDS = 6  # words of a sentence that tells a text


class Removals(SqliteFile):
    """The removed articles, in the folder of an index."""

    def __init__(self, folder: Path | None) -> None:
        """Open the file, or make it; none keeps it in memory. Raises StoreError."""
        super().__init__(folder, "removals.sqlite3", _TABLE, messages.REMOVALS_REFUSED)

    def add(self, articles: Iterable[StoredArticle]) -> None:
        """Remember that articles were removed."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        rows, digests = [], []
        for article in articles:
            text, record = article.text, article.record
            digests += [(digest, record.id) for digest, _ in _digested(text)]
            marks = signature(text)
            hashes, figures = (marks.hashes, marks.figures) if marks else (b"", "")
            rows.append(
                (record.id, record.source.url, digest_of(text), hashes, figures, _named(text), now)
            )
        with self._change() as base:
            base.executemany("insert or replace into removals values (?, ?, ?, ?, ?, ?, ?)", rows)
            base.executemany("insert or ignore into sentences values (?, ?)", digests)

    def snapshot(self) -> RemovedArticles:
        """Return what tells the articles that were removed, as of now."""
        return RemovedArticles(
            self._all("select article, url, digest, hashes, figures, names from removals"),
            self._all("select digest, article from sentences"),
        )

    def readmit(self, articles: Iterable[str]) -> None:
        """Forget that articles were removed: they may come back."""
        with self._change() as base:
            gone = [(a,) for a in articles]
            base.executemany("delete from removals where article = ?", gone)
            base.executemany("delete from sentences where article = ?", gone)


class RemovedArticles:
    """Tells whether an article is one that was removed."""

    def __init__(
        self,
        rows: Iterable[tuple[str, str, str, bytes, str, str]],
        sentences: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Take the rows of the file: id, address, digest, hashes, figures, digest of names.

        `sentences` are digests of sentences, each with the article that had it.
        """
        self._sentences = dict(sentences)
        self._ids: set[str] = set()
        self._urls: dict[str, str] = {}
        self._digests: dict[str, str] = {}
        self._signed: dict[str, list[tuple[str, Signature, str]]] = {}
        for article, url, digest, hashes, figures, named in rows:
            self._ids.add(article)
            if url:
                self._urls[url] = article
            self._digests[digest] = article
            if hashes:
                made = Signature(hashes, figures)
                self._signed.setdefault(figures, []).append((article, made, named))

    def __bool__(self) -> bool:
        return bool(self._ids)

    def match(self, article: Article) -> str | None:
        """Return the id of the removed article that this one is, by identity or by its text."""
        if article.id in self._ids:
            return article.id
        if found := self._urls.get(article.source.url):
            return found
        if found := self._digests.get(digest_of(article.text)):
            return found
        if found := self._quoted(article.text):
            return found
        made = signature(article.text) if self._signed else None
        if made is None:
            return None
        named = _named(article.text)
        for removed, other, theirs in self._signed.get(made.figures, ()):
            if made.alike(other, _ALIKE if named == theirs else _SAME):
                return removed
        return None

    def _quoted(self, text: str) -> str | None:
        """Return the removed article of which most of a text is sentences."""
        if not self._sentences:
            return None
        whole, lengths = 0, Counter[str]()
        for digest, length in _digested(text):
            whole += length
            if article := self._sentences.get(digest):
                lengths[article] += length
        article, most = next(iter(lengths.most_common(1)), ("", 0))
        return article if most > _MOST_OF_ARTICLE * whole else None


def _digested(text: str) -> Iterator[tuple[str, int]]:
    """Yield a digest of each long sentence of a text, whatever its typography, and its words."""
    for start, end in sentence_spans(text):
        tokens = words(text[start:end])
        if len(tokens) >= _TELLING_WORDS:
            yield digest_of(" ".join(tokens)), len(tokens)


def _named(text: str) -> str:
    """Return a digest of the names of a text, from which none is told."""
    return digest_of(" ".join(sorted(names(text))))
