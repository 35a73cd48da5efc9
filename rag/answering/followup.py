"""Complete a follow-up from the conversation, without a language model.

A question that stands by itself is left alone. « Et en 2023 ? » takes the
previous question and changes its year; « Pourquoi ? » is asked of what it was
about. Where there are several ways, whoever searches tells which one the
articles answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from rag.answering.overview import asks_overview, matter
from rag.domain import Turn
from rag.french.names import names
from rag.french.words import content_stems, fold, is_function_word, words

_MOST = 3  # ways to understand a follow-up that are tried
_OPENING = re.compile(r"^\s*(?:et|mais|alors|puis)\b[\s,]*", re.IGNORECASE)
_ASKING = re.compile(
    r"\b(?:qui|que|quoi|quand|pourquoi|comment|combien|ou|quel(?:le)?s?|lequel|laquelle)\b|\bqu'|-t?-?(?:il|elle|on|ils|elles)\b"
)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
# What an earlier turn must have named, on folded text.
_REFERENCE = re.compile(
    r"\b(?:l'a|l'ont|l'avait|il|elle|ils|elles|lui|leur|cela|ca|celui-ci|celle-ci|"
    r"cette affaire|cet article|ce texte|ce projet|"
    r"cette decision|cet accord|y|en est|la-bas|son|sa|ses)\b"
)
_HIS_VERB = re.compile(
    r"^(?:qu'|que |ou |quand |comment |pourquoi |combien |a qui |de quoi )(?!s'est-il\b|faut-)"
    r"\S+-(?:t-)?(?:il|elle|ils|elles)\b"
)
_AFTER_VERB = re.compile(r"-(?:t-)?(?:il|elle|ils|elles)\b")
_TOO_LITTLE, _LITTLE = 1, 3  # words of matter: alone, and with a reference
_PREPOSITION = re.compile(
    r"^(à|au|aux|dans|en|chez|pour|avec|contre|sur|du|de la|des|par)\s+", re.IGNORECASE
)
_PLACES = ("à", "au", "aux", "dans", "en", "chez")
_TAIL = 5  # words after the preposition that a new piece replaces, at most
_PLACE = re.compile(
    r"\b(à|au|aux|dans|en|chez|pour)\s+((?:l[ea'’]s?\s?)?[A-ZÀ-Þ][\w’'-]*(?:[ -][A-ZÀ-Þ][\w’'-]*)*)"
)
_NAME = re.compile(r"\b[A-ZÀ-Þ][\w’'-]*(?: (?:d[eu] )?[A-ZÀ-Þ][\w’'-]*)*")


def complete(question: str, history: Sequence[Turn]) -> str:
    """Return the question to search for: the likeliest of `ways`."""
    return ways(question, history)[0]


def ways(question: str, history: Sequence[Turn]) -> list[str]:
    """Return what a question may ask after `history`, likeliest first.

    That is the question alone when it stands by itself, and at most three
    questions that are whole when it does not.
    """
    if not history or stands_alone(question):
        return [question]
    before = complete(history[-1].question, history[:-1]).strip(" ?.!")
    opening = _OPENING.match(question)
    found: list[str] = []
    if opening and not asks(question):
        piece = question[opening.end() :].strip(" ?.!")
        # What takes the place of a year or of a place leaves no other meaning.
        if varied := list(dict.fromkeys(islice(_varied(before, piece), _MOST))):
            return varied
        if _NAME.fullmatch(piece) and (old := _NAME.search(before, 1)):
            found.append(f"{before[: old.start()]}{piece}{before[old.end() :]} ?")
        found.append(f"{before} {piece} ?")
    else:
        about = _subject(before)
        if re.search(r"\b(?:dit|declare|affirme|annonce|explique)\b", fold(question)):
            about = [*about, *_subject(history[-1].answer)[:12]]
        known = set(content_stems(question))
        carried = [w for w in about if not set(content_stems(w)) <= known]
        found.append(f"{question.strip(' ?')} {' '.join(dict.fromkeys(carried))} ?")
    found.append(f"{before} ? {question}")
    return list(dict.fromkeys(found))[:_MOST]


def asks(question: str) -> bool:
    """Tell whether a question has an asking word, or a subject after its verb."""
    return bool(_ASKING.search(fold(_OPENING.sub("", question))))


def stands_alone(question: str) -> bool:
    """Tell whether a question needs nothing of what was said before."""
    opening = _OPENING.match(question)
    if opening and not asks(question):
        return False
    body = question[opening.end() :] if opening else question
    named = bool(names(body)) or bool(_NAME.search(body[1:]))
    if opening or _HIS_VERB.match(fold(body)):
        return named and not _HIS_VERB.match(fold(body))
    if named or (asks_overview(body) and matter(body)):
        return True
    told = len(set(content_stems(body)))
    if told <= _TOO_LITTLE:
        return False
    # « Pourquoi la halle ferme-t-elle ? » says what « elle » is.
    return told > _LITTLE or not _REFERENCE.search(_AFTER_VERB.sub("", fold(body)))


def _varied(before: str, piece: str) -> Iterator[str]:
    """Yield the previous question with a part of it replaced by the new one."""
    year = _YEAR.search(piece)
    if year and _YEAR.search(before):
        yield f"{_YEAR.sub(year.group(), before)} ?"
    if place := _PLACE.search(piece):
        for old in _PLACE.finditer(before):
            if old.group(1).lower() in {place.group(1).lower(), *_PLACES}:
                yield f"{before[: old.start()]}{place.group()}{before[old.end() :]} ?"
    if preposition := _PREPOSITION.match(piece):
        tail = _last(before, preposition.group(1).lower())
        if tail and len(before[tail:].split()) <= _TAIL:
            yield f"{before[:tail]} {piece} ?"


def _last(before: str, preposition: str) -> int:
    """Return where the last phrase with such a preposition begins, 0 for nowhere."""
    alike = _PLACES if preposition in _PLACES else (preposition,)
    return max(0, *(before.lower().rfind(f" {p} ") for p in alike))


def _subject(text: str) -> list[str]:
    """Return the words of a text that say what it is about, as written."""
    found = re.findall(r"[\w’'-]+", re.sub(r"\[\d+\]", " ", text))
    return [w for w in found if not all(is_function_word(part) for part in words(w))]
