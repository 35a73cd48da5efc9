"""What may be told of a site (`sites.py`): names, a quota, origins, a look. All else is refused.

A look is a colour, names of fonts and a number: no CSS of a stranger reaches a page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag import messages
from rag.errors import SettingsError

ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?")
_COLOUR = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})")
_FAMILY = r"[A-Za-zÀ-ÿ0-9][A-Za-zÀ-ÿ0-9 _-]{0,39}"
_FONT = re.compile(rf"{_FAMILY}(?:, ?{_FAMILY}){{0,5}}")
_QUOTA = re.compile(r"([1-9][0-9]{0,8})/jour")
_LARGEST_RADIUS = 40  # pixels
_MOST_NAMES, _MOST_ORIGINS, _LONGEST_NAME = 50, 50, 300


def checked(
    *,
    sources: Sequence[str] | None = None,
    sections: Sequence[str] | None = None,
    quota: str | None = None,
    origins: Sequence[str] | None = None,
    accent: str | None = None,
    font: str | None = None,
    radius: int | None = None,
) -> dict[str, Any]:
    """Return rules of a site as they are stored, those that are told; empty ones take back.

    A radius of -1 takes back. Raises SettingsError for what cannot be.
    """
    found: dict[str, Any] = {}
    for field, names in (("sources", sources), ("sections", sections)):
        if names is not None:
            unique = list(dict.fromkeys(name.replace("'", "’") for name in names if name))
            if len(unique) > _MOST_NAMES or any(len(name) > _LONGEST_NAME for name in unique):
                raise SettingsError(messages.MANY_NAMES.format(_MOST_NAMES, _LONGEST_NAME))
            found[field] = _packed(unique)
    if quota is not None:
        found["quota"] = _quota(quota)
    if origins is not None:
        cleaned = [origin.rstrip("/").lower() for origin in origins if origin]
        for origin in cleaned:
            if not ORIGIN.fullmatch(origin) or len(cleaned) > _MOST_ORIGINS:
                raise SettingsError(messages.BAD_SITE_ORIGIN.format(origin[:80]))
        found["origins"] = _packed(list(dict.fromkeys(cleaned)))
    return found | looks(accent, font, radius)


def looks(accent: str | None, font: str | None, radius: int | None) -> dict[str, Any]:
    """Return the rules of a theme. Raises SettingsError for what is more than a look."""
    found: dict[str, Any] = {}
    if accent is not None:
        found["accent"] = accent.lower()
        if accent and not _COLOUR.fullmatch(accent.lower()):
            raise SettingsError(messages.BAD_COLOUR.format(accent[:80]))
    if font is not None:
        found["font"] = font
        if font and not _FONT.fullmatch(font):
            raise SettingsError(messages.BAD_FONT.format(font[:80]))
    if radius is not None:
        found["radius"] = None if radius == -1 else radius
        if not -1 <= radius <= _LARGEST_RADIUS:
            raise SettingsError(messages.BAD_RADIUS.format(radius, _LARGEST_RADIUS))
    return found


def theme_of(file: Path) -> dict[str, Any]:
    """Return what a JSON file says of a theme: `accent`, `font`, `radius`. Raises SettingsError."""
    try:
        theme = json.loads(file.read_bytes()[:100_000].decode())
        kinds = {"accent": str, "font": str, "radius": int}
        if not isinstance(theme, dict) or not all(
            type(v) is kinds.get(k) for k, v in theme.items()
        ):
            raise ValueError
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(messages.BAD_THEME.format(file)) from error
    return theme


def _quota(text: str) -> int | None:
    """Return the questions of a day. Raises SettingsError."""
    if not text:
        return None
    if not (found := _QUOTA.fullmatch(text.replace(" ", ""))):
        raise SettingsError(messages.BAD_QUOTA.format(text[:80]))
    return int(found[1])


def _packed(names: Sequence[str]) -> str:
    return json.dumps(names, ensure_ascii=False)
