"""The store of answers: nothing paid for is lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman.errors import WorkspaceError
from dragoman.models.protocols import Reply
from dragoman.synth.store import AnswerStore

REPLY = Reply('{"howto": "Wie heiß? 🥖"}', 120, 40, "stop")

_WRITE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from dragoman.models.protocols import Reply
from dragoman.synth.store import AnswerStore
store = AnswerStore(Path(sys.argv[1]))
for number in range(20):
    store.put(f"key {number}", "small", Reply(f"answer {number}", 1, 2, "stop"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


def test_an_answer_is_there_when_the_store_is_opened_again(path: Path) -> None:
    with AnswerStore(path) as store:
        store.put("one", "small", REPLY)
    with AnswerStore(path) as store:
        assert store.get(["one", "two"]) == {"one": REPLY}
        assert store.get([]) == {}


def test_an_answer_put_twice_is_the_later_one(path: Path) -> None:
    with AnswerStore(path) as store:
        store.put("one", "small", Reply("old", 1, 1, "stop"))
        store.put("one", "small", REPLY)
        assert store.get(["one", "one"]) == {"one": REPLY}


def test_two_connections_see_each_others_answers(path: Path) -> None:
    with AnswerStore(path) as one, AnswerStore(path) as other:
        one.put("one", "small", REPLY)
        other.put("two", "small", REPLY)
        assert set(one.get(["one", "two"])) == set(other.get(["one", "two"])) == {"one", "two"}


def test_more_keys_than_a_query_may_hold_are_looked_up_in_parts(path: Path) -> None:
    with AnswerStore(path) as store:
        for number in (0, 499, 500, 1200):
            store.put(f"key {number}", "small", Reply(str(number), 1, 1, "stop"))
        found = store.get(f"key {number}" for number in range(1300))
    assert {key: reply.text for key, reply in found.items()} == {f"key {n}": str(n) for n in (0, 499, 500, 1200)}


def test_what_was_put_outlives_a_killed_process(path: Path) -> None:
    source = Path(__file__).parents[2] / "src"
    environment = {**os.environ, "PYTHONPATH": str(source)}
    done = subprocess.run([sys.executable, "-c", _WRITE_AND_DIE, str(path)], env=environment, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    with AnswerStore(path) as store:
        assert len(store.get(f"key {number}" for number in range(20))) == 20


def test_a_file_that_is_no_database_is_refused_by_name(path: Path) -> None:
    path.write_bytes(b"these are no answers at all" * 100)
    with pytest.raises(WorkspaceError, match=r"answers\.sqlite"):
        AnswerStore(path)


def test_a_file_damaged_in_the_middle_is_refused_when_it_is_read(path: Path) -> None:
    with AnswerStore(path) as store:
        for number in range(300):
            store.put(f"key {number}", "small", Reply("x" * 500, 1, 1, "stop"))
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(WorkspaceError, match="damaged"), AnswerStore(path) as store:
        store.get(f"key {number}" for number in range(300))


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="unable to open"):
        AnswerStore(tmp_path / "nowhere" / "answers.sqlite")
