"""Recoupe's tools for assistants that speak MCP: `search`, `fetch`, `ask`, `verify`, all reading.

`search` and `fetch` have the signatures that ChatGPT's connectors ask for: one text in, `results`
with `id`, `title` and a `url` that is never empty, or one document. Served by the app at `/mcp`
(streamable HTTP) and by `recoupe mcp` (stdio).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from rag import messages, texts
from rag.domain import Hit, StoredArticle
from rag.errors import MissingExtraError, RecoupeError
from rag.paid import Allowance
from rag.version import VERSION
from rag.wire import AnswerOut, SourceOut, VerificationOut

if TYPE_CHECKING:
    from mcp.server.mcpserver import MCPServer

    from rag.domain import Answer, Verification
    from rag.settings import Settings

_MOST_PASSAGES = 10  # passages of a search
_SEARCH = (
    "Search French press articles. Give a question or keywords, in French if you can. Returns "
    "passages, best first: id (for fetch), title (article, source, date), url, and text, which is "
    "verbatim. What somebody is quoted as saying is evidence that they said it, not that it is so."
)
_FETCH = (
    "Return an article by an id of search: its text, verbatim, with its source, date and address."
)
_ASK = (
    "Ask a question in French about the articles. The answer is made of sentences that each carry "
    "the exact passages (article, start, end, quote) that they rest on, or is a refusal."
)
_VERIFY = (
    "Check the claims of a French text against the articles: for each a verdict, the evidence "
    "verbatim, who says it, and where. Nothing found is not a denial."
)


class Reads(Protocol):
    """What the tools ask of an assistant, here or in the process that owns the index."""

    def search(self, question: str, limit: int) -> list[Hit]:
        """See `Assistant`."""
        ...

    def article(self, article_id: str) -> StoredArticle:
        """See `Assistant`."""
        ...

    def ask(self, question: str) -> Answer:
        """See `Assistant`."""
        ...


Call = Callable[..., Awaitable[Any]]
"""Runs a function of the assistant with its arguments, in its turn."""

Check = Callable[[str], Awaitable["Verification"]]
"""Checks the claims of a text, a turn for each."""


def build_tools(
    assistant: Reads, call: Call, check: Check, settings: Settings, *, whole: bool
) -> MCPServer[Any]:
    """Return the server of the tools. Raises MissingExtraError without the package `mcp`.

    `call` runs what may take long, `check` verifies a text. With `whole` articles are given
    whole, else the passage that was found; of one that readers pay for, its beginning.
    """
    try:
        from mcp.server.mcpserver import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
        from mcp.types import ToolAnnotations
    except ImportError as error:
        raise MissingExtraError(messages.NO_MCP) from error

    base = _article_base(settings)
    reads = ToolAnnotations(read_only_hint=True, open_world_hint=False, idempotent_hint=True)
    server: MCPServer[Any] = MCPServer("recoupe", version=VERSION, instructions=_ASK)

    async def done(function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return await call(function, *arguments)
        except RecoupeError as error:
            raise ToolError(str(error)) from error

    @server.tool(title="Chercher des passages", description=_SEARCH, annotations=reads)
    async def search(query: str) -> dict[str, Any]:
        hits = await done(assistant.search, query, _MOST_PASSAGES)
        return {"results": [_result(hit, base) for hit in hits]}

    @server.tool(title="Lire un article", description=_FETCH, annotations=reads)
    async def fetch(id: str) -> dict[str, Any]:  # noqa: A002 - the name that clients ask for
        article_id, _, span = id.partition("#")
        article = await done(assistant.article, article_id)
        return _document(bounded_article(article, settings), id, span, base, whole=whole)

    @server.tool(title="Poser une question", description=_ASK, annotations=reads)
    async def ask(question: str) -> dict[str, Any]:
        answer = await done(assistant.ask, question)
        return AnswerOut.of(answer).plain() | {"passages": []}

    @server.tool(title="Vérifier des affirmations", description=_VERIFY, annotations=reads)
    async def verify(text: str) -> dict[str, Any]:
        try:
            return VerificationOut.of(await check(text)).plain()
        except RecoupeError as error:
            raise ToolError(str(error)) from error

    return server


def bounded_article(article: StoredArticle, settings: Settings) -> StoredArticle:
    """Return an article, or the beginning of one that readers pay for, whatever is asked of it."""
    source, text = article.record.source, article.text
    if not source.paywalled:
        return article
    quote = Allowance(settings.paid_characters).cut(source, article.record.id, 0, text)
    first = replace(article.passages[0], text=quote, end=len(quote))
    return StoredArticle(article.record, (first,))


def _article_base(settings: Settings) -> str:
    """Return the address, but for its id, of an article that has none of its own."""
    host = settings.public_url or f"http://{settings.host}:{settings.port}"
    return f"{host.rstrip('/')}/api/v1/articles/"


def _result(hit: Hit, base: str) -> dict[str, Any]:
    passage = hit.passage
    return {
        "id": f"{passage.article_id}#{passage.start}-{passage.end}",
        "title": texts.label(hit.source),
        "url": hit.source.url or base + passage.article_id,
        "text": passage.text,
    }


def _document(
    article: StoredArticle, asked: str, span: str, base: str, *, whole: bool
) -> dict[str, Any]:
    source = article.record.source
    start = span.partition("-")[0]
    at = int(start[:9]) if start.isascii() and start.isdigit() else 0
    found = next((p for p in article.passages if p.start <= at < p.end), None)
    # Without the right to the whole, the passage that a search found, and nothing without one.
    part = found.text if found and span else ""
    text = article.text if whole or source.paywalled else part
    return {
        "id": asked,
        "title": texts.label(source),
        "text": text,
        "url": source.url or base + article.record.id,
        "metadata": {
            key: str(value)
            for key, value in SourceOut.of(source).plain().items()
            if value is not None
        }
        | {"whole": str(whole and not source.paywalled).lower()},
    }
