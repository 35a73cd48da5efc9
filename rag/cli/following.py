"""`recoupe watch | sources`: what is followed, and how it does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from rag import messages, texts
from rag.cli.common import (
    french_errors,
    index_option,
    json_option,
    open_for,
    print_json,
    settings_for,
)
from rag.errors import SettingsError
from rag.markup import printable


@click.command("watch", short_help="Suivre des sources.")
@click.argument("sources", metavar="[CHEMIN|ADRESSE]...", nargs=-1)
@click.option("--prune", is_flag=True, help="Retirer les articles dont le fichier disparaît.")
@index_option
@french_errors
def watch_command(sources: tuple[str, ...], prune: bool, index: Path | None) -> None:
    """Suivre des dossiers, des flux, des plans de site, des sites ; Ctrl+C l'arrête.

    Sans argument, suit les sources des réglages (RECOUPE_SOURCES). Une ligne par événement.
    """
    from rag.sources.memory import Memory
    from rag.sources.watch import Watch

    settings = settings_for(index)
    followed: Sequence[str] = sources or settings.sources
    if not followed:
        raise SettingsError(messages.NOTHING_TO_FOLLOW)
    with open_for(settings, "watch", wait=600, create=True) as assistant:
        memory = Memory(settings.index_dir)
        watch = Watch(assistant, memory, settings, followed, prune=prune, tell=_line)
        watch.start()
        click.echo(texts.FOLLOWING.format(", ".join(followed)), err=True)
        try:
            watch.wait()
        finally:
            watch.stop()
            memory.close()


def _line(event: str) -> None:
    click.echo(f"{datetime.now(UTC).astimezone():%Y-%m-%d %H:%M:%S}  {printable(event)}")


@click.command("sources", short_help="Dire où en sont les sources du web.")
@click.option("--forget", metavar="ADRESSE", help="Ne plus lister cette source.")
@json_option
@index_option
@french_errors
def sources_command(forget: str | None, as_json: bool, index: Path | None) -> None:
    """Dire où en sont les sources du web : dernière lecture, dernières nouveautés, échecs.

    Code de sortie 1 si l'une d'elles ne se lit plus ou ne donne plus rien.
    """
    from dataclasses import asdict

    from rag.sources.memory import Memory
    from rag.sources.watch import silence

    settings = settings_for(index)
    memory = Memory(settings.index_dir)
    if forget is not None and not memory.forget_source(forget):
        raise SettingsError(messages.UNKNOWN_SOURCE.format(forget))
    states, now = memory.sources(), time.time()
    memory.close()
    silences = [silence(s, settings.source_silence_hours, now) for s in states]
    if as_json:
        print_json([asdict(s) | {"warning": t} for s, t in zip(states, silences, strict=True)])
    else:
        for state, warning in zip(states, silences, strict=True):
            click.echo(f"{printable(state.address)}  {texts.source_state(state)}")
            if warning or state.problem:
                click.echo(f"  {printable(warning or state.problem)}", err=True)
        if not states:
            click.echo(texts.NO_SOURCES_YET)
    if any(silences):
        raise SystemExit(1)
