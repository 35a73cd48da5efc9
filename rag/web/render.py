"""What the chat shows, as HTML: what is said of it in Python, how it looks in `templates/`.

Article text, and what visitors write, is always text: the templates escape all
that they are given, and no sign of Gradio's own templates (`{`, `$`) leaves here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from rag import texts
from rag.answering.changes import changes
from rag.answering.followup import carried_over
from rag.citations import by_article, counted, number_citations, paragraphs, timeline
from rag.domain import (
    ArticleRecord,
    Citation,
    IngestReport,
    Passage,
    QuotedSpeaker,
    StoredArticle,
    Version,
)
from rag.french.typography import typographic
from rag.web.conversation import ChatTurn
from rag.web.copying import forms
from rag.web.links import link
from rag.web.templating import rendered


class Chip(NamedTuple):
    """A filter in force: the control that holds it, what of it, and its words."""

    field: str
    value: str
    label: str


def answer_html(turn: ChatTurn, at: int) -> str:
    """Return one turn of the conversation, the `at`-th: question, answer with marks, references."""
    answer = turn.answer
    carried = carried_over(answer.asked)
    return rendered(
        "answer.html",
        question=carried_over(answer.question).question,
        answer=answer,
        turn=at,
        context=carried,
        sought=turn.sought if answer.refused and answer.mode else "",
        filtered=bool(turn.filters),
        within=turn.filtered_by,
        link=link(answer.asked or answer.question, turn.filters, turn.corpus),
        numbers=number_citations(answer.statements),
        paragraphs=paragraphs(answer.statements),
        sources=by_article(answer.statements),
        extent=texts.of_sources(*counted(answer.statements)),
        dates=timeline(answer.statements),
        shown={s.text.strip() for s in answer.statements},
        forms=forms(answer, turn.filtered_by),
    )


def conversation_html(turns: Sequence[ChatTurn]) -> str:
    """Return the turns of a conversation."""
    return "".join(answer_html(turn, at) for at, turn in enumerate(turns))


def draft_html(question: str, text: str) -> str:
    """Return a turn that is still being written; its text is not checked yet."""
    return rendered("draft.html", question=question, text=text)


def error_html(question: str, message: str) -> str:
    """Return a turn that failed, with its one sentence."""
    return rendered("failed.html", question=question, message=message)


def message_html(kind: Literal["error", "status", "welcome", "placeholder"], text: str) -> str:
    """Return a sentence of ours that stands alone."""
    return rendered("message.html", kind=kind, text=typographic(text))


def chips_html(chips: Sequence[Chip]) -> str:
    """Return a chip for each filter in force."""
    return rendered("chips.html", chips=chips)


def examples_html(questions: Sequence[str], about: str = "") -> str:
    """Return example questions to click on, under what the corpus is."""
    return rendered("examples.html", questions=questions, about=about)


def article_html(
    article: StoredArticle,
    citation: Citation | None = None,
    *,
    whole: bool = True,
    history: Sequence[Version] = (),
    copies: Sequence[ArticleRecord] = (),
    corrections: Sequence[ArticleRecord] = (),
    speakers: Sequence[QuotedSpeaker] | None = None,
) -> str:
    """Return an article with the cited span highlighted (`#rc-cited`).

    Without `whole`, of its text only the passage that holds the span, with the
    heading above it; of an article that readers pay for, the span alone. A citation
    whose span no longer holds its quote (the article changed since) is looked for in
    the text, then in its `history`: the version that it cites is shown, as such. Failing
    that, the article says so. `copies` print the same text, `corrections` correct it. With
    `speakers`, who is quoted in it, it is read for itself: they are named where the text is shown
    whole.
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
    return rendered(
        "article.html",
        source=article.record.source,
        changed=citation is not None and span is None and not in_title,
        in_title=in_title,
        past=past,
        copies=copies,
        corrections=corrections,
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
    return rendered("ingested.html", report=report, summary=texts.summary(report))


def export_html(form: str, report: str, at: int, name: str = "verification") -> str:
    """Return a report that the page saves as a file; another `at` makes it news to the page."""
    return rendered("export.html", name=f"{name}.{form}", report=report, at=at)


def history_html(
    kind: Literal["turn", "gone", "none"],
    *,
    articles: Sequence[str] = (),
    sealed: str = "",
    question: str = "",
    retention: str = "",
) -> str:
    """Return what the device is to keep of a turn, or to forget: what cites `articles`.

    `told` is what a reader is told of where his questions are kept.
    """
    return rendered(
        "history.html", kind=kind, articles=articles, sealed=sealed, question=question,
        retention=retention,
        at=time.monotonic_ns(),
    )  # fmt: skip


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
