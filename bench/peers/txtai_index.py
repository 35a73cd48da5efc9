"""Index articles with txtai: its vectors, words (hybrid) and content, the same model.

    python txtai_index.py ARTICLES.jsonl MODEL_FOLDER INDEX_FOLDER

The pieces are those of LangChain's splitter: txtai has none that needs no download.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path


def main() -> None:
    """Print the seconds of each step, after a first small document that warms all up."""
    articles, model, target = sys.argv[1:4]
    began = time.perf_counter()
    from langchain_text_splitters import RecursiveCharacterTextSplitter
    from txtai import Embeddings

    embeddings = Embeddings(path=model, method="sentence-transformers", content=True, hybrid=True,
                            gpu=False)  # fmt: skip
    embeddings.index([("0", "Une phrase pour commencer.", None)])
    loaded = time.perf_counter()
    lines = Path(articles).read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    pieces = [
        (f"{row['id']}:{number}", text, None)
        for row in rows
        for number, text in enumerate(splitter.split_text(row["text"]))
    ]
    read = time.perf_counter()
    embeddings.index(pieces)
    embeddings.save(target)
    done = time.perf_counter()
    result = {
        "load, s": loaded - began, "read and split, s": read - loaded, "index, s": done - read,
        "work, s": done - loaded, "articles": len(rows), "pieces": len(pieces),
        "peak, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip
    print(json.dumps(result))


if __name__ == "__main__":
    main()
