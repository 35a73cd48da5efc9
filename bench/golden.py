"""The golden questions, and an index of the sample corpus to ask them of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rag.domain import Citation, Hit
from rag.embedding import load_embedder
from rag.index import Index, open_index
from rag.ingestion import ingest
from rag.readers import find_files, read_files
from rag.settings import load_settings

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "golden"


@dataclass(frozen=True, slots=True)
class GoldenQuestion:
    """A question with the spans (article id, start, end) that answer it; none: unanswerable."""

    question: str
    answers: tuple[tuple[str, int, int], ...]

    def hit_by(self, article_id: str, start: int, end: int) -> bool:
        """Tell whether a span overlaps one that answers."""
        return any(article_id == a and start < e and s < end for a, s, e in self.answers)

    def cited_by(self, citation: Citation) -> bool:
        """Tell whether a citation overlaps an answering span."""
        return self.hit_by(citation.article_id, citation.start, citation.end)

    def found_in(self, hit: Hit) -> bool:
        """Tell whether a hit, or a republication it stands for, holds an answering span."""
        passages = [hit.passage, *(p for p, _ in hit.also)]
        return any(self.hit_by(p.article_id, p.start, p.end) for p in passages)


def load_golden(name: str) -> list[GoldenQuestion]:
    """Read `tests/golden/NAME.jsonl`."""
    lines = (GOLDEN / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        GoldenQuestion(
            row["question"],
            tuple((a["article_id"], a["start"], a["end"]) for a in row["answers"]),
        )
        for row in map(json.loads, lines)
    ]


def corpus_index(folder: Path) -> Index:
    """Open an index in `folder` that holds the sample corpus."""
    settings = load_settings(index_dir=folder)
    index = open_index(settings, load_embedder(settings))
    files, _ = find_files([ROOT / "corpus"])
    ingest(index, read_files(files), settings.passage_tokens)
    return index
