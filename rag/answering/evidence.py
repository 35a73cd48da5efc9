"""Which sentences answer a question, and whether any does.

Sentences of the best passages are described by a few features; two logistic
models fitted on questions with known answers (`bench/calibrate.py`) turn them
into a ranking and into the probability that the corpus answers at all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from rag.domain import Citation, Hit
from rag.french.corrections import standing
from rag.french.dates import format_date
from rag.french.names import names
from rag.french.numbers import numbers
from rag.french.periods import Asked, asked, fit
from rag.french.words import words
from rag.indexing.index import titled
from rag.indexing.passages import parts
from rag.models.scale import UNKNOWN
from rag.searching.matching import coverage, held, rarity, sentences, stem_set
from rag.searching.question import Question, parse, same_root

if TYPE_CHECKING:
    from rag.indexing.index import Index

SENTENCE_FEATURES = (
    "window",  # question stems that the title lacks, in this sentence and the one before
    "beyond_lead",  # question stems that title and lead lack, in this sentence
    "context",  # question stems in title, date, heading and passage
    "expected",  # holds the kind of thing asked for
    "similarity",  # cosine of question and title + sentence
    "passage_similarity",
    "fused",
    "when",  # the time asked about is that of the sentence, or of its article
)
ANSWER_FEATURES = (
    "coverage",
    "window",
    "beyond_lead",
    "context",
    "expected",
    "similarity",
    "when",
    "lacks",  # a figure, date or person is asked for and the sentence has none that fits
    "focus",  # the noun after « quel » is in the passage
    "missing",  # share of the names and figures asked about that the passage lacks
    "unknown",  # share of the question's stems, by rarity, that the passage lacks
    "gap",  # lead of the best sentence over the best of another article
)
_EMBEDDED = 10  # sentences described where cosines are not stored: 20 to 40 ms each


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a passage with its features and score (log-odds, no unit)."""

    hit: Hit
    rank: int
    start: int
    end: int
    text: str
    features: dict[str, float]
    score: float

    def citation(self) -> Citation:
        """Return the exact span of this sentence in its article."""
        passage = self.hit.passage
        return Citation(passage.article_id, self.hit.source, self.start, self.end, self.text)


def find_evidence(
    index: Index, question_text: str, hits: Sequence[Hit]
) -> tuple[list[Evidence], float]:
    """Return the sentences of `hits`, best first, and the probability that one answers.

    The probability is in [0, 1]; 0 without a sentence. Raises EmbeddingError.
    """
    question = parse(question_text)
    weights = rarity(index.lexical, question.stems)
    time = asked(question_text)
    drafts = [
        evidence
        for rank, hit in enumerate(hits)
        for evidence in _sentences(question, weights, time, hit, rank, _scaled(index, hit))
    ]
    if not drafts:
        return [], 0.0
    drafts.sort(key=lambda e: -e.score)
    head = _with_similarity(index, question, drafts)
    model = _models()["sentence"]
    ranked = [rescored(e, model) for e in sorted(head, key=lambda e: (e.rank, e.start))]
    ranked.sort(key=lambda e: -e.score)
    features = answer_features(question, weights, ranked)
    return ranked, probability(features)


def probability(features: dict[str, float]) -> float:
    """Return the calibrated probability, in [0, 1], that the best sentence answers."""
    return 1 / (1 + math.exp(-_linear(_models()["answer"], features)))


def answer_features(
    question: Question, weights: dict[str, float], ranked: Sequence[Evidence]
) -> dict[str, float]:
    """Return the features of `ANSWER_FEATURES` for ranked evidence."""
    best = ranked[0]
    context = _context(best.hit)
    known = stem_set(context)
    asked_names = names(question.text) | numbers(question.text)
    in_context = set(words(context)) | numbers(context)
    total = sum(weights.values()) or 1.0
    missing = sum(w for s, w in weights.items() if not held(s, known))
    others = [
        e.score for e in ranked[1:] if e.hit.passage.article_id != best.hit.passage.article_id
    ]
    return {
        **{k: best.features[k] for k in ANSWER_FEATURES if k in best.features},
        "lacks": float(question.kind != "other" and best.features["expected"] <= 0.3),
        "focus": held(question.focus, known) if question.focus else 0.5,
        "missing": len(asked_names - in_context) / max(1, len(asked_names)),
        "unknown": missing / total,
        "gap": best.score - others[0] if others else 2.0,
    }


