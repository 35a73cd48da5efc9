"""A process that reads: takes tasks on its standard input, answers on its standard output.

`isolation.py` starts it as `python -m rag.readers.worker`, and stops it; it ends by itself when
its parent is gone. It answers one task after the other, each in its bound of memory.
"""

from __future__ import annotations

import logging
import os
import pickle
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from typing import IO, Any

from rag import messages
from rag.domain import Article
from rag.errors import ReadError, why
from rag.markup import printable
from rag.readers.messages import Line, Report, encoded, receive, send

log = logging.getLogger(__name__)

_MOST_CHARACTERS = 20_000  # characters of a task's articles in its answer; more wait on disk
_MOST_LINES = 1000  # of the log, of one task
_LONGEST_LINE = 20_000  # characters

# Loaded before the first task: neither their time nor their memory is a file's.
_PRELOADED_MODULES = ("trafilatura", "dateparser")


class _Journal(logging.Handler):
    """Keeps what a task logs, one line each but for a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []

    def emit(self, record: logging.LogRecord) -> None:
        if len(self.lines) >= _MOST_LINES:
            return
        error = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        message = printable(record.getMessage()[:_LONGEST_LINE])
        place = (record.pathname, record.lineno)
        self.lines.append(
            Line(record.name, record.levelno, *place, message, error[-_LONGEST_LINE:])
        )


_journal = _Journal()


def main() -> None:
    """Answer tasks until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's: the parent says when to end
    tasks, answers = _pipes()
    logging.captureWarnings(True)
    logging.getLogger().handlers[:] = [_journal]
    for module in _PRELOADED_MODULES:
        import_module(module)
    while (task := receive(tasks)) is not None:
        send(answers, b"")  # it is taken up: its time begins
        send(answers, _answer(*pickle.loads(task)))  # noqa: S301 - our parent's


def _pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Return the pipes to the parent, out of the way of libraries that print or ask."""
    tasks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return tasks, answers


def _answer(
    read: Callable[..., tuple[Any, ...]],
    args: tuple[Any, ...],
    seconds: float,
    memory_mb: int,
    level: int,
    rest: str,
) -> bytes:
    """Run a task in bounds; say what it gave, or the French reason why it gave nothing.

    Of many articles those past the first are written to the file `rest`.
    """
    _journal.lines.clear()
    logging.getLogger().setLevel(level)
    made: tuple[Any, ...] | None = None
    report = Report()
    with _alarm(seconds), _bounded(memory_mb):
        try:
            made = read(*args)
        except ReadError as error:
            log.info("%s", error, exc_info=True)
            report = Report.of(error)
        except MemoryError:
            report = Report(messages.NOT_ENOUGH_MEMORY)
        except Exception as error:
            log.info("erreur de lecture inattendue", exc_info=True)
            report = Report(messages.UNREADABLE_CONTENT.format(type(error).__name__))
    if made is not None:
        articles, *others = made
        try:
            articles, left = _set_aside(articles, rest)
        except OSError as error:
            made, report = None, Report(messages.TEMPORARY_FOLDER_FULL.format(why(error)))
        else:
            made, report = (articles, *others), Report(left=left)
    return encoded((made, replace(report, lines=tuple(_journal.lines))))


def _set_aside(articles: list[Article], rest: str) -> tuple[list[Article], int]:
    """Write what is too much to hold to a file, an article a line.

    Returns the articles that are held, and how many are in the file. Raises OSError.
    """
    sizes = accumulate(len(article.text) for article in articles)
    count = max(1, sum(size <= _MOST_CHARACTERS for size in sizes))
    if count < len(articles):
        with Path(rest).open("wb") as file:
            file.writelines(encoded(article) + b"\n" for article in articles[count:])
    return articles[:count], max(0, len(articles) - count)


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """End this process after so many seconds, for when its parent is gone or lost the time."""
    if not hasattr(signal, "setitimer"):  # Windows
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _bounded(megabytes: int) -> Iterator[None]:
    """Bound what this process may add to its memory.

    The bound is on address space, above what is mapped now: the limit of data alone counts
    no mapping on some systems, and an absolute one would count the libraries. Where there
    are no such limits (Windows) there is no bound.
    """
    try:
        import resource
    except ImportError:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    others = [limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY]
    bound = min([_mapped() + megabytes * 1_000_000, *others])
    resource.setrlimit(resource.RLIMIT_AS, (bound, hard))
    try:
        yield
    finally:
        # Lifted before the answer is written: what it takes is bounded by what was read.
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _mapped() -> int:
    """Return the bytes of address space in use; a large guess where it is not told."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - not a path of ours
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 4_000_000_000


if __name__ == "__main__":
    main()
