"""Which embedding model the settings name.

`e5-small-fr` ships with Recoupe and works at once; `sentence-transformers:NAME` loads
any hub model or folder; `openai:NAME` speaks to any OpenAI-compatible endpoint. The
embedder's `name` is recorded in the index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag import messages
from rag.errors import SettingsError
from rag.models.embedding import DEFAULT, Embedder

if TYPE_CHECKING:
    from rag.settings import Settings


def load_embedder(settings: Settings) -> Embedder:
    """Return the embedder that the settings name, not loaded yet.

    Raises SettingsError for an unknown kind.
    """
    kind, _, model = settings.embedding.partition(":")
    if kind == DEFAULT and not model:
        from rag.models.encoder import Encoder

        return Encoder()
    if kind == "sentence-transformers" and model:
        from rag.models.hub import SentenceTransformersEmbedder

        return SentenceTransformersEmbedder(model)
    if kind == "openai" and model:
        from rag.models.endpoint import EndpointEmbedder

        return EndpointEmbedder(
            model, settings.embedding_base_url, settings.embedding_api_key.get_secret_value()
        )
    raise SettingsError(messages.UNKNOWN_EMBEDDING.format(settings.embedding, DEFAULT))
