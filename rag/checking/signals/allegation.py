"""An accusation, a suspicion, a charge or a denial stated as the deed itself.

« B a agressé A » does not follow from « A, qui accuse B de l'avoir agressée », nor from « B nie
avoir agressé A »: in the premise the deed is only what somebody is accused of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag import texts
from rag.checking.signals.modality import verbs
from rag.checking.signals.pair import Pair
from rag.domain import Side, Signal, SignalName
from rag.french.opposites import root
from rag.french.words import content_stems, lowered, same_root

# What follows one of these, to the end of its clause, is what is alleged.
_ALLEGED = re.compile(
    r"\b(?:(?:accus|soupçonn|suspect|inculp)(?:e|es|ent|ait|aient|er|ant|é|ée|és|ées|a|èrent)|"
    r"accusations?|soupçons?|suspicions?|allégations?|reproch(?:e|ent|ait|aient|é|ée|er|ant)|"
    r"(?:mis|mise|mises) en (?:examen|cause)|mise en accusation|poursuivie?s? (?:pour|en justice)|"
    r"jugée?s? pour|comparaî\w+|(?:port|dépos)(?:e|ent|é|er) plainte|plaintes? (?:pour|contre)|"
    r"ni(?:e|ent|ait|aient|er|ant|é)|dément(?:i|ent|ait|aient|ir|ant)?|contest(?:e|ent|ait|er|ant|é)|"
    r"réfut(?:e|ent|ait|er|ant|é)|enquête (?:pour|sur)|"
    r"présumée?s?|prétendument|aurai(?:t|ent) \w+é)\b"
)
_CLAUSE = re.compile(r"[.;:!?»]|, (?:mais|tandis|alors|et (?:il|elle|a|ont)|il|elle|ils|elles)\b")
_LONGEST_ALLEGATION = 160  # characters of what is alleged


def find(pair: Pair) -> Signal | None:
    """Return the word by which a deed of the hypothesis is only alleged in the premise."""
    if _ALLEGED.search(lowered(pair.hypothesis)):
        return None
    deeds = [root(v.text) for v in verbs(pair.docs[0])]
    sentence = lowered(pair.premise)
    spans = [(m.start(), m.group(), _end(sentence, m.end())) for m in _ALLEGED.finditer(sentence)]
    if not deeds or not spans:
        return None
    rest = content_stems(_outside(sentence, [(start, end) for start, _, end in spans]))
    unproven = [deed for deed in deeds if not _has(rest, deed)]
    for start, word, end in spans:
        alleged = content_stems(sentence[start:end])[1:]
        if any(_has(alleged, deed) for deed in unproven):
            return Signal(SignalName.ALLEGATION, texts.ALLEGED.format(word), Side.AGAINST)
    return None


def _outside(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return what of a text stands in none of some spans, which are in order and may overlap."""
    parts, position = [], 0
    for start, end in spans:
        parts.append(text[position : max(position, start)])
        position = max(position, end)
    return "".join([*parts, text[position:]])


def _end(sentence: str, start: int) -> int:
    """Return where the clause ends that begins at `start`."""
    stop = _CLAUSE.search(sentence, start)
    return min(stop.start() if stop else len(sentence), start + _LONGEST_ALLEGATION)


def _has(stems: list[str], deed: str) -> bool:
    return any(same_root(stem, deed) for stem in stems)
