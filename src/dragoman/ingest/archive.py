"""Unpacks a downloaded archive as data: files and folders, nothing that could act or point elsewhere.

In: a ``.tar.gz`` or ``.zip`` file from a stranger. Out: a folder that is complete or absent. It refuses
links, devices, paths that leave the folder, and archives that grow too large. It knows no registry.
"""

import gzip
import io
import os
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from dragoman.errors import SourceError

_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED = 0x1
# tarfile calls itself for each header that only announces the next one, so a long row of them recurses too deep.
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, struct.error, EOFError, RecursionError)
_TAR_OVERHEAD = 2048  # bytes a member may take beside its content: its own header, a long name's, padding


@dataclass(frozen=True, slots=True)
class Limits:
    """How far an archive may grow: number of members, bytes of one file, bytes in all."""

    members: int = 20_000
    file_bytes: int = 64 * 2**20
    total_bytes: int = 512 * 2**20


class _Refused(Exception):
    """Why an archive is not unpacked; never leaves this module."""


def unpack(archive: Path, target: Path, limits: Limits | None = None) -> None:
    """Unpack an archive into a new folder.

    Args:
        archive: A ``.tar.gz`` or ``.zip`` file; told apart by their first bytes, not by the name.
        target: The folder to make. When it exists already (another process was faster), it is kept.
        limits: How far the archive may grow; ``None`` takes the defaults of ``Limits``.

    Raises:
        SourceError: The archive is damaged, of another format, unsafe or too large, or the disk
            refused; ``target`` was not made.
    """
    limits = limits or Limits()
    beside: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=target.parent))
        _unpack_into(archive, beside, limits)
        if not target.is_dir():
            _rename(beside, target)
    except _Refused as error:
        raise SourceError(f"archive {archive.name} refused: {error}", expected=_expected(limits)) from None
    except _DAMAGED as error:
        raise SourceError(
            f"archive {archive.name} is damaged: {error}", hint="Try again: it is fetched anew."
        ) from None
    except (OSError, ValueError, NotImplementedError) as error:
        raise SourceError(f"archive {archive.name} cannot be unpacked: {error}") from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def _expected(limits: Limits) -> str:
    size = f"{limits.total_bytes / 2**20:.0f} MB"
    return f"a .tar.gz or .zip with plain files only, at most {limits.members} of them and {size} in all"


def _rename(beside: Path, target: Path) -> None:
    try:
        beside.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _unpack_into(archive: Path, folder: Path, limits: Limits) -> None:
    with archive.open("rb") as file:
        start = file.read(4)
    if start[:2] == _GZIP:
        _unpack_tar(archive, folder, limits)
    elif start in _ZIP:
        _unpack_zip(archive, folder, limits)
    else:
        raise _Refused("it is neither a gzip nor a zip file")


class _Budget:
    """Counts what comes out of an archive and refuses what is over a limit."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.members, self.total = limits, 0, 0

    def add(self, name: str, size: int) -> None:
        """Count a member of ``size`` bytes; must be called before anything of it is written."""
        self.members += 1
        self.total += size
        if self.members > self.limits.members:
            raise _Refused(f"it holds more than {self.limits.members} files")
        if not 0 <= size <= self.limits.file_bytes:
            raise _Refused(f"'{name}' takes {size} bytes, the limit is {self.limits.file_bytes}")
        if self.total > self.limits.total_bytes:
            raise _Refused(f"it grows over {self.limits.total_bytes} bytes")


def _check_name(name: str) -> None:
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(name)
        if path.anchor or path.drive:
            raise _Refused(f"'{name}' is an absolute path")
        if ".." in path.parts:
            raise _Refused(f"'{name}' leaves the folder")


class _Metered(io.RawIOBase):
    """A stream that ends in a refusal: tar headers, too, can be made to expand without end."""

    def __init__(self, stream: gzip.GzipFile, limit: int) -> None:
        super().__init__()
        self.stream, self.left = stream, limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(min(size, self.left + 1) if size >= 0 else self.left + 1)
        self.left -= len(data)
        if self.left < 0:
            raise _Refused("it expands without end")
        return data


@contextmanager
def _opened_tar(archive: Path, limits: Limits) -> Iterator[tarfile.TarFile]:
    most = limits.total_bytes + _TAR_OVERHEAD * limits.members + 2 * tarfile.RECORDSIZE
    # "r|" reads forward only, so a member is judged and written before the next is even seen.
    with gzip.open(archive, "rb") as stream, _Metered(stream, most) as metered:
        with tarfile.open(fileobj=metered, mode="r|") as tar:
            yield tar
        while metered.read(2**16):  # gzip's own checksum stands behind what tar takes for the end
            pass


def _unpack_tar(archive: Path, folder: Path, limits: Limits) -> None:
    budget = _Budget(limits)
    with _opened_tar(archive, limits) as tar:
        for member in tar:
            if member.issym() or member.islnk():
                raise _Refused(f"'{member.name}' is a link to '{member.linkname}'")
            if not (member.isreg() or member.isdir()):
                raise _Refused(f"'{member.name}' is neither a file nor a folder")
            _check_name(member.name)
            budget.add(member.name, member.size if member.isreg() else 0)
            if hasattr(tarfile, "data_filter"):  # Python before 3.11.4 has none; all it refuses is refused above
                tarfile.data_filter(member, str(folder))
            _write(tar.extractfile(member), folder / os.path.normpath(member.name))


def _unpack_zip(archive: Path, folder: Path, limits: Limits) -> None:
    budget = _Budget(limits)
    with zipfile.ZipFile(archive) as bundle:
        for member in bundle.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind == stat.S_IFLNK:
                raise _Refused(f"'{member.filename}' is a link")
            if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
                raise _Refused(f"'{member.filename}' is neither a file nor a folder")
            if member.flag_bits & _ENCRYPTED:
                raise _Refused(f"'{member.filename}' is encrypted")
            _check_name(member.filename)
            budget.add(member.filename, member.file_size)
            # zipfile itself stops at the announced size and checks the CRC: a lying header cannot write more.
            with bundle.open(member) as content:
                _write(None if member.is_dir() else content, folder / os.path.normpath(member.filename))


def _write(content: IO[bytes] | None, path: Path) -> None:
    """Make a file, or a folder when there is no content; never with the archive's own permissions."""
    if content is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        shutil.copyfileobj(content, file, 2**20)
