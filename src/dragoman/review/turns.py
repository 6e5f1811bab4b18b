"""Conversations as the chat keeps them, and the places in the docs that people name when they review one.

In and out: turns, as a file of JSON Lines, one line a turn. Several processes may append to one file; what a killed one left of its
last line is skipped. A place, as it was typed, becomes the ids of the chunks there. It knows neither chat nor desk.
"""

import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from dragoman.errors import SourceError, WorkspaceError
from dragoman.records import Chunk, Turn

_EXPECTED = '{"question": "...", "answer": "..."} on a line, and perhaps "conversation", "number", "chunks", "model", "liked", "comment"'
_MOST = 2**31  # of a turn's number, which desks keep in 32 bits
_BLOCK = 2**16
_LONGEST = 2000  # characters of a place
_LINK = re.compile(r"(?<=\]\()[^()\s]+(?=\))|https?://[^\s<>()\"']+")
_LINES = re.compile(r"L([0-9]{1,9})(?:C[0-9]{1,9})?(?:-L?([0-9]{1,9})(?:C[0-9]{1,9})?)?", re.IGNORECASE)
_COLON = re.compile(r":([0-9]{1,9})(?:-([0-9]{1,9}))?\Z")
_SUFFIX = re.compile(r"\.(?:html?|mdx?|markdown|rst|txt|ipynb|adoc)\Z")
_ROOTS = frozenset({"content", "doc", "docs", "main", "master", "pages", "site", "source", "src", "website"})


