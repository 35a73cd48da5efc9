"""« Oui » and « Non » before an answer: what is asked as a claim, and when a word is said."""

from __future__ import annotations

import pytest

from rag import texts
from rag.answering.yesno import claim_of
from rag.assistant import LocalAssistant
from rag.domain import Filters


@pytest.mark.parametrize(
    ("question", "claim"),
    [
        ("La halle a-t-elle rouvert ?", "La halle a rouvert."),
        ("Est-ce que la halle a rouvert ?", "La halle a rouvert."),
        ("Et est-ce qu’il y a eu des blessés ?", "Il y a eu des blessés."),
        ("Y a-t-il eu des blessés à Lérac ?", "Il y a eu des blessés à Lérac."),
        ("Les arbres du parc seront-ils abattus ?", "Les arbres du parc seront abattus."),
        ("Mais le pont de l’Ancre est-il fermé ?", "Le pont de l’Ancre est fermé."),
        # What asks for something else, or has no subject of its own.
        ("Quand la halle a-t-elle rouvert ?", None),
        ("Qui a-t-il rencontré ?", None),
        ("Pourquoi le pont est-il fermé ?", None),
        ("A-t-elle rouvert ?", None),
        ("Combien de personnes y a-t-il ?", None),
        ("À quelle heure le pont ferme-t-il ?", None),
        ("La halle rouvre.", None),
        ("halle aux grains", None),
        ("?", None),
    ],
)
def test_what_a_question_of_yes_or_no_asks_is_a_claim(question: str, claim: str | None) -> None:
    assert claim_of(question) == claim


@pytest.mark.parametrize(
    ("question", "intro", "said"),
    [
        ("La maternité a-t-elle rouvert ?", "Oui, d’après Le Courrier", "a rouvert"),
        ("Le téléphérique coûtera-t-il 32 millions d’euros ?", "Non, d’après L’Écho", "18,6"),
        (
            "Est-ce que 280 personnes ont été évacuées à Saint-Cyprin ?",
            "Non, d’après Le Courrier",
            "312",
        ),
        (
            "La marche contre le casino a-t-elle réuni 4 500 personnes ?",
            texts.ARTICLES_DIVERGE,
            "4 500",
        ),
    ],
)
def test_what_the_articles_settle_is_said_first(
    assistant: LocalAssistant, question: str, intro: str, said: str
) -> None:
    answer = assistant.ask(question)
    assert not answer.refused
    assert answer.intro.startswith(intro)
    assert answer.text.startswith(answer.intro)
    assert said in answer.statements[0].text.replace("\u202f", " ").replace("\u00a0", " ")
    for statement in answer.statements:
        for cited in statement.citations:
            text = assistant.article(cited.article_id).text
            assert cited.in_title or text[cited.start : cited.end] == cited.quote


def test_both_sides_are_shown_where_articles_diverge(assistant: LocalAssistant) -> None:
    answer = assistant.ask("La marche contre le casino a-t-elle réuni 4 500 personnes ?")
    sources = [s.citations[0].source.name for s in answer.statements[:2]]
    assert sources == ["Agence Transval", "L’Écho de Brissange"]


@pytest.mark.parametrize(
    "question",
    [
        "Les arbres du parc Duvernet seront-ils abattus ?",  # two parties say so
        "Le prix du pétrole a-t-il doublé ?",  # nothing tells
        "Quand la maternité a-t-elle rouvert ?",
    ],
)
def test_nothing_is_said_of_what_is_not_settled(assistant: LocalAssistant, question: str) -> None:
    words = (texts.YES.format(""), texts.NO.format(""), texts.ARTICLES_DIVERGE)
    assert not assistant.ask(question).intro.startswith(tuple(w[:4] for w in words))


def test_filters_hold_for_what_settles_it(assistant: LocalAssistant) -> None:
    asked = "La marche contre le casino a-t-elle réuni 4 500 personnes ?"
    answer = assistant.ask(asked, (), Filters(("L’Écho de Brissange",)))
    cited = {c.source.name for s in answer.statements for c in s.citations}
    assert cited <= {"L’Écho de Brissange"}
    assert answer.intro != texts.ARTICLES_DIVERGE
