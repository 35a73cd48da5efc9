"""Who says a sentence, read from its passage: the head, its training, and what an index keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.assistant import LocalAssistant
from rag.domain import Article, Attribution, Kind, Reading, Source
from rag.evaluation.attribution_scores import comparable_name
from rag.french.speech import QUOTATION
from rag.indexing.understanding import voiced
from rag.models.embedding import PassageText, Voice
from rag.models.encoder import Encoder
from rag.models.speakers import SpeakerHead, distances, pointed, token_roles
from rag.settings import load_settings
from training.speakers import Example, batched, head_module, requoted

TOLD = (
    "Le maire de Vernay, Paul Tessier, a présenté lundi le budget de la commune. "
    "La hausse des impôts sera limitée à 2 %, a-t-il assuré devant le conseil. "
    "Pour l’élue d’opposition Sonia Merad, le compte n’y est pas. "
    "Elle a ajouté que la dette avait doublé en cinq ans. "
    "Le conseil compte 29 membres."
)


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    from rag.french.sentences import sentence_spans

    return tuple(sentence_spans(text))


def test_a_pronoun_leads_to_the_name_that_the_passage_gives() -> None:
    spans = sentences(TOLD)
    [voices] = Encoder().embed_sentences([PassageText(TOLD, spans)]).voices or []
    likely = [max(range(3), key=voice[:3].__getitem__) for voice in voices]
    assert likely[1:] == [1, 1, 1, 0]
    assert "Sonia Merad" in voices[2].speaker
    assert "Sonia Merad" in voices[3].speaker


def test_the_index_keeps_it(tmp_path: Path) -> None:
    article = Article("a", Source("Vernay vote son budget", "La Gazette"), TOLD)
    assistant = LocalAssistant(load_settings(index_dir=tmp_path))
    assistant.ingest(Reading((article,)))
    kept = {
        TOLD[s.start : s.end]: s.attribution
        for found in assistant.index.understood(assistant.index.article("a").passages).values()
        for s in found.sentences
    }
    assistant.close()
    [said] = [a for text, a in kept.items() if "la dette" in text]
    assert said.kind is Kind.STATEMENT
    assert "Sonia Merad" in said.speaker
    assert next(a for t, a in kept.items() if "29" in t).kind is Kind.REPORTED


@given(st.integers(2, 30), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_the_best_name_is_the_best_of_all(size: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    starts, ends = (draw.normal(size=size).astype(np.float32) for _ in range(2))
    segments = np.sort(draw.integers(0, 3, size=size))
    options = {None: float(starts[0] + ends[0])} | {
        (a, b): float(starts[a] + ends[b])
        for a in range(1, size)
        for b in range(a, min(size, a + 24))
        if segments[a] == segments[b]
    }
    found, likely = pointed(starts, ends, segments)
    assert likely == pytest.approx(max(options.values()))
    assert options[found] == pytest.approx(likely)


def test_what_ships_computes_what_was_trained(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(3)
    text = "Un titre\nIl a plu. Elle a dit oui."
    offsets = np.array([(-9, -8), (0, 2), (3, 8), (9, 11), (12, 18), (19, 23), (24, 33), (0, 0)])
    spans = ((9, 18), (19, 33))
    what, sentence = token_roles(offsets, spans, 9)
    assert what.tolist() == [2, 1, 1, 0, 0, 0, 0, 2]
    assert sentence.tolist() == [-1, -1, -1, 0, 0, 1, 1, -1]
    assert distances(sentence, 2).tolist()[1] == [10, 10, 10, 3, 3, 2, 2, 10]
    states = np.random.default_rng(0).normal(size=(8, 20)).astype(np.float32)
    head = head_module(20).eval()
    one = Example(states.astype(np.float16), what, sentence, (0, 1), (None, None))
    with torch.no_grad():
        kinds = head(batched([one]))[0][0].softmax(-1).numpy()
    path = tmp_path / "speakers.npz"
    np.savez(path, **{n: t.numpy().astype(np.float16) for n, t in head.state_dict().items()})
    voices = SpeakerHead(path).read(states, offsets, spans, text)
    assert np.allclose([voice[:3] for voice in voices], kinds, atol=0.01)


def test_a_passage_with_other_marks_has_the_same_sentences() -> None:
    text = "« Il pleut », dit-il. Elle a souri. « Bien », dit-elle."
    spans = sentences(text)
    made, moved = requoted(text, spans)
    assert made == '"Il pleut", dit-il. Elle a souri. "Bien", dit-elle.'
    assert [made[a:b] for a, b in moved] == [
        '"Il pleut", dit-il.',
        "Elle a souri.",
        '"Bien", dit-elle.',
    ]
    back, again = requoted(made, moved)
    assert [back[a:b].replace("\u00a0", " ") for a, b in again] == [text[a:b] for a, b in spans]
    assert comparable_name("L’Élysée ") == "élysée"


NOBODY = Attribution()
SPOKEN = Voice(0.1, 0.8, 0.1, "Theresa May", 0.2)


@pytest.mark.parametrize(
    ("words", "voice", "expected"),
    [
        (NOBODY, Voice(0.9, 0.05, 0.05), NOBODY),
        (NOBODY, Voice(0.05, 0.9, 0.05, "Paul Tessier", 0.9), (Kind.STATEMENT, "Paul Tessier")),
        # what the sentence names goes before what its passage is not sure of
        (Attribution(Kind.STATEMENT, "Clark", "selon Clark"), SPOKEN, (Kind.STATEMENT, "Clark")),
        (Attribution(Kind.STATEMENT, "Clark", "selon Clark"),
         SPOKEN._replace(sureness=0.9), (Kind.STATEMENT, "Theresa May")),
        # whose a quotation is the passage tells
        (Attribution(Kind.STATEMENT, "Clark", QUOTATION), SPOKEN, (Kind.STATEMENT, "Theresa May")),
        (Attribution(Kind.STATEMENT, "Clark", "selon Clark"),
         SPOKEN._replace(speaker=""), (Kind.STATEMENT, "Clark")),
        (Attribution(Kind.CONDITIONAL, "", "aurait"), Voice(0.5, 0.2, 0.3), (Kind.CONDITIONAL, "")),
    ],
)  # fmt: skip
def test_words_and_passage_are_weighed(
    words: Attribution, voice: Voice, expected: Attribution | tuple[Kind, str]
) -> None:
    text = "Selon Clark, le plan tient."
    [found] = voiced(PassageText(text, ((0, len(text)),)), [words], [voice])
    if isinstance(expected, Attribution):
        assert found == expected
    else:
        assert (found.kind, found.speaker) == expected


def test_without_voices_the_words_decide() -> None:
    assert voiced(PassageText("Oui.", ((0, 4),)), [NOBODY], []) == [NOBODY]
