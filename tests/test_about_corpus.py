"""Greetings, thanks, questions on the tool and on the corpus are answered as such."""

from __future__ import annotations

import pytest

from rag import texts
from rag.answering.about_corpus import reply
from rag.assistant import LocalAssistant
from rag.domain import Article, Facets, Reading, Source, Turn
from rag.settings import load_settings


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("Bonjour", texts.HELLO), ("Bonsoir !", texts.HELLO), ("salut, ça va ?", texts.HELLO),
        ("Bonjour Recoupe", texts.HELLO), ("Merci !", texts.YOU_ARE_WELCOME),
        ("merci beaucoup, au revoir", texts.YOU_ARE_WELCOME), ("Ok, merci", texts.YOU_ARE_WELCOME),
        ("Qui es-tu ?", texts.WHO_I_AM), ("Êtes-vous une IA ?", texts.WHO_I_AM),
        ("C’est quoi Recoupe ?", texts.WHO_I_AM), ("Que peux-tu faire ?", texts.WHAT_I_CAN),
        ("Comment ça marche ?", texts.WHAT_I_CAN), ("aide", texts.WHAT_I_CAN),
        ("Quelle heure est-il ?", texts.NOT_NOW), ("Quel temps fait-il aujourd’hui ?", texts.NOT_NOW),
        ("Quel jour sommes-nous ?", texts.NOT_NOW),
    ],
)  # fmt: skip
def test_what_is_said_to_recoupe(assistant: LocalAssistant, asked: str, told: str) -> None:
    answer = assistant.ask(asked)
    assert (answer.text, answer.refused, answer.statements) == (told, False, ())


@pytest.mark.parametrize(
    "asked",
    [
        "Combien d’articles avez-vous ?", "Combien d'articles y a-t-il dans la base ?",
        "Quelles sources avez-vous ?", "De quand datent vos articles ?",
    ],
)  # fmt: skip
def test_what_there_is(assistant: LocalAssistant, asked: str) -> None:
    facets = assistant.facets()
    text = assistant.ask(asked).text
    assert text.startswith(f"{facets.articles} articles dans l’index\u00a0: ")
    assert facets.sources[0][0] in text
    assert "2024" in text


@pytest.mark.parametrize(
    "asked",
    [
        "Quels sujets couvres-tu ?", "De quoi parlent les articles ?", "De quoi parlent tes articles",
        "Sur quels sujets avez-vous des articles ?", "Quels sont vos sujets ?", "Quelles rubriques avez-vous ?",
        "De quoi pouvez-vous parler ?", "Quels thèmes abordent les articles ?",
    ],
)  # fmt: skip
def test_of_what_the_articles_speak(asked: str) -> None:
    facets = Facets(articles=2, sections=(("Culture", 1),), sources=(("La Gazette", 2),))
    told = reply(asked, facets, lambda: ["Le phare rallumé", "La halle restaurée"])
    assert told is not None
    assert told.text.startswith("2 articles dans l’index\u00a0: La Gazette (2).")
    assert "Rubriques\u00a0: Culture." in told.text
    assert "«\u00a0Le phare rallumé\u00a0»\u202f; «\u00a0La halle restaurée\u00a0»" in told.text


@pytest.mark.parametrize(
    "asked",
    [
        "Bonjour, combien a coûté la halle ?", "Merci de dire qui a restauré la halle",
        "Qui es-tu allé voir ?", "Combien d’articles parlent de la halle ?", "Que peux-tu me dire sur Kidal ?",
        "Aide aux agriculteurs", "De quoi parle l’article sur la halle ?", "De quoi parlent les articles sur Kidal ?",
        "Quels sujets le maire couvre-t-il ?", "Quels sont les sujets du bac ?", "Salut nazi à Lérac",
        "Quelle est la date ?", "Quel temps fait-il à Brissange ?", "Quelle est la date de la réouverture ?",
        "Quels journaux ont été vendus ?", "Comment ça marche, un téléphérique ?", "",
    ],
)  # fmt: skip
def test_a_question_to_the_articles_is_left_to_them(asked: str) -> None:
    assert reply(asked, Facets(articles=9), lambda: ["Un titre"]) is None


