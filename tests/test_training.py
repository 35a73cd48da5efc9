"""What networks learn from, and that a training goes on where it was interrupted."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from training.reading_examples import KINDS, Examples, styled
from training.run import Run, grouped
from training.written_questions import WrittenQuestions

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch


def row(title: str, question: str, context: str, answer: str) -> dict[str, Any]:
    start = context.index(answer)
    return {
        "title": title,
        "question": question,
        "context": context,
        "answers": [[start, start + len(answer)]],
        "negatives": [],
    }


ROWS = [
    row(
        "Lyon",
        "Quelle est la superficie de Lyon en 2012 ?",
        "La ville de Lyon est au confluent du Rhône et de la Saône. Sa superficie est de 48 km²."
        " Elle compte un opéra, des quais et des jardins ouverts à tous les habitants.",
        "48 km²",
    ),
    row(
        "Nantes",
        "Qui dirige le port de Nantes ?",
        "Le port de Nantes est dirigé par Anne Le Goff. Il reçoit des cargos de tous les pays."
        " Ses quais ont été refaits par la région avec une aide de l'État.",
        "Anne Le Goff",
    ),
]
for one, other in (ROWS, ROWS[::-1]):
    one["negatives"] = [[other["title"], other["context"]]]


def drawn(kind: str, count: int = 200) -> list[Any]:
    examples, draw = Examples(ROWS, [(kind, 1.0)]), random.Random(4)
    return [examples.draw(draw) for _ in range(count)]


@pytest.mark.parametrize("kind", [name for name, _ in KINDS])
def test_an_answer_is_where_it_is_said_to_be_or_nowhere(kind: str) -> None:
    answers = {"48 km²", "Anne Le Goff"}
    found = drawn(kind)
    held = [e.text[slice(*e.span)] for e in found if e.span]
    assert set(held) == answers
    assert 0.4 < len(held) / len(found) < 0.6


@pytest.mark.parametrize("kind", ["mined", "any"])
def test_a_passage_of_another_article_answers_nothing(kind: str) -> None:
    asked = {r["question"]: r["context"] for r in ROWS}
    for e in drawn(kind):
        if e.span is None and e.question in asked:
            assert not e.text.startswith(asked[e.question]) or "\n" in e.text


def test_the_sentences_that_answer_are_cut_out() -> None:
    for e in drawn("excised"):
        if e.span is None and "\n" not in e.text:
            assert "48 km²" not in e.text
            assert "Anne Le Goff" not in e.text


def test_a_transplanted_question_names_what_its_passage_names() -> None:
    examples, draw = Examples(ROWS), random.Random(1)
    made = {examples._transplanted(draw, ROWS[1]) for _ in range(60)} - {None}
    assert made
    for question in made:
        assert question is not None
        assert "superficie" in question
        assert "Lyon" not in question
        assert any(name in question for name in ("Nantes", "Goff", "Le Goff", "État"))


PLACES = ("Lérac", "Montfauzy", "Brissange", "Roumieu", "Sarrelle")


def press(number: int) -> dict[str, Any]:
    """A written passage about a port of its own."""
    name, ships = PLACES[number % len(PLACES)], 40 + number
    return {
        "id": f"w1-{number:03}",
        "date": "2024-03-12",
        "title": f"Le port de {name} numéro {number}",
        "paragraphs": [0, 2],
        "sentences": [
            {"text": f"Le port de {name} a reçu {ships} cargos.", "kind": "fact", "speaker": None},
            {"text": "Une grue est en panne depuis lundi.", "kind": "fact", "speaker": None},
            {"text": "Un câble a cédé sous le gel.", "kind": "fact", "speaker": None},
            {"text": "Le quai reste ouvert aux voiliers.", "kind": "fact", "speaker": None},
        ],
        "claims": [],
        "questions": [
            {"question": "Combien de cargos ?", "kind": "howmany", "sentences": [1],
             "answer": str(ships)},
            {"question": "Pourquoi cette panne ?", "kind": "why", "sentences": [2, 3],
             "answer": "*"},
            {"question": "Quel est le tonnage ?", "kind": "none", "sentences": [], "answer": None},
            {"question": "Pourquoi le quai est-il fermé ?", "kind": "premise", "sentences": [4],
             "answer": None},
        ],
    }  # fmt: skip


def test_written_questions_stand_with_what_answers_them_or_nothing_does(tmp_path: Path) -> None:
    path = tmp_path / "passages.jsonl"
    rows = [press(n) for n in range(1, 31)]
    path.write_text("\n".join(json.dumps(r) for r in rows), "utf-8")
    questions = WrittenQuestions(path)
    assert {row["id"][-1] for row in questions.passages} == set("123456789")
    draw = random.Random(3)
    found = [questions.draw(draw) for _ in range(600)]
    held = [e.text[slice(*e.span)] for e in found if e.span]
    assert 0.4 < len(held) / len(found) < 0.6
    cause = "Une grue est en panne depuis lundi.\n\nUn câble a cédé sous le gel."
    assert {h for h in held if not h.isdigit()} == {cause}
    assert any(h.isdigit() for h in held)
    plain = {q["question"] for r in rows for q in r["questions"]}
    unanswered = {e.question for e in found if e.span is None and e.question in plain}
    assert {"Quel est le tonnage ?", "Pourquoi le quai est-il fermé ?"} <= unanswered
    assert {"Quel est le tonnage ?"}.isdisjoint(e.question for e in found if e.span)


def test_the_passage_without_what_tells_tells_no_more(tmp_path: Path) -> None:
    path = tmp_path / "passages.jsonl"
    path.write_text("\n".join(json.dumps(press(n)) for n in range(1, 11)), "utf-8")
    questions = WrittenQuestions(path)
    for question in questions.questions:
        left = questions.without(question)
        if question.kind == "howmany":
            assert left is not None
            assert str(question.answer) not in left
        if question.kind == "why":
            assert left is not None
            assert "câble" not in left


def test_a_styled_question_keeps_some_of_its_words() -> None:
    draw = random.Random(2)
    made = {styled(draw, ROWS[0]["question"]) for _ in range(100)}
    assert len(made) > 20
    assert all(m for m in made)


class Numbers(NamedTuple):
    """A batch of one tensor."""

    values: torch.Tensor


def test_a_training_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    def batches(draw: random.Random) -> Iterator[Numbers]:
        while True:
            yield Numbers(torch.tensor([[draw.random()]]))

    def made() -> tuple[Any, Run]:
        torch.manual_seed(0)
        line = torch.nn.Linear(1, 1)
        return line, Run([line], peak=0.05)

    def learn(line: Any, run: Run, minutes: float) -> None:
        run.train(
            batches,
            lambda batch: (line(batch.values) - 3 * batch.values - 1).square().mean(),
            tmp_path,
            minutes,
            seed=1,
            half=False,
        )

    line, run = made()
    learn(line, run, 0.01)
    line, again = made()
    learn(line, again, 0.02)
    assert again.step > run.step
    assert again.spent > run.spent >= 0.6
    assert float(line.weight.detach()) > 1  # on the way from 0 to 3


def test_groups_are_of_one_length_and_no_larger_than_asked() -> None:
    draw = random.Random(2)
    groups = grouped(draw, lambda: draw.randint(1, 40), lambda n: n, size=100, pool=60)
    for _ in range(50):
        group = next(groups)
        assert group
        assert len(group) == 1 or max(group) * len(group) <= 100
        assert max(group) - min(group) <= 25


def test_the_mean_of_two_networks_lies_between_them() -> None:
    import torch

    from training import network

    one, other = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    expected = (one.weight.detach() + other.weight.detach()) / 2
    network.average([one], [other])
    assert torch.allclose(one.weight, expected)


def test_a_run_stops_where_it_is_told_and_goes_on(tmp_path: Path) -> None:
    import torch

    class One(NamedTuple):
        x: torch.Tensor

    def run(minutes: float, until: float | None) -> tuple[int, float]:
        layer = torch.nn.Linear(2, 1)
        made = Run([layer], peak=0.1)
        made.train(
            lambda _: itertools.repeat(One(torch.ones(1, 2))),
            lambda batch: layer(batch.x).square().mean(),
            tmp_path, minutes, seed=1, until=until,
        )  # fmt: skip
        return made.step, made.spent

    step, spent = run(0.02, until=0.005)
    assert 0.005 * 60 <= spent < 0.02 * 60
    after, whole = run(0.02, until=None)
    assert after > step
    assert whole >= 0.02 * 60
