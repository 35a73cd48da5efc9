"""A verification as Markdown, self-contained HTML, CSV and schema.org ClaimReview JSON-LD.

Quotes carry source, date, link and exact position. What comes from articles
and users is text: HTML goes through Jinja's escaping, Markdown and CSV through
their own.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from rag import messages, texts
from rag.domain import CheckedClaim, ClaimEvidence, Label, Stance, Verification
from rag.errors import QuestionError, SettingsError
from rag.french.dates import format_date
from rag.french.speakers import is_individual
from rag.french.speech import attribute
from rag.markup import is_web_address, markdown_text
from rag.wire import VerificationOut

if TYPE_CHECKING:
    from jinja2 import Template

    from rag.settings import Settings

# What a number says of a claim that a journalist settled so: 1 is the worst, 5 the best. A word
# that is somebody's, or two sources that differ, are no truth by half: they have a name alone.
_RATINGS = {Label.SUPPORTED: 5, Label.CONTRADICTED: 1}
_PUBLISHED_LABELS = (*_RATINGS, Label.DECLARED, Label.DIVERGING)
_SETTLED_DECISIONS = ("accepted", "corrected")
_LONGEST_CLAIM = 600  # characters of a claim and of a review's text
_COLUMNS = (
    "affirmation", "verdict", "décision", "verdict corrigé", "note", "raison", "confiance",
    "sources", "premier", "dernier", "citation", "article", "source", "date", "adresse", "début",
    "fin",
)  # fmt: skip
_DECISION_NAMES = {"accepted": "accepté", "rejected": "rejeté", "corrected": "corrigé"}
# A sign that begins a formula, at the start of a cell or after what a spreadsheet may cut at.
_FORMULA_SIGNS = "[=+\\-@＝＋－＠]"
_FORMULA_AT_START = re.compile(rf"^[\s\"']*{_FORMULA_SIGNS}")
_FORMULA = re.compile(rf"([;,|][\s\"']*)({_FORMULA_SIGNS})")
STANCES = {
    Stance.SUPPORTS: "pour",
    Stance.CONTRADICTS: "contre",
    Stance.NEITHER: "ne tranche pas",
}


def as_json(verification: Verification) -> str:
    """Return the verification as indented JSON."""
    return json.dumps(VerificationOut.of(verification).plain(), ensure_ascii=False, indent=2) + "\n"


def as_markdown(verification: Verification) -> str:
    """Return the verification as Markdown."""
    lines = ["# Vérification", "", f"*{provenance(verification)}*", ""]
    lines += ["| | affirmation | verdict | source |", "|---|---|---|---|"]
    for number, claim in enumerate(verification.claims, 1):
        cells = (markdown_text(claim.text), _verdict(claim), markdown_text(decides(claim)))
        lines.append(f"| {number} | " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
    for number, claim in enumerate(verification.claims, 1):
        lines += [
            "",
            f"## {number}. {markdown_text(claim.text)}",
            "",
            f"**{_verdict(claim)}** {markdown_text(claim.reason)}",
        ]
        if line := extent(claim):
            lines += ["", line]
        if line := reviewed(claim):
            lines += ["", markdown_text(line)]
        for evidence in claim.evidence:
            source = evidence.citation.source
            label = markdown_text(texts.cited(evidence.citation))
            where = f"[{label}](<{source.url}>)" if is_web_address(source.url) else label
            lines += [
                "",
                f"> {markdown_text(evidence.citation.quote)}",
                "",
                f"— {where}, caractères {evidence.citation.start} à {evidence.citation.end}, "
                f"{markdown_text(evidence.attribution.label)}, {stance(evidence)}",
            ]
            lines += [f"  - {markdown_text(signal.text)}" for signal in evidence.signals]
    return "\n".join(lines) + "\n"


def as_html(verification: Verification) -> str:
    """Return the verification as one HTML page that fetches nothing."""
    return _template().render(
        verification=verification, provenance=provenance(verification), extent=extent,
        stance=stance, cited=texts.cited, safe_url=is_web_address, verdict=_verdict,
        reviewed=reviewed, decides=decides,
    )  # fmt: skip


def decides(claim: CheckedClaim) -> str:
    """Return the label of the source that a verdict rests on first, "" where it rests on none."""
    return texts.label(claim.evidence[0].citation.source) if claim.sources else ""


def as_csv(verification: Verification) -> str:
    """Return one line a claim; cells that a spreadsheet would compute are neutralised."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for claim in verification.claims:
        review = claim.review
        corrected = claim.settled.value if review.decision == "corrected" else ""
        row: list[Any] = [claim.text, claim.verdict.value, _DECISION_NAMES.get(review.decision, ""),
                          corrected, review.note, claim.reason, claim.confidence,
                          claim.sources, claim.oldest or "", claim.newest or ""]  # fmt: skip
        if claim.evidence:
            cited = claim.evidence[0].citation
            source = cited.source
            row += [cited.quote, source.title, source.name, source.published or "", source.url]
            row += [cited.start, cited.end]
        writer.writerow([csv_cell(value) for value in row])
    return out.getvalue()


@dataclass(frozen=True, slots=True)
class Publisher:
    """Who publishes a review, and where: what search engines ask of a `ClaimReview`.

    `url` is the address of the page that bears it, `author` the organisation that says it, with
    its own address `author_url`.
    """

    url: str = ""
    author: str = ""
    author_url: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Publisher:
        """Return the one that the settings tell."""
        return cls(settings.review_url, settings.review_author, settings.review_author_url)


