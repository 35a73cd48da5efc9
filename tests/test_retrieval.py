from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rag.assistant import LocalAssistant
from rag.domain import Filters, Hit, Passage, Source
from rag.french.reading import understand
from rag.french.sentences import sentence_spans
from rag.searching.langchain import RecoupeRetriever
from rag.searching.reranking import standardised
from rag.searching.retrieval import collapse

WIRE = (
    "Quelque 280 personnes ont été évacuées dans la nuit à Saint-Cyprin en raison d’une crue de "
    "l’Orvelle, a indiqué la préfecture dans un premier bilan publié dimanche matin."
)


def hit(article: str, text: str, score: float) -> Hit:
    passage = Passage(f"{article}:v:0", article, 0, 0, len(text), text)
    sentences = tuple(understand(text, sentence_spans(text)))
    return Hit(passage, Source(article), score, sentences=sentences)


def test_scores_are_standardised() -> None:
    assert standardised([1.0, 2.0, 3.0]) == pytest.approx([-1.2247, 0.0, 1.2247], abs=1e-3)
    assert standardised([5.0, 5.0]) == [0.0, 0.0]
    assert standardised([]) == []


def test_a_republication_collapses_and_is_listed() -> None:
    (kept,) = collapse([hit("a", WIRE, 2), hit("b", WIRE + " (Avec Transval)", 1)])
    assert kept.passage.article_id == "a"
    assert [s.title for _, s in kept.also] == ["b"]


def test_a_dated_copy_stands_before_an_undated_one_and_in_its_place() -> None:
    dated = hit("b", WIRE + " (Avec Transval)", 1)
    dated = replace(dated, source=replace(dated.source, published=date(2024, 5, 7)))
    found = [hit("a", WIRE, 3), hit("c", WIRE, 2), dated, hit("d", "Le pont est fermé.", 0)]
    first, last = collapse(found)
    assert (first.passage.article_id, first.score) == ("b", 3)
    assert sorted(s.title for _, s in first.also) == ["a", "c"]
    assert last.passage.article_id == "d"


def test_a_correction_is_not_a_republication() -> None:
    assert len(collapse([hit("a", WIRE, 2), hit("b", WIRE.replace("280", "312"), 1)])) == 2


def test_other_texts_stay_apart() -> None:
    assert len(collapse([hit("a", WIRE, 2), hit("b", "Le pont est fermé.", 1)])) == 2


def test_the_wire_story_of_the_corpus_collapses(assistant: LocalAssistant) -> None:
    hits = assistant.search("Combien de foyers privés d’électricité après la crue ?", 5)
    assert {s.name for h in hits for _, s in h.also} & {"L’Écho de Brissange", "Agence Transval"}


def test_words_without_likeness_still_find(assistant: LocalAssistant) -> None:
    (first, *_) = assistant.search("Roumieu", 3)
    assert "Roumieu" in first.passage.text
    assert first.similarity is not None


def test_accents_and_case_do_not_matter(assistant: LocalAssistant) -> None:
    first = assistant.search("TELEPHERIQUE DE MONTFAUZY", 3)[0]
    assert "éléphérique" in first.source.title


def test_hits_are_ordered_and_limited(assistant: LocalAssistant) -> None:
    hits = assistant.search("Que s’est-il passé à Lérac ?", 4)
    assert len(hits) == 4
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)


def test_filters_limit_what_is_found(assistant: LocalAssistant) -> None:
    only = Filters(sources=("Agence Transval",))
    assert {h.source.name for h in assistant.search("la crue", 10, only)} == {"Agence Transval"}
    assert assistant.search("la crue", 10, Filters(sources=("Personne",))) == []


def test_langchain_sees_a_retriever(assistant: LocalAssistant) -> None:
    retriever = RecoupeRetriever(retriever=assistant.retriever, k=2)
    documents = retriever.invoke("Qui a gagné le Tour de l’Orvelle ?")
    assert len(documents) == 2
    first = documents[0]
    article = assistant.article(first.metadata["article_id"])
    assert article.text[first.metadata["start"] : first.metadata["end"]] == first.page_content
