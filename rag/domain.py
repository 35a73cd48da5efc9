"""What Recoupe speaks about: articles, passages, citations, answers.

Frozen dataclasses over the standard library only. Every layer above exchanges
these; none of them knows how they are stored, embedded or shown. Offsets are
counted in Python characters (code points) of the article's stored text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Source:
    """Where an article comes from: what a citation shows beside its quote.

    `name` is the publication (« Le Courrier de… »), empty when unknown.
    `correction` tells that the article corrects what its paper had published
    (see `corrections.py`). `modified` is the day of its last change, as its publisher tells
    it, or in a citation as it was seen when its text was read again; `deduced` says that
    `published` is not told by the publisher, but taken from the page; `paywalled` that readers pay
    for the article: it is quoted in bounds, never given whole.
    """

    title: str
    name: str = ""
    author: str = ""
    published: date | None = None
    url: str = ""
    section: str = ""
    correction: bool = False
    modified: date | None = None
    deduced: bool = False
    paywalled: bool = False

    @property
    def day(self) -> int:
        """The day of publication as a proleptic ordinal, 0 when unknown: what indexes filter by."""
        return self.published.toordinal() if self.published else 0


EDITABLE = ("title", "name", "author", "published", "url", "section")
WITHHELD = "withheld"  # among edits: from which day a keeper withholds the article


@dataclass(frozen=True, slots=True)
class Article:
    """One article as read and cleaned.

    `headings` are the `[start, end)` spans of the headings inside `text`; `pages` the offsets
    from which a paragraph stands on another page (« 3 », « 3-4 »), where it was read from pages.
    `path` says which file (and row: `file.jsonl#3`) it was read from, so that
    pruning can tell what is gone; it is empty for what came by other ways. `withdrawn` and
    `edits` are as those of `ArticleRecord`, where an export tells them.
    """

    id: str
    source: Source
    text: str
    headings: tuple[tuple[int, int], ...] = ()
    path: str = ""
    pages: tuple[tuple[int, str], ...] = ()
    withdrawn: date | None = None
    edits: tuple[tuple[str, str], ...] = ()


class Kind(StrEnum):
    """On whose word a sentence stands; the value is what the reader is shown."""

    REPORTED = "fait rapporté par la rédaction"
    STATEMENT = "déclaration"
    CONDITIONAL = "au conditionnel"


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who says a sentence. `speaker` is as the article names them, "" when unknown.

    `marker` is the piece of text that shows it, for the reader; "" for the newsroom.
    """

    kind: Kind = Kind.REPORTED
    speaker: str = ""
    marker: str = ""

    @property
    def label(self) -> str:
        """What the reader is shown: « déclaration de X », « au conditionnel », and so on."""
        if self.kind is not Kind.STATEMENT:
            return str(self.kind)
        return f"déclaration {_of(self.speaker)}" if self.speaker else "déclaration rapportée"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what it counts: `low <= value <= high`, in the unit of its kind.

    `unit` is a kind (« euro », « metre ») or the stem of the noun counted, ""
    when nothing is. `text[start:end]` of the source is how it was written.
    """

    value: float
    low: float
    high: float
    unit: str
    start: int
    end: int

    @property
    def exact(self) -> bool:
        """Whether it was given without « plus de », « environ »."""
        return self.low == self.high

    def agrees(self, other: Quantity) -> bool:
        """Tell whether both can be true of one thing."""
        return self.low <= other.high * 1.000001 and other.low <= self.high * 1.000001


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included."""

    first: date
    last: date

    def meets(self, other: Period) -> bool:
        """Tell whether two periods have a day in common."""
        return self.first <= other.last and other.first <= self.last

    @property
    def days(self) -> int:
        """The length in days."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an article with what was understood of it, once, in its article.

    `[start, end)` are offsets in the article. `stems` are those of its content
    words, `names` and `numbers` as `rag.french` folds them; offsets of
    quantities count from `start`. `vector` is its vector in 8 bits, see
    `rag.models.packing`; empty when none was made. `injection` tells whether it speaks to
    a machine that reads it; None where that was not told at ingestion.
    """

    start: int
    end: int
    stems: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    quantities: tuple[Quantity, ...] = ()
    periods: tuple[Period, ...] = ()
    attribution: Attribution = Attribution()
    heading: bool = False
    vector: bytes = b""
    injection: bool | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A contiguous span of an article: `text == article.text[start:end]` (I1).

    `id` is `article_id:version:index` (I2), see `ArticleRecord.version`. `pages` are as those
    of its article, from its start on.
    """

    id: str
    article_id: str
    index: int
    start: int
    end: int
    text: str
    heading: str = ""
    pages: tuple[tuple[int, str], ...] = ()

    def page_of(self, start: int) -> str:
        """Return the page on which an offset of the article stands, "" where there are none."""
        return next((page for at, page in reversed(self.pages) if at <= start), "")

    @property
    def headed(self) -> str:
        """The text under its heading: what is searched, while `text` alone is cited."""
        return self.text if self.text.startswith(self.heading) else f"{self.heading}\n{self.text}"


BROKEN = -1  # the recipe of an article that is to be read again


def digest_of(text: str) -> str:
    """Return 16 hex digits that tell a text."""
    return blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class ArticleRecord:
    """The line of an article in the index; its presence makes a version current (I2).

    `fingerprint` tells what the version was made of, `generation` which write
    made it: no two writes share one, so that what a writer sweeps can never be
    what another has just written. `withdrawn` is the day on which its publisher was seen to
    have withdrawn it, or a keeper withheld it: it is kept, and answers nothing. `edits` are what
    a keeper said of it (`rag.indexing.edits`): they hold when it is ingested again. `recipe`
    tells apart what the article changed from what another way of reading it did; `BROKEN` that
    the article is to be read again, whatever it says. `digest` tells the text, "" in an index
    of before.
    """

    id: str
    fingerprint: str
    source: Source
    passages: int
    characters: int
    path: str = ""
    generation: str = ""
    withdrawn: date | None = None
    edits: tuple[tuple[str, str], ...] = ()
    recipe: int = 0
    digest: str = ""

    @property
    def version(self) -> str:
        """What the ids of this version's passages carry."""
        return f"{self.fingerprint}.{self.generation}" if self.generation else self.fingerprint

    @property
    def corrected(self) -> tuple[str, ...]:
        """The fields of its source that a keeper corrected."""
        return tuple(field for field, _ in self.edits if field in EDITABLE)

    @property
    def withheld(self) -> bool:
        """Whether it is a keeper who withholds it."""
        return any(field == WITHHELD for field, _ in self.edits)

    def passage_ids(self) -> list[str]:
        """Return the ids of the passages of this version, in reading order."""
        return passage_ids(self.id, self.version, self.passages)


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article read back from the index, whole and in one version."""

    record: ArticleRecord
    passages: tuple[Passage, ...]

    @property
    def text(self) -> str:
        """The article's text: the concatenation of its passages (I1)."""
        return "".join(p.text for p in self.passages)

    @property
    def article(self) -> Article:
        """The article as it was read, its headings and pages as its passages tell them."""
        headings = tuple(
            (p.start, p.start + len(p.heading))
            for p in self.passages
            if p.heading and p.text.startswith(p.heading)
        )
        pages = dict(page for p in self.passages for page in p.pages)
        record = self.record
        return Article(
            record.id, record.source, self.text, headings, record.path, tuple(sorted(pages.items()))
        )


