"""One self-contained HTML page with what results show, so that a person can look."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.answering.evidence import cautions
from rag.checking.verdict import Bar, curves
from rag.evaluation.answer_scores import is_correct
from rag.evaluation.results import STEP_NAMES, Result, mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STAGES = {"dense": "sens", "lexical": "mots", "fused": "fusion", "reranked": "réordonné"}
_MEASURES = {
    "first_right": "première citation juste",
    "any_right": "une citation juste",
    "citation_precision": "précision des citations",
    "wrong_refusals": "refus à tort",
    "wrong_answers": "réponses à tort",
    "premises_met": "présupposés faux relevés",
    "correct": "justes, refus compris",
    "some_right": "une citation juste, de toutes les questions à réponse",
    "parts_covered": "parties de réponse couvertes",
    "unchanged": "questions autonomes que l’historique ne change pas",
}
_PRECISIONS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85)  # of `verdict_precision`, in the table
_WORST_CASES = 15
_BINS = 10
_BLUE, _RED, _GREY = "#1f5f8b", "#b3372f", "#8a8f98"


def write_report(results: Sequence[tuple[str, Result]], path: Path) -> None:
    """Write the page for named results. Everything is in the file: no script, no request."""
    from jinja2 import Environment

    template = (files("rag.evaluation") / "summary.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True)
    environment.filters["nombre"] = _number
    path.write_text(
        environment.from_string(template).render(
            sections=[_section(name, result) for name, result in results],
            answers=_plot(_draw_cautions),
            cautions=cautions(),
            verdicts=_plot(_draw_verdicts),
            asked=[(asked, *_reached(asked)) for asked in _PRECISIONS],
        ),
        encoding="utf-8",
    )


def _reached(precision: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return what asking for a precision gives: (precision, recall) of « Soutenu », « Contredit ».

    As `bench/verdict.py` measured them, on text that nothing was trained on.
    """
    bar = Bar.of(precision)
    support, contradict = (
        next((p, r) for b, p, r, _ in curves()[side] if b == at)
        for side, at in (("support", bar.support), ("contradict", bar.contradict))
    )
    return support, contradict


def _section(name: str, result: Result) -> dict[str, Any]:
    section: dict[str, Any] = {"name": name, "result": result}
    if result["kind"] == "retrieval":
        section["stages"] = _STAGES
        section["steps"] = STEP_NAMES
        section["plots"] = [
            ("Qualité à chaque étape", _plot(lambda ax: _draw_stages(ax, result))),
            ("Durée d’une question", _plot(lambda ax: _draw_latency(ax, result))),
        ]
        worst = sorted(result["questions"], key=lambda q: q["stages"]["reranked"]["MRR@10"])
        section["worst"] = [
            q | {"verdict": "le bon article n’est pas premier"}
            for q in worst[:_WORST_CASES]
            if q["stages"]["reranked"]["MRR@10"] < 1
        ]
    else:
        section["measures"] = _MEASURES
        section["plots"] = [
            ("Étalonnage du refus", _plot(lambda ax: _draw_calibration(ax, result))),
            ("Erreurs selon le seuil", _plot(lambda ax: _draw_thresholds(ax, result))),
            ("Durée d’une réponse", _plot(lambda ax: _draw_latency(ax, result))),
        ]
        wrong = [q for q in result["questions"] if not is_correct(q)]
        wrong.sort(key=lambda q: -abs((q["probability"] or 0.5) - result["threshold"]))
        section["worst"] = [q | {"verdict": _verdict(q)} for q in wrong[:_WORST_CASES]]
    return section


def _number(value: float | None, decimals: int = 3) -> str:
    """Return a number as French prints it, a dash for none."""
    return "–" if value is None else f"{value:.{decimals}f}".replace(".", ",")


def _verdict(question: Result) -> str:
    if question["refused"]:
        return "refusée à tort"
    return "citation à côté" if question["answerable"] else "répondue à tort"


