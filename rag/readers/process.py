"""A worker as its parent sees it: a process, the pipes to it, and the time that it has."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from rag.markup import printable
from rag.readers.messages import receive, send

log = logging.getLogger(__name__)

_START_SECONDS = 60.0  # seconds that a worker has to start in, on a machine that does much else
_LAST_WORDS = 2.0  # seconds in which a worker that ends is heard
_PRINTED_BYTES = 4000  # bytes kept of what a worker prints: what it says when it dies

# What opens something to whoever knows it: nothing that reads needs it.
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)


class Process:
    """A worker: takes a task up, answers, is killed when its time is over."""

    def __init__(self) -> None:
        """Start it. Raises OSError."""
        environment = {k: v for k, v in os.environ.items() if not _SECRET.search(k)}
        # Modules are found where this process finds them, never in the folder that it is in.
        environment["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, sys.path))
        self._popen = subprocess.Popen(
            [sys.executable, "-P", "-m", "rag.readers.worker"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._tasks: Any = self._popen.stdin
        self._answers: Any = self._popen.stdout
        self._late = False
        self._gone = False  # without having been stopped
        self._printed = b""
        self.done = 0  # tasks
        self.kill = self._popen.kill
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def takes(self, task: bytes) -> bool:
        """Tell whether it takes a task up; not if it died since the last, or does not start."""
        with suppress(OSError), self._timed(_START_SECONDS):
            send(self._tasks, task)
            self._gone = receive(self._answers) != b""
            return not self._gone
        self._gone = True
        return False

    def answer(self, seconds: float) -> bytes | None:
        """Return what it says of the task that it took up; None if it dies of it.

        Raises TimeoutError when the time is over.
        """
        with self._timed(seconds):
            payload = receive(self._answers)
        if payload is None and self._late:
            raise TimeoutError
        self._gone = payload is None
        self.done += 1
        return payload

    def end(self) -> int:
        """Stop it, log what it printed; return its exit status."""
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(_LAST_WORDS if self._gone else 0)
        self.kill()
        status = self._popen.wait()
        self._listener.join(_LAST_WORDS)
        with suppress(OSError), self._popen:
            pass  # its pipes are closed
        if self._gone:
            printed = printable(self._printed.decode(errors="replace").strip())
            log.info("processus de lecture arrêté, code %s %s", status, printed)
        return status

    def _listen(self) -> None:
        stderr: Any = self._popen.stderr
        while piece := stderr.read1(_PRINTED_BYTES):
            self._printed = (self._printed + piece)[-_PRINTED_BYTES:]

    @contextmanager
    def _timed(self, seconds: float) -> Iterator[None]:
        """Kill it after so many seconds."""

        def end() -> None:
            self._late = True
            self.kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
