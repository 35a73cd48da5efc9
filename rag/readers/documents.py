"""Readers for documents: PDF, Word (DOCX), OpenDocument (ODT), EPUB.

Bounded besides what bounds every reader (`isolation.py`): the pages of a PDF, what a packed
document unpacks to.
"""

from __future__ import annotations

import logging
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from io import BytesIO
from itertools import pairwise
from math import inf
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, Any

from rag import messages
from rag.domain import Failure
from rag.errors import ReadError
from rag.readers.cleaning import Block
from rag.readers.draft import Draft, source_of
from rag.readers.published import day_of

if TYPE_CHECKING:
    from lxml.etree import _Element
    from pypdf import PageObject, PdfReader

log = logging.getLogger(__name__)

MOST_PAGES = 2000
MOST_UNPACKED = 150_000_000  # bytes, of a document that is an archive
_MOST_NAMED = 20  # pages without text, named
_EDGE_LINES = 2  # lines at the top and at the bottom of a page where heads and feet stand
_REPEATED_SHARE = 0.5  # share of the pages on which a line must stand to be one
_FEWEST_PAGES = 3  # pages below which nothing is told to repeat
# Of the usual width: a line that ends so, with a full stop, ends a paragraph
_SHORT_LINE_RATIO = 0.75
_PAGE_NUMBER = re.compile(r"(?i)^(?:page\s+)?[-–—]?\s*\d{1,4}\s*(?:[-–—]|(?:/|sur)\s*\d{1,4})?$")
_ENDS = '.!?…»:")”'
_PREFIXES = frozenset(
    "porte vice ex non demi semi mi avant après arrière contre sous sans grand grands petit petits "
    "haut hauts bas quasi auto anti franco anglo gallo hispano italo germano russo sino nord sud "
    "est ouest centre chef rendez peut c’est là au par ci mot tête pied bien mal nouveau nouvel "
    "tout toute chauffe garde lance ouvre passe pique porte presse essuie abat casse".split()
)
_ENCLITICS = frozenset(
    "il elle ils elles on je tu nous vous ce ci là même mêmes t t-il t-elle t-on y en moi toi lui "
    "leur le la les".split()
)
_HEADING_RATIO = 1.08  # times the size of most letters: a heading's
_PARAGRAPH_RATIO = 1.25  # times the distance of the nearest lines: another paragraph
_LONGEST_HEADING = 200  # characters
_BULLET = re.compile(r"^(?:[•▪◦‣–—*]|\d{1,2}[.)])\s")


