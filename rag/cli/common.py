"""What the commands share: options, errors told in French, progress, the assistant."""

from __future__ import annotations

import functools
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import rag.cli.locale  # noqa: F401 - French before Click reads its own messages

import click  # isort: skip

from rag import messages, texts
from rag.domain import MOST_FACETS, Filters
from rag.errors import (
    AmbiguousNameError,
    ArticleNotFoundError,
    RecoupeError,
    SettingsError,
    StoreError,
)
from rag.french.typography import typographic
from rag.french.words import fold
from rag.logs import start_log
from rag.settings import Settings, load_settings

if TYPE_CHECKING:
    from rag.domain import ArticleRecord
    from rag.indexing.owner import Owner
    from rag.operations import Assistant

log = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
_PAGE_SIZE = 200  # articles asked for at a time
_MOST_NAMED = 5  # articles named where a name means several

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Écrire du JSON, pour un programme."
)
readmit_option = click.option(
    "--reprendre", "readmit", is_flag=True, help="Reprendre aussi ce que « remove » avait retiré."
)
dry_option = click.option(
    "--dry-run", "dry", is_flag=True, help="Dire ce qui serait fait, sans rien changer."
)
index_option = click.option(
    "--index", metavar="DOSSIER", type=click.Path(path_type=Path), help="Dossier de l'index."
)


def french_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the errors of a command into one sentence on stderr and exit status 1."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except RecoupeError as error:
            log.info("échec", exc_info=True)
            click.echo(typographic(f"Erreur : {error}"), err=True)
            raise SystemExit(1) from error
        except KeyboardInterrupt as error:
            click.echo(messages.INTERRUPTED, err=True)
            raise SystemExit(130) from error
        except BrokenPipeError:
            raise SystemExit(0) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            log.info("échec", exc_info=True)
            click.echo(messages.UNEXPECTED_PROBLEM.format(type(error).__name__), err=True)
            raise SystemExit(1) from error

    return wrapped


def settings_for(index: Path | None, **overrides: Any) -> Settings:
    """Return the settings of a command, and start the log."""
    settings = load_settings(index_dir=index, **overrides)
    start_log(settings.log_level)
    for noisy in ("httpx", "chromadb", "trafilatura"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.root.level))
    return settings


@contextmanager
def open_for(
    settings: Settings,
    command: str,
    wait: float = 15.0,
    *,
    create: bool = False,
    foreign: bool = False,
    before: Callable[[Settings], None] = lambda _: None,
) -> Iterator[Assistant]:
    """Give the assistant over the index to a command, for as long as it lasts.

    See `open_assistant` for `foreign` and `before`. Only a command that may `create` an index
    makes one where there is none. Raises StoreError.
    """
    from rag.assistant import open_assistant

    if not (create or is_index(settings)):
        raise StoreError(messages.NO_INDEX.format(settings.index_dir.absolute()))

    with ExitStack() as stack:
        bar: list[Callable[[int | None, int | None], None]] = []

        def opening(done: int, total: int) -> None:
            if not bar:  # shown only where there is something to make again
                bar.append(stack.enter_context(progress_bar("Index refait", total)))
            bar[0](done, total)

        assistant = open_assistant(
            settings, f"recoupe {command}", wait, _say_waiting, opening,
            foreign=foreign, before=before,
        )  # fmt: skip
        stack.callback(assistant.close)
        yield assistant


def is_index(settings: Settings) -> bool:
    """Tell whether the settings name an index that is there, or that a process makes."""
    from rag.readers.files import INDEX_MARKS

    marks = (*INDEX_MARKS, "generation", "chroma", "store")
    return bool(settings.chroma_url) or any((settings.index_dir / m).exists() for m in marks)


def _say_waiting(owner: Owner | None) -> None:
    from rag.indexing.owner import named

    click.echo(f"L’index est tenu par {named(owner)} ; j'attends qu'il finisse…", err=True)


@contextmanager
def progress_bar(
    label: str, total: int | None
) -> Iterator[Callable[[int | None, int | None], None]]:
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


def listed(assistant: Assistant, words: str = "") -> Iterator[ArticleRecord]:
    """Yield the articles whose title has these words, newest first, a page in memory at a time."""
    page = assistant.page(limit=_PAGE_SIZE, words=words)
    yield from page.records
    while page.next:
        page = assistant.page(page.next, _PAGE_SIZE, words)
        yield from page.records


def article_named(assistant: Assistant, name: str) -> str:
    """Return the id of the article that a name means: its id, how it begins, or its title.

    Raises ArticleNotFoundError where no article is so named, AmbiguousNameError where several
    are.
    """
    try:
        return assistant.article(name).record.id
    except ArticleNotFoundError:
        asked = fold(name)
        found = [
            record
            for record in listed(assistant)
            if record.id.startswith(name) or fold(record.source.title) == asked
        ]
        if not found or not name:
            raise
    if len(found) > 1:
        named = [f"{r.id} ({texts.label(r.source)})" for r in found[:_MOST_NAMED]]
        raise AmbiguousNameError(messages.several_articles(name, named, len(found)))
    return found[0].id


def filters_named(assistant: Assistant, filters: Filters) -> Filters:
    """Return filters by the names that the index has, whatever their case and accents.

    Articles may be named as `article_named` takes them. Raises SettingsError for a name that
    the index does not have, and what `article_named` raises.
    """
    facets = assistant.facets()
    options = {"sources": facets.sources, "authors": facets.authors, "sections": facets.sections}
    found: dict[str, Any] = {}
    for field, values in options.items():
        names = {fold(name): name for name, _ in values}
        whole = len(values) < MOST_FACETS
        for asked in getattr(filters, field):
            if fold(asked) not in names and whole:
                near = get_close_matches(fold(asked), names, 1)
                raise SettingsError(messages.unknown_name(field, asked, [names[n] for n in near]))
        found[field] = tuple(names.get(fold(asked), asked) for asked in getattr(filters, field))
    articles = tuple(article_named(assistant, name) for name in filters.articles)
    return replace(filters, articles=articles, **found)


@contextmanager
def ingestion_bar(
    files: int,
) -> Iterator[tuple[Callable[[object], None], Callable[[int, int], None]]]:
    """Show how far an ingestion is, in files, and how many articles it has written.

    Gives what hears of a file, and of (articles written, articles met): how many there will
    be is not known before the last file is read.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("Indexation"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("fichiers, {task.fields[articles]} articles indexés"),
    )
    shown = sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as bar:
        # One file says nothing of how far it is: the bar then only moves.
        task = bar.add_task("", total=files if files > 1 else None, articles=0)
        yield lambda _file: bar.advance(task), lambda done, _met: bar.update(task, articles=done)


def print_json(value: Any) -> None:
    """Write a value for a program to read."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_json_list(values: Iterable[Any]) -> None:
    """Write values as `print_json` writes their list, each as it comes."""
    lead = "["
    for value in values:
        item = json.dumps([value], ensure_ascii=False, indent=2)
        click.echo(lead + item[1:-2], nl=False)
        lead = ","
    click.echo("[]" if lead == "[" else "\n]")
