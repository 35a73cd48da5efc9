"""Reading in processes of their own, so that no content can end, hold up or fill this one.

Each task has a bound of time and one of memory. A worker that passes them, or dies, is one
failure of its task; another takes its place. The workers start with the first task, one a
core, and stop with the process or at `close`.
"""

from __future__ import annotations

import atexit
import logging
import logging.handlers
import multiprocessing
import multiprocessing.spawn
import os
import pickle
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory, mkstemp
from typing import TYPE_CHECKING, Any

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from rag.domain import Article, Failure
from rag.errors import ReadError, why
from rag.markup import printable
from rag.readers.articles import Made

if TYPE_CHECKING:
    from rag.settings import Settings

log = logging.getLogger(__name__)

_MOST_WORKERS = 8  # a bound of memory for all, on machines of many cores
_TASKS_EACH = 500  # then a worker is replaced: what parsers leak goes with it
_AHEAD = 16  # tasks given out or done before their turn, a worker: a slow file stops no other
_HELD = 20_000  # characters of a task's articles held until their turn; more wait on disk
_GRACE = 10.0  # seconds past its bound after which a worker that nobody stopped stops itself
_MOST_RECORDS = 1000  # log lines kept, of one task

_NO_WORKER = "les processus de lecture ne démarrent pas : fermez d'autres programmes"

# Loaded once, where workers are forked from: they start in milliseconds. Not this package,
# which is found by each worker as by its parent.
_PRELOADED = ["trafilatura", "dateparser", "frontmatter", "markdown_it", "pebble"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What reading one file may take: seconds, and megabytes of memory besides the program."""

    seconds: float = 30.0
    memory_mb: int = 288

    @classmethod
    def of(cls, settings: Settings) -> Bounds:
        """Return the bounds that the settings give."""
        return cls(settings.read_seconds, settings.read_memory_mb)


@dataclass(frozen=True, slots=True)
class Task:
    """`read(*args)`, in a worker, for `seconds` at most; `late` says that they have passed.

    `read` gives articles and failures, and may tell one thing besides.
    """

    read: Callable[..., Made | tuple[list[Article], list[Failure], Any]]
    args: tuple[Any, ...]
    seconds: float
    late: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a task gave: articles and bad rows, or the one reason why there is nothing.

    `told` is what it says besides; `error` what it raised when it gives a reason. Of many
    articles the first are here, the `left` others in the file `rest`: what waits for its turn
    weighs little, however large the files are.
    """

    articles: tuple[Article, ...] = ()
    failures: tuple[Failure, ...] = ()
    reason: str = ""
    records: tuple[logging.LogRecord, ...] = ()
    rest: str = ""
    left: int = 0
    told: Any = None
    error: ReadError | None = None

    def found(self) -> Iterator[Article]:
        """Yield the articles, once: before the next outcome is asked for."""
        yield from self.articles
        if self.rest:
            with Path(self.rest).open("rb") as file:
                for _ in range(self.left):
                    yield pickle.load(file)  # noqa: S301 - a worker's, in a folder of our own
            Path(self.rest).unlink()


@dataclass(frozen=True, slots=True)
class _Given:
    """A task and where it was given; nowhere when no process starts."""

    task: Task
    pool: ProcessPool | None = None
    future: ProcessFuture[Outcome] | None = None


class Workers:
    """The processes that read, shared by the threads of this one."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = threading.Lock()
        self._pool: ProcessPool | None = None
        self._done = 0

    def run(self, tasks: Iterable[Task], memory_mb: int) -> Iterator[Outcome]:
        """Yield the outcome of each task, in order; tasks are taken a few ahead.

        A task has `memory_mb` megabytes of memory. Who stops listening stops the tasks.
        """
        given: deque[_Given] = deque()
        with TemporaryDirectory(prefix="recoupe-", ignore_cleanup_errors=True) as folder:
            try:
                for task in tasks:
                    given.append(self._give(task, memory_mb, folder))
                    if len(given) >= _AHEAD * workers_count():
                        yield self._outcome(given.popleft(), memory_mb, folder)
                while given:
                    yield self._outcome(given.popleft(), memory_mb, folder)
            finally:
                for unheard in given:
                    if unheard.future is not None:
                        unheard.future.cancel()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Stop the workers; the next task starts others."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            _stop(pool)

    def _give(self, task: Task, memory_mb: int, folder: str) -> _Given:
        """Give a task to a worker, of a new pool when the present one is broken."""
        level = logging.getLogger().getEffectiveLevel()
        args = (task.read, task.args, task.seconds + _GRACE, memory_mb, level, folder)
        for _ in range(2):
            pool = self._started()
            try:
                future = pool.schedule(_work, args, timeout=task.seconds)
            except (RuntimeError, OSError):
                log.info("les processus de lecture redémarrent", exc_info=True)
                self._drop(pool)
            else:
                future.add_done_callback(self._count)
                return _Given(task, pool, future)
        return _Given(task)

    def _outcome(self, given: _Given, memory_mb: int, folder: str) -> Outcome:
        """Wait for a task; return what it gave, or why it gave nothing."""
        for _ in range(2):  # when the pool broke under it, a task is given once more
            if given.pool is None or given.future is None:
                break
            try:
                outcome = self._wait(given.task, given.pool, given.future)
            except TimeoutError:
                return Outcome(reason=given.task.late)
            except ProcessExpired as error:
                return Outcome(reason=_expired(error, given.task))
            except (pickle.PicklingError, AttributeError, TypeError):
                raise  # a task that no process can be given: a fault of the caller
            except Exception:
                log.info("les processus de lecture se sont arrêtés", exc_info=True)
                self._drop(given.pool)
                given = self._give(given.task, memory_mb, folder)
            else:
                _tell(outcome.records)
                return outcome
        return Outcome(reason=_NO_WORKER)

    def _wait(self, task: Task, pool: ProcessPool, future: ProcessFuture[Outcome]) -> Outcome:
        """Return a future's outcome.

        Raises BrokenProcessPool when the pool was left, or when none of its tasks ends in
        a time in which one must.
        """
        done, since = self._done, time.monotonic()
        while True:
            try:
                return future.result(1.0)
            except TimeoutError:
                if future.done():
                    return future.result()
            if self._done != done:
                done, since = self._done, time.monotonic()
            if self._pool is not pool or time.monotonic() - since > task.seconds + _GRACE:
                raise BrokenProcessPool("no task ends")

    def _count(self, _future: object) -> None:
        self._done += 1

    def _started(self) -> ProcessPool:
        with self._lock:
            if self._pool is None:
                self._pool = ProcessPool(
                    workers_count(), _TASKS_EACH, initializer=_begin, context=_context()
                )
            return self._pool

    def _drop(self, pool: ProcessPool) -> None:
        """Leave a pool that no longer works; its end is not waited for."""
        with self._lock:
            if self._pool is not pool:
                return
            self._pool = None
        threading.Thread(target=_stop, args=(pool,), daemon=True).start()


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def workers_count() -> int:
    """Return how many processes read: one a core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, _MOST_WORKERS))


