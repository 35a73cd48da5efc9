"""An answer as Markdown, with its references."""

from __future__ import annotations

from rag import texts
from rag.citations import number_citations, paragraphs
from rag.domain import Answer, Citation, Statement
from rag.markup import markdown_text


def answer_markdown(answer: Answer) -> str:
    """Return an answer with its references, to paste or to keep."""
    lines = [f"**{markdown_text(answer.question)}**", "", *_body(answer, "[^{}]")]
    lines += [f"[^{n}]: {_reference(c)}" for c, n in number_citations(answer.statements).items()]
    return "\n".join(lines).strip() + "\n"


def reply_markdown(answer: Answer) -> list[str]:
    """Return an answer for another program's chat, a piece a paragraph: `[n]`, then sources."""
    pieces = [f"{line}\n\n" for line in _body(answer, "[{}]") if line]
    numbers = number_citations(answer.statements)
    if numbers:
        pieces.append(f"**{texts.SOURCES}**\n\n")
        pieces += [f"{n}. {_reference(c)}\n" for c, n in numbers.items()]
    return pieces


def _body(answer: Answer, mark: str) -> list[str]:
    """Return the paragraphs of an answer, or of a refusal, an empty line after each."""
    numbers = number_citations(answer.statements)
    lines: list[str] = []
    if answer.notice:
        lines += [markdown_text(answer.notice), ""]
    if answer.refused:
        lines += [markdown_text(answer.text), ""]
        lines += [
            f"- {f'{texts.PERHAPS} ' if answer.tentative else ''}"
            f"{markdown_text(texts.cited(n.citation))}\u00a0: "
            f"«\u00a0{markdown_text(n.citation.quote.strip())}\u00a0»"
            for n in answer.nearest
        ]
        if answer.suggestion:
            lines += ["", markdown_text(texts.SUGGESTED.format(answer.suggestion))]
        return lines
    if answer.intro:
        lines += [markdown_text(answer.intro), ""]
    for paragraph in paragraphs(answer.statements):
        sentences = []
        for statement in paragraph:
            marks = "".join(mark.format(numbers[c]) for c in statement.citations)
            doubt = "" if statement.supported else f" {texts.UNSUPPORTED_MARK}"
            sentences.append(f"{_answering(statement)}{marks}{doubt}")
        intro = f"{markdown_text(paragraph[0].lead_in)} " if paragraph[0].lead_in else ""
        lines += [intro + " ".join(sentences), ""]
    return lines


def _answering(statement: Statement) -> str:
    """Return the text of a statement, the words that answer in bold."""
    if statement.span is None:
        return markdown_text(statement.text)
    start, end = statement.span
    parts = [statement.text[:start], statement.text[start:end], statement.text[end:]]
    before, words, after = map(markdown_text, parts)
    return f"{before}**{words}**{after}"


def _reference(citation: Citation) -> str:
    link = f" <{citation.source.url}>" if citation.source.url else ""
    quote = f"«\u00a0{markdown_text(citation.quote)}\u00a0»"
    return f"{markdown_text(texts.cited(citation))}. {quote}{link}"
