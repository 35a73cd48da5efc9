"""Which words of a piece of evidence a claim has not: what a journalist's eye looks for first."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import islice

from rag.french.numbers import DIGITS, numbers, read_digits
from rag.french.words import WORD, fold, is_function_word, stem

_TOKEN = re.compile(f"{DIGITS}|{WORD.pattern}")
_MOST = 400  # words of a text that are compared: the matcher's time may be quadratic
_NEGATIONS = frozenset("pas jamais aucun aucune ni rien guere".split())


def differences(claim: str, quote: str) -> list[tuple[int, int]]:
    """Return the spans `[start, end)` of a quote's words that a claim has not, in order.

    Where figures, names or negations differ they stand alone, as they decide; else it is the other
    words, grammatical ones apart. A word that only stands elsewhere in the claim is no difference,
    nor is a figure in letters there. Neighbours are one span.
    """
    figures = numbers(claim)
    wanted = [_key(m.group()) for m in islice(_TOKEN.finditer(claim), _MOST)]
    found = list(islice(_TOKEN.finditer(quote), _MOST))
    matcher = SequenceMatcher(None, wanted, [_key(m.group()) for m in found], autojunk=False)
    decisive, others = [], []
    for tag, _, _, low, high in matcher.get_opcodes():
        if tag == "equal":
            continue
        for at in range(low, high):
            word = found[at].group()
            if _key(word) in wanted or numbers(word) & figures:
                continue
            if _decides(word, first=at == 0):
                decisive.append(found[at].span())
            elif not is_function_word(fold(word)):
                others.append(found[at].span())
    return _joined(quote, decisive or others)


def _key(word: str) -> str:
    """Return what two words that say the same have in common."""
    return read_digits(word) if re.fullmatch(DIGITS, word) else stem(fold(word))


def _decides(word: str, *, first: bool) -> bool:
    """Tell whether a word is a figure, a negation, or a name: a capital begins a sentence too."""
    folded = fold(word)
    if folded in _NEGATIONS:
        return True
    if is_function_word(folded):
        return False
    return bool(numbers(word)) or (word[0].isupper() and not first)


def _joined(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order, those with nothing but space between them as one."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined
