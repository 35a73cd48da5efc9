"""`recoupe doctor`: each part of an index held against the others, and mended."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from rag import messages
from rag.assistant import LocalAssistant
from rag.cli.main import app
from rag.domain import Article, Reading, Source
from rag.errors import StoreError
from rag.feedback import Feedback, FeedbackStore
from rag.indexing.doctor import examine, mend
from rag.indexing.index import open_index
from rag.indexing.vector_files import check_vector_files
from rag.readers import read_files
from rag.settings import Settings, load_settings
from tests.conftest import Quick, over_copy, write_articles

QUESTION = "Combien de bateaux le quai numéro 3 a-t-il accueillis ?"


def article(number: int) -> Article:
    text = (
        f"Le quai numéro {number} a accueilli {number * 7 + 11} bateaux pendant le mois de mai. "
        "La capitainerie en attendait davantage, mais le vent a soufflé presque tous les jours "
        f"et la compagnie du ponton {number} a gardé ses vedettes à l’abri de la jetée."
    )
    return Article(
        f"quai-{number}", Source(f"Quai {number}", "Le Rivage", published=date(2024, 6, 1)), text
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(index_dir=tmp_path / "index")


@pytest.fixture(scope="module")
def twelve(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of twelve articles, of which one was corrected: copy it."""
    folder = tmp_path_factory.mktemp("twelve") / "index"
    made = LocalAssistant(load_settings(index_dir=folder))
    made.ingest(Reading(tuple(map(article, range(12)))))
    made.ingest(
        Reading((replace(article(5), text="Le quai numéro 5 est fermé depuis le 3 juin."),))
    )
    assert made.check() == []
    made.close()
    return folder


