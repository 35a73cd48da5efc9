"""Copies of a text: found at ingestion, one source where sources are counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.assistant import LocalAssistant
from rag.domain import Article, IngestReport, Reading, Source
from rag.indexing.copies import Signature, signature
from rag.readers import find_files, read_files
from rag.settings import load_settings
from rag.web.render import article_html

WIRE = (
    "Le bac de Lérins a repris ses traversées mardi matin, après onze jours d’arrêt et une longue "
    "réparation du moteur. La compagnie du littoral annonce six départs par jour jusqu’à la fin de "
    "la saison, au même tarif que l’an dernier. Les élus de Lérins demandent un second bac, que la "
    "région refuse de payer seule. Une réunion est prévue jeudi à la préfecture avec les riverains, "
    "les commerçants du port et les représentants de la compagnie, qui promet une réponse écrite."
)
EDITED = "LÉRINS (Agence) – " + WIRE.replace("La compagnie du littoral", "La compagnie").replace(
    "longue réparation", "réparation"
)
UPDATE = WIRE.replace("six départs", "huit départs")
OTHER = (
    "À Sarrelle, la digue a tenu pendant la tempête de jeudi soir, malgré des vagues de quatre mètres. "
    "Les pompiers sont intervenus douze fois, surtout pour des arbres tombés sur la route du phare."
)


def article(key: str, text: str, name: str, day: int = 7) -> Article:
    return Article(key, Source(f"Titre {key}", name, published=date(2024, 5, day)), text)


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[LocalAssistant]:
    made = LocalAssistant(load_settings(index_dir=tmp_path))
    made.ingest(
        Reading((
            article("agence", WIRE, "Agence du Littoral"), article("rivage", EDITED, "Le Rivage", 8),
            article("suite", UPDATE, "Le Quai", 9), article("digue", OTHER, "Le Quai"),
        ))
    )  # fmt: skip
    yield made
    made.close()


def copies(assistant: LocalAssistant, key: str) -> list[str]:
    return [r.id for r in assistant.copies(key)]


def test_a_wire_lightly_edited_is_a_copy_and_an_update_is_none(assistant: LocalAssistant) -> None:
    assert copies(assistant, "agence") == ["rivage"]
    assert copies(assistant, "rivage") == ["agence"]
    assert copies(assistant, "suite") == copies(assistant, "digue") == []


def test_copies_follow_what_changes_and_goes(assistant: LocalAssistant) -> None:
    assistant.ingest(Reading((article("agence", OTHER + " Tout est rentré dans l’ordre.", "A"),)))
    assert copies(assistant, "rivage") == []
    assert copies(assistant, "agence") == ["digue"]
    assistant.ingest(Reading((article("encore", WIRE, "Le Phare", 10),)))
    assert copies(assistant, "encore") == ["rivage"]
    assistant.ingest(Reading((article("rivage", WIRE[::-1].replace(" ", " x"), "Le Rivage"),)))
    assert copies(assistant, "encore") == copies(assistant, "rivage") == []
    assistant.ingest(Reading((article("rivage", WIRE, "Le Rivage"),)))
    assert copies(assistant, "encore") == ["rivage"]
    assistant.remove(["rivage"])
    assert copies(assistant, "encore") == []


def test_they_are_found_again_when_the_catalogue_is_lost(assistant: LocalAssistant) -> None:
    settings = assistant.settings
    assistant.close()
    for file in settings.index_dir.glob("catalogue.sqlite3*"):
        file.unlink()
    again = LocalAssistant(settings)
    assert copies(again, "agence") == ["rivage"]
    again.close()


def test_what_two_papers_print_of_one_wire_is_one_source(assistant: LocalAssistant) -> None:
    checked = assistant.verify("Le bac de Lérins a repris ses traversées mardi.").claims[0]
    used = {e.citation.source.name for e in checked.evidence}
    assert used & {"Agence du Littoral", "Le Rivage"}
    groups = {e.group for e in checked.evidence if e.citation.article_id in {"agence", "rivage"}}
    assert len(groups) == 1
    assert checked.sources <= 2, "the wire, and the update"


def test_the_panel_names_who_printed_it_too(assistant: LocalAssistant) -> None:
    html = article_html(assistant.article("agence"), copies=assistant.copies("agence"))
    assert "Même texte" in html
    assert "Le Rivage" in html


def test_a_file_that_moves_is_the_same_article(tmp_path: Path) -> None:
    folder = tmp_path / "presse"
    (folder / "mai").mkdir(parents=True)
    (folder / "bac.txt").write_text(f"Titre : Le bac\n\n{WIRE}\n", "utf-8")
    (folder / "copie.txt").write_text(f"Titre : Le bac\n\n{WIRE}\n", "utf-8")
    (folder / "digue.txt").write_text(f"Titre : La digue\n\n{OTHER}\n", "utf-8")
    made = LocalAssistant(load_settings(index_dir=tmp_path / "index"))

    def ingest() -> IngestReport:
        return made.ingest(read_files(find_files([folder])[0]), [str(folder.resolve())])

    ids = set(ingest().new)
    made.edit(next(i for i in ids if i.startswith("digue")), {"author": "Inès Caron"})
    ingest()
    (folder / "bac.txt").rename(folder / "mai" / "le-bac-du-mardi.txt")
    (folder / "digue.txt").rename(folder / "la-digue.txt")
    report = ingest()
    assert (report.new, report.updated, report.removed, report.failed) == ((), (), (), ())
    assert set(report.unchanged) == ids
    records = {r.id: r for r in made.index.records()}
    assert {Path(r.path).name for r in records.values()} == {
        "le-bac-du-mardi.txt", "copie.txt", "la-digue.txt",
    }  # fmt: skip
    assert any(r.source.author == "Inès Caron" for r in records.values())
    # It changes where it is now.
    (folder / "la-digue.txt").write_text(f"Titre : La digue\n\n{OTHER} Et voilà.\n", "utf-8")
    report = ingest()
    assert (len(report.new), len(report.updated), len(report.removed)) == (0, 1, 0)
    # A file that is still there keeps its own article.
    (folder / "encore.txt").write_text(f"Titre : Le bac\n\n{WIRE}\n", "utf-8")
    assert len(ingest().new) == 1
    made.close()


def test_a_short_text_is_nobody_s_copy() -> None:
    assert signature("Le conseil est reporté.") is None


@given(st.lists(st.sampled_from(WIRE.split()), min_size=25, max_size=60))
def test_a_text_is_its_own_copy_and_signatures_are_stable(words: list[str]) -> None:
    text = " ".join(words)
    one, other = signature(text), signature(text)
    if one is None or other is None:
        assert one is other
        return
    assert one == other
    assert one.alike(other)
    assert set(one.bands()) == set(Signature(one.hashes, "").bands())
