"""What goes into the log: one line a fact, nothing that a stranger can grow, forge or read keys in.

Addresses are written without their query, which may hold a key; control characters are shown
escaped; the traceback of an error is written once an hour, its name each time; and what repeats
itself is counted instead of written.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
import traceback

from rag.markup import printable

_BURST_LINES, _BURST_SECONDS = 20, 60.0  # lines of one call in so many seconds; the rest is counted
_TRACEBACK_PERIOD = 3600.0  # seconds after which the traceback of an error is written again
_LONGEST_MESSAGE = 2000  # characters of a message
_TRACEBACK_LINES = 120  # of a traceback
_MOST_PLACES = 1000  # calls and errors that are remembered
# Past `@` is the host; before it may stand a password. A query or a fragment may hold a key.
_ADDRESS = re.compile(r"(https?://)(?:[^\s/?#@]*@)?([^\s?#]*)[?#][^\s]*")


def start_log(level: str) -> None:
    """Write the log to stderr, from `level` on (« WARNING »…); a second call changes nothing."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(levelname)s %(name)s : %(message)s"))
    handler.addFilter(Repetitions())
    logging.basicConfig(level=level, handlers=[handler])


class OneLine(logging.Formatter):
    """Formats a record as one line, and the traceback of an error that is new."""

    def __init__(self, form: str) -> None:
        """Take the format, see `logging.Formatter`."""
        super().__init__(form)
        self._written: dict[tuple[str, str, int], float] = {}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; the record itself is left as it was for other handlers."""
        copy = logging.makeLogRecord(record.__dict__)
        copy.msg, copy.args = shortened(without_keys(printable(_brief(record.getMessage())))), ()
        error = record.exc_info[1] if record.exc_info else None
        if error is None:  # a process that reads sends its traceback as text
            copy.exc_info = None
            return super().format(copy)
        copy.exc_text = None
        copy.msg = f"{copy.msg} [{type(error).__name__}]"
        if not self._is_new(error):
            copy.exc_info = None
        return super().format(copy)

    def formatException(self, ei: object) -> str:  # noqa: N802 - the name is logging's
        """Return a traceback whose lines hold no control characters and no keys."""
        text = super().formatException(ei)  # type: ignore[arg-type]
        lines = text.split("\n")
        return "\n".join(
            without_keys(printable(shortened(line, 300))) for line in lines[:_TRACEBACK_LINES]
        )

    def _is_new(self, error: BaseException) -> bool:
        """Tell whether an error's traceback has not been written for an hour."""
        where, line = "", 0
        trace = error.__traceback__
        while trace is not None:
            where, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            trace = trace.tb_next
        place, now = (type(error).__name__, where, line), time.monotonic()
        if now - self._written.get(place, -_TRACEBACK_PERIOD) < _TRACEBACK_PERIOD:
            return False
        if len(self._written) >= _MOST_PLACES:
            self._written.clear()
        self._written[place] = now
        return True


class Repetitions(logging.Filter):
    """Lets `_BURST_LINES` records of a call through in a window; the next says how many fell."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        super().__init__()
        self._lock = threading.Lock()
        self._calls: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is written."""
        call, now = (record.pathname, record.lineno), time.monotonic()
        with self._lock:
            if len(self._calls) >= _MOST_PLACES:
                self._calls.clear()
            since, count = self._calls.get(call, (now, 0))
            if now - since >= _BURST_SECONDS:
                if count > _BURST_LINES:
                    record.msg = f"{record.msg} (et {count - _BURST_LINES} lignes semblables tues)"
                since, count = now, 0
            self._calls[call] = since, count + 1
            return count < _BURST_LINES


def _brief(text: str) -> str:
    """Return enough of a message: what is escaped and searched is bounded first."""
    return text if len(text) <= 2 * _LONGEST_MESSAGE else text[: 2 * _LONGEST_MESSAGE]


def without_keys(text: str) -> str:
    """Return a text whose addresses have neither query nor password."""
    return _ADDRESS.sub(r"\1\2?…", text)


def shortened(text: str, longest: int = _LONGEST_MESSAGE) -> str:
    """Return a text of at most so many characters."""
    return text if len(text) <= longest else f"{text[:longest]}…"


class LoggedTracebacks:
    """Stands for the module `traceback` in a library that prints tracebacks past the log."""

    def __init__(self, log: logging.Logger, message: str) -> None:
        """Take where they are logged, and after which words."""
        self._log = log
        self._message = message

    def print_exc(self, *_arguments: object, **_named: object) -> None:
        """Log the error that is handled: its message, which may be a visitor's text, is not."""
        error = sys.exc_info()[1]
        if error is not None:
            bare = type(error)().with_traceback(error.__traceback__) if _is_plain(error) else None
            self._log.error("%s : %s", self._message, type(error).__name__, exc_info=bare)

    def __getattr__(self, name: str) -> object:
        """Return what else of the module is asked for."""
        return getattr(traceback, name)


def _is_plain(error: BaseException) -> bool:
    """Tell whether an error of its type can be made without arguments."""
    return type(error).__module__ == "builtins" and not isinstance(error, UnicodeError)
