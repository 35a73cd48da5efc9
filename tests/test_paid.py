"""An article that readers pay for answers in bounded quotes, and is given whole to nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client

from rag import texts
from rag.assistant import LocalAssistant
from rag.domain import Answer, Article, Citation, Nearest, Reading, Source, Statement
from rag.french.dates import MONTHS
from rag.paid import Allowance, bounded_events
from rag.searching.langchain import RecoupeRetriever
from rag.settings import load_settings
from rag.web.access import new_token
from rag.web.render import article_html
from tests.test_api import serving

LONG = (
    "La réparation du moteur du bac de Lérins a coûté 84 000 euros à la compagnie du littoral, qui "
    "avait d’abord annoncé une somme deux fois moindre, avant que la pièce commandée à Saint-Nazaire "
    "ne se révèle introuvable et ne doive être refaite entière par un atelier de Lorient."
)
REST = "Les élus de Lérins demandent maintenant un second bac, que la région refuse de payer seule."
TEXT = f"{LONG}\n\n{REST}"
QUESTION = "Combien a coûté la réparation du moteur du bac de Lérins ?"


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalAssistant, str]]:
    token, digest = new_token()
    folder = tmp_path_factory.mktemp("payant")
    made = LocalAssistant(
        load_settings(index_dir=folder, paid_characters=120, admin_token_hash=digest)
    )
    source = Source(
        "Le bac de Lérins", "Le Rivage", url="https://rivage.example/bac", paywalled=True
    )
    made.ingest(Reading((Article("bac", source, TEXT),)))
    yield made, token
    made.close()


def is_bounded(citation: Citation) -> bool:
    exact = TEXT[citation.start : citation.end] == citation.quote
    return exact and 0 < len(citation.quote) <= 120


def test_every_quote_is_exact_and_bounded(paid: tuple[LocalAssistant, str]) -> None:
    assistant, _ = paid
    answer = assistant.ask(QUESTION)
    citations = [c for s in answer.statements for c in s.citations]
    assert citations
    assert all(map(is_bounded, citations))
    assert "84 000 euros" in answer.text
    assert "Lorient" not in answer.text
    assert "[…]" in answer.text
    for hit in (*answer.hits, *assistant.search(QUESTION, 5)):
        assert len(hit.passage.text) <= 120
    checked = assistant.verify("La réparation du moteur a coûté 84 000 euros.").claims[0]
    assert all(is_bounded(e.citation) and not e.before + e.after for e in checked.evidence)
    streamed = [s.text for s in assistant.stream(QUESTION) if hasattr(s, "lead_in")]
    assert streamed == [s.text for s in answer.statements]


def test_a_chain_gets_the_beginning_too(paid: tuple[LocalAssistant, str]) -> None:
    assistant, _ = paid
    retriever = RecoupeRetriever(retriever=assistant.retriever, paid_characters=120)
    documents = retriever.invoke(QUESTION)
    assert documents
    for document in documents:
        assert TEXT[document.metadata["start"] :].startswith(document.page_content)
        assert 0 < len(document.page_content) <= 120


def test_no_reply_gives_more_of_an_article_by_giving_it_in_pieces(tmp_path: Path) -> None:
    """Short passages and sentences were each within the bound, and together the article."""
    made = LocalAssistant(load_settings(index_dir=tmp_path, paid_characters=120, passage_tokens=20))
    source = Source("Le bac de Lérins", "Le Rivage", paywalled=True)
    said = [
        f"Le bac de Lérins a transporté {n * 311} voyageurs en {month} pour la compagnie."
        for n, month in enumerate(MONTHS, 3)
    ]
    free = Article(
        "libre",
        Source("Le bac", "Le Phare"),
        "Le bac de Lérins a perdu des voyageurs au printemps.",
    )
    made.ingest(Reading((Article("bac", source, "\n\n".join(said)), free)))
    assert made.facets().passages > 10
    hits = made.search("bac de Lérins voyageurs", 50)
    assert 0 < sum(len(h.passage.text) for h in hits if h.source.paywalled) <= 120
    assert any(h.passage.article_id == "libre" for h in hits)
    for question in ("Que s’est-il passé pour le bac de Lérins ?", "Combien de voyageurs en mai ?"):
        answer = made.ask(question)
        paid = {c for s in answer.statements for c in s.citations if c.source.paywalled}
        assert sum(len(c.quote) for c in paid) <= 120
        assert sum(len(h.passage.text) for h in answer.hits if h.source.paywalled) <= 120
        assert all(c.quote for s in answer.statements for c in s.citations)
        streamed = [s for s in made.stream(question) if isinstance(s, Statement)]
        assert streamed == list(answer.statements)
        for statement in answer.statements:
            assert statement.text in answer.text
    made.close()


def test_the_whole_is_a_keeper_s(paid: tuple[LocalAssistant, str]) -> None:
    assistant, token = paid
    with serving(assistant) as url:
        seen = httpx.get(f"{url}/api/v1/articles/bac").json()
        kept = httpx.get(
            f"{url}/api/v1/articles/bac", headers={"Authorization": f"Bearer {token}"}
        ).json()
    assert "text" not in seen
    assert seen["paywalled"]
    assert kept["text"] == TEXT


async def test_an_assistant_gets_the_beginning_whatever_it_asks(
    paid: tuple[LocalAssistant, str],
) -> None:
    assistant, _ = paid
    with serving(assistant) as url:
        async with Client(f"{url}/mcp") as client:
            asked = ["bac", *(f"bac#{at}-{at + 9}" for at in range(0, len(TEXT), 60))]
            got = {
                (await client.call_tool("fetch", {"id": i})).structured_content["text"]
                for i in asked
            }
    (text,) = got
    assert TEXT.startswith(text)
    assert 0 < len(text) <= 120


def test_the_panel_shows_the_quote_alone(paid: tuple[LocalAssistant, str]) -> None:
    assistant, _ = paid
    citation = assistant.ask(QUESTION).statements[0].citations[0]
    html = article_html(assistant.article("bac"), citation)
    assert "84 000 euros" in html
    assert "Article payant" in html
    assert "https://rivage.example/bac" in html
    assert "Lorient" not in html
    assert "second bac" not in html
    assert "moteur" not in article_html(assistant.article("bac"), None)


PAID = Source("T", paywalled=True)


def test_words_that_answer_stay_where_they_are_in_what_is_cut() -> None:
    source = Source("Titre", "Le Courrier", paywalled=True)
    text = "La halle a coûté 4 millions d’euros, payés par la commune et par la région ensemble."
    cited = Citation("a", source, 0, len(text), text)
    for words, kept in (("4 millions d’euros", True), ("région", False)):
        at = text.index(words)
        made = Statement(text, (cited,), span=(at, at + len(words)))
        (shown,) = bounded_events([made], Allowance(45))
        assert shown.text != text
        assert (shown.span is not None) is kept
        assert shown.span is None or shown.text[slice(*shown.span)] == words


@given(st.text(min_size=1, max_size=400), st.integers(40, 300))
def test_what_is_cut_stays_a_span(text: str, most: int) -> None:
    cut = Allowance(most).cut(PAID, "a", 7, text)
    assert text.startswith(cut)
    assert len(cut) <= most
    assert Allowance(most).cut(Source("T"), "a", 7, text) is text


@given(
    st.text("ab éà. ", min_size=300, max_size=300),
    st.lists(st.tuples(st.integers(0, 299), st.integers(1, 120)), max_size=12),
    st.integers(40, 200),
)
def test_all_quotes_of_a_reply_together_are_bounded(
    text: str, spans: list[tuple[int, int]], most: int
) -> None:
    """Whatever is quoted, in whatever order, however it overlaps: the union counts."""
    allowed, seen = Allowance(most), set[int]()
    for start, length in spans:
        cut = allowed.cut(PAID, "a", start, text[start : start + length])
        assert text[start:].startswith(cut)
        seen |= set(range(start, start + len(cut)))
    assert len(seen) <= most


def test_a_quote_within_what_is_shown_costs_nothing() -> None:
    allowed = Allowance(100)
    text = "abcde fghi " * 9  # 99 characters
    assert allowed.cut(PAID, "a", 10, text) == text
    assert allowed.cut(PAID, "a", 12, text[2:50]) == text[2:50]
    assert allowed.cut(PAID, "a", 300, "x" * 60) == ""
    assert allowed.cut(PAID, "b", 300, "x" * 60) == "x" * 60


def test_what_may_be_cited_no_more_leaves_no_promise_of_it() -> None:
    """« Voici les phrases les plus proches » stood over none, and an answer over nothing."""
    quote = "Une phrase d’un article que l’on paie."
    near = Nearest(Citation("a", PAID, 0, len(quote), quote), ("phrase",))
    refusal = Answer("Q ?", (), (), True, "m", texts.NO_ANSWER, nearest=(near,))
    (shown,) = bounded_events([refusal], Allowance(0))
    assert shown.nearest == ()
    assert shown.text == texts.NO_PASSAGE
    answer = Answer("Q ?", (Statement(quote, (near.citation,)),), (), False, "m", quote)
    (shown,) = bounded_events([answer], Allowance(0))
    assert shown.refused
    assert shown.text == texts.PAID_ANSWER
