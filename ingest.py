"""Index articles: `python ingest.py [CHEMIN…]` (default `corpus/`). See `recoupe ingest -h`."""

import sys

from rag.cli.main import app

if __name__ == "__main__":
    app(["ingest", *sys.argv[1:]], prog_name="recoupe")
