"""Readers for plain text and for Markdown with front matter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rag import messages
from rag.domain import Failure
from rag.errors import ReadError
from rag.readers.cleaning import Block, blocks_of
from rag.readers.draft import ALIASES, Draft, decode, known_fields, source_of

# Characters of front matter, which a parser in Python reads slowly; an archive has some hundreds.
_LONGEST_HEADER = 100_000
_HEADER = re.compile(r"^([^\W\d_][\w -]{1,30}?)\s*:\s+(\S.*)$")


def read_plain(data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
    """Read one article of plain text.

    Lines « Titre : … », « Source : … », « Date : … » at the top are metadata;
    without a title there, a first line that stands alone is the title. `charset`
    is the encoding that a server announced.
    """
    lines = decode(data, charset).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    header: dict[str, str] = {}
    start = 0
    for line in map(str.strip, lines):
        match = _HEADER.match(line)
        if match and match.group(1).strip().lower().replace(" ", "_") in _HEADER_NAMES:
            header[match.group(1)] = match.group(2)
        elif line:
            break
        start += 1
    fields = known_fields(header)
    blocks = blocks_of("\n".join(lines[start:]))
    if "title" not in fields and blocks and len(blocks) > 1 and _is_title(blocks[0].text):
        fields["title"] = blocks[0].text
        blocks = blocks[1:]
    yield Draft(source_of(fields, name), tuple(blocks), fields.get("identity", ""))


def read_markdown(data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
    """Read one Markdown article; front matter (YAML) holds its metadata.

    A first-level heading is the title when the front matter has none. Links
    keep their text, pictures and raw HTML are left out. `charset` is the
    encoding that a server announced. Raises ReadError when the front matter is
    not YAML.
    """
    header, content = _front_matter(decode(data, charset))
    fields = known_fields(header)
    blocks = list(_markdown_blocks(content))
    if "title" not in fields and blocks and blocks[0].heading:
        fields["title"] = blocks[0].text
        blocks = blocks[1:]
    yield Draft(source_of(fields, name), tuple(blocks), fields.get("identity", ""))


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Return the metadata and the body of a Markdown file.

    Every scalar stays text, as it is written: no date that the calendar lacks, no
    « non » that becomes false, no object that a tag asks for.
    """
    import yaml
    from frontmatter.default_handlers import YAMLHandler

    handler = YAMLHandler()
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not handler.detect(text):
        return {}, text
    try:
        header, content = handler.split(text)
    except ValueError:  # « --- » on the first line opens nothing: it is a rule
        return {}, text
    if len(header) > _LONGEST_HEADER:
        raise ReadError(messages.LONG_HEADER.format(f"{_LONGEST_HEADER:_}".replace("_", " ")))
    try:
        found = yaml.load(header, Loader=yaml.BaseLoader)  # noqa: S506 - makes text alone
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an escape of no character
        raise ReadError(messages.BAD_HEADER) from error
    except RecursionError as error:
        raise ReadError(messages.DEEP_HEADER) from error
    return found if isinstance(found, dict) else {}, content


def _markdown_blocks(content: str) -> Iterator[Block]:
    from markdown_it import MarkdownIt

    kind = ""
    for token in MarkdownIt("commonmark").enable("table").parse(content):
        if token.type in {"heading_open", "paragraph_open"}:
            kind = token.type
        elif token.type == "inline" and token.children is not None:
            parts = [
                " " if child.type in {"softbreak", "hardbreak"} else child.content
                for child in token.children
                if child.type in {"text", "code_inline", "softbreak", "hardbreak"}
            ]
            if line := "".join(parts).strip():
                yield Block(line, kind == "heading_open")
        elif token.type in {"fence", "code_block"}:
            yield from blocks_of(token.content)


def _is_title(line: str) -> bool:
    return len(line) <= 150 and line[-1] not in ".;,:…"


_HEADER_NAMES = {a for a in ALIASES if a not in {"text", "texte", "article"}} | {
    "média",
    "éditeur",
    "catégorie",
    "publié",
    "publié_le",
}
