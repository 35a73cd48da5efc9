"""An answer as Markdown, with its references."""

from __future__ import annotations

from rag import texts
from rag.answering.extractive import number_citations, paragraphs
from rag.domain import Answer
from rag.markup import markdown_text


def answer_markdown(answer: Answer) -> str:
    """Return an answer with its references, to paste or to keep."""
    numbers = number_citations(answer.statements)
    lines = [f"**{markdown_text(answer.question)}**", ""]
    if answer.notice:
        lines += [markdown_text(answer.notice), ""]
    if answer.refused:
        lines += [markdown_text(answer.text), ""]
        lines += [
            f"- {markdown_text(texts.label(n.citation.source))}\u00a0: "
            f"«\u00a0{markdown_text(n.citation.quote.strip())}\u00a0»"
            for n in answer.nearest
        ]
        if answer.suggestion:
            lines += ["", markdown_text(texts.SUGGESTED.format(answer.suggestion))]
        return "\n".join(lines).strip() + "\n"
    if answer.intro:
        lines += [markdown_text(answer.intro), ""]
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
