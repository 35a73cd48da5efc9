"""The command line, in-process for speed and in a process of its own where it matters."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rag import messages
from rag.cli.main import app
from rag.french.typography import typographic
from tests.conftest import ROOT, run_python

SENTENCE = "Le pont de Lérac est fermé depuis lundi, selon l’adjoint à la voirie, Paul Imbert."


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECOUPE_INDEX_DIR", str(tmp_path / "index"))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments), prog_name="recoupe")

    return invoke


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    head = "Titre : Le pont fermé\nSource : L'Écho\nDate : 2024-03-01\nURL : https://e.example/pont"
    (folder / "pont.txt").write_text(f"{head}\n\n{SENTENCE}\n", "utf-8")
    return folder


COMMANDS = "ingest watch sources ask verify search list show history edit remove export import backup reindex compact serve doctor eval widget mcp token feedback site".split()


@pytest.mark.parametrize("command", [[], *[[c] for c in COMMANDS]])
def test_help_is_complete_and_french(run, command: list[str]) -> None:  # type: ignore[no-untyped-def]
    text = run(*command, "--help").output
    assert text.startswith("Utilisation\u00a0: recoupe")
    assert "\nOptions\u00a0:\n" in text
    assert "Afficher cette aide." in text
    for english in ("Usage", "Show", "Commands", "Error"):
        assert english not in text


def test_every_command_is_listed_with_what_it_does(run) -> None:  # type: ignore[no-untyped-def]
    text = run("--help").output
    assert all(f"\n  {name} " in text for name in COMMANDS)


@pytest.mark.parametrize(
    "arguments", [["ask"], ["inconnue"], ["ask", "x", "--non"], ["search", "x", "--limit", "0"]]
)
def test_misuse_is_explained_in_french(run, arguments: list[str]) -> None:  # type: ignore[no-untyped-def]
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Erreur\u00a0: " in result.output
    for english in ("No such", "Missing", "Invalid", "Usage", "Try"):
        assert english not in result.output


def test_the_compiled_french_is_the_source() -> None:
    from babel.messages.mofile import read_mo
    from babel.messages.pofile import read_po

    folder = ROOT / "rag" / "cli" / "locale" / "fr" / "LC_MESSAGES"
    with (folder / "messages.po").open("rb") as po, (folder / "messages.mo").open("rb") as mo:
        source = {str(tuple(m.id)): tuple(m.string) for m in read_po(po) if m.id}
        compiled = {str(tuple(m.id)): tuple(m.string) for m in read_mo(mo) if m.id}
    assert compiled == source


def test_from_ingest_to_remove(run, articles: Path) -> None:  # type: ignore[no-untyped-def]
    result = run("ingest", str(articles))
    assert result.exit_code == 0
    assert "1 nouveau, 0 mis à jour, 0 inchangé, 0 retiré, 0 en échec" in result.output
    (listed,) = json.loads(run("list", "--json").stdout)
    assert listed["title"] == "Le pont fermé"
    article_id = listed["article_id"]
    assert SENTENCE in run("show", article_id).output
    shown = json.loads(run("show", article_id, "--json").stdout)
    assert shown["text"] == SENTENCE
    found = json.loads(run("search", "pont de Lérac", "--json", "--limit", "1").stdout)
    assert found[0]["text"] == SENTENCE
    assert shown["text"][found[0]["start"] : found[0]["end"]] == found[0]["text"]
    answer = json.loads(run("ask", "Quand le pont de Lérac a-t-il fermé ?", "--json").stdout)
    assert answer["statements"][0]["citations"][0]["quote"] == SENTENCE
    spoken = run("ask", "Quand le pont de Lérac a-t-il fermé ?").output
    assert "Selon L’Écho, 1er mars 2024\u00a0: " + SENTENCE in spoken
    assert "https://e.example/pont" in spoken
    assert run("doctor").exit_code == 0
    removed = run("remove", article_id, "absent")
    assert removed.exit_code == 1
    assert "1 article retiré." in removed.output
    assert typographic(messages.NO_SUCH_ARTICLE.format("absent")) in removed.output
    assert json.loads(run("list", "--json").stdout) == []


def test_filters_take_straight_apostrophes_and_french_dates(run, articles: Path) -> None:  # type: ignore[no-untyped-def]
    run("ingest", str(articles))
    found = run("search", "pont", "--json", "--source", "L'Écho", "--depuis", "1er mars 2024")
    assert len(json.loads(found.stdout)) == 1
    assert json.loads(run("search", "pont", "--json", "--jusqu-au", "2024-02-29").stdout) == []
    bad = run("search", "pont", "--depuis", "bientôt")
    assert bad.exit_code == 1
    assert "--depuis" in bad.output


def test_bad_files_are_named_and_the_others_ingested(run, articles: Path) -> None:  # type: ignore[no-untyped-def]
    (articles / "vide.txt").write_bytes(b"")
    (articles / "image.txt").write_bytes(b"\x00\x01\x02")
    result = run("ingest", str(articles))
    assert result.exit_code == 1
    assert "vide.txt\u00a0: fichier vide" in result.output
    assert "image.txt\u00a0: contenu binaire" in result.output
    assert "1 nouveau" in result.output
    assert "2 en échec" in result.output
    report = json.loads(run("ingest", str(articles), "--json").stdout)
    assert len(report["unchanged"]) == 1
    assert len(report["failed"]) == 2


def test_an_unknown_article_and_a_bad_setting(  # type: ignore[no-untyped-def]
    run, articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("ingest", str(articles))
    result = run("show", "absent")
    assert result.exit_code == 1
    assert "recoupe list" in result.output
    assert "Traceback" not in result.output
    monkeypatch.setenv("RECOUPE_PORT", "abc")
    assert "RECOUPE_PORT" in run("list").output


def test_a_date_or_a_name_that_is_none_is_said_in_a_sentence(run, articles: Path) -> None:  # type: ignore[no-untyped-def]
    run("ingest", str(articles))
    for arguments, told in (
        (("list", "--depuis", "2012-13-45"), "ne se lit pas"),
        (("list", "--depuis", "2024-02-01", "--jusqu-au", "2024-01-01"), "échangez-les"),
        (("ask", "Le pont ?", "--rubrique", "sports"), "recoupe list"),
        (("verify", "absent.txt"), "n’existe pas"),
    ):
        result = run(*arguments)
        assert result.exit_code == 1
        assert told in result.output
        assert result.output.startswith("Erreur")


def test_doctor_repairs(run, articles: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run("ingest", str(articles))
    state = json.loads(run("doctor", "--json", "--repair").stdout)
    assert state["problems"] == []
    assert state["articles"] == 1
    assert state["libraries"]["chromadb"]


def test_scripts_and_module_run_from_a_shell_without_bars(tmp_path: Path, articles: Path) -> None:
    shell = partial(run_python, tmp_path, tmp_path / "index")

    ingest = shell(str(ROOT / "ingest.py"), str(articles))
    assert ingest.returncode == 0
    assert ingest.stderr == ""
    assert shell(str(ROOT / "ingest.py"), "--if-empty", "rien").stdout == ""
    missing = shell(str(ROOT / "ingest.py"))
    assert missing.returncode == 1
    assert "donnez un fichier, un dossier ou une adresse" in missing.stderr
    helped = shell(str(ROOT / "app.py"), "-h")
    assert "http://127.0.0.1:7860" in helped.stdout


def test_compact_says_what_it_did(run, articles: Path) -> None:  # type: ignore[no-untyped-def]
    run("ingest", str(articles))
    result = run("compact")
    assert result.output.strip() == "L’index a été compacté."
    assert json.loads(run("compact", "--json").output) == {"compacted": True}
    assert "Le pont fermé" in run("list").output
    assert run("doctor").exit_code == 0


def test_a_pipe_to_verify_is_said_and_not_waited_for(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    os.mkfifo(tmp_path / "texte.txt")
    result = run("verify", str(tmp_path / "texte.txt"))
    assert result.exit_code == 1
    assert "ne peut pas être lu" in result.stderr
