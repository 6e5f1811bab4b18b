"""The section about people's questions: figures worked by hand, and what it says where there are none."""

import json
import math
from typing import Any

import numpy as np
import pytest

from dragoman.evaluate.compare import paired_interval
from dragoman.evaluate.people import people_section
from dragoman.evaluate.places import Found, Located, LocatedQuestion, Missing
from dragoman.evaluate.real import Place, RealQuestion
from dragoman.evaluate.shelf import Span
from dragoman.records import Serving

DENSE, BASE, TUNED = Serving("base", "dense"), Serving("base", "hybrid", 0.5), Serving("tuned", "dense", share=0.5)
SECOND, THIRD = 1 / math.log2(3), 0.5  # discounts of ranks 2 and 3
FILES = ("ropes.md", "ropes.md", "sails.md", "masts.md")
AWAY = Span("harbour.md", 1, 2, characters=30)


def asked(number: int) -> LocatedQuestion:
    place = Place(FILES[number], 2, lines=(10 * number + 1, 10 * number + 9))
    span = Span(place.file, 10 * number + 1, 10 * number + 9)
    return LocatedQuestion(RealQuestion(f"q{number}", f"what of {number}?", (place,)), (Found(place, ("c",), (span,)),))


LOCATED = Located(tuple(map(asked, range(4))))


def found_at(*ranks: int) -> list[list[Span]]:
    """For each question some hits, of which the one at its rank answers; 0: none does."""
    answers = [Span(FILES[number], 10 * number + 5, 10 * number + 5, characters=100) for number in range(len(ranks))]
    return [[AWAY] * (rank - 1) + [answer] if rank else [AWAY] * 3 for rank, answer in zip(ranks, answers, strict=True)]


HITS = {DENSE: found_at(2, 0, 3, 1), BASE: found_at(1, 2, 3, 1), TUNED: found_at(1, 1, 0, 2)}


def section(located: Located = LOCATED, **changed: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"hits": HITS, "base": BASE, "tuned": TUNED, "file": "asked.jsonl", "k": 10}
    return people_section(located, **{**given, **changed}, rounds=200, seed=3, counted=True)


def test_the_table_has_the_figures_of_each_way_worked_by_hand() -> None:
    told = section()
    assert [(row["model"], row["mode"], row["lexical_weight"], row["share"]) for row in told["table"]] == [
        ("base", "dense", 0.0, 1.0),
        ("base", "hybrid", 0.5, 1.0),
        ("tuned", "dense", 0.0, 0.5),
    ]
    assert set(told["table"][0]) >= {"questions", "epochs", "dims", "rerank"}
    means = {
        "ndcg": [(SECOND + THIRD + 1) / 4, (1 + SECOND + THIRD + 1) / 4, (2 + SECOND) / 4],
        "gain": [0, (1 - SECOND + SECOND) / 4, (1 - SECOND + 1 - THIRD + SECOND - 1) / 4],
        "mrr": [(1 / 2 + 1 / 3 + 1) / 4, (2 + 1 / 2 + 1 / 3) / 4, (2 + 1 / 2) / 4],
        "recall": [0.75, 1, 0.75],
        "answered": [0.75, 1, 0.75],
    }
    for key, expected in means.items():
        assert [row[key] for row in told["table"]] == [round(value, 4) for value in expected], key


def test_intervals_are_drawn_by_document() -> None:
    (row,) = [row for row in section()["table"] if row["model"] == "tuned"]
    gains = np.array([1 - SECOND, 1, -THIRD, SECOND - 1])
    by_document = paired_interval(gains, np.zeros(4), list(FILES), rounds=200, seed=3)
    by_question = paired_interval(gains, np.zeros(4), list("abcd"), rounds=200, seed=3)
    assert (row["gain_low"], row["gain_high"]) == (round(by_document.low, 4), round(by_document.high, 4))
    assert by_document != by_question


def test_what_changed_is_counted_and_the_largest_come_first() -> None:
    told = section()
    assert (told["won"], told["lost_count"], told["same"]) == (1, 2, 1)
    assert told["changes"] == [
        {"qid": "q2", "question": "what of 2?", "before": 0.5, "after": 0.0, "difference": -0.5},
        {"qid": "q1", "question": "what of 1?", "before": 0.6309, "after": 1.0, "difference": 0.3691},
        {"qid": "q3", "question": "what of 3?", "before": 1.0, "after": 0.6309, "difference": -0.3691},
    ]
    assert (told["base"]["mode"], told["tuned"]["share"]) == ("hybrid", 0.5)
    assert (told["file"], told["asked"], told["k"], told["counted"]) == ("asked.jsonl", 4, 10, True)


def test_no_more_than_twenty_changes_are_listed_and_all_are_counted() -> None:
    many = Located(tuple(asked(0) for _ in range(25)))
    answers = found_at(1) * 25
    told = section(many, hits={BASE: [[AWAY]] * 25, TUNED: answers})
    assert (told["won"], len(told["changes"])) == (25, 20)


def test_only_the_first_hits_count_but_a_reader_may_read_on() -> None:
    (row, *_) = section(k=2)["table"]
    assert row["recall"] == 0.5
    assert row["answered"] == 0.75


def test_gains_are_unknown_without_dense_search_by_the_base_model() -> None:
    told = section(hits={BASE: HITS[BASE], TUNED: HITS[TUNED]})
    assert [(row["gain"], row["gain_low"], row["gain_high"]) for row in told["table"]] == [(None, None, None)] * 2
    assert [row["ndcg"] for row in told["table"]] == [row["ndcg"] for row in section()["table"][1:]]


def test_of_one_document_no_interval_is_known_and_the_report_is_still_json() -> None:
    told = section(Located(LOCATED.questions[:2]), hits={way: found[:2] for way, found in HITS.items()})
    assert [row["ndcg"] for row in told["table"]] == [round(SECOND / 2, 4), round((1 + SECOND) / 2, 4), 1.0]
    assert {row["ndcg_low"] for row in told["table"]} | {row["gain_high"] for row in told["table"]} == {None}
    json.dumps(told, allow_nan=False)


def test_what_could_not_be_placed_is_told_with_its_reason() -> None:
    gone = RealQuestion("q9", "what of 9?", (Place("keel.md", 2, "Bolts"),))
    missing = Missing("q9", gone.relevant[0], "no such file", "keels.md", 7)
    told = section(Located(LOCATED.questions, (missing,), (gone,)))
    assert told["lost"] == ["line 7: q9: the heading 'Bolts' of keel.md: no such file; nearest: keels.md"]
    assert (told["asked"], told["unplaced"]) == (4, 1)
    assert "note" not in told


@pytest.mark.parametrize(
    ("lost", "note"),
    [(0, "asked.jsonl holds no question"), (2, "none of the 2 questions of asked.jsonl names a place that is in")],
)
def test_without_a_placed_question_the_table_is_empty_and_a_note_says_why(lost: int, note: str) -> None:
    gone = tuple(question.question for question in LOCATED.questions[:lost])
    told = section(Located((), (), gone), hits={BASE: [], TUNED: []})
    assert (told["table"], told["changes"], told["won"], told["lost_count"], told["same"]) == ([], [], 0, 0, 0)
    assert note in told["note"]


def test_the_same_input_gives_the_same_bytes() -> None:
    assert json.dumps(section()) == json.dumps(section())
    assert json.dumps(people_section(LOCATED, HITS, BASE, TUNED, "a", 10, rounds=200, seed=4, counted=True)) != (
        json.dumps(people_section(LOCATED, HITS, BASE, TUNED, "a", 10, rounds=200, seed=5, counted=True))
    )
