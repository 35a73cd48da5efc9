"""An article that a CMS pushes, made as those of files are."""

from __future__ import annotations

from dataclasses import replace

from rag.domain import Article
from rag.errors import ReadError
from rag.readers import Bounds, read_text
from rag.web.schemas import ArticleBody


def pushed_article(article_id: str, body: ArticleBody, bounds: Bounds) -> Article:
    """Return the article, cleaned, under the id that the CMS gave. Raises ReadError."""
    html = body.format == "html"
    text = f"<html><body><article>{body.text}</article></body></html>" if html else body.text
    fields = {
        "title": body.title,
        "name": body.source,
        "author": body.author,
        "section": body.section,
        "published": body.published.isoformat() if body.published else "",
        "url": body.url,
    }
    try:
        article = read_text(text, ".html" if html else ".txt", article_id, fields, bounds)
    except ReadError as error:
        raise ReadError(f"L'article ne peut pas être indexé : {error}.") from error
    return replace(article, id=article_id)
