"""`recoupe widget | mcp | token | feedback`: what a site's keeper needs."""

from __future__ import annotations

import json
from pathlib import Path

import click

from rag import texts
from rag.cli.common import (
    french_errors,
    index_option,
    json_option,
    open_for,
    print_json,
    settings_for,
)


@click.command("widget", short_help="Afficher les lignes à ajouter à un site.")
@click.option("--host", metavar="ADRESSE", help="Adresse publique de Recoupe.")
@json_option
@french_errors
def widget_command(host: str | None, as_json: bool) -> None:
    """Afficher les deux lignes qui ajoutent Recoupe à un site, version et intégrité comprises."""
    from rag.web import site

    settings = settings_for(None)
    address = (host or settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/")
    if as_json:
        print_json({"version": site.version(), "integrity": site.integrity(),
                    "snippet": site.snippet(address)})  # fmt: skip
        return
    click.echo(site.snippet(address))
    click.echo(texts.WIDGET_HELP, err=True)


@click.command("mcp", short_help="Servir les outils MCP sur l'entrée et la sortie.")
@index_option
@french_errors
def mcp_command(index: Path | None) -> None:
    """Servir les outils MCP (search, fetch, ask, verify) sur l'entrée et la sortie standard.

    À nommer dans les réglages d'un assistant ; l'application les sert aussi à l'adresse /mcp.
    """
    import asyncio

    from rag.web.mcp_server import build_tools

    settings = settings_for(index)
    with open_for(settings, "mcp") as assistant:
        call = asyncio.to_thread
        tools = build_tools(
            assistant, call, lambda text: call(assistant.verify, text), settings, whole=True
        )
        asyncio.run(tools.run_stdio_async())


@click.command("token", short_help="Tirer un jeton d'administration.")
@french_errors
def token_command() -> None:
    """Tirer au sort un jeton (ou un mot de passe), et l'empreinte à mettre dans les réglages."""
    from rag.web.access import new_token

    token, digest = new_token()
    click.echo(f"Jeton : {token}")
    click.echo(f"RECOUPE_ADMIN_TOKEN_HASH={digest}")
    click.echo(texts.SHOWN_ONCE, err=True)


@click.command("feedback", short_help="Exporter les retours des lecteurs.")
@index_option
@french_errors
def feedback_command(index: Path | None) -> None:
    """Exporter les retours des lecteurs, un objet JSON par ligne, du plus ancien au plus récent."""
    from rag.feedback import FeedbackStore

    settings = settings_for(index)
    limits = (settings.retention_days, settings.feedback_max_mb)
    for row in FeedbackStore(settings.index_dir, *limits).all():
        click.echo(json.dumps(row, ensure_ascii=False))
