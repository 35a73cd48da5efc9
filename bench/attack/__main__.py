"""Run the bench: see the package."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.attack import files, offline, quoting, routes, sharing, strain
from bench.attack.stage import Attempt, Stage


@dataclass(frozen=True)
class Area:
    """A family of attempts; `fast` tells that it is in the fast half."""

    attack: Callable[[Stage], Iterator[Attempt]]
    fast: bool


AREAS: dict[str, Area] = {
    "fetcher": Area(offline.fetcher, fast=True),
    "csv": Area(offline.exports, fast=True),
    "routes": Area(routes.routes, fast=True),
    "headers": Area(routes.headers, fast=True),
    "files": Area(files.files, fast=True),
    "proxy": Area(files.proxy, fast=True),
    "deep links": Area(files.deep_links, fast=True),
    "paid": Area(quoting.paid, fast=True),
    "handed back": Area(quoting.handed_back, fast=True),
    "erasure": Area(quoting.erasure, fast=True),
    "log": Area(strain.log, fast=True),
    "owner": Area(routes.owner, fast=True),
    "shapes": Area(strain.shapes, fast=True),
    "bodies": Area(strain.bodies, fast=False),
    "device": Area(files.device, fast=False),
    "sessions": Area(routes.sessions, fast=False),
    "rates": Area(sharing.rates, fast=False),
    "queue": Area(sharing.queue, fast=False),
    "waiting": Area(strain.waiting, fast=False),
}


def run(fast: bool, only: set[str]) -> list[Attempt]:
    """Make the attempts, of the fast half or of all areas, or of those named."""
    made: list[Attempt] = []
    with Stage(fast=fast) as stage:
        for name, area in AREAS.items():
            if (only and name not in only) or (fast and not area.fast):
                continue
            start, before = time.monotonic(), len(made)
            try:
                made.extend(area.attack(stage))
            except Exception as error:  # noqa: BLE001 - an area that fails is a fault of its own
                traceback.print_exc()
                made.append(Attempt(name, "the area to its end", False, repr(error)[:200]))
            seconds = time.monotonic() - start
            print(f"{name}: {len(made) - before} in {seconds:.1f} s", file=sys.stderr, flush=True)
    return made


def table(attempts: list[Attempt]) -> str:
    """Return the attempts by area, then the faults, one a line."""
    lines = [f"{'area':<14}{'tried':>7}{'held':>7}{'faults':>8}"]
    areas = list(dict.fromkeys(a.area for a in attempts))
    for area in areas:
        of = [a.held for a in attempts if a.area == area]
        lines.append(f"{area:<14}{len(of):>7}{sum(of):>7}{len(of) - sum(of):>8}")
    held = sum(a.held for a in attempts)
    lines.append(f"{'all':<14}{len(attempts):>7}{held:>7}{len(attempts) - held:>8}")
    faults = [f"FAULT  {a.area}: {a.name}: {a.detail}" for a in attempts if not a.held]
    return "\n".join([*lines, *([""] if faults else []), *faults])


def main() -> int:
    """Run it from the command line; return 1 with a fault."""
    parser = argparse.ArgumentParser(prog="python -m bench.attack")
    parser.add_argument("--fast", action="store_true", help="the fast half")
    parser.add_argument("--only", nargs="+", metavar="AREA", default=[], choices=sorted(AREAS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped
    start = time.monotonic()
    attempts = run(given.fast, set(given.only))
    if given.json:
        rows = json.dumps([asdict(a) for a in attempts], ensure_ascii=False, indent=1)
        given.json.write_text(rows + "\n", encoding="utf-8")
    print(table(attempts))
    for title, text in strain.TIMES.items():
        print(f"\n{title}\n{text}")
    print(f"\n{len(attempts)} attempts in {time.monotonic() - start:.0f} s")
    return 1 if any(not a.held for a in attempts) else 0


if __name__ == "__main__":
    sys.exit(main())
