"""Answers and articles as HTML and Markdown. Article text is always text.

Everything that is not ours goes through `esc`, which also hides the signs of
Gradio's templates (`{`, `$`), so that nothing in an article or a question is
ever read as mark-up, template or script.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from rag import texts
from rag.answering.extractive import number_citations, paragraphs
from rag.domain import Answer, ArticleRecord, Citation, Hit, Passage, Source, StoredArticle
from rag.french.dates import format_date
from rag.french.words import excerpt
from rag.markup import is_web_address, markdown_text

_TEMPLATE_SIGNS = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;"})


def esc(text: str) -> str:
    """Return text safe inside an HTML element or a quoted attribute, templates included."""
    return html.escape(text, quote=True).translate(_TEMPLATE_SIGNS)


def answer_html(answer: Answer, turn: int) -> str:
    """Return one turn of the conversation: question, answer with marks, references."""
    numbers = number_citations(answer.statements)
    parts = [f'<article class="rc-turn"><h2 class="rc-question">{esc(answer.question)}</h2>']
    if answer.asked and answer.asked != answer.question:
        parts.append(f'<p class="rc-asked">{esc(texts.COMPLETED.format(answer.asked))}</p>')
    if answer.notice:
        parts.append(f'<p class="rc-notice" role="status">{esc(answer.notice)}</p>')
    if answer.refused:
        parts.append(f'<p class="rc-refusal">{esc(answer.text)}</p>')
        parts.append(_nearest_html(answer.hits, turn))
    else:
        parts.append(f'<div class="rc-answer">{_statements_html(answer, numbers, turn)}</div>')
        parts.append(_references_html(numbers, turn))
    parts.append(_actions_html(answer))
    parts.append("</article>")
    return "".join(parts)


def draft_html(question: str, said: str) -> str:
    """Return a turn that is still being written; what is said is not checked yet."""
    return (
        f'<article class="rc-turn"><h2 class="rc-question">{esc(question)}</h2>'
        f'<div class="rc-answer rc-draft">{esc(said) or "…"}</div></article>'
    )


def error_html(question: str, message: str) -> str:
    """Return a turn that failed, with its one sentence."""
    return (
        f'<article class="rc-turn"><h2 class="rc-question">{esc(question)}</h2>'
        f'<p class="rc-error" role="alert">{esc(message)}</p></article>'
    )


def article_html(
    article: StoredArticle, citation: Citation | None = None, *, whole: bool = True
) -> str:
    """Return an article with the cited span highlighted (`#rc-cited`).

    Without `whole`, of its text only the passage that holds the span, with the
    heading above it. A citation whose span no longer holds its quote (the
    article changed since) is looked for in the text; failing that, the article
    says so.
    """
    source = article.record.source
    span = locate(article.text, citation) if citation else None
    parts = ['<article class="rc-article" tabindex="-1">', f"<h2>{esc(source.title)}</h2>"]
    parts.append(f'<p class="rc-meta">{_meta_html(source)}</p>')
    if citation and span is None:
        parts.append(f'<p class="rc-notice" role="status">{esc(texts.CHANGED_ARTICLE)}</p>')
    shown = article.passages if whole else _around(article.passages, span)
    headings = {p.heading for p in article.passages if p.heading}
    text = "".join(p.text for p in shown)
    at = shown[0].start if shown else 0
    if not whole and shown and not text.lstrip().startswith(shown[0].heading):
        parts.append(f"<h3>{esc(shown[0].heading)}</h3>")
    for paragraph in re.split(r"(\n\n+)", text):
        if paragraph.strip():
            body = _marked(paragraph, at, span)
            tag = "h3" if paragraph.strip() in headings else "p"
            parts.append(f"<{tag}>{body}</{tag}>")
        at += len(paragraph)
    parts.append("</article>")
    return "".join(parts)


def _around(passages: Sequence[Passage], span: tuple[int, int] | None) -> list[Passage]:
    """Return the passages that a span lies in, none without a span."""
    start, end = span or (0, 0)
    return [p for p in passages if p.start < end and start < p.end]


def locate(text: str, citation: Citation) -> tuple[int, int] | None:
    """Return where a citation's quote stands in a text, or None."""
    if text[citation.start : citation.end] == citation.quote:
        return citation.start, citation.end
    at = text.find(citation.quote)
    return (at, at + len(citation.quote)) if at >= 0 else None


def answer_markdown(answer: Answer) -> str:
    """Return an answer with its references, to paste or to keep."""
    numbers = number_citations(answer.statements)
    lines = [f"**{markdown_text(answer.question)}**", ""]
    if answer.notice:
        lines += [markdown_text(answer.notice), ""]
    if answer.refused:
        lines += [markdown_text(answer.text), ""]
        lines += [f"- {markdown_text(texts.label(h.source))}" for h in answer.hits]
        return "\n".join(lines).strip() + "\n"
    for paragraph in paragraphs(answer.statements):
        said = []
        for statement in paragraph:
            marks = "".join(f"[^{numbers[c]}]" for c in statement.citations)
            doubt = "" if statement.supported else f" {texts.UNSUPPORTED_MARK}"
            said.append(f"{markdown_text(statement.text)}{marks}{doubt}")
        intro = f"{markdown_text(paragraph[0].lead_in)} " if paragraph[0].lead_in else ""
        lines += [intro + " ".join(said), ""]
    for citation, number in numbers.items():
        link = f" <{citation.source.url}>" if citation.source.url else ""
        quote = f"«\u00a0{markdown_text(citation.quote)}\u00a0»"
        lines.append(f"[^{number}]: {markdown_text(texts.label(citation.source))}. {quote}{link}")
    return "\n".join(lines).strip() + "\n"


