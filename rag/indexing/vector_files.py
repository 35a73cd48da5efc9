"""Whether the files of Chroma's vectors can be read: asked in another process, which they may kill.

hnswlib believes what its files say: damaged ones end the process that opens them, without a word.
Texts lie in Chroma's SQLite file; without the vectors' files Chroma opens, and they can be
made again.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from rag import messages
from rag.errors import StoreError
from rag.indexing.chroma import current_folder

log = logging.getLogger(__name__)

_TRIAL_SECONDS = 600.0
_MARK = "header.bin"  # in each folder of vectors
_PAGE_SIZE = 2000


def check_vector_files(root: Path, *, repair: bool = False) -> None:
    """Raise StoreError when the vectors under a generation's folder cannot be read.

    With `repair` their files are removed instead, for the vectors to be made again.
    """
    folder = current_folder(root)
    if not any(folder.glob(f"*/{_MARK}")) or _readable(folder):
        return
    if not repair:
        raise StoreError(messages.DAMAGED_VECTORS.format(folder))
    log.warning("fichiers de vecteurs abîmés, effacés : %s", folder)
    for mark in list(folder.glob(f"*/{_MARK}")):
        shutil.rmtree(mark.parent, ignore_errors=True)


def _readable(folder: Path) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - our own module, on a folder of ours
            [sys.executable, "-m", "rag.indexing.vector_files", str(folder)],
            capture_output=True,
            timeout=_TRIAL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    log.info("lecture des vecteurs : %d %s", done.returncode, done.stderr[-500:])
    return done.returncode == 0


def _probe(folder: Path) -> None:
    """Read all vectors and search them once; raise, or die, where that cannot be."""
    from rag.indexing.chroma import embedded_client

    for collection in embedded_client(folder).list_collections():
        vector: Any = None
        for at in range(0, collection.count(), _PAGE_SIZE):
            got = collection.get(limit=_PAGE_SIZE, offset=at, include=["embeddings"])
            vector = got["embeddings"][0]  # type: ignore[index]  # they were asked for
        if vector is not None:
            collection.query(query_embeddings=[vector], n_results=10, include=["distances"])


if __name__ == "__main__":
    _probe(Path(sys.argv[1]))
