"""Cells on their way into a spreadsheet and back."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from dragoman.review.rows import read_lines, read_table, write_lines, write_table


@given(st.text(st.characters() | st.sampled_from("'=+-@\t\r\n\"0e. ＝,;"), max_size=12))
def test_no_cell_is_run_and_each_is_itself_again(text: str) -> None:
    written = write_table(["id", "text"], [{"id": "x", "text": text}])
    ((_, cell),) = list(csv.reader(io.StringIO(written.removeprefix("\ufeff"), newline="")))[1:]
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert not cell.startswith(("\t", "\r", "\n"))
    assert not (cell.isascii() and cell.isdigit())
    assert read_table(written.removeprefix("\ufeff"), "t.csv")[0].cells["text"] == text
    assert read_lines(write_lines([{"text": text}]), "t.jsonl")[0].cells["text"] == text


def test_an_id_that_looks_like_a_number_stays_as_it_is() -> None:
    for number in ("1234567812345678", "12345678e1234567", "0001"):
        written = write_table(["id"], [{"id": number}])
        assert f'"\'{number}"' in written
        assert read_table(written.removeprefix("\ufeff"), "t.csv")[0].cells["id"] == number
