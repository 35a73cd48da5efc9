"""What changed between two versions of a text, sentence by sentence."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Literal

from rag.french.sentences import sentence_spans

if TYPE_CHECKING:
    from datetime import date

    from rag.domain import Source, Version

_MOST = 5000  # sentences compared: past it the matcher takes too long


def changed(before: str, after: str) -> list[tuple[Literal["-", "+"], str]]:
    """Return the sentences that went (`-`) and those that came (`+`), in the order of the text."""
    old, new = _sentences(before), _sentences(after)
    found: list[tuple[Literal["-", "+"], str]] = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            found += [("-", said) for said in old[a:b]]
            found += [("+", said) for said in new[c:d]]
    return found


def corrected_on(version: Version, by: Source) -> date:
    """Return the day on which a version was replaced: as what replaced it tells, else as seen."""
    told = by.modified
    return told if told and told != version.source.modified else version.day


def _sentences(text: str) -> list[str]:
    return [" ".join(text[a:b].split()) for a, b in sentence_spans(text)][:_MOST]