@pytest.fixture
def assistant(twelve: Path, settings: Settings) -> Iterator[LocalAssistant]:
    made = over_copy(twelve, settings.index_dir)
    yield made
    made.close()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index whose vectors lie in files: below a thousand there is none."""
    folder = tmp_path_factory.mktemp("many") / "index"
    index = open_index(load_settings(index_dir=folder), Quick())
    source = Source("Quais", "Le Rivage", published=date(2024, 6, 1))
    texts = (f"Le quai numéro {n} a accueilli {n * 7 + 11} bateaux." for n in range(1010))
    write_articles(index, *(Article(f"quai-{n}", source, t) for n, t in enumerate(texts)))
    index.close()
    return folder


def first(assistant: LocalAssistant, key: str) -> str:
    return assistant.article(key).passages[0].id


def no_vector(a: LocalAssistant) -> None:
    a.index.store._passages.update(ids=[first(a, "quai-3")], embeddings=[np.full(384, 0.2)])


def no_words(a: LocalAssistant) -> None:
    a.index.lexical.update(drop=[("quai-3", a.article("quai-3").record.version)])


def extra_words(a: LocalAssistant) -> None:
    stored = a.article("quai-3")
    ghost = replace(stored.passages[0], id="absent:1:0", article_id="absent")
    a.index.lexical.update(add=[(ghost, stored.record.source)])


def other_title(a: LocalAssistant) -> None:
    with a.index.catalogue._change() as base:
        base.execute("update articles set title = 'Autre' where id = 'quai-3'")


def other_vector(a: LocalAssistant) -> None:
    with a.index.catalogue._change() as base:
        base.execute("update passages set vector = zeroblob(384) where article = 'quai-3'")


def no_signature(a: LocalAssistant) -> None:
    with a.index.catalogue._change() as base:
        base.execute("delete from copies where article = 'quai-3'")


def stale_row(a: LocalAssistant) -> None:
    with a.index.catalogue._change() as base:
        base.execute("insert into passages values ('x:1:0', 'x', '1', x'00', x'00', null)")


def orphan(a: LocalAssistant) -> None:
    with a.index.history._change() as base:
        base.execute("update versions set article = 'absent'")


def unreadable(a: LocalAssistant) -> None:
    with a.index.history._change() as base:
        base.execute("update versions set content = x'0102'")


DAMAGES: dict[Callable[[LocalAssistant], None], str] = {
    no_vector: "1 article(s) sans vecteur qui vaille",
    no_words: messages.WORDS_DIFFER.format(1, "quai-3"),
    extra_words: messages.WORDS_SURPLUS.format(1),
    other_title: messages.CATALOGUE_DIFFERS.format(1, "quai-3"),
    other_vector: messages.CATALOGUE_DIFFERS.format(1, "quai-3"),
    no_signature: messages.CATALOGUE_DIFFERS.format(1, "quai-3"),
    stale_row: messages.CATALOGUE_SURPLUS.format(1),
    orphan: messages.PAST_WITHOUT_PRESENT.format(1, "absent"),
    unreadable: messages.UNREADABLE_VERSIONS.format(1),
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda d: d.__name__)
def test_damage_is_told_and_mended(
    assistant: LocalAssistant, damage: Callable[[LocalAssistant], None]
) -> None:
    damage(assistant)
    assert any(DAMAGES[damage] in problem for problem in assistant.check()), assistant.check()
    assert assistant.repair() == []
    assert assistant.check() == []
    assert assistant.index.articles() == 12
    assert "32 bateaux" in assistant.ask(QUESTION).text


def cut_text(a: LocalAssistant) -> None:
    rewrite(a, "Le quai")


def other_figure(a: LocalAssistant) -> None:
    rewrite(a, a.article("quai-3").text.replace("32 bateaux", "99 bateaux"))


def no_passage(a: LocalAssistant) -> None:
    a.index.store._passages.delete(ids=[first(a, "quai-3")])


def rewrite(a: LocalAssistant, text: str) -> None:
    key = first(a, "quai-3")
    vector = a.index.store.vectors([key])[key]
    a.index.store._passages.update(ids=[key], documents=[text], embeddings=[vector])


@pytest.mark.parametrize("damage", [cut_text, other_figure, no_passage])
def test_a_text_that_is_not_what_was_read_answers_no_more(
    assistant: LocalAssistant, damage: Callable[[LocalAssistant], None]
) -> None:
    """And keeps what was said of it, until it is read again."""
    assistant.edit("quai-3", {"author": "Paul Ory"})
    assistant.ingest(Reading((replace(article(3), text=article(3).text + " Il était plein."),)))
    assistant.ingest(Reading((article(3),)))
    damage(assistant)
    assert any("1 article(s) incomplet(s)" in problem for problem in assistant.check())
    assert [r.id for r in assistant.repair()] == ["quai-3"]
    # It is told until it is whole: its file may be gone.
    assert any("quai-3" in problem for problem in assistant.check())
    answer = assistant.ask(QUESTION)
    cited = {c.article_id for s in answer.statements for c in s.citations}
    assert "quai-3" not in cited | {h.passage.article_id for h in answer.hits}
    assert assistant.ingest(Reading((article(3),))).updated == ("quai-3",)
    assert assistant.check() == []
    assert assistant.article("quai-3").record.source.author == "Paul Ory"
    assert len(assistant.history("quai-3")) == 2
    assert "32 bateaux" in assistant.ask(QUESTION).text


def test_what_was_withdrawn_stays_so_when_it_is_read_again(assistant: LocalAssistant) -> None:
    assistant.withdraw({"quai-3": date(2024, 6, 2)})
    no_passage(assistant)
    assistant.repair()
    assistant.ingest(Reading((article(3),)))
    assert assistant.answerable(["quai-3"]) == {"quai-3": False}


def test_records_that_the_store_lost_are_put_back(assistant: LocalAssistant) -> None:
    before = {r.id: r for r in assistant.index.records()}
    lost = sorted(before)[:7]
    assistant.index.store._articles.delete(ids=lost)
    meta = {"title": None, "passages": "beaucoup"}
    assistant.index.store._articles.update(ids=["quai-9"], metadatas=[meta])
    (told, *_) = assistant.check()
    assert "8 article(s) sans fiche dans le magasin" in told
    assistant.repair()
    assert assistant.check() == []
    assert {r.id: r for r in assistant.index.records()} == before
    assert len(assistant.history("quai-5")) == 1
    assert "32 bateaux" in assistant.ask(QUESTION).text


@pytest.mark.parametrize("suffix", ["fast", "idx", "store", "term", "pos"])
def test_damaged_words_are_made_again(
    assistant: LocalAssistant, settings: Settings, suffix: str
) -> None:
    """tantivy's Rust panics over some."""
    assistant.close()
    for file in (settings.index_dir / "lexical").glob(f"*.{suffix}"):
        data = bytearray(file.read_bytes())
        data[40:70] = b"\xff" * len(data[40:70])
        file.write_bytes(data)
    try:
        again = LocalAssistant(settings)
        again.check()
        again.repair()
    except StoreError as error:
        pytest.fail(str(error))
    assert again.check() == []
    assert "32 bateaux" in again.ask(QUESTION).text
    again.close()


