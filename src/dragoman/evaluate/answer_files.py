"""Files that an evaluation of answers reads: questions to ask, answers that are expected, and answers that people judged.

In: JSON Lines in UTF-8. Out: rows, or one error that names every line which cannot be read and what is wrong with it. Keys that it does not
know are left alone, so that a row of ``answers.jsonl`` with a ``"correct"`` added is a label.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from dragoman.errors import UsageError

QUESTION: Final = '{"qid": "1", "question": "How do I delete a user?", "answerable": true}'
REFERENCE: Final = '{"question": "How do I delete a user?", "answer": "Call `users.delete(id)`."}'
LABEL: Final = '{"question": "How do I delete a user?", "answer": "Call `users.drop(id)`.", "correct": false}'

_TOLD = 5  # lines that an error names; the others are counted
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question of a file; ``placed`` says whether its row also names the places of its answer."""

    qid: str
    text: str
    answerable: bool
    placed: bool


@dataclass(frozen=True, slots=True)
class Labelled:
    """An answer that somebody judged, with the passages it cites where the row has them."""

    question: str
    answer: str
    correct: bool
    passages: tuple[str, ...]


def read_wanted(path: Path) -> list[Wanted]:
    """Read questions to ask.

    Args:
        path: Rows with ``qid``, ``question`` and perhaps ``answerable``, which is true where it is not said.

    Returns:
        The questions in the order of the file.

    Raises:
        UsageError: The file cannot be read, holds nothing, or has lines that are no such rows or repeat a ``qid``.
    """
    seen: set[str] = set()

    def read(table: Mapping[str, Any]) -> Wanted:
        qid = table.get("qid")
        qid = str(qid) if isinstance(qid, int) and not isinstance(qid, bool) else _text(table, "qid")
        if qid in seen:
            raise ValueError(f"the 'qid' {qid!r} is that of a line before")
        seen.add(qid)
        answerable = _truth(table, "answerable") if "answerable" in table else True
        return Wanted(qid, _text(table, "question"), answerable, bool(table.get("relevant")))

    return _rows(path, read, "a question", QUESTION)


def read_references(path: Path) -> dict[str, str]:
    """Read answers that are expected.

    Args:
        path: Rows with ``question`` and ``answer``.

    Returns:
        Answers by the wording of their question.

    Raises:
        UsageError: The file cannot be read, holds nothing, or has lines that are no such rows or answer a question again.
    """
    found: dict[str, str] = {}

    def read(table: Mapping[str, Any]) -> None:
        question = wording(_text(table, "question"))
        if question in found:
            raise ValueError("its question has a reference in a line before")
        found[question] = _text(table, "answer")

    _rows(path, read, "a reference", REFERENCE)
    return found


def read_labels(path: Path) -> list[Labelled]:
    """Read answers that people judged.

    Args:
        path: Rows with ``question``, ``answer`` and ``correct``; ``citations`` with a ``passage`` each are shown to the judge too.

    Returns:
        The labels in the order of the file.

    Raises:
        UsageError: The file cannot be read, holds nothing, or has lines that are no such rows.
    """

    def read(table: Mapping[str, Any]) -> Labelled:
        cited = table.get("citations")
        passages = [one.get("passage") for one in cited if isinstance(one, dict)] if isinstance(cited, list) else []
        shown = tuple(passage for passage in passages if isinstance(passage, str))
        return Labelled(_text(table, "question"), _text(table, "answer"), _truth(table, "correct"), shown)

    return _rows(path, read, "a label", LABEL)


def wording(question: str) -> str:
    """The spelling under which two files mean the same question: blanks and capitals do not count.

    Args:
        question: As typed.

    Returns:
        The spelling.
    """
    return " ".join(question.casefold().split())


def _rows(path: Path, read: Callable[[Mapping[str, Any]], Row], what: str, shape: str) -> list[Row]:
    found: list[Row] = []
    wrong: list[str] = []
    lines = [(number, line) for number, line in enumerate(_content(path).split("\n"), 1) if line.strip()]
    for number, line in lines:
        try:
            found.append(read(_object(line)))
        except (ValueError, RecursionError) as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        more = f"; and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        happened = f"{path}: {len(wrong)} of {len(lines)} lines cannot be used: {'; '.join(wrong[:_TOLD])}{more}"
        raise UsageError(happened, expected=f"{what} a line: {shape}")
    if not found:
        raise UsageError(f"{path} holds nothing", expected=f"{what} a line: {shape}")
    return found


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not in UTF-8: {error}", hint="Save the file again, as UTF-8.") from error
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot read {path}: {said}", expected="a JSONL file") from error


def _object(line: str) -> Mapping[str, Any]:
    table = json.loads(line)
    if not isinstance(table, dict):
        raise ValueError("it is no object")  # noqa: TRY004 - all that is wrong with a line is told alike
    return table


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if value is None:
        raise ValueError(f"there is no '{key}'")
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"'{key}' is {json.dumps(value)[:60]}, not text")
    return value.encode("utf-8", "replace").decode().strip()


def _truth(table: Mapping[str, Any], key: str) -> bool:
    value = table.get(key)
    if value is None:
        raise ValueError(f"there is no '{key}'")
    if not isinstance(value, bool):
        raise ValueError(f"'{key}' is {json.dumps(value)[:60]}, not true or false")  # noqa: TRY004 - as above
    return value
