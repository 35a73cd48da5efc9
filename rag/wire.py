"""What Recoupe says to programs: the JSON of the API, of `--json` and of reports.

One pydantic model an answer, made from domain objects by `of`; OpenAPI describes them. A field is
the attribute of its name, or of its alias: a new one is a line here. What has none here does not
go out: sentences and their vectors, what the index holds of a record, and where its file lies,
but for who has the machine (`RecordOut`, `WholeArticleOut`). What is paid for is cut before
(`rag/paid.py`); who may have the whole text (`ArticleTextOut`) is for the API to tell. What comes
*in* by the API stands in `rag/web/schemas.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, NamedTuple, Self, TypeVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from rag.domain import (
    Answer,
    ArticlePage,
    ArticleRecord,
    ArticleResults,
    CheckedClaim,
    Citation,
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

T = TypeVar("T")
Rounded = Annotated[float, AfterValidator(lambda value: round(value, 4))]
Pairs = Annotated[dict[str, int], BeforeValidator(dict)]


class Out(BaseModel):
    """Something said to a program."""

    model_config = ConfigDict(from_attributes=True)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON-ready fields; dates are ISO 8601."""
        return self.model_dump(mode="json")


class _Of(Out, Generic[T]):
    """What is made of a domain object of a type."""

    @classmethod
    def of(cls, value: T) -> Self:
        """Make it of a domain object."""
        return cls.model_validate(value)


def _of(name: str, *holders: str) -> Any:
    """Return a field that is an attribute of an object, or of what it holds (« record.source »)."""
    paths = [AliasPath(*holder.split("."), name) for holder in holders]
    return Field(validation_alias=AliasChoices(*paths, name))


def _of_source(name: str) -> Any:
    return _of(name, "source", "record.source", "citation.source")


class _Identified(Out):
    article_id: str = Field(
        validation_alias=AliasChoices(
            "article_id", "id", AliasPath("record", "id"),
            AliasPath("passage", "article_id"), AliasPath("citation", "article_id"),
        )
    )  # fmt: skip


class _Sourced(Out):
    title: str = _of_source("title")
    source: str = _of_source("name")
    author: str = _of_source("author")
    published: date | None = _of_source("published")
    url: str = _of_source("url")
    section: str = _of_source("section")
    correction: bool = _of_source("correction")
    modified: date | None = _of_source("modified")
    deduced: bool = _of_source("deduced")
    paywalled: bool = _of_source("paywalled")


class _Placed(_Sourced, _Identified):
    """A span of an article: `[start, end)`, in Unicode code points of its text."""

    start: int = _of("start", "passage", "citation")
    end: int = _of("end", "passage", "citation")


class SourceOut(_Sourced, _Of[Source]):
    """Where an article comes from.

    `correction` tells that it corrects what its paper published, `deduced` that the date is
    not told by the publisher, `paywalled` that readers pay for it.
    """


class CitationOut(_Placed, _Of[Citation]):
    """An exact quote: the article's text from `start` to `end`, on a `page` if there are some.

    With `in_title` it is the article's title, and `start` and `end` count in it.
    """

    quote: str = _of("quote", "citation")
    page: str = _of("page", "citation")
    in_title: bool = _of("in_title", "citation")


class _Republication(NamedTuple):
    passage: Passage
    source: Source


def _republished(also: Iterable[tuple[Passage, Source]]) -> list[_Republication]:
    return [_Republication(*pair) for pair in also]


class RepublicationOut(_Placed):
    """A passage of another article that says the same, almost word for word."""


class HitOut(_Placed, _Of[Hit]):
    """A passage found. `score` orders those of one search; `also` are its republications."""

    text: str = _of("text", "passage")
    heading: str = _of("heading", "passage")
    score: Rounded
    similarity: Rounded | None
    lexical: Rounded
    also: Annotated[list[RepublicationOut], BeforeValidator(_republished)]


class StatementOut(_Of[Statement]):
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


class NearestOut(CitationOut):
    """A sentence near to a question that it does not answer; `shared`: its words that are asked."""

    shared: list[str]


class AnswerOut(_Of[Answer]):
    """An answer, or a refusal with the nearest sentences.

    `asked` is the question that was really searched; `intro` introduces the whole and is ours;
    `suggestion` is a near question that the articles answer, "" for none; a refusal is
    `tentative` where its one nearest sentence may answer.
    """

    question: str
    asked: str
    answer: str = Field(validation_alias="text")
    refused: bool
    mode: str
    notice: str
    probability: Rounded | None
    intro: str
    statements: list[StatementOut]
    nearest: list[NearestOut]
    suggestion: str
    tentative: bool
    passages: list[HitOut] = Field(validation_alias="hits")

    @field_validator("asked")
    @classmethod
    def _question(cls, asked: str, others: ValidationInfo) -> str:
        return asked or str(others.data["question"])


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
    passages: int = _of("passages", "record")
    characters: int = _of("characters", "record")
    withdrawn: date | None = _of("withdrawn", "record")


