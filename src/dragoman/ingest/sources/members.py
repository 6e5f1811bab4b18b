"""Judges what a stranger's archive wants to write: each member by its name, its kind and its size.

In: members as an archive announces them, one after the other. Out: the place of each below the folder, or a refusal. It
reads no archive and writes no file.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final, Literal

from dragoman.config import IngestSettings
from dragoman.records import Rejected

MemberKind = Literal["file", "folder", "link", "other"]
Links = Literal["refuse", "skip"]

_FAIR_RATIO: Final = 200  # text packs 3 to 10 times, pages that a program wrote 30 times
_FAIR_BYTES: Final = 16_000_000  # whatever the ratio: a small archive of one letter harms nobody
_DEEPEST: Final = 64
_LONGEST_NAME: Final = 255  # bytes, as file systems have it
_SHOWN: Final = 120
# Control characters, and those that turn the direction of what is shown: "txt.exe" for "exe.txt".
_UNSHOWABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Limits:
    """How far an archive may grow: number of files (and of folders), bytes of one file, bytes in all."""

    members: int = 20_000
    file_bytes: int = 64_000_000
    total_bytes: int = 512_000_000

    @classmethod
    def of(cls, settings: IngestSettings) -> "Limits":
        """The limits that the settings of a source give; one file may take all of it."""
        total = int(settings.max_total_mb * 1_000_000)
        return cls(settings.max_files, total, total)


class Refused(Exception):
    """Why an archive is not unpacked; never leaves the modules that unpack."""


@dataclass(slots=True)
class Gate:
    """Admits the members of one archive, and remembers them.

    With ``links="skip"``, what a repository may rightly hold and a folder of data may not is left out rather than refused:
    links, names that cannot be shown, and names that differ from another in case or accents only. ``left_out`` tells each, and why.
    """

    limits: Limits
    packed: int  # bytes of the archive itself
    links: Links = "refuse"
    left_out: list[Rejected] = field(default_factory=list)
    _entries: int = 0
    _files: int = 0
    _bytes: int = 0
    _folders: set[str] = field(default_factory=set)
    _names: dict[str, str] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    @property
    def most(self) -> int:
        """Bytes that may come out of the archive in all."""
        return min(self.limits.total_bytes, max(_FAIR_BYTES, _FAIR_RATIO * self.packed))

    def admit(self, name: str, kind: MemberKind, size: int, target: str = "") -> PurePosixPath | None:
        """Judge a member; must be called before anything of it is written.

        Args:
            name: Its path, as the archive gives it.
            kind: What it is.
            size: Bytes of a file; 0 for anything else.
            target: What a link points at, if known.

        Returns:
            Where it goes, relative to the folder; ``None``: it is left out.

        Raises:
            Refused: It is unsafe, or one too many.
        """
        self._count_entry()
        path = _checked(name)
        if kind == "other":
            raise Refused(f"{shown(name)} is neither a file nor a folder")
        if kind == "link":
            to = f"to {shown(target)}" if target else ""
            return self._unwanted(name, f"{shown(name)} is a link {to}".rstrip(), "link not followed", to)
        if _UNSHOWABLE.search(name):
            detail = "it has control characters in its name"
            return self._unwanted(name, f"{shown(name)}: {detail}", "unreadable", detail)
        if kind == "file":
            self._count(name, size)
            twin = self._twin(path)
            if twin:
                detail = f"{shown(twin)} differs from it in case or accents only"
                happened = f"{shown(name)} and {shown(twin)} differ in case or accents only"
                return self._unwanted(name, happened, "unreadable", detail)
        self._enter(path if kind == "folder" else path.parent)
        return path

    def leave_out(self, name: str, reason: str, detail: str = "") -> None:
        """List a member that is not written, whatever it is.

        Args:
            name: Its path; what a terminal would act on is escaped in the list.
            reason: One of the reasons for which a file is not read.
            detail: More about it.

        Raises:
            Refused: It is one too many.
        """
        self._count_entry()
        self._list(name, reason, detail)

    def _count_entry(self) -> None:
        self._entries += 1
        if self._entries > 4 * self.limits.members:
            raise Refused(f"it holds more than {4 * self.limits.members} entries")

    def _unwanted(self, name: str, happened: str, reason: str, detail: str) -> PurePosixPath | None:
        if self.links == "refuse":
            raise Refused(happened)
        self._list(name, reason, detail)
        return None

    def _list(self, name: str, reason: str, detail: str) -> None:
        self.left_out.append(Rejected("ingest", _plain(name), reason, detail))

    def _count(self, name: str, size: int) -> None:
        self._files += 1
        self._bytes += size
        if self._files > self.limits.members:
            raise Refused(f"it holds more than {self.limits.members} files")
        if not 0 <= size <= self.limits.file_bytes:
            raise Refused(f"{shown(name)} takes {size} bytes, the limit is {self.limits.file_bytes}")
        if self._bytes > self.limits.total_bytes:
            raise Refused(f"it grows over {self.limits.total_bytes} bytes")
        if self._bytes > self.most:
            raise Refused(f"it grows to more than {_FAIR_RATIO} times its own size")

    def _twin(self, path: PurePosixPath) -> str:
        """A file of another spelling that is the same file on many disks; "" for none."""
        if not path.parts:
            raise Refused("it holds a file without a name")
        key = unicodedata.normalize("NFC", str(path)).casefold()
        known = self._names.setdefault(key, str(path))
        if known != str(path):
            return known
        if key in self._seen:
            raise Refused(f"{shown(known)} is in it twice")
        self._seen.add(key)
        return ""

    def _enter(self, folder: PurePosixPath) -> None:
        while folder.parts and str(folder) not in self._folders:
            self._folders.add(str(folder))
            folder = folder.parent
        if len(self._folders) > self.limits.members:
            raise Refused(f"it holds more than {self.limits.members} folders")


def shown(name: str) -> str:
    """A name in quotes that is safe to print: shortened, and without what a terminal would act on."""
    return f"'{_plain(name if len(name) <= _SHOWN else name[: _SHOWN - 3] + '...')}'"


def _plain(name: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in name)


def _checked(name: str) -> PurePosixPath:
    if "\0" in name:
        raise Refused(f"{shown(name)} has a NUL in its name")
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(name)
        if path.anchor or path.drive:
            raise Refused(f"{shown(name)} is an absolute path")
        if ".." in path.parts:
            raise Refused(f"{shown(name)} leaves the folder")
    path = PurePosixPath(name)
    if len(path.parts) > _DEEPEST:
        raise Refused(f"{shown(name)} is nested deeper than {_DEEPEST} folders")
    if any(len(part.encode("utf-8", "surrogatepass")) > _LONGEST_NAME for part in path.parts):
        raise Refused(f"{shown(name)} is longer than a file's name may be")
    return path
