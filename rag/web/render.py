"""What the chat shows, as HTML: what is said of it in Python, how it looks in `templates/`.

Article text, and what visitors write, is always text: the templates escape all
that they are given, and no sign of Gradio's own templates (`{`, `$`) leaves here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from rag import texts
from rag.answering.changes import changes
from rag.checking.report import extent, provenance, stance
from rag.citations import by_article, number_citations, paragraphs
from rag.domain import (
    Answer,
    ArticleRecord,
    CheckedClaim,
    Citation,
    ClaimEvidence,
    IngestReport,
    Label,
    Passage,
    QuotedSpeaker,
    StoredArticle,
    Verification,
    Version,
)
from rag.french.dates import format_date
from rag.french.typography import typographic
from rag.french.words import excerpt
from rag.markup import is_web_address
from rag.web.markdown import answer_markdown

LONGEST_NOTE = 2000  # characters of a journalist's note
_EXPORTS = {"md": "Markdown", "html": "HTML", "csv": "CSV", "json": "JSON", "jsonld": "ClaimReview"}
_GRADIO_SIGNS = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;"})


def answer_html(answer: Answer, turn: int) -> str:
    """Return one turn of the conversation: question, answer with marks, references."""
    return _html(
        "answer.html",
        question=answer.question,
        answer=answer,
        turn=turn,
        numbers=number_citations(answer.statements),
        paragraphs=paragraphs(answer.statements),
        sources=by_article(answer.statements),
        shown={s.text.strip() for s in answer.statements},
        markdown=answer_markdown(answer),
    )


def draft_html(question: str, text: str) -> str:
    """Return a turn that is still being written; its text is not checked yet."""
    return _html("draft.html", question=question, said=text)


def error_html(question: str, message: str) -> str:
    """Return a turn that failed, with its one sentence."""
    return _html("failed.html", question=question, message=message)


def message_html(kind: Literal["error", "status", "welcome", "placeholder"], text: str) -> str:
    """Return a sentence of ours that stands alone."""
    return _html("message.html", kind=kind, text=typographic(text))


def examples_html(questions: Sequence[str], about: str = "") -> str:
    """Return example questions to click on, under what the corpus is."""
    return _html("examples.html", questions=questions, about=about)


def article_html(
    article: StoredArticle,
    citation: Citation | None = None,
    *,
    whole: bool = True,
    history: Sequence[Version] = (),
    copies: Sequence[ArticleRecord] = (),
    speakers: Sequence[QuotedSpeaker] | None = None,
) -> str:
    """Return an article with the cited span highlighted (`#rc-cited`).

    Without `whole`, of its text only the passage that holds the span, with the
    heading above it; of an article that readers pay for, the span alone. A citation
    whose span no longer holds its quote (the article changed since) is looked for in
    the text, then in its `history`: the version that it cites is shown, as such. Failing
    that, the article says so. `copies` print the same text. With `speakers`, who is quoted in
    it, it is read for itself: they are named where the text is shown whole.
    """
    source = article.record.source
    whole = whole and not source.paywalled
    versions = [v for v in history if not v.source.paywalled]  # what was paid for may be free today
    in_title = citation is not None and citation.in_title and citation.quote == source.title
    span = locate(article.text, citation) if citation and not in_title else None
    past = None if span or in_title or not citation else _cited_by(citation, history)
    if past and citation:
        article, span = past.stored(article.record), (citation.start, citation.end)
    if whole:
        shown = list(article.passages)
    else:
        shown = _around(article.passages, span)
        if span and (source.paywalled or past):
            shown = [_cut(p, span) for p in shown]
        elif source.paywalled:
            shown = []
    blocks = list(_blocks(shown, {p.heading for p in article.passages if p.heading}, span))
    if (
        not whole
        and shown
        and not "".join(p.text for p in shown).lstrip().startswith(shown[0].heading)
    ):
        blocks.insert(0, _Block(heading=True, before=shown[0].heading))
    return _html(
        "article.html",
        source=article.record.source,
        changed=citation is not None and span is None and not in_title,
        in_title=in_title,
        past=past,
        copies=copies,
        record=article.record,
        paid=source.paywalled,
        changes=changes(article, versions) if whole and not past else [],
        blocks=blocks,
        reading=speakers is not None,
        speakers=speakers if whole and not past else (),
    )


def _cited_by(citation: Citation, history: Sequence[Version]) -> Version | None:
    """Return the newest version that says a quote where it is cited."""
    span = slice(citation.start, citation.end)
    return next((v for v in history if v.text[span] == citation.quote), None)


def locate(text: str, citation: Citation) -> tuple[int, int] | None:
    """Return where a citation's quote stands in a text, or None."""
    if text[citation.start : citation.end] == citation.quote:
        return citation.start, citation.end
    at = text.find(citation.quote)
    return (at, at + len(citation.quote)) if at >= 0 else None


