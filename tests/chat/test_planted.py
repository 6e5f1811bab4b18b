"""What was planted in the answers of planted.json is found, and little else."""

import json
from pathlib import Path

import pytest
from benchmarks.planted_answers import HALVES, KINDS, PLANTED, outcomes, rates

DATA = json.loads(PLANTED.read_text(encoding="utf-8"))
FOUND = list(outcomes(DATA))
FLOORS = {"link": 0.95, "citation": 0.95, "flag": 0.9, "identifier": 0.85, "command": 0.85}


def test_there_are_enough_of_both() -> None:
    planted = [row for row in DATA["answers"] if row["planted"]]
    assert len(planted) >= 60
    assert len(DATA["answers"]) - len(planted) >= 60
    assert {row["half"] for row in DATA["answers"]} == set(HALVES)
    assert all(
        plant["text"].split()[0] in row["text"]
        for row in planted
        for plant in row["planted"]
        if plant["kind"] != "citation"
    )
    assert Path(PLANTED).name == "planted.json"


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("kind", KINDS)
def test_inventions_are_found(kind: str, half: str) -> None:
    planted, recall, precision = rates([one for one in FOUND if one.half == half], kind)
    assert planted >= 5
    assert recall >= FLOORS[kind]
    assert precision >= 0.9


def test_sound_answers_are_left_alone() -> None:
    sound = [one for one in FOUND if not one.found and not one.missed]
    troubled = [(one.text, one.wrong) for one in sound if one.wrong]
    assert len(troubled) <= len(sound) * 0.03, troubled
