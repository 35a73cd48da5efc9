"""Recoupe's retriever as LangChain sees one, to use in other chains."""

from __future__ import annotations

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from rag.domain import Filters, hit_json
from rag.retrieval import Retriever


class RecoupeRetriever(BaseRetriever):
    """A LangChain retriever over an index.

    `invoke(question)` returns up to `k` documents whose `page_content` is the
    passage, verbatim, and whose metadata are those of `recoupe search --json`.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    retriever: Retriever
    k: int = 6
    filters: Filters | None = None

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        documents = []
        for hit in self.retriever.search(query, self.k, self.filters):
            metadata = hit_json(hit)
            text = metadata.pop("text")
            documents.append(Document(page_content=text, metadata=metadata, id=hit.passage.id))
        return documents
