"""The page's desk: the contract of all desks, and what a file promises: nothing that was given is lost."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.review.desks import DeskContract

from dragoman.errors import UsageError, WorkspaceError
from dragoman.records import ReviewKind
from dragoman.review.items import FORMS, Form, Item, Pushed, Response, ResponseStatus
from dragoman.review.page.database import SCHEMA
from dragoman.review.page.desk import FILE_NAME, PageDesk
from dragoman.review.page.rows import LONGEST_ANSWER

TRIPLETS = FORMS["triplets"]
RIGHT = {"is_positive_relevant": "yes", "is_negative_irrelevant": "yes"}
WRONG = {"is_positive_relevant": "no", "is_negative_irrelevant": "yes"}

_ANSWER_AND_DIE = """
import os, signal, sys
from pathlib import Path
from dragoman.review.items import FORMS, Response
from dragoman.review.page.desk import PageDesk
desk, answers = PageDesk(Path(sys.argv[1])), {"is_positive_relevant": "yes", "is_negative_irrelevant": "no"}
for number in range(20):
    desk.respond(FORMS["triplets"], f"t{number:03}", Response("anna", answers))
with desk._database.writing() as database:
    database.execute("DELETE FROM responses")
    os.kill(os.getpid(), signal.SIGKILL)
"""
_ANSWER_ALL = """
import sys
from pathlib import Path
from dragoman.review.items import FORMS, Response
from dragoman.review.page.desk import PageDesk
desk, answers = PageDesk(Path(sys.argv[1])), {"is_positive_relevant": "yes", "is_negative_irrelevant": "no"}
sys.stdin.readline()
for number in range(60):
    desk.respond(FORMS["triplets"], f"t{number:03}", Response(sys.argv[2], answers))
"""


def pair(number: int) -> Item:
    return Item(f"t{number:03}", "triplets", {"anchor": "Text.", "positive": f"Question {number}?", "negative": "Who?"})


class PageHarness:
    """The desk's folder, and reviewers who answer as the page does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def desk(self, kind: ReviewKind) -> PageDesk:  # noqa: ARG002 - one file holds all kinds
        return PageDesk(self._folder)

    def answer(
        self, form: Form, item_id: str, reviewer: str, values: Mapping[str, str], status: ResponseStatus = "submitted"
    ) -> None:
        PageDesk(self._folder).respond(form, item_id, Response(reviewer, values, status))

    def shown(self, form: Form) -> list[str]:
        return [item.id for item in PageDesk(self._folder).shown(form.kind)]


class TestPageDesk(DeskContract):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> PageHarness:
        return PageHarness(tmp_path / "review")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "review"


@pytest.fixture
def pairs(folder: Path) -> PageDesk:
    """A desk with 60 pairs."""
    desk = PageDesk(folder)
    desk.push(TRIPLETS, [pair(number) for number in range(60)])
    return desk


def own(desk: PageDesk, item: str, reviewer: str = "anna") -> Response | None:
    (reviewed,) = desk.items("triplets", [item])
    return next((response for response in reviewed.responses if response.reviewer == reviewer), None)


