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
from unicodedata import normalize

from rag import texts
from rag.checking.bindings import exchanged, replaced
from rag.checking.denial import denial
from rag.checking.done import not_done
from rag.checking.figures import Account, Figure, account, worded_alike
from rag.checking.roles import other_role
from rag.checking.signals import AGAINST, ALL, OPEN
from rag.domain import Kind, Signal
from rag.french.names import names
from rag.french.opposites import opposed, root
from rag.french.sentences import sentence_spans
from rag.french.speech import attribute
from rag.french.syntax import parse
from rag.french.words import content_stems, fold, is_grammatical, lowered, words
from rag.models.comparer import Comparer
from rag.models.embedding import clean

NET = ("net_follows",)  # log-odds of the network
EXACT = (
    "figure_other",  # a figure of which another one of its kind is shown
    "figure_absent",
    "date_other",
    "date_absent",
    "exchanged",  # two figures or names in each other's place
    "other_role",  # a verb has another doer, or is done to another thing
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
# Of these, one is enough for a sentence to say something else than a claim.
_DECISIVE = (
    "exchanged", "figure_other", "date_other", "not_done", "negated", "contrary", "all_for_some",
)  # fmt: skip
_QUOTED = re.compile(r"«[^»]*»|“[^”]*”")
_MOSTLY = 0.6  # share of a claim's words that a quotation has which is about it
FOLLOWS = 0.5  # probability from which a statement passes
_WORD = re.compile(r"[^\W\d_][\w-]*")
_WEAK = 0.8  # log-odds below which a signal is not the reason where the network denies
_SURE = 1e-4  # the least probability that log-odds are taken of
_NEGATED = re.compile(
    r"\b(?:ne |n')\s?\w+.{0,30}?\b(?:pas|jamais|aucun\w*|plus|rien|ni|personne|gu[èe]re)\b|"
    r"\b(?:aucune?|personne|rien|nul(?:le)?|jamais|pas une?)\b.{0,40}?\b(?:ne |n')"
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The probability, in [0, 1], that what is said follows, and what a person can check.

    `reason` is what weighs most against it, in French; that nothing says it, where no signal does.
    """

    follows: float
    signals: tuple[Signal, ...]
    reason: str = ""


VERBATIM = Comparison(1.0, ())


def compare(said: str, shown: str, comparer: Comparer, *, label: str = "") -> Comparison:
    """Return how what is said compares with sentences that are shown, `label` standing beside them.

    A sentence of theirs, word for word, follows. Raises EmbeddingError.
    """
    found = described(said, shown, comparer, label=label)
    if found is None:
        return VERBATIM
    features, signals = found
    told = tuple(signals.values())
    return Comparison(_probability(weights(), features), told, _reason(features, signals))


def says(
    claim: str, words_of: str, comparer: Comparer, *, label: str = "", framed: bool = False
) -> Signal | None:
    """Return why somebody's sentence does not say what a claim says, None where it does.

    As `compare`, but for whose word it is: that it is somebody's is told apart. What a person
    can check decides before the network: another figure, doer or polarity is another saying.
    Of a claim that is `framed` as that person's words it decides alone. Raises EmbeddingError.
    """
    if (verb := denial(_outside(words_of, claim))) and not denial(claim):
        return Signal("négation", texts.DENIES.format(verb), AGAINST)
    found = described(claim, words_of, comparer, label=label)
    if found is None:
        return None
    features, signals = found
    for name in _DECISIVE:
        if name in signals:
            return signals[name]
    features |= {"word_dropped": 0.0, "hearsay_dropped": 0.0}
    if not framed and _probability(weights(), features) < FOLLOWS:
        return Signal("sens", texts.SAYS_OTHERWISE, AGAINST)
    return None


def _outside(sentence: str, claim: str) -> str:
    """Return what of a sentence bears on a claim: the quotation that says it, if one does.

    In « il conteste l’argument : « le carnet est plein » », the carnet is not what he contests.
    """
    wanted = set(content_stems(claim))
    for match in _QUOTED.finditer(sentence):
        if wanted and len(wanted & set(content_stems(match.group()))) >= _MOSTLY * len(wanted):
            return match.group()
    return sentence


def _reason(features: dict[str, float], signals: dict[str, Signal]) -> str:
    """Return the signal that weighs most; where the network denies alone, that nothing says it."""
    model = weights()
    strongest = min(signals, key=lambda name: model[name], default="")
    network = model["intercept"] + model["net_follows"] * features["net_follows"]
    if not strongest or (model[strongest] > -_WEAK and network < -_WEAK):
        return texts.ABSENT_WORDS
    return signals[strongest].text


def described(
    said: str, shown: str, comparer: Comparer, *, label: str = ""
) -> tuple[dict[str, float], dict[str, Signal]] | None:
    """Return the features and, by feature, the signals of a comparison; None where it is verbatim.

    Raises EmbeddingError.
    """
    said, shown, label = (normalize("NFC", clean(text)) for text in (said, shown, label))
    if _verbatim(said, shown):
        return None
    whole = f"{label}\n{shown}" if label else shown
    figures = account(said, whole)
    (net,) = comparer.compare([(worded_alike(said, figures), whole)])
    features, signals = _exact(said, shown, whole, figures)
    features["net_follows"] = _odds(net.follows)
    return features, signals


def _exact(
    said: str, shown: str, whole: str, figures: Sequence[Figure]
) -> tuple[dict[str, float], dict[str, Signal]]:
    signals, docs = _figures(figures), (parse(said), parse(shown))
    if swapped := exchanged(said, shown):
        signals["exchanged"] = Signal("rôles", texts.EXCHANGED.format(*swapped), AGAINST)
    if verb := other_role(*docs):
        signals["other_role"] = Signal("rôles", texts.OTHER_ROLE.format(verb), AGAINST)
    if absent := sorted(names(said) - set(words(whole))):
        text = texts.ABSENT_NAME.format(", ".join(_as_written(said, name) for name in absent))
        signals["name_absent"] = Signal("noms", text, OPEN)
    if other := replaced(said, shown):
        signals["name_other"] = Signal("noms", texts.OTHER_FIGURE.format(*other), AGAINST)
    if verb := not_done(*docs):
        signals["not_done"] = Signal("réalisation", texts.NOT_DONE.format(verb), AGAINST)
    start, end = _nearest(said, shown)
    sentence = shown[start:end]
    if bool(_NEGATED.search(lowered(said))) != bool(_NEGATED.search(lowered(sentence))):
        signals["negated"] = Signal("négation", texts.REVERSED, AGAINST)
    if pair := _contrary(said, sentence):
        signals["contrary"] = Signal("contraires", texts.CONTRARY.format(*pair), AGAINST)
    if ALL.search(fold(said)) and not ALL.search(fold(whole)):
        signals["all_for_some"] = Signal("étendue", texts.ALL_FOR_SOME, AGAINST)
    own, theirs = attribute(said).kind, attribute(shown, start, end).kind
    if own is Kind.REPORTED and theirs is not Kind.REPORTED:
        dropped = "word_dropped" if theirs is Kind.STATEMENT else "hearsay_dropped"
        signals[dropped] = Signal("source", texts.WORD_DROPPED, OPEN)
    return {name: float(name in signals) for name in EXACT}, signals


def _figures(figures: Sequence[Figure]) -> dict[str, Signal]:
    """Return the first figure of each failing; all of a kind weigh no more than one."""
    signals: dict[str, Signal] = {}
    for figure in figures:
        kind, name = ("date", "date") if figure.dated else ("figure", "nombre")
        if figure.account is Account.ANOTHER:
            text = texts.OTHER_FIGURE.format(figure.said, figure.shown)
            signals.setdefault(f"{kind}_other", Signal(name, text, AGAINST))
        elif figure.account is Account.ABSENT:
            text = texts.ABSENT_NUMBER.format(figure.said)
            signals.setdefault(f"{kind}_absent", Signal(name, text, OPEN))
    return signals


def _contrary(said: str, sentence: str) -> tuple[str, str] | None:
    """Return a word of what is said and its contrary in a sentence that lacks the word."""
    mine, theirs = (
        # « sûr » is neither « sur » nor its contrary.
        {root(w): fold(w) for w in _WORD.findall(text) if is_grammatical(w) or not _has_twin(w)}
        for text in (said, sentence)
    )
    for stem, word in mine.items():
        if stem in theirs:
            continue
        for other, their_word in theirs.items():
            if other not in mine and opposed(stem, other):
                return _as_written(said, word), _as_written(sentence, their_word)
    return None


def _has_twin(word: str) -> bool:
    """Tell whether a word is grammatical but for its accents."""
    return is_grammatical(fold(word))


def _as_written(text: str, folded: str) -> str:
    """Return a word of a text as it is written there."""
    return next((m.group() for m in _WORD.finditer(text) if fold(m.group()) == folded), folded)


def _verbatim(said: str, shown: str) -> bool:
    """Tell whether each sentence of what is said is a sentence that is shown, whole."""
    theirs = {_plain(shown[a:b]) for a, b in sentence_spans(shown)}
    mine = [_plain(said[a:b]) for a, b in sentence_spans(said)]
    return bool(mine) and all(words(m) and m in theirs for m in mine)


def _plain(text: str) -> str:
    return " ".join(fold(text).split()).strip(' .«»"“”')


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
