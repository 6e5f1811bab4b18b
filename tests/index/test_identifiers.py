from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.index import IndexMeta, build_index, open_index
from dragoman.index.identifiers import identifiers, indexed_identifiers
from dragoman.records import Chunk


@pytest.mark.parametrize(
    "name",
    [
        *("client.users", "--port", "-p", "--dry-run", "E0502", "snake_case", "camelCase", "HTTPServer2"),
        *("@scope/name", "std::vec", "Class#method", "$var", "path/to/file.py", "./run", "ALL_CAPS", "__init__"),
    ],
)
def test_an_identifier_is_found_whole_wherever_it_stands(name: str) -> None:
    for text in (name, f"Use `{name}` here.", f"What is {name}?", f"({name}, or", f"* {name}: a thing"):
        assert identifiers(text) == [name]
    assert name in indexed_identifiers(f"Use `{name}()` here.")


def test_prose_holds_no_identifiers() -> None:
    text = (
        "A pre- and post-processing step, e.g. 3D at 20T09 - well, and/or not: https://example.org/a_b.html is I.e. it."
    )
    assert identifiers(text) == []


def test_a_joined_name_is_found_by_its_shorter_runs() -> None:
    assert indexed_identifiers("rg.Dataset.from_hub") == [
        *("rg.Dataset", "rg.Dataset.from_hub", "Dataset.from_hub", "from_hub")
    ]


def test_a_value_in_braces_or_after_a_sign_is_left_off() -> None:
    assert identifiers("${HOME} --port=8080") == ["$HOME", "--port"]


@given(st.text(max_size=300))
def test_identifiers_hold_no_blanks(text: str) -> None:
    assert all(name and len(name.split()) == 1 for name in [*identifiers(text), *indexed_identifiers(text)])


def test_a_flag_comes_before_the_word_it_is_made_of(
    tmp_path: Path, make_chunk: Callable[..., Chunk], meta: IndexMeta
) -> None:
    texts = ["The port of the town is old.", "Set --port first, then go.", "Set Port first, then go."]
    build_index(tmp_path, [make_chunk(text) for text in texts], np.ones((3, meta.dimension), np.float32), meta)
    index = open_index(tmp_path)
    text_of = {chunk.id: chunk.text for chunk in index.chunks()}
    plain, flag = dict(index.lexical("port", 3)), dict(index.lexical("--port", 3))
    raised = {text_of[found] for found in flag if flag[found] > plain[found] + 1e-6}
    assert raised == {texts[1]}
