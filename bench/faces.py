"""The few calls of the product that the benches make: what changes there changes here alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx

from rag.assistant import LocalAssistant, open_assistant
from rag.domain import Article, Reading
from rag.operations import Assistant
from rag.readers import read_files, workers
from rag.settings import load_settings
from rag.web.opened_article import opened_article

_MOST = 200  # articles that one request may ask for


def opened(folder: Path, **settings: Any) -> LocalAssistant:
    """Return the assistant over the index of a folder, owned by this process."""
    assistant = open_assistant(load_settings(index_dir=folder, **settings), "bench")
    assert isinstance(assistant, LocalAssistant)
    return assistant


def ingest(assistant: Assistant, articles: Iterable[Article]) -> None:
    """Add articles to the index."""
    assistant.ingest(Reading(tuple(articles)))


def read(files: Iterable[Path]) -> list[Article]:
    """Return the articles of files, as `recoupe ingest` reads them."""
    found = list(Reading.of(read_files(files)).articles)
    workers.close()
    return found


def passages(assistant: LocalAssistant) -> int:
    """Return how many passages the index holds."""
    return assistant.index.store.count()


def substitute(assistant: LocalAssistant, make: Callable[[Any], Any]) -> None:
    """Put an embedder made of the index's own in its place, for what is ingested."""
    parts = assistant.index._parts
    parts.embedder = make(parts.embedder)


def shown(assistant: LocalAssistant, article_id: str) -> str:
    """Return the HTML of an article that is opened from the list."""
    return opened_article(assistant, article_id, for_itself=True)


def last_page(client: httpx.Client) -> str:
    """Return the address of the last page of the articles, of a hundred or fewer."""
    address = "/api/v1/articles"
    body = client.get(address, params={"limit": _MOST}).raise_for_status().json()
    if "next" not in body:  # pages are numbered
        return f"{address}?limit=100"
    after = ""
    while body["next"]:
        after = body["next"]
        page = {"limit": _MOST, "after": after}
        body = client.get(address, params=page).raise_for_status().json()
    return str(httpx.URL(address, params={"limit": 100, "after": after}))