class ArticleOut(_Listed, _Of[ArticleRecord]):
    """An article as anybody may see it: without the place of its file on the server's disk."""


class ArticlesOut(_Of[ArticlePage]):
    """Some of the articles, newest first; `next` is the `after` of those that follow, or "".

    `found` counts those that words and filters find, null where none were given; `excerpts` are
    exact quotes around the words, one of each article in whose text they may be shown.
    """

    articles: list[ArticleOut] = Field(validation_alias="records")
    next: str
    total: int
    found: int | None = None
    excerpts: list[CitationOut] = []

    @classmethod
    def of_results(cls, results: ArticleResults) -> Self:
        """Make it of a page of what words and filters find."""
        page = ArticlePage(tuple(f.record for f in results.articles), results.next, results.total)
        excerpts = [CitationOut.of(f.excerpt) for f in results.articles if f.excerpt]
        found = {"found": results.facets.articles, "excerpts": excerpts}
        return cls.of(page).model_copy(update=found)


class ArticleTextOut(_Listed, _Of[StoredArticle]):
    """An article with its text."""

    text: str


class RecordOut(_Listed, _Of[ArticleRecord]):
    """An article as `recoupe list --json` gives it; `path` is the file that it was read from.

    `edited` names the fields that a keeper corrected.
    """

    path: str
    edited: list[str] = Field(validation_alias="corrected")


class VersionOut(_Sourced, _Identified, _Of[Version]):
    """What an article said until `replaced` (ISO 8601)."""

    version: str
    replaced: str
    text: str


class HistoryOut(Out):
    """What an article said before, newest first."""

    versions: list[VersionOut]


class CopiesOut(Out):
    """The other articles that print the same text, the oldest first."""

    copies: list[ArticleOut]


class SiteOut(Out):
    """How the widget looks in a site: a colour, families of fonts, pixels; "" and null for none."""

    accent: str
    font: str
    radius: int | None


class PassageOut(Out):
    """A passage of an article that is given whole: its span, and the heading it stands under."""

    start: int
    end: int
    heading: str


class WholeArticleOut(_Sourced, _Identified, _Of[StoredArticle]):
    """An article as `recoupe show --json` gives it."""

    passages: list[PassageOut]
    characters: int = _of("characters", "record")
    withdrawn: date | None = _of("withdrawn", "record")
    path: str = _of("path", "record")
    text: str


class ErasureOut(_Of[Erasure]):
    """What was looked at to prove that nothing of articles remains.

    `kept` says what is kept on purpose, so that nothing brings them back; `outside` which files
    they were read from that are still there, `unread` what could not be looked into.
    """

    articles: list[str]
    at: str
    files: int
    bytes: int
    sentences: int
    found: Pairs
    shared: Pairs
    feedback: int
    exchanges: int
    unread: list[str]
    outside: list[str]
    proven: bool
    kept: str = (
        "sources.sqlite3 et removals.sqlite3 : l'identifiant, l'adresse et des empreintes du "
        "texte, dont il ne se tire pas, pour que rien ne les ramène"
    )


class FailureOut(Out):
    """An input that could not be ingested, and why."""

    name: str
    reason: str


class ReportOut(_Of[IngestReport]):
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


class PushedOut(_Identified):
    """What became of an article that was pushed."""

    status: Literal["new", "updated", "unchanged"]


class AttributionOut(Out):
    """Who says a sentence; `marker` is the piece of text that shows it."""

    kind: Annotated[
        Literal["reported", "statement", "conditional"],
        Field(validation_alias=AliasPath("kind", "name")),
        BeforeValidator(str.lower),
    ]
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
    probability: Rounded
    attribution: AttributionOut
    citation: CitationOut
    before: str
    after: str
    republished: list[SourceOut] = Field(validation_alias="also")
    outranked: str
    signals: list[SignalOut]


class ReviewOut(Out):
    """What a journalist made of a verdict."""

    decision: Literal["", "accepted", "rejected", "corrected"]
    verdict: Label | None
    note: str


class ClaimOut(_Of[CheckedClaim]):
    """A claim with its verdict; `sources` counts the independent ones behind it.

    `span` is the place `[start, end)` that it comes from in the text that was sent, in characters,
    without its HTML tags where it has some; null where that is not known.
    """

    text: str
    verdict: Label
    reason: str
    confidence: str
    sources: int
    oldest: date | None
    newest: date | None
    evidence: list[EvidenceOut]
    review: ReviewOut
    span: tuple[int, int] | None


class VerificationOut(_Of[Verification]):
    """The checked claims of a text, and what it takes to repeat the check."""

    claims: list[ClaimOut]
    checked_on: str
    engine: str
    embedding: str
    corpus: str
    articles: int
    version: str


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
