"""A text that is checked, as HTML: its claims underlined in place, and a panel for each.

Python says what there is, `templates/` how it looks; all that comes from texts and articles is
text, which the templates escape.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from rag import texts
from rag.checking.claims import Claim
from rag.checking.differences import differences
from rag.checking.report import extent, provenance
from rag.checking.verdict import count_independent
from rag.domain import CheckedClaim, ClaimEvidence, Label, Stance, Verification
from rag.french.words import words
from rag.web.templating import rendered

LONGEST_NOTE = 2000  # characters of a journalist's note
_EXPORTS = {"md": "Markdown", "html": "HTML", "csv": "CSV", "json": "JSON", "jsonld": "ClaimReview"}
_REJECTED = "rejected"
_FILTERS = {label.name.lower(): label.value for label in Label} | {_REJECTED: "Verdict rejeté"}
_SIDES = {Stance.SUPPORTS: "Pour", Stance.CONTRADICTS: "Contre"}

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CheckedText(Verification):
    """A verification with the text that was checked, as the page shows it and the browser keeps it.

    `total` is how many claims the text has: more than `claims` when the check was stopped.
    """

    text: str = ""
    total: int = 0

    @classmethod
    def of(cls, done: Verification, text: str = "", total: int = 0) -> CheckedText:
        """Make it of a verification."""
        return cls(
            done.claims, done.checked_on, done.engine, done.embedding, done.corpus, done.articles,
            done.version, text, max(total, len(done.claims)),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a text, and the numbers, from 0, of the claims that come from it."""

    text: str
    claims: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """What the text says of a claim: `name` is its verdict's, or that it was rejected.

    `mark` says that a journalist decided; "" where it is the machine's verdict as it stands.
    """

    name: str
    title: str
    mark: str

    @classmethod
    def of(cls, claim: CheckedClaim) -> Decided:
        """Return it of a claim."""
        label, decision = claim.settled, claim.review.decision
        name = _REJECTED if decision == "rejected" else label.name.lower()
        return cls(name, label.value, texts.MARKS.get(decision, ""))


@dataclass(frozen=True, slots=True)
class EvidenceSide:
    """The evidence for a claim, or against it: each entry is one text, whoever prints it."""

    title: str
    sources: int
    entries: list[EvidenceEntry]


@dataclass(frozen=True, slots=True)
class EvidenceEntry:
    """A piece of evidence with its place among those of its claim, and who else prints it."""

    at: int
    evidence: ClaimEvidence
    copies: list[str] = field(default_factory=list)

    def quote(self, claim: str) -> list[tuple[str, str]]:
        """Return the quote in pieces, as `quote_pieces` does."""
        return quote_pieces(claim, self.evidence.citation.quote.strip())


def progress_html(judged: Sequence[CheckedClaim], total: int, *, splitting: bool = False) -> str:
    """Return how far a check has come, with the last verdict."""
    return rendered(
        "progress.html", judged=len(judged), total=total, splitting=splitting,
        last=judged[-1].verdict if judged else None,
    )  # fmt: skip


def checking_html(text: str, found: Sequence[Claim], judged: Sequence[CheckedClaim]) -> str:
    """Return a text with its claims found so far, those judged so far with their verdicts."""
    spans = [(c.start, c.end) for c in found]
    return _claims(text, spans, judged, total=len(found), done=None)


def checked_html(done: CheckedText) -> str:
    """Return a text with its verdicts, the line that says how, and the exports."""
    return _claims(
        done.text, [c.span for c in done.claims], done.claims, total=done.total, done=done
    )


def _claims(
    text: str,
    spans: Sequence[Span | None],
    judged: Sequence[CheckedClaim],
    *,
    total: int,
    done: CheckedText | None,
) -> str:
    decided = [Decided.of(c) for c in judged]
    counts = Counter(d.name for d in decided)
    names = [c.text for c in judged] if done else []
    return rendered(
        "claims.html",
        pieces=pieces(text, spans, names),
        claims=judged,
        total=total,
        decided=decided,
        counts=[(name, title, counts[name]) for name, title in _FILTERS.items()],
        sides=[sides(claim) for claim in judged],
        rest=[rest(claim) for claim in judged],
        extent=extent,
        labels=Label,
        longest_note=LONGEST_NOTE,
        done=done,
        provenance=provenance(done) if done else "",
        exports=_EXPORTS,
    )


def pieces(text: str, spans: Sequence[Span | None], names: Sequence[str] = ()) -> list[Piece]:
    """Return a text cut where claims begin and end; those that overlap share a piece.

    A claim that stands nowhere in the text follows it, by its name.
    """
    placed = sorted(
        (span, at) for at, span in enumerate(spans) if span and 0 <= span[0] < span[1] <= len(text)
    )
    found: list[Piece] = []
    at = 0
    groups: list[tuple[int, int, list[int]]] = []
    for (start, end), number in placed:
        if groups and start < groups[-1][1]:
            first, last, numbers = groups[-1]
            groups[-1] = first, max(last, end), [*numbers, number]
        else:
            groups.append((start, end, [number]))
    for start, end, numbers in groups:
        if at < start:
            found.append(Piece(text[at:start]))
        found.append(Piece(text[start:end], tuple(sorted(numbers))))
        at = end
    if at < len(text):
        found.append(Piece(text[at:]))
    somewhere = {number for _, number in placed}
    for number, name in enumerate(names):
        if number not in somewhere:
            found += [Piece("\n" if found else ""), Piece(name, (number,))]
    return [piece for piece in found if piece.text]


def sides(claim: CheckedClaim) -> list[EvidenceSide]:
    """Return the evidence for a claim and against it; nothing where there is neither."""
    both = [
        EvidenceSide(
            title, count_independent([e for e in side if not e.outranked]), _entries(claim, side)
        )
        for stance, title in _SIDES.items()
        for side in [[e for e in claim.evidence if e.stance is stance]]
    ]
    return both if any(side.entries for side in both) else []


def rest(claim: CheckedClaim) -> list[EvidenceEntry]:
    """Return the evidence of a claim that decides nothing."""
    return _entries(claim, [e for e in claim.evidence if e.stance is Stance.NEITHER])


def _entries(claim: CheckedClaim, side: Sequence[ClaimEvidence]) -> list[EvidenceEntry]:
    """Return evidence with its place; what a copy says in the same words is said once."""
    entries: dict[tuple[str, ...], EvidenceEntry] = {}
    for evidence in side:
        at = next(n for n, e in enumerate(claim.evidence) if e is evidence)
        same = (evidence.group or str(at), *words(evidence.citation.quote))
        if same in entries:
            entries[same].copies.append(texts.cited(evidence.citation))
        else:
            others = dict.fromkeys(s.name or s.title for s in evidence.also)
            entries[same] = EvidenceEntry(at, evidence, list(others))
    return list(entries.values())


def quote_pieces(claim: str, quote: str) -> list[tuple[str, str]]:
    """Return a quote in pieces, each "differs", "agrees" or "" as it stands to a claim."""
    parts, at = [], 0
    for mark in differences(claim, quote):
        parts.append((quote[at : mark.start], ""))
        parts.append((quote[mark.start : mark.end], "agrees" if mark.agrees else "differs"))
        at = mark.end
    return [part for part in [*parts, (quote[at:], "")] if part[0]]
