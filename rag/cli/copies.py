"""`recoupe export | import | backup | reindex`: an index as files, copied, built anew."""

from __future__ import annotations

from pathlib import Path

import click

from rag import texts
from rag.cli.common import (
    french_errors,
    index_option,
    json_option,
    open_for,
    print_json,
    progress_bar,
    readmit_option,
    settings_for,
)
from rag.wire import ReportOut

folder_argument = click.argument(
    "folder", metavar="DOSSIER", type=click.Path(path_type=Path, file_okay=False)
)


@click.command("export", short_help="Écrire les articles dans des fichiers.")
@folder_argument
@json_option
@index_option
@french_errors
def export_command(folder: Path, as_json: bool, index: Path | None) -> None:
    """Écrire les articles dans articles.jsonl, et leurs passages et vecteurs dans passages.parquet.

    Parquet demande le paquet « pyarrow » (pip install pyarrow).
    """
    with open_for(settings_for(index), "export", wait=600) as assistant:
        files = assistant.export(str(folder.resolve()))
        count = assistant.page(limit=1).total
    if as_json:
        print_json({"files": files, "articles": count})
        return
    click.echo(texts.exported(count, files))
    if not any(name.endswith(".parquet") for name in files):
        click.echo(texts.NO_PARQUET, err=True)


@click.command("import", short_help="Indexer ce que « recoupe export » a écrit.")
@folder_argument
@readmit_option
@json_option
@index_option
@french_errors
def import_command(folder: Path, readmit: bool, as_json: bool, index: Path | None) -> None:
    """Indexer les articles d'un export ; identifiants, corrections, retraits, passé sont gardés.

    Les vecteurs de l'export servent s'ils sont du même modèle et de mêmes passages : n'importez
    que les exports de qui vous croyez.
    """
    with (
        progress_bar("Articles", None) as step,
        open_for(settings_for(index), "import", wait=600, create=True) as assistant,
    ):
        report = assistant.import_from(str(folder.resolve()), step, readmit)
    if as_json:
        print_json(ReportOut.of(report).plain())
    else:
        for failure in report.failed:
            click.echo(texts.failed(failure), err=True)
        click.echo(texts.summary(report))
    if report.failed:
        raise SystemExit(1)


@click.command("backup", short_help="Copier l'index, pendant qu'il sert.")
@folder_argument
@json_option
@index_option
@french_errors
def backup_command(folder: Path, as_json: bool, index: Path | None) -> None:
    """Copier l'index entier dans un dossier neuf, qui est lui-même un index (--index DOSSIER).

    Les questions restent servies ; ce qui écrit attend. Une copie interrompue ne laisse rien.
    """
    with open_for(settings_for(index), "backup", wait=600) as assistant:
        count = assistant.backup(str(folder.resolve()))
    if as_json:
        print_json({"folder": str(folder.resolve()), "articles": count})
    else:
        click.echo(texts.BACKED_UP.format(texts.articles(count), folder))


@click.command("reindex", short_help="Refaire l'index à côté de l'ancien, qui répond toujours.")
@json_option
@index_option
@french_errors
def reindex_command(as_json: bool, index: Path | None) -> None:
    """Refaire l'index, avec les réglages d'à présent, à partir des textes qu'il garde.

    Pour changer de modèle (RECOUPE_EMBEDDING) ou de taille de passage. Aucun fichier n'est relu ;
    corrections, retraits et historique restent. L'ancien index répond et reçoit des articles
    jusqu'à ce que le nouveau prenne sa place, d'un coup. Interrompu, il reprend où il en était.
    """
    settings = settings_for(index)
    with (
        progress_bar("Articles", None) as step,
        open_for(settings, "reindex", wait=600, foreign=True) as assistant,
    ):
        count = assistant.reindex(
            settings.embedding, settings.passage_tokens, settings.sentence_vectors, step
        )
    if as_json:
        print_json({"articles": count, "embedding": settings.embedding})
    else:
        click.echo(texts.REINDEXED.format(texts.articles(count), settings.embedding))
