"""« X l’affirme » is said of what X says, and of nothing that he denies, declines or says otherwise."""

from __future__ import annotations

import pytest

from rag.assistant import LocalAssistant
from rag.checking.denial import denial
from rag.domain import Article, Label, Reading, Source, Stance
from rag.settings import load_settings

WORDS = {
    "piratage": (
        "Piratage à l’usine Solmar",
        "« Nous n’accusons personne à ce stade », a déclaré la porte-parole de Solmar, qui a "
        "expressément refusé d’accuser la société Ondel du piratage de ses serveurs.",
    ),
    "conseil": (
        "Le conseil du port a voté",
        "« Le conseil a voté à l’unanimité pour la fermeture du bassin nord », indique la "
        "présidence du port de Lérins.",
    ),
    "mensonge": (
        "Le trésorier devant les élus",
        "Le trésorier Alban Quéré dément avoir caché la dette du syndicat des eaux aux élus.",
    ),
    "digue": (
        "La digue de Saint-Orens",
        "« La digue de Saint-Orens tiendra jusqu’au printemps », affirme Maud Terrasson, ingénieure.",
    ),
}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> LocalAssistant:
    made = LocalAssistant(load_settings(index_dir=tmp_path_factory.mktemp("declarations")))
    made.ingest(
        Reading(tuple(Article(k, Source(t, "Le Rivage"), text) for k, (t, text) in WORDS.items()))
    )
    return made


@pytest.mark.parametrize(
    "claim",
    [
        "Solmar accuse la société Ondel du piratage de ses serveurs.",
        "La société Ondel est accusée par Solmar du piratage de ses serveurs.",
        "Le conseil du port a voté contre la fermeture du bassin nord.",
        "La présidence du port indique que le conseil a voté contre la fermeture du bassin nord.",
        "Le trésorier Alban Quéré a caché la dette du syndicat des eaux aux élus.",
        "La digue de Saint-Orens ne tiendra pas jusqu’au printemps.",
    ],
)
def test_nobody_is_told_to_say_what_he_denies(assistant: LocalAssistant, claim: str) -> None:
    (checked,) = assistant.verify(claim).claims
    assert "l’affirme" not in checked.reason
    assert checked.verdict is not Label.SUPPORTED
    for evidence in checked.evidence:
        assert evidence.stance is not Stance.SUPPORTS, evidence.citation.quote


def test_what_somebody_says_is_his_word(assistant: LocalAssistant) -> None:
    (checked,) = assistant.verify("La digue de Saint-Orens tiendra jusqu’au printemps.").claims
    assert checked.verdict is Label.DECLARED
    assert "Maud Terrasson" in checked.reason
    assert "l’affirme" in checked.reason


@pytest.mark.parametrize(
    "sentence",
    [
        "Il dément avoir menti.", "La ministre a démenti toute négociation.", "Il nie les faits.",
        "Elle conteste le chiffre.", "Le groupe réfute l’accusation.", "Il a refusé d’accuser son rival.",
        "La société a décliné de désigner un coupable.", "Le maire rejette l’idée d’une fusion.",
        "Le parquet exclut l’hypothèse d’un attentat.",
    ],
)  # fmt: skip
def test_who_denies(sentence: str) -> None:
    assert denial(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Le niveau de la nappe monte.", "Un nid de cigognes.", "Le pont est fermé.",
        "Le jury a décliné les prix en trois catégories.", "Il a refusé.", "Les rejets de la station.",
        "L’écart se creuse de deux points.", "Ni l’un ni l’autre ne vient.", "Il recule.",
        "La décision exclut les mineurs.",
    ],
)  # fmt: skip
def test_who_does_not(sentence: str) -> None:
    assert not denial(sentence)
