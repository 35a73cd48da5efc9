"""What the process that owns an index does for others (I3): `Assistant` declares it, once.

`rag/remote.py` makes its methods of what `Assistant` declares, `rag/web/owner_api.py` its
routes: a new operation is a method there and the one of `LocalAssistant` that does it. It is
private to one machine and one user, not the public API.

A call is a POST of lines of JSON, answered by lines of JSON. The caller says the arguments;
the owner, on the way, what a listener hears (`told`), and last the `result`, or an `error`
by its name and `message`. What is `Stream` one by one goes as the owner asks for it (`more`,
so many), `null` after the last: neither end holds more than that, and a caller that dies
has not said that it was the last.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any, Protocol, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter

from rag.checking.checker import OnClaim
from rag.domain import (
    Answer,
    ArticlePage,
    ArticleQuery,
    ArticleRecord,
    ArticleResults,
    CheckedClaim,
    Erasure,
    Facets,
    Filters,
    Found,
    Hit,
    IngestReport,
    QuotedSpeaker,
    StoredArticle,
    Turn,
    Verification,
    Version,
)
from rag.indexing.parts import Progress, silent

PATH = "/owner"
HEADER = "X-Recoupe-Owner-Token"


def unheard(_claim: CheckedClaim) -> None:
    """Hear of a checked claim, and do nothing."""


class Assistant(Protocol):
    """What a face can ask for; `LocalAssistant` does it, `RemoteAssistant` passes it on.

    Each method but `close` is an operation: an argument goes to the owner as JSON, but for a
    callable, which stays with the caller, and an `Iterable`, whose items go as asked for.
    """

    def page(self, after: str = "", limit: int = 50, words: str = "") -> ArticlePage:
        """Return up to `limit` articles, newest first, from where `after` says.

        `after` is the `next` of the page before; an article added or removed
        meanwhile shifts no other. `words` keeps the articles that have a word
        of the title beginning with each of them. Raises CursorError.
        """
        ...

    def browse(self, query: ArticleQuery, after: str = "", limit: int = 20) -> ArticleResults:
        """Return up to `limit` of the articles that a query finds, and the counts of all of them.

        `after` is the `next` of the page before. Raises CursorError.
        """
        ...

    def speakers(self, article_id: str) -> list[QuotedSpeaker]:
        """Return who is quoted in an article, in the order of the text.

        Raises ArticleNotFoundError.
        """
        ...

    def facets(self) -> Facets:
        """Return what the index is made of: names, days, counts."""
        ...

    def article(self, article_id: str) -> StoredArticle:
        """Return one article, whole. Raises ArticleNotFoundError."""
        ...

    def copies(self, article_id: str) -> list[ArticleRecord]:
        """Return the other articles that print the same text, the oldest first."""
        ...

    def history(self, article_id: str) -> list[Version]:
        """Return what an article said before, newest first. Raises ArticleNotFoundError."""
        ...

    def search(self, question: str, limit: int, filters: Filters | None = None) -> list[Hit]:
        """Return up to `limit` passages, best first."""
        ...

    def ask(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> Answer:
        """Return a cited answer or a refusal. Raises QuestionError."""
        ...

    def verify(
        self, text: str, filters: Filters | None = None, on_claim: OnClaim = unheard
    ) -> Verification:
        """Return the verdict on each claim of a text; `on_claim` hears them one by one.

        Raises QuestionError for a text without a claim, or too long.
        """
        ...

    def ingest(
        self,
        found: Iterable[Found],
        prune: Sequence[str] = (),
        progress: Progress = silent,
        readmit: bool = False,
        dry: bool = False,
    ) -> IngestReport:
        """Bring the index up to date with what readers find; see `rag.indexing.ingestion`.

        What was removed stays so, and is named in the report; with `readmit` it comes back.
        With `dry` nothing is changed: the report says what would be.
        """
        ...

    def answerable(self, ids: Sequence[str]) -> dict[str, bool]:
        """Return, for those of some articles that the index has, whether they may answer."""
        ...

    def withdraw(self, days: Mapping[str, date | None]) -> list[str]:
        """Say of articles on which day their publisher withdrew them; None for not at all.

        What is withdrawn is kept and answers nothing. Returns the ids for which it is new.
        """
        ...

    def edit(self, article_id: str, edits: Mapping[str, str]) -> ArticleRecord:
        """Correct fields (`EDITABLE`) of an article's source; they hold when it is ingested again.

        `WITHHELD` with a day keeps the article from answering, with "" lets it answer again.
        Raises ArticleNotFoundError, and ReadError for a field or a value that cannot be.
        """
        ...

    def undo_edits(self, article_id: str, fields: Sequence[str]) -> ArticleRecord:
        """Take back the corrections of some fields: the source says again what the article does.

        Raises ArticleNotFoundError.
        """
        ...

    def remove(self, ids: Sequence[str]) -> list[str]:
        """Remove articles, which only `readmit` brings back; return the ids that were there."""
        ...

    def erase(self, ids: Sequence[str]) -> Erasure:
        """Remove articles and whatever is left of them in the index's folder, and look for it.

        Raises StoreError; nothing can be said of a Chroma server's disk.
        """
        ...

    def export(self, folder: str) -> list[str]:
        """Write all articles into a folder of this machine; return the names of the files."""
        ...

    def import_from(
        self,
        folder: str,
        progress: Progress = silent,
        readmit: bool = False,
    ) -> IngestReport:
        """Index what `export` wrote into a folder of this machine, with its vectors if they serve.

        Raises ReadError where there is no export. `readmit` is as that of `ingest`.
        """
        ...

    def backup(self, folder: str) -> int:
        """Copy the index into a new folder of this machine; return how many articles it has."""
        ...

    def check(self) -> list[str]:
        """Return what is wrong with the index, in French; empty when whole."""
        ...

    def repair(self) -> list[ArticleRecord]:
        """Mend what can be rebuilt; return the articles that have to be read again."""
        ...

    def compact(self) -> bool:
        """Give back the room of what was replaced; False where only its server can."""
        ...

    def reindex(
        self,
        embedding: str,
        passage_tokens: int,
        sentence_vectors: bool,
        progress: Progress = silent,
    ) -> int:
        """Build the index anew with these settings, beside the one that serves, and switch to it.

        Returns how many articles it has. Raises StoreError; the old index then serves on, and
        what was built is gone on with by the next call with the same settings.
        """
        ...

    def close(self) -> None:
        """Give the index back."""
        ...


@dataclass(frozen=True)
class Callback:
    """An argument that stays with the caller and is called on the way, with such values."""

    takes: tuple[Any, ...]


@dataclass(frozen=True)
class Stream:
    """An argument that is an iterable of these types, whose items go one by one as asked for."""

    kinds: tuple[type, ...]

    def to_json(self, item: Any) -> dict[str, Any]:
        """Return an item as JSON has it, under the name of its type."""
        return {type(item).__name__: to_json(type(item), item)}

    def made(self, item: Mapping[str, Any]) -> Any:
        """Return an item from its JSON."""
        (name,) = item
        kind = next(kind for kind in self.kinds if kind.__name__ == name)
        return made(kind, item[name])


@dataclass(frozen=True)
class Operation:
    """A method of the assistant: its arguments by name, in order, and what it returns."""

    method: Callable[..., Any]
    takes: Mapping[str, Any]
    gives: Any

    @property
    def name(self) -> str:
        """The name of the method."""
        return self.method.__name__

    @classmethod
    def of(cls, method: Callable[..., Any]) -> Operation:
        """Read it from a method's annotations."""
        hints = get_type_hints(method)
        gives = hints.pop("return")
        return cls(method, {name: _taken(hint) for name, hint in hints.items()}, gives)

    def arguments(self, *given: Any, **named: Any) -> dict[str, Any]:
        """Return what a call gives, by name. Raises TypeError for what the method does not take."""
        bound = inspect.signature(self.method).bind(None, *given, **named)  # None for self
        return {name: bound.arguments[name] for name in self.takes if name in bound.arguments}


def _taken(hint: Any) -> Any:
    """Return how an argument of such a type is taken."""
    of = get_args(hint)
    if get_origin(hint) is Callable:
        return Callback(tuple(of[0]))
    if get_origin(hint) is Iterable:
        return Stream(get_args(of[0]) or of)
    return hint


OPERATIONS = tuple(
    Operation.of(method)
    for name, method in vars(Assistant).items()
    if inspect.isfunction(method) and name != "close" and not name.startswith("_")
)


def to_json(kind: Any, value: Any) -> Any:
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