def ingested_html(report: IngestReport) -> str:
    """Return what an ingestion did, with what failed and why."""
    return _html("ingested.html", report=report, summary=texts.summary(report))


def checking_html(claims: Sequence[CheckedClaim]) -> str:
    """Return the claims checked so far, while others are."""
    return _html("checking.html", claims=claims, labels=Label, longest_note=LONGEST_NOTE)


def verification_html(done: Verification) -> str:
    """Return checked claims, the line that says how, and the exports."""
    return _html(
        "verification.html",
        verification=done,
        claims=done.claims,
        labels=Label,
        longest_note=LONGEST_NOTE,
        exports=_EXPORTS,
    )


def export_html(form: str, report: str, at: int) -> str:
    """Return a report that the page saves as a file; another `at` makes it news to the page."""
    return _html("export.html", form=form, report=report, at=at)


@dataclass(frozen=True, slots=True)
class _Block:
    """A paragraph or a heading of an article, cut around what is cited; `opens` a citation."""

    heading: bool
    before: str
    cited: str = ""
    after: str = ""
    opens: bool = False


def _around(passages: Sequence[Passage], span: tuple[int, int] | None) -> list[Passage]:
    """Return the passages that a span lies in, none without a span."""
    start, end = span or (0, 0)
    return [p for p in passages if p.start < end and start < p.end]


def _cut(passage: Passage, span: tuple[int, int]) -> Passage:
    """Return the part of a passage that a span holds."""
    start, end = max(passage.start, span[0]), min(passage.end, span[1])
    text = passage.text[start - passage.start : end - passage.start]
    return replace(passage, text=text, start=start, end=end)


def _blocks(
    passages: Sequence[Passage], headings: set[str], span: tuple[int, int] | None
) -> Iterator[_Block]:
    """Yield the blocks of contiguous passages."""
    at = passages[0].start if passages else 0
    start, end = span or (0, 0)
    for text in re.split(r"(\n\n+)", "".join(p.text for p in passages)):
        if text.strip():
            a, b = (min(max(edge - at, 0), len(text)) for edge in (start, end))
            heading = text.strip() in headings
            yield _Block(heading, text[:a], text[a:b], text[b:], opens=start >= at)
        at += len(text)


def _republished(evidence: ClaimEvidence) -> str:
    names = dict.fromkeys(s.name or s.title for s in evidence.also)
    return texts.REPUBLISHED.format(", ".join(names)) if names else ""


def _html(template: str, **values: object) -> str:
    return _TEMPLATES.get_template(template).render(values).translate(_GRADIO_SIGNS)


_TEMPLATES = Environment(
    loader=PackageLoader("rag.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_TEMPLATES.globals["texts"] = texts
_TEMPLATES.tests["web_address"] = is_web_address
_TEMPLATES.filters |= {
    "excerpt": excerpt,
    "extent": extent,
    "french_date": format_date,
    "label": texts.label,
    "cited": texts.cited,
    "provenance": provenance,
    "republished": _republished,
    "stance": stance,
}
