"""An example: ingest from several machines with Ray Data, into one Chroma server.

    pip install "ray[data]"
    RECOUPE_CHROMA_URL=http://chroma.internal:8000 python -m bench.ray_ingest WORKERS FILE…

The files lie where all machines see them under the same paths, and hold some
hundred articles each. A worker embeds with the settings' model and keeps its
own words in a folder of its machine, for as long as the job lasts. A file that
fails is named in what is printed; run again with it: the others are unchanged.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.faces import ingest, opened, read


class Ingest:
    """One worker: it opens the index once, then takes files as they come."""

    def __init__(self) -> None:
        self._assistant = opened(Path(tempfile.mkdtemp(prefix="recoupe-ray-")))

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Ingest one file."""
        try:
            articles = read([Path(row["item"])])
            ingest(self._assistant, articles)
        except Exception as error:  # noqa: BLE001 - told at the end, by file
            return {"file": row["item"], "articles": 0, "error": str(error)}
        return {"file": row["item"], "articles": len(articles), "error": ""}


def main() -> None:
    """Share the files among the workers; print what each gave."""
    import ray.data

    if not os.environ.get("RECOUPE_CHROMA_URL"):
        sys.exit("RECOUPE_CHROMA_URL: several workers need a Chroma server")
    workers, files = int(sys.argv[1]), [str(Path(f).absolute()) for f in sys.argv[2:]]
    done = ray.data.from_items(files, override_num_blocks=len(files)).map(
        Ingest, concurrency=workers, num_cpus=1
    )
    for row in done.iter_rows():
        print(f"{row['file']}: {row['articles']} articles {row['error']}".rstrip())


if __name__ == "__main__":
    main()
