"""Every answer that a language model gave, kept the moment it arrives, and every request that failed.

One SQLite file, keyed by the hash of model, prompt and sampling settings: a rerun, on any day, asks
only for what is new. A failure is kept with its reason beside the answers, never in place of one. Processes that share
the file claim a key before they ask. It knows nothing of what the answers mean.
"""

import os
import platform
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dragoman.errors import WorkspaceError
from dragoman.models.protocols import Reply

SCHEMA = 1  # 0: answers alone, without their seconds
CLAIM_SECONDS = 30.0  # a claim that nobody renews ends by itself

_BATCH = 500
_WAIT_SECONDS = 30.0
_ANSWERS = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, text TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, answer_tokens INTEGER NOT NULL, finish TEXT NOT NULL
) WITHOUT ROWID
"""
_SECONDS = "ALTER TABLE answers ADD COLUMN seconds REAL NOT NULL DEFAULT 0"
_FAILURES = """
CREATE TABLE IF NOT EXISTS failures (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
    attempts INTEGER NOT NULL, replies INTEGER NOT NULL
) WITHOUT ROWID
"""
_CLAIMS = (
    "CREATE TABLE IF NOT EXISTS claims (key TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID"
)
_PUT = """
INSERT OR IGNORE INTO answers (key, model, text, prompt_tokens, answer_tokens, finish, seconds) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_FAIL = """
INSERT INTO failures VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT (key) DO UPDATE SET
    model = excluded.model, reason = excluded.reason, detail = excluded.detail,
    attempts = attempts + 1, replies = replies + excluded.replies
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer yet; ``replies`` of the ``attempts`` came back with words that were of no use."""

    model: str
    reason: str
    detail: str
    attempts: int
    replies: int


