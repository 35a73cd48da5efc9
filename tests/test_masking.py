"""What tells a private person is masked; figures, years and public names are not."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.assistant import LocalAssistant
from rag.domain import Article, Reading, Source
from rag.french.masking import mask
from rag.indexing.public_names import PublicNames
from rag.settings import load_settings

PUBLIC = {"Emmanuel Macron", "Le Pen"}


def masked(text: str) -> str:
    return mask(text, lambda name: name in PUBLIC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Écrivez à jean.dupont+x@free.fr.", "Écrivez à [adresse]."),
        ("Le 06 12 34 56 78 ou 0612345678", "Le [téléphone] ou [téléphone]"),
        ("+33 (0)6 12 34 56 78, 00 44 20 7946 0958", "[téléphone], [téléphone]"),
        ("IBAN FR76 3000 6000 0112 3456 7890 189 ?", "IBAN [numéro] ?"),
        ("Sécu 2 84 05 75 123 456 78, carte 4970 1012 3456 7890", "Sécu [numéro], carte [numéro]"),
        ("1" * 500, "[numéro]"),
        ("Qui est Jean Martin ?", "Qui est [nom] ?"),
        ("Que fait Jean\nMartin ?", "Que fait [nom] ?"),
        ("Qu’a dit Emmanuel Macron à Jean-Luc Petit-Dupré ?", "Qu’a dit Emmanuel Macron à [nom] ?"),
        ("Le président Emmanuel Macron", "Le président Emmanuel Macron"),
        ("Madame Durand, M. Durand, Mme Le Pen", "Madame [nom], M. [nom], Mme Le Pen"),
        ("d’Anne de La Tour et J. Dupont", "d’[nom] et [nom]"),
        ("Знаю: Иван Петров", "Знаю: [nom]"),
    ],
)  # fmt: skip
def test_what_tells_a_private_person_is_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Le budget de 1 200 000 000 euros en 2024",
        "1914-1918 1939-1945",
        "Le 2024-05-06, 12,500 habitants",
        "Combien a coûté la halle aux grains ? 😀",
        "Paul. Il revient.",
        "متى يفتح المسبح ؟",
    ],
)
def test_what_tells_nobody_stays(text: str) -> None:
    assert masked(text) == text


@given(st.text(alphabet=st.sampled_from("aA1 @.+-'’é\n0"), max_size=80))
def test_done_twice_nothing_changes(text: str) -> None:
    once = masked(text)
    assert masked(once) == once


@pytest.mark.parametrize("piece", ["A", "a@", "1 ", "Ab ", "+", "FR76 ", "a.b-c'", "0 ", "é\u0301"])
def test_a_hostile_text_takes_no_time(piece: str) -> None:
    start = time.process_time()
    masked(piece * 20_000)
    assert time.process_time() - start < 5


def test_the_names_that_the_articles_hold_are_public(tmp_path: Path) -> None:
    assistant = LocalAssistant(load_settings(index_dir=tmp_path))
    text = "Le maire, Robert Graveron, a rouvert la halle. M. Aubrée l’a remercié."
    source = Source("Inauguration par Nadia Roussel", "Le Rivage", author="Claire Sauvadet")
    withdrawn = Article("retire", Source("Un procès"), "Hugo Vannier a été jugé.")
    assistant.ingest(Reading((Article("halle", source, text), withdrawn)))
    assistant.withdraw({"retire": date(2024, 5, 6)})
    names = PublicNames(lambda: assistant.index)
    assert names("Robert Graveron")
    assert names("robert graveron".upper())
    assert names("Claire Sauvadet")  # who signs articles
    assert names("Nadia Roussel")  # of a title
    assert names("Aubrée")
    assert not names("Robert Aubrée")
    assert not names("Hugo Vannier")
    assert not names("Jean Martin-Quelconque")
    assert not names("La Halle")  # « la halle » has no capital in the articles
    assistant.remove(["halle"])
    assert not names("Robert Graveron")
    assistant.close()
