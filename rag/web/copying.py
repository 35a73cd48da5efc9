"""An answer in the forms that a reader takes away: text, HTML, quotations for a CMS."""

from __future__ import annotations

from rag import texts
from rag.citations import number_citations, render
from rag.domain import Answer
from rag.web.markdown import answer_markdown
from rag.web.templating import fragment


def forms(answer: Answer, filters: str = "") -> dict[str, str]:
    """Return an answer in each form, by its name; those of quotations are of an answer alone.

    `filters` says which articles could answer, "" where all could.
    """
    within = f"\n{texts.FILTERS.format(filters)}\n" if filters else ""
    found = {"text": answer_text(answer) + within, "markdown": answer_markdown(answer) + within}
    if answer.statements:
        numbers = number_citations(answer.statements)
        found["html"] = _plain(
            fragment("copy.html", answer=answer, numbers=numbers, filters=filters)
        )
        found["cms"] = _plain(fragment("quotations.html", citations=list(numbers)))
    return found


def _plain(markup: str) -> str:
    """Return HTML with apostrophes as they are written: no attribute is between them."""
    return markup.replace("&#39;", "'")


def answer_text(answer: Answer) -> str:
    """Return an answer with its references, as plain text."""
    lines = [answer.question, ""]
    lines += [answer.notice, ""] if answer.notice else []
    if answer.refused:
        lines.append(answer.text)
        perhaps = f"{texts.PERHAPS} " if answer.tentative else ""
        lines += [
            f"– {perhaps}{texts.cited(n.citation)}\u00a0: «\u00a0{n.citation.quote.strip()}\u00a0»"
            for n in answer.nearest
        ]
    else:
        lines += [answer.intro, ""] if answer.intro else []
        lines += [render(answer.statements), ""]
        for citation, number in number_citations(answer.statements).items():
            address = f" {citation.source.url}" if citation.source.url else ""
            quote = f"«\u00a0{citation.quote.strip()}\u00a0»"
            lines.append(f"[{number}] {texts.cited(citation)}. {quote}{address}")
    return "\n".join(lines).strip() + "\n"