def _expired(error: ProcessExpired, task: Task) -> str:
    if error.exitcode == -getattr(signal, "SIGALRM", 0):
        return task.late
    log.info("processus de lecture arrêté, code %s", error.exitcode)
    return "la lecture s'est arrêtée net : fichier abîmé, ou trop gros pour la mémoire"


def _tell(records: Iterable[logging.LogRecord]) -> None:
    """Write the log lines of a worker to the log of this process."""
    for record in records:
        logger = logging.getLogger(record.name)
        if logger.isEnabledFor(record.levelno):
            logger.handle(record)


# What follows runs in the workers.


class _Kept(logging.handlers.QueueHandler):
    """Keeps log records of a task, as text, one line each but for a traceback."""

    def __init__(self) -> None:
        super().__init__(None)  # type: ignore[arg-type]  # no queue: `enqueue` is ours
        self.records: list[logging.LogRecord] = []

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        message = printable(record.getMessage())
        made = logging.LogRecord(
            record.name, record.levelno, record.pathname, record.lineno, message, None, None
        )
        if record.exc_info:
            made.exc_text = logging.Formatter().formatException(record.exc_info)
        return made

    def enqueue(self, record: logging.LogRecord) -> None:
        if len(self.records) < _MOST_RECORDS:
            self.records.append(record)


_kept = _Kept()


def _begin() -> None:
    """Prepare a worker."""
    # Stopped at once, whatever C code it is in; there is nothing to tidy up.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    logging.captureWarnings(True)
    logging.getLogger().handlers[:] = [_kept]