@pytest.mark.parametrize(
    "spoil",
    ["content = null", "content = 'texte'", "content = x'00'", "replaced = 'hier'", "source = '{'"],
)
def test_a_past_that_cannot_be_read_stops_nothing(
    assistant: LocalAssistant, tmp_path: Path, spoil: str
) -> None:
    with assistant.index.history._change() as base:
        base.execute(f"update versions set {spoil}")
    assert any("ne se lisent plus" in problem for problem in assistant.check())
    assert assistant.history("quai-5") == []
    assistant.export(str(tmp_path / "export"))
    assistant.erase(["quai-2"])
    assistant.repair()
    assert assistant.check() == []


def test_kept_sentences_that_cannot_be_read_are_made_again(assistant: LocalAssistant) -> None:
    with assistant.index.catalogue._change() as base:
        base.execute("update passages set reading = x'00112233'")
    assert "32 bateaux" in assistant.ask(QUESTION).text


@pytest.mark.parametrize("how", ["noise", "gone"])
def test_vectors_whose_files_are_damaged_are_made_again(
    settings: Settings, many: Path, how: str
) -> None:
    """As when a disk gave back other bytes: hnswlib ends the process that opens them."""
    shutil.copytree(many, settings.index_dir)
    (file, *_) = sorted(
        settings.index_dir.rglob("data_level0.bin"), key=lambda f: -f.stat().st_size
    )
    size = file.stat().st_size
    assert size > 1_000_000
    if how == "noise":
        file.write_bytes(np.random.default_rng(3).bytes(size))
    else:
        file.unlink()
    with pytest.raises(StoreError, match=r"recoupe doctor --repair"):
        check_vector_files(settings.index_dir)
    check_vector_files(settings.index_dir, repair=True)
    again = open_index(settings, Quick())
    assert "se trouvent pas par leur vecteur" in " ".join(examine(again).sentences())
    mend(again)
    assert examine(again).sentences() == []
    assert again.articles() == 1010
    vector = again.embedder.embed_passages(["Le quai"])[0]
    assert len(again.nearest(vector, 10)) == 10
    again.close()
    check_vector_files(settings.index_dir)


def test_a_damaged_file_is_named(assistant: LocalAssistant, settings: Settings) -> None:
    FeedbackStore(settings.index_dir, 90, 50).add(Feedback("wrong", "Le quai ?"))
    file = settings.index_dir / "feedback.sqlite"
    file.write_bytes(b"not a database" * 500)
    assert any("feedback.sqlite est abîmé" in problem for problem in assistant.check())
    file.unlink()
    assistant.close()
    for suffix in ("-wal", "-shm"):
        (settings.index_dir / f"history.sqlite3{suffix}").unlink(missing_ok=True)
    (settings.index_dir / "history.sqlite3").write_bytes(b"not a database" * 500)
    with pytest.raises(StoreError, match=r"history\.sqlite3 est abîmé.*renommez-le"):
        LocalAssistant(settings)


def test_what_was_incomplete_is_read_again(tmp_path: Path) -> None:
    press = tmp_path / "presse"
    press.mkdir()
    for number in range(4):
        (press / f"quai-{number}.txt").write_text(article(number).text, "utf-8")
    index = tmp_path / "index"
    assistant = LocalAssistant(load_settings(index_dir=index))
    assistant.ingest(read_files(sorted(press.iterdir())))
    (broken,) = (r for r in assistant.index.records() if r.path.endswith("quai-3.txt"))
    assistant.index.store._passages.delete(ids=broken.passage_ids())
    assistant.close()
    run = CliRunner()
    assert run.invoke(app, ["doctor", "--index", str(index)]).exit_code == 1
    done = run.invoke(app, ["doctor", "--repair", "--json", "--index", str(index)])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["problems"] == []
    assert told["articles"] == 4
    assert told["read_again"]["updated"] == [broken.id]
    shown = run.invoke(app, ["show", broken.id, "--index", str(index)])
    assert "32 bateaux" in shown.output


def test_what_came_from_the_web_is_asked_for_again(assistant: LocalAssistant) -> None:
    from rag.sources.memory import PageState

    assistant.memory.keep([PageState("https://rivage.example/3", article="quai-3", etag="x")])
    cut_text(assistant)
    assistant.repair()
    assert not assistant.memory.pages(["https://rivage.example/3"])


def test_nothing_of_what_went_stays_in_the_catalogue(
    assistant: LocalAssistant, settings: Settings
) -> None:
    """A store that was replaced took its articles along; the rows of their sentences stayed."""
    assistant.close()
    with closing(sqlite3.connect(settings.index_dir / "catalogue.sqlite3")) as base, base:
        base.execute("pragma user_version = 0")
        base.execute("insert into passages values ('x:1:0', 'x', '1', x'00', x'00', null)")
    again = LocalAssistant(settings)
    assert again.index.catalogue.stale() == 0
    again.close()
