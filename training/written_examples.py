"""Pairs made of the press written for training: a claim and sentences of its passage.

Each claim is shown with the sentences that decide, alone, with their neighbours, or with its whole
passage, under the title or not; and, as what decides nothing, with sentences that leave those out,
or with those of another event that have most of its words, as a search finds them.
Claims whose words alone tell their label are drawn less often, so that the label has to be read
off both (Gururangan et al. 2018 on such artefacts).
"""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.domain import Article, Source
from rag.french.words import content_stems
from rag.texts import label
from training.comparing_examples import (
    AGAINST,
    FOLLOWS,
    LONGEST,
    NEITHER,
    NOT_FOLLOWING,
    Allowed,
    Pair,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

MORE = Path(__file__).parent / "passages.jsonl.gz"  # passages written since, in the same way
INFERENCES = Path(__file__).parent / "inferences.jsonl.gz"  # short pairs, written likewise
ITEM_LABELS = {"supported": "follows", "contradicted": "contradicted", "neither": "neither"}
NEIGHBOURED = 0.2  # share of the short premises that stand beside another
HELD_OUT = 10  # passages whose number is a multiple of it only measure
TITLED = 0.45  # share of the pairs that are shown the title
DATED = 0.7  # share of these that are shown the date too
# How often a claim is shown with: what decides, that and its neighbours, the passage, the rest,
# another event.
SHOWN = (
    ("alone", 0.40), ("beside", 0.26), ("passage", 0.02), ("without", 0.12), ("elsewhere", 0.20)
)  # fmt: skip
ALIKE, NEAREST = 8, 3  # passages of other events looked through; sentences drawn from
FRESH = 4.0  # how often what no training has shown yet is drawn, beside the rest
LEAST_DRAWN = 0.2  # of a claim whose words alone tell its label, beside one that they do not
LABELS: dict[str, Allowed] = {
    "supported": FOLLOWS,
    "contradicted": AGAINST,
    "neither": NEITHER,
    "entailment": FOLLOWS,
    "contradiction": AGAINST,
    "neutral": NEITHER,
    "not_entailment": NOT_FOLLOWING,
    "paraphrase": FOLLOWS,
    "not_paraphrase": NOT_FOLLOWING,
}


@dataclass(frozen=True)
class Claim:
    """A claim on a passage: the indices of the sentences that decide, and its label."""

    passage: int
    text: str
    label: str
    kind: str
    decisive: tuple[int, ...]


class WrittenPassages:
    """The passages of files of written press, those that train or those that measure."""

    def __init__(
        self,
        *paths: Path,
        measuring: bool = False,
        share: float = 1.0,
        fresh: Collection[str] = (),
    ) -> None:
        """Read JSON lines; `share` of the training passages, for a learning curve.

        What is asked or claimed of lots that are `fresh` is drawn `FRESH` times as often.
        """
        self.passages = passages(*paths, measuring=measuring, share=share)
        self._fresh = fresh

    def _weight(self, passage: int) -> float:
        """Return how often what is of a passage is drawn, beside the rest."""
        lot = str(self.passages[passage]["id"]).rpartition("-")[0]
        return FRESH if lot in self._fresh else 1.0


class Written(WrittenPassages):
    """The claims on such passages."""

    @cached_property
    def claims(self) -> list[Claim]:
        """All of them, passage by passage."""
        return [
            Claim(
                at, c["claim"], c["label"], c["kind"], tuple(sorted(n - 1 for n in c["sentences"]))
            )
            for at, row in enumerate(self.passages)
            for c in row["claims"]
        ]

    @cached_property
    def _drawn(self) -> list[float]:
        told = told_by_words(self.claims)
        weights = np.array([self._weight(c.passage) for c in self.claims])
        return list(accumulate((np.clip(1.2 - told, LEAST_DRAWN, 1.0) * weights).tolist()))

    def draw(self, draw: random.Random) -> Pair:
        """Return a claim and what it is shown with, drawn at random."""
        while True:
            claim = draw.choices(self.claims, cum_weights=self._drawn)[0]
            how = draw.choices([n for n, _ in SHOWN], [w for _, w in SHOWN])[0]
            if pair := self._pair(draw, claim, how):
                return pair

    def plain(self, *, beside: int = 0) -> list[Pair]:
        """Return each claim with what decides and `beside` neighbours on each side, to measure."""
        return [
            Pair(
                c.text,
                self._text(c.passage, self._around(c, beside, beside)),
                LABELS[c.label],
                c.kind,
            )
            for c in self.claims
        ]

    def _pair(self, draw: random.Random, claim: Claim, how: str) -> Pair | None:
        if how == "elsewhere":
            return self.elsewhere(draw, claim)
        count = len(self.passages[claim.passage]["sentences"])
        allowed, places = LABELS[claim.label], list(claim.decisive)
        if how == "beside":
            places = self._around(claim, draw.randrange(3), draw.randrange(2))
        elif how == "passage":
            places = list(range(count))
        elif how == "without":
            # The neighbours of what decides, without it: they may give half of it, never all.
            others = [i for i in range(count) if i not in claim.decisive]
            if not others:
                return None
            near = min(others, key=lambda i: (abs(i - draw.choice(claim.decisive)), draw.random()))
            places = [i for i in others if near <= i < near + draw.randrange(1, 4)]
            # What is contradicted, or not given, may be so by another sentence too.
            allowed = NEITHER if claim.label != "contradicted" else NOT_FOLLOWING
        text = self._text(claim.passage, places)
        if how != "without" and draw.random() < TITLED:
            text = f"{_label(draw, self.passages[claim.passage])}\n{text}"
        return Pair(claim.text, text[:LONGEST] if how == "passage" else text, allowed, claim.kind)

    def _around(self, claim: Claim, before: int, after: int) -> list[int]:
        count = len(self.passages[claim.passage]["sentences"])
        places = {
            i
            for at in claim.decisive
            for i in range(max(0, at - before), min(count, at + after + 1))
        }
        return sorted(places)

    def elsewhere(self, draw: random.Random, claim: Claim) -> Pair:
        """Return a claim with a sentence of another event, or two, of most words in common."""
        wanted = _words(claim.text)
        found = [
            (passage, at)
            for passage in self._alike[claim.passage]
            for at in range(len(self.passages[passage]["sentences"]))
        ]
        found.sort(key=lambda place: -len(wanted & self._words_of[place[0]][place[1]]))
        passage, at = draw.choice(found[:NEAREST])
        text = self._text(passage, list(range(max(0, at - draw.randrange(2)), at + 1)))
        if draw.random() < TITLED:
            text = f"{_label(draw, self.passages[passage])}\n{text}"
        return Pair(claim.text, text, NEITHER, "elsewhere")

    @cached_property
    def _words_of(self) -> list[list[frozenset[str]]]:
        return [[_words(s["text"]) for s in row["sentences"]] for row in self.passages]

    @cached_property
    def _alike(self) -> NDArray[np.intp]:
        return most_alike(self.passages, ALIKE)

    def _text(self, passage: int, places: list[int]) -> str:
        sentences = self.passages[passage]["sentences"]
        return " ".join(sentences[i]["text"] for i in places)


def passages(*paths: Path, measuring: bool, share: float = 1.0) -> list[dict[str, Any]]:
    """Return the passages of JSON lines that train, a share of them, or those that measure.

    A file may be compressed (`.gz`), as `MORE` is.
    """
    rows = [json.loads(line) for path in paths for line in _lines(path)]
    kept = [r for r in rows if (_number(r) % HELD_OUT == 0) == measuring]
    if share < 1:
        kept = random.Random(0).sample(kept, round(share * len(kept)))  # noqa: S311
    return kept


def most_alike(rows: list[dict[str, Any]], count: int) -> NDArray[np.intp]:
    """Return the other passages of most words in common with each (TF-IDF), (passages, count)."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [f"{row['title']} {text_of(row)}" for row in rows]
    vectors = TfidfVectorizer(sublinear_tf=True, min_df=2).fit_transform(texts)
    alike = (vectors @ vectors.T).toarray()
    np.fill_diagonal(alike, -1.0)
    nearest: NDArray[np.intp] = np.argsort(-alike, axis=1)[:, : min(count, len(rows) - 1)]
    return nearest


def _lines(path: Path) -> list[str]:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8").splitlines()


def as_article(row: dict[str, Any]) -> Article:
    """Return a passage as an article of its own."""
    day = date.fromisoformat(row["date"])
    return Article(row["id"], Source(row["title"], "Le Journal", published=day), text_of(row))


def text_of(row: dict[str, Any]) -> str:
    """Return a passage as an article has it: sentences in paragraphs."""
    return "".join(gap + s["text"] for gap, s in zip(_gaps(row), row["sentences"], strict=True))


def spans_of(row: dict[str, Any]) -> list[tuple[int, int]]:
    """Return the span of each sentence in that text."""
    found, at = [], 0
    for gap, sentence in zip(_gaps(row), row["sentences"], strict=True):
        start = at + len(gap)
        at = start + len(sentence["text"])
        found.append((start, at))
    return found


def _gaps(row: dict[str, Any]) -> list[str]:
    opens = set(row["paragraphs"])
    return ["" if not at else "\n\n" if at in opens else " " for at in range(len(row["sentences"]))]


def told_by_words(claims: list[Claim], folds: int = 5) -> NDArray[np.float64]:
    """Return the probability of each claim's own label by its words alone, fitted across passages.

    Words and pairs of words, logistic regression; a claim is judged by a fit that saw no claim of
    its passage.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True),
        LogisticRegression(C=2.0, max_iter=300, class_weight="balanced"),
    )
    labels = np.array([c.label for c in claims])
    found = cross_val_predict(
        model,
        [c.text for c in claims],
        labels,
        groups=[c.passage for c in claims],
        cv=GroupKFold(folds),
        method="predict_proba",
    )
    order = sorted(set(labels))
    own: NDArray[np.float64] = found[np.arange(len(claims)), [order.index(la) for la in labels]]
    return own


