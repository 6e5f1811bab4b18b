"""Unpacks an archive as data: files and folders, nothing that could act or point elsewhere.

In: a ``.zip`` or a ``.tar`` (plain, or packed by gzip, bzip2 or xz) from a stranger. Out: a folder that is complete or absent.
It refuses what would leave the folder and archives that grow too large. It knows no registry.
"""

import bz2
import gzip
import io
import lzma
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, cast

from dragoman.errors import SourceError
from dragoman.ingest.sources.members import Gate, Limits, Links, MemberKind, Refused, shown
from dragoman.records import Rejected

__all__ = ["ARCHIVE_SUFFIXES", "Limits", "Links", "unpack"]

ARCHIVE_SUFFIXES: Final = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")

_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_ENCRYPTED = 0x1
_PLAIN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others may ask for gigabytes of memory
_XZ_MEMORY = 256 * 2**20
# tarfile calls itself for each header that only announces the next one, so a long row of them recurses too deep.
_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    struct.error,
    EOFError,
    RecursionError,
)
_TAR_OVERHEAD = 2048  # bytes a member may take beside its content: its own header, a long name's, padding
_ZIP_ENTRY = 300  # bytes of a zip's list for each member, with a long name
_ZIP_HEADER = 30  # bytes before a member's name and content, at least


def unpack(
    archive: Path, target: Path, limits: Limits | None = None, *, links: Links = "refuse"
) -> tuple[Rejected, ...]:
    """Unpack an archive into a new folder.

    Args:
        archive: The file; its kind is told by its first bytes, not by the name.
        target: The folder to make. When it exists already (another process was faster), it is kept.
        limits: How far the archive may grow; ``None`` takes the defaults of ``Limits``.
        links: ``"skip"`` leaves out what a repository may rightly hold: links, and names that not every disk can keep
            apart or show. ``"refuse"`` refuses the archive for them.

    Returns:
        What was left out, by its path in the archive.

    Raises:
        SourceError: The archive is damaged, of another format, unsafe or too large, or the disk
            refused; ``target`` was not made.
    """
    limits = limits or Limits()
    beside: Path | None = None
    try:
        gate = Gate(limits, archive.stat().st_size, links)
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=target.parent))
        _unpack_into(archive, beside, gate)
        if not target.is_dir():
            _rename(beside, target)
    except Refused as error:
        hint = "To allow more: max_files and max_total_mb of [ingest]." if "more than" in str(error) else ""
        raise SourceError(
            f"archive {archive.name} refused: {error}", expected=_expected(limits, links), hint=hint
        ) from None
    except _DAMAGED as error:
        raise SourceError(f"archive {archive.name} is damaged: {error}", hint="Fetch it again.") from None
    except (OSError, ValueError, NotImplementedError) as error:
        raise SourceError(f"archive {archive.name} cannot be unpacked: {error}") from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)
    return tuple(gate.left_out)


def _expected(limits: Limits, links: Links) -> str:
    size = f"{limits.total_bytes / 1_000_000:.0f} MB"
    plain = "plain files only" if links == "refuse" else "files"
    return f"a .zip or .tar.gz with {plain}, at most {limits.members} of them and {size} in all"


def _rename(beside: Path, target: Path) -> None:
    try:
        beside.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def _unpack_into(archive: Path, folder: Path, gate: Gate) -> None:
    with archive.open("rb") as file:
        start = file.read(tarfile.BLOCKSIZE)
        file.seek(0)
        if start.startswith(_ZIP):
            _unpack_zip(file, folder, gate)
            return
        with _stream(file, start) as stream, _opened_tar(stream, gate) as tar:
            _unpack_tar(tar, folder, gate)


