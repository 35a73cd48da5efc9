"""The `recoupe` command. Parses arguments, asks the assistant, prints in French."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import date
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from rag import messages, texts
from rag.cli.checks import verify_command
from rag.cli.common import (
    article_named,
    dry_option,
    filters_named,
    french_errors,
    index_option,
    ingestion_bar,
    is_index,
    json_option,
    listed,
    open_for,
    print_json,
    print_json_list,
    progress_bar,
    readmit_option,
    settings_for,
)
from rag.cli.copies import backup_command, export_command, import_command, reindex_command
from rag.cli.editing import edit_command, withdraw_command
from rag.cli.evaluate import eval_group
from rag.cli.following import sources_command, watch_command
from rag.cli.serving import feedback_command, mcp_command, token_command, widget_command
from rag.cli.sites import site_group
from rag.domain import (
    Article,
    ArticleRecord,
    Erasure,
    Filters,
    Found,
    IngestReport,
    Source,
    together,
)
from rag.errors import ArticleNotFoundError, SettingsError
from rag.french.dates import format_date, parse_date
from rag.french.typography import typographic
from rag.french.words import excerpt
from rag.settings import Settings
from rag.version import VERSION
from rag.wire import (
    AnswerOut,
    ErasureOut,
    HitOut,
    RecordOut,
    ReportOut,
    SourceOut,
    VersionOut,
    WholeArticleOut,
)

if TYPE_CHECKING:
    from rag.operations import Assistant

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
    click.option(
        "--article",
        "articles",
        multiple=True,
        metavar="ID|TITRE",
        help="Cet article (répétable).",
    ),
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
        articles: Sequence[str],
        **others: Any,
    ) -> None:
        filters = Filters(
            sources=_typographic(source),
            authors=_typographic(author),
            sections=_typographic(section),
            since=_day(since, "--depuis"),
            until=_day(until, "--jusqu-au"),
            articles=tuple(articles),
        )
        if filters.since and filters.until and filters.since > filters.until:
            raise SettingsError(messages.DAYS_REVERSED.format(since, until))
        command(filters=filters, **others)

    callback = french_errors(wrapped)
    for option in reversed(_FILTER_OPTIONS):
        option(callback)
    return callback


@click.group(
    "recoupe",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    options_metavar="[OPTIONS]",
    subcommand_metavar="COMMANDE [ARGUMENTS]...",
)
@click.version_option(VERSION, prog_name="recoupe", message="%(prog)s %(version)s")
def app() -> None:
    """Recoupe répond en français à partir d'articles de presse, et cite chaque phrase."""


@app.command("ingest", short_help="Indexer des articles.")
@click.argument("paths", metavar="[CHEMIN|ADRESSE]...", nargs=-1)
@click.option("--prune", is_flag=True, help="Retirer les articles dont le fichier a disparu.")
@click.option("--if-empty", is_flag=True, help="Ne rien faire si l'index contient des articles.")
@click.option("--source", metavar="NOM", default="", help="Publication des fichiers sans source.")
@click.option("--auteur", "author", metavar="NOM", default="", help="Celui des fichiers sans.")
@readmit_option
@dry_option
@json_option
@index_option
@french_errors
def ingest_command(
    paths: tuple[str, ...],
    prune: bool,
    if_empty: bool,
    source: str,
    author: str,
    readmit: bool,
    dry: bool,
    as_json: bool,
    index: Path | None,
) -> None:
    """Indexer des articles : texte, Markdown, HTML, PDF, Word, et d'autres ; dossiers compris.

    Une adresse de l'internet public est celle d'une page, d'un flux (RSS, Atom, JSON Feed),
    d'un plan de site ou d'un site, dont les flux et les plans sont trouvés.
    Seuls les articles nouveaux ou changés sont traités. Rien n'est retiré sans
    --prune ; ce que « recoupe remove » a retiré le reste, d'où qu'il revienne, sans --reprendre.
    --source et --auteur ne changent rien à ce qu'un fichier dit de lui-même.
    Code de sortie 1 si un fichier ou une page n'a pas pu être lu.
    """
    from rag.sources.watch import is_address

    settings = settings_for(index)
    urls = [p for p in paths if is_address(p)]
    roots = [Path(p) for p in paths if p not in urls] if paths else _default_roots()
    if dry and urls:
        raise SettingsError(messages.DRY_ADDRESSES)
    met: dict[str, Source] = {}
    with ExitStack() as stack:
        if dry and not is_index(settings):  # everything would be new, and nothing is made
            folder = stack.enter_context(TemporaryDirectory())
            settings = settings.model_copy(update={"index_dir": Path(folder)})
        assistant = stack.enter_context(open_for(settings, "ingest", wait=600, create=True))
        if if_empty and assistant.page(limit=1).total:
            return

        def noted(found: Iterable[Found]) -> Iterator[Found]:
            attributed = _attributed(found, source, author)
            return _noted(attributed, met) if dry else attributed

        reports = []
        if roots:
            reports.append(_from_files(assistant, roots, settings, noted, prune, readmit, dry))
        if urls:
            reports.append(_synced(assistant, urls, settings, readmit=readmit))
        report = together(reports)
        met |= {r.id: r.source for r in _records(assistant, report.removed if dry else ())}
    if as_json:
        print_json(ReportOut.of(report).plain())
    else:
        _say_ingested(report, met if dry else None)
    if report.failed:
        raise SystemExit(1)