def as_claim_review(verification: Verification, publisher: Publisher) -> str:
    """Return schema.org `ClaimReview` JSON-LD, one object a claim that a journalist settled.

    Recoupe rates nothing: the rating is that of the verdict which a journalist accepted or put in
    its place; without one there is nothing to export, nor for « Preuves insuffisantes ». Raises
    QuestionError when there is nothing, and SettingsError without an address or an author. See
    https://schema.org/ClaimReview and Google's « Fact Check (ClaimReview) ».
    """
    settled = [
        claim
        for claim in verification.claims
        if claim.review.decision in _SETTLED_DECISIONS and claim.settled in _PUBLISHED_LABELS
    ]
    if not settled:
        raise QuestionError(messages.NOTHING_REVIEWED)
    if not (is_web_address(publisher.url) and publisher.author):
        raise SettingsError(messages.NO_PUBLISHER)
    author = {"@type": "Organization", "name": publisher.author}
    if is_web_address(publisher.author_url):
        author["url"] = publisher.author_url
    reviews = [_review(claim, verification, publisher.url, author) for claim in settled]
    return json.dumps(reviews, ensure_ascii=False, indent=2) + "\n"


def _review(
    claim: CheckedClaim, verification: Verification, url: str, author: dict[str, str]
) -> dict[str, Any]:
    deciding = [e for e in claim.evidence if e.stance is not Stance.NEITHER and not e.outranked]
    sources = [e.citation.source.url for e in deciding]
    item: dict[str, Any] = {"@type": "Claim", "text": claim.text[:_LONGEST_CLAIM]}
    if speaker := attribute(claim.text).speaker:
        kind = "Person" if is_individual(speaker) else "Organization"
        item["author"] = {"@type": kind, "name": speaker}
    rating: dict[str, Any] = {"@type": "Rating", "alternateName": claim.settled.value}
    if claim.settled in _RATINGS:
        rating |= {"ratingValue": _RATINGS[claim.settled], "bestRating": 5, "worstRating": 1}
    claim_review = {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "url": url,
        "datePublished": verification.checked_on[:10],
        "inLanguage": "fr",
        "claimReviewed": claim.text[:_LONGEST_CLAIM],
        "author": author,
        "itemReviewed": item,
        "reviewRating": rating,
    }
    # What was found is the journalist's to say when he settled it otherwise.
    if claim.review.note:
        claim_review["reviewBody"] = claim.review.note[:_LONGEST_CLAIM]
    elif claim.review.decision == "accepted":
        claim_review["reviewBody"] = claim.reason
    if cited := [s for s in dict.fromkeys(sources) if is_web_address(s)]:
        claim_review["citation"] = cited
    return claim_review


_FORMATS: dict[str, Callable[[Verification], str]] = {
    "json": as_json,
    "md": as_markdown,
    "html": as_html,
    "csv": as_csv,
}
FORMATS = (*_FORMATS, "jsonld")


def report(form: str, verification: Verification, publisher: Publisher) -> str:
    """Return a verification in one of `FORMATS`. Raises KeyError, and as `as_claim_review`."""
    if form == "jsonld":
        return as_claim_review(verification, publisher)
    return _FORMATS[form](verification)


def provenance(verification: Verification) -> str:
    """Return when, with what and over what the check ran, so that it can be repeated."""
    day, _, time = verification.checked_on.partition("T")
    year, month, number = day.split("-")
    return texts.PROVENANCE.format(
        f"{number}/{month}/{year}", time[:5].replace(":", "\u00a0h\u00a0"), verification.version,
        verification.engine, verification.embedding, texts.articles(verification.articles),
        verification.corpus,
    )  # fmt: skip


def extent(claim: CheckedClaim) -> str:
    """Return confidence, number of independent sources and their dates, in words."""
    if not claim.sources:
        return ""
    parts = [f"Confiance {claim.confidence}"] if claim.confidence else []
    parts.append(f"{claim.sources} source{'s' if claim.sources > 1 else ''}")
    if claim.oldest and claim.newest and claim.oldest != claim.newest:
        parts.append(f"du {format_date(claim.oldest)} au {format_date(claim.newest)}")
    elif claim.newest:
        parts.append(f"le {format_date(claim.newest)}")
    return ", ".join(parts) + "."


def reviewed(claim: CheckedClaim) -> str:
    """Return what a journalist decided and noted, in words; "" before they did."""
    review = claim.review
    decision = texts.DECISIONS.get(review.decision, "")
    if review.decision == "corrected" and review.verdict:
        decision = f"{decision}\u00a0: {review.verdict.value}"
    return ". ".join(part.rstrip(".") for part in (decision, review.note) if part)


def stance(evidence: ClaimEvidence) -> str:
    """Return what a sentence does to the claim, in words."""
    return STANCES[evidence.stance]


def _verdict(claim: CheckedClaim) -> str:
    """Return the verdict, the journalist's first where there is one."""
    decision = claim.review.decision
    if decision == "corrected":
        return f"{texts.CORRECTED_VERDICT.format(claim.settled.value, claim.verdict.value)}."
    return (
        f"{claim.verdict.value} ({_DECISION_NAMES[decision]})."
        if decision
        else f"{claim.verdict.value}."
    )


def csv_cell(value: Any) -> str:
    """Return a CSV cell in which no spreadsheet finds a formula (OWASP, CSV injection).

    Not at its start alone: a spreadsheet set to French cuts lines at semicolons, another at
    tabs, and takes what follows for a cell of its own. A quote mark before the sign makes it text.
    """
    return _FORMULA.sub(r"\1'\2", _FORMULA_AT_START.sub(r"'\g<0>", _one_line(str(value))))


def _one_line(text: str) -> str:
    return re.sub(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]", " ", text)


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment

    text = (files("rag.checking") / "report.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
