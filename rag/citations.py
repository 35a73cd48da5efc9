"""How statements and their citations stand in a text: numbers, paragraphs, marks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rag import texts
from rag.domain import Citation, Source, Statement

_TIMELINE_DAYS = 2  # from which articles make a line of time


def render(statements: Sequence[Statement]) -> str:
    """Return the answer as plain text, each statement followed by its marks `[1]`.

    Marks number the distinct citations in order of appearance, as
    `number_citations` does.
    """
    numbers = number_citations(statements)
    lines = []
    for group in paragraphs(statements):
        sentences = [group[0].lead_in] if group[0].lead_in else []
        for statement in group:
            marks = "".join(f"[{numbers[c]}]" for c in statement.citations)
            doubt = "" if statement.supported else f" {texts.UNSUPPORTED_MARK}"
            sentences.append(f"{statement.text} {marks}".strip() + doubt)
        lines.append(" ".join(sentences))
    return "\n\n".join(lines)


def paragraphs(statements: Sequence[Statement]) -> list[list[Statement]]:
    """Return statements grouped under their lead-ins; those before any come first."""
    groups: list[list[Statement]] = []
    for statement in statements:
        if statement.lead_in or not groups:
            groups.append([])
        groups[-1].append(statement)
    return groups


def number_citations(statements: Sequence[Statement]) -> dict[Citation, int]:
    """Return the number, from 1, under which each distinct citation is shown."""
    numbers: dict[Citation, int] = {}
    for statement in statements:
        for citation in statement.citations:
            numbers.setdefault(citation, len(numbers) + 1)
    return numbers


def by_article(statements: Sequence[Statement]) -> list[tuple[Source, list[Citation]]]:
    """Return each article cited once, with its citations, in the order of their numbers."""
    found: dict[str, tuple[Source, list[Citation]]] = {}
    for citation in number_citations(statements):
        found.setdefault(citation.article_id, (citation.source, []))[1].append(citation)
    return list(found.values())


def counted(statements: Sequence[Statement]) -> tuple[int, int, int]:
    """Return how many articles are cited, of how many sources, and how many only for a copy.

    The first citation of a statement is where it stands; those after it print the same sentence.
    """
    articles = by_article(statements)
    own = _own(statements)
    copies = sum(cited[0].article_id not in own for _, cited in articles)
    names = {source.name or source.title for source, _ in articles}
    return len(articles), len(names), copies


def _own(statements: Sequence[Statement]) -> set[str]:
    """Return the articles whose sentences statements are: the first that each cites."""
    return {s.citations[0].article_id for s in statements if s.citations}


def timeline(statements: Sequence[Statement]) -> list[tuple[date, Source, Citation]]:
    """Return the dated articles cited, the oldest first, with their first citation.

    None where they are all of one day. What only prints again another's sentence is no other day.
    """
    own = _own(statements)
    dated = [
        (source.published, source, cited[0])
        for source, cited in by_article(statements)
        if source.published and cited[0].article_id in own
    ]
    if len({day for day, _, _ in dated}) < _TIMELINE_DAYS:
        return []
    return sorted(dated, key=lambda found: found[0])
