"""Readers for files of many articles: JSON Lines, and CSV or TSV with named columns."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rag import messages
from rag.domain import Failure
from rag.errors import ReadError
from rag.markup import printable
from rag.readers.cleaning import blocks_of
from rag.readers.draft import Draft, decoded_lines, known_fields, source_of

log = logging.getLogger(__name__)

csv.field_size_limit(10_000_000)

# A quote that is never closed takes the lines after it: they are read again without it, this
# many times a file when they are many.
_FAR = 1000
_FAR_RETRIES = 20


class _BrokenRowError(ReadError):
    """A row that the CSV format does not allow; where it ends is not known."""


def read_jsonl(data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
    """Read one article a line; a bad line is a failure, the other lines are read.

    `charset` is the encoding that a server announced.
    """
    for row, line in enumerate(decoded_lines(data, charset), 1):
        if isinstance(line, ReadError):
            yield Failure(f"{name}#{row}", str(line))
        elif line.strip():
            yield _from_json(line, name, row)


def _from_json(line: str, name: str, row: int) -> Draft | Failure:
    where = f"{name}#{row}"
    try:
        # Numbers stay as they are written: nothing is computed, and none is too long.
        item = json.loads(line, parse_int=str, parse_float=str, parse_constant=lambda _: None)
    except json.JSONDecodeError as error:
        return Failure(where, messages.DAMAGED_JSON_LINE.format(error.pos))
    except RecursionError:
        return Failure(where, messages.DEEP_JSON_LINE)
    if not isinstance(item, dict):
        return Failure(where, messages.LINE_NOT_AN_OBJECT)
    return _draft(item, name, row)


def read_csv(data: bytes, name: str, charset: str = "") -> Iterator[Draft | Failure]:
    """Read one article a row; the first row names the columns.

    The separator is found in the first row. `charset` is the encoding that a server
    announced. Raises ReadError when no column holds the text.
    """
    lines = list(decoded_lines(data, charset))
    first = lines[0] if isinstance(lines[0], str) else ""
    separator = max(",;\t|", key=first.count)
    rows = _rows(lines, separator)
    columns = next((cells for cells in rows if cells), [])
    if isinstance(columns, ReadError):
        raise columns
    if "text" not in known_fields(dict.fromkeys(columns, "x")):
        named = ", ".join(printable(c)[:40] for c in columns[:8] if c)
        raise ReadError(messages.NO_TEXT_COLUMN.format(named))
    row = 0
    lost = False  # after a broken row: the rest of its text may look like rows of another width
    for cells in rows:
        if isinstance(cells, ReadError):
            row += 1
            yield Failure(f"{name}#{row}", str(cells))
            lost = isinstance(cells, _BrokenRowError)
            if lost and len(columns) == 1:  # any line of its text would pass for an article
                return
        elif cells and not (lost and len(cells) != len(columns)):
            row += 1
            lost = False
            if len(cells) != len(columns):
                yield Failure(f"{name}#{row}", messages.WRONG_NUMBER_OF_COLUMNS)
            else:
                # Of two columns with one name the first counts, as in JSON's known fields.
                yield _draft(dict(reversed(list(zip(columns, cells, strict=True)))), name, row)


def _rows(lines: Sequence[str | ReadError], separator: str) -> Iterator[list[str] | ReadError]:
    """Yield the cells of each row, or why it cannot be read; the row after it begins a line later.

    Lines that are not text make their row fail.
    """
    at = 0
    retries = _FAR_RETRIES
    while at < len(lines):
        reader = csv.reader(
            (
                "" if isinstance(lines[i], ReadError) else str(lines[i])
                for i in range(at, len(lines))
            ),
            delimiter=separator,
            strict=True,
        )
        begin = start = at
        try:
            for cells in reader:
                end = begin + reader.line_num
                bad = [line for line in lines[start:end] if isinstance(line, ReadError)]
                yield bad[0] if bad else cells
                start = end
            return
        except csv.Error as error:
            log.info("CSV : ligne %d", start + 1, exc_info=True)
            yield _BrokenRowError(messages.DAMAGED_CSV.format(_cause(error)))
            if begin + reader.line_num - start > _FAR:
                retries -= 1
                if not retries:
                    return
            at = start + 1


def _cause(error: csv.Error) -> str:
    """Return the French of what the standard library says of a row."""
    message = str(error)
    if "expected after" in message:
        return messages.QUOTE_IN_CELL
    if "unexpected end" in message:
        return messages.QUOTE_NOT_CLOSED
    if "larger than field limit" in message:
        return messages.LONG_CELL
    if "new-line" in message:
        return messages.NEW_LINE_IN_CELL
    return message


def _draft(item: Mapping[str, Any], name: str, row: int) -> Draft | Failure:
    fields = known_fields(item)
    where = f"{name}#{row}"
    if "text" not in fields:
        return Failure(where, messages.NO_TEXT_FIELD)
    blocks = tuple(blocks_of(fields["text"]))
    return Draft(source_of(fields, where), blocks, fields.get("identity", ""), row)
