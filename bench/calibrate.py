"""Fit the linear models of `rag/answering` and write what they reach on questions left out.

    python -m bench.calibrate [--cases FILE] [--reader FOLDER] [--ablate]

Four models: which sentence answers, whether any does, which sentences tell an event, whether an
article is about it. Three sets of `../shared/data`, of the same weight each: press questions,
encyclopedia questions (articles that the reader was not trained on, a quarter of them left out of
the index), and questions of the written passages that the reader was not trained on (a quarter of
them left out too). Measures are those of questions left out of the fit, in five folds that keep an
article's questions together; what decides is their mean. The golden questions of the sample corpus
decide nothing. `--cases` keeps what was found, for a second look; `--ablate` tells what each
feature gives. Needs scikit-learn and scipy, which sentence-transformers brings.
"""

from __future__ import annotations

import argparse
import json
import logging
import pickle
import random
import tempfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from bench.golden import ROOT, SHARED, index_of
from bench.listnet import fit_ranking
from rag.answering import evidence as ev
from rag.answering import overview as ov
from rag.answering.followup import complete
from rag.domain import Article, Reading, Source
from rag.evaluation.data import Gold, Item, read_questions
from rag.indexing.index import Index
from rag.models.reader import Reader
from rag.readers import find_files, read_files
from rag.searching.intent import intent_of
from rag.searching.question import Question
from rag.searching.reranking import FeatureReranker
from rag.searching.retrieval import Retriever
from rag.settings import load_settings
from training.mining import entries
from training.written_examples import as_article, passages
from training.written_questions import WrittenQuestions

OUT = ROOT / "rag" / "answering" / "calibration.json"
PRESS = SHARED / "press"
FOLDS = 5
QUESTIONS = 400  # of the encyclopedia
LEFT_OUT = 4  # one article in so many is not in the index
SENTENCE_PENALTY, ANSWER_PENALTY, OVERVIEW_PENALTY, ABOUT_PENALTY = 0.3, 0.05, 0.3, 3.0
BESIDE = 400  # passages that the reader was trained on, beside those that are asked about
CAUTION = load_settings().caution
CAUTIONS = tuple(round(0.05 * n, 2) for n in range(2, 19))

Matrix = NDArray[np.float64]
Flags = NDArray[np.bool_]
Model = dict[str, float]
Predicted = tuple[Matrix, list[list[bool]]]
log = logging.getLogger("bench")


@dataclass
class Case:
    """A question with its evidence; `right` tells which sentences answer."""

    item: Item
    question: Question
    evidence: list[ev.Evidence]
    fold: int

    @property
    def rows(self) -> Matrix:
        """Features of shape (sentences, features)."""
        return np.array([[e.features[k] for k in ev.SENTENCE_FEATURES] for e in self.evidence])

    @property
    def right(self) -> Flags:
        """Which sentences answer."""
        return np.array([self.item.answered_by(e.citation()) for e in self.evidence])


@dataclass
class Told:
    """A question for an overview; `parts` are those of the answer that each sentence holds."""

    item: Item
    rows: Matrix
    parts: list[set[int]]
    fold: int


def main() -> None:
    """Fit, measure, write."""
    parser = argparse.ArgumentParser(description="Fit the models of answers")
    parser.add_argument("--ablate", action="store_true")
    parser.add_argument("--cases", type=Path)
    parser.add_argument("--reader", type=Path, help="folder of another reader")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    if options.cases and options.cases.exists():
        sets, told, about = pickle.loads(options.cases.read_bytes())
    else:
        sets, told, about = found(Reader(options.reader) if options.reader else Reader())
        if options.cases:
            options.cases.write_bytes(pickle.dumps((sets, told, about)))
    models, crossed = fitted(sets)
    models["overview"], parts = fitted_overview(told)
    models["about"] = logistic(about[0], about[1], ov.ABOUT, penalty=ABOUT_PENALTY)
    measured: dict[str, Any] = {}
    for group, of in sets.items():
        measured[f"{group}, five-fold"] = measures(of, crossed[group])
    measured["overviews, five-fold, parts in 3, 5 and 7 sentences"] = parts
    measured["caution"] = curve_of(sets, crossed)
    report = {"models": models, "measured": measured}
    options.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(measured, indent=1))
    if options.ablate:
        ablate(sets)


