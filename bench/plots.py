"""The figures of the results, as SVG: `python -m bench.plots RESULTS.json FOLDER`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from bench.comparing import RECOUPE
from bench.tables import PARTS, at

mpl.use("Agg")
mpl.rcParams.update({"svg.hashsalt": "recoupe", "font.size": 9, "axes.spines.top": False,
                     "axes.spines.right": False, "savefig.bbox": "tight"})  # fmt: skip

import matplotlib.pyplot as plt  # noqa: E402 - after its backend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OURS, _OTHERS = "#0b6e4f", "#9aa5b1"
_SEARCH = {
    "no filter": ("search", "no filter"),
    "date": ("search", "date"),
    "large source": ("search", "large source"),
    "small source": ("search", "small source"),
}
_WEB = {
    "POST /ask": ("POST /ask",),
    "POST /ask while ingesting": ("POST /ask during an ingestion",),
    "page /": ("page /",),
    "GET /articles, first": ("GET /articles, first page",),
    "GET /articles, last": ("GET /articles, last page",),
}


def main() -> None:
    """Draw what a file holds."""
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))


def draw(results: dict[str, Any], folder: Path) -> None:
    """Write each figure that the results have numbers for."""
    if "ingestion" in results:
        _ingestion(results["ingestion"], folder / "ingestion.svg")
    if results.get("growth"):
        _growth(results["growth"], folder / "growth.svg")


def _ingestion(found: dict[str, Any], file: Path) -> None:
    names = list(found["pipelines"])
    seconds = [found["pipelines"][n]["work, s"] for n in names]
    figure, axes = plt.subplots(figsize=(6, 0.5 + 0.5 * len(names)))
    bars = axes.barh(names, seconds, color=[_OURS if n == RECOUPE else _OTHERS for n in names])
    faster = found["times Recoupe is as fast"]
    axes.bar_label(bars, [f" {s:.0f} s" + (f"  ({faster[n]} × Recoupe)" if n in faster else "")
                          for n, s in zip(names, seconds, strict=True)])  # fmt: skip
    axes.invert_yaxis()
    axes.set_xlabel(
        f"seconds to ingest {found['articles']} articles ({found['characters']:,} characters)"
    )
    axes.margins(x=0.3)
    _save(figure, file)


def _growth(sizes: Sequence[dict[str, Any]], file: Path) -> None:
    figure, grid = plt.subplots(2, 2, figsize=(10, 7))
    counts = [s["passages"] for s in sizes]
    _lines(grid[0, 0], "search, ms (line p50, dots p95)", counts, sizes, _SEARCH)
    _lines(grid[0, 1], "HTTP, ms (line p50, dots p95)", counts, sizes, _WEB)
    disk = grid[1, 0]
    for part in PARTS:
        megabytes = [s["bytes on disk"][part] / 1e6 for s in sizes]
        if any(megabytes):
            disk.plot(counts, megabytes, marker="o", label=part)
    _scaled(disk, "on disk, MB")
    rest = grid[1, 1]
    for label, key, name in (
        ("resident, MB", "value", "app resident after questions"),
        ("app start, s", "value", "app start until health"),
        ("cold recoupe ask, s", "p50", "cold recoupe ask"),
    ):
        rest.plot(counts, [at(s, name)[key] for s in sizes], marker="o", label=label)
    _scaled(rest, "memory and starts")
    figure.tight_layout()
    _save(figure, file)


def _lines(
    axes: Axes,
    title: str,
    counts: Sequence[int],
    sizes: Sequence[dict[str, Any]],
    rows: Mapping[str, tuple[str, ...]],
) -> None:
    for label, path in rows.items():
        found = [
            (n, f) for n, s in zip(counts, sizes, strict=True) if (f := at(s, *path)) and f["n"]
        ]
        if found:
            (line,) = axes.plot(
                [n for n, _ in found], [f["p50"] for _, f in found], marker="o", label=label
            )
            axes.plot(
                [n for n, _ in found],
                [f["p95"] for _, f in found],
                "v",
                color=line.get_color(),
                alpha=0.5,
            )
    _scaled(axes, title)


def _scaled(axes: Axes, title: str) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("passages")
    axes.set_title(title, loc="left")
    axes.grid(visible=True, which="major", alpha=0.25)
    axes.legend(frameon=False, fontsize=8)


def _save(figure: Any, file: Path) -> None:
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
