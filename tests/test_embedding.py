from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest

from rag import messages
from rag.errors import EmbeddingError, SettingsError
from rag.models.embedding import Embedder, unit_rows
from rag.models.encoder import Encoder
from rag.models.endpoint import EndpointEmbedder
from rag.models.loading import load_embedder
from rag.settings import load_settings
from tests.servers import EmbeddingService, json_server, running

TEXTS = ["Le pont est fermé.", "La rivière monte.", ""]


def unit_vectors(embedder: Embedder) -> None:
    vectors = embedder.embed_passages(TEXTS)
    assert vectors.shape[0] == len(TEXTS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)


def test_the_encoder_makes_unit_vectors_that_mean_something(embedder: Encoder) -> None:
    unit_vectors(embedder)
    (asked,) = embedder.embed_questions(["Pourquoi ne peut-on plus traverser la rivière ?"])
    near, far = embedder.embed_passages(["Le pont est fermé aux voitures.", "Le pain est au four."])
    assert asked @ near > asked @ far


def test_the_encoder_reads_past_a_nul_character(embedder: Encoder) -> None:
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


def test_a_sentence_transformers_model_is_never_asked_for_nothing(folder_model: str) -> None:
    embedder = load_embedder(load_settings(embedding=f"sentence-transformers:{folder_model}"))
    assert embedder.embed_passages([]).shape == (0, 8)
    assert embedder.embed_questions([]).shape == (0, 8)


def test_a_model_that_fails_says_what_to_check(folder_model: str) -> None:
    """Weights that are no numbers, as a conversion gone wrong leaves them."""
    import torch
    from safetensors.torch import load_file, save_file

    (weights,) = Path(folder_model).rglob("*.safetensors")
    save_file({k: torch.full_like(v, torch.nan) for k, v in load_file(weights).items()}, weights)
    embedder = load_embedder(load_settings(embedding=f"sentence-transformers:{folder_model}"))
    with pytest.raises(EmbeddingError, match="ne sont pas des nombres"):
        embedder.embed_questions(["le pont"])
    weights.write_bytes(b"no weights")
    embedder = load_embedder(load_settings(embedding=f"sentence-transformers:{folder_model}"))
    with pytest.raises(EmbeddingError, match="RECOUPE_EMBEDDING"):
        embedder.embed_questions(["le pont"])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[1.0, 2.0]], "1 vecteur"),
        ([[1.0, 2.0], [1.0]], "tailles différentes"),
        ([[1.0, 2.0], None], "tailles différentes"),
        ([[1.0, float("nan")], [1.0, 2.0]], "pas des nombres"),
        ([[1.0, float("inf")], [1.0, 2.0]], "pas des nombres"),
        ([[], []], "vides"),
    ],
)
def test_rows_that_are_no_vectors_are_refused(rows: object, words: str) -> None:
    with pytest.raises(EmbeddingError, match=words):
        unit_rows(rows, 2, "m")


def test_any_finite_row_is_made_a_unit_vector() -> None:
    made = unit_rows([[0.0, 0.0], [3e300, 4e300], [3e-300, 4e-300]], 3, "m")
    assert made.dtype == np.float32
    assert np.allclose(made, [[0.5**0.5, 0.5**0.5], [0.6, 0.8], [0.6, 0.8]])


def endpoint(url: str, timeout: float = 5.0) -> EndpointEmbedder:
    return EndpointEmbedder("petit-modele", f"{url}/v1", "", timeout)


def embeddings(*vectors: list[float]) -> dict[str, object]:
    """What a service answers."""
    rows = [{"index": i, "embedding": v} for i, v in enumerate(vectors)]
    return {"object": "list", "data": rows, "model": "petit-modele"}


def test_an_openai_compatible_endpoint_over_http() -> None:
    def answer(path: str, body: bytes) -> tuple[int, object]:
        asked = json.loads(body)
        assert path == "/v1/embeddings"
        assert asked["model"] == "petit-modele"
        found = embeddings(*([3.0, 4.0 + i] for i, _ in enumerate(asked["input"])))
        found["data"].reverse()  # type: ignore[attr-defined]  # rows bear their place
        return 200, found

    with json_server(answer) as url:
        embedder = load_embedder(
            load_settings(embedding="openai:petit-modele", embedding_base_url=f"{url}/v1")
        )
        vectors = embedder.embed_passages(["a", "b"])
    assert np.allclose(vectors[0], [0.6, 0.8])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)


def test_an_endpoint_gives_any_text_a_vector_and_nothing_an_empty_array(
    embedder: Encoder,
) -> None:
    service = EmbeddingService(embedder)
    with service.serving() as url:
        made = EndpointEmbedder("petit-modele", url, "")
        assert made.embed_passages([]).shape == (0, 384)
        assert made.embed_questions([]).shape == (0, 384)
        unit_vectors(made)
        assert made.embed_passages(["seul \ud800", "nul \0", " \n"]).shape == (3, 384)
    assert all(service.inputs)


