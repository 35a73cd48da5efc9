"""Measure verdicts at each bar, choose what each precision asks for, and write `verdict.json`.

    python -m bench.verdict [--evidence FILE] [--network FOLDER]

Claims of press (`press/claims.jsonl`, over an index of its 223 articles) and claims of the written
passages that the network was not trained on (over an index of those). Evidence is found and compared
once, and judged at each bar. A bar for « Soutenu » or « Contredit » is given the share of such
verdicts that are right (precision) and of such claims that get theirs (recall), both over press and
written claims, a set weighing as much as the other, with the standard error of the precision. The
reported accuracy is of press claims judged by bars that were chosen without their fold (five folds
of claims, drawn five times).
`--evidence` keeps what was found, for a second look.
"""

from __future__ import annotations

import argparse
import json
import pickle
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import KFold

from bench.golden import ROOT, SHARED
from rag.assistant import LocalAssistant
from rag.checking.verdict import Bar, judge
from rag.domain import CheckedClaim, ClaimEvidence, Kind, Label, Reading
from rag.models.comparer import Comparer
from rag.readers import find_files, read_files
from rag.settings import Settings, load_settings
from training.written_examples import Written, as_article

OUT = ROOT / "rag" / "checking" / "verdict.json"
PRESS = SHARED / "press"
WRITTEN = SHARED / "written" / "passages.jsonl"
Row = tuple[float, float, float, float]  # bar, precision, recall, error of the precision
BARS = tuple(round(b, 3) for b in np.arange(0.3, 0.985, 0.04))
LEAST = 5  # verdicts below which a precision says nothing
FOLDS, DRAWS = 5, 5
PRECISION: float = Settings.model_fields["verdict_precision"].default


@dataclass(frozen=True)
class Case:
    """A claim with the verdict that is right, its evidence, and each piece as somebody's word."""

    claim: str
    gold: Label
    evidence: tuple[ClaimEvidence, ...]
    as_said: dict[int, ClaimEvidence]
    problem: str
    set: str
    kind: str
    seen: dict[Bar, Label] = field(default_factory=dict, compare=False)

    def verdict(self, bar: Bar) -> Label:
        """Return the label at a bar, judged once."""
        if bar not in self.seen:
            self.seen[bar] = self.judged(bar).verdict
        return self.seen[bar]

    def judged(self, bar: Bar) -> CheckedClaim:
        """Return the verdict at a bar."""
        if self.problem:
            return CheckedClaim(self.claim, Label.UNVERIFIABLE, self.problem)
        return judge(self.claim, self.evidence, bar,
                     lambda e: self.as_said.get(e.citation.start, e))  # fmt: skip


def main() -> None:
    """Find evidence, measure, write."""
    parser = argparse.ArgumentParser(description="Choose the bars of verdicts")
    parser.add_argument("--evidence", type=Path)
    parser.add_argument("--network", type=Path)
    parser.add_argument("--written", type=int, default=700, help="claims of written passages")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if options.evidence and options.evidence.exists():
        cases = pickle.loads(options.evidence.read_bytes())
    else:
        network = Comparer(options.network) if options.network else Comparer()
        cases = [*press(network), *written(network, options.written)]
        if options.evidence:
            options.evidence.write_bytes(pickle.dumps(cases))
    curves = curves_of(cases)
    made = {"about": "bench/verdict.py; (bar, precision, recall, its error) of each side", "curves": curves,
            "measured, press left out of the choice": crossed(cases)}  # fmt: skip
    options.out.write_text(json.dumps(made, indent=None, ensure_ascii=False) + "\n", "utf-8")
    for side, curve in curves.items():
        print(side, *(f"{b:.2f}:{p:.2f}/{r:.2f}" for b, p, r, _ in curve))
    print(json.dumps(made["measured, press left out of the choice"], indent=1, ensure_ascii=False))


def press(network: Comparer) -> Iterator[Case]:
    """Yield the claims of press."""
    files, _ = find_files([PRESS / "wikinews_fr.jsonl", PRESS / "ntrex_fr.jsonl"])
    rows = [json.loads(line) for line in (PRESS / "claims.jsonl").read_text("utf-8").splitlines()]
    told = [(row["claim"], Label(row["verdict"]), row["kind"]) for row in rows]
    yield from _cases(Reading.of(read_files(files)), told, network, "press")


