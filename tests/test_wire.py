"""What goes out to programs is a contract: `wire.json` has it, schemas and examples, to the byte.

After a change that is meant, `python -m tests.test_wire` writes it anew; docs/api.md and
CHANGELOG.md then say so.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rag import wire
from rag.assistant import LocalAssistant
from rag.domain import (
    Answer,
    ArticlePage,
    ArticleRecord,
    Attribution,
    CheckedClaim,
    Citation,
    ClaimEvidence,
    Erasure,
    Failure,
    Hit,
    IngestReport,
    Kind,
    Label,
    Nearest,
    Passage,
    Review,
    Sentence,
    Side,
    Signal,
    SignalName,
    Source,
    Stance,
    Statement,
    StoredArticle,
    Verification,
    Version,
)
from rag.settings import Settings
from rag.web.openapi import document
from rag.web.server import build_app
from rag.wire import Out

GOLDEN = Path(__file__).with_name("wire.json")
SECRET = "à-ne-pas-dire"  # stands wherever something must not go out

SOURCE = Source(
    "Le pont rouvre", "L’Écho", "Anne Roc", date(2024, 3, 12), "https://a.example/pont", "Ville",
    correction=True, modified=date(2024, 3, 13), deduced=True, paywalled=True,
)  # fmt: skip
BARE = Source("Sans rien")
RECORD = ArticleRecord(
    "pont", SECRET, SOURCE, 2, 31, "/srv/pont.txt", SECRET, date(2024, 4, 1),
    (("title", SECRET), ("withheld", SECRET)), 7, SECRET,
)  # fmt: skip
PASSAGES = (
    Passage(f"pont:{SECRET}:0", "pont", 0, 0, 16, "Le pont\nIl ouvre", "Le pont", ((0, "3"),)),
    Passage(f"pont:{SECRET}:1", "pont", 1, 16, 31, " à midi, lundi.", "", ((16, "4"),)),
)
STORED = StoredArticle(RECORD, PASSAGES)
CITATION = Citation("pont", SOURCE, 8, 16, "Il ouvre", "3")
SENTENCE = Sentence(8, 16, frozenset({SECRET}), vector=SECRET.encode(), injection=True)
HIT = Hit(
    PASSAGES[0], SOURCE, 1.234567, 0.765432, 2.000049, (SENTENCE,), (0.5,),
    ((replace(PASSAGES[1], article_id="autre"), BARE),),
)  # fmt: skip
STATEMENT = Statement("Il ouvre.", (CITATION,), True, "Selon L’Écho : ", "", (0, 8))
ANSWER = Answer(
    "Quand ?", (STATEMENT, Statement("Rien.", supported=False, problem="sans appui")),
    (HIT, Hit(PASSAGES[1], BARE, 0.0)), False, "extractive", "Il ouvre.", "Quand ouvre-t-il ?",
    "Une note.", 0.123456, "Voici.", (Nearest(Citation.of_title("pont", SOURCE), ("pont",)),),
    "Où ?", True,
)  # fmt: skip
REFUSAL = Answer("Qui ?", (), (), True, "extractive", "Je ne sais pas.")
EVIDENCE = [
    ClaimEvidence(
        CITATION, Attribution(kind, "la maire", "selon la maire"), Stance.CONTRADICTS, 0.987654, 0.5,
        True, True, (Signal(SignalName.NUMBER, "12 et non 13", Side.AGAINST),), "Avant.", "Après.",
        (BARE,), True, "plus ancien", SECRET,
    )
    for kind in Kind
]  # fmt: skip
CLAIM = CheckedClaim(
    "Il ouvre.", Label.CONTRADICTED, "Un article dit non.", "faible", 1, date(2024, 3, 12), None,
    tuple(EVIDENCE), Review("corrected", Label.SUPPORTED, "Relu."), (0, 9),
)  # fmt: skip
ERASURE = Erasure(
    ("pont",), "2024-04-01T00:00:00+02:00", 1, 2, 3, (("catalogue.sqlite3", 1),), (("autre", 2),), 4,
    5, ("fermé",), ("/srv/pont.txt",),
)  # fmt: skip
EXAMPLES: dict[str, Out] = {
    "source": wire.SourceOut.of(SOURCE),
    "hit": wire.HitOut.of(HIT),
    "search": wire.SearchOut.of([HIT]),
    "answer": wire.AnswerOut.of(ANSWER),
    "refusal": wire.AnswerOut.of(REFUSAL),
    "articles": wire.ArticlesOut.of(ArticlePage((RECORD, replace(RECORD, source=BARE)), "x", 9)),
    "text": wire.ArticleTextOut.of(STORED),
    "record": wire.RecordOut.of(RECORD),
    "version": wire.VersionOut.of(Version("pont", "v1", "2024-03-13T08:00:00", SOURCE, "Avant.")),
    "whole": wire.WholeArticleOut.of(STORED),
    "erasure": wire.ErasureOut.of(ERASURE),
    "report": wire.ReportOut.of(
        IngestReport(("a",), ("b",), ("c",), ("d",), (Failure("e", "vide"),), ("f",), ("g",))
    ),
    "verification": wire.VerificationOut.of(
        Verification((CLAIM,), "2024-04-01T00:00:00+02:00", "features", "e5", "abc", 2, "1.0")
    ),
}


def models(kind: type[Out] = Out) -> dict[str, type[Out]]:
    """All models that have a name of their own, by it."""
    found = {kind.__name__: kind} if not kind.__name__.startswith(("_", "Out")) else {}
    for each in kind.__subclasses__():
        found |= models(each)
    return dict(sorted(found.items()))


def schema(model: type[Out]) -> dict[str, Any]:
    made = model.model_json_schema(mode="serialization")
    made.pop("$defs", None)
    return made


def contract() -> str:
    whole = {
        "examples": {name: out.plain() for name, out in EXAMPLES.items()},
        "schemas": {name: schema(model) for name, model in models().items()},
    }
    return written(whole, 4) + "\n"


def written(value: Any, depth: int) -> str:
    """JSON with a line a field, down to a depth: a change of one is a change of its line."""
    if not depth or not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    lines = [f"{json.dumps(k)}: {written(v, depth - 1)}" for k, v in value.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def test_what_goes_out_is_as_it_was() -> None:
    assert contract() == GOLDEN.read_text("utf-8")


def test_the_examples_leave_no_field_at_rest() -> None:
    """Each model of a domain object is among them: a field that is lost shows."""
    shown = json.dumps({n: e.plain() for n, e in EXAMPLES.items()})
    for name, model in models().items():
        if hasattr(model, "of") or name in {"EvidenceOut", "NearestOut", "RepublicationOut"}:
            assert all(f'"{field}"' in shown for field in model.model_fields), name


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_the_index_alone_knows_does_not_go_out(name: str) -> None:
    """Not vectors, nor stems, fingerprints, generations, digests, edits, or ids of passages."""
    assert SECRET not in EXAMPLES[name].model_dump_json()


def test_the_api_tells_no_place_on_the_disk_and_one_model_has_the_text(
    settings: Settings,
) -> None:
    app = build_app(LocalAssistant(settings))
    api = next(r.app for r in app.routes if getattr(r, "path", "") == "/api/v1")  # type: ignore[attr-defined]
    public = {n: models()[n] for n in document(api, "en")["components"]["schemas"] if n in models()}
    assert {"ArticleOut", "ArticleTextOut", "HitOut"} <= set(public)
    private = {f.name for f in fields(ArticleRecord)} - {"passages", "characters", "withdrawn"}
    private |= {f.name for f in fields(Sentence)} - {"start", "end", "attribution", "heading"}
    for name, model in public.items():
        leaked = set(model.model_fields) & (private - {"id", "source"})
        assert not leaked, f"{name}: {leaked}"
    whole = [n for n, m in public.items() if {"characters", "text"} <= set(m.model_fields)]
    assert whole == ["ArticleTextOut"]


def test_articles_go_out_as_they_are(assistant: LocalAssistant) -> None:
    for record in assistant.page(limit=200).records:
        source, stored = record.source, assistant.article(record.id)
        out = wire.ArticleTextOut.of(stored).plain()
        for field in fields(Source):
            value = getattr(source, field.name)
            plain = value.isoformat() if isinstance(value, date) else value
            assert out["source" if field.name == "name" else field.name] == plain
        assert (out["article_id"], out["text"]) == (record.id, stored.text)
        assert wire.ArticleOut.of(record).plain() == {k: v for k, v in out.items() if k != "text"}
        for passage, shown in zip(
            stored.passages, wire.WholeArticleOut.of(stored).passages, strict=True
        ):
            assert (shown.start, shown.end, shown.heading) == (
                passage.start, passage.end, passage.heading,
            )  # fmt: skip


if __name__ == "__main__":
    GOLDEN.write_text(contract(), "utf-8")
