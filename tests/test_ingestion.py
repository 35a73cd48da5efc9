from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.domain import Article, IngestReport, Reading
from rag.errors import ReadError
from rag.indexing.doctor import examine
from rag.indexing.index import Index, open_index
from rag.indexing.ingestion import ingest
from rag.models.encoder import Encoder
from rag.readers import find_files, read_files
from rag.settings import load_settings
from tests.conftest import CORPUS, ROOT, Quick, make_article, run_python

SENTENCE = "Le pont est fermé depuis lundi, selon l’adjoint à la voirie."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "articles"
    made.mkdir()
    for name in "abc":
        (made / f"{name}.txt").write_text(f"Titre : {name}\n\n{SENTENCE} ({name})", "utf-8")
    return made


def run(index: Index, folder: Path, *, prune: bool = False) -> IngestReport:
    files, _ = find_files([folder])
    return ingest(index, read_files(files), 160, [str(folder)] if prune else [])


def counts(report: IngestReport) -> tuple[int, ...]:
    return tuple(
        map(len, (report.new, report.updated, report.unchanged, report.removed, report.failed))
    )


def test_the_same_files_change_and_embed_nothing(index: Index, folder: Path) -> None:
    assert counts(run(index, folder)) == (3, 0, 0, 0, 0)
    embedded: list[str] = []
    index._parts.embedder = Spy(embedded)
    assert counts(run(index, folder)) == (0, 0, 3, 0, 0)
    assert embedded == []


class Spy(Encoder):
    def __init__(self, seen: list[str]) -> None:
        super().__init__()
        self.seen = seen

    def embed_sentences(self, texts):  # type: ignore[no-untyped-def]
        self.seen += [t.text for t in texts]
        return super().embed_sentences(texts)


def test_only_what_changed_is_embedded_once_with_its_title(index: Index, folder: Path) -> None:
    run(index, folder)
    (folder / "b.txt").write_text(f"Titre : Circulation\n\n{SENTENCE} Et rouvert.", "utf-8")
    embedded: list[str] = []
    index._parts.embedder = Spy(embedded)
    assert counts(run(index, folder)) == (0, 1, 2, 0, 0)
    assert embedded == [f"Circulation\n{SENTENCE} Et rouvert."]


def test_nothing_is_removed_without_prune(index: Index, folder: Path) -> None:
    run(index, folder)
    (folder / "a.txt").unlink()
    assert counts(run(index, folder)) == (0, 0, 2, 0, 0)
    assert index.articles() == 3
    assert counts(run(index, folder, prune=True)) == (0, 0, 2, 1, 0)
    assert index.articles() == 2


