"""Whether an article corrects what its paper had published, and what of it stands.

A correction is a fact of the article, decided once when it is read: by its
title or section, which papers use as a label, or by its first words in the
voice of the newsroom. The word alone says nothing: markets have corrections,
teachers correct papers, and « nous avons annoncé » is what papers do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rag.french.numbers import numbers
from rag.french.sentences import sentences
from rag.french.words import fold

_OPENING_SENTENCES = 2  # sentences; what a newsroom corrects, it says at once
_OPENING_LENGTH = 600  # characters of them
_LONGEST_SENTENCE = 3000  # characters of a sentence that takes something back
_LABEL = r"(?:correct(?:ion|if)|rectific(?:ation|atif)|erratum|errata)s?"
# « Correction : … », « [Rectificatif] … », « Erratum » alone, « Rectificatif à notre article ».
_LABELLED = re.compile(
    rf"[*\s]*{_LABEL}[* ]*(?:[:.|—–\n]|- |$)|[\[(]{_LABEL}[\])]|"
    rf"{_LABEL} (?:a|de|sur) (?:notre|nos)\b"
)
# « … : rectificatif »; not « CAC 40 : correction ».
_LABELLED_LAST = re.compile(r"[:(\[|—–-]\s*(?:rectificatif|erratum|errata)s?[\])\s.]*$")

_VERB = (
    r"(?:ecri|indiqu|publi|annonc|affirm|mentionn|attribu|rapport|precis|present|donn|titr|relat|"
    r"signal|evoqu|situ|confond|cit)"
)
_WROTE = rf"nous (?:l')?(?:(?:avons|avions)(?: \w+){{0,2}} {_VERB}\w+|{_VERB}v?ions\b)"
_VERSION = r"(?:premiere|precedente|ancienne) version de (?:cet|notre) article"
_PAPER = (
    r"(?:(?:notre|nos|cet|cette) (?:\w+ )?(?:articles?|editions?|numeros?|colonnes|pages?|journal|"
    r"journaux|site|titres?|legendes?|infographies?|cartes?|tableaux?|compte[ -]rendu|portraits?|"
    rf"reportages?|enquetes?|breves?)|{_VERSION})\b"
)
_SLIP = r"(?:erreur|coquille|inexactitude|confusion|imprecision)s?"
_WRONGLY = r"(?:par erreur|a tort|par megarde|de (?:facon|maniere) erronee)"
_CORRECTS = re.compile(
    r"\b(?:"
    + "|".join(
        (
            rf"contrairement a ce qu(?:e|'|i)\b.{{0,80}}\b(?:{_WROTE}|{_PAPER})",
            rf"contrairement a ce que {_WROTE}",
            rf"{_WROTE}[^.]{{0,160}}\b{_WRONGLY}\b",
            rf"nous (?:l')?(?:avons|avions) {_WRONGLY} {_VERB}",
            rf"{_WRONGLY},? que {_WROTE}",
            rf"{_PAPER}[^.]{{0,160}}\b{_WRONGLY}\b",
            rf"{_SLIP}\b.{{0,40}}\bgliss\w+\b.{{0,60}}\b{_PAPER}",
            rf"{_PAPER}[^.]{{0,80}}\b(?:comport|conten)\w+ (?:\w+ ){{1,2}}{_SLIP}\b",
            rf"nous (?:avons|avions) commis (?:\w+ ){{1,2}}{_SLIP}\b",
            rf"{_VERSION} {_VERB}",
            rf"{_PAPER}[^.]{{0,160}}\bil (?:faut|fallait) lire\b",
            rf"il (?:faut|fallait) lire\b[^.]{{0,160}}\b{_PAPER}",
        )
    )
    + ")"
)
_QUOTED = re.compile(r"«[^»]{0,600}»|“[^”]{0,600}”|\"[^\"]{0,600}\"")

# What a correction takes back: the clause that opens a sentence, one inside it, all of it.
_REST = r"\b(?:[^,;:.!?»]|[.,](?=\d)){0,300}"
_OPENS = re.compile(rf"^\s*(?:contrairement a ce qu(?:e|i|')|au lieu d[e']|et non){_REST},\s*")
_INSIDE = re.compile(
    rf",?\s*\b(?:et non|mais non|non pas|au lieu d[e']|contrairement a ce qu(?:e|i|')|"
    rf"comme {_WROTE}){_REST},?"
)
_RECALLED = re.compile(rf"\b(?:{_WROTE}|{_PAPER}[^.]{{0,120}}\b{_VERB}\w*ai(?:en)?t\b)")


def is_correction(title: str, section: str, text: str) -> bool:
    """Tell whether an article corrects something that its paper had published."""
    head = fold(title[:_OPENING_LENGTH]).strip()
    if _LABELLED.match(head) or _LABELLED_LAST.search(head):
        return True
    opening = text[:_OPENING_LENGTH].lstrip()
    if re.fullmatch(_LABEL, fold(section[:_OPENING_LENGTH]).strip()) or _LABELLED.match(
        fold(opening)
    ):
        return True
    # What is between quotation marks is somebody else's voice.
    opening_sentences = sentences(_QUOTED.sub("«»", opening))[:_OPENING_SENTENCES]
    return any(_CORRECTS.search(fold(sentence)) for sentence in opening_sentences)


def valid_part(sentence: str) -> str:
    """Return what a sentence of a correction still says, or "" when it recalls an error alone.

    « 312, et non 340 » says 312; « nous avions écrit 340 » says nothing. The
    article's own words are kept; those that take something back are left out.
    """
    if len(sentence) > _LONGEST_SENTENCE:
        return sentence
    remainder = _without(_INSIDE, _without(_OPENS, sentence)).strip()
    return "" if _RECALLED.search(fold(_QUOTED.sub("«»", remainder))) else remainder


def retracted_figures(text: str, statements: Iterable[str]) -> frozenset[str]:
    """Return the figures that a correction recalls in order to take them back.

    `text` is what the correction says and `statements` its sentences: « 312, et non
    340 » takes back 340. A figure that stands anywhere in it is not taken back.
    """
    stands = " ".join(valid_part(sentence) for sentence in statements)
    return frozenset(numbers(text) - numbers(stands))


def _without(pattern: re.Pattern[str], text: str) -> str:
    """Return a text without what a pattern of folded words matches in it."""
    pieces = [fold(char) for char in text]
    # Where each folded character comes from: folding goes character by character.
    origins = [at for at, piece in enumerate(pieces) for _ in piece] + [len(text)]
    remaining, done = [], 0
    for match in pattern.finditer("".join(pieces)):
        remaining.append(text[done : origins[match.start()]])
        done = origins[match.end()]
    return "".join((*remaining, text[done:]))
