"""Which sentences answer a question, and whether any does.

Sentences of the best passages are described by a few features, what the trained
reader says of them among these; two linear models fitted on questions with known
answers (`bench/calibrate.py`) turn them into a ranking and into the probability
that the corpus answers at all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from rag.checking.compare import sigmoid
from rag.domain import Citation, Hit, Quantity
from rag.french.corrections import retracted_figures, valid_part
from rag.french.dates import format_date
from rag.french.names import capitalised
from rag.french.numbers import numbers
from rag.french.periods import fit
from rag.french.quantities import quantities
from rag.french.words import content_stems, same_root, words
from rag.indexing.passages import dated_text
from rag.models.scale import UNKNOWN_COSINE
from rag.searching.matching import stem_set
from rag.searching.question import Question
from rag.searching.reranking import corrections_first

if TYPE_CHECKING:
    from rag.models.embedding import PassageText
    from rag.models.reader import Read, Reader
    from rag.models.scale import CosineScale

SENTENCE_FEATURES = (
    "window",  # question stems that the title lacks, in this sentence and the one before
    "context",  # question stems in title, date, heading and passage
    "similarity",  # cosine of question and title + sentence
    "fused",
    "when",  # the time asked about is that of the sentence, or of its article
    "reader",  # log-odds that the answer stands in the sentence, by the trained reader
)
ANSWER_FEATURES = (
    "reader",
    "answers",  # log-odds that a passage answers, by the trained reader: the most of any
    "coverage",  # question stems in the sentence
    "window",
    "similarity",
    "lacks",  # a figure, date or person is asked for and the sentence has none that fits
    "missing",  # share of the names and figures asked about that the passage lacks
    "unknown",  # share of the question's stems, by rarity, that the passage lacks
    "gap",  # lead of the best sentence over the best of another article
)
# Passages that the reader reads: the answer is rarely below, and each takes 50 ms
READ_PASSAGES = 3
_MOST_LOG_ODDS = 15.0  # log-odds
_RANK_LOG_ODDS = 0.7  # log-odds that a passage loses to the one before it
_LACKING_FIT = 0.3  # at most, of what a sentence holds of the kind of thing asked for
_SAME_TOPIC_SHARE = 0.5  # share of a sentence's stems that a correction which takes it back has
_TITLE_LOG_ODDS = 2.0  # log-odds by which a title answers better than what stands below it
_BELIEVED_LOG_ODDS = -3.0  # log-odds from which three in four words told apart are of the answer
_MOST_OF_SENTENCE = 0.7  # share of a sentence above which what answers is the sentence
_SAME_TIME_FIT = 0.8  # fit of an article published at the time asked about
_UNKNOWN_FEATURE = 0.5  # what a feature says where nothing can be told


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence of a passage with its features and score (log-odds, no unit).

    With `in_title` it is the title of the passage's article, and the offsets are those in it.
    `words` is the span, in the same offsets, of what answers in the sentence, where that is less
    than most of it.
    """

    hit: Hit
    rank: int
    start: int
    end: int
    text: str
    features: dict[str, float]
    score: float
    in_title: bool = False
    words: tuple[int, int] | None = None

    def citation(self) -> Citation:
        """Return the exact span of this sentence in its article."""
        passage = self.hit.passage
        if self.in_title:
            return Citation.of_title(passage.article_id, self.hit.source)
        return Citation.of(passage, self.hit.source, self.start, self.end)


@dataclass(frozen=True, slots=True)
class _Correction:
    """The figures that the passage of a correction takes back, and what it is about."""

    hit: Hit
    figures: frozenset[str]
    stems: frozenset[str]

    def takes_back(self, evidence: Evidence) -> bool:
        """Tell whether a sentence says what was corrected, of the same matter and not since."""
        if not _may_be_corrected(evidence, self.hit):
            return False
        stems = {s for s in stem_set(evidence.text) if s.isalpha()}
        shared = sum(any(same_root(s, t) for t in self.stems) for s in stems)
        return shared >= _SAME_TOPIC_SHARE * len(stems) and not self.figures.isdisjoint(
            numbers(evidence.text)
        )


def _may_be_corrected(evidence: Evidence, correction: Hit) -> bool:
    """Tell whether a sentence is of no correction, and was not published after one."""
    source = evidence.hit.source
    return not source.correction and (source.published or date.min) <= (
        correction.source.published or date.max
    )


