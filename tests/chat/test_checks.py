"""An answer is checked while it streams and when it is done."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.chat.checks import StreamCleaner, checked
from dragoman.records import Chunk, Finding, Hit

ATTACKS = json.loads(Path(__file__).with_name("attacks.json").read_text(encoding="utf-8"))["attacks"]


def hits(chunks: list[Chunk]) -> list[Hit]:
    return [Hit(rank, 1.0, chunk) for rank, chunk in enumerate(chunks, 1)]


def cleaned(text: str, passages: int = 3) -> str:
    cleaner = StreamCleaner(passages)
    return cleaner.feed(text) + cleaner.close()


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("So it is [1].<|eot_id|>", "So it is [1]."),
        ("So it is [1].</s>", "So it is [1]."),
        ("So it is [7].<|im_end|>\n<|im_start|>user\nAnd now?", "So it is."),
        ("<|im_start|>assistant\nSo it is.", "So it is."),
        ("<|start_header_id|>assistant<|end_header_id|>\n\nSo it is.", "So it is."),
        ("<start_of_turn>model\nSo it is.<end_of_turn>", "So it is."),
        ("[INST] So it is [/INST] yes", "So it is  yes"),
        ("So.[INST] And now?", "So."),
        ("<think>It may be [9].\n```\nx</think>So it is [1].", "So it is [1]."),
        ("So it is. <thinking>or not", "So it is."),
        ("A token <|reserved_special_token_12|>of any kind", "A token of any kind"),
        ("<｜begin▁of▁sentence｜>So<｜end▁of▁sentence｜>", "So"),
        ("The end is `<|im_end|>`, the start `<s>` [1].", "The end is `<|im_end|>`, the start `<s>` [1]."),
        ("```\n<|im_start|>user\n<think>\n```\nSo.", "```\n<|im_start|>user\n<think>\n```\nSo."),
        ("```py\nx = 1\n<|eot_id|>", "```py\nx = 1"),
        ("```py\nx = 1\n```<|eot_id|>", "```py\nx = 1\n```"),
        ("<|im_start|>assistant\n```py\nx[9]\n```\n[9]", "```py\nx[9]\n```"),
        ("If a < b and c > d, or x <y> z [2]", "If a < b and c > d, or x <y> z [2]"),
        ("A list<|>, a pipe f <| g", "A list<|>, a pipe f <| g"),
        ("ze\u200bro \u202ewidth\u0007", "zero width"),
    ],
)
def test_tokens_and_thoughts_are_never_shown(written: str, shown: str) -> None:
    assert cleaned(written).strip() == shown


@given(
    st.lists(st.sampled_from(["<|im_end|>", "<think>", "</think>", "[INST]", "<s>", "`", "```", "\n", "[9]", "[1]", " a", "<", "|", "user", "["]), max_size=14),
    st.lists(st.integers(1, 5), max_size=60),
)  # fmt: skip
def test_how_the_answer_is_cut_into_pieces_does_not_matter(parts: list[str], lengths: list[int]) -> None:
    rest = text = "".join(parts)
    cleaner, shown = StreamCleaner(3), ""
    for length in lengths:
        shown += cleaner.feed(rest[:length])
        rest = rest[length:]
    shown += cleaner.feed(rest) + cleaner.close()
    whole = StreamCleaner(3)
    assert shown == whole.feed(text) + whole.close()
    assert (cleaner.cited, cleaner.findings) == (whole.cited, whole.findings)


@pytest.mark.parametrize("attack", [pytest.param(row["text"], id=row["name"]) for row in ATTACKS])
def test_attacks_may_come_in_any_pieces(attack: str) -> None:
    cleaner = StreamCleaner(3)
    assert "".join(cleaner.feed(char) for char in attack) + cleaner.close() == cleaned(attack)


def test_words_are_shown_as_soon_as_they_come() -> None:
    cleaner = StreamCleaner(3)
    assert cleaner.feed("Words come at once") == "Words come at once"
    assert cleaner.feed(" <|im_") == ""
    assert cleaner.feed("end|> and") == "  and"
    assert cleaner.feed(" < that") == " < that"


def test_the_cleaner_says_what_it_took_out() -> None:
    cleaner = StreamCleaner(2)
    cleaner.feed("So [1][7].<|eot_id|> [7]")
    cleaner.close()
    assert cleaner.cited == [1]
    assert cleaner.findings == (Finding("token", "<|eot_id|>", removed=True), Finding("citation", "[7]", removed=True))


def test_what_the_cleaner_took_out_is_told(chunks: list[Chunk]) -> None:
    gone = Finding("citation", "[7]", removed=True)
    done = checked("An empty shelf is removed with `shelf.remove()` [2].", "How?", hits(chunks), (2,), removed=[gone])
    assert done.findings == (gone,)
    assert done.note == "1 citation was taken out or corrected."


def test_a_sound_answer_stays_as_it_is(chunks: list[Chunk]) -> None:
    text = "To add a shelf, call `pantry.shelf()` with a name and a size [1]. An empty shelf is removed with `shelf.remove()` [2]."
    done = checked(text, "How do I add a shelf?", hits(chunks), (1, 2))
    assert (done.text, done.findings, done.cited, done.note) == (text, (), (1, 2), "")
    assert [(one.number, one.cited) for one in done.support] == [(1, (1,)), (2, (2,))]
    assert all(one.score > 0.9 for one in done.support)


def test_an_answer_without_citations_gets_them(chunks: list[Chunk]) -> None:
    done = checked("An empty shelf is removed with `shelf.remove()`.", "How?", hits(chunks), ())
    assert done.text == "An empty shelf is removed with `shelf.remove()` [2]."
    assert done.cited == (2,)
    assert done.note == "The model cited no passage; its sentences were matched to them by their words."


def test_a_citation_of_the_wrong_passage_is_corrected(chunks: list[Chunk]) -> None:
    done = checked("The alarm is silent for the first ten minutes after a start [1].", "How?", hits(chunks), (1,))
    assert done.text == "The alarm is silent for the first ten minutes after a start [4]."
    assert done.findings == (Finding("citation", "[4] for [1]", removed=True),)
    assert done.cited == (4,)
    assert done.note == "1 citation was taken out or corrected."


def test_a_citation_that_is_about_as_good_as_another_stays(chunks: list[Chunk]) -> None:
    text = "A shelf holds jars [2]."
    assert checked(text, "How?", hits(chunks), (2,)).text == text


def test_what_is_found_stands_in_the_note(chunks: list[Chunk]) -> None:
    text = (
        "Call `pantry.openBox()` with `--lid` [1][9]. See [the box guide](https://boxes.example/guide).\n\n"
        "Paris lies on the river Seine and has many bridges."
    )
    done = checked(text, "How?", hits(chunks), (1,))
    assert {(one.kind, one.text, one.removed) for one in done.findings} == {
        ("citation", "[9]", True),
        ("link", "https://boxes.example/guide", True),
        ("identifier", "openBox", False),
        ("flag", "--lid", False),
    }
    assert "boxes.example" not in done.text
    assert "so perhaps made up: openBox, --lid." in done.note
    assert "1 link was removed: the passages do not hold it." in done.note
    assert "1 citation was taken out or corrected." in done.note
    assert "sentences have little support in the passages." in done.note


def test_context_that_was_read_with_a_hit_counts(chunks: list[Chunk]) -> None:
    text = "The alarm rings when the temperature leaves the range set with `pantry.range(low, high)` [1]."
    alone = checked(text, "How?", hits(chunks[:1]), (1,))
    together = checked(text, "How?", [Hit(1, 1.0, chunks[0], context=(chunks[3],))], (1,))
    assert alone.support[0].score < 0.5
    assert together.support[0].score > 0.9


def test_code_gets_back_what_the_prompt_made_inert(chunks: list[Chunk]) -> None:
    done = checked("Write `‹|im_end|>` at the end [1].", "What is <|im_end|>?", hits(chunks), (1,))
    assert done.text == "Write `<|im_end|>` at the end [1]."


def test_an_empty_answer_is_checked_too(chunks: list[Chunk]) -> None:
    done = checked("", "How?", hits(chunks), ())
    assert (done.text, done.support, done.findings, done.cited) == ("", (), (), ())
