"""Whether the corpus has an answer, and what is said where it has none.

What decides, in the order of a question's way: an empty question is an error
(`searching.question`); an empty index has no answer (`answerer`); a language model's answer of
which no sentence is left is a refusal, whatever `caution` is (`answerer`, `writing`); where lists
of articles, somebody's words or an overview are asked for and found, they answer (`router`); all
else is answered from a probability of `caution` on (`is_answered`, here; the probability is made in
`evidence`, and is 0 where nothing is asked about). What speaks to a machine is left out and the
question answered again, three times at most (`router`). A follow-up of two questions at once is
not answered by the sentence of the answer before (`router.answer_best`).

From `TENTATIVE_PROBABILITY` on, a refusal shows the sentence that may answer; else those that speak
of the same thing. A question of yes or no that is refused may still be settled by its claim
(`yesno`). What readers pay for may be left out at the end (`rag.paid`), and an answer that a device
hands back whose article has gone is taken back (`web.conversation`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag import texts
from rag.answering.evidence import Evidence
from rag.answering.followup import carried_over, topic_terms
from rag.domain import Answer, Hit, Nearest
from rag.french.words import WORD, content_stems, same_root
from rag.searching.question import Question

_MOST_NEAREST = 3  # sentences shown beside a refusal
_NEAREST_CANDIDATES = 8  # sentences, of an article each, among which they are
# Probability of an answer from which a refused question is shown the sentence that may be it:
# three of ten are, on questions of written and of real press; below it one or two of ten.
TENTATIVE_PROBABILITY = 0.2
_REFUSALS = (texts.NO_ANSWER, texts.NO_ANSWER_ONE, texts.TENTATIVE_ANSWER, texts.NO_PASSAGE)


def is_answered(probability: float, caution: float) -> bool:
    """Tell whether an answer is given: its probability, and how dear a wrong one is, in [0, 1]."""
    return probability >= caution


def refuse(
    question: Question,
    evidence: Sequence[Evidence],
    hits: Sequence[Hit],
    mode: str,
    probability: float = 0.0,
) -> Answer:
    """Return the answer that says the corpus has none, with the nearest sentences.

    With a `probability` of an answer that is not small, it is the best sentence, which may be it.
    """
    if evidence and probability >= TENTATIVE_PROBABILITY and evidence[0].features["context"] > 0:
        near = Nearest(evidence[0].citation(), tuple(_shared(question, evidence[0].text)))
        return Answer(
            question.text, (), tuple(hits[:_MOST_NEAREST]), refused=True, mode=mode,
            text=texts.TENTATIVE_ANSWER, nearest=(near,), tentative=True,
        )  # fmt: skip
    best: dict[str, Evidence] = {}
    # Near is what speaks of the same things, which is not what would answer best.
    for e in sorted(evidence, key=lambda e: -e.features["coverage"]):
        if not e.in_title:
            best.setdefault(e.hit.passage.article_id, e)
    found = [Nearest(e.citation(), tuple(_shared(question, e.text))) for e in best.values()]
    nearest = ([n for n in found if n.shared] or found)[:_NEAREST_CANDIDATES]
    text = texts.NO_ANSWER if nearest else texts.NO_PASSAGE
    return Answer(
        question.text, (), tuple(hits[:_MOST_NEAREST]), refused=True, mode=mode, text=text,
        nearest=tuple(nearest),
    )  # fmt: skip


def without_refusal(answer: str) -> str:
    """Return the text of an answer; "" for that of a refusal, whose words are about nothing."""
    return "" if answer.startswith(_REFUSALS) else answer


def about_the_same(refusal: Answer, asked: str) -> Answer:
    """Return a refusal with the few of its nearest sentences that speak of what was asked about.

    `asked` is the question as it was understood. « Quel est le prix du pétrole ? » is about oil:
    the price of milk is not near. A question that names nothing is about each of its words.
    """
    if refusal.tentative or not refusal.nearest:
        return refusal
    carried = carried_over(asked)
    terms = [*topic_terms(carried.question), *carried.terms, *topic_terms(carried.before)]
    stems = set(content_stems(" ".join(terms) or asked))

    def is_near(near: Nearest) -> bool:
        words = f"{near.citation.source.title}\n{near.citation.quote}"
        return not stems.isdisjoint(content_stems(words))

    nearest = tuple(filter(is_near, refusal.nearest))[:_MOST_NEAREST]
    text = texts.NO_ANSWER if len(nearest) > 1 else texts.NO_ANSWER_ONE
    return replace(refusal, nearest=nearest, text=text if nearest else texts.NO_PASSAGE)


def _shared(question: Question, sentence: str) -> list[str]:
    """Return the words of a sentence that are the question's: « en commun » is read so."""
    found: dict[str, str] = {}
    for match in WORD.finditer(sentence):
        stems = content_stems(match.group())
        if stems and any(same_root(stems[0], q) for q in question.stems):
            found.setdefault(stems[0], match.group())
    return list(found.values())
