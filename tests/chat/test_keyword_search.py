"""The searcher without a model finds what shares words with the question."""

from dragoman.chat import KeywordSearcher
from dragoman.records import Chunk


def test_the_chunk_with_the_rarest_shared_words_comes_first(chunks: list[Chunk]) -> None:
    hits = KeywordSearcher(chunks).search("When does the alarm ring?", 3)
    assert hits[0].chunk.trail[-1] == "Alarm"
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_no_shared_word_is_no_hit(chunks: list[Chunk]) -> None:
    assert KeywordSearcher(chunks).search("zeppelin", 3) == []
    assert KeywordSearcher([]).search("alarm", 3) == []
