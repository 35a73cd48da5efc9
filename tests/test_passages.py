from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.french.sentences import sentence_spans
from rag.indexing.index import make_passages
from rag.indexing.passages import MOST_PARTS, count_tokens, parts, split
from rag.readers.cleaning import Block, assemble

SENTENCE = "La rivière est montée de deux mètres en une nuit à Saint-Cyprin. "


@given(st.text(max_size=600), st.integers(20, 200))
@settings(deadline=None)
def test_passages_are_the_text_exactly(text: str, target: int) -> None:
    spans = split(text, (), target)
    assert "".join(text[a:b] for a, b in spans) == text
    assert all(a < b for a, b in spans)


@given(st.lists(st.tuples(st.text(min_size=1, max_size=80), st.booleans()), max_size=12))
@settings(deadline=None)
def test_headings_keep_the_spans_exact(lines: list[tuple[str, bool]]) -> None:
    text, headings = assemble(Block(line, heading) for line, heading in lines)
    spans = split(text, headings, 30)
    passages = make_passages("a", text, spans, headings)
    assert "".join(p.text for p in passages) == text
    assert all(p.text == text[p.start : p.end] for p in passages)


def test_passages_are_near_the_target() -> None:
    text = SENTENCE * 60
    sizes = [count_tokens(text[a:b]) for a, b in split(text, (), 160)]
    assert len(sizes) > 3
    assert all(110 <= size <= 200 for size in sizes)


def test_a_smaller_target_makes_more_passages() -> None:
    text = SENTENCE * 30
    assert len(split(text, (), 60)) > 2 * len(split(text, (), 200))


def test_a_passage_starts_at_each_heading_and_bears_it() -> None:
    blocks = [
        Block(SENTENCE.strip()),
        Block("Des renforts attendus", heading=True),
        Block(SENTENCE.strip()),
    ]
    text, headings = assemble(blocks)
    passages = make_passages("a", text, split(text, headings), headings)
    assert [p.heading for p in passages] == ["", "Des renforts attendus"]
    assert passages[1].text.startswith("Des renforts attendus")


def test_sentences_are_not_cut_when_they_fit() -> None:
    text = SENTENCE * 40
    spans = split(text, (), 100)
    assert len(spans) > 3
    assert all(text[a:b].rstrip().endswith(".") for a, b in spans)


def test_one_endless_sentence_is_cut_between_words() -> None:
    text = "mot " * 3000
    spans = split(text, (), 100)
    assert len(spans) > 10
    assert all(text[b - 1] == " " for _, b in spans)


def test_a_word_without_end_is_cut_anyway() -> None:
    text = "a" * 20_000
    spans = split(text, (), 100)
    assert len(spans) > 10
    assert all(b - a < 2000 for a, b in spans)


@given(st.text(alphabet="aB.!? \n«»’1", max_size=300))
def test_parts_hold_each_sentence_once_and_are_few(text: str) -> None:
    spans, found = sentence_spans(text), parts(text)
    assert len(found) == (0 if len(spans) < 2 else min(len(spans), MOST_PARTS))
    for a, b in spans if found else []:
        assert sum(start <= a and b <= end for start, end in found) == 1


def test_parts_are_the_sentences_of_an_ordinary_passage() -> None:
    text = SENTENCE * 4
    assert list(parts(text)) == sentence_spans(text)
    assert len(parts(SENTENCE)) == 0
