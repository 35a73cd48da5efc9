"""An index as files and back, and copied while it serves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from rag.assistant import LocalAssistant
from rag.cli.main import app
from rag.domain import Article, Reading, Source, StoredArticle
from rag.errors import StoreError
from rag.feedback import Feedback, FeedbackStore
from rag.indexing.export import ArticleRow, imported
from rag.models.embedding import PassageText
from rag.settings import load_settings
from tests.conftest import over_copy

FERRY = "Le bac de Lérins a repris ses traversées mardi matin, après onze jours d’arrêt."
EXPORTED = ["articles.jsonl", "history.jsonl", "passages.parquet", "export.json"]
MOTOR = "La réparation du moteur a coûté 84 000 euros à la compagnie."


def article(key: str, number: int = 0) -> Article:
    source = Source(
        f"Titre {key} — « l’été »", "Le Rivage", "Inès Caron", date(2024, 5, 7),
        f"https://rivage.example/{key}", "Littoral", modified=date(2024, 5, 9), deduced=number % 2 == 1,
    )  # fmt: skip
    text = f"Le prix\n\n{FERRY.replace('onze', str(number + 12))}\n\nLe moteur\n\n{MOTOR} 🚢"
    headings = ((0, 7), (text.index("Le moteur"), text.index("Le moteur") + 9))
    return Article(key, source, text, headings, f"/presse/{key}.pdf", ((0, "1"), (9, "2-3")))


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of twelve articles, one edited and one withdrawn: copy it."""
    folder = tmp_path_factory.mktemp("twelve")
    made = LocalAssistant(load_settings(index_dir=folder))
    made.ingest(Reading(tuple(article(f"bac-{n}", n) for n in range(12))))
    made.edit("bac-3", {"published": "2023-01-02", "author": "Paul Ory"})
    made.withdraw({"bac-4": date(2024, 6, 1)})
    made.close()
    return folder


@pytest.fixture
def assistant(twelve: Path, tmp_path: Path) -> Iterator[LocalAssistant]:
    made = over_copy(twelve, tmp_path / "index")
    yield made
    made.close()


@pytest.fixture(scope="module")
def sixty(twelve: Path, tmp_path_factory: pytest.TempPathFactory) -> LocalAssistant:
    """An assistant over sixty articles; tests must not change its index."""
    made = over_copy(twelve, tmp_path_factory.mktemp("sixty"))
    made.ingest(Reading(tuple(article(f"bac-{n}", n) for n in range(12, 60))))
    return made


def everything(assistant: LocalAssistant) -> dict[str, StoredArticle]:
    return {r.id: assistant.article(r.id) for r in assistant.index.records()}


def told(stored: StoredArticle) -> tuple[object, ...]:
    record = stored.record
    spans = [(p.start, p.end, p.heading, p.pages) for p in stored.passages]
    return stored.text, record.source, record.path, record.withdrawn, record.edits, spans


def same(one: LocalAssistant, other: LocalAssistant) -> bool:
    mine, theirs = everything(one), everything(other)
    return mine.keys() == theirs.keys() and all(told(mine[i]) == told(theirs[i]) for i in mine)


