"""Readers for plain text and for Markdown with front matter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.cleaning import Block, blocks_of
from rag.domain import Failure
from rag.errors import ReadError
from rag.readers.draft import ALIASES, Draft, decode, known_fields, source_of

_HEADER = re.compile(r"^([^\W\d_][\w -]{1,30}?)\s*:\s+(\S.*)$")


def read_plain(data: bytes, name: str) -> Iterator[Draft | Failure]:
    """Read one article of plain text.

    Lines « Titre : … », « Source : … », « Date : … » at the top are metadata;
    without a title there, a first line that stands alone is the title.
    """
    lines = decode(data).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    header: dict[str, str] = {}
    while lines:
        match = _HEADER.match(lines[0].strip())
        if match and match.group(1).strip().lower().replace(" ", "_") in _HEADER_NAMES:
            header[match.group(1)] = match.group(2)
        elif lines[0].strip():
            break
        lines.pop(0)
    fields = known_fields(header)
    blocks = blocks_of("\n".join(lines))
    if "title" not in fields and blocks and len(blocks) > 1 and _is_title(blocks[0].text):
        fields["title"] = blocks[0].text
        blocks = blocks[1:]
    yield Draft(source_of(fields, name), tuple(blocks), fields.get("identity", ""))


def read_markdown(data: bytes, name: str) -> Iterator[Draft | Failure]:
    """Read one Markdown article; front matter (YAML) holds its metadata.

    A first-level heading is the title when the front matter has none. Links
    keep their text, pictures and raw HTML are left out. Raises ReadError when
    the front matter is not YAML.
    """
    import frontmatter
    import yaml

    text = decode(data)
    try:
        post = frontmatter.loads(text)
    except yaml.YAMLError as error:
        raise ReadError("l'en-tête (entre « --- ») n'est pas du YAML lisible") from error
    fields = known_fields(post.metadata)
    blocks = list(_markdown_blocks(post.content))
    if "title" not in fields and blocks and blocks[0].heading:
        fields["title"] = blocks[0].text
        blocks = blocks[1:]
    yield Draft(source_of(fields, name), tuple(blocks), fields.get("identity", ""))


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
