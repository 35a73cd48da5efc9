"""What Recoupe says to programs: the JSON of the API, of `--json` and of reports.

One pydantic model an answer, made from domain objects by `of`; OpenAPI describes
them. At the end the table of what the process that owns an index does for others:
both ends of that protocol, `rag/remote.py` and `rag/web/owner_api.py`, follow it.
What comes *in* by the API stands in `rag/web/schemas.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel

from rag.domain import (
    Answer,
    ArticleRecord,
    ArticleResults,
    CheckedClaim,
    Citation,
    ClaimEvidence,
    Erasure,
    Hit,
    IngestReport,
    Label,
    Passage,
    Source,
    Stance,
    Statement,
    StoredArticle,
    Verification,
    Version,
)


class Out(BaseModel):
    """Something said to a program."""

    def plain(self) -> dict[str, Any]:
        """Return it as JSON-ready fields; dates are ISO 8601."""
        return self.model_dump(mode="json")


class _Identified(Out):
    article_id: str


class _Sourced(Out):
    title: str
    source: str
    author: str
    published: date | None
    url: str
    section: str
    correction: bool
    modified: date | None
    deduced: bool
    paywalled: bool


class _Placed(_Sourced, _Identified):
    """A span of an article: `[start, end)`, in Unicode code points of its text."""

    start: int
    end: int


class SourceOut(_Sourced):
    """Where an article comes from.

    `correction` tells that it corrects what its paper published, `deduced` that the date is
    not told by the publisher, `paywalled` that readers pay for it.
    """

    @classmethod
    def of(cls, source: Source) -> Self:
        """Make it of a source."""
        return cls(**_source(source))


class CitationOut(_Placed):
    """An exact quote: the article's text from `start` to `end`, on a `page` if there are some.

    With `in_title` it is the article's title, and `start` and `end` count in it.
    """

    quote: str
    page: str
    in_title: bool

    @classmethod
    def of(cls, citation: Citation) -> Self:
        """Make it of a citation."""
        return cls(
            article_id=citation.article_id,
            **_source(citation.source),
            start=citation.start,
            end=citation.end,
            quote=citation.quote,
            page=citation.page,
            in_title=citation.in_title,
        )


class RepublicationOut(_Placed):
    """A passage of another article that says the same, almost word for word."""

    @classmethod
    def of(cls, passage: Passage, source: Source) -> Self:
        """Make it of a passage and its source."""
        return cls(**_place(passage, source))


class HitOut(_Placed):
    """A passage found. `score` orders those of one search; `also` are its republications."""

    text: str
    heading: str
    score: float
    similarity: float | None
    lexical: float
    also: list[RepublicationOut]

    @classmethod
    def of(cls, hit: Hit) -> Self:
        """Make it of a hit."""
        return cls(
            **_place(hit.passage, hit.source),
            text=hit.passage.text,
            heading=hit.passage.heading,
            score=round(hit.score, 4),
            similarity=None if hit.similarity is None else round(hit.similarity, 4),
            lexical=round(hit.lexical, 4),
            also=[RepublicationOut.of(p, s) for p, s in hit.also],
        )


class StatementOut(Out):
    """A sentence of an answer with what it rests on; `lead_in` introduces it and is ours.

    `span` is the place `[start, end)` in `text`, in characters, of the words that answer; null
    where they are not told apart.
    """

    text: str
    lead_in: str
    supported: bool
    problem: str
    span: tuple[int, int] | None
    citations: list[CitationOut]

    @classmethod
    def of(cls, statement: Statement) -> Self:
        """Make it of a statement."""
        return cls(
            text=statement.text,
            lead_in=statement.lead_in,
            supported=statement.supported,
            problem=statement.problem,
            span=statement.span,
            citations=[CitationOut.of(c) for c in statement.citations],
        )


class NearestOut(CitationOut):
    """A sentence near to a question that it does not answer; `shared`: its words that are asked."""

    shared: list[str]


class AnswerOut(Out):
    """An answer, or a refusal with the nearest sentences.

    `asked` is the question that was really searched; `intro` introduces the whole and is ours;
    `suggestion` is a near question that the articles answer, "" for none; a refusal is
    `tentative` where its one nearest sentence may answer.
    """

    question: str
    asked: str
    answer: str
    refused: bool
    mode: str
    notice: str
    probability: float | None
    intro: str
    statements: list[StatementOut]
    nearest: list[NearestOut]
    suggestion: str
    tentative: bool
    passages: list[HitOut]

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """Make it of an answer."""
        return cls(
            question=answer.question,
            asked=answer.asked or answer.question,
            answer=answer.text,
            refused=answer.refused,
            mode=answer.mode,
            notice=answer.notice,
            probability=None if answer.probability is None else round(answer.probability, 4),
            intro=answer.intro,
            statements=[StatementOut.of(s) for s in answer.statements],
            nearest=[
                NearestOut(**dict(CitationOut.of(n.citation)), shared=list(n.shared))
                for n in answer.nearest
            ],
            suggestion=answer.suggestion,
            tentative=answer.tentative,
            passages=[HitOut.of(h) for h in answer.hits],
        )


class DraftOut(Out):
    """The sentence that a model is writing, as far as it has come; not checked yet."""

    text: str


class SearchOut(Out):
    """Passages, best first."""

    passages: list[HitOut]

    @classmethod
    def of(cls, hits: Iterable[Hit]) -> Self:
        """Make it of hits."""
        return cls(passages=[HitOut.of(h) for h in hits])


class _Listed(_Sourced, _Identified):
    passages: int
    characters: int
    withdrawn: date | None


class ArticleOut(_Listed):
    """An article as anybody may see it: without the place of its file on the server's disk."""

    @classmethod
    def of(cls, record: ArticleRecord) -> Self:
        """Make it of an article's record."""
        return cls(**_record(record))


