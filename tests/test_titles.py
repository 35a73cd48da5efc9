"""A title answers where nothing below it does, and is cited as a title; what may answer is shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from rag import texts
from rag.assistant import LocalAssistant
from rag.domain import Answer, Article, Citation, Nearest, Reading, Source
from rag.paid import Allowance, bounded_events
from rag.settings import load_settings
from rag.web.conversation import ChatTurn
from rag.web.markdown import reply_markdown
from rag.web.render import answer_html, article_html
from rag.wire import AnswerOut

MUSEUM = "Musée de Vernoux : Claire Aubin remplace Marc Delorme"
ARTICLES = {
    "musee": (
        MUSEUM,
        "Le musée rouvrira samedi avec une exposition sur les tisserands de la vallée. L'ancien "
        "directeur, Marc Delorme, avait conduit la maison pendant douze ans. Le conseil municipal "
        "a voté à l'unanimité. Une visite du chantier est prévue le 3 mai.",
    ),
    "vitec": (
        "Vitec supprime 340 emplois",
        "Les syndicats ont appris la nouvelle mardi par un courriel. Ils appellent à la grève "
        "jeudi devant le siège de Lérac. L'entreprise emploie 2 000 personnes dans la région.",
    ),
    "pont": (
        "Le pont de Morvane rouvre lundi",
        "Le pont de Morvane a été fermé en mars par le préfet, trois câbles étant rompus. Les "
        "travaux ont coûté 4 millions d'euros. Une limite de 30 km/h y restera en vigueur.",
    ),
}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAssistant]:
    made = LocalAssistant(load_settings(index_dir=tmp_path_factory.mktemp("titles")))
    made.ingest(
        Reading(
            tuple(
                Article(key, Source(title, "Le Rivage", published=date(2024, 3, 12)), text)
                for key, (title, text) in ARTICLES.items()
            )
        )
    )
    yield made
    made.close()


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Qui a remplacé Marc Delorme au musée de Vernoux ?", MUSEUM),
        ("Combien d'emplois Vitec supprime-t-il ?", "Vitec supprime 340 emplois"),
    ],
)
def test_a_title_answers_and_is_cited_as_such(
    assistant: LocalAssistant, monkeypatch: pytest.MonkeyPatch, question: str, title: str
) -> None:
    bold = assistant.settings.model_copy(update={"caution": 0.05})
    monkeypatch.setattr(assistant.answerer.router, "settings", bold)
    answer = assistant.ask(question)
    assert not answer.refused
    (citation,) = answer.statements[0].citations
    assert (citation.quote, citation.in_title) == (title, True)
    assert "12 mars 2024, dans le titre\u00a0:" in answer.statements[0].lead_in
    assert AnswerOut.of(answer).statements[0].citations[0].in_title
    shown = article_html(assistant.article(citation.article_id), citation)
    assert f'<mark id="rc-cited">{title}</mark>' in shown
    assert texts.CHANGED_ARTICLE not in shown


def test_what_stands_below_a_title_is_cited_before_it(assistant: LocalAssistant) -> None:
    answer = assistant.ask("Combien ont coûté les travaux du pont de Morvane ?")
    assert not any(c.in_title for s in answer.statements for c in s.citations)
    assert "4 millions" in answer.text


def test_a_title_about_another_place_does_not_answer(assistant: LocalAssistant) -> None:
    answer = assistant.ask("Combien d'emplois Vitec supprime-t-il en Espagne ?")
    assert not any(c.in_title for s in answer.statements for c in s.citations)


def test_a_title_that_has_changed_is_no_quote_of_the_article(assistant: LocalAssistant) -> None:
    old = Citation.of_title("vitec", Source("Vitec supprime 430 emplois"))
    assert texts.CHANGED_ARTICLE in article_html(assistant.article("vitec"), old)
    assert old.stands_in("un texte")
    assert not Citation("vitec", Source("Un autre titre"), 0, 5, "Vitec", in_title=True).stands_in(
        "Vitec supprime"
    )


def test_the_sentence_that_may_answer_is_shown_as_such(assistant: LocalAssistant) -> None:
    answer = next(
        a
        for q in ("Quand le musée sera-t-il restauré ?", "Depuis quand Delorme dirigeait-il ?",
                  "À quelle vitesse roulera-t-on ?", "Quand peut-on voir les travaux du musée ?")
        if (a := assistant.ask(q)).tentative
    )  # fmt: skip
    assert answer.refused
    (near,) = answer.nearest
    c = near.citation
    assert assistant.article(c.article_id).text[c.start : c.end] == c.quote
    assert texts.PERHAPS in answer_html(ChatTurn(answer), 0)
    assert texts.PERHAPS in "".join(reply_markdown(answer))
    assert AnswerOut.of(answer).tentative


def test_a_refusal_that_may_show_nothing_says_so(assistant: LocalAssistant) -> None:
    near = Nearest(Citation("x", Source("T", paywalled=True), 0, 60, "a" * 60))
    other = Nearest(Citation("x", Source("T", paywalled=True), 60, 120, "b" * 60))
    allowed = Allowance(60)
    first, second = (
        Answer("q", (), (), refused=True, mode="", text=texts.TENTATIVE_ANSWER,
               nearest=(n,), tentative=True) for n in (near, other)
    )  # fmt: skip
    (bounded,) = bounded_events([first], allowed)
    assert bounded == first
    (bounded,) = bounded_events([second], allowed)
    assert isinstance(bounded, Answer)
    assert (bounded.tentative, bounded.text) == (False, texts.NO_PASSAGE)
