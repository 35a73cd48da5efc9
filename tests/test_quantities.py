"""Quantities and their agreement: what tells « 1 500 » from « 2 000 »."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.factcheck.quantities import quantities, written


def only(text):
    (found,) = quantities(text)
    return found


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1 200 personnes", 1200, "personne"),
        ("mille deux cents habitants", 1200, "personne"),
        ("1,2 millier de visiteurs", 1200, "personne"),
        ("4,2 millions d'euros", 4.2e6, "euro"),
        ("un million d’euros", 1e6, "euro"),
        ("12 %", 12, "%"),
        ("60 % des élèves", 60, "%"),
        ("trois kilomètres", 3000, "metre"),
        ("72 000 tonnes", 72e6, "kilo"),
        ("vingt minutes", 1 / 3, "heure"),
        ("deux ans", 24, "mois"),
        ("14 h 30", 14.5, "heure"),
    ],
)
def test_value_and_unit(text, value, unit):
    found = only(text)
    assert found.value == pytest.approx(value)
    assert found.unit == unit


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("1 200 personnes", "mille deux cents personnes"),
        ("1 200 habitants", "1,2 millier de personnes"),
        ("plus de 1 000 manifestants", "1 300 manifestants"),
        ("près de 1 200 euros", "1 187 euros"),
        ("une dizaine de blessés", "onze blessés"),
        ("18 mois", "un an et demi, soit 18 mois"),
        ("2 500 mètres", "2,5 kilomètres"),
        ("moins de 50 euros", "45 euros"),
    ],
)
def test_agreement(a, b):
    assert only(a).agrees(quantities(b)[-1])


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("1 500 personnes", "2 000 personnes"),
        ("plus de 1 000 manifestants", "900 manifestants"),
        ("moins de 50 euros", "60 euros"),
        ("12 %", "21 %"),
        ("près de 1 200 euros", "2 000 euros"),
    ],
)
def test_conflict(a, b):
    assert not only(a).agrees(only(b))


@pytest.mark.parametrize("text", ["le 12 mars 2024", "en 2023", "le 1er octobre", "un homme neuf"])
def test_dates_and_articles_are_no_quantities(text):
    assert quantities(text) == ()


def test_a_bare_number_shares_the_unit_it_is_said_with():
    first, second = quantities("trois ou quatre jours")
    assert first.unit == second.unit == "jour"


def test_written_as_the_text_has_it():
    text = "Il y avait 1\u202f200 personnes."
    assert written(text, only(text)) == "1 200 personnes"


@given(st.text(max_size=200))
def test_spans_lie_in_any_text(text):
    for quantity in quantities(text):
        assert 0 <= quantity.start < quantity.end <= len(text)
        assert quantity.low <= quantity.value <= quantity.high


@given(st.integers(2, 999_999))
def test_digits_read_back(number):
    grouped = f"{number:,}".replace(",", "\u202f")
    (found,) = quantities(f"{grouped} euros")
    assert found.value == number
