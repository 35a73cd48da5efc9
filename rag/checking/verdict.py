"""From evidence to a verdict that never claims more than the evidence.

Insufficient evidence is the default. A sentence counts when the comparison is sure enough: the
keeper says how sure (`verdict_precision`). Who says it decides between « Soutenu » and
« Déclaration »; a correction, and a newer figure of the same event, outrank what they replace.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files

from rag import texts
from rag.domain import CheckedClaim, ClaimEvidence, Kind, Label, Side, SignalName, Stance
from rag.french.dates import format_date
from rag.french.words import excerpt
from rag.searching.matching import stem_set

_CLOSE_COVERAGE = 0.6  # share of the claim's words that a sentence holds which is close to it
_NEAR_COVERAGE, _MOST_NEAR = (
    0.3,
    3,
)  # share of the claim's words, and how many, of what is shown besides
_COMPARABLE_WEIGHT = 0.8  # share of the stronger side's weight from which both sides are given
_LONGEST_QUOTE = 160  # characters of the words that decide, in a reason
# What is planned, or alleged, is not what denies that it was done.
_NO_DENIAL = frozenset({SignalName.MODALITY, SignalName.ALLEGATION})
_SAME_EVENT = timedelta(days=60)  # a figure replaces an older one of the same event


# (bar, precision, recall, standard error of the precision), one after the other
Curve = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Bar:
    """The probabilities from which a sentence counts for a claim, and against it."""

    support: float
    contradict: float

    @classmethod
    def of(cls, precision: float) -> Bar:
        """Return what gives at least this share of right verdicts, as measured on unseen press.

        Where none gives as many, the lowest bar that is no worse than the best by more than the
        best's standard error (Breiman et al. 1984, Classification and Regression Trees, 3.4.3):
        precisions so near are told apart by chance, and a low bar finds more. See
        `bench/verdict.py` and `verdict.json`.
        """
        return cls.on(curves(), precision)

    @classmethod
    def on(cls, curves: Mapping[str, Curve], precision: float) -> Bar:
        """Return what gives at least this share of right verdicts on curves of both sides."""
        return cls(*(_least(curves[side], precision) for side in ("support", "contradict")))


def _least(curve: Curve, precision: float) -> float:
    """Return the lowest bar that suffices, of a curve of (bar, precision, recall)."""
    _, best, _, error = max(curve, key=lambda row: row[1])
    wanted = precision if precision <= best else best - error
    return min(bar for bar, reached, *_ in curve if reached >= wanted)


@lru_cache(maxsize=1)
def curves() -> dict[str, list[list[float]]]:
    """Return, for « support » and « contradict », the measured `Curve`."""
    text = (files("rag.checking") / "verdict.json").read_text(encoding="utf-8")
    loaded: dict[str, list[list[float]]] = json.loads(text)["curves"]
    return loaded


def judge(
    claim: str,
    evidence: Sequence[ClaimEvidence],
    bar: Bar,
    as_statement: Callable[[ClaimEvidence], ClaimEvidence] = lambda e: e,
    is_near: Callable[[ClaimEvidence], bool] = lambda _: True,
) -> CheckedClaim:
    """Return the verdict on a claim, with all its evidence, best first.

    What does not reach the `bar` counts for nothing. Of somebody's words that would support it,
    `as_statement` returns what they are worth: it is called last, when an article's sentences
    have been weighed against each other. Of what counts for nothing, what `is_near` is shown.
    """
    evidence = _consistent(claim, [_counted(e, bar) for e in evidence])
    settled = [
        as_statement(e) if supports(e) and e.attribution.kind is Kind.STATEMENT else e
        for e in _outrank(_outweighed(evidence))
    ]
    active = [e for e in settled if not e.outranked]
    favour, against = [e for e in active if supports(e)], [e for e in active if contradicts(e)]
    near = [e for e in active if e in favour or e in against or is_near(e)]
    label, reason = _decide(favour, against, near)
    reason = f"{reason[:1].upper()}{reason[1:]}"
    winning = favour + against if label is not Label.INSUFFICIENT else []
    gone = next((e for e in settled if e.outranked), None)
    if gone and winning:
        reason = f"{reason} {gone.outranked}"
    days = [e.citation.source.published for e in winning if e.citation.source.published]
    ordered = sorted(
        settled,
        key=_place,
    )
    shown = _selection(ordered, is_near)
    if reason == texts.NOTHING_FOUND:
        reason = next((texts.UNSETTLED.format(s) for s in _said_against(shown)), reason)
    return CheckedClaim(
        text=claim,
        verdict=label,
        reason=reason,
        confidence=_confidence(label, winning),
        sources=count_independent(winning),
        oldest=min(days, default=None),
        newest=max(days, default=None),
        evidence=tuple(shown),
    )


def _place(evidence: ClaimEvidence) -> tuple[bool, bool, bool, float]:
    """Return where evidence stands: first what the reason names, facts before somebody's words."""
    counts = supports(evidence) or contradicts(evidence)
    surest = -evidence.probability if counts else 0.0
    return not counts, bool(evidence.outranked), not _is_fact(evidence), surest


