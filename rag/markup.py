"""What others wrote, on its way into mark-up or a report: Markdown text, links, names."""

from __future__ import annotations

import re


def markdown_text(text: str) -> str:
    """Return text that Markdown reads as text, on one line; its spaces are kept."""
    flat = " ".join(text.split("\n"))
    return re.sub(r"([\\`*_\[\]<>#|~!])", r"\\\1", flat)


def is_web_address(url: str) -> bool:
    """Tell whether an address may become a link: http and https only, without signs of mark-up."""
    return bool(re.fullmatch(r"https?://[^\s<>\"'\\]+", url))


# Line breaks, escape sequences, marks that turn the reading order, halves of characters.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(name: str) -> str:
    r"""Return a name that a report can show: one line, valid UTF-8, no control of the terminal.

    What is unsafe is shown escaped (`\n`, `\x1b`, `\u202e`); a byte of a file's
    name that is not UTF-8 is shown as that byte (`\xe9`). Done twice, nothing changes.
    """

    def escaped(match: re.Match[str]) -> str:
        code = ord(match.group())
        if 0xDC80 <= code <= 0xDCFF:  # how Python carries a byte that is not UTF-8
            return f"\\x{code - 0xDC00:02x}"
        return match.group().encode("unicode_escape").decode("ascii")

    return _UNSAFE.sub(escaped, name)
