"""Answers made of the articles' own sentences, under lead-ins that say whose they are."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from rag import texts
from rag.answering.evidence import Evidence
from rag.citations import render
from rag.domain import Answer, Citation, Hit, Source, Statement
from rag.french.anaphora import has_unresolved_anaphora
from rag.french.dates import format_date

MODE = "extractive"
# Which sentences an answer takes: it gathers this share of the belief over all candidates;
# one below that share is left out, and one below that part of the best.
_ONE_THING = (0.85, 0.04, 0.15)
_SEVERAL_THINGS = (0.97, 0.02, 0.05)  # where several things are asked for
# One character for one: positions stay.
_TYPOGRAPHY = str.maketrans({"’": "'", "\u00a0": " ", "\u202f": " "})
_MOST_ANTECEDENTS = 2  # sentences
_LONGEST_SPAN = 600  # characters
_DASH = re.compile(r"[-–—]\s+(?=[\w«“\"])")


def compose(
    question: str,
    evidence: Sequence[Evidence],
    hits: Sequence[Hit],
    limit: int,
    *,
    several: bool = False,
) -> Answer:
    """Return the few sentences that answer, article by article, the one that answers best first.

    `evidence` is ranked, best first, and not empty. At most `limit` sentences, and
    fewer unless `several` things are asked for; each is cited to the character,
    with the same sentence of republications. A sentence that refers to the one
    before (« Elle représente… ») comes with it, as one span.
    """
    chosen = select(evidence, limit, several=several)
    return _answer(question, chosen, hits, best_first=True)


def chronicle(
    question: str,
    evidence: Sequence[Evidence],
    hits: Sequence[Hit],
    speaker: str = "",
    *,
    titled: bool = False,
) -> Answer:
    """Return the sentences of `evidence` article by article, the oldest first.

    `speaker` is whose words all of them are, named with each article. With `titled` each
    article is led in by its title.
    """
    answer = _answer(question, in_time(evidence), hits, speaker, titled=titled)
    days = {e.hit.passage.article_id: e.hit.source.published for e in evidence}
    if len(days) < 2:
        return answer
    intro = _order_of(list(days.values()))
    return replace(answer, intro=intro, text=f"{intro}\n\n{answer.text}")


def _order_of(days: Sequence[date | None]) -> str:
    """Return the sentence that says in which order articles of some days stand."""
    dated = sum(day is not None for day in days)
    if dated == len(days):
        return texts.CHRONICLE
    return texts.CHRONICLE_BUT_UNDATED if dated > 1 else texts.NO_CHRONICLE


def _answer(
    question: str,
    chosen: Sequence[Evidence],
    hits: Sequence[Hit],
    speaker: str = "",
    *,
    best_first: bool = False,
    titled: bool = False,
) -> Answer:
    statements: list[Statement] = []
    for article_id in dict.fromkeys(e.hit.passage.article_id for e in chosen):
        own = [e for e in chosen if e.hit.passage.article_id == article_id]
        titles = [e for e in own if e.in_title]
        # Of somebody's words, what stands before them may be nobody's.
        mine = joined(
            [without_dash(e) if speaker else expand_context(e) for e in own if not e.in_title]
        )
        if best_first:
            mine.sort(key=lambda e: -e.score)
        for e in titles:
            intro = texts.IN_TITLE.format(lead_in(e.hit.source).removesuffix("\u00a0:"))
            statements.append(Statement(e.text, (e.citation(),), lead_in=intro))
        for at, e in enumerate(mine):
            source = e.hit.source
            intro = (
                ""
                if at
                else f"{texts.label(source)}\u00a0:"
                if titled
                else lead_in(source, speaker)
            )
            cited = (e.citation(), *_copies(e))
            statements.append(Statement(e.text, cited, lead_in=intro, span=_span(e)))
    return Answer(
        question=question,
        statements=tuple(statements),
        hits=tuple(hits),
        refused=False,
        mode=MODE,
        text=render(statements),
    )


def in_time(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return evidence in the order of publication, then of reading.

    Articles without a date come last, in the order of what they answer: nobody knows theirs.
    """
    ranks = {e.hit.passage.article_id: rank for rank, e in reversed(list(enumerate(evidence)))}

    def place(e: Evidence) -> tuple[date, int, str, int]:
        day, article = e.hit.source.published, e.hit.passage.article_id
        return day or date.max, 0 if day else ranks[article], article, e.start

    return sorted(evidence, key=place)


