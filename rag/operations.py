"""What the process that owns an index does for others (I3): one table for both ends.

`rag/remote.py` makes its methods of `OPERATIONS`, `rag/web/owner_api.py` its routes. A new
operation is a line here and a method of that name of `LocalAssistant`. It is private to one
machine and one user, not the public API.

A call is a POST of lines of JSON, answered by lines of JSON. The caller says the arguments;
the owner, on the way, what a listener hears (`told`), and last the `result`, or an `error`
by its name and `message`. What is `Stream` one by one goes as the owner asks for it (`more`,
so many), `null` after the last: neither end holds more than that, and a caller that dies
has not said that it was the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from rag.domain import (
    Answer,
    Article,
    ArticlePage,
    ArticleQuery,
    ArticleRecord,
    ArticleResults,
    CheckedClaim,
    Erasure,
    Facets,
    Failure,
    FileRead,
    Filters,
    Hit,
    IngestReport,
    QuotedSpeaker,
    StoredArticle,
    Turn,
    Verification,
    Version,
)

PATH = "/owner"
HEADER = "X-Recoupe-Owner-Token"


@dataclass(frozen=True)
class Callback:
    """An argument that stays with the caller and is called on the way, with such values."""

    takes: tuple[Any, ...]


@dataclass(frozen=True)
class Stream:
    """An argument that is an iterable of these types, whose items go one by one as asked for."""

    kinds: tuple[type, ...]

    def plain(self, item: Any) -> dict[str, Any]:
        """Return an item as JSON has it, under the name of its type."""
        return {type(item).__name__: plain(type(item), item)}

    def made(self, item: Mapping[str, Any]) -> Any:
        """Return an item from its JSON."""
        (name,) = item
        kind = next(kind for kind in self.kinds if kind.__name__ == name)
        return made(kind, item[name])


@dataclass(frozen=True)
class Operation:
    """A method of the assistant: its arguments by name, in order, and what it returns."""

    name: str
    takes: Mapping[str, Any]
    gives: Any


OPERATIONS = (
    Operation("page", {"after": str, "limit": int, "words": str}, ArticlePage),
    Operation("browse", {"query": ArticleQuery, "after": str, "limit": int}, ArticleResults),
    Operation("speakers", {"article_id": str}, list[QuotedSpeaker]),
    Operation("facets", {}, Facets),
    Operation("article", {"article_id": str}, StoredArticle),
    Operation("copies", {"article_id": str}, list[ArticleRecord]),
    Operation("history", {"article_id": str}, list[Version]),
    Operation("search", {"question": str, "limit": int, "filters": Filters | None}, list[Hit]),
    Operation("ask", {"question": str, "history": Sequence[Turn], "filters": Filters | None},
              Answer),
    Operation("verify", {"text": str, "filters": Filters | None,
                         "on_claim": Callback((CheckedClaim,))},
              Verification),
    Operation("ingest", {"found": Stream((Article, Failure, FileRead)), "prune": Sequence[str],
                         "progress": Callback((int, int)), "readmit": bool, "dry": bool},
              IngestReport),
    Operation("answerable", {"ids": Sequence[str]}, dict[str, bool]),
    Operation("withdraw", {"days": Mapping[str, date | None]}, list[str]),
    Operation("edit", {"article_id": str, "edits": Mapping[str, str]}, ArticleRecord),
    Operation("undo_edits", {"article_id": str, "fields": Sequence[str]}, ArticleRecord),
    Operation("remove", {"ids": Sequence[str]}, list[str]),
    Operation("erase", {"ids": Sequence[str]}, Erasure),
    Operation("export", {"folder": str}, list[str]),
    Operation("import_from", {"folder": str, "progress": Callback((int, int)), "readmit": bool},
              IngestReport),
    Operation("backup", {"folder": str}, int),
    Operation("check", {}, list[str]),
    Operation("repair", {}, list[ArticleRecord]),
    Operation("compact", {}, bool),
    Operation("reindex", {"embedding": str, "passage_tokens": int, "sentence_vectors": bool,
                          "progress": Callback((int, int))}, int),
)  # fmt: skip


def plain(kind: Any, value: Any) -> Any:
    """Return a value of a type as JSON has it.

    Hits go without what was understood of their sentences: who shows them has no use for it.
    """
    if isinstance(value, Answer):
        value = replace(value, hits=tuple(map(_bare, value.hits)))
    elif kind == list[Hit]:
        value = list(map(_bare, value))
    return _adapter(kind).dump_python(value, mode="json")


def _bare(hit: Hit) -> Hit:
    return replace(hit, sentences=(), cosines=())


def made(kind: Any, value: Any) -> Any:
    """Return the value of a type that JSON tells. Raises ValidationError."""
    return _adapter(kind).validate_python(value)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
