"""Index articles with Recoupe's default settings, as `bench/peers` do with other pipelines.

python -m bench.recoupe_ingest INDEX_FOLDER FILE…

A process of its own, so that neither import nor memory is shared.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path


def main() -> None:
    """Print the seconds of each step, after a first small article that warms all up."""
    folder, files = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    began = time.perf_counter()
    from bench.faces import ingest, opened, passages, read
    from rag.domain import Article, Source

    assistant = opened(folder)
    ingest(assistant, [Article("début", Source("Début"), "Une phrase pour commencer. Une autre.")])
    loaded = time.perf_counter()
    articles = read(files)
    read_at = time.perf_counter()
    ingest(assistant, articles)
    done = time.perf_counter()
    result = {
        "load, s": loaded - began, "read and split, s": read_at - loaded,
        "index, s": done - read_at, "work, s": done - loaded,
        "articles": len(articles), "pieces": passages(assistant) - 1,
        "peak, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip
    assistant.close()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
