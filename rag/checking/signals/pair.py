"""A hypothesis and the premise that it is compared with, each understood once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rag.checking.signals.quantities import Figure, match_quantities
from rag.french.sentences import sentence_spans
from rag.french.syntax import parse
from rag.french.words import content_stems

if TYPE_CHECKING:
    from spacy.tokens import Doc


@dataclass(frozen=True)
class Pair:
    """A hypothesis, the sentences of its premise, and the label that stands beside them.

    `speaker` is who says the premise, "" for somebody, None for the newsroom.
    """

    hypothesis: str
    premise: str
    label: str = ""
    speaker: str | None = None

    @property
    def whole(self) -> str:
        """The premise under its label."""
        return f"{self.label}\n{self.premise}" if self.label else self.premise

    @cached_property
    def figures(self) -> Sequence[Figure]:
        """The figures and dates of the hypothesis, matched with those of the premise."""
        return match_quantities(self.hypothesis, self.premise, self.label)

    @cached_property
    def docs(self) -> tuple[Doc, Doc]:
        """The parses of hypothesis and premise."""
        return parse(self.hypothesis), parse(self.premise)

    @cached_property
    def nearest(self) -> tuple[int, int]:
        """The span of the sentence of the premise that shares most with the hypothesis."""
        wanted = set(content_stems(self.hypothesis))
        spans = sentence_spans(self.premise) or [(0, len(self.premise))]
        return max(spans, key=lambda s: len(wanted & set(content_stems(self.premise[slice(*s)]))))

    @property
    def sentence(self) -> str:
        """That sentence."""
        return self.premise[slice(*self.nearest)]
