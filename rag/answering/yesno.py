"""« Oui » or « Non » before an answer, where that is asked and the articles settle it.

What a question of yes or no asks is a claim: it is checked as one (`rag.checking`), with what that
weighs (corrections, newer figures, who says it). « Soutenu » answers yes, « Contredit » no; nothing
else does, and somebody's word is no answer of the articles.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from rag import texts
from rag.answering.extractive import lead_in
from rag.answering.premise import subject_first
from rag.citations import render
from rag.domain import Answer, CheckedClaim, ClaimEvidence, Label, Stance, Statement
from rag.french.words import fold

# Whether the articles say a claim, or the contrary. Raises EmbeddingError.
Verify = Callable[[str], CheckedClaim]

_MOST_SENTENCES = 2  # sentences that settle it, and are shown first
# Probability of the surest of them from which it is said: a wrong word before a right sentence does
# more harm than none. On press claims « Soutenu » is right 16 of 18 times from there on,
# « Contredit » 13 of 16; at the bars of verdicts 20 of 27 and 23 of 37.
_SURE_PROBABILITY = 0.75
_WHETHER = re.compile(r"est-ce qu(?:e\s+|['’]\s*)", re.IGNORECASE)
_OPENING = re.compile(r"(?:(?:et|mais|alors|donc)\b[\s,]*)+", re.IGNORECASE)
_INVERTED = re.compile(r"(\w+)-(?:t-)?(?:ils?|elles?)\b", re.IGNORECASE)
_THERE = re.compile(r"(?:n['’])?y\s(\w+)-(?:t-)?il\b", re.IGNORECASE)
# What asks for something else than yes or no, on a folded question.
_ASKING = re.compile(
    r"\b(?:qui|que|quoi|quand|pourquoi|comment|combien|ou|quel(?:le)?s?|lequel|laquelle|lesquels|"
    r"lesquelles|dont)\b|\bqu'"
)
_SHORTEST_CLAIM = 3  # words of a claim


def claim_of(question: str) -> str | None:
    """Return what a question of yes or no asks, as a statement; None for any other question.

    « La halle a-t-elle rouvert ? » and « Est-ce que la halle a rouvert ? » give « La halle a
    rouvert. »; a question without a subject of its own gives none.
    """
    asked = _OPENING.sub("", question.strip(), count=1).strip(" ?!.…\u00a0\u202f")
    if whether := _WHETHER.match(asked):
        claim: str | None = asked[whether.end() :]
    elif there := _THERE.match(asked):
        claim = f"il y {there.group(1)}{asked[there.end() :]}"
    elif inverted := _INVERTED.search(asked):
        asks_else = _ASKING.search(fold(asked[: inverted.start()]))
        claim = None if asks_else else subject_first(asked, inverted)
    else:
        return None
    if claim is None or len(claim.split()) < _SHORTEST_CLAIM or not question.rstrip().endswith("?"):
        return None
    return f"{claim[:1].upper()}{claim[1:]}."


def settled(question: str, answer: Answer, verify: Verify) -> Answer:
    """Return an answer, or a refusal, that begins with yes or no where that is settled.

    The sentences that settle it come first. Raises EmbeddingError.
    """
    claim = claim_of(question)
    if claim is None:
        return answer
    checked = verify(claim)
    if checked.verdict not in _INTROS:
        return answer
    deciding = [e for e in checked.evidence if e.stance is not Stance.NEITHER and not e.outranked]
    if max((e.probability for e in deciding), default=0.0) < _SURE_PROBABILITY:
        return answer
    shown = (
        _one_each_side(deciding)
        if checked.verdict is Label.DIVERGING
        else deciding[:_MOST_SENTENCES]
    )
    first = tuple(_statement(e) for e in shown)
    quotes = {s.text.strip() for s in first}
    rest = tuple(
        s
        for s in answer.statements
        if not any(s.text.strip() in t or t in s.text.strip() for t in quotes)
    )
    statements = (*first, *rest)
    intro = _INTROS[checked.verdict].format(texts.newspaper(shown[0].citation.source))
    return replace(
        answer,
        statements=statements,
        refused=False,
        tentative=False,
        nearest=(),
        suggestion="",
        intro=intro,
        text=f"{intro}\n\n{render(statements)}",
    )


_INTROS = {
    Label.SUPPORTED: texts.YES,
    Label.CONTRADICTED: texts.NO,
    Label.DIVERGING: texts.ARTICLES_DIVERGE,
}


def _one_each_side(deciding: list[ClaimEvidence]) -> list[ClaimEvidence]:
    sides = {e.stance: e for e in reversed(deciding)}
    return [sides[s] for s in (Stance.SUPPORTS, Stance.CONTRADICTS) if s in sides]


def _statement(evidence: ClaimEvidence) -> Statement:
    cited = evidence.citation
    return Statement(cited.quote, (cited,), lead_in=lead_in(cited.source))