def corpus_html(records: Sequence[ArticleRecord]) -> str:
    """Return the list of articles with counts by source and a chart by month."""
    if not records:
        return f'<p class="rc-refusal">{esc(texts.EMPTY_INDEX)}</p>'
    sources = Counter(r.source.name or texts.NO_SOURCE for r in records)
    listed = "".join(f"<li>{esc(name)}\u00a0: {n}</li>" for name, n in sources.most_common())
    rows = "".join(
        f"<tr><td>{_day(r.source)}</td><td>{esc(r.source.name)}</td>"
        f"<td>{esc(r.source.title)}</td><td>{esc(r.source.section)}</td></tr>"
        for r in records
    )
    plural = "s" if len(records) > 1 else ""
    return (
        f'<section class="rc-corpus"><p class="rc-count"><strong>{len(records)}</strong> '
        f"article{plural}</p><ul>{listed}</ul>{_chart(records)}"
        '<div class="rc-table" tabindex="0" role="region" aria-label="Articles du corpus">'
        '<table><thead><tr><th scope="col">Date</th>'
        f'<th scope="col">Source</th><th scope="col">Titre</th><th scope="col">Rubrique</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div></section>"
    )


def _chart(records: Sequence[ArticleRecord]) -> str:
    """Return a bar a month as SVG, from the first dated article to the last."""
    months = Counter(
        r.source.published.year * 12 + r.source.published.month - 1
        for r in records
        if r.source.published
    )
    if not months:
        return ""
    first, last, top = min(months), max(months), max(months.values())
    width = 1000 / (last - first + 1)
    bars = "".join(
        f'<rect x="{(m - first) * width:.1f}" y="{60 - 56 * n / top:.1f}" '
        f'width="{max(width - 1, 1.5):.1f}" height="{56 * n / top:.1f}">'
        f"<title>{m % 12 + 1:02d}/{m // 12}\u00a0: {n}</title></rect>"
        for m, n in sorted(months.items())
    )
    legend = f"{first % 12 + 1:02d}/{first // 12} – {last % 12 + 1:02d}/{last // 12}"
    return (
        f'<figure class="rc-chart"><svg viewBox="0 0 1000 60" preserveAspectRatio="none" '
        f'role="img" aria-label="Articles par mois, {legend}">{bars}</svg>'
        f"<figcaption>Articles par mois, {legend}</figcaption></figure>"
    )


def _statements_html(answer: Answer, numbers: Mapping[Citation, int], turn: int) -> str:
    written = []
    for group in paragraphs(answer.statements):
        intro = f'<span class="rc-lead">{esc(group[0].lead_in)}</span> ' if group[0].lead_in else ""
        said = []
        for s in group:
            marks = "".join(_mark_html(c, numbers[c], turn) for c in s.citations)
            if s.supported:
                said.append(f'<span class="rc-said">{esc(s.text)}</span>{marks}')
            else:
                doubt = f"{esc(texts.UNSUPPORTED_MARK)} – {esc(s.problem)}"
                said.append(
                    f'<span class="rc-said rc-unsupported">{esc(s.text)}</span>{marks} '
                    f'<span class="rc-problem">{doubt}</span>'
                )
        written.append(f"<p>{intro}{' '.join(said)}</p>")
    return "".join(written)


def _mark_html(citation: Citation, number: int, turn: int) -> str:
    return (
        f'<button type="button" class="rc-cite" data-turn="{turn}" data-number="{number}" '
        f'aria-label="Source {number}\u00a0: {esc(texts.label(citation.source))}">{number}</button>'
    )


def _references_html(numbers: Mapping[Citation, int], turn: int) -> str:
    items = "".join(
        f"<li>{_mark_html(c, n, turn)} {esc(texts.label(c.source))}</li>"
        for c, n in numbers.items()
    )
    return f'<ol class="rc-references" aria-label="Références">{items}</ol>'


def _nearest_html(hits: Sequence[Hit], turn: int) -> str:
    items = "".join(
        f'<li><button type="button" class="rc-near" data-turn="{turn}" data-hit="{at}">'
        f"{esc(texts.label(hit.source))}</button><p>{esc(excerpt(hit.passage.text, 220))}</p></li>"
        for at, hit in enumerate(hits)
    )
    return f'<ul class="rc-nearest" aria-label="Passages les plus proches">{items}</ul>'


def _actions_html(answer: Answer) -> str:
    return (
        '<p class="rc-actions"><button type="button" class="rc-copy">Copier</button>'
        '<button type="button" class="rc-export">Exporter en Markdown</button>'
        f'<span class="rc-done" role="status"></span></p>'
        f'<pre class="rc-markdown" hidden>{esc(answer_markdown(answer))}</pre>'
    )


def _meta_html(source: Source) -> str:
    day = format_date(source.published)
    parts = [esc(p) for p in (source.name, day, source.author, source.section) if p]
    if is_web_address(source.url):
        parts.append(
            f'<a href="{esc(source.url)}" target="_blank" rel="noopener noreferrer nofollow">'
            "Lire l’original</a>"
        )
    return " · ".join(parts)


def _marked(paragraph: str, at: int, span: tuple[int, int] | None) -> str:
    """Escape a paragraph that starts at `at`, marking what lies in `span`."""
    if span is None:
        return esc(paragraph)
    a = min(max(span[0] - at, 0), len(paragraph))
    b = min(max(span[1] - at, 0), len(paragraph))
    if a >= b:
        return esc(paragraph)
    first = ' id="rc-cited"' if span[0] >= at else ""
    return f"{esc(paragraph[:a])}<mark{first}>{esc(paragraph[a:b])}</mark>{esc(paragraph[b:])}"


def _day(source: Source) -> str:
    return source.published.strftime("%d/%m/%Y") if source.published else "–"
