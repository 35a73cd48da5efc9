"""The words of evidence that differ from a claim, and where claims stand in a text."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rag.checking.claims import plain_text, split_claims
from rag.checking.differences import differences
from rag.errors import QuestionError
from rag.french.words import content_stems


def marked(claim: str, quote: str, *, agrees: bool = False) -> list[str]:
    found = differences(claim, quote)
    return [quote[m.start : m.end] for m in found if m.agrees is agrees]


@pytest.mark.parametrize(
    ("claim", "quote", "words"),
    [
        ("280 personnes ont été évacuées.", "Le préfet dit que 312 personnes ont été évacuées.",
         ["312"]),
        ("Le pont de Morvane a rouvert.", "Hier, le pont de Lérac a rouvert.", ["Lérac"]),
        # A word that nothing of the claim excludes is no difference.
        ("Le pont a rouvert.", "Le viaduc de pierre a rouvert.", []),
        # Nor is a figure, a year or a name that the claim does not speak of.
        ("Le bac a pris 14 voyageurs.", "Fondé en 1867 par Transval, le bac a 3 ponts en 2021.", []),
        ("Le pont a rouvert en 2024.", "Bâti en 1867, le pont a rouvert en 2024.", []),
        ("Le pont de Lérac a rouvert.", "Hier, le pont de Port-Amance a rouvert.", ["Port-Amance"]),
        ("La halle a 12 loges.", "La halle a dix-huit loges.", ["dix-huit"]),
        ("Le prix est en hausse.", "Le prix est en baisse.", ["baisse"]),
        # In letters or in digits, with thousands apart, moved: the same.
        ("Le chantier a coûté 4 200 000 euros.", "Le chantier a coûté 4 200 000 euros.", []),
        ("Trois brebis sont mortes.", "3 brebis sont mortes.", []),
        ("À Lérac, 12 loups vivent.", "12 loups vivent à Lérac.", []),
        ("La piscine est fermée.", "La piscine n’est pas fermée.", ["pas"]),
        ("Le maire est parti.", "Le maire est parti.", []),
        ("Le bac part le 3 mai.", "Le bac part le 14 juillet 2024.", ["14 juillet 2024"]),
        ("", "Le bac part.", []),
        ("Le bac part.", "", []),
    ],
)  # fmt: skip
def test_the_words_that_differ(claim: str, quote: str, words: list[str]) -> None:
    assert marked(claim, quote) == words


@pytest.mark.parametrize(
    ("claim", "quote", "words"),
    [
        ("À Lérac, 12 loups vivent.", "12 loups vivent à Lérac, dit Transval.", ["12", "Lérac"]),
        ("Port-Amance a dix-huit bacs.", "Les 18 bacs de Port-Amance.", ["18", "Port-Amance"]),
        ("Le pont a rouvert en 2024.", "Bâti en 1867, le pont a rouvert le 3 mai 2024.", ["3 mai 2024"]),
        ("8 000 personnes.", "8 000 postes.", []),
        ("Hier, le bac est parti.", "Hier, le bac est venu.", []),
    ],
)  # fmt: skip
def test_the_figures_and_names_that_agree(claim: str, quote: str, words: list[str]) -> None:
    assert marked(claim, quote, agrees=True) == words
    assert marked(claim, quote) == []


WITHIN = re.compile(r"(?<=[^\W\d_])-?[^\W\d_]|(?<=[^\W\d_]-)[^\W\d_]")  # a word or a compound
PIECES = st.sampled_from([
    "Le pont", "la piscine", "312", " 4,2 ", "312 habitants", "ont fui", "n’a pas", " ", "\n", "«", "»",
    "é", "e\u0301", "🚒", "אבג", ".", "Lérac", "et", "\u00a0", "-", "Saint-Cyprin", "dix-huit", "2024", "le 3 mai",
])  # fmt: skip


@given(st.lists(PIECES, max_size=25).map(" ".join), st.lists(PIECES, max_size=25).map(" ".join))
@hypothesis_settings(deadline=None)
def test_differences_are_whole_words_in_order(claim: str, quote: str) -> None:
    marks = differences(claim, quote)
    assert all(0 <= m.start < m.end <= len(quote) for m in marks)
    assert all(before.end <= after.start for before, after in pairwise(marks))
    ends = {at for mark in marks for at in (mark.start, mark.end)}
    assert [at for at in ends if WITHIN.match(quote, at)] == []
    assert marked(quote, quote) == []


SENTENCES = st.sampled_from([
    "Le pont est rouvert depuis mai et la gare a fermé en juin.", "Il a coûté 4 millions d’euros.",
    "Le maire a ouvert la halle mais il a fermé la piscine.", "Est-ce bien ?", "Quelle honte !",
    "The bridge is closed and that is all.", "Selon le maire, le loup a tué 27 brebis et un chien est mort.",
    "e\u0301cole fermée hier soir à Lérac 🚒 par la mairie.", "a", "🚒🚒", "«", "…", "שלום עולם", "<b>Le pont ferme</b>",
    "&lt;i&gt; le bac part demain matin.", "\0Le bac part demain matin.", "x" * 700,
])  # fmt: skip


@given(st.lists(st.tuples(SENTENCES, st.sampled_from([" ", "\n", "\n\n", "  \t "])), max_size=7))
@hypothesis_settings(max_examples=60, deadline=None)
def test_a_claim_stands_where_it_says(parts: list[tuple[str, str]]) -> None:
    text = "".join(sentence + gap for sentence, gap in parts)
    plain = plain_text(text)
    try:
        claims = split_claims(text)
    except QuestionError:
        return
    for claim in claims:
        assert 0 <= claim.start < claim.end <= len(plain)
        piece = plain[claim.start : claim.end]
        assert piece == piece.strip()
        # What stands there is in the claim, its pronoun apart: a shared subject is added to it.
        assert set(content_stems(piece)) <= set(content_stems(claim.text))
    spans = [(c.start, c.end) for c in claims]
    assert spans == sorted(spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
