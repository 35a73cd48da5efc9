"""French print: apostrophes, and the spaces of high punctuation and quotation marks.

For sentences of ours, when they are shown; never for what is quoted.
"""

from __future__ import annotations

import re

_QUOTED = re.compile(r"(«.*?»)")
# « l'index »; a quote in a path or a command is none.
_ELISION = re.compile(
    r"(?i)(?<![\w/\\.’'-])((?:jus|lors|puis|quoi|quel|pres)?qu|aujourd|[cdjlmnst])'(?=[\w«])"
)
_COLON = re.compile(r"(?<=\S) :(?=\s|$)")
_HIGH = re.compile(r"(?<=\S) ([;!?])(?=\s|$)")


def typographic(sentence: str) -> str:
    """Return a sentence with the apostrophes and no-break spaces of French print.

    What stands between « and » is a name or a command: it keeps its signs.
    """
    parts = _QUOTED.split(sentence)
    parts[::2] = [
        _HIGH.sub("\u202f\\1", _COLON.sub("\u00a0:", _ELISION.sub(r"\1’", part)))
        for part in parts[::2]
    ]
    return re.sub(r"« | »", lambda m: m.group().replace(" ", "\u00a0"), "".join(parts))
