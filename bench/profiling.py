"""What limits each figure: where the time goes, by cProfile, as text to keep."""

from __future__ import annotations

import cProfile
import io
import pstats
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import faces
from bench.golden import ROOT
from rag.assistant import LocalAssistant
from rag.domain import Article

_LINES = 15


def profiled(call: Callable[[], object], file: Path, title: str) -> None:
    """Write where the time of a call went: by cumulative time, then by own time.

    Only this thread is seen: what native libraries do on others is in the call that waits.
    """
    profile = cProfile.Profile()
    profile.runcall(call)
    text = io.StringIO()
    stats = pstats.Stats(profile, stream=text)
    stats.sort_stats("cumulative").print_stats(r"^(?!.*(profiling|growing|faces)\.py)", _LINES)
    stats.sort_stats("tottime").print_stats(_LINES)
    file.write_text(f"{title}\n{_told(text.getvalue())}", encoding="utf-8")


def _told(text: str) -> str:
    """Return the tables with paths from the project's root, or from the library's."""
    text = text.replace(f"{ROOT}/", "")
    text = re.sub(r"\S*/(?:site-packages|lib/python[\d.]+)/", "", text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def of_ingestion(index: Path, articles: Sequence[Article], target: Path) -> None:
    """Profile an ingestion with the settings' own embedder."""
    assistant = faces.opened(index)
    try:
        faces.ingest(assistant, articles[:1])  # loads the models
        profiled(
            lambda: faces.ingest(assistant, articles[1:]),
            target / "profile-ingestion.txt",
            f"Ingestion of {len(articles) - 1} articles",
        )
    finally:
        assistant.close()


def of_questions(index: Path, questions: Sequence[str], target: Path) -> None:
    """Profile an opening, searches and answers, over the index of a folder."""
    held: list[LocalAssistant] = []
    profiled(
        lambda: held.append(faces.opened(index)), target / "profile-open.txt", "Opening the index"
    )
    (assistant,) = held
    try:
        size = faces.passages(assistant)
        for question in questions[:5]:
            assistant.ask(question)
        asked = questions[5:]
        told = f"{len(asked)} {{}} over {size} passages"
        profiled(
            lambda: [assistant.search(q, 10) for q in asked],
            target / "profile-search.txt",
            told.format("searches"),
        )
        profiled(
            lambda: [assistant.ask(q) for q in asked],
            target / "profile-ask.txt",
            told.format("answers"),
        )
    finally:
        assistant.close()
