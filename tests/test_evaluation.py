"""`recoupe eval`: measures on questions whose answers are known."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from rag.assistant import LocalAssistant
from rag.cli.main import app
from rag.errors import ReadError
from rag.evaluation import answer_scores as answers
from rag.evaluation import retrieval_scores as retrieval
from rag.evaluation.compare import compare
from rag.evaluation.data import Item, Quote, hold_out, read_questions, read_squad, sample
from rag.evaluation.results import STEP_NAMES, percentile
from rag.searching.retrieval import STEPS
from tests.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden" / "questions.jsonl"
CONTEXTS = {
    "Le pont de Vernoux a rouvert le 3 mai 2023 après deux ans de travaux.": (
        "Quand le pont de Vernoux a-t-il rouvert ?",
        "3 mai 2023",
    ),
    "La fromagerie Tasset emploie 42 salariés et exporte vers la Suisse.": (
        "Combien de salariés la fromagerie Tasset emploie-t-elle ?",
        "42 salariés",
    ),
    "La bibliothèque de Lérac ferme le lundi et le jeudi matin.": (
        "Quels jours la bibliothèque de Lérac ferme-t-elle ?",
        "le lundi et le jeudi matin",
    ),
    "Le club de rugby de Sauvigny a perdu la finale contre Auriac.": (
        "Contre qui le club de rugby de Sauvigny a-t-il perdu la finale ?",
        "Auriac",
    ),
}


@pytest.fixture
def squad(tmp_path: Path) -> Path:
    paragraphs: list[dict[str, Any]] = [
        {
            "context": context,
            "qas": [
                {
                    "id": f"q{n}",
                    "question": question,
                    "answers": [{"text": answer, "answer_start": context.index(answer)}],
                }
            ],
        }
        for n, (context, (question, answer)) in enumerate(CONTEXTS.items())
    ]
    paragraphs[0]["qas"].append(
        {"id": "none", "question": "Qui a dessiné la mairie ?", "is_impossible": True}
    )
    paragraphs[1]["qas"].append({"question": "Où la fromagerie Tasset exporte-t-elle ?"})
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "t", "paragraphs": paragraphs}]}))
    return path


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["eval", *map(str, arguments)])


def test_squad_is_read_with_exact_spans(squad: Path) -> None:
    articles, items = read_squad(squad)
    texts = {a.id: a.text for a in articles}
    assert list(texts.values()) == list(CONTEXTS)
    quoted = [texts[g.article_id][g.start : g.end] for i in items for g in i.gold]
    assert quoted[:2] == ["3 mai 2023", "42 salariés"]
    assert [i.id for i in items if not i.gold] == ["none"]
    whole = next(i for i in items if i.question.startswith("Où"))
    assert whole.gold[0].end == len(texts[whole.gold[0].article_id])


@pytest.mark.parametrize("text", ["", "{}", '{"data": [{"paragraphs": [{}]}]}', '{"data": 3}'])
def test_another_file_is_refused_in_french(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(ReadError, match=r"bad\.json"):
        read_squad(path)
    result = run("retrieval", path)
    assert result.exit_code == 1
    assert "Erreur" in result.output
    assert "Traceback" not in result.output


def test_held_out_articles_leave_questions_without_answer(squad: Path) -> None:
    articles, items = read_squad(squad)
    kept, changed = hold_out(articles, items, 0.5, seed=1)
    assert len(kept) == 2
    ids = {a.id for a in kept}
    for before, after in zip(items, changed, strict=True):
        assert after.gold == tuple(g for g in before.gold if g.article_id in ids)
    assert hold_out(articles, items, 0.5, seed=1) == (kept, changed)
    assert hold_out(articles, items, 0.5, seed=2)[0] != kept


def test_retrieval_is_measured_by_stage(squad: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.json"
    result = run("retrieval", squad, "-o", out, "--json")
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert list(printed["stages"]) == ["dense", "lexical", "fused", "reranked"]
    assert printed["stages"]["reranked"]["R@5"] == 1.0
    assert printed["count"] == 5
    assert printed["latency"]["p95_ms"] >= printed["latency"]["p50_ms"] > 0
    steps = printed["latency"]["steps"]
    assert list(steps) == list(STEPS) == list(STEP_NAMES)
    assert steps["embedding"]["p50_ms"] > 0
    assert sum(s["p50_ms"] for s in steps.values()) <= 2 * printed["latency"]["p95_ms"]
    assert "réordonnancement" in run("retrieval", squad).output
    saved = json.loads(out.read_text())
    assert saved["questions"][0]["stages"]["fused"]["R@10"] == 1.0


def test_measures_are_those_of_the_definitions(assistant: LocalAssistant) -> None:
    items = [i for i in read_questions(GOLDEN) if i.gold][:12]
    result = retrieval.evaluate(assistant.retriever, items)
    for item, row in zip(items, result["questions"], strict=True):
        hits = assistant.retriever.stages(item.question)["fused"]
        order = list(dict.fromkeys(h.passage.article_id for h in hits))
        right = {g.article_id for g in item.gold}
        rank = next((n for n, a in enumerate(order, 1) if a in right), 1000)
        found = row["stages"]["fused"]
        assert found["MRR@10"] == pytest.approx(1 / rank if rank <= 10 else 0, abs=1e-4)
        assert found["R@1"] == float(rank == 1)
        assert found["R@5"] == float(rank <= 5)


def test_answers_are_measured_and_reported(squad: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "r.json", tmp_path / "page.html"
    result = run("answers", squad, "--hold-out", "0.25", "-o", out)
    assert result.exit_code == 0, result.output
    saved = json.loads(out.read_text())
    assert saved["count"] == 6
    assert saved["answerable"] in {3, 4}
    assert saved["measures"]["first_right"] == 1.0
    assert saved["measures"]["wrong_answers"] == 0.0
    assert run("retrieval", squad, "-o", tmp_path / "s.json").exit_code == 0
    assert run("report", out, tmp_path / "s.json", "-o", page).exit_code == 0
    html = page.read_text()
    assert "ce que coûte la prudence" in html
    assert html.count("<svg") == 7
    assert not re.search(r"<script|(?:src|href)=[\"']?http|@import|url\(http", html)
    assert "Étalonnage du refus" in html
    assert "vecteur de la question" in html


def test_quotes_kinds_parts_and_follow_ups_are_measured(
    assistant: LocalAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quotes are those of the sample corpus; the figures can be told by hand."""
    patient = assistant.settings.model_copy(update={"caution": 0.4})
    monkeypatch.setattr(assistant.answerer.router, "settings", patient)
    asked = "Combien de personnes le festival des Lanternes a-t-il attirées en 2024 ?"
    answer = assistant.ask(asked)
    cited = answer.statements[0].citations[0]
    quote = {"article_id": cited.article_id.rpartition("-")[0] or cited.article_id}
    right = {**quote, "quote": cited.quote.replace("\u202f", " "), "part": 1}
    rows = [
        {
            "question": asked,
            "kind": "fact",
            "answers": [right, right | {"quote": "rien", "part": 2}],
        },
        {"question": "Qui a marché sur Mars ?", "kind": "none", "answers": []},
        {
            "question": asked,
            "kind": "followup",
            "answers": [right],
            "independent": True,
            "history": [{"question": "Pourquoi la maternité a-t-elle fermé ?", "answer": "…"}],
        },
        {"question": asked, "kind": "premise", "answers": [], "contradicted_by": [right]},
        {
            "question": asked,
            "kind": "premise",
            "answers": [],
            "contradicted_by": [right | {"quote": "rien"}],
        },
    ]
    path = tmp_path / "asked.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")
    result = answers.evaluate(assistant, read_questions(path), 0.45)
    assert result["by_kind"]["fact"]["parts_covered"] == 0.5
    assert result["by_kind"]["fact"]["some_right"] == 1.0
    assert result["by_kind"]["none"]["wrong_answers"] == 0.0
    assert result["by_kind"]["followup"]["unchanged"] == 1.0
    # What says that the question rests on something false is no wrong answer to it.
    assert result["by_kind"]["premise"]["premises_met"] == 0.5
    assert result["by_kind"]["premise"]["wrong_answers"] == 0.5
    assert result["by_kind"]["premise"]["correct"] == 0.5
    assert result["measures"]["parts_covered"] == pytest.approx(2 / 3, abs=1e-3)
    low, high = result["intervals"]["parts_covered"]
    assert low <= 2 / 3 <= high
    assert low < high
    low, high = result["intervals"]["wrong_answers"]
    assert low < 1 / 3 < high


