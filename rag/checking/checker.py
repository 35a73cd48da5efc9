"""Check claims against the index: evidence from it, who says it, its stance, the verdict."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rag import __version__
from rag.checking.claims import Claim, split_claims
from rag.checking.stance import Candidate, StanceEngine
from rag.checking.verdict import judge
from rag.domain import (
    Attribution,
    CheckedClaim,
    Citation,
    ClaimEvidence,
    Filters,
    Hit,
    Kind,
    Label,
    Verification,
)
from rag.errors import ArticleNotFoundError
from rag.french.corrections import standing
from rag.french.dates import format_date
from rag.french.speech import attribute
from rag.french.words import content_stems
from rag.searching.matching import coverage, rarity, sentences, stem_set

if TYPE_CHECKING:
    from rag.indexing.index import Index
    from rag.searching.retrieval import Retriever

_PASSAGES = 8  # per claim
_SENTENCES = 10  # judged per claim: each costs an embedding, 20 to 40 ms
_LEAST = 0.3  # share of the claim's words, by rarity, below which a sentence is not about it


@dataclass(frozen=True, slots=True)
class _Found:
    hit: Hit
    start: int
    end: int
    text: str
    told: str  # what of it stands, where its article is a correction
    score: float


class Checker:
    """Checks claims over one index."""

    def __init__(
        self,
        index: Index,
        retriever: Retriever,
        engine: StanceEngine,
        split: Callable[[str], list[Claim]] = split_claims,
    ) -> None:
        """Take where evidence is found, what judges its stance, and what splits a text."""
        self._split = split
        self._index = index
        self._retriever = retriever
        self._engine = engine

    def check(
        self, text: str, filters: Filters | None = None
    ) -> Iterator[CheckedClaim | Verification]:
        """Yield the claims of a text as they are checked, and the whole Verification last.

        Raises QuestionError, EmbeddingError.
        """
        yield from self.check_claims(self.claims(text), filters)

    def claims(self, text: str) -> list[Claim]:
        """Return the claims of a text, unchecked. Raises QuestionError."""
        return self._split(text)

    def check_claims(
        self, claims: Sequence[Claim], filters: Filters | None = None
    ) -> Iterator[CheckedClaim | Verification]:
        """Yield claims as they are checked, and the whole Verification last.

        Raises EmbeddingError.
        """
        done = []
        for claim in claims:
            done.append(checked := self._check(claim, filters))
            yield checked
        yield self._verification(done)

    def _verification(self, claims: Sequence[CheckedClaim]) -> Verification:
        """Return checked claims with what it takes to repeat the check."""
        records = list(self._index.records())
        versions = "\n".join(sorted(f"{r.id} {r.fingerprint}" for r in records))
        return Verification(
            claims=tuple(claims),
            checked_on=datetime.now(UTC).astimezone().isoformat(timespec="seconds"),
            engine=self._engine.name,
            embedding=self._index.embedder.name,
            corpus=hashlib.sha256(versions.encode()).hexdigest()[:12],
            articles=len(records),
            version=__version__,
        )

    def _check(self, claim: Claim, filters: Filters | None) -> CheckedClaim:
        if claim.problem:
            return CheckedClaim(claim.text, Label.UNVERIFIABLE, claim.problem)
        found = self._sentences(claim.text, filters)
        return judge(claim.text, self._evidence(claim.text, found))

    def _sentences(self, claim: str, filters: Filters | None) -> list[_Found]:
        """Return the sentences that hold most of the claim's words, best first."""
        hits = self._retriever.search(claim, _PASSAGES, filters)
        weights = rarity(self._index.lexical, list(dict.fromkeys(content_stems(claim))))
        found = []
        for hit in hits:
            passage = hit.passage
            around = stem_set(f"{hit.source.title}\n{format_date(hit.source.published)}")
            before: frozenset[str] = frozenset()
            for a, b, stems in sentences(passage.text):
                text = passage.text[a:b]
                own, wide = coverage(weights, stems), coverage(weights, stems | around | before)
                before = stems
                told = standing(text) if hit.source.correction else text
                if text.strip() == passage.heading or not told or wide < _LEAST or not own:
                    continue
                start, end = passage.start + a, passage.start + b
                found.append(_Found(hit, start, end, text, told, own + 0.7 * wide))
        return sorted(found, key=lambda f: -f.score)[:_SENTENCES]

    def _evidence(self, claim: str, found: Sequence[_Found]) -> list[ClaimEvidence]:
        if not found:
            return []
        vectors = self._index.embedder.embed_passages([claim, *(f.told for f in found)])
        articles = {i: self._article(i, found) for i in {f.hit.passage.article_id for f in found}}
        around = [_around(articles[f.hit.passage.article_id], f) for f in found]
        candidates = [
            Candidate(
                f.told,
                context=f"{f.hit.source.title}\n{_lead(text)}\n{before}",
                written_on=f.hit.source.published,
                similarity=self._index.scale.alike(float(vectors[0] @ vector)),
            )
            for f, (text, before, _), vector in zip(found, around, vectors[1:], strict=True)
        ]
        claimed = attribute(claim)
        made = []
        for f, (text, before, after), judged in zip(
            found, around, self._engine.judge(claim, candidates), strict=True
        ):
            said = attribute(text, f.start, f.end, f.hit.source.title)
            made.append(
                ClaimEvidence(
                    citation=Citation(
                        f.hit.passage.article_id, f.hit.source, f.start, f.end, f.text
                    ),
                    attribution=said,
                    his_words=_same_speaker(claimed, said),
                    other_voice=_names_speaker(claimed) and not _same_speaker(claimed, said),
                    stance=judged.stance,
                    probability=judged.probability,
                    coverage=judged.reading.features["covered_loosely"],
                    own=judged.reading.own,
                    predicate=judged.reading.predicate,
                    by_words=judged.by_words,
                    signals=judged.reading.signals,
                    before=before,
                    after=after,
                    also=tuple(source for _, source in f.hit.also),
                    corrects=f.hit.source.correction,
                )
            )
        return made

    def _article(self, article_id: str, found: Sequence[_Found]) -> str:
        """Return an article's text, or what was found of it when it has gone since the search."""
        try:
            return self._index.article(article_id).text
        except ArticleNotFoundError:
            passage = next(f.hit.passage for f in found if f.hit.passage.article_id == article_id)
            return " " * passage.start + passage.text


def _around(text: str, found: _Found) -> tuple[str, str, str]:
    """Return the article's text, and the sentences before and after."""
    spans = [(a, b) for a, b, _ in sentences(text)]
    before = next((text[a:b] for a, b in reversed(spans) if b <= found.start), "")
    after = next((text[a:b] for a, b in spans if a >= found.end), "")
    return text, before, after


def _lead(text: str) -> str:
    """Return the first sentence of an article: what all of it is about."""
    return next((text[a:b] for a, b, _ in sentences(text)), "")


def _names_speaker(claimed: Attribution) -> bool:
    return claimed.kind is Kind.STATEMENT and bool(content_stems(claimed.speaker))


def _same_speaker(claimed: Attribution, said: Attribution) -> bool:
    """Tell whether a claim is about words and the evidence holds words of the same speaker.

    « Le maire assure que… » claims that he said it: his words are then the fact.
    """
    if claimed.kind is not Kind.STATEMENT or said.kind is not Kind.STATEMENT:
        return False
    return bool(set(content_stems(claimed.speaker)) & set(content_stems(said.speaker)))
