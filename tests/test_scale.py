"""Cosines of any embedder on the scale of the default one, measured on real models."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.assistant import LocalAssistant
from rag.models.encoder import Encoder
from rag.models.endpoint import EndpointEmbedder
from rag.models.hub import SentenceTransformersEmbedder
from rag.models.scale import CosineScale, Spread, measure_spreads, reference, to_reference
from rag.settings import load_settings
from tests.servers import EmbeddingService
from tests.test_embedders import MINILM

GRID = [x / 50 for x in range(-50, 51)]
CLOSE = 0.01


@pytest.fixture(scope="module")
def minilm() -> SentenceTransformersEmbedder:
    return SentenceTransformersEmbedder(MINILM)


@pytest.fixture
def service(embedder: Encoder) -> Iterator[tuple[EmbeddingService, EndpointEmbedder]]:
    """A service whose vectors are the default embedder's, under a name of its own."""
    made = EmbeddingService(embedder)
    with made.serving() as url:
        yield made, EndpointEmbedder("autre", url, "")


@pytest.fixture
def noise(tmp_path: Path) -> SentenceTransformersEmbedder:
    """An untrained model, whose vectors say nothing of French."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "le": 1, "de": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)], device="cpu")
    model.save(str(tmp_path / "noise"))
    return SentenceTransformersEmbedder(str(tmp_path / "noise"))


def test_the_cosines_of_the_default_embedder_stay_as_they_are(embedder: Encoder) -> None:
    scale = CosineScale(embedder)
    assert [scale.asked(c) for c in GRID] == GRID
    assert [scale.alike(c) for c in GRID] == GRID
    assert scale.doubts() == []


def test_the_scale_is_where_the_cosines_of_the_default_embedder_lie(
    embedder: Encoder,
) -> None:
    found = measure_spreads(embedder)
    for own, told in ((found.asked, reference().asked), (found.alike, reference().alike)):
        assert own.unrelated == pytest.approx(told.unrelated, abs=0.002)
        assert own.related == pytest.approx(told.related, abs=0.002)
        assert own.noise == pytest.approx(told.noise, abs=0.002)
        assert own.separation == pytest.approx(told.separation, abs=0.01)


def test_the_same_model_behind_a_service_is_left_as_it_is_but_for_rounding(
    service: tuple[EmbeddingService, EndpointEmbedder],
) -> None:
    scale = CosineScale(service[1])
    for c in (0.7, 0.775, 0.8, 0.85, 0.95):
        assert scale.alike(c) == pytest.approx(c, abs=CLOSE)
    # Such a service knows no prompt: to it a question is one more passage.
    assert scale.asked(0.8) != pytest.approx(0.8, abs=CLOSE)


def test_another_model_is_brought_onto_the_scale(minilm: SentenceTransformersEmbedder) -> None:
    scale = CosineScale(minilm)
    own = measure_spreads(minilm)
    assert own.alike.related < 0.8  # what was refused before
    assert scale.alike(own.alike.related) == pytest.approx(reference().alike.related, abs=0.02)
    assert scale.alike(own.alike.unrelated) == pytest.approx(reference().alike.unrelated, abs=0.02)
    assert scale.asked(own.asked.middle) == pytest.approx(reference().asked.middle)
    assert reference().alike.related < scale.alike(1.0) <= 1
    for mapped in ([scale.asked(c) for c in GRID], [scale.alike(c) for c in GRID]):
        assert mapped == sorted(mapped)  # no ranking changes
    assert scale.doubts() == []


def test_the_noisier_a_model_the_nearer_to_the_middle() -> None:
    told = reference().asked
    clear = Spread(0.2, 0.6, 0.01, 1.0)
    assert to_reference(0.6, clear, told) == pytest.approx(told.related)
    assert to_reference(0.2, clear, told) == pytest.approx(told.unrelated)
    noisy = [to_reference(0.6, replace(clear, noise=n), told) for n in (0.1, 0.2, 0.4, 0.8)]
    assert noisy == sorted(noisy, reverse=True)
    assert noisy[-1] > told.middle


def test_a_model_that_tells_nothing_apart_is_said_to_be_uncalibrated(
    noise: SentenceTransformersEmbedder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scale = CosineScale(noise)
    with caplog.at_level(logging.WARNING, "rag.models.scale"):
        assert len({scale.asked(c) for c in GRID}) == 1
    assert "non calibré" in caplog.text
    settings = load_settings(index_dir=tmp_path / "index", embedding=noise.name)
    (problem,) = LocalAssistant(settings).check()  # what « recoupe doctor » says
    assert "non calibré" in problem
    assert "RECOUPE_EMBEDDING" in problem


def test_a_dead_service_is_told_by_the_doctor(tmp_path: Path) -> None:
    settings = load_settings(
        index_dir=tmp_path, embedding="openai:m", embedding_base_url="http://127.0.0.1:9/v1"
    )
    (problem,) = LocalAssistant(settings).check()
    assert "injoignable" in problem


def test_a_service_is_measured_once_and_not_again_at_the_next_start(
    service: tuple[EmbeddingService, EndpointEmbedder], tmp_path: Path
) -> None:
    made, embedder = service
    first = CosineScale(embedder, tmp_path)
    expected = [first.asked(0.8), first.alike(0.8)]
    asked = len(made.inputs)
    assert [first.asked(0.8), first.alike(0.8)] == expected
    assert len(made.inputs) == asked
    made.inputs.clear()
    again = CosineScale(embedder, tmp_path)
    assert [again.asked(0.8), again.alike(0.8)] == expected
    assert [len(texts) for texts in made.inputs] == [1]


@pytest.mark.parametrize("kept", ["", "{", "[]", "null", '{"key": 1}', "\x00"])
def test_what_was_kept_and_cannot_be_read_is_measured_again(
    service: tuple[EmbeddingService, EndpointEmbedder], tmp_path: Path, kept: str
) -> None:
    _, embedder = service
    (tmp_path / "scale.json").write_text(kept)
    assert CosineScale(embedder, tmp_path).alike(0.8) == pytest.approx(0.8, abs=CLOSE)
    assert json.loads((tmp_path / "scale.json").read_text())["key"][0] == "openai:autre"


def test_a_service_that_changed_its_model_is_measured_again(
    service: tuple[EmbeddingService, EndpointEmbedder],
    minilm: SentenceTransformersEmbedder,
    tmp_path: Path,
) -> None:
    made, embedder = service
    CosineScale(embedder, tmp_path).asked(0.8)
    made.embedder = minilm  # of the same dimension: only its vectors tell
    assert CosineScale(embedder, tmp_path).asked(0.8) == pytest.approx(
        CosineScale(minilm).asked(0.8), abs=1e-4
    )


def test_a_folder_that_takes_no_file_only_costs_a_measure(
    service: tuple[EmbeddingService, EndpointEmbedder], tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert CosineScale(service[1], file).alike(0.8) == pytest.approx(0.8, abs=CLOSE)
