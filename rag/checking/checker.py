"""Check claims against the index: evidence from it, who says it, its stance, the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rag import __version__, texts
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
)
from rag.errors import ArticleNotFoundError
from rag.french.anaphora import has_unresolved_anaphora
from rag.french.corrections import standing
from rag.french.dates import format_date
from rag.french.speech import attribute
from rag.french.words import content_stems, words
from rag.paid import Allowance, bounded_claim
from rag.searching.matching import Terms, rarity, stem_set

if TYPE_CHECKING:
    from rag.checking.entailment import Entailment
    from rag.checking.prompt_injection import InjectionDetector
    from rag.indexing.index import Index
    from rag.models.comparer import Compared
    from rag.searching.retrieval import Retriever
    from rag.settings import Settings


_PASSAGES = 8  # per claim
_SENTENCES = 6  # read by the network per claim: 0.95 of the press claims have theirs among them
# Of these, whose signals are looked for: what the network believes most, of most of the claim.
_COMPARED = 3  # each costs a parse, 5 to 10 ms
# Share of a claim's words, in the sentence but for its figures and with what stands around it, from
# which a sentence with another figure is about the same, and a correction that gives one; the
# probability that it then has.
_SAME, _CORRECTED, _SURE = 0.5, 0.6, 0.95
_NOTABLE = 0.2  # what the network believes of a sentence, either way, for that to be worth it
_LEAST = 0.3  # share of the claim's words, by rarity, below which a sentence is not about it


_SHORTEST = 5  # words of a sentence that may tell something
_UNREAD = Comparison(0.0, 0.0)
OnClaim = Callable[[CheckedClaim], None]


@dataclass(frozen=True, slots=True)
class _Found:
    hit: Hit
    sentence: Sentence
    text: str
    told: str  # what of it stands, where its article is a correction
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
        LinearClassifier(injections.encoder, "opinions"),
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

        What `injections` tells to speak to a machine is no evidence, nor is it a claim; what
        `opinions` tells (a judgement, advice, an order, a wish) is no claim either.
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
        told = self._opinions.predict(claim) or self._injections.is_injection(claim)
        return texts.IS_OPINION if told else ""

    def check_claims(
        self, claims: Sequence[Claim], filters: Filters | None = None
    ) -> Iterator[CheckedClaim | Verification]:
        """Yield claims as they are checked, and the whole Verification last.

        Raises EmbeddingError.
        """
        done, allowed = [], Allowance(self._paid)
        for claim in claims:
            done.append(checked := bounded_claim(self._check(claim, filters), allowed))
            yield checked
        yield self._verification(done)

    def _verification(self, claims: Sequence[CheckedClaim]) -> Verification:
        """Return checked claims with what it takes to repeat the check."""
        catalogue = self._index.catalogue
        return Verification(
            claims=tuple(claims),
            checked_on=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
            engine=self._network.name,
            embedding=self._index.embedder.name,
            corpus=catalogue.digest(),
            articles=catalogue.facets().articles,
            version=__version__,
        )

    def _check(self, claim: Claim, filters: Filters | None) -> CheckedClaim:
        if claim.problem:
            return CheckedClaim(claim.text, Label.UNVERIFIABLE, claim.problem)
        found = self._sentences(claim.text, filters)
        return judge(
            claim.text,
            self._evidence(claim.text, found),
            self._bar,
            lambda e: self._said(claim.text, e),
        )

    def _sentences(self, claim: str, filters: Filters | None) -> list[_Found]:
        """Return the sentences that hold most of the claim's words, best first."""
        asked = self._retriever.understood(claim)
        hits = self._retriever.search(asked, _PASSAGES, filters)
        stems = list(dict.fromkeys(content_stems(claim)))
        terms = Terms(rarity(self._index.lexical, stems))
        plain = frozenset(stem for stem in stems if not stem.isdecimal())
        found = []
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
                told = standing(text) if hit.source.correction else text
                if text.strip() == passage.heading or not told or wide < _LEAST or not own:
                    continue
                if len(words(told)) < _SHORTEST:
                    continue  # « 5 juin 2012. »
                rest = terms.idf_coverage(s.stems, plain)
                found.append(_Found(hit, s, text, told, own + 0.7 * wide, rest, wide))
        return sorted(found, key=lambda f: -f.score)[:_SENTENCES]

    def _said(self, claim: str, evidence: ClaimEvidence) -> ClaimEvidence:
        """Return somebody's words as they bear on a claim: they count for what they say alone."""
        quote, source = evidence.citation.quote, evidence.citation.source
        otherwise = says(
            claim,
            quote,
            self._network,
            label=source.title,
            speaker=evidence.attribution.speaker,
            framed=evidence.his_words,
        )
        if otherwise is None:
            return evidence
        signals = (*evidence.signals, otherwise)
        return replace(evidence, stance=Stance.NEITHER, signals=signals)

    def _evidence(self, claim: str, found: Sequence[_Found]) -> list[ClaimEvidence]:
        if not found:
            return []
        articles = {i: self._article(i, found) for i in {f.hit.passage.article_id for f in found}}
        around = [_around(articles[f.hit.passage.article_id], f.sentence) for f in found]
        pairs = [
            paired(
                claim,
                f"{before} {f.told}" if before and has_unresolved_anaphora(f.told) else f.told,
            )
            for f, (before, _) in zip(found, around, strict=True)
        ]
        claimed = attribute(claim)
        groups = self._index.catalogue.groups_of(list(articles))
        made = []
        for f, (before, after), pair, read in zip(
            found, around, pairs, self._read(claim, claimed, found, around, pairs), strict=True
        ):
            if read.stance is not Stance.NEITHER and self._injections.is_injection(
                f.text, f.sentence.injection
            ):
                continue
            said = f.sentence.attribution
            same = _same_speaker(claimed, said, f.text)
            signals = read.signals
            if agreed := agreement(pair):
                signals = (*signals, agreed)
            start, end = f.sentence.start, f.sentence.end
            made.append(
                ClaimEvidence(
                    citation=Citation.of(f.hit.passage, f.hit.source, start, end),
                    attribution=said,
                    his_words=same,
                    other_voice=_names_speaker(claimed) and not same,
                    stance=read.stance,
                    probability=max(read.follows, read.contradicts),
                    coverage=f.coverage,
                    signals=signals,
                    before=before,
                    after=after,
                    also=tuple(source for _, source in f.hit.also),
                    corrects=f.hit.source.correction,
                    group=groups[f.hit.passage.article_id],
                )
            )
        return made

    def _read(
        self,
        claim: str,
        claimed: Attribution,
        found: Sequence[_Found],
        around: Sequence[tuple[str, str]],
        pairs: Sequence[Pair],
    ) -> list[Comparison]:
        """Return how a claim, whose word is `claimed`, compares with each sentence of `pairs`.

        The network reads all of them, each alone and between the sentences `around` it under its
        article's title; signals are looked for where it believes something.
        """
        labels = [texts.label(f.hit.source) for f in found]
        whole = [
            f"{label}\n{' '.join(filter(None, (before, f.told, after)))}"
            for label, f, (before, after) in zip(labels, found, around, strict=True)
        ]
        about_words = claimed.kind is Kind.STATEMENT
        speakers = [
            None
            if about_words or f.sentence.attribution.kind is Kind.REPORTED
            else f.sentence.attribution.speaker
            for f in found
        ]
        read = averaged(
            screened(claim, whole, speakers, self._network),
            screened(claim, [p.premise for p in pairs], speakers, self._network),
        )
        believed = [max(one.follows, one.against) for one in read]
        notable = sorted(range(len(read)), key=lambda at: -believed[at] * found[at].coverage)
        looked_at = {at for at in notable[:_COMPARED] if believed[at] >= _NOTABLE} | {
            at for at, f in enumerate(found) if f.hit.source.correction
        }
        compared = []
        for at, (f, one) in enumerate(zip(found, read, strict=True)):
            if at not in looked_at:
                compared.append(_UNREAD)
                continue
            told = compare(
                claim, pairs[at].premise, self._network,
                label=labels[at], read=one, speaker=speakers[at],
            )  # fmt: skip
            compared.append(_conflicting(f, _in_sentence(pairs[at], told), one))
        return compared

    def _article(self, article_id: str, found: Sequence[_Found]) -> list[tuple[int, int, str]]:
        """Return the sentences of an article as (start, end, text), in order.

        Those of what was found of it when it has gone since the search.
        """
        hits = {f.hit.passage.id: f.hit for f in found if f.hit.passage.article_id == article_id}
        try:
            passages: Sequence[Passage] = self._index.article(article_id).passages
        except ArticleNotFoundError:
            passages = [hit.passage for hit in hits.values()]
        kept = self._index.understood(p for p in passages if p.id not in hits)
        sentences = {p.id: (hits.get(p.id) or kept.get(p.id)) for p in passages}
        return [
            (s.start, s.end, p.text[s.start - p.start : s.end - p.start])
            for p in passages
            if (of := sentences[p.id])
            for s in of.sentences
        ]