def _default_roots() -> list[Path]:
    """Return the folder of articles where one stands. Raises SettingsError without any."""
    if not (corpus := Path("corpus")).is_dir():
        raise SettingsError(messages.NOTHING_TO_INGEST)
    return [corpus]


def _from_files(
    assistant: Assistant,
    roots: Sequence[Path],
    settings: Settings,
    noted: Callable[[Iterable[Found]], Iterator[Found]],
    prune: bool,
    readmit: bool,
    dry: bool,
) -> IngestReport:
    """Ingest what is in files and folders; `noted` sees what is found, and may complete it."""
    from rag.readers import find_files

    files, unusable = find_files(roots)
    pruned = [os.path.realpath(p) for p in roots] if prune else []
    with ingestion_bar(len(files)) as (on_file, on_articles):
        found = chain(unusable, noted(_found(files, settings, on_file)))
        return assistant.ingest(found, pruned, on_articles, readmit, dry)


def _say_ingested(report: IngestReport, met: Mapping[str, Source] | None) -> None:
    """Print what was done, or, of articles that were `met` and left alone, what would be."""
    for failure in report.failed:
        click.echo(texts.failed(failure), err=True)
    if met is not None:
        for what in ("new", "updated", "removed"):
            for i in getattr(report, what):
                label = texts.label(met[i]) if i in met else i
                click.echo(f"{texts.WOULD_BE[what]}\u00a0: {label}")
    click.echo(texts.summary(report))
    if met is not None:
        click.echo(texts.NOTHING_DONE, err=True)


def _noted(found: Iterable[Found], met: dict[str, Source]) -> Iterator[Found]:
    """Yield what is found; the source of each article goes into `met`, by id."""
    for item in found:
        if isinstance(item, Article):
            met[item.id] = item.source
        yield item