class Inferences:
    """Short texts, each with what follows from it, what it contradicts and what it leaves open.

    Lines of JSON, an item each: `id` (lot and number), `premise`, and lists of hypotheses,
    `follows`, `contradicted` and `neither`. Drawn as the claims of passages are.
    """

    def __init__(self, path: Path = INFERENCES, *, measuring: bool = False) -> None:
        """Read the items that train, or those that measure."""
        self._rows = passages(path, measuring=measuring)
        self.claims = [
            Claim(at, text, label, "inference", ())
            for at, row in enumerate(self._rows)
            for label, key in ITEM_LABELS.items()
            for text in row[key]
        ]

    @cached_property
    def _drawn(self) -> list[float]:
        told = told_by_words(self.claims)
        return list(accumulate(np.clip(1.2 - told, LEAST_DRAWN, 1.0).tolist()))

    def draw(self, draw: random.Random) -> Pair:
        """Return a hypothesis and its premise, at times beside one of another text."""
        claim = draw.choices(self.claims, cum_weights=self._drawn)[0]
        parts = [str(self._rows[claim.passage]["premise"])]
        if draw.random() < NEIGHBOURED:
            other = str(draw.choice(self._rows)["premise"])
            parts.insert(draw.randrange(2), other)
        return Pair(claim.text, " ".join(parts), LABELS[claim.label], claim.kind)

    def plain(self) -> list[Pair]:
        """Return each hypothesis with its premise alone, to measure."""
        return [
            Pair(c.text, str(self._rows[c.passage]["premise"]), LABELS[c.label], c.kind)
            for c in self.claims
        ]


def inferred(path: Path) -> list[Pair]:
    """Return the pairs of `inference_pairs.tsv`: `source language premise hypothesis label`."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [
            Pair(r["hypothesis"], r["premise"][:LONGEST], LABELS[r["label"]], r["source"])
            for r in rows
        ]


def _label(draw: random.Random, row: dict[str, Any]) -> str:
    """Return what stands beside a quote: the title, or that and the date, as the app shows it."""
    if draw.random() < DATED:
        return label(Source(title=row["title"], published=date.fromisoformat(row["date"])))
    return str(row["title"])


def _words(text: str) -> frozenset[str]:
    return frozenset(content_stems(text))


def _number(row: dict[str, Any]) -> int:
    return int(row["id"].rpartition("-")[2])
