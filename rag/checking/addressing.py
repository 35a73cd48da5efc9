"""Whether a sentence of an article speaks to a machine that reads it: no evidence of anything.

A linear model over the default encoder's vector of the sentence, fitted by `training/addressing.py`
on attacks and on ordinary press that looks like them; `addressing.json`. Another, over the vector
that the index keeps of a sentence, tells which of them it need not embed for that: 98 or 99 of 100.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rag.checking.probe import Fitted, Probe
from rag.french.words import fold
from rag.models.packing import unpack

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


class Addressing:
    """Tells sentences that speak to a machine."""

    def __init__(self, encoder: Encoder) -> None:
        """Take the default encoder."""
        self._probe = Probe(encoder, "addressing")
        self._sieve = Fitted("addressing_sieve")

    def to_machine(self, sentence: str, vector: bytes = b"") -> bool:
        """Tell whether a sentence speaks to a machine. Raises EmbeddingError.

        `vector` is what an index of the default encoder keeps of it, see `rag.models.packing`.
        """
        if _PLAIN.search(fold(sentence)):
            return True
        if vector and not self._sieve.predict(unpack([vector])[0]):
            return False
        return self._probe.tells(sentence)

    def honest(self, sentences: Sequence[str]) -> list[str]:
        """Return the sentences that speak to readers. Raises EmbeddingError."""
        return [s for s in sentences if not self.to_machine(s)]