def written(network: Comparer, count: int) -> Iterator[Case]:
    """Yield claims of written passages, as a journalist who knows who says what would judge them."""
    kept = Written(WRITTEN, measuring=True)
    articles = tuple(as_article(row) for row in kept.passages)
    told = []
    for claim in kept.claims:
        sentences = kept.passages[claim.passage]["sentences"]
        kinds = {sentences[i]["kind"] for i in claim.decisive}
        told.append((claim.text, _verdict(claim.label, claim.kind, kinds), claim.kind))
    step = max(1, len(told) // count)
    yield from _cases(Reading(articles), told[::step], network, "written")


def _verdict(label: str, kind: str, kinds: set[str]) -> Label:
    if label == "neither" or "hearsay" in kinds:
        return Label.INSUFFICIENT
    spoken = "statement" in kinds and kind != "said"
    if label == "supported":
        return Label.DECLARED if spoken else Label.SUPPORTED
    return Label.DECLARED if spoken else Label.CONTRADICTED


def _cases(
    reading: Reading, told: Sequence[tuple[str, Label, str]], network: Comparer, name: str
) -> Iterator[Case]:
    with tempfile.TemporaryDirectory() as folder:
        assistant = LocalAssistant(load_settings(index_dir=Path(folder)))
        assistant.ingest(reading)
        checker = assistant.checker()
        checker._network = network
        for claim, gold, kind in told:
            problem = next((c.problem for c in checker.claims(claim)), "")
            found = () if problem else tuple(
                checker._evidence(claim, checker._sentences(claim, None))
            )  # fmt: skip
            spoken = {
                e.citation.start: checker._statement(claim, e)
                for e in found
                if e.attribution.kind is Kind.STATEMENT and e.probability >= BARS[0]
            }
            yield Case(claim, gold, found, spoken, problem, name, kind)
        assistant.close()


def curves_of(cases: Sequence[Case]) -> dict[str, list[Row]]:
    """Return the curves of « Soutenu » and « Contredit », precision never falling."""
    found = {}
    for side, label in (("support", Label.SUPPORTED), ("contradict", Label.CONTRADICTED)):
        rising: list[Row] = []
        for bar in BARS:
            bars = Bar(bar, 0.5) if side == "support" else Bar(0.5, bar)
            row = _row(cases, bar, label, [c.verdict(bars) for c in cases])
            if row:
                best = rising[-1] if rising and rising[-1][1] > row[1] else row
                rising.append((bar, best[1], row[2], best[3]))
        found[side] = rising
    return found


def _row(cases: Sequence[Case], bar: float, label: Label, said: Sequence[Label]) -> Row | None:
    """Return the precision, recall and error at a bar: the means over the sets of claims.

    A precision is (right + 1) / (verdicts + 2), the rule of succession: three of three are not all.
    Its error is that of a mean of shares, each p (1 - p) / n squared. None where no set has enough
    verdicts.
    """
    precisions, recalls, variances = [], [], []
    for name in sorted({c.set for c in cases}):
        mine = [(v, c) for v, c in zip(said, cases, strict=True) if c.set == name]
        hits = [c.gold is label for v, c in mine if v is label]
        recalls.append(float(np.mean([v is label for v, c in mine if c.gold is label])))
        if len(hits) >= LEAST:
            share = (sum(hits) + 1) / (len(hits) + 2)
            precisions.append(share)
            variances.append(share * (1 - share) / len(hits))
    if not precisions:
        return None
    error = float(np.sqrt(sum(variances))) / len(precisions)
    return (
        bar,
        round(float(np.mean(precisions)), 4),
        round(float(np.mean(recalls)), 4),
        round(error, 4),
    )


def crossed(cases: Sequence[Case]) -> dict[str, Any]:
    """Return what press claims get by bars chosen without their fold."""
    mine = [c for c in cases if c.set == "press"]
    others = [c for c in cases if c.set != "press"]
    confusion: Counter[tuple[str, str]] = Counter()
    for draw in range(DRAWS):
        for seen, left in KFold(FOLDS, shuffle=True, random_state=draw).split(mine):
            curves = curves_of([*(mine[i] for i in seen), *others])
            bar = Bar.on(curves, PRECISION)
            for i in left:
                confusion[mine[i].gold.value, mine[i].verdict(bar).value] += 1
    total = sum(confusion.values())
    labels = [label.value for label in Label]
    return {
        "accuracy": round(sum(confusion[x, x] for x in labels) / total, 3),
        **{
            label: {
                "precision": _share(
                    confusion[label, label], sum(confusion[x, label] for x in labels)
                ),
                "recall": _share(confusion[label, label], sum(confusion[label, x] for x in labels)),
            }
            for label in labels
        },
    }


def _share(some: int, of: int) -> float | None:
    return round(some / of, 3) if of else None


if __name__ == "__main__":
    main()
