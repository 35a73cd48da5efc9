"""Index articles as LangChain's tutorial does: recursive splitter, sentence-transformers, Chroma.

python langchain_tutorial.py ARTICLES.jsonl MODEL_FOLDER INDEX_FOLDER

Runs in the environment of the peers.
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
    from langchain_chroma import Chroma
    from langchain_core.documents import Document
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    embeddings = HuggingFaceEmbeddings(model_name=model, model_kwargs={"device": "cpu"})
    store = Chroma(collection_name="articles", embedding_function=embeddings,
                   persist_directory=target)  # fmt: skip
    store.add_documents([Document("Une phrase pour commencer.")])
    loaded = time.perf_counter()
    lines = Path(articles).read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    documents = [Document(r["text"], metadata={"id": r["id"], "title": r["title"]}) for r in rows]
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=1000, chunk_overlap=200, add_start_index=True
    )
    chunks = splitter.split_documents(documents)
    read = time.perf_counter()
    store.add_documents(chunks)
    done = time.perf_counter()
    result = {
        "load, s": loaded - began, "read and split, s": read - loaded, "index, s": done - read,
        "work, s": done - loaded, "articles": len(rows), "pieces": len(chunks),
        "peak, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip
    print(json.dumps(result))


if __name__ == "__main__":
    main()