def python(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    return subprocess.Popen([sys.executable, "-c", *arguments], env=environment, text=True, stdin=subprocess.PIPE)


def test_what_was_given_outlives_a_killed_process_and_what_it_was_about_to_do_does_not(
    pairs: PageDesk, folder: Path
) -> None:
    with python(_ANSWER_AND_DIE, str(folder)) as process:
        assert process.wait(60) == -signal.SIGKILL
    assert sum(bool(one.responses) for one in pairs.pull(TRIPLETS)) == 20
    pairs.respond(TRIPLETS, "t020", Response("anna", RIGHT))
    assert own(pairs, "t020") == Response("anna", RIGHT)


def test_two_processes_that_answer_while_a_third_pushes_lose_nothing(pairs: PageDesk, folder: Path) -> None:
    items = [pair(number) for number in range(60)]
    with python(_ANSWER_ALL, str(folder), "anna") as one, python(_ANSWER_ALL, str(folder), "bob") as other:
        for process in (one, other):
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        while one.poll() is None or other.poll() is None:
            items.reverse()
            assert pairs.push(TRIPLETS, items) == Pushed(unchanged=60)
            time.sleep(0.02)  # who writes without a pause lets nobody else in
        assert (one.returncode, other.returncode) == (0, 0)
    pulled = pairs.pull(TRIPLETS)
    assert len(pulled) == 60
    assert all([response.reviewer for response in each.responses] == ["anna", "bob"] for each in pulled)


def test_undo_takes_back_level_by_level(pairs: PageDesk) -> None:
    pairs.respond(TRIPLETS, "t000", Response("anna", RIGHT))
    pairs.respond(TRIPLETS, "t001", Response("anna", {}, "discarded"))
    pairs.respond(TRIPLETS, "t000", Response("anna", WRONG))
    pairs.respond(TRIPLETS, "t002", Response("bob", RIGHT))
    assert pairs.undo("triplets", "anna") == "t000"
    assert own(pairs, "t000") == Response("anna", RIGHT), "the earlier answer holds again"
    assert pairs.undo("triplets", "anna") == "t001"
    assert own(pairs, "t001") is None
    assert pairs.undo("triplets", "anna") == "t000"
    assert own(pairs, "t000") == Response("anna", RIGHT, "draft"), "what was ticked is not lost"
    assert pairs.undo("triplets", "anna") is None
    assert own(pairs, "t002", "bob") == Response("bob", RIGHT)


def test_a_skip_that_is_taken_back_leaves_the_draft_before_it(pairs: PageDesk) -> None:
    half = {"is_positive_relevant": "no"}
    pairs.respond(TRIPLETS, "t000", Response("anna", half, "draft"))
    pairs.respond(TRIPLETS, "t000", Response("anna", {}, "discarded"))
    assert pairs.undo("triplets", "anna") == "t000"
    assert own(pairs, "t000") == Response("anna", half, "draft")


def test_the_same_answer_twice_is_one(pairs: PageDesk) -> None:
    for _ in range(3):
        pairs.respond(TRIPLETS, "t000", Response("anna", RIGHT))
    assert pairs.undo("triplets", "anna") == "t000"
    assert pairs.undo("triplets", "anna") is None


def test_a_draft_waits_beside_what_was_submitted(pairs: PageDesk) -> None:
    pairs.respond(TRIPLETS, "t000", Response("anna", RIGHT))
    pairs.respond(TRIPLETS, "t000", Response("anna", WRONG, "draft"))
    assert own(pairs, "t000") == Response("anna", RIGHT)
    assert pairs.drafts("triplets", "anna", ["t000", "t001"]) == {"t000": WRONG}
    pairs.respond(TRIPLETS, "t000", Response("anna", WRONG))
    assert own(pairs, "t000") == Response("anna", WRONG)
    assert pairs.drafts("triplets", "anna", ["t000"]) == {}


def test_an_emptied_draft_is_none(pairs: PageDesk) -> None:
    pairs.respond(TRIPLETS, "t000", Response("anna", {"question": "Better?"}, "draft"))
    pairs.respond(TRIPLETS, "t000", Response("anna", {"question": " "}, "draft"))
    assert own(pairs, "t000") is None


def test_what_is_retired_is_not_taken_back(pairs: PageDesk) -> None:
    pairs.respond(TRIPLETS, "t000", Response("anna", RIGHT))
    pairs.push(TRIPLETS, [pair(1)])
    assert pairs.undo("triplets", "anna") is None
    assert own(pairs, "t000") == Response("anna", RIGHT)


@pytest.mark.parametrize(
    ("item", "values", "said"),
    [
        ("t000", {"is_positive_relevant": "yes"}, "is not answered yet"),
        ("t000", RIGHT | {"question": "x" * (LONGEST_ANSWER + 1)}, "10,001 characters"),
        ("t000", RIGHT | {"is_positive_relevant": "maybe"}, "'maybe' is no answer"),
        ("t000", RIGHT | {"feedback": "good"}, "'feedback' is not asked"),
        ("nowhere", RIGHT, "not on the desk"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(pairs: PageDesk, item: str, values: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        pairs.respond(TRIPLETS, item, Response("anna", values))
    assert not any(one.responses for one in pairs.pull(TRIPLETS))


def test_an_item_of_another_kind_is_refused(pairs: PageDesk) -> None:
    with pytest.raises(UsageError, match="of kind 'triplets'"):
        pairs.push(FORMS["chunks"], [pair(1)])


def test_a_push_that_breaks_off_changes_nothing_and_the_next_completes_it(pairs: PageDesk) -> None:
    def stop(_count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pairs.push(TRIPLETS, [pair(99)], stop)
    assert len(pairs.shown("triplets")) == 60
    assert pairs.push(TRIPLETS, [pair(99)]) == Pushed(added=1, retired=60)


def test_half_a_surrogate_pair_and_a_nul_come_back(folder: Path) -> None:
    desk, item = PageDesk(folder), Item("odd", "triplets", {"anchor": "\ud800 \x00", "positive": "", "negative": ""})
    desk.push(TRIPLETS, [item])
    assert desk.items("triplets", ["odd"])[0].item == item


@pytest.mark.parametrize("damage", ["no database", "a page", "a row", "no table"])
def test_a_damaged_file_is_named_with_the_remedy(pairs: PageDesk, folder: Path, damage: str) -> None:
    path = folder / FILE_NAME
    if damage == "no database":
        path.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    elif damage == "a page":
        content = bytearray(path.read_bytes())
        content[4096:] = b"\xff" * (len(content) - 4096)
        path.write_bytes(content)
    else:
        with sqlite3.connect(path) as database:
            wrong = "UPDATE items SET content = '[1]'" if damage == "a row" else "DROP TABLE items"
            database.execute(wrong)
        database.close()
    with pytest.raises(WorkspaceError, match=r"desk\.sqlite: the file is damaged") as caught:
        pairs.pull(TRIPLETS)
    assert "sqlite3 desk.sqlite .recover" in str(caught.value)


def test_a_newer_file_is_refused(pairs: PageDesk, folder: Path) -> None:
    with sqlite3.connect(folder / FILE_NAME) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    database.close()
    with pytest.raises(WorkspaceError, match=f"version {SCHEMA + 1}"):
        pairs.shown("triplets")


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="cannot make the folder"):
        PageDesk(tmp_path / "file" / "review").push(TRIPLETS, [])


def test_answers_lie_in_the_file_as_plain_json(pairs: PageDesk, folder: Path) -> None:
    pairs.respond(TRIPLETS, "t000", Response("anna", RIGHT))
    with sqlite3.connect(folder / FILE_NAME) as database:
        ((answers,),) = database.execute("SELECT answers FROM responses").fetchall()
    database.close()
    assert json.loads(answers) == RIGHT
