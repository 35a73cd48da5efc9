"""Whether figures and names stand with the same words in the hypothesis as in the premise.

« La capsule livre 660 kg et en ramène 521 » has both figures of « elle livre 521 kg et en ramène
660 », each in the other's place. Two things that both texts have are exchanged when the words
beside each of them in the hypothesis are rather those beside the other in the premise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations, islice
from typing import TYPE_CHECKING

from rag import texts
from rag.domain import Side, Signal, SignalName
from rag.french.words import content_stems, fold, is_grammatical, same_root, words

if TYPE_CHECKING:
    from rag.checking.signals.pair import Pair

_WINDOW = 60  # characters on each side within which words stand beside a thing
_BREAK = re.compile(r"[.;:,()\n]| (?:et|mais|tandis que|alors que|contre|puis|ou) ")
_MOST_THINGS = 24  # things of a text that are compared
_NAME_WINDOW = 40  # characters on each side of a name
_MARGIN = 0.5  # by how many words more the exchange must fit
_SAME_PLACE = 1  # words beside a name that are beside the other one


def find(pair: Pair) -> Signal | None:
    """Return two things that stand in each other's place."""
    swapped = swapped_arguments(pair.hypothesis, pair.premise)
    return (
        Signal(SignalName.ROLES, texts.EXCHANGED.format(*swapped), Side.AGAINST)
        if swapped
        else None
    )


@dataclass(frozen=True, slots=True)
class Anchor:
    """A figure or a name that both texts have: where in each, `[start, end)`."""

    hypothesis: tuple[int, int]
    premise: tuple[int, int]
    kind: str


def anchors(hypothesis: str, premise: str) -> list[Anchor]:
    """Return what both texts name once: their numbers, and their words with a capital."""
    found = []
    for kind, pattern in (("number", _NUMBER), ("name", _NAME)):
        mine, theirs = (_once(text, pattern) for text in (hypothesis, premise))
        found += [Anchor(span, theirs[key], kind) for key, span in mine.items() if key in theirs]
    return found[:_MOST_THINGS]


_NUMBER = re.compile(r"\d+(?:[ \u00a0\u202f.]\d{3})*(?:,\d+)?")
_NAME = re.compile(r"[A-ZÀ-Þ][\w’-]+(?:[ -][A-ZÀ-Þ][\w’-]+)*")


def _once(text: str, pattern: re.Pattern[str]) -> dict[str, tuple[int, int]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for m in pattern.finditer(text):
        if not is_grammatical(m.group()):
            found.setdefault(re.sub(r"\s", "", fold(m.group())), []).append(m.span())
    return {key: spans[0] for key, spans in found.items() if len(spans) == 1}


def swapped_arguments(hypothesis: str, premise: str) -> tuple[str, str] | None:
    """Return two things of the hypothesis that stand in each other's place, or None."""
    found = anchors(hypothesis, premise)
    beside = {a: (_beside(hypothesis, a.hypothesis), _beside(premise, a.premise)) for a in found}
    for one, other in combinations(found, 2):
        if one.kind != other.kind or _joined(hypothesis, one, other):
            continue
        mine, theirs = zip(beside[one], beside[other], strict=True)
        own = [_alike(m, t) for m, t in zip(mine, theirs, strict=True)]
        crossed = [_alike(m, t) for m, t in zip(mine, reversed(theirs), strict=True)]
        if sum(crossed) > sum(own) + _MARGIN and min(
            c - o for c, o in zip(crossed, own, strict=True)
        ) >= 0:  # fmt: skip
            return hypothesis[slice(*one.hypothesis)], hypothesis[slice(*other.hypothesis)]
    return None


def _joined(text: str, one: Anchor, other: Anchor) -> bool:
    """Tell whether two things are stated of one: « en 1938 et en 1996 »."""
    first, last = sorted((one.hypothesis, other.hypothesis))
    between = text[first[1] : last[0]]
    return bool(
        re.fullmatch(r"(?:\s|,|\b(?:et|ou|à|en|au|de|du|des|le|la|les|l|d)\b|['’])*", between)
    )


def _beside(text: str, span: tuple[int, int]) -> tuple[set[str], set[str]]:
    """Return the content stems just before and just after a span, within its clause."""
    before = text[max(0, span[0] - _WINDOW) : span[0]]
    after = text[span[1] : span[1] + _WINDOW]
    breaks = list(_BREAK.finditer(before))
    before = before[breaks[-1].end() :] if breaks else before
    stop = _BREAK.search(after)
    after = after[: stop.start()] if stop else after
    return set(content_stems(before)), set(content_stems(after))


def _alike(a: tuple[set[str], set[str]], b: tuple[set[str], set[str]]) -> float:
    """Return how many words two contexts share; those on the same side count for a little more."""
    whole_a, whole_b = a[0] | a[1], b[0] | b[1]
    shared = sum(any(same_root(x, y) for y in whole_b) for x in whole_a)
    sides = sum(any(same_root(x, y) for y in b[side]) for side in (0, 1) for x in a[side])
    return shared + 0.5 * sides


def substituted_name(hypothesis: str, premise: str) -> tuple[str, str] | None:
    """Return a name that the premise lacks, and the one that it has in its place.

    « face à l'Espagnol Ian Poulter » has the words around « Anglais », and another word there.
    """
    theirs = list(_NAME.finditer(premise))[:_MOST_THINGS]
    premise_words = {w for m in theirs for w in words(m.group())}
    hypothesis_words = set(words(hypothesis))
    for mine in islice(_NAME.finditer(hypothesis), _MOST_THINGS):
        own = words(mine.group())
        if mine.start() == 0 or is_grammatical(mine.group()) or not premise_words.isdisjoint(own):
            continue
        here = _around(hypothesis, mine.span())
        for other in theirs:
            if hypothesis_words.isdisjoint(words(other.group())) and not is_grammatical(
                other.group()
            ):
                there = _around(premise, other.span())
                sides = [_shared(here[side], there[side]) for side in (0, 1)]
                if sum(sides) >= _SAME_PLACE:
                    return mine.group(), other.group()
    return None


def _shared(a: set[str], b: set[str]) -> int:
    return sum(any(same_root(x, y) for y in b) for x in a)


def _around(text: str, span: tuple[int, int]) -> tuple[set[str], set[str]]:
    """Return the content stems near a span within its sentence, before and after it."""
    before = re.split(r"[.;\n]", text[max(0, span[0] - _NAME_WINDOW) : span[0]])[-1]
    after = re.split(r"[.;\n]", text[span[1] : span[1] + _NAME_WINDOW])[0]
    return set(content_stems(before)), set(content_stems(after))
