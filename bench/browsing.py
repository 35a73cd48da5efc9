"""The « Corpus » tab at the size of an archive: what its server does for a page.

Short made articles, one passage each, with vectors of eight numbers that say nothing: no question
is asked here, and what lists articles reads none. A page is found, then made HTML, as the tab does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench import articles as made_up
from bench.measuring import by_part, single, spread, timed
from rag.domain import Article, ArticleOrder, ArticleQuery, ArticleRecord, Filters, Passage
from rag.indexing.catalogue import Row
from rag.indexing.index import Index, open_index
from rag.models.packing import pack
from rag.searching.browsing import browse
from rag.settings import load_settings
from rag.web.corpus_html import articles_html, overview_html

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PAGE = 20  # articles
_WARM = 5  # pages before any is counted
_PAID = 300  # characters
_DIMENSION = 8
_LENGTH, _BATCH = 500, 2000  # characters of an article; articles put at a time
_ALL = Filters()


class _NoMeaning:
    """Vectors for an index that nobody asks anything."""

    name = "bench:none"

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a unit vector a text."""
        made = np.random.default_rng(len(texts)).normal(size=(len(texts), _DIMENSION))
        unit: NDArray[np.float32] = made / np.linalg.norm(made, axis=1, keepdims=True)
        return unit.astype(np.float32)

    embed_questions = embed_passages


def measure(folder: Path, count: int, repeats: int, seed: int) -> dict[str, Any]:
    """Build an index of `count` articles, and return what the pages of the tab take."""
    index = open_index(load_settings(index_dir=folder), _NoMeaning())  # type: ignore[arg-type]
    try:
        began = time.perf_counter()
        articles = islice(made_up.made((), seed, 1), count)
        while some := list(islice(articles, _BATCH)):
            _write(index, some)
        found: dict[str, Any] = {"articles": count, "passages": index.store.count()}
        found["build"] = single(time.perf_counter() - began, "s")
        found["bytes on disk"] = by_part(folder)
        found["pages"] = {name: _taken(call, repeats) for name, call in _pages(index, seed)}
        return found
    finally:
        index.close()


def _taken(call: Callable[[int], object], repeats: int) -> dict[str, Any]:
    """Return how long pages take, and what of that this process worked: others may work too."""
    timed(call, range(_WARM))
    times, worked = [], []
    for number in range(repeats):
        began, before = time.perf_counter(), time.process_time()
        call(number)
        worked.append(time.process_time() - before)
        times.append(time.perf_counter() - began)
    return {"page": spread(times), "of which work": spread(worked)}


def _write(index: Index, some: Sequence[Article]) -> None:
    """Put articles where they are read from, without what makes a change safe to interrupt."""
    texts = [a.text[:_LENGTH] for a in some]
    records = [
        ArticleRecord(a.id, "v", a.source, 1, len(t)) for a, t in zip(some, texts, strict=True)
    ]
    passages = [
        Passage(r.passage_ids()[0], r.id, 0, 0, len(t), t)
        for r, t in zip(records, texts, strict=True)
    ]
    sources = [r.source for r in records]
    vectors = _NoMeaning().embed_passages(texts)
    rows = [Row(p.id, b"", v) for p, v in zip(passages, pack(list(vectors)), strict=True)]
    index.store.put_passages(passages, sources, vectors)
    index.store.put_records(records, "bench", 1)
    index.lexical.update(add=list(zip(passages, sources, strict=True)))
    index.catalogue.put(records, rows)


def _pages(index: Index, seed: int) -> Iterator[tuple[str, Callable[[int], object]]]:
    """Yield each kind of page, by name, as what makes one of them."""
    words = ("conseil budget", "habitants", "pétition riverains", "euros", "« voix d’écart »")
    draw = random.Random(seed)

    def shown(query: ArticleQuery, after: str = "") -> str:
        results = browse(index, query, after, _PAGE, _PAID)
        articles_html(results, query, first=not after, choose=True)
        return results.next

    def searched(number: int, filters: Filters = _ALL, order: ArticleOrder | None = None) -> str:
        return shown(ArticleQuery(words[number % len(words)], filters, order))

    def turned(_number: int) -> None:
        places[0] = shown(ArticleQuery(), places[0])

    def overview(_number: int) -> str:
        return overview_html(browse(index, ArticleQuery(), "", 1, _PAID).facets)

    places = [""]
    narrow = Filters(sources=made_up.NAMES[:2], sections=("Société", "Sports"))
    year = Filters(since=date(2020, 1, 1), until=date(2020, 12, 31))
    yield "first page", lambda _: shown(ArticleQuery())
    yield "count of the corpus", overview
    yield "words, by relevance", searched
    yield "words, newest first", lambda n: searched(n, order=ArticleOrder.NEWEST)
    yield "words, two facets", lambda n: searched(n, narrow)
    yield "words, a year", lambda n: searched(n, year)
    yield "a facet, no words", lambda _: shown(ArticleQuery("", draw.choice((narrow, year))))
    yield "next page", turned
