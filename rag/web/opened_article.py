"""An article as a panel shows it: its text, what it said before, who else prints or corrects it."""

from __future__ import annotations

from rag.assistant import LocalAssistant
from rag.domain import Citation
from rag.web.render import article_html


def opened_article(
    assistant: LocalAssistant,
    article_id: str,
    citation: Citation | None = None,
    *,
    for_itself: bool = False,
) -> str:
    """Return an article as HTML, a citation of it highlighted.

    Read `for_itself`, and not beside what cites it, it tells who is quoted in it too. Raises
    ArticleNotFoundError, StoreError, EmbeddingError.
    """
    return article_html(
        assistant.article(article_id),
        citation,
        whole=assistant.settings.public_text,
        history=assistant.history(article_id),
        copies=assistant.copies(article_id),
        corrections=assistant.corrections(article_id),
        speakers=assistant.speakers(article_id) if for_itself else None,
    )
