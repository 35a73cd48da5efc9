"""What every reader gives: an article's metadata and blocks, before cleaning."""

from __future__ import annotations

import codecs
import io
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rag import messages
from rag.domain import EDITABLE, WITHHELD, Failure, Source
from rag.errors import ReadError
from rag.french.dates import parse_date
from rag.french.words import fold, shorten
from rag.markup import is_web_address
from rag.readers.cleaning import Block, tidy

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

# Of a stored field: characters of a title, of another; then bytes of UTF-8 of either, which
# is what stores bound.
_LONGEST_TITLE = 1000
_LONGEST_FIELD = 2000
LONGEST_STORED = 4096
# « Par Inès Caron »: how a page introduces its author is not the name.
_BY = re.compile(r"^\s*(?i:propos recueillis par|par|by)\s+(?=[A-ZÀ-ÖØ-Þ])")
_FIRST_PRESS = 1600  # no paper was printed before
# Of a list of texts; lists of YAML may hold one long text many times by its alias.
_LONGEST_LIST = 2_000_000
# Of a field's name: ours are short, and another is folded for nothing.
_LONGEST_KEY = 100


FileReader = Callable[[bytes, str, str], Iterator[Draft | Failure]]
"""Takes the content, its name, and the encoding that a server announced, or ""."""


def known_fields(data: Mapping[Any, Any]) -> dict[str, str]:
    """Return the fields of `data` whose names are known, as whole text, under our names.

    A value is a text or a list of texts; another (an object, a list of lists) is ignored.
    """
    found: dict[str, str] = {}
    for key, value in data.items():
        if not isinstance(key, str) or len(key) > _LONGEST_KEY:
            continue
        name = ALIASES.get(re.sub(r"[\s-]+", "_", fold(key).strip()))
        between = "\n\n" if name == "text" else ", "
        if name and name not in found and (text := _as_text(value, between)):
            found[name] = text
    return found


def _as_text(value: object, between: str) -> str:
    """Return a text, or the texts of a list with `between`, without halves of characters.

    Of anything else, "".
    """
    if isinstance(value, list):
        texts: list[str] = []
        size = 0
        for item in value:
            if not isinstance(item, str):
                return ""
            size += len(item) + 2
            if size > _LONGEST_LIST:
                break
            texts.append(item)
        value = between.join(texts)
    return _whole(value).strip() if isinstance(value, str) else ""


def _whole(text: str) -> str:
    r"""Return text whose surrogates are paired or replaced: escapes (`\ud800`) make lone ones."""
    if text.isascii() or not re.search("[\ud800-\udfff]", text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def source_of(fields: Mapping[str, str], where: str) -> Source:
    """Build a source from known fields; a date that cannot be read is logged and left out.

    Fields are cut to what a store takes; an address that is longer is left out, since a
    piece of it leads elsewhere.
    """
    published = _day(fields.get("published", ""), where)
    url = _whole(fields.get("url", ""))
    if url and (len(url) > _LONGEST_FIELD or _bytes(url) > LONGEST_STORED):
        log.warning("%s : adresse trop longue, laissée vide : %s", where, url[:80])
        url = ""
    if url and not is_web_address(url):
        log.warning("%s : adresse refusée, laissée vide : %s", where, url[:80])
        url = ""
    return Source(
        title=_bounded(fields.get("title", ""), _LONGEST_TITLE),
        name=_name(fields.get("name", "")),
        author=_name(_BY.sub("", fields.get("author", ""))),
        published=published,
        url=url,
        section=_name(fields.get("section", "")),
    )


def checked_edits(edits: Mapping[str, str]) -> dict[str, str]:
    """Return a keeper's corrections of a source as they are kept: bounded, the date ISO 8601.

    Raises ReadError for a field that cannot be corrected, a date that cannot be read, an
    address that is none, and a title that is taken away.
    """
    found: dict[str, str] = {}
    for field, value in edits.items():
        text = value.strip()
        if field not in {*EDITABLE, WITHHELD}:
            raise ReadError(messages.NOT_EDITABLE.format(field, ", ".join(EDITABLE)))
        if field in {"published", WITHHELD}:
            day = _parsed_day(text, "correction") if text else None
            if text and day is None:
                raise ReadError(messages.BAD_EDIT_DATE.format(text[:40]))
            if day and not _is_of_press(day):
                old = day.year < _FIRST_PRESS
                wrong = messages.DATE_TOO_OLD if old else messages.DATE_TO_COME
                raise ReadError(wrong.format(text[:40]))
            found[field] = day.isoformat() if day else ""
        elif field == "url":
            found[field] = source_of({"url": text}, "correction").url
            if text and not found[field]:
                raise ReadError(messages.BAD_EDIT_ADDRESS.format(text[:80]))
        elif field == "title":
            found[field] = _bounded(text, _LONGEST_TITLE)
            if not found[field]:
                raise ReadError(messages.NO_TITLE)
        else:
            found[field] = _name(text)
    return found


def _day(text: str, where: str) -> date | None:
    """Return the day that a field names; None, with a line in the log, when it names none."""
    if not text:
        return None
    found = _parsed_day(text, where)
    if found and not _is_of_press(found):
        found = None  # a slip of the pen, or what a form was filled with
    if found is None:
        log.warning("%s : date illisible, laissée vide : %s", where, text[:80])
    return found


def _parsed_day(text: str, where: str) -> date | None:
    try:
        return parse_date(text)
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError):
        log.debug("%s", where, exc_info=True)  # what date libraries raise on a hostile text
        return None


