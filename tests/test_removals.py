"""What was removed on purpose stays so, whatever brings it, until somebody says otherwise."""

from __future__ import annotations

import gzip
import json
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from rag.assistant import LocalAssistant
from rag.cli.main import app
from rag.domain import Article, Reading, Source
from rag.indexing.erasure import remaining, unreadable
from rag.indexing.removals import Removals
from rag.readers import find_files, read_files
from rag.settings import load_settings
from rag.web.access import new_token
from tests.test_api import serving

TEXT = (
    "Monsieur Aurélien Tardivel a été entendu mardi par le juge de Sarrelle, a dit son avocate. "
    "Il conteste avoir vendu les terrains de la commune à la société qu’il dirigeait alors. "
    "Le parquet a ouvert une information judiciaire à la suite d’une plainte du conseil municipal."
)
OTHER = (
    "Le bac de Lérins a repris ses traversées mardi matin, après onze jours d’arrêt. La compagnie "
    "promet un second moteur avant la fin de l’été, que la région paiera pour moitié seulement."
)


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[LocalAssistant]:
    made = LocalAssistant(load_settings(index_dir=tmp_path / "index"))
    yield made
    made.close()


def article(key: str, text: str = TEXT, **source: str) -> Article:
    return Article(key, Source("Le procès", "Le Rivage", **source), text)  # type: ignore[arg-type]


def ids(assistant: LocalAssistant) -> list[str]:
    return [r.id for r in assistant.page(limit=200).records]


@pytest.mark.parametrize(
    "again",
    [
        article("proces"),
        article("proces", OTHER),  # the same article, rewritten
        article("ailleurs"),  # the same text elsewhere
        article("ailleurs", TEXT.replace("mardi", "hier").replace("à la suite d’une", "après une")),
        article("autre", OTHER, url="https://rivage.example/proces"),  # the same address
        replace(article("ailleurs"), path="/archive/vieux.jsonl#3"),
    ],
    ids=["id", "rewritten", "text", "edited text", "address", "path"],
)
def test_what_was_removed_comes_back_by_no_way(assistant: LocalAssistant, again: Article) -> None:
    assistant.ingest(Reading((article("proces", url="https://rivage.example/proces"),)))
    assert assistant.remove(["proces"]) == ["proces"]
    report = assistant.ingest(Reading((again, article("bac", OTHER + " Fin."))))
    assert report.new == ("bac",)
    assert len(report.barred) == 1
    assert ids(assistant) == ["bac"]
    # Until somebody says so; then it is an article like another.
    assert assistant.ingest(Reading((again,)), readmit=True).new == (again.id,)
    assert assistant.ingest(Reading((again,))).unchanged == (again.id,)


def test_another_article_is_no_removed_one(assistant: LocalAssistant) -> None:
    """A bulletin with other figures is the next day's, not the one that was removed."""
    bulletin = "La Lôre est montée à 312 centimètres à Saint-Cyprin lundi matin. " * 2 + OTHER
    assistant.ingest(Reading((article("lundi", bulletin),)))
    assistant.remove(["lundi"])
    report = assistant.ingest(Reading((article("mardi", bulletin.replace("312", "298")),)))
    assert (report.new, report.barred) == (("mardi",), ())


def test_a_story_of_other_names_is_no_removed_one(assistant: LocalAssistant) -> None:
    story = (
        "Le moulin de {} a brûlé dans la nuit du 2 au 3 mai, et douze pompiers ont sauvé la grange "
        "voisine, où dormaient trente brebis et leurs agneaux."
    )
    assistant.ingest(Reading((article("un", story.format("Zéphyrin")),)))
    assistant.remove(["un"])
    report = assistant.ingest(Reading((article("deux", story.format("Quillebourg")),)))
    assert report.new == ("deux",)


