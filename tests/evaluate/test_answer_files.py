"""Files of questions, references and labels: what is read, and what is told of lines that cannot be."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dragoman.errors import UsageError
from dragoman.evaluate.answer_files import read_labels, read_references, read_wanted, wording

LABEL = {"question": "How?", "answer": "So.", "correct": True}


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: Any) -> Path:
        path = tmp_path / "rows.jsonl"
        path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in rows), encoding="utf-8")
        return path

    return write


def test_questions_are_answerable_unless_they_say_that_they_are_not(written: Callable[..., Path]) -> None:
    place = {"file": "a.md", "heading": "", "grade": 2}
    rows = (
        {"qid": 1, "question": " How? "},
        "",
        {"qid": "b", "question": "Why?", "answerable": False, "relevant": [place]},
    )
    found = read_wanted(written(*rows))
    assert [(one.qid, one.text, one.answerable, one.placed) for one in found] == [
        ("1", "How?", True, False),
        ("b", "Why?", False, True),
    ]


def test_references_are_found_by_the_wording_of_their_question(written: Callable[..., Path]) -> None:
    found = read_references(written({"question": "How do I  grind?", "answer": "With stones."}))
    assert found[wording("how do i grind?")] == "With stones."


def test_a_row_of_answers_with_a_mark_is_a_label(written: Callable[..., Path]) -> None:
    row = {**LABEL, "mode": "llm", "citations": [{"number": 1, "passage": "It is so."}, {"number": 2}]}
    (found,) = read_labels(written(row))
    assert (found.question, found.answer, found.correct, found.passages) == ("How?", "So.", True, ("It is so.",))


@pytest.mark.parametrize(
    ("read", "lines", "told"),
    [
        (read_labels, ("{", LABEL), "1 of 2 lines cannot be used: line 1: Expecting property name"),
        (read_labels, ([1],), "line 1: it is no object"),
        (read_labels, ({"question": "a", "answer": "b"},), "line 1: there is no 'correct'"),
        (read_labels, ({**LABEL, "correct": "yes"},), "line 1: 'correct' is \"yes\", not true or false"),
        (read_labels, ({**LABEL, "answer": " "},), "line 1: 'answer' is \" \", not text"),
        (read_references, ({"question": "a"},), "line 1: there is no 'answer'"),
        (
            read_references,
            ({"question": "a", "answer": "b"}, {"question": "A", "answer": "c"}),
            "line 2: its question has",
        ),
        (read_wanted, ({"question": "a"},), "line 1: there is no 'qid'"),
        (read_wanted, ({"qid": True, "question": "a"},), "line 1: 'qid' is true, not text"),
        (read_wanted, ({"qid": 1, "question": "a"}, {"qid": "1", "question": "b"}), "line 2: the 'qid' '1' is that of"),
        (read_wanted, ({"qid": 1, "question": "a", "answerable": 1},), "line 1: 'answerable' is 1, not true or false"),
        (read_wanted, (), "holds nothing"),
    ],
)
def test_each_line_that_cannot_be_used_is_named(
    written: Callable[..., Path], read: Callable[[Path], object], lines: tuple[Any, ...], told: str
) -> None:
    with pytest.raises(UsageError) as raised:
        read(written(*lines))
    assert told in str(raised.value)
    assert '{"q' in str(raised.value), "an example of a line is shown"


def test_of_many_wrong_lines_some_are_named_and_the_others_counted(written: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match=r"8 of 9 lines .* line 5: .*; and 3 more") as raised:
        read_labels(written(*["{"] * 8, LABEL))
    assert "line 6:" not in str(raised.value)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_labels(tmp_path / "none.jsonl")
    (tmp_path / "latin").write_bytes(b'{"question": "caf\xe9"}')
    with pytest.raises(UsageError, match="not in UTF-8"):
        read_labels(tmp_path / "latin")
