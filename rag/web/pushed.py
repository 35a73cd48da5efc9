"""An article that a CMS pushes, made as those of files are."""

from __future__ import annotations

import re
from dataclasses import replace

from rag import messages
from rag.domain import Article
from rag.errors import ReadError
from rag.readers import Bounds, read_text
from rag.web.schemas import ArticleBody

_WHOLE = re.compile(r"<(?:html|head|body)\b", re.IGNORECASE)
_MARKS = re.compile(r"<meta\b[^<>]*>|<script\b[^<>]*ld\+json[^<>]*>[^<]*</script>", re.IGNORECASE)


def pushed_article(
    article_id: str, body: ArticleBody, bounds: Bounds, *, paid_before: bool
) -> Article:
    """Return the article, cleaned, under the id that the CMS gave. Raises ReadError.

    One that readers paid for before is not free for want of a word about it.
    """
    html = body.format == "html"
    text = _page(body.text) if html else body.text
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
        raise ReadError(messages.NOT_INDEXABLE.format(error)) from error
    paid = body.paywalled
    if paid is None:
        paid = article.source.paywalled or paid_before
    return replace(article, id=article_id, source=replace(article.source, paywalled=paid))


def _page(body: str) -> str:
    """Return HTML as a page; what its publisher says of it to machines stands in its head."""
    if _WHOLE.search(body):
        return body
    marks = "".join(m.group() for m in _MARKS.finditer(body))
    return (
        f"<html><head>{marks}</head><body><article>{_MARKS.sub('', body)}</article></body></html>"
    )
