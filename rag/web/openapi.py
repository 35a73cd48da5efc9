"""The OpenAPI document, in French and in English."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from rag.web.problems import MEDIA_TYPE

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "une phrase en français : quoi, et que faire"},
        "instance": {"type": "string"},
    },
}
_CODES = (400, 401, 403, 404, 405, 413, 415, 421, 422, 429, 500, 502, 503)
RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {"description": "Problem (RFC 9457)", "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
    for code in _CODES
}
_MORE = {
    "listArticles": {
        "fr": "`next` est la valeur de `after` pour la page suivante, vide à la fin ; `total` "
        "compte les articles du corpus.",
        "en": "`next` is the value of `after` for the next page, empty at the end; `total` counts "
        "the articles of the corpus.",
    },
}
_STREAMING = {
    "ask": {
        "fr": "Avec `Accept: text/event-stream`, les événements `draft` (phrase en cours), "
        "`statement` (phrase vérifiée, avec ses citations), `done` (réponse entière) ou `error`.",
        "en": "With `Accept: text/event-stream`, events `draft` (sentence being written), "
        "`statement` (checked sentence, with its citations), `done` (whole answer) or `error`.",
    },
    "verify": {
        "fr": "Avec `Accept: text/event-stream`, les événements `claim`, `done` ou `error`.",
        "en": "With `Accept: text/event-stream`, events `claim`, `done` or `error`.",
    },
}
_SUMMARIES = {
    "ask": ("Poser une question : réponse citée, ou refus",
            "Ask a question: a cited answer, or a refusal"),
    "search": ("Chercher des passages", "Search passages"),
    "verify": ("Vérifier les affirmations d'un texte", "Check the claims of a text"),
    "listArticles": ("Lister les articles, du plus récent, page par page",
                     "List articles, newest first, page by page"),
    "getArticle": ("Lire un article", "Read an article"),
    "putArticle": ("Ajouter ou remplacer un article ; cherchable dès la réponse",
                   "Add or replace an article; searchable when the call returns"),
    "deleteArticle": ("Retirer un article", "Remove an article"),
    "health": ("État : en vie, prêt à répondre", "State: live, ready to answer"),
    "sendFeedback": ("Juger une réponse", "Judge an answer"),
    "exportFeedback": ("Exporter les retours", "Export feedback"),
}  # fmt: skip
_ABOUT = {
    "fr": "Réponses citées et vérification d'affirmations sur un corpus d'articles de presse.",
    "en": "Cited answers and claim checking over a corpus of press articles.",
}
_OBJECT = {"application/json": {"schema": {"type": "object"}}}


def document(app: FastAPI, language: Literal["fr", "en"]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of `app` in a language."""
    found = get_openapi(
        title="Recoupe", version=app.version, description=_ABOUT[language], routes=app.routes,
        servers=[{"url": "/api/v1"}],
    )  # fmt: skip
    for operations in found["paths"].values():
        for operation in operations.values():
            name = operation["operationId"]
            operation["summary"] = _SUMMARIES[name][language == "en"]
            operation.pop("description", None)
            if name in _MORE:
                operation["description"] = _MORE[name][language]
            good = next(c for c in operation["responses"] if c.startswith("2"))
            operation["responses"][good]["description"] = "OK"
            if good != "204":
                content = dict(_OBJECT)
                if name in _STREAMING:
                    operation["description"] = _STREAMING[name][language]
                    content["text/event-stream"] = {"schema": {"type": "string"}}
                operation["responses"][good]["content"] = content
            if name == "health":
                operation["responses"]["503"] = {"description": "not ready", "content": _OBJECT}
            if name == "getArticle":  # a token shows more, none is needed
                operation["security"].insert(0, {})
            bodyless = "requestBody" not in operation
            operation["responses"]["422"]["content"] = {MEDIA_TYPE: {"schema": _PROBLEM}}
            if bodyless:
                operation["responses"].pop("415", None)
    found.get("components", {}).get("schemas", {}).pop("HTTPValidationError", None)
    found.get("components", {}).get("schemas", {}).pop("ValidationError", None)
    return found
