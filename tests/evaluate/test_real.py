"""Reading questions of people from a file: what is taken, and what the error says about the rest."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import DragomanError, UsageError
from dragoman.evaluate.real import Place, RealQuestion, file_key, heading_keys, read_real_questions

PLACE = {"file": "guide/lamps.md", "heading": "Trim the wick", "grade": 2}
ROW = {"qid": "q1", "question": "my lamp smokes", "relevant": [PLACE]}


def without(row: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != key}


def written(folder: Path, *rows: object) -> Path:
    path = folder / "asked.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_each_line_becomes_a_question_with_its_places(tmp_path: Path) -> None:
    places = [
        PLACE,
        {"file": "./guide//oil.md", "lines": [3, 9], "grade": 1, "note": "not ours"},
        {"file": "guide\\all.md", "heading": "", "grade": 1, "source": "manual"},
        {"file": "a.md", "heading": "Oil", "lines": [4, 4], "grade": 2},
        {"file": "b.md", "heading": "Oil", "lines": None, "grade": 2},
    ]
    path = written(tmp_path, ROW, "", {"qid": 7, "question": " which oil? ", "relevant": places, "kind": "x"}, "  ")
    assert read_real_questions(path) == [
        RealQuestion("q1", "my lamp smokes", (Place("guide/lamps.md", 2, "Trim the wick"),), 1),
        RealQuestion(
            "7",
            "which oil?",
            (
                Place("guide/lamps.md", 2, "Trim the wick"),
                Place("guide/oil.md", 1, lines=(3, 9)),
                Place("guide/all.md", 1, source="manual"),
                Place("a.md", 2, "Oil", (4, 4)),
                Place("b.md", 2, "Oil"),
            ),
            3,
        ),
    ]


def test_the_unit_of_a_question_is_the_file_of_its_first_place(tmp_path: Path) -> None:
    other = PLACE | {"file": "./z.md"}
    (question,) = read_real_questions(written(tmp_path, ROW | {"relevant": [other, PLACE]}))
    assert question.unit == "z.md"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_byte_order_mark_and_any_line_ending_are_read(tmp_path: Path, end: str) -> None:
    path = tmp_path / "asked.jsonl"
    odd = json.dumps(ROW | {"qid": "q2", "question": "one\u2028two"}, ensure_ascii=False)
    path.write_bytes(("\ufeff" + json.dumps(ROW) + end + odd + end).encode())
    assert [question.text for question in read_real_questions(path)] == ["my lamp smokes", "one\u2028two"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "is not JSON"),
        ("[" * 200_000, "is not JSON"),
        ('{"qid": ' + "9" * 5000 + "}", "is not JSON"),
        ([ROW], "is not a question"),
        (3, "is not a question"),
        (without(ROW, "qid"), "there is no 'qid'"),
        (without(ROW, "question"), "there is no 'question'"),
        (without(ROW, "relevant"), "there is no 'relevant'"),
        (ROW | {"qid": None}, "there is no 'qid'"),
        (ROW | {"qid": True}, "'qid' is True"),
        (ROW | {"qid": " "}, "'qid' is ' '"),
        (ROW | {"question": ["a"]}, "'question' is ['a']"),
        (ROW | {"question": "a \ud800"}, "'question' is 'a \\ud800'; expected text without halves"),
        (ROW | {"relevant": []}, "'relevant' is []; expected a list with at least one place"),
        (ROW | {"relevant": PLACE}, "'relevant' is {"),
        (ROW | {"relevant": ["guide"]}, "'relevant' is 'guide'"),
        (ROW | {"relevant": [PLACE, PLACE | {"file": "./guide/lamps.md"}]}, "a place of 'guide/lamps.md' twice"),
    ],
)
def test_a_row_that_cannot_be_meant_is_named_by_file_and_line(tmp_path: Path, row: object, said: str) -> None:
    path = written(tmp_path, ROW | {"qid": "first"}, "", row)
    with pytest.raises(UsageError, match=re.escape(said)) as raised:
        read_real_questions(path)
    assert f"{path}:3" in str(raised.value)
    assert len(str(raised.value)) < 400 + len(str(path))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"file": None}, "there is no 'file'"),
        ({"file": ""}, "'file' is ''"),
        ({"file": 3}, "'file' is 3"),
        ({"heading": None}, "there is no 'heading' or 'lines'"),
        ({"heading": 4}, "'heading' is 4"),
        ({"heading": 0}, "'heading' is 0"),
        ({"heading": []}, "'heading' is []"),
        ({"grade": None}, "there is no 'grade'"),
        ({"grade": 3}, "'grade' is 3; expected 2 (answers the question) or 1"),
        ({"grade": 0}, "'grade' is 0"),
        ({"grade": True}, "'grade' is True"),
        ({"grade": 2.0}, "'grade' is 2.0"),
        ({"grade": "2"}, "'grade' is '2'"),
        ({"lines": [9, 3]}, "'lines' is [9, 3]; expected [first, last]"),
        ({"lines": [0, 3]}, "'lines' is [0, 3]"),
        ({"lines": [1, 2, 3]}, "'lines' is [1, 2, 3]"),
        ({"lines": []}, "'lines' is []"),
        ({"lines": 5}, "'lines' is 5"),
        ({"lines": [True, 4]}, "'lines' is [True, 4]"),
        ({"lines": [1, True]}, "'lines' is [1, True]"),
        ({"lines": [1.0, 4.0]}, "'lines' is [1.0, 4.0]"),
        ({"source": 4}, "'source' is 4"),
    ],
)
def test_a_place_that_cannot_be_meant_is_named(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = written(tmp_path, ROW | {"relevant": [PLACE | change]})
    with pytest.raises(UsageError, match=re.escape(f"{path}:1: {said}")):
        read_real_questions(path)


def test_a_qid_that_comes_twice_is_named_with_both_lines(tmp_path: Path) -> None:
    path = written(tmp_path, ROW | {"qid": "7"}, ROW, ROW | {"qid": 7})
    with pytest.raises(UsageError, match=re.escape(f"{path}:3: the qid '7' is that of line 1")):
        read_real_questions(path)


def test_a_file_without_questions_says_what_it_should_hold(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no question; expected .*\"qid\", \"question\", \"relevant\""):
        read_real_questions(written(tmp_path, "", ""))


def test_a_file_that_cannot_be_read_is_one_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path, tmp_path / "a\0b"):
        with pytest.raises(UsageError, match="cannot read"):
            read_real_questions(path)


def test_a_byte_that_is_no_utf_8_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "asked.jsonl"
    path.write_bytes(json.dumps(ROW).encode() + b"\n\n\xff")
    with pytest.raises(UsageError, match=re.escape(f"{path}:3 is not in UTF-8")):
        read_real_questions(path)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["file", "heading", "lines", "grade", "source"]), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(row=st.fixed_dictionaries({"qid": JUNK, "question": JUNK, "relevant": JUNK | st.lists(JUNK, min_size=1)}))
def test_no_json_ends_in_anything_but_questions_or_our_error(
    row: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = written(tmp_path_factory.mktemp("junk"), row)
    try:
        (question,) = read_real_questions(path)
    except DragomanError as error:
        assert str(path) in str(error)  # noqa: PT017 - both endings are right
    else:
        assert question.relevant


@given(data=st.binary(max_size=200))
def test_no_bytes_end_in_anything_but_our_error(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("bytes") / "asked.jsonl"
    path.write_bytes(data)
    with pytest.raises(DragomanError):
        read_real_questions(path)


@pytest.mark.parametrize(
    "spelling", ["a/é.md", "./a/é.md", "././a//é.md", "a\\é.md", "a/e\u0301.md", "a/x/../é.md", ".\\a/é.md"]
)
def test_a_file_has_one_spelling(spelling: str) -> None:
    assert file_key(spelling) == "a/é.md"
    assert file_key(file_key(spelling)) == file_key(spelling)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Trim the wick", "trim THE wick!"),
        ("## Trim the wick {#trim}", "Trim the wick"),
        ("`lamp.trim()`", "lamp.trim"),
        ("Read [the manual](../manual.md)", "Read the manual"),
        ("Press <kbd>Esc</kbd>", "Press Esc"),
        ("灯芯を切る", "「灯芯を切る」"),
        ("Größe", "größe"),
    ],
)
def test_a_heading_is_found_as_written_or_as_shown(typed: str, shown: str) -> None:
    assert heading_keys(typed) & heading_keys(shown)


@pytest.mark.parametrize(
    ("one", "other"), [("Oil", "Oils"), ("灯芯", "油"), ("Größe", "Gr e"), ("?!", "!?"), ("?", "")]
)
def test_other_headings_are_other_headings(one: str, other: str) -> None:
    assert not heading_keys(one) & heading_keys(other)


@given(heading=st.text(st.sampled_from("aB3 -_{}#`.()"), max_size=20))
def test_an_ascii_heading_has_the_key_that_the_scorer_of_hits_gives_it(heading: str) -> None:
    bare = re.sub(r"\{[^}]*\}", "", heading).lower()
    words = "".join(letter if letter in "abcdefghijklmnopqrstuvwxyz0123456789" else " " for letter in bare).split()
    assert not words or " ".join(words) in heading_keys(heading)


@pytest.mark.parametrize("mark", ["{", "}", "<a", "](", "[", "`", "#", " ", "{x} "])
def test_a_megabyte_of_markup_in_a_heading_takes_no_time(mark: str) -> None:
    start = time.process_time()
    heading_keys(mark * (1_000_000 // len(mark)))
    assert time.process_time() - start < 5
