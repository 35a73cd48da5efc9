"""From the bytes of one file to its articles, cleaned, each with an id that lasts.

Whatever the bytes are, only ReadError leaves `read_bytes`, and a bad row does not lose the
others of its file.
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import replace
from pathlib import Path

from rag import messages
from rag.domain import Article, Failure
from rag.errors import ReadError
from rag.french.corrections import is_correction
from rag.french.sentences import sentence_spans
from rag.french.words import fold, shorten, words
from rag.readers import agency, documents, html, mail, tables, text
from rag.readers.archive import ZipReader
from rag.readers.cleaning import assemble, clean
from rag.readers.draft import LONGEST_STORED, Draft, FileReader

log = logging.getLogger(__name__)

FileContents = tuple[list[Article], list[Failure]]
"""What a file gave: its articles, and its rows that could not be read."""

READERS: dict[str, FileReader] = {
    ".txt": text.read_plain,
    ".text": text.read_plain,
    ".md": text.read_markdown,
    ".markdown": text.read_markdown,
    ".html": html.read_html,
    ".htm": html.read_html,
    ".xhtml": html.read_html,
    ".jsonl": tables.read_jsonl,
    ".ndjson": tables.read_jsonl,
    ".csv": tables.read_csv,
    ".tsv": tables.read_csv,
    ".pdf": documents.read_pdf,
    ".docx": documents.read_docx,
    ".odt": documents.read_odt,
    ".epub": documents.read_epub,
    ".eml": mail.read_eml,
    ".mbox": mail.read_mbox,
    ".mhtml": mail.read_mhtml,
    ".mht": mail.read_mhtml,
    ".xml": agency.read_xml,
    ".json": agency.read_json,
}
READERS[".zip"] = ZipReader(READERS)

_LONGEST_LINE = 2_000_000  # characters; no article has such a line, a broken export does
_LONGEST_HEADING = 1000  # characters; past it a heading is a paragraph in a heading's clothes
_MOST_FAILURES = 1000  # rows named, of one file; the others are counted


def read_bytes(data: bytes, name: str, path: str, charset: str = "") -> FileContents:
    """Read the content of one file called `name`, whose articles will say `path`.

    `path` is empty for what came by the web: its articles are told apart by what they
    say, not by a name that two senders may share. `charset` is the encoding that a server
    announced. Raises ReadError, and nothing else, when nothing in it can be read.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in READERS:
        raise ReadError(messages.UNKNOWN_FILE_TYPE.format(suffix or messages.NO_SUFFIX))
    if not data.strip():
        raise ReadError(messages.EMPTY_FILE)
    rows = _Rows(name, path)
    try:
        for item in READERS[suffix](data, name, charset):
            rows.add(item)
    except ReadError:
        raise
    except Exception as error:
        reason = _error_message(error, name)
        if not rows.made and not rows.failures:
            raise ReadError(reason) from error
        rows.failures.append(Failure(name, reason))
    if not rows.made and not rows.failures:
        raise ReadError(messages.NO_ARTICLE_IN_FILE)
    if not rows.made and len(rows.failures) > 1:
        first = rows.failures[0].reason
        count = len(rows.failures) + rows.unnamed
        raise ReadError(messages.NO_LINE_IS_AN_ARTICLE.format(count, first))
    if rows.unnamed:
        rows.failures.append(Failure(name, messages.OTHER_UNREADABLE_LINES.format(rows.unnamed)))
    return rows.made, rows.failures


def to_article(draft: Draft, identity: str, where: str) -> Article:
    """Clean a draft into the article known by `identity`, found at `where`.

    Raises ReadError when no sentence is left.
    """
    if any(len(block.text) > _LONGEST_LINE for block in draft.blocks):
        raise ReadError(messages.LONG_LINE)
    blocks = [
        replace(b, heading=b.heading and len(b.text) <= _LONGEST_HEADING) for b in draft.blocks
    ]
    body, headings, pages = assemble(clean(blocks, draft.source.title, where))
    in_headings = {start for start, _ in headings}
    if not any(
        start not in in_headings and len(words(body[start:end])) > 1
        for start, end in sentence_spans(body)
    ):
        raise ReadError(messages.NO_SENTENCE)
    source = draft.source
    if not source.title:
        source = replace(source, title=shorten(body.split("\n", 1)[0], 90))
    source = replace(source, correction=is_correction(source.title, source.section, body))
    # A path that a store would cut names another file, which pruning would find missing.
    path = where if len(where.encode()) <= LONGEST_STORED else ""
    return Article(article_id(identity), source, body, headings, path, pages)


