"""The way to Chroma: which client, what it takes in one call, and its errors in French.

Embedded in a folder of the index, on a server, or in Chroma's cloud, by the
settings. Knows nothing of articles.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx
from tenacity import (
    Retrying,
    retry_if_exception,
    stop_after_delay,
    stop_when_event_set,
    wait_exponential_jitter,
)

from rag import messages
from rag.errors import RecoupeError, StoreError
from rag.indexing.batches import batched

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

    from rag.settings import Settings

log = logging.getLogger(__name__)
T = TypeVar("T")
Page = dict[str, list[Any]]
"""Columns of one page of a `get`: `ids`, and what was included."""

# What Chroma's cloud takes in one call (its page « Quotas & Limits »); a server is asked the same.
QUOTA_RECORDS = 300
_BATCH_RECORDS = 5000  # embedded, Chroma refuses more than 5,461 records in one call
_PATIENCE_SECONDS = 20.0  # seconds that a server may be away before a call fails
_SILENCE_SECONDS = 60.0  # seconds without an answer after which a server is given up
_BUSY = frozenset({429, 502, 503, 504})
_RESERVE_BYTES = 64_000_000  # bytes kept free: on a full disk Chroma can neither write nor be read
_DATABASE = "chroma.sqlite3"  # what Chroma keeps in its folder
_CATALOGUE = "catalogue.sqlite3"  # made after the store, see `index.py`
_FOLDER = re.compile(r"chroma(-\d+)?")
_POINTER = "store"  # names the folder of the embedded store, see `switch_folder`


@dataclass(frozen=True)
class Chroma:
    """A client with what holds for it.

    `folder` is that of an embedded store, None for a server; `most` is the
    number of records of one call, read or written.
    """

    client: ClientAPI
    where: str
    folder: Path | None
    most: int
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def shared(self) -> bool:
        """Whether other processes may write too."""
        return self.folder is None

    def call(self, what: Callable[..., Any], /, **arguments: Any) -> Any:
        """Call Chroma; what it refuses is a StoreError, after some patience with a server.

        Every call that goes through here may be repeated: upserts, updates,
        deletions by id and readings.
        """
        if self.closed.is_set():
            raise StoreError(messages.CLOSING)
        try:
            return self._patiently(what, arguments) if self.shared else what(**arguments)
        except Exception as error:  # Chroma's errors share no base
            raise self._refused(error) from error

    def _patiently(self, what: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """Call a server, again and again while it is away."""
        for attempt in Retrying(
            retry=retry_if_exception(_is_away),
            stop=stop_after_delay(_PATIENCE_SECONDS) | stop_when_event_set(self.closed),
            wait=wait_exponential_jitter(multiplier=0.1, max=2.0),
            reraise=True,
        ):
            with attempt:
                return what(**arguments)
        raise AssertionError("a call returns or raises")

    def parts(self, items: Sequence[T]) -> Iterator[Sequence[T]]:
        """Cut what goes to Chroma into calls that it takes."""
        return batched(items, self.most)

    def pages(self, collection: Collection, **arguments: Any) -> Iterator[Page]:
        """Yield all that a `get` finds, a page at a time, nothing twice.

        On a shared store a row that goes while others are read moves the rest
        up: pages overlap, so that none falls between two of them.
        """
        overlap = self.most // 3 if self.shared else 0
        seen: set[str] = set()
        last: list[str] = []
        at = 0
        while True:
            got = self.call(collection.get, limit=self.most, offset=at, **arguments)
            ids = got["ids"]
            if overlap and last and not set(last[-overlap:]) & set(ids):
                last, at = [], 0  # more went than pages overlap: from the beginning
                continue
            fresh = [n for n, i in enumerate(ids) if i not in seen]
            if overlap:
                seen.update(ids)
            if fresh:
                yield {
                    key: [got[key][n] for n in fresh]
                    for key in ("ids", "documents", "metadatas", "embeddings")
                    if got.get(key) is not None
                }
            if len(ids) < self.most:
                return
            last = ids
            at += len(ids) - overlap

    def check_room(self, wanted: int = 0) -> None:
        """Refuse to write on a disk that is nearly full. Raises StoreError.

        `wanted` is what is about to be written, in bytes, when it is much.
        """
        if self.folder is not None:
            free = _free(self.folder)
            if free < _RESERVE_BYTES + wanted:
                raise StoreError(messages.LITTLE_ROOM.format(free // 1_000_000, self.where))

    def beside(self, folder: Path) -> Chroma:
        """Return a client over an embedded store of its own in another folder, made if absent."""
        return Chroma(embedded_client(folder), str(folder.parent), folder, self.most)

    def close(self) -> None:
        """Let go of the store; later calls are refused."""
        self.closed.set()
        # In the end of a process Chroma may be half gone already.
        try:
            for session in _sessions(self.client):
                session.close()
            self.client.close()  # type: ignore[attr-defined] # in each client, not in their type
        except Exception:
            log.debug("fermeture de Chroma", exc_info=True)

    def discard(self) -> None:
        """Let go of an embedded store and remove its folder; once more does no harm."""
        self.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _refused(self, error: BaseException) -> RecoupeError:
        if isinstance(error, RecoupeError):
            return error
        log.info("Chroma (%s)", self.where, exc_info=error)
        text = str(error)
        if self.shared and _is_away(error):
            return StoreError(messages.CHROMA_AWAY.format(self.where))
        if self.folder is not None:
            if _free(self.folder) < _RESERVE_BYTES // 8:
                return StoreError(messages.DISK_FULL.format(self.where))
            if "readonly" in text or not os.access(self.folder, os.W_OK):
                return StoreError(messages.INDEX_READ_ONLY.format(self.where))
        return StoreError(messages.INDEX_FAILED.format(self.where, type(error).__name__))


def connect(settings: Settings, root: Path | None = None) -> Chroma:
    """Return the client that the settings name, telemetry off.

    An embedded store lies under `root`, the index's folder unless said.

    Raises StoreError when the server does not answer or the folder cannot be
    used.
    """
    import chromadb

    where = settings.chroma_url or str(settings.index_dir)
    try:
        if settings.chroma_url:
            url = urlsplit(settings.chroma_url)
            key = settings.chroma_api_key.get_secret_value()
            client = chromadb.HttpClient(
                host=url.hostname or "localhost",
                port=url.port or (443 if url.scheme == "https" else 8000),
                ssl=url.scheme == "https",
                headers={"x-chroma-token": key} if key else None,
                tenant=settings.chroma_tenant,
                database=settings.chroma_database,
                settings=_quiet(),
            )
            # Chroma waits for a silent server for ever otherwise; it has no setting for it.
            for session in _sessions(client):
                session.timeout = httpx.Timeout(_SILENCE_SECONDS, connect=5.0)
                session.event_hooks["response"] = [_refuse_busy]
            return Chroma(client, where, None, QUOTA_RECORDS)
        folder = current_folder(root or settings.index_dir)
        return Chroma(embedded_client(folder), where, folder, _BATCH_RECORDS)
    except StoreError:
        raise
    except Exception as error:  # Chroma's own errors share no base
        raise StoreError(messages.INDEX_NOT_OPENED.format(where, _first_line(error))) from error


def embedded_client(folder: Path) -> ClientAPI:
    """Return a client of its own over the store in `folder`, made if absent."""
    import chromadb

    folder.mkdir(parents=True, exist_ok=True)
    return chromadb.PersistentClient(path=str(folder), settings=_quiet())


def current_folder(index_dir: Path) -> Path:
    """Return the folder of the embedded store: `chroma`, or the one that a rebuild made.

    Raises StoreError when it is gone: an empty one in its place would be taken for the index.
    """
    name = read_pointer(index_dir / _POINTER, _FOLDER)
    folder = index_dir / (name or "chroma")
    # Its catalogue without it is that of a store that is lost, or of a server's (`changes.py`).
    own = (index_dir / _CATALOGUE).exists() and not (index_dir / "writer").exists()
    if (name or own) and not (folder / _DATABASE).exists():
        raise StoreError(messages.STORE_GONE.format(folder))
    return folder


def read_pointer(file: Path, names: re.Pattern[str]) -> str:
    """Return the name of a folder that a file says, "" where there is no file.

    Raises StoreError when what it says is not one of `names`.
    """
    try:
        name = file.read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        raise StoreError(messages.BAD_POINTER.format(file)) from error
    if not names.fullmatch(name):
        raise StoreError(messages.BAD_POINTER.format(file))
    return name


def write_pointer(file: Path, name: str) -> None:
    """Have a file say the name of a folder, whole or not at all. Raises OSError."""
    draft = file.with_name(f"{file.name}.tmp")
    with draft.open("w", encoding="utf-8") as writing:
        writing.write(name)
        writing.flush()
        os.fsync(writing.fileno())
    draft.replace(file)


def next_folder(index_dir: Path) -> Path:
    """Return the folder in which the store is to be rebuilt; it is not there yet."""
    name = current_folder(index_dir).name
    number = int(name.partition("-")[2] or 1) + 1
    folder = index_dir / f"chroma-{number}"
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def switch_folder(index_dir: Path, folder: Path) -> None:
    """Make `folder` the store at the next opening, whole or not at all. Raises StoreError."""
    if not (folder / _DATABASE).exists():
        raise StoreError(messages.COPY_GONE.format(folder))
    write_pointer(index_dir / _POINTER, folder.name)


def sweep_folders(index_dir: Path) -> None:
    """Remove what an interrupted rebuild left; for the owner of the index alone."""
    current = current_folder(index_dir)
    if (current / _DATABASE).exists():
        for folder in store_folders(index_dir):
            if folder.name != current.name:
                shutil.rmtree(folder, ignore_errors=True)


def store_folders(index_dir: Path) -> list[Path]:
    """Return the folders of embedded stores that lie in a folder, the current one and others."""
    return [f for f in index_dir.glob("chroma*") if _FOLDER.fullmatch(f.name) and f.is_dir()]


def _quiet() -> Any:
    from chromadb.config import Settings as ChromaSettings

    return ChromaSettings(anonymized_telemetry=False)


def _free(folder: Path) -> int:
    """Return the bytes free on a folder's disk; a great many when it cannot be told."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 1 << 60


def _refuse_busy(response: httpx.Response) -> None:
    """Raise for the answers of a server that will do better later; Chroma's hide the status."""
    if response.status_code in _BUSY:
        response.raise_for_status()


def _sessions(client: ClientAPI) -> list[httpx.Client]:
    """Return what a client speaks HTTP with; it neither bounds nor closes them."""
    parts = (client, getattr(client, "_admin_client", None))
    found = [getattr(getattr(part, "_server", None), "_session", None) for part in parts]
    return [session for session in found if isinstance(session, httpx.Client)]


def _is_away(error: BaseException) -> bool:
    """Tell whether a server did not answer, or could not at present."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in _BUSY
    if isinstance(error, httpx.TransportError | ConnectionError):
        return True
    return isinstance(error, ValueError) and "Could not connect" in str(error)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
