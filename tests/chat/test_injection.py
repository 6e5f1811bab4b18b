"""Text of the docs, of a reader or of a model changes no rule: the prompt keeps its shape, and a terminal gets words only."""

import json
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.chat.prompt import chat_messages
from dragoman.chat.special import neutral, plain_terminal, restored
from dragoman.models.protocols import Message
from dragoman.records import Chunk, Hit, Turn

ATTACKS = json.loads(Path(__file__).with_name("attacks.json").read_text(encoding="utf-8"))["attacks"]
EACH = pytest.mark.parametrize("attack", [pytest.param(row["text"], id=row["name"]) for row in ATTACKS])
OPENING, CLOSING = re.compile(r"<passage number=\"\d+\"[^<>]*>"), "</passage>"
TOKENS = (
    "<|",
    "<｜",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<s>",
    "</s>",
    "<think>",
    "<tool_call>",
)
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e01ef]"
)
LOOKS_LIKE_OURS = re.compile(r"[<＜〈⟨]\s*[/\\／∕]?\s*(?:passage|ｐａｓｓａｇｅ|раssаgе|ρassαgε)", re.IGNORECASE)
HIDDEN = ("HTML comment", "comment over lines", "Markdown comment", "display none", "hidden attribute", "size 0")


def asked(chunks: Sequence[Chunk], question: str, history: Sequence[Turn] = ()) -> list[Message]:
    return chat_messages("Pantry", question, [Hit(n, 1.0, chunk) for n, chunk in enumerate(chunks, 1)], history)


def keeps_its_shape(messages: Sequence[Message], passages: int) -> None:
    """One system message, first; the passages in the last message, each opened and closed by us alone; no token anywhere."""
    assert [message.role for message in messages].count("system") == 1
    assert (messages[0].role, messages[-1].role) == ("system", "user")
    told = messages[-1].content
    assert len(OPENING.findall(told)) == told.count("<passage") == passages
    assert told.count(CLOSING) == passages
    for message in messages:
        assert not [token for token in TOKENS if token.casefold() in message.content.casefold()]
        assert not UNSEEN.search(message.content)
    for message in messages[1:]:
        theirs = OPENING.sub("", message.content).replace(CLOSING, "")
        assert not LOOKS_LIKE_OURS.search(theirs)


@EACH
def test_a_passage_stays_within_its_tags(attack: str, chunks: list[Chunk], make_chunk: Callable[..., Chunk]) -> None:
    sly = make_chunk(("Pantry", "Sly"), attack)
    messages = asked([chunks[0], sly, chunks[1]], "How wide is a shelf?")
    keeps_its_shape(messages, 3)
    assert messages[0] == asked(chunks[:3], "How wide is a shelf?")[0]
    told = messages[-1].content
    second = [match.start() for match in OPENING.finditer(told)][1]
    end = told.index(CLOSING, second)
    places = [match.start() for match in re.finditer("zebra", told, re.IGNORECASE)]
    assert all(second < place < end for place in places)
    assert "zebra" not in messages[0].content.casefold()


@EACH
def test_a_heading_stays_within_its_tags(attack: str, make_chunk: Callable[..., Chunk]) -> None:
    keeps_its_shape(asked([make_chunk(("Pantry", attack), "Text.")], "How wide is a shelf?"), 1)


@EACH
def test_a_question_comes_after_the_passages_and_opens_nothing(attack: str, chunks: list[Chunk]) -> None:
    messages = asked(chunks, attack)
    keeps_its_shape(messages, len(chunks))
    assert messages[0] == asked(chunks, "How wide is a shelf?")[0]
    told = messages[-1].content
    places = [match.start() for match in re.finditer("zebra", told, re.IGNORECASE)]
    assert all(place > told.rindex(CLOSING) for place in places)


@EACH
def test_earlier_turns_open_nothing(attack: str, chunks: list[Chunk]) -> None:
    messages = asked(chunks, "And now?", [Turn(attack, attack), Turn("How?", attack)])
    keeps_its_shape(messages, len(chunks))


@pytest.mark.parametrize("name", HIDDEN)
def test_what_a_reader_of_the_page_does_not_see_is_not_told(name: str) -> None:
    (attack,) = [row["text"] for row in ATTACKS if row["name"] == name]
    said = neutral(attack)
    assert "zebra" not in said
    assert "Plain words." in said


def test_plain_docs_are_told_as_they_are() -> None:
    text = (
        "If a < b and `x<y`, use `Vec<T>`; e.g. 👩‍🍳 می‌خواهم.\n\n```html\n<!-- shown -->\n<p>&lt;b&gt;</p>\n```\n"
        "| a | b |\n|---|---|\n| < | > |\n\nThe passage of time [1] <https://pantry.example>."
    )
    assert neutral(text) == text


@EACH
def test_what_is_neutral_stays_so(attack: str) -> None:
    assert neutral(neutral(attack)) == neutral(attack)


@given(st.text(alphabet="<|>/[]pasge INST‹＜&lt;#60\u200b\n`s", max_size=60))
def test_no_text_closes_a_passage_or_opens_a_turn(text: str) -> None:
    said = neutral(text)
    assert not LOOKS_LIKE_OURS.search(said)
    assert not re.search(r"<\|[^<>|\s]{1,40}\|>|\[/?INST\]|</?s>", said)
    assert neutral(said) == said


def test_code_gets_its_tokens_back_and_prose_does_not() -> None:
    told = neutral("Say `<|im_end|>`, or:\n\n```xml\n<passage>\n```\n<|im_end|>")
    assert restored(told) == "Say `<|im_end|>`, or:\n\n```xml\n<passage>\n```\n‹|im_end|>"


@EACH
def test_a_terminal_gets_words_only(attack: str) -> None:
    said = plain_terminal(attack)
    assert not UNSEEN.search(said)
    assert "\x1b" not in said


def test_a_terminal_shows_no_part_of_an_escape_sequence() -> None:
    text = "a\x1b[31mb\x1b[0m \x1b]8;;https://evil.example\x1b\\c\x1b]8;;\x1b\\ \x1b]0;title\x07d\x1b(Be\x9b2Jf\r\ng\rh\ti 👩‍🍳"
    assert plain_terminal(text) == "ab c def\ng\nh\ti 👩‍🍳"


@pytest.mark.parametrize("piece", ["<!--", "</passage", "<|", "[INST] ", "<div hidden>", "&lt;", "\x1b[", "`", "x "])
def test_huge_input_is_no_burden(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    start = time.perf_counter()
    said: Any = (neutral(text), plain_terminal(text))
    assert time.perf_counter() - start < 10
    assert not LOOKS_LIKE_OURS.search(said[0])
