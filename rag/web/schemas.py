"""What goes into the HTTP API, checked, and what OpenAPI says of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from rag import messages
from rag.checking.claims import LONGEST_TEXT
from rag.domain import Filters, Turn
from rag.searching.question import LONGEST_QUESTION

MOST_NAMES = 50
Name = Annotated[str, StringConstraints(max_length=300)]
# With the version and the number of a passage it makes an id that Chroma's cloud takes (128 bytes).
ArticleId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]


def _as_text(value: Any) -> Any:
    """Refuse what pydantic would read as seconds since 1970: the contract says a date."""
    if isinstance(value, int | float):
        raise ValueError(messages.BAD_JSON_DATE)
    return value


Day = Annotated[date, BeforeValidator(_as_text)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FiltersBody(_Body):
    """Which articles may answer; empty lists do not filter, dates are inclusive."""

    sources: list[Name] = Field(default=[], max_length=MOST_NAMES)
    authors: list[Name] = Field(default=[], max_length=MOST_NAMES)
    sections: list[Name] = Field(default=[], max_length=MOST_NAMES)
    since: Day | None = None
    until: Day | None = None
    articles: list[ArticleId] = Field(default=[], max_length=MOST_NAMES)

    def filters(self) -> Filters:
        """Return them as the assistant takes them."""
        # Names are stored with typographic apostrophes; keyboards have the other one.
        lists = ([n.replace("'", "’") for n in names]
                 for names in (self.sources, self.authors, self.sections))  # fmt: skip
        sources, authors, sections = map(tuple, lists)
        return Filters(sources, authors, sections, self.since, self.until, tuple(self.articles))


class TurnBody(_Body):
    """One past exchange."""

    question: str = Field(max_length=LONGEST_QUESTION)
    answer: str = Field(max_length=10_000)

    def turn(self) -> Turn:
        """Return it as the assistant takes it."""
        return Turn(self.question, self.answer)


class AskBody(_Body):
    """A question, with what was said before it."""

    question: str = Field(min_length=1, max_length=LONGEST_QUESTION)
    history: list[TurnBody] = Field(default=[], max_length=10)
    filters: FiltersBody = FiltersBody()


class SearchBody(_Body):
    """A search for passages."""

    question: str = Field(min_length=1, max_length=LONGEST_QUESTION)
    limit: int = Field(default=10, ge=1, le=100)
    filters: FiltersBody = FiltersBody()


class VerifyBody(_Body):
    """A text whose claims are to be checked."""

    text: str = Field(min_length=1, max_length=LONGEST_TEXT)
    filters: FiltersBody = FiltersBody()


class ArticleBody(_Body):
    """An article as a CMS pushes it; `text` is plain text, or HTML when `format` says so.

    `paywalled` says whether readers pay for it; left out, the marks of the HTML do, and what was
    paid for stays so.
    """

    title: str = Field(min_length=1, max_length=500)
    text: str = Field(min_length=1, max_length=900_000)
    format: Literal["text", "html"] = "text"
    source: Name = ""
    author: Name = ""
    section: Name = ""
    published: date | None = None
    url: str = Field(default="", max_length=2000)
    paywalled: bool | None = None


class FeedbackBody(_Body):
    """A reader's judgement of an answer."""

    rating: Literal["useful", "wrong"]
    question: str = Field(default="", max_length=LONGEST_QUESTION)
    answer: str = Field(default="", max_length=10_000)
    note: str = Field(default="", max_length=2000)
