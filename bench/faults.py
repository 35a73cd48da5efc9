"""What an index is worth after each kind of accident, at random moments.

    python -m bench.faults [MOMENTS] [SEED] [NAME…]

Each fault is brought about MOMENTS times (20 by default) while an index that
holds the old version of some articles takes the new one. Afterwards every
article that was acknowledged must be there and whole, every other one absent
or whole in one of its two versions, `recoupe doctor` must find nothing, and
what was said must be a French sentence, not a traceback. Prints a Markdown
table. The faults of the disk need root (tmpfs, capabilities) and are left out
without it; the one of the clock needs Debian's `faketime`.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.golden import ROOT
from bench.workers import app, chroma_server, environment, free_port, write_articles

_ARTICLES = 48  # several changes of the index, so that a moment can fall between two


@dataclass
class Trial:
    """One accident: its folder, the moment, in [0, 1] of a whole ingestion, and what was said."""

    folder: Path
    moment: float
    length: float
    settings: dict[str, str] = field(default_factory=dict)
    said: str = ""
    acknowledged: bool = False

    @property
    def index(self) -> Path:
        """The index's folder."""
        return self.folder / "index"

    @property
    def files(self) -> Path:
        """The articles' folder."""
        return self.folder / "files"

    def wait(self) -> None:
        """Wait for the moment of the accident."""
        time.sleep(self.moment * self.length)

    def start(self, *, wrapper: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Start the ingestion of the new version."""
        return subprocess.Popen(
            [*wrapper, sys.executable, str(ROOT / "ingest.py"), str(self.files)],
            env=environment(self.index, self.settings), cwd=self.folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def finish(self, process: subprocess.Popen[str]) -> None:
        """Wait for an ingestion and keep what it said; exit 0 acknowledges its articles."""
        out, err = process.communicate(timeout=300)
        self.said = (err.strip().splitlines() or out.strip().splitlines() or [""])[-1]
        self.acknowledged = process.returncode == 0
        assert "Traceback" not in err, err
        assert process.returncode in {0, 1, -9}, (process.returncode, err)
        if process.returncode == 1:
            assert self.said.startswith(("Erreur", "Articles", "Échec")), err


Fault = Callable[[Trial], None]
Process = subprocess.Popen[str]


def kill_ingest(trial: Trial) -> None:
    """Kill -9 of the ingestion."""
    process = trial.start()
    trial.wait()
    process.kill()
    trial.finish(process)


def _handed_over(trial: Trial, accident: Callable[[Process, Process], None]) -> None:
    """Bring an accident about to an app and to the ingestion that it was handed."""
    with app(trial.index, trial.settings) as (_, owner):
        process = trial.start()
        trial.wait()
        accident(owner, process)
        trial.finish(process)


def kill_app(trial: Trial) -> None:
    """Kill -9 of the app that an ingestion has handed its articles to."""
    _handed_over(trial, lambda owner, _: owner.kill())


def kill_both(trial: Trial) -> None:
    """Kill -9 of the app and of the ingestion."""

    def both(owner: Process, process: Process) -> None:
        owner.kill()
        process.kill()

    _handed_over(trial, both)


def stop_app(trial: Trial) -> None:
    """Ctrl+C in the app during an ingestion handed over: it must end the change first."""
    _handed_over(trial, lambda owner, _: owner.terminate())


def disk_full(trial: Trial) -> None:
    """The disk fills up; then room is made."""
    process = trial.start()
    trial.wait()
    ballast = trial.index / "ballast"
    with suppress(OSError), ballast.open("wb") as file:
        left = shutil.disk_usage(trial.index).free - random.randrange(0, 400_000)
        while left > 0:
            left -= file.write(bytes(min(left, 1 << 20)))
            file.flush()
    trial.finish(process)
    ballast.unlink(missing_ok=True)


def read_only(trial: Trial) -> None:
    """The folder loses its right to be written; then gets it back."""
    # Root writes everywhere, but for this.
    process = trial.start(wrapper=("setpriv", "--bounding-set", "-dac_override,-dac_read_search"))
    trial.wait()
    folders = [trial.index, *(f for f in trial.index.rglob("*") if f.is_dir())]
    files = [f for f in trial.index.rglob("*") if f.is_file()]
    for path in [*files, *folders]:
        with suppress(FileNotFoundError):
            path.chmod(0o444 if path in files else 0o555)
    trial.finish(process)
    for path in [*folders, *files]:
        with suppress(FileNotFoundError):
            path.chmod(0o644 if path in files else 0o755)


def files_change(trial: Trial) -> None:
    """The files are written again and again while they are read."""
    process = trial.start()
    until = time.monotonic() + trial.moment * trial.length
    while time.monotonic() < until:
        write_articles(trial.files, "nouveau", _ARTICLES)
    trial.finish(process)
    trial.acknowledged = False  # a file caught half-written is a reported failure


def clock_back(trial: Trial) -> None:
    """The clock is set back by up to a month, as an ingestion sees it, and it is killed."""
    days = int(1 + 30 * trial.moment)
    process = trial.start(wrapper=("faketime", "-f", f"-{days}d"))
    if trial.moment > 0.5:
        trial.wait()
        process.kill()
    trial.finish(process)


def two_ingests(trial: Trial) -> None:
    """Two ingestions of the same files at once, the first killed: the other waits its turn."""
    first = trial.start()
    second = trial.start()
    trial.wait()
    first.kill()
    first.communicate(timeout=300)
    trial.finish(second)


def server_away(trial: Trial) -> None:
    """The Chroma server is killed in the middle and comes back a second later."""
    port = int(trial.settings["RECOUPE_CHROMA_URL"].rpartition(":")[2])
    with chroma_server(trial.folder / "chroma", port) as (_, server):
        process = trial.start()
        trial.wait()
        server.kill()
        server.wait()
    time.sleep(1)
    with chroma_server(trial.folder / "chroma", port):
        trial.finish(process)
    assert trial.acknowledged, trial.said


FAULTS: dict[str, tuple[Fault, str]] = {
    "kill-ingest": (kill_ingest, "kill -9 of the ingestion"),
    "kill-app": (kill_app, "kill -9 of the app during an ingestion handed over"),
    "kill-both": (kill_both, "kill -9 of both"),
    "stop-app": (stop_app, "app stopped during an ingestion handed over"),
    "disk-full": (disk_full, "disk full (tmpfs)"),
    "read-only": (read_only, "folder made read-only"),
    "files-change": (files_change, "files changed while read"),
    "clock-back": (clock_back, "clock set back, killed half of the times"),
    "two-ingests": (two_ingests, "two ingestions at once, the first killed"),
    "server-away": (server_away, "Chroma server killed, back after 1 s"),
}


@contextmanager
def place(name: str, start: Path) -> Iterator[Path]:
    """Give a folder for one trial, with a copy of `start`, on a small disk where that is asked."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if name == "disk-full":
            (folder / "index").mkdir()
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(folder / "index")],
                check=True,
            )
        try:
            shutil.copytree(start, folder, dirs_exist_ok=True)
            yield folder
        finally:
            if name == "disk-full":
                subprocess.run(["umount", str(folder / "index")], check=True)