def _stream(file: IO[bytes], start: bytes) -> IO[bytes]:
    """The plain tar in a file."""
    if start.startswith(_GZIP):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file))
    if start.startswith(_BZIP2):
        return cast("IO[bytes]", bz2.BZ2File(file))
    if start.startswith(_XZ):
        return cast("IO[bytes]", _Xz(file))
    try:
        tarfile.TarInfo.frombuf(start, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        raise Refused("it is neither a zip nor a tar, plain or packed by gzip, bzip2 or xz") from None
    return file


class _Xz(io.RawIOBase):
    """Reads xz within bounds of memory; ``lzma.open`` takes as much as the file asks for."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file, self._engine = file, lzma.LZMADecompressor(memlimit=_XZ_MEMORY)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._engine.eof:
            packed = self._file.read(2**16) if self._engine.needs_input else b""
            if self._engine.needs_input and not packed:
                raise EOFError("it ends too early")
            data = self._engine.decompress(packed, size)
            if data:
                return data
        return b""


class _Metered(io.RawIOBase):
    """A stream that ends in a refusal: tar headers, too, can be made to expand without end."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        super().__init__()
        self._stream, self._left = stream, limit
        self.size, self.used = 0, 0  # bytes seen, and those up to the last that is no zero

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise Refused("it expands without end")
        if kept := len(data.rstrip(b"\0")):
            self.used = self.size + kept
        self.size += len(data)
        return data


@contextmanager
def _opened_tar(stream: IO[bytes], gate: Gate) -> Iterator[tarfile.TarFile]:
    most = gate.most + _TAR_OVERHEAD * gate.limits.members + 2 * tarfile.RECORDSIZE
    # "r|" reads forward only, so a member is judged and written before the next is even seen.
    with _Metered(stream, most) as metered:
        with tarfile.open(fileobj=metered, mode="r|") as tar:
            yield tar
        while metered.read(2**16):  # gzip's own checksum stands behind what tar takes for the end
            pass
        # tarfile takes a damaged header, and the end of the file, for the end of the archive.
        if metered.size < tar.offset + tarfile.BLOCKSIZE or metered.used > tar.offset:
            raise tarfile.ReadError("it has no proper end")


def _unpack_tar(tar: tarfile.TarFile, folder: Path, gate: Gate) -> None:
    for member in tar:
        kind = _tar_kind(member)
        # A sparse file is as large as it says, however little of it is in the archive.
        path = gate.admit(member.name, kind, member.size if kind == "file" else 0, member.linkname)
        if path is None:
            continue
        if hasattr(tarfile, "data_filter"):  # Python before 3.11.4 has none; all it refuses is refused above
            tarfile.data_filter(member, str(folder))
        _write(tar.extractfile(member) if kind == "file" else None, folder / path)


def _tar_kind(member: tarfile.TarInfo) -> MemberKind:
    if member.issym() or member.islnk():
        return "link"
    if member.isdir():
        return "folder"
    return "file" if member.isreg() and not member.issparse() else "other"


class _ShortReads(io.BufferedReader):
    """A file that refuses to be read whole: zipfile takes a list of any length into memory."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > self.most:
            raise Refused(f"its list of files takes more than {self.most} bytes")
        return super().read(size)


def _unpack_zip(file: IO[bytes], folder: Path, gate: Gate) -> None:
    bounded = _ShortReads(io.FileIO(file.fileno(), closefd=False))
    bounded.most = max(2**20, _ZIP_ENTRY * gate.limits.members)
    with bounded, zipfile.ZipFile(cast("IO[bytes]", bounded)) as bundle:
        _check_overlaps(bundle.infolist())
        for member in bundle.infolist():
            # Some writers on Windows take its own separator; zipfile cuts a name at its first NUL.
            name = member.orig_filename.replace("\\", "/") if "\0" not in member.orig_filename else "\0"
            kind = _zip_kind(member, name)
            path = gate.admit(name, kind, member.file_size if kind == "file" else 0)
            if path is None:
                continue
            if kind == "folder":
                _write(None, folder / path)
                continue
            if member.flag_bits & _ENCRYPTED:
                raise Refused(f"{shown(name)} is encrypted")
            if member.compress_type not in _PLAIN_METHODS:
                raise Refused(f"{shown(name)} is packed by method {member.compress_type}, not by deflate")
            # zipfile itself stops at the announced size and checks the CRC: a lying header cannot write more.
            with bundle.open(member) as content:
                _write(content, folder / path)


def _zip_kind(member: zipfile.ZipInfo, name: str) -> MemberKind:
    mode = stat.S_IFMT(member.external_attr >> 16)
    if mode == stat.S_IFLNK:
        return "link"
    if mode not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "other"
    return "folder" if name.endswith("/") else "file"


def _check_overlaps(members: list[zipfile.ZipInfo]) -> None:
    """Many names for the same packed bytes make a small file grow without end, each within its own ratio."""
    end = 0
    for member in sorted(members, key=lambda each: each.header_offset):
        if member.header_offset < end:
            raise Refused(f"{shown(member.filename)} overlaps with another file")
        end = member.header_offset + _ZIP_HEADER + member.compress_size


def _write(content: IO[bytes] | None, path: Path) -> None:
    """Make a file, or a folder when there is no content; never with the archive's own permissions."""
    if content is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        shutil.copyfileobj(content, file, 2**20)
