"""What sources bring articles into, as far as they need it; an assistant is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from rag.domain import Found, IngestReport, StoredArticle


class Corpus(Protocol):
    """The articles that sources keep in step; each method as `rag.operations.Assistant` has it."""

    def ingest(
        self, found: Iterable[Found], prune: Sequence[str] = (), *, readmit: bool = False
    ) -> IngestReport:
        """Bring the articles up to date with what was read."""
        ...

    def article(self, article_id: str) -> StoredArticle:
        """Return an article. Raises ArticleNotFoundError."""
        ...

    def answerable(self, ids: Sequence[str]) -> dict[str, bool]:
        """Return, for those of some articles that there are, whether they may answer."""
        ...

    def withdraw(self, days: Mapping[str, date | None]) -> list[str]:
        """Say on which day articles were withdrawn; return those for which it is new."""
        ...