class ArticlesOut(Out):
    """Some of the articles, newest first; `next` is the `after` of those that follow, or "".

    `found` counts those that words and filters find, null where none were given; `excerpts` are
    exact quotes around the words, one of each article in whose text they may be shown.
    """

    articles: list[ArticleOut]
    next: str
    total: int
    found: int | None = None
    excerpts: list[CitationOut] = []

    @classmethod
    def of(cls, results: ArticleResults) -> Self:
        """Make it of a page of what was found."""
        return cls(
            articles=[ArticleOut.of(f.record) for f in results.articles],
            next=results.next,
            total=results.total,
            found=results.facets.articles,
            excerpts=[CitationOut.of(f.excerpt) for f in results.articles if f.excerpt],
        )


class ArticleTextOut(_Listed):
    """An article with its text."""

    text: str

    @classmethod
    def of(cls, stored: StoredArticle) -> Self:
        """Make it of an article."""
        return cls(**_record(stored.record), text=stored.text)


class RecordOut(_Listed):
    """An article as `recoupe list --json` gives it; `path` is the file that it was read from.

    `edited` names the fields that a keeper corrected.
    """

    path: str
    edited: list[str]

    @classmethod
    def of(cls, record: ArticleRecord) -> Self:
        """Make it of an article's record."""
        return cls(**_record(record), path=record.path, edited=list(record.corrected))


class VersionOut(_Sourced, _Identified):
    """What an article said until `replaced` (ISO 8601)."""

    version: str
    replaced: str
    text: str

    @classmethod
    def of(cls, version: Version) -> Self:
        """Make it of a version."""
        return cls(
            article_id=version.article_id,
            **_source(version.source),
            version=version.version,
            replaced=version.replaced,
            text=version.text,
        )


class HistoryOut(Out):
    """What an article said before, newest first."""

    versions: list[VersionOut]


class CopiesOut(Out):
    """The other articles that print the same text, the oldest first."""

    copies: list[ArticleOut]


class PassageOut(Out):
    """A passage of an article that is given whole: its span, and the heading it stands under."""

    start: int
    end: int
    heading: str


class WholeArticleOut(_Sourced, _Identified):
    """An article as `recoupe show --json` gives it."""

    passages: list[PassageOut]
    characters: int
    withdrawn: date | None
    path: str
    text: str

    @classmethod
    def of(cls, stored: StoredArticle) -> Self:
        """Make it of an article."""
        passages = [
            PassageOut(start=p.start, end=p.end, heading=p.heading) for p in stored.passages
        ]
        fields = _record(stored.record) | {"passages": passages}
        return cls(**fields, path=stored.record.path, text=stored.text)


class ErasureOut(Out):
    """What was looked at to prove that nothing of articles remains.

    `kept` says what is kept on purpose, so that nothing brings them back; `outside` which files
    they were read from that are still there, `unread` what could not be looked into.
    """

    articles: list[str]
    at: str
    files: int
    bytes: int
    sentences: int
    found: dict[str, int]
    shared: dict[str, int]
    feedback: int
    unread: list[str]
    outside: list[str]
    proven: bool
    kept: str = (
        "sources.sqlite3 et removals.sqlite3 : l'identifiant, l'adresse et des empreintes du "
        "texte, dont il ne se tire pas, pour que rien ne les ramène"
    )

    @classmethod
    def of(cls, erasure: Erasure) -> Self:
        """Make it of a proof."""
        fields = asdict(erasure) | {"found": dict(erasure.found), "shared": dict(erasure.shared)}
        return cls(**fields, proven=erasure.proven)


class FailureOut(Out):
    """An input that could not be ingested, and why."""

    name: str
    reason: str


class ReportOut(Out):
    """What an ingestion did, by article id.

    `barred` names what was not taken, for it was removed on purpose before.
    """

    new: list[str]
    updated: list[str]
    unchanged: list[str]
    removed: list[str]
    failed: list[FailureOut]
    withdrawn: list[str]
    barred: list[str]

    @classmethod
    def of(cls, report: IngestReport) -> Self:
        """Make it of a report."""
        return cls(**asdict(report))


class PushedOut(_Identified):
    """What became of an article that was pushed."""

    status: Literal["new", "updated", "unchanged"]


