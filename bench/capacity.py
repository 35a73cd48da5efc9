"""What the curves of `bench.scale` imply for larger archives, as Markdown tables.

    python -m bench.capacity RESULTS.json [PAGE.md]

With a page, each table goes between its marks there (`<!-- bench:NAME -->` and
`<!-- /bench -->`), so that the page holds no number that was not measured or
computed from measures. Straight lines through the two largest sizes give disk,
memory and starts; hours divide by rates; latencies follow the power between
those two sizes. It is arithmetic, not a promise.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.comparing import RECOUPE
from bench.tables import PARTS, at, browsing, built, encoder, growth, ingestion, table

TARGETS = (1_000_000, 10_000_000, 100_000_000)
_TOLD = "**computed, not measured**"
Line = Callable[[float], float]


def main() -> None:
    """Print the tables, or put them in a page."""
    results = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    tables = all_blocks(results)
    if len(sys.argv) < 3:
        print("\n\n".join(tables.values()))
        return
    page = Path(sys.argv[2])
    page.write_text(filled(page.read_text(encoding="utf-8"), tables), encoding="utf-8")


def all_blocks(results: dict[str, Any]) -> dict[str, str]:
    """Return each table that the results allow, by name."""
    blocks = {"machine": machine(results)}
    if "ingestion" in results:
        blocks["ingestion"] = ingestion(results["ingestion"])
    if "encoder" in results:
        blocks["encoder"] = encoder(results["encoder"])
    if results.get("growth"):
        blocks["growth"] = growth(results["growth"])
    if "browsing" in results:
        blocks["browsing"] = browsing(results["browsing"])
    if len(results.get("growth", ())) > 1:
        blocks["passage"] = per_passage(results)
        blocks["implied"] = implied(results)
    return blocks


def filled(page: str, tables: dict[str, str]) -> str:
    """Return a page with each table between its marks; a table that is lacking leaves its mark."""

    def put(mark: re.Match[str]) -> str:
        name = mark[1]
        inside = f"{tables[name]}\n" if name in tables else "_Not measured yet._\n"
        return f"<!-- bench:{name} -->\n{inside}<!-- /bench -->"

    return re.sub(r"<!-- bench:(\w+) -->\n.*?<!-- /bench -->", put, page, flags=re.DOTALL)


def machine(results: dict[str, Any]) -> str:
    """Return what the figures were measured on."""
    found, options = results["machine"], results["options"]
    rows = [
        ["processor", f"{found['cpu']}, {found['cores']} cores, {', '.join(found['instructions'])}"],
        ["memory", f"{found['memory, GB']} GB"],
        ["articles", f"{options['real articles']}, the others generated"],
        ["vectors", _vectors(results)],
    ]  # fmt: skip
    return table(["measured on", ""], rows)


def _vectors(results: dict[str, Any]) -> str:
    sizes = results.get("growth")
    kinds = sizes[-1]["build"]["vectors"] if sizes else {"kind": "real"}
    if kinds["kind"] == "real":
        return "all embedded"
    return (
        f"{kinds['embedded texts']:,} texts embedded, {kinds['derived texts']:,} derived from those"
    )


def per_passage(results: dict[str, Any]) -> str:
    """Return what one passage costs, between the two largest sizes."""
    small, large = results["growth"][-2:]
    added = large["passages"] - small["passages"]
    parts = [
        [f"disk, {part}, bytes",
         f"{(large['bytes on disk'][part] - small['bytes on disk'][part]) / added:,.0f}"]
        for part in PARTS
    ]  # fmt: skip
    memory = _slope(results, lambda s: float(at(s, *_RESIDENT)["value"]) * 1e6)
    rows = [*parts, ["resident, bytes", f"{memory:,.0f}"]]
    if rate := _embedded(results):
        rows.append(["ingested whole, passages/s", f"{rate:,.1f}"])
    if indexed := built(large):
        rows.append(["without the embedding, passages/s", f"{indexed:,.0f}"])
    head = f"a passage, from {small['passages']:,} to {large['passages']:,}"
    return table([head, "measured"], rows)


_RESIDENT = ("app resident after questions",)
_START = ("app start until health",)


def implied(results: dict[str, Any]) -> str:
    """Return what larger archives would take on one machine, computed."""
    rows: list[list[str]] = []

    def row(name: str, shown: Callable[[int], str]) -> None:
        rows.append([name, *(shown(n) for n in TARGETS)])

    disk = _line(results, lambda s: sum(s["bytes on disk"].values()) / 1e9)
    row("disk, GB", lambda n: f"{disk(n):,.0f}")
    memory = _line(results, lambda s: at(s, *_RESIDENT)["value"] / 1e3)
    row("resident, GB", lambda n: f"{memory(n):,.0f}")
    start = _line(results, lambda s: at(s, *_START)["value"])
    row("start of the app, s", lambda n: f"{start(n):,.0f}")
    if rate := _embedded(results):
        row("hours to ingest, one machine", lambda n: f"{n / rate / 3600:,.0f}")
        row("machines to ingest in a day", lambda n: f"{math.ceil(n / rate / 86400):,}")
    if indexed := built(results["growth"][-1]):
        row("hours without the embedding", lambda n: f"{n / indexed / 3600:,.1f}")
    for name, path in (
        ("search, p50, ms", ("search", "no filter")),
        ("search with a date, p50, ms", ("search", "date")),
        ("`POST /ask`, p50, ms", ("POST /ask",)),
    ):
        power = _power(results, path)
        row(name, lambda n, power=power: f"{power(n):,.0f}")  # type: ignore[misc]
    return table([_TOLD, *(f"{n:,} passages" for n in TARGETS)], rows)


def _slope(results: dict[str, Any], value: Callable[[Any], float]) -> float:
    small, large = results["growth"][-2:]
    return float(value(large) - value(small)) / float(large["passages"] - small["passages"])


def _line(results: dict[str, Any], value: Callable[[Any], float]) -> Line:
    """Return the straight line through the two largest sizes."""
    large = results["growth"][-1]
    slope = max(0.0, _slope(results, value))
    return lambda n: value(large) + slope * (n - large["passages"])


def _power(results: dict[str, Any], path: Sequence[str]) -> Line:
    """Return the power law through the two largest sizes, between constant and a straight line."""
    small, large = results["growth"][-2:]
    low, high = (at(s, *path)["p50"] for s in (small, large))
    grown = math.log(large["passages"] / small["passages"])
    exponent = min(1.0, max(0.0, math.log(high / low) / grown))
    return lambda n: float(high * (n / large["passages"]) ** exponent)


def _embedded(results: dict[str, Any]) -> float | None:
    """Return the passages a second of an ingestion with real vectors, reading included."""
    ours = at(results, "ingestion", "pipelines", RECOUPE)
    return float(ours["pieces"] / ours["work, s"]) if ours else None


if __name__ == "__main__":
    main()
