"""The list of articles, page by page, and what the index is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.domain import MOST_FACETS, ArticleRecord, Facets, Source
from rag.errors import CursorError
from rag.indexing.catalogue import Catalogue

DAYS = st.none() | st.dates(date(2024, 1, 1), date(2024, 3, 1))
TITLES = st.sampled_from(["Le pont", "L’été à Évrans", "é" * 300, "💧\u2028 «\u00a0x\u00a0»"])


def record(key: str, title: str, day: date | None = None, **source: str) -> ArticleRecord:
    return ArticleRecord(key, "v", Source(title, published=day, **source), 2, 100)


@contextmanager
def catalogue(records: Iterable[ArticleRecord] = ()) -> Iterator[Catalogue]:
    with TemporaryDirectory() as folder:
        made = Catalogue(Path(folder))
        made.put(list(records))
        try:
            yield made
        finally:
            made.close()


@given(st.lists(st.tuples(TITLES, DAYS), max_size=12), st.integers(1, 4))
@settings(deadline=None, max_examples=50)
def test_pages_hold_each_article_once_newest_first(
    made: list[tuple[str, date | None]], limit: int
) -> None:
    records = [record(f"a{n}", title, day) for n, (title, day) in enumerate(made)]
    seen: list[ArticleRecord] = []
    with catalogue(records) as listed:
        page = listed.page("", limit)
        while True:
            assert page.total == len(records)
            assert len(page.records) <= limit
            seen += page.records
            if not page.next:
                break
            assert len(page.next) <= 1000
            page = listed.page(page.next, limit)
    assert sorted(seen, key=lambda r: r.id) == sorted(records, key=lambda r: r.id)
    assert seen == sorted(seen, key=lambda r: (-r.source.day, r.source.title[:60], r.id))


def test_what_changes_meanwhile_moves_no_other_article() -> None:
    records = [record(f"a{n}", "T", date(2024, 1, 30 - n)) for n in range(6)]
    with catalogue(records) as listed:
        page = listed.page("", 3)
        listed.drop([records[2].id])  # the very one that the cursor speaks of
        listed.put([record("b", "T", date(2024, 2, 1))])
        assert [r.id for r in listed.page(page.next, 9).records] == ["a3", "a4", "a5"]


def test_words_are_those_of_the_title_without_accents() -> None:
    records = [record("a", "L’été des ponts"), record("b", "Le pont d’Évrans"), record("c", "Gare")]
    with catalogue(records) as listed:

        def found(words: str) -> str:
            return "".join(r.id for r in listed.page("", 9, words).records)

        assert [found(w) for w in ("PONT", "pont ete", "évr", "are", "’", "", "%", "po_t")] == [
            "ba", "a", "b", "", "cba", "cba", "cba", "",
        ]  # fmt: skip
        first = listed.page("", 1, "pont")
        assert first.total == 3
        assert listed.page(first.next, 1, "pont").records[0].id == "a"


@pytest.mark.parametrize("after", ["x", "é", "W10", "bnVsbA==", "a" * 1000, "WzAsIlQi"])
def test_a_cursor_that_is_none_is_said(after: str) -> None:
    with catalogue() as listed, pytest.raises(CursorError, match="depuis le début"):
        listed.page(after, 1)


def test_facets_count_names_days_and_passages() -> None:
    records = [
        record("a", "T", date(2024, 1, 3), name="L’Écho", author="Ida Roy"),
        record("b", "T", date(2024, 1, 9), name="L’Écho", section="Eau"),
        record("c", "T", date(2023, 7, 1), name="Le Courrier"),
        record("d", "T"),
    ]
    with catalogue(records) as listed:
        facets = listed.facets()
    assert facets.sources == (("L’Écho", 2), ("Le Courrier", 1))
    assert facets.authors == (("Ida Roy", 1),)
    assert facets.sections == (("Eau", 1),)
    assert (facets.first, facets.last) == (date(2023, 7, 1), date(2024, 1, 9))
    assert (facets.articles, facets.passages) == (4, 8)
    assert facets.months == ((date(2023, 7, 1), 1), (date(2024, 1, 1), 2))
    with catalogue(record(f"a{n}", "T", name=f"S{n}") for n in range(MOST_FACETS + 9)) as many:
        assert len(many.facets().sources) == MOST_FACETS
    with catalogue() as none:
        assert none.facets() == Facets()