def _corrected(hits: Sequence[Hit]) -> Iterator[_Correction]:
    for hit in hits:
        if hit.source.correction:
            passage = hit.passage
            sentences = (
                passage.text[s.start - passage.start : s.end - passage.start] for s in hit.sentences
            )
            if figures := retracted_figures(passage.text, sentences):
                stems = around(hit).union(*(s.stems for s in hit.sentences))
                yield _Correction(hit, figures, stems)


def find_evidence(
    question: Question, hits: Sequence[Hit], scale: CosineScale, reader: Reader
) -> tuple[list[Evidence], float]:
    """Return the sentences of the first hits, best first, and the probability that one answers.

    `scale` is that of the embedder's cosines. The probability is in [0, 1]; 0
    without a sentence. Raises EmbeddingError.
    """
    first = hits[:READ_PASSAGES]
    shown = [_reader_input(hit) for hit in first]
    read = _read(question, first, shown, reader)
    model = models()["sentence"]
    corrected = list(_corrected(hits))
    ranked = [
        rescored(evidence, model)
        for rank, (hit, text, output) in enumerate(zip(first, shown, read, strict=True))
        for evidence in _sentences(question, hit, rank, scale, output, _shift(hit, text))
        if not any(c.takes_back(evidence) for c in corrected)
    ]
    if not ranked:
        return [], 0.0
    ranked.sort(key=lambda e: -e.score)
    if title := _title(question, list(zip(first, read, strict=True)), ranked, scale):
        ranked.insert(0, title)
    if not any(c.isalpha() for stem in question.stems for c in stem):
        return ranked, 0.0  # nothing is asked about
    return _correction_first(question, ranked), probability(answer_features(question, ranked))


def _correction_first(question: Question, ranked: list[Evidence]) -> list[Evidence]:
    """Return evidence with, first, the sentence of a correction whose figure replaces the best's.

    A correction names the figure of its own paper alone; that of another paper, which the reader
    may find clearer, is as old. It stays beside.
    """
    best = ranked[0]
    for e in ranked[1:]:
        if e.hit.source.correction and _replaces_figure(question, e, best):
            others = [other for other in ranked if other is not e]
            return [replace(e, score=max(e.score, best.score)), *others]
    return ranked


def _replaces_figure(question: Question, correction: Evidence, older: Evidence) -> bool:
    """Tell whether a correction gives another figure than a sentence of what is asked of both."""
    if not _may_be_corrected(older, correction.hit):
        return False
    if correction.features["when"] < older.features["when"]:
        return False  # of another year, say
    theirs = _figures(older)
    for mine in quantities(valid_part(correction.text)):
        same = [q for q in theirs if q.unit == mine.unit]
        if mine.unit and same and not any(q.agrees(mine) for q in same):
            covered = question.terms.idf_coverage(_told_of(correction.hit, mine.unit))
            asked = question.terms.idf_coverage(around(older.hit) | stem_set(older.text))
            return covered >= asked
    return False


def _told_of(hit: Hit, unit: str) -> frozenset[str]:
    """Return the stems of what a correction tells of a kind of figure, under its title."""
    stems = (s.stems for s in hit.sentences if any(q.unit == unit for q in s.quantities))
    return around(hit).union(*stems)


def _figures(evidence: Evidence) -> list[Quantity]:
    """Return the quantities of a sentence: those in the words that answer, where these have any."""
    found = quantities(evidence.text)
    if evidence.words is None:
        return list(found)
    first, last = (at - evidence.start for at in evidence.words)
    return [q for q in found if first <= q.start < last] or list(found)


def _reader_input(hit: Hit) -> PassageText:
    """Return what is read of a hit; the title is a sentence too where it stands before the text."""
    text = dated_text(hit.passage, hit.source, [(s.start, s.end) for s in hit.sentences])
    title = hit.source.title
    if title and text.text.startswith((f"{title}, ", f"{title}\n")):
        return replace(text, sentences=(*text.sentences, (0, len(title))))
    return text


