"""From evidence to a verdict: what counts, what outweighs and what replaces what."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from rag import texts
from rag.checking.compare import attributed
from rag.checking.verdict import Bar, curves, judge
from rag.domain import (
    Attribution,
    Citation,
    ClaimEvidence,
    Kind,
    Label,
    Side,
    Signal,
    SignalName,
    Source,
    Stance,
)

CLAIM = "280 personnes ont été évacuées."
BAR = Bar(0.5, 0.5)
FIGURE = Signal(
    SignalName.NUMBER, "280 personnes dans l’affirmation, 312 dans les passages cités", Side.AGAINST
)


def evidence(
    stance: Stance, probability: float, coverage: float = 1.0, day: int = 14, **others: Any
) -> ClaimEvidence:
    quote = "Les habitants ont été évacués."
    source = Source("Crue", "Le Courrier", published=date(2024, 1, day))
    others.setdefault("attribution", Attribution())
    return ClaimEvidence(
        Citation(f"a{day}", source, 0, len(quote), quote), stance=stance,
        probability=probability, coverage=coverage, **others,
    )  # fmt: skip


def test_a_correction_outranks_what_it_corrects() -> None:
    old = evidence(Stance.SUPPORTS, 0.9)
    new = evidence(
        Stance.CONTRADICTS, 0.95, 0.6, day=17, corrects=True, signals=(FIGURE,), group="c"
    )
    checked = judge(CLAIM, [old, new], BAR)
    assert checked.verdict is Label.CONTRADICTED
    assert "correction du 17 janvier 2024" in checked.reason
    assert [bool(e.outranked) for e in checked.evidence] == [False, True]


def test_what_the_reason_names_stands_first() -> None:
    words = evidence(Stance.CONTRADICTS, 0.9, attribution=Attribution(Kind.STATEMENT, "Le préfet"))
    fact = evidence(Stance.CONTRADICTS, 0.9, day=15)
    checked = judge(CLAIM, [words, fact], BAR)
    assert checked.verdict is Label.CONTRADICTED
    assert "15 janvier 2024" in checked.reason
    assert [e.citation.article_id for e in checked.evidence] == ["a15", "a14"]


def test_a_reason_does_not_deny_the_signal_that_is_shown_below_it() -> None:
    opposite = Signal(
        SignalName.CONTRARY, "« relaxé » dans l’affirmation, « puni » ailleurs", Side.AGAINST
    )
    shown = evidence(Stance.CONTRADICTS, 0.1, 0.5, signals=(opposite,))
    checked = judge(CLAIM, [shown], BAR)
    assert checked.verdict is Label.INSUFFICIENT
    assert checked.reason == texts.UNSETTLED.format(opposite.text)
    unseen = evidence(Stance.CONTRADICTS, 0.1, 0.1, signals=(opposite,))
    assert judge(CLAIM, [unseen], BAR).reason == texts.NOTHING_FOUND


@pytest.mark.parametrize(
    ("support", "against", "expected"),
    [
        ((0.9, 1.0), (0.7, 0.5), Label.SUPPORTED),
        ((0.6, 0.4), (0.9, 1.0), Label.CONTRADICTED),
        ((0.9, 1.0), (0.9, 0.9), Label.DIVERGING),
        ((0.4, 1.0), (0.4, 1.0), Label.INSUFFICIENT),
    ],
)
def test_the_side_that_says_much_less_of_a_claim_is_left_undecided(
    support: tuple[float, float], against: tuple[float, float], expected: Label
) -> None:
    both = [
        evidence(Stance.SUPPORTS, *support),
        evidence(Stance.CONTRADICTS, *against, day=15),
    ]
    assert judge(CLAIM, both, BAR).verdict is expected


def test_the_words_of_two_parties_diverge_within_an_article() -> None:
    sides = [
        evidence(stance, 0.9, attribution=Attribution(Kind.STATEMENT, who), signals=signals)
        for stance, who, signals in (
            (Stance.SUPPORTS, "la préfecture", ()),
            (Stance.CONTRADICTS, "le collectif", (FIGURE,)),
        )
    ]
    assert judge(CLAIM, sides, BAR).verdict is Label.DIVERGING


@pytest.mark.parametrize(
    ("published", "expected"),
    [(date(2024, 1, 14), Label.DIVERGING), (date(2023, 10, 14), Label.DECLARED)],
)
def test_two_parties_diverge_where_a_figure_is_all_that_lacks(
    published: date, expected: Label
) -> None:
    same = Signal(
        SignalName.NUMBER, "280 personnes dans l’affirmation et dans les passages cités", Side.FOR
    )
    theirs, others = (Attribution(Kind.STATEMENT, who) for who in ("le collectif", "la préfecture"))
    supporting = evidence(Stance.SUPPORTS, 0.9, attribution=theirs, signals=(same,))
    against = evidence(Stance.CONTRADICTS, 0.95, 0.7, attribution=others, signals=(FIGURE,))
    source = replace(against.citation.source, published=published)
    cited = replace(against.citation, article_id="autre", source=source)
    sides = [supporting, replace(against, citation=cited)]
    assert judge(CLAIM, sides, BAR).verdict is expected


def test_a_sentence_that_does_not_support_a_claim_gives_it_no_figure() -> None:
    same = Signal(
        SignalName.NUMBER, "280 personnes dans l’affirmation et dans les passages cités", Side.FOR
    )
    newer = [
        evidence(Stance.CONTRADICTS, 0.95, 0.8, day=15, signals=(FIGURE,)),
        evidence(Stance.NEITHER, 0.0, 0.9, day=15, signals=(same,)),
    ]
    assert judge(CLAIM, newer, BAR).verdict is Label.CONTRADICTED
    supporting = [newer[0], replace(newer[1], stance=Stance.SUPPORTS, probability=0.9)]
    assert judge(CLAIM, supporting, BAR).verdict is not Label.CONTRADICTED


@pytest.mark.parametrize(
    ("claim", "speaker", "made"),
    [
        ("Le pont est fermé.", None, "Le pont est fermé."),
        ("Le pont est fermé.", "Le maire", "Selon le maire, le pont est fermé."),
        ("L’usine fermera.", "L'AFP", "Selon l'AFP, l’usine fermera."),
        ("Paris a voté.", "Anne Le Goff", "Selon Anne Le Goff, Paris a voté."),
        ("40 cargos sont venus.", "", "Selon une source, 40 cargos sont venus."),
    ],
)
def test_a_claim_is_put_as_the_word_of_who_says_it(
    claim: str, speaker: str | None, made: str
) -> None:
    assert attributed(claim, speaker) == made


def test_what_a_precision_asks_for_is_on_the_measured_curves() -> None:
    for side, of in curves().items():
        bars = [bar for bar, *_ in of]
        assert bars == sorted(bars)
        precisions = [p for _, p, *_ in of]
        assert precisions == sorted(precisions)
        chosen = getattr(Bar.of(0.65), side)
        assert chosen in bars
    _, most, _, error = max(curves()["support"], key=lambda row: row[1])
    near = [bar for bar, p, *_ in curves()["support"] if p >= most - error]
    assert Bar.of(0.99) == Bar.of(1.0)
    assert Bar.of(0.99).support == min(near)
    assert Bar.of(0.0).support == min(b for b, *_ in curves()["support"])


def test_a_newer_state_is_not_told_as_a_newer_figure() -> None:
    reopened = evidence(Stance.SUPPORTS, 0.9, day=18)
    contrary = Signal(SignalName.CONTRARY, "« rouvert » et « fermé »", Side.AGAINST)
    closed = evidence(Stance.CONTRADICTS, 0.9, signals=(contrary,))
    checked = judge(CLAIM, [reopened, closed], BAR)
    assert checked.verdict is Label.SUPPORTED
    assert texts.NEWER_STATE.format("18 janvier 2024") in checked.reason
    old = evidence(Stance.SUPPORTS, 0.9, signals=(replace(FIGURE, side=Side.FOR),))
    new = evidence(Stance.CONTRADICTS, 0.9, day=18, signals=(FIGURE,))
    assert texts.NEWER.format("18 janvier 2024") in judge(CLAIM, [old, new], BAR).reason


def test_an_accusation_contradicts_nothing_by_itself() -> None:
    alleged = Signal(SignalName.ALLEGATION, "une accusation", Side.AGAINST)
    accused = evidence(Stance.CONTRADICTS, 0.9, signals=(alleged,))
    assert judge(CLAIM, [accused], BAR).verdict is Label.INSUFFICIENT
    figure = replace(accused, signals=(alleged, FIGURE))
    assert judge(CLAIM, [figure], BAR).verdict is Label.CONTRADICTED


def test_the_reason_is_that_of_the_surest_sentence() -> None:
    weak = evidence(Stance.CONTRADICTS, 0.6, signals=(replace(FIGURE, text="63 ans, 136 ans"),))
    sure = evidence(Stance.CONTRADICTS, 0.95, day=15, signals=(FIGURE,))
    checked = judge(CLAIM, [weak, sure], BAR)
    assert FIGURE.text in checked.reason
    assert [e.probability for e in checked.evidence] == [0.95, 0.6]


def test_nobody_is_made_to_deny_by_a_network_alone() -> None:
    words = evidence(Stance.CONTRADICTS, 0.9, attribution=Attribution(Kind.STATEMENT, "Le préfet"))
    assert judge(CLAIM, [words], BAR).verdict is Label.INSUFFICIENT
    assert judge(CLAIM, [replace(words, signals=(FIGURE,))], BAR).verdict is Label.DECLARED
    fact = evidence(Stance.CONTRADICTS, 0.9)
    assert judge(CLAIM, [fact], BAR).verdict is Label.CONTRADICTED