def _in_sentence(pair: Pair, told: Comparison) -> Comparison:
    """Return a comparison; a sentence whose title alone gives a figure of the claim is no support.

    What is shown as the evidence is the sentence.
    """
    absent = (Match.ABSENT, Match.CONFLICT)
    if told.stance is Stance.SUPPORTS and any(
        f.match in absent and not f.dated for f in pair.figures
    ):
        return replace(told, follows=0.0)
    return told


def _conflicting(found: _Found, told: Comparison, read: Compared) -> Comparison:
    """Return a comparison; another figure in a sentence that says all the rest stands against it.

    So does another figure of a correction. `read` is what the network believes, figures or not.
    """
    if not {s.name for s in told.signals if s.side == Side.AGAINST} & {
        SignalName.NUMBER,
        SignalName.DATE,
    }:
        return told
    same = min(found.rest, found.coverage) >= _SAME and read.follows >= FOLLOWS
    if same or (found.hit.source.correction and found.coverage >= _CORRECTED):
        return replace(told, follows=0.0, contradicts=_SURE)
    return told


def _around(sentences: Sequence[tuple[int, int, str]], found: Sentence) -> tuple[str, str]:
    """Return the sentences before and after one in its article."""
    before = next((text for _, end, text in reversed(sentences) if end <= found.start), "")
    after = next((text for start, _, text in sentences if start >= found.end), "")
    return before, after


def _names_speaker(claimed: Attribution) -> bool:
    return claimed.kind is Kind.STATEMENT and bool(content_stems(claimed.speaker))


def _same_speaker(claimed: Attribution, said: Attribution, sentence: str) -> bool:
    """Tell whether a claim is about words and the evidence holds words of the same speaker.

    « Le maire assure que… » claims that he said it: his words are then the fact. He may be known by
    his name, and be « le maire » where his sentence tells who speaks.
    """
    if claimed.kind is not Kind.STATEMENT or said.kind is not Kind.STATEMENT:
        return False
    names = f"{said.speaker} {attribute(sentence).speaker}"
    return bool(set(content_stems(claimed.speaker)) & set(content_stems(names)))
