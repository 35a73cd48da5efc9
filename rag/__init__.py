"""Recoupe: cited answers in French over a corpus of press articles.

The front door of the library: `load_settings` reads the settings, `open_assistant` gives the object
that asks, verifies, searches and ingests; `Article`, `Filters` and `Answer` are what goes in and
comes out. They are imported when they are first named: `import rag` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rag.version import VERSION

if TYPE_CHECKING:
    from rag.assistant import open_assistant
    from rag.domain import Answer, Article, Filters
    from rag.settings import load_settings

__version__ = VERSION
__all__ = ["Answer", "Article", "Filters", "load_settings", "open_assistant"]

_HOMES = {
    "Answer": "rag.domain",
    "Article": "rag.domain",
    "Filters": "rag.domain",
    "load_settings": "rag.settings",
    "open_assistant": "rag.assistant",
}


def __getattr__(name: str) -> Any:
    """Return a name of the front door, its module imported now."""
    if name not in _HOMES:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
