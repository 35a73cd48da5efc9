"""Whether a hypothesis follows from a premise, is contradicted by it, or neither.

One comparison, for claims and for what a model writes, of two parts that mend each other: a trained
network (`rag.models.comparer`, or another that `RECOUPE_STANCE` names), and what a person can check
(`rag.checking.signals`): figures and dates with their units, which of them stands where, names,
negation, contraries, and whether somebody's word or hearsay is stated as a fact. Two logistic
models give the probabilities: no signal may count in favour; their weights, fitted by
`bench/compare.py` on pairs that the network was not trained on, stand in `compare.json`. What
is contradicted is spoken of: shared words count there, and not for what follows.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING
from unicodedata import normalize

from rag import texts
from rag.checking.denial import denial
from rag.checking.signals import DECISIVE, REGISTRY, Pair, signals_of
from rag.checking.signals.quantities import worded_alike
from rag.domain import Side, Signal, SignalName, Stance
from rag.french.sentences import sentence_spans
from rag.french.words import content_stems, fold, is_function_word, words
from rag.models.comparer import Compared
from rag.models.embedding import encodable

if TYPE_CHECKING:
    from rag.checking.entailment import Entailment

NETWORK = ("net_follows", "net_contradicts")  # log-odds
OVERLAP = "term_overlap"  # share of the hypothesis's content words in the premise and its label
FEATURES = (*NETWORK, OVERLAP, *REGISTRY)
SOURCES = ("statement_as_fact", "hearsay_as_fact")  # who says it, and not what it states
CONFLICTS = frozenset({"quantity_conflict", "date_conflict"})
_UNSUPPORTED = CONFLICTS | {"currency"}
ABSENT = ("quantity_absent", "date_absent", "name_absent")
_CONFLICTING_PROBABILITY = 0.25
FOLLOWS = 0.5  # probability from which a statement passes
_QUOTED = re.compile(r"«[^»]*»|“[^”]*”")
_OPENING = re.compile(r"[^\s'’]+")
_TOPIC_OVERLAP = 0.6  # share of a claim's words that a quotation has which is about it
# What the network believes of somebody's words without their frame, at least. Of 250 claims of
# written passages held out that such a sentence supports, 0.57 reach 0.65 with the frame, and 0.52
# with this floor too; of 250 that it does not, 0.31 and 0.24; of 250 on other matters 0.04, 0.01.
_BARE_PROBABILITY = 0.2
_SPOKEN_OVERLAP = 0.5  # share of a claim's words in somebody's, from which they speak of it
_WEAK_LOG_ODDS = 0.8  # log-odds below which a signal is not the reason where the network denies
_LEAST_PROBABILITY = 1e-4  # the least probability that log-odds are taken of


@dataclass(frozen=True, slots=True)
class Comparison:
    """The probabilities, in [0, 1], that a hypothesis follows or is contradicted, and the signals.

    What is left is that of neither. `reason` is what weighs most against it, in French; that
    nothing says it, where no signal does.
    """

    follows: float
    contradicts: float
    signals: tuple[Signal, ...] = ()
    reason: str = ""

    @property
    def stance(self) -> Stance:
        """The most probable of the three."""
        best = max(self.follows, self.contradicts, 1 - self.follows - self.contradicts)
        if best == self.follows:
            return Stance.SUPPORTS
        return Stance.CONTRADICTS if best == self.contradicts else Stance.NEITHER


VERBATIM = Comparison(1.0, 0.0)


def compare(
    hypothesis: str,
    premise: str,
    network: Entailment,
    *,
    label: str = "",
    scores: Compared | None = None,
    speaker: str | None = None,
) -> Comparison:
    """Return how a hypothesis compares with a premise, `label` standing beside it.

    A sentence of the premise, word for word, follows. `scores` are what the network says of the
    pair, where they are computed already. Of somebody's words (`speaker`, "" where no name is
    known) it is compared that he says it: whose word it is is told apart and weighs nothing.
    Raises EmbeddingError.
    """
    pair = paired(hypothesis, premise, label, speaker)
    if is_verbatim(pair.hypothesis, pair.premise):
        return VERBATIM
    features, signals = pair_features(pair, network, scores)
    if speaker is not None:
        features |= dict.fromkeys(SOURCES, 0.0)
        signals = {name: s for name, s in signals.items() if name not in SOURCES}
    follows = _probability(weights()["follows"], features)
    if not _UNSUPPORTED.isdisjoint(signals):  # no figure passes that is not the premise's (I4)
        follows = min(follows, _CONFLICTING_PROBABILITY)
    contradicts = min(1 - follows, _probability(weights()["contradicts"], features))
    return Comparison(follows, contradicts, tuple(signals.values()), _reason(features, signals))


def says(
    claim: str,
    words_of: str,
    network: Entailment,
    *,
    label: str = "",
    speaker: str = "",
    framed: bool = False,
) -> Signal | None:
    """Return why somebody's sentence does not say what a claim says, None where it does.

    As `compare`, but for whose word it is: that it is somebody's is told apart. What a person
    can check decides before the network: another figure, doer or polarity is another saying.
    Of a claim that is `framed` as that person's words it decides alone. The network reads the
    pair without the frame too: « selon la mairie » on both sides makes it believe anything of the
    mairie. Raises EmbeddingError.
    """
    if (verb := denial(_outside(words_of, claim))) and not denial(claim):
        return Signal(SignalName.NEGATION, texts.DENIES.format(verb), Side.AGAINST)
    pair = paired(claim, words_of, label, None if framed else speaker)
    if is_verbatim(pair.hypothesis, pair.premise):
        return None
    features, signals = pair_features(pair, network)
    for name in DECISIVE:
        if name in signals:
            return signals[name]
    features |= dict.fromkeys(SOURCES, 0.0)
    if not framed and (
        _probability(weights()["follows"], features) < FOLLOWS or _only_the_frame(pair, network)
    ):
        return Signal(SignalName.MEANING, texts.SAYS_OTHERWISE, Side.AGAINST)
    return None


def _only_the_frame(pair: Pair, network: Entailment) -> bool:
    """Tell whether little but whose word it is speaks for a claim.

    Neither do the words that both share, nor does the network without the frame. Raises
    EmbeddingError.
    """
    wanted, present = set(content_stems(pair.hypothesis)), set(content_stems(pair.premise))
    if len(wanted & present) >= _SPOKEN_OVERLAP * len(wanted):
        return False
    (scores,) = network.compare([(pair.hypothesis, pair.premise)])
    return scores.follows < _BARE_PROBABILITY


def paired(hypothesis: str, premise: str, label: str = "", speaker: str | None = None) -> Pair:
    """Return a pair of texts as they are compared: composed, without what is not text."""
    return Pair(_composed(hypothesis), _composed(premise), _composed(label), speaker)


def attributed(claim: str, speaker: str | None) -> str:
    """Return a claim as the word of a speaker, "" for somebody; as it is where that is None.

    « Selon le maire, le pont est fermé » is what follows from his words, and all that does.
    """
    if speaker is None:
        return claim
    return texts.ACCORDING_TO.format(_within(speaker or texts.A_SOURCE), _within(claim))


def _within(text: str) -> str:
    """Return a text as it stands within a sentence: « Le maire » loses its capital, a name not."""
    opening = _OPENING.match(text)
    if opening is None or not is_function_word(fold(opening.group())):
        return text
    return text[:1].lower() + text[1:]


def _composed(text: str) -> str:
    return normalize("NFC", encodable(text))


def pair_features(
    pair: Pair, network: Entailment, scores: Compared | None = None
) -> tuple[dict[str, float], dict[str, Signal]]:
    """Return the features and, by name, the signals of a pair. Raises EmbeddingError."""
    signals = signals_of(pair)
    alike = worded_alike(pair.hypothesis, pair.figures)
    if scores is None or alike != pair.hypothesis:
        (scores,) = network.compare([(attributed(alike, pair.speaker), pair.whole)])
    features = {
        "net_follows": _odds(scores.follows),
        "net_contradicts": _odds(scores.against),
        OVERLAP: _term_overlap(pair),
    }
    return features | {name: float(name in signals) for name in REGISTRY}, signals


def _term_overlap(pair: Pair) -> float:
    wanted = set(content_stems(pair.hypothesis))
    return len(wanted & set(content_stems(pair.whole))) / max(1, len(wanted))


def is_verbatim(hypothesis: str, premise: str) -> bool:
    """Tell whether each sentence of the hypothesis is a sentence of the premise, whole."""
    theirs = {_plain(premise[a:b]) for a, b in sentence_spans(premise)}
    mine = [_plain(hypothesis[a:b]) for a, b in sentence_spans(hypothesis)]
    return bool(mine) and all(words(m) and m in theirs for m in mine)


def _plain(text: str) -> str:
    return " ".join(fold(text).split()).strip(' .«»"“”')


def _outside(sentence: str, claim: str) -> str:
    """Return what of a sentence bears on a claim: the quotation that says it, if one does.

    In « il conteste l’argument : « le carnet est plein » », the carnet is not what he contests.
    """
    wanted = set(content_stems(claim))
    for match in _QUOTED.finditer(sentence):
        if wanted and len(wanted & set(content_stems(match.group()))) >= _TOPIC_OVERLAP * len(
            wanted
        ):
            return match.group()
    return sentence


def _reason(features: Mapping[str, float], signals: Mapping[str, Signal]) -> str:
    """Return the signal that weighs most; where the network denies alone, what is not shown."""
    model = weights()["follows"]
    weight = {name: model.get(name, 0.0) for name in signals}
    strongest = min(weight, key=weight.__getitem__, default="")
    network = model["intercept"] + sum(model[name] * features[name] for name in NETWORK)
    if strongest:
        opposed = features["net_contradicts"] > 0 and signals[strongest].side == Side.AGAINST
        if opposed or weight[strongest] <= -_WEAK_LOG_ODDS or network >= -_WEAK_LOG_ODDS:
            return signals[strongest].text
    return next((signals[name].text for name in ABSENT if name in signals), texts.ABSENT_WORDS)


def _odds(share: float) -> float:
    return math.log((share + _LEAST_PROBABILITY) / (1 - share + _LEAST_PROBABILITY))


def _probability(model: Mapping[str, float], features: Mapping[str, float]) -> float:
    return sigmoid(
        model["intercept"] + sum(model.get(name, 0.0) * features[name] for name in FEATURES)
    )


def sigmoid(odds: float) -> float:
    """Return the probability that log-odds tell."""
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, odds))))


@lru_cache(maxsize=1)
def weights() -> dict[str, dict[str, float]]:
    """Return the fitted models of « follows » and « contradicts ».

    Each has `intercept` and a weight for each of `FEATURES`; a new one weighs nothing until it is
    fitted.
    """
    text = (files("rag.checking") / "compare.json").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, float]] = json.loads(text)["weights"]
    return loaded


def screened(
    hypothesis: str,
    premises: Sequence[str],
    speakers: Sequence[str | None],
    network: Entailment,
) -> list[Compared]:
    """Return what the network alone says of a hypothesis and several premises, in order.

    `speakers` are those whose words the premises are; see `compare`. Raises EmbeddingError.
    """
    composed = _composed(hypothesis)
    return network.compare(
        [
            (attributed(composed, speaker), _composed(premise))
            for premise, speaker in zip(premises, speakers, strict=True)
        ]
    )


def averaged(first: Sequence[Compared], second: Sequence[Compared]) -> list[Compared]:
    """Return the mean, in log-odds, of what the network says of the same evidence shown twice."""
    return [
        Compared(
            sigmoid((_odds(a.follows) + _odds(b.follows)) / 2),
            sigmoid((_odds(a.against) + _odds(b.against)) / 2),
        )
        for a, b in zip(first, second, strict=True)
    ]
