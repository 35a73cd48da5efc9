"""French sentence boundaries, as exact spans of the text.

Rules rather than a model: they are fast, the same everywhere and testable.
A short quotation or parenthesis is never cut, so that « Il pleut. On part »,
dit-elle stays with its speaker. sentencex 1.0 was tried first: it ends a
sentence after « M. », « J. » and « O. », which news French cannot afford.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from rag.french.names import TITLES
from rag.french.words import fold, is_function_word

Span = tuple[int, int]

# A quotation or parenthesis longer than this may be cut at sentences inside it.
WHOLE_QUOTE = 400

_ABBREVIATIONS = frozenset(
    """
    m mm mr mme mmes mlle mlles dr drs pr prs me mes mgr st ste sts stes cf art al alin av bd bld
    boul chap coll comm dept ed env ex fig hab hon ibid id inf jr lt col cdt cap gal gen sgt adj
    no nos num op p pp par pl ref resp sect sup suppl tel tome trad vol vs janv fevr avr juil sept
    oct nov dec lun mar mer jeu ven sam dim min max approx dir depute mns faub imp pass sq
    """.split()
)
# These also close sentences; what follows decides.
_BEFORE_NAMES = frozenset(  # a full stop after them ends no sentence
    (*(title.rstrip(".") for title in TITLES), *"MM Pr Mlle Mmes St Ste".split())
)
_OFTEN_WORDS = frozenset("par mes me col mar sup max min cap ed id ex no pl pass al dir".split())
_PRONOUNS = frozenset(
    """
    il elle ils elles on ce cela ca c nous vous je tu mais or et puis ainsi cette ces celui celle
    selon pour dans depuis en au aux apres avant quand lors l les un une
    """.split()
)
_TERMINATOR = re.compile(r"(?:[.!?…]+[\s\u00a0\u202f]?)*[.!?…]+|\n+")
_CLOSERS = re.compile(r"(?:[ \u00a0\u202f]?[»”’\"')\]]+)*(?:\[\d+\])*")
_OPENERS = "«“\"‘'([—–-•"
_PAIRS = {"«": "»", "“": "”", "(": ")"}
_LAST_TOKEN = re.compile(r"[^\s\u00a0\u202f«“\"(’'\[]+\Z")
_GLUED = re.compile(r"[A-ZÀ-Þ](?=[a-zà-ÿœæ’'])[a-zà-ÿœæ]*")  # a word after a lost space
_PLAIN = re.compile(r"(?:[^\W\d_]+-)*[a-zà-ÿœæ]{3,}|\d{1,4}")
_NEXT_WORD = re.compile(r"[\s\u00a0\u202f«“\"(\[—–-]*([^\W_]+)")


def sentence_spans(text: str) -> list[Span]:
    """Return the `[start, end)` spans of the sentences of `text`, in order.

    Spans are trimmed of surrounding space, never empty, never overlap, and
    every character outside them is white space. A line break always ends a
    sentence. Linear in the length of `text`.
    """
    spans: list[Span] = []
    start = 0
    whole = _whole_groups(text)
    starts = [s for s, _ in whole]
    for match in _TERMINATOR.finditer(text):
        if match.group()[0] == "\n":
            end = match.start()
        else:
            closing = _CLOSERS.match(text, match.end())
            end = closing.end() if closing else match.end()
            group = bisect_right(starts, match.start()) - 1
            inside = group >= 0 and end < whole[group][1]
            if end < start or inside or not _ends_sentence(text, match, end):
                continue
        if span := _trim(text, start, end):
            spans.append(span)
        start = max(start, end)
    if span := _trim(text, start, len(text)):
        spans.append(span)
    return spans


def sentences(text: str) -> list[str]:
    """Return the sentences of `text` as strings."""
    return [text[a:b] for a, b in sentence_spans(text)]


def _ends_sentence(text: str, match: re.Match[str], end: int) -> bool:
    """Tell whether the terminator `match`, closed at `end`, ends a sentence."""
    if end >= len(text):
        return True
    if not text[end].isspace():
        return _was_spaced(text, match, end)
    following = text[end : end + 40].lstrip(" \t\u00a0\u202f")
    if not following or following[0] == "\n":
        return True
    if not (following[0].isupper() or following[0].isdigit() or following[0] in _OPENERS):
        return False
    if following[0] in _OPENERS:
        word = _NEXT_WORD.match(following)
        if word and word.group(1)[0].islower() and following[0] not in "—–-•":
            return following[0] in "«“"
    if match.group() != "." or end > match.end():
        return True
    return not _is_abbreviation(text, match.start(), following)


def _was_spaced(text: str, match: re.Match[str], end: int) -> bool:
    """Tell whether what is glued to a terminator is a new sentence whose space was lost.

    « données.Vous » and « Lyon.Il » are two sentences; « lemonde.fr »,
    « U.E.F.A. », « Node.Js » and « Yahoo!Mail » are one word.
    """
    following = _GLUED.match(text, end)
    if following is None:
        return False
    token = _LAST_TOKEN.search(text, max(0, match.start() - 24), match.start())
    if token is None:  # « Que faire ?Signalez-le » with a space before the mark
        return match.group() != "."
    if is_function_word(fold(following.group())) and len(token.group()) > 1:
        return not _is_abbreviation(text, match.start(), text[end : end + 40])
    return bool(_PLAIN.fullmatch(token.group())) and len(following.group()) > 2


def _is_abbreviation(text: str, dot: int, following: str) -> bool:
    """Tell whether the full stop at `dot` belongs to an abbreviation, initial or list mark."""
    token_match = _LAST_TOKEN.search(text, max(0, dot - 24), dot)
    if token_match is None:
        return False
    token = token_match.group()
    next_word = _NEXT_WORD.match(following)
    next_folded = fold(next_word.group(1)) if next_word else ""
    if re.fullmatch(r"(?:\w\.-?)*[A-ZÀ-Þ]", token):  # J., J.-P., O.N.U.
        return next_folded not in _PRONOUNS
    last = fold(token).rsplit("-", 1)[-1]
    if last in _ABBREVIATIONS:
        if token in _BEFORE_NAMES:
            return True
        if last in _OFTEN_WORDS:
            return following[0].isdigit()
        return next_folded not in _PRONOUNS
    opens_line = text[token_match.start() - 1 : token_match.start()] in {"", "\n"}
    return bool(opens_line and re.fullmatch(r"\d{1,2}|[a-z]", token))


def _whole_groups(text: str) -> list[Span]:
    """Return outermost quotations and parentheses short enough to stay whole."""
    groups: list[Span] = []
    stack: list[tuple[str, int]] = []
    awaited = dict.fromkeys(_PAIRS.values(), 0)  # closers in the stack: it is never searched
    for match in re.finditer(r"[«»“”()\n]", text):
        sign, at = match.group(), match.start()
        if sign == "\n":
            stack.clear()
            awaited = dict.fromkeys(awaited, 0)
        elif sign in _PAIRS:
            stack.append((_PAIRS[sign], at))
            awaited[_PAIRS[sign]] += 1
        elif awaited[sign]:
            closer = ""
            while closer != sign:  # what was opened inside is left unclosed
                closer, opened = stack.pop()
                awaited[closer] -= 1
            if at + 1 - opened <= WHOLE_QUOTE:
                while groups and groups[-1][0] >= opened:
                    groups.pop()
                groups.append((opened, at + 1))
    return groups


def _trim(text: str, start: int, end: int) -> Span | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
