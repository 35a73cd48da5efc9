from __future__ import annotations

import time
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from rag import texts
from rag.assistant import LocalAssistant
from rag.domain import (
    MOST_FACETS,
    Answer,
    ArticleQuery,
    ArticleRecord,
    ArticleResults,
    Citation,
    Facets,
    Failure,
    Filters,
    FoundArticle,
    IngestReport,
    Passage,
    QuotedSpeaker,
    Source,
    SourceState,
    Statement,
    StoredArticle,
)
from rag.french.typography import typographic
from rag.web.conversation import ChatTurn
from rag.web.corpus_html import articles_html, overview_html, sources_html
from rag.web.markdown import answer_markdown
from rag.web.render import (
    answer_html,
    article_html,
    draft_html,
    error_html,
    examples_html,
    export_html,
    ingested_html,
    locate,
    message_html,
)

HOSTILE = "<img src=x onerror=alert(1)> {{7*7}} ${7*7} `x` \"'& </script><script>alert(1)</script>"


def stored(text: str, title: str = "Titre", heading: str = "") -> StoredArticle:
    source = Source(title, "Le Courrier", "Ida Roy", date(2024, 3, 1), "https://c.example/a")
    record = ArticleRecord("a", "v", source, 1, len(text))
    return StoredArticle(record, (Passage("a:v:0", "a", 0, 0, len(text), text, heading),))


def citation(text: str, start: int, end: int) -> Citation:
    return Citation("a", stored(text).record.source, start, end, text[start:end])


TEXT = st.text(
    st.characters(blacklist_categories=("Cs", "Cc")) | st.just("\n"), min_size=1, max_size=200
)


@given(TEXT, st.data())
def test_the_mark_is_the_cited_span_character_for_character(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    page = html.fromstring(article_html(stored(text), citation(text, start, end)))
    marked = "".join(m.text_content() for m in page.iter("mark"))
    # Blank lines between paragraphs are mark-up, not text.
    assert "".join(marked.split()) == "".join(text[start:end].split())


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=100))
def test_escaped_text_reads_back_and_hides_templates(text: str) -> None:
    page = message_html("error", text)
    safe = page.removeprefix('<p class="rc-error" role="alert">').removesuffix("</p>")
    assert not set(safe) & set("<>{}$`\"'")
    assert html.fromstring(page).text_content().strip() == typographic(text).strip()


def test_hostile_text_is_text_everywhere() -> None:
    source = Source(HOSTILE, HOSTILE, HOSTILE, None, "https://c.example/a", HOSTILE)
    cited = Citation("a", source, 0, len(HOSTILE), HOSTILE)
    answer = Answer(HOSTILE, (Statement(HOSTILE, (cited,), lead_in=HOSTILE),), (), False, "m", "")
    record = ArticleRecord("a", "v", source, 1, 3)
    article = StoredArticle(record, (Passage("a:v:0", "a", 0, 0, len(HOSTILE), HOSTILE),))
    names = ((HOSTILE, 1),)
    hostile = Facets(names, names, names, articles=1)
    query = ArticleQuery(HOSTILE, Filters((HOSTILE,), (HOSTILE,), (HOSTILE,)))
    for page in (
        answer_html(ChatTurn(answer), 0),
        article_html(article, cited),
        articles_html(listed(record, facets=hostile), query, first=True, choose=True),
        article_html(article, speakers=[QuotedSpeaker(HOSTILE, (cited,))], copies=[record]),
        examples_html([HOSTILE]),
        ingested_html(IngestReport(failed=(Failure(HOSTILE, HOSTILE),))),
        export_html("csv", HOSTILE, 1),
        draft_html(HOSTILE, HOSTILE),
        error_html(HOSTILE, HOSTILE),
    ):
        tree = html.fromstring(f"<div>{page}</div>")
        assert not list(tree.iter("script", "img"))
        assert not [a for e in tree.iter() for a in e.attrib if str(a).startswith("on")]
        assert "{{" not in page
        assert "${" not in page


LONG = "Le pont\n\nIl est fermé.\n\nLe gué\n\nOn y passe à pied. L’eau est basse.\n\nFin."


def in_passages() -> StoredArticle:
    cuts = [0, LONG.index("Le gué"), LONG.index("Fin."), len(LONG)]
    headings = ["Le pont", "Le gué", "Le gué"]
    passages = tuple(
        Passage(f"a:v:{n}", "a", n, a, b, LONG[a:b], heading)
        for n, (a, b, heading) in enumerate(zip(cuts, cuts[1:], headings, strict=False))
    )
    return StoredArticle(stored(LONG).record, passages)


