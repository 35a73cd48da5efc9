"""An accent can be the whole difference: nothing that decides compares words without theirs."""

from __future__ import annotations

import pytest

from rag.assistant import LocalAssistant
from rag.checking.signals.polarity import NEGATED
from rag.domain import Article, Label, Reading, Source
from rag.french.words import is_grammatical, lowered
from rag.settings import load_settings

TEXT = (
    "Né à New York en 1945, l’ingénieur Paul Verdan a étudié la physique à Lyon. "
    "Sûr de son calcul, il a dessiné le pont de Lérac. L’argent dû à la commune a été versé en mars. "
    "Là où il habitait, une plaque a été posée. Le fruit mûr est cueilli en août. "
    "Le pêcheur Yann Le Dréan a été tué par la foudre au large de Lérins."
)


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> LocalAssistant:
    made = LocalAssistant(load_settings(index_dir=tmp_path_factory.mktemp("accents")))
    made.ingest(Reading((Article("verdan", Source("Paul Verdan", "Le Rivage"), TEXT),)))
    return made


@pytest.mark.parametrize(
    "claim",
    [
        "L’ingénieur Paul Verdan a étudié la physique à Lyon.",
        "Né à New York en 1945, l’ingénieur Paul Verdan a étudié la physique à Lyon.",
        "Né a\u0300 New York en 1945, l’ingénieur Paul Verdan a e\u0301tudie\u0301 la physique à Lyon.",
        "Sûr de son calcul, Paul Verdan a dessiné le pont de Lérac.",
        "L’argent dû à la commune a été versé en mars.",
        "Le fruit mûr est cueilli en août.",
        "Le pêcheur Yann Le Dréan a été tué par la foudre au large de Lérins.",
    ],
)
def test_what_an_article_says_is_not_contradicted_for_an_accent(
    assistant: LocalAssistant, claim: str
) -> None:
    for checked in assistant.verify(claim).claims:
        assert checked.verdict is not Label.CONTRADICTED
        for evidence in checked.evidence:
            assert "contraire" not in " ".join(s.text for s in evidence.signals)


@pytest.mark.parametrize(
    ("sentence", "negated"),
    [
        ("Né à New York, il a plus étudié que son frère.", False),
        ("Née en 1950, elle n’a jamais quitté Lyon.", True),
        ("Il ne vient pas.", True),
        ("Il n’a guère dormi.", True),
        ("Nés plus tôt, ils sont restés.", False),
    ],
)
def test_who_is_born_denies_nothing(sentence: str, negated: bool) -> None:
    assert bool(NEGATED.search(lowered(sentence))) is negated


@pytest.mark.parametrize(
    "word", ["ne", "sur", "du", "la", "ou", "a", "à", "où", "là", "été", "même", "L’", "Des"]
)
def test_grammatical_words(word: str) -> None:
    assert is_grammatical(word.rstrip("’"))


@pytest.mark.parametrize(
    "word", ["né", "née", "sûr", "dû", "mûr", "tué", "Né", "pêcheur", "pécheur", "tue", "jeûne"]
)
def test_words_that_an_accent_makes(word: str) -> None:
    assert not is_grammatical(word)
