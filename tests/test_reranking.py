"""The order of passages: features, corrections, the newest, a cross-encoder."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from rag.assistant import LocalAssistant
from rag.domain import Hit, Passage, Source
from rag.errors import EmbeddingError, SettingsError
from rag.french.reading import understand
from rag.french.sentences import sentence_spans
from rag.indexing.index import Index
from rag.searching.question import understand_question
from rag.searching.reranking import (
    FEATURES,
    FeatureReranker,
    corrections_first,
    features,
    load_reranker,
)
from rag.searching.retrieval import Retriever
from rag.settings import load_settings
from tests.conftest import make_article, write_articles


def hit(key: str, text: str, day: date | None = None, similarity: float = 0.8) -> Hit:
    passage = Passage(f"{key}:v:0", key, 0, 0, len(text), text)
    sentences = tuple(understand(text, sentence_spans(text), key, day))
    source = Source(key, "Le Test", published=day)
    return Hit(passage, source, 0.0, similarity, sentences=sentences)


def test_features_have_names_and_weights(assistant: LocalAssistant) -> None:
    question = assistant.retriever.understood("Combien de morts lors de la crue ?")
    hits = [hit("a", "La crue a fait trois morts."), hit("b", "Le pain est cuit.")]
    first, second = features(question, hits)
    assert tuple(first) == FEATURES
    for name in ("characters", "expected"):
        assert first[name] > second[name]
    scores = FeatureReranker().scores(question, hits)
    assert scores[0] > scores[1]


def test_a_question_about_a_year_puts_that_year_first(index: Index) -> None:
    text = "Le festival a reçu {} personnes sur les quais, disent les organisateurs."
    write_articles(
        index,
        make_article("old", text.format("21 000"), "Festival", day=date(2023, 8, 21)),
        make_article("new", text.format("26 500"), "Festival", day=date(2024, 8, 19)),
        *(
            make_article(f"other-{n}", f"La commune numéro {n} a voté son budget.", f"Budget {n}")
            for n in range(12)
        ),
    )
    retriever = Retriever(index, reranker=FeatureReranker())

    def first(question: str) -> str:
        return retriever.search(question)[0].passage.article_id

    assert first("Combien de personnes au festival en 2023 ?") == "old"
    assert first("Combien de personnes au festival en 2024 ?") == "new"
    assert first("Combien de personnes au dernier festival ?") == "new"


def test_a_correction_outranks_what_it_corrects() -> None:
    wrong = hit(
        "wrong", "Selon la mairie, 340 habitants de Lérac ont été évacués.", date(2024, 1, 14)
    )
    right = hit(
        "right",
        "Correction. La mairie a établi à 312 le nombre d’habitants de Lérac évacués.",
        date(2024, 1, 17),
    )
    right = replace(right, source=replace(right.source, correction=True))
    other = hit("other", "La boulangerie rouvre mardi.", date(2024, 1, 2))
    order = [h.passage.article_id for h in corrections_first([other, wrong, right])]
    assert order == ["other", "right", "wrong"]
    assert corrections_first([right, wrong]) == [right, wrong]


def test_an_article_that_speaks_of_corrections_outranks_nothing() -> None:
    text = "La correction boursière a coûté 340 millions d’euros aux épargnants de Lérac."
    older = hit("older", text, date(2024, 1, 14))
    newer = hit("newer", text.replace("340", "312"), date(2024, 1, 17))
    assert corrections_first([older, newer]) == [older, newer]


def test_the_corrected_figure_of_the_corpus_comes_first(assistant: LocalAssistant) -> None:
    answer = assistant.ask("Combien de personnes ont finalement été évacuées à Saint-Cyprin ?")
    assert "312" in answer.hits[0].passage.text
    assert answer.statements
    assert all("340" not in s.text for s in answer.statements)


def test_stages_are_shown(assistant: LocalAssistant) -> None:
    stages = assistant.retriever.stages("Pourquoi le pont de Vernoux est-il fermé ?")
    assert list(stages) == ["dense", "lexical", "fused", "reranked"]
    cosines = [h.similarity or 0 for h in stages["dense"]]
    assert cosines == sorted(cosines, reverse=True)
    assert all(h.lexical > 0 for h in stages["lexical"])


def tiny_model(tmp_path: Path, labels: dict[int, str]) -> str:
    """A small cross-encoder, made and saved here; its scores mean nothing."""
    from sentence_transformers import CrossEncoder
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    words = "[PAD] [UNK] [CLS] [SEP] la crue pain morts".split()
    tokenizer = Tokenizer(WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    folder = tmp_path / "base"
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", model_max_length=64,
    ).save_pretrained(folder)  # fmt: skip
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, num_labels=len(labels), id2label=labels,
        label2id={n: i for i, n in labels.items()},
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    CrossEncoder(str(folder), device="cpu").save_pretrained(str(tmp_path / "model"))
    return str(tmp_path / "model")


@pytest.fixture
def cross_encoder(tmp_path: Path) -> str:
    return tiny_model(tmp_path, {0: "score"})


def test_a_cross_encoder_from_a_folder(assistant: LocalAssistant, cross_encoder: str) -> None:
    settings = load_settings(reranker=f"cross-encoder:{cross_encoder}")
    reranker = load_reranker(settings)
    assert reranker is not None
    hits = [hit("a", "la crue"), hit("b", "le pain"), hit("c", "la crue")]
    scores = reranker.scores(understand_question("la crue"), hits)
    assert scores[0] != scores[1]
    assert reranker.scores(understand_question("la crue"), []) == []
    found = Retriever(assistant.index, reranker=reranker).search("la crue", 5)
    assert [h.score for h in found] == sorted((h.score for h in found), reverse=True)


def test_a_reranker_that_does_not_load_says_what_to_check(assistant: LocalAssistant) -> None:
    settings = load_settings(reranker="cross-encoder:/nowhere/model")
    reranker = load_reranker(settings)
    assert reranker is not None
    with pytest.raises(EmbeddingError, match="RECOUPE_RERANKER"):
        reranker.scores(understand_question("la crue"), [hit("a", "la crue")])
    with pytest.raises(SettingsError, match="features, none"):
        load_settings(reranker="magic")
    assert load_reranker(load_settings(reranker="none")) is None
