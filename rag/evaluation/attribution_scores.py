"""Measure who is said to say a sentence: the kind of word it stands on, and the speaker."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import messages
from rag.domain import Attribution, Kind
from rag.errors import ReadError
from rag.french.sentences import sentence_spans
from rag.french.words import lowered
from rag.indexing.understanding import attributions_by

if TYPE_CHECKING:
    from rag.models.embedding import Embedder

_ARTICLES = ("le ", "la ", "les ", "l'", "un ", "une ", "des ")


@dataclass(frozen=True, slots=True)
class SentenceExample:
    """A sentence with what stands around it, and who says it.

    `also` are other kinds that can be defended, `wordings` other names of the speaker;
    `draw` groups sentences.
    """

    before: str
    text: str
    after: str
    kind: Kind
    speaker: str
    also: frozenset[Kind] = frozenset()
    wordings: tuple[str, ...] = ()
    draw: str = ""

    def allows(self, kind: Kind) -> bool:
        """Tell whether a kind is right."""
        return kind is self.kind or kind in self.also

    def names(self, speaker: str) -> bool:
        """Tell whether it is the speaker: without case, typography and leading article."""
        candidate = comparable_name(speaker)
        return any(candidate == comparable_name(name) for name in (self.speaker, *self.wordings))

    def mentions(self, speaker: str) -> bool:
        """Tell whether it is the speaker, more or less of the name being said."""
        tokens = set(comparable_name(speaker).split())
        return self.names(speaker) or any(
            tokens
            and (words := set(comparable_name(name).split()))
            and (tokens <= words or words <= tokens)
            for name in (self.speaker, *self.wordings)
        )


def comparable_name(name: str) -> str:
    """Return a name as it is compared: without case, typography and leading article."""
    low = " ".join(lowered(name).split())
    return next((low.removeprefix(a) for a in _ARTICLES if low.startswith(a)), low)


def read_sentences(path: Path) -> list[SentenceExample]:
    """Read a JSONL file with `text`, `kind` and `speaker` a line.

    Also taken are `before`, `after`, `also_ok`, `also_speakers` and `draw`. Raises ReadError.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        return [
            SentenceExample(
                row.get("before", ""),
                row["text"],
                row.get("after", ""),
                Kind[row["kind"].upper()],
                row["speaker"],
                frozenset(Kind[k.upper()] for k in row.get("also_ok", ())),
                tuple(row.get("also_speakers", ())),
                row.get("draw", ""),
            )
            for row in rows
        ]
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReadError(messages.NOT_ATTRIBUTIONS.format(path, error)) from error


def measure_attribution(
    examples: Sequence[SentenceExample], embedder: Embedder, step: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Return the measures of who is said to say sentences, and each wrong one.

    Each is read with what stands around it, as a passage is at ingestion. Raises EmbeddingError.

    `strict` counts the kind that is given alone, `lenient` those that can be defended too; macro-F1
    is over the kinds that occur. `speaker` is the share of right speakers among the sentences that
    both call a statement: as it is named, or with more or less of the name.
    """
    found = []
    for each in examples:
        start = len(each.before)
        end = start + len(each.text)
        before = sentence_spans(each.before)
        spans = [
            *before,
            (start, end),
            *((end + a, end + b) for a, b in sentence_spans(each.after)),
        ]
        whole = each.before + each.text + each.after
        found.append(attributions_by(embedder, whole, spans)[len(before)])
        step()
    draws = sorted({k.draw for k in examples if k.draw})
    wrong = [
        {
            "text": k.text,
            "expected": [k.kind.name.lower(), k.speaker],
            "found": [f.kind.name.lower(), f.speaker],
        }
        for k, f in zip(examples, found, strict=True)
        if not k.allows(f.kind) or (f.kind is k.kind is Kind.STATEMENT and not k.names(f.speaker))
    ]
    pairs = list(zip(examples, found, strict=True))
    return {
        "sentences": len(examples),
        **_measures(pairs),
        "by_draw": {d: _measures([p for p in pairs if p[0].draw == d]) for d in draws},
        "wrong": wrong,
    }


def _measures(pairs: Sequence[tuple[SentenceExample, Attribution]]) -> dict[str, Any]:
    strict = [(k.kind, f.kind) for k, f in pairs]
    lenient = [(f.kind if k.allows(f.kind) else k.kind, f.kind) for k, f in pairs]
    both = [(k, f) for k, f in pairs if k.kind is f.kind is Kind.STATEMENT]
    confusion: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_NAMES, 0))
    for true, prediction in strict:
        confusion[true.name.lower()][prediction.name.lower()] += 1
    return {
        "strict": _scores(strict),
        "lenient": _scores(lenient),
        "speaker": _share([k.names(f.speaker) for k, f in both]),
        "speaker_in_part": _share([k.mentions(f.speaker) for k, f in both]),
        "statements": len(both),
        "confusion": dict(confusion),
    }


_NAMES = tuple(k.name.lower() for k in Kind)


def _scores(pairs: Sequence[tuple[Kind, Kind]]) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, f1_score

    true, predictions = [a.name for a, _ in pairs], [b.name for _, b in pairs]
    kinds = sorted(set(true))
    return {
        "accuracy": round(float(accuracy_score(true, predictions)), 4),
        "macro_f1": round(
            float(f1_score(true, predictions, labels=kinds, average="macro", zero_division=0)), 4
        ),
    }


def _share(right: Sequence[bool]) -> float | None:
    return round(sum(right) / len(right), 4) if right else None
