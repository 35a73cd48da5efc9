"""Articles found by their words and by what they are, with exact excerpts and counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rag.assistant import LocalAssistant
from rag.domain import Article, ArticleOrder, ArticleQuery, Filters, Reading, Source
from rag.errors import CursorError
from rag.indexing.index import open_index
from rag.indexing.keyword_index import KeywordIndex
from rag.models.loading import load_embedder
from rag.settings import load_settings

ECHO, GAZETTE = "L’Écho", "La Gazette"
PONT = (
    "Le pont de l’Ancre rouvre lundi. « Tout est prêt », a dit Maëlle Le Guen.\n\n"
    + "Les riverains patientent depuis un an. " * 90
    + "Un péage de 2 euros est prévu."
)


def article(key: str, title: str, text: str, day: date | None = None, **source: object) -> Article:
    return Article(key, Source(title, published=day, **source), text)  # type: ignore[arg-type]


ARTICLES = (
    article("pont", "Le pont rouvre", PONT, date(2024, 3, 1), name=ECHO, section="Ville"),
    article("bac", "Le bac", "Le bac remplace le pont.", date(2024, 3, 9), name=GAZETTE),
    article("gare", "La gare", "Un péage sur le pont ?", date(2022, 1, 5), name=ECHO, author="Ida"),
    article("gue", "Le gué", "Sans date, le péage est un mot."),
    article(
        "taxe", "La taxe", "La taxe payante est votée. " * 60, date(2023, 5, 2), paywalled=True
    ),
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAssistant]:
    made = LocalAssistant(load_settings(index_dir=tmp_path_factory.mktemp("browsing")))
    made.ingest(Reading(ARTICLES))
    yield made
    made.close()


def found(corpus: LocalAssistant, words: str = "", **query: object) -> list[str]:
    results = corpus.browse(ArticleQuery(words, **query))  # type: ignore[arg-type]
    assert results.facets.articles == len(results.articles)
    return [f.record.id for f in results.articles]


def test_all_words_are_in_the_article_though_not_in_one_passage(corpus: LocalAssistant) -> None:
    assert corpus.article("pont").record.passages > 1
    assert set(found(corpus, "pont péage")) == {"pont", "gare"}
    assert found(corpus, "ponts PEAGE riverain") == ["pont"]
    assert found(corpus, "le") == []
    assert len(found(corpus)) == 5


def test_words_between_quotation_marks_follow_each_other(corpus: LocalAssistant) -> None:
    assert found(corpus, "bac pont") == ["bac"]
    assert found(corpus, "« bac remplace »") == ["bac"]
    assert found(corpus, '"remplace bac"') == []
    assert found(corpus, "« remplace bac") == ["bac"]  # a mark that nothing closes


def test_an_excerpt_is_an_exact_span_and_its_marks_the_words(corpus: LocalAssistant) -> None:
    for result in corpus.browse(ArticleQuery("péage pont")).articles:
        text = corpus.article(result.record.id).text
        assert result.excerpt is not None
        assert result.excerpt.stands_in(text)
        marked = {text[a:b].casefold() for a, b in result.marks}
        assert marked
        assert marked <= {"pont", "péage"}
        assert all(result.excerpt.start <= a < b <= result.excerpt.end for a, b in result.marks)
    (pont,) = (r for r in corpus.browse(ArticleQuery("rouvre")).articles)
    assert ["Le pont rouvre"[a:b] for a, b in pont.in_title] == ["rouvre"]


def test_counts_are_those_of_what_is_found_now(corpus: LocalAssistant) -> None:
    facets = corpus.browse(ArticleQuery("pont")).facets
    assert facets.sources == ((ECHO, 2), (GAZETTE, 1))
    assert (facets.authors, facets.sections) == ((("Ida", 1),), (("Ville", 1),))
    assert facets.months == ((date(2022, 1, 1), 1), (date(2024, 3, 1), 2))
    assert (facets.first, facets.last) == (date(2022, 1, 5), date(2024, 3, 9))
    filters = Filters(sources=(ECHO,), since=date(2024, 1, 1), until=date(2024, 12, 31))
    narrowed = corpus.browse(ArticleQuery("pont", filters))
    assert [f.record.id for f in narrowed.articles] == ["pont"]
    assert narrowed.facets.sources == ((ECHO, 1),)
    assert narrowed.total == 5
    assert found(corpus, filters=Filters(sources=(ECHO, GAZETTE))) == ["bac", "pont", "gare"]


def test_what_has_no_date_comes_last_in_both_orders(corpus: LocalAssistant) -> None:
    assert found(corpus, order=ArticleOrder.NEWEST) == ["bac", "pont", "taxe", "gare", "gue"]
    assert found(corpus, order=ArticleOrder.OLDEST) == ["gare", "taxe", "pont", "bac", "gue"]


@pytest.mark.parametrize("order", ArticleOrder)
def test_pages_hold_each_article_once(corpus: LocalAssistant, order: ArticleOrder) -> None:
    seen, after = [], ""
    while True:
        page = corpus.browse(ArticleQuery(order=order), after, 2)
        seen += [f.record.id for f in page.articles]
        if not (after := page.next):
            break
    assert sorted(seen) == sorted(a.id for a in ARTICLES)


@pytest.mark.parametrize("after", ["x", "newest.", "oldest.5", "newest.99999999999999999999", "é"])
def test_a_cursor_of_another_list_is_refused(corpus: LocalAssistant, after: str) -> None:
    with pytest.raises(CursorError):
        corpus.browse(ArticleQuery(order=ArticleOrder.NEWEST), after)
    beyond = corpus.browse(ArticleQuery(order=ArticleOrder.NEWEST), "newest.0")
    assert beyond.articles == ()


def test_a_paid_article_gives_no_more_than_its_allowance(corpus: LocalAssistant) -> None:
    (taxe,) = corpus.browse(ArticleQuery("payante")).articles
    assert taxe.excerpt
    tight = corpus.settings.model_copy(update={"paid_characters": 60})
    whole, corpus.settings = corpus.settings, tight
    try:
        (cut,) = corpus.browse(ArticleQuery("payante")).articles
    finally:
        corpus.settings = whole
    assert cut.excerpt is None or len(cut.excerpt.quote) <= 60
    assert all(b <= cut.excerpt.end for _, b in cut.marks) if cut.excerpt else not cut.marks


def test_who_is_quoted_is_told_with_exact_sentences(corpus: LocalAssistant) -> None:
    (speaker,) = corpus.speakers("pont")
    assert speaker.name == "Maëlle Le Guen"
    assert all(c.stands_in(PONT) and "Tout est prêt" in c.quote for c in speaker.citations)
    assert corpus.speakers("bac") == []


ODD = st.sampled_from(["title:(", '"', "«", "*", "pont~2", "^", "[a TO b]", "🎉", "عربي", "\ud800"])


@given(st.lists(ODD | st.text(max_size=300) | st.just("x" * 400), max_size=4).map(" ".join))
@hypothesis_settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_typed_is_only_words(corpus: LocalAssistant, words: str) -> None:
    results = corpus.browse(ArticleQuery(words))
    assert len(results.articles) == results.facets.articles <= 5


def test_what_changes_and_goes_is_followed(tmp_path: Path) -> None:
    made = LocalAssistant(load_settings(index_dir=tmp_path))
    assert made.browse(ArticleQuery("pont")).articles == ()
    made.ingest(Reading(ARTICLES))
    changed = article("bac", "Le bac", "Le bac coule.", date(2024, 3, 9), name=GAZETTE)
    made.ingest(Reading((changed,)))
    assert found(made, "remplace") == []
    assert found(made, "coule") == ["bac"]
    assert len(found(made)) == 5
    made.edit("bac", {"published": "2020-01-01"})
    assert found(made, order=ArticleOrder.OLDEST)[0] == "bac"
    made.withdraw({"bac": date(2024, 5, 1)})
    (withdrawn,) = made.browse(ArticleQuery("coule")).articles
    assert withdrawn.excerpt is None
    made.remove(["bac"])
    assert found(made, "coule") == []
    made.close()


def test_an_index_of_before_gets_the_words_of_its_articles(tmp_path: Path) -> None:
    settings = load_settings(index_dir=tmp_path)
    made = LocalAssistant(settings)
    made.ingest(Reading(ARTICLES))
    folder = made.index.lexical.folder
    made.close()
    (folder / "recoupe-schema").write_text("3")
    assert KeywordIndex(folder).articles.size() == 0
    index = open_index(settings, load_embedder(settings))
    assert index.lexical.articles.size() == 5
    index.close()
