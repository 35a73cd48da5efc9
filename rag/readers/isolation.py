"""Reading in processes of their own, so that no content can end, hold up or fill this one.

Each task has a bound of time and one of memory. A worker (`worker.py`) that passes them, or
dies, is one failure of its task; another takes its place. They start as tasks need them, one
a core at most, and stop with this process or at `close`.
"""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from rag import messages
from rag.domain import Article, Failure
from rag.errors import ReadError
from rag.readers.articles import FileContents
from rag.readers.messages import Line, answer, article
from rag.readers.process import Process

if TYPE_CHECKING:
    from rag.settings import Settings

log = logging.getLogger(__name__)

_MOST_WORKERS = 8  # a bound of memory for all, on machines of many cores
_TASKS_EACH = 2000  # then a worker is replaced: what parsers leak goes with it
_TASKS_AHEAD = 16  # tasks given out or done before their turn, a worker: a slow file stops no other
# Seconds past its bound after which a worker that nobody stopped stops itself
_GRACE_SECONDS = 10.0


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

    `read` is a function of a module. It gives articles and failures, and may tell one thing
    besides; it announces their types, against which what comes back is checked.
    """

    read: Callable[..., FileContents | tuple[list[Article], list[Failure], Any]]
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
    lines: tuple[Line, ...] = ()
    rest: str = ""
    left: int = 0
    result: Any = None
    error: ReadError | None = None

    def found(self) -> Iterator[Article]:
        """Yield the articles, once: before the next outcome is asked for."""
        yield from self.articles
        if self.left:
            with Path(self.rest).open("rb") as file:
                yield from map(article, islice(file, self.left))
            Path(self.rest).unlink()


@dataclass(eq=False, slots=True)
class _Job:
    """A task that was given: as its worker hears it, the worker, and what will come of it."""

    task: Task
    message: bytes
    rest: str
    process: Process | None = None
    dropped: bool = False
    future: Future[Outcome] = field(default_factory=Future)

    def outcome(self) -> Outcome:
        """Wait for the outcome; write its lines to the log of this process."""
        while not wait([self.future], 1.0).done:
            pass  # an interruption is heard each second on Windows
        outcome = self.future.result()
        for line in outcome.lines:
            _write(line)
        return outcome


class Workers:
    """The processes that read, shared by the threads of this one."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._threads = 0
        self._processes: set[Process] = set()
        self._idle: list[Process] = []

    def run(self, tasks: Iterable[Task], memory_mb: int) -> Iterator[Outcome]:
        """Yield the outcome of each task, in order; tasks are taken a few ahead.

        A task has `memory_mb` megabytes of memory. Who stops listening stops the tasks.
        """
        jobs: deque[_Job] = deque()
        with TemporaryDirectory(prefix="recoupe-", ignore_cleanup_errors=True) as folder:
            try:
                for number, task in enumerate(tasks):
                    jobs.append(self._give(task, memory_mb, str(Path(folder, str(number)))))
                    if len(jobs) >= _TASKS_AHEAD * workers_count():
                        yield jobs[0].outcome()
                        jobs.popleft()
                while jobs:
                    yield jobs[0].outcome()
                    jobs.popleft()
            finally:
                for job in jobs:
                    self._drop(job)

    def close(self) -> None:
        """Stop the workers; the next task starts others."""
        with self._lock:
            processes, self._idle = list(self._processes), []
            self._processes.clear()
        for process in processes:
            process.kill()
        for process in processes:
            process.end()

    def forget(self) -> None:
        """Begin anew, in a copy of this process: its threads and its workers are not ours."""
        Workers.__init__(self)

    def _give(self, task: Task, memory_mb: int, rest: str) -> _Job:
        level = logging.getLogger().getEffectiveLevel()
        message = (task.read, task.args, task.seconds + _GRACE_SECONDS, memory_mb, level, rest)
        job = _Job(task, pickle.dumps(message), rest)
        with self._lock:
            while self._threads < workers_count():
                self._threads += 1
                threading.Thread(target=self._serve, daemon=True).start()
        self._jobs.put(job)
        return job

    def _drop(self, job: _Job) -> None:
        """Do not do a job; stop the worker that is at it."""
        with self._lock:
            job.dropped = True
            if not job.future.cancel() and job.process:
                job.process.kill()

    def _serve(self) -> None:
        """Do one job after the other: as many at once as there are threads that do."""
        while True:
            job = self._jobs.get()
            if job.future.set_running_or_notify_cancel():
                try:
                    job.future.set_result(self._done(job))
                except BaseException as error:
                    job.future.set_exception(error)

    def _done(self, job: _Job) -> Outcome:
        """Have a job done; return its outcome."""
        process = self._taken(job)
        if process is None:
            return Outcome(reason=messages.NO_READING_PROCESS)
        try:
            payload = process.answer(job.task.seconds)
            outcome = _outcome(job, payload) if payload is not None else None
        except TimeoutError:
            outcome = Outcome(reason=job.task.late)
            payload = None
        except (ValueError, KeyError, TypeError):
            log.info("réponse de lecture incompréhensible", exc_info=True)
            payload, outcome = None, None
        with self._lock:
            job.process = None
            fit = payload is not None and process.done < _TASKS_EACH and process in self._processes
            if fit:
                self._idle.append(process)
        if not fit and self._end(process) == -getattr(signal, "SIGALRM", 0):
            return outcome or Outcome(reason=job.task.late)
        return outcome or Outcome(reason=messages.READING_DIED)

    def _taken(self, job: _Job) -> Process | None:
        """Return a worker that has taken a job up, None if there is none."""
        for _ in range(workers_count() + 2):  # all that were idle may have been killed
            if job.dropped:
                break
            try:
                process = self._next(job)
            except OSError:
                log.info("un processus de lecture ne démarre pas", exc_info=True)
                continue
            if process.takes(job.message):
                return process
            self._end(process)
        return None

    def _next(self, job: _Job) -> Process:
        """Return the worker that was last at work, or a new one, for a job. Raises OSError."""
        with self._lock:
            process = self._idle.pop() if self._idle else Process()
            self._processes.add(process)
            job.process = process
            return process

    def _end(self, process: Process) -> int:
        with self._lock:
            self._processes.discard(process)
        return process.end()


def _outcome(job: _Job, payload: bytes) -> Outcome:
    """Return the outcome that a worker tells. Raises ValueError, KeyError or TypeError."""
    made, report = answer(job.task.read, payload)
    if made is None:
        return Outcome(reason=report.reason, lines=report.lines, error=report.raised())
    articles, failures, *result = made
    return Outcome(
        tuple(articles), tuple(failures), "", report.lines, job.rest, report.left, *result
    )


def workers_count() -> int:
    """Return how many processes read: one a core that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, _MOST_WORKERS))


def _write(line: Line) -> None:
    """Write a line of a worker to the log of this process."""
    logger = logging.getLogger(line.logger)
    if logger.isEnabledFor(line.level):
        record = logging.LogRecord(
            line.logger, line.level, line.path, line.number, line.message, None, None
        )
        record.exc_text = line.traceback or None
        logger.handle(record)


workers = Workers()
atexit.register(workers.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=workers.forget)