def possible(name: str) -> bool:
    """Tell whether a fault can be brought about here."""
    if name in {"disk-full", "read-only"}:
        return os.geteuid() == 0
    return name != "clock-back" or shutil.which("faketime") is not None


def run(name: str, moments: int, rng: random.Random) -> str:
    """Bring a fault about; return its row of the table. Raises AssertionError."""
    fault, title = FAULTS[name]
    said: dict[str, int] = {}
    kept = whole_new = 0
    with tempfile.TemporaryDirectory() as temporary:
        start = Path(temporary)
        server = {}
        if name == "server-away":
            server = {"RECOUPE_CHROMA_URL": f"http://127.0.0.1:{free_port()}"}
        length = prepare(start, server)
        for n in range(moments):
            with place(name, start) as folder:
                trial = Trial(folder, rng.uniform(0.2, 1.0), length, dict(server))
                new = write_articles(trial.files, "nouveau", _ARTICLES)
                fault(trial)
                state = inspect(trial)
                for article, last in new.items():
                    old = last.replace("nouveau", "ancien")
                    assert state.get(article) in {old, last}, (article, state.get(article))
                    if trial.acknowledged:
                        assert state[article] == last, (article, "acquitté, mais ancien")
                changed = sum(state[a] == last for a, last in new.items())
                kept += 0 < changed < len(new)
                whole_new += changed == len(new)
                if trial.said:
                    key = trial.said.replace(str(folder), "…")
                    said[key] = said.get(key, 0) + 1
                print(f"{name} {n + 1}: at {trial.moment:.2f}, {changed} new; {trial.said[:90]}",
                      file=sys.stderr, flush=True)  # fmt: skip
    most = max(said, key=lambda k: (k.startswith("Erreur"), said[k]), default="—")
    return (f"| {title} | {moments} | {moments} | {whole_new} all new, {kept} in between, "
            f"{moments - whole_new - kept} all old | {most} |")  # fmt: skip


