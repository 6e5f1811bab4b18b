"""Archives made by somebody who means harm, and those of honest repositories that look a little like them."""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dragoman.config import IngestSettings
from dragoman.errors import SourceError
from dragoman.ingest.sources.archive import Links, unpack
from dragoman.ingest.sources.members import Gate, Limits, Refused

Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, content: bytes = b"words\n", kind: bytes = tarfile.REGTYPE, link: str = "") -> Member:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    return info, content


def tar(members: Sequence[Member], form: int = tarfile.PAX_FORMAT) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form) as bundle:
        for info, content in members:
            bundle.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def archive(folder: Path, data: bytes) -> Path:
    path = folder / "docs.archive"
    path.write_bytes(data)
    return path


def zipped(names: Sequence[str | zipfile.ZipInfo], content: bytes = b"words\n") -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name in names:
            bundle.writestr(name, content)
    return raw.getvalue()


def refusal(folder: Path, data: bytes, limits: Limits | None = None, links: Links = "refuse") -> str:
    target = folder / "out" / "docs"
    with pytest.raises(SourceError) as caught:
        unpack(archive(folder, data), target, limits, links=links)
    assert not list(target.parent.iterdir())
    return str(caught.value)


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["plain", "gzip", "bzip2", "xz"]
)
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_is_unpacked_however_it_is_packed(tmp_path: Path, pack: Callable[[bytes], bytes], form: int) -> None:
    data = tar([member("docs/a.md"), member("docs/deep/b.md", bytes(range(256)) * 999)], form)
    assert unpack(archive(tmp_path, pack(data)), tmp_path / "docs") == ()
    assert names(tmp_path / "docs") == ["docs/a.md", "docs/deep/b.md"]
    assert (tmp_path / "docs" / "docs" / "deep" / "b.md").read_bytes() == bytes(range(256)) * 999


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["plain", "gzip", "bzip2", "xz"]
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_tar_that_was_cut_is_refused(tmp_path: Path, pack: Callable[[bytes], bytes], share: float) -> None:
    data = pack(tar([member(f"{number}.md", bytes(range(256)) * number) for number in range(40)])[:-9000])
    message = refusal(tmp_path, data[: int(len(data) * share)])
    assert "damaged" in message


def test_a_plain_tar_without_its_end_or_with_a_bad_header_is_refused(tmp_path: Path) -> None:
    whole = tar([member("a.md"), member("b.md")])
    assert "no proper end" in refusal(tmp_path, whole[:2048])
    assert "no proper end" in refusal(tmp_path, whole[:1024] + b"x" * 512 + whole[1536:])
    assert "no proper end" in refusal(tmp_path, whole + whole)


def test_a_zip_of_windows_has_its_folders(tmp_path: Path) -> None:
    data = zipped(["docs/guide/a.md"]).replace(b"docs/guide/a.md", b"docs\\guide\\a.md")
    unpack(archive(tmp_path, data), tmp_path / "docs")
    assert names(tmp_path / "docs") == ["docs/guide/a.md"]


def _zip_link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_links_of_a_repository_are_left_out(tmp_path: Path) -> None:
    members = [
        member("a.md"),
        member("out.md", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        member("up", kind=tarfile.SYMTYPE, link="../.."),
        member("up/evil.md"),
        member("hard.md", kind=tarfile.LNKTYPE, link="a.md"),
    ]
    left_out = unpack(archive(tmp_path, tar(members)), tmp_path / "docs", links="skip")
    assert [row.item for row in left_out] == ["out.md", "up", "hard.md"]
    assert {row.reason for row in left_out} == {"link not followed"}
    assert names(tmp_path / "docs") == ["a.md", "up/evil.md"]
    assert not (tmp_path / "docs" / "up").is_symlink()
    data = zipped([_zip_link("link.md"), "b.md"], b"/etc/passwd")
    assert [row.item for row in unpack(archive(tmp_path, data), tmp_path / "zip", links="skip")] == ["link.md"]
    assert names(tmp_path / "zip") == ["b.md"]


@pytest.mark.parametrize(
    ("twins", "reason"),
    [
        (("A.md", "a.md"), "differ in case or accents only"),
        (("docs/é.md", "docs/e\u0301.md"), "differ in case or accents only"),
        (("a\u202edm.exe", "b.md"), "has control characters in its name"),
        (("a\x1b[2J.md", "b.md"), "has control characters in its name"),
        (("a\nb.md", "b.md"), "has control characters in its name"),
    ],
)
def test_doubtful_names_are_refused_in_data_and_left_out_of_a_repository(
    tmp_path: Path, twins: tuple[str, str], reason: str
) -> None:
    for data in (tar([member(name) for name in twins]), zipped(twins)):
        message = refusal(tmp_path, data)
        assert reason in message
        assert message.isprintable()
    assert len(unpack(archive(tmp_path, tar([member(name) for name in twins])), tmp_path / "docs", links="skip")) == 1
    assert len(names(tmp_path / "docs")) == 1


@pytest.mark.parametrize("links", ["refuse", "skip"])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a\0b.md", "has a NUL in its name"),
        ("x/" * 65 + "a.md", "is nested deeper than 64 folders"),
        ("x/" * 3000 + "a.md", "is nested deeper than 64 folders"),
        ("é" * 128 + ".md", "is longer than a file's name may be"),
        (".", "without a name"),
        ("./b.md", "is in it twice"),
        ("//b.md", "is an absolute path"),
        ("..\\..\\b.md", "leaves the folder"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_name_that_does_harm_is_refused(tmp_path: Path, name: str, reason: str, links: Links) -> None:
    info, content = member("placeholder")
    info.pax_headers = {"path": name}
    if "\0" not in name:
        info.name = name
    assert reason in refusal(tmp_path, tar([member("b.md"), (info, content)]), links=links)
    if "\0" not in name:
        assert reason in refusal(tmp_path, zipped(["b.md", name]), links=links)


def test_a_nul_in_a_zip_is_not_the_end_of_a_name(tmp_path: Path) -> None:
    data = zipped(["aXb.md"]).replace(b"aXb.md", b"a\0b.md")
    assert "has a NUL in its name" in refusal(tmp_path, data)


def test_the_same_bytes_under_many_names_are_refused(tmp_path: Path) -> None:
    raw = bytearray(zipped([f"{number}.md" for number in range(9)], b"0" * 10_000))
    place = raw.find(b"PK\x01\x02")
    while place >= 0:  # every entry of the list points at the first file
        raw[place + 42 : place + 46] = struct.pack("<I", 0)
        place = raw.find(b"PK\x01\x02", place + 1)
    assert "overlaps with another file" in refusal(tmp_path, bytes(raw))


def test_a_zip_is_packed_by_deflate_only(tmp_path: Path) -> None:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_LZMA) as bundle:
        bundle.writestr("a.md", b"words")
    assert "is packed by method 14" in refusal(tmp_path, raw.getvalue())


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_that_grows_more_than_text_does_is_refused(tmp_path: Path, kind: str) -> None:
    zeros = bytes(3_000_000)
    many = [f"{number}.md" for number in range(9)]
    data = zipped(many, zeros) if kind == "zip" else gzip.compress(tar([member(name, zeros) for name in many]))
    assert "grows to more than 200 times its own size" in refusal(tmp_path, data)


def test_a_list_of_files_without_end_is_not_taken_into_memory(tmp_path: Path) -> None:
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    listed = entry * 200_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(listed), 0, 0)
    data = b"PK\x03\x04" + listed + end
    began = time.process_time()
    assert "its list of files takes more than" in refusal(tmp_path, data)
    assert time.process_time() - began < 1