def read_pdf(data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
    """Read the text of a PDF, its heads and feet cut, its lines joined, its pages known.

    A page without text (scanned) is a failure by its number. Raises ReadError where no page
    has any, for a file that a password keeps, and without the library.
    """
    del charset
    try:
        from pypdf import PdfReader
        from pypdf.errors import PdfReadError
    except ImportError as error:
        raise ReadError(messages.NO_LIBRARY.format("pypdf")) from error
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = PdfReader(BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ReadError(messages.ENCRYPTED_PDF)
        count = len(reader.pages)
    except ReadError:
        raise
    except (PdfReadError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        log.info("%s", name, exc_info=True)
        raise ReadError(messages.DAMAGED_PDF) from error
    if count > MOST_PAGES:
        raise ReadError(messages.LONG_PDF.format(count, MOST_PAGES))
    pages = [_page_lines(reader.pages[at]) for at in range(count)]
    empty = [at for at, lines in enumerate(pages, 1) if not lines]
    if len(empty) == count:
        raise ReadError(messages.SCANNED_PDF)
    for at in empty[:_MOST_NAMED]:
        yield Failure(f"{name}, page {at}", messages.PAGE_WITHOUT_TEXT)
    if len(empty) > _MOST_NAMED:
        yield Failure(name, messages.OTHER_PAGES_WITHOUT_TEXT.format(len(empty) - _MOST_NAMED))
    fields = _pdf_fields(reader)
    blocks = _joined(_without_edges(pages))
    title = _title(fields.get("title", ""), blocks)
    source = source_of({**fields, "title": title}, name)
    yield Draft(replace(source, deduced=source.published is not None), tuple(blocks))


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a page: its text, its height on the page and the size of its letters, in points.

    Both are 0.0 where the page does not tell.
    """

    text: str
    height: float = 0.0
    size: float = 0.0


def _page_lines(page: PageObject) -> list[_Line]:
    """Return the lines of a page; none where its text cannot be read."""
    placed = [_Line("")]
    longest = [0]  # piece of each line: it says the size, a drop cap or a note's mark does not

    def note(text: str, page: Any, line: Any, _font: Any, size: float) -> None:
        """Take a piece of text, with the matrices of its page and of its line."""
        for at, part in enumerate(text.split("\n")):
            if at:
                placed.append(_Line(""))
                longest.append(0)
            placed[-1] = replace(placed[-1], text=placed[-1].text + part)
            if (letters := len(part.strip())) > longest[-1]:
                longest[-1] = letters
                height = line[4] * page[1] + line[5] * page[3] + page[5]
                scale = abs(line[3] * page[3]) or 1.0
                placed[-1] = replace(placed[-1], height=height, size=round(abs(size) * scale, 1))

    try:
        text = page.extract_text(visitor_text=note) or ""
    except Exception:  # whatever a damaged page makes the library raise is a page without text
        log.info("page illisible", exc_info=True)
        return []
    text_lines = [" ".join(line.split()) for line in text.splitlines()]
    lines = [replace(line, text=" ".join(line.text.split())) for line in placed]
    if [line.text for line in lines if line.text] != [line for line in text_lines if line]:
        # The places of other lines say nothing of these.
        lines = [_Line(line) for line in text_lines]
    while lines and not lines[-1].text:
        lines.pop()
    return lines if any(any(c.isalnum() for c in line.text) for line in lines) else []


def _pdf_fields(reader: PdfReader) -> dict[str, str]:
    """Return what the file says of itself; its date is that of its making."""
    fields: dict[str, str] = {}
    try:
        about = reader.metadata
        if about is None:
            return {}
        fields = {"title": about.title or "", "author": about.author or ""}
        made = about.creation_date
        if isinstance(made, datetime):
            fields["published"] = made.date().isoformat()
    except Exception:
        log.info("métadonnées illisibles", exc_info=True)
    return {key: value for key, value in fields.items() if isinstance(value, str)}


def _title(title: str, blocks: Sequence[Block]) -> str:
    """Return the title that a document tells, unless it is a file's name."""
    if title and not re.search(
        r"(?i)\.(?:docx?|odt|pdf|indd|qxd|tmp)$|^microsoft word|untitled", title
    ):
        return title
    first = next((b.text for b in blocks), "")
    return first if len(first) <= 150 and first[-1:] not in ".;," else ""


def _without_edges(pages: Sequence[Sequence[_Line]]) -> list[list[_Line]]:
    """Return pages without the lines that stand at the edge of most, and their numbers."""
    edges: Counter[str] = Counter()
    shifts: Counter[int] = Counter()
    full = [p for p in pages if p]
    for at, lines in enumerate(pages):
        margin = [line.text for line in (*lines[:_EDGE_LINES], *lines[-_EDGE_LINES:]) if line.text]
        # Heads are no sentences: « Bureau 3 : 307 voix. » is the text's on every page.
        edges.update({_shape(line) for line in margin if _may_head(line)})
        shifts.update({n - at for line in margin if (n := _page_number(line)) is not None})
    least = max(_FEWEST_PAGES, _REPEATED_SHARE * len(full))
    repeated = {shape for shape, count in edges.items() if count >= least}
    # Numbers that go up with the pages are theirs; another figure is the text's.
    shift, times = shifts.most_common(1)[0] if shifts else (0, 0)
    numbered = times >= max(2, min(_FEWEST_PAGES, len(full)))

    def is_edge(line: str, at: int, count: int, page: int) -> bool:
        if _EDGE_LINES <= at < count - _EDGE_LINES:
            return False
        number = _page_number(line) if numbered else None
        return _shape(line) in repeated or (number is not None and number - page == shift)

    return [
        [line for at, line in enumerate(lines) if not is_edge(line.text, at, len(lines), page)]
        for page, lines in enumerate(pages)
    ]


def _page_number(line: str) -> int | None:
    """Return the number of a line that may be a page's alone."""
    return int(re.findall(r"\d+", line)[0]) if _PAGE_NUMBER.match(line) else None


def _may_head(line: str) -> bool:
    return not line.isdecimal() and line[-1] not in ".!?…:;"


def _shape(line: str) -> str:
    """Return what a head has on every page: numbers change."""
    return re.sub(r"\d+", "0", line).casefold()


def _joined(pages: Sequence[Sequence[_Line]]) -> list[Block]:
    """Return the paragraphs of pages: lines joined, words cut at the end of a line mended.

    A paragraph ends where lines stand apart, where the letters change their size, and after a
    short line; larger letters than those of most of the text are a heading's.
    """
    words = Counter(w.casefold() for lines in pages for line in lines for w in line.text.split())
    widths = sorted(len(line.text) for lines in pages for line in lines if line.text)
    usual = widths[len(widths) * 3 // 4] if widths else 0
    layout = _Layout(pages)
    blocks: list[Block] = []
    text, first, last, ended, before = "", 0, 0, True, _Line("")

    def close() -> None:
        nonlocal text
        if text:
            page = str(first) if first == last else f"{first}-{last}"
            heading = layout.is_large(before) and len(text) <= _LONGEST_HEADING
            blocks.append(Block(text, heading=heading, page=page))
        text = ""

    for number, lines in enumerate(pages, 1):
        for line in lines:
            content = line.text
            if not content:
                ended = ended or text[-1:] in _ENDS
                if text[-1:] in _ENDS:
                    close()
                continue
            apart = layout.are_apart(before, line)
            goes_on = content[0].islower() and text[-1:] not in _ENDS and line.size == before.size
            if text and (ended or (apart and not goes_on) or _BULLET.match(content)):
                close()
            if text:
                text, last = _mended(text, content, words), number
            else:
                text, first, last = content, number, number
            before = line
            ended = len(content) < _SHORT_LINE_RATIO * usual and (
                content[-1] in _ENDS or _stands(content)
            )
            # A heading of two lines is one.
            ended = ended and not (layout.is_large(line) and content[-1] not in _ENDS)
    close()
    return blocks


class _Layout:
    """How far lines of one size stand from each other, and the size of most of the text."""

    def __init__(self, pages: Sequence[Sequence[_Line]]) -> None:
        letters: Counter[float] = Counter()
        gaps: dict[float, list[float]] = {}
        for lines in pages:
            text_lines = [line for line in lines if line.text]
            for line in text_lines:
                letters[line.size] += len(line.text)
            for one, other in pairwise(text_lines):
                if one.size == other.size and (gap := one.height - other.height) > 0:
                    gaps.setdefault(one.size, []).append(gap)
        self._size = letters.most_common(1)[0][0] if letters else 0.0
        # Lines of a paragraph are the nearest that there are.
        self._gaps = {size: sorted(found)[len(found) // 4] for size, found in gaps.items()}

    def is_large(self, line: _Line) -> bool:
        """Tell whether a line's letters are larger than most."""
        return line.size > _HEADING_RATIO * self._size > 0

    def are_apart(self, one: _Line, other: _Line) -> bool:
        """Tell whether a line begins another paragraph than the one before, by where it stands."""
        if not (one.size and other.size):
            return False
        if one.size != other.size:
            return abs(one.size - other.size) > (_HEADING_RATIO - 1) * self._size
        return one.height - other.height > _PARAGRAPH_RATIO * self._gaps.get(one.size, inf)


def _stands(line: str) -> bool:
    """Tell whether a short line may be a title: a capital first, and no end of a sentence."""
    return line[:1].isupper() and len(line.split()) > 1 and line[-1] not in ",;-"


def _mended(text: str, line: str, words: Counter[str]) -> str:
    """Join a line to the text before it; a word that was cut is one word again."""
    if not (text.endswith("-") and text[-2:-1].isalpha() and line[:1].islower()):
        return f"{text} {line}"
    head, tail = text.rpartition(" ")[2][:-1], line.split(maxsplit=1)[0].rstrip(".,;:!?»)")
    whole, both = words[f"{head}{tail}".casefold()], words[f"{head}-{tail}".casefold()]
    first = re.split(r"['’-]", head.casefold())[-1]
    # « porte-parole », « dit-il » keep their hyphen; the document's own use comes first.
    if not whole and (both or first in _PREFIXES or tail.casefold() in _ENCLITICS):
        return text + line
    return text[:-1] + line


def read_docx(data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
    """Read a Word document. Raises ReadError for one that is damaged, and without the library."""
    del charset
    try:
        import docx
    except ImportError as error:
        raise ReadError(messages.NO_LIBRARY.format("python-docx")) from error
    archive = _checked(data)
    try:
        blocks = list(_docx_blocks(docx.Document(BytesIO(data))))
    except Exception as error:
        log.info("%s", name, exc_info=True)
        raise ReadError(messages.DAMAGED_WORD_FILE) from error
    fields = _docx_fields(archive)
    day = source_of({"published": day_of(fields.pop("published", ""))}, name).published
    yield _document(fields, day, blocks, name)


def _docx_fields(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return what a Word document says of itself.

    python-docx finds it by a relation that LibreOffice names otherwise, and makes up a title.
    """
    try:
        about = parse_xml(_member(archive, "docProps/core.xml"))
    except ReadError:
        return {}
    places = {"title": "{*}title", "author": "{*}creator", "published": "{*}created"}
    found = {name: about.findtext(place) or "" for name, place in places.items()}
    return {name: " ".join(value.split()) for name, value in found.items()}


def _docx_blocks(document: Any) -> Iterator[Block]:
    from docx.table import Table

    for item in document.iter_inner_content():
        if isinstance(item, Table):
            for row in item.rows:
                cells = dict.fromkeys(" ".join(c.text.split()) for c in row.cells)
                if line := " – ".join(c for c in cells if c):
                    yield Block(line)
            continue
        style = (item.style.name or "") if item.style is not None else ""
        heading = bool(re.match(r"(?i)heading|titre|title", style))
        for line in item.text.split("\n"):
            if line.strip():
                yield Block(line.strip(), heading)


_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_META_SPACE = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
_META = {
    "title": "{http://purl.org/dc/elements/1.1/}title",
    "author": "{http://purl.org/dc/elements/1.1/}creator",
    "published": f"{_META_SPACE}creation-date",
}


def read_odt(data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
    """Read an OpenDocument text. Raises ReadError for one that is damaged."""
    del charset
    with _checked(data) as archive:
        body = parse_xml(_member(archive, "content.xml"))
        about = (
            parse_xml(_member(archive, "meta.xml")) if "meta.xml" in archive.namelist() else None
        )
    blocks = []
    for element in body.iter(f"{_TEXT}h", f"{_TEXT}p"):
        if any(a.tag == f"{_TEXT}note" for a in element.iterancestors()):
            continue
        if line := " ".join(_paragraph_text(element).split()):
            blocks.append(Block(line, element.tag == f"{_TEXT}h"))
    fields = {
        key: (about.findtext(f".//{tag}") or "") if about is not None else ""
        for key, tag in _META.items()
    }
    # `creator` is who saved it last, and not always there.
    first = about.findtext(f".//{_META_SPACE}initial-creator") if about is not None else ""
    fields["author"] = first or fields["author"]
    made = fields.pop("published")[:10]
    day = date.fromisoformat(made) if re.fullmatch(r"\d{4}-\d\d-\d\d", made) else None
    yield _document(fields, day, blocks, name)


def _paragraph_text(element: _Element) -> str:
    """Return the text of a paragraph, its spaces and line breaks as marks have them, no notes."""
    parts = [element.text or ""]
    for child in element:
        if child.tag in {f"{_TEXT}s", f"{_TEXT}tab", f"{_TEXT}line-break"}:
            parts.append(" ")
        elif child.tag != f"{_TEXT}note" and isinstance(child.tag, str):
            parts.append(_paragraph_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _document(
    fields: dict[str, str], day: date | None, blocks: Sequence[Block], name: str
) -> Draft:
    """Return the draft of a document; the day on which it was made is a guess."""
    title = _title(fields.get("title", ""), blocks)
    source = source_of({**fields, "title": title}, name)
    if not blocks:
        raise ReadError(messages.NO_TEXT_IN_DOCUMENT)
    return Draft(replace(source, published=day, deduced=day is not None), tuple(blocks))


def read_epub(data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
    """Read an EPUB, each of its chapters an article, in reading order."""
    del charset
    from rag.readers.html import page_blocks

    with _checked(data) as archive:
        container = parse_xml(_member(archive, "META-INF/container.xml"))
        place = next((e.get("full-path") or "" for e in container.iter("{*}rootfile")), "")
        package = parse_xml(_member(archive, place))
        book = " ".join((package.findtext(".//{*}metadata/{*}title") or "").split())
        fields = {
            "name": book,
            "author": package.findtext(".//{*}metadata/{*}creator") or "",
            "published": (package.findtext(".//{*}metadata/{*}date") or "")[:10],
        }
        hrefs = {e.get("id"): e.get("href") or "" for e in package.iter("{*}item")}
        spine = [hrefs.get(e.get("idref"), "") for e in package.iter("{*}itemref")]
        row = 0
        for href in filter(None, spine):
            path = normpath(join(dirname(place), href.partition("#")[0]))
            try:
                blocks = page_blocks(_member(archive, path))
            except ReadError as error:
                yield Failure(f"{name} ({path})", str(error))
                continue
            if sum(len(b.text.split()) for b in blocks if not b.heading) < _MIN_CHAPTER:
                continue  # a cover, a table of contents
            row += 1
            title = next((b.text for b in blocks if b.heading), f"{book}, {row}" if book else "")
            yield Draft(source_of({**fields, "title": title}, name), tuple(blocks), row=row)
    if not row:
        raise ReadError(messages.NO_TEXT_IN_BOOK)


_MIN_CHAPTER = 20  # words


def _checked(data: bytes) -> zipfile.ZipFile:
    """Open a document that is an archive. Raises ReadError where it is none, or a bomb."""
    try:
        archive = zipfile.ZipFile(BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise ReadError(messages.DAMAGED_DOCUMENT) from error
    if sum(info.file_size for info in archive.infolist()) > MOST_UNPACKED:
        raise ReadError(messages.LARGE_DOCUMENT.format(MOST_UNPACKED // 1_000_000))
    return archive


def _member(archive: zipfile.ZipFile, path: str) -> bytes:
    """Return a part of a document. Raises ReadError."""
    try:
        return archive.read(path)
    except (KeyError, zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError,
            ValueError, EOFError) as error:  # fmt: skip
        raise ReadError(messages.PART_MISSING.format(path[:80])) from error


def parse_xml(data: bytes) -> _Element:
    """Return parsed XML; no entity is resolved, nothing is fetched. Raises ReadError."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=False)
    try:
        return etree.fromstring(data, parser)
    except (etree.LxmlError, ValueError) as error:
        raise ReadError(messages.DAMAGED_XML) from error


def texts_of(elements: Iterable[_Element]) -> list[str]:
    """Return the texts of elements, on one line each, empty ones left out."""
    found = (" ".join("".join(e.itertext()).split()) for e in elements)
    return [text for text in found if text]
