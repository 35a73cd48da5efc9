"""Quotation marks, the conditional, and who a sentence says to speak."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Kind
from rag.french.conditional import is_conditional
from rag.french.quotations import Quoted, mark_quotations, quotations
from rag.french.sentences import sentence_spans
from rag.french.speakers import is_person, trimmed
from rag.french.speech import attribute, attributions


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ('Il dit : "Bonjour." Puis "au revoir", lance-t-il.', ['"Bonjour."', '"au revoir"']),
        ("« Rien. Tout », dit X. « Un »", ["« Rien. Tout »", "« Un »"]),
        ('"Ça va.\nMais non", dit-il.', ['"Ça va.\nMais non"']),
        ("Il y voit “un piège”.", ["“un piège”"]),
        ('« Le mot "île" est beau », dit-elle.', ['« Le mot "île" est beau »']),
        ("« Sans fin\nLa suite.", ["« Sans fin"]),
        ("Un écran de 15 pouces.", []),
    ],
)
def test_quotations_of_every_mark(text: str, quotes: list[str]) -> None:
    assert [text[a:b] for a, b in quotations(text)] == quotes


@given(st.text(alphabet='ab «»“”"\n.', max_size=80))
def test_quotations_are_spans_in_order(text: str) -> None:
    found = quotations(text)
    assert all(0 <= a < b <= len(text) for a, b in found)
    assert all(b <= c for (_, b), (c, _) in itertools.pairwise(found))
    assert len(mark_quotations(text)) == len(text)
    quoted = Quoted(text)
    assert all(quoted.around(at) for a, b in found for at in range(a + 1, b))


@pytest.mark.parametrize(
    "word",
    "aurait serait pourrait devrait préparerait coûterait finirait partirait dormirait viendrait "
    "verrait courrait mourrait mettrait connaîtrait boirait suivrait vivrait rendrait conclurait "
    "rencontrerait tirerait livrerait convaincrait acquerrait auraient".split(),
)
def test_conditionals(word: str) -> None:
    assert is_conditional(word)


@pytest.mark.parametrize(
    "word",
    "montrait entrait durait tirait jurait livrait errait admirait respirait préparait espérait "
    "considérait ouvrait souffrait courait mourait consacrait engendrait désirait effondrait "
    "portrait attrait retrait restaurait il".split(),
)
def test_imperfects_and_nouns_are_no_conditionals(word: str) -> None:
    assert not is_conditional(word)


@pytest.mark.parametrize(
    ("sentence", "speaker"),
    [
        ("Deux heures après le départ, l'agence indiquait : « Tout va bien à bord ».", "l'agence"),
        ("« Rien n'est perdu pour nous », s'est réjoui le président Obama à Hilliard.",
         "le président Obama"),
        ("Le vote aura lieu, d'après la déclaration d'un élu du parti.", "un élu du parti"),
        ("Trump, qui avait menacé l'an dernier, a ajouté qu'il restait du travail.", "Trump"),
        ("Le plan est calibré, explique l'inspecteur Dennis McCarthy dans le communiqué.",
         "l'inspecteur Dennis McCarthy"),
        ("« Je le pensais depuis longtemps », m'a confié Mme Ravel.", "Mme Ravel"),
    ],
)  # fmt: skip
def test_who_a_clause_of_reporting_names(sentence: str, speaker: str) -> None:
    found = attribute(sentence)
    assert found.kind is Kind.STATEMENT
    assert found.speaker == speaker


@pytest.mark.parametrize(
    "sentence",
    [
        "L'appréciation du Mali pour la Russie affirme que tout va bien.",
        "L'ouverture d'une enquête indique que l'affaire est grave.",
        "Selon la réglementation, les fonds peuvent entrer.",
        "Il a également été accusé d'avoir commis une infraction.",
        "Le premier but de Dolly Menga assure la victoire de Livingston.",
    ],
)
def test_things_do_not_speak(sentence: str) -> None:
    assert attribute(sentence).kind is Kind.REPORTED


def test_a_quotation_in_straight_marks_goes_on_and_keeps_its_speaker() -> None:
    text = '"Rien ne presse. Nous verrons en mai. Il le faudra", assure Jeanne Valadier.'
    found = attributions(text, sentence_spans(text))
    assert len(found) >= 1
    assert {a.kind for a in found} == {Kind.STATEMENT}
    assert {a.speaker for a in found} == {"Jeanne Valadier"}


def test_a_pronoun_is_who_was_last_named_or_spoke() -> None:
    text = (
        "« Je reste », a dit Paul Andral. La ministre, Odile Ferrand, est venue lundi. "
        "« Rien n’est décidé », a-t-elle ajouté."
    )
    *_, last = attributions(text, sentence_spans(text))
    assert last.speaker == "Odile Ferrand"


def test_names_and_what_only_stands_beside_them() -> None:
    assert trimmed("le joueur en souriant") == "le joueur"
    assert trimmed("le président Obama à Hilliard") == "le président Obama"
    assert trimmed("la déclaration d'un élu") == "un élu"
    assert trimmed("la loi") == ""
    assert is_person("le maire")
    assert is_person("Moscou")
    assert not is_person("Le premier but de Dolly Menga")


@given(st.text(alphabet="abAB .,:«»\"'-\n", max_size=120))
def test_any_text_is_attributed_in_order(text: str) -> None:
    spans = sentence_spans(text)
    assert len(attributions(text, spans)) == len(spans)
