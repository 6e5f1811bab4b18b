"""Reading what models write in place of JSON, and holding it against a schema."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models.lenient_json import read_json
from dragoman.models.structured import checked, problem_with

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {"type": "integer"}, "maxItems": 3}},
    "required": ["a"],
    "additionalProperties": False,
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "x", "b": [1, 2]}',
        '```json\n{"a": "x", "b": [1, 2]}\n```',
        'Here is {the} answer:\n{"a": "x", "b": [1, 2]}\nI hope it helps {you}.',
        "{'a': 'x', 'b': [1, 2,],}",
        '{a: "x", b: [1, 2]}',
        '<think>{"a": "no"}</think>\n{"a": "x", "b": [1 2]}',
        '\ufeff{"a": "x", "b": [1, 2]',
        "{“a”: “x”, “b”: [1, 2]}",
        'Empty {} first. ``` \n{"a": "x",, "b": [1, 2]}',
    ],
)
def test_what_a_model_meant_is_read(text: str) -> None:
    assert read_json(text) == {"a": "x", "b": [1, 2]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "use "foo" here"}', 'use "foo" here'),
        ("{'a': 'don't'}", "don't"),
        ('{"a": "two\nlines"}', "two\nlines"),
        ("{'a': '\\u00e9\\n\\'\\x'}", "é\n'x"),
        ("{'a': True}", True),
        ("{'a': -1.5e3}", -1500.0),
        ("{'a': None}", None),
    ],
)
def test_broken_values_are_mended(text: str, value: object) -> None:
    assert read_json(text) == {"a": value}


@pytest.mark.parametrize("text", ["", "none", "{", '{"a": "x', '{"a"', "{'a' 'b'}", "[1]", "{a: NaN}", "{a: b}"])
def test_what_is_no_object_is_none(text: str) -> None:
    assert read_json(text) is None


@given(VALUES)
def test_every_object_is_read_as_it_is(value: object) -> None:
    assert read_json(json.dumps({"a": value})) == {"a": value}
    assert read_json(f"Sure!\n```\n{json.dumps({'a': value})}\n``` Done.") == {"a": value}


@given(st.text(st.sampled_from("{}[]\"'`:,\\ \nau1-<think>/“”")))
def test_no_text_is_too_strange(text: str) -> None:
    read_json(text)
    checked(text, SCHEMA)


@pytest.mark.parametrize(
    "piece", ["{", "[", '"', "'", '{"', "`", "```", "\\", " ", ",", ":", '" ', "{a:", "<think>", "1"]
)
@pytest.mark.parametrize("start", ["", "{'b': ["])
def test_a_megabyte_of_anything_is_read_in_a_moment(start: str, piece: str) -> None:
    begun = time.process_time()
    checked(start + piece * (1_000_000 // len(piece)), SCHEMA)
    assert time.process_time() - begun < 3


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ('{"b": [1], "a": "é", "c": 1}', '{"a":"é","b":[1]}'),
        ('{"a": "half \\ud83e a pair"}', '{"a":"half  a pair"}'),
    ],
)
def test_a_good_reply_becomes_canonical(text: str, canonical: str) -> None:
    assert (checked(text, SCHEMA).text, checked(text, SCHEMA).problem) == (canonical, "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("no", "the answer holds no JSON"),
        ("{}", "'a' is missing in the answer"),
        ('{"a": 1}', "'a' is 1, not of type string"),
        ('{"a": "x", "b": ["1"]}', "item 1 of 'b' is \"1\", not of type integer"),
        ('{"a": "x", "b": [1, 2, 3, 4]}', "the number of items of 'b' is 4, more than 3"),
        ('{"a": "x", "b": [true]}', "item 1 of 'b' is true, not of type integer"),
    ],
)
def test_a_bad_reply_is_kept_with_its_problem(text: str, problem: str) -> None:
    assert (checked(text, SCHEMA).text, checked(text, SCHEMA).problem) == (text, problem)


def test_a_reply_that_was_cut_is_never_good() -> None:
    assert "cut off" in checked('{"a": "x"}', SCHEMA, cut=True).problem


def test_a_number_without_end_is_no_json() -> None:
    assert checked('{"a": 1e999}', {"type": "object"}).problem == "a number is not finite"


@pytest.mark.parametrize(
    ("value", "schema", "good"),
    [
        ("b", {"enum": ["a", "b"]}, True),
        (True, {"enum": [1]}, False),
        (1, {"const": 2}, False),
        ("ab", {"minLength": 3}, False),
        (5, {"maximum": 4}, False),
        (None, {"type": ["string", "null"]}, True),
        ({"x": 1}, {"additionalProperties": {"type": "string"}}, False),
        ({"x": 1}, {"additionalProperties": False}, False),
    ],
)
def test_the_keywords_that_are_used_are_understood(value: object, schema: dict[str, Any], good: bool) -> None:  # noqa: FBT001 - a column of a table
    assert (problem_with(value, schema) == "") is good