def select(evidence: Sequence[Evidence], limit: int, *, several: bool = False) -> list[Evidence]:
    """Return the best sentences that together gather enough belief.

    Belief is the softmax of scores. A sentence that repeats one already
    chosen adds nothing and is passed over.
    """
    most, faint, beside = _SEVERAL_THINGS if several else _ONE_THING
    top = max(e.score for e in evidence)
    weights = [math.exp(e.score - top) for e in evidence]
    total = sum(weights)
    chosen: list[Evidence] = []
    gathered = 0.0
    for e, weight in zip(evidence, weights, strict=True):
        enough = len(chosen) >= limit or gathered >= most
        if chosen and (enough or weight / total < faint or weight < beside):
            break
        gathered += weight / total
        if all(e.text != other.text for other in chosen):
            chosen.append(e)
    return chosen


def expand_context(evidence: Evidence) -> Evidence:
    """Return the evidence with the sentences before it that it cannot be read without.

    They are of the same passage, at most two, and the whole stays short; the
    text is the exact span from the first of them.
    """
    passage = evidence.hit.passage
    before = [(s.start, s.end) for s in evidence.hit.sentences if s.end <= evidence.start]
    start, text = evidence.start, evidence.text
    for a, b in reversed(before[-_MOST_ANTECEDENTS:]):
        own = passage.text[a - passage.start : b - passage.start]
        if (
            not has_unresolved_anaphora(text)
            or own == passage.heading
            or evidence.end - a > _LONGEST_SPAN
        ):
            break
        start = a
        text = passage.text[start - passage.start : evidence.end - passage.start]
    return without_dash(replace(evidence, start=start, text=text))


def without_dash(evidence: Evidence) -> Evidence:
    """Return the evidence without a dash before it: « 4 juillet 2012. – Les citoyens… »."""
    dash = _DASH.match(evidence.text)
    skipped = dash.end() if dash else 0
    return replace(evidence, start=evidence.start + skipped, text=evidence.text[skipped:])


def joined(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Return evidence of one article in reading order, what another holds left out."""
    spans: list[Evidence] = []
    for e in sorted(evidence, key=lambda e: (e.start, -e.end)):
        last = spans[-1] if spans else None
        if last is None or e.start >= last.end:
            spans.append(e)
        elif e.end > last.end:  # both were completed by the same sentence
            spans[-1] = replace(
                last,
                end=e.end,
                text=last.text + e.text[last.end - e.start :],
                score=max(last.score, e.score),
            )
    return spans


def lead_in(source: Source, speaker: str = "") -> str:
    """Return « Selon Le Courrier de…, 12 mars 2024 : », with what is known.

    With a speaker, « X, selon Le Courrier de… ».
    """
    name = texts.newspaper(source)
    day = f", {format_date(source.published)}" if source.published else ""
    return f"{speaker}, selon {name}{day}\u00a0:" if speaker else f"Selon {name}{day}\u00a0:"


def _span(evidence: Evidence) -> tuple[int, int] | None:
    """Return the place of the words that answer in the text of the evidence."""
    if evidence.words is None:
        return None
    start, end = (at - evidence.start for at in evidence.words)
    return (start, end) if 0 <= start < end <= len(evidence.text) else None


def _copies(evidence: Evidence) -> list[Citation]:
    """Return the same sentence in republications of the passage, each in its own typography."""
    found = []
    for passage, source in evidence.hit.also:
        at = passage.text.translate(_TYPOGRAPHY).find(evidence.text.translate(_TYPOGRAPHY))
        if at >= 0:
            start = passage.start + at
            found.append(Citation.of(passage, source, start, start + len(evidence.text)))
    return found
