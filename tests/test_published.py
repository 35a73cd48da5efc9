"""What publishers write about their articles comes first; guesses are marked."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import texts
from rag.domain import Article, Source
from rag.readers.articles import read_bytes

_BODY = (
    "<article><h1>{title}</h1><p>Le bac de Lérins a repris ses traversées mardi matin, après onze "
    "jours d’arrêt et une réparation du moteur.</p><p>La compagnie annonce six départs par jour "
    "jusqu’à la fin de la saison, au même tarif que l’an dernier.</p></article>"
)


def page(head: str = "", body: str = "", title: str = "Le bac a repris") -> Article:
    html = f"<html><head>{head}</head><body>{_BODY.format(title=title)}{body}</body></html>"
    ((article,), failed) = read_bytes(html.encode(), "page.html", "page.html")
    assert not failed
    return article


def ld(**fields: Any) -> str:
    said = {"@context": "https://schema.org", "@type": "NewsArticle", **fields}
    return f'<script type="application/ld+json">{json.dumps(said)}</script>'


def test_json_ld_comes_before_metas_and_guesses() -> None:
    head = (
        ld(
            headline="Le bac de Lérins repart",
            author=[{"@type": "Person", "name": "Inès Caron"}, {"name": "Paul Ory"}],
            datePublished="2024-05-07T23:30:00-03:00",
            dateModified="2024-05-09",
            articleSection=["Transports", "Littoral"],
            publisher={"@type": "Organization", "name": "Le Rivage"},
        )
        + '<meta property="og:title" content="Un autre titre">'
        + '<meta property="article:published_time" content="2020-01-01T00:00:00Z">'
        + '<meta property="og:site_name" content="Agrégateur">'
    )
    source = page(head).source
    assert source.title == "Le bac de Lérins repart"
    assert (source.name, source.author) == ("Le Rivage", "Inès Caron, Paul Ory")
    assert (source.published, source.modified) == (date(2024, 5, 7), date(2024, 5, 9))
    assert source.section == "Transports, Littoral"
    assert not source.deduced
    assert not source.paywalled


def test_what_is_escaped_in_json_is_read() -> None:
    source = page(ld(headline="L&#39;&eacute;t&eacute; du bac &amp; apr&egrave;s")).source
    assert source.title == "L'été du bac & après"


def test_metas_serve_where_there_is_no_json_ld() -> None:
    head = (
        '<meta property="og:title" content="Le bac repart">'
        '<meta property="article:published_time" content="2024-05-07T08:00:00Z">'
        '<meta property="article:author" content="https://social.example/ines">'
        '<meta name="author" content="Inès Caron">'
    )
    source = page(head).source
    assert (source.title, source.published) == ("Le bac repart", date(2024, 5, 7))
    assert not source.deduced


def test_a_date_that_only_the_text_tells_is_marked_wherever_it_is_shown() -> None:
    source = page(body="<footer>Publié le 7 mai 2024</footer>").source
    assert source.published == date(2024, 5, 7)
    assert source.deduced
    assert "7 mai 2024 (date déduite)" in texts.label(source)
    assert texts.DEDUCED not in texts.label(Source("T", published=date(2024, 5, 7)))


CLOSED = [False, "False", "false", "https://schema.org/False", "http://schema.org/False"]


@pytest.mark.parametrize("free", CLOSED)
def test_an_article_that_readers_pay_for_is_told(free: object) -> None:
    part = {"@type": "WebPageElement", "isAccessibleForFree": free}
    assert page(ld(isAccessibleForFree=free)).source.paywalled
    assert page(ld(hasPart=[part])).source.paywalled
    assert page(ld() + ld(**{"@type": "WebPage", "isAccessibleForFree": free})).source.paywalled


@pytest.mark.parametrize("free", [[False], 0, "schema:False"])
def test_other_ways_to_say_that_readers_pay(free: object) -> None:
    assert page(ld(isAccessibleForFree=free)).source.paywalled or free == "schema:False"
    locked = '<meta property="article:content_tier" content="locked">'
    assert page(locked).source.paywalled


def test_the_article_of_the_page_comes_before_related_ones() -> None:
    related = ld(headline="Autre article lié", datePublished="2001-01-01")
    own = ld(headline="Le bac a repris", datePublished="2024-05-07", isAccessibleForFree=False)
    source = page(related + own).source
    assert (source.title, source.published) == ("Le bac a repris", date(2024, 5, 7))
    assert source.paywalled
    link = '<link rel="canonical" href="https://r.example/bac">'
    named = ld(headline="Titre court", mainEntityOfPage={"@id": "https://r.example/bac"})
    assert page(link + related + named).source.title == "Titre court"


def test_references_and_compact_dates_are_read() -> None:
    graph = {"@graph": [
        {"@type": "Person", "@id": "#p", "name": "Inès Caron"},
        {"@type": "NewsArticle", "headline": "Le bac", "author": {"@id": "#p"},
         "datePublished": "20240507T101500Z", "dateModified": "Thu, 09 May 2024 23:30:00 GMT"},
    ]}  # fmt: skip
    source = page(f'<script type="application/ld+json">{json.dumps(graph)}</script>').source
    assert source.author == "Inès Caron"
    assert (source.published, source.modified) == (date(2024, 5, 7), date(2024, 5, 9))


@pytest.mark.parametrize("free", [True, "True", None, {}])
def test_a_free_article_is_free(free: object) -> None:
    assert not page(ld(isAccessibleForFree=free)).source.paywalled


def test_the_graph_and_lists_of_types_are_read() -> None:
    graph = {"@graph": [{"@type": "WebSite", "name": "X"}, {
        "@type": ["Article", "ReportageNewsArticle"], "headline": "Le bac du graphe",
    }]}  # fmt: skip
    head = f'<script type="application/ld+json">{json.dumps(graph)}</script>'
    assert page(head).source.title == "Le bac du graphe"


@pytest.mark.parametrize(
    "script",
    ["{", "[" * 5000, '{"@type": "NewsArticle", "datePublished": 12, "author": {"name": [1]}}',
     '{"@type": "NewsArticle", "datePublished": "hier ou presque", "headline": null}',
     '{"@type": 3}', "null", '"texte"', '{"@graph": {"@graph": {"@graph": []}}}'],
)  # fmt: skip
def test_bad_json_ld_takes_nothing_from_the_article(script: str) -> None:
    head = f'<title>Le bac</title><script type="application/ld+json">{script}</script>'
    assert "traversées" in page(head).text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=30),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["@type", "@graph", "mainEntity", "author", "name", "publisher", "datePublished",
                 "headline", "articleSection", "isAccessibleForFree", "isPartOf"]
            ),
            inner,
            max_size=5,
        ),
        max_leaves=12,
    )
)  # fmt: skip
def test_any_json_gives_an_article(said: object) -> None:
    script = json.dumps(said).replace("</", "<\\/")
    assert page(f'<script type="application/ld+json">{script}</script>').text


@pytest.mark.parametrize(
    ("said", "author"),
    [("Par Inès Caron", "Inès Caron"), ("Propos recueillis par Paul Ory", "Paul Ory"),
     ("par Inès Caron et Paul Ory", "Inès Caron et Paul Ory"), ("Parker Ory", "Parker Ory"),
     ("Par ailleurs", "Par ailleurs"), ("By Ory", "Ory")],
)  # fmt: skip
def test_how_an_author_is_introduced_is_not_the_name(said: str, author: str) -> None:
    assert page(ld(author=said)).source.author == author


def test_a_date_that_is_none_is_left_out() -> None:
    assert page(ld(datePublished="2999-01-01")).source.published is None
    for day in ("2999-01-01", "0020-05-07"):
        ((article,), _) = read_bytes(
            f"Titre : Le bac\nDate : {day}\n\nLe bac de Lérins a repris mardi.".encode(),
            "bac.txt",
            "bac.txt",
        )
        assert article.source.published is None


def test_a_list_of_texts_is_paragraphs() -> None:
    rows = b'{"titre": "Le bac", "texte": ["Le bac a repris.", "Il partira six fois par jour."]}'
    ((article,), _) = read_bytes(rows, "bac.jsonl", "bac.jsonl")
    assert article.text == "Le bac a repris.\n\nIl partira six fois par jour."
