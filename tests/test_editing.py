"""A keeper's corrections: shown at once, and kept when the article is ingested again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from rag.assistant import LocalAssistant
from rag.cli.main import app
from rag.domain import WITHHELD, Article, Filters, Reading, Source
from rag.errors import ReadError
from rag.indexing.edits import corrected
from rag.settings import load_settings

TEXT = "Le bac de Lérins a repris ses traversées mardi. La réparation a coûté 84 000 euros."
OTHER = "Le pont de Morvane a été fermé lundi par le préfet. Trois câbles étaient rompus."
MENDED = TEXT + " Un second bac sera loué."


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[LocalAssistant]:
    made = LocalAssistant(load_settings(index_dir=tmp_path))
    source = Source("Le bac", "Le Rivage", published=date(2020, 1, 1), deduced=True)
    made.ingest(Reading((Article("bac", source, TEXT),)))
    yield made
    made.close()


def test_a_correction_holds_when_the_article_changes(assistant: LocalAssistant) -> None:
    edits = {"published": "7 mai 2024", "name": "Le Rivage d'Or", "section": ""}
    record = assistant.edit("bac", edits)
    assert record.source.published == date(2024, 5, 7)
    assert not record.source.deduced
    answer = assistant.ask("Combien a coûté la réparation du bac ?")
    assert "7 mai 2024" in answer.text
    assert assistant.facets().sources == (("Le Rivage d’Or", 1),)
    again = Source("Le bac", "Le Rivage", published=date(2020, 1, 1), deduced=True)
    report = assistant.ingest(Reading((Article("bac", again, MENDED),)))
    assert report.updated == ("bac",)
    stored = assistant.article("bac")
    assert stored.text == MENDED
    assert stored.record.source.published == date(2024, 5, 7)
    assert stored.record.source.name == "Le Rivage d’Or"
    assert assistant.ingest(Reading((Article("bac", again, MENDED),))).unchanged == ("bac",)
    assert not assistant.check()


def test_corrections_are_undone(assistant: LocalAssistant) -> None:
    """The source says again what the article says, also where that has changed since."""
    before = assistant.article("bac").record.source
    assistant.edit("bac", {"title": "Le bac de Lérins", "published": "2024-05-09"})
    assistant.edit("bac", {"title": "Un autre titre"})
    record = assistant.undo_edits("bac", ["title", "published", "url"])
    assert (record.source, record.edits) == (before, ())
    assistant.edit("bac", {"name": "Le Rivage d'Or"})
    renamed = Source("Le bac", "La Côte", published=date(2020, 1, 1), deduced=True)
    assistant.ingest(Reading((Article("bac", renamed, TEXT),)))
    assert assistant.article("bac").record.source.name == "Le Rivage d’Or"
    assert assistant.undo_edits("bac", ["name"]).source == renamed
    assert assistant.ingest(Reading((Article("bac", renamed, TEXT),))).unchanged == ("bac",)
    assert not assistant.check()


def test_what_is_withheld_answers_nothing_whatever_is_read(assistant: LocalAssistant) -> None:
    asked = "Combien a coûté la réparation du bac ?"
    assert not assistant.ask(asked).refused
    record = assistant.edit("bac", {WITHHELD: "2024-06-01"})
    assert record.withheld
    assert record.withdrawn == date(2024, 6, 1)
    assert assistant.ask(asked).refused
    again = Source("Le bac", "Le Rivage", published=date(2020, 1, 1), deduced=True)
    assistant.ingest(Reading((Article("bac", again, MENDED),)))
    assert assistant.article("bac").text == MENDED
    # Its publisher shows it again: that is not what a keeper decided on.
    assert assistant.withdraw({"bac": None}) == []
    assert assistant.ask(asked).refused
    assistant.edit("bac", {WITHHELD: ""})
    assert assistant.article("bac").record.edits == ()
    assert not assistant.ask(asked).refused
    assert not assistant.check()


def test_edits_and_what_they_replaced_travel_in_an_export(
    assistant: LocalAssistant, tmp_path: Path
) -> None:
    before = assistant.article("bac").record.source
    assistant.edit("bac", {"published": "2024-05-09", WITHHELD: "2024-06-01"})
    assistant.export(str(tmp_path / "export"))
    other = LocalAssistant(load_settings(index_dir=tmp_path / "other"))
    other.import_from(str(tmp_path / "export"))
    assert other.article("bac").record.withheld
    assert other.edit("bac", {WITHHELD: ""}).withdrawn is None
    assert other.undo_edits("bac", ["published"]).source == before
    other.close()


def test_what_is_said_of_time_follows_the_date(assistant: LocalAssistant) -> None:
    assistant.edit("bac", {"published": "2024-05-09"})
    in_may = Filters(since=date(2024, 5, 1))
    assert assistant.search("bac", 5, in_may)
    kept = assistant.index.understood(assistant.article("bac").passages)
    periods = [p for k in kept.values() for s in k.sentences for p in s.periods]
    assert any(p.first == date(2024, 5, 7) for p in periods), "« mardi » is the one before"


def test_a_second_correction_keeps_the_first(assistant: LocalAssistant) -> None:
    assistant.edit("bac", {"author": "Inès Caron"})
    record = assistant.edit("bac", {"published": ""})
    assert (record.source.author, record.source.published) == ("Inès Caron", None)
    assert record.corrected == ("author", "published")


@pytest.mark.parametrize(
    ("edits", "why"),
    [({"published": "hier ou presque"}, "ne se lit pas"), ({"url": "javascript:x"}, "adresse"),
     ({"title": " "}, "titre"), ({"paywalled": "1"}, "ne se corrige pas")],
)  # fmt: skip
def test_what_cannot_be_is_refused(
    assistant: LocalAssistant, edits: dict[str, str], why: str
) -> None:
    with pytest.raises(ReadError, match=why):
        assistant.edit("bac", edits)
    assert assistant.article("bac").record.edits == ()


def test_the_command_corrects_and_says_what_it_did(assistant: LocalAssistant) -> None:
    folder = str(assistant.settings.index_dir)
    assistant.close()
    run = CliRunner()
    done = run.invoke(app, ["edit", "bac", "--date", "07/05/2024", "--index", folder])
    assert done.exit_code == 0, done.output
    assert "7 mai 2024" in done.output
    assert "déduite" not in done.output
    nothing = run.invoke(app, ["edit", "bac", "--index", folder])
    assert nothing.exit_code == 1
    assert "Aucune correction" in nothing.output


def test_an_edit_of_nothing_changes_nothing() -> None:
    source = Source("T", "N", published=date(2024, 1, 1), deduced=True)
    assert corrected(source, ()) == source


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder « presse » of an editor who stands above it, with an index of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECOUPE_INDEX_DIR", str(tmp_path / "index"))
    made = tmp_path / "presse"
    made.mkdir()
    return made


def test_a_folder_is_listed_and_corrected_by_name(folder: Path) -> None:
    """What an editor does with files that say little of themselves."""
    day = "La digue de Port-Mahé a cédé mardi. Trente maisons ont été évacuées par les pompiers."
    (folder / "digue.txt").write_text(f"Titre : La digue a cédé\nDate : 2024-03-05\n\n{day}")
    (folder / "digue-2.txt").write_text(f"Titre : La digue, suite\nSource : Le Phare\n\n{MENDED}")

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, list(arguments), prog_name="recoupe")
        return done.output if done.exit_code == 0 else f"!{done.output}"

    def listed(*arguments: str) -> list[str]:
        return sorted(r["title"] for r in json.loads(run("list", "--json", *arguments)))

    run("ingest", "presse", "--source", "L'Estran", "--auteur", "Maud Rio")
    sources = {r["title"]: r["source"] for r in json.loads(run("list", "--json"))}
    assert sources == {"La digue a cédé": "L’Estran", "La digue, suite": "Le Phare"}
    assert listed("--source", "L'Estran") == ["La digue a cédé"]
    assert listed("--auteur", "Maud Rio", "--titre", "suite") == ["La digue, suite"]
    assert listed("--sans-date") == ["La digue, suite"]
    assert listed("--depuis", "2024-03-01") == ["La digue a cédé"]
    assert listed("--retires") == listed("--copies") == []
    # What was given to files that say nothing is the keeper's word, and holds.
    assert listed("--corriges") == ["La digue a cédé", "La digue, suite"]
    run("ingest", "presse")
    assert listed("--source", "l'estran") == ["La digue a cédé"]
    assert "vouliez-vous «\u00a0L’Estran\u00a0»" in run("list", "--source", "L'Estrant")
    run("edit", "La digue a cédé", "La digue, suite", "--annuler")
    assert listed("--corriges") == []
    run("ingest", "presse", "--source", "L'Estran", "--auteur", "Maud Rio")
    assert "Le Phare" in run("edit", "la digue, SUITE", "--rubrique", "Littoral")
    assert "Corrigé à la main : auteur, rubrique" in run("show", "La digue, suite")
    (key,) = (r["article_id"] for r in json.loads(run("list", "--json", "--sans-date")))
    assert MENDED in run("show", key[:-4])
    (folder / "autre.txt").write_text(f"Titre : La digue a cédé\nSource : Le Cap\n\n{MENDED}")
    run("ingest", "presse", "--source", "L'Estran", "--auteur", "Maud Rio")
    assert listed("--copies") == ["La digue a cédé", "La digue, suite"]
    several = run("show", "La digue a cédé")
    assert several.startswith("!Erreur")
    assert "2 articles répondent" in several
    assert run("show", "La digue tient").startswith("!Erreur")


def test_several_are_corrected_withdrawn_and_tried_without_changing(folder: Path) -> None:
    (folder / "bac.txt").write_text(f"Titre : Le bac\nSource : Le Rivage\n\n{TEXT}")
    (folder / "pont.txt").write_text(f"Titre : Le pont\nSource : Le Rivage\n\n{OTHER}")

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(app, list(arguments), prog_name="recoupe")
        assert done.exit_code == 0, done.output
        return done.output

    tried = run("ingest", "presse", "--dry-run")
    assert "nouveau\u00a0: Le Rivage, «\u00a0Le pont\u00a0»" in tried
    assert "2 nouveaux" in tried
    assert not (folder.parent / "index").exists()
    run("ingest", "presse")
    (folder / "pont.txt").write_text(f"Titre : Le pont\nSource : Le Rivage\n\n{OTHER} Puis rien.")
    (folder / "bac.txt").unlink()
    tried = run("ingest", "presse", "--prune", "--dry-run")
    assert "1 mis à jour" in tried
    assert "1 retiré" in tried
    assert "1 inchangé" not in tried
    assert "Puis rien" not in run("show", "Le pont")
    assert "Le bac" in run("list")

    change = "Source\u00a0: «\u00a0Le Rivage\u00a0» → «\u00a0La Côte\u00a0»"
    for dry in (("--dry-run",), ()):
        told = run("edit", "Le bac", "Le pont", "--source", "La Côte", *dry)
        assert told.count(change) == 2
        assert ("Rien n’a été changé" in told) == bool(dry)
    assert {r["source"] for r in json.loads(run("list", "--json"))} == {"La Côte"}
    assert f"Corrigé à la main\u00a0: {change}" in run("history", "Le pont")
    run("edit", "Le bac", "Le pont", "--annuler")
    assert {r["source"] for r in json.loads(run("list", "--json"))} == {"Le Rivage"}

    run("withdraw", "Le bac", "--dry-run")
    assert json.loads(run("list", "--json", "--retires")) == []
    assert "mis en retrait" in run("withdraw", "Le bac")
    assert "mis en retrait" in run("list", "--retires")
    assert "N’est plus cité" in run("show", "Le bac")
    assert "répond de nouveau" in run("withdraw", "Le bac", "--remettre")
    assert json.loads(run("list", "--json", "--retires")) == []
    (key,) = (r["article_id"] for r in json.loads(run("list", "--json", "--titre", "bac")))
    assert "à retirer" in run("remove", key, "--dry-run")
    assert len(json.loads(run("list", "--json"))) == 2
