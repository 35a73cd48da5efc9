"""Pairs that the comparer learns from."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import changes
from training.comparing_examples import (
    AGAINST,
    FOLLOWS,
    KINDS,
    NEITHER,
    NOT_AGAINST,
    Changes,
    judged,
    stated,
)
from training.statements import statement
from training.written_examples import Claim, Inferences, Written, told_by_words

TEXTS = [
    "Anne Le Goff dirige le port de Nantes depuis 2014. Le port a reçu 1 250 cargos en mars, venus "
    "de trois pays. Certains dockers ont refusé le nouveau contrat, signé par la région Bretagne.",
    "Le musée Valadier a ouvert ses portes le lundi 12 juin 1998 à Brissange. Sa directrice, "
    "Jeanne Morel, a acheté deux tableaux à Paul Andral pour 4 millions d'euros.",
]


@pytest.mark.parametrize(
    ("question", "answer", "made"),
    [
        ("Qui a peint la Ronde ?", "Rembrandt", "Rembrandt a peint la Ronde."),
        ("Quelle est la capitale du Mali ?", "Bamako", "La capitale du Mali est Bamako."),
        ("Quand est né Paul Andral ?", "1931", "Paul Andral est né en 1931."),
        ("En quelle année le port a-t-il fermé ?", "1962", "Le port a fermé en 1962."),
        ("Combien de cargos attendent à quai ?", "12", "12 cargos attendent à quai."),
        ("Où se trouve le phare ?", "à Lérac", "Le phare se trouve à Lérac."),
        ("Pourquoi la maternité a-t-elle fermé ?", "faute de pédiatres", None),
        ("", "rien", None),
    ],
)
def test_a_question_and_its_answer_make_a_statement(
    question: str, answer: str, made: str | None
) -> None:
    assert statement(question, answer) == made


@given(st.text(max_size=60), st.text(max_size=30))
def test_any_question_makes_a_sentence_or_nothing(question: str, answer: str) -> None:
    made = statement(question, answer)
    assert made is None or (made.endswith(".") and "?" not in made.replace(answer.strip(), ""))


def test_a_false_statement_has_another_answer() -> None:
    context = TEXTS[0]
    start = context.index("Anne Le Goff")
    rows = [
        {
            "title": "Nantes",
            "question": "Qui dirige le port de Nantes ?",
            "context": context,
            "answers": [(start, start + 12)],
        }
    ]
    found = {p.kind: p for p in stated(rows)}
    assert found["statement"].said == "Anne Le Goff dirige le port de Nantes."
    assert found["statement"].allowed == FOLLOWS
    assert found["other answer"].allowed != FOLLOWS
    assert "Anne Le Goff" not in found["other answer"].said
    assert "Anne Le Goff" not in found["unanswered"].shown
    assert found["unanswered"].allowed == NEITHER


def test_one_thing_is_changed_and_the_rest_stands() -> None:
    draw = random.Random(3)
    text = "Le port a reçu 1 250 cargos en mars 2014, venus de Chine."
    for change in (changes.other_number, changes.other_date):
        made = change(draw, text, "")
        assert made is not None
        assert made != text
        assert len(set(made.split()) ^ set(text.split())) <= 4
    assert (
        changes.other_unit(draw, "Il a coûté 4 millions d'euros.")
        != "Il a coûté 4 millions d'euros."
    )
    assert changes.other_number(draw, "Rien ne bouge.", "") is None
    assert changes.exchanged(draw, "Paul Andral et Jeanne Morel sont venus.") is None


def test_every_kind_of_change_makes_pairs_that_do_not_follow() -> None:
    made = Changes(TEXTS)
    draw = random.Random(1)
    seen = {}
    for _ in range(40):
        pair = made.draw(draw)
        seen.setdefault(pair.kind, []).append(pair)
        assert pair.said
        # A doubt stands in what is shown, so that the sentence without it may be there whole.
        assert pair.allowed == FOLLOWS or pair.kind == "certainty" or pair.said not in pair.shown
    assert "true" in seen
    assert len(set(seen) & set(KINDS)) >= 6
    assert all(p.allowed == FOLLOWS for p in seen["true"])


def test_judged_pairs_say_what_their_set_knows(tmp_path: Path) -> None:
    (tmp_path / "rte3_fr_dev.tsv").write_text(
        "premise\thypothesis\tlabel\nLe port est fermé.\tLe port est ouvert.\t2\n", encoding="utf-8"
    )
    (tmp_path / "daccord_dev.tsv").write_text(
        "premise\thypothesis\tlabel\nA vit.\tA est vivant.\t0\n", encoding="utf-8"
    )
    found = judged(tmp_path)
    assert found["rte3"][0].allowed == AGAINST
    assert found["daccord"][0].allowed == NOT_AGAINST
    assert set(found) == {"rte3", "daccord"}


def test_a_network_reads_back_what_was_written(tmp_path: Path) -> None:
    """The int8 file gives the weights again, as near as seven bits do."""
    pytest.importorskip("torch")
    import numpy as np

    from training import graph, network
    from training.weights import SHIPPED, shipped

    like = shipped()
    found = network.from_onnx(SHIPPED / "reader-fr.onnx", like)
    assert {n: a.shape for n, a in found.tensors.items()} == {
        n: a.shape for n, a in like.tensors.items()
    }
    path = tmp_path / "model.onnx"
    graph.save_comparer(found, (np.eye(3, like.hidden, dtype=np.float32), np.zeros(3, "f4")), path)
    again = network.from_onnx(path, like)
    for name in ("emb.word", "l0.q.w", "l11.fo.w", "l3.k.b", "l5.aln.b", "emb.pos"):
        np.testing.assert_allclose(again.tensors[name], found.tensors[name], atol=1e-4)


def test_what_a_pair_leaves_open_costs_nothing() -> None:
    torch = pytest.importorskip("torch")
    from training.comparer import Batch, loss_of

    logits = torch.tensor([[4.0, 4.0, -9.0]])
    ids = torch.zeros(1, 1)

    def loss(*allowed: bool) -> float:
        return float(loss_of(logits, Batch(ids, ids, torch.tensor([allowed]))))

    assert loss(True, True, False) == pytest.approx(0, abs=1e-4)
    assert loss(True, False, False) == pytest.approx(0.693, abs=1e-2)
    assert loss(False, False, True) > 10


WRITTEN = {
    "id": "w1-001", "date": "2024-03-12", "title": "Le port de Lérac", "paragraphs": [0],
    "sentences": [
        {"text": "Le port a reçu 40 cargos.", "kind": "fact", "speaker": None},
        {"text": "La grue est en panne.", "kind": "fact", "speaker": None},
        {"text": "Le directeur espère 60 cargos.", "kind": "statement", "speaker": "Le directeur"},
    ],
    "claims": [
        {"claim": "Quarante navires sont venus.", "label": "supported", "kind": "figure",
         "sentences": [1]},
        {"claim": "La grue fonctionne.", "label": "contradicted", "kind": "antonym",
         "sentences": [2]},
        {"claim": "Soixante cargos viendront en mai.", "label": "neither", "kind": "addition",
         "sentences": [3]},
    ],
}  # fmt: skip


def test_a_written_claim_is_shown_with_what_decides_or_without_it(tmp_path: Path) -> None:
    path = tmp_path / "passages.jsonl"
    rows = [WRITTEN | {"id": f"w1-{n:03}"} for n in range(1, 21)]
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    written, held_out = Written(path), Written(path, measuring=True)
    assert (len(written.passages), len(held_out.passages)) == (18, 2)
    assert not {p["id"] for p in written.passages} & {p["id"] for p in held_out.passages}
    labels = {"Quarante navires": FOLLOWS, "La grue": AGAINST, "Soixante": NEITHER}
    draw = random.Random(1)
    shown = set()
    for _ in range(300):
        pair = written.draw(draw)
        if pair.kind == "elsewhere":
            assert pair.allowed == NEITHER
            continue
        start = next(s for s in labels if pair.said.startswith(s))
        decisive = WRITTEN["sentences"][list(labels).index(start)]["text"]  # type: ignore[index]
        if decisive in pair.shown:
            assert pair.allowed == labels[start]
        else:
            assert not pair.allowed[0], "nothing follows from what does not say it"
        shown.add((start, decisive in pair.shown))
    assert len(shown) == 6
    assert [p.shown for p in held_out.plain()][:2] == [
        "Le port a reçu 40 cargos.", "La grue est en panne.",
    ]  # fmt: skip


def test_another_event_is_shown_as_a_search_finds_it(tmp_path: Path) -> None:
    """By a sentence that has the claim's words, of another passage: nothing follows."""
    rows = [
        {
            **WRITTEN,
            "id": f"w1-{n:03}",
            "title": f"Le port {n}",
            "sentences": [
                {"text": f"Le port de {place} a reçu {n} cargos.", "kind": "fact", "speaker": None},
                {"text": f"{place} a une grue en panne.", "kind": "fact", "speaker": None},
                {"text": "Il pleuvait.", "kind": "fact", "speaker": None},
            ],
        }
        for n, place in enumerate(("Lérac", "Brest", "Nantes", "Dakar", "Lomé"), 1)
    ]
    path = tmp_path / "passages.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    written, draw = Written(path), random.Random(3)
    drawn = [written.draw(draw) for _ in range(200)]
    others = [pair for pair in drawn if pair.kind == "elsewhere"]
    assert others
    assert {pair.allowed for pair in others} == {NEITHER}
    crane = next(c for c in written.claims if c.text == "La grue fonctionne.")
    for _ in range(10):
        pair = written.elsewhere(draw, crane)
        own = written.passages[crane.passage]["sentences"]
        assert "grue" in pair.shown or "port" in pair.shown
        assert not any(s["text"] in pair.shown for s in own if s["text"] != "Il pleuvait.")