def test_calls_to_an_endpoint_are_bounded_in_texts_and_in_characters(
    embedder: Encoder,
) -> None:
    def answer(_path: str, body: bytes) -> tuple[int, object]:
        inputs.append(json.loads(body)["input"])
        return 200, embeddings(*([1.0, float(len(text))] for text in inputs[-1]))

    inputs: list[list[str]] = []
    texts = ["é" * (1 + n % 7) for n in range(600)]
    with json_server(answer) as url:
        vectors = endpoint(url).embed_passages(texts)
        assert [len(i) for i in inputs] == [256, 256, 88]
        assert np.allclose(vectors[:, 1] / vectors[:, 0], [len(t) for t in texts])
        inputs.clear()
        endpoint(url).embed_passages(["a" * 20_000] * 5 + ["b" * 90_000])
        assert [len(i) for i in inputs] == [2, 2, 1, 1]


def test_an_endpoint_that_takes_few_texts_at_once_gets_few(embedder: Encoder) -> None:
    texts = [f"La phrase numéro {n}." for n in range(24)]
    service = EmbeddingService(embedder, most=5)
    with service.serving() as url:
        made = EndpointEmbedder("petit-modele", url, "")
        assert np.allclose(made.embed_passages(texts), embedder.embed_passages(texts), atol=1e-5)
        refused = [i for i in service.inputs if len(i) > 5]
        assert len(refused) == 3  # 24, 12, 6
        made.embed_passages(texts)  # what was learned is kept
        assert [i for i in service.inputs if len(i) > 5] == refused


@pytest.mark.parametrize(
    ("status", "payload", "words"),
    [
        (401, {"error": {"message": "no"}}, "RECOUPE_EMBEDDING_API_KEY"),
        (404, {"error": {"message": "no"}}, "petit-modele"),
        (400, {"error": {"message": "too long"}}, "RECOUPE_PASSAGE_TOKENS"),
        (429, {"error": {"message": "slow down"}}, "sollicité"),
        (500, {"error": {"message": "no"}}, "500"),
        (200, embeddings([1.0, 2.0], [1.0, 2.0]), "2 vecteur.s. pour 1 texte"),
        (200, embeddings(), "0 vecteur.s. pour 1 texte"),
        (200, embeddings([1.0, float("nan")]), "pas des nombres"),
        (200, embeddings([]), "vides"),
        (200, {"data": [{"embedding": "AACAPw=="}]}, messages.NO_EMBEDDINGS),
        (200, {"data": {"embedding": []}}, messages.NO_EMBEDDINGS),
        (200, ["rien"], messages.NO_EMBEDDINGS),
    ],
)  # fmt: skip
def test_an_endpoint_that_fails_says_what_to_check(
    status: int, payload: object, words: str
) -> None:
    with (
        json_server(lambda _path, _body: (status, payload)) as url,
        pytest.raises(EmbeddingError, match=words) as raised,
    ):
        endpoint(url).embed_questions(["a"])
    assert "\u00a0: " in str(raised.value)


def test_an_endpoint_that_changes_its_model_is_told() -> None:
    vectors = iter([[1.0, 2.0], [1.0, 2.0, 3.0]])
    with json_server(lambda _path, _body: (200, embeddings(next(vectors)))) as url:
        made = endpoint(url)
        made.embed_questions(["a"])
        with pytest.raises(EmbeddingError, match="3 nombres au lieu de 2"):
            made.embed_questions(["a"])


def test_a_page_instead_of_json_says_what_to_check() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><p>Bienvenue")

        def log_message(self, *args: object) -> None:
            pass

    with running(Handler) as url, pytest.raises(EmbeddingError, match="RECOUPE_EMBEDDING_BASE_URL"):
        endpoint(url).embed_questions(["a"])


def test_an_endpoint_that_never_answers_is_given_up() -> None:
    held = threading.Event()

    def answer(_path: str, _body: bytes) -> tuple[int, object]:
        held.wait(20)
        return 200, embeddings([1.0])

    with json_server(answer) as url:
        try:
            with pytest.raises(EmbeddingError, match="n’a pas répondu en 0.2\u00a0secondes"):
                endpoint(url, timeout=0.2).embed_questions(["a"])
        finally:
            held.set()


def test_an_endpoint_that_is_not_there_says_so() -> None:
    with pytest.raises(EmbeddingError, match="injoignable"):
        endpoint("http://127.0.0.1:9").embed_questions(["a"])


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(SettingsError, match="e5-small-fr"):
        load_embedder(load_settings(embedding="word2vec"))
