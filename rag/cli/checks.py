"""`recoupe verify`: claims of the command line or of a file, as a table, a report or JSON."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag import messages, texts
from rag.cli.common import (
    french_errors,
    index_option,
    json_option,
    open_for,
    print_json,
    progress_bar,
    settings_for,
)
from rag.errors import ReadError, why

if TYPE_CHECKING:
    from rag.domain import Verification


# Those of rag.checking.report, which no other command has to wait for.
FORMAT_NAMES = ("csv", "html", "json", "md")  # ClaimReview wants a journalist's verdict


# What is a file that is not there rather than a claim: one word, that ends as files of text do.
_FILE_NAME = re.compile(r"[^\s«»]+\.(?:txt|md|text|csv|docx?|pdf|html?|odt|rtf)", re.IGNORECASE)


@click.command("verify", short_help="Vérifier des affirmations.")
@click.argument("claims", metavar="AFFIRMATION|FICHIER")
@json_option
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMAT_NAMES),
    help="Écrire un rapport : Markdown, HTML, CSV ou JSON.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FICHIER",
              help="Écrire le rapport dans ce fichier.")  # fmt: skip
@index_option
@french_errors
def verify_command(
    claims: str, as_json: bool, form: str | None, output: Path | None, index: Path | None
) -> None:
    """Vérifier des affirmations : ce que les articles en disent, qui le dit, et un verdict.

    L'argument est une affirmation, ou un fichier de texte (une affirmation par
    ligne, ou du texte suivi). Le texte ne dépasse pas 50 000 caractères ni 200
    affirmations ; comptez un quart de seconde par affirmation.
    """
    from rag.checking.report import Publisher, report
    from rag.wire import VerificationOut

    settings = settings_for(index)
    text = _text(claims, settings.max_file_mb)
    with open_for(settings, "verify") as assistant, progress_bar("Vérification", None) as step:
        verification = assistant.verify(text, on_claim=lambda _claim: step(None, None))
    if as_json:
        print_json(VerificationOut.of(verification).plain())
        return
    form = form or (output.suffix.lstrip(".") if output else None)
    if form is None:
        _show(verification)
        return
    if form not in FORMAT_NAMES:
        raise ReadError(messages.UNKNOWN_FORMAT.format(form, ", ".join(FORMAT_NAMES)))
    written = report(form, verification, Publisher.of(settings))
    if output is None:
        click.echo(written, nl=False)
        return
    try:
        output.write_text(written, encoding="utf-8", newline="")
    except OSError as error:
        raise ReadError(messages.NOT_WRITTEN.format(output, why(error))) from error
    click.echo(f"Rapport : {output}", err=True)


def _text(argument: str, max_mb: int) -> str:
    """Return the text to verify: of the file, when the argument names one. Raises ReadError."""
    from rag.readers.draft import decode
    from rag.readers.files import read_file

    try:
        named = bool(argument) and len(argument) <= 1000 and Path(argument).exists()
    except (OSError, ValueError):
        named = False
    if not named:
        if _FILE_NAME.fullmatch(argument):
            raise ReadError(messages.NOT_READ.format(argument, messages.FILE_ABSENT))
        return argument
    try:
        raw = read_file(argument, max_mb * 1_000_000)
    except ReadError as error:
        raise ReadError(messages.NOT_READ.format(argument, error)) from error
    return "\n\n".join(line for line in decode(raw).splitlines() if line.strip())


def _show(verification: Verification) -> None:
    from rag.checking.report import extent, provenance, stance

    for number, claim in enumerate(verification.claims, 1):
        click.echo(f"{number}. {claim.text}")
        click.echo(f"   {click.style(claim.verdict.value, bold=True)} : {claim.reason}")
        if line := extent(claim):
            click.echo(f"   {line}")
        for evidence in claim.evidence[:3]:
            quote = " ".join(evidence.citation.quote.split()).lstrip("-–— ")
            click.echo(f"   - {quote}")
            details = (texts.cited(evidence.citation), evidence.attribution.label)
            click.echo(f"     {' ; '.join(details)} ; {stance(evidence)}")
            for signal in evidence.signals:
                click.echo(f"     · {signal.text}")
        click.echo("")
    if len(verification.claims) > 1:
        counts: dict[str, int] = {}
        for claim in verification.claims:
            counts[claim.verdict.value] = counts.get(claim.verdict.value, 0) + 1
        click.echo(", ".join(f"{label} : {n}" for label, n in sorted(counts.items())))
    click.echo(provenance(verification), err=True)
