from __future__ import annotations

import subprocess
import sys
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.french.dates import format_date, parse_date
from rag.french.names import names
from rag.french.numbers import numbers
from rag.french.words import content_stems, fold, question_stems, words


def test_folding_joins_what_typography_separates() -> None:
    assert fold("L’Œuvre d’ÉTÉ") == fold("l'oeuvre d'ete")
    assert fold("18\u202f600\u00a0€") == "18 600 €"


def test_elisions_and_hyphens_are_split() -> None:
    assert words("L’eau qu’il a-t-il") == ["l", "eau", "qu", "il", "a", "t", "il"]


def test_stems_ignore_accents_and_grammar() -> None:
    assert content_stems("les évacués") == content_stems("des evacues")
    assert content_stems("le la les dont pourquoi") == []


def test_asking_words_are_not_what_is_asked_about() -> None:
    assert question_stems("À quelle date la halle rouvre-t-elle ?") == ["hall", "rouvr"]
    assert question_stems("Quelle date ?") != []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 200 foyers", {"1200"}),
        ("18\u202f600 euros", {"18600"}),
        ("3,5 % puis 2.50", {"3.5", "2.5"}),
        ("trois cent cinquante habitants", {"350"}),
        ("vingt-trois communes", {"23"}),
        ("le 1er mars 2024", {"1", "2024"}),
        ("aucun chiffre", set()),
        # Thousands follow one to three digits: a year joins nothing.
        ("En 2024 300 personnes", {"2024", "300"}),
        ("En 2024\u00a0300 personnes", {"2024", "300"}),
        ("de 1998 200 à 300", {"1998", "200", "300"}),
        ("1.500 puis 1 200,50", {"1500", "1200.5"}),
        ("0.125 et 0,5", {"0.125", "0.5"}),
        ("12h30 et 3 000m", {"12", "30", "3000"}),
    ],
)
def test_numbers_are_normalised(text: str, expected: set[str]) -> None:
    assert numbers(text) == expected


@given(st.integers(1000, 9999), st.integers(100, 999), st.sampled_from(" \u00a0\u202f"))
def test_four_digits_join_no_thousands(year: int, number: int, space: str) -> None:
    assert numbers(f"{year}{space}{number}") == {str(year), str(number)}


@given(st.integers(2, 10**12), st.sampled_from(" \u00a0\u202f."))
def test_grouped_digits_read_back(number: int, mark: str) -> None:
    assert numbers(f"{number:,}".replace(",", mark)) == {str(number)}


def test_a_long_text_has_the_numbers_of_its_parts() -> None:
    said = "Ils étaient cent vingt-trois, puis quarante et un, dans la cour du château. "
    assert numbers(said * 200) == numbers(said) == {"123", "41"}


def test_half_a_character_stops_no_reading() -> None:
    assert numbers("\ud800 deux mille trois \udfff") == {"2003"}


@given(st.text())
def test_folding_a_text_is_folding_its_characters(text: str) -> None:
    whole = unicodedata.normalize("NFKD", text.translate(str.maketrans("’ʼ‑", "''-")))
    ligatures = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae"})
    plain = "".join(c for c in whole if not unicodedata.combining(c))
    assert fold(text) == plain.translate(ligatures).casefold()


def test_names_are_inner_capitals() -> None:
    found = names("Hier, Jean Martin a vu le maire de Saint-Loup. Demain aussi.")
    assert found == {"jean", "martin", "saint", "loup"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 mars 2024", date(2024, 3, 12)),
        ("mardi 1er août 2023", date(2023, 8, 1)),
        ("05/02/2019", date(2019, 2, 5)),
        ("3 févr. 2021", date(2021, 2, 3)),
        ("2024-05-06T10:00:00Z", date(2024, 5, 6)),
        ("Publié le 3 février 2021 à 14h30", date(2021, 2, 3)),
        ("hier", None),
        ("2024-13-45", None),
        ("", None),
    ],
)
def test_dates_of_publication(text: str, expected: date | None) -> None:
    assert parse_date(text) == expected


def test_first_of_the_month_is_printed_as_french_does() -> None:
    assert format_date(date(2024, 3, 1)) == "1er mars 2024"
    assert format_date(date(2024, 8, 12)) == "12 août 2024"


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_a_printed_date_reads_back(day: date) -> None:
    assert parse_date(format_date(day)) == day


def test_the_parser_loads_no_torch_and_leaves_it_to_others() -> None:
    """It was 300 MB of a server's memory, which nothing used."""
    told = (
        "import sys; from rag.french.syntax import parse; assert len(parse('Il pleut.')) == 3; "
        "assert 'torch' not in sys.modules; import torch; assert torch.ones(2).sum() == 2"
    )
    subprocess.run([sys.executable, "-c", told], check=True)