def _is_of_press(day: date) -> bool:
    """Tell whether an article can be of a day: since there is press, and to next year at most."""
    return _FIRST_PRESS <= day.year <= date.today().year + 1


def decode(data: bytes, declared: str = "") -> str:
    """Return the text of a file in UTF-8, UTF-16 with mark, cp1252 or Latin-1.

    `declared` is the encoding that the file or its server names, a hint that is tried
    after UTF-8. Raises ReadError for binary content and for UTF-8 with broken sequences.
    Detection is by rule: on short French texts statistical detectors name
    Central European code pages that turn « é » into other letters.
    """
    if _is_utf16(data):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise ReadError(messages.BROKEN_UTF16) from error
    if b"\x00" in data or _control_share(data) > 0.02:
        raise ReadError(messages.BINARY_CONTENT)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if _valid_multibyte(data) > 0:
            raise ReadError(messages.BROKEN_UTF8.format(error.start)) from error
    for encoding in (declared, "cp1252", "latin-1"):
        if encoding and _is_charset(encoding):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                continue
    raise ReadError(messages.UNKNOWN_ENCODING)  # pragma: no cover - latin-1 reads any byte


def decoded_lines(data: bytes, declared: str = "") -> Iterator[str | ReadError]:
    """Yield the lines of a file of many rows, each with its end, or why it cannot be read.

    `declared` is as for `decode`.
    A line that is binary or broken does not lose the others, if most can be read. Raises
    ReadError when they cannot.
    """
    try:
        yield from io.StringIO(decode(data, declared), newline="")
    except ReadError as error:
        if _is_utf16(data):
            raise
        lines = data.removeprefix(codecs.BOM_UTF8).splitlines(keepends=True)
        broken = [not _is_text(line) for line in lines]
        if broken[0] or 2 * sum(broken) > len(lines):
            raise
        for line, bad in zip(lines, broken, strict=True):
            yield error if bad else line.decode("utf-8")


def _is_text(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\x00" not in line


def _is_utf16(data: bytes) -> bool:
    return data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def _is_charset(name: str) -> bool:
    """Tell whether `name` is a single-byte character set, which French has been written in.

    Python has codecs that are none (`utf-7`, `idna`), and the sets of other scripts turn
    « é » into their letters.
    """
    try:
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return False
    return bool(re.match(r"iso8859|cp(125\d|437|8[56]\d)|mac-", codec))


def _valid_multibyte(data: bytes) -> int:
    """Count the well-formed UTF-8 sequences of accented Latin letters and punctuation."""
    return len(re.findall(rb"\xc3[\x80-\xbf]|\xc5[\x92\x93]|\xe2\x80[\x90-\xbf]", data))


def _control_share(data: bytes) -> float:
    head = data[:65536]
    controls = sum(b < 9 or 13 < b < 32 for b in head)
    return controls / max(1, len(head))


def _bounded(text: str, characters: int) -> str:
    """Return a tidy field, cut to so many characters and to the bytes that a store takes."""
    text = shorten(tidy(text[: 4 * characters]), characters - 1)
    if _bytes(text) <= LONGEST_STORED:
        return text
    return text.encode()[: LONGEST_STORED - 3].decode(errors="ignore") + "…"


def _bytes(text: str) -> int:
    return len(text.encode())


def _name(text: str) -> str:
    """Return a name in one typography, so that a source is not listed twice."""
    return re.sub("[\u00a0\u202f]", " ", _bounded(text, _LONGEST_FIELD)).replace("'", "’")
