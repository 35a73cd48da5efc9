"""Quantities and their agreement: what tells « 1 500 » from « 2 000 »."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.checking.signals.quantities import Match, match_quantities
from rag.french.quantities import quantities, quantity_text


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
        ("12h30", 12.5, "heure"),
        ("dix heures vingt", 10 + 1 / 3, "heure"),
        # « et demi » is of the last unit or scale before it.
        ("un million et demi d’euros", 1.5e6, "euro"),
        ("deux millions et demi de visiteurs", 2.5e6, "personne"),
        ("3 milliards et demi d'euros", 3.5e9, "euro"),
        ("une centaine et demie de brebis", 150, "breb"),
        ("un an et demi", 18, "mois"),
        ("deux semaines et demie", 17.5, "jour"),
        ("trois tours et demi", 3.5, "tour"),
        ("trois heures et demie", 3.5, "heure"),
        ("trois heures et quart", 3.25, "heure"),
        ("3 heures trois quarts", 3.75, "heure"),
        ("huit heures moins le quart", 7.75, "heure"),
        ("une demi-heure", 0.5, "heure"),
        ("un quart d’heure", 0.25, "heure"),
        ("trois quarts d’heure", 0.75, "heure"),
        ("un demi-million d’euros", 5e5, "euro"),
        # Letters that multiply, and those that measure.
        ("1,5 million", 1.5e6, ""),
        ("2,5 M€", 2.5e6, "euro"),
        ("2,5 Md€", 2.5e9, "euro"),
        ("300 k€", 3e5, "euro"),
        ("4 M d’euros", 4e6, "euro"),
        ("3 000m", 3000, "metre"),
        ("1.500 euros", 1500, "euro"),
        ("1 200,50 euros", 1200.5, "euro"),
        ("0.125 litre", 0.125, "litre"),
        ("12 pour cent", 12, "%"),
        ("douze pour cent", 12, "%"),
        ("Les 12 m’ont dit non", 12, ""),
        ("12 M. Dupont", 12, ""),
        # One unit over another is another kind.
        ("180 km/h", 180e3, "metre/heure"),
        ("180 kilomètres-heure", 180e3, "metre/heure"),
        ("180 kilomètres par heure", 180e3, "metre/heure"),
        ("180 km à l’heure", 180e3, "metre/heure"),
        ("50 m/s", 180e3, "metre/heure"),
        ("50 mètres par seconde", 180e3, "metre/heure"),
        ("120 g/km", 120e-6, "kilo/metre"),
        ("12 km²", 1200, "hectare"),
        ("12 km2", 1200, "hectare"),
        ("5 000 mètres carrés", 0.5, "hectare"),
        ("20 m3", 20e3, "litre"),
        ("3 kilowatts-heure", 3e3, "watt-heure"),
        ("3 kWh", 3e3, "watt-heure"),
        # How often an amount comes back, and a price, do not change what it is of.
        ("300 euros par mois", 300, "euro"),
        ("2 €/kg", 2, "euro"),
        ("72 000 tonnes par an", 72e6, "kilo"),
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
        ("180 km/h", "50 m/s"),
        ("un million et demi d’euros", "1,5 M€"),
        ("une heure et demie", "90 minutes"),
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


def test_a_speed_is_no_length():
    assert only("180 km/h").unit != only("180 km").unit


def test_a_year_and_what_is_counted_then_are_two():
    found = only("En 2024 300 personnes sont venues.")
    assert (found.value, found.unit) == (300, "personne")


@pytest.mark.parametrize("text", ["le 12 mars 2024", "en 2023", "le 1er octobre", "un homme neuf"])
def test_dates_and_articles_are_no_quantities(text):
    assert quantities(text) == ()


def test_a_bare_number_shares_the_unit_it_is_said_with():
    first, second = quantities("trois ou quatre jours")
    assert first.unit == second.unit == "jour"


def test_written_as_the_text_has_it():
    text = "Il y avait 1\u202f200 personnes."
    assert quantity_text(text, only(text)) == "1 200 personnes"


@pytest.mark.parametrize(
    "text",
    ["180 km/h", "un an et demi", "un million et demi d’euros", "14 h 30", "une demi-heure"],
)
def test_written_with_its_unit_and_nothing_more(text):
    assert quantity_text(f"{text} lundi", only(f"{text} lundi")) == text


def test_half_a_character_is_no_number():
    assert [q.value for q in quantities("\ud800 deux mille\udfff trois brebis")] == [2000, 3]


@given(st.text(max_size=200) | st.text(st.characters(categories=["Cs", "Nd", "Ll"]), max_size=50))
def test_spans_lie_in_any_text(text):
    for quantity in quantities(text):
        assert 0 <= quantity.start < quantity.end <= len(text)
        assert quantity.low <= quantity.value <= quantity.high


@given(st.integers(2, 999_999_999), st.sampled_from(" \u00a0\u202f."))
def test_digits_read_back(number, mark):
    (found,) = quantities(f"{number:,} euros".replace(",", mark))
    assert found.value == number
    assert found.unit == "euro"


@given(st.decimals(2, 999_999, places=2), st.sampled_from(" \u00a0\u202f."))
def test_decimals_read_back(number, mark):
    grouped = f"{number:,}".replace(",", mark)
    (found,) = quantities(f"{','.join(grouped.rsplit('.', 1))} euros")
    assert found.value == pytest.approx(float(number))


@given(st.integers(2, 999_999))
def test_words_read_back(number):
    (found,) = quantities(f"{spelled(number)} euros")
    assert found.value == number


@given(st.integers(1500, 2099), st.integers(100, 999), st.sampled_from(" \u00a0\u202f"))
def test_a_year_never_joins_the_number_after_it(year, number, space):
    (found,) = quantities(f"En {year}{space}{number} personnes sont venues.")
    assert found.value == number


@given(
    st.integers(2, 60),
    st.sampled_from(
        [("an", 12, "mois"), ("heure", 1, "heure"), ("semaine", 7, "jour"), ("million", 1e6, "")]
    ),
)
def test_a_half_is_half_of_what_is_before_it(number, unit):
    name, factor, kind = unit
    (found,) = quantities(f"{spelled(number)} {name}s et demi")
    assert found.value == pytest.approx((number + 0.5) * factor)
    assert found.unit == kind


@given(
    st.integers(2, 9999), st.sampled_from([("km", "h", 1e3), ("m", "s", 3600), ("km", "s", 3.6e6)])
)
def test_a_speed_is_told_in_any_units(number, units):
    length, time, factor = units
    spoken = {"km": "kilomètres", "m": "mètres", "h": "heure", "s": "seconde"}
    for text in (f"{length}/{time}", f"{length} / {time}", f"{spoken[length]} par {spoken[time]}"):
        (found,) = quantities(f"à {number} {text}")
        assert found.value == pytest.approx(number * factor)
        assert found.unit == "metre/heure"


def spelled(number: int) -> str:
    """Return a number below a million in French words, as schools teach them."""
    if number >= 1000:
        thousands, rest = divmod(number, 1000)
        head = "mille" if thousands == 1 else f"{spelled(thousands)} mille"
        return head if not rest else f"{head} {spelled(rest)}"
    if number >= 100:
        hundreds, rest = divmod(number, 100)
        head = "cent" if hundreds == 1 else f"{spelled(hundreds)} cent"
        return f"{head}{'s' if hundreds > 1 else ''}" if not rest else f"{head} {spelled(rest)}"
    if number < 17:
        return UNITS[number]
    tens, unit = divmod(number, 10)
    if tens in {7, 9}:
        tens, unit = tens - 1, unit + 10
    if tens == 8:
        return "quatre-vingts" if not unit else f"quatre-vingt-{spelled(unit)}"
    ten = TENS[tens]
    if not unit:
        return ten
    link = " et " if unit in {1, 11} else "-"
    return f"{ten}{link}{spelled(unit)}"


UNITS = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
).split()
TENS = ["", "dix", "vingt", "trente", "quarante", "cinquante", "soixante"]


def test_a_part_of_what_was_counted_multiplies_nothing() -> None:
    """« quatre pédiatres, dont deux venus de Roumanie » made « huit pédiatres » a figure told."""
    premise = "L'hôpital a recruté quatre pédiatres, dont deux venus de Roumanie."
    (eight,) = match_quantities("L’hôpital a recruté huit pédiatres.", premise)
    assert eight.match is Match.CONFLICT
    (all_pupils,) = match_quantities("Cent élèves sont là.", "Cinq classes de vingt élèves.")
    assert all_pupils.match is Match.DERIVED


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("quatre infirmiers, dont trois issus de Lyon", "trois"),
        ("il faut 270 grands électeurs", "270 grands électeurs"),
        ("les deux premiers sont partis", "deux"),
    ],
)
def test_an_adjective_is_no_noun_that_is_counted(text: str, shown: str) -> None:
    assert shown in [quantity_text(text, q) for q in quantities(text)]


def test_the_day_of_publication_contradicts_no_date() -> None:
    label = "Un téléphérique à Montfauzy, 12 mars 2024"
    (figure,) = match_quantities("La ligne ouvrira en 2026.", "La ligne ouvrira bientôt.", label)
    assert figure.match is Match.ABSENT
    (figure,) = match_quantities("La ligne ouvrira en 2026.", "La ligne ouvrira en 2027.", label)
    assert (figure.match, figure.counterpart) == (Match.CONFLICT, "2027")
    (figure,) = match_quantities("Le vote a eu lieu en 2024.", "Le vote a eu lieu lundi.", label)
    assert figure.match is Match.EXACT  # it still dates what is told