class AttributionOut(Out):
    """Who says a sentence; `marker` is the piece of text that shows it."""

    kind: Literal["reported", "statement", "conditional"]
    label: str
    speaker: str
    marker: str


class SignalOut(Out):
    """One comparison of a claim with a sentence; `side` is « pour », « contre », « à vérifier »."""

    name: str
    text: str
    side: str


class EvidenceOut(Out):
    """A sentence that bears on a claim, its neighbours, and what it does to the claim.

    `outranked` says why it no longer counts; empty when it does.
    """

    stance: Stance
    probability: float
    attribution: AttributionOut
    citation: CitationOut
    before: str
    after: str
    republished: list[SourceOut]
    outranked: str
    signals: list[SignalOut]

    @classmethod
    def of(cls, evidence: ClaimEvidence) -> Self:
        """Make it of a piece of evidence."""
        attribution = evidence.attribution
        return cls(
            stance=evidence.stance,
            probability=round(evidence.probability, 4),
            attribution=AttributionOut(
                kind=attribution.kind.name.lower(),  # type: ignore[arg-type]  # the names of Kind
                label=attribution.label,
                speaker=attribution.speaker,
                marker=attribution.marker,
            ),
            citation=CitationOut.of(evidence.citation),
            before=evidence.before,
            after=evidence.after,
            republished=[SourceOut.of(s) for s in evidence.also],
            outranked=evidence.outranked,
            signals=[SignalOut(name=s.name, text=s.text, side=s.side) for s in evidence.signals],
        )


class ReviewOut(Out):
    """What a journalist made of a verdict."""

    decision: Literal["", "accepted", "rejected", "corrected"]
    verdict: Label | None
    note: str


class ClaimOut(Out):
    """A claim with its verdict; `sources` counts the independent ones behind it."""

    text: str
    verdict: Label
    reason: str
    confidence: str
    sources: int
    oldest: date | None
    newest: date | None
    evidence: list[EvidenceOut]
    review: ReviewOut

    @classmethod
    def of(cls, claim: CheckedClaim) -> Self:
        """Make it of a checked claim."""
        return cls(
            text=claim.text,
            verdict=claim.verdict,
            reason=claim.reason,
            confidence=claim.confidence,
            sources=claim.sources,
            oldest=claim.oldest,
            newest=claim.newest,
            evidence=[EvidenceOut.of(e) for e in claim.evidence],
            review=ReviewOut(**asdict(claim.review)),
        )


class VerificationOut(Out):
    """The checked claims of a text, and what it takes to repeat the check."""

    claims: list[ClaimOut]
    checked_on: str
    engine: str
    embedding: str
    corpus: str
    articles: int
    version: str

    @classmethod
    def of(cls, verification: Verification) -> Self:
        """Make it of a verification."""
        return cls(
            claims=[ClaimOut.of(c) for c in verification.claims],
            checked_on=verification.checked_on,
            engine=verification.engine,
            embedding=verification.embedding,
            corpus=verification.corpus,
            articles=verification.articles,
            version=verification.version,
        )


class HealthOut(Out):
    """Whether the app answers, and whether it has articles to answer from.

    `warnings` say in French which of the followed sources have fallen silent; `ingested` is
    when one last gave something new, ISO 8601, None for never.
    """

    live: bool
    ready: bool
    articles: int
    ingested: datetime | None = None
    warnings: list[str] = []


class KeptOut(Out):
    """The id under which a judgement was kept."""

    id: str


class FeedbackOut(Out):
    """A judgement of an answer; `at` is when it came, ISO 8601."""

    id: str
    at: str
    rating: Literal["useful", "wrong"]
    question: str
    answer: str
    note: str


class AllFeedbackOut(Out):
    """The judgements that are kept, oldest first."""

    feedback: list[FeedbackOut]


class ProblemOut(Out):
    """What went wrong (RFC 9457); `detail` says in French what, and what to do."""

    type: str
    title: str
    status: int
    detail: str
    instance: str = ""


# The events of each call that streams, by name, with what their `data` holds.
EVENTS: dict[str, dict[str, type[Out]]] = {
    "ask": {"draft": DraftOut, "statement": StatementOut, "done": AnswerOut, "error": ProblemOut},
    "verify": {"claim": ClaimOut, "done": VerificationOut, "error": ProblemOut},
}


def _source(source: Source) -> dict[str, Any]:
    return {
        "title": source.title,
        "source": source.name,
        "author": source.author,
        "published": source.published,
        "url": source.url,
        "section": source.section,
        "correction": source.correction,
        "modified": source.modified,
        "deduced": source.deduced,
        "paywalled": source.paywalled,
    }


def _place(passage: Passage, source: Source) -> dict[str, Any]:
    where = {"start": passage.start, "end": passage.end}
    return {"article_id": passage.article_id, **_source(source), **where}


def _record(record: ArticleRecord) -> dict[str, Any]:
    return {
        "article_id": record.id,
        **_source(record.source),
        "passages": record.passages,
        "characters": record.characters,
        "withdrawn": record.withdrawn,
    }
