"""Conversations in a file that several processes write to, and places in the docs as people type them."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import SourceError, WorkspaceError
from dragoman.records import Chunk, Turn
from dragoman.review.turns import append_turn, find_source, read_turns

TURN = Turn("How?", "So.\n\u2028 naïve 👩‍💻 <b>", "c1", 3, ("a", "b"), "tiny", liked=False, comment="no")

_WRITER = """
import sys
from pathlib import Path
from dragoman.records import Turn
from dragoman.review.turns import append_turn
for number in range(int(sys.argv[3])):
    append_turn(Path(sys.argv[1]), Turn("q" * 5000, "a", sys.argv[2], number))
"""


def writing(path: Path, name: str, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _WRITER, str(path), name, str(count)], env=os.environ)


def test_what_was_appended_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "turns.jsonl"
    turns = [TURN, Turn("q", "a"), replace(TURN, liked=True), replace(TURN, liked=None)]
    for turn in turns:
        append_turn(path, turn)
    assert read_turns(path) == turns
    assert path.stat().st_mode & 0o077 == 0


@given(st.builds(Turn, st.text(), st.text(), st.text(), st.integers(0, 2**31 - 1), st.lists(st.text()).map(tuple)))
def test_any_turn_comes_back_with_half_characters_replaced(
    tmp_path_factory: pytest.TempPathFactory, turn: Turn
) -> None:
    path = tmp_path_factory.mktemp("turns") / "t.jsonl"
    append_turn(path, turn)
    (back,) = read_turns(path)
    assert back.question == turn.question.encode("utf-8", "replace").decode()
    assert (back.number, len(back.chunks)) == (turn.number, len(turn.chunks))


def test_two_processes_that_append_at_once_lose_and_mix_nothing(tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"
    both = [writing(path, name, 100) for name in "ab"]
    assert [process.wait(60) for process in both] == [0, 0]
    turns = read_turns(path)
    for name in "ab":
        assert [turn.number for turn in turns if turn.conversation == name] == list(range(100))


def test_a_killed_writer_costs_its_last_turn_at_most(tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"
    process = writing(path, "a", 1_000_000)
    deadline = time.monotonic() + 60
    while not (path.exists() and path.stat().st_size > 100_000):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait(60)
    before = read_turns(path)
    assert [turn.number for turn in before] == list(range(len(before)))
    append_turn(path, TURN)
    assert read_turns(path) == [*before, TURN]


@pytest.mark.parametrize("left", range(1, 12))
def test_a_torn_last_line_is_skipped_and_cut_off_by_the_next_turn(tmp_path: Path, left: int) -> None:
    path = tmp_path / "turns.jsonl"
    append_turn(path, TURN)
    whole = path.read_bytes()
    torn = whole[: len(whole) * left // 12].removesuffix(b"\n")
    path.write_bytes(whole + torn)
    assert read_turns(path) == [TURN]
    append_turn(path, Turn("q", "a"))
    assert read_turns(path) == [TURN, Turn("q", "a")]


def test_a_long_torn_line_is_cut_off_whole(tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"
    append_turn(path, TURN)
    with path.open("ab") as file:
        file.write(b'{"question": "' + b"x" * 300_000)
    append_turn(path, Turn("q", "a"))
    assert read_turns(path) == [TURN, Turn("q", "a")]


def test_a_file_that_an_editor_left_without_its_last_line_end_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "turns.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"question": "q", "answer": "a", "later": 1}\r\n\r\n{"question": "r", "answer": "b"}'
    )
    assert read_turns(path) == [Turn("q", "a"), Turn("r", "b")]
    append_turn(path, TURN)
    assert read_turns(path) == [Turn("q", "a"), Turn("r", "b"), TURN]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[]", "is not a turn"),
        ("{", "is not a turn"),
        ("null", "is not a turn"),
        ("[" * 100_000, "is not a turn"),
        ('{"answer": "a"}', "'question' is missing"),
        ('{"question": "q", "answer": 5}', "'answer' is 5"),
        ('{"question": "q", "answer": "a", "number": true}', "'number' is true"),
        ('{"question": "q", "answer": "a", "number": -1}', "'number' is -1"),
        ('{"question": "q", "answer": "a", "number": 4294967296}', "'number' is"),
        ('{"question": "q", "answer": "a", "chunks": "c"}', "'chunks' is"),
        ('{"question": "q", "answer": "a", "chunks": [1]}', "'chunks' is [1]"),
        ('{"question": "q", "answer": "a", "liked": "yes"}', "'liked' is"),
    ],
)
def test_a_bad_line_is_named_with_what_was_expected(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "turns.jsonl"
    path.write_text(json.dumps(asdict(TURN)) + f"\n{line}\n", encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        read_turns(path)
    message = str(caught.value)
    assert f"{path}:2" in message
    assert said in message
    assert '"answer"' in caught.value.expected


def test_a_file_that_is_not_there_and_one_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no conversations"):
        read_turns(tmp_path / "none")
    with pytest.raises(SourceError, match="cannot read"):
        read_turns(tmp_path)
    with pytest.raises(WorkspaceError, match="cannot write"):
        append_turn(tmp_path, TURN)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is full")
def test_a_full_disk_is_said() -> None:
    with pytest.raises(WorkspaceError, match="No space left"):
        append_turn(Path("/dev/full"), TURN)


SITE = "https://docs.test/stable"


def chunk(path: str, heading: str = "", lines: tuple[int, int] = (1, 9), url: str = "", file: str = "") -> Chunk:
    trail = ("Top", heading) if heading else ("Top",)
    return Chunk(
        f"{path}#{heading}", "docs", path, "Top", trail, f"{path} {heading}", "", "", lines[0] * 100, lines[1] * 100,
        lines[0], lines[1], 9, url, file,
    )  # fmt: skip


DOCS = [
    chunk("index.md", url=f"{SITE}/"),
    chunk("guides/install.md", url=f"{SITE}/guides/install/"),
    chunk("guides/install.md", "Upgrading to 2.0", (11, 19), f"{SITE}/guides/install/#upgrading-to-20"),
    chunk("guides/install.md", "Über uns", (21, 29), f"{SITE}/guides/install/#uber-uns"),
    chunk("guides/ports.md", "Usage", (3, 9), f"{SITE}/guides/ports/#usage"),
    chunk("guides/logs.md", "Usage", (3, 9), f"{SITE}/guides/logs/#usage"),
    chunk("install.md", url=f"{SITE}/install/"),
    chunk("api.md", "Client", (4, 30), f"{SITE}/api/#pk.Client", "../pk/client.py"),
]
UPGRADING = ["guides/install.md#Upgrading to 2.0"]
INSTALL = ["guides/install.md#", *UPGRADING, "guides/install.md#Über uns"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (f"{SITE}/guides/install/#upgrading-to-20", UPGRADING),
        (f"{SITE}/guides/install.html#upgrading-to-20", UPGRADING),
        (f"  <{SITE}/guides/install#Upgrading%20to%202.0>. ", UPGRADING),
        (f"{SITE.upper()}/guides/install/index.html?x=1#UPGRADING-TO-20", UPGRADING),
        ("https://other.test/stable/guides/install/#upgrading-to-20", UPGRADING),
        (f"see {SITE}/guides/install/#upgrading-to-20, there", UPGRADING),
        (f"[here]({SITE}/guides/install/#upgrading-to-20)", UPGRADING),
        (f"{SITE}/guides/install/#:~:text=nothing", INSTALL),
        ("https://forge.test/o/r/blob/main/docs/guides/install.md?plain=1#L12-L15", UPGRADING),
        ("guides/install.md#upgrading-to-2-0", UPGRADING),
        ("guides/install.md#Upgrading to 2.0", UPGRADING),
        ("docs/guides/install.md:12", UPGRADING),
        ("./guides\\install:11-19", UPGRADING),
        ("guides/install.md:20", UPGRADING),
        ("guides/install.md:8-12", INSTALL[:2]),
        ("Guides/INSTALL.md", INSTALL),
        ("install.md", ["install.md#"]),
        ("docs/install.md", ["install.md#"]),
        ("https://forge.test/o/r/blob/main/install.md", ["install.md#"]),
        (f"{SITE}/plugins/install/", []),
        ("plugins/install.md", []),
        ("guides/install.md#uninstalling", []),
        ("ports", ["guides/ports.md#Usage"]),
        ("#usage", ["guides/logs.md#Usage", "guides/ports.md#Usage"]),
        ("upgrading to 2.0", UPGRADING),
        ("Top > Upgrading to 2.0", UPGRADING),
        (f"{SITE}/", ["index.md#"]),
        ("index.md", ["index.md#"]),
        (f"{SITE}/guides/install/#Über uns", INSTALL[2:]),
        ("pk/client.py:5", ["api.md#Client"]),
        (f"{SITE}/api/#pk.client", ["api.md#Client"]),
        ("", []),
        ("  ", []),
        ("nowhere", []),
        ("https://[", []),
        ("guides/install.md#" + "9" * 5000, []),
    ],
)
def test_a_place_is_found_as_people_type_it(source: str, found: list[str]) -> None:
    assert find_source(source, DOCS) == found
    assert find_source(source, DOCS[::-1]) == found


@given(st.one_of(st.text(), st.text("/#:.L12-<>[]()% \\"), st.text("htps:/.#install")))
def test_any_text_finds_chunks_or_none(source: str) -> None:
    assert set(find_source(source, DOCS)) <= {chunk.id for chunk in DOCS}


@pytest.mark.parametrize("sign", "/#:.L-<>[]()% \\h](")
def test_a_megabyte_of_any_sign_takes_no_time(sign: str) -> None:
    before = time.process_time()
    assert find_source(sign * 1_000_000, DOCS) == []
    assert find_source(sign * 1_999, DOCS) is not None
    assert time.process_time() - before < 2
