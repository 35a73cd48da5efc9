"""Complete a follow-up from the conversation, without a language model.

« Et en 2023 ? » takes the previous question and changes its year; « Qui l'a
dit ? » takes over what the previous turn was about. A question that stands by
itself is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.domain import Turn
from rag.french.names import names
from rag.french.words import content_stems, fold, is_function_word, words

_OPENING = re.compile(r"^\s*(?:et|mais|ou|alors|puis)\b[\s,]*", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_REFERENCE = re.compile(
    r"\b(?:l'a|l'ont|l'avait|il|elle|ils|elles|lui|leur|cela|ca|celui-ci|celle-ci|cette affaire|"
    r"ce projet|cette decision|cet accord|y|en est|la-bas|son|sa|ses)\b"
)
_PLACE = re.compile(
    r"\b(à|au|aux|dans|en|chez|pour)\s+((?:l[ea'’]s?\s?)?[A-ZÀ-Þ][\w’'-]*(?:[ -][A-ZÀ-Þ][\w’'-]*)*)"
)


def complete(question: str, history: Sequence[Turn]) -> str:
    """Return the question to search for, with what it leaves unsaid taken from `history`."""
    if not history or not _depends(question):
        return question
    last = history[-1]
    opening = _OPENING.match(question)
    if opening and not names_a_question(question):
        return _vary(last.question, question[opening.end() :].strip(" ?.!"))
    about = _subject(last.question)
    if re.search(r"\b(?:dit|declare|affirme|annonce|explique)\b", fold(question)):
        about = [*about, *_subject(last.answer)[:12]]
    known = set(content_stems(question))
    carried = [w for w in about if not set(content_stems(w)) <= known]
    return f"{question.strip(' ?')} {' '.join(dict.fromkeys(carried))} ?"


def names_a_question(question: str) -> bool:
    """Tell whether a question has an asking word of its own after its opening."""
    rest = fold(_OPENING.sub("", question))
    return bool(re.match(r"(?:qui|que|quoi|quand|pourquoi|comment|combien|ou\b|quel)", rest))


def _depends(question: str) -> bool:
    """Tell whether a question leans on what was said before."""
    if _OPENING.match(question):
        return True
    named = names(question)
    return not named and bool(
        len(set(content_stems(question))) <= 1 or _REFERENCE.search(fold(question))
    )


def _vary(previous: str, piece: str) -> str:
    """Return the previous question with its year or place replaced by the new one."""
    base = previous.strip(" ?")
    year = _YEAR.search(piece)
    if year and _YEAR.search(base):
        return f"{_YEAR.sub(year.group(), base)} ?"
    place = _PLACE.search(piece)
    if place:
        for old in _PLACE.finditer(base):
            if old.group(1).lower() in {place.group(1).lower(), "à", "au"}:
                return f"{base[: old.start()]}{place.group()}{base[old.end() :]} ?"
    return f"{base} {piece} ?"


def _subject(text: str) -> list[str]:
    """Return the words of a text that say what it is about, as written."""
    found = re.findall(r"[\w’'-]+", re.sub(r"\[\d+\]", " ", text))
    return [w for w in found if not all(is_function_word(part) for part in words(w))]
