"""Who says a sentence: measured on sentences written for it, and on what surrounds them."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Attribution, Kind
from rag.french.speech import attribute
from rag.french.words import content_stems

SENTENCES = [
    json.loads(line)
    for line in (Path(__file__).parent / "golden" / "attribution.jsonl").read_text().splitlines()
]


def found_for(row):
    before = f"{row['before']} " if row["before"] else ""
    text = before + row["text"]
    return attribute(text, len(before), len(text))


def test_the_set_is_large_enough():
    assert len(SENTENCES) >= 150
    assert len({row["text"] for row in SENTENCES}) == len(SENTENCES)


def test_kinds_are_found():
    right, said, wanted = Counter(), Counter(), Counter()
    for row in SENTENCES:
        kind = found_for(row).kind.name.lower()
        said[kind] += 1
        wanted[row["kind"]] += 1
        right[kind] += kind == row["kind"]
    f1 = {k: 2 * right[k] / (said[k] + wanted[k]) for k in wanted}
    assert min(f1.values()) >= 0.95, f1


def test_speakers_are_found():
    statements = [row for row in SENTENCES if row["kind"] == "statement"]
    right = 0
    for row in statements:
        wanted = set(content_stems(row["speaker"]))
        found = set(content_stems(found_for(row).speaker))
        right += wanted <= found and len(found) <= 2 * len(wanted) + 2
    assert right / len(statements) >= 0.95


def test_a_quotation_that_goes_on_keeps_its_speaker():
    text = "« Rien n’est perdu. Nous rouvrirons en mai », assure Karim Benassar."
    first = attribute(text, 0, 20)
    second = attribute(text, 21, len(text))
    assert (first.kind, first.speaker) == (Kind.STATEMENT, "Karim Benassar")
    assert (second.kind, second.speaker) == (Kind.STATEMENT, "Karim Benassar")


@pytest.mark.parametrize(
    ("speaker", "label"),
    [
        ("le maire", "déclaration du maire"),
        ("Les syndicats", "déclaration des syndicats"),
        ("l'ONU", "déclaration de l’ONU"),
        ("Agathe Mercœur", "déclaration d’Agathe Mercœur"),
        ("Karim Benassar", "déclaration de Karim Benassar"),
        ("La mairie", "déclaration de la mairie"),
        ("des experts", "déclaration d’experts"),
        ("", "déclaration rapportée"),
    ],
)
def test_labels_contract_as_french_does(speaker, label):
    assert Attribution(Kind.STATEMENT, speaker).label == label


@given(st.text(max_size=300), st.integers(0, 300), st.integers(0, 300))
def test_any_text_is_attributed(text, a, b):
    start, end = sorted((min(a, len(text)), min(b, len(text))))
    found = attribute(text, start, end)
    assert found.marker or found.kind is not Kind.CONDITIONAL