class AnswerStore:
    """Stored answers by key; safe when several processes read and write.

    Args:
        path: The SQLite file; made when absent, brought up to date when older.

    Raises:
        WorkspaceError: The file is not a database, is of a newer version, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._owner = f"{platform.node()} {os.getpid()} {secrets.token_hex(4)}"
        try:
            self._database = sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)
        except sqlite3.Error as error:
            raise self._failure(error) from error
        try:
            self._prepare()
        except WorkspaceError:
            self._database.close()
            raise

    def get(self, keys: Iterable[str]) -> dict[str, Reply]:
        """The stored answers among these keys."""
        columns = "key, text, prompt_tokens, answer_tokens, finish"
        return {row[0]: Reply(*row[1:]) for row in self._rows("answers", columns, keys)}

    def seconds(self, keys: Iterable[str]) -> dict[str, float]:
        """How long the stored answers among these keys took; those of an older version, not timed, are left out."""
        return {key: taken for key, taken in self._rows("answers", "key, seconds", keys) if taken > 0}

    def tokens(self) -> tuple[int, int]:
        """Tokens of all prompts and of all answers that are stored."""
        query = "SELECT coalesce(sum(prompt_tokens), 0), coalesce(sum(answer_tokens), 0) FROM answers"
        with self._translated():
            prompt, answer = self._database.execute(query).fetchone()
        return int(prompt), int(answer)

    def failures(self, keys: Iterable[str]) -> dict[str, Failure]:
        """What is known of the requests among these keys that failed and have no answer since."""
        columns = "key, model, reason, detail, attempts, replies"
        return {row[0]: Failure(*row[1:]) for row in self._rows("failures", columns, keys)}

    def put(self, key: str, model: str, reply: Reply, seconds: float = 0.0) -> Reply:
        """Keep one answer; it is on disk when this returns.

        Args:
            key: What was asked.
            model: Who was asked.
            reply: The answer.
            seconds: How long it took; 0: not known.

        Returns:
            The answer that counts: an earlier one stays, since somebody may have used it already.

        Raises:
            WorkspaceError: The disk is full, or the file cannot be written.
        """
        row = (key, model, _storable(reply.text), reply.prompt_tokens, reply.answer_tokens, reply.finish, seconds)
        with self._writing() as database:
            database.execute(_PUT, row)
            database.execute("DELETE FROM failures WHERE key = ?", (key,))
            self._drop_claim(key)
        return self.get([key])[key]

    def fail(self, key: str, model: str, reason: str, detail: str, *, replied: bool = False) -> None:
        """Keep why a request gave nothing; it may be asked again at any time.

        Args:
            key: What was asked.
            model: Who was asked.
            reason: Why there is no answer, from a closed list.
            detail: The endpoint's words, or the useless reply.
            replied: Whether a reply came.

        Raises:
            WorkspaceError: The disk is full, or the file cannot be written.
        """
        with self._writing() as database:
            if not database.execute("SELECT 1 FROM answers WHERE key = ?", (key,)).fetchone():
                database.execute(_FAIL, (key, model, reason, _storable(detail), int(replied)))
            self._drop_claim(key)

    def claim(self, key: str) -> bool:
        """Say that this process is going to ask.

        Args:
            key: What is going to be asked.

        Returns:
            Whether to go on: not when the answer is there by now, nor when another living process is asking.
        """
        now = time.time()
        with self._writing(paid=False) as database:
            if database.execute("SELECT 1 FROM answers WHERE key = ?", (key,)).fetchone():
                return False
            held = database.execute("SELECT owner, until FROM claims WHERE key = ?", (key,)).fetchone()
            if held and held[0] != self._owner and _holds(held[0], held[1], now):
                return False
            database.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?)", (key, self._owner, now + CLAIM_SECONDS))
        return True

    def renew(self) -> None:
        """Keep this process's claims for another while."""
        with self._writing(paid=False) as database:
            database.execute("UPDATE claims SET until = ? WHERE owner = ?", (time.time() + CLAIM_SECONDS, self._owner))

    def release(self) -> None:
        """Give up this process's claims."""
        with self._writing(paid=False) as database:
            database.execute("DELETE FROM claims WHERE owner = ?", (self._owner,))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Claims of a process that is gone count for nothing: what cannot be released must not hide the real error.
        with suppress(WorkspaceError):
            self.release()
        self._database.close()

    def _prepare(self) -> None:
        self._share()
        with self._writing() as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA:
                raise WorkspaceError(
                    f"the store of LLM answers {self._path} is of version {version}",
                    expected=f"at most {SCHEMA}",
                    hint="A newer Dragoman wrote it: use that one, or another workspace.",
                )
            if version < SCHEMA:
                database.execute(_ANSWERS)
                database.execute(_SECONDS)
                database.execute(_FAILURES)
                database.execute(_CLAIMS)
                database.execute(f"PRAGMA user_version = {SCHEMA}")

    def _share(self) -> None:
        """Let others read while one writes; the switch itself does not wait for its turn, so this does."""
        patience = time.monotonic() + _WAIT_SECONDS
        with self._translated():
            while True:
                try:
                    self._database.execute("PRAGMA journal_mode=WAL")
                except sqlite3.OperationalError as error:
                    if "locked" not in str(error) or time.monotonic() > patience:
                        raise
                    time.sleep(0.01)
                else:
                    return

    def _rows(self, table: str, columns: str, keys: Iterable[str]) -> Iterator[tuple[Any, ...]]:
        wanted = list(keys)
        for first in range(0, len(wanted), _BATCH):
            part = wanted[first : first + _BATCH]
            marks = ",".join("?" * len(part))
            query = f"SELECT {columns} FROM {table} WHERE key IN ({marks})"  # noqa: S608 - names of ours and question marks
            with self._translated():
                yield from self._database.execute(query, part).fetchall()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._failure(error) from error

    @contextmanager
    def _writing(self, *, paid: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction that no other process's write can come between; what is paid for also survives a power cut."""
        with self._translated():
            self._database.execute(f"PRAGMA synchronous = {'FULL' if paid else 'NORMAL'}")
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    def _drop_claim(self, key: str) -> None:
        self._database.execute("DELETE FROM claims WHERE key = ? AND owner = ?", (key, self._owner))

    def _failure(self, error: sqlite3.Error) -> WorkspaceError:
        said, name = str(error), self._path.name
        hint = "Free some space, or make the folder writable, and run the command again."
        if isinstance(error, sqlite3.DatabaseError) and ("malformed" in said or "not a database" in said):
            said = f"the file is damaged ({said})"
            hint = (
                f"Save what can be read with: sqlite3 {name} .recover | sqlite3 saved.sqlite - then put that file in its "
                "place, or move it away to begin anew, and run the command again."
            )
        elif "locked" in said:
            hint = "Another program holds it: run the command again when that one has finished."
        return WorkspaceError(f"cannot use the store of LLM answers {self._path}: {said}", hint=hint)


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be stored


def _holds(owner: str, until: float, now: float) -> bool:
    """Whether a claim still counts: a dead process's does not, nor one from a clock that ran ahead."""
    if not now < until <= now + 2 * CLAIM_SECONDS:
        return False
    host, _, rest = owner.rpartition(" ")[0].rpartition(" ")
    if host != platform.node() or not rest.isdecimal():
        return True
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return False
    except OSError:  # it lives, and belongs to somebody else
        return True
    return True
