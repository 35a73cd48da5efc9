"""What of the web is open, and what may be sent to the chat's framework. All else is refused.

Gradio is a server of its own: it reads files, fetches addresses, keeps and gives back sessions,
for whoever asks, and believes what a browser says. Of its routes the page uses the few below,
found by walking a browser through every feature; another version may add some, so its minor
version is pinned, and `tests/test_framework.py` enumerates what it mounts. An event of the page
carries words, numbers and lists of them: never an object, by which the framework would know a
file, but on a keeper's upload, and there only what lies in the folder of uploads.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradio.queueing import Queue

JOIN = "/gradio_api/queue/join"
UPLOAD = "/gradio_api/upload"
UPLOADS = (UPLOAD, "/gradio_api/upload_progress")
STREAM = "/gradio_api/queue/data"
_GET = frozenset({"GET", "HEAD"})
_POST = frozenset({"POST"})
_ANY = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_NAME = r"[\w-][\w.-]{0,119}"
_SESSION = r"[A-Za-z0-9]{1,40}"


@dataclass(frozen=True, slots=True)
class Route:
    """Some addresses that are open: a pattern of their whole path, and their methods.

    `login` tells those that exist only where the chat has a login.
    """

    path: str
    methods: frozenset[str]
    about: str
    login: bool = False


# Ours decide themselves, below these prefixes, what there is.
OURS = (
    Route(r"/api/v1/.*", _ANY, "the API"),
    Route(r"/v1/.*", _ANY, "Recoupe as a model"),
    Route(r"/mcp", frozenset({"POST", "OPTIONS"}), "tools for assistants"),
    Route(r"/metrics", _GET, "counts, for the keeper"),
    Route(rf"/widget\.js|/widget\.{_NAME}\.js|/widget/{_NAME}", _GET, "the widget"),
    Route(r"/embed|/demo|/a-propos", _GET, "its pages"),
    Route(r"/redaction(?:/(?:page\.css|echanges\.csv|reference\.jsonl))?", _GET, "the newsroom"),
    Route(
        r"/redaction/(?:connexion|deconnexion|reference|reference/retrait)",
        _POST,
        "what it decides",
    ),
)
FRAMEWORK = (
    Route(r"/", _GET, "the chat's page"),
    Route(rf"/assets/{_NAME}", _GET, "its scripts and styles"),
    Route(rf"/static/(?:{_NAME}/){{0,5}}{_NAME}", _GET, "its images"),
    Route(r"/theme\.css|/favicon\.ico|/manifest\.json", _GET, "its theme"),
    Route(re.escape(JOIN), _POST, "an event of the page"),
    Route(re.escape(STREAM), _GET, "what the event gives, as it comes"),
    Route(r"/gradio_api/app_id", _GET, "whether the app was restarted under the page"),
    Route(re.escape(UPLOAD), _POST, "a keeper's files"),
    Route(r"/gradio_api/upload_progress", _GET, "how far they have come"),
    Route(r"/login", _POST, "the chat's login", login=True),
)
_DEEPEST_DATA = 12  # lists and objects within each other in what an event tells of itself
_LONGEST_EVENT = 700_000  # characters of one value: a verification that a browser keeps
_MOST_PENDING = 12  # events of a page whose answers it has not read
_LOOK_PERIOD, _UNREAD_PERIOD = 30.0, 600.0  # seconds between two looks for answers unread so long
_MOST_UPLOADED = 1024**3  # bytes of files that wait to be indexed
_MOST_VALUES = 500  # of a list: sources to filter by, articles to remove


def is_open(method: str, path: str, *, login: bool) -> bool:
    """Tell whether a request's address exists for a browser, whatever the framework serves."""
    return any(
        method in route.methods and re.fullmatch(route.path, path)
        for route in (*OURS, *FRAMEWORK)
        if login or not route.login
    )


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the page, as far as the guard reads it."""

    session: str
    function: int


class BadEventError(ValueError):
    """An event that the page does not send."""


class Events:
    """Reads the events of the page, and refuses what is none."""

    def __init__(self, uploads: Path, inputs: Mapping[int, int], upload: int | None) -> None:
        """Read events for a page whose uploads come into a folder.

        `inputs` gives the number of values that each of the page's functions takes, by the number
        of the function; `upload` is the number of the one that takes files, None where none does.
        """
        self._uploads = uploads.resolve()
        self._inputs = inputs
        self._upload = upload
        self._queue: Queue | None = None
        self._looked = 0.0

    def watch(self, queue: Queue) -> None:
        """Take the framework's queue, whose answers wait for pages to read them."""
        self._queue = queue

    def has_room(self, session: str) -> bool:
        """Tell whether a page may send another event: it reads what the last ones gave.

        What nobody has read for a while is dropped.
        """
        if self._queue is None:
            return True
        self._drop_unread(self._queue)
        return len(self._queue.pending_event_ids_session.get(session, ())) < _MOST_PENDING

    def _drop_unread(self, queue: Queue) -> None:
        """Drop the answers of pages that have read none of theirs for `_UNREAD_PERIOD` seconds."""
        now = time.monotonic()
        if now - self._looked < _LOOK_PERIOD:
            return
        self._looked = now
        for session, ids in list(queue.pending_event_ids_session.items()):
            events = [e for i in list(ids) if (e := queue.event_ids_to_events.get(i))]
            if all(now - e.enqueue_time > _UNREAD_PERIOD for e in events):
                if ids:
                    queue.pending_messages_per_session.pop(session, None)
                for event in events:
                    queue.event_ids_to_events.pop(event._id, None)
                del queue.pending_event_ids_session[session]

    def has_space(self) -> bool:
        """Tell whether the folder of uploads may take more."""
        files = (
            (p for p in self._uploads.rglob("*") if p.is_file()) if self._uploads.exists() else ()
        )
        return sum(p.stat().st_size for p in files) < _MOST_UPLOADED

    def read(self, body: bytes) -> Event:
        """Return the event of a request's body. Raises BadEventError."""
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise BadEventError("not JSON") from error
        if not isinstance(payload, dict):
            raise BadEventError("not an object")
        session, function = payload.get("session_hash"), payload.get("fn_index")
        if not isinstance(session, str) or not re.fullmatch(_SESSION, session):
            raise BadEventError("no session")
        if not isinstance(function, int) or isinstance(function, bool):
            raise BadEventError("no function")
        values = payload.get("data")
        if not isinstance(values, list) or len(values) != self._inputs.get(function, -1):
            raise BadEventError("not what the function takes")
        for value in values:
            if not _plain(value) and not (function == self._upload and self._uploaded(value)):
                raise BadEventError("a value that is no text, number or list of them")
        if not _harmless(payload.get("event_data"), _DEEPEST_DATA):
            raise BadEventError("a file")
        return Event(session, function)

    def _uploaded(self, value: Any) -> bool:
        """Tell whether a value is a list of files that were uploaded."""
        return isinstance(value, list) and all(
            isinstance(file, dict) and self.holds(file.get("path")) for file in value
        )

    def holds(self, path: Any) -> bool:
        """Tell whether a path is that of a file in the folder of uploads."""
        if not isinstance(path, str) or "://" in path or "\0" in path:
            return False
        try:
            found = Path(path).resolve()
            return found.is_relative_to(self._uploads) and found.is_file()
        except (OSError, ValueError):
            return False


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= _MOST_VALUES and all(
            isinstance(each, str) and len(each) <= _LONGEST_EVENT for each in value
        )
    if isinstance(value, str):
        return len(value) <= _LONGEST_EVENT
    return value is None or isinstance(value, bool | int | float)


def _harmless(value: Any, depth: int) -> bool:
    """Tell whether what an event tells of itself names no file."""
    if depth == 0:
        return False
    if isinstance(value, dict):
        return not {"path", "meta", "_type"} & value.keys() and all(
            _harmless(each, depth - 1) for each in value.values()
        )
    if isinstance(value, list):
        return all(_harmless(each, depth - 1) for each in value)
    return True
