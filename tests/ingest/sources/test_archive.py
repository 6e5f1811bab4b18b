import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dragoman.errors import SourceError
from dragoman.ingest.sources.archive import Links, unpack
from dragoman.ingest.sources.members import Limits

Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, content: bytes = b"words\n", kind: bytes = tarfile.REGTYPE, link: str = "") -> Member:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    return info, content


def tar(members: Sequence[Member]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as bundle:
        for info, content in members:
            bundle.addfile(info, io.BytesIO(content))
    return raw.getvalue()


def tar_gz(folder: Path, members: Sequence[Member]) -> Path:
    path = folder / "docs.tgz"
    path.write_bytes(gzip.compress(tar(members)))
    return path


def zip_of(folder: Path, members: Sequence[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    path = folder / "docs.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in members:
            bundle.writestr(name, content)
    return path


def refuses(archive: Path, folder: Path, limits: Limits | None = None, *, links: Links = "refuse") -> str:
    """The message of the refusal; asserts that nothing else was left in the folder."""
    target = folder / "out" / "docs"
    with pytest.raises(SourceError) as caught:
        unpack(archive, target, limits, links=links)
    assert not list(target.parent.iterdir())
    return str(caught.value)


def test_a_tar_is_unpacked_whole(tmp_path: Path) -> None:
    pages = [member("package/docs/a.md", b"# A\n"), member("package/docs", kind=tarfile.DIRTYPE), member("./b.md")]
    unpack(tar_gz(tmp_path, pages), tmp_path / "out" / "docs")
    assert (tmp_path / "out" / "docs" / "package" / "docs" / "a.md").read_bytes() == b"# A\n"
    assert (tmp_path / "out" / "docs" / "b.md").read_bytes() == b"words\n"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["docs"]


def test_a_zip_is_unpacked_whole_whatever_its_name(tmp_path: Path) -> None:
    archive = zip_of(tmp_path, [("docs/", b""), ("docs/a.md", b"# A\n"), ("b.md", b"B\n")])
    unpack(archive.rename(tmp_path / "docs.tgz"), tmp_path / "docs")
    assert (tmp_path / "docs" / "docs" / "a.md").read_bytes() == b"# A\n"
    assert (tmp_path / "docs" / "b.md").read_bytes() == b"B\n"


def test_nothing_that_was_unpacked_can_be_run(tmp_path: Path) -> None:
    script = member("run.sh")
    script[0].mode = 0o4755
    unpack(tar_gz(tmp_path, [script]), tmp_path / "docs")
    assert not (tmp_path / "docs" / "run.sh").stat().st_mode & (stat.S_IXUSR | stat.S_ISUID)


def test_a_folder_that_another_process_made_first_is_kept(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "theirs.md").write_text("theirs")
    unpack(tar_gz(tmp_path, [member("ours.md")]), tmp_path / "docs")
    assert [path.name for path in (tmp_path / "docs").iterdir()] == ["theirs.md"]


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        (member("../evil.md"), "leaves the folder"),
        (member("docs/../../evil.md"), "leaves the folder"),
        (member("docs\\..\\..\\evil.md"), "leaves the folder"),
        (member("/tmp/evil.md"), "absolute path"),  # noqa: S108 - never written
        (member("C:\\evil.md"), "absolute path"),
        (member("link.md", kind=tarfile.SYMTYPE, link="/etc/passwd"), "is a link to '/etc/passwd'"),
        (member("link.md", kind=tarfile.LNKTYPE, link="a.md"), "is a link to 'a.md'"),
        (member("pipe.md", kind=tarfile.FIFOTYPE), "neither a file nor a folder"),
        (member("disk.md", kind=tarfile.BLKTYPE), "neither a file nor a folder"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[0].name),
)
def test_a_hostile_tar_is_refused_with_its_reason(tmp_path: Path, hostile: Member, reason: str) -> None:
    message = refuses(tar_gz(tmp_path, [member("a.md"), hostile]), tmp_path)
    assert reason in message
    assert "docs.tgz refused" in message


def _zip_member(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        ("../evil.md", "leaves the folder"),
        ("/evil.md", "absolute path"),
        ("C:/evil.md", "absolute path"),
        (_zip_member("link.md", stat.S_IFLNK | 0o777), "is a link"),
        (_zip_member("pipe.md", stat.S_IFIFO | 0o777), "neither a file nor a folder"),
    ],
)
def test_a_hostile_zip_is_refused_with_its_reason(tmp_path: Path, hostile: str | zipfile.ZipInfo, reason: str) -> None:
    assert reason in refuses(zip_of(tmp_path, [("a.md", b"A"), (hostile, b"/etc/passwd")]), tmp_path)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    archive = zip_of(tmp_path, [("a.md", b"A")])
    data = bytearray(archive.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    assert "encrypted" in refuses(archive, tmp_path)


SMALL = Limits(members=3, file_bytes=1000, total_bytes=1500)


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ([1, 1, 1, 1], "more than 3 files"),
        ([1, 1001], "takes 1001 bytes, the limit is 1000"),
        ([800, 800], "grows over 1500 bytes"),
    ],
)
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_an_archive_that_grows_too_large_is_refused(tmp_path: Path, sizes: list[int], reason: str, kind: str) -> None:
    pages = [(f"{n}.md", b"x" * size) for n, size in enumerate(sizes)]
    archive = tar_gz(tmp_path, [member(*page) for page in pages]) if kind == "tar" else zip_of(tmp_path, pages)
    assert reason in refuses(archive, tmp_path, SMALL)


