"""Recoupe's retriever as LangChain sees one, to use in other chains."""

from __future__ import annotations

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import run_in_executor
from pydantic import ConfigDict, Field

from rag import messages
from rag.domain import Filters, Hit
from rag.errors import QuestionError
from rag.paid import bounded_hits
from rag.searching.retrieval import Retriever
from rag.wire import HitOut


class RecoupeRetriever(BaseRetriever):
    """A LangChain retriever over an index.

    `invoke(question)` returns up to `k` documents, best first, whose
    `page_content` is the passage, verbatim, and whose metadata are those of
    `recoupe search --json`. Of an article that readers pay for, all documents
    together have at most `paid_characters`. `k` and `filters` may be given for one call:
    `invoke(question, k=1, filters=Filters(sources=("Le Courrier",)))`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    retriever: Retriever
    k: int = Field(6, ge=1)
    filters: Filters | None = None
    paid_characters: int = Field(300, ge=40)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
        filters: Filters | None = None,
    ) -> list[Document]:
        """Return the documents of one call; None stands for the retriever's own.

        Raises QuestionError for a `k` below 1, EmbeddingError.
        """
        k = self.k if k is None else k
        if k < 1:
            raise QuestionError(messages.BAD_LIMIT.format(k))
        filters = self.filters if filters is None else filters
        hits = self.retriever.search(query, k, filters)
        return list(map(_document, bounded_hits(hits, self.paid_characters)))

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,
        k: int | None = None,
        filters: Filters | None = None,
    ) -> list[Document]:
        """Do the same in a thread: LangChain's own way leaves the arguments of a call behind."""
        return await run_in_executor(
            None,
            self._get_relevant_documents,
            query,
            run_manager=run_manager.get_sync(),
            k=k,
            filters=filters,
        )


def _document(hit: Hit) -> Document:
    metadata = HitOut.of(hit).plain()
    text = metadata.pop("text")
    return Document(page_content=text, metadata=metadata, id=hit.passage.id)