def _plot(draw: Callable[[Axes], None]) -> str:
    """Return an SVG element; texts in it are drawn by matplotlib, which escapes them."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    with plt.rc_context({"font.size": 9, "svg.fonttype": "none", "svg.hashsalt": "recoupe"}):
        figure, axes = plt.subplots(figsize=(5, 3), layout="constrained")
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
    svg = written.getvalue()
    return svg[svg.index("<svg") :]


def _draw_stages(ax: Axes, result: Result) -> None:
    stages = [s for s in _STAGES if s in result["stages"]]
    names = list(result["stages"][stages[0]])
    width = 0.8 / len(stages)
    shades = ["#c9d6df", "#9fb8c9", "#5f8fae", _BLUE]
    for at, (stage, shade) in enumerate(zip(stages, shades, strict=False)):
        values = [result["stages"][stage][n] or 0.0 for n in names]
        where = [i + at * width for i in range(len(names))]
        ax.bar(where, values, width, label=_STAGES[stage], color=shade)
    ax.set_xticks([i + 0.4 - width / 2 for i in range(len(names))], names)
    ax.set_ylim(0, 1)
    ax.legend(ncols=4, fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1))


def _draw_verdicts(ax: Axes) -> None:
    for side, label, colour in (
        ("support", "« Soutenu »", _BLUE),
        ("contradict", "« Contredit »", _RED),
    ):
        _, precisions, recalls, _ = zip(*curves()[side], strict=True)
        ax.plot(recalls, precisions, color=colour, marker=".", label=label)
    ax.set_xlabel("part trouvée (rappel)")
    ax.set_ylabel("part juste (précision)")
    ax.set_xlim(left=0)
    ax.set_ylim(0, 1)
    ax.legend()


def _draw_cautions(ax: Axes) -> None:
    marks = [each["caution"] for each in cautions()]
    for name, label, colour in (
        ("false answers", "réponses à tort", _RED),
        ("false refusals", "refus à tort", _BLUE),
        ("all right", "toutes justes", _GREY),
    ):
        ax.plot(marks, [each[name] for each in cautions()], color=colour, marker=".", label=label)
    ax.set_xlabel("réglage « caution »")
    ax.set_ylabel("part des questions")
    ax.set_ylim(0, 1)
    ax.legend()


def _draw_latency(ax: Axes, result: Result) -> None:
    times = [q["milliseconds"] for q in result["questions"]]
    ax.hist(times, bins=30, color=_BLUE)
    ax.axvline(result["latency"]["p50_ms"], color="black", lw=1, label="médiane")
    ax.axvline(result["latency"]["p95_ms"], color=_RED, lw=1, label="95e centile")
    ax.set_xlabel("millisecondes")
    ax.set_ylabel("questions")
    ax.legend()


def _draw_calibration(ax: Axes, result: Result) -> None:
    questions = [q for q in result["questions"] if q["probability"] is not None]
    points = []
    for n in range(_BINS):
        inside = [q for q in questions if n <= min(q["probability"] * _BINS, _BINS - 0.001) < n + 1]
        if inside:
            forecast = mean(q["probability"] for q in inside)
            true = mean(q["answerable"] for q in inside)
            points.append((forecast, true, len(inside)))
    ax.plot([0, 1], [0, 1], color=_GREY, lw=1, ls="--")
    if points:
        x, y, sizes = zip(*points, strict=True)
        ax.scatter(x, y, s=[12 + 4 * s for s in sizes], color=_BLUE)
    ax.axvline(result["threshold"], color=_RED, lw=1, label="seuil")
    ax.set_xlabel("probabilité annoncée d’une réponse")
    ax.set_ylabel("part qui en a une")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.legend()


def _draw_thresholds(ax: Axes, result: Result) -> None:
    questions = [q for q in result["questions"] if q["probability"] is not None]
    marks = [n / 50 for n in range(51)]
    for answerable, label, colour in (
        (True, "refus à tort", _BLUE),
        (False, "réponses à tort", _RED),
    ):
        those = [q["probability"] for q in questions if q["answerable"] == answerable]
        if those:
            shares = [mean((p < t) == answerable for p in those) or 0.0 for t in marks]
            ax.plot(marks, shares, color=colour, label=label)
    ax.axvline(result["threshold"], color=_GREY, lw=1, ls="--")
    ax.set_xlabel("seuil")
    ax.set_ylim(0, 1)
    ax.legend()
