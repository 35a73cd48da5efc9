"""Whether what is said follows from the sentences that are shown for it.

One comparison of two parts that mend each other: a trained network (`rag.models.comparer`), and
what can be told exactly: figures and dates with their units, which of them stands where, names,
negation, contraries, and whether somebody's word or hearsay is told as a fact. A logistic model
gives the probability: its weights, none of which may turn a failing into a merit, are fitted on
press by `bench/comparison.py`; `comparison.json`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from rag import texts
from rag.checking.bindings import exchanged, replaced
from rag.checking.done import not_done
from rag.checking.figures import Account, Figure, account, worded_alike
from rag.checking.signals import AGAINST, OPEN
from rag.domain import Kind, Signal
from rag.french.names import names
from rag.french.opposites import opposed, root
from rag.french.sentences import sentence_spans
from rag.french.speech import attribute
from rag.french.words import content_stems, fold, words
from rag.models.comparer import Comparer

NET = ("net_follows",)  # log-odds of the network
EXACT = (
    "figure_other",  # a figure of which another one of its kind is shown
    "figure_absent",
    "date_other",
    "date_absent",
    "exchanged",  # two figures or names in each other's place
    "name_absent",
    "name_other",  # an absent name stands where another one is shown
    "not_done",  # told as done, and shown as meant, promised or expected
    "negated",  # on one side only
    "contrary",
    "all_for_some",
    "word_dropped",  # somebody's word, told as a fact
    "hearsay_dropped",
)
FEATURES = (*NET, *EXACT)
_SURE = 1e-4  # the least probability that log-odds are taken of
_NEGATED = re.compile(
    r"\b(?:ne |n')\s?\w+.{0,30}?\b(?:pas|jamais|aucun\w*|plus|rien|ni)\b|\bsans\b"
)
_ALL = re.compile(
    r"\b(?:tous|toutes|toujours|chaque|entierement|totalement|integralement|unanim\w+)\b"
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The probability, in [0, 1], that what is said follows, and what a person can check."""

    follows: float
    signals: tuple[Signal, ...]


VERBATIM = Comparison(1.0, ())


def compare(said: str, shown: str, comparer: Comparer, *, label: str = "") -> Comparison:
    """Return how what is said compares with sentences that are shown, `label` standing beside them.

    A sentence of theirs, word for word, follows. Raises EmbeddingError.
    """
    found = described(said, shown, comparer, label=label)
    return Comparison(_probability(weights(), found[0]), found[1]) if found else VERBATIM


def described(
    said: str, shown: str, comparer: Comparer, *, label: str = ""
) -> tuple[dict[str, float], tuple[Signal, ...]] | None:
    """Return the features and the signals of a comparison, or None for what is said word for word.

    Raises EmbeddingError.
    """
    if _plain(said) in _plain(shown):
        return None
    whole = f"{label}\n{shown}" if label else shown
    figures = account(said, whole)
    (net,) = comparer.compare([(worded_alike(said, figures), whole)])
    features, signals = _exact(said, shown, whole, figures)
    features["net_follows"] = _odds(net.follows)
    return features, signals


def _exact(
    said: str, shown: str, whole: str, figures: Sequence[Figure]
) -> tuple[dict[str, float], tuple[Signal, ...]]:
    found = dict.fromkeys(EXACT, 0.0)
    signals = list(_figures(figures, found))
    if swapped := exchanged(said, shown):
        found["exchanged"] = 1.0
        signals.append(Signal("rôles", texts.EXCHANGED.format(*swapped), AGAINST))
    if absent := sorted(names(said) - set(words(whole))):
        found["name_absent"] = 1.0
        signals.append(Signal("noms", texts.ABSENT_NAME.format(", ".join(absent)), OPEN))
    if other := replaced(said, shown):
        found["name_other"] = 1.0
        signals.append(Signal("noms", texts.OTHER_FIGURE.format(*other), AGAINST))
    if verb := not_done(said, shown):
        found["not_done"] = 1.0
        signals.append(Signal("réalisation", texts.NOT_DONE.format(verb), AGAINST))
    start, end = _nearest(said, shown)
    sentence = shown[start:end]
    if bool(_NEGATED.search(fold(said))) != bool(_NEGATED.search(fold(sentence))):
        found["negated"] = 1.0
        signals.append(Signal("négation", texts.REVERSED, AGAINST))
    if pair := _contrary(said, sentence):
        found["contrary"] = 1.0
        signals.append(Signal("contraires", texts.CONTRARY.format(*pair), AGAINST))
    if _ALL.search(fold(said)) and not _ALL.search(fold(whole)):
        found["all_for_some"] = 1.0
        signals.append(Signal("étendue", texts.ALL_FOR_SOME, AGAINST))
    own, theirs = attribute(said).kind, attribute(shown, start, end).kind
    if own is Kind.REPORTED and theirs is not Kind.REPORTED:
        dropped = "word_dropped" if theirs is Kind.STATEMENT else "hearsay_dropped"
        found[dropped] = 1.0
        signals.append(Signal("source", texts.WORD_DROPPED, OPEN))
    return found, tuple(signals)


def _figures(figures: Sequence[Figure], found: dict[str, float]) -> list[Signal]:
    signals = []
    for figure in figures:
        name = "date" if figure.dated else "nombre"
        kind = "date" if figure.dated else "figure"
        if figure.account is Account.ANOTHER:
            found[f"{kind}_other"] = 1.0
            text = texts.OTHER_FIGURE.format(figure.said, figure.shown)
            signals.append(Signal(name, text, AGAINST))
        elif figure.account is Account.ABSENT:
            found[f"{kind}_absent"] = 1.0
            signals.append(Signal(name, texts.ABSENT_NUMBER.format(figure.said), OPEN))
    return signals


def _contrary(said: str, sentence: str) -> tuple[str, str] | None:
    """Return a word of what is said and its contrary in a sentence that lacks the word."""
    mine, theirs = ({root(w): w for w in words(text)} for text in (said, sentence))
    for stem, word in mine.items():
        if stem in theirs:
            continue
        for other, their_word in theirs.items():
            if other not in mine and opposed(stem, other):
                return word, their_word
    return None


def _plain(text: str) -> str:
    return " ".join(fold(text).split()).strip(" .")


def _nearest(said: str, text: str) -> tuple[int, int]:
    """Return the span of the sentence that shares most with what is said."""
    wanted = set(content_stems(said))
    spans = sentence_spans(text) or [(0, len(text))]
    return max(spans, key=lambda s: len(wanted & set(content_stems(text[slice(*s)]))))


def _odds(share: float) -> float:
    return math.log((share + _SURE) / (1 - share + _SURE))


def _probability(model: dict[str, float], features: dict[str, float]) -> float:
    odds = model["intercept"] + sum(model[name] * features[name] for name in FEATURES)
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, odds))))


@lru_cache(maxsize=1)
def weights() -> dict[str, float]:
    """Return the fitted model: a weight for each of `FEATURES`, and `intercept`."""
    text = (files("rag.checking") / "comparison.json").read_text(encoding="utf-8")
    loaded: dict[str, float] = json.loads(text)["weights"]
    return loaded
