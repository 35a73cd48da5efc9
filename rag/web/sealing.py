"""What a browser keeps for the server, sealed: it comes back as it was given, or not at all.

Signed (HMAC) with a key of the index, which a restart keeps and nobody is told. It is not
enciphered: it is the reader's own.
"""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from rag import messages
from rag.errors import StoreError, why

log = logging.getLogger(__name__)

_KEY_FILE = "browser.key"
_KEY_BYTES = 32


class Seal:
    """Seals values of JSON for one purpose."""

    def __init__(self, folder: Path, purpose: str) -> None:
        """Take the index's folder, which has the key, and what the values are for.

        Raises StoreError when there is no key and none can be written.
        """
        self._signer = URLSafeSerializer(_key(folder), salt=purpose)

    def close(self, value: Any) -> str:
        """Return a value sealed, compressed where that is shorter."""
        return str(self._signer.dumps(value))

    def open(self, sealed: Any) -> Any:
        """Return the value of what `close` returned; None for anything else."""
        if not isinstance(sealed, str):
            return None
        try:
            return self._signer.loads(sealed)
        except (BadData, ValueError, RecursionError):
            log.info("ce que le navigateur a gardé n'est pas de cet index")
            return None


def _key(folder: Path) -> bytes:
    """Return the key of an index, made at its first use and readable by this user alone."""
    path = folder / _KEY_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
        key = path.read_bytes()
        if len(key) != _KEY_BYTES:  # cut off by a full disk: what was sealed is lost, nothing else
            key = secrets.token_bytes(_KEY_BYTES)
            path.write_bytes(key)
    except OSError as error:
        raise StoreError(messages.KEY_UNUSABLE.format(path, why(error))) from error
    return key
