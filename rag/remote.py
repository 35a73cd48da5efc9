"""Ask the process that owns the index (I3), over loopback HTTP.

`OPERATIONS` is the contract between `RemoteAssistant` here and the owner's
routes in `rag/web/owner_api.py`: what goes in and out of each call, as
domain types. It is private to one machine and one user, not the public API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import TypeAdapter

from rag import errors
from rag.checking.verification import CheckedClaim, Verification
from rag.domain import (
    Answer,
    ArticlePage,
    ArticleRecord,
    Facets,
    Filters,
    Hit,
    IngestReport,
    Reading,
    StoredArticle,
    Turn,
)
from rag.errors import IndexBusyError, RecoupeError
from rag.indexing.index import Progress
from rag.indexing.owner import Owner, lost_message

PATH = "/owner"
HEADER = "X-Recoupe-Owner-Token"


@dataclass(frozen=True)
class PageCall:
    """Arguments of `page`."""

    after: str = ""
    limit: int = 50
    words: str = ""


@dataclass(frozen=True)
class SearchCall:
    """Arguments of `search`."""

    question: str
    limit: int
    filters: Filters | None = None


@dataclass(frozen=True)
class AskCall:
    """Arguments of `ask`."""

    question: str
    history: tuple[Turn, ...] = ()
    filters: Filters | None = None


@dataclass(frozen=True)
class VerifyCall:
    """Arguments of `verify`; the answer is one JSON line a claim, the verification last."""

    text: str
    filters: Filters | None = None


@dataclass(frozen=True)
class IngestCall:
    """Arguments of `ingest`; the answer is one JSON line a step, the report last."""

    reading: Reading
    prune: tuple[str, ...] = ()


class RemoteAssistant:
    """The assistant of another process; see `rag.assistant.Assistant` for each method."""

    def __init__(self, owner: Owner) -> None:
        """Take the owner's note, which has its address and token."""
        self.owner = owner
        self._http = httpx.Client(
            base_url=owner.url + PATH,
            headers={HEADER: owner.token},
            timeout=httpx.Timeout(600, connect=5),
            trust_env=False,  # a proxy must never see the token
        )

    def records(self) -> list[ArticleRecord]:
        """See `Assistant`."""
        found: list[ArticleRecord] = self._call("records", None, list[ArticleRecord])
        return found

    def page(self, after: str = "", limit: int = 50, words: str = "") -> ArticlePage:
        """See `Assistant`."""
        found: ArticlePage = self._call("page", PageCall(after, limit, words), ArticlePage)
        return found

    def facets(self) -> Facets:
        """See `Assistant`."""
        found: Facets = self._call("facets", None, Facets)
        return found

    def article(self, article_id: str) -> StoredArticle:
        """See `Assistant`."""
        found: StoredArticle = self._call("article", article_id, StoredArticle)
        return found

    def search(self, question: str, limit: int, filters: Filters | None = None) -> list[Hit]:
        """See `Assistant`."""
        found: list[Hit] = self._call("search", SearchCall(question, limit, filters), list[Hit])
        return found

    def ask(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> Answer:
        """See `Assistant`."""
        found: Answer = self._call("ask", AskCall(question, tuple(history), filters), Answer)
        return found

    def verify(
        self,
        text: str,
        filters: Filters | None = None,
        on_claim: Callable[[CheckedClaim], None] = lambda _claim: None,
    ) -> Verification:
        """See `Assistant`."""
        for step in self._steps("/verify", _dump(VerifyCall(text, filters))):
            if "result" in step:
                return TypeAdapter(Verification).validate_python(step["result"])
            on_claim(TypeAdapter(CheckedClaim).validate_python(step["claim"]))
        raise self._lost()

    def ingest(
        self,
        reading: Reading,
        prune: Sequence[str] = (),
        progress: Progress = lambda _done, _total: None,
    ) -> IngestReport:
        """See `Assistant`."""
        for step in self._steps("/ingest", _dump(IngestCall(reading, tuple(prune)))):
            if "result" in step:
                return TypeAdapter(IngestReport).validate_python(step["result"])
            progress(step["done"], step["total"])
        raise self._lost()

    def _steps(self, path: str, body: bytes) -> Iterator[dict[str, Any]]:
        """Yield the JSON lines of a long call. Raises the error that the owner met."""
        try:
            with self._http.stream("POST", path, content=body) as response:
                if response.is_error:
                    response.read()
                    raise _error(response)
                for line in response.iter_lines():
                    step = json.loads(line)
                    if "error" in step:
                        raise _named(step["error"], step["message"])
                    yield step
        except httpx.HTTPError as error:
            raise self._lost() from error

    def remove(self, ids: Sequence[str]) -> list[str]:
        """See `Assistant`."""
        gone: list[str] = self._call("remove", list(ids), list[str])
        return gone

    def check(self) -> list[str]:
        """See `Assistant`."""
        found: list[str] = self._call("check", None, list[str])
        return found

    def repair(self) -> None:
        """See `Assistant`."""
        self._call("repair", None, type(None))

    def compact(self) -> bool:
        """See `Assistant`."""
        done: bool = self._call("compact", None, bool)
        return done

    def close(self) -> None:
        """See `Assistant`."""
        self._http.close()

    def _call(self, name: str, argument: Any, result: Any) -> Any:
        try:
            response = self._http.post(f"/{name}", content=_dump(argument))
        except httpx.HTTPError as error:
            raise self._lost() from error
        if response.is_error:
            raise _error(response)
        return TypeAdapter(result).validate_json(response.content)

    def _lost(self) -> RecoupeError:
        return IndexBusyError(lost_message(self.owner))


def _dump(value: Any) -> bytes:
    return TypeAdapter(type(value)).dump_json(value)


def _error(response: httpx.Response) -> RecoupeError:
    try:
        body = response.json()
        return _named(body["error"], body["message"])
    except (ValueError, KeyError):
        return RecoupeError(
            f"Le processus qui tient l'index a échoué ({response.status_code}) : voyez son journal."
        )


def _named(name: str, message: str) -> RecoupeError:
    kind = getattr(errors, name, RecoupeError)
    known = isinstance(kind, type) and issubclass(kind, RecoupeError)
    return kind(message) if known else RecoupeError(message)
