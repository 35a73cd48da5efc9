"""Answers made of the articles' own sentences; nothing else is ever said."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rag import texts
from rag.answering.evidence import Evidence
from rag.domain import Answer, Citation, Hit, Source, Statement
from rag.french import format_date

MODE = "extractive"
_ENOUGH = 0.85  # share of the belief, over all candidate sentences, that an answer gathers
# One character for one: positions stay.
_TYPOGRAPHY = str.maketrans({"’": "'", "\u00a0": " ", "\u202f": " "})
_FAINT = 0.04  # a sentence below this share is left out


def compose(question: str, evidence: Sequence[Evidence], hits: Sequence[Hit], limit: int) -> Answer:
    """Return the few sentences that answer, article by article, in reading order.

    `evidence` is ranked, best first, and not empty. At most `limit` sentences;
    each is cited to the character, with the same sentence of republications.
    """
    chosen = select(evidence, limit)
    statements: list[Statement] = []
    for article_id in dict.fromkeys(e.hit.passage.article_id for e in chosen):
        mine = sorted(
            (e for e in chosen if e.hit.passage.article_id == article_id), key=lambda e: e.start
        )
        for at, e in enumerate(mine):
            intro = lead_in(e.hit.source) if at == 0 else ""
            statements.append(Statement(e.text, (e.citation(), *_copies(e)), lead_in=intro))
    return Answer(
        question=question,
        statements=tuple(statements),
        hits=tuple(hits),
        refused=False,
        mode=MODE,
        text=render(statements),
    )


def refuse(question: str, hits: Sequence[Hit], mode: str = MODE) -> Answer:
    """Return the answer that says the corpus has none, with the nearest passages."""
    text = texts.NO_ANSWER if hits else texts.NO_PASSAGE
    return Answer(question, (), tuple(hits), refused=True, mode=mode, text=text)


def select(evidence: Sequence[Evidence], limit: int) -> list[Evidence]:
    """Return the best sentences that together gather enough belief.

    Belief is the softmax of scores. A sentence that repeats one already
    chosen adds nothing and is passed over.
    """
    top = max(e.score for e in evidence)
    weights = [math.exp(e.score - top) for e in evidence]
    total = sum(weights)
    chosen: list[Evidence] = []
    gathered = 0.0
    for e, weight in zip(evidence, weights, strict=True):
        if chosen and (len(chosen) >= limit or gathered >= _ENOUGH or weight / total < _FAINT):
            break
        gathered += weight / total
        if all(e.text != other.text for other in chosen):
            chosen.append(e)
    return chosen


def lead_in(source: Source) -> str:
    """Return « Selon Le Courrier de…, 12 mars 2024 : », with what is known."""
    name = source.name or f"«\u00a0{source.title}\u00a0»"
    day = f", {format_date(source.published)}" if source.published else ""
    return f"Selon {name}{day}\u00a0:"


def render(statements: Sequence[Statement]) -> str:
    """Return the answer as plain text, each statement followed by its marks `[1]`.

    Marks number the distinct citations in order of appearance, as
    `number_citations` does.
    """
    numbers = number_citations(statements)
    lines = []
    for group in paragraphs(statements):
        said = [group[0].lead_in] if group[0].lead_in else []
        for statement in group:
            marks = "".join(f"[{numbers[c]}]" for c in statement.citations)
            doubt = "" if statement.supported else f" {texts.UNSUPPORTED_MARK}"
            said.append(f"{statement.text} {marks}".strip() + doubt)
        lines.append(" ".join(said))
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


def _copies(evidence: Evidence) -> list[Citation]:
    """Return the same sentence in republications of the passage, each in its own typography."""
    found = []
    for passage, source in evidence.hit.also:
        at = passage.text.translate(_TYPOGRAPHY).find(evidence.text.translate(_TYPOGRAPHY))
        if at >= 0:
            end = at + len(evidence.text)
            quote = passage.text[at:end]
            citation = Citation(
                passage.article_id, source, passage.start + at, passage.start + end, quote
            )
            found.append(citation)
    return found
