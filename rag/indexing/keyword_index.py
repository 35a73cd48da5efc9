"""The words of passages in tantivy (BM25): a cache that the store can rebuild.

Terms are made by `french.content_stems`, on both sides, so that a question
and a passage are cut, folded and stemmed by the same code.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rag.domain import Filters, Passage, Source, version_of
from rag.french.words import begins_with, content_stems
from rag.indexing.article_index import ArticleIndex, IndexedArticle
from rag.indexing.damage import is_damage, report_damage, unwritable
from rag.indexing.filtering import filter_queries

if TYPE_CHECKING:
    import tantivy

log = logging.getLogger(__name__)

SCHEMA_VERSION = "4"  # raise it when what is in the files changes: they are made again
_TITLE_WEIGHT = 0.4


class KeywordIndex:
    """BM25 over stems of the passage, its heading and its title.

    `articles` is the index of whole articles, which is changed along.
    """

    def __init__(self, folder: Path) -> None:
        """Open the index in `folder`, or make an empty one.

        `fresh` tells that it was made empty (absent, damaged or of an older
        schema) and has to be filled again from the store.
        """
        self.folder = folder
        self._open()

    def _open(self) -> None:
        import tantivy

        folder = self.folder
        self._schema = _schema()
        mark = folder / "recoupe-schema"
        self.fresh = not mark.exists() or mark.read_text() != SCHEMA_VERSION
        if not self.fresh:
            try:
                self._index = tantivy.Index(self._schema, path=str(folder))
                self._index.searcher()
                self.articles = ArticleIndex(folder / "articles")
            except BaseException as error:
                if not is_damage(error):
                    raise
                log.warning("index lexical illisible, à refaire", exc_info=True)
                self.fresh = True
        if self.fresh:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            self._index = tantivy.Index(self._schema, path=str(folder))
            self.articles = ArticleIndex(folder / "articles")
        self._index.config_reader(reload_policy="manual")
        self._mark = mark

    def remake(self) -> None:
        """Throw damaged files away: an empty index, to be filled again."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._open()

    def confirm(self) -> None:
        """Say that the index is filled: it is trusted at the next opening."""
        self._mark.write_text(SCHEMA_VERSION)
        self.fresh = False

    def clear(self) -> None:
        """Forget every passage, and the trust of `confirm`, before filling again."""
        self._mark.unlink(missing_ok=True)
        self.articles.clear()
        with self._writer() as writer:
            writer.delete_all_documents()

    def update(
        self,
        add: Sequence[tuple[Passage, Source]] = (),
        drop: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Drop whole versions (article id, version), then add passages, those of one together.

        Adding passages that are there already would count them twice, so each
        added version is dropped first. Raises StoreError.
        """
        gone = {*drop, *(version_of(p.id) for p, _ in add)}
        stems = [content_stems(p.text) for p, _ in add]
        # Articles first: what settles an interruption looks at the words of passages.
        self.articles.update(list(_articles(add, stems)), gone)
        with self._writer() as writer:
            for article_id, version in gone:
                writer.delete_documents_by_term("version", f"{article_id}:{version}")
            for (passage, source), own in zip(add, stems, strict=True):
                writer.add_document(_document(passage, source, own))

    @contextmanager
    def _writer(self) -> Iterator[tantivy.IndexWriter]:
        """Give a writer whose work is seen once it is committed, whole or not at all."""
        try:
            writer = self._index.writer(heap_size=15_000_000, num_threads=1)
            yield writer
            writer.commit()
            writer.wait_merging_threads()
            self._index.reload()
        except (ValueError, OSError) as error:
            raise unwritable(self.folder, error) from error

    @report_damage
    def search(
        self, stems: Sequence[str], limit: int, filters: Filters | None = None
    ) -> list[tuple[str, float]]:
        """Return up to `limit` (passage id, BM25 score), best first; scores have no unit."""
        import tantivy

        if not stems:
            return []
        occur, query = tantivy.Occur, tantivy.Query
        clauses = [(occur.Should, query.term_query(self._schema, "terms", s)) for s in stems]
        clauses += [
            (
                occur.Should,
                query.boost_query(query.term_query(self._schema, "title", s), _TITLE_WEIGHT),
            )
            for s in stems
        ]
        wanted = query.boolean_query(clauses)
        if filters:
            wanted = query.boolean_query(
                [
                    (occur.Must, wanted),
                    *((occur.Must, q) for q in filter_queries(self._schema, filters, "article")),
                ]
            )
        searcher = self._index.searcher()
        result = searcher.search(wanted, limit, count=False)
        return [(searcher.doc(at)["id"][0], float(score)) for score, at in result.hits]

    @report_damage
    def best_passages(
        self, stems: Sequence[str], versions: Iterable[tuple[str, str]]
    ) -> dict[str, str]:
        """Return the passage of each of some versions (article id, version) that says most of it.

        By article; a version whose passages hold none of the stems is left out.
        """
        import tantivy

        occur, query = tantivy.Occur, tantivy.Query
        terms = query.boolean_query(
            [(occur.Should, query.term_query(self._schema, "terms", s)) for s in stems]
        )
        searcher = self._index.searcher()
        found: dict[str, str] = {}
        for article_id, version in versions if stems else ():
            own = query.term_query(self._schema, "version", f"{article_id}:{version}")
            both = query.boolean_query(
                [(occur.Must, terms), (occur.Must, query.const_score_query(own, 0.0))]
            )
            for _, address in searcher.search(both, 1, count=False).hits:
                found[article_id] = str(searcher.doc(address)["id"][0])
        return found

    @report_damage
    def holding(self, stems: Sequence[str], limit: int) -> list[str]:
        """Return up to `limit` ids of passages that hold all of some stems, title included."""
        import tantivy

        if not stems:
            return []
        must, should, query = tantivy.Occur.Must, tantivy.Occur.Should, tantivy.Query
        clauses = [
            query.boolean_query(
                [(should, query.term_query(self._schema, f, s)) for f in ("terms", "title")]
            )
            for s in dict.fromkeys(stems)
        ]
        searcher = self._index.searcher()
        wanted = query.boolean_query([(must, clause) for clause in clauses])
        result = searcher.search(wanted, limit, count=False)
        return [searcher.doc(at)["id"][0] for _, at in result.hits]

    @report_damage
    def document_frequencies(self, stems: Iterable[str]) -> tuple[int, dict[str, int]]:
        """Return (number of passages, passages that hold each stem)."""
        searcher = self._index.searcher()
        return searcher.num_docs, {s: searcher.doc_freq("terms", s) for s in stems}

    @report_damage
    def versions_of(self, articles: Iterable[str]) -> dict[str, set[str]]:
        """Return the versions held of some articles, by id; normally one each."""
        import tantivy

        searcher = self._index.searcher()
        found: dict[str, set[str]] = {}
        for article_id in articles:
            query = tantivy.Query.term_query(self._schema, "article", article_id)
            for _, address in searcher.search(query, 10_000).hits:
                version = version_of(searcher.doc(address)["id"][0])[1]
                found.setdefault(article_id, set()).add(version)
        return found

    @report_damage
    def versions(self) -> int:
        """Return the number of passages held, for checks."""
        return int(self._index.searcher().num_docs)


def _document(passage: Passage, source: Source, stems: Sequence[str]) -> tantivy.Document:
    import tantivy

    article_id, version = version_of(passage.id)
    title = "" if begins_with(passage.text, source.title) else source.title
    headed = passage.text.startswith(passage.heading)
    return tantivy.Document(
        id=passage.id,
        article=article_id,
        version=f"{article_id}:{version}",
        terms=" ".join(stems if headed else [*content_stems(passage.heading), *stems]),
        title=" ".join(content_stems(title)),
        source=source.name,
        author=source.author,
        section=source.section,
        day=source.day,
    )


def _articles(
    add: Sequence[tuple[Passage, Source]], stems: Sequence[Sequence[str]]
) -> Iterator[IndexedArticle]:
    """Yield the articles that passages, given one article after the other, make up."""
    rows = zip(add, stems, strict=True)
    for (article_id, version), some in groupby(rows, key=lambda row: version_of(row[0][0].id)):
        own = list(some)
        (_, source), _ = own[0]
        whole = [stem for _, part in own for stem in part]
        yield IndexedArticle(article_id, version, source, whole, len(own))


def _schema() -> tantivy.Schema:
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    for name in ("article", "version", "source", "author", "section"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("terms", "title"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    builder.add_integer_field("day", indexed=True, fast=True)
    return builder.build()
