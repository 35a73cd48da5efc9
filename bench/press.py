"""Ask the press questions of a folder over its articles, and score the answers by kind.

    python -m bench.press FOLDER [--index DIR] [--json FILE]

FOLDER holds `questions.jsonl` (question, kind, history, answers as verbatim
quotes with `part`) and the articles it asks about, as other `.jsonl` files
with a `text`. A quote counts as covered when a citation contains it, is
contained in it, or holds most of its words. Nothing is fitted on it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

_MOST = 0.7  # share of a quote's words
_FALSE_PREMISE = "false_presupposition"


def main() -> None:
    """Ingest where the index is empty, ask, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sentences", type=int, default=0, help="answer_sentences, 0: default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        index = options.index or Path(made)
        os.environ["RECOUPE_INDEX_DIR"] = str(index)
        if not (index / "lexical").exists():
            files = [
                str(f)
                for f in sorted(options.folder.glob("*.jsonl"))
                if '"text": "' in f.open(encoding="utf-8").readline()
                and '"title": "' in f.open(encoding="utf-8").readline()
            ]
            subprocess.run([sys.executable, "ingest.py", *files], check=True)
        result = asked(options.folder / "questions.jsonl")
    print(json.dumps(result["measures"], indent=1, ensure_ascii=False))
    if options.json:
        options.json.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")


def asked(questions: Path) -> dict[str, Any]:
    """Return the measures over a file of questions, and what was answered to each."""
    from rag.assistant import open_assistant
    from rag.domain import Turn
    from rag.settings import load_settings

    rows = [json.loads(line) for line in questions.read_text(encoding="utf-8").splitlines()]
    assistant = open_assistant(load_settings(), "bench")
    done = []
    for row in rows:
        history = [Turn(t["question"], t["answer"]) for t in row.get("history", ())]
        start = time.perf_counter()
        answer = assistant.ask(row["question"], history)
        spent = time.perf_counter() - start
        cited = [(c.article_id, c.quote) for s in answer.statements for c in s.citations]
        found = [(h.passage.article_id, h.passage.text) for h in answer.hits]
        done.append(
            {
                "id": row["id"],
                "kind": row["kind"],
                "style": row["style"],
                "refused": answer.refused,
                "asked": answer.asked,
                "seconds": round(spent, 4),
                "probability": answer.probability,
                **scored(row["answers"], cited, found),
            }
        )
    assistant.close()
    return {"measures": measures(done), "questions": done}


def scored(
    answers: list[dict[str, Any]], cited: list[tuple[str, str]], found: list[tuple[str, str]]
) -> dict[str, Any]:
    """Return what of the expected quotes is cited, and which passages found hold one."""
    parts: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for answer in answers:
        parts[answer["part"]].append(answer)
    held = [any(covered(a, c) for a in answers for c in [cite]) for cite in cited]
    ranks = [n for n, hit in enumerate(found, 1) if any(covered(a, hit) for a in answers)]
    return {
        "parts": len(parts),
        "covered": sum(
            any(covered(a, c) for a in group for c in cited) for group in parts.values()
        ),
        "first": bool(held and held[0]),
        "any": any(held),
        "citations": len(cited),
        "right_citations": sum(held),
        "rank": ranks[0] if ranks else 0,
    }


def covered(answer: dict[str, Any], span: tuple[str, str]) -> bool:
    """Tell whether a span of an article covers an expected quote."""
    article, text = span
    if article.rpartition("-")[0] != answer["article_id"]:  # ids end in a digest
        return False
    quote, said = _words(answer["quote"]), _words(text)
    joined, other = " ".join(quote), " ".join(said)
    if joined in other or (other and other in joined):
        return True
    return len(set(quote) & set(said)) >= _MOST * len(set(quote))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.replace("\u00ad", "").replace("’", "'").lower())


def measures(done: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures over all questions, and some by kind."""
    asked_for = [d for d in done if d["parts"]]
    none = [d for d in done if not d["parts"]]
    cited = sum(d["citations"] for d in asked_for)
    by_kind = {}
    for kind in sorted({d["kind"] for d in asked_for}):
        rows = [d for d in asked_for if d["kind"] == kind]
        by_kind[kind] = {
            "n": len(rows),
            "any": _share(d["any"] for d in rows),
            "parts": round(sum(d["covered"] for d in rows) / sum(d["parts"] for d in rows), 3),
        }
    spent = sorted(d["seconds"] for d in done)
    return {
        "questions": len(done),
        "refused_though_answerable": _share(d["refused"] for d in asked_for),
        "answered_though_unanswerable": _share(not d["refused"] for d in none),
        "some_citation_right": _share(d["any"] for d in asked_for),
        "first_citation_right": _share(d["first"] for d in asked_for),
        "citation_precision": round(
            sum(d["right_citations"] for d in asked_for) / max(1, cited), 3
        ),
        "passage_recall": _share(d["rank"] > 0 for d in asked_for),
        "passage_mrr": round(
            sum(1 / d["rank"] for d in asked_for if d["rank"]) / len(asked_for), 3
        ),
        "by_kind": by_kind,
        "p50_ms": round(1000 * spent[len(spent) // 2]),
        "p95_ms": round(1000 * spent[int(0.95 * len(spent))]),
    }


def _share(flags: Any) -> float:
    found = list(flags)
    return round(sum(map(bool, found)) / max(1, len(found)), 3)


if __name__ == "__main__":
    main()