def _selection(
    ordered: Sequence[ClaimEvidence], is_near: Callable[[ClaimEvidence], bool]
) -> list[ClaimEvidence]:
    """Return what counts, and a few of the rest for the reader to judge.

    What a checked signal stands against is not shown as support.
    """
    counting = [e for e in ordered if supports(e) or contradicts(e)]
    rest = [e for e in ordered if e not in counting and e.coverage >= _NEAR_COVERAGE and is_near(e)]
    return counting + [replace(e, stance=Stance.NEITHER) for e in rest[:_MOST_NEAR]]


def _said_against(shown: Sequence[ClaimEvidence]) -> list[str]:
    """Return what the signals of shown sentences say against the claim, in their order."""
    return [s.text for e in shown for s in e.signals if s.side == Side.AGAINST]


def supports(evidence: ClaimEvidence) -> bool:
    """Tell whether a sentence counts for the claim, with no checked signal against it."""
    against = any(s.side == Side.AGAINST for s in evidence.signals)
    return evidence.stance is Stance.SUPPORTS and not against


def contradicts(evidence: ClaimEvidence) -> bool:
    """Tell whether a sentence counts against the claim."""
    return evidence.stance is Stance.CONTRADICTS


def _outweighed(evidence: Sequence[ClaimEvidence]) -> list[ClaimEvidence]:
    """Leave undecided the side that says much less of the claim, or says it much less surely.

    A sentence counts by its probability times its coverage of the claim. What a newer sentence
    replaces, and what replaces it, stay: they are told apart by their days. So do the figures of
    two parties, for another figure is a word of the claim that is lacking.
    """
    sides = {
        stance: max((_weight(e) for e in evidence if e.stance is stance), default=0.0)
        for stance in (Stance.SUPPORTS, Stance.CONTRADICTS)
    }
    weaker = min(sides, key=lambda stance: sides[stance])
    if sides[weaker] >= _COMPARABLE_WEIGHT * max(sides.values()):
        return list(evidence)
    stronger = [e for e in evidence if e.stance not in {weaker, Stance.NEITHER}]
    return [
        replace(e, stance=Stance.NEITHER)
        if e.stance is weaker
        and not any(_replaces(e, o) or _replaces(o, e) or _disagree(e, o) for o in stronger)
        else e
        for e in evidence
    ]


def _weight(evidence: ClaimEvidence) -> float:
    return evidence.probability * evidence.coverage


def _counted(evidence: ClaimEvidence, bar: Bar) -> ClaimEvidence:
    """Leave undecided what is not sure enough, or is of another voice than the claim's.

    So is what is planned or alleged, where nothing else stands against a claim that it was done;
    and somebody's words that nothing which a person can check sets against it: nobody is made to
    deny by a network alone.
    """
    least = bar.support if supports(evidence) else bar.contradict
    opposed = {s.name for s in evidence.signals if s.side == Side.AGAINST}
    denied = bool(opposed - _NO_DENIAL) or (not opposed and _is_fact(evidence))
    unsettled = contradicts(evidence) and not denied
    if evidence.probability >= least and not evidence.other_voice and not unsettled:
        return evidence
    return replace(evidence, stance=Stance.NEITHER)


