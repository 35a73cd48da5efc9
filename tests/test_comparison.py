"""What is said against what is shown: figures, their places, what is done, and the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.checking.compare import (
    FEATURES,
    FOLLOWS,
    NETWORK,
    OVERLAP,
    compare,
    pair_features,
    paired,
    weights,
)
from rag.checking.signals import REGISTRY, signals_of
from rag.checking.signals.figures import agreement
from rag.checking.signals.modality import irrealis_verb
from rag.checking.signals.polarity import contraries
from rag.checking.signals.quantities import Match, amounts, dates, match_quantities, worded_alike
from rag.checking.signals.roles import other_role
from rag.checking.signals.swapped import substituted_name, swapped_arguments
from rag.domain import Side
from rag.french.syntax import parse
from rag.models.comparer import Comparer

EXACT, ROUNDED, DERIVED = Match.EXACT, Match.ROUNDED, Match.DERIVED
CONFLICT, ABSENT = Match.CONFLICT, Match.ABSENT


@pytest.mark.parametrize(
    ("said", "shown", "expected"),
    [
        ("Le navire porte sept canots.", "Le navire porte 7 canots.", EXACT),
        ("La fuite a duré deux jours.", "La fuite a duré 48 heures.", EXACT),
        ("Un foyer sur huit est touché.", "12,4 % des foyers sont touchés.", EXACT),
        ("La moitié du quai est fermée.", "50 % du quai est fermé.", EXACT),
        ("Plus de 330 millions de colis.", "Quelque 332 millions de colis.", EXACT),
        ("Le port a reçu 1,3 million de tonnes.", "Le port a reçu 1 312 000 tonnes.", ROUNDED),
        (
            "Le car transportait 49 personnes.",
            "Le car transportait 47 passagers et 2 chauffeurs.",
            DERIVED,
        ),
        (
            "Le phare est resté fermé trois semaines.",
            "Le phare a fermé le 28 juillet et rouvert le 18 août.",
            DERIVED,
        ),
        (
            "Il est mort en 1954.",
            "Il est jugé en mars 1952. Il meurt deux ans après.",
            DERIVED,
        ),
        ("Elle pèse 4 645 kilos.", "Elle pèse 4 465 kilos.", CONFLICT),
        ("Le prix est de 1,3 million de dollars.", "Le prix est de 1,3 million d'euros.", CONFLICT),
        ("Dix millions d'appels par jour.", "Dix millions d'appels par mois.", CONFLICT),
        ("Les deux tiers des voix.", "Les trois quarts des voix.", CONFLICT),
        ("Elle arrive en troisième position.", "Elle arrive en deuxième position.", CONFLICT),
        ("La ville perdait treize classes.", "Onze classes, deux de moins qu'annoncé.", DERIVED),
        ("Il doit 6 000 euros en tout.", "Il doit 3 000 euros à chacun des deux.", DERIVED),
        ("L'avocate demandait 142 000 euros.", "Il a 71 000 euros, moitié moins.", DERIVED),
        ("Il gagne 3 000 euros par jour.", "Il en porte quarante, pour 75 euros pièce.", DERIVED),
        (
            "Le port traitait environ 4,8 millions de tonnes.",
            "Le port a traité 5,77 millions de tonnes, 20 % de plus.",
            DERIVED,
        ),
        (
            "Elle a plus de 630 kilomètres.",
            "Elle a tracé 84 kilomètres, qui s'ajoutent à 550 kilomètres.",
            DERIVED,
        ),
        (
            "Elle a plus de 900 kilomètres.",
            "Elle a tracé 84 kilomètres, qui s'ajoutent à 550 kilomètres.",
            CONFLICT,
        ),
        ("Le vote est prévu le 14 juillet.", "Le vote est prévu le 4 juillet.", CONFLICT),
        ("La tour date du XIIe siècle.", "La tour date du XVe siècle.", CONFLICT),
        ("La fête a lieu samedi.", "La fête a lieu vendredi.", CONFLICT),
        ("Le match finit sur un score de 3-1.", "Le match finit sur un score de 3-0.", CONFLICT),
        ("Le match finit sur un score de 2 à 1.", "Le match finit sur un score de 2-1.", EXACT),
        ("Le roi est Louis XV.", "Le roi est Louis XIV.", CONFLICT),
        ("La tour date du 19e siècle.", "La tour date du XIXe siècle.", EXACT),
        ("La foule a été multipliée par trois.", "La foule a été divisée par trois.", ABSENT),
        ("Il parcourt 1200 mètres.", "Le pont, bâti en 1950, fait 1,2 km.", EXACT),
        ("Elle est longue de 3 %.", "Elle est longue de 3 mètres.", CONFLICT),
        ("Le pont mesure 80 mètres.", "Le pont est long.", ABSENT),
        ("Le pont a rouvert en 2019.", "Le pont a rouvert.", ABSENT),
    ],
)
def test_a_figure_is_accounted_for(said: str, shown: str, expected: Match) -> None:
    (figure,) = match_quantities(said, shown)
    assert figure.match is expected


def test_a_share_ends_with_its_number() -> None:
    assert EXACT not in {
        f.match for f in match_quantities("3 sur 10 000 habitants.", "30 % des habitants.")
    }


def test_a_decade_holds_its_years() -> None:
    assert (
        match_quantities("Elle naît dans les années 1960.", "Elle naît en 1964.")[0].match is EXACT
    )
    assert (
        match_quantities("Elle naît dans les années 1970.", "Elle naît en 1964.")[0].match
        is CONFLICT
    )


@pytest.mark.parametrize("text", ["la frégate F125", "la console 3DS", "le 36e gouvernement"])
def test_a_number_of_a_name_is_no_amount(text: str) -> None:
    assert all(a.kind.startswith("rank ") for a in amounts(text))


def test_a_figure_is_put_as_it_is_shown() -> None:
    said, shown = "La moitié des colis et sept sacs sont perdus.", "50 % des colis et 7 sacs."
    assert (
        worded_alike(said, match_quantities(said, shown)) == "50 % des colis et 7 sacs sont perdus."
    )


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_texts_are_accounted_for(said: str, shown: str) -> None:
    for figure in match_quantities(said, shown):
        start, end = figure.span
        assert 0 <= start < end <= len(said)
    assert swapped_arguments(said, said) is None


@given(st.text(max_size=120))
def test_what_a_text_says_it_holds(text: str) -> None:
    assert all(figure.match is EXACT for figure in match_quantities(text, text))


def test_figures_stand_where_they_are_after_ligatures() -> None:
    said = "Les œuvres, les sœurs… et les cœurs : la moitié du fonds a brûlé."
    assert worded_alike(said, match_quantities(said, "50 % du fonds a brûlé.")).endswith(
        ": 50 % du fonds a brûlé."
    )


def test_dates_of_a_text() -> None:
    found = dates("Le 5 juillet 1962, puis en mars 1970, vers 1980 et le 1er mai.")
    assert [(d.first, d.month, d.day) for d in found] == [
        (1962, 7, 5), (1970, 3, None), (1980, None, None), (None, 5, 1),
    ]  # fmt: skip


def test_two_things_in_each_other_s_place() -> None:
    shown = "Le robot transporte 521 kg de matériel vers la base et doit en ramener 660 kg."
    assert swapped_arguments("Il apporte 660 kg de matériel à la base et ramène 521 kg.", shown)
    assert not swapped_arguments("Il apporte 521 kg de matériel à la base et ramène 660 kg.", shown)
    towns = "La ville a été touchée en 1938, puis en 1996."
    assert not swapped_arguments("La ville a été touchée en 1996 et en 1938.", towns)


def test_a_name_in_the_place_of_another() -> None:
    shown = "Lérac menait 1 à 0 après un but de la star belge Anton Maes à la 25e minute."
    assert substituted_name("Lérac menait après un but de Paul Ravel à la 25e minute.", shown) == (
        "Paul Ravel", "Anton Maes",
    )  # fmt: skip
    assert (
        substituted_name("Lérac menait après un but d’Anton Maes à la 25e minute.", shown) is None
    )


def _irrealis_verb(said: str, shown: str) -> str | None:
    return irrealis_verb(parse(said), parse(shown))


def _other_role(said: str, shown: str) -> str | None:
    return other_role(parse(said), parse(shown))


def test_who_did_it_to_whom() -> None:
    shown = "Le Sénat a adopté un projet que le Conseil avait abrogé."
    assert _other_role("Le Conseil a adopté un projet.", shown) == "adopté"
    assert _other_role("Un projet a été adopté par le Conseil.", shown) == "adopté"
    assert _other_role("Un projet a été adopté par le Sénat.", shown) is None
    assert _other_role("Le maire a adopté un projet.", shown) is None  # nobody of the passage


def test_a_verb_is_told_as_the_claim_writes_it() -> None:
    assert _other_role("La scierie rachètera la commune.", "La commune rachètera la scierie.") == (
        "rachètera"
    )


def test_what_is_promised_is_not_done() -> None:
    assert _irrealis_verb("L’armée a remis le pouvoir.", "L’armée a promis de remettre le pouvoir.")
    assert _irrealis_verb("Le texte a supprimé la taxe.", "Le texte supprimera la taxe en mai.")
    assert not _irrealis_verb("L’armée a remis le pouvoir.", "L’armée a remis le pouvoir hier.")
    assert not _irrealis_verb("Le texte supprimera la taxe.", "Le texte supprimera la taxe en mai.")
    for shown in (
        "Le maire a réussi à sauver l’école.",
        "Le maire vient de sauver l’école.",
        "Après avoir hésité, il a dû sauver l’école.",
    ):
        assert not _irrealis_verb("Le maire a sauvé l’école.", shown)
    assert not _irrealis_verb(
        "Il n’a pas publié ses comptes.", "Il a refusé de publier ses comptes."
    )


@pytest.fixture(scope="module")
def comparer() -> Comparer:
    return Comparer()


def test_a_sentence_word_for_word_follows(comparer: Comparer) -> None:
    shown = "La halle a rouvert. « C’est un beau jour », a dit le maire de Lérac."
    assert compare("C’est un beau jour », a dit le maire de Lérac.", shown, comparer).follows == 1.0


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("12 personnes sont mortes.", "112 personnes sont mortes dans l’incendie."),
        ("200 euros ont été volés.", "Au total, 1 200 euros ont été volés."),
        ("L’usine va fermer.", "Le maire dément que l’usine va fermer."),
        ("La taxe sera supprimée.", "Si la majorité est réélue, la taxe sera supprimée."),
        ("", "Le pont est fermé."),
        ("...", "Le pont est fermé..."),
    ],
)
def test_a_piece_of_a_sentence_is_not_word_for_word(
    said: str, shown: str, comparer: Comparer
) -> None:
    assert compare(said, shown, comparer).follows < 1.0


def test_lone_surrogates_are_compared(comparer: Comparer) -> None:
    assert 0 <= compare("\ud800 est mort", "Louis est mort à Lérac.", comparer).follows <= 1


def test_long_texts_are_compared_in_time_that_grows_with_them() -> None:
    shown = " ".join(f"en {1000 + n} jours, Paul{n} Ravel{n} a vu {n} phares" for n in range(800))
    assert match_quantities(shown, shown)
    swapped_arguments(shown, shown)
    substituted_name(shown, shown[::-1].title())


@pytest.mark.parametrize(
    ("said", "shown", "alike"),
    [
        ("Il y a eu plus de 20 000 entrées.", "26 500 entrées.", "Il y a eu 26 500 entrées."),
        ("Au moins 300 élus sont venus.", "312 élus étaient là.", "312 élus sont venus."),
        ("Quelque 300 élus sont venus.", "312 élus étaient là.", "312 élus sont venus."),
        ("Moins de 20 000 entrées.", "26 500 entrées.", "Moins de 20 000 entrées."),
    ],
)
def test_a_bound_that_a_figure_keeps_is_worded_as_the_figure(
    said: str, shown: str, alike: str
) -> None:
    assert worded_alike(said, match_quantities(said, shown)) == alike


def test_what_differs_is_told(comparer: Comparer) -> None:
    shown = "La halle de Lérac a été restaurée en 2019 pour 4,2 millions d’euros."
    fine = compare("La restauration de la halle a coûté 4,2 millions d’euros.", shown, comparer)
    wrong = compare("La restauration de la halle a coûté 4,6 millions d’euros.", shown, comparer)
    assert fine.follows > 0.5 > wrong.follows
    assert wrong.reason == (
        "4,6 millions d’euros dans l’affirmation, 4,2 millions d’euros dans les passages cités"
    )


def test_reasons_are_written_as_the_text_is(comparer: Comparer) -> None:
    shown = "Le conseil a rejeté le projet de halle."
    found = compare("Le conseil a adopté à Étretat le projet de halle.", shown, comparer).signals
    assert {s.text for s in found if s.name in {"contraires", "noms"}} == {
        "«\u00a0adopté\u00a0» dans l’affirmation, «\u00a0rejeté\u00a0» dans le passage cité",
        "nom absent des passages cités\u00a0: Étretat",
    }


def test_no_signal_counts_in_favour() -> None:
    model = weights()["follows"]
    assert set(model) <= {"intercept", *FEATURES}
    assert model["net_follows"] > 0 >= model["net_contradicts"]
    assert all(model.get(name, 0.0) <= 0 for name in REGISTRY)
    against = weights()["contradicts"]
    assert against["net_contradicts"] > 0 >= against["net_follows"]
    assert set(against) == set(model)


def test_a_signal_that_is_not_fitted_yet_is_shown_and_weighs_nothing(
    comparer: Comparer, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "Le conseil a adopté le projet de halle.", "Le conseil a rejeté le projet de halle."
    fitted = compare(*said, comparer)
    names = {name for name in REGISTRY if name in pair_features(paired(*said), comparer)[1]}
    assert names
    unfitted = {
        side: {name: weight for name, weight in model.items() if name not in names}
        for side, model in weights().items()
    }
    monkeypatch.setattr("rag.checking.compare.weights", lambda: unfitted)
    shown = compare(*said, comparer)
    assert shown.signals == fitted.signals
    assert shown.follows > fitted.follows


def test_features_are_those_of_the_fit(comparer: Comparer) -> None:
    pair = paired("Le pont ferme.", "Le pont de Lérac ferme lundi.", "Le pont")
    features, signals = pair_features(pair, comparer)
    assert set(features) == set(FEATURES)
    assert set(FEATURES) == {*NETWORK, OVERLAP, *REGISTRY}
    assert {n for n in REGISTRY if features[n]} == set(signals)


@pytest.mark.parametrize(
    ("signal", "hypothesis", "premise"),
    [
        ("quantity_conflict", "Le pont a coûté 4 millions.", "Le pont a coûté 6 millions."),
        ("currency", "Le pont a coûté 4 millions d’euros.", "Il a coûté 4 millions de dollars."),
        ("date_conflict", "Le vote est prévu le 14 juillet.", "Le vote est prévu le 4 juillet."),
        ("swapped_arguments", "Il apporte 660 kg à la base et ramène 521 kg.",
         "Il apporte 521 kg à la base et doit ramener 660 kg."),
        ("roles", "Le Conseil a adopté un projet.",
         "Le Sénat a adopté un projet que le Conseil avait abrogé."),
        ("substituted_name", "Lérac menait après un but de Paul Ravel à la 25e minute.",
         "Lérac menait après un but d’Anton Maes à la 25e minute."),
        ("modality", "Le texte a supprimé la taxe.", "Le texte supprimera la taxe en mai."),
        ("negation", "Le pont a rouvert.", "Le pont n’a pas rouvert."),
        ("contrary", "Le tribunal a validé le permis.", "Le tribunal a annulé le permis."),
        ("quantifier", "Tous les élus ont voté le budget.", "Les élus ont voté le budget."),
        ("statement_as_fact", "Le pont tiendra jusqu’en mai.",
         "« Le pont tiendra jusqu’en mai », affirme Maud Terrasson, ingénieure."),
        ("hearsay_as_fact", "Deux ouvriers ont fui.", "Deux ouvriers auraient fui."),
        ("name_absent", "Le maire de Lérac est venu.", "Le maire est venu."),
        ("quantity_absent", "Le pont mesure 80 mètres.", "Le pont est long."),
        ("date_absent", "Le pont a rouvert en 2019.", "Le pont a rouvert."),
    ],
)  # fmt: skip
def test_each_signal_is_found_and_is_not_where_both_say_the_same(
    signal: str, hypothesis: str, premise: str
) -> None:
    assert signal in signals_of(paired(hypothesis, premise))
    assert signal not in signals_of(paired(hypothesis, hypothesis))


def test_an_amount_of_another_currency_supports_nothing_and_contradicts_nothing(
    comparer: Comparer,
) -> None:
    """The network believes it: « 4 millions d’euros » followed from « 6 millions de dollars »."""
    premise = "La construction du pont de Vernoux a coûté 6 millions de dollars."
    found = compare("Le pont de Vernoux a coûté 4 millions d’euros.", premise, comparer)
    assert found.follows < FOLLOWS
    assert "monnaie" in {s.name for s in found.signals}
    both = "Le pont de Vernoux a coûté 6 millions de dollars (5,5 millions d’euros)."
    again = compare("Le pont de Vernoux a coûté 5,5 millions d’euros.", both, comparer)
    assert "monnaie" not in {s.name for s in again.signals}
    assert again.follows > found.follows


@pytest.mark.parametrize(
    ("hypothesis", "sentence"),
    [
        (
            "L’Europe a battu les États-Unis.",
            "L’Europe a remporté la Ryder Cup face aux États-Unis.",
        ),
        ("Les ventes ont reculé de plus de 15 %.", "Les ventes affichent 15,2 % de moins."),
    ],
)
def test_what_is_no_contrary(hypothesis: str, sentence: str) -> None:
    assert list(contraries(hypothesis, sentence)) == []


def test_the_same_figure_of_others_is_to_be_checked() -> None:
    mine, theirs = "Six détenus ont été blessés.", "Un détenu et six agents ont été blessés."
    signal = agreement(paired(mine, theirs))
    assert signal is not None
    assert signal.side is Side.OPEN
    same = agreement(paired("Six agents ont été blessés.", theirs))
    assert same is not None
    assert same.side is Side.FOR