@app.command("ask", short_help="Poser une question.")
@question_argument
@json_option
@index_option
@french_errors
@filter_options
def ask(
    question: str,
    as_json: bool,
    filters: Filters,
    index: Path | None,
) -> None:
    """Poser une question ; la réponse cite chaque phrase, ou dit qu'il n'y en a pas."""
    with open_for(settings_for(index), "ask") as assistant:
        answer = assistant.ask(question, filters=filters_named(assistant, filters))
    if as_json:
        print_json(AnswerOut.of(answer).plain())
        return
    from rag.citations import by_article, number_citations

    if answer.notice:
        click.echo(answer.notice + "\n", err=True)
    click.echo(answer.text)
    if answer.refused:
        for near in answer.nearest:
            quote = f"«\u00a0{near.citation.quote.strip()}\u00a0»"
            perhaps = f"{texts.PERHAPS} " if answer.tentative else ""
            click.echo(f"\n- {perhaps}{texts.cited(near.citation)}\n  {quote}")
            if near.shared:
                click.echo("  " + texts.SHARED.format(", ".join(near.shared)))
        if answer.suggestion:
            click.echo("\n" + texts.SUGGESTED.format(answer.suggestion))
    else:
        click.echo("")
    numbers = number_citations(answer.statements)
    for source, citations in by_article(answer.statements):
        marks = "".join(f"[{numbers[c]}]" for c in citations)
        pages = ", ".join(dict.fromkeys(c.page for c in citations if c.page))
        where = f", p.\u00a0{pages}" if pages else ""
        link = f" {source.url}" if source.url else ""
        click.echo(f"{marks} {texts.label(source)}{where}{link}")


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
@french_errors
@filter_options
def search(
    question: str,
    limit: int,
    as_json: bool,
    filters: Filters,
    index: Path | None,
) -> None:
    """Chercher les passages les plus proches d'une question, du meilleur au moins bon."""
    with open_for(settings_for(index), "search") as assistant:
        hits = assistant.search(question, limit, filters_named(assistant, filters))
    if as_json:
        print_json([HitOut.of(h).plain() for h in hits])
        return

    for rank, hit in enumerate(hits, 1):
        click.echo(f"{rank}. {texts.label(hit.source)}\n   {excerpt(hit.passage.text, 300)}")
        for _, other in hit.also:
            click.echo(f"   Repris par {texts.label(other)}")
    if not hits:
        click.echo(texts.NO_PASSAGE)


@app.command("list", short_help="Lister les articles.")
@filter_options
@click.option("--titre", "words", metavar="MOTS", default="", help="Ces mots dans le titre.")
@click.option("--retires", "withdrawn", is_flag=True, help="Dépubliés, ou mis en retrait.")
@click.option("--sans-date", "undated", is_flag=True, help="Dont la date manque.")
@click.option("--corriges", "edited", is_flag=True, help="Dont la fiche fut corrigée à la main.")
@click.option("--copies", is_flag=True, help="Dont d'autres ont le même texte.")
@json_option
@index_option
@french_errors
def list_command(
    filters: Filters,
    words: str,
    withdrawn: bool,
    undated: bool,
    edited: bool,
    copies: bool,
    as_json: bool,
    index: Path | None,
) -> None:
    """Lister les articles de l'index, du plus récent au plus ancien.

    Les options se combinent : un article listé répond à toutes.
    """

    def wanted(record: ArticleRecord) -> bool:
        return (
            named.accept(record.id, record.source)
            and (record.withdrawn is not None or not withdrawn)
            and (record.source.published is None or not undated)
            and (bool(record.corrected) or not edited)
            and (not copies or bool(assistant.copies(record.id)))
        )

    with open_for(settings_for(index), "list") as assistant:
        named = filters_named(assistant, filters)
        records = filter(wanted, listed(assistant, words))
        if as_json:
            print_json_list(RecordOut.of(r).plain() for r in records)
            return
        count = 0
        for count, record in enumerate(records, 1):  # noqa: B007 - the last is printed
            day = record.source.published
            date_text = day.isoformat() if day else "sans date "
            gone = f"  ({notice})" if (notice := texts.withdrawn(record)) else ""
            title = record.source.title + gone
            click.echo(f"{record.id}  {date_text}  {record.source.name}  {title}")
    click.echo(f"{texts.articles(count)}.", err=True)


@app.command("show", short_help="Afficher un article.")
@click.argument("article", metavar="ARTICLE")
@json_option
@index_option
@french_errors
def show(article: str, as_json: bool, index: Path | None) -> None:
    """Afficher un article en entier, par son identifiant, le début de celui-ci, ou son titre."""
    with open_for(settings_for(index), "show") as assistant:
        stored = assistant.article(article_named(assistant, article))
        copies = assistant.copies(stored.record.id)
    if as_json:
        print_json(WholeArticleOut.of(stored).plain() | {"copies": [c.id for c in copies]})
        return
    fields = SourceOut.of(stored.record.source).plain()
    if day := stored.record.source.published:
        fields["published"] = format_date(day)
    for key, name in texts.FIELDS.items():
        if value := fields["source" if key == "name" else key]:
            click.echo(f"{name} : {value}")
    if edited := [texts.FIELDS[key] for key in stored.record.corrected]:
        click.echo(f"Corrigé à la main : {', '.join(edited).lower()}")
    if gone := texts.withdrawn(stored.record):
        click.echo(f"N’est plus cité : {gone}")
    for copy in copies:
        click.echo(f"Même texte : {texts.label(copy.source)} ({copy.id})")
    click.echo(f"\n{stored.text}")