def prepare(start: Path, server: dict[str, str]) -> float:
    """Make the old index in `start`; return how many seconds the new version takes."""
    trial = Trial(start, 1.0, 0.0, dict(server))
    trial.index.mkdir()
    (start / "chroma").mkdir()

    def ingest() -> float:
        began = time.monotonic()
        trial.finish(trial.start())
        assert trial.acknowledged, trial.said
        return time.monotonic() - began

    def both() -> float:
        write_articles(trial.files, "essai", _ARTICLES)
        ingest()
        write_articles(trial.files, "ancien", _ARTICLES)
        return ingest()

    if not server:
        return both()
    with chroma_server(start / "chroma", int(server["RECOUPE_CHROMA_URL"].rpartition(":")[2])):
        return both()


def inspect(trial: Trial) -> dict[str, str]:
    """Open the index as the next command would; return the last sentence of each article.

    Raises AssertionError when `doctor` finds something.
    """

    def look() -> dict[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "bench.faults", "--look"], cwd=ROOT, check=False,
            env=environment(trial.index, trial.settings), capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: dict[str, str] = json.loads(done.stdout)
        return found

    if not trial.settings:
        return look()
    with chroma_server(
        trial.folder / "chroma", int(trial.settings["RECOUPE_CHROMA_URL"].rpartition(":")[2])
    ):
        return look()


def show() -> None:
    """Print what `inspect` reads: in a process of its own, which lets go of the disk."""
    from rag.assistant import LocalAssistant
    from rag.settings import load_settings

    assistant = LocalAssistant(load_settings())
    assert assistant.check() == [], assistant.check()
    found: dict[str, str] = {}
    for record in assistant.index.records():
        assert record.source.title not in found, "deux fois"
        text = assistant.article(record.id).text
        found[record.source.title] = text[text.index("La jauge numéro") :]
    assistant.close()
    print(json.dumps(found))


def main(moments: str = "20", seed: str = "0", *names: str) -> None:
    """Run all faults, or those named, and print the table."""
    rng = random.Random(int(seed))
    print(
        "| fault | moments | whole afterwards | articles | what was said |\n|---|---|---|---|---|"
    )
    for name in names or FAULTS:
        if possible(name):
            print(run(name, int(moments), rng), flush=True)
        else:
            print(f"| {FAULTS[name][1]} | 0 | not possible here | | |")


if __name__ == "__main__":
    if sys.argv[1:] == ["--look"]:
        show()
    else:
        main(*sys.argv[1:])