def _sentences(
    question: Question,
    weights: dict[str, float],
    time: Asked,
    hit: Hit,
    rank: int,
    similarity: float,
) -> list[Evidence]:
    """Return the sentences of a hit, described; `similarity` is its cosine on the scale."""
    passage = hit.passage
    context = stem_set(_context(hit))
    context_coverage = coverage(weights, context)
    title = stem_set(hit.source.title)
    # What the title already says, every sentence of the article is about.
    left = {s: w for s, w in weights.items() if not any(same_root(s, t) for t in title)}
    found = []
    before: frozenset[str] = frozenset()
    lead = stem_set(passage.text.split(". ", 1)[0])
    beyond = {s: w for s, w in left.items() if not any(same_root(s, t) for t in lead)}
    for a, b, stems in sentences(passage.text):
        text = passage.text[a:b]
        if text == passage.heading or (hit.source.correction and not standing(text)):
            continue
        features = {
            "coverage": coverage(weights, stems),
            "beyond_lead": coverage(beyond, stems) if beyond else 0.5,
            "window": coverage(left, stems | before) if left else 0.5,
            "context": context_coverage,
            "expected": question.answered_in(text),
            "similarity": 0.0,
            "passage_similarity": _spread(similarity),
            "fused": hit.score,
            "when": fit(time, text, hit.source.published),
        }
        before = stems
        first = (
            1.5 * features["coverage"] + 2.0 * features["window"]
            + 1.5 * features["expected"] + context_coverage
            + features["when"] + 0.3 * hit.score - 0.1 * rank
        )  # fmt: skip
        found.append(
            Evidence(hit, rank, passage.start + a, passage.start + b, text, features, first)
        )
    return found


def _scaled(index: Index, hit: Hit) -> float:
    return UNKNOWN if hit.similarity is None else index.scale.asked(hit.similarity)


def _context(hit: Hit) -> str:
    day = format_date(hit.source.published)
    return "\n".join((hit.source.title, day, hit.passage.heading, hit.passage.text))


def _with_similarity(
    index: Index, question: Question, evidence: Sequence[Evidence]
) -> list[Evidence]:
    """Add the cosine of the question and each sentence: the stored one, or computed.

    Where some have to be computed, the first `_EMBEDDED` sentences alone are returned.
    """
    cosines = [_stored_cosine(e) for e in evidence]
    if None in cosines:
        evidence, cosines = evidence[:_EMBEDDED], cosines[:_EMBEDDED]
    missing = [e for e, cosine in zip(evidence, cosines, strict=True) if cosine is None]
    vector = index.question_vector(question.text)
    texts = [titled(e.text, e.text, e.hit.source) for e in missing]
    computed = iter(index.embedder.embed_passages(texts) if texts else ())
    known = [float(vector @ next(computed)) if c is None else c for c in cosines]
    return [
        replace(e, features=e.features | {"similarity": _spread(index.scale.asked(cosine))})
        for e, cosine in zip(evidence, known, strict=True)
    ]


def _stored_cosine(evidence: Evidence) -> float | None:
    """Return the cosine of the part of the passage that holds a sentence; None: not stored."""
    hit = evidence.hit
    at = evidence.start - hit.passage.start
    spans = parts(hit.passage.text)
    if not spans:  # one sentence: the passage's own vector is its
        return hit.similarity
    return next((c for (a, b), c in zip(spans, hit.parts, strict=False) if a <= at < b), None)


def rescored(evidence: Evidence, model: dict[str, float]) -> Evidence:
    """Return the same evidence with the score that a model gives it."""
    return replace(evidence, score=_linear(model, evidence.features))


def _spread(cosine: float) -> float:
    """Spread around 0 the narrow range of cosines on the scale, about 0.75 to 0.95."""
    return cosine * 10 - 8.5


def _linear(model: dict[str, float], features: dict[str, float]) -> float:
    return model["intercept"] + sum(w * features[k] for k, w in model.items() if k in features)


@lru_cache(maxsize=1)
def _models() -> dict[str, dict[str, float]]:
    text = (files("rag.answering") / "calibration.json").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, float]] = json.loads(text)["models"]
    return loaded
