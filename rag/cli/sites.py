"""`recoupe site`: the sites that embed one Recoupe, each with its articles, quota, pause, theme."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rag import messages, texts
from rag.cli.common import (
    filters_named,
    french_errors,
    index_option,
    is_index,
    json_option,
    open_for,
    print_json,
    settings_for,
)
from rag.domain import Facets, Filters
from rag.errors import SettingsError, StoreError
from rag.french.words import fold
from rag.sites.rules import checked, theme_of

if TYPE_CHECKING:
    from rag.settings import Settings
    from rag.sites import Site, Sites

_OPTIONS = (
    click.option("--source", "sources", multiple=True, metavar="NOM",
                 help="Ses articles : cette source (répétable)."),
    click.option("--rubrique", "sections", multiple=True, metavar="NOM",
                 help="Ses articles : cette rubrique (répétable)."),
    click.option("--quota", metavar="N/jour", help="Questions par jour, au plus."),
    click.option("--origine", "origins", multiple=True, metavar="ORIGINE",
                 help="Où sont ses pages : https://www.journal.fr (répétable)."),
    click.option("--theme", "file", metavar="FICHIER", type=click.Path(path_type=Path),
                 help="Fichier JSON : accent, font, radius."),
    click.option("--couleur", "accent", metavar="COULEUR", help="Sa couleur, comme #7a2e1d."),
    click.option("--police", "font", metavar="NOMS", help="Ses polices, comme « Georgia, serif »."),
    click.option("--arrondi", "radius", type=int, metavar="PIXELS",
                 help="L'arrondi de ses angles ; -1 : celui d'origine."),
)  # fmt: skip
name_argument = click.argument("name", metavar="NOM")


@click.group(
    "site",
    short_help="Tenir les sites qui intègrent Recoupe.",
    subcommand_metavar="COMMANDE [ARGUMENTS]...",
)
def site_group() -> None:
    """Tenir les sites qui intègrent un même Recoupe : clé, articles, quota, pause, apparence.

    Le serveur les relit à chaque question : rien n'est à redémarrer.
    """


def rules_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what a site is; the command gets `rules` as they are stored."""

    @functools.wraps(command)
    def wrapped(*, index: Path | None, file: Path | None, name: str, **given: Any) -> None:
        chosen = {field: value for field, value in given.items() if value not in {None, ()}}
        as_json = chosen.pop("as_json", False)
        settings = settings_for(index)
        theme = theme_of(file) if file else {}
        rules = checked(
            **_in_index(settings, chosen | {k: theme[k] for k in theme if k not in chosen})
        )
        command(name=name.strip(), rules=rules, settings=settings, as_json=as_json)

    callback = french_errors(wrapped)
    for option in reversed((*_OPTIONS, json_option, index_option)):
        option(callback)
    return callback


def _in_index(settings: Settings, chosen: dict[str, Any]) -> dict[str, Any]:
    """Return rules with sources and sections by the names that the index has.

    Raises SettingsError for a name that it does not have: a slip would make a site without answers.
    """

    def given(kind: str) -> tuple[str, ...]:
        return tuple(name.replace("'", "’") for name in chosen.get(kind, ()) if name)

    asked = Filters(sources=given("sources"), sections=given("sections"))
    if not asked:
        return chosen
    with open_for(settings, "site") as assistant:
        named = filters_named(assistant, asked)
    found = {"sources": named.sources, "sections": named.sections}
    return chosen | {kind: names for kind, names in found.items() if kind in chosen}


@contextmanager
def _sites(settings: Settings) -> Iterator[Sites]:
    """Give the sites of an index that is there. Raises StoreError."""
    from rag.sites import Sites

    if not is_index(settings):
        raise StoreError(messages.NO_INDEX.format(settings.index_dir.absolute()))
    sites = Sites(settings.index_dir)
    try:
        yield sites
    finally:
        sites.close()


@site_group.command("add", short_help="Ajouter un site.")
@name_argument
@rules_options
def add_command(name: str, rules: dict[str, Any], settings: Settings, *, as_json: bool) -> None:
    """Ajouter un site, et donner les lignes à mettre dans ses pages, avec sa clé.

    Ses articles sont ceux de ses sources et de ses rubriques, des deux à la fois s'il a les deux ;
    tous s'il n'a rien. Une vérification compte pour ses affirmations.
    """
    with _sites(settings) as sites:
        _shown(sites.add(name, rules), settings, as_json=as_json)


