"""Put the passages that retrieval found in a better order.

The built-in reranker is a linear model over features that a person can read;
its weights stand in `reranking.json`, fitted by `bench/rerank.py`. A
sentence-transformers `CrossEncoder` named in the settings replaces it.
"""

from __future__ import annotations

import json
import logging
import math
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol

from rag import messages
from rag.domain import Hit, Period
from rag.errors import EmbeddingError
from rag.french.periods import fit, newest_first, periods
from rag.french.words import words
from rag.models.hub import sentence_transformers
from rag.searching.matching import inverse_frequency, stem_set
from rag.searching.question import Question

if TYPE_CHECKING:
    from rag.settings import Settings

log = logging.getLogger(__name__)

FEATURES = (
    "dense",  # cosine of question and passage, standardised over the candidates
    "lexical",  # BM25, standardised likewise
    "characters",  # the question's character 4-grams found: spellings and compounds
    "expected",  # a sentence holds the kind of thing asked for, times its coverage
    "when",  # the time asked about fits that of the passage or its publication
    "newest",  # place by date, 1 for the newest, when the question asks for the present
)
_GRAM_LENGTH = 4  # characters
_SAME_TOPIC = 0.25  # share of content words in common


class Reranker(Protocol):
    """Scores candidates against a question."""

    name: str

    def scores(self, question: Question, hits: Sequence[Hit]) -> list[float]:
        """Return one score a hit, higher for better; no unit. Raises EmbeddingError."""
        ...


def load_reranker(settings: Settings) -> Reranker | None:
    """Return the reranker that the settings name, None for "none"."""
    kind, _, model = settings.reranker.partition(":")
    if kind == "cross-encoder":
        return CrossEncoderReranker(model)
    return FeatureReranker() if kind == "features" else None


class FeatureReranker:
    """A linear model over `FEATURES`."""

    name = "features"

    def scores(self, question: Question, hits: Sequence[Hit]) -> list[float]:
        """See `Reranker`."""
        weights = _weights()
        return [
            sum(weights[name] * value for name, value in row.items())
            for row in features(question, hits)
        ]


def features(question: Question, hits: Sequence[Hit]) -> list[dict[str, float]]:
    """Return the features of each hit, by name."""
    dense = standardised([hit.similarity or 0.0 for hit in hits])
    by_words = standardised([hit.lexical for hit in hits])
    grams = standardised(_gram_coverage(question.text, [_whole(hit) for hit in hits]))
    newest = list(newest_first([hit.source.published for hit in hits]))
    titles = {title: stem_set(title) for title in {hit.source.title for hit in hits}}
    return [
        {
            "dense": dense[at],
            "lexical": by_words[at],
            "characters": grams[at],
            "expected": _expected(question, hit, titles[hit.source.title]),
            "when": fit(question.time, _times(question, hit), hit.source.published),
            "newest": newest[at] if question.time.latest else 0.0,
        }
        for at, hit in enumerate(hits)
    ]


def _expected(question: Question, hit: Hit, title: frozenset[str]) -> float:
    """Return how well the best sentence holds what is asked for, times how much of it it says."""
    start, best = hit.passage.start, 0.0
    for s in hit.sentences:
        covered = question.terms.idf_coverage(s.stems | title)
        if covered > best:  # what a sentence holds is at most 1
            share = question.answered_in(hit.passage.text[s.start - start : s.end - start])
            best = max(best, share * covered)
    return best


def _times(question: Question, hit: Hit) -> list[Period]:
    """Return the periods that a passage and its title name; none when no time is asked about."""
    if not question.time.periods:
        return []
    named = [p for s in hit.sentences for p in s.periods]
    return [*periods(hit.source.title, hit.source.published), *named]


def standardised(values: Sequence[float]) -> list[float]:
    """Return values minus their mean, over their standard deviation; zeros when they are equal."""
    if not values:
        return []
    mean = sum(values) / len(values)
    spread = (sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5
    return [(v - mean) / spread if spread > 1e-12 else 0.0 for v in values]


def _whole(hit: Hit) -> str:
    return f"{hit.source.title}\n{hit.passage.headed}"


def _gram_coverage(question: str, texts: Sequence[str]) -> list[float]:
    """Return for each text the share of the question's 4-grams, by rarity, that it holds."""
    wanted = _grams(question)
    # No gram spans two words: what is found in the words one after the other is in one of them.
    joined = [f" {' '.join(words(text))} " for text in texts]
    matches = [{gram for gram in wanted if gram in text} for text in joined]
    counts = Counter(gram for grams in matches for gram in grams)
    weights = {gram: inverse_frequency(counts[gram], len(texts)) for gram in wanted}
    total = math.fsum(weights.values()) or 1.0
    return [math.fsum(weights[gram] for gram in grams) / total for grams in matches]


def _grams(text: str) -> frozenset[str]:
    """Return the character 4-grams of a text's folded words, spaces around each."""
    return frozenset(
        padded[i : i + _GRAM_LENGTH]
        for word in words(text)
        for padded in (f" {word} ",)
        for i in range(max(1, len(padded) - _GRAM_LENGTH + 1))
    )


@lru_cache(maxsize=1)
def _weights() -> dict[str, float]:
    text = (files("rag.searching") / "reranking.json").read_text(encoding="utf-8")
    loaded: dict[str, float] = json.loads(text)["weights"]
    return loaded


class CrossEncoderReranker:
    """A sentence-transformers `CrossEncoder`, by hub name or folder."""

    def __init__(self, model: str) -> None:
        self.name = f"cross-encoder:{model}"
        self._id = model
        self._lock = threading.Lock()
        self._loaded: Any = None

    def scores(self, question: Question, hits: Sequence[Hit]) -> list[float]:
        """See `Reranker`."""
        if not hits:
            return []
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            pairs = [(question.text, _whole(hit)) for hit in hits]
            return [float(s) for s in self._loaded.predict(pairs, show_progress_bar=False)]

    def _load(self) -> Any:
        library = sentence_transformers()
        try:
            return library.CrossEncoder(self._id)
        except (OSError, ValueError) as error:
            raise EmbeddingError(messages.RERANKER_NOT_LOADED.format(self._id)) from error


def corrections_first(hits: Sequence[Hit]) -> list[Hit]:
    """Move a passage of a correction before the first older passage that it speaks of.

    It speaks of another when they share a good part of their words.
    """
    ordered = list(hits)
    for hit in hits:
        day = hit.source.published
        if day is None or not hit.source.correction:
            continue
        topic = topic_of(hit)
        at = ordered.index(hit)
        for place, other in enumerate(ordered[:at]):
            older = other.source.published is not None and other.source.published < day
            if older and same_topic(topic, topic_of(other)):
                ordered.insert(place, replace(ordered.pop(at), score=other.score))
                break
    return ordered


def topic_of(hit: Hit) -> frozenset[str]:
    """Return the content stems of a passage and its title."""
    return stem_set(hit.source.title).union(*(s.stems for s in hit.sentences))


def same_topic(one: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether two sets of stems share a good part of their words."""
    return len(one & other) >= _SAME_TOPIC * min(len(one), len(other))
