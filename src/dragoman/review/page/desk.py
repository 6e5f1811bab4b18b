"""The desk behind the local page: items and answers in one file of the workspace.

In: items from a push, answers from the page, one at a time, each on disk the moment it is given. Out: all items with all
answers; for the page, what there is to do. It knows neither browsers nor what answers decide.
"""

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dragoman.errors import MissingArtefact, UsageError
from dragoman.records import ReviewKind
from dragoman.review.items import Form, Item, Pushed, Response, Reviewed
from dragoman.review.page.database import Database
from dragoman.review.page.rows import answers_of, answers_row, checked, content_of, item_of, vector_of

FILE_NAME = "desk.sqlite"

_RESPONSES = "SELECT item, reviewer, status, answers FROM responses WHERE kind = ? ORDER BY reviewer"
_PACE_OF = 40  # how many of the last answers tell how quick a reviewer is
_LAST = """
SELECT history.number, history.item, history.status, history.answers, responses.answers FROM history
JOIN items ON items.kind = history.kind AND items.id = history.item AND items.place IS NOT NULL
JOIN responses ON responses.kind = history.kind AND responses.item = history.item AND responses.reviewer = history.reviewer
WHERE history.kind = ? AND history.reviewer = ? ORDER BY history.number DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """An item in the queue, by its id, and who answered it how."""

    id: str
    responses: tuple[Response, ...]


class PageDesk:
    """A desk in a folder.

    Args:
        folder: Where its file lies; made by the first push.
    """

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder / FILE_NAME)

    @property
    def place(self) -> str:
        """The file."""
        return str(self._database.path)

    def push(self, form: Form, items: Sequence[Item], advance: Callable[[int], None] | None = None) -> Pushed:
        """Show these items, in this order, and no others.

        Args:
            form: Their form.
            items: What is shown; of two with one id, the first.
            advance: Told how many more were dealt with.

        Returns:
            What changed.

        Raises:
            UsageError: An item is of another kind.
            WorkspaceError: The desk's file cannot be used.
        """
        wrong = next((item for item in items if item.kind != form.kind), None)
        if wrong is not None:
            raise UsageError(f"item {wrong.id} is of kind '{wrong.kind}'", expected=f"'{form.kind}'")
        counts = {"added": 0, "updated": 0, "unchanged": 0}
        with self._database.writing() as database:
            database.execute("INSERT OR IGNORE INTO pushed VALUES (?)", (form.kind,))
            query = "SELECT id, place, content, vector FROM items WHERE kind = ?"
            before = {row[0]: row[1:] for row in database.execute(query, (form.kind,))}
            answered = {row[0] for row in database.execute("SELECT item FROM responses WHERE kind = ?", (form.kind,))}
            wanted: dict[str, Item] = {}
            for item in items:
                wanted.setdefault(item.id, item)
            for place, item in enumerate(wanted.values()):
                counts[_put(database, place, item, before.get(item.id), kept=item.id in answered)] += 1
            gone = [item for item, row in before.items() if item not in wanted and row[0] is not None]
            for retired in gone:
                _retire(database, form.kind, retired, kept=retired in answered)
            if advance:
                advance(len(items))
        return Pushed(**counts, retired=len(gone))

    def pull(self, form: Form) -> list[Reviewed]:
        """All items that were ever answered or are shown, with all responses.

        Args:
            form: Their form.

        Returns:
            Them, by id; responses by reviewer.

        Raises:
            MissingArtefact: Nothing of this kind was ever pushed here.
            WorkspaceError: The desk's file cannot be used.
        """
        if not self.holds(form.kind):
            raise MissingArtefact(
                f"no {form.kind} were ever put on the review desk {self.place}",
                hint="Run: dragoman review serve",
            )
        return self._reviewed(form.kind, "ORDER BY id", ())

    def holds(self, kind: ReviewKind) -> bool:
        """Whether something of this kind was ever pushed here, if only an empty list."""
        with self._database.reading() as database:
            query = "SELECT 1 FROM pushed WHERE kind = ?"
            return database is not None and database.execute(query, (kind,)).fetchone() is not None

    def items(self, kind: ReviewKind, ids: Sequence[str]) -> list[Reviewed]:
        """Some items, in the order of their ids; those that are not on the desk are left out."""
        marks = ",".join("?" * len(ids))
        return self._reviewed(kind, f"AND id IN ({marks}) ORDER BY id", tuple(ids))

    def shown(self, kind: ReviewKind) -> list[Shown]:
        """The whole queue of a kind, in order."""
        with self._database.reading() as database:
            if database is None:
                return []
            responses = _responses(database, kind)
            query = "SELECT id FROM items WHERE kind = ? AND place IS NOT NULL ORDER BY place"
            return [Shown(row[0], tuple(responses.get(row[0], ()))) for row in database.execute(query, (kind,))]

    def drafts(self, kind: ReviewKind, reviewer: str, ids: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """What a reviewer changed in answers that were submitted, and did not submit again, by item."""
        marks = ",".join("?" * len(ids))
        query = f"SELECT item, draft FROM responses WHERE kind = ? AND reviewer = ? AND draft IS NOT NULL AND item IN ({marks})"  # noqa: S608 - question marks only
        with self._database.reading() as database:
            if database is None:
                return {}
            return {item: answers_of(draft) for item, draft in database.execute(query, (kind, reviewer, *ids))}

    def times(self, kind: ReviewKind, reviewer: str) -> list[float]:
        """When a reviewer gave the last answers, in seconds, the first first."""
        query = "SELECT at FROM history WHERE kind = ? AND reviewer = ? ORDER BY number DESC LIMIT ?"
        with self._database.reading() as database:
            rows = database.execute(query, (kind, reviewer, _PACE_OF)).fetchall() if database else []
        return [row[0] for row in reversed(rows)]

    def respond(self, form: Form, item: str, response: Response) -> None:
        """Keep one response; it is on disk when this returns. The same again changes nothing.

        A draft never takes the place of what was submitted: it is kept beside it.

        Args:
            form: What was asked.
            item: The id of what it was asked about.
            response: The answers.

        Raises:
            UsageError: The item is not on the desk, or the answers do not fit the form.
            WorkspaceError: The desk's file cannot be used.
        """
        response = checked(form, response)
        row, key = answers_row(response.values), (form.kind, item, response.reviewer)
        with self._database.writing() as database:
            if not database.execute("SELECT 1 FROM items WHERE kind = ? AND id = ?", key[:2]).fetchone():
                raise UsageError(f"item '{item[:80]}' is not on the desk any more", hint="Go on with the next one.")
            before = database.execute(
                "SELECT status, answers FROM responses WHERE kind = ? AND item = ? AND reviewer = ?", key
            ).fetchone()
            if response.status == "draft":
                _keep_draft(database, key, before, row)
                return
            if before != (response.status, row):
                earlier = before or (None, None)
                database.execute(
                    "INSERT INTO history (kind, item, reviewer, status, answers, at) VALUES (?, ?, ?, ?, ?, ?)",
                    (*key, *earlier, time.time()),
                )
            database.execute(
                "INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?, ?, NULL)", (*key, response.status, row)
            )

    def undo(self, kind: ReviewKind, reviewer: str) -> str | None:
        """Take back a reviewer's last submission, or skip; called again, the one before it.

        What was submitted for the first time becomes a draft; what replaced an earlier answer gives way to it.

        Args:
            kind: Of which kind.
            reviewer: Whose.

        Returns:
            The id of the item that it was about, or None when there is nothing left to take back.

        Raises:
            WorkspaceError: The desk's file cannot be used.
        """
        with self._database.writing() as database:
            last = database.execute(_LAST, (kind, reviewer)).fetchone()
            if last is None:
                return None
            number, item, status, answers, given = last
            database.execute("DELETE FROM history WHERE number = ?", (number,))
            if status in {None, "draft"}:
                status, answers = "draft", given if answers_of(given) else answers
            key = (kind, item, reviewer)
            if answers is None:
                database.execute("DELETE FROM responses WHERE kind = ? AND item = ? AND reviewer = ?", key)
            else:
                database.execute(
                    "INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?, ?, NULL)", (*key, status, answers)
                )
            return str(item)

    def _reviewed(self, kind: ReviewKind, rest: str, values: tuple[str, ...]) -> list[Reviewed]:
        with self._database.reading() as database:
            if database is None:
                return []
            responses = _responses(database, kind)
            query = f"SELECT id, content, vector FROM items WHERE kind = ? {rest}"  # noqa: S608 - words of ours and question marks
            rows = database.execute(query, (kind, *values))
            return [Reviewed(item_of(kind, *row), tuple(responses.get(row[0], ()))) for row in rows]


def _responses(database: sqlite3.Connection, kind: ReviewKind) -> dict[str, list[Response]]:
    found: dict[str, list[Response]] = {}
    for item, reviewer, status, answers in database.execute(_RESPONSES, (kind,)):
        found.setdefault(item, []).append(Response(reviewer, answers_of(answers), status))
    return found


def _put(
    database: sqlite3.Connection, place: int, item: Item, before: tuple[int | None, str, bytes] | None, *, kept: bool
) -> str:
    """Write an item and say what became of it; ``kept``: somebody answered it, so its fields stay."""
    if before is None:
        row = (item.kind, item.id, place, content_of(item), vector_of(item))
        database.execute("INSERT INTO items VALUES (?, ?, ?, ?, ?)", row)
        return "added"
    old_place, *old = before
    if kept:
        item = replace(item, fields=item_of(item.kind, item.id, *before[1:]).fields)
    new = [content_of(item), vector_of(item)]
    query = "UPDATE items SET place = ?, content = ?, vector = ? WHERE kind = ? AND id = ?"
    database.execute(query, (place, *new, item.kind, item.id))
    return "unchanged" if old == new and old_place is not None else "updated"


def _retire(database: sqlite3.Connection, kind: ReviewKind, item: str, *, kept: bool) -> None:
    if kept:
        database.execute("UPDATE items SET place = NULL WHERE kind = ? AND id = ?", (kind, item))
    else:
        database.execute("DELETE FROM items WHERE kind = ? AND id = ?", (kind, item))
        database.execute("DELETE FROM history WHERE kind = ? AND item = ?", (kind, item))


def _keep_draft(
    database: sqlite3.Connection, key: tuple[str, str, str], before: tuple[str, str] | None, row: str
) -> None:
    if before and before[0] != "draft":
        draft = None if row == before[1] else row
        query = "UPDATE responses SET draft = ? WHERE kind = ? AND item = ? AND reviewer = ?"
        database.execute(query, (draft, *key))
    elif answers_of(row):
        database.execute("INSERT OR REPLACE INTO responses VALUES (?, ?, ?, 'draft', ?, NULL)", (*key, row))
    else:
        database.execute("DELETE FROM responses WHERE kind = ? AND item = ? AND reviewer = ?", key)
