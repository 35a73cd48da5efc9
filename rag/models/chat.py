"""The chat model that the settings name, by LangChain, and what its errors mean to a person."""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any

from rag import messages
from rag.errors import MissingExtraError, ModelError, SettingsError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from rag.settings import Settings

log = logging.getLogger(__name__)

Messages = list[tuple[str, str]]  # (role, text), as LangChain's models take them


def load_chat_model(settings: Settings) -> BaseChatModel | None:
    """Return the chat model that the settings name, or None when they name none.

    Raises SettingsError for a name that LangChain does not know, MissingExtraError when the
    provider's package is not installed.
    """
    if not settings.llm:
        return None
    from langchain.chat_models import init_chat_model

    options: dict[str, Any] = {"temperature": 0, "timeout": settings.llm_timeout, "max_retries": 1}
    if settings.llm_base_url:
        options["base_url"] = settings.llm_base_url
    if key := settings.llm_api_key.get_secret_value():
        options["api_key"] = key
    elif settings.llm.startswith("openai:") and settings.llm_base_url:
        options["api_key"] = "-"  # local servers want none, the client insists on one
    try:
        model: BaseChatModel = init_chat_model(settings.llm, **options)
    except ImportError as error:
        provider = settings.llm.partition(":")[0]
        raise MissingExtraError(
            messages.NO_PROVIDER_LIBRARY.format(provider, provider.replace("_", "-"))
        ) from error
    except Exception as error:  # each provider checks its settings in its own way
        raise SettingsError(messages.UNUSABLE_MODEL.format(settings.llm, error)) from error
    return model


def model_error(error: Exception, name: str) -> ModelError:
    """Return what a provider's error means to a person."""
    kind = type(error).__name__
    status = getattr(error, "status_code", None) or getattr(
        getattr(error, "response", None), "status_code", None
    )
    log.warning("modèle %s : %s", name, kind, exc_info=error)
    if "Timeout" in kind:
        return ModelError(messages.MODEL_TIMEOUT.format(name))
    if status == 429:
        return ModelError(messages.MODEL_BUSY.format(name))
    if status in {401, 403}:
        return ModelError(messages.MODEL_KEY_REFUSED.format(name))
    if "Connect" in kind or "Connection" in kind:
        return ModelError(messages.MODEL_UNREACHABLE.format(name))
    return ModelError(messages.MODEL_FAILED.format(name, kind))


def data_tag(name: str) -> str:
    """Return a tag with 64 random bits, drawn for one call: no text can forge its closing."""
    return f"{name}-{secrets.token_hex(8)}"