def _decide(
    favour: Sequence[ClaimEvidence],
    against: Sequence[ClaimEvidence],
    active: Sequence[ClaimEvidence],
) -> tuple[Label, str]:
    surest = [sorted(side, key=lambda e: -e.probability) for side in (favour, against)]
    facts, refutations = ([e for e in side if _is_fact(e)] for side in surest)
    statements, denials = (
        [e for e in side if not _is_fact(e) and e.attribution.kind is Kind.STATEMENT]
        for side in surest
    )
    if (facts or statements) and (refutations or denials):
        return Label.DIVERGING, texts.DIVERGING.format(
            _where((facts or statements)[0]), _where((refutations or denials)[0])
        )
    if facts:
        reason = texts.SAID_SO if facts[0].his_words else texts.SUPPORTED
        return Label.SUPPORTED, reason.format(_where(facts[0]))
    if refutations:
        return Label.CONTRADICTED, texts.CONTRADICTED.format(
            _where(refutations[0]), _difference(refutations[0])
        )
    if statements:
        who = _speaker(statements[0])
        return Label.DECLARED, texts.DECLARED.format(
            who, texts.agrees(who, "l’affirme", "l’affirment"), _where(statements[0])
        )
    if denials:
        who = _speaker(denials[0])
        return Label.DECLARED, texts.DENIED.format(
            who, texts.agrees(who, "dit", "disent"), _where(denials[0]), _difference(denials[0])
        )
    if any(e.attribution.kind is Kind.CONDITIONAL for e in (*favour, *against)):
        return Label.INSUFFICIENT, texts.HEARSAY
    if active and active[0].coverage >= _CLOSE_COVERAGE:
        return Label.INSUFFICIENT, texts.CLOSE.format(_where(active[0]))
    return Label.INSUFFICIENT, texts.NOTHING_FOUND


def _is_fact(evidence: ClaimEvidence) -> bool:
    return evidence.his_words or evidence.attribution.kind is Kind.REPORTED


def _consistent(claim: str, evidence: Sequence[ClaimEvidence]) -> list[ClaimEvidence]:
    """Leave undecided what counts for or against a claim for want of a closer look.

    An article does not contradict itself: of its two figures, that of the
    sentence that says more of the claim is meant, and the other counts
    something else, or recalls an estimate. Nor is a figure refuted by another
    one when a sentence as new about the same thing gives it. Two parties who
    give each a figure of their own do diverge.
    """
    balance = [_in_article(claim, e, [o for o in evidence if not _parties(o, e)]) for e in evidence]
    recalled = [
        supports(e) and denied > supported and Side.FOR in _sides(e, SignalName.NUMBER)
        for e, (supported, denied) in zip(evidence, balance, strict=True)
    ]
    with_figure = [
        e for e, past in zip(evidence, recalled, strict=True) if _gives_figure(e) and not past
    ]
    result = []
    for e, past, (supported, denied) in zip(evidence, recalled, balance, strict=True):
        elsewhere = _sides(e, SignalName.NUMBER) == {Side.AGAINST} and any(
            _day(g) >= _day(e) and g is not e and not _parties(g, e) for g in with_figure
        )
        same_article = 0 < supported >= denied
        refuted = contradicts(e) and not e.corrects and (same_article or elsewhere)
        result.append(replace(e, stance=Stance.NEITHER) if refuted or past else e)
    return result


def _in_article(
    claim: str, evidence: ClaimEvidence, among: Sequence[ClaimEvidence]
) -> tuple[int, int]:
    """Return how many words of a claim the article's sentences for and against it hold at most."""
    wanted = {s for s in stem_set(claim) if not s.isdecimal()}
    article = [e for e in among if e.citation.article_id == evidence.citation.article_id]
    for_it, against = (
        [len(wanted & stem_set(e.citation.quote)) for e in article if counts(e)]
        for counts in (supports, _has_other_figure)
    )
    return max(for_it, default=0), max(against, default=0)


def _has_other_figure(evidence: ClaimEvidence) -> bool:
    sides = _sides(evidence, SignalName.NUMBER) | _sides(evidence, SignalName.DATE)
    return contradicts(evidence) and Side.AGAINST in sides


def _parties(one: ClaimEvidence, other: ClaimEvidence) -> bool:
    """Tell whether two sentences are the words of two speakers, each known."""
    both = [e.attribution for e in (one, other)]
    speakers = {a.speaker for a in both if a.kind is Kind.STATEMENT and a.speaker}
    return len(speakers) == len(both)


