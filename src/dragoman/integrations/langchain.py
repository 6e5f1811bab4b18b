"""A retriever for LangChain, over an index of ours.

In: a workspace that ``dragoman build`` filled. Out: LangChain's documents, best first. Needs langchain-core and nothing else of it::

    from dragoman.integrations.langchain import DragomanRetriever

    retriever = DragomanRetriever(workspace=".dragoman", top=5, budget=1500)
    for document in retriever.invoke("How do I change the port?"):
        print(document.metadata["url"], document.page_content)

As any of its runnables, it goes into a chain: ``{"docs": retriever, "question": RunnablePassthrough()} | prompt | model``.
"""

from pathlib import Path
from typing import Any

from pydantic import PrivateAttr

from dragoman.errors import ExtraMissing
from dragoman.integrations.passages import PassageSearch
from dragoman.pipeline.opened import ModeChoice
from dragoman.records import SearchFilter

try:
    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
except ImportError as error:
    raise ExtraMissing(f"the LangChain retriever needs the package '{error.name}'", extra="langchain") from error

__all__ = ["DragomanRetriever"]


class DragomanRetriever(BaseRetriever):
    """Finds passages of a project's docs, as ``dragoman search`` does; ``ainvoke`` searches in a thread.

    A document's text is the passage with its headings. Its metadata are ``source``, ``file``, ``start_line``, ``end_line``, ``headings``,
    ``url``, ``version``, ``chunk_id`` and ``score`` (larger is better). Several threads may share a retriever, and it follows when the
    index is built anew.

    Args:
        workspace: The folder that ``dragoman build`` filled.
        top: Most documents that a question gives.
        source: Only what is of this source; empty: of any.
        version: Only what is of this version of the docs; empty: the latest, "all": any.
        path: Only pages whose path matches this glob; empty: any.
        mode: "dense", "lexical" or "hybrid"; "auto" is what validation chose.
        budget: Tokens that the documents may take together with what stands around the passages; 0: the passages alone.

    Raises:
        UsageError: A number is out of range; when a question is asked: there is no such version.
        MissingArtefact: Nothing was built there.
        ConfigError: The recipe there cannot be read.
        WorkspaceError: The index does not fit the recipe, or is damaged.
    """

    workspace: Path = Path(".dragoman")
    top: int = 5
    source: str = ""
    version: str = ""
    path: str = ""
    mode: ModeChoice = "auto"
    budget: int = 0
    _search: PassageSearch = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:  # noqa: ANN401 - as pydantic has it
        """Open the workspace, so that what is wrong with it is told before the first question."""
        super().model_post_init(context)
        where = SearchFilter(self.source, self.version, self.path)
        self._search = PassageSearch(self.workspace, self.top, where, self.mode, self.budget)

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        del run_manager
        return [
            Document(page_content=found.text, id=found.id, metadata={**found.metadata, "score": found.score})
            for found in self._search.find(query)
        ]
