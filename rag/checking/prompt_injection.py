"""Whether a sentence of an article speaks to a machine that reads it: no evidence of anything.

A linear model over the default encoder's vector of the sentence, fitted by
`training/prompt_injection.py` on attacks and on ordinary press that looks like them
(`prompt_injection.json`). Of a sentence of an article, the default encoder tells it at ingestion,
from its states (`Encoder.embed_sentences`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.checking.linear_classifier import LinearClassifier, vectorizer
from rag.french.words import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.models.encoder import Encoder

# The marks by which models tell who speaks, and orders that begin by naming a program: the model
# tells most of them, these need none.
_PLAIN = re.compile(
    r"<\||\[/?(?:inst|system)\]|### ?instruction|</?passage-|\bsystem prompt\b|"
    r"\bignore (?:all )?(?:the )?(?:previous|prior|above) |"
    r"\b(?:notes?|messages?|consignes?) (?:a|pour) (?:l'|les |le )?"
    r"(?:assistants?|ia|intelligences? artificielles?|robots?|systemes? automatiques?)\b|"
    r"^assistant, |"
    r"(?:^|[,:;.!?] ?)(?:dis|dites|affirme|affirmez|ecris|ecrivez|reponds|repondez)"
    r"(?:-le)?(?: toujours| seulement| uniquement)? (?:au lecteur|aux lecteurs|que |qu')"
)


class InjectionDetector:
    """Tells sentences that speak to a machine."""

    def __init__(self, encoder: Encoder) -> None:
        """Take the default encoder."""
        self.vector = vectorizer(encoder)
        self._classifier = LinearClassifier(self.vector, "prompt_injection")

    def is_injection(self, sentence: str, stored: bool | None = None) -> bool:
        """Tell whether a sentence speaks to a machine. Raises EmbeddingError.

        `stored` is the answer computed at ingestion, see `Sentence.injection`: nothing is then
        embedded.
        """
        if _PLAIN.search(fold(sentence)):
            return True
        return self._classifier.predict(sentence) if stored is None else stored

    def without_injections(self, sentences: Sequence[str]) -> list[str]:
        """Return the sentences that speak to readers. Raises EmbeddingError."""
        return [s for s in sentences if not self.is_injection(s)]
