"""Readers for mail: newsletters (EML, mbox) and pages that browsers save (MHTML)."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from dataclasses import replace
from email import policy
from email.message import EmailMessage, Message
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any

from rag import messages
from rag.domain import Failure
from rag.errors import ReadError
from rag.readers.cleaning import Block, blocks_of
from rag.readers.draft import Draft, decode, source_of
from rag.readers.html import page_blocks, read_html

_MOST_MESSAGES = 20_000
_DEEPEST_MESSAGE = 3  # messages forwarded in messages
_FROM = re.compile(rb"(?:\A|\r?\n\r?\n)From \S+ [^\r\n]*\d\d:\d\d[^\r\n]*\r?\n")


def read_eml(data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
    """Read one message: its subject is the title, its sender the source."""
    del charset
    yield _draft(_message(data), name, 0)


def read_mbox(data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
    """Read a mailbox, an article a message (RFC 4155). Raises ReadError where there is none."""
    del charset
    starts = list(_FROM.finditer(data))
    if not starts:
        raise ReadError(messages.NOT_A_MAILBOX)
    ends = [*(m.start() for m in starts[1:]), len(data)]
    for row, (match, end) in enumerate(zip(starts, ends, strict=True), 1):
        if row > _MOST_MESSAGES:
            yield Failure(name, messages.MANY_MAILS.format(_MOST_MESSAGES))
            return
        content = re.sub(rb"(?m)^>(>*From )", rb"\1", data[match.end() : end])
        try:
            yield _draft(_message(content), name, row)
        except ReadError as error:
            yield Failure(f"{name}#{row}", str(error))


def read_mhtml(data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
    """Read a page that a browser saved whole (RFC 2557). Raises ReadError where it has none."""
    del charset
    message = _message(data)
    page = next((p for p in message.walk() if p.get_content_type() == "text/html"), None)
    if page is None:
        raise ReadError(messages.NO_PAGE_IN_MHTML)
    where = str(message.get("Snapshot-Content-Location") or page.get("Content-Location") or "")
    for draft in read_html(_bytes(page), name, page.get_content_charset() or ""):
        if isinstance(draft, Draft) and not draft.source.url and where:
            url = source_of({"url": where.strip()}, name).url
            draft = replace(draft, source=replace(draft.source, url=url))  # noqa: PLW2901
        yield draft


def _message(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=policy.default)
    if not message.keys():
        raise ReadError(messages.NOT_A_MAIL)
    assert isinstance(message, EmailMessage)
    return message


def _draft(message: EmailMessage, name: str, row: int) -> Draft:
    """Return the draft of a message. Raises ReadError when it has no text."""
    sender, address = parseaddr(_header(message, "From"))
    fields = {
        "title": _header(message, "Subject"),
        "name": sender or address.rpartition("@")[2],
        "identity": _header(message, "Message-ID").strip("<> "),
    }
    source = source_of(fields, name)
    try:
        sent = parsedate_to_datetime(_header(message, "Date"))
        source = replace(source, published=sent.date())
    except (ValueError, TypeError, OverflowError):
        pass
    blocks = _body(message)
    if not blocks:
        raise ReadError(messages.NO_TEXT_IN_MAIL)
    return Draft(source, tuple(blocks), fields["identity"], row)


def _header(message: EmailMessage, name: str) -> str:
    """Return a header as text; a damaged one says what of it can be read."""
    try:
        return " ".join(str(message.get(name, "")).split())
    except (ValueError, LookupError, AttributeError, IndexError, TypeError):
        return ""  # what the standard library raises on headers that no program would write


def _body(message: EmailMessage, depth: int = 0) -> list[Block]:
    """Return the paragraphs of a message: of its page where it has one, else of its text."""
    try:
        part = message.get_body(preferencelist=("html", "plain"))
    except (ValueError, LookupError, AttributeError, TypeError):
        part = None
    if part is None:
        inner = next((p for p in message.walk() if p.get_content_type() == "message/rfc822"), None)
        forwarded = inner.get_payload() if inner is not None else None
        if isinstance(forwarded, list) and forwarded and isinstance(forwarded[0], EmailMessage):
            return _body(forwarded[0], depth + 1) if depth < _DEEPEST_MESSAGE else []
        return []
    if part.get_content_type() == "text/html":
        return page_blocks(_bytes(part), part.get_content_charset() or "")
    text = decode(_bytes(part), part.get_content_charset() or "")
    if part.get_param("format", "") == "flowed":  # RFC 3676: a space at the end goes on
        text = re.sub(r" \r?\n", " ", text)
    return blocks_of(text)


def _bytes(part: Message[Any, Any]) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