def found(reader: Reader) -> tuple[dict[str, list[Case]], list[Told], tuple[Matrix, Flags]]:
    """Return the cases of each set, the sentences of overviews and features of what is about."""
    sets = {}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        press = press_index(work / "press")
        items = read_questions(PRESS / "questions.jsonl")
        # What an overview is asked of is answered by another path.
        plain = [i for i in items if not intent_of(i.question).overview]
        sets["press"] = cases(press, plain, reader)
        told, about = overviews(press, [i for i in items if i.kind == "overview"])
        for title, asked_of in (("encyclopedia", encyclopedia), ("written", written)):
            index, asked = asked_of(work / title)
            sets[title] = cases(index, asked, reader)
    return sets, told, about


def press_index(folder: Path) -> Index:
    """Return an index of the press articles."""
    files, _ = find_files([PRESS / "wikinews_fr.jsonl", PRESS / "ntrex_fr.jsonl"])
    return index_of(Reading.of(read_files(files)).articles, folder)


def encyclopedia(folder: Path) -> tuple[Index, list[Item]]:
    """Return an index of paragraphs without some articles, and questions of articles held out."""
    rows = entries([SHARED / "piaf_v1.1.json"])
    titles = sorted({row["title"] for row in rows})
    random.Random(0).shuffle(titles)
    gone = set(titles[::LEFT_OUT])
    paragraphs = sorted({(row["title"], row["context"]) for row in rows})
    ids = {context: f"p{at}" for at, (_, context) in enumerate(paragraphs)}
    index = index_of(
        [
            Article(ids[text], Source(title), text)
            for title, text in paragraphs
            if title not in gone
        ],
        folder,
    )
    held = [row for row in rows if row["held"]]
    drawn = random.Random(1).sample(held, min(QUESTIONS, len(held)))
    return index, [
        Item(
            str(at),
            row["question"],
            ()
            if row["title"] in gone
            else tuple(Gold(ids[row["context"]], a, b) for a, b in row["answers"]),
        )
        for at, row in enumerate(drawn)
    ]


