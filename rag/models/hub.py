"""Any sentence-transformers model, from a hub or a folder."""

from __future__ import annotations

import threading
from typing import Any

from rag import messages
from rag.errors import EmbeddingError, MissingExtraError
from rag.models.embedding import CheckedEmbedder, brief


def sentence_transformers() -> Any:
    """Return the library, imported now: 3 s. Raises MissingExtraError where it is not there."""
    try:
        import sentence_transformers as library
    except ImportError as error:
        raise MissingExtraError(messages.NO_EXTRA.format("hub")) from error
    return library


class SentenceTransformersEmbedder(CheckedEmbedder):
    """Any sentence-transformers model, by hub name or folder, with its own prompts."""

    def __init__(self, model: str) -> None:
        self.name = f"sentence-transformers:{model}"
        self._id = model
        self._lock = threading.Lock()
        self._loaded: Any = None

    def _raw(self, texts: list[str], *, question: bool) -> Any:
        with self._lock:
            model = self._model()
            encode = model.encode_query if question else model.encode_document
            try:
                return encode(texts, show_progress_bar=False)
            except Exception as error:  # torch's, the tokenizer's, the model's own
                raise EmbeddingError(
                    messages.HUB_MODEL_FAILED.format(self._id, brief(error))
                ) from error

    def _model(self) -> Any:
        if self._loaded is None:
            library = sentence_transformers()
            try:
                self._loaded = library.SentenceTransformer(self._id)
            except Exception as error:  # the hub, the file and the format have each their own
                raise EmbeddingError(
                    messages.HUB_MODEL_NOT_LOADED.format(self._id, brief(error))
                ) from error
        return self._loaded
