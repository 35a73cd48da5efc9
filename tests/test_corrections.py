"""Which articles are corrections, and what of them may count as evidence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import texts
from rag.assistant import LocalAssistant
from rag.domain import Article, ArticleRecord, Label, Reading, Source
from rag.french.corrections import is_correction, retracted_figures, valid_part
from rag.indexing.chroma import connect
from rag.indexing.codec import record_fields, record_of
from rag.indexing.store import Store
from rag.readers import find_files, read_files
from rag.settings import load_settings
from rag.web.opened_article import opened_article
from rag.wire import SourceOut

NEWS = "Le conseil municipal de Lérac a voté lundi le budget de la piscine."


@pytest.mark.parametrize(
    "title",
    [
        "Correction : le nombre d’évacués",
        "Correction",
        "Rectificatif",
        "RECTIFICATIF. Les horaires de la piscine",
        "[Erratum] Le score de la finale",
        "Errata – édition du 4 mars",
        "Rectificatif à notre article sur la halle",
        "Halle de Lérac : rectificatif",
        "Le marché aux truffes (erratum)",
    ],
)
def test_a_title_is_a_label(title: str) -> None:
    assert is_correction(title, "", NEWS)


def test_a_section_is_a_label() -> None:
    assert is_correction("Les horaires de la piscine", "Rectificatifs", NEWS)


@pytest.mark.parametrize(
    "text",
    [
        "Correction. Nous avions écrit dimanche que 340 habitants avaient été évacués.",
        "Erratum\n\nLe maire de Lérac s’appelle Jean Faure.",
        "Contrairement à ce que nous avons écrit, le maire était présent.",
        "Contrairement à ce qu’indiquait notre édition de mardi, la piscine ouvre à 9 heures.",
        "Contrairement à ce qui a été publié dans nos colonnes, Mme Roy n’est pas candidate.",
        "Contrairement à ce que nous écrivions hier, le vote a lieu jeudi.",
        "Une erreur s’est glissée dans notre article sur la halle : elle date de 1867.",
        "Une regrettable coquille s’est glissée, hier, en page 12 de notre édition.",
        "Nous avons indiqué par erreur que la route était rouverte.",
        "Nous avons à tort attribué ces propos au préfet.",
        "C’est par erreur que nous avons annoncé la mort de M. Vidal.",
        "Dans notre édition de samedi, la photo a été attribuée à tort à Paul Imbert.",
        "Notre carte des bureaux de vote comportait une erreur.",
        "Une première version de cet article mentionnait 40 blessés. Ils sont quatre.",
        "Dans notre article du 3 mai, il fallait lire 1 200 euros.",
        "Nous avons commis une erreur dans le portrait de Maud Estève.",
    ],
)
def test_the_first_words_are_those_of_the_newsroom(text: str) -> None:
    assert is_correction("La crue de l’Orvelle", "Faits divers", text)


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("La correction boursière inquiète les épargnants", NEWS),
        ("CAC 40 : correction", "La correction boursière a effacé les gains de janvier."),
        ("La correction des copies du bac a commencé", NEWS),
        ("Bac", "La correction des copies du bac se fera en ligne."),
        ("Une ancienne maison de correction devient un musée", NEWS),
        ("Le musée", "La maison de correction a fermé en 1937."),
        ("Correction sévère pour le RC Lérac", "Une correction : 6-0, et encore."),
        ("Droit de réponse", "Contrairement à ce que vous avez écrit, je n’ai pas démissionné."),
        ("La piscine ferme", "Nous avons annoncé hier la fermeture de la piscine."),
        ("La piscine ferme", "Comme nous l’avons écrit mardi, la piscine ferme lundi."),
        ("Budget rectificatif : le vote repoussé", NEWS),
        ("Un budget rectificatif", "Le rectificatif du budget a été voté lundi."),
        ("Le recensement", "Une erreur s’est glissée dans le bulletin de vote de M. Roy."),
        ("Deux ans d’enquête", "Notre enquête sur les erreurs de la mairie a fait réagir."),
        ("Le préfet", "« Nous avons indiqué par erreur une autre date », a dit le préfet."),
        ("Le maire", "Contrairement à ce que dit le préfet, la digue tient, assure le maire."),
        ("Arrêté à tort", "Il a été condamné à tort, et publié son récit chez un petit éditeur."),
        ("Tribune", "Nous avons cru à tort que le fleuve nous épargnerait."),
        ("Une faute", "Le correcteur a lu le texte, et le rectifie."),
        ("", ""),
    ],
)
def test_other_articles_are_no_corrections(title: str, text: str) -> None:
    assert not is_correction(title, "", text)


def test_what_comes_later_makes_no_correction() -> None:
    later = f"{NEWS} {NEWS} Nous avons indiqué par erreur une autre date en mars."
    assert not is_correction("Le budget de la piscine", "", later)


@pytest.mark.parametrize(
    ("sentence", "stands"),
    [
        ("Nous avions écrit dimanche que 340 habitants étaient partis.", ""),
        ("Notre article indiquait 340 évacués.", ""),
        ("Une première version de cet article mentionnait 40 blessés.", ""),
        ("312 personnes, et non 340, ont été évacuées.", "312 personnes ont été évacuées."),
        ("Il faut lire 1,2 million d’euros au lieu de 2,1.", "Il faut lire 1,2 million d’euros."),
        ("Au lieu de 340, il fallait lire 312.", "il fallait lire 312."),
        ("Contrairement à ce que nous avons écrit, M. Roy était là.", "M. Roy était là."),
        ("Ils sont 312, contrairement à ce que nous écrivions.", "Ils sont 312."),
        (
            "Ils sont 312 comme nous aurions dû l’écrire.",
            "Ils sont 312 comme nous aurions dû l’écrire.",
        ),
        (
            "« Nous avons annoncé la date », dit le maire.",
            "« Nous avons annoncé la date », dit le maire.",
        ),
        ("La préfecture a établi le nombre à 312.", "La préfecture a établi le nombre à 312."),
    ],
)
def test_what_a_correction_takes_back_does_not_stand(sentence: str, stands: str) -> None:
    assert valid_part(sentence) == stands


@given(st.text(max_size=80))
def test_what_stands_is_made_of_the_sentence(sentence: str) -> None:
    left = iter(sentence)
    assert all(char in left for char in valid_part(sentence))


FRONT = "---\ntitle: {}\nsource: Le Test\ndate: {}\n---\n{}\n"


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> LocalAssistant:
    """An assistant over a figure, its correction, and an article about corrections."""
    folder = tmp_path_factory.mktemp("corrections")
    texts = {
        "crue.md": FRONT.format(
            "Crue à Lérac",
            "2024-01-14",
            "340 habitants de Lérac ont été évacués dimanche, a constaté la préfecture.",
        ),
        "rectificatif.md": FRONT.format(
            '"Crue à Lérac : rectificatif"',
            "2024-01-17",
            "312 habitants de Lérac, et non 340, ont été évacués dimanche.\n\n"
            "Nous avions écrit que 340 habitants de Lérac avaient été évacués.",
        ),
        "bourse.md": FRONT.format(
            "La correction boursière",
            "2024-01-20",
            "La correction boursière a coûté 340 millions d’euros aux épargnants de Lérac.",
        ),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    assistant = LocalAssistant(load_settings(index_dir=folder / "index"))
    assistant.ingest(read_files(find_files([folder])[0]))
    return assistant


def test_the_index_knows_corrections_after_it_is_opened_again(reading: LocalAssistant) -> None:
    store = Store(connect(reading.settings), reading.index.embedder.name)
    known = {r.source.title: r.source.correction for r in store.records()}
    assert known == {
        "Crue à Lérac": False,
        "Crue à Lérac : rectificatif": True,
        "La correction boursière": False,
    }
    (corrected,) = [h for h in reading.search("habitants évacués", 5) if h.source.correction]
    assert SourceOut.of(corrected.source).correction is True


def test_an_index_of_before_has_no_corrections() -> None:
    metadata = record_fields(ArticleRecord("a", "v", Source("T"), 1, 1))
    del metadata["correction"]
    assert record_of("a", metadata).source == Source("T")


def test_a_correction_settles_a_claim_and_its_recalled_figure_supports_none(
    reading: LocalAssistant,
) -> None:
    (wrong,) = reading.verify("340 habitants de Lérac ont été évacués.").claims
    assert wrong.verdict is Label.CONTRADICTED
    assert "correction du 17 janvier 2024" in wrong.reason
    (right,) = reading.verify("312 habitants de Lérac ont été évacués.").claims
    assert right.verdict is Label.SUPPORTED
    for evidence in (*wrong.evidence, *right.evidence):
        assert "Nous avions écrit" not in evidence.citation.quote


def test_what_a_correction_takes_back_answers_nothing(reading: LocalAssistant) -> None:
    answer = reading.ask("Combien d’habitants de Lérac ont été évacués ?")
    quotes = [c.quote for s in answer.statements for c in s.citations]
    assert "312" in quotes[0]
    assert not any("Nous avions écrit" in quote for quote in quotes)
    # The first article says 340, which the correction takes back; 340 million is another matter.
    assert all(quote.startswith("312") for quote in quotes)
    cost = reading.ask("Combien la correction boursière a-t-elle coûté aux épargnants ?")
    assert "340 millions" in cost.statements[0].text


def test_a_correction_stands_before_a_figure_that_it_does_not_name(tmp_path: Path) -> None:
    assistant = LocalAssistant(load_settings(index_dir=tmp_path / "index"))
    published = {
        "rumeur": (
            "Orage sur le camping de Vellac", "2024-07-08",
            "Quelque 450 vacanciers ont été relogés dans la nuit à Vellac après l'orage, selon les "
            "pompiers. Douze caravanes ont été détruites par la chute d'un peuplier.",
        ),
        "rectificatif": (
            "Orage de Vellac : le nombre de relogés corrigé", "2024-07-10",
            "Rectificatif. Nous avions écrit lundi que 520 vacanciers de Vellac avaient été relogés. "
            "Après vérification des registres, le nombre s'établit à 390 vacanciers relogés.",
        ),
    }  # fmt: skip
    assistant.ingest(
        Reading(
            tuple(
                Article(
                    key,
                    Source(
                        title,
                        "Le Rivage",
                        published=date.fromisoformat(day),
                        correction=is_correction(title, "", text),
                    ),
                    text,
                )
                for key, (title, day, text) in published.items()
            )
        )
    )
    told = assistant.ask("Combien de vacanciers ont été relogés à Vellac ?").statements
    assert [next(n for n in ("390", "450") if n in s.text) for s in told] == ["390", "450"]
    # What it does not correct is answered as before.
    (caravans,) = assistant.ask(
        "Combien de caravanes l’orage de Vellac a-t-il détruites ?"
    ).statements
    assert caravans.text.startswith("Douze caravanes")
    assistant.close()


@pytest.mark.parametrize(
    ("told", "figures"),
    [
        (["312, et non 340, ont été évacués."], {"340"}),
        (["Il y a 312 évacués.", "Nous avions écrit qu’il y en avait 340."], {"340"}),
        (["Nous avions écrit qu’il y en avait 340.", "Ils sont bien 340."], set()),
        (["La taxe passe de 3 à 5 %."], set()),
    ],
)
def test_figures_taken_back(told: list[str], figures: set[str]) -> None:
    assert retracted_figures(" ".join(told), told) == figures


def test_an_article_that_is_opened_tells_of_its_correction(assistant: LocalAssistant) -> None:
    """Of its own paper, on the same matter, published since; no other."""
    ids = {r.source.url.rpartition("/")[2]: r.id for r in assistant.index.records()}
    wrong = ids["crue-saint-cyprin"]
    assert [r.id for r in assistant.corrections(wrong)] == [ids["crue-correction"]]
    page = opened_article(assistant, wrong)
    assert texts.CORRECTED_SINCE in page
    assert "le nombre d’évacués corrigé à 312" in page
    for other in set(ids.values()) - {wrong}:
        assert assistant.corrections(other) == []
    assert texts.CORRECTED_SINCE not in opened_article(assistant, ids["crue-correction"])
