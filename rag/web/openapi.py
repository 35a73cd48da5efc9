"""The OpenAPI document, in French and in English."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from rag.web.problems import MEDIA_TYPE
from rag.web.sites import HEADER
from rag.wire import EVENTS, HealthOut, Out, ProblemOut

_REF = "#/components/schemas/{model}"


def _ref(model: type[Out]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


_PROBLEM = _ref(ProblemOut)
_CODES = (400, 401, 403, 404, 405, 413, 415, 421, 422, 429, 500, 502, 503)
RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {"description": "Problem (RFC 9457)", "content": {MEDIA_TYPE: {"schema": _PROBLEM}}}
    for code in _CODES
}
_MORE = {
    "listArticles": {
        "fr": "`next` est la valeur de `after` pour la page suivante, vide à la fin ; `total` "
        "compte les articles du corpus. `ids`, séparés par des virgules, demande ceux-là seuls. "
        "`words` demande ceux dont le texte ou le titre a tous ces mots ; `source`, `author`, "
        "`section` (plusieurs fois au besoin), `since` et `until` les filtrent ; `order` est "
        "`relevance`, `newest` ou `oldest`. `found` compte alors ce qui est trouvé, et `excerpts` "
        "cite le texte autour des mots.",
        "en": "`next` is the value of `after` for the next page, empty at the end; `total` counts "
        "the articles of the corpus. `ids`, separated by commas, asks for those alone. `words` "
        "asks for those that have all these words in text or title; `source`, `author`, `section` "
        "(as often as needed), `since` and `until` filter them; `order` is `relevance`, `newest` "
        "or `oldest`. `found` then counts what is found, and `excerpts` quote the text around the "
        "words.",
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
    "getHistory": ("Lire ce qu'un article disait avant", "Read what an article said before"),
    "getCopies": ("Lister les articles de même texte", "List articles of the same text"),
    "putArticle": ("Ajouter ou remplacer un article ; cherchable dès la réponse",
                   "Add or replace an article; searchable when the call returns"),
    "deleteArticle": ("Retirer un article", "Remove an article"),
    "health": ("État : en vie, prêt à répondre", "State: live, ready to answer"),
    "getSite": ("Lire l'apparence d'un site", "Read the look of a site"),
    "sendFeedback": ("Juger une réponse", "Judge an answer"),
    "exportFeedback": ("Exporter les retours", "Export feedback"),
}  # fmt: skip
# Those that a site asks: what keepers do is of no site.
_OF_SITES = frozenset(
    {"ask", "search", "verify", "listArticles", "getArticle", "getHistory", "getCopies", "health",
     "getSite", "sendFeedback"}
)  # fmt: skip
_SITE = {
    "fr": "Clé d'un site : ses articles seuls répondent et se lisent.",
    "en": "Key of a site: its articles alone answer and are read.",
}
_ABOUT = {
    "fr": "Réponses citées et vérification d'affirmations sur un corpus d'articles de presse.",
    "en": "Cited answers and claim checking over a corpus of press articles.",
}


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
            if name in _OF_SITES:
                site = {"name": HEADER, "in": "header", "schema": {"type": "string"}}
                site["description"] = _SITE[language]
                operation["parameters"] = [*operation.get("parameters", []), site]
            good = next(c for c in operation["responses"] if c.startswith("2"))
            operation["responses"][good]["description"] = "OK"
            if name in EVENTS:
                operation["description"] = _STREAMING[name][language]
                streamed = {"itemSchema": {"oneOf": [_event(*e) for e in EVENTS[name].items()]}}
                operation["responses"][good]["content"]["text/event-stream"] = streamed
            if name == "health":
                content = {"application/json": {"schema": _ref(HealthOut)}}
                operation["responses"]["503"] = {"description": "not ready", "content": content}
            if name in {"getArticle", "getHistory"}:  # a token shows more, none is needed
                operation["security"].insert(0, {})
            bodyless = "requestBody" not in operation
            operation["responses"]["422"]["content"] = {MEDIA_TYPE: {"schema": _PROBLEM}}
            if bodyless:
                operation["responses"].pop("415", None)
    schemas = found["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):  # FastAPI's, which are problems here
        schemas.pop(unused, None)
    kinds = {kind for events in EVENTS.values() for kind in events.values()}
    _, described = models_json_schema(
        [(kind, "serialization") for kind in sorted(kinds, key=lambda k: k.__name__)],
        ref_template=_REF,
    )
    schemas.update(described["$defs"])
    return found


def _event(name: str, data: type[Out]) -> dict[str, Any]:
    """Return the schema of a server-sent event, as OpenAPI 3.2 has it."""
    schema = {"type": "string", "contentMediaType": "application/json", "contentSchema": _ref(data)}
    properties = {"event": {"const": name}, "data": schema}
    return {"type": "object", "required": ["event", "data"], "properties": properties}