@app.command("history", short_help="Montrer ce qui a changé dans un article.")
@click.argument("article", metavar="ARTICLE")
@json_option
@index_option
@french_errors
def history_command(article: str, as_json: bool, index: Path | None) -> None:
    """Montrer les versions d'un article, de la plus récente à la plus ancienne, et leurs écarts."""
    from rag.answering.changes import changes
    from rag.indexing.edits import undone

    with open_for(settings_for(index), "history") as assistant:
        stored = assistant.article(article_named(assistant, article))
        versions = assistant.history(stored.record.id)
    if as_json:
        print_json([VersionOut.of(v).plain() for v in versions])
        return
    record = stored.record
    if record.corrected:
        own, _ = undone(record.edits, record.corrected, record.source)
        for line in texts.edited(own, record.source, record.corrected):
            click.echo(f"{texts.BY_HAND} {line}")
    for happened, sentences in changes(stored, versions):
        click.echo(happened)
        for sign, sentence in sentences:
            click.echo(f"  {sign} {sentence}")
    if not versions and not record.corrected:
        click.echo(texts.NO_VERSION)


@app.command("remove", short_help="Retirer des articles.")
@click.argument("articles", metavar="ARTICLE...", nargs=-1, required=True)
@click.option(
    "--proof",
    metavar="FICHIER",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Effacer jusqu'aux restes, les chercher, et écrire ce qui a été vérifié.",
)
@dry_option
@json_option
@index_option
@french_errors
def remove(
    articles: tuple[str, ...], proof: Path | None, dry: bool, as_json: bool, index: Path | None
) -> None:
    """Retirer des articles de l'index ; leurs fichiers ne sont pas touchés.

    Un article se nomme par son identifiant, le début de celui-ci, ou son titre.
    Rien ne les fait revenir, fichier, page, import ou envoi, sans « ingest --reprendre ». Avec
    --proof, l'index est refait sans eux, les retours de lecteurs qui les citent sont effacés, et
    chaque fichier du dossier de l'index est relu pour y chercher leurs phrases, jusque dans ce qui
    y est compressé ; code de sortie 1 s'il en reste.
    """
    from rag.indexing.ingestion import sources_of

    erasure = None
    with open_for(settings_for(index), "remove", wait=600 if proof else 15) as assistant:
        articles = tuple(_ids_named(assistant, articles))
        records = {r.id: r for r in _records(assistant, articles)}
        files = sources_of(records.values())
        copies = {c.id: c for i in records for c in assistant.copies(i) if c.id not in records}
        if dry:
            gone = list(records)
        elif proof:
            erasure = assistant.erase(articles)
            proof.write_text(ErasureOut.of(erasure).model_dump_json(indent=2) + "\n", "utf-8")
            gone = list(erasure.articles)
        else:
            gone = assistant.remove(articles)
    absent = [a for a in articles if a not in gone]
    if as_json:
        print_json({"removed": gone, "absent": absent, "files": files, "copies": list(copies)})
    else:
        for article in absent:
            click.echo(
                typographic(f"Erreur : {messages.NO_SUCH_ARTICLE.format(article)}"),
                err=True,
            )
        _say_removed([records[i] for i in gone] if dry else len(gone), erasure)
        _say_what_remains(copies.values(), files)
    if absent or (erasure and not erasure.proven):
        raise SystemExit(1)


