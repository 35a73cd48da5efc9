"""What tests share: a real embedder, and one index of the sample corpus a session."""

from __future__ import annotations

import io
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from filelock import FileLock

from rag.assistant import LocalAssistant
from rag.domain import Article, Reading, Source
from rag.indexing.index import Index, open_index
from rag.indexing.ingestion import ingest
from rag.logs import OneLine, Repetitions
from rag.models.embedding import Embedding, PassageText
from rag.models.encoder import Encoder
from rag.models.network import Network, shared
from rag.readers import find_files, read_files
from rag.settings import Settings, load_settings

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "corpus"


# Files that take more than five seconds on two cores: `make quick` leaves them out.
SLOW = frozenset(
    "answering api attack attacker browsing checking chroma_server cli comparer comparison copies docs doctor documents "
    "duplicates editing erasure evaluation exchanges fetch framework french guard history hostile index "
    "ingestion injection interfaces isolation limits linear logs mouths newsroom owner paid reindexing removals "
    "scale sealing sites sources undated verify_tab writing".split()
)
# The longest first, so that none is left to run alone at the end (with --no-loadscope-reorder).
LONGEST = (
    "browser verify_browser widget chroma_server owner attack sources doctor copies api hostile limits "
    "reindexing isolation ingestion checking attacker linear erasure answering index editing"
).split()
MODELS = frozenset("embedders embedding training".split())  # that load torch


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        name = item.path.stem.removeprefix("test_")
        if name in SLOW:
            item.add_marker(pytest.mark.slow)
        if name in MODELS:
            item.add_marker(pytest.mark.models)
        # Those of a browser one at a time: two on two cores wait for each other in vain.
        browser = item.get_closest_marker("browser")
        item.add_marker(pytest.mark.xdist_group("browser" if browser else name))
    places = {name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem.removeprefix("test_"), len(LONGEST)))


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("RECOUPE_") and name != "RECOUPE_BROWSER_TESTS":
            monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _networks() -> list[Network]:
    """Hold the shipped networks: each is loaded once a process, whatever opens and closes them."""
    return [shared(None, name) for name in ("e5-small-fr", "reader-fr", "comparer-fr")]


@pytest.fixture(scope="session")
def embedder() -> Encoder:
    return Encoder()


@pytest.fixture(scope="session")
def corpus_reading() -> Reading:
    files, failures = find_files([CORPUS])
    assert failures == []
    return Reading.of(read_files(files))


@pytest.fixture(scope="session")
def corpus_index(tmp_path_factory: pytest.TempPathFactory, corpus_reading: Reading) -> Path:
    """The folder of an index of the sample corpus, made once for all processes: copy it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    index, done = folder / "corpus-index", folder / "corpus-index.done"
    with FileLock(folder / "corpus-index.lock"):
        if not done.exists():
            made = LocalAssistant(load_settings(index_dir=index))
            made.ingest(corpus_reading)
            made.close()
            done.touch()
    return index


def over_copy(index: Path, folder: Path, **settings: Any) -> LocalAssistant:
    """An assistant over a copy of an index, in a folder."""
    shutil.copytree(index, folder, dirs_exist_ok=True)
    return LocalAssistant(load_settings(index_dir=folder, **settings))


@pytest.fixture(scope="session")
def assistant(tmp_path_factory: pytest.TempPathFactory, corpus_index: Path) -> LocalAssistant:
    """An assistant over the sample corpus; tests must not change its index."""
    return over_copy(corpus_index, tmp_path_factory.mktemp("assistant"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(index_dir=tmp_path / "index")


@pytest.fixture
def index(settings: Settings, embedder: Encoder) -> Index:
    return open_index(settings, embedder)


def make_article(
    key: str, text: str, title: str = "", name: str = "Le Test", day: date | None = None
) -> Article:
    """An article as readers make it."""
    return Article(key, Source(title or f"Titre {key}", name, published=day), text)


class Quick(Encoder):
    """Vectors that say nothing and cost nothing, for tests of many articles."""

    def embed_sentences(self, texts: Sequence[PassageText]) -> Any:
        vectors = self.embed_passages([t.text for t in texts])
        parts = [
            np.repeat(v[None], len(t.sentences), 0) for v, t in zip(vectors, texts, strict=True)
        ]
        return Embedding(vectors, parts)

    def embed_passages(self, texts: Sequence[str]) -> Any:
        made = [np.random.default_rng(crc32(t.encode())).normal(size=384) for t in texts]
        found = np.array(made, dtype=np.float32).reshape(-1, 384)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


def run_python(folder: Path, index: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run `python COMMAND…` in `folder`, as from a shell, over the index in `index`."""
    return subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"RECOUPE_INDEX_DIR": str(index)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def write_articles(index: Index, *articles: Article) -> None:
    """Ingest articles into an index."""
    ingest(index, Reading(articles), passage_tokens=160)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """The log as `recoupe serve` writes it, of all that the process logs."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(OneLine("%(levelname)s %(name)s : %(message)s"))
    handler.addFilter(Repetitions())
    logging.root.addHandler(handler)
    yield out
    logging.root.removeHandler(handler)
