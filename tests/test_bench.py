"""The benches measure what they say: articles that differ, vectors that are vectors."""

from __future__ import annotations

from itertools import islice

import numpy as np

from bench.articles import made
from bench.capacity import filled
from bench.derived import DerivedEmbedder

POOL = ["Le pont a rouvert après 18 mois de travaux, selon la mairie."]


class Counted:
    name = "counted"

    def embed_passages(self, texts: list[str]) -> np.ndarray:
        return np.eye(8, dtype=np.float32)[[len(t) % 8 for t in texts]]


def test_made_articles_are_the_same_for_one_seed_and_differ_from_each_other() -> None:
    some = list(islice(made(POOL, 7, 2), 50))
    assert some == list(islice(made(POOL, 7, 2), 50))
    assert len({p for a in some for p in a.text.split("\n\n")}) == sum(
        len(a.text.split("\n\n")) for a in some
    )


def test_later_texts_get_unit_vectors_of_their_own_near_a_real_one() -> None:
    embedder = DerivedEmbedder(Counted(), base=4, seed=1)
    real = embedder.embed_passages(["a", "bb", "ccc", "dddd"])
    assert (real == Counted().embed_passages(["a", "bb", "ccc", "dddd"])).all()
    texts = [f"texte {n}" for n in range(100)]
    derived = embedder.embed_passages(texts)
    assert np.allclose(np.linalg.norm(derived, axis=1), 1, atol=1e-5)
    assert (derived == embedder.embed_passages(texts)).all()
    assert len(np.unique(derived, axis=0)) == len(texts)
    assert ((derived @ real.T).max(axis=1) > 0.9).all()
    assert (embedder.embedded, embedder.derived) == (4, 200)


def test_tables_go_between_their_marks_and_again() -> None:
    page = "a\n<!-- bench:growth -->\nold\n<!-- /bench -->\nb\n<!-- bench:encoder -->\nx\n<!-- /bench -->"
    once = filled(page, {"growth": "| new |"})
    assert "| new |" in once
    assert "old" not in once
    assert "_Not measured yet._" in once
    assert filled(once, {"growth": "| new |"}) == once