def test_a_quote_is_covered_whatever_its_typography() -> None:
    quote = Quote("w-1", "L'armée a pris la ville de Kidal, mardi.")
    assert quote.covered("w-1-abc123", "Selon lui, l’armée a pris la ville de Kidal\u00a0, mardi !")
    assert quote.covered("w-1", "pris la ville de Kidal")
    assert not quote.covered("w-1", "L'armée a quitté Gao.")
    assert not quote.covered("w-12", "L'armée a pris la ville de Kidal, mardi.")
    assert not quote.covered("w-1", "")


def test_the_report_shows_hostile_text_as_text(squad: Path, tmp_path: Path) -> None:
    out = tmp_path / "r.json"
    assert run("answers", squad, "-o", out).exit_code == 0
    saved = json.loads(out.read_text())
    attack = '<img src=x onerror="alert(1)">'
    for q in saved["questions"]:
        q |= {"question": attack, "refused": q["answerable"], "statements": [attack]}
        q["first"] = [{"article_id": "a", "title": attack, "text": attack}]
    out.write_text(json.dumps(saved))
    page = tmp_path / "page.html"
    assert run("report", out, "-o", page).exit_code == 0
    assert "<img" not in page.read_text()
    assert "&lt;img" in page.read_text()


def test_a_comparison_is_paired_and_tells_chance_apart(squad: Path, tmp_path: Path) -> None:
    questions = [
        {
            "id": str(n), "question": f"q{n}", "answerable": True, "refused": False,
            "right": [n % 3 == 0], "probability": 0.6,
        }
        for n in range(60)
    ]  # fmt: skip
    before = {"format": 1, "kind": "answers", "questions": questions}
    better = {**before, "questions": [q | {"right": [n % 3 < 2]} for n, q in enumerate(questions)]}
    lucky = {
        **before,
        "questions": [q | {"right": [n % 3 == 0 or n == 1]} for n, q in enumerate(questions)],
    }
    gain = {d.measure: d for d in compare(before, better)}["correct"]
    assert gain.before == pytest.approx(1 / 3)
    assert gain.after == pytest.approx(2 / 3)
    assert gain.p < 0.01
    assert {d.measure: d for d in compare(before, lucky)}["correct"].p > 0.5
    assert {d.measure: d for d in compare(before, before)}["correct"].p == 1.0
    a = tmp_path / "a.json"
    a.write_text(json.dumps(before))
    assert "correct" in run("compare", a, a).output
    refused = run("compare", a, squad)
    assert refused.exit_code == 1
    assert "recoupe eval" in refused.output


