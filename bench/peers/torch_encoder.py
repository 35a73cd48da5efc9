"""Time a sentence-transformers folder in torch fp32.

python torch_encoder.py cut ARTICLES.jsonl MODEL_FOLDER    texts of exact lengths
python torch_encoder.py time TEXTS.json MODEL_FOLDER       the seconds of each batch

Runs in the environment of the peers.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

BATCHES = {"16x192": (16, 192), "32x64": (32, 64)}
_BATCHES = 8  # of each shape, and one more that warms up
_QUESTIONS = 100


def main() -> None:
    """Print the answer as JSON."""
    action, source, folder = sys.argv[1:4]
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu")
    made = cut(model, Path(source)) if action == "cut" else timed(model, Path(source))
    print(json.dumps(made, ensure_ascii=False))


def cut(model: Any, articles: Path) -> dict[str, Any]:
    """Return distinct texts that have, prompt and marks included, a number of tokens."""
    lines = articles.read_text(encoding="utf-8").splitlines()
    text = "\n".join(json.loads(line)["text"] for line in lines)
    batches = {}
    for name, (size, tokens) in BATCHES.items():
        pieces = exact(model, text, tokens, size * (_BATCHES + 1), "document")
        batches[name] = [pieces[at : at + size] for at in range(0, len(pieces), size)]
    return {"batches": batches, "questions": exact(model, text, 16, _QUESTIONS + 5, "query")}


def exact(model: Any, text: str, tokens: int, count: int, prompt: str) -> list[str]:
    """Return `count` slices of a text, repeated as need be, of `tokens` tokens each."""
    tokenizer = model.tokenizer
    inside = tokens - len(tokenizer(head(model, prompt))["input_ids"])
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True,
                        verbose=False)["offset_mapping"]  # fmt: skip
    pieces: list[str] = []
    at = 0
    while len(pieces) < count:
        start = at % (len(offsets) - inside)
        pieces.append(text[offsets[start][0] : offsets[start + inside - 1][1]])
        at += inside + 1
    return pieces


def head(model: Any, prompt: str) -> str:
    """Return what the model puts before a text of a kind, as sentence-transformers finds it."""
    names = ["query"] if prompt == "query" else ["document", "passage", "corpus"]
    return next((str(model.prompts[n]) for n in names if model.prompts.get(n)), "")


def timed(model: Any, texts: Path) -> dict[str, Any]:
    """Return the tokens and the seconds of each batch, and the seconds of each question."""
    given = json.loads(texts.read_text(encoding="utf-8"))
    found: dict[str, Any] = {"batches": {}, "questions, s": []}
    for name, batches in given["batches"].items():
        whole = [[head(model, "document") + text for text in batch] for batch in batches]
        counts = [len(ids) for b in whole for ids in model.tokenizer(b)["input_ids"]]
        seconds = []
        for batch in batches:
            began = time.perf_counter()
            model.encode_document(batch, batch_size=len(batch), show_progress_bar=False)
            seconds.append(time.perf_counter() - began)
        found["batches"][name] = {"tokens a text": sum(counts) / len(counts), "s": seconds[1:]}
    for question in given["questions"]:
        began = time.perf_counter()
        model.encode_query([question], show_progress_bar=False)
        found["questions, s"].append(time.perf_counter() - began)
    del found["questions, s"][:5]
    return found


if __name__ == "__main__":
    main()
