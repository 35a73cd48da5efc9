"""Serve the chat: `python app.py`. See `recoupe serve -h`."""

import sys

from rag.cli.main import app

if __name__ == "__main__":
    app(["serve", *sys.argv[1:]], prog_name="recoupe")