def test_samples_and_percentiles() -> None:
    items = [Item(str(n), "q", ()) for n in range(10)]
    assert sample(items, 0, 0) == items
    assert len(sample(items, 3, 0)) == 3
    assert sample(items, 3, 0) == sample(items, 3, 0)
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile(list(range(1, 101)), 0.95) == 95
    assert percentile([], 0.5) == 0


def test_an_empty_index_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("answers", GOLDEN, "--index", tmp_path / "empty")
    assert result.exit_code == 1
    assert "pas d’index" in result.output
    assert not (tmp_path / "empty").exists()


def test_the_golden_set_is_answered(assistant: LocalAssistant) -> None:
    """A smoke test: what decides is text that nobody here wrote (`docs/measures.md`)."""
    items = read_questions(GOLDEN)[::4]
    found = retrieval.evaluate(assistant.retriever, items)["stages"]["reranked"]
    assert found["MRR@10"] > 0.8
    measures = answers.evaluate(assistant, items, assistant.settings.caution)["measures"]
    assert measures["any_right"] > 0.6


def test_attribution_is_measured_strictly_and_with_what_can_be_defended(tmp_path: Path) -> None:
    rows = [
        {"text": "Le pont est fermé.", "kind": "reported", "speaker": ""},
        {
            "text": "Le pont est fermé, a déclaré le maire.",
            "kind": "statement",
            "speaker": "Le maire",
            "draw": "random",
        },
        {
            "text": "Le maire aurait touché 12 000 euros, selon deux sources proches du dossier.",
            "kind": "reported",
            "speaker": "",
            "also_ok": ["conditional"],
        },
        {"text": "Selon la mairie, tout va.", "kind": "statement", "speaker": "le préfet"},
    ]
    path = tmp_path / "said.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")
    result = json.loads(run("attribution", path, "--json").stdout)
    assert result["sentences"] == 4
    assert result["strict"]["accuracy"] == 0.75
    assert result["lenient"]["accuracy"] == 1.0
    assert result["speaker"] == 0.5
    assert result["statements"] == 2
    assert [w["expected"][1] for w in result["wrong"]] == ["le préfet"]
    assert result["by_draw"]["random"]["speaker"] == 1.0
    assert "macro-F1" in run("attribution", path).stdout
    path.write_text('{"text": "Sans étiquette."}', encoding="utf-8")
    failed = run("attribution", path)
    assert failed.exit_code != 0
    assert "ne se lit pas comme des phrases attribuées" in failed.output


def test_support_is_measured_kind_by_kind(tmp_path: Path) -> None:
    passage = "Le pont a coûté 4 millions d’euros à la région."
    rows = [
        {"passage": passage, "statement": passage, "supported": True, "kind": "verbatim"},
        {
            "passage": passage,
            "statement": "Le pont a coûté 9 millions d’euros à la région.",
            "supported": False,
            "kind": "number",
        },
        {"passage": passage, "statement": passage, "supported": False, "kind": "odd"},
    ]
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(json.dumps(r) for r in rows), encoding="utf-8")
    result = json.loads(run("support", path, "--json").stdout)
    assert (result["kept"], result["caught"]) == (1.0, 0.5)
    assert result["balanced_accuracy"] == 0.75
    assert result["by_kind"]["faux : number"] == {"pairs": 1, "right": 1.0}
    assert [w["kind"] for w in result["wrong"]] == ["odd"]
    assert "exactitude équilibrée 0.750" in run("support", path).stdout
    path.write_text("[]", encoding="utf-8")
    assert "ne se lit pas" in run("support", path).output
