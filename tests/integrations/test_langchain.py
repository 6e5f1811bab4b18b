"""The LangChain retriever in real chains, over a small real index."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompt_values import PromptValue
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough

from dragoman.errors import MissingArtefact, UsageError
from dragoman.integrations.langchain import DragomanRetriever
from dragoman.pipeline.searcher import open_searcher

QUESTION = "What does error E17 mean?"


@pytest.fixture(scope="module")
def retriever(workspace: Path) -> DragomanRetriever:
    return DragomanRetriever(workspace=workspace, top=3)


def test_documents_are_the_hits_of_the_search_best_first(retriever: DragomanRetriever, workspace: Path) -> None:
    hits = open_searcher(workspace).search(QUESTION, 3)
    found = retriever.invoke(QUESTION)
    assert [document.id for document in found] == [hit.chunk.id for hit in hits]
    assert [document.page_content for document in found] == [hit.chunk.passage for hit in hits]
    assert [document.metadata["score"] for document in found] == [hit.score for hit in hits]


def test_a_document_says_where_it_stands(retriever: DragomanRetriever, workspace: Path) -> None:
    first = retriever.invoke(QUESTION)[0]
    lines = (workspace.parent / "docs" / first.metadata["file"]).read_text(encoding="utf-8").splitlines()
    said = "\n".join(lines[first.metadata["start_line"] - 1 : first.metadata["end_line"]])
    assert "thread ran out" in said
    assert first.metadata["headings"] == "Sacks > Sewing"
    assert first.metadata["chunk_id"] == first.id
    assert set(first.metadata) == {
        *("source", "file", "start_line", "end_line", "headings", "url", "version", "chunk_id", "score")
    }


def test_it_feeds_a_chain(retriever: DragomanRetriever) -> None:
    asked: list[str] = []

    def joined(documents: list[Document]) -> str:
        return "\n\n".join(document.page_content for document in documents)

    def noted(prompt: PromptValue) -> PromptValue:
        asked.append(prompt.to_string())
        return prompt

    prompt = ChatPromptTemplate.from_template("{context}\n\nQuestion: {question}")
    model = FakeListChatModel(responses=["The thread ran out."])
    parts = {"context": retriever | joined, "question": RunnablePassthrough()}
    chain = parts | prompt | RunnableLambda(noted) | model | StrOutputParser()
    assert chain.invoke(QUESTION) == "The thread ran out."
    assert "`E17` means that the thread ran out" in asked[0]
    assert asked[0].endswith(QUESTION)


def test_asking_in_a_coroutine_gives_the_same(retriever: DragomanRetriever) -> None:
    async def both() -> tuple[list[Document], list[Document]]:
        return await asyncio.gather(retriever.ainvoke(QUESTION), retriever.ainvoke("When does the wheel stall?"))

    first, second = asyncio.run(both())
    assert first == retriever.invoke(QUESTION)
    assert second[0].metadata["headings"] == "Water > Low water"


def test_several_threads_may_ask_at_once(retriever: DragomanRetriever) -> None:
    questions = [QUESTION, "When does the wheel stall?", "How do I catch moths?", "When are invoices sent?"] * 5
    alone = [retriever.invoke(question) for question in questions]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(retriever.invoke, questions)) == alone


def test_a_filter_lets_only_its_pages_through(workspace: Path) -> None:
    found = DragomanRetriever(workspace=workspace, top=4, path="water*").invoke(QUESTION)
    assert len(found) == 4
    assert {document.metadata["file"] for document in found} == {"water.md"}


def test_with_a_budget_the_text_around_comes_along(workspace: Path, retriever: DragomanRetriever) -> None:
    alone = retriever.invoke(QUESTION)[0]
    read = DragomanRetriever(workspace=workspace, top=1, budget=2000).invoke(QUESTION)[0]
    assert read.id == alone.id
    assert "thread ran out" in read.page_content
    assert "pheromone trap" in read.page_content  # another section of the page
    assert read.page_content.count("Sacks > Sewing") == 1
    assert read.metadata["start_line"] < alone.metadata["start_line"]
    assert read.metadata["end_line"] > alone.metadata["end_line"]


def test_a_way_of_searching_may_be_asked_for(workspace: Path) -> None:
    words = DragomanRetriever(workspace=workspace, mode="lexical", top=1).invoke("E17")
    assert words[0].metadata["headings"] == "Sacks > Sewing"


def test_what_is_wrong_is_told_before_the_first_question(workspace: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingArtefact, match="no workspace"):
        DragomanRetriever(workspace=tmp_path)
    with pytest.raises(UsageError, match="top is 0"):
        DragomanRetriever(workspace=workspace, top=0)
    with pytest.raises(UsageError, match="budget is -1"):
        DragomanRetriever(workspace=workspace, budget=-1)
