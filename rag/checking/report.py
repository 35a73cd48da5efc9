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
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from rag import texts
from rag.domain import CheckedClaim, ClaimEvidence, Label, Stance, Verification
from rag.french.dates import format_date
from rag.markup import is_web_address, markdown_text
from rag.wire import VerificationOut

if TYPE_CHECKING:
    from jinja2 import Template

# schema.org gives no scale; a journalist confirms or changes it. 1 is the worst, 5 the best.
_RATINGS = {
    Label.SUPPORTED: 5,
    Label.DECLARED: 3,
    Label.DIVERGING: 3,
    Label.INSUFFICIENT: 3,
    Label.CONTRADICTED: 1,
}
_COLUMNS = (
    "affirmation verdict raison confiance sources premier dernier citation article source date "
    "adresse début fin"
).split()
# A sign that begins a formula, at the start of a cell or after what a spreadsheet may cut at.
_SIGNS = "[=+\\-@＝＋－＠]"
_FORMULA_AT_START = re.compile(rf"^[\s\"']*{_SIGNS}")
_FORMULA = re.compile(rf"([;,|][\s\"']*)({_SIGNS})")
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
    lines = ["# Vérification", "", f"*{provenance(verification)}*"]
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
        reviewed=reviewed,
    )  # fmt: skip


def as_csv(verification: Verification) -> str:
    """Return one line a claim; cells that a spreadsheet would compute are neutralised."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for claim in verification.claims:
        row: list[Any] = [claim.text, claim.verdict.value, claim.reason, claim.confidence,
                          claim.sources, claim.oldest or "", claim.newest or ""]  # fmt: skip
        if claim.evidence:
            cited = claim.evidence[0].citation
            source = cited.source
            row += [cited.quote, source.title, source.name, source.published or "", source.url]
            row += [cited.start, cited.end]
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def as_claim_review(verification: Verification) -> str:
    """Return schema.org `ClaimReview` JSON-LD, one object a verifiable claim.

    The rating is a proposal: `ratingExplanation` says that it is to be
    confirmed. See https://schema.org/ClaimReview.
    """
    reviews = []
    for claim in verification.claims:
        if claim.settled not in _RATINGS or claim.review.decision == "rejected":
            continue
        appearances = [
            e.citation.source.url for e in claim.evidence if is_web_address(e.citation.source.url)
        ]
        reviews.append(
            {
                "@context": "https://schema.org",
                "@type": "ClaimReview",
                "datePublished": verification.checked_on[:10],
                "inLanguage": "fr",
                "claimReviewed": claim.text,
                "author": {"@type": "Organization", "name": "Recoupe"},
                "itemReviewed": {"@type": "Claim", "text": claim.text},
                "reviewBody": claim.reason,
                "citation": list(dict.fromkeys(appearances)),
                "reviewRating": {
                    "@type": "Rating",
                    "ratingValue": _RATINGS[claim.settled],
                    "bestRating": 5,
                    "worstRating": 1,
                    "alternateName": claim.settled.value,
                    "ratingExplanation": reviewed(claim) or texts.TO_CONFIRM,
                },
            }
        )
    return json.dumps(reviews, ensure_ascii=False, indent=2) + "\n"


FORMATS: dict[str, Callable[[Verification], str]] = {
    "json": as_json,
    "md": as_markdown,
    "html": as_html,
    "csv": as_csv,
    "jsonld": as_claim_review,
}


def provenance(verification: Verification) -> str:
    """Return when, with what and over what the check ran, so that it can be repeated."""
    day, _, time = verification.checked_on.partition("T")
    year, month, number = day.split("-")
    return texts.PROVENANCE.format(
        f"{number}/{month}/{year}", time[:5].replace(":", "\u00a0h\u00a0"), verification.version,
        verification.engine, verification.embedding, verification.articles, verification.corpus,
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
    done = texts.DECISIONS.get(review.decision, "")
    if review.decision == "corrected" and review.verdict:
        done = f"{done}\u00a0: {review.verdict.value}"
    return ". ".join(part.rstrip(".") for part in (done, review.note) if part)


def stance(evidence: ClaimEvidence) -> str:
    """Return what a sentence does to the claim, in words, with the probability."""
    word = STANCES[evidence.stance]
    return f"{word} ({round(100 * evidence.probability)}\u00a0%)"


def _verdict(claim: CheckedClaim) -> str:
    return f"{claim.verdict.value}."


def _cell(value: Any) -> str:
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