def test_of_one_article_it_is_that_one_of_many_which(
    assistant: LocalAssistant, tmp_path: object
) -> None:
    many = assistant.ask("De quoi parle l’article ?").text
    assert many.startswith("Lequel")
    assert many.count("«") == 3
    alone = LocalAssistant(load_settings(index_dir=tmp_path))
    text = "Le phare de Kerguen a été rallumé jeudi. Sa lampe venait de Brest. Maëlle Le Guen l’a posée."
    alone.ingest(Reading((Article("a", Source("Le phare rallumé", "La Gazette"), text),)))
    answer = alone.ask("De quoi parle l’article ?")
    assert not answer.refused
    assert "rallumé jeudi" in answer.text
    alone.close()


@pytest.mark.parametrize(
    ("asked", "most"),
    [
        ("Quels articles avez-vous sur la halle aux grains ?", 10),
        ("Donne-moi deux articles sur la halle aux grains", 2),
        ("As-tu des articles sur la halle aux grains ?", 10),
        ("Que disent les articles sur la halle aux grains ?", 10),
    ],
)
def test_articles_are_listed_by_title_with_a_sentence_each(
    assistant: LocalAssistant, asked: str, most: int
) -> None:
    answer = assistant.ask(asked)
    assert not answer.refused
    articles = {s.citations[0].article_id for s in answer.statements}
    assert 1 <= len(articles) <= most
    for statement in answer.statements:
        if statement.lead_in:
            assert statement.citations[0].source.title in statement.lead_in
    assert "halle" in answer.text


def test_every_face_says_it(assistant: LocalAssistant) -> None:
    from rag.web.conversation import ChatTurn
    from rag.web.markdown import reply_markdown
    from rag.web.render import answer_html

    answer = assistant.ask("Bonjour")
    assert "Posez une question" in answer_html(ChatTurn(answer), 0)
    assert "Posez une question" in "".join(reply_markdown(answer))


def test_thanks_do_not_end_a_conversation(assistant: LocalAssistant) -> None:
    first = assistant.ask("Combien a coûté la restauration de la halle aux grains ?")
    about = first.statements[0].citations[0].article_id
    before = [Turn(first.question, first.text), Turn("Merci !", texts.YOU_ARE_WELCOME)]
    for asked in ("De quoi parle cet article ?", "Et quand a-t-elle rouvert ?"):
        answer = assistant.ask(asked, before)
        assert about in {c.article_id for s in answer.statements for c in s.citations}, asked


def test_after_a_greeting_which_article_is_asked(assistant: LocalAssistant) -> None:
    hello = [Turn("Bonjour", texts.HELLO)]
    assert assistant.ask("De quoi parle cet article ?", hello).text.startswith("Lequel")


@pytest.mark.parametrize(
    "asked", ["Que penses-tu du maire ?", "Quel est ton avis ?", "Tu es sûr ?"]
)
def test_it_has_no_opinion(assistant: LocalAssistant, asked: str) -> None:
    assert assistant.ask(asked).text == texts.NO_OPINION


@pytest.mark.parametrize("asked", ["Quel est l’article le plus récent ?", "Le dernier article ?"])
def test_the_newest_articles_are_named(assistant: LocalAssistant, asked: str) -> None:
    newest = assistant.page(limit=1).records[0].source.title
    assert newest in assistant.ask(asked).text


@pytest.mark.parametrize(
    "asked",
    [
        "Combien d’articles parlent de Lérac ?",
        "Liste des articles sur Lérac",
        "Avez-vous quelque chose sur Lérac ?",
    ],
)
def test_articles_are_asked_for_in_many_ways(assistant: LocalAssistant, asked: str) -> None:
    answer = assistant.ask(asked)
    assert not answer.refused
    assert len({c.article_id for s in answer.statements for c in s.citations}) > 1
