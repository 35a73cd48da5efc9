"""Times of questions and sentences, resolved against the day of writing."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Period
from rag.french.periods import asked, fit, newest_first, periods

THURSDAY = date(2024, 3, 14)


def spans(text: str, written: date | None = THURSDAY) -> list[tuple[str, str]]:
    return [(str(p.first), str(p.last)) for p in periods(text, written)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mercredi, le conseil a voté.", ("2024-03-13", "2024-03-13")),
        ("Ce jeudi, il pleut.", ("2024-03-14", "2024-03-14")),
        ("Il viendra jeudi prochain.", ("2024-03-21", "2024-03-21")),
        ("Il est venu jeudi dernier.", ("2024-03-07", "2024-03-07")),
        ("le 1er\u00a0août 2023", ("2023-08-01", "2023-08-01")),
        ("Le 20 décembre, tout a fermé.", ("2023-12-20", "2023-12-20")),
        ("depuis avril 2022", ("2022-04-01", "2022-04-30")),
        ("L’usine a fermé en février.", ("2024-02-01", "2024-02-29")),
        ("La crue de 1982 a marqué la ville.", ("1982-01-01", "1982-12-31")),
        ("L’an dernier, il en restait dix.", ("2023-01-01", "2023-12-31")),
        ("Il y a trois ans, l’école fermait.", ("2021-01-01", "2021-12-31")),
        ("Il y a deux semaines", ("2024-02-29", "2024-02-29")),
        ("la semaine dernière", ("2024-03-04", "2024-03-10")),
        ("Le mois prochain", ("2024-04-01", "2024-04-30")),
        ("Avant-hier soir", ("2024-03-12", "2024-03-12")),
    ],
)
def test_a_period_is_read(text: str, expected: tuple[str, str]) -> None:
    assert spans(text) == [expected]


@pytest.mark.parametrize(
    "text",
    ["Un budget de 2000 euros", "le Champ de Mars", "Il a 1 500 brebis.", "le 31 février 2024", ""],
)
def test_what_is_no_date_is_left(text: str) -> None:
    assert spans(text) == []


def test_a_number_too_long_for_a_date_is_none() -> None:
    assert spans(f"il y a {'9' * 400} ans") == []


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("Combien de visiteurs au festival en 2023 ?", "Combien de visiteurs au festival ?"),
        ("En 2023, combien de visiteurs ?", "combien de visiteurs ?"),
        ("Que s'est-il passé à Lérac en mars 2024 ?", "Que s'est-il passé à Lérac ?"),
        ("Quel était le budget de l’année 2022 ?", "Quel était le budget ?"),
        ("Combien de soldats après 2012 ?", "Combien de soldats après 2012 ?"),
        ("Combien entre 2010 et 2012 ?", "Combien entre 2010 et 2012 ?"),
        ("Qui a gagné en 2023 et en 2024 ?", "Qui a gagné en 2023 et en 2024 ?"),
        ("Quel budget pour 2025 ?", "Quel budget pour 2025 ?"),
        ("Qui dirige la mairie ?", "Qui dirige la mairie ?"),
    ],
)
def test_a_question_is_read_without_its_time(question: str, left: str) -> None:
    assert asked(question).untimed == left


def test_without_a_day_of_writing_only_whole_dates_are_read() -> None:
    assert spans("hier, mercredi, en mars, il y a deux ans, en 2019", None) == [
        ("2019-01-01", "2019-12-31")
    ]


@given(st.text(), st.dates(date(1, 1, 1), date(9999, 12, 31)))
def test_any_text_is_read(text: str, written: date) -> None:
    assert all(p.first <= p.last for p in periods(text, written))


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_a_weekday_lies_in_the_last_seven_days(written: date) -> None:
    (period,) = periods("Il a plu samedi.", written)
    assert 0 <= (written - period.first).days < 7
    assert period.first.weekday() == 5


def test_a_question_asks_for_a_time_or_for_the_newest() -> None:
    assert asked("Qui a gagné en 2023 ?").periods == (Period(date(2023, 1, 1), date(2023, 12, 31)),)
    assert asked("Que dit le dernier bilan ?").latest
    assert asked("Combien sont-ils actuellement ?").latest
    assert not asked("Que s’est-il passé l’an dernier ?", THURSDAY).latest
    assert not asked("Quand les derniers soldats sont-ils partis ?").latest
    assert asked("Qui est le maire ?") == asked("Combien de brebis ?")


def test_an_article_of_the_year_answers_without_naming_it() -> None:
    of_2023 = asked("Combien de visiteurs en 2023 ?")
    text = "21 000 personnes sont venues."

    def fits(said: str, day: date) -> float:
        return fit(of_2023, periods(said, day), day)

    assert fits(text, date(2023, 8, 21)) == 0.8
    assert fits(text, date(2024, 8, 19)) == 0.1
    assert fits("En 2023, ils étaient 21 000.", date(2024, 8, 19)) == 1.0
    assert fits("En 2019, ils étaient 9 000.", date(2024, 8, 19)) == 0.0
    assert fit(asked("Combien de visiteurs ?"), periods(text, None), None) == 0.5


def test_places_by_date() -> None:
    days = [date(2024, 1, 1), None, date(2020, 1, 1)]
    assert list(newest_first(days)) == [1.0, 0.0, 0.5]