def test_an_export_comes_back_as_it_was(assistant: LocalAssistant, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    assert assistant.export(str(folder)) == EXPORTED
    index = str(tmp_path / "autre")
    done = CliRunner().invoke(app, ["import", str(folder), "--index", index])
    assert done.exit_code == 0, done.output
    assert "12 nouveaux" in done.output
    other = LocalAssistant(load_settings(index_dir=Path(index)))
    assert same(assistant, other)
    question = "Combien a coûté la réparation du moteur ?"
    assert other.ask(question).text == assistant.ask(question).text
    other.close()
    # Once more changes nothing.
    again = CliRunner().invoke(app, ["import", str(folder), "--index", index, "--json"])
    assert json.loads(again.output)["new"] == []


def test_each_field_of_a_source_is_exported_and_comes_back() -> None:
    values: dict[str, Any] = {"str": "Texte", "bool": True, "date | None": date(2024, 3, 1)}
    told_of = {f.name: values[str(f.type)] for f in fields(Source)}
    source = Source(**told_of | {"url": "https://exemple.fr/a"})
    assert all(getattr(source, f.name) != f.default for f in fields(Source))
    row = ArticleRow(article_id="bac", origin=source, text="Le bac est réparé.")
    flat = json.loads(row.model_dump_json())
    assert flat["source"] == source.name
    assert flat["published"] == "2024-03-01"
    assert ArticleRow.model_validate(flat).article().source == source


def counted(assistant: LocalAssistant, patch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that hears how many texts are embedded."""
    heard: list[int] = []
    embed = assistant.index.embedder.embed_sentences

    def noted(texts: Sequence[PassageText]) -> object:
        heard.append(len(texts))
        return embed(texts)

    patch.setattr(assistant.index.embedder, "embed_sentences", noted)
    return heard


def test_vectors_come_back_as_they_were(
    sixty: LocalAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "export"
    sixty.export(str(folder))
    passages = sixty.facets().passages
    other = LocalAssistant(load_settings(index_dir=tmp_path / "autre"))
    heard = counted(other, monkeypatch)
    assert len(other.import_from(str(folder)).new) == 60
    assert 0 < sum(heard) < passages / 2  # the first are tried, and those of edits made again
    assert other.facets().passages == passages
    assert not other.check()
    kept = [
        {i: [s.vector for s in k.sentences] for i, k in a.index.understood(stored.passages).items()}
        for a in (sixty, other)
        for stored in [a.article("bac-50")]
    ]
    assert list(kept[0].values()) == list(kept[1].values())
    assert all(all(vectors) for vectors in kept[0].values())
    other.close()


def test_vectors_that_are_not_the_models_are_made_again(
    sixty: LocalAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "export"
    sixty.export(str(folder))
    table = pq.read_table(folder / "passages.parquet")
    turned = pa.array([v[1:] + v[:1] for v in table["vector"].to_pylist()], pa.list_(pa.float32()))
    at = table.schema.get_field_index("vector")
    pq.write_table(table.set_column(at, "vector", turned), folder / "passages.parquet")
    other = LocalAssistant(load_settings(index_dir=tmp_path / "autre"))
    heard = counted(other, monkeypatch)
    other.import_from(str(folder))
    assert sum(heard) >= other.facets().passages
    assert same(sixty, other)
    other.close()
    for content in (b"", b"not a table"):
        (folder / "passages.parquet").write_bytes(content)
        again = LocalAssistant(load_settings(index_dir=tmp_path / f"encore{len(content)}"))
        assert len(again.import_from(str(folder)).new) == 60
        again.close()


@pytest.mark.parametrize("how", ["bytes", "no vectors", "words", "short", "nulls"])
def test_a_damaged_table_costs_vectors_alone(
    sixty: LocalAssistant, tmp_path: Path, how: str
) -> None:
    folder = tmp_path / "export"
    sixty.export(str(folder))
    file = folder / "passages.parquet"
    table = pq.read_table(file)
    rows = table.num_rows
    if how == "bytes":
        data = bytearray(file.read_bytes())
        data[len(data) // 4 : len(data) // 2] = b"\x55" * (len(data) // 2 - len(data) // 4)
        file.write_bytes(data)
    elif how == "no vectors":
        pq.write_table(table.drop_columns(["vector"]), file)
    else:
        name, column = {
            "words": ("vector", pa.array([["a"]] * rows)),
            "short": ("sentences", pa.array([[b"zz"]] * rows, pa.list_(pa.binary()))),
            "nulls": ("sentences", pa.array([[None]] * rows, pa.list_(pa.binary()))),
        }[how]
        pq.write_table(table.set_column(table.schema.get_field_index(name), name, column), file)
    other = LocalAssistant(load_settings(index_dir=tmp_path / "autre"))
    assert len(other.import_from(str(folder)).new) == 60
    assert other.check() == []
    assert other.ask("Combien a coûté la réparation du moteur ?").text
    other.close()


def test_what_was_withdrawn_never_answers_from_an_import(
    assistant: LocalAssistant, tmp_path: Path
) -> None:
    """Nor where the import is killed once the articles are written."""
    folder = tmp_path / "export"
    assistant.export(str(folder))
    other = LocalAssistant(load_settings(index_dir=tmp_path / "autre"))
    other.ingest(imported(folder))
    assert other.answerable(["bac-4", "bac-5"]) == {"bac-4": False, "bac-5": True}
    assert other.article("bac-3").record.source.author == "Paul Ory"
    # And once more changes nothing.
    assert len(other.ingest(imported(folder)).unchanged) == 12
    other.close()


def test_a_line_that_is_refused_says_nothing_of_the_first(tmp_path: Path) -> None:
    rows = [
        {"article_id": "p", "title": "Le bac", "text": FERRY},
        {"article_id": "p", "title": "Autre", "text": MOTOR, "withdrawn": "2024-01-01",
         "edits": {"title": "Titre du doublon"}},
        {"article_id": "q", "title": "Pages", "text": MOTOR, "pages": [[0, "A b"]]},
    ]  # fmt: skip
    (tmp_path / "articles.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    (tmp_path / "history.jsonl").mkdir()
    made = LocalAssistant(load_settings(index_dir=tmp_path / "index"))
    report = made.import_from(str(tmp_path))
    assert len(report.failed) == 3
    assert made.article("p").record.source.title == "Le bac"
    assert made.answerable(["p", "q"]) == {"p": True}
    assert made.check() == []
    made.close()


def test_an_export_that_fails_leaves_the_one_before(
    assistant: LocalAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "export"
    assistant.export(str(folder))
    before = {f.name: f.read_bytes() for f in folder.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(assistant.index, "whole", lambda _records: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            assistant.export(str(folder))
    assert {f.name: f.read_bytes() for f in folder.iterdir()} == before
    # What an empty index exports has no vectors, of before either.
    empty = LocalAssistant(load_settings(index_dir=tmp_path / "vide"))
    assert empty.export(str(folder)) == [f for f in EXPORTED if "parquet" not in f]
    assert not (folder / "passages.parquet").exists()
    empty.close()


def test_a_backup_is_not_inside_the_index(assistant: LocalAssistant, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="dans le dossier de l’index"):
        assistant.backup(str(assistant.settings.index_dir / "index-9"))
    mine = tmp_path / "copie.partiel"
    mine.mkdir()
    assistant.backup(str(tmp_path / "copie"))
    assert mine.exists()


def test_the_past_comes_back(assistant: LocalAssistant, tmp_path: Path) -> None:
    assistant.ingest(Reading((replace(article("bac-1", 1), text="Le bac est vendu."),)))
    folder = tmp_path / "export"
    assistant.export(str(folder))
    with (folder / "history.jsonl").open("a", encoding="utf-8") as lines:
        lines.write('{"article_id": "bac-1"}\n')
        lines.write((folder / "history.jsonl").read_text("utf-8").replace("bac-1", "absent"))
    other = LocalAssistant(load_settings(index_dir=tmp_path / "autre"))
    report = other.import_from(str(folder))
    assert [f.name.rpartition("#")[2] for f in report.failed] == ["2"]
    assert other.history("bac-1") == assistant.history("bac-1")
    assert len(other.history("bac-1")) == 1
    assert not other.check()
    other.close()


def test_the_table_holds_each_passage_with_its_vector(
    assistant: LocalAssistant, tmp_path: Path
) -> None:
    assistant.export(str(tmp_path / "export"))
    rows = pq.read_table(tmp_path / "export" / "passages.parquet").to_pylist()
    stored = everything(assistant)
    assert len(rows) == sum(len(a.passages) for a in stored.values())
    for row in rows:
        assert stored[row["article_id"]].text[row["start"] : row["end"]] == row["text"]
        assert sum(v * v for v in row["vector"]) == pytest.approx(1, abs=1e-3)


def test_a_bad_line_is_one_failure(assistant: LocalAssistant, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    assistant.export(str(folder))
    lines = (folder / "articles.jsonl").read_bytes().split(b"\n")
    bad = [b"{", b'{"article_id": 3}', b"\xff", b'{"article_id": "x", "title": "", "text": " "}']
    (folder / "articles.jsonl").write_bytes(b"\n".join(bad + lines))
    done = CliRunner().invoke(app, ["import", str(folder), "--index", str(tmp_path / "autre")])
    assert done.exit_code == 1
    assert "12 nouveaux" in done.output
    assert "4 en échec" in done.output
    none = CliRunner().invoke(app, ["import", str(tmp_path), "--index", str(tmp_path / "rien")])
    assert none.exit_code == 1
    assert "pas d’export" in none.output


def test_a_hostile_export_is_stored_as_little(tmp_path: Path) -> None:
    rows = [
        {"article_id": "w", "title": "Le bac", "text": FERRY, "withdrawn": "2024-01-01",
         "edits": {"published": "pas une date"}, "url": "javascript:alert(1)"},
        {"article_id": "../../etc", "title": "T", "text": MOTOR},
        {"article_id": "long", "title": "t" * 100_000, "text": MOTOR},
    ]  # fmt: skip
    (tmp_path / "articles.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    index = tmp_path / "index"
    done = CliRunner().invoke(app, ["import", str(tmp_path), "--index", str(index)])
    assert done.exit_code == 1
    assert "date" in done.output
    made = LocalAssistant(load_settings(index_dir=index))
    records = {r.id: r for r in made.index.records()}
    assert records.keys() == {"w", "long"}
    assert records["w"].withdrawn == date(2024, 1, 1)
    assert not records["w"].source.url
    assert len(records["long"].source.title) <= 1000
    made.close()


def test_without_the_library_there_is_no_table(
    assistant: LocalAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert assistant.export(str(tmp_path / "export")) == [f for f in EXPORTED if "parquet" not in f]


def test_a_backup_is_an_index(assistant: LocalAssistant, tmp_path: Path) -> None:
    FeedbackStore(assistant.settings.index_dir, 90, 50).add(Feedback("wrong", "Le bac ?"))
    folder = tmp_path / "copie"
    assert assistant.backup(str(folder)) == 12
    with pytest.raises(StoreError, match="existe déjà"):
        assistant.backup(str(folder))
    copy = LocalAssistant(load_settings(index_dir=folder))
    assert same(assistant, copy)
    assert not copy.check()
    assert len(list(FeedbackStore(folder, 90, 50).all())) == 1
    question = "Combien a coûté la réparation du moteur ?"
    assert copy.ask(question).text == assistant.ask(question).text
    # They are two.
    copy.remove(["bac-1"])
    assert assistant.index.articles() == 12
    copy.close()


def test_questions_are_answered_and_writers_wait_while_it_copies(
    assistant: LocalAssistant, tmp_path: Path
) -> None:
    asked, told_of = [], []

    def writing() -> None:
        told_of.append(assistant.ingest(Reading((article("apres"),))).new)

    writer = threading.Thread(target=writing)

    def step(_done: int, _all: int) -> None:
        if not asked:
            writer.start()
            asked.append(assistant.ask("Combien a coûté la réparation du moteur ?").refused)

    assistant.index.rebuilder.backup(tmp_path / "copie", step)
    writer.join()
    assert asked == [False]
    assert told_of == [("apres",)]
    copy = LocalAssistant(load_settings(index_dir=tmp_path / "copie"))
    assert copy.index.articles() == 12
    copy.close()


def test_a_backup_that_fails_leaves_nothing(assistant: LocalAssistant, tmp_path: Path) -> None:
    def stop(_done: int, _all: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        assistant.index.rebuilder.backup(tmp_path / "copie", stop)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["index"]
    assert assistant.ingest(Reading((article("apres"),))).new == ("apres",)
