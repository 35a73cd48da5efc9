"""Questions with known answers: SQuAD files and the project's own lists."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag import messages
from rag.domain import Article, Citation, Passage, Source, Turn
from rag.errors import ReadError
from rag.french.words import shorten, words

_QUOTE_OVERLAP = 0.7  # share of the words of a quote


@dataclass(frozen=True, slots=True)
class Gold:
    """A span `[start, end)` of an article that answers."""

    article_id: str
    start: int
    end: int

    def meets(self, article_id: str, start: int, end: int) -> bool:
        """Tell whether the span `[start, end)` of an article contains or overlaps this one."""
        return self.article_id == article_id and start < self.end and self.start < end


@dataclass(frozen=True, slots=True)
class Quote:
    """A verbatim piece of an article that answers a part of a question.

    `article_id` is that of the source; the article's own may add a digest to it.
    """

    article_id: str
    text: str
    part: int = 1

    def covered(self, article_id: str, text: str) -> bool:
        """Tell whether a text contains the quote, is contained in it, or holds most of its words.

        Typography does not count.
        """
        if article_id != self.article_id and not article_id.startswith(f"{self.article_id}-"):
            return False
        wanted, text_words = words(self.text), words(text)
        joined, other = f" {' '.join(wanted)} ", f" {' '.join(text_words)} "
        if joined in other or (text_words and other in joined):
            return True
        return len(set(wanted) & set(text_words)) >= _QUOTE_OVERLAP * len(set(wanted))


@dataclass(frozen=True, slots=True)
class Item:
    """A question and what answers it, spans or quotes; nothing: the corpus has no answer.

    `kind` groups questions; `contrary` are quotes that say otherwise than a question
    that rests on something false; `history` are the turns before it, and `independent`
    says whether it stands by itself then (None: not said).
    """

    id: str
    question: str
    gold: tuple[Gold, ...] = ()
    quotes: tuple[Quote, ...] = ()
    kind: str = ""
    contrary: tuple[Quote, ...] = ()
    history: tuple[Turn, ...] = ()
    independent: bool | None = None

    @property
    def answerable(self) -> bool:
        """Whether the corpus answers it."""
        return bool(self.gold or self.quotes)

    def answered_by(self, span: Passage | Citation) -> bool:
        """Tell whether a passage or citation holds something that answers."""
        return bool(self.parts_in([span]))

    @property
    def parts(self) -> int:
        """The number of parts of the answer."""
        return len({q.part for q in self.quotes}) or int(bool(self.gold))

    def met_by(self, citation: Citation) -> bool:
        """Tell whether a citation says what is false in the question."""
        return any(q.covered(citation.article_id, citation.quote) for q in self.contrary)

    def parts_in(self, spans: Sequence[Passage | Citation]) -> set[int]:
        """Return the parts of the answer that some passages or citations cover."""
        quotes = [(s.article_id, s.quote if isinstance(s, Citation) else s.text) for s in spans]
        found = {q.part for q in self.quotes if any(q.covered(*s) for s in quotes)}
        in_text = [s for s in spans if not (isinstance(s, Citation) and s.in_title)]
        if any(g.meets(s.article_id, s.start, s.end) for g in self.gold for s in in_text):
            found.add(1)
        return found


def read_squad(path: Path) -> tuple[list[Article], list[Item]]:
    """Read a SQuAD file: each distinct context as an article, and its questions.

    A question without `answers` is answered by its whole context, one marked
    `is_impossible` by nothing. Titles are left out: in question-and-answer
    collections they often are the question. Raises ReadError.
    """
    data = _json(path)
    articles: dict[str, Article] = {}
    items: list[Item] = []
    try:
        for entry in data["data"]:
            for paragraph in entry["paragraphs"]:
                context = paragraph["context"]
                article = articles.setdefault(context, article_of(context))
                items += [
                    Item(str(qa.get("id") or len(items) + at), qa["question"], _gold(qa, article))
                    for at, qa in enumerate(paragraph["qas"])
                ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ReadError(messages.NOT_SQUAD.format(path, error)) from error
    return list(articles.values()), _with_distinct_ids(items)


def read_questions(path: Path) -> list[Item]:
    """Read questions about the current index, one JSON object a line.

    Each has `question` and `answers`, a list of `{article_id, start, end}` or
    of `{article_id, quote, part}`, empty when the corpus has no answer; it may have
    `id`, `kind`, `independent`, `history`, a list of `{question, answer}`, and
    `contradicted_by`, a list of `{article_id, quote}`. Raises ReadError.
    """
    items = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            items.append(_item(json.loads(line), number))
        except (ValueError, KeyError, TypeError) as error:
            raise ReadError(messages.BAD_QUESTION_LINE.format(number, path, error)) from error
    return items


def _item(row: dict[str, Any], number: int) -> Item:
    answers = row["answers"]
    return Item(
        id=str(row.get("id", number)),
        question=row["question"],
        gold=tuple(
            Gold(a["article_id"], a["start"], a["end"])
            for a in answers
            if "start" in a or "quote" not in a
        ),
        quotes=tuple(
            Quote(a["article_id"], a["quote"], a.get("part", 1))
            for a in answers
            if "start" not in a and "quote" in a
        ),
        kind=row.get("kind", ""),
        contrary=tuple(Quote(a["article_id"], a["quote"]) for a in row.get("contradicted_by", ())),
        history=tuple(Turn(t["question"], t["answer"]) for t in row.get("history", ())),
        independent=row.get("independent"),
    )


def hold_out(
    articles: Sequence[Article], items: Sequence[Item], share: float, seed: int
) -> tuple[list[Article], list[Item]]:
    """Leave out a share of the articles; the questions they answered become unanswerable."""
    shuffled = sorted(articles, key=lambda a: a.id)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - a sample, no secret
    gone = {a.id for a in shuffled[: round(share * len(shuffled))]}
    remaining = [a for a in articles if a.id not in gone]
    return remaining, [
        replace(item, gold=tuple(g for g in item.gold if g.article_id not in gone))
        for item in items
    ]


def sample(items: Sequence[Item], limit: int, seed: int) -> list[Item]:
    """Return at most `limit` items, drawn at random, in their order; all when `limit` is 0."""
    if not limit or limit >= len(items):
        return list(items)
    drawn = random.Random(seed).sample(range(len(items)), limit)  # noqa: S311
    return [items[i] for i in sorted(drawn)]


def article_of(context: str) -> Article:
    """Return a context as an article, under an id that its text gives."""
    key = "context-" + hashlib.sha256(context.encode("utf-8", "replace")).hexdigest()[:12]
    return Article(key, Source(shorten(" ".join(context.split()), 60)), context)


def _gold(qa: dict[str, Any], article: Article) -> tuple[Gold, ...]:
    if qa.get("is_impossible"):
        return ()
    spans = {
        Gold(article.id, a["answer_start"], a["answer_start"] + len(a["text"]))
        for a in qa.get("answers") or ()
        if a.get("text")
    }
    whole = Gold(article.id, 0, len(article.text))
    return tuple(sorted(spans, key=lambda g: (g.start, g.end))) or (whole,)


def _with_distinct_ids(items: Sequence[Item]) -> list[Item]:
    seen: dict[str, int] = {}
    found = []
    for item in items:
        count = seen[item.id] = seen.get(item.id, 0) + 1
        found.append(item if count == 1 else replace(item, id=f"{item.id}#{count}"))
    return found


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path))
    except ValueError as error:
        raise ReadError(messages.NOT_JSON.format(path, error)) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(messages.DATA_NOT_READ.format(path, error)) from error
