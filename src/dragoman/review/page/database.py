"""The one SQLite file of the local page's desk.

In: the path of the file. Out: connections to read or to write with, one for each call, so that neither threads nor processes
share one. What is written is on disk when the call returns. It knows the tables, but not what items or answers mean.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from dragoman.errors import WorkspaceError

SCHEMA = 1

_WAIT_SECONDS = 30.0
# An item without a place is out of the queue. An answer's draft is a change to it that was not submitted yet.
_TABLES = (
    "CREATE TABLE pushed (kind TEXT PRIMARY KEY)",
    """
    CREATE TABLE items (
        kind TEXT NOT NULL, id TEXT NOT NULL, place INTEGER, content TEXT NOT NULL, vector BLOB NOT NULL,
        PRIMARY KEY (kind, id)
    )
    """,
    """
    CREATE TABLE responses (
        kind TEXT NOT NULL, item TEXT NOT NULL, reviewer TEXT NOT NULL,
        status TEXT NOT NULL, answers TEXT NOT NULL, draft TEXT, PRIMARY KEY (kind, item, reviewer)
    )
    """,
    """
    CREATE TABLE history (
        number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, item TEXT NOT NULL, reviewer TEXT NOT NULL,
        status TEXT, answers TEXT, at REAL NOT NULL
    )
    """,
    "CREATE INDEX history_of ON history (kind, reviewer, number)",
)


class Database:
    """The file, and how it is shared.

    Args:
        path: The SQLite file; made by the first write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """All that is read within belongs to one moment.

        Yields:
            A connection, or None while there is no file yet.

        Raises:
            WorkspaceError: The file is damaged, of a newer version, or cannot be read.
        """
        if not self.path.exists():
            yield None
            return
        with self._open() as database:
            database.execute("BEGIN")
            yield database

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all that is written within is kept at its end, or nothing of it.

        Yields:
            A connection.

        Raises:
            WorkspaceError: The file is damaged, of a newer version, or cannot be written; the disk is full.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorkspaceError(f"cannot make the folder {self.path.parent}: {error}") from error
        with self._open() as database:
            database.execute("PRAGMA synchronous = FULL")
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            finally:
                if database.in_transaction:
                    database.execute("ROLLBACK")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=_WAIT_SECONDS, isolation_level=None)) as database:
                if self._version(database) < SCHEMA:
                    self._create(database)
                yield database
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _version(self, database: sqlite3.Connection) -> int:
        version = int(database.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA:
            raise WorkspaceError(
                f"the review desk {self.path} is of version {version}",
                expected=f"at most {SCHEMA}",
                hint="A newer Dragoman wrote it: use that one, or another workspace.",
            )
        return version

    def _create(self, database: sqlite3.Connection) -> None:
        _share(database)
        database.execute("BEGIN IMMEDIATE")
        if self._version(database) < SCHEMA:  # another process may have been faster
            for statement in _TABLES:
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {SCHEMA}")
        database.execute("COMMIT")

    def _failure(self, error: sqlite3.Error) -> WorkspaceError:
        said, name = str(error), self.path.name
        hint = "Free some space, or make the folder writable, and run the command again."
        if "malformed" in said or "not a database" in said or "no such" in said:
            said = f"the file is damaged ({said})"
            hint = (
                f"Save what can be read with: sqlite3 {name} .recover | sqlite3 saved.sqlite - then put that file in its "
                "place, or move it away to begin anew, and run the command again."
            )
        elif "locked" in said:
            hint = "Another program holds it: run the command again when that one has finished."
        return WorkspaceError(f"cannot use the review desk {self.path}: {said}", hint=hint)


def _share(database: sqlite3.Connection) -> None:
    """Let others read while one writes; the switch itself does not wait for its turn, so this does."""
    patience = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > patience:
                raise
            time.sleep(0.01)
        else:
            return
