"""Questions that people asked, from a file: what was asked, and where in the docs the answer stands.

In: JSON Lines, a question a line: ``{"qid", "question", "relevant": [{"file", "heading" or "lines": [first, last],
"grade": 1 or 2}]}``. Out: questions with their places, or one error that names the line. No place is looked up here, and no file that a
row names is opened.
"""

import json
import posixpath
import re
import reprlib
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dragoman.errors import UsageError

GRADES: Final = (1, 2)  # 2: answers the question; 1: helps with it
SHAPE: Final = '{"qid", "question", "relevant": [{"file", "heading" or "lines": [first, last], "grade": 1 or 2}, ...]}'

_SHOWN: Final = 60  # characters of a value in an error
_TAG: Final = re.compile(r"</?[A-Za-z][^<>]*>")
_TARGET: Final = re.compile(r"\]\([^()]*\)")
_WORDS: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer stands: lines of a file, or a section of it with all below it.

    ``lines`` (1-based, inclusive) count where there are any, else ``heading``; the heading "" is the whole file. ``source`` says which
    source of the docs is meant, "" where the file is in one only.
    """

    file: str  # relative to the docs folder, as ``file_key`` writes it
    grade: int
    heading: str = ""
    lines: tuple[int, int] | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class RealQuestion:
    """What somebody asked, and the places that answer it, at least one; ``line`` is the line of the file that says so, 0 if none does."""

    qid: str
    text: str
    relevant: tuple[Place, ...]
    line: int = 0

    @property
    def unit(self) -> str:
        """The file of the first place: what a bootstrap by document draws."""
        return self.relevant[0].file


def file_key(file: str) -> str:
    """A file's path in the one spelling that is compared: with "/", without "./", in composed letters.

    Args:
        file: The path, relative to the docs folder.

    Returns:
        The spelling.
    """
    return posixpath.normpath(unicodedata.normalize("NFC", file).replace("\\", "/"))


def heading_keys(heading: str) -> frozenset[str]:
    """The spellings under which a heading is found: its words in small letters, as written and without its markup.

    Attribute lists ("{#id}") are no words. Two headings are the same when they share a spelling.

    Args:
        heading: As written in Markdown, or as readers see it.

    Returns:
        One or two spellings; none for a heading without any character.
    """
    written = _without_braces(heading)
    plain = _TAG.sub("", _TARGET.sub("]", written))
    found = (" ".join(_WORDS.findall(text.lower())) for text in (written, plain))
    return frozenset(key for key in found if key) or frozenset(heading.split())


def read_real_questions(path: Path) -> list[RealQuestion]:
    """Read a file of questions.

    Args:
        path: JSON Lines in UTF-8; empty lines are skipped.

    Returns:
        The questions in the order of the file.

    Raises:
        UsageError: The file cannot be read or holds no question; a line is no JSON, lacks a key, has a value that cannot be meant, or the
            qid of another line.
    """
    questions: dict[str, RealQuestion] = {}
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        question = _Row(f"{path}:{number}").question(line, number)
        earlier = questions.setdefault(question.qid, question)
        if earlier is not question:
            raise UsageError(
                f"{path}:{number}: the qid {_short(question.qid)} is that of line {earlier.line}",
                expected="a qid of its own for each question",
            )
    if not questions:
        raise UsageError(f"{path} holds no question", expected=f"a question a line: {SHAPE}")
    return list(questions.values())


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", expected="a JSONL file of questions") from error
    except ValueError as error:
        raise UsageError(f"cannot read {_short(str(path))}: {error}", expected="a JSONL file of questions") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path}:{line} is not in UTF-8", hint="Save the file again, as UTF-8.") from error


@dataclass(frozen=True, slots=True)
class _Row:
    """Reads one line; ``where`` names it in errors."""

    where: str

    def question(self, line: str, number: int) -> RealQuestion:
        row = self._parsed(line)
        qid = self._needed(row, "qid")
        qid = str(qid) if isinstance(qid, int) and not isinstance(qid, bool) else qid
        text = self._words("question", self._needed(row, "question"))
        listed = self._needed(row, "relevant")
        if not isinstance(listed, list) or not listed:
            raise self._wrong("relevant", listed, "a list with at least one place that answers the question")
        places = tuple(self._place(entry) for entry in listed)
        if len(set(places)) < len(places):
            twice = next(place for count, place in enumerate(places) if place in places[:count])
            raise UsageError(
                f"{self.where}: 'relevant' names a place of {_short(twice.file)} twice", expected="it once"
            )
        return RealQuestion(self._words("qid", qid), text, places, number)

    def _place(self, entry: object) -> Place:
        if not isinstance(entry, dict):
            raise self._wrong("relevant", entry, 'places such as {"file", "heading", "grade"}')
        file = self._words("file", self._needed(entry, "file"))
        heading, lines, source = entry.get("heading"), entry.get("lines"), entry.get("source")
        if heading is None and lines is None:
            raise self._lacks("heading' or 'lines")
        grade = self._needed(entry, "grade")
        if isinstance(grade, bool) or not isinstance(grade, int) or grade not in GRADES:
            raise self._wrong("grade", grade, "2 (answers the question) or 1 (helps with it)")
        return Place(
            file_key(file),
            grade,
            "" if heading in (None, "") else self._words("heading", heading),
            None if lines is None else self._lines(lines),
            self._words("source", source) if source is not None else "",
        )

    def _lines(self, lines: object) -> tuple[int, int]:
        match lines:
            case [int(first), int(last)] if 1 <= first <= last and bool not in {type(first), type(last)}:
                return first, last
            case _:
                raise self._wrong("lines", lines, "[first, last], from 1 on, the first no larger than the last")

    def _words(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(key, value, "text")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise self._wrong(key, value, "text without halves of surrogate pairs") from None
        return value.strip()

    def _parsed(self, line: str) -> dict[str, Any]:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{self.where} is not JSON: {error}", expected=SHAPE) from error
        if not isinstance(row, dict):
            raise UsageError(f"{self.where} is not a question: {_short(row)}", expected=SHAPE)
        return row

    def _needed(self, row: dict[str, Any], key: str) -> object:
        if row.get(key) is None:
            raise self._lacks(key)
        return row[key]

    def _lacks(self, key: str) -> UsageError:
        return UsageError(f"{self.where}: there is no '{key}'", expected=SHAPE)

    def _wrong(self, key: str, value: object, expected: str) -> UsageError:
        return UsageError(f"{self.where}: '{key}' is {_short(value)}", expected=expected)


def _without_braces(text: str) -> str:
    """The text without what stands in braces; one walk, since a pattern would look for an end from every opening."""
    kept: list[str] = []
    place = 0
    while (opening := text.find("{", place)) >= 0 and (closing := text.find("}", opening)) >= 0:
        kept.append(text[place:opening])
        place = closing + 1
    return "".join([*kept, text[place:]])


def _short(value: object) -> str:
    text = ascii(value) if isinstance(value, str) else reprlib.repr(value)  # which stops at a depth
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
