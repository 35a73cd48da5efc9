"""Proper names of French text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.french.words import fold, is_function_word


def names(text: str) -> set[str]:
    """Return the folded proper-name words of `text`: capitalised, not first in a sentence.

    A heuristic: a name that only ever opens sentences is missed, which makes
    checks built on it more lenient, never less exact.
    """
    return {fold(m.group()) for m in _inner_capitals(text)}


_CAPITALISED = re.compile(r"(?<![^\W\d_])[A-ZÀ-ÖØ-Þ][\w]+", re.UNICODE)
_SENTENCE_OPENING = re.compile(r"(?:^|[.!?…:»«“\"\n])[\s«“\"—–\-(]*$")


def _inner_capitals(text: str) -> Iterator[re.Match[str]]:
    for match in _CAPITALISED.finditer(text):
        opening = _SENTENCE_OPENING.search(text[max(0, match.start() - 12) : match.start()])
        if (match.start() == 0 or opening) and not match.group().isupper():
            continue
        if not is_function_word(fold(match.group())):
            yield match
