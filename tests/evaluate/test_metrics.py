"""Metrics against numbers worked by hand, and against scikit-learn's."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score  # type: ignore[import-untyped]

from dragoman.evaluate.metrics import Ranks, ndcg, recall, reciprocal_rank

RANKS = st.lists(st.integers(0, 30), min_size=1, max_size=20).map(lambda ranks: np.array(ranks, dtype=np.int64))
DEPTH = st.integers(1, 30)


def test_the_metrics_of_a_few_ranks_worked_by_hand() -> None:
    ranks = np.array([1, 2, 3, 7, 10, 11, 0])
    assert ndcg(ranks, 10) == pytest.approx([1, 1 / math.log2(3), 0.5, 1 / 3, 1 / math.log2(11), 0, 0])
    assert reciprocal_rank(ranks, 10) == pytest.approx([1, 1 / 2, 1 / 3, 1 / 7, 1 / 10, 0, 0])
    assert recall(ranks, 10).tolist() == [1, 1, 1, 1, 1, 0, 0]
    assert recall(ranks, 2).tolist() == [1, 1, 0, 0, 0, 0, 0]


def test_no_questions_have_no_values() -> None:
    nothing = np.array([], dtype=np.int64)
    assert [len(metric(nothing, 10)) for metric in (ndcg, reciprocal_rank, recall)] == [0, 0, 0]


@given(rank=st.integers(1, 30), k=DEPTH)
def test_the_values_are_those_of_scikit_learn(rank: int, k: int) -> None:
    relevant = np.zeros((1, 30))
    relevant[0, rank - 1] = 1
    scores = -np.arange(30.0)[None, :]
    ranks = np.array([rank])
    assert ndcg(ranks, k)[0] == pytest.approx(ndcg_score(relevant, scores, k=k))
    whole = label_ranking_average_precision_score(relevant, scores)
    assert reciprocal_rank(ranks, 30)[0] == pytest.approx(whole)


@given(ranks=RANKS, k=DEPTH)
def test_values_lie_between_zero_and_one_and_agree_on_what_was_found(ranks: Ranks, k: int) -> None:
    found = recall(ranks, k)
    for values in (ndcg(ranks, k), reciprocal_rank(ranks, k)):
        assert values.shape == ranks.shape
        assert ((values > 0) == (found == 1)).all()
        assert (values <= 1).all()
    assert (recall(ranks, k + 1) >= found).all()
