"""Dates as French prints and reads them."""

from __future__ import annotations

import re
from datetime import date

MONTHS = (
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
)


def format_date(day: date | None) -> str:
    """Return a date as French prints it: « 1er mars 2024 », « 12 mars 2024 »; "" for none."""
    if day is None:
        return ""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {MONTHS[day.month - 1]} {day.year}"


def parse_date(text: str) -> date | None:
    """Return the day that `text` names, or None.

    ISO 8601 first (with or without a time), then French forms through
    dateparser: « 12 mars 2024 », « mardi 1er août 2023 », « 05/02/2019 »
    (day first). Relative dates (« hier ») are not dates of publication.
    """
    text = text.strip()
    if iso := re.match(r"(\d{4})-(\d{2})-(\d{2})(?!\d)", text):
        try:
            return date(*(int(g) for g in iso.groups()))
        except ValueError:
            return None
    if not re.search(r"\d", text) or len(text) > 80:
        return None
    import dateparser

    parsed = dateparser.parse(
        re.sub(r"(?i)^(publi[ée]e?|mis à jour|paru)\s*(le)?\s*:?\s*", "", text),
        languages=["fr"],
        settings={"DATE_ORDER": "DMY", "PARSERS": ["absolute-time"], "STRICT_PARSING": True},
    )
    return parsed.date() if parsed else None
