"""What Recoupe speaks about: articles, passages, citations, answers.

Frozen dataclasses over the standard library only. Every layer above exchanges
these; none of them knows how they are stored, embedded or shown. Offsets are
counted in Python characters (code points) of the article's stored text.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Source:
    """Where an article comes from: what a citation shows beside its quote.

    `name` is the publication (« Le Courrier de… »), empty when unknown.
    `correction` tells that the article corrects what its paper had published
    (see `corrections.py`).
    """

    title: str
    name: str = ""
    author: str = ""
    published: date | None = None
    url: str = ""
    section: str = ""
    correction: bool = False

    @property
    def day(self) -> int:
        """The day of publication as a proleptic ordinal, 0 when unknown: what indexes filter by."""
        return self.published.toordinal() if self.published else 0


@dataclass(frozen=True, slots=True)
class Article:
    """One article as read and cleaned.

    `headings` are the `[start, end)` spans of the headings inside `text`.
    `path` says which file (and row: `file.jsonl#3`) it was read from, so that
    pruning can tell what is gone; it is empty for what came by other ways.
    """

    id: str
    source: Source
    text: str
    headings: tuple[tuple[int, int], ...] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A contiguous span of an article: `text == article.text[start:end]` (I1).

    `id` is `article_id:version:index` (I2), see `ArticleRecord.version`.
    """

    id: str
    article_id: str
    index: int
    start: int
    end: int
    text: str
    heading: str = ""

    @property
    def headed(self) -> str:
        """The text under its heading: what is searched, while `text` alone is cited."""
        return self.text if self.text.startswith(self.heading) else f"{self.heading}\n{self.text}"


@dataclass(frozen=True, slots=True)
class ArticleRecord:
    """The line of an article in the index; its presence makes a version current (I2).

    `fingerprint` tells what the version was made of, `generation` which write
    made it: no two writes share one, so that what a writer sweeps can never be
    what another has just written.
    """

    id: str
    fingerprint: str
    source: Source
    passages: int
    characters: int
    path: str = ""
    generation: str = ""

    @property
    def version(self) -> str:
        """What the ids of this version's passages carry."""
        return f"{self.fingerprint}.{self.generation}" if self.generation else self.fingerprint

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

    def __bool__(self) -> bool:
        return bool(self.sources or self.authors or self.sections or self.since or self.until)

    def accept(self, source: Source) -> bool:
        """Tell whether an article of this source passes; an undated one fails a date bound."""
        if self.sources and source.name not in self.sources:
            return False
        if self.authors and source.author not in self.authors:
            return False
        if self.sections and source.section not in self.sections:
            return False
        if self.since and (source.published is None or source.published < self.since):
            return False
        return not (self.until and (source.published is None or source.published > self.until))


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question.

    `score` orders hits of one search (a sum of standardised scores: no unit,
    not comparable between searches); `similarity` is the mean of the cosines
    of the question with the passage and with the part of it that is nearest,
    and None when it was not computed; `parts` are the cosines of its parts, see
    `splitting.parts`; `lexical` is the BM25 score, 0 when no word matches.
    `also` lists the near-identical passages of other articles that this one
    stands for.
    """

    passage: Passage
    source: Source
    score: float
    similarity: float | None = None
    lexical: float = 0.0
    parts: tuple[float, ...] = ()
    also: tuple[tuple[Passage, Source], ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """An exact span of a stored article: `quote == article.text[start:end]` (I1)."""

    article_id: str
    source: Source
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of an answer with what it rests on (I4).

    `lead_in` introduces it (« Selon X, 12 mars 2024 : ») and is ours, not the
    article's. An unsupported statement keeps the reason in `problem`.
    """

    text: str
    citations: tuple[Citation, ...] = ()
    supported: bool = True
    lead_in: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What Recoupe answers. `mode` is "extractive" or the language model's name.

    `asked` is the question that was really searched, when a follow-up was
    completed from the conversation; it equals `question` otherwise.
    `probability`, in [0, 1], is that of an extract that answers; None when it
    was not estimated.
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


@dataclass(frozen=True, slots=True)
class Turn:
    """One past exchange of a conversation."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that could not be ingested, by name, and why (a French sentence)."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingestion did, by article id (failures by file or row)."""

    new: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    failed: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What readers made of files: articles, failures, and each path that was read whole."""

    articles: tuple[Article, ...] = ()
    failures: tuple[Failure, ...] = ()
    read: tuple[str, ...] = ()


def passage_ids(article_id: str, version: str, count: int) -> list[str]:
    """Return the ids of the passages of a version, `article_id:version:index`, in order."""
    return [f"{article_id}:{version}:{index}" for index in range(count)]


def version_of(passage_id: str) -> tuple[str, str]:
    """Return (article id, version) of a passage id."""
    article_id, version, _ = passage_id.rsplit(":", 2)
    return article_id, version


def source_json(source: Source) -> dict[str, Any]:
    """Return a source as JSON-ready fields; `published` is ISO 8601 or null."""
    return {
        "title": source.title,
        "source": source.name,
        "author": source.author,
        "published": source.published.isoformat() if source.published else None,
        "url": source.url,
        "section": source.section,
        "correction": source.correction,
    }


def citation_json(citation: Citation) -> dict[str, Any]:
    """Return a citation as in `recoupe ask --json`."""
    return {
        "article_id": citation.article_id,
        **source_json(citation.source),
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
    }


def hit_json(hit: Hit) -> dict[str, Any]:
    """Return a hit as in `recoupe search --json`."""
    passage = hit.passage
    return {
        "article_id": passage.article_id,
        **source_json(hit.source),
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "heading": passage.heading,
        "score": round(hit.score, 4),
        "similarity": None if hit.similarity is None else round(hit.similarity, 4),
        "lexical": round(hit.lexical, 4),
        "also": [
            {"article_id": p.article_id, **source_json(s), "start": p.start, "end": p.end}
            for p, s in hit.also
        ],
    }


def statement_json(statement: Statement) -> dict[str, Any]:
    """Return one sentence of an answer as in `recoupe ask --json`."""
    return {
        "text": statement.text,
        "lead_in": statement.lead_in,
        "supported": statement.supported,
        "problem": statement.problem,
        "citations": [citation_json(c) for c in statement.citations],
    }


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return an answer as in `recoupe ask --json`."""
    return {
        "question": answer.question,
        "asked": answer.asked or answer.question,
        "answer": answer.text,
        "refused": answer.refused,
        "mode": answer.mode,
        "notice": answer.notice,
        "probability": None if answer.probability is None else round(answer.probability, 4),
        "statements": [statement_json(s) for s in answer.statements],
        "passages": [hit_json(h) for h in answer.hits],
    }


def record_json(record: ArticleRecord) -> dict[str, Any]:
    """Return an article's record as in `recoupe list --json`."""
    return {
        "article_id": record.id,
        **source_json(record.source),
        "passages": record.passages,
        "characters": record.characters,
        "path": record.path,
    }


def report_json(report: IngestReport) -> dict[str, Any]:
    """Return an ingestion report as in `recoupe ingest --json`."""
    return asdict(report)
