"""Words in bold: those of a sentence that answer, never those that the question has already."""

from __future__ import annotations

import pytest

from rag.answering.evidence import find_evidence
from rag.domain import Hit, Passage, Source
from rag.french.reading import understand as understood
from rag.french.sentences import sentence_spans
from rag.models.loading import load_embedder
from rag.models.reader import Reader
from rag.models.scale import CosineScale
from rag.searching.question import understand_question
from rag.settings import load_settings

TEXT = "L’assassinat de Paul Vasseur a ému la ville de Lérins. Le procureur a ouvert une enquête."


@pytest.mark.parametrize(
    ("question", "bold"), [("Qui a tué Vasseur ?", None), ("Qui est mort ?", "Paul Vasseur")]
)
def test_who_is_named_in_a_question_does_not_answer_it(question: str, bold: str | None) -> None:
    passage = Passage("a:v:0", "a", 0, 0, len(TEXT), TEXT)
    hit = Hit(passage, Source(""), 0.0, sentences=tuple(understood(TEXT, sentence_spans(TEXT))))
    scale = CosineScale(load_embedder(load_settings()))
    found, _ = find_evidence(understand_question(question), [hit], scale, Reader())
    (first,) = (e for e in found if e.start == 0)
    assert (first.words and TEXT[slice(*first.words)]) == bold
