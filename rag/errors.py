"""The errors that Recoupe raises on purpose.

Each message is one French sentence for a person, of `rag/messages.py`: what is
wrong and what to do. The edge that knows raises; the face that speaks (CLI,
web) shows the message and logs the cause.
"""

from __future__ import annotations

from rag import messages


def why(error: OSError) -> str:
    """Return in French why the system refused something; its own words where they are others."""
    return messages.SYSTEM_ERRORS.get(error.errno or 0) or error.strerror or type(error).__name__


class RecoupeError(Exception):
    """Base of all; `str(error)` is the sentence to show."""


class SettingsError(RecoupeError):
    """A setting has a value that cannot be used."""


class ReadError(RecoupeError):
    """A file or row could not be turned into an article."""


class StatusError(ReadError):
    """A server answered with something else than a page.

    `status` is the HTTP status; `wait` the seconds that it asks to be left alone, 0 when it
    does not say.
    """

    def __init__(self, message: str, status: int, wait: float = 0.0) -> None:
        """Take the sentence to show, and what the server said."""
        super().__init__(message)
        self.status = status
        self.wait = wait

    def __reduce__(self) -> tuple[type[StatusError], tuple[str, int, float]]:
        return StatusError, (str(self), self.status, self.wait)


class MovedError(ReadError):
    """A page is at another address, `url`, and redirects were not to be followed."""

    def __init__(self, url: str) -> None:
        """Take the address."""
        super().__init__(messages.PAGE_MOVED.format(url))
        self.url = url

    def __reduce__(self) -> tuple[type[MovedError], tuple[str]]:
        return MovedError, (self.url,)


class PrivateHostError(ReadError):
    """A host is not on the public internet, and not named as one's own."""


class ReservedError(ReadError):
    """A publisher reserves the mining of a page's text."""


class IndexBusyError(RecoupeError):
    """Another process owns the index (I3)."""


class IndexMismatchError(RecoupeError):
    """The index was made with another embedding model."""


class StoreError(RecoupeError):
    """The index cannot be opened, read or written."""


class IndexReplacedError(StoreError):
    """Another index has taken the place of this one, which changes no more."""


class ArticleNotFoundError(RecoupeError):
    """No article has this id."""


class AmbiguousNameError(ArticleNotFoundError):
    """Several articles are so named."""


class RemovedError(RecoupeError):
    """An article was removed on purpose, and stays so until somebody asks for it again."""


class EmbeddingError(RecoupeError):
    """The embedding model or endpoint failed."""


class ModelError(RecoupeError):
    """The language model failed: unreachable, refused, timed out or cut off."""


class MissingExtraError(RecoupeError):
    """An optional library is not installed."""


class QuestionError(RecoupeError):
    """The question is empty or too long."""


class CursorError(RecoupeError):
    """The place where a page of articles should begin cannot be read."""