def test_words_that_tell_a_label_are_told() -> None:
    claims = [
        Claim(n, f"{'Tous' if n % 2 else 'Des'} navires de type {n % 7} sont venus",
              "neither" if n % 2 else "supported", "", (0,))
        for n in range(60)
    ]  # fmt: skip
    assert told_by_words(claims).mean() > 0.8


def test_short_pairs_are_whole_and_held_out_by_item() -> None:
    training, measuring = Inferences(), Inferences(measuring=True)
    shown = {c.text for c in training.claims}
    counts = Counter(c.label for c in training.claims)
    assert len(training.claims) > 39_000
    assert max(counts.values()) < 1.1 * min(counts.values())
    premises = [row["premise"] for row in (*training._rows, *measuring._rows)]
    assert len(set(premises)) == len(premises)
    assert all(len(text.split()) > 1 for text in shown)
    assert len(measuring.claims) > 4_000
    told = {p.allowed for p in measuring.plain()}
    assert told == {FOLLOWS, NEITHER, AGAINST}


def test_a_short_pair_may_stand_beside_another(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    rows = [
        {"id": f"n1-{n:03d}", "premise": f"Le bac {n} est réparé.", "follows": [f"Un bac roule {n}."],
         "contradicted": [f"Le bac {n} est en panne."], "neither": [f"Le bac {n} est bleu."]}
        for n in range(1, 30)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
    pairs, draw = Inferences(path), random.Random(3)
    drawn = [pairs.draw(draw) for _ in range(200)]
    assert len(pairs.claims) == 3 * 27  # 10 and 20 measure
    assert {p.shown.count("réparé") for p in drawn} == {1, 2}
    assert {p.allowed for p in drawn} == {FOLLOWS, NEITHER, AGAINST}
    for pair in drawn:
        (number,) = re.findall(r"\d+", pair.said)
        assert f"Le bac {number} est réparé." in pair.shown