@dataclass(frozen=True, slots=True)
class Version:
    """What an article said until another version took its place, at `replaced` (ISO 8601)."""

    article_id: str
    version: str
    replaced: str
    source: Source
    text: str

    @property
    def day(self) -> date:
        """The day on which it was replaced, where Recoupe runs."""
        return datetime.fromisoformat(self.replaced).astimezone().date()

    def stored(self, record: ArticleRecord) -> StoredArticle:
        """Return it as an article of one passage, to be shown."""
        old = replace(record, source=self.source, passages=1, characters=len(self.text))
        passage = Passage("", self.article_id, 0, 0, len(self.text), self.text)
        return StoredArticle(old, (passage,))


@dataclass(frozen=True, slots=True)
class ArticlePage:
    """A page of the list of articles, newest first.

    `next` is where the following page begins, for whoever made this one to
    read, "" at the end; `total` counts the articles of the index.
    """

    records: tuple[ArticleRecord, ...]
    next: str
    total: int


MOST_FACETS = 200  # names of a kind that `Facets` holds


@dataclass(frozen=True, slots=True)
class Facets:
    """What the index is made of, in an amount that does not grow with it.

    `sources`, `authors` and `sections` are names with their numbers of
    articles, most frequent first, at most `MOST_FACETS` of each; articles
    without one are in none. `first` and `last` bound the days of publication,
    `months` are the first days of the months between them in which articles
    were published, oldest first, with how many.
    """

    sources: tuple[tuple[str, int], ...] = ()
    authors: tuple[tuple[str, int], ...] = ()
    sections: tuple[tuple[str, int], ...] = ()
    first: date | None = None
    last: date | None = None
    articles: int = 0
    passages: int = 0
    months: tuple[tuple[date, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """Which articles may answer. Empty fields do not filter; dates are inclusive."""

    sources: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    articles: tuple[str, ...] = ()  # ids

    def __bool__(self) -> bool:
        named = self.sources or self.authors or self.sections or self.articles
        return bool(named or self.since or self.until)

    def accept(self, article_id: str, source: Source) -> bool:
        """Tell whether an article passes; an undated one fails a date bound."""
        if self.articles and article_id not in self.articles:
            return False
        if self.sources and source.name not in self.sources:
            return False
        if self.authors and source.author not in self.authors:
            return False
        if self.sections and source.section not in self.sections:
            return False
        if self.since and (source.published is None or source.published < self.since):
            return False
        return not (self.until and (source.published is None or source.published > self.until))

    @property
    def named(self) -> Filters:
        """The same, whatever the dates: a part of the corpus by its names."""
        return replace(self, since=None, until=None)

    def within(self, bounds: Filters) -> Filters | None:
        """Return what accepts what both do; None where they have no name of a kind in common."""
        both: dict[str, tuple[str, ...]] = {}
        for kind in ("sources", "authors", "sections", "articles"):
            own, others = getattr(self, kind), getattr(bounds, kind)
            both[kind] = tuple(n for n in own if n in others) if own and others else own or others
            if (own or others) and not both[kind]:
                return None
        first = [day for day in (self.since, bounds.since) if day]
        last = [day for day in (self.until, bounds.until) if day]
        return Filters(**both, since=max(first, default=None), until=min(last, default=None))


class ArticleOrder(StrEnum):
    """In which order found articles are listed; those without a date come last."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class ArticleQuery:
    """Which articles are listed: that hold all of `words`, in text or title, and pass `filters`.

    Words between quotation marks follow each other. Without an `order` those that
    are looked for by words come by relevance, all others newest first.
    """

    words: str = ""
    filters: Filters = Filters()
    order: ArticleOrder | None = None

    @property
    def ordered_by(self) -> ArticleOrder:
        """The order that it asks for, or goes without saying."""
        return self.order or (ArticleOrder.RELEVANCE if self.words else ArticleOrder.NEWEST)


@dataclass(frozen=True, slots=True)
class FoundArticle:
    """An article that was found, with the span around the words that are looked for.

    `marks` are the `[start, end)` of those words in its text, within the `excerpt`; `in_title`
    those in its title. The excerpt is None where no word of the text was looked for, or none may
    be shown.
    """

    record: ArticleRecord
    excerpt: Citation | None = None
    marks: tuple[tuple[int, int], ...] = ()
    in_title: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ArticleResults:
    """A page of the articles that were found.

    `facets` count all that were found, not the page alone; `next` is where the following page
    begins, "" at the end; `total` counts the articles of the index.
    """

    articles: tuple[FoundArticle, ...]
    next: str
    facets: Facets
    total: int


@dataclass(frozen=True, slots=True)
class QuotedSpeaker:
    """Somebody whose words an article reports, as it names them, and the citations of those."""

    name: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question.

    `score` orders hits of one search (a sum of standardised scores: no unit,
    not comparable between searches); `similarity` is the mean of the cosines
    of the question with the passage and with the part of it that is nearest,
    and None when it was not computed; `sentences` are those of the passage with
    what was understood of them, `cosines` theirs with the question (none where
    they have no vectors); `lexical` is the BM25 score, 0 when no word matches.
    `also` lists the near-identical passages of other articles that this one
    stands for.
    """

    passage: Passage
    source: Source
    score: float
    similarity: float | None = None
    lexical: float = 0.0
    sentences: tuple[Sentence, ...] = ()
    cosines: tuple[float, ...] = ()
    also: tuple[tuple[Passage, Source], ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """An exact span of a stored article: `quote == article.text[start:end]` (I1).

    With `in_title` the span is one of its title, whole. `page` is where it stands in what was read
    (« 3 », « 3-4 »), "" where there are no pages. Raises ValueError for what is no span:
    `0 <= start < end`, and as long as its quote.
    """

    article_id: str
    source: Source
    start: int
    end: int
    quote: str
    page: str = ""
    in_title: bool = False

    def __post_init__(self) -> None:
        """Hold the wall of I1: what a browser hands back makes citations too."""
        if not 0 <= self.start < self.end or len(self.quote) != self.end - self.start:
            raise ValueError(f"no span: {self.start}, {self.end}, {len(self.quote)} characters")

    def stands_in(self, text: str) -> bool:
        """Tell whether an article's text has the quote where it is cited."""
        return (self.source.title if self.in_title else text)[self.start : self.end] == self.quote

    @classmethod
    def of_title(cls, article_id: str, source: Source) -> Citation:
        """Return the citation of an article's title. Raises ValueError where it has none."""
        return cls(article_id, source, 0, len(source.title), source.title, in_title=True)

    @classmethod
    def of(cls, passage: Passage, source: Source, start: int, end: int) -> Citation:
        """Return the citation of a span, in offsets of the article, of a passage.

        Raises ValueError for a span that is not within the passage.
        """
        if not passage.start <= start < end <= passage.end:
            raise ValueError(f"{start}, {end} is outside of {passage.start}, {passage.end}")
        quote = passage.text[start - passage.start : end - passage.start]
        return cls(passage.article_id, source, start, end, quote, passage.page_of(start))


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of an answer with what it rests on (I4).

    `lead_in` introduces it (« Selon X, 12 mars 2024 : ») and is ours, not the
    article's. An unsupported statement keeps the reason in `problem`. `span` is the place
    `[start, end)` in `text` of the words that answer, where they are told apart.
    """

    text: str
    citations: tuple[Citation, ...] = ()
    supported: bool = True
    lead_in: str = ""
    problem: str = ""
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Nearest:
    """A sentence near to a question that it does not answer; `shared`: its words that are asked."""

    citation: Citation
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What Recoupe answers. `mode` is "extractive" or the language model's name.

    `asked` is the question that was really searched, when a follow-up was
    completed from the conversation; it equals `question` otherwise.
    `probability`, in [0, 1], is that of an extract that answers; None when it
    was not estimated. `intro`, ours, introduces the whole, "" for nothing. A
    refusal tells the `nearest` sentences, at most three, and may tell a near
    question that the articles answer, the `suggestion`; it is `tentative` where its one nearest
    sentence may answer.
    """

    question: str
    statements: tuple[Statement, ...]
    hits: tuple[Hit, ...]
    refused: bool
    mode: str
    text: str
    asked: str = ""
    notice: str = ""
    probability: float | None = None
    intro: str = ""
    nearest: tuple[Nearest, ...] = ()
    suggestion: str = ""
    tentative: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """One past exchange of a conversation."""

    question: str
    answer: str


class Stance(StrEnum):
    """What a sentence does to a claim."""

    SUPPORTS = "supports"
    CONTRADICTS = "contradicts"
    NEITHER = "neither"


class SignalName(StrEnum):
    """What is compared; the value is what the reader is shown."""

    NUMBER = "nombre"
    DATE = "date"
    NAMES = "noms"
    ROLES = "rôles"
    SCOPE = "étendue"
    MODALITY = "réalisation"
    ALLEGATION = "allégation"
    NEGATION = "négation"
    CONTRARY = "contraires"
    SOURCE = "source"
    CURRENCY = "monnaie"
    MEANING = "sens"


class Side(StrEnum):
    """Which way a signal points; the value is what the reader is shown."""

    FOR = "pour"
    AGAINST = "contre"
    OPEN = "à vérifier"


@dataclass(frozen=True, slots=True)
class Signal:
    """One comparison of a claim with a sentence, for a reader: `text` in French."""

    name: SignalName
    text: str
    side: Side


class Label(StrEnum):
    """The verdicts, as the reader sees them."""

    SUPPORTED = "Soutenu"
    CONTRADICTED = "Contredit"
    DIVERGING = "Sources divergentes"
    DECLARED = "Déclaration"
    INSUFFICIENT = "Preuves insuffisantes"
    UNVERIFIABLE = "Non vérifiable"


@dataclass(frozen=True, slots=True)
class ClaimEvidence:
    """A sentence that bears on a claim, with who says it and what it does to the claim.

    `before` and `after` are its neighbours in the article; `also` are the
    sources that republished it; `outranked` says in French why it no longer
    counts ("" when it does). `coverage` is the share of the claim's words that
    sentence and surroundings hold. `his_words` tells that the
    claim is about these very words (« le maire assure que… »), `other_voice`
    that it is about the words of somebody else, whom this cannot settle. Articles of one
    `group` are copies of one text.
    """

    citation: Citation
    attribution: Attribution
    stance: Stance
    probability: float
    coverage: float
    his_words: bool = False
    other_voice: bool = False
    signals: tuple[Signal, ...] = ()
    before: str = ""
    after: str = ""
    also: tuple[Source, ...] = ()
    corrects: bool = False
    outranked: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """What a journalist made of a verdict: "accepted", "rejected" or "corrected", and a note.

    `verdict` is the one that they put in its place when it is corrected.
    """

    decision: Literal["", "accepted", "rejected", "corrected"] = ""
    verdict: Label | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim with its verdict. `sources` counts the independent ones behind the verdict.

    `span` is the place `[start, end)` that it comes from in the text that was checked, without its
    markup where it had some; None where that is not known.
    `confidence` is a word ("élevée", "moyenne", "faible", or "" without
    evidence); `oldest` and `newest` bound the evidence's publication.
    """

    text: str
    verdict: Label
    reason: str
    confidence: str = ""
    sources: int = 0
    oldest: date | None = None
    newest: date | None = None
    evidence: tuple[ClaimEvidence, ...] = ()
    review: Review = Review()
    span: tuple[int, int] | None = None

    @property
    def settled(self) -> Label:
        """The verdict, or the one that a journalist put in its place."""
        corrected = self.review.decision == "corrected"
        return self.review.verdict if corrected and self.review.verdict else self.verdict


@dataclass(frozen=True, slots=True)
class Verification:
    """The checked claims of a text, and what it takes to repeat the check."""

    claims: tuple[CheckedClaim, ...]
    checked_on: str  # ISO 8601, with the time zone
    engine: str
    embedding: str
    corpus: str  # fingerprint of the articles' versions
    articles: int
    version: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that could not be ingested, by name, and why (a French sentence)."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingestion did, by article id (failures by file or row).

    `barred` names what was found and not taken, for it was removed on purpose before.
    """

    new: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    failed: tuple[Failure, ...] = ()
    withdrawn: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was done to leave nothing of articles, and what was looked at to prove it.

    `articles` are the ids that were there; `files` and `bytes` what was looked through for
    each of the `sentences` (their number); `found` names files in which one remains, with how
    many; `shared` other articles that say some of them too, with how many. `feedback` counts
    the readers' judgements that quoted them and went, `exchanges` the questions and claims kept
    for the newsroom that did. `at` is ISO 8601. `unread` names files
    that could not be looked into; `outside` files that the articles were read from and that are
    still there: nothing outside of the index's folder is touched.
    """

    articles: tuple[str, ...]
    at: str
    files: int = 0
    bytes: int = 0
    sentences: int = 0
    found: tuple[tuple[str, int], ...] = ()
    shared: tuple[tuple[str, int], ...] = ()
    feedback: int = 0
    exchanges: int = 0
    unread: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether nothing remains."""
        looked = bool(self.articles and self.sentences and self.files) and not self.unread
        return looked and not self.found


def together(reports: Iterable[IngestReport]) -> IngestReport:
    """Return several reports as one, each article and failure once."""
    items = list(reports)

    def all_of(name: str) -> tuple[Any, ...]:
        return tuple(dict.fromkeys(item for r in items for item in getattr(r, name)))

    return IngestReport(*(all_of(f.name) for f in fields(IngestReport)))


@dataclass(frozen=True, slots=True)
class FileRead:
    """Says that a file was read whole: an article of it that was not found is no longer there."""

    path: str


Found = Article | Failure | FileRead
"""What readers find, one at a time; a file's articles come before its `FileRead`."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that readers found, for when it is little: a corpus does not fit in memory."""

    articles: tuple[Article, ...] = ()
    failures: tuple[Failure, ...] = ()
    read: tuple[str, ...] = ()

    @classmethod
    def of(cls, found: Iterable[Found]) -> Reading:
        """Take it to its end."""
        items = list(found)
        return cls(
            tuple(f for f in items if isinstance(f, Article)),
            tuple(f for f in items if isinstance(f, Failure)),
            tuple(f.path for f in items if isinstance(f, FileRead)),
        )

    def __iter__(self) -> Iterator[Found]:
        yield from self.articles
        yield from self.failures
        yield from map(FileRead, self.read)


def passage_ids(article_id: str, version: str, count: int) -> list[str]:
    """Return the ids of the passages of a version, `article_id:version:index`, in order."""
    return [f"{article_id}:{version}:{index}" for index in range(count)]


def passages_beside(passage_id: str) -> tuple[str, str]:
    """Return the ids of the passages before and after one in its version: there may be none."""
    version, _, index = passage_id.rpartition(":")
    return f"{version}:{int(index) - 1}", f"{version}:{int(index) + 1}"


def version_of(passage_id: str) -> tuple[str, str]:
    """Return (article id, version) of a passage id."""
    article_id, version, _ = passage_id.rsplit(":", 2)
    return article_id, version


def _of(who: str) -> str:
    """Return « de X », « du X », « d’X », contracted as French does."""
    for article, contracted in (("le ", "du "), ("les ", "des ")):
        if who.lower().startswith(article):
            return contracted + who[len(article) :]
    head = who[:1].lower() + who[1:] if re.match(r"(?:La|L'|Un|Une|Des|Son|Sa|Ses)\b", who) else who
    head = head.replace("'", "’")
    head = head.removeprefix("des ")
    return f"d’{head}" if re.match(r"[aeiouyàâéèêîôùAEIOUÀÉÈÊÎÔ]", head) else f"de {head}"


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source does. Times are seconds since 1970, 0.0 for never.

    `succeeded` is when it was last read without a problem, `fed` when it last gave something
    new; `pages` counts those that it lists, `added` the articles that it gave in all, `failed`
    the pages that could not be read the last time; `problem` is why it could not be read, "".
    """

    address: str
    kind: str = ""
    run: int = 0
    tried: float = 0.0
    succeeded: float = 0.0
    fed: float = 0.0
    pages: int = 0
    added: int = 0
    failed: int = 0
    problem: str = ""
