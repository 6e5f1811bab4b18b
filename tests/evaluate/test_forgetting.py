"""What tuning did to other questions: values by hand, by trec_eval and by sentence-transformers, and what is refused."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from dragoman.evaluate.forgetting import SetScores, forgetting_report, general_scores, general_values, source_report
from dragoman.evaluate.metrics import Values
from dragoman.models.encoder import HashEncoder, SentenceEncoder
from dragoman.models.protocols import Advance, Encoder, Role, Vectors

TOPICS = ("gate", "tide", "lamp", "boat", "rope", "salt", "wind", "sail", "fish", "bell", "sand", "clock")


@dataclass(frozen=True)
class Questions:
    name: str
    queries: Mapping[str, str]
    passages: Mapping[str, str]
    relevant: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Planted:
    """Gives each text the vector that was planned for it."""

    vectors: Mapping[str, Sequence[float]]
    fingerprint: str = "planted"
    passage_fingerprint: str = "planted"
    dimension: int = 2

    def encode(self, texts: Sequence[str], role: Role, advance: Advance | None = None) -> Vectors:
        del role, advance
        rows = np.array([self.vectors[text] for text in texts], dtype=np.float32)
        lengths: Vectors = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / lengths


@dataclass(frozen=True)
class Forgetful:
    """A model that was tuned until it takes each passage for the next one."""

    known: Encoder
    fingerprint: str = "forgetful"
    passage_fingerprint: str = "forgetful"

    @property
    def dimension(self) -> int:
        return self.known.dimension

    def encode(self, texts: Sequence[str], role: Role, advance: Advance | None = None) -> Vectors:
        vectors = self.known.encode(texts, role, advance)
        return np.roll(vectors, 1, axis=0) if role == "passage" else vectors


def at(degrees: float) -> tuple[float, float]:
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def about(name: str, topics: Sequence[str] = TOPICS) -> Questions:
    """A question and its passage for each topic."""
    queries = {f"q{n}": f"where is the {topic}" for n, topic in enumerate(topics)}
    passages = {f"p{n}": f"{topic} {topic} stands here" for n, topic in enumerate(topics)}
    return Questions(name, queries, passages, {f"q{n}": frozenset({f"p{n}"}) for n in range(len(topics))})


def values(*numbers: float) -> Values:
    return np.array(numbers, dtype=np.float64)


def test_several_relevant_passages_are_counted_as_by_hand() -> None:
    # Nearest to 0 degrees: b, a, c, d. Two of the relevant three are at ranks 1 and 4; z has no text, and is never found.
    vectors = {"q": at(0), "a": at(20), "b": at(-10), "c": at(30), "d": at(40)}
    passages = {key: key for key in "abcd"}
    found = general_values(Planted(vectors), Questions("s", {"q": "q"}, passages, {"q": frozenset("bdz")}))
    best = 1 + 1 / math.log2(3) + 1 / math.log2(4)
    assert found == pytest.approx([(1 + 1 / math.log2(5)) / best])


def test_the_tenth_hit_counts_and_the_eleventh_does_not() -> None:
    vectors = {"q": at(0)} | {str(n): at(n) for n in range(1, 13)}
    passages = {str(n): str(n) for n in range(1, 13)}
    queries, relevant = {"x": "q", "y": "q"}, {"x": frozenset({"10"}), "y": frozenset({"11"})}
    found = general_values(Planted(vectors), Questions("s", queries, passages, relevant))
    assert found == pytest.approx([1 / math.log2(11), 0])


ANGLES = st.lists(st.integers(-180, 180).map(float), min_size=3, max_size=24, unique=True)


@given(angles=ANGLES, data=st.data())
def test_the_values_are_those_of_trec_eval(angles: list[float], data: st.DataObject) -> None:
    ids = [f"p{n}" for n in range(len(angles))]
    relevant = {f"q{n}": data.draw(st.frozensets(st.sampled_from([*ids, "absent"]), min_size=1)) for n in range(3)}
    texts = {f"q{n}": f"question {n}" for n in range(3)}
    planned = {f"question {n}": 100.0 * n + 0.3 for n in range(3)} | dict(zip(ids, angles, strict=True))
    encoder = Planted({text: at(angle) for text, angle in planned.items()})
    found = general_values(encoder, Questions("s", texts, {each: each for each in ids}, relevant))
    likeness = encoder.encode(list(texts.values()), "query") @ encoder.encode(ids, "passage").T
    # trec_eval puts equals in the order of their names backwards, we in the order of the passages: so a score for each place.
    order = np.argsort(-likeness, axis=1, kind="stable")
    run = {
        query: {ids[row]: float(len(ids) - place) for place, row in enumerate(rows)}
        for query, rows in zip(texts, order, strict=True)
    }
    judged = {query: dict.fromkeys(passages, 1) for query, passages in relevant.items()}
    theirs = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut.10"}).evaluate(run)
    assert found == pytest.approx([theirs[query]["ndcg_cut_10"] for query in texts])


def test_the_mean_is_that_of_the_evaluator_of_sentence_transformers(minilm: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator

    queries = {
        "q1": "How do I open a rusted gate?",
        "q2": "When is high water in the harbour?",
        "q3": "Who feeds the cats?",
    }
    passages = {
        "p1": "Oil the hinges of the gate, wait an hour, then pull.",
        "p2": "High water comes twice a day, as the harbour's tide table says.",
        "p3": "A cat lives for fifteen years.",
        "p4": "The neighbour puts out food for the cats every evening.",
        "p5": "A rusted lock is replaced, not opened.",
        "p6": "Low water bares the sand.",
    }
    relevant = {"q1": {"p1", "p5", "no text"}, "q2": {"p6"}, "q3": {"p3", "p4"}}
    theirs = InformationRetrievalEvaluator(queries, passages, relevant, ndcg_at_k=[10], write_csv=False)(
        SentenceTransformer(str(minilm), local_files_only=True), str(tmp_path)
    )
    own = Questions("s", queries, passages, {query: frozenset(ids) for query, ids in relevant.items()})
    assert float(general_values(SentenceEncoder(minilm), own).mean()) == pytest.approx(theirs["cosine_ndcg@10"])


@pytest.mark.parametrize(("limit", "refused"), [(0.02, True), (1.0, False)])
def test_a_model_that_forgot_is_shown_and_refused_only_at_a_limit(limit: float, *, refused: bool) -> None:
    base = HashEncoder()
    scores = []
    for name, topics in (("first", TOPICS), ("second", TOPICS[:8])):
        questions = about(name, topics)
        scores.append(
            general_scores(questions, general_values(base, questions), general_values(Forgetful(base), questions))
        )
    report = forgetting_report(scores, limit, rounds=200, seed=1)
    assert [(row["name"], row["questions"], row["base"]) for row in report["rows"]] == [
        ("first", 12, 1.0),
        ("second", 8, 1.0),
        ("all", 20, 1.0),
    ]
    for row in report["rows"]:
        assert row["change"] == pytest.approx(row["tuned"] - row["base"])
        assert row["low"] is not None
        assert row["high"] is not None
        assert row["low"] <= row["change"] <= row["high"] < -0.02
    assert (report["set"], report["limit"], report["refused"]) == ("NanoBEIR", limit if refused else None, refused)
    assert ("evaluate.forgetting allows 0.02" in report["note"]) == refused
    json.dumps(report, allow_nan=False)


def test_all_is_the_mean_over_sets_whatever_their_sizes() -> None:
    large = SetScores("large", values(1, 1, 1, 1), values(1, 1, 1, 1), ["a", "b", "c", "d"])
    small = SetScores("small", values(1, 0.8), values(0.6, 0.4), ["e", "f"])
    last = forgetting_report([large, small], 1, rounds=100, seed=1)["rows"][-1]
    assert (last["base"], last["tuned"], last["change"]) == pytest.approx((0.95, 0.75, -0.2))


@pytest.mark.parametrize(
    ("loss", "limit", "refused"),
    [(0.02, 0.02, False), (0.02, 0.0199, True), (0, 0, False), (-0.1, 0, False), (0.3, 1, False)],
    ids=["just the limit", "above it", "no loss", "a gain", "any loss is allowed"],
)
def test_more_than_the_limit_is_refused(loss: float, limit: float, *, refused: bool) -> None:
    base = values(0.3, 0.3, 0.3)  # 0.3 - (0.3 - 0.02) is more than 0.02 to a computer
    report = forgetting_report([SetScores("s", base, base - loss, ["a", "b", "c"])], limit, rounds=100, seed=1)
    assert report["refused"] is refused


def test_without_general_questions_each_source_stands_by_itself() -> None:
    sources = ["docs", "other", "docs", "other"]
    base, tuned = values(0.5, 1, 0.7, 0.8), values(0.9, 0.6, 0.9, 0.6)
    report = source_report(sources, base, tuned, ["a", "b", "c", "d"], 0.5, rounds=100, seed=1)
    shown = [(row["name"], row["questions"], row["base"], row["tuned"], row["change"]) for row in report["rows"]]
    assert shown == [("docs", 2, 0.6, 0.9, 0.3), ("other", 2, 0.9, 0.6, -0.3), ("all", 4, 0.75, 0.75, 0.0)]
    assert (report["set"], report["refused"]) == ("the docs' own sources", False)
    assert "out of reach" in report["note"]


def test_a_loss_in_the_sources_is_refused_with_both_sentences() -> None:
    base, units = values(1, 1), ["a", "b"]
    report = source_report(["docs", "other"], base, base - 0.3, units, 0.1, rounds=100, seed=1)
    assert report["refused"]
    assert "cost 0.300 NDCG on the docs' own sources" in report["note"]
    assert "out of reach" in report["note"]


def test_one_source_shows_that_nothing_was_checked_and_what_to_do() -> None:
    report = source_report(["docs"] * 2, values(1, 1), values(0, 0), ["a", "b"], 0.02, rounds=100, seed=1)
    assert (report["rows"], report["refused"], report["limit"]) == ([], False, 0.02)
    assert "Nothing was checked" in report["note"]
    assert "reach the Hugging Face Hub once" in report["note"]


def test_an_interval_of_which_nothing_is_known_is_left_open() -> None:
    report = source_report(["a", "a", "b"], values(1, 1, 1), values(1, 0, 1), ["x", "x", "y"], 1, rounds=100, seed=1)
    ends: list[tuple[Any, Any]] = [(row["low"], row["high"]) for row in report["rows"]]
    assert ends[:2] == [(None, None), (None, None)]
    assert None not in ends[2]
    json.dumps(report, allow_nan=False)