def read_turns(path: Path) -> list[Turn]:
    """Read the turns of conversations.

    Args:
        path: The file. A last line that no line end closes and that is not whole is what a killed writer left: it is skipped.

    Returns:
        The turns, in the order of the file.

    Raises:
        SourceError: The file is missing or cannot be read, or a line is not a turn.
    """
    turns = []
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                found = _parsed(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
                if found is None and not line.endswith(b"\n"):
                    break
                turns.append(_turn(found, f"{path}:{number}"))
    except FileNotFoundError:
        hint = "It is filled as people use the chat."
        raise SourceError(f"there are no conversations at {path}", expected="a file of turns", hint=hint) from None
    except OSError as error:
        raise SourceError(f"cannot read {path}: {error.strerror or error}", expected="a file of turns") from error
    return turns


def append_turn(path: Path, turn: Turn) -> None:
    """Add a turn to the end of a file, in one write.

    Args:
        path: The file; it is made, readable by its owner only, if it is not there. What a killed writer left of a last line is cut off.
        turn: The turn.

    Raises:
        WorkspaceError: The file cannot be written, or the disk is full.
    """
    line = json.dumps(asdict(turn), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _opened(path) as file:
            end = _mended(file)
            written = os.write(file, end + line)
    except OSError as error:
        raise WorkspaceError(
            f"cannot write {path}: {error.strerror or error}", hint="Make it writable, or free some space."
        ) from error
    if written < len(end + line):  # the next writer cuts off what is there of it
        raise WorkspaceError(f"cannot write {path}: the disk is full", hint="Free some space.")


def find_source(source: str, chunks: Sequence[Chunk]) -> list[str]:
    """The chunks at a place that a person typed.

    Args:
        source: The address of a page; a file, by the end of its path or with folders before it; a heading after "#", as an anchor or in its
            words, or lines as ":12", ":12-20" or "#L12-L20"; or a heading alone. Case, file endings and slashes at the end do not matter.
        chunks: All chunks.

    Returns:
        Ids in reading order: all chunks of a page that is named without a heading, and of several places when they are named alike.
        None where no such page, or no such heading on it, is known.
    """
    typed = source.strip() if len(source) <= _LONGEST else ""
    link = _LINK.search(typed)
    # An address may end in a heading's words, or stand in a sentence.
    readings = dict.fromkeys([typed, link[0]] if link else [typed])
    there = next((found for reading in readings if (found := _at(reading, chunks))), [])
    return [chunk.id for chunk in sorted(there, key=lambda one: (one.source, one.path, one.start, one.id))]


def _at(typed: str, chunks: Sequence[Chunk]) -> list[Chunk]:
    place, anchor, lines = _split(typed)
    there = _pages(place, chunks, of_lines=lines is not None) if place else list(chunks)
    if lines:
        there = _at_lines(there, *lines)
    elif anchor:
        by_url = [chunk for chunk in there if unquote(chunk.url.partition("#")[2]).casefold() == anchor.casefold()]
        there = by_url or [chunk for chunk in there if _headed(chunk, anchor)]
    elif not there or not place:
        there = [chunk for chunk in chunks if place and _headed(chunk, place)]
    return there


def _split(typed: str) -> tuple[str, str, tuple[int, int] | None]:
    """The page, the heading, and the lines that a place names."""
    typed = typed.strip("<>\"'`()[] \t\r\n").rstrip(".,;")
    place, _, anchor = typed.partition("#")
    anchor = unquote(anchor.partition(":~:")[0]).strip()
    found = _LINES.fullmatch(anchor) or (None if "://" in place else _COLON.search(place))
    if found is None:
        return place.strip(), anchor, None
    first, last = int(found[1]), int(found[2] or found[1])
    return (place if anchor else place[: found.start()]).strip(), "", (first, max(first, last))


def _pages(place: str, chunks: Sequence[Chunk], *, of_lines: bool) -> list[Chunk]:
    """The chunks of the pages that fit best."""
    typed, address = _segments(place), "://" in place
    best, found = (1, 0), list[Chunk]()
    for chunk in chunks:
        names = (chunk.origin,) if of_lines else (chunk.path, chunk.origin)
        fits = [_fit(typed, _segments(name), address=address) for name in dict.fromkeys(names)]
        if address and chunk.url:
            url = _segments(chunk.url.partition("#")[0])
            fits.append((4, 0) if url == typed else (2, 0) if typed[1:] and url[1:] == typed[1:] else (0, 0))
        if max(fits) > best:
            best, found = max(fits), []
        if max(fits) == best:
            found.append(chunk)
    return found


def _fit(typed: tuple[str, ...], name: tuple[str, ...], *, address: bool) -> tuple[int, int]:
    """How well a place fits a file: the larger, the better; below (1, 0) it does not."""
    if typed == name:
        return (4, 0)
    before = typed[: -len(name)] if name and typed[-len(name) :] == name else ()
    # One name alone is easily that of another page: what stands before it must be a folder that docs lie in.
    if before and (len(name) > 1 or before[-1] in _ROOTS or (address and len(before) == 1)):
        return (3, len(name))
    return (1, len(typed)) if typed and not address and name[-len(typed) :] == typed else (0, 0)


@lru_cache(maxsize=2**16)
def _segments(address: str) -> tuple[str, ...]:
    """The steps of a path or an address that tell pages apart."""
    path = unquote(address).casefold().replace("\\", "/").partition("://")
    plain = (path[2] or path[0]).partition("?")[0]
    steps = [step for step in plain.split("/") if step not in {"", ".", ".."}]
    if steps:
        steps[-1] = _SUFFIX.sub("", steps[-1])
    return tuple(steps[:-1] if steps and steps[-1] in {"index", "readme"} else steps)


def _at_lines(chunks: Sequence[Chunk], first: int, last: int) -> list[Chunk]:
    over = [chunk for chunk in chunks if chunk.start_line <= last and chunk.end_line >= first]
    above = [chunk for chunk in chunks if chunk.start_line <= first]
    # Lines between two chunks are of the one that they follow.
    return over or sorted(above, key=lambda one: (one.start_line, one.start))[-1:]


def _headed(chunk: Chunk, words: str) -> bool:
    wanted = _letters(words)
    return bool(wanted) and wanted in {_letters(chunk.trail[-1]) if chunk.trail else "", _letters("".join(chunk.trail))}


@lru_cache(maxsize=2**16)
def _letters(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKC", text).casefold() if sign.isalnum())


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """The file, for one writer at a time: two that mend its end at once would cut into each other's line."""
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    try:
        try:
            import fcntl
        except ImportError:  # Windows: appending alone has to do
            pass
        else:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _mended(file: int) -> bytes:
    """What has to be written before a new line: the last line is whole, or is cut off, afterwards."""
    start = end = os.lseek(file, 0, os.SEEK_END)
    blocks = [b""]
    while start and b"\n" not in blocks[-1]:
        size = min(_BLOCK, start)
        start -= size
        os.lseek(file, start, os.SEEK_SET)
        blocks.append(os.read(file, size))
    last = b"".join(reversed(blocks)).rpartition(b"\n")[2]
    if not last:
        return b""
    # A person's editor may leave out the last line end; that line is whole.
    if _parsed(last) is not None:
        return b"\n"
    os.ftruncate(file, end - len(last))
    return b""


def _parsed(line: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """What a line holds; ``None`` when it is no JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _turn(row: Any, where: str) -> Turn:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(row, dict):
        raise SourceError(f"{where} is not a turn", expected=_EXPECTED)
    wrong = next((name for name, fits in _FITS.items() if not fits(row)), "")
    if wrong:
        value = json.dumps(row.get(wrong))[:100] if wrong in row else "missing"
        raise SourceError(f"{where}: '{wrong}' is {value}", expected=_EXPECTED)
    return Turn(
        question=_text(row["question"]),
        answer=_text(row["answer"]),
        conversation=_text(row.get("conversation", "")),
        number=row.get("number", 0),
        chunks=tuple(map(_text, row.get("chunks", ()))),
        model=_text(row.get("model", "")),
        liked=row.get("liked"),
        comment=_text(row.get("comment", "")),
    )


def _text(value: str) -> str:
    """The text without half characters, which JSON may hold and no table takes."""
    return value.encode("utf-8", "replace").decode("utf-8")


def _is_text(row: Mapping[str, Any], name: str, default: object = "") -> bool:
    return isinstance(row.get(name, default), str)


def _is_number(row: Mapping[str, Any]) -> bool:
    number = row.get("number", 0)
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number < _MOST


def _are_texts(row: Mapping[str, Any]) -> bool:
    chunks = row.get("chunks", [])
    return isinstance(chunks, list) and all(isinstance(each, str) for each in chunks)


_FITS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "question": lambda row: _is_text(row, "question", None),
    "answer": lambda row: _is_text(row, "answer", None),
    "conversation": lambda row: _is_text(row, "conversation"),
    "number": _is_number,
    "chunks": _are_texts,
    "model": lambda row: _is_text(row, "model"),
    "liked": lambda row: row.get("liked") is None or isinstance(row["liked"], bool),
    "comment": lambda row: _is_text(row, "comment"),
}
