"""Reading what a model wrote: what it meant is used, whatever it looks like, and nothing can hang or crash."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.synth.post.readers import Pair, read_pair, read_queries

PAIRS = [
    "## Positive\n\nHow hot?\n\n## Negative\n\nWho paints?",
    "Here you are.\n\n## Positive\nHow hot?\n## Negative\nWho paints?\n",
    "**Positive:** How hot?\n**Negative:** Who paints?",
    "**Positive**: How hot?\n\n**Negative**: Who paints?",
    "positive: How hot?\nnegative: Who paints?",
    "Positive\nHow hot?\n\nNegative\nWho paints?",
    "1. **Positive Query:** How hot?\n2. **Negative Query:** Who paints?",
    '# Positive sentence\n"How hot?"\n\n# Negative sentence\n- Who paints?\n- Who sings?',
    "## Positive ##\n**How hot?**\n## Negative ##\n`Who paints?`",
    "## Positive: How hot?  ## Negative: Who paints?",
    "## Positive\nHere is one:\n\nHow hot?\n\n## Negative\n```\nWho paints?\n```\n## Explanation\nBecause.",
    "## Positive\nHow\nhot?\n\nIt asks for heat.\n## Negative\nWho paints?\n## Positive\nHow cold?\n## Negative\nWhy?",
    "## Positive\n\n## Negative\n\n## Positive\nHow hot?\n## Negative\nWho paints?",
    '{"positive": "How hot?", "negative": "Who paints?"}',
    'Sure:\n```json\n{"## Positive": "How\\nhot?", "## Negative": "Who paints?"}\n```',
]


@pytest.mark.parametrize("text", PAIRS)
def test_a_near_miss_of_the_two_sections_is_read_as_it_was_meant(text: str) -> None:
    assert read_pair(text) == Pair("How hot?", "Who paints?")


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("", Pair("", "")),
        ("I cannot do that.", Pair("", "")),
        ("## Positive\nHow hot?", Pair("How hot?", "")),
        ("## Negative\nWho paints?", Pair("", "Who paints?")),
        ("## Positive\n---\n## Negative\n...", Pair("", "")),
        ("## Positive\nHalf \ud83e is gone", Pair("Half is gone", "")),
        ('{"positive": null, "negative": 3}', Pair("", "")),
        ('{"other": "How hot?"}', Pair("", "")),
        ("{" * 5000 + "}" * 5000, Pair("", "")),
    ],
)
def test_what_is_not_there_is_empty(text: str, pair: Pair) -> None:
    assert read_pair(text) == pair


def test_a_sentence_that_begins_with_the_words_opens_no_section() -> None:
    text = "## Positive\nPositive numbers: how are they shown?\n## Negative\nNegative balances of whom"
    assert read_pair(text) == Pair("Positive numbers: how are they shown?", "Negative balances of whom")


@pytest.mark.parametrize(
    "text",
    [
        "- which heat\n- how warm\n- what degrees",
        "Sure, here they are:\n\n- which heat\n\n- how warm\n- what degrees\n\nAnything else?",
        "-which heat\n-how warm\n-what degrees",
        "1. which heat\n2) how warm\n3. what degrees",
        "* **Query 1:** which heat\n* **Query 2:** how warm\n* Query 3: what degrees",
        "– “which heat”\n— 'how warm'\n• what degrees",
        "which heat\nhow warm\nwhat degrees",
        "Here are three:\nwhich heat\nhow warm\nwhat degrees",
        "- which heat - how warm - what degrees",
        '["which heat", "how warm", 3, "what degrees"]',
        '```json\n["which heat", "how warm", "what degrees"]\n```',
        "- How hot?\n- which heat\n- Which heat\n- how warm\n- what degrees\n- what else",
    ],
)
def test_queries_are_read_from_any_kind_of_list(text: str) -> None:
    assert read_queries(text, 3, "How hot?") == ["which heat", "how warm", "what degrees"]


@pytest.mark.parametrize(
    ("text", "queries"),
    [
        ("", []),
        ("- \n- --\n-", []),
        ("- how hot?", []),
        ("- set up pre- and post-bake hooks", ["set up pre- and post-bake hooks"]),
        ("- what does --steam do\n- why 3.5 kg", ["what does --steam do", "why 3.5 kg"]),
        ("- \ud83e half", ["half"]),
        ("[" * 5000 + "]" * 5000, ["[" * 5000 + "]" * 5000]),
    ],
)
def test_fewer_queries_are_fewer_and_words_stay_whole(text: str, queries: list[str]) -> None:
    assert [query for query in read_queries(text, 3, "How hot?") if any(map(str.isalnum, query))] == [
        query for query in queries if any(map(str.isalnum, query))
    ]


@given(st.text(alphabet=st.sampled_from("#*-_:.\"'`{}[]\n \t1aé\ud83e“”") | st.characters(), max_size=300))
def test_any_text_gives_clean_lines(text: str) -> None:
    pair = read_pair(text)
    for line in (pair.positive, pair.negative, *read_queries(text, 3, "")):
        assert line == " ".join(line.split())
        line.encode()


PIECES = [*map(chr, range(9, 127)), "“", "é", "\u2028", "## ", "- ", " - ", "```", "positive:", "**positive", "1. "]
PIECES += ["\n- ", "\n## Positive\n", '{"', "[[", "\n\n", "Query 1:", "## Negative", "#negative ", "positive query "]


@pytest.mark.parametrize("piece", PIECES)
def test_long_repetitions_are_read_in_no_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    begun = time.process_time()
    read_pair(text)
    read_pair(f"## Positive\n{text}x")
    read_queries(text, 3, "x")
    assert time.process_time() - begun < 1.0
