"""Answers that lean on what the search measured: how near the passages are, and what other versions say."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from dragoman.chat import KeywordSearcher
from dragoman.chat.searcher import EVERYWHERE
from dragoman.records import Chunk, Hit, Refusal, SearchFilter, Signals

QUESTION = "How do I add a shelf?"


class MeasuredSearcher(KeywordSearcher):
    """Keyword search with a similarity of our choice, and another version of the docs; it remembers what it was asked."""

    def __init__(self, chunks: Sequence[Chunk], dense: float = 0.5, others: Sequence[Chunk] = ()) -> None:
        super().__init__(chunks)
        self._dense, self._others = dense, list(others)
        self.asked: list[tuple[str, SearchFilter, int]] = []

    @property
    def refusal(self) -> Refusal:
        return Refusal(threshold=0.4, off_topic=0.2, rate=0.05)

    def search(
        self, question: str, top: int, *, where: SearchFilter = EVERYWHERE, budget: int = 0, count: Any = None
    ) -> list[Hit]:
        self.asked.append((question, where, budget))
        hits = super().search(question, top, where=where, budget=budget, count=count)
        return [replace(hit, signals=Signals(dense=self._dense)) for hit in hits]

    def counterparts(self, chunk: Chunk) -> list[Chunk]:
        return [other for other in self._others if other.trail == chunk.trail]

    def version_of(self, chunk: Chunk) -> str:
        return chunk.source


@pytest.mark.parametrize(("dense", "reason"), [(0.3, "unanswerable"), (0.1, "off-topic"), (0.4, "")])
def test_what_the_docs_do_not_answer_is_refused_before_a_model_is_asked(
    answerer: Any, saying: Any, chunks: list[Chunk], dense: float, reason: str
) -> None:
    model = saying("So [1].")
    answer = answerer(model, searcher=MeasuredSearcher(chunks, dense)).answer(QUESTION)
    assert answer.reason == reason
    assert (answer.mode == "refusal") == bool(reason) == (not model.asked)
    assert bool(answer.citations) == (reason != "off-topic")


def test_nothing_is_refused_where_the_settings_say_so(answerer: Any, saying: Any, chunks: list[Chunk]) -> None:
    searcher = MeasuredSearcher(chunks, 0.1)
    assert answerer(saying("So [1]."), searcher=searcher, false_refusal=0).answer(QUESTION).mode == "llm"


def test_the_budget_and_the_filter_reach_the_search(answerer: Any, chunks: list[Chunk]) -> None:
    searcher = MeasuredSearcher(chunks)
    where = SearchFilter(path="shelves-*")
    answer = answerer(searcher=searcher, passage_tokens=700).answer("shelf label alarm", where=where)
    assert searcher.asked == [("shelf label alarm", where, 700)]
    assert {source.hit.chunk.trail[1] for source in answer.citations} == {"Shelves"}


def test_what_reads_differently_in_another_version_is_told_with_its_link(
    answerer: Any, saying: Any, chunks: list[Chunk]
) -> None:
    others = [
        replace(chunks[0], source="2.0", url="https://pantry.example/2.0"),
        replace(chunks[0], source="1.9", url=""),
    ]
    answer = answerer(saying("So [1]."), searcher=MeasuredSearcher(chunks, others=others)).answer(QUESTION)
    assert "[1] reads differently in other versions: 2.0 (https://pantry.example/2.0), 1.9." in answer.note
    assert "versions" not in answerer(saying("So [1]."), searcher=MeasuredSearcher(chunks)).answer(QUESTION).note