def _read(
    question: Question, hits: Sequence[Hit], shown: Sequence[PassageText], reader: Reader
) -> list[Read]:
    """Return what the reader says of hits, what is `shown` of each beside it.

    An article of the time asked about seldom names it: it is asked the question without it too,
    and of each sentence the higher odds count.
    """
    then = [
        at
        for at, hit in enumerate(hits)
        if question.time.untimed != question.text
        and fit(question.time, (), hit.source.published) >= _SAME_TIME_FIT
    ]
    asked = [question.text] * len(hits) + [question.time.untimed] * len(then)
    read = reader.read_each(asked, [*shown, *(shown[at] for at in then)])
    found = read[: len(hits)]
    for at, untimed in zip(then, read[len(hits) :], strict=True):
        found[at] = found[at].or_likelier(untimed)
    return found


def _shift(hit: Hit, shown: PassageText) -> int:
    """Return how much further a place stands in what is read of a hit than in its article."""
    return len(shown.text) - len(hit.passage.text) - hit.passage.start


def _title(
    question: Question,
    read: Sequence[tuple[Hit, Read]],
    ranked: Sequence[Evidence],
    scale: CosineScale,
) -> Evidence | None:
    """Return the title that answers better than any sentence, if one does, as the best evidence."""
    own = [(r.sentences[-1], hit) for hit, r in read if len(r.sentences) > len(hit.sentences)]
    odds, hit = max(own, key=lambda o: o[0], default=(-_MOST_LOG_ODDS, None))
    sentences = max(e.features["reader"] for e in ranked)
    if hit is None or odds < max(_BELIEVED_LOG_ODDS, sentences + _TITLE_LOG_ODDS):
        return None
    best = next((e for e in ranked if e.hit is hit), ranked[0])
    title = hit.source.title
    if not question.names <= set(words(title)):
        return None  # « … au Canada » is not answered by « … aux États-Unis »
    features = best.features | {
        "coverage": question.terms.idf_coverage(stem_set(title)),
        "window": _UNKNOWN_FEATURE,
        "similarity": _spread(_scaled(scale, hit.similarity)),
        "when": fit(question.time, (), hit.source.published),
        "reader": _bounded(odds),
    }
    scored = rescored(
        Evidence(hit, best.rank, 0, len(title), title, features, 0.0, in_title=True),
        models()["sentence"],
    )
    return replace(scored, score=max(scored.score, ranked[0].score))


def rerank_by_reader(hits: Sequence[Hit], evidence: Sequence[Evidence]) -> list[Hit]:
    """Return hits in a better order: by what the reader says, and their rank, of those read.

    A correction stays before what it corrects.
    """
    odds = {e.rank: e.features["answers"] for e in evidence}
    first = sorted(
        range(len(hits[:READ_PASSAGES])),
        key=lambda at: _RANK_LOG_ODDS * at - odds.get(at, -_MOST_LOG_ODDS),
    )
    return [*corrections_first([hits[at] for at in first]), *hits[READ_PASSAGES:]]


def probability(features: dict[str, float]) -> float:
    """Return the calibrated probability, in [0, 1], that the best sentence answers."""
    return sigmoid(weighed(models()["answer"], features))


def answer_features(question: Question, ranked: Sequence[Evidence]) -> dict[str, float]:
    """Return the features of `ANSWER_FEATURES` for ranked evidence."""
    best = ranked[0]
    stems = around(best.hit).union(*(s.stems for s in best.hit.sentences))
    context = _context(best.hit)
    in_context = set(words(context)) | numbers(context)
    asked_names = question.names | question.numbers
    weights = question.terms.weights
    overlap = question.terms.term_overlap(stems)
    missing = math.fsum(w for term, w in weights.items() if term not in overlap)
    others = [
        e.score for e in ranked[1:] if e.hit.passage.article_id != best.hit.passage.article_id
    ]
    return {
        **{k: best.features[k] for k in ANSWER_FEATURES if k in best.features},
        "answers": max(e.features["answers"] for e in ranked),
        "lacks": float(
            question.kind != "other" and question.answered_in(best.text) <= _LACKING_FIT
        ),
        "missing": len(asked_names - in_context) / max(1, len(asked_names)),
        "unknown": missing / (math.fsum(weights.values()) or 1.0),
        "gap": best.score - others[0] if others else 2.0,
    }


def _bounded(odds: float) -> float:
    return max(-_MOST_LOG_ODDS, min(_MOST_LOG_ODDS, odds))


