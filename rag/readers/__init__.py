"""Turn files into articles: one registry, by file extension.

A reader takes a file's bytes and yields drafts (metadata + blocks) or
failures; `read_paths` walks directories, cleans the drafts and gives each
article an id that stays the same when its text changes.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from rag.cleaning import assemble, clean
from rag.corrections import is_correction
from rag.domain import Article, Failure, Reading
from rag.errors import ReadError
from rag.french import fold, shorten, words
from rag.readers import html, tables, text
from rag.readers.draft import Draft
from rag.sentences import sentence_spans

log = logging.getLogger(__name__)

Reader = Callable[[bytes, str], Iterator[Draft | Failure]]

READERS: dict[str, Reader] = {
    ".txt": text.read_plain,
    ".text": text.read_plain,
    ".md": text.read_markdown,
    ".markdown": text.read_markdown,
    ".html": html.read_html,
    ".htm": html.read_html,
    ".xhtml": html.read_html,
    ".jsonl": tables.read_jsonl,
    ".ndjson": tables.read_jsonl,
    ".csv": tables.read_csv,
    ".tsv": tables.read_csv,
}

_LONGEST_LINE = 2_000_000  # characters; no article has such a line, a broken export does


def find_files(paths: Iterable[Path]) -> tuple[list[Path], list[Failure]]:
    """Return the files to read under `paths`, sorted, and the paths that cannot be used.

    Directories are walked; hidden files and types without a reader are left
    aside there, but named as a failure when asked for by name.
    """
    files: dict[Path, None] = {}
    failures = []
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.is_file() and _wanted(p, path))
            files.update(dict.fromkeys(found))
        elif not path.exists():
            failures.append(Failure(str(path), "le fichier n'existe pas"))
        elif path.suffix.lower() not in READERS:
            known = ", ".join(sorted(READERS))
            failures.append(Failure(str(path), f"type de fichier inconnu (lus : {known})"))
        else:
            files[path] = None
    return list(files), failures


def read_files(
    files: Iterable[Path],
    max_mb: int = 20,
    on_file: Callable[[Path], None] = lambda _: None,
) -> Reading:
    """Read files into cleaned articles; what fails is reported, never raised.

    Two inputs with one identity (same URL or id) are one article: the first
    is kept, the other is reported.
    """
    articles: dict[str, Article] = {}
    failures: list[Failure] = []
    read: list[str] = []
    for path in files:
        on_file(path)
        name = str(path)
        try:
            size = path.stat().st_size
            if size > max_mb * 1_000_000:
                raise ReadError(
                    f"fichier de {size // 1_000_000} Mo, plus grand que {max_mb} Mo "
                    "(réglage RECOUPE_MAX_FILE_MB)"
                )
            made, failed = read_bytes(path.read_bytes(), name, str(path.resolve()))
        except (ReadError, OSError) as error:
            log.info("%s", name, exc_info=True)
            reason = error.strerror if isinstance(error, OSError) else str(error)
            failures.append(Failure(name, reason or str(error)))
            continue
        failures += failed
        if not failed:
            read.append(str(path.resolve()))
        for article in made:
            if (first := articles.get(article.id)) is not None:
                failures.append(Failure(article.path, f"même article que {first.path}"))
            else:
                articles[article.id] = article
    return Reading(tuple(articles.values()), tuple(failures), tuple(read))


def read_addresses(
    urls: Iterable[str], max_bytes: int, allowed: Callable[[str], bool] | None = None
) -> Reading:
    """Fetch pages of the public internet and read them; what fails is reported, never raised.

    `allowed` tells which IP addresses may be reached, public ones by default.
    """
    from rag.readers.fetch import fetch, is_public

    articles: dict[str, Article] = {}
    failures: list[Failure] = []
    for url in urls:
        try:
            page = fetch(url, max_bytes, allowed or is_public)
            suffix = {"text/plain": ".txt", "text/markdown": ".md"}.get(page.type, ".html")
            made, failed = read_bytes(page.data, f"page{suffix}", page.url)
        except ReadError as error:
            log.info("%s", url, exc_info=True)
            failures.append(Failure(url, str(error)))
            continue
        failures += failed
        for article in made:
            source = article.source if article.source.url else replace(article.source, url=page.url)
            articles[article.id] = replace(article, source=source)
    return Reading(tuple(articles.values()), tuple(failures))


def read_bytes(data: bytes, name: str, path: str) -> tuple[list[Article], list[Failure]]:
    """Read the content of one file called `name`, whose articles will say `path`.

    Raises ReadError when nothing in it can be read.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in READERS:
        raise ReadError(f"type de fichier inconnu ({suffix or 'sans extension'})")
    if not data.strip():
        raise ReadError("fichier vide")
    articles, failures = [], []
    for item in READERS[suffix](data, name):
        if isinstance(item, Failure):
            failures.append(item)
            continue
        try:
            articles.append(to_article(item, path))
        except ReadError as error:
            where = f"{name}#{item.row}" if item.row else name
            failures.append(Failure(where, str(error)))
    return articles, failures


def to_article(draft: Draft, path: str) -> Article:
    """Clean a draft into an article. Raises ReadError when no sentence is left."""
    where = f"{path}#{draft.row}" if draft.row else path
    if any(len(block.text) > _LONGEST_LINE for block in draft.blocks):
        raise ReadError("une ligne de plus de 2 millions de caractères : ce n'est pas un article")
    body, headings = assemble(clean(draft.blocks, draft.source.title, where))
    in_headings = {start for start, _ in headings}
    if not any(
        start not in in_headings and len(words(body[start:end])) > 1
        for start, end in sentence_spans(body)
    ):
        raise ReadError("aucune phrase trouvée")
    source = draft.source
    if not source.title:
        source = replace(source, title=shorten(body.split("\n", 1)[0], 90))
    source = replace(source, correction=is_correction(source.title, source.section, body))
    # A row's number changes when rows are inserted above it; its title does not.
    row = f"{path}#{draft.source.title}#{source.published}" if draft.row else where
    identity = draft.identity or source.url or (row if draft.source.title else where)
    return Article(article_id(identity), source, body, headings, where)


def article_id(identity: str) -> str:
    """Return a readable, stable id: the last part of the identity and a hash of it all."""
    last = re.split(r"[/\\]", identity.rstrip("/"))[-1].partition("?")[0]
    slug = re.sub(r"[^a-z0-9]+", "-", fold(re.sub(r"\.\w{2,8}(?=#|$)", "", last))).strip("-")
    digest = hashlib.blake2b(identity.encode(), digest_size=5).hexdigest()
    return f"{slug[:48].strip('-') or 'article'}-{digest}"


def _wanted(path: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return not hidden and path.suffix.lower() in READERS and path.name.lower() != "readme.md"