def test_prune_keeps_what_could_not_be_read_and_what_lies_elsewhere(
    index: Index, folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "ailleurs"
    other.mkdir()
    (other / "d.txt").write_text(f"Titre : d\n\n{SENTENCE}", "utf-8")
    run(index, folder)
    run(index, other)
    (folder / "a.txt").write_bytes(b"\x00\x01")
    assert counts(run(index, folder, prune=True)) == (0, 0, 2, 0, 1)
    assert index.articles() == 4


def test_prune_removes_rows_that_left_their_file(index: Index, tmp_path: Path) -> None:
    folder = tmp_path / "presse"
    folder.mkdir()
    path = folder / "a.jsonl"
    rows = [f'{{"titre": "{n}", "texte": "{SENTENCE}"}}' for n in "abc"]
    path.write_text("\n".join(rows), "utf-8")
    run(index, folder)
    path.write_text("\n".join(rows[1:]), "utf-8")
    report = run(index, folder, prune=True)
    assert counts(report) == (0, 0, 2, 1, 0)


def test_prune_keeps_a_file_whose_name_has_a_hash(
    index: Index, folder: Path, tmp_path: Path
) -> None:
    """Its articles must not be taken for rows of a file that is not there."""
    (folder / "dossier#2.txt").write_text(f"Titre : d\n\n{SENTENCE}", "utf-8")
    run(index, folder)
    (folder / "dossier#2.txt").write_bytes(b"\x00\x01")  # there, but not read this time
    assert counts(run(index, folder, prune=True)) == (0, 0, 3, 0, 1)
    assert index.articles() == 4


def test_a_moved_file_with_an_address_stays_the_same_article(index: Index, folder: Path) -> None:
    (folder / "a.txt").write_text(f"Titre : T\nURL : https://x.example/a\n\n{SENTENCE}", "utf-8")
    run(index, folder)
    (folder / "a.txt").rename(folder / "z.txt")
    assert counts(run(index, folder, prune=True)) == (0, 0, 3, 0, 0)


def test_articles_are_taken_a_few_ahead_of_those_written(index: Index) -> None:
    taken = 0
    ahead: list[int] = []

    def found() -> Iterator[Article]:
        nonlocal taken
        for n in range(200):
            taken += 1
            yield make_article(f"a{n}", f"{SENTENCE} ({n})")

    def progress(done: int, met: int) -> None:
        ahead.append(taken - done)
        assert done <= met <= taken

    index._parts.embedder = Quick()
    report = ingest(index, found(), 160, progress=progress)
    assert counts(report) == (200, 0, 0, 0, 0)
    assert len(ahead) > 5
    assert max(ahead) < 60


def test_a_source_that_breaks_off_leaves_whole_articles_and_removes_nothing(
    index: Index, folder: Path
) -> None:
    run(index, folder)
    (folder / "a.txt").unlink()

    def found() -> Iterator[Article]:
        for n in range(100):
            yield make_article(f"a{n}", f"{SENTENCE} ({n})")
        raise ReadError("source partie")

    index._parts.embedder = Quick()
    with pytest.raises(ReadError):
        ingest(index, found(), 160, [str(folder)])
    assert 3 + 50 < index.articles() < 3 + 100
    assert examine(index).sentences() == []


def test_one_article_twice_is_written_once(index: Index) -> None:
    twice = [make_article("a", SENTENCE), make_article("a", f"{SENTENCE} Encore.")]
    assert counts(ingest(index, twice, 160)) == (1, 0, 0, 0, 1)
    assert index.article("a").text == SENTENCE


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of three articles, made from a shell: copy it."""
    folder = tmp_path_factory.mktemp("begun")
    files, _ = find_files([CORPUS])
    there = [str(f) for f in files[:3]]
    done = run_python(folder, folder / "index", str(ROOT / "ingest.py"), *there)
    assert done.returncode == 0, done.stderr
    return folder / "index"


@pytest.mark.parametrize("moment", [0.3, 1.5, 2.7])
def test_kill_at_any_moment_leaves_whole_articles(
    tmp_path: Path, embedder: Encoder, begun: Path, moment: float
) -> None:
    """`bench/faults.py` does the same at more moments."""
    settings = load_settings(index_dir=tmp_path / "index")
    shutil.copytree(begun, settings.index_dir)
    environment = os.environ | {"RECOUPE_INDEX_DIR": str(settings.index_dir)}
    files, _ = find_files([CORPUS])
    changes = settings.index_dir / "lexical" / "positions.json"
    before = changes.read_text()
    command = [sys.executable, str(ROOT / "ingest.py"), str(CORPUS)]
    process = subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 60
    while changes.read_text() == before:  # until the first batch is in
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.01)
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.wait()
    index = open_index(settings, embedder)
    assert examine(index).sentences() == []
    texts = {a.id: a.text for a in Reading.of(read_files(files)).articles}
    found = {r.id: index.article(r.id).text for r in index.records()}
    assert found.items() <= texts.items()
    # What was told to be there before stays, whatever the moment.
    assert found.keys() >= {a.id for a in Reading.of(read_files(files[:3])).articles}
