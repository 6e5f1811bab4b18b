"""A retriever for LlamaIndex, over an index of ours.

In: a workspace that ``dragoman build`` filled. Out: LlamaIndex's nodes with scores, best first. Needs llama-index-core and nothing else
of it::

    from dragoman.integrations.llamaindex import DragomanRetriever
    from llama_index.core.query_engine import RetrieverQueryEngine

    retriever = DragomanRetriever(workspace=".dragoman", top=5, budget=1500)
    engine = RetrieverQueryEngine.from_args(retriever, llm=llm)
    print(engine.query("How do I change the port?"))
"""

import asyncio
from pathlib import Path

from dragoman.errors import ExtraMissing
from dragoman.integrations.passages import Passage, PassageSearch
from dragoman.pipeline.opened import ModeChoice
from dragoman.records import SearchFilter

try:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
except ImportError as error:
    raise ExtraMissing(f"the LlamaIndex retriever needs the package '{error.name}'", extra="llamaindex") from error

__all__ = ["DragomanRetriever"]

# The passage begins with its headings; line numbers and ids are for programs.
_NOT_FOR_MODELS = ("start_line", "end_line", "headings", "chunk_id")


class DragomanRetriever(BaseRetriever):
    """Finds passages of a project's docs, as ``dragoman search`` does; ``aretrieve`` searches in a thread.

    A node's text is the passage with its headings. Its metadata are ``source``, ``file``, ``start_line``, ``end_line``, ``headings``,
    ``url``, ``version`` and ``chunk_id``, of which a language model is shown source, file, url and version. Larger scores are better.
    Several threads may share a retriever, and it follows when the index is built anew.

    Args:
        workspace: The folder that ``dragoman build`` filled.
        top: Most nodes that a question gives.
        source: Only what is of this source; empty: of any.
        version: Only what is of this version of the docs; empty: the latest, "all": any.
        path: Only pages whose path matches this glob; empty: any.
        mode: "dense", "lexical" or "hybrid"; "auto" is what validation chose.
        budget: Tokens that the nodes may take together with what stands around the passages; 0: the passages alone.

    Raises:
        UsageError: A number is out of range; when a question is asked: there is no such version.
        MissingArtefact: Nothing was built there.
        ConfigError: The recipe there cannot be read.
        WorkspaceError: The index does not fit the recipe, or is damaged.
    """

    def __init__(
        self,
        workspace: str | Path = ".dragoman",
        top: int = 5,
        *,
        source: str = "",
        version: str = "",
        path: str = "",
        mode: ModeChoice = "auto",
        budget: int = 0,
    ) -> None:
        self._search = PassageSearch(workspace, top, SearchFilter(source, version, path), mode, budget)
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [_node(found) for found in self._search.find(query_bundle.query_str)]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def _node(found: Passage) -> NodeWithScore:
    node = TextNode(
        id_=found.id,
        text=found.text,
        metadata=dict(found.metadata),
        excluded_llm_metadata_keys=list(_NOT_FOR_MODELS),
        excluded_embed_metadata_keys=list(found.metadata),
    )
    return NodeWithScore(node=node, score=found.score)
