"""What others wrote, on its way into mark-up: Markdown text and link addresses."""

from __future__ import annotations

import re


def markdown_text(text: str) -> str:
    """Return text that Markdown reads as text, on one line; its spaces are kept."""
    flat = " ".join(text.split("\n"))
    return re.sub(r"([\\`*_\[\]<>#|~!])", r"\\\1", flat)


def is_web_address(url: str) -> bool:
    """Tell whether an address may become a link: http and https only, without signs of mark-up."""
    return bool(re.fullmatch(r"https?://[^\s<>\"'\\]+", url))