def test_its_sentences_alone_do_not_come_back(assistant: LocalAssistant) -> None:
    """A brief cut out of a removed article is that article; one that quotes a line of it is not."""
    assistant.ingest(Reading((article("proces"),)))
    assistant.remove(["proces"])
    brief = TEXT.split(". ", maxsplit=1)[0] + "."
    assert assistant.ingest(Reading((article("breve", brief),))).barred
    review = f"{OTHER} {TEXT.split('. ')[1]}."
    assert assistant.ingest(Reading((article("revue", review),))).new == ("revue",)
    assert assistant.ingest(Reading((article("breve", brief),)), readmit=True).new == ("breve",)


def test_short_texts_are_told_by_their_digest(assistant: LocalAssistant) -> None:
    assistant.ingest(Reading((article("a", "Le conseil est reporté."),)))
    assistant.remove(["a"])
    report = assistant.ingest(
        Reading((article("b", "Le conseil est reporté."), article("c", "Le conseil est annulé.")))
    )
    assert (report.new, len(report.barred)) == (("c",), 1)


def test_after_a_proof_too_and_after_a_restart(tmp_path: Path) -> None:
    settings = load_settings(index_dir=tmp_path / "index")
    first = LocalAssistant(settings)
    first.ingest(Reading((article("proces"), article("bac", OTHER))))
    assert first.erase(["proces"]).proven
    first.close()
    again = LocalAssistant(settings)
    assert again.ingest(Reading((article("ailleurs"),))).barred
    # Its own file says nothing of the text.
    assert not list(remaining(sorted((tmp_path / "index").glob("*.sqlite3")), ["Tardivel"]))
    again.close()