def _say_removed(gone: Sequence[ArticleRecord] | int, erasure: Erasure | None) -> None:
    """Print how many articles were removed, or which ones would be."""
    if isinstance(gone, int):
        click.echo(texts.erased(erasure) if erasure else texts.removed(gone))
        return
    for record in gone:
        click.echo(f"{texts.WOULD_BE['removed']}\u00a0: {texts.label(record.source)}")
    click.echo(texts.NOTHING_DONE, err=True)


def _say_what_remains(copies: Iterable[ArticleRecord], files: Sequence[str]) -> None:
    """Print which articles and files have the text of those that were removed."""
    for copy in copies:
        click.echo(texts.ALSO_PRINTED.format(texts.label(copy.source), copy.id), err=True)
    if still := texts.still_in(files):
        click.echo(still, err=True)


def _ids_named(assistant: Assistant, names: Iterable[str]) -> Iterator[str]:
    """Yield the ids of the articles that names mean; a name that means none as it is.

    Raises AmbiguousNameError.
    """
    for name in names:
        try:
            yield article_named(assistant, name)
        except ArticleNotFoundError:
            yield name


def _records(assistant: Assistant, articles: Iterable[str]) -> Iterator[ArticleRecord]:
    """Yield the records of those of some articles that there are."""
    for article in articles:
        with suppress(ArticleNotFoundError):
            yield assistant.article(article).record


