"""French for the messages of Click, which looks them up through gettext.

`fr/LC_MESSAGES/messages.po` is the source; `make locale` compiles it. Import
this before Click.
"""

import gettext
import os
from pathlib import Path

os.environ["LANGUAGE"] = "fr"
gettext.bindtextdomain("messages", str(Path(__file__).parent))

import click  # noqa: E402 - once its messages are French

from rag.french.typography import typographic  # noqa: E402


class _Formatter(click.HelpFormatter):
    """Help pages with the apostrophes and spaces of French print."""

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{heading}\u00a0:\n")

    def getvalue(self) -> str:
        return typographic(super().getvalue())


click.Context.formatter_class = _Formatter
