"""What each sentence of a text says, understood once, in its text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rag.domain import Sentence
from rag.french.names import names
from rag.french.numbers import numbers
from rag.french.periods import periods
from rag.french.quantities import quantities
from rag.french.sentences import Span
from rag.french.speech import attributions
from rag.french.words import content_stems


def understand(
    text: str,
    spans: Sequence[Span],
    title: str = "",
    written: date | None = None,
    headings: Sequence[Span] = (),
) -> list[Sentence]:
    """Return the sentences of an article's `text` that `spans` cut, in order, understood.

    Offsets are those of `text`. `title` tells who « il » is when nothing stands
    before, `written` what « mercredi » means. A sentence inside one of
    `headings` is a heading. No vectors are made.
    """
    sentence_attributions = attributions(text, spans, title)
    found = []
    for (start, end), attribution in zip(spans, sentence_attributions, strict=True):
        piece = text[start:end]
        found.append(
            Sentence(
                start,
                end,
                stems=frozenset(content_stems(piece)),
                names=frozenset(names(piece)),
                numbers=frozenset(numbers(piece)),
                quantities=quantities(piece),
                periods=tuple(periods(piece, written)),
                attribution=attribution,
                heading=any(a <= start and end <= b for a, b in headings),
            )
        )
    return found
