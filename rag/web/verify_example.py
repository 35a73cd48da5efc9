"""A text to try the « Vérifier » tab with: of the sample corpus, or of the corpus that is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag import texts
from rag.assistant import LocalAssistant
from rag.errors import ArticleNotFoundError
from rag.french.anaphora import has_unresolved_anaphora
from rag.french.numbers import DIGITS
from rag.french.sentences import sentences
from rag.french.words import fold

_LOOKED_AT = 10  # newest articles
_QUOTED_SENTENCES = 2  # sentences of the corpus in an example
_SHORTEST_SENTENCE, _LONGEST_SENTENCE = 50, 200  # characters of a sentence that is quoted
_FIGURE = re.compile(rf"(?<![\w.,]){DIGITS}(?![\w.,]*\w)")
_YEAR = re.compile(r"(?:19|20)\d\d")


def example(assistant: LocalAssistant) -> str:
    """Return a text to check over a corpus, "" where it has no sentence that a text can be made of.

    Over the sample corpus, one whose verdicts differ. Over another, sentences of the newest
    articles, the same with another figure, a judgement and a question.
    """
    if all(_has(assistant, title) for title in texts.SAMPLE_TITLES):
        return texts.SAMPLE_TEXT
    quoted = []
    for sentence in _with_figures(assistant):
        quoted += [sentence, _FIGURE.sub(lambda m: _another(m.group()), sentence, count=1)]
        if len(quoted) == 2 * _QUOTED_SENTENCES:
            break
    return "\n\n".join([*quoted, *texts.EXAMPLE_UNVERIFIABLE]) if quoted else ""


def _has(assistant: LocalAssistant, title: str) -> bool:
    records = assistant.page("", 5, title).records
    return any(fold(r.source.title) == fold(title) for r in records)


def _with_figures(assistant: LocalAssistant) -> Iterator[str]:
    """Yield a sentence with a figure of each of the newest articles that anybody may read."""
    for record in assistant.page("", _LOOKED_AT).records:
        if record.withdrawn or record.source.paywalled:
            continue
        try:
            text = assistant.article(record.id).text
        except ArticleNotFoundError:  # it has gone since it was listed
            continue
        for sentence in sentences(text):
            flat = " ".join(sentence.split())
            figure = _FIGURE.search(flat)
            fits = (
                _SHORTEST_SENTENCE <= len(flat) <= _LONGEST_SENTENCE
                and flat.endswith(".")
                and "«" not in flat
            )
            if fits and figure and not _YEAR.fullmatch(figure.group()):
                if has_unresolved_anaphora(flat):
                    continue
                yield flat
                break


def _another(figure: str) -> str:
    """Return another figure, as long: its first digit is the next one."""
    return f"{int(figure[0]) % 9 + 1}{figure[1:]}"
