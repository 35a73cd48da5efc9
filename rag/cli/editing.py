"""`recoupe edit | withdraw`: what a keeper says of articles, which no ingestion undoes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from rag import messages, texts
from rag.cli.common import (
    article_named,
    dry_option,
    french_errors,
    index_option,
    json_option,
    open_for,
    print_json,
    settings_for,
)
from rag.domain import WITHHELD
from rag.errors import SettingsError
from rag.french.dates import format_date
from rag.wire import RecordOut


@click.command("edit", short_help="Corriger la fiche d'articles.")
@click.argument("articles", metavar="ARTICLE...", nargs=-1, required=True)
@click.option("--titre", "title", metavar="TEXTE", help="Son titre.")
@click.option("--source", "name", metavar="NOM", help="Sa publication.")
@click.option("--auteur", "author", metavar="NOM", help="Son auteur.")
@click.option("--date", "published", metavar="DATE", help="Sa date ; vide : sans date.")
@click.option("--adresse", "url", metavar="URL", help="Son adresse.")
@click.option("--rubrique", "section", metavar="NOM", help="Sa rubrique.")
@click.option("--annuler", "undo", is_flag=True, help="Reprendre ce que dit l'article lui-même.")
@dry_option
@json_option
@index_option
@french_errors
def edit_command(
    articles: tuple[str, ...],
    undo: bool,
    dry: bool,
    as_json: bool,
    index: Path | None,
    **fields: str | None,
) -> None:
    """Corriger la fiche d'articles : titre, publication, auteur, date, adresse, rubrique.

    Une correction tient quand l'article est indexé de nouveau ; vide, elle ôte ce qui était dit.
    --annuler défait toutes les corrections de ces articles.
    """
    from rag.indexing.edits import corrected, undone
    from rag.readers.draft import checked_edits

    edits = checked_edits({name: value for name, value in fields.items() if value is not None})
    if bool(edits) == undo:
        raise SettingsError(messages.NOTHING_TO_EDIT)
    done = []
    with open_for(settings_for(index), "edit") as assistant:
        ids = [article_named(assistant, article) for article in articles]  # all, before any changes
        for article in ids:
            before = assistant.article(article).record
            changing = list(edits) or list(before.corrected)
            if not dry:
                after = (
                    assistant.undo_edits(article, changing)
                    if undo
                    else assistant.edit(article, edits)
                )
            elif undo:
                after = replace(before, source=undone(before.edits, changing, before.source)[0])
            else:
                after = replace(before, source=corrected(before.source, edits.items()))
            done.append(after)
            if not as_json:
                changes = texts.edited(before.source, after.source, changing)
                what = "\u202f; ".join(changes) or texts.UNCHANGED
                click.echo(f"{texts.label(after.source)}\n  {what}")
    if as_json:
        shown = [RecordOut.of(record).plain() for record in done]
        print_json(shown if len(shown) > 1 else shown[0])
    elif dry:
        click.echo(texts.NOTHING_DONE, err=True)


@click.command("withdraw", short_help="Mettre des articles en retrait, sans les effacer.")
@click.argument("articles", metavar="ARTICLE...", nargs=-1, required=True)
@click.option("--remettre", "back", is_flag=True, help="Les laisser répondre de nouveau.")
@dry_option
@json_option
@index_option
@french_errors
def withdraw_command(
    articles: tuple[str, ...], back: bool, dry: bool, as_json: bool, index: Path | None
) -> None:
    """Garder des articles sans qu'ils répondent ni ne soient cités, quoi qu'on relise d'eux.

    Ils restent dans « recoupe list --retires » et « recoupe show » ; --remettre les rend.
    """
    today = datetime.now(UTC).astimezone().date()
    with open_for(settings_for(index), "withdraw") as assistant:
        ids = [article_named(assistant, article) for article in articles]
        edits = {WITHHELD: "" if back else today.isoformat()}
        records = [assistant.article(i).record if dry else assistant.edit(i, edits) for i in ids]
    if as_json:
        print_json([RecordOut.of(record).plain() for record in records])
        return
    status = texts.ANSWERS_AGAIN if back else texts.WITHHELD_FROM.format(format_date(today))
    for record in records:
        click.echo(f"{texts.label(record.source)}\n  {status}")
    if dry:
        click.echo(texts.NOTHING_DONE, err=True)