def _disagree(one: ClaimEvidence, other: ClaimEvidence) -> bool:
    """Tell whether two parties give each a figure of one event."""
    figures = [_sides(e, SignalName.NUMBER) for e in (one, other)]
    return (
        _parties(one, other)
        and {Side.FOR} in figures
        and {Side.AGAINST} in figures
        and abs(_day(one) - _day(other)) <= _SAME_EVENT
    )


def _gives_figure(evidence: ClaimEvidence) -> bool:
    agrees = _sides(evidence, SignalName.NUMBER) == {Side.FOR}
    return agrees and supports(evidence) and evidence.coverage >= _CLOSE_COVERAGE


def _sides(evidence: ClaimEvidence, name: SignalName) -> set[Side]:
    return {s.side for s in evidence.signals if s.name == name}


def _outrank(evidence: Sequence[ClaimEvidence]) -> list[ClaimEvidence]:
    """Mark what a correction, or a newer figure of the same event, has replaced."""
    counting = [e for e in evidence if supports(e) or contradicts(e)]
    result = []
    for older in evidence:
        by = [
            newer
            for newer in counting
            if newer.stance is not older.stance and _replaces(newer, older)
        ]
        if by and (supports(older) or contradicts(older)):
            newest = max(by, key=_day)
            figures = all(_sides(e, SignalName.NUMBER) for e in (newest, older))
            newer = texts.NEWER if figures else texts.NEWER_STATE
            text = texts.CORRECTED if newest.corrects else newer
            day = format_date(newest.citation.source.published)
            result.append(replace(older, outranked=text.format(day)))
        else:
            result.append(older)
    return result


def _replaces(newer: ClaimEvidence, older: ClaimEvidence) -> bool:
    if not _day(newer) > _day(older) or older.corrects:
        return False
    if newer.corrects:
        return True
    # What somebody says replaces only what they said before.
    another = newer.attribution.speaker != older.attribution.speaker
    if not _is_fact(newer) and (_is_fact(older) or another):
        return False
    if all(any(s.name is SignalName.NUMBER for s in e.signals) for e in (newer, older)):
        return _day(newer) - _day(older) <= _SAME_EVENT
    # « fermé », then « rouvert »: the state of things has changed.
    changed = {s.name for e in (newer, older) for s in e.signals if s.side == Side.AGAINST}
    return bool(changed & {SignalName.CONTRARY, SignalName.NEGATION})


def _day(evidence: ClaimEvidence) -> date:
    return evidence.citation.source.published or date.min


def _source(evidence: ClaimEvidence) -> str:
    return evidence.citation.source.name or evidence.citation.article_id


def count_independent(evidence: Sequence[ClaimEvidence]) -> int:
    """Return how many sources speak for themselves: a wire that two papers print is one."""
    return min(len({_source(e) for e in evidence}), len({e.group or id(e) for e in evidence}))


def _confidence(label: Label, winning: Sequence[ClaimEvidence]) -> str:
    if label in {Label.INSUFFICIENT, Label.UNVERIFIABLE} or not winning:
        return ""
    best = max(e.probability for e in winning)
    if best >= 0.85 or (best >= 0.75 and count_independent(winning) > 1):
        return "élevée"
    return "moyenne" if best >= 0.65 else "faible"


def _where(evidence: ClaimEvidence) -> str:
    """Return « Le Courrier (14 janvier 2024) »."""
    source = evidence.citation.source
    name, day = texts.newspaper(source), format_date(source.published)
    return f"{name} ({day})" if day else name


def _speaker(evidence: ClaimEvidence) -> str:
    who = evidence.attribution.speaker.replace("'", "’") or texts.SOMEBODY
    who += "," if "," in who else ""  # « Le maire, Thierry Lacombe, l’affirme »
    return who[:1].upper() + who[1:]


def _difference(evidence: ClaimEvidence) -> str:
    """Return the first thing that differs; the words that say so where no signal does.

    Of an article that readers pay for, no words: they are quoted within its bound alone.
    """
    cited = evidence.citation
    words = f"«\u00a0{excerpt(cited.quote.strip(), _LONGEST_QUOTE)}\u00a0»"
    if cited.source.paywalled:
        words = texts.SOMETHING_ELSE
    reasons = (
        s.text for s in evidence.signals if s.side == Side.AGAINST and s.name not in _NO_DENIAL
    )
    return next(reasons, words)
