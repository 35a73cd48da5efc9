"""A negation on one side only, and words that exclude each other."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag import texts
from rag.checking.denial import denial
from rag.checking.signals.names import WORD, as_written
from rag.checking.signals.pair import Pair
from rag.domain import Side, Signal, SignalName
from rag.french.opposites import opposed, root
from rag.french.words import content_stems, fold, is_grammatical, lowered

_VOTES = re.compile(r"\b(?:vot|voix|suffrages?|prononc)", re.IGNORECASE)
_BOUND = re.compile(r"\b(?:plus|moins) d[e'’] ?\d", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;:.!?«»()]|\b(?:mais|et que?|parce que?|puisque?|car)\b")  # ends one
NEGATED = re.compile(
    r"\b(?:ne |n')\s?\w+.{0,30}?\b(?:pas|jamais|aucun\w*|plus|rien|ni|personne|gu[èe]re)\b|"
    r"\b(?:aucune?|personne|rien|nul(?:le)?|jamais|pas une?)\b.{0,40}?\b(?:ne |n')"
)


def negation(pair: Pair) -> Signal | None:
    """Tell of a negation that hypothesis or the nearest sentence has alone.

    In the sentence it counts where its clause speaks of what the hypothesis does: « il ne savait
    pas ce qu'il se passait » denies nothing else.
    """
    mine, theirs = bool(NEGATED.search(lowered(pair.hypothesis))), _denies(pair)
    if mine and not theirs and denial(pair.sentence):
        return None  # who denies it says that it is not so
    return Signal(SignalName.NEGATION, texts.REVERSED, Side.AGAINST) if mine != theirs else None


def _denies(pair: Pair) -> bool:
    """Tell whether a clause with a negation shares a word of meaning with the hypothesis."""
    text = lowered(pair.sentence)
    wanted = set(content_stems(pair.hypothesis))
    for found in NEGATED.finditer(text):
        first = max((m.end() for m in _CLAUSE.finditer(text, 0, found.start())), default=0)
        end = _CLAUSE.search(text, found.end())
        clause = text[first : end.start() if end else len(text)]
        if not wanted.isdisjoint(content_stems(clause)):
            return True
    return False


def contrary(pair: Pair) -> Signal | None:
    """Return a word of the hypothesis whose contrary the nearest sentence has, without it."""
    found = next(contraries(pair.hypothesis, pair.sentence), None)
    return (
        Signal(SignalName.CONTRARY, texts.CONTRARY.format(*found), Side.AGAINST) if found else None
    )


def contraries(hypothesis: str, sentence: str) -> Iterator[tuple[str, str]]:
    """Yield the words of a hypothesis and their contraries in a sentence, as each writes them."""
    mine, theirs = (
        # « sûr » is neither « sur » nor its contrary.
        {root(w): fold(w) for w in WORD.findall(text) if is_grammatical(w) or not _has_twin(w)}
        for text in (hypothesis, sentence)
    )
    for stem, word in mine.items():
        if stem in theirs:
            continue
        for other, their_word in theirs.items():
            if other not in mine and opposed(stem, other):
                if {word, their_word} == {"pour", "contre"} and not _VOTES.search(sentence):
                    continue  # « pour réprimer » is not the contrary of « contre »
                if {word, their_word} == {"plus", "moins"} and (
                    _BOUND.search(hypothesis) or _BOUND.search(sentence)
                ):
                    continue  # « plus de 15 % » bounds a figure: 15 % less are no contrary
                yield as_written(hypothesis, word), as_written(sentence, their_word)


def _has_twin(word: str) -> bool:
    """Tell whether a word is grammatical but for its accents."""
    return is_grammatical(fold(word))
