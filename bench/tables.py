"""The results of `bench.scale` as Markdown tables: `python -m bench.tables RESULTS.json`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

# Of a size: the row's name, and where its figure lies in the results.
SPREADS = (
    ("search, no filter", ("search", "no filter")),
    ("search, date filter", ("search", "date")),
    ("search, large source", ("search", "large source")),
    ("search, small source", ("search", "small source")),
    ("an answer", ("search", "answer")),
    ("a claim checked", ("search", "claim")),
    ("an article opened", ("search", "opened article")),
    ("`POST /ask`", ("POST /ask",)),
    ("`POST /ask` during an ingestion", ("POST /ask during an ingestion",)),
    ("page `/`", ("page /",)),
    ("`GET /articles`, first page", ("GET /articles, first page",)),
    ("`GET /articles`, last page", ("GET /articles, last page",)),
    ("cold `recoupe ask`", ("cold recoupe ask",)),
)
SINGLES = (
    ("app until `/health` answers", ("app start until health",)),
    ("app resident at start", ("app resident at start",)),
    ("app resident after questions", ("app resident after questions",)),
)
PARTS = ("chroma", "lexical", "catalogue", "others")


def main() -> None:
    """Print all tables of a file."""
    results = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print("\n\n".join(all_tables(results)))


def all_tables(results: dict[str, Any]) -> Iterable[str]:
    """Yield each table that the results have figures for."""
    if "ingestion" in results:
        yield ingestion(results["ingestion"])
    if "encoder" in results:
        yield encoder(results["encoder"])
    if results.get("growth"):
        yield growth(results["growth"])
    if "browsing" in results:
        yield browsing(results["browsing"])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def ingestion(found: dict[str, Any]) -> str:
    """Return the pipelines side by side."""
    title = f"{found['articles']} articles, {found['characters']:,} characters"
    rows = [
        [name, *(f"{run[key]:,.1f}" for key in ("work, s", "read and split, s", "index, s", "load, s")),
         f"{run['pieces']:.0f}", f"{run['peak, MB']:,.0f}",
         str(found["times Recoupe is as fast"].get(name, ""))]
        for name, run in found["pipelines"].items()
    ]  # fmt: skip
    head = [f"{title}; median of {found['rounds']}", "work, s", "of which read, s",
            "of which index, s", "load before, s", "pieces", "peak, MB", "Recoupe is faster, times"]  # fmt: skip
    return table(head, rows)


def encoder(found: dict[str, Any]) -> str:
    """Return the encoders side by side."""
    shapes = list(found["tokens a text"])
    rows = [
        [name, *(f"{engine['tokens/s'][s]['value']:,.0f}" for s in shapes),
         shown(engine["question of 16 tokens"])]
        for name, engine in found["engines"].items()
    ]  # fmt: skip
    rows.append(["ratio", *(str(found["Recoupe over torch"][s]) for s in shapes), ""])
    return table(["encoder", *(f"tokens/s, {s}" for s in shapes), "question, p50 / p95"], rows)


def growth(sizes: Sequence[dict[str, Any]]) -> str:
    """Return what each size takes, a column a size."""
    head = ["passages", *(f"{s['passages']:,}" for s in sizes)]
    rows = [["articles", *(f"{s['articles']:,}" for s in sizes)]]
    rows += [[name, *(shown(at(s, *path)) for s in sizes)] for name, path in SPREADS]
    rows += [[name, *(shown(at(s, *path)) for s in sizes)] for name, path in SINGLES]
    for part in PARTS:
        rows.append(
            [f"disk, {part}", *(f"{s['bytes on disk'][part] / 1e6:,.1f} MB" for s in sizes)]
        )
    rows.append(
        [
            "index built without embedding, passages/s",
            *(f"{b:,.0f}" if (b := built(s)) else "" for s in sizes),
        ]
    )
    return table(head, rows)


def browsing(found: dict[str, Any]) -> str:
    """Return what pages of the list of articles take, and what of that is the server's work."""
    head = [f"{found['articles']:,} articles, pages of 20", "page, p50 / p95", "of which work"]
    pages = found["pages"].items()
    return table(head, [[n, shown(p["page"]), shown(p["of which work"])] for n, p in pages])


def built(size: dict[str, Any]) -> float | None:
    """Return the passages a second that were indexed, the time of embedding taken off."""
    build = size["build"]
    seconds = build["s"] - (build["of which embedding, s"] or 0.0)
    return float(build["passages added"] / seconds) if seconds > 0 else None


def at(found: dict[str, Any], *path: str) -> Any:
    """Return what lies at a path of keys, None where there is nothing."""
    for key in path:
        found = found.get(key) or {}
    return found or None


def shown(figure: Any) -> str:
    """Return a figure in a few characters, with how often it was measured."""
    if not figure:
        return ""
    if "value" in figure:
        return f"{figure['value']:,.1f} {figure['unit']}"
    if figure["p50"] is None:
        return "none (n 0)"
    return f"{figure['p50']:,.1f} / {figure['p95']:,.1f} {figure['unit']} (n {figure['n']})"


if __name__ == "__main__":
    main()
