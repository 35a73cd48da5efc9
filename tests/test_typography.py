"""Sentences of ours in French print."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import messages, texts
from rag.french.typography import typographic

RAG = Path(texts.__file__).parent
# What programmers and logs read, in English.
INTERNAL = {
    "AssertionError",
    "AttributeError",
    "BadEventError",
    "OSError",
    "TypeError",
    "ValueError",
}


def sentences(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from sentences(each)


SENTENCES = [
    sentence
    for module in (messages, texts)
    for name, value in vars(module).items()
    if name.isupper()
    for sentence in sentences(value)
]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("L'index est tenu : attendez qu'il finisse ; puis relancez.",
         "L’index est tenu\u00a0: attendez qu’il finisse\u202f; puis relancez."),
        ("Aujourd'hui, jusqu'à demain !", "Aujourd’hui, jusqu’à demain\u202f!"),
        ("Lancez « recoupe ask 'qu'il' ; fin » d'abord.",
         "Lancez «\u00a0recoupe ask 'qu'il' ; fin\u00a0» d’abord."),
        ("L'index /home/l'ami/x d'hier", "L’index /home/l'ami/x d’hier"),
        ("à 10:30, http://a.b/?q=c : lu", "à 10:30, http://a.b/?q=c\u00a0: lu"),
        ("Rien à changer.", "Rien à changer."),
    ],
)  # fmt: skip
def test_apostrophes_and_spaces(said: str, shown: str) -> None:
    assert typographic(said) == shown


@given(st.text(max_size=200))
def test_it_changes_signs_alone(said: str) -> None:
    plain = str.maketrans({"’": "'", "\u00a0": " ", "\u202f": " "})
    shown = typographic(said)
    assert shown.translate(plain) == said.translate(plain)
    assert typographic(shown) == shown


def test_none_is_singular() -> None:
    assert [texts.articles(n) for n in (0, 1, 2)] == ["0 article", "1 article", "2 articles"]


def literal(node: ast.AST) -> str:
    """Return what a string or an f-string says by itself."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(
        p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)
    )


def told_in_place(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the sentences of errors that stand where they are raised, returned or reported."""
    for node in ast.walk(tree):
        made = node.exc if isinstance(node, ast.Raise) else node
        if not isinstance(made, ast.Call):
            continue
        kind = ast.unparse(made.func).rpartition(".")[2]
        if not (isinstance(node, ast.Raise) or kind.endswith("Error") or kind == "Failure"):
            continue
        for part in ast.walk(made):
            text = literal(part)
            if len(re.findall(r"[^\W\d_]+", text)) >= 3 and not (
                kind in INTERNAL and text.isascii()
            ):
                yield part.lineno, text


def test_errors_are_told_in_one_place() -> None:
    found = [
        f"{path.relative_to(RAG.parent)}:{line}: {text}"
        for path in sorted(RAG.rglob("*.py"))
        for line, text in told_in_place(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


def test_errors_say_nothing_of_what_is_shown_otherwise() -> None:
    """What is raised has its words from `messages`, what is shown from `texts`."""
    found = [
        f"{path.relative_to(RAG.parent)}:{node.lineno}"
        for path in sorted(RAG.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Raise) and "texts." in ast.unparse(node)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ('raise ReadError("le PDF est abîmé")', 1),
        ('raise ReadError(f"le type {kind} est inconnu") from error', 1),
        ("raise ReadError(messages.DAMAGED_PDF)", 0),
        ('raise self._refused("le PDF est abîmé")', 1),
        ('def f(): return StoreError("le PDF est abîmé")', 1),
        ('yield Failure(f"{name}#{row}", "le PDF est abîmé")', 1),
        ('raise ValueError("not a known name")', 0),
        ('raise ValueError("une date s’écrit 2024-12-31")', 1),
    ],
)  # fmt: skip
def test_sentences_in_place_are_found(code: str, count: int) -> None:
    assert len(set(told_in_place(ast.parse(code)))) == count


@pytest.mark.parametrize("sentence", SENTENCES)
def test_errors_are_typographic(sentence: str) -> None:
    plain = re.sub(r"\{[^{}]*\}", "x", sentence)
    assert not re.search(r"[^\W\d_]'[^\W\d_]", plain)
    assert not re.search(r" [:;?!»]|« ", plain)
    assert not re.search(r"(?<!\u202f)[;?!](?!\w)|«(?!\u00a0)|(?<!\u00a0)»", plain)
    assert typographic(sentence) == sentence
