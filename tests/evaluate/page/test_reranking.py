"""Whether readers' hits are reranked is told with the two gains; without a cross-encoder there is nothing to tell."""

from typing import Any

from tests.evaluate.page.reader import Reader, shown

from dragoman.evaluate.page.reranking import reranking


def test_the_decision_stands_with_its_gains(report: dict[str, Any]) -> None:
    part = report["reranking"]
    text = Reader(reranking(report)).text
    assert "(cellar/small-cross-encoder)" in text
    assert f"It does not put readers' hits in order: {part['reason']}." in text
    for name in ("validation", "test"):
        ends = f"[{shown(part[name]['low'], '+')}, {shown(part[name]['high'], '+')}]"
        assert text.count(f"{shown(part[name]['mean'], '+')} {ends}") >= 2, "in the plot, and beside it"


def test_one_that_is_kept_is_told_as_such(report: dict[str, Any]) -> None:
    report["reranking"] |= {"kept": True, "reason": "its gain on validation is larger than chance"}
    assert "It puts readers' hits in order: its gain" in Reader(reranking(report)).text


def test_without_a_cross_encoder_the_part_is_left_out(report: dict[str, Any]) -> None:
    report["reranking"] = {}
    assert reranking(report) == ""
    assert reranking({"reranking": {"reranker": "named", "validation": {"mean": "x"}}}) == ""