def _sentences(
    question: Question, hit: Hit, rank: int, scale: CosineScale, read: Read, shift: int
) -> Iterator[Evidence]:
    """Yield the sentences of a hit, described; for `shift` see `_answering`."""
    passage, terms = hit.passage, question.terms
    context = around(hit).union(*(s.stems for s in hit.sentences))
    title = stem_set(hit.source.title)
    # What the title already says, every sentence of the article is about.
    left = {s for s in terms.weights if not any(same_root(s, t) for t in title)}
    shared = {
        "context": terms.idf_coverage(context),
        "fused": hit.score,
        "answers": _bounded(read.answers),
    }
    before: frozenset[str] = frozenset()
    for at, s in enumerate(hit.sentences):
        text = passage.text[s.start - passage.start : s.end - passage.start]
        if text == passage.heading or (hit.source.correction and not valid_part(text)):
            continue
        cosine = hit.cosines[at] if hit.cosines else hit.similarity
        features = {
            "coverage": terms.idf_coverage(s.stems),
            "window": terms.idf_coverage(s.stems | before, left) if left else _UNKNOWN_FEATURE,
            "similarity": _spread(_scaled(scale, cosine)),
            "when": fit(question.time, s.periods, hit.source.published),
            "reader": _bounded(read.sentences[at]),
            **shared,
        }
        before = s.stems
        span = _answering(s.start, s.end, read, at, shift)
        if span and _repeats(question, text[span[0] - s.start : span[1] - s.start]):
            span = None
        yield Evidence(hit, rank, s.start, s.end, text, features, 0.0, words=span)


def _answering(start: int, end: int, read: Read, at: int, shift: int) -> tuple[int, int] | None:
    """Return the span that answers in the sentence `[start, end)`, in offsets of the article.

    `shift` is what those have less than offsets of the text that was read. None where the reader
    does not believe in the sentence, or where most of it answers: that tells nothing.
    """
    span = read.spans[at] if read.sentences[at] > _BELIEVED_LOG_ODDS else None
    if span is None or span[1] - span[0] > _MOST_OF_SENTENCE * (end - start):
        return None
    a, b = max(start, span[0] - shift), min(end, span[1] - shift)
    return (a, b) if a < b else None


def _repeats(question: Question, answering: str) -> bool:
    """Tell whether words say nothing that the question does not: they cannot answer it.

    « Qui a tué Lambert ? » is answered by neither « Lambert » nor « Pierre Lambert ». A question
    that offers a choice (« le maire ou le préfet ? ») is answered by a part of itself.
    """
    if "ou" in words(question.text):
        return False
    own = set(words(answering))
    if question.kind == "person" and own & question.names and own <= capitalised(answering):
        return True
    stems = content_stems(answering)
    return bool(stems) and all(any(same_root(s, t) for t in question.stems) for s in stems)


def _scaled(scale: CosineScale, cosine: float | None) -> float:
    return UNKNOWN_COSINE if cosine is None else scale.asked(cosine)


def around(hit: Hit) -> frozenset[str]:
    """Return the stems of what stands around a passage: title, date, heading."""
    day = format_date(hit.source.published)
    return stem_set("\n".join((hit.source.title, day, hit.passage.heading)))


def _context(hit: Hit) -> str:
    day = format_date(hit.source.published)
    return "\n".join((hit.source.title, day, hit.passage.heading, hit.passage.text))


def rescored(evidence: Evidence, model: dict[str, float]) -> Evidence:
    """Return the same evidence with the score that a model gives it."""
    return replace(evidence, score=weighed(model, evidence.features))


def _spread(cosine: float) -> float:
    """Spread around 0 the narrow range of cosines on the scale, about 0.75 to 0.95."""
    return cosine * 10 - 8.5


def weighed(model: dict[str, float], features: dict[str, float]) -> float:
    """Return the sum of features, each times its weight in a linear model."""
    return model["intercept"] + sum(w * features[k] for k, w in model.items() if k in features)


@lru_cache(maxsize=1)
def _calibration() -> dict[str, Any]:
    text = (files("rag.answering") / "calibration.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def models() -> dict[str, dict[str, float]]:
    """Return the fitted linear models by name, see `bench/calibrate.py`."""
    fitted: dict[str, dict[str, float]] = _calibration()["models"]
    return fitted


def cautions() -> list[dict[str, float]]:
    """Return what each `caution` gave on questions left out of the fit, see `bench/calibrate.py`.

    Shares, the mean over three sets: `false answers` of unanswerable questions, `false refusals` of
    answerable ones, `all right` of all.
    """
    curve: list[dict[str, float]] = _calibration()["measured"]["caution"]
    return curve
