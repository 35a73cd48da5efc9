"""Links to other articles glued to a sentence: cut where their end can be told, nowhere else."""

from __future__ import annotations

import logging
import re
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.readers.cleaning import Block, assemble, clean
from rag.readers.furniture import noise
from rag.readers.links import without_links

BILAN = "Ce bilan fait état de douze blessés, selon la préfecture."
SOIR = "Le conseil a voté le budget mardi soir."


@pytest.mark.parametrize(
    ("line", "left"),
    [
        # The title is followed by a word that begins sentences and no name.
        (f"Lire aussi : Le marché couvert rouvre {BILAN}", BILAN),
        (f"À lire aussi sur Le Phare : Une crue sans précédent {BILAN}", BILAN),
        # A capital is stuck to the title's last word.
        (f"A surtout lire sur Le Phare : Le marché rouvre{SOIR}", SOIR),
        (f"LIRE AUSSI : Le budget voté en 2012{SOIR}", SOIR),
        ("Voir aussi : Le marché rouvreL’orgue est réparé depuis lundi.",
         "L’orgue est réparé depuis lundi."),
        # The title ends its sentence.
        (f"Lire aussi : Qui paiera la digue ? {SOIR}", SOIR),
        (f"{SOIR} Lire également : Le marché couvert rouvre à Lérac", SOIR),
        (f"{SOIR} >> Lire aussi : Grève à La Poste de Lérac", SOIR),
        (f"{SOIR} Lire aussi : Le marché couvert rouvre. {BILAN}", f"{SOIR} {BILAN}"),
        ("Le conseil a voté le budgetLire aussi : Le marché rouvre", "Le conseil a voté le budget"),
        (f"{SOIR} Lire aussi → Le marché rouvre {BILAN} À lire aussi : Une crue", f"{SOIR} {BILAN}"),
    ],
)  # fmt: skip
def test_a_link_whose_end_can_be_told_is_cut(line: str, left: str) -> None:
    assert without_links(line)[0] == left


@pytest.mark.parametrize(
    "line",
    [
        # A name may begin the sentence, or end the title.
        "Lire aussi : Le marché rouvre Jeanne Roux a présenté le bilan à la presse.",
        "Lire aussi : Grève à La Poste Le conseil a voté le budget mardi soir.",
        "Lire aussi : Le marché de Lérac rouvreMarie Roux a présenté le bilan à la presse.",
        "Lire aussi : Le marché rouvre Pourquoi la préfecture se tait-elle ?",
        f"À lire aussi : Le maire défend La Poste {BILAN}",
        # What is said so, and is no link.
        "Lire aussi bien le latin que le grec était alors la marque des gens cultivés.",
        "On y apprend à lire aussi : une heure par jour, le matin.",
        "Il faut lire aussi ce rapport : Les Oubliés du littoral, paru en mars.",
        "À voir aussi : le musée, ouvert jusqu’à 18 heures.",
        "La chaîne YouTube de la ville compte mille abonnés. Elle diffuse le conseil.",
    ],
)
def test_what_may_be_a_sentence_is_left(line: str) -> None:
    assert without_links(line) == (line, [])


@pytest.mark.parametrize(
    "line",
    [
        "Lire aussi : Le marché rouvre Jeanne Roux a présenté le bilan à la presse.",
        "Lire aussi : Le marché rouvre Le conseil vote le budget mardi soir.",
        "Lire aussi : Le marché rouvreMarie Roux présente son bilan.",
    ],
)
def test_a_line_that_may_hold_a_sentence_is_no_furniture(line: str) -> None:
    assert noise(line) == ""


def test_what_is_cut_is_logged_and_the_spans_are_of_what_is_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "rag.readers.cleaning")
    blocks = [
        Block(f"Lire aussi : Le marché couvert rouvre {BILAN}"),
        Block("Les suites", heading=True),
        Block(f"{SOIR} Lire aussi : Le marché couvert rouvre"),
    ]
    text, headings, _ = assemble(clean(blocks, "Titre", "page.html"))
    assert text == f"{BILAN}\n\nLes suites\n\n{SOIR}"
    assert [text[a:b] for a, b in headings] == ["Les suites"]
    assert "page.html : retiré (renvoi) : Lire aussi : Le marché couvert rouvre" in caplog.text


PIECES = st.sampled_from(
    ["Lire aussi : ", "À lire aussi sur X : ", "Le marché rouvre", " ", ". ", "? ", "Ce bilan ",
     "a été revu", "Le maire ", "L’an dernier", "« Non »", "YouTube", "2012", "\u202f!", "…", "(", ">"]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=5), max_size=14).map("".join))
def test_nothing_is_lost_but_links(line: str) -> None:
    left, cuts = without_links(line)
    assert all(re.match(r"\W*(?:Lire|À lire) aussi", cut) for cut in cuts)
    of_line, of_left = "".join(line.split()), "".join(left.split())
    assert Counter(of_line) == Counter(of_left) + Counter("".join("".join(cuts).split()))
    rest = iter(of_line)
    assert all(sign in rest for sign in of_left), "what is left stands in its order"


def test_a_line_of_labels_takes_no_long_time() -> None:
    line = "Lire aussi : A Le " * 20_000
    began = time.process_time()
    without_links(line)
    assert time.process_time() - began < 5
