"""The address of an answer: its question, which articles may answer, and of which corpus it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, urlencode

from pydantic import ValidationError

from rag.domain import Filters
from rag.web.schemas import FiltersBody

# How a link to an answer names what it filters by.
_QUERY = {
    "sources": "source",
    "sections": "rubrique",
    "authors": "auteur",
    "since": "depuis",
    "until": "jusqu",
    "articles": "article",
}


def link(question: str, filters: Filters, corpus: str) -> str:
    """Return the query of the address that asks a question again, with its filters.

    `corpus` tells of which state of the corpus the answer was.
    """
    found: list[tuple[str, str]] = [("q", question)]
    for field, name in _QUERY.items():
        value = getattr(filters, field)
        values = value if isinstance(value, tuple) else (value,) if value else ()
        found += [(name, str(v)) for v in values]
    return f"?{urlencode([*found, ('corpus', corpus)])}"


def linked(query: str) -> tuple[str, Filters, str]:
    """Return what `link` was given; filters that cannot be are left out."""
    found: Mapping[str, Sequence[str]] = parse_qs(query.lstrip("?"), max_num_fields=200)
    one = {"since", "until"}
    body = {
        field: found[name][0] if field in one else list(found[name])
        for field, name in _QUERY.items()
        if name in found
    }
    try:
        filters = FiltersBody.model_validate(body).filters()
    except ValidationError:
        filters = Filters()
    return found.get("q", [""])[0], filters, found.get("corpus", [""])[0]
