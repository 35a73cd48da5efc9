"""An article that a CMS pushes, made as those of files are."""

from __future__ import annotations

from dataclasses import replace

from rag.domain import Article
from rag.errors import ReadError
from rag.readers import to_article
from rag.readers.draft import Draft, source_of
from rag.readers.html import read_html
from rag.readers.text import read_plain
from rag.web.schemas import ArticleBody


def pushed_article(article_id: str, body: ArticleBody) -> Article:
    """Return the article, cleaned, under the id that the CMS gave. Raises ReadError."""
    if body.format == "html":
        page = f"<html><body><article>{body.text}</article></body></html>"
        drafts = [d for d in read_html(page.encode(), article_id) if isinstance(d, Draft)]
    else:
        drafts = [d for d in read_plain(body.text.encode(), article_id) if isinstance(d, Draft)]
    if not drafts:
        raise ReadError("L'article ne contient pas de texte : envoyez-en un.")
    fields = {
        "title": body.title,
        "name": body.source,
        "author": body.author,
        "section": body.section,
        "published": body.published.isoformat() if body.published else "",
        "url": body.url,
    }
    draft = replace(drafts[0], source=source_of(fields, article_id), row=0)
    try:
        article = to_article(draft, "")
    except ReadError as error:
        raise ReadError(f"L'article ne peut pas être indexé : {error}.") from error
    return replace(article, id=article_id, path="")
