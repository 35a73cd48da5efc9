"""The retriever as LangChain asks it to be, in chains, and as docs/langchain.md shows it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langchain_tests.integration_tests import RetrieversIntegrationTests

from rag.domain import Filters
from rag.errors import QuestionError
from rag.indexing.index import Index, open_index
from rag.models.encoder import Encoder
from rag.searching.langchain import RecoupeRetriever
from rag.searching.retrieval import Retriever
from rag.settings import load_settings
from tests.conftest import ROOT, make_article, write_articles
from tests.servers import ScriptedModel

ARTICLES = [
    make_article(f"a{n}", f"Le pont numéro {n} ferme {days} jours.", name=name, day=date(2024, n, 1))
    for n, days, name in (
        (1, 12, "Le Courrier"), (2, 34, "L’Écho"), (3, 56, "Le Courrier"), (4, 78, "L’Écho"),
    )
]  # fmt: skip
QUESTION = "Combien de jours le pont ferme-t-il ?"


@pytest.fixture(scope="module")
def bridges(tmp_path_factory: pytest.TempPathFactory, embedder: Encoder) -> Index:
    index = open_index(load_settings(index_dir=tmp_path_factory.mktemp("ponts")), embedder)
    write_articles(index, *ARTICLES)
    return index


@pytest.fixture
def retriever(bridges: Index) -> RecoupeRetriever:
    return RecoupeRetriever(retriever=Retriever(bridges), k=3)


class TestStandard(RetrieversIntegrationTests):
    """LangChain's own tests."""

    @pytest.fixture(autouse=True)
    def _over(self, bridges: Index) -> None:
        self.index = bridges

    @property
    def retriever_constructor(self) -> type[RecoupeRetriever]:
        return RecoupeRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"retriever": Retriever(self.index)}

    @property
    def retriever_query_example(self) -> str:
        return QUESTION


def sources(documents: list[Document]) -> set[str]:
    return {d.metadata["source"] for d in documents}


def test_documents_are_passages_with_their_place(
    retriever: RecoupeRetriever, bridges: Index
) -> None:
    for document in retriever.invoke(QUESTION):
        at = document.metadata
        text = bridges.article(at["article_id"]).text
        assert document.page_content == text[at["start"] : at["end"]]
        record = bridges.record(at["article_id"])
        assert record is not None
        assert [document.id] == record.passage_ids()


async def test_k_and_filters_of_a_call_replace_those_of_the_retriever(
    retriever: RecoupeRetriever,
) -> None:
    echo = Filters(sources=("L’Écho",))
    own = retriever.model_copy(update={"filters": Filters(sources=("Le Courrier",))})
    assert sources(own.invoke(QUESTION)) == {"Le Courrier"}
    for found in (
        own.invoke(QUESTION, filters=echo, k=1),
        await own.ainvoke(QUESTION, filters=echo, k=1),
        own.bind(filters=echo, k=1).invoke(QUESTION),
        own.batch([QUESTION], filters=echo, k=1)[0],
        (await own.abatch([QUESTION], filters=echo, k=1))[0],
    ):
        assert sources(found) == {"L’Écho"}
        assert len(found) == 1
    assert sources(own.invoke(QUESTION, filters=Filters(), k=4)) == {"Le Courrier", "L’Écho"}
    assert len(own.invoke(QUESTION, k=None)) == 2


async def test_what_cannot_be_asked_for_is_refused(retriever: RecoupeRetriever) -> None:
    with pytest.raises(QuestionError, match="au moins un"):
        retriever.invoke(QUESTION, k=0)
    with pytest.raises(QuestionError, match="au moins un"):
        await retriever.ainvoke(QUESTION, k=-1)
    with pytest.raises(TypeError, match="limit"):  # nothing is dropped in silence
        retriever.invoke(QUESTION, limit=1)


async def test_it_goes_in_a_chain(retriever: RecoupeRetriever) -> None:
    def figures(documents: list[Document]) -> list[str]:
        return sorted(m for d in documents for m in re.findall(r"(\d+) jours", d.page_content))

    chain = retriever | RunnableLambda(figures)
    assert len(chain.invoke(QUESTION)) == 3
    assert await chain.ainvoke(QUESTION) == chain.invoke(QUESTION)
    assert chain.batch([QUESTION, QUESTION]) == [chain.invoke(QUESTION)] * 2


@pytest.fixture
def in_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedModel]:
    """A working directory with some of the corpus, and a language model at RECOUPE_LLM."""
    (tmp_path / "corpus").mkdir()
    for name in ("halle-aux-grains.md", "gare-routiere.html", "club-foot-montee.md"):
        shutil.copy(ROOT / "corpus" / name, tmp_path / "corpus" / name)
    monkeypatch.chdir(tmp_path)
    model = ScriptedModel()
    with model.serving() as url:
        monkeypatch.setenv("RECOUPE_LLM", "openai:scripted")
        monkeypatch.setenv("RECOUPE_LLM_BASE_URL", url)
        yield model


def test_every_block_of_the_page_runs(
    in_a_checkout: ScriptedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "langchain.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == page.count("```") / 2
    in_a_checkout.say = "La halle rouvre en mars [1]."
    names: dict[str, object] = {"__name__": "docs"}
    for block in blocks:
        exec(compile(block, "docs/langchain.md", "exec"), names)
    shown = capsys.readouterr().out
    assert "[1] Le Courrier" in shown
    assert "La halle rouvre en mars [1]." in shown
    # The last block tells whether the answer is supported, and shows its quotes.
    assert re.search(r"La halle rouvre en mars\. (True|False) \[", shown)
