"""The sites of a newsroom group that one Recoupe serves: a key each, with what goes with it.

A site has its sources or sections, its quota of a day, its origins, its theme, and may be paused.
They lie in a SQLite file of the index's folder, which the server reads at each request: what a
command changes holds at the next question. A key stands in the HTML of its site, for anybody to
read: it names the site and is no secret, so it is stored as it is. What protects a site is the
list of its origins, its quota, and the rates.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag import messages
from rag.domain import Filters, Source
from rag.errors import QuestionError, SettingsError
from rag.indexing.sqlite import SqliteFile
from rag.sites.quotas import SITES_FILE, Quotas
from rag.sites.rules import looks

_NAME = re.compile(r"\w[\w .’-]{0,59}")
_KEY = re.compile(r"[0-9a-f]{20}")
_TABLE = """
create table if not exists sites (
    name text primary key, key text unique, sources text, sections text, quota integer,
    origins text, accent text, font text, radius integer, paused integer
) without rowid;
"""
_COLUMNS = "name, key, sources, sections, quota, origins, accent, font, radius, paused"


@dataclass(frozen=True, slots=True)
class Theme:
    """How the widget looks in a site; "" and None leave a thing as it is.

    `accent` is a colour (#7a2e1d), `font` names of families, `radius` pixels: never other CSS.
    """

    accent: str = ""
    font: str = ""
    radius: int | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A site: what of the corpus it asks (`sources`, `sections`), and how much a day (`quota`).

    None is no quota; no origins, those of the settings. A site without a name is what asks without
    a key: the whole corpus.
    """

    name: str = ""
    key: str = ""
    sources: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    quota: int | None = None
    origins: tuple[str, ...] = ()
    theme: Theme = Theme()
    paused: bool = False

    @property
    def bounds(self) -> Filters:
        """The filters that accept what is the site's."""
        return Filters(sources=self.sources, sections=self.sections)

    def sees(self, source: Source) -> bool:
        """Tell whether an article is of the site."""
        return self.bounds.accept("", source)  # no site is bound to articles

    def filters(self, asked: Filters) -> Filters:
        """Return what accepts what is both the site's and asked for.

        Raises QuestionError where nothing can be both.
        """
        found = asked.within(self.bounds)
        if found is None:
            raise QuestionError(messages.NOT_OF_SITE)
        return found


EVERYWHERE = Site()


class Sites(SqliteFile):
    """The sites of an index's folder. Several processes may use them at once."""

    def __init__(self, folder: Path | None, clock: Callable[[], float] = time.time) -> None:
        """Open the file, or make it; none keeps it in memory. Raises StoreError.

        `clock` returns seconds since 1970: a quota's day is that of the machine's time zone.
        """
        super().__init__(folder, SITES_FILE, _TABLE, messages.SITES_REFUSED)
        self._quotas = Quotas(folder, clock)

    def all(self) -> list[Site]:
        """Return the sites, by name."""
        return list(map(_site, self._all(f"select {_COLUMNS} from sites order by name")))  # noqa: S608

    def named(self, name: str) -> Site:
        """Return the site of a name. Raises SettingsError."""
        query = f"select {_COLUMNS} from sites where name = ?"  # noqa: S608 - ours
        for row in self._all(query, [name]):
            return _site(row)
        raise SettingsError(messages.NO_SITE.format(name[:80]))

    def of_key(self, key: str) -> Site | None:
        """Return the site of a key, None for a key that is nobody's."""
        if not _KEY.fullmatch(key):
            return None
        rows = self._all(f"select {_COLUMNS} from sites where key = ?", [key])  # noqa: S608 - ours
        return _site(rows[0]) if rows else None

    def has_origin(self, origin: str) -> bool:
        """Tell whether an origin is one of some site's."""
        rows = self._all("select origins from sites where origins != '[]'")
        return any(origin.lower() in _names(origins) for (origins,) in rows)

    def add(self, name: str, rules: Mapping[str, Any]) -> Site:
        """Make a site with rules (see `checked`), and a key; return it. Raises SettingsError."""
        if not _NAME.fullmatch(name):
            raise SettingsError(messages.BAD_SITE_NAME.format(name[:80]))
        with self._change() as base:
            done = base.execute(
                "insert or ignore into sites"
                " values (?, ?, '[]', '[]', null, '[]', '', '', null, 0)",
                [name, _new_key()],
            )
            if not done.rowcount:
                raise SettingsError(messages.SITE_THERE.format(name))
            _set(base, name, rules)
        return self.named(name)

    def edit(self, name: str, rules: Mapping[str, Any]) -> Site:
        """Give a site other rules, those that are told; return it. Raises SettingsError."""
        with self._change() as base:
            _set(base, name, rules)
        return self.named(name)

    def pause(self, name: str, *, paused: bool) -> Site:
        """Let a site answer no more, or again. Raises SettingsError."""
        return self.edit(name, {"paused": int(paused)})

    def renew(self, name: str) -> Site:
        """Give a site another key; the old one is nobody's from now on. Raises SettingsError."""
        return self.edit(name, {"key": _new_key()})

    def remove(self, name: str) -> None:
        """Forget a site. Raises SettingsError."""
        self.named(name)
        with self._change() as base:
            base.execute("delete from sites where name = ?", [name])
        self._quotas.forget(name)

    def used(self, name: str) -> int:
        """Return how many questions of a site were counted today."""
        return self._quotas.used(name)

    def take(self, site: Site, count: int) -> float:
        """Count questions of a site; see `Quotas.take`."""
        return self._quotas.take(site.name, site.quota, count)

    def close(self) -> None:
        """Let go of the file."""
        super().close()
        self._quotas.close()


def _set(base: Any, name: str, rules: Mapping[str, Any]) -> None:
    """Write rules of a site, by column. Raises SettingsError where there is no such site."""
    columns = ", ".join(f"{column} = ?" for column in rules) or "name = name"
    query = f"update sites set {columns} where name = ?"  # noqa: S608 - columns are ours
    if not base.execute(query, [*rules.values(), name]).rowcount:
        raise SettingsError(messages.NO_SITE.format(name[:80]))


def _site(row: Sequence[Any]) -> Site:
    """Return the site of a row; a look that could not be given is not shown."""
    name, key, sources, sections, quota, origins, accent, font, radius, paused = row
    try:
        looks(accent, font, radius)
        theme = Theme(accent, font, radius)
    except (SettingsError, TypeError, AttributeError):
        theme = Theme()
    return Site(
        name, key, _names(sources), _names(sections), quota, _names(origins), theme, bool(paused)
    )


def _names(packed: str) -> tuple[str, ...]:
    return tuple(json.loads(packed))


def _new_key() -> str:
    return secrets.token_hex(10)
