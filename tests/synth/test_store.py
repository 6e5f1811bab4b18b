"""The store of answers: nothing paid for is lost."""

import os
import platform
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from dragoman.errors import WorkspaceError
from dragoman.models.protocols import Reply
from dragoman.synth.store import CLAIM_SECONDS, SCHEMA, AnswerStore, Failure

REPLY = Reply('{"howto": "Wie heiß? 🥖"}', 120, 40, "stop")

_WRITE_AND_DIE = """
import os, signal, sys
from pathlib import Path
from dragoman.models.protocols import Reply
from dragoman.synth.store import AnswerStore
store = AnswerStore(Path(sys.argv[1]))
for number in range(20):
    store.put(f"key {number}", "small", Reply(f"answer {number}", 1, 2, "stop"))
assert store.claim("under way")
os.kill(os.getpid(), signal.SIGKILL)
"""
_OLD_TABLE = """
CREATE TABLE answers (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, text TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, answer_tokens INTEGER NOT NULL, finish TEXT NOT NULL
) WITHOUT ROWID
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


def test_of_two_answers_the_first_counts_and_both_who_asked_get_it(path: Path) -> None:
    with AnswerStore(path) as one, AnswerStore(path) as other:
        assert one.put("one", "small", REPLY) == REPLY
        assert other.put("one", "small", Reply("late", 1, 1, "stop")) == REPLY
        assert one.get(["one", "one"]) == {"one": REPLY}


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


@pytest.fixture
def killed(path: Path) -> Path:
    """A store that a process left by being killed: 20 answers, and a claim."""
    source = Path(__file__).parents[2] / "src"
    environment = {**os.environ, "PYTHONPATH": str(source)}
    done = subprocess.run([sys.executable, "-c", _WRITE_AND_DIE, str(path)], env=environment, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    return path


def test_what_was_put_outlives_a_killed_process_and_what_it_claimed_does_not(killed: Path) -> None:
    with AnswerStore(killed) as store:
        assert len(store.get(f"key {number}" for number in range(20))) == 20
        assert store.claim("under way")


def test_a_key_is_claimed_by_one_at_a_time(path: Path) -> None:
    with AnswerStore(path) as one, AnswerStore(path) as other:
        assert (one.claim("a"), other.claim("a"), other.claim("b"), one.claim("a")) == (True, False, True, True)
        one.release()
        assert (other.claim("a"), one.claim("b")) == (True, False)
        other.fail("a", "small", "request failed", "503")
        assert one.claim("a")
        one.put("a", "small", REPLY)
        assert not other.claim("a"), "the answer is there"
    with AnswerStore(path) as third:
        assert third.claim("b"), "closing a store gives up its claims"


@pytest.mark.parametrize(("until", "mine"), [(-1.0, True), (CLAIM_SECONDS, False), (9 * CLAIM_SECONDS, True)])
def test_the_claim_of_another_machine_holds_until_it_is_not_renewed(path: Path, until: float, *, mine: bool) -> None:
    with AnswerStore(path) as store:
        with sqlite3.connect(path) as database:
            row = ("a", f"{platform.node()}-elsewhere 1 abcd", time.time() + until)
            database.execute("INSERT INTO claims VALUES (?, ?, ?)", row)
        database.close()
        assert store.claim("a") is mine


def test_a_claim_can_be_renewed(path: Path) -> None:
    with AnswerStore(path) as store, sqlite3.connect(path) as database:
        store.claim("a")
        database.execute("UPDATE claims SET until = 0")
        database.commit()
        store.renew()
        assert database.execute("SELECT until FROM claims").fetchone()[0] > time.time() + CLAIM_SECONDS / 2
    database.close()


def test_a_failure_is_kept_with_its_reason_until_an_answer_comes(path: Path) -> None:
    with AnswerStore(path) as store:
        store.fail("a", "small", "request failed", "503")
        store.fail("a", "large", "not the JSON asked for", "half \ud83e", replied=True)
        known = Failure("large", "not the JSON asked for", "half ?", attempts=2, replies=1)
        assert store.failures(["a", "b"]) == {"a": known}
        assert store.get(["a"]) == {}
        store.put("a", "small", REPLY)
        store.fail("a", "small", "request failed", "too late")
        assert (store.failures(["a"]), store.get(["a"])) == ({}, {"a": REPLY})


def test_no_failure_of_two_writers_is_lost(path: Path) -> None:
    def fail(_: int) -> None:
        with AnswerStore(path) as store:
            for _ in range(20):
                store.fail("a", "small", "request failed", "503")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fail, range(4)))
    with AnswerStore(path) as store:
        assert store.failures(["a"])["a"].attempts == 80


def test_a_store_of_the_first_version_is_brought_up_to_date_by_many_at_once_without_losing_a_row(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute(_OLD_TABLE)
        rows = [(f"key {number}", "small", f"text {number}", number, 2, "stop") for number in range(700)]
        database.executemany("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)", rows)
    database.close()
    together = Barrier(8)

    def read(_: int) -> dict[str, Reply]:
        together.wait(30)
        with AnswerStore(path) as store:
            return store.get(row[0] for row in rows)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(read, range(8)))
    assert found == [{row[0]: Reply(row[2], row[3], row[4], row[5]) for row in rows}] * 8
    with AnswerStore(path) as store:
        store.put("new", "small", REPLY, seconds=1.5)
        assert store.seconds(["new", "key 1"]) == {"new": 1.5}


def test_a_store_of_a_newer_version_is_refused(path: Path) -> None:
    AnswerStore(path).__exit__(None, None, None)
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    database.close()
    with pytest.raises(WorkspaceError, match=f"version {SCHEMA + 1}.*newer Dragoman"):
        AnswerStore(path)


def test_a_store_that_another_program_holds_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.synth.store._WAIT_SECONDS", 0.05)
    with AnswerStore(path) as store, sqlite3.connect(path, isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(WorkspaceError, match=r"locked.*Another program holds it"):
            store.put("a", "small", REPLY)
        holder.execute("ROLLBACK")
        assert store.put("a", "small", REPLY) == REPLY
    holder.close()


def test_a_file_that_is_no_database_is_refused_by_name(path: Path) -> None:
    path.write_bytes(b"these are no answers at all" * 100)
    with pytest.raises(WorkspaceError, match=r"answers\.sqlite.*damaged.*sqlite3 answers\.sqlite \.recover"):
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
