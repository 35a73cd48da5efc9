"""`recoupe eval`: measure retrieval and answers, compare runs, write the page."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag import messages
from rag.cli.common import (
    french_errors,
    index_option,
    json_option,
    open_for,
    print_json,
    progress_bar,
    settings_for,
)

if TYPE_CHECKING:
    from rag.assistant import LocalAssistant
    from rag.domain import Article
    from rag.evaluation.data import Item
    from rag.evaluation.results import Result
    from rag.operations import Assistant
    from rag.settings import Settings

_LIBRARIES = ("ir_measures", "matplotlib", "scipy", "sklearn")  # of the extra `eval`
_file = click.argument("file", metavar="FICHIER", type=click.Path(path_type=Path))
_output = click.option(
    "--output", "-o", metavar="FICHIER", type=click.Path(path_type=Path), help="Écrire le détail."
)
_limit = click.option(
    "--limit", type=click.IntRange(0), default=0, metavar="N",
    help="Ne poser que N questions, tirées au sort (toutes par défaut).",
)  # fmt: skip
_seed = click.option(
    "--seed", default=0, show_default=True, metavar="N", help="Graine des tirages au sort."
)


@click.group("eval", short_help="Mesurer la qualité.")
def eval_group() -> None:
    """Mesurer la recherche et les réponses sur des questions dont la réponse est connue."""
    if any(find_spec(name) is None for name in _LIBRARIES):
        raise click.ClickException(messages.NO_EXTRA.format("eval"))


@eval_group.command("retrieval", short_help="Mesurer la recherche.")
@_file
@_output
@_limit
@_seed
@json_option
@index_option
@french_errors
def eval_retrieval(
    file: Path, output: Path | None, limit: int, seed: int, as_json: bool, index: Path | None
) -> None:
    """Mesurer la recherche, étape par étape : R@k, MRR@10, nDCG@10 et durées.

    FICHIER au format SQuAD (.json) : ses contextes font un index temporaire. Au
    format .jsonl : des questions sur l'index présent.
    """
    from rag.assistant import LocalAssistant
    from rag.errors import IndexBusyError
    from rag.evaluation import retrieval_scores as retrieval
    from rag.evaluation.data import sample

    settings = settings_for(index)
    with _assistant_for(settings, file, 0.0, seed) as (assistant, items):
        if not isinstance(assistant, LocalAssistant):
            raise IndexBusyError(messages.INDEX_IN_USE)
        chosen = sample([item for item in items if item.gold], limit, seed)
        with progress_bar("Questions", len(chosen)) as step:
            result = retrieval.evaluate(assistant.retriever, chosen, lambda: step(None, None))
    _finish(result, settings, file, output)
    if as_json:
        print_json({k: v for k, v in result.items() if k != "questions"})
        return
    names = list(result["stages"]["reranked"])
    click.echo(f"{'':10s}" + "".join(f"{n:>9s}" for n in names))
    for stage, measures in result["stages"].items():
        click.echo(f"{stage:10s}" + "".join(f"{measures[n]:9.3f}" for n in names))
    _say_latency(result)


@eval_group.command("answers", short_help="Mesurer les réponses.")
@_file
@click.option(
    "--hold-out", type=click.FloatRange(0, 0.9), default=0.0, show_default=True, metavar="PART",
    help="Part des articles laissée hors de l'index : leurs questions doivent être refusées.",
)  # fmt: skip
@_output
@_limit
@_seed
@json_option
@index_option
@french_errors
def eval_answers(
    file: Path,
    hold_out: float,
    output: Path | None,
    limit: int,
    seed: int,
    as_json: bool,
    index: Path | None,
) -> None:
    """Mesurer les réponses : citations justes, précision, refus et réponses à tort.

    FICHIER comme pour « eval retrieval ». Si l'application tourne sur l'index, c'est elle
    qui répond, avec ses réglages.
    """
    from rag.evaluation import answer_scores as answers
    from rag.evaluation.data import sample

    settings = settings_for(index)
    with _assistant_for(settings, file, hold_out, seed) as (assistant, items):
        chosen = sample(items, limit, seed)
        with progress_bar("Questions", len(chosen)) as step:
            result = answers.evaluate(assistant, chosen, settings.caution, lambda: step(None, None))
    _finish(result, settings, file, output)
    if as_json:
        print_json({k: v for k, v in result.items() if k != "questions"})
        return
    groups = {"": result["measures"], **result["by_kind"]}
    click.echo(f"{'':20s}" + "".join(f"{kind[:12]:>13s}" for kind in groups))
    for name in result["measures"]:
        values = [measures[name] for measures in groups.values()]
        shown = "".join("            –" if v is None else f"{v:13.3f}" for v in values)
        within = result["intervals"][name]
        click.echo(
            f"{name:20s}{shown}" + (f"  [{within[0]:.3f}, {within[1]:.3f}]" if within else "")
        )
    click.echo("Entre crochets : intervalle à 95 % de la première colonne.")
    _say_latency(result)


@eval_group.command("compare", short_help="Comparer deux mesures.")
@click.argument("before", metavar="AVANT", type=click.Path(path_type=Path))
@click.argument("after", metavar="APRÈS", type=click.Path(path_type=Path))
@json_option
@french_errors
def eval_compare(before: Path, after: Path, as_json: bool) -> None:
    """Comparer deux résultats, question par question, et dire si l'écart dépasse le hasard.

    p est la probabilité d'un écart au moins aussi grand par hasard (test de
    permutation apparié, bilatéral).
    """
    from dataclasses import asdict

    from rag.evaluation.compare import compare
    from rag.evaluation.results import load

    found = compare(load(before), load(after))
    if as_json:
        print_json([asdict(d) for d in found])
        return
    click.echo(f"{'':28s}{'avant':>9s}{'après':>9s}{'écart':>9s}{'p':>9s}{'n':>7s}")
    for d in found:
        gap = d.after - d.before
        click.echo(f"{d.measure:28s}{d.before:9.3f}{d.after:9.3f}{gap:+9.3f}{d.p:9.4f}{d.count:7d}")


@eval_group.command("report", short_help="Écrire la page des mesures.")
@click.argument(
    "results", metavar="RÉSULTAT...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--output", "-o", default="mesures.html", show_default=True, metavar="FICHIER",
    type=click.Path(path_type=Path), help="Page à écrire.",
)  # fmt: skip
@french_errors
def eval_report(results: Sequence[Path], output: Path) -> None:
    """Écrire une page HTML autonome : qualité par étape, refus, durées, pires cas."""
    from rag.evaluation.results import load
    from rag.evaluation.summary import write_report

    write_report([(path.stem, load(path)) for path in results], output)
    click.echo(f"Page écrite : {output}")


@contextmanager
def _assistant_for(
    settings: Settings, file: Path, share: float, seed: int
) -> Iterator[tuple[Assistant, list[Item]]]:
    """Give an assistant over the articles that the questions of `file` are about.

    Over the index that is there it is that of the application, while that one runs.
    """
    from rag.assistant import LocalAssistant
    from rag.errors import ReadError, SettingsError
    from rag.evaluation.data import hold_out, read_questions, read_squad

    if file.suffix == ".jsonl":
        if share:
            raise SettingsError(messages.HOLD_OUT_WITHOUT_SQUAD)
        items = read_questions(file)
        with open_for(settings, "eval") as assistant:
            if not assistant.page(limit=1).total:
                raise ReadError(messages.NOTHING_TO_MEASURE.format(file))
            yield assistant, items
        return
    articles, items = read_squad(file)
    articles, items = hold_out(articles, items, share, seed)
    with tempfile.TemporaryDirectory() as folder:
        made = LocalAssistant(settings.model_copy(update={"index_dir": Path(folder)}))
        _fill(made, articles)
        try:
            yield made, items
        finally:
            made.close()


def _fill(assistant: LocalAssistant, articles: Sequence[Article]) -> None:
    with progress_bar("Indexation", None) as step:
        assistant.ingest(articles, progress=lambda done, _met: step(done, len(articles)))


def _finish(result: Result, settings: Settings, file: Path, output: Path | None) -> None:
    from rag.evaluation.results import save

    result["file"] = file.name
    result["date"] = date.today().isoformat()
    result["settings"] = {
        name: getattr(settings, name)
        for name in ("embedding", "reranker", "llm", "caution", "candidates", "passage_tokens",
                     "answer_passages", "answer_sentences")
    }  # fmt: skip
    if output:
        save(result, output)


def _say_latency(result: Result) -> None:
    from rag.evaluation.results import STEP_NAMES

    times = result["latency"]
    click.echo(
        f"{result['count']} questions, médiane {times['p50_ms']:.0f} ms, "
        f"95e centile {times['p95_ms']:.0f} ms."
    )
    for name, step in times.get("steps", {}).items():
        click.echo(f"  {STEP_NAMES[name]:24s}{step['p50_ms']:6.1f} ms{step['p95_ms']:8.1f} ms")


@eval_group.command("stance", short_help="Mesurer le modèle qui compare.")
@_file
@json_option
@french_errors
def eval_stance(file: Path, as_json: bool) -> None:
    """Mesurer si une phrase soutient ou contredit une autre, sur des paires connues.

    FICHIER TSV avec les colonnes premise, hypothesis, label, label_text. Deux
    classes (contradiction ou non) quand label_text dit « compatibles ». Des
    paires que le modèle intégré a lues à l'entraînement donnent des chiffres
    trop beaux.
    """
    from rag.checking.entailment import load_entailment
    from rag.evaluation.stance_scores import measure_stance, read_pairs

    settings = settings_for(None)
    pairs = read_pairs(file)
    with progress_bar("Paires", len(pairs)) as step:
        result = measure_stance(pairs, load_entailment(settings), lambda: step(None, None))
    if as_json:
        print_json(result)
        return
    click.echo(f"{result['pairs']} paires, {result['engine']}")
    click.echo(f"exactitude {result['accuracy']:.3f}   macro-F1 {result['macro_f1']:.3f}")
    click.echo("connu \\ trouvé" + "".join(f"{n:>14s}" for n in result["classes"]))
    for name, row in zip(result["classes"], result["confusion"], strict=True):
        click.echo(f"{name:14s}" + "".join(f"{n:14d}" for n in row))
    for row in result["precision"]:
        scores = "   ".join(
            f"{k} {_share(row[k]['precision'])} ({row[k]['said']})"
            for k in ("supports", "contradicts")
        )
        click.echo(f"précision à {row['threshold']} : {scores}")


@eval_group.command("attribution", short_help="Mesurer qui est dit parler.")
@_file
@json_option
@french_errors
def eval_attribution(file: Path, as_json: bool) -> None:
    """Mesurer à qui une phrase est attribuée, sur des phrases connues.

    FICHIER JSONL avec text, kind (reported, statement, conditional) et speaker ; aussi before,
    after, also_ok et also_speakers, les réponses que l’on peut défendre.
    """
    from rag.evaluation.attribution_scores import measure_attribution, read_sentences
    from rag.models.loading import load_embedder

    sentences, embedder = read_sentences(file), load_embedder(settings_for(None))
    with progress_bar("Phrases", len(sentences)) as step:
        result = measure_attribution(sentences, embedder, lambda: step(None, None))
    if as_json:
        print_json(result)
        return
    for name, row in {"toutes": result, **result["by_draw"]}.items():
        strict, lenient = row["strict"], row["lenient"]
        click.echo(
            f"{name:10s} macro-F1 {strict['macro_f1']:.3f} (défendable {lenient['macro_f1']:.3f})"
            f"   exactitude {strict['accuracy']:.3f} ({lenient['accuracy']:.3f})"
            f"   locuteur {_share(row['speaker'])} (en partie {_share(row['speaker_in_part'])})"
            f" de {row['statements']}"
        )
    for case in result["wrong"]:
        click.echo(f"- {case['text']} : {case['found']} au lieu de {case['expected']}")


@eval_group.command("support", short_help="Mesurer le contrôle d’une phrase écrite.")
@_file
@json_option
@french_errors
def eval_support(file: Path, as_json: bool) -> None:
    """Mesurer si le contrôle garde les phrases que leur passage soutient, et elles seules.

    FICHIER JSONL avec passage, statement, supported ; kind groupe les résultats.
    """
    from rag.checking.prompt_injection import InjectionDetector
    from rag.checking.support import SupportCheck
    from rag.evaluation.support_scores import measure_support, read_support
    from rag.models.comparer import Comparer
    from rag.models.encoder import Encoder

    pairs, support = read_support(file), SupportCheck(Comparer(), InjectionDetector(Encoder()))
    with progress_bar("Phrases", len(pairs)) as step:
        result = measure_support(pairs, support.check, lambda: step(None, None))
    if as_json:
        print_json(result)
        return
    click.echo(
        f"{result['pairs']} phrases, exactitude équilibrée {_share(result['balanced_accuracy'])} : "
        f"vraies gardées {_share(result['kept'])}, fausses relevées {_share(result['caught'])}"
    )
    for kind, row in result["by_kind"].items():
        click.echo(f"{kind:24s} {_share(row['right'])} de {row['pairs']}")


@eval_group.command("verify", short_help="Mesurer les verdicts.")
@_file
@_output
@json_option
@index_option
@french_errors
def eval_verify(file: Path, output: Path | None, as_json: bool, index: Path | None) -> None:
    """Mesurer les verdicts sur des affirmations connues.

    FICHIER JSONL avec claim et verdict, et evidence (article_id, quote) pour les phrases
    attendues. Un paragraphe a pour verdict « multiple », et ses affirmations dans claims.
    """
    from rag.evaluation.claim_scores import measure_claims, read_claims

    claims = read_claims(file)
    settings = settings_for(index)
    with open_for(settings, "eval") as assistant, progress_bar("Affirmations", len(claims)) as step:
        result = measure_claims(assistant, claims, lambda: step(None, None))
    if output:
        output.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
    if as_json:
        print_json(result)
        return
    click.echo(
        f"{result['claims']} affirmations, exactitude {result['accuracy']:.3f}, preuve attendue "
        f"montrée {_share(result['evidence_shown'])}, {result['inexact_quotes']} citation(s) "
        f"inexacte(s), {result['unexpected']} affirmation(s) de trop, "
        f"{result['milliseconds']['p50_ms']:.0f} ms par affirmation (p95 "
        f"{result['milliseconds']['p95_ms']:.0f})"
    )
    for label, row in result["verdicts"].items():
        click.echo(
            f"{label:24s} connus {row['known']:3d}   dits {row['said']:3d}   "
            f"précision {_share(row['precision'])}   rappel {_share(row['recall'])}"
        )
    for case in result["wrong"]:
        click.echo(f"- {case['claim']} : {case['found']} au lieu de {case['expected']}")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