def article_id(identity: str) -> str:
    """Return a readable, stable id: the last part of the identity and a hash of it all."""
    last = re.split(r"[/\\]", identity.rstrip("/"))[-1].partition("?")[0]
    slug = re.sub(r"[^a-z0-9]+", "-", fold(re.sub(r"\.\w{2,8}(?=#|$)", "", last))).strip("-")
    digest = hashlib.blake2b(identity.encode(), digest_size=5).hexdigest()
    return f"{slug[:48].strip('-') or 'article'}-{digest}"


class _Rows:
    """The articles of one file, as its rows come; a file of one article has one row."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self.path = path
        self.made: list[Article] = []
        self.failures: list[Failure] = []
        self.unnamed = 0
        self._titled: dict[str, dict[str, str]] = {}  # identity -> text -> id

    def add(self, item: Draft | Failure) -> None:
        """Keep the article of a draft, or why there is none."""
        if isinstance(item, Failure):
            self._fail(item.name, item.reason)
            return
        where = f"{self.name}#{item.row}" if item.row else self.name
        try:
            self.made.append(self._article(item))
        except ReadError as error:
            self._fail(where, str(error))
        except Exception as error:
            self._fail(where, _error_message(error, where))

    def _fail(self, name: str, reason: str) -> None:
        if len(self.failures) < _MOST_FAILURES:
            self.failures.append(Failure(name, reason))
        else:
            self.unnamed += 1

    def _article(self, draft: Draft) -> Article:
        """Return the article of a draft. Raises ReadError when no sentence is left.

        Two rows with one title and no date are two articles. Of rows known by their title
        and date alone, the first has the id that it would have alone, the others one with
        their place; a text that comes again under one title keeps its id, and so is seen
        as the same article.
        """
        place = self.path or f"envoi/{self.name}"
        identity = _identity(draft, place)
        has_identifier = bool(draft.identity or draft.source.url)
        if not self.path and not has_identifier:
            identity += f"#{_digest(draft)}"
        where = f"{self.path}#{draft.row}" if draft.row else self.path
        made = to_article(draft, identity, where if self.path else "")
        if draft.row and draft.source.title and not has_identifier:
            earlier = self._titled.setdefault(identity, {})
            if earlier and made.text not in earlier:
                made = replace(made, id=article_id(f"{identity}#{len(earlier) + 1}"))
            made = replace(made, id=earlier.setdefault(made.text, made.id))
        return made


def _error_message(error: Exception, name: str) -> str:
    """Return the French of an error that a library raised; its traceback goes to the log."""
    log.info("%s", name, exc_info=error)
    if isinstance(error, MemoryError):
        return messages.NOT_ENOUGH_MEMORY
    if isinstance(error, RecursionError):
        return messages.DEEP_CONTENT
    return messages.UNREADABLE_CONTENT.format(type(error).__name__)


def _identity(draft: Draft, path: str) -> str:
    """Return what an article is known by: its id, else its address, else its place."""
    if identifier := draft.identity or draft.source.url:
        return identifier
    if not draft.row:
        return path
    # A row's number changes when rows are inserted above it; its title does not.
    source = draft.source
    return f"{path}#{source.title}#{source.published}" if source.title else f"{path}#{draft.row}"


def _digest(draft: Draft) -> str:
    """Return 16 hex digits of what a draft says: a mended title is the same article."""
    content = "\n".join(block.text for block in draft.blocks)
    return hashlib.blake2b(content.encode(errors="replace"), digest_size=8).hexdigest()