def test_too_many_folders_and_links_are_refused(tmp_path: Path) -> None:
    limits = Limits(members=20)
    deep = tar([member("/".join(str(number) for number in range(start, start + 9)) + "/a.md") for start in range(5)])
    assert "more than 20 folders" in refusal(tmp_path, deep, limits)
    row = tar([member(f"{number}.md", kind=tarfile.SYMTYPE, link="a") for number in range(90)])
    assert "more than 80 entries" in refusal(tmp_path, row, limits, "skip")


def test_a_sparse_file_is_refused(tmp_path: Path) -> None:
    info, _ = member("a.md", b"")
    info.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.map": "0,0", "GNU.sparse.size": "99999999"}
    assert "neither a file nor a folder" in refusal(tmp_path, tar([(info, b"")]))


def test_xz_takes_no_more_memory_than_it_is_given(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 2**12}]
    raw = bytearray(lzma.compress(tar([member("a.md")]), format=lzma.FORMAT_XZ, filters=filters))
    raw[16] = 40  # a dictionary of 4 GB, as the block's header has it
    header = raw[12 : 12 + 4 * (raw[12] + 1)]
    raw[12 + len(header) - 4 : 12 + len(header)] = struct.pack("<I", zlib.crc32(raw[12 : 12 + len(header) - 4]))
    assert "Memory usage limit" in refusal(tmp_path, bytes(raw))


def test_limits_are_those_of_the_settings() -> None:
    assert Limits.of(IngestSettings(max_files=7, max_total_mb=1.5)) == Limits(7, 1_500_000, 1_500_000)


@given(
    st.lists(
        st.text(max_size=12) | st.lists(st.sampled_from(["..", ".", "", "a", "A", "\0", "C:", "\\"])).map("/".join),
        max_size=8,
    ),
    st.sampled_from(["refuse", "skip"]),
    st.sampled_from(["file", "folder", "link"]),
)
def test_an_admitted_name_stays_inside_and_is_alone(given_names: list[str], links: Links, kind: str) -> None:
    gate = Gate(Limits(), 1, links)
    admitted, said = [], []
    for name in given_names:
        try:
            place = gate.admit(name, kind, 1 if kind == "file" else 0)  # type: ignore[arg-type]
        except Refused as refused:
            said.append(str(refused))
            continue
        if place is not None:
            assert not place.is_absolute()
            assert ".." not in place.parts
            admitted.append(str(place).casefold())
    assert all(line.isprintable() for line in said)
    assert kind == "folder" or len(admitted) == len(set(admitted))


SEED_ZIP = zipped(["docs/a.md", "b.md", "c/d/e.md"])


@given(st.lists(st.tuples(st.integers(0, len(SEED_ZIP) - 1), st.integers(0, 255)), max_size=6))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mangled_zip_is_unpacked_inside_its_folder_or_refused(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    raw = bytearray(SEED_ZIP)
    for place, value in changes:
        raw[place] = value
    target = tmp_path / "out" / "docs"
    try:
        unpack(archive(tmp_path, bytes(raw)), target, Limits(total_bytes=2**20))
    except SourceError:
        assert not target.exists()
    else:
        for path in sorted(target.rglob("*"), reverse=True):
            assert not path.is_symlink()
            path.rmdir() if path.is_dir() else path.unlink()
        target.rmdir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docs.archive", "out"]
    assert not list((tmp_path / "out").iterdir())
