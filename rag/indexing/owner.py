"""One process owns an index (I3): a lock, and a note of who holds it.

Two processes on one embedded Chroma folder do not see each other's writes,
so whoever does not get the lock speaks to the owner, when it serves, or waits.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from rag import messages
from rag.errors import IndexBusyError, StoreError, why

log = logging.getLogger(__name__)

# Seconds given at least to an owner that says where it serves and does not answer
_STOPPING_SECONDS = 5.0
_UNIX, _TCP = "unix:", "tcp:"
_SOCKET = "owner.sock"
_PROBE_SECONDS = 2.0  # seconds for a connection on loopback


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds the index; `address` is set once it serves this user's other processes.

    It is `unix:PATH`, a socket that this user alone may open, or, where there are none,
    `tcp:127.0.0.1:PORT` with the `token` to show there. Never that of the public listener, which
    is at `url`, for a person to read.
    """

    pid: int
    command: str
    address: str = ""
    token: str = ""
    url: str = ""


class Ownership:
    """The lock on an index folder, held until `release` or the end of the process."""

    def __init__(self, folder: Path, command: str) -> None:
        """Take the lock at once. Raises IndexBusyError when another process has it."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / "owner.lock", timeout=0, thread_local=False)
            self._lock.acquire()
        except Timeout as error:
            raise IndexBusyError(busy_message(read_owner(folder))) from error
        except OSError as error:
            raise StoreError(messages.UNUSABLE_INDEX_FOLDER.format(folder, why(error))) from error
        self._note = folder / "owner.json"
        self._owner = Owner(os.getpid(), command)
        self._write()

    def announce(self, address: str, token: str = "", url: str = "") -> None:
        """Publish where this process serves the others, see `Owner`.

        Only once it answers there: who reads the note asks at once.
        """
        self._owner = Owner(self._owner.pid, self._owner.command, address, token, url)
        self._write()

    def withdraw(self) -> None:
        """Publish that this process no longer serves, and still holds the index."""
        self._owner = Owner(self._owner.pid, self._owner.command)
        try:
            self._write()
        except OSError:  # others find that it does not answer
            log.info("%s", self._note, exc_info=True)

    def release(self) -> None:
        """Let others have the index."""
        try:
            self._note.unlink(missing_ok=True)
        except OSError:  # a folder that can be written no more; the lock alone decides
            log.info("%s", self._note, exc_info=True)
        self._lock.release()

    def _write(self) -> None:
        """Write the note whole or not at all, readable by this user alone."""
        draft = self._note.with_suffix(f".{os.getpid()}.tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self._owner), file)
        draft.replace(self._note)


def read_owner(folder: Path) -> Owner | None:
    """Return the note of the present owner, or None when there is none to read."""
    try:
        return Owner(**json.loads((folder / "owner.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def named(owner: Owner | None) -> str:
    """Return how to call an owner in French, known or not."""
    if owner is None:
        return messages.OTHER_PROCESS
    return messages.NAMED_PROCESS.format(owner.command, owner.pid)


def busy_message(owner: Owner | None) -> str:
    """Say in one French sentence who holds the index and what to do."""
    return messages.INDEX_BUSY.format(named(owner))


def lost_message(owner: Owner) -> str:
    """Say in one French sentence that the owner does not answer and what to do."""
    return messages.OWNER_SILENT.format(named(owner))


def acquire(
    folder: Path,
    command: str,
    wait: float = 0.0,
    on_wait: Callable[[Owner | None], None] = lambda _: None,
) -> Ownership | Owner:
    """Own the index, or return the owner that serves others and answers.

    Waits up to `wait` seconds for an owner that does not serve, telling
    `on_wait` once; a few seconds at least for one that is stopping: its note
    says where it serves, and nothing listens there. Raises IndexBusyError
    when the wait is over.
    """
    start = time.monotonic()
    waiting = False
    while True:
        try:
            return Ownership(folder, command)
        except IndexBusyError as busy:
            owner = read_owner(folder)
            if owner and owner.address and _answers(owner.address):
                return owner
            stopping = owner is not None and bool(owner.address)
            if time.monotonic() >= start + max(wait, _STOPPING_SECONDS if stopping else 0.0):
                if owner and stopping:
                    raise IndexBusyError(lost_message(owner)) from busy
                raise
            if not waiting:
                on_wait(owner)
                waiting = True
            time.sleep(0.2)


def listen_for_others(folder: Path) -> tuple[socket.socket, str]:
    """Return a bound socket, not listening yet, for this user's processes, and its address.

    A Unix socket in the index's folder, or in a private one where that path is too long or its
    file system has no sockets; a port of loopback where there are no Unix sockets at all.
    Raises StoreError.
    """
    if not hasattr(socket, "AF_UNIX"):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        return listener, f"{_TCP}127.0.0.1:{listener.getsockname()[1]}"
    try:
        return _bound(folder.resolve() / _SOCKET)
    except OSError:
        log.info("pas de socket dans %s", folder, exc_info=True)
    try:
        return _bound(Path(tempfile.mkdtemp(prefix="recoupe-")) / _SOCKET)
    except OSError as error:
        raise StoreError(messages.NO_SOCKET.format(why(error), folder)) from error


def _bound(path: Path) -> tuple[socket.socket, str]:
    path.unlink(missing_ok=True)  # of a process that was killed: the lock says that it is gone
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o600)  # before it listens: nobody has connected
    except OSError:
        listener.close()
        raise
    return listener, f"{_UNIX}{path}"


def discard(address: str) -> None:
    """Remove the file of an address that is served no more, and the private folder it had."""
    if not address.startswith(_UNIX):
        return
    path = Path(address.removeprefix(_UNIX))
    with suppress(OSError):
        path.unlink(missing_ok=True)
        if path.parent.name.startswith("recoupe-"):
            path.parent.rmdir()


def connect_to_owner(address: str, seconds: float) -> socket.socket:
    """Return a connection to an owner's address. Raises OSError."""
    if address.startswith(_UNIX):
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.settimeout(seconds)
            made.connect(address.removeprefix(_UNIX))
        except OSError:
            made.close()
            raise
        return made
    host, _, port = address.removeprefix(_TCP).rpartition(":")
    if host != "127.0.0.1" or not port.isdecimal():
        raise OSError(f"no address of an owner: {address}")
    return socket.create_connection((host, int(port)), timeout=seconds)


def _answers(address: str) -> bool:
    """Tell whether something listens at an address of this machine."""
    try:
        connect_to_owner(address, _PROBE_SECONDS).close()
    except OSError:
        return False
    return True