def test_by_file_archive_and_folder(assistant: LocalAssistant, tmp_path: Path) -> None:
    folder = tmp_path / "presse"
    folder.mkdir()
    (folder / "proces.txt").write_text(f"Titre : Le procès\n\n{TEXT}", "utf-8")
    assistant.ingest(read_files(find_files([folder])[0]))
    (key,) = ids(assistant)
    assistant.remove([key])
    rows = [{"titre": "Le procès", "texte": TEXT}, {"titre": "Le bac", "texte": OTHER}]
    (folder / "archive.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        archive.writestr("copie.txt", f"Titre : Le procès, copie\n\n{TEXT}")
    (folder / "moved.md").write_text(f"# Le procès\n\n{TEXT}", "utf-8")
    report = assistant.ingest(read_files(find_files([folder])[0]))
    assert [r.source.title for r in assistant.page().records] == ["Le bac"]
    assert len(report.barred) == 4


def test_by_export_and_import(assistant: LocalAssistant, tmp_path: Path) -> None:
    assistant.ingest(Reading((article("proces"), article("bac", OTHER))))
    assistant.export(str(tmp_path / "export"))
    assistant.remove(["proces"])
    assert assistant.import_from(str(tmp_path / "export")).barred
    assert ids(assistant) == ["bac"]
    assert assistant.import_from(str(tmp_path / "export"), readmit=True).new == ("proces",)


def test_by_the_api(tmp_path: Path) -> None:
    token, digest = new_token()
    made = LocalAssistant(load_settings(index_dir=tmp_path / "index", admin_token_hash=digest))
    body = {"title": "Le procès", "text": TEXT}
    with (
        serving(made) as url,
        httpx.Client(
            base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=60
        ) as client,
    ):
        assert client.put("/articles/proces", json=body).json()["status"] == "new"
        assert client.delete("/articles/proces").status_code == 204
        for key in ("proces", "autre"):
            refused = client.put(f"/articles/{key}", json=body)
            assert refused.status_code == 409
            assert "readmit=true" in refused.json()["detail"]
        assert client.get("/articles/proces").status_code == 404
        back = client.put("/articles/proces?readmit=true", json=body)
        assert back.json()["status"] == "new"
    made.close()


def test_the_command_says_what_stays_and_where_it_still_is(tmp_path: Path) -> None:
    folder, index = tmp_path / "presse", str(tmp_path / "index")
    folder.mkdir()
    file = folder / "proces.txt"
    file.write_text(f"Titre : Le procès\n\n{TEXT}", "utf-8")

    def run(*command: str) -> str:
        done = CliRunner().invoke(app, [*command, "--index", index])
        assert done.exit_code == 0, done.output
        return done.output

    run("ingest", str(folder))
    (listed,) = json.loads(run("list", "--json"))
    told = run("remove", listed["article_id"], "--proof", str(tmp_path / "p.json"))
    assert str(file) in told
    assert "--reprendre" in told
    proof = json.loads((tmp_path / "p.json").read_text("utf-8"))
    assert proof["outside"] == [str(file)]
    assert proof["proven"]
    told = run("ingest", str(folder))
    assert "0 nouveau" in told
    assert "1 reste retiré" in told
    assert "Le procès" in told
    assert str(file) in told
    assert "1 nouveau" in run("ingest", "--reprendre", str(folder))
    assert "1 inchangé" in run("ingest", str(folder))


def test_a_copy_that_was_not_removed_lives_on(assistant: LocalAssistant) -> None:
    """It prints the same text, and stays what it is: read again, corrected, not told removed."""
    assistant.ingest(Reading((article("proces"), article("reprise"))))
    assistant.remove(["proces"])
    report = assistant.ingest(Reading((article("proces"), article("reprise"))))
    assert report.unchanged == ("reprise",)
    assert len(report.barred) == 1
    changed = TEXT.replace(".", " enfin.", 1)
    assert assistant.ingest(Reading((article("reprise", changed),))).updated == ("reprise",)
    assert assistant.article("reprise").text == changed
    # An article that is not there comes back under no other name.
    assert assistant.ingest(Reading((article("autre"),))).new == ()


def test_a_proof_looks_into_what_is_compressed(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    folder = tmp_path / "files"
    folder.mkdir()
    said = TEXT[:80]
    with closing(sqlite3.connect(folder / "past.sqlite3")) as base:
        base.execute("create table versions (content blob)")
        base.execute("insert into versions values (?)", [zlib.compress(TEXT.encode())])
        base.commit()
    pq.write_table(pa.table({"text": [TEXT, "x"], "n": [1, 2]}), folder / "export.parquet")
    (folder / "a.gz").write_bytes(gzip.compress(TEXT.encode()))
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", TEXT)
    (folder / "nothing.txt").write_text(OTHER, "utf-8")
    files = sorted(folder.iterdir())
    assert {p.name for p, _ in remaining(files, [said])} == {
        "past.sqlite3", "export.parquet", "a.gz", "a.zip",
    }  # fmt: skip
    (folder / "b.parquet").write_bytes(b"PAR1" + b"x" * 40)
    assert [p.name for p in unreadable(sorted(folder.iterdir()))] == ["b.parquet"]


def test_an_export_made_in_the_folder_of_the_index_is_found(assistant: LocalAssistant) -> None:
    pytest.importorskip("pyarrow")
    assistant.ingest(Reading((article("proces"), article("bac", OTHER))))
    assistant.export(str(assistant.settings.index_dir / "export"))
    proof = assistant.erase(["proces"])
    assert not proof.proven
    assert any("export" in name for name, _ in proof.found)


@given(st.text(min_size=1, max_size=300))
def test_any_text_matches_itself_and_says_nothing(text: str) -> None:
    removals = Removals(None)
    stored = article("a", text)
    assert removals.snapshot().match(stored) is None
    from rag.domain import ArticleRecord, Passage, StoredArticle

    passage = Passage("a:v:0", "a", 0, 0, len(text), text)
    removals.add([StoredArticle(ArticleRecord("a", "v", stored.source, 1, len(text)), (passage,))])
    assert removals.snapshot().match(replace(stored, id="b")) == "a"
    removals.readmit(["a"])
    assert not removals.snapshot()
    removals.close()
