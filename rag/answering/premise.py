"""Whether a question supposes what the articles say is not so.

« Pourquoi le pont a-t-il fermé ? » supposes that it closed. Where the sentence that answers best
says that it stayed open, the answer begins with that: the articles say otherwise. The supposition
is compared with the sentence as a claim is (`rag.checking.compare`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.checking.compare import compare
from rag.french.words import content_stems, lowered

if TYPE_CHECKING:
    from rag.answering.evidence import Evidence
    from rag.checking.entailment import Entailment

# From which probability of a contradiction it is told: see docs/measures.md.
FALSE_PREMISE_PROBABILITY = 0.6
_ASKING = re.compile(
    r"^(?:(?:et|mais|alors|donc) )?"
    r"(?:pourquoi|comment|quand|où|d['’]où|depuis quand|jusqu['’]à quand|à quelle date|"
    r"en quelle année|pour quelles? raisons?|dans quelles? circonstances?|par quels? moyens?|"
    r"à quelle heure|à quel moment)\s+(?:est-ce qu(?:e\s+|['’]\s*))?",
    re.IGNORECASE,
)
_INVERTED = re.compile(r"(\w+)-(?:t-)?(?:ils?|elles?)\b")
# « Comment X a-t-il qualifié Y ? » asks for the word, without which nothing is supposed.
_NAMING = re.compile(
    r"^(?:(?:et|mais|alors|donc) )?comment\b.*\b"
    r"(?:appel|qualifi|surnomm|nomm|décri|trait|jug|défini|présent|baptis)",
    re.IGNORECASE,
)
_NOT_BEFORE = re.compile(r"\b(?:pas|plus) avant\b", re.IGNORECASE)  # which tells when
_SHORTEST_PREMISE = 3  # words of a supposition


def supposition(question: str) -> str | None:
    """Return what a question supposes, as a sentence; None where its form does not tell.

    « Pourquoi le maire a-t-il refusé ? » gives « Le maire a refusé. »; a question without a subject
    of its own (« Pourquoi a-t-il refusé ? ») gives none.
    """
    asking = _ASKING.match(question)
    if asking is None or _NAMING.match(question):
        return None
    rest = question[asking.end() :].strip(" ?!.…\u00a0\u202f")
    inverted = _INVERTED.search(rest)
    stated = subject_first(rest, inverted) if inverted else rest
    if stated is None:
        return None
    rest = stated
    if len(rest.split()) < _SHORTEST_PREMISE or _opens_with_verb(rest):
        return None
    return f"{rest[:1].upper()}{rest[1:]}."


def subject_first(text: str, inverted: re.Match[str]) -> str | None:
    """Return a question as a statement: its verb, group 1, without the pronoun after it.

    None where no subject stands before: the pronoun is the subject.
    """
    before = text[: inverted.start()]
    return f"{before}{inverted.group(1)}{text[inverted.end() :]}" if content_stems(before) else None


def is_denied(question: str, evidence: Evidence, network: Entailment) -> bool:
    """Tell whether a sentence contradicts what a question supposes. Raises EmbeddingError."""
    supposed = supposition(question)
    if supposed is None or _NOT_BEFORE.search(evidence.text):
        return False
    label = evidence.hit.source.title
    return (
        compare(supposed, evidence.text, network, label=label).contradicts
        >= FALSE_PREMISE_PROBABILITY
    )


def _opens_with_verb(text: str) -> bool:
    """Tell whether a text begins with a verb, its subject after it or nowhere: no sentence."""
    first = text.split(maxsplit=1)[0]
    return first[:1].islower() and bool(_INFINITIVE.search(lowered(first))) and first not in _NOUNS


_INFINITIVE = re.compile(r"(?:er|ir|oir|re|era|ront|ait|aient)$")
_NOUNS = frozenset("notre votre leur cette autre quatre".split())
