"""The LlamaIndex retriever in a real query engine, over a small real index."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from llama_index.core.base.llms.types import CompletionResponse
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import MetadataMode, NodeWithScore

from dragoman.errors import MissingArtefact, UsageError
from dragoman.integrations.llamaindex import DragomanRetriever
from dragoman.pipeline.searcher import open_searcher

QUESTION = "What does error E17 mean?"


@pytest.fixture(scope="module")
def retriever(workspace: Path) -> DragomanRetriever:
    return DragomanRetriever(workspace=workspace, top=3)


def texts(nodes: list[NodeWithScore]) -> list[str]:
    return [node.get_content() for node in nodes]


def test_nodes_are_the_hits_of_the_search_best_first(retriever: DragomanRetriever, workspace: Path) -> None:
    hits = open_searcher(workspace).search(QUESTION, 3)
    found = retriever.retrieve(QUESTION)
    assert [(node.node_id, node.score) for node in found] == [(hit.chunk.id, hit.score) for hit in hits]
    assert texts(found) == [hit.chunk.passage for hit in hits]


def test_a_node_says_where_it_stands(retriever: DragomanRetriever, workspace: Path) -> None:
    told = retriever.retrieve(QUESTION)[0].metadata
    lines = (workspace.parent / "docs" / told["file"]).read_text(encoding="utf-8").splitlines()
    assert "thread ran out" in "\n".join(lines[told["start_line"] - 1 : told["end_line"]])
    assert told["headings"] == "Sacks > Sewing"
    assert set(told) == {*("source", "file", "start_line", "end_line", "headings", "url", "version", "chunk_id")}


def test_a_model_is_shown_where_a_passage_is_from_but_no_ids(retriever: DragomanRetriever) -> None:
    first = retriever.retrieve(QUESTION)[0]
    shown = first.node.get_content(MetadataMode.LLM)
    assert "sacks.md" in shown
    assert first.node_id not in shown
    assert first.node.get_content(MetadataMode.EMBED) == first.text


def test_it_feeds_a_query_engine(retriever: DragomanRetriever) -> None:
    engine = RetrieverQueryEngine.from_args(retriever, llm=MockLLM())
    answer = engine.query(QUESTION)
    assert "`E17` means that the thread ran out" in str(answer)  # the stand-in repeats its prompt
    assert [node.node_id for node in answer.source_nodes] == [node.node_id for node in retriever.retrieve(QUESTION)]
    assert isinstance(MockLLM().complete("a"), CompletionResponse)


def test_asking_in_a_coroutine_gives_the_same(retriever: DragomanRetriever) -> None:
    async def both() -> tuple[list[NodeWithScore], list[NodeWithScore]]:
        return await asyncio.gather(retriever.aretrieve(QUESTION), retriever.aretrieve("When does the wheel stall?"))

    first, second = asyncio.run(both())
    assert texts(first) == texts(retriever.retrieve(QUESTION))
    assert second[0].metadata["headings"] == "Water > Low water"


def test_several_threads_may_ask_at_once(retriever: DragomanRetriever) -> None:
    questions = [QUESTION, "When does the wheel stall?", "How do I catch moths?", "When are invoices sent?"] * 5
    alone = [texts(retriever.retrieve(question)) for question in questions]
    with ThreadPoolExecutor(8) as pool:
        assert [texts(found) for found in pool.map(retriever.retrieve, questions)] == alone


def test_a_filter_and_a_budget_hold(workspace: Path) -> None:
    found = DragomanRetriever(workspace, 4, path="water*").retrieve(QUESTION)
    assert len(found) == 4
    assert {node.metadata["file"] for node in found} == {"water.md"}
    read = DragomanRetriever(workspace, 1, budget=2000).retrieve(QUESTION)[0]
    assert "thread ran out" in read.text
    assert "pheromone trap" in read.text


def test_what_is_wrong_is_told_before_the_first_question(workspace: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingArtefact, match="no workspace"):
        DragomanRetriever(tmp_path)
    with pytest.raises(UsageError, match="top is 0"):
        DragomanRetriever(workspace, 0)