def test_an_archive_at_its_limits_is_unpacked(tmp_path: Path) -> None:
    unpack(tar_gz(tmp_path, [member("a", b"x" * 1000), member("b", b"x" * 500)]), tmp_path / "docs", SMALL)
    assert len(list((tmp_path / "docs").iterdir())) == 2


def test_a_tar_header_that_expands_without_end_is_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("bomb")
    header.type, header.size = tarfile.XHDTYPE, 100_000
    (tmp_path / "docs.tgz").write_bytes(gzip.compress(header.tobuf() + b"\0" * 100_352))
    assert "expands without end" in refuses(tmp_path / "docs.tgz", tmp_path, SMALL)


def test_a_long_row_of_tar_headers_is_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("longer")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 1
    (tmp_path / "docs.tgz").write_bytes(gzip.compress((header.tobuf() + b"a".ljust(512, b"\0")) * 2000))
    assert "damaged" in refuses(tmp_path / "docs.tgz", tmp_path)


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:40], lambda data: data[:2]])
def test_a_truncated_tar_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    archive = tar_gz(tmp_path, [member("a.md", bytes(range(256)) * 100)])
    archive.write_bytes(damage(archive.read_bytes()))
    assert "damaged" in refuses(archive, tmp_path)


def test_a_zip_with_a_flipped_bit_is_refused(tmp_path: Path) -> None:
    archive = zip_of(tmp_path, [("a.md", b"the words of the page")])
    data = bytearray(archive.read_bytes())
    data[data.index(b"a.md") + 10] ^= 4
    archive.write_bytes(data)
    assert "damaged" in refuses(archive, tmp_path)


@pytest.mark.parametrize("data", [b"", b"<html>not found</html>", b"\0" * 4096, b"words" * 500])
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "docs.tgz").write_bytes(data)
    assert "neither a zip nor a tar" in refuses(tmp_path / "docs.tgz", tmp_path)


def test_a_file_where_a_folder_must_be_is_refused(tmp_path: Path) -> None:
    assert "cannot be unpacked" in refuses(tar_gz(tmp_path, [member("a"), member("a/b.md")]), tmp_path)


SEED_TAR = tar([member("docs/a.md", b"# A\n"), member("docs/" + "long" * 40 + ".md"), member("b.md")])


@given(changes=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=6), repair=st.booleans())
@example(changes=[(156, 50)], repair=True)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mangled_tar_is_unpacked_inside_its_folder_or_refused(
    tmp_path: Path, *, changes: list[tuple[int, int]], repair: bool
) -> None:
    raw = bytearray(SEED_TAR)
    for place, value in changes:
        raw[place] = value
    if repair:  # with a right checksum the change reaches further than the header's check
        raw[148:156] = b" " * 8
        raw[148:156] = b"%06o\0 " % sum(raw[:512])
    (tmp_path / "docs.tgz").write_bytes(gzip.compress(bytes(raw), 1))
    target = tmp_path / "out" / "docs"
    try:
        unpack(tmp_path / "docs.tgz", target, Limits(total_bytes=2**20))
    except SourceError:
        assert not target.exists()
    else:
        for path in sorted(target.rglob("*"), reverse=True):
            assert not path.is_symlink()
            path.rmdir() if path.is_dir() else path.unlink()
        target.rmdir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docs.tgz", "out"]
    assert not list((tmp_path / "out").iterdir())
