"""Check claims against the index: evidence from it, who says it, its stance, the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rag import texts
from rag.checking.claims import Claim, claims_of
from rag.checking.claims_by_model import load_splitter
from rag.checking.compare import FOLLOWS, Comparison, averaged, compare, paired, says, screened
from rag.checking.entailment import load_entailment
from rag.checking.linear_classifier import LinearClassifier
from rag.checking.signals import Pair
from rag.checking.signals.figures import agreement
from rag.checking.signals.quantities import Match
from rag.checking.verdict import Bar, judge
from rag.domain import (
    Attribution,
    CheckedClaim,
    Citation,
    ClaimEvidence,
    Filters,
    Hit,
    Kind,
    Label,
    Passage,
    Sentence,
    Side,
    SignalName,
    Stance,
    Verification,
    passages_beside,
)
from rag.french.anaphora import has_unresolved_anaphora
from rag.french.corrections import valid_part
from rag.french.dates import format_date
from rag.french.speech import attribute
from rag.french.syntax import subject_nouns
from rag.french.words import content_stems, same_root, stem, words
from rag.paid import Allowance, bounded_claim
from rag.searching.matching import Terms, rarity, stem_set
from rag.version import VERSION

if TYPE_CHECKING:
    from rag.checking.entailment import Entailment
    from rag.checking.prompt_injection import InjectionDetector
    from rag.indexing.index import Index
    from rag.models.comparer import Compared
    from rag.searching.retrieval import Retriever
    from rag.settings import Settings


_PASSAGES_PER_CLAIM = 8  # per claim
# Read by the network per claim: 0.95 of the press claims have theirs among them
_SENTENCES_PER_CLAIM = 6
# Share of the best sentence's score below which another is not read: a fifth of them, that no
# verdict on press rests on; at 0.65 some do.
_SCORE_SHARE = 0.5
# Of these, which are read again where they stand, and their signals looked for: what the network
# believes most, of most of the claim. On press three are no better than two, and one is worse.
_COMPARED_SENTENCES = 2  # each costs a parse, 5 to 10 ms, and as long for the network as two alone
# Share of a claim's words, in the sentence but for its figures and with what stands around it, from
# which a sentence with another figure is about the same, and a correction that gives one; the
# probability that it then has.
_SAME_COVERAGE, _CORRECTED_COVERAGE, _SURE_PROBABILITY = 0.5, 0.6, 0.95
# What the network believes of a sentence, either way, for that to be worth it
_NOTABLE_PROBABILITY = 0.2
# Share of the claim's words, by rarity, below which a sentence is not about it
_LEAST_COVERAGE = 0.3


_SHORTEST_SENTENCE = 5  # words of a sentence that may state something
_UNREAD_COMPARISON = Comparison(0.0, 0.0)
OnClaim = Callable[[CheckedClaim], None]


@dataclass(frozen=True, slots=True)
class _Candidate:
    hit: Hit
    sentence: Sentence
    text: str
    valid_text: str  # what of it is still valid, where its article is a correction
    score: float
    rest: float  # share of the claim's words but its figures, by rarity, that it holds
    coverage: float  # share of the claim's words, by rarity, that it and what surrounds it hold


def load_checker(
    settings: Settings, index: Index, retriever: Retriever, injections: InjectionDetector
) -> Checker:
    """Return what checks claims as the settings say. Loads the French parser, 1 s.

    Raises SettingsError.
    """
    return Checker(
        index,
        retriever,
        load_entailment(settings),
        injections,
        LinearClassifier(injections.vector, "opinions"),
        Bar.of(settings.verdict_precision),
        load_splitter(settings),
        settings.paid_characters,
    )


class Checker:
    """Checks claims over one index."""

    def __init__(
        self,
        index: Index,
        retriever: Retriever,
        network: Entailment,
        injections: InjectionDetector,
        opinions: LinearClassifier,
        bar: Bar,
        split: Callable[[str], Iterable[Claim]] = claims_of,
        paid_characters: int = 300,
    ) -> None:
        """Take where evidence is found, what reads it, and what splits a text.

        Of an article that readers pay for, one check quotes at most `paid_characters`. Evidence
        below the `bar` counts for nothing.

        What `injections` finds to speak to a machine is no evidence, nor is it a claim; what
        `opinions` finds (a judgement, advice, an order, a wish) is no claim either.
        """
        self._injections, self._opinions = injections, opinions
        self._split = split
        self._paid = paid_characters
        self._index = index
        self._retriever = retriever
        self._network = network
        self._bar = bar

    def verify(
        self, text: str, filters: Filters | None = None, on_claim: OnClaim = lambda _: None
    ) -> Verification:
        """Return the verdict on each claim of a text; `on_claim` hears them one by one.

        Raises QuestionError for a text without a claim, or too long.
        """
        for step in self.check(text, filters):
            if isinstance(step, Verification):
                return step
            on_claim(step)
        raise AssertionError("a check ends with its verification")

    def check(
        self, text: str, filters: Filters | None = None
    ) -> Iterator[CheckedClaim | Verification]:
        """Yield the claims of a text as they are checked, and the whole Verification last.

        Raises QuestionError, EmbeddingError.
        """
        yield from self.check_claims(self.claims(text), filters)

    def claims(self, text: str) -> list[Claim]:
        """Return the claims of a text, unchecked. Raises QuestionError, EmbeddingError."""
        return list(self.split(text))

    def split(self, text: str) -> Iterator[Claim]:
        """Yield the claims of a text, unchecked, as they are found: each may take a parse.

        Raises QuestionError, EmbeddingError.
        """
        for claim in self._split(text):
            yield replace(claim, problem=claim.problem or self._problem(claim.text))

    def _problem(self, claim: str) -> str:
        unfit = self._opinions.predict(claim) or self._injections.is_injection(claim)
        return texts.IS_OPINION if unfit else ""

    def check_claims(
        self, claims: Sequence[Claim], filters: Filters | None = None
    ) -> Iterator[CheckedClaim | Verification]:
        """Yield claims as they are checked, and the whole Verification last.

        Raises EmbeddingError.
        """
        results, allowed = [], Allowance(self._paid)
        for claim in claims:
            checked = replace(self._check(claim, filters), span=(claim.start, claim.end))
            results.append(result := bounded_claim(checked, allowed))
            yield result
        yield self.verification(results, filters)

    def one(self, claim: str, filters: Filters | None = None) -> CheckedClaim:
        """Return the verdict on one claim, as it is. Raises EmbeddingError."""
        return self._check(Claim(claim, 0, len(claim), self._problem(claim)), filters)

    def verification(
        self, claims: Sequence[CheckedClaim], filters: Filters | None = None
    ) -> Verification:
        """Return checked claims with what it takes to repeat the check."""
        catalogue = self._index.catalogue
        return Verification(
            claims=tuple(claims),
            checked_on=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
            engine=self._network.name,
            embedding=self._index.embedder.name,
            corpus=catalogue.digest(),
            articles=catalogue.facets(filters.named if filters else None).articles,
            version=VERSION,
        )

    def _check(self, claim: Claim, filters: Filters | None) -> CheckedClaim:
        if claim.problem:
            return CheckedClaim(claim.text, Label.UNVERIFIABLE, claim.problem)
        candidates = self._sentences(claim.text, filters)
        return judge(
            claim.text,
            self._evidence(claim.text, candidates),
            self._bar,
            lambda e: self._statement(claim.text, e),
            _about_subject(claim.text),
        )

    def _sentences(self, claim: str, filters: Filters | None) -> list[_Candidate]:
        """Return the sentences that hold most of the claim's words, best first."""
        question = self._retriever.understood(claim)
        hits = self._retriever.search(question, _PASSAGES_PER_CLAIM, filters)
        stems = list(dict.fromkeys(content_stems(claim)))
        terms = Terms(rarity(self._index.lexical, stems))
        plain = frozenset(stem for stem in stems if not stem.isdecimal())
        candidates = []
        for hit in hits:
            passage = hit.passage
            around = stem_set(f"{hit.source.title}\n{format_date(hit.source.published)}")
            before: frozenset[str] = frozenset()
            for s in hit.sentences:
                text = passage.text[s.start - passage.start : s.end - passage.start]
                own, wide = (
                    terms.idf_coverage(s.stems),
                    terms.idf_coverage(s.stems | around | before),
                )
                before = s.stems
                valid_text = valid_part(text) if hit.source.correction else text
                if (
                    text.strip() == passage.heading
                    or not valid_text
                    or wide < _LEAST_COVERAGE
                    or not own
                ):
                    continue
                if len(words(valid_text)) < _SHORTEST_SENTENCE:
                    continue  # « 5 juin 2012. »
                rest = terms.idf_coverage(s.stems, plain)
                candidates.append(
                    _Candidate(hit, s, text, valid_text, own + 0.7 * wide, rest, wide)
                )
        ranked = sorted(candidates, key=lambda f: -f.score)[:_SENTENCES_PER_CLAIM]
        return [f for f in ranked if f.score >= _SCORE_SHARE * ranked[0].score]

    def _statement(self, claim: str, evidence: ClaimEvidence) -> ClaimEvidence:
        """Return somebody's words as they bear on a claim: they count for what they say alone."""
        quote, source = evidence.citation.quote, evidence.citation.source
        objection = says(
            claim,
            quote,
            self._network,
            label=source.title,
            speaker=evidence.attribution.speaker,
            framed=evidence.his_words,
        )
        if objection is None:
            return evidence
        signals = (*evidence.signals, objection)
        return replace(evidence, stance=Stance.NEITHER, signals=signals)

    def _evidence(self, claim: str, candidates: Sequence[_Candidate]) -> list[ClaimEvidence]:
        if not candidates:
            return []
        around = self._around(candidates)
        pairs = [
            paired(
                claim,
                f"{before} {f.valid_text}"
                if before and has_unresolved_anaphora(f.valid_text)
                else f.valid_text,
            )
            for f, (before, _) in zip(candidates, around, strict=True)
        ]
        claim_attribution = attribute(claim)
        groups = self._index.catalogue.groups_of(
            list(dict.fromkeys(f.hit.passage.article_id for f in candidates))
        )
        evidence = []
        for f, (before, after), pair, comparison in zip(
            candidates,
            around,
            pairs,
            self._comparisons(claim, claim_attribution, candidates, around, pairs),
            strict=True,
        ):
            if comparison.stance is not Stance.NEITHER and self._injections.is_injection(
                f.text, f.sentence.injection
            ):
                continue
            attribution = f.sentence.attribution
            same = _same_speaker(claim_attribution, attribution, f.text)
            signals = comparison.signals
            if same_figure := agreement(pair):
                signals = (*signals, same_figure)
            start, end = f.sentence.start, f.sentence.end
            evidence.append(
                ClaimEvidence(
                    citation=Citation.of(f.hit.passage, f.hit.source, start, end),
                    attribution=attribution,
                    his_words=same,
                    other_voice=_names_speaker(claim_attribution) and not same,
                    stance=comparison.stance,
                    probability=max(comparison.follows, comparison.contradicts),
                    coverage=f.coverage,
                    signals=signals,
                    before=before,
                    after=after,
                    also=tuple(source for _, source in f.hit.also),
                    corrects=f.hit.source.correction,
                    group=groups[f.hit.passage.article_id],
                )
            )
        return evidence

    def _comparisons(
        self,
        claim: str,
        claim_attribution: Attribution,
        candidates: Sequence[_Candidate],
        around: Sequence[tuple[str, str]],
        pairs: Sequence[Pair],
    ) -> list[Comparison]:
        """Return how a claim compares with each sentence of `pairs`, in order.

        `claim_attribution` tells whose word the claim is. The network reads all of the sentences
        alone, and what it believes most of these, or what corrects, between the sentences `around`
        it under its article's title: the two count alike. Signals are looked for there.
        """
        about_words = claim_attribution.kind is Kind.STATEMENT
        speakers = [
            None
            if about_words or f.sentence.attribution.kind is Kind.REPORTED
            else f.sentence.attribution.speaker
            for f in candidates
        ]
        alone = screened(claim, [p.premise for p in pairs], speakers, self._network)
        strength = [_belief(one) * f.coverage for one, f in zip(alone, candidates, strict=True)]
        likeliest = sorted(range(len(alone)), key=lambda at: -strength[at])[:_COMPARED_SENTENCES]
        corrections = {at for at, f in enumerate(candidates) if f.hit.source.correction}
        again = sorted({*likeliest, *corrections})
        labels = {at: texts.label(candidates[at].hit.source) for at in again}
        inside = screened(
            claim,
            [_in_place(labels[at], candidates[at], around[at]) for at in again],
            [speakers[at] for at in again],
            self._network,
        )
        comparisons = [_UNREAD_COMPARISON] * len(candidates)
        for at, one in zip(again, averaged([alone[at] for at in again], inside), strict=True):
            if _belief(one) < _NOTABLE_PROBABILITY and at not in corrections:
                continue
            comparison = compare(
                claim, pairs[at].premise, self._network,
                label=labels[at], scores=one, speaker=speakers[at],
            )  # fmt: skip
            comparison = _in_sentence(pairs[at], comparison)
            comparisons[at] = _conflicting(candidates[at], comparison, one)
        return comparisons

    def _around(self, candidates: Sequence[_Candidate]) -> list[tuple[str, str]]:
        """Return the sentences before and after each in its article, "" where there is none.

        Those of the passages beside are read where a sentence is the first or the last of its own.
        """
        sentences = {f.hit.passage.id: _texts(f.hit.passage, f.hit.sentences) for f in candidates}
        beside = {i: passages_beside(i) for i in sentences}
        lacking = set()
        for f in candidates:
            own, (before, after) = sentences[f.hit.passage.id], beside[f.hit.passage.id]
            if f.sentence.start == own[0][0]:
                lacking.add(before)
            if f.sentence.end == own[-1][1]:
                lacking.add(after)
        passages = self._index.store.passages(list(lacking - sentences.keys()))
        for i, cached in self._index.understood(passages.values()).items():
            sentences[i] = _texts(passages[i], cached.sentences)
        found = []
        for f in candidates:
            before, after = beside[f.hit.passage.id]
            row = [s for i in (before, f.hit.passage.id, after) for s in sentences.get(i, ())]
            earlier = [text for _, end, text in row if end <= f.sentence.start]
            later = [text for start, _, text in row if start >= f.sentence.end]
            found.append((earlier[-1] if earlier else "", later[0] if later else ""))
        return found


