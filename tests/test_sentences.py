from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.french.sentences import sentence_spans, sentences


@pytest.mark.parametrize(
    "whole",
    [
        "M. Dupont et Mme Roy sont venus.",
        "Le Dr. Henri habite av. Foch, n° 3.",
        "J.-P. Martin a signé.",
        "La fin de l’O.N.U. est proche.",
        "Le prix est de 3.5 euros le litre.",
        "Le 1er mars, il a neigé.",
        "Il hésite… puis repart.",
        "« Quelle surprise ! », a-t-il lancé.",
        "« Il m’a dit : “Va-t’en ! Ne reviens pas.” Je suis partie », raconte-t-elle.",
        "Elle répond : « C’est fini. Nous partons. »",
        "Ah ! dit-il.",
        "Cf. p. 12 de l’étude.",
        "« On attend. On espère », dit M. Petit, 54 ans.",
        "Voir Node.Js, l’U.E.F.A. et Yahoo!Mail, ou mairie.Fr en ligne.",
        "Dites M.Le Pen, J.Le Goff ou Mme.Roy à Jean.Dupont@exemple.fr.",
    ],
)
def test_one_sentence_stays_one(whole: str) -> None:
    assert sentences(whole) == [whole]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Il pleut. Le maire part.", ["Il pleut.", "Le maire part."]),
        ("Le plan B. Il a échoué.", ["Le plan B.", "Il a échoué."]),
        ("Il y a etc. Il part.", ["Il y a etc.", "Il part."]),
        ("Non ?! Si… Oui.", ["Non ?!", "Si…", "Oui."]),
        ("Cela coûte 3,5 M€. 12 élus ont voté.", ["Cela coûte 3,5 M€.", "12 élus ont voté."]),
        (
            "« C’est fini. » Puis il sort.",
            ["« C’est fini. »", "Puis il sort."],
        ),
        ("Titre sans point\nUne phrase.", ["Titre sans point", "Une phrase."]),
        ("En 2023. « Voilà. »", ["En 2023.", "« Voilà. »"]),
        # Spaces lost where a page was scraped.
        ("Gardez vos données.Vous avez un mois.", ["Gardez vos données.", "Vous avez un mois."]),
        ("Il vit à Sautron.La ville est belle.", ["Il vit à Sautron.", "La ville est belle."]),
        ("Que faire ?Signalez-le.", ["Que faire ?", "Signalez-le."]),
        ("Né en 1998.Il partit.", ["Né en 1998.", "Il partit."]),
        ("Voir lemonde.fr.L’État agit.", ["Voir lemonde.fr.", "L’État agit."]),
    ],
)
def test_sentences_are_told_apart(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_long_quotation_is_cut_at_its_sentences() -> None:
    quote = "« " + "Nous avons travaillé toute la nuit pour sauver la digue. " * 10 + "»"
    assert len(sentences(quote)) > 5


FRENCH = st.text(alphabet='aéÀM.!?…«»“”()"’ \u00a0\u202f\n,;:-1 2', max_size=200) | st.text()


@given(FRENCH)
def test_spans_are_ordered_trimmed_and_leave_only_blanks(text: str) -> None:
    spans = sentence_spans(text)
    end = 0
    for a, b in spans:
        assert end <= a < b <= len(text)
        assert text[a:b] == text[a:b].strip()
        assert text[end:a].strip() == ""
        end = b
    assert text[end:].strip() == ""