@site_group.command("edit", short_help="Changer ce qu'un site est.")
@name_argument
@rules_options
def edit_command(name: str, rules: dict[str, Any], settings: Settings, *, as_json: bool) -> None:
    """Changer ce qui est dit ici d'un site ; le reste demeure. Vide, une option l'ôte."""
    if not rules:
        raise SettingsError(messages.NOTHING_TO_SET)
    with _sites(settings) as sites:
        _shown(sites.edit(name, rules), settings, as_json=as_json)


@site_group.command("key", short_help="Donner une autre clé à un site.")
@name_argument
@json_option
@index_option
@french_errors
def key_command(name: str, as_json: bool, index: Path | None) -> None:
    """Donner une autre clé à un site ; l'ancienne ne vaut plus rien dès la question suivante."""
    settings = settings_for(index)
    with _sites(settings) as sites:
        _shown(sites.renew(name), settings, as_json=as_json)


def _shown(site: Site, settings: Settings, *, as_json: bool) -> None:
    """Print a site: its key, in the lines to add to its pages."""
    from rag.web.site import snippet

    host = (settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/")
    lines = snippet(host, site.key)
    if as_json:
        print_json(asdict(site) | {"snippet": lines})
        return
    click.echo(lines)
    click.echo(texts.SITE_KEY, err=True)
    if not site.origins:
        click.echo(texts.SITE_WITHOUT_ORIGIN, err=True)


@site_group.command("pause", short_help="Suspendre un site.")
@name_argument
@index_option
@french_errors
def pause_command(name: str, index: Path | None) -> None:
    """Suspendre un site : dès la question suivante, ses lecteurs lisent qu'il est en pause."""
    with _sites(settings_for(index)) as sites:
        click.echo(texts.SITE_PAUSED.format(sites.pause(name, paused=True).name))


@site_group.command("resume", short_help="Reprendre un site suspendu.")
@name_argument
@index_option
@french_errors
def resume_command(name: str, index: Path | None) -> None:
    """Reprendre un site suspendu."""
    with _sites(settings_for(index)) as sites:
        click.echo(texts.SITE_RESUMED.format(sites.pause(name, paused=False).name))


@site_group.command("remove", short_help="Retirer un site.")
@name_argument
@index_option
@french_errors
def remove_command(name: str, index: Path | None) -> None:
    """Retirer un site ; ses articles restent, sa clé ne vaut plus rien."""
    with _sites(settings_for(index)) as sites:
        sites.remove(name)
        click.echo(texts.SITE_REMOVED.format(name))


@site_group.command("list", short_help="Lister les sites.")
@json_option
@index_option
@french_errors
def list_command(as_json: bool, index: Path | None) -> None:
    """Lister les sites : clé, articles, questions du jour, origines.

    Dit aussi lesquels cherchent dans une source ou une rubrique que l'index n'a pas, ou plus.
    """
    settings = settings_for(index)
    with _sites(settings) as sites:
        found = [(site, sites.used(site.name)) for site in sites.all()]
    if as_json:
        print_json([asdict(site) | {"questions_today": used} for site, used in found])
        return
    for site, used in found:
        click.echo(_line(site, used))
    if not found:
        click.echo(texts.NO_SITES_YET)
    elif any(site.bounds for site, _ in found):
        with open_for(settings, "site list") as assistant:
            facets = assistant.facets()
        for site, _ in found:
            if lacking := _lacking(site, facets):
                click.echo(texts.SITE_NAMES_GONE.format(site.name, lacking), err=True)


def _line(site: Site, used: int) -> str:
    """Return what a site is and how much it was asked today, in one line."""
    names = [*site.sources, *map(texts.SITE_SECTION.format, site.sections)]
    count = f"{used}/{site.quota}" if site.quota else str(used)
    asked = texts.SITE_ASKED_MANY if max(used, site.quota or 0) > 1 else texts.SITE_ASKED_ONE
    parts = [
        texts.SITE_NAMED.format(site.name, site.key),
        ", ".join(names) or texts.SITE_ALL_ARTICLES,
        asked.format(count),
        ", ".join(site.origins) or texts.SITE_DEFAULT_ORIGINS,
    ]
    if site.paused:
        parts.append(texts.SITE_IS_PAUSED)
    return "\u202f; ".join(parts)


def _lacking(site: Site, facets: Facets) -> str:
    """Return the names of a site that no article has, "" for none."""
    lacking = [
        f"«\u00a0{name}\u00a0»"
        for names, there in ((site.sources, facets.sources), (site.sections, facets.sections))
        for name in names
        if fold(name) not in {fold(existing) for existing, _ in there}
    ]
    return ", ".join(lacking)