def _texts(passage: Passage, sentences: Sequence[Sentence]) -> list[tuple[int, int, str]]:
    """Return the sentences of a passage as (start, end, text), in order."""
    at = passage.start
    return [(s.start, s.end, passage.text[s.start - at : s.end - at]) for s in sentences]


def _belief(scores: Compared) -> float:
    """Return how much the network believes of a sentence, either way."""
    return max(scores.follows, scores.against)


def _in_place(label: str, candidate: _Candidate, around: tuple[str, str]) -> str:
    """Return a sentence between those around it, under the label of its article."""
    before, after = around
    return f"{label}\n{' '.join(filter(None, (before, candidate.valid_text, after)))}"


def _in_sentence(pair: Pair, comparison: Comparison) -> Comparison:
    """Return a comparison; a sentence whose title alone gives a figure of the claim is no support.

    What is shown as the evidence is the sentence.
    """
    absent = (Match.ABSENT, Match.CONFLICT)
    if comparison.stance is Stance.SUPPORTS and any(
        f.match in absent and not f.dated for f in pair.figures
    ):
        return replace(comparison, follows=0.0)
    return comparison


def _conflicting(candidate: _Candidate, comparison: Comparison, scores: Compared) -> Comparison:
    """Return a comparison; another figure in a sentence that says all the rest stands against it.

    So does another figure of a correction. `scores` are what the network believes, figures or not.
    """
    if not {s.name for s in comparison.signals if s.side == Side.AGAINST} & {
        SignalName.NUMBER,
        SignalName.DATE,
    }:
        return comparison
    same = min(candidate.rest, candidate.coverage) >= _SAME_COVERAGE and scores.follows >= FOLLOWS
    if same or (candidate.hit.source.correction and candidate.coverage >= _CORRECTED_COVERAGE):
        return replace(comparison, follows=0.0, contradicts=_SURE_PROBABILITY)
    return comparison


