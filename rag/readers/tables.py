"""Readers for files of many articles: JSON Lines, and CSV or TSV with named columns."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from rag.cleaning import blocks_of
from rag.domain import Failure
from rag.errors import ReadError
from rag.readers.draft import Draft, decode, known_fields, source_of

csv.field_size_limit(10_000_000)


def read_jsonl(data: bytes, name: str) -> Iterator[Draft | Failure]:
    """Read one article a line; a bad line is a failure, the other lines are read."""
    for row, line in enumerate(decode(data).split("\n"), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except json.JSONDecodeError as error:
            yield Failure(
                f"{name}#{row}", f"ligne JSON incomplète ou abîmée (caractère {error.pos})"
            )
            continue
        except RecursionError:
            yield Failure(f"{name}#{row}", "ligne JSON trop imbriquée")
            continue
        if not isinstance(item, dict):
            yield Failure(f"{name}#{row}", "la ligne n'est pas un objet JSON")
            continue
        yield _draft(item, name, row)


def read_csv(data: bytes, name: str) -> Iterator[Draft | Failure]:
    """Read one article a row; the first row names the columns.

    The separator is found in the first row. Raises ReadError when no column
    holds the text.
    """
    content = decode(data)
    first = content.split("\n", 1)[0]
    separator = max(",;\t|", key=first.count)
    rows = csv.DictReader(io.StringIO(content, newline=""), delimiter=separator, strict=True)
    try:
        columns = [c for c in rows.fieldnames or [] if c]
    except csv.Error as error:
        raise ReadError(f"CSV abîmé ({error})") from error
    if "text" not in known_fields(dict.fromkeys(columns, "x")):
        raise ReadError(
            f"aucune colonne de texte parmi {', '.join(columns[:8])} "
            "(attendue : texte, contenu ou text)"
        )
    row = 0
    try:
        for row, item in enumerate(rows, 1):
            if None in item or None in item.values():
                yield Failure(f"{name}#{row}", "la ligne n'a pas le bon nombre de colonnes")
                continue
            yield _draft(item, name, row)
    except csv.Error as error:
        yield Failure(f"{name}#{row + 1}", f"CSV abîmé ({error})")


def _draft(item: Mapping[str, Any], name: str, row: int) -> Draft | Failure:
    fields = known_fields(item)
    where = f"{name}#{row}"
    if "text" not in fields:
        return Failure(where, "pas de texte (champ attendu : texte, contenu ou text)")
    blocks = tuple(blocks_of(fields["text"]))
    return Draft(source_of(fields, where), blocks, fields.get("identity", ""), row)
