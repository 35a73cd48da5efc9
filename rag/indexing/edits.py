"""What a keeper says of an article, kept with its record: corrections, and that it is withheld.

Edits are pairs of a field (`EDITABLE`) and its corrected value. Beside each stands, under
`was:FIELD`, what the article itself gives, so that a correction can be undone. `withheld` holds
the day (ISO 8601) from which the article is kept and answers nothing, whatever is read of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from rag.domain import EDITABLE, WITHHELD, Source

Edits = tuple[tuple[str, str], ...]
WAS_PREFIX = "was:"
DEDUCED = f"{WAS_PREFIX}deduced"


def corrected(source: Source, edits: Iterable[tuple[str, str]]) -> Source:
    """Return a source with the corrections of a keeper; `published` is ISO 8601 or ""."""
    fields: dict[str, Any] = {k: v for k, v in edits if k in EDITABLE}
    if "published" in fields:
        day = fields["published"]
        fields |= {"published": date.fromisoformat(day) if day else None, "deduced": False}
    return replace(source, **fields)


def merged(before: Edits, edits: Mapping[str, str], source: Source) -> Edits:
    """Return edits with others added; `source` is what the article says, corrected by `before`.

    A `withheld` of "" takes the withholding away.
    """
    found = dict(before)
    for field, value in edits.items():
        if field in EDITABLE and field not in found:
            found |= _given(source, field)
        found[field] = value
    if not found.get(WITHHELD):
        found.pop(WITHHELD, None)
    return tuple(sorted(found.items()))


def read_again(edits: Edits, source: Source) -> Edits:
    """Return edits that hold for an article that was read again, `source` being what it says."""
    found = {k: v for k, v in edits if not k.startswith(WAS_PREFIX)}
    for field in EDITABLE:
        if field in found:
            found |= _given(source, field)
    return tuple(sorted(found.items()))


def undone(edits: Edits, fields: Iterable[str], source: Source) -> tuple[Source, Edits]:
    """Return a source and its edits without the corrections of some fields.

    A field whose own value was not kept (an index of before) stays as it is until its article is
    read again.
    """
    found = dict(edits)
    for field in fields:
        if found.pop(field, None) is None:
            continue
        was = found.pop(f"{WAS_PREFIX}{field}", None)
        if was is not None:
            source = corrected(source, [(field, was)])
        if field == "published":
            source = replace(source, deduced=bool(found.pop(DEDUCED, "")))
    return source, tuple(sorted(found.items()))


def withheld_on(edits: Iterable[tuple[str, str]]) -> date | None:
    """Return the day from which a keeper withholds an article, None where he does not."""
    day = dict(edits).get(WITHHELD)
    return date.fromisoformat(day) if day else None


def _given(source: Source, field: str) -> dict[str, str]:
    value = getattr(source, field)
    found = {f"{WAS_PREFIX}{field}": value.isoformat() if isinstance(value, date) else value or ""}
    if field == "published" and source.deduced:
        found[DEDUCED] = "1"
    return found
