"""Make the environment of the peers: `python -m bench.peers FOLDER`."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Make it, or bring it up to date."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m bench.peers FOLDER")
    folder = Path(sys.argv[1])
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    wanted = HERE / "requirements.txt"
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", wanted], check=True)


if __name__ == "__main__":
    main()