def test_a_reserved_article_shows_its_cited_passage_alone() -> None:
    start = LONG.index("L’eau")
    page = html.fromstring(
        article_html(in_passages(), citation(LONG, start, start + 16), whole=False)
    )
    assert [m.text_content() for m in page.iter("mark")] == ["L’eau est basse."]
    assert [h.text_content() for h in page.iter("h3")] == ["Le gué"]
    assert "On y passe" in page.text_content()
    assert "fermé" not in page.text_content()
    assert "Fin." not in page.text_content()
    last = LONG.index("Fin.")
    page = html.fromstring(article_html(in_passages(), citation(LONG, last, last + 4), whole=False))
    assert [h.text_content() for h in page.iter("h3")] == ["Le gué"]  # it opens another passage
    assert "On y passe" not in page.text_content()


def test_a_reserved_article_without_its_passage_shows_no_text() -> None:
    gone = Citation("a", Source("T"), 0, 12, "Autre chose.")
    for cited in (gone, None):
        page = article_html(in_passages(), cited, whole=False)
        assert "pont" not in page
        assert "Fin" not in page


def test_a_citation_whose_article_changed_is_found_again_or_said() -> None:
    old = citation("Le pont est fermé. Il neige.", 0, 18)
    assert locate("Hier. Le pont est fermé.", old) == (6, 24)
    page = article_html(stored("Tout autre chose."), old)
    assert "a changé" in page
    assert "<mark" not in page


def test_links_open_apart_and_say_nothing_of_the_reader() -> None:
    page = html.fromstring(article_html(stored("Texte.")))
    (link,) = page.iter("a")
    assert link.get("href") == "https://c.example/a"
    assert {"noopener", "noreferrer"} <= set(link.get("rel").split())


def test_headings_are_headings() -> None:
    page = html.fromstring(
        article_html(stored("Des travaux\n\nIls durent.", heading="Des travaux"))
    )
    assert [h.text_content() for h in page.iter("h3")] == ["Des travaux"]


def test_markdown_has_quotes_links_and_no_live_markup() -> None:
    source = Source("T *x*", "Le Courrier", "", date(2024, 3, 1), "https://c.example/a")
    cited = Citation("a", source, 0, 28, "Il a [dit](http://x) ![i](y)")
    statement = Statement(cited.quote, (cited,), lead_in="Selon Le Courrier, 1er mars 2024 :")
    text = answer_markdown(Answer("Q ?", (statement,), (), False, "m", ""))
    assert "[^1]: Le Courrier, «\u00a0T \\*x\\*\u00a0», 1er mars 2024." in text
    assert "<https://c.example/a>" in text
    assert "](http" not in text.replace("\\]", "")


def test_the_words_that_answer_are_in_bold() -> None:
    text = "Il a coûté <b>3</b> *millions* hier."
    start = text.index("<b>")
    statement = Statement(text, (citation(text, 0, len(text)),), span=(start, start + 19))
    answer = Answer("Q ?", (statement,), (), False, "m", "")
    page = html.fromstring(answer_html(ChatTurn(answer), 0))
    assert page.xpath("//strong/text()") == ["<b>3</b> *millions*"]
    assert page.xpath("string(//*[@class='rc-said'])") == text
    assert "Il a coûté **\\<b\\>3\\</b\\> \\*millions\\*** hier." in answer_markdown(answer)


def test_an_unsupported_statement_shows_it() -> None:
    statement = Statement("Faux.", supported=False, problem="nombre absent")
    page = answer_html(ChatTurn(Answer("Q", (statement,), (), False, "m", "")), 0)
    assert "rc-unsupported" in page
    assert "nombre absent" in page


def listed(*records: ArticleRecord, facets: Facets | None = None) -> ArticleResults:
    """A page of articles, which are all that the corpus has."""
    counts = facets or Facets(articles=len(records))
    return ArticleResults(tuple(map(FoundArticle, records)), "", counts, counts.articles)


def test_the_corpus_is_counted_and_listed(assistant: LocalAssistant) -> None:
    results = assistant.browse(ArticleQuery("maire"), limit=5)
    page = html.fromstring(articles_html(results, ArticleQuery("maire"), first=True))
    assert page.xpath("string(//*[@class='rc-found'])") == f"{results.facets.articles} articles"
    assert len(page.xpath("//ol[@class='rc-list']/li")) == 5
    for found, quote in zip(results.articles, page.xpath("//q"), strict=True):
        assert found.excerpt
        assert quote.text_content() == found.excerpt.quote
        marked = [m.text_content() for m in quote.findall("mark")]
        text = assistant.article(found.record.id).text
        assert marked == [text[a:b] for a, b in found.marks] != []
    facets = assistant.facets()
    overview = html.fromstring(overview_html(facets)).text_content()
    assert f"{facets.articles} articles, {len(facets.sources)}\u00a0sources, du " in overview
    assert texts.EMPTY_INDEX in html.fromstring(overview_html(Facets())).text_content()
    assert "rc-" not in articles_html(listed(), ArticleQuery(), first=True).replace(
        "rc-results", ""
    )
    none = ArticleResults((), "", Facets(), 3)
    said = html.fromstring(articles_html(none, ArticleQuery("x"), first=True)).text_content()
    assert texts.NO_ARTICLE_FOUND in said
    assert "Aucun article" in said


def test_a_bar_of_the_timeline_is_a_button_with_a_name() -> None:
    months = ((date(2024, 1, 1), 1), (date(2024, 3, 1), 12))
    facets = Facets(first=months[0][0], last=months[1][0], articles=14, months=months)
    narrowed = ArticleQuery(filters=Filters(since=date(2024, 3, 1), until=date(2024, 3, 31)))
    page = html.fromstring(articles_html(listed(facets=facets), narrowed, first=True))
    bars = page.xpath("//*[@role='button']")
    names = ["janvier 2024\u00a0: 1 article", "mars 2024\u00a0: 12 articles"]
    assert [b.get("aria-label") for b in bars] == names
    assert [b.get("aria-pressed") for b in bars] == ["false", "true"]
    assert [b.get("data-value") for b in bars] == ["2024-01", "2024-03"]
    chip = page.xpath("//ul[@class='rc-chips']/li[1]/button")[0]
    assert chip.get("aria-label") == "Retirer le filtre Période\u00a0: mars 2024"
    assert "1 sans date" in page.xpath("string(//figcaption)")
    long = (*months, (date(2014, 1, 1), 5))
    years = Facets(articles=18, months=tuple(sorted(long)))
    page = html.fromstring(articles_html(listed(facets=years), ArticleQuery(), first=True))
    labels = [b.get("aria-label") for b in page.xpath("//*[@role='button']")]
    assert labels == ["2014\u00a0: 5 articles", "2024\u00a0: 13 articles"]


def test_articles_of_no_listed_source_are_counted_too() -> None:
    def last(sources: tuple[tuple[str, int], ...], articles: int) -> str:
        results = listed(facets=Facets(sources, articles=articles))
        page = html.fromstring(articles_html(results, ArticleQuery(), first=True))
        return str(page.xpath("string(//*[@data-facet='source']//li[last()])"))

    names = tuple((f"S{n}", 1) for n in range(MOST_FACETS))
    assert last(names[:3], 4) == "Sans mention\u00a0: 1"
    assert last(names, 250) == "Autres\u00a0: 210"


def test_followed_sources_are_shown_with_their_ages() -> None:
    now = time.time()
    states = [
        SourceState("https://a.example/flux", "feed", succeeded=now - 3 * 3600, fed=now - 7200),
        SourceState("https://b.example/", "site", succeeded=now - 9 * 86400, problem="404"),
    ]
    page = html.fromstring(sources_html(states, 48))
    assert page.xpath("string(//summary)") == "Sources suivies\u00a0: 2, dont 1 à regarder"
    first, second = (" ".join(li.text_content().split()) for li in page.findall(".//li"))
    assert "✓ lue il y a 3\u00a0heures".replace("\u00a0", " ") in first
    assert "⚠ lue il y a 9 jours" in second
    assert sources_html([], 48) == ""


def test_who_is_quoted_is_named_where_the_text_is_shown_whole() -> None:
    text = "Le pont rouvre. « Enfin », dit Ida Roy."
    quoted = [QuotedSpeaker("Ida <b>Roy</b>", (citation(text, 16, len(text)),))]
    page = html.fromstring(article_html(stored(text), speakers=quoted))
    assert (
        page.xpath("string(//*[@class='rc-speakers']//summary)")
        == "Ida <b>Roy</b>\u00a0: 1\u00a0phrase"
    )
    assert page.xpath("string(//*[@class='rc-speakers']//q)") == text[16:]
    assert "rc-speakers" not in article_html(stored(text), speakers=quoted, whole=False)
    assert "rc-ask-article" not in article_html(stored(text))


def test_summaries_agree_in_number() -> None:
    assert texts.summary(IngestReport(new=("a",), unchanged=("b", "c"))) == (
        "Articles\u00a0: 1 nouveau, 0 mis à jour, 2 inchangés, 0 retiré, 0 en échec."
    )
    assert [texts.removed(n) for n in (0, 1, 2)] == [
        "Aucun article retiré.", "1 article retiré.", "2 articles retirés.",
    ]  # fmt: skip
