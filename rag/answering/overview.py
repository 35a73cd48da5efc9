"""What happened, where things stand, sum up: the key sentences of an event, in the order of time.

The event is that of the article that retrieval puts first, and of those that come near it. A
sentence counts by its place (journalists say first what matters most), by how near it is to the
question among those of its article, and by the words of the question that it holds; the weights
are fitted by `bench/calibrate.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby
from statistics import fmean, pstdev

from rag.answering.evidence import Evidence, around, models, weighed
from rag.checking.compare import sigmoid
from rag.domain import Hit, Kind, Sentence
from rag.french.corrections import valid_part
from rag.french.dates import MONTHS
from rag.french.gender import of_name, of_speaker
from rag.french.names import TITLES, capitalised, other_person
from rag.french.words import content_stems, fold, words
from rag.searching.question import Question

FEATURES = ("first_article", "behind", "opening", "place", "nearness", "coverage")
ABOUT = ("coverage", "similarity")
_MOST_NAMES = 0.5  # share of the names asked about that an article has, at least
_NAME_WORD = re.compile(r"[\w’'-]+")
_JOINT = re.compile(r"\b(?:et|ou)\b|/")
# « X n'a pas confirmé que… » tells what was not said.
_SILENT = re.compile(
    r"[^«:]*?\bn['’](?:a|ont|avait|avaient) (?:pas|jamais|rien|guère) (?!.*«)", re.DOTALL
)
_LONGEST_NAME = 9  # words of a speaker: « le directeur adjoint du port de Lérins, Yann Le Dréan »
_SHORTEST_SENTENCE = 6  # words of a sentence that tells something; a date line has fewer
# Share of the subject, by rarity; more than a word of the same root counts for
_SUBJECT_COVERAGE = 0.75
_REPEAT_SHARE = 0.6  # share of stems in common above which a sentence repeats another


def subject(question: Question) -> frozenset[str]:
    """Return the stems of the topic that are looked for; none: the article itself is meant."""
    return question.intent.topic & question.terms.weights.keys()


def only_a_time(question: Question) -> bool:
    """Tell whether what an overview is asked of is a time alone: « en janvier »."""
    dated = {stem for month in MONTHS for stem in content_stems(month)}
    return bool(question.time.periods) and all(s in dated or s.isdigit() for s in subject(question))


def about(question: Question, hits: Sequence[Hit]) -> float:
    """Return the probability, in [0, 1], that the article of the first hit is about the subject."""
    return sigmoid(weighed(models()["about"], about_features(question, hits))) if hits else 0.0


def about_features(question: Question, hits: Sequence[Hit]) -> dict[str, float]:
    """Return the features of `ABOUT` for hits, at least one."""
    mine = [h for h in hits if h.passage.article_id == hits[0].passage.article_id]
    stems = around(mine[0]).union(*(s.stems for h in mine for s in h.sentences))
    wanted = subject(question)
    return {
        "coverage": question.terms.idf_coverage(stems, wanted) if wanted else 1.0,
        "similarity": 10 * (hits[0].similarity or 0.0) - 8.5,
    }


def one_each(question: Question, hits: Sequence[Hit], limit: int) -> list[Evidence]:
    """Return the sentence of each article that tells most of the subject; the first without one.

    At most `limit` articles, those that hold less than `_SUBJECT_COVERAGE` of the subject, or lack
    most of the names in it, left out: to a stemmer « Mali » is « mal ».
    """
    wanted = subject(question)
    named = {n for n in question.names if set(content_stems(n)) <= wanted}
    timed = only_a_time(question)
    about_names = {h.passage.id for h in hits if not named or _names_most(named, h)}
    found: dict[str, Evidence] = {}
    for rank, hit, s, text, features in sentence_features(question, hits):
        if hit.passage.id not in about_names:
            continue
        stems = around(hit) | s.stems
        coverage = 1.0 if timed or not wanted else question.terms.idf_coverage(stems, wanted)
        score = (0.0 if timed else coverage) + 0.01 * features["opening"]
        best = found.get(hit.passage.article_id)
        if coverage >= _SUBJECT_COVERAGE and (best is None or score > best.score):
            found[hit.passage.article_id] = Evidence(
                hit, rank, s.start, s.end, text, features, score
            )
    return list(found.values())[:limit]


def _names_most(named: AbstractSet[str], hit: Hit) -> bool:
    """Tell whether a hit, under its title, has most of some names, with their capitals."""
    present = capitalised(f"{hit.source.title}\n{hit.passage.text}")
    return len(named & present) > _MOST_NAMES * len(named)


_CIVILITIES = frozenset(content_stems(" ".join(TITLES)))


def words_of(question: Question, hits: Sequence[Hit], limit: int) -> list[Evidence]:
    """Return up to `limit` statements of the person whose words are asked for, nearest first.

    None when the question is about more than a name, or no such person speaks. A sentence counts
    where it names the speaker itself, and nobody else of that family: what another sentence tells
    of « il » or « elle » is not sure enough to put words into somebody's mouth.
    """
    wanted = subject(question) - _CIVILITIES
    if not wanted or not wanted <= {stem for n in question.names for stem in content_stems(n)}:
        return []
    asked = " ".join(w for w in _NAME_WORD.findall(question.text) if fold(w) in question.names)
    found = []
    for rank, hit, s, text, features in sentence_features(question, hits):
        attribution = s.attribution
        who = set(content_stems(attribution.speaker)) - _CIVILITIES
        # « M. Farage » is Nigel Farage, and so is « l'eurodéputé Nigel Farage ».
        his = attribution.kind is Kind.STATEMENT and who and (wanted <= who or who <= wanted)
        if his and _names_alone(text, attribution.speaker, asked):
            score = weighed(models()["overview"], features)
            found.append(Evidence(hit, rank, s.start, s.end, text, features, score))
        elif quoted := _goes_on(hit, s, text, wanted, asked):
            score = weighed(models()["overview"], features)
            found.append(Evidence(hit, rank, s.start, s.end, quoted, features, score))
    spoken = [e for e in found if not _SILENT.match(e.text)] or found
    return sorted(spoken, key=lambda e: ("«" not in e.text, -e.score))[:limit]


def _goes_on(hit: Hit, sentence: Sentence, text: str, wanted: AbstractSet[str], asked: str) -> str:
    """Return a quotation by « il » or « elle », "" unless it is surely of who was just named.

    That is where the sentence before it names this person alone, of the pronoun's gender.
    """
    attribution = sentence.attribution
    who = set(content_stems(attribution.speaker)) - _CIVILITIES
    before = [s for s in hit.sentences if s.end <= sentence.start][-1:]
    if "«" not in text or attribution.kind is not Kind.STATEMENT or not wanted <= who or not before:
        return ""
    introduction = _text(hit, before[0].start, before[0].end)
    gender = of_speaker(text, attribution.marker)
    others = {n for n in capitalised(introduction) if n not in capitalised(attribution.speaker)}
    named = capitalised(attribution.speaker) <= capitalised(asked)
    sure = named and gender and of_name(attribution.speaker, introduction) == gender
    alone = not others & before[0].names and _names_alone(introduction, attribution.speaker, asked)
    return text if sure and alone else ""


def _names_alone(sentence: str, speaker: str, asked: str) -> bool:
    """Tell whether a sentence names its speaker, alone, who may be the person asked about."""
    mine = capitalised(speaker) & capitalised(sentence)
    return bool(mine) and not _JOINT.search(speaker) and not other_person(sentence, asked)


def speaker_of(evidence: Evidence) -> str:
    """Return who says a sentence, as its article names him; "" for the newsroom.

    What is longer than a name with its function is a piece of a sentence, and names nobody.
    """
    attributions = (s.attribution for s in evidence.hit.sentences if s.start == evidence.start)
    speaker = next(attributions).speaker
    return speaker if len(words(speaker)) <= _LONGEST_NAME else ""


def key_sentences(question: Question, hits: Sequence[Hit], limit: int) -> list[Evidence]:
    """Return up to `limit` sentences that tell the event, best first, none twice.

    `hits` are all passages of the articles that may tell it, those of an
    article one after the other in reading order, best article first.
    """
    weights = models()["overview"]
    found = [
        (Evidence(hit, rank, s.start, s.end, text, features, weighed(weights, features)), s.stems)
        for rank, hit, s, text, features in sentence_features(question, hits)
    ]
    chosen: list[tuple[Evidence, frozenset[str]]] = []
    for e, stems in sorted(found, key=lambda f: -f[0].score):
        if not any(_repeats(stems, other) for _, other in chosen):
            chosen.append((e, stems))
        if len(chosen) == limit:
            break
    return [e for e, _ in chosen]


def sentence_features(
    question: Question, hits: Sequence[Hit]
) -> Iterator[tuple[int, Hit, Sentence, str, dict[str, float]]]:
    """Yield (rank of the article, hit, sentence, text, features) of each sentence that tells."""
    best = max((h.score for h in hits), default=0.0)
    for rank, (_, group) in enumerate(groupby(hits, key=lambda h: h.passage.article_id)):
        sentences = [
            (hit, s, text, hit.cosines[at] if hit.cosines else hit.similarity or 0.0)
            for hit in group
            for at, s in enumerate(hit.sentences)
            if len((text := _text(hit, s.start, s.end)).split()) >= _SHORTEST_SENTENCE
            and text != hit.passage.heading
            and (not hit.source.correction or valid_part(text))
        ]
        mean = fmean(c for *_, c in sentences) if sentences else 0.0
        spread = pstdev(c for *_, c in sentences) if sentences else 0.0
        for place, (hit, s, text, cosine) in enumerate(sentences):
            yield (
                rank,
                hit,
                s,
                text,
                {
                    "first_article": float(rank == 0),
                    "behind": best - hit.score,
                    "opening": 1 / (1 + place),
                    "place": place / len(sentences),
                    "nearness": (cosine - mean) / spread if spread > 1e-6 else 0.0,
                    "coverage": question.terms.idf_coverage(s.stems),
                },
            )


def _text(hit: Hit, start: int, end: int) -> str:
    return hit.passage.text[start - hit.passage.start : end - hit.passage.start]


def _repeats(stems: frozenset[str], other: frozenset[str]) -> bool:
    return len(stems & other) > _REPEAT_SHARE * max(1, min(len(stems), len(other)))
