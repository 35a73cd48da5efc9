from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from rag.domain import Passage, Source
from rag.french.sentences import sentence_spans
from rag.indexing.passages import count_tokens, dated_text, make_passages, split
from rag.readers.cleaning import Block, assemble

SENTENCE = "La rivière est montée de deux mètres en une nuit à Saint-Cyprin. "


@given(st.text(max_size=600), st.integers(20, 200))
@settings(deadline=None)
def test_passages_are_the_text_exactly(text: str, target: int) -> None:
    cuts = split(text, (), target)
    assert "".join(text[c.start : c.end] for c in cuts) == text
    assert all(c.start < c.end for c in cuts)
    for cut in cuts:
        ends = [cut.start, *(b for _, b in cut.sentences)]
        assert all(e <= a < b <= cut.end for e, (a, b) in zip(ends, cut.sentences, strict=False))
        assert (
            "".join(text[a:b] for a, b in cut.sentences).split()
            == (text[cut.start : cut.end].split())
            or len(cut.sentences) > 1
        )


@given(st.lists(st.tuples(st.text(min_size=1, max_size=80), st.booleans()), max_size=12))
@settings(deadline=None)
def test_headings_keep_the_spans_exact(lines: list[tuple[str, bool]]) -> None:
    text, headings, _ = assemble(Block(line, heading) for line, heading in lines)
    spans = split(text, headings, 30)
    passages = make_passages("a", text, spans, headings)
    assert "".join(p.text for p in passages) == text
    assert all(p.text == text[p.start : p.end] for p in passages)


def test_passages_are_near_the_target() -> None:
    text = SENTENCE * 60
    sizes = [count_tokens(text[c.start : c.end]) for c in split(text, (), 160)]
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
    text, headings, _ = assemble(blocks)
    passages = make_passages("a", text, split(text, headings), headings)
    assert [p.heading for p in passages] == ["", "Des renforts attendus"]
    assert passages[1].text.startswith("Des renforts attendus")


def test_sentences_are_not_cut_when_they_fit() -> None:
    text = SENTENCE * 40
    cuts = split(text, (), 100)
    assert len(cuts) > 3
    assert all(text[c.start : c.end].rstrip().endswith(".") for c in cuts)


def test_one_endless_sentence_is_cut_between_words() -> None:
    text = "mot " * 3000
    cuts = split(text, (), 100)
    assert len(cuts) > 10
    assert all(text[c.end - 1] == " " for c in cuts)


def test_a_word_without_end_is_cut_anyway() -> None:
    text = "a" * 20_000
    cuts = split(text, (), 100)
    assert len(cuts) > 10
    assert all(c.end - c.start < 2000 for c in cuts)


@given(st.text(alphabet="aB.!? \n«»’1", max_size=300))
def test_the_sentences_of_passages_are_those_of_the_text(text: str) -> None:
    assert [span for cut in split(text) for span in cut.sentences] == sentence_spans(text)


def test_what_is_read_tells_the_day_and_keeps_its_sentences() -> None:
    text = "Le club a gagné samedi. Il jouera la finale à Lyon."
    passage = Passage("a:0", "a", 0, 100, 100 + len(text), text)
    spans = [(100 + a, 100 + b) for a, b in sentence_spans(text)]
    source = Source("Le club en finale", published=date(2024, 3, 12))
    read = dated_text(passage, source, spans)
    assert read.text == f"Le club en finale, 12 mars 2024\n{text}"
    assert [read.text[a:b] for a, b in read.sentences] == [
        text[a:b] for a, b in sentence_spans(text)
    ]
    assert dated_text(passage, Source("Le club en finale"), spans).text.startswith(
        "Le club en finale\n"
    )
    untitled = dated_text(passage, Source("Le club a gagné"), spans)
    assert untitled.text == text
    assert [untitled.text[a:b] for a, b in untitled.sentences] == [text[:23], text[24:]]
