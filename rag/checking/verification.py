"""What a check of claims gives: evidence, verdicts, and how they were reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Literal

from rag.checking.signals import Signal
from rag.checking.stance import Stance
from rag.domain import Attribution, Citation, Source, citation_json, source_json


class Label(StrEnum):
    """The verdicts, as the reader sees them."""

    SUPPORTED = "Soutenu"
    CONTRADICTED = "Contredit"
    DIVERGING = "Sources divergentes"
    DECLARED = "Déclaration"
    INSUFFICIENT = "Preuves insuffisantes"
    UNVERIFIABLE = "Non vérifiable"


@dataclass(frozen=True, slots=True)
class ClaimEvidence:
    """A sentence that bears on a claim, with who says it and what it does to the claim.

    `before` and `after` are its neighbours in the article; `also` are the
    sources that republished it; `outranked` says in French why it no longer
    counts ("" when it does). `coverage` is the share of the claim's words that
    sentence and surroundings hold, `own` that of the sentence alone, `predicate`
    whether what is said of the subject is there. `his_words` tells that the
    claim is about these very words (« le maire assure que… »), `other_voice`
    that it is about the words of somebody else, whom this cannot settle.
    """

    citation: Citation
    attribution: Attribution
    stance: Stance
    probability: float
    coverage: float
    own: float
    predicate: bool
    by_words: bool = True
    his_words: bool = False
    other_voice: bool = False
    signals: tuple[Signal, ...] = ()
    before: str = ""
    after: str = ""
    also: tuple[Source, ...] = ()
    corrects: bool = False
    outranked: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """What a journalist made of a verdict: "accepted", "rejected" or "corrected", and a note.

    `verdict` is the one that they put in its place when it is corrected.
    """

    decision: Literal["", "accepted", "rejected", "corrected"] = ""
    verdict: Label | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim with its verdict. `sources` counts the independent ones behind the verdict.

    `confidence` is a word ("élevée", "moyenne", "faible", or "" without
    evidence); `oldest` and `newest` bound the evidence's publication.
    """

    text: str
    verdict: Label
    reason: str
    confidence: str = ""
    sources: int = 0
    oldest: date | None = None
    newest: date | None = None
    evidence: tuple[ClaimEvidence, ...] = ()
    review: Review = Review()

    @property
    def settled(self) -> Label:
        """The verdict, or the one that a journalist put in its place."""
        corrected = self.review.decision == "corrected"
        return self.review.verdict if corrected and self.review.verdict else self.verdict


@dataclass(frozen=True, slots=True)
class Verification:
    """The checked claims of a text, and what it takes to repeat the check."""

    claims: tuple[CheckedClaim, ...]
    checked_on: str  # ISO 8601, with the time zone
    engine: str
    embedding: str
    corpus: str  # fingerprint of the articles' versions
    articles: int
    version: str


def verification_json(verification: Verification) -> dict[str, Any]:
    """Return a verification as in `recoupe verify --json`."""
    return {
        "claims": [claim_json(c) for c in verification.claims],
        "checked_on": verification.checked_on,
        "engine": verification.engine,
        "embedding": verification.embedding,
        "corpus": verification.corpus,
        "articles": verification.articles,
        "version": verification.version,
    }


def claim_json(claim: CheckedClaim) -> dict[str, Any]:
    """Return a checked claim as in `recoupe verify --json`."""
    return {
        "text": claim.text,
        "verdict": claim.verdict.value,
        "reason": claim.reason,
        "confidence": claim.confidence,
        "sources": claim.sources,
        "oldest": claim.oldest.isoformat() if claim.oldest else None,
        "newest": claim.newest.isoformat() if claim.newest else None,
        "evidence": [evidence_json(e) for e in claim.evidence],
        "review": {
            "decision": claim.review.decision,
            "verdict": claim.review.verdict.value if claim.review.verdict else None,
            "note": claim.review.note,
        },
    }


def evidence_json(evidence: ClaimEvidence) -> dict[str, Any]:
    """Return a piece of evidence as in `recoupe verify --json`."""
    return {
        "stance": evidence.stance.value,
        "probability": round(evidence.probability, 4),
        "attribution": {
            "kind": evidence.attribution.kind.name.lower(),
            "label": evidence.attribution.label,
            "speaker": evidence.attribution.speaker,
            "marker": evidence.attribution.marker,
        },
        "citation": citation_json(evidence.citation),
        "before": evidence.before,
        "after": evidence.after,
        "republished": [source_json(s) for s in evidence.also],
        "outranked": evidence.outranked,
        "signals": [{"name": s.name, "text": s.text, "side": s.side} for s in evidence.signals],
    }
