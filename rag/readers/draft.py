"""What every reader gives: an article's metadata and blocks, before cleaning."""

from __future__ import annotations

import codecs
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rag.cleaning import Block, tidy
from rag.domain import Source
from rag.errors import ReadError
from rag.french import fold, parse_date
from rag.markup import is_web_address

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Draft:
    """An article as found. `row` is its place in a file of several (1-based), or 0."""

    source: Source
    blocks: tuple[Block, ...]
    identity: str = ""
    row: int = 0


# Field names met in French and English exports, folded.
FIELDS = {
    "title": "titre title headline titre_article",
    "text": "texte text contenu content corps body article article_text full_text",
    "name": "source journal media publication publisher newspaper editeur",
    "author": "auteur auteurs author authors byline signature journaliste",
    "published": "date publie publie_le published published_at date_publication publication_date "
    "datetime date_published pubdate",
    "url": "url lien link adresse canonical",
    "section": "rubrique section categorie category",
    "identity": "id identifiant article_id guid",
}
ALIASES = {alias: name for name, aliases in FIELDS.items() for alias in aliases.split()}


def known_fields(data: Mapping[Any, Any]) -> dict[str, str]:
    """Return the fields of `data` whose names are known, as text, under our names."""
    found: dict[str, str] = {}
    for key, value in data.items():
        name = ALIASES.get(re.sub(r"[\s-]+", "_", fold(str(key)).strip()))
        if name and value not in (None, "", []) and name not in found:
            many = isinstance(value, list | tuple)
            found[name] = ", ".join(map(str, value)) if many else str(value).strip()
    return found


def source_of(fields: Mapping[str, str], where: str) -> Source:
    """Build a source from known fields; a date that cannot be read is logged and left out."""
    published = parse_date(fields.get("published", ""))
    if fields.get("published") and published is None:
        log.warning("%s : date illisible, laissée vide : %s", where, fields["published"][:80])
    url = fields.get("url", "")
    if url and not is_web_address(url):
        log.warning("%s : adresse refusée, laissée vide : %s", where, url[:80])
        url = ""
    return Source(
        title=tidy(fields.get("title", "")),
        name=_name(fields.get("name", "")),
        author=_name(fields.get("author", "")),
        published=published,
        url=url,
        section=_name(fields.get("section", "")),
    )


def decode(data: bytes, declared: str = "") -> str:
    """Return the text of a file in UTF-8, UTF-16 with mark, cp1252 or Latin-1.

    `declared` is the encoding that the file names itself, tried after UTF-8.
    Raises ReadError for binary content and for UTF-8 with broken sequences.
    Detection is by rule: on short French texts statistical detectors name
    Central European code pages that turn « é » into other letters.
    """
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError as error:
                raise ReadError("encodage abîmé (UTF-16 incomplet)") from error
    if b"\x00" in data or _control_share(data) > 0.02:
        raise ReadError("contenu binaire, pas du texte")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if _valid_multibyte(data) > 0:
            raise ReadError(f"encodage abîmé : UTF-8 interrompu à l'octet {error.start}") from error
    for encoding in (declared, "cp1252", "latin-1"):
        if encoding and fold(encoding) not in {"utf-8", "utf8"}:
            try:
                return data.decode(encoding)
            except (UnicodeDecodeError, LookupError):
                continue
    raise ReadError("encodage inconnu")  # pragma: no cover - latin-1 reads any byte


def _valid_multibyte(data: bytes) -> int:
    """Count the well-formed UTF-8 sequences of accented Latin letters and punctuation."""
    return len(re.findall(rb"\xc3[\x80-\xbf]|\xc5[\x92\x93]|\xe2\x80[\x90-\xbf]", data))


def _control_share(data: bytes) -> float:
    head = data[:65536]
    controls = sum(b < 9 or 13 < b < 32 for b in head)
    return controls / max(1, len(head))


def _name(text: str) -> str:
    """Return a name in one typography, so that a source is not listed twice."""
    return re.sub("[\u00a0\u202f]", " ", tidy(text)).replace("'", "’")
