"""Follows sources: folders as they change, addresses of the web every so often.

What fails is tried again later and later; nothing ends the following but a stop. Each event is
one line for `tell`.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from rag import messages, texts
from rag.domain import IngestReport, SourceState
from rag.errors import RecoupeError
from rag.markup import printable
from rag.readers import READERS, Bounds, find_files, read_files
from rag.sources.memory import Memory
from rag.sources.web import CrawlPolicy, Web

if TYPE_CHECKING:
    from rag.settings import Settings
    from rag.sources.corpus import Corpus

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 6 * 3600.0  # seconds between two tries of what keeps failing, at most
_FOLDER_PERIOD = 5.0  # seconds between two looks for a folder that is not there
_MOST_DOUBLINGS = 20
_MOST_NAMED = 3  # failures told of one event
Tell = Callable[[str], None]


def is_address(source: str) -> bool:
    """Tell whether a source is of the web; else it is a folder or a file."""
    return bool(re.match(r"https?://", source))


def shown(address: str) -> str:
    """Return a source as a face shows it: without a query, which may hold a key."""
    return address.partition("?")[0] if is_address(address) else address


def silence(state: SourceState, hours: float, now: float) -> str:
    """Return, in words, that a source has given nothing for longer than `hours`, or ""."""
    if state.problem and now - state.succeeded > hours * 3600:
        return texts.SOURCE_DOWN.format(shown(state.address), _since(state.succeeded, now))
    if state.fed and now - state.fed > hours * 3600:
        return texts.SOURCE_SILENT.format(shown(state.address), _since(state.fed, now))
    return ""


def _since(then: float, now: float) -> str:
    if not then:
        return "toujours"
    hours = (now - then) / 3600
    return f"{hours / 24:.0f} jours" if hours >= 48 else f"{hours:.0f} heures"


@dataclass
class _Next:
    """When an address is to be read, and how many times in a row it could not be."""

    source: str
    due: float = 0.0
    failures: int = 0


class Watch:
    """Follows sources into a corpus until it is stopped."""

    def __init__(
        self, corpus: Corpus, memory: Memory, settings: Settings, sources: Sequence[str],
        *, prune: bool = False, policy: CrawlPolicy | None = None, tell: Tell = log.warning,
    ) -> None:  # fmt: skip
        """Take what is followed. With `prune`, articles whose file disappears are removed."""
        self._stop = threading.Event()
        self._corpus = corpus
        self._memory = memory
        self._settings = settings
        self._prune = prune
        self._tell = tell
        self._web = Web(corpus, memory, policy or CrawlPolicy.of(settings), self._stop)
        self._addresses = [_Next(s) for s in dict.fromkeys(sources) if is_address(s)]
        self._folders = [Path(s) for s in dict.fromkeys(sources) if not is_address(s)]
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin, in threads of its own."""
        both = ((self._follow_web, self._addresses), (self._follow_files, self._folders))
        for work, wanted in both:
            if wanted:
                thread = threading.Thread(target=work, name="sources", daemon=True)
                thread.start()
                self._threads.append(thread)

    def stop(self) -> None:
        """End, after the pages under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait(self) -> None:
        """Wait for a stop."""
        while not self._stop.wait(1.0):
            if not any(thread.is_alive() for thread in self._threads):
                return

    def _follow_web(self) -> None:
        while not self._stop.is_set():
            due = min(self._addresses, key=lambda n: n.due)
            if self._stop.wait(max(0.0, due.due - time.monotonic())):
                return
            self._sync(due)

    def _sync(self, following: _Next) -> None:
        """Read an address, and say when it is to be read again."""
        report = self._tried(
            shown(following.source), lambda: self._web.sync(following.source, followed=True)
        )
        problem = self._memory.source(following.source).problem
        failed = report is None or bool(problem)
        following.failures = min(following.failures + 1, _MOST_DOUBLINGS) if failed else 0
        usual = self._settings.source_minutes * 60
        pause = min(usual * 2**following.failures, max(usual, _LONGEST_PAUSE))
        following.due = time.monotonic() + pause

    def _follow_files(self) -> None:
        """Follow what is there of the folders and files; what is missing is looked for again."""
        missing: list[Path] = []
        while not self._stop.is_set():
            there = [f for f in self._folders if f.exists()]
            gone = [f for f in self._folders if f not in there]
            for folder in gone:
                if folder not in missing:
                    self._tell(texts.NOT_THERE.format(folder))
            missing = gone
            if there:
                self._ingest(there, there)
                self._changes_of(there)
            elif self._stop.wait(_FOLDER_PERIOD):
                return

    def _changes_of(self, there: list[Path]) -> None:
        """Follow some folders and files, until one of all comes or goes."""
        from watchfiles import watch

        try:
            for changes in watch(
                *there, stop_event=self._stop, raise_interrupt=False, yield_on_timeout=True
            ):
                paths = sorted({Path(path) for _, path in changes})
                wanted = [p for p in paths if p.suffix.lower() in READERS]
                if wanted:
                    self._ingest([p for p in wanted if p.is_file()], wanted)
                if [f for f in self._folders if f.exists()] != there:
                    return
        except OSError as error:  # gone in between
            log.info("suivi interrompu : %s", error)
            self._stop.wait(_FOLDER_PERIOD)

    def _ingest(self, paths: Iterable[Path], pruned: Iterable[Path]) -> None:
        """Read files and folders; remove, where that is wanted, what is no longer there."""
        files, unusable = find_files(paths)
        bounds = Bounds.of(self._settings)
        roots = [os.path.realpath(p) for p in pruned if self._may_prune(p)]

        def work() -> IngestReport:
            read = read_files(files, self._settings.max_file_mb, bounds=bounds)
            return self._corpus.ingest(chain(unusable, read), roots)

        self._tried(", ".join(map(str, self._folders)), work)

    def _may_prune(self, path: Path) -> bool:
        """Tell whether what is missing under a path is gone: a folder unmounted is empty."""
        if not self._prune:
            return False
        root = next((f for f in self._folders if f == path or f in path.parents), path)
        try:
            return any(root.iterdir()) if root.is_dir() else root.is_file()
        except OSError:
            return False

    def _tried(self, name: str, work: Callable[[], IngestReport]) -> IngestReport | None:
        """Do some work and tell what it did; what it raises is told too, and ends nothing."""
        try:
            report = work()
        except RecoupeError as error:
            self._tell(f"{name} : {error}")
            return None
        except Exception:
            log.exception("suivi de %s", name)
            self._tell(messages.FOLLOWING_FAILED.format(name))
            return None
        if any(
            (report.new, report.updated, report.removed, report.withdrawn, report.failed,
             report.barred)
        ):  # fmt: skip
            failures = "".join(
                f" Échec : {printable(f.name)} : {printable(f.reason)}."
                for f in report.failed[:_MOST_NAMED]
            )
            self._tell(f"{name} : {texts.summary(report)}{failures}")
        return report
