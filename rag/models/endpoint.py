"""Embeddings from a service that speaks OpenAI's protocol, over HTTP.

What a service does wrong (a refusal, a cut, a page instead of JSON, fewer
vectors than texts) is an EmbeddingError that says what to check.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rag import messages
from rag.errors import EmbeddingError
from rag.models.embedding import CheckedEmbedder

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

log = logging.getLogger(__name__)

_MOST_TEXTS = 256  # in one call
_MOST_CHARACTERS = 50_000  # in one call: some ten seconds on a server without a GPU
_TOO_MUCH = {400, 413, 422}  # what services answer to more than they take in one call
_TIMEOUT = 60.0
_RETRIES = 2  # of a call that met an overload, a cut or a time-out


class EndpointEmbedder(CheckedEmbedder):
    """A model behind an OpenAI-compatible `/v1/embeddings` endpoint.

    Texts go in calls of bounded size, smaller ones once the service has
    refused as many. `timeout` bounds each wait for the service, in seconds;
    an empty `base_url` is OpenAI's.
    """

    def __init__(self, model: str, base_url: str, api_key: str, timeout: float = _TIMEOUT) -> None:
        self.name = f"openai:{model}"
        self._id, self._url, self._key, self._timeout = model, base_url, api_key, timeout
        self._lock = threading.Lock()
        self._made: OpenAI | None = None
        self._most = _MOST_TEXTS

    def _raw(self, texts: list[str], *, question: bool) -> list[Any]:  # noqa: ARG002
        # Services refuse an empty input, and the whole call with it.
        left = [text if text.strip() else "." for text in texts]
        rows: list[Any] = []
        while left:
            batch = left[: _fitting(left, self._most)]
            found = self._called(batch)
            if found is None:
                self._most = max(1, len(batch) // 2)
            else:
                rows += found
                left = left[len(batch) :]
        return rows

    def _called(self, texts: Sequence[str]) -> list[Any] | None:
        """Return a row of numbers a text, or None when a call with fewer may pass."""
        import openai

        try:
            answer = self._client().embeddings.with_raw_response.create(
                model=self._id, input=list(texts), encoding_format="float"
            )
            return self._rows(json.loads(answer.content), len(texts))
        except openai.APIStatusError as error:
            if error.status_code in _TOO_MUCH and len(texts) > 1:
                log.info("%s refuse %d textes à la fois (%d)", self.name, len(texts),
                         error.status_code)  # fmt: skip
                return None
            raise self._refused(error, texts) from error
        except openai.APITimeoutError as error:
            raise self._failed(messages.SERVICE_LATE, self._timeout) from error
        except openai.APIConnectionError as error:
            raise self._failed(messages.SERVICE_UNREACHABLE) from error
        except (openai.OpenAIError, ValueError, RecursionError) as error:
            raise self._failed(messages.SERVICE_STRANGE, messages.NO_JSON) from error

    def _rows(self, body: Any, count: int) -> list[Any]:
        """Return the vectors of an answer, in the order of the texts."""
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, list) or not all(
            isinstance(row, dict) and isinstance(row.get("embedding"), list) for row in data
        ):
            raise self._failed(messages.SERVICE_STRANGE, messages.NO_EMBEDDINGS)
        if len(data) != count:
            made = messages.WRONG_NUMBER_OF_VECTORS.format(len(data), count)
            raise self._failed(messages.SERVICE_STRANGE, made)
        if sorted(str(row.get("index")) for row in data) == sorted(map(str, range(count))):
            data = sorted(data, key=lambda row: int(row["index"]))
        return [row["embedding"] for row in data]

    def _client(self) -> OpenAI:
        from openai import OpenAI

        with self._lock:
            if self._made is None:
                self._made = OpenAI(
                    base_url=self._url or None,
                    api_key=self._key or "-",  # local servers want none, the client one
                    timeout=self._timeout,
                    max_retries=_RETRIES,
                )
            return self._made

    def _refused(self, error: APIStatusError, texts: Sequence[str]) -> EmbeddingError:
        status = error.status_code
        if status in {401, 403}:
            return self._failed(messages.SERVICE_KEY_REFUSED)
        if status == 404:
            return self._failed(messages.SERVICE_WITHOUT_MODEL, self._id)
        if status == 429:
            return self._failed(messages.SERVICE_BUSY)
        if status in _TOO_MUCH:
            return self._failed(messages.SERVICE_REFUSES_TEXT, max(map(len, texts)), status)
        return self._failed(messages.SERVICE_ERROR, status)

    def _failed(self, sentence: str, *values: object) -> EmbeddingError:
        return EmbeddingError(sentence.format(self._url or "OpenAI", *values))


def _fitting(texts: Sequence[str], most: int) -> int:
    """Return how many of the first texts go in one call; at least one."""
    characters = 0
    for count, text in enumerate(texts[:most]):
        characters += len(text)
        if characters > _MOST_CHARACTERS and count:
            return count
    return min(len(texts), most)
