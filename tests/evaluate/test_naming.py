"""Ways of searching in words: what is unusual about them is said, and nothing else."""

import pytest

from dragoman.evaluate.naming import epochs_name, model_name, way_name
from dragoman.records import Serving


@pytest.mark.parametrize(
    ("serving", "words"),
    [
        (Serving("base", "dense"), "base dense"),
        (Serving("tuned", "hybrid", 0.3), "tuned hybrid (words at 0.3)"),
        (Serving("tuned", "dense", questions=True, dims=1024), "tuned dense with question vectors at 1,024 dimensions"),
        (Serving("tuned", "dense", epochs=1, share=0.5), "mixed 50% dense, 1 epoch"),
        (Serving("tuned", "hybrid", 0.1, epochs=2, rerank=True), "tuned hybrid (words at 0.1), 2 epochs, reranked"),
        (Serving("tuned", "lexical", 1.0, epochs=2, share=0.5, dims=64), "words alone"),
        (Serving("base", "lexical", 1.0, rerank=True), "words alone, reranked"),
    ],
)
def test_a_way_is_named_by_what_is_unusual_about_it(serving: Serving, words: str) -> None:
    assert way_name(serving) == words


def test_two_ways_that_search_differently_are_not_named_alike() -> None:
    ways = {
        Serving(model, "hybrid", 0.3, asked, epochs, share, dims, rerank)
        for model in ("base", "tuned")
        for asked in (False, True)
        for epochs in (0, 1, 2)
        for share in ((1.0,) if model == "base" else (0.25, 0.333, 1.0))
        for dims in (0, 64)
        for rerank in (False, True)
    }
    assert len({way_name(way) for way in ways}) == len(ways)


def test_only_a_tuned_model_is_mixed() -> None:
    assert model_name(Serving("tuned", "dense", share=1 / 3)) == "mixed 33.3%"
    assert model_name(Serving("base", "dense", share=0.5)) == "base"


def test_no_epochs_are_all_epochs() -> None:
    assert [epochs_name(epochs) for epochs in (0, 1, 3)] == ["all epochs", "1 epoch", "3 epochs"]