def _work(
    read: Callable[..., tuple[Any, ...]],
    args: tuple[Any, ...],
    seconds: float,
    memory_mb: int,
    level: int,
    folder: str,
) -> Outcome:
    """Run a task in bounds; return what it gave, or the French reason why it gave nothing."""
    _kept.records = []
    logging.getLogger().setLevel(level)
    articles: list[Article] = []
    failures: list[Failure] = []
    reason = ""
    extras: list[Any] = []
    raised: ReadError | None = None
    with _alarm(seconds), _bounded(memory_mb):
        try:
            articles, failures, *extras = read(*args)
        except ReadError as error:
            reason, raised = str(error), error
            log.info("%s", reason, exc_info=True)
        except MemoryError:
            reason = "demande plus de mémoire que permis (réglage RECOUPE_READ_MEMORY_MB)"
        except Exception as error:
            log.info("erreur de lecture inattendue", exc_info=True)
            reason = f"contenu que Recoupe ne sait pas lire ({type(error).__name__})"
    rest, left = "", 0
    try:
        articles, rest, left = _set_aside(articles, folder)
    except OSError as error:
        articles, failures = [], []
        reason = f"plus de place dans le dossier temporaire ({why(error)}) : libérez-en"
    records = tuple(_kept.records)
    besides = extras[0] if extras else None
    return Outcome(tuple(articles), tuple(failures), reason, records, rest, left, besides, raised)


def _set_aside(articles: list[Article], folder: str) -> tuple[list[Article], str, int]:
    """Write what is too much to hold to a file of `folder`.

    Returns the articles that are held, the file, and how many are in it.
    """
    sizes = accumulate(len(article.text) for article in articles)
    count = max(1, sum(size <= _HELD for size in sizes))
    if count >= len(articles):
        return articles, "", 0
    handle, path = mkstemp(dir=folder)
    with os.fdopen(handle, "wb") as file:
        for article in articles[count:]:
            pickle.dump(article, file)
    return articles[:count], path, len(articles) - count


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
    resource.setrlimit(
        resource.RLIMIT_AS, (min([_mapped() + megabytes * 1_000_000, *others]), hard)
    )
    try:
        yield
    finally:
        # Lifted before the outcome is sent: what it takes is bounded by what was read.
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _mapped() -> int:
    """Return the bytes of address space in use; a large guess where it is not told."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - not a path of ours
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 4_000_000_000


# What follows starts them.

_starting = threading.local()


def _without_main(whole: Callable[[str], dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    """Wrap what tells a new process how to begin, so that our workers do not run `__main__`.

    They need nothing of it, and it may be the whole web server, or a script without a guard
    that would start reading again.
    """

    def data(name: str) -> dict[str, Any]:
        found = whole(name)
        if getattr(_starting, "worker", False):
            found.pop("init_main_from_name", None)
            found.pop("init_main_from_path", None)
        return found

    return data


# Python has no switch for it.
multiprocessing.spawn.get_preparation_data = _without_main(  # type: ignore[assignment]
    multiprocessing.spawn.get_preparation_data
)

# Never a fork of this process, which has threads.
if sys.platform == "win32":
    from multiprocessing.context import SpawnContext as _BaseContext
    from multiprocessing.context import SpawnProcess as _BaseProcess
else:
    from multiprocessing.context import ForkServerContext as _BaseContext
    from multiprocessing.context import ForkServerProcess as _BaseProcess


class _Worker(_BaseProcess):
    """A process that does not run the program's main module."""

    def start(self) -> None:
        _starting.worker = True
        try:
            super().start()
        finally:
            _starting.worker = False


class _Context(_BaseContext):
    """How the pool starts its workers."""

    Process = _Worker


def _context() -> _Context:
    context = _Context()
    context.set_forkserver_preload(_PRELOADED)
    if sys.platform != "win32":
        from multiprocessing import forkserver

        with _without_stderr():
            forkserver.ensure_running()
    return context


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Start processes that say nothing: what workers log comes with their outcomes.

    One that is stopped while it starts would print a traceback, and the tracker of
    semaphores a warning when this process is killed.
    """
    try:
        stderr = os.dup(2)
    except OSError:  # there is none
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


workers = Workers()
atexit.register(workers.close)
