"""What changed between two versions of a text, sentence by sentence."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Literal

from rag import texts
from rag.french.dates import format_date
from rag.french.sentences import sentence_spans
from rag.french.words import content_stems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from rag.domain import Source, StoredArticle, Version

_SAME_STORY_SHARE = 0.4  # see `same_story`
_MOST_SENTENCES = 5000  # sentences compared: past it the matcher takes too long


Sentences = list[tuple[Literal["-", "+"], str]]


def changes(stored: StoredArticle, history: Sequence[Version]) -> list[tuple[str, Sentences]]:
    """Return what happened to an article, newest first: in words with its day, and in lines.

    A line is a sentence, or a field of the record (« Titre : … »), that went or that came.
    """
    happened = []
    for version, newer, by in _replaced(stored, history):
        record = _record_changed(version.source, by)
        sentences = changed(version.text, newer)
        if record and not sentences:
            what = texts.RECORD_CHANGED_ON
        else:
            what = texts.CORRECTED_ON if same_story(version.text, newer) else texts.REPLACED_ON
        day = format_date(corrected_on(version, by))
        happened.append((what.format(day), record + sentences))
    return happened


def last_corrected(stored: StoredArticle, history: Sequence[Version]) -> date | None:
    """Return the day on which the text of an article was last corrected; None if it never was.

    `history` is its past, newest first. Another text in its place is no correction.
    """
    for version, newer, by in _replaced(stored, history):
        if version.text != newer and changed(version.text, newer):
            return corrected_on(version, by) if same_story(version.text, newer) else None
    return None


def _replaced(
    stored: StoredArticle, history: Sequence[Version]
) -> Iterator[tuple[Version, str, Source]]:
    """Yield each past version, the newest first, with the text and the source that replaced it."""
    newer, by = stored.text, stored.record.source
    for version in history:
        yield version, newer, by
        newer, by = version.text, version.source


def changed(before: str, after: str) -> Sentences:
    """Return the sentences that went (`-`) and those that came (`+`), in the order of the text."""
    old, new = _sentences(before), _sentences(after)
    found: Sentences = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            found += [("-", sentence) for sentence in old[a:b]]
            found += [("+", sentence) for sentence in new[c:d]]
    return found


def same_story(before: str, after: str) -> bool:
    """Tell whether a text is another version of one story, not another story in its place.

    By the words that the shorter shares with the longer. Of 24,753 pairs of different press
    articles, 999 in 1,000 share less than 0.34; of articles half of which was exchanged, 99 in
    100 share more than 0.48.
    """
    old, new = set(content_stems(before)), set(content_stems(after))
    return len(old & new) >= _SAME_STORY_SHARE * max(1, min(len(old), len(new)))


def corrected_on(version: Version, by: Source) -> date:
    """Return the day on which a version was replaced: as what replaced it tells, else as seen."""
    modified = by.modified
    return modified if modified and modified != version.source.modified else version.day


def _record_changed(before: Source, after: Source) -> Sentences:
    """Return the fields of a record that are not as they were, as lines."""
    found: Sentences = []
    for field, label in texts.FIELDS.items():
        old, new = (_shown(getattr(source, field)) for source in (before, after))
        if old != new:
            found += [("-", f"{label}\u00a0: {old}")] if old else []
            found += [("+", f"{label}\u00a0: {new}")] if new else []
    return found


def _shown(value: str | date | None) -> str:
    return value if isinstance(value, str) else format_date(value) if value else ""


def _sentences(text: str) -> list[str]:
    return [" ".join(text[a:b].split()) for a, b in sentence_spans(text)][:_MOST_SENTENCES]
