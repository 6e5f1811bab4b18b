"""The searcher without a model finds what shares words with the question."""

from dragoman.chat import KeywordSearcher, Searcher
from dragoman.records import Chunk, SearchFilter


def test_the_chunk_with_the_rarest_shared_words_comes_first(chunks: list[Chunk]) -> None:
    hits = KeywordSearcher(chunks).search("When does the alarm ring?", 3)
    assert hits[0].chunk.trail[-1] == "Alarm"
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert [hit.signals.lexical_rank if hit.signals else 0 for hit in hits] == [hit.rank for hit in hits]


def test_no_shared_word_is_no_hit(chunks: list[Chunk]) -> None:
    assert KeywordSearcher(chunks).search("zeppelin", 3) == []
    assert KeywordSearcher([]).search("alarm", 3) == []


def test_it_finds_only_what_the_filter_lets_pass(chunks: list[Chunk]) -> None:
    searcher: Searcher = KeywordSearcher(chunks)
    assert searcher.search("the alarm", 4, where=SearchFilter(source="elsewhere")) == []
    hits = searcher.search("the alarm of a shelf", 4, where=SearchFilter(path="shelves-*"))
    assert {hit.chunk.trail[1] for hit in hits} == {"Shelves"}


def test_hits_keep_to_the_budget_but_for_the_first(chunks: list[Chunk]) -> None:
    searcher = KeywordSearcher(chunks)
    asked = "shelf label alarm jars pantry"
    assert len(searcher.search(asked, 4)) == 4
    assert len(searcher.search(asked, 4, budget=20, count=lambda _: 10)) == 2
    assert len(searcher.search(asked, 4, budget=1)) == 1