def written(folder: Path) -> tuple[Index, list[Item]]:
    """Return an index of written passages, and questions of those that nothing was trained on.

    Some of these are left out of the index.
    """
    path = SHARED / "written" / "passages.jsonl"
    asked = WrittenQuestions(path, measuring=True)
    ids = [row["id"] for row in asked.passages]
    draw = random.Random(2)
    gone = set(draw.sample(ids, len(ids) // LEFT_OUT))
    beside = draw.sample(passages(path, measuring=False), BESIDE)
    index = index_of(
        [as_article(r) for r in (*asked.passages, *beside) if r["id"] not in gone], folder
    )
    return index, [
        Item(
            f"{ids[q.passage]}-{at}",
            q.text,
            tuple(Gold(ids[q.passage], a, b) for a, b in asked.spans(q))
            if q.answer and ids[q.passage] not in gone
            else (),
        )
        for at, q in enumerate(draw.sample(asked.questions, min(QUESTIONS, len(asked.questions))))
    ]


def cases(index: Index, items: Sequence[Item], reader: Reader) -> list[Case]:
    """Return items with their evidence."""
    retriever = Retriever(index, reranker=FeatureReranker())
    made = []
    for item in items:
        question = retriever.understood(complete(item.question, item.history))
        hits = retriever.search(question, ev.READ_PASSAGES)
        evidence, _ = ev.find_evidence(question, hits, index.scale, reader)
        if evidence:
            about = item.gold[0].article_id if item.gold else item.question
            made.append(Case(item, question, evidence, zlib.crc32(about.encode()) % FOLDS))
    return made


def fitted(sets: dict[str, list[Case]]) -> tuple[dict[str, Model], dict[str, Predicted]]:
    """Return the models of sentence and answer, and what is predicted of questions left out."""
    everything = [(g, c) for g, of in sets.items() for c in of]
    crossed: dict[str, Predicted] = {
        g: (np.zeros(len(of)), [[] for _ in of]) for g, of in sets.items()
    }
    for fold in range(FOLDS):
        models = fitted_once([(g, c) for g, c in everything if c.fold != fold])
        for g, of in sets.items():
            inside = [at for at, c in enumerate(of) if c.fold == fold]
            p, ranked = predicted(models, [of[at] for at in inside])
            for place, at in enumerate(inside):
                crossed[g][0][at], crossed[g][1][at] = p[place], ranked[place]
    return fitted_once(everything), crossed


def fitted_once(cases_: Sequence[tuple[str, Case]]) -> dict[str, Model]:
    """Return both models over some cases."""
    chosen = [(g, c) for g, c in cases_ if c.right.any()]
    counts = Counter(g for g, _ in chosen)
    shares = [len(chosen) / len(counts) / counts[g] for g, _ in chosen]
    groups = [(c.rows, c.right) for _, c in chosen]
    w = fit_ranking(groups, penalty=SENTENCE_PENALTY, shares=shares)
    sentence = {"intercept": 0.0} | _named(ev.SENTENCE_FEATURES, w)
    x = np.array([_answer_row(c.question, _ranked(sentence, c)) for _, c in cases_])
    y = np.array([c.item.answerable for _, c in cases_])
    alike = Counter((g, c.item.answerable) for g, c in cases_)
    weights = np.array([1 / alike[g, c.item.answerable] for g, c in cases_])
    return {"sentence": sentence, "answer": logistic(x, y, ev.ANSWER_FEATURES, weights)}


def logistic(
    x: Matrix,
    y: Flags,
    names: Sequence[str],
    weights: Matrix | None = None,
    penalty: float = ANSWER_PENALTY,
) -> Model:
    """Return a logistic regression over raw features."""
    mean, scale = x.mean(0), x.std(0) + 1e-9
    weights = np.ones(len(y)) if weights is None else weights
    made = LogisticRegression(C=penalty).fit(
        (x - mean) / scale, y, sample_weight=weights * len(y) / weights.sum()
    )
    w = made.coef_[0] / scale
    return {"intercept": round(float(made.intercept_[0] - w @ mean), 4)} | _named(names, w)


def predicted(models: dict[str, Model], found: Sequence[Case]) -> Predicted:
    """Return the probability that each case is answered, and which of its ranked sentences do."""
    odds, ranked = [], []
    for case in found:
        order = _ranked(models["sentence"], case)
        row = _answer_row(case.question, order)
        odds.append(ev.weighed(models["answer"], dict(zip(ev.ANSWER_FEATURES, row, strict=True))))
        ranked.append([case.item.answered_by(e.citation()) for e in order])
    return 1 / (1 + np.exp(-np.array(odds))), ranked


def measures(found: Sequence[Case], told: Predicted) -> dict[str, float | int]:
    """Return the measures of what `predicted` says of cases."""
    p, ranked = told
    y = np.array([c.item.answerable for c in found])
    answering = [r for c, r in zip(found, ranked, strict=True) if c.item.answerable]
    return {
        "answerable": int(y.sum()),
        "unanswerable": int((~y).sum()),
        "first sentence right": round(float(np.mean([r[0] for r in answering])), 3),
        "one of three right": round(float(np.mean([any(r[:3]) for r in answering])), 3),
        "AUC of an answer": round(float(roc_auc_score(y, p)), 3),
        **rates(found, told, CAUTION),
    }


def curve_of(sets: dict[str, list[Case]], crossed: dict[str, Predicted]) -> list[dict[str, float]]:
    """Return what each caution gives, the mean over the sets: `rates` of questions left out."""
    curve = []
    for caution in CAUTIONS:
        each = [rates(of, crossed[group], caution) for group, of in sets.items()]
        mean = {name: round(float(np.mean([r[name] for r in each])), 3) for name in each[0]}
        print(caution, mean, [r["all right"] for r in each])
        curve.append({"caution": caution, **mean})
    return curve


def rates(found: Sequence[Case], told: Predicted, threshold: float) -> dict[str, float]:
    """Return what a threshold gives.

    The shares of false answers (of unanswerable), of false refusals (of answerable), and of all
    questions those rightly refused or answered with the right sentence first.
    """
    p, ranked = told
    y = np.array([c.item.answerable for c in found])
    right = np.where(y, (p >= threshold) & [r[0] for r in ranked], p < threshold)
    return {
        "false answers": round(float((p[~y] >= threshold).mean()), 3),
        "false refusals": round(float((p[y] < threshold).mean()), 3),
        "all right": round(float(right.mean()), 3),
    }


def overviews(index: Index, items: Sequence[Item]) -> tuple[list[Told], tuple[Matrix, Flags]]:
    """Return the sentences of overviews, and features of whether an article is about them.

    The latter also of the nearest article once those that answer are left out.
    """
    retriever = Retriever(index, reranker=FeatureReranker())
    told, rows, labels = [], [], []
    for at, item in enumerate(items):
        question = retriever.understood(item.question)
        hits = retriever.search(question, 30)
        described = list(ov.sentence_features(question, retriever.whole(question, hits[:10])))
        told.append(
            Told(
                item,
                np.array([[f[k] for k in ov.FEATURES] for *_, f in described]),
                [
                    {q.part for q in item.quotes if q.covered(h.passage.article_id, text)}
                    for _, h, _, text, _ in described
                ],
                at % FOLDS,
            )
        )
        gone = tuple(q.article_id for q in item.quotes)
        left = [h for h in hits if not h.passage.article_id.startswith(gone)]
        for chosen, label in ((hits[:10], True), (left[:10], False)):
            found = ov.about_features(question, chosen)
            rows.append([found[k] for k in ov.ABOUT])
            labels.append(label)
    return told, (np.array(rows), np.array(labels))


def fitted_overview(told: Sequence[Told]) -> tuple[Model, dict[str, float]]:
    """Return the model of key sentences, and the parts covered on questions left out."""
    covered = {3: 0, 5: 0, 7: 0}
    for fold in range(FOLDS):
        model = _overview_model([t for t in told if t.fold != fold])
        w = np.array([model[k] for k in ov.FEATURES])
        for t in told:
            if t.fold == fold:
                order = np.argsort(-(t.rows @ w))
                for count in covered:
                    covered[count] += len(set().union(*(t.parts[j] for j in order[:count])))
    total = sum(t.item.parts for t in told)
    return _overview_model(told), {str(n): round(c / total, 3) for n, c in covered.items()}


def _overview_model(told: Sequence[Told]) -> Model:
    x = np.vstack([t.rows for t in told])
    y = np.array([bool(parts) for t in told for parts in t.parts])
    scale = x.std(0) + 1e-9
    made = LogisticRegression(C=OVERVIEW_PENALTY, class_weight="balanced").fit(x / scale, y)
    return {"intercept": 0.0} | _named(ov.FEATURES, made.coef_[0] / scale)


def ablate(sets: dict[str, list[Case]]) -> None:
    """Print what leaving out each feature changes, on questions left out of the fit."""
    for group in ("SENTENCE_FEATURES", "ANSWER_FEATURES"):
        names = getattr(ev, group)
        for left in ("", *names):
            setattr(ev, group, tuple(n for n in names if n != left))
            crossed = fitted(sets)[1]
            told = {g: measures(of, crossed[g]) for g, of in sets.items()}
            print(
                f"without {left or 'nothing':20s}",
                {g: list(m.values())[2:5] for g, m in told.items()},
            )
        setattr(ev, group, names)


def _ranked(model: Model, case: Case) -> list[ev.Evidence]:
    return sorted((ev.rescored(e, model) for e in case.evidence), key=lambda e: -e.score)


def _answer_row(question: Question, ranked: Sequence[ev.Evidence]) -> list[float]:
    features = ev.answer_features(question, ranked)
    return [features[k] for k in ev.ANSWER_FEATURES]


def _named(names: Sequence[str], values: Matrix) -> Model:
    return {k: round(float(v), 4) for k, v in zip(names, values, strict=True)}


if __name__ == "__main__":
    main()
