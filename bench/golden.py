"""The golden questions, and an index of the sample corpus to ask them of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rag.domain import Article, Reading
from rag.evaluation.data import Item, read_questions
from rag.indexing.index import Index, open_index
from rag.indexing.ingestion import ingest
from rag.models.loading import load_embedder
from rag.readers import find_files, read_files
from rag.settings import load_settings

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"  # evaluation data that is not part of the project
GOLDEN = ROOT / "tests" / "golden"


def load_golden(name: str) -> list[Item]:
    """Read `tests/golden/NAME.jsonl`."""
    return read_questions(GOLDEN / f"{name}.jsonl")


def corpus_index(folder: Path) -> Index:
    """Open an index in `folder` that holds the sample corpus."""
    files, _ = find_files([ROOT / "corpus"])
    return index_of(Reading.of(read_files(files)).articles, folder)


def index_of(articles: Sequence[Article], folder: Path) -> Index:
    """Index articles in `folder`."""
    settings = load_settings(index_dir=folder)
    index = open_index(settings, load_embedder(settings))
    ingest(
        index,
        Reading(tuple(articles)),
        settings.passage_tokens,
        sentence_vectors=settings.sentence_vectors,
    )
    return index
