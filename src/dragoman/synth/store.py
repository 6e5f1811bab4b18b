"""Every answer that a language model gave, kept the moment it arrives.

One SQLite file, keyed by the hash of model, prompt and sampling settings: a rerun, on any day, asks
only for what is new. It knows nothing of what the answers mean.
"""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from dragoman.errors import WorkspaceError
from dragoman.models.protocols import Reply

_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, text TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL, answer_tokens INTEGER NOT NULL, finish TEXT NOT NULL
) WITHOUT ROWID
"""
_BATCH = 500


class AnswerStore:
    """Stored answers by key; safe when two processes write.

    Args:
        path: The SQLite file; made when absent.

    Raises:
        WorkspaceError: The file is not a database, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._database = sqlite3.connect(path, timeout=30, isolation_level=None)
        except sqlite3.Error as error:
            raise self._failure(error) from error
        try:
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute(_TABLE)
        except sqlite3.Error as error:
            self._database.close()
            raise self._failure(error) from error

    def get(self, keys: Iterable[str]) -> dict[str, Reply]:
        """The stored answers among these keys."""
        wanted = list(keys)
        found: dict[str, Reply] = {}
        for first in range(0, len(wanted), _BATCH):
            part = wanted[first : first + _BATCH]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, text, prompt_tokens, answer_tokens, finish FROM answers WHERE key IN ({marks})"  # noqa: S608 - only question marks are put in
            try:
                found |= {row[0]: Reply(*row[1:]) for row in self._database.execute(query, part)}
            except sqlite3.Error as error:
                raise self._failure(error) from error
        return found

    def put(self, key: str, model: str, reply: Reply) -> None:
        """Keep one answer; it is on disk when this returns.

        Raises:
            WorkspaceError: The disk is full, or the file cannot be written.
        """
        text = reply.text.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be stored
        row = (key, model, text, reply.prompt_tokens, reply.answer_tokens, reply.finish)
        try:
            self._database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)", row)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def _failure(self, error: sqlite3.Error) -> WorkspaceError:
        return WorkspaceError(
            f"cannot use the store of LLM answers {self._path}: {error}",
            hint="Free some space, or move the file away if it is damaged, and run the command again.",
        )
