"""Sentences of ours in French print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import texts
from rag.french.typography import typographic


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("L'index est tenu : attendez qu'il finisse ; puis relancez.",
         "L’index est tenu\u00a0: attendez qu’il finisse\u202f; puis relancez."),
        ("Aujourd'hui, jusqu'à demain !", "Aujourd’hui, jusqu’à demain\u202f!"),
        ("Lancez « recoupe ask 'qu'il' ; fin » d'abord.",
         "Lancez «\u00a0recoupe ask 'qu'il' ; fin\u00a0» d’abord."),
        ("L'index /home/l'ami/x d'hier", "L’index /home/l'ami/x d’hier"),
        ("à 10:30, http://a.b/?q=c : lu", "à 10:30, http://a.b/?q=c\u00a0: lu"),
        ("Rien à changer.", "Rien à changer."),
    ],
)  # fmt: skip
def test_apostrophes_and_spaces(said: str, shown: str) -> None:
    assert typographic(said) == shown


@given(st.text(max_size=200))
def test_it_changes_signs_alone(said: str) -> None:
    plain = str.maketrans({"’": "'", "\u00a0": " ", "\u202f": " "})
    shown = typographic(said)
    assert shown.translate(plain) == said.translate(plain)
    assert typographic(shown) == shown


def test_none_is_singular() -> None:
    assert [texts.articles(n) for n in (0, 1, 2)] == ["0 article", "1 article", "2 articles"]
