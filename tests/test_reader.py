"""The reader: which sentence answers a question, and whether any does."""

from __future__ import annotations

import pytest

from rag.french.sentences import sentence_spans
from rag.models.embedding import PassageText
from rag.models.reader import Read, Reader

TEXT = (
    "La halle du marché de Brissange a rouvert samedi après deux ans de travaux. "
    "Le chantier a coûté 3,2 millions d’euros à la commune. "
    "La maire, Sophie Delaunay, a coupé le ruban devant trois cents personnes. "
    "Des commerçants regrettent le manque de places de stationnement."
)
OTHER = "Le club de handball a gagné son match. Il jouera la finale en juin à Lyon."


def passage(text: str) -> PassageText:
    return PassageText(text, tuple(sentence_spans(text)))


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def best(read: Read) -> int:
    return max(range(len(read.sentences)), key=lambda n: read.sentences[n])


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Combien le chantier a-t-il coûté ?", 1),
        ("cout travaux halle", 1),
        ("Qui a coupé le ruban ?", 2),
        ("Quand la halle a-t-elle rouvert ?", 0),
        ("Que regrettent les commerçants ?", 3),
    ],
)
def test_the_sentence_that_answers_is_found(reader: Reader, question: str, sentence: int) -> None:
    here, elsewhere = reader.read(question, [passage(TEXT), passage(OTHER)])
    assert best(here) == sentence
    assert here.answers > elsewhere.answers


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Combien le chantier a-t-il coûté ?", "3,2 millions d’euros"),
        ("Qui a coupé le ruban ?", "maire"),
    ],
)
def test_the_words_that_answer_are_told_apart(reader: Reader, question: str, words: str) -> None:
    (read,) = reader.read(question, [passage(TEXT)])
    span = read.spans[best(read)]
    assert span is not None
    assert words in TEXT[slice(*span)]
    (a, b), (start, end) = span, sentence_spans(TEXT)[best(read)]
    assert start <= a < b <= end


def test_a_passage_without_the_sentence_that_answers_is_believed_less(reader: Reader) -> None:
    without = TEXT.replace("Le chantier a coûté 3,2 millions d’euros à la commune. ", "")
    whole, left = reader.read(
        "Combien le chantier a-t-il coûté ?", [passage(TEXT), passage(without)]
    )
    assert whole.answers > left.answers
    assert max(whole.sentences) > max(left.sentences)


def test_what_is_read_does_not_depend_on_the_passages_beside(reader: Reader) -> None:
    question = "Qui a coupé le ruban ?"
    (alone,) = reader.read(question, [passage(TEXT)])
    beside = reader.read(question, [passage(OTHER), passage(TEXT), passage(TEXT * 3)])[1]
    assert alone.answers == pytest.approx(beside.answers, abs=0.02)
    assert alone.sentences == pytest.approx(beside.sentences, abs=0.05)


def test_a_title_above_the_sentences_is_no_sentence(reader: Reader) -> None:
    title = "La halle rouvre\n"
    spans = tuple((a + len(title), b + len(title)) for a, b in sentence_spans(TEXT))
    (read,) = reader.read("Qui a coupé le ruban ?", [PassageText(title + TEXT, spans)])
    assert len(read.sentences) == 4
    assert best(read) == 2


def test_any_text_is_read(reader: Reader) -> None:
    assert reader.read("Qui ?", []) == []
    odd = ["", " ", "a" * 5000, "\u200b\x00\ud800", TEXT * 30]
    found = reader.read("Qui a coupé le ruban ?", [passage(t) for t in odd])
    assert len(found) == len(odd)
    assert [len(r.sentences) for r in found] == [len(sentence_spans(t)) for t in odd]
    assert all(abs(s) < 1000 for r in found for s in r.sentences)
    for text, read in zip(odd, found, strict=True):
        for (start, end), span in zip(sentence_spans(text), read.spans, strict=True):
            assert span is None or start <= span[0] < span[1] <= end
    assert len(reader.read("q" * 3000, [passage(TEXT)])[0].sentences) == 4
