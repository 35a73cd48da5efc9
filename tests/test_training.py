"""What networks learn from, and that a training goes on where it was interrupted."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from training.reading_examples import KINDS, Examples, styled
from training.run import Run, grouped

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
