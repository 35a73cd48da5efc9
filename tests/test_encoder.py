"""The encoder that ships with Recoupe: its vectors, its turns, what it does not need."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from rag.french.sentences import sentence_spans
from rag.indexing.catalogue import Catalogue
from rag.models.blas import single_threaded
from rag.models.embedding import CheckedEmbedder, PassageText, Voice
from rag.models.encoder import Encoder
from rag.models.network import _Turns, batches
from rag.models.packing import cosines, pack, unpack
from rag.models.speakers import SpeakerHead
from tests.conftest import ROOT

PASSAGE = (
    "Le pont de Lérac est fermé aux voitures depuis lundi. La déviation passe par la rocade. "
    "Une mosaïque romaine a été mise au jour sous la place du marché."
)
TEXT = PassageText(f"Circulation\n{PASSAGE}", tuple(
    (a + 12, b + 12) for a, b in sentence_spans(PASSAGE)
), "Circulation")  # fmt: skip


def test_a_text_has_one_vector_whatever_is_embedded_with_it(embedder: Encoder) -> None:
    texts = [PASSAGE, "Un.", PASSAGE * 3, "Le boulanger fait cuire le pain."]
    together = embedder.embed_passages(texts)
    apart = np.concatenate([embedder.embed_passages([t]) for t in texts])
    assert (together * apart).sum(axis=1) == pytest.approx(1.0, abs=1e-4)


def test_sentences_are_read_from_the_pass_of_their_passage(embedder: Encoder) -> None:
    """As if each had been embedded apart, under its title."""
    (whole,), (sentences,), *_ = embedder.embed_sentences([TEXT])
    apart = CheckedEmbedder.embed_sentences(embedder, [TEXT])[1][0]
    assert (sentences * apart).sum(axis=1).min() > 0.9
    assert embedder.embed_passages([TEXT.text])[0] @ whole == pytest.approx(1.0, abs=1e-4)
    for question, expected in (
        ("Par où passe la déviation ?", 1), ("Qu’a-t-on trouvé sous la place ?", 2),
    ):  # fmt: skip
        asked = embedder.embed_questions([question])[0]
        assert int(np.argmax(sentences @ asked)) == expected


def test_a_passage_of_one_sentence_is_that_sentence(embedder: Encoder) -> None:
    (whole,), (sentences,), *_ = embedder.embed_sentences([PassageText("Le pont.", ((0, 8),))])
    assert np.array_equal(sentences, whole[None])


def test_what_the_network_cannot_take_has_vectors_all_the_same(embedder: Encoder) -> None:
    long = "Le pont est fermé. " * 200
    spans = tuple(sentence_spans(long))
    _, (sentences,), *_ = embedder.embed_sentences([PassageText(long, spans)])
    assert sentences.shape == (200, 384)
    assert np.linalg.norm(sentences, axis=1) == pytest.approx(1.0, abs=1e-4)
    assert embedder.embed_sentences([PassageText("", ())])[1][0].shape == (0, 384)
    assert embedder.embed_sentences([])[0].shape == (0, 384)


def test_batches_are_of_one_length_and_few() -> None:
    lengths = [300, 10, 290, 12, 11, *[20] * 20]
    found = batches(lengths)
    assert sorted(at for batch in found for at in batch) == list(range(len(lengths)))
    assert max(map(len, found)) <= 8
    assert found[0] == [0, 2]


@given(st.lists(st.integers(1, 512), max_size=40))
def test_batches_are_bounded_and_cost_no_more_than_one_text_each(lengths: list[int]) -> None:
    found = batches(lengths)
    assert sorted(at for batch in found for at in batch) == list(range(len(lengths)))
    padded = [max(lengths[at] for at in batch) * len(batch) for batch in found]
    assert all(
        len(b) == 1 or (len(b) <= 8 and p <= 768) for b, p in zip(found, padded, strict=True)
    )
    assert sum(padded) + 32 * len(found) <= sum(lengths) + 32 * len(lengths)


def test_texts_of_two_lengths_are_two_batches_rather_than_padded() -> None:
    assert batches([131, 121, 116, 86, 73, 63]) == [[0, 1, 2], [3, 4, 5]]


def test_a_question_goes_before_the_passages_that_wait() -> None:
    turns, order = _Turns(), []

    def take(name: str, *, first: bool) -> None:
        with turns.taken(first=first):
            order.append(name)

    with turns.taken(first=False):
        waiting = [threading.Thread(target=take, args=(f"p{n}",), kwargs={"first": False})
                   for n in range(3)]  # fmt: skip
        for thread in waiting:
            thread.start()
        time.sleep(0.05)
        asked = threading.Thread(target=take, args=("q",), kwargs={"first": True})
        asked.start()
        time.sleep(0.05)
        assert order == []
    for thread in (*waiting, asked):
        thread.join(10)
    assert order[0] == "q"
    assert sorted(order[1:]) == ["p0", "p1", "p2"]


def test_vectors_in_8_bits_keep_their_cosines(embedder: Encoder) -> None:
    vectors = embedder.embed_passages(PASSAGE.split(". "))
    packed = pack(vectors)
    assert {len(p) for p in packed} == {384}
    assert (unpack(packed) * vectors).sum(axis=1).min() > 0.999
    assert cosines(vectors[0], packed) == pytest.approx((vectors @ vectors[0]).tolist(), abs=0.004)
    assert cosines(vectors[0], []) == []
    assert pack(vectors[:0]) == []


def test_what_is_kept_of_a_passage_is_small(assistant) -> None:  # type: ignore[no-untyped-def]
    """At most 3 KB: three hundred tokens with eight sentences."""
    catalogue: Catalogue = assistant.index.catalogue
    sizes = [
        size for (size,) in catalogue._all("select length(reading) + length(vector) from passages")
    ]
    assert sum(sizes) / len(sizes) < 3072


def test_a_question_is_answered_without_torch(assistant) -> None:  # type: ignore[no-untyped-def]
    code = (
        "import sys\n"
        "from rag.models.encoder import Encoder\n"
        "import rag.assistant, rag.cli.main, rag.indexing.index, rag.searching.retrieval\n"
        "Encoder().embed_questions(['Où ?'])\n"
        "print(sorted({'torch', 'sentence_transformers', 'transformers'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_title_stands_over_each_sentence_that_is_embedded_apart() -> None:
    assert TEXT.alone()[1] == "Circulation\nLa déviation passe par la rocade."
    assert PassageText("Un. Deux.", ((0, 3), (4, 9)), "Autre").alone() == ["Un.", "Deux."]


def _blas_threads() -> set[int]:
    return {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core: one thread in any case")
def test_products_are_made_on_one_thread_and_others_keep_theirs(
    embedder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads that wait for each other spinning made two processes three times as slow."""
    seen: list[set[int]] = []
    read = SpeakerHead.read

    def watched(self: SpeakerHead, *given: Any) -> list[Voice]:
        seen.append(_blas_threads())
        return read(self, *given)

    monkeypatch.setattr(SpeakerHead, "read", watched)
    with threadpool_limits(2, user_api="blas"):
        embedder.embed_sentences([TEXT])
        assert seen == [{1}]
        assert _blas_threads() == {2}


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core: one thread in any case")
def test_who_leaves_last_gives_the_threads_back() -> None:
    with threadpool_limits(2, user_api="blas"):
        first, second = single_threaded(), single_threaded()
        for limit in (first, second):
            limit.__enter__()
        first.__exit__(None, None, None)
        assert _blas_threads() == {1}
        second.__exit__(None, None, None)
        assert _blas_threads() == {2}