def _about_subject(claim: str) -> Callable[[ClaimEvidence], bool]:
    """Return what tells whether a sentence is about the subject of a claim, by most of its nouns.

    Beside « Le prix du pétrole a doublé » the price of milk is not near. What the network believes
    of a sentence counts too: it may name the same otherwise.
    """
    wanted = [stem(w) for noun in subject_nouns(claim) for w in words(noun)]

    def is_near(evidence: ClaimEvidence) -> bool:
        if not wanted or evidence.probability >= _NOTABLE_PROBABILITY:
            return True
        cited = evidence.citation
        stems = stem_set(f"{cited.source.title}\n{evidence.before}\n{cited.quote}")
        found = sum(any(same_root(w, s) for s in stems) for w in wanted)
        return 2 * found > len(wanted)

    return is_near


def _names_speaker(attribution: Attribution) -> bool:
    return attribution.kind is Kind.STATEMENT and bool(content_stems(attribution.speaker))


def _same_speaker(claim_attribution: Attribution, attribution: Attribution, sentence: str) -> bool:
    """Tell whether a claim is about words and the evidence holds words of the same speaker.

    « Le maire assure que… » claims that he said it: his words are then the fact. He may be known by
    his name, and be « le maire » where his sentence tells who speaks.
    """
    if claim_attribution.kind is not Kind.STATEMENT or attribution.kind is not Kind.STATEMENT:
        return False
    names = f"{attribution.speaker} {attribute(sentence).speaker}"
    return bool(set(content_stems(claim_attribution.speaker)) & set(content_stems(names)))
