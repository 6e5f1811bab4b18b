"""Agreement against the worked examples of K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011)."""

import sys
from dataclasses import asdict
from random import Random

import pytest

from dragoman.review.agreement import Agreement, agreement
from dragoman.review.items import FORMS, NO, YES, Ask, Form, Item, Response, Reviewed

CODES = Form("chunks", (), (Ask("code", "Which?", tuple("12345abcde")), Ask("why", "Why?", required=False)), {})
CHUNKS = FORMS["chunks"]


def coded(*coders: str, ask: str = "code") -> list[Reviewed]:
    """A row of codes a coder, a column an item; a dot is no answer."""
    return [
        Reviewed(
            Item(f"{number:02}", "chunks", {}),
            tuple(Response(f"coder {coder}", {ask: code}) for coder, code in enumerate(column) if code != "."),
        )
        for number, column in enumerate(zip(*coders, strict=True))
    ]


def good(*coders: str) -> list[Reviewed]:
    words = {"1": YES, "0": NO}
    return [
        Reviewed(
            one.item, tuple(Response(own.reviewer, {"good_chunk": words[own.values["x"]]}) for own in one.responses)
        )
        for one in coded(*coders, ask="x")
    ]


def test_two_who_say_yes_or_no() -> None:
    found = agreement(good("0100000010", "1110010000"), CHUNKS)
    assert list(found) == ["good_chunk"]
    assert found["good_chunk"].alpha == pytest.approx(0.095, abs=0.0005)
    assert (found["good_chunk"].shared, found["good_chunk"].alike, found["good_chunk"].reviewers) == (10, 6, 2)
    assert found["good_chunk"].reading == (
        "alpha 0.10, weak: settle what the question means before labelling more; "
        "all said the same about 6 of 10 items that 2 reviewers share"
    )


def test_two_who_choose_from_several() -> None:
    found = agreement(coded("aabbdcccedda", "babbbccceddd"), CODES)["code"]
    assert found.alpha == pytest.approx(0.692, abs=0.0005)
    assert (found.shared, found.alike) == (12, 9)


def test_four_who_did_not_all_answer() -> None:
    reviewed = coded("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
    found = agreement(reviewed, CODES)["code"]
    assert found.alpha == pytest.approx(0.743, abs=0.0005)
    assert (found.shared, found.alike, found.reviewers) == (11, 8, 4)
    assert found.reading.startswith("alpha 0.74, fair: conclude with care; ")
    mixed = Random(1).sample(reviewed, len(reviewed))
    turned = [Reviewed(one.item, one.responses[::-1]) for one in mixed]
    assert asdict(agreement(turned, CODES)["code"]) == asdict(found) | {"alpha": pytest.approx(found.alpha)}


@pytest.mark.parametrize(
    ("coders", "words"),
    [
        (("1010", "1010"), "alpha 1.00, reliable; all said the same about 4 of 4 items"),
        (("1010", "0101"), "no better than chance"),
    ],
)
def test_a_figure_is_put_in_words(coders: tuple[str, ...], words: str) -> None:
    assert words in agreement(good(*coders), CHUNKS)["good_chunk"].reading


@pytest.mark.parametrize("reviewed", [[], good("1010"), good("10..", "..01")], ids=["nothing", "one", "none shared"])
def test_what_nobody_shares_cannot_be_measured(reviewed: list[Reviewed]) -> None:
    reading = "no item was answered by two reviewers, so agreement cannot be measured"
    assert agreement(reviewed, CHUNKS) == {"good_chunk": Agreement(None, 0, 0, 0, reading)}


def test_what_never_varies_cannot_be_told_from_chance() -> None:
    found = agreement(good("1110", "111."), CHUNKS)["good_chunk"]
    assert (found.alpha, found.shared, found.alike) == (None, 3, 3)
    assert found.reading == (
        "all said the same about 3 of 3 items that 2 reviewers share; "
        "all answers are 'yes', so what is due to chance cannot be told"
    )


def test_only_submitted_answers_to_asks_with_options_count() -> None:
    item = Item("a", "conversations", {})
    values = {"is_response_correct": YES, "out_of_guardrails": NO, "feedback": "Fine."}
    answers = (Response("anna", values), Response("bob", values, "draft"), Response("carol", values, "discarded"))
    found = agreement([Reviewed(item, answers)], FORMS["conversations"])
    assert list(found) == ["is_response_correct", "out_of_guardrails"]
    assert all(one.shared == 0 for one in found.values())


def test_without_the_package_the_counts_are_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nltk.metrics.agreement", None)
    found = agreement(good("1010", "1011"), CHUNKS)["good_chunk"]
    assert (found.alpha, found.shared, found.alike) == (None, 4, 3)
    assert found.reading.endswith("alpha needs a package: pip install 'dragoman[review]'")