@app.command("serve", short_help="Servir le chat sur le web.")
@click.option("--host", metavar="ADRESSE", help="Adresse d'écoute.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="Port d'écoute.")
@index_option
@french_errors
def serve(host: str | None, port: int | None, index: Path | None) -> None:
    """Servir le chat sur le web (http://127.0.0.1:7860 par défaut) ; Ctrl+C l'arrête."""
    from rag.assistant import LocalAssistant
    from rag.remote import RemoteAssistant

    settings = settings_for(index, host=host, port=port)
    with open_for(settings, "serve", create=True) as assistant:
        if isinstance(assistant, RemoteAssistant):
            click.echo(f"Recoupe répond déjà sur {assistant.owner.url}")
            return
        from rag.web.server import serve as serve_web

        assert isinstance(assistant, LocalAssistant)
        if not assistant.page(limit=1).total:
            click.echo(texts.EMPTY_INDEX, err=True)
        serve_web(assistant, lambda url: click.echo(f"Recoupe répond sur {url}"))


@app.command("doctor", short_help="Vérifier l'installation et l'index.")
@click.option("--repair", is_flag=True, help="Réparer ce qui peut être refait.")
@json_option
@index_option
@french_errors
def doctor(repair: bool, as_json: bool, index: Path | None) -> None:
    """Vérifier l'installation et l'index ; dire ce qui ne va pas et quoi faire.

    Fiches, passages et vecteurs, mots, catalogue, copies, historique et fichiers sont comparés
    les uns aux autres. --repair refait ce qui peut l'être, et relit les articles incomplets.
    """
    from importlib.metadata import version

    settings = settings_for(index)

    def before(owned: Settings) -> None:
        from rag.indexing.generations import current
        from rag.indexing.vector_files import check_vector_files

        if not owned.chroma_url:
            check_vector_files(current(owned.index_dir), repair=repair)

    with open_for(settings, "doctor", before=before) as assistant:
        again = None
        if repair and (gone := assistant.repair()):
            from rag.indexing.ingestion import file_of
            from rag.readers import find_files

            files = dict.fromkeys(Path(file) for r in gone if (file := file_of(r.path)))
            found, unusable = find_files([f for f in files if f.exists()])
            again = assistant.ingest(chain(unusable, _found(found, settings, lambda _: None)))
        problems = assistant.check()
        count = assistant.page(limit=1).total
    serious = [problem for problem in problems if problem != messages.REINDEX_BEGUN]
    versions = {
        name: version(name)
        for name in ("chromadb", "tantivy", "onnxruntime", "gradio", "langchain", "torch")
    }
    facts = {
        "version": VERSION,
        "python": sys.version.split()[0],
        "index": str(settings.index_dir.resolve()),
        "embedding": settings.embedding,
        "llm": settings.llm,
        "articles": count,
        "problems": problems,
        "read_again": ReportOut.of(again).plain() if again else None,
        "libraries": versions,
    }
    if as_json:
        print_json(facts)
    else:
        click.echo(f"Recoupe {VERSION}, Python {facts['python']}")
        click.echo(f"Index : {facts['index']} ({count} articles)")
        click.echo(f"Embeddings : {settings.embedding}")
        click.echo(f"Modèle de langue : {settings.llm or 'aucun (réponses par extraits)'}")
        click.echo("Bibliothèques : " + ", ".join(f"{n} {v}" for n, v in versions.items()))
        if again:
            click.echo(f"Relus : {texts.summary(again)}")
        for problem in problems:
            click.echo(typographic(f"Problème : {problem}"))
        if not problems:
            click.echo("Tout est en ordre.")
        elif serious and not repair:
            click.echo("Lancez «\u00a0recoupe doctor --repair\u00a0».")
    if serious:
        raise SystemExit(1)


@app.command("compact", short_help="Rendre la place de ce qui a été remplacé.")
@json_option
@index_option
@french_errors
def compact_command(as_json: bool, index: Path | None) -> None:
    """Refaire le magasin de vecteurs sans les restes des articles remplacés ou retirés.

    L'ingestion le fait d'elle-même quand il y en a beaucoup. Les questions
    restent servies ; il faut deux fois la place de l'index le temps de la copie.
    """
    settings = settings_for(index)
    with open_for(settings, "compact") as assistant:
        done = assistant.compact()
    if as_json:
        print_json({"compacted": done})
    elif done:
        click.echo("L’index a été compacté.")
    else:
        click.echo("L’index est sur un serveur Chroma : c'est à lui (« chroma vacuum »).", err=True)


def _synced(
    assistant: Assistant, urls: Sequence[str], settings: Settings, *, readmit: bool
) -> IngestReport:
    """Bring the index in step with addresses of the web."""
    from rag.readers import workers
    from rag.sources.memory import Memory
    from rag.sources.web import CrawlPolicy, Web

    memory = Memory(settings.index_dir)
    try:
        web = Web(assistant, memory, CrawlPolicy.of(settings))
        with progress_bar("Pages lues", None) as step:
            return together(
                [web.sync(url, lambda _page: step(None, None), readmit=readmit) for url in urls]
            )
    finally:
        memory.close()
        workers.close()


def _found(
    files: Sequence[Path], settings: Settings, on_file: Callable[[Path], None]
) -> Iterator[Found]:
    """Yield what is in files."""
    from rag.readers import Bounds, read_files, workers

    bounds = Bounds.of(settings)
    try:
        yield from read_files(files, settings.max_file_mb, on_file, bounds)
    finally:
        workers.close()  # what is left to embed wants their memory


def _attributed(found: Iterable[Found], source: str, author: str) -> Iterator[Found]:
    """Yield what is in files, with a publication and an author where they name none.

    These are the keeper's words: they hold when the files are read again without them.
    """
    from rag.indexing.edits import merged
    from rag.readers.draft import checked_edits

    given = {k: v for k, v in checked_edits({"name": source, "author": author}).items() if v}
    for item in found:
        if isinstance(item, Article) and (
            lacking := {k: v for k, v in given.items() if not getattr(item.source, k)}
        ):
            yield replace(item, edits=merged(item.edits, lacking, item.source))
        else:
            yield item


def _typographic(names: Sequence[str]) -> tuple[str, ...]:
    """Names are stored with typographic apostrophes; keyboards have the other one."""
    return tuple(n.replace("'", "’") for n in names)


def _day(text: str | None, option: str) -> date | None:
    if text is None:
        return None
    if (day := parse_date(text)) is None:
        raise SettingsError(messages.BAD_DAY.format(text, option))
    return day


for command in (
    edit_command,
    withdraw_command,
    watch_command,
    sources_command,
    export_command,
    import_command,
    backup_command,
    reindex_command,
    verify_command,
    widget_command,
    mcp_command,
    token_command,
    feedback_command,
):
    app.add_command(command)
app.add_command(eval_group)
app.add_command(site_group)

if __name__ == "__main__":
    app()
