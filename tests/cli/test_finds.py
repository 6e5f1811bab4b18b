"""What is shown of hits and answers: every figure of the search, and nothing of a page that steers a terminal."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from dragoman.cli.finds import answer_row, explained_row, explained_table, hit_row, hits_table, print_answer
from dragoman.records import Answer, Chunk, Citation, Finding, Hit, Signals, Support, content_id


def chunk(name: str, start: int = 1) -> Chunk:
    text = f"The {name} is oiled each spring."
    return Chunk(
        id=content_id(name),
        source="mill",
        path=f"{name}.md",
        title="Mill",
        trail=("Mill", name),
        section=name,
        text=text,
        passage=f"Mill > {name}\n{text}",
        start=start,
        end=start + len(text),
        start_line=start,
        end_line=start + 3,
        tokens=9,
        url=f"https://docs.example/{name}",
    )


@pytest.fixture
def hit() -> Hit:
    signals = Signals(0.81234, 2, 0.9, 7.125, 1, 0.0312, None, 5)
    return Hit(1, 0.0312, chunk("wheel", 8), context=(chunk("axle"),), signals=signals)


def shown(*things: object) -> str:
    written = io.StringIO()
    console = Console(file=written, width=160)
    for thing in things:
        console.print(thing)
    return written.getvalue()


def test_an_explained_hit_tells_what_each_part_of_the_search_found(hit: Hit) -> None:
    (_, row) = shown(explained_table([hit])).strip().splitlines()
    assert row.split()[:8] == ["1", "0.031", "0.812", "(2)", "0.900", "7.12", "(1)", "0.0312"]
    assert row.split()[8:10] == ["-", "5"]
    assert "wheel.md:8-11" in row


def test_a_hit_that_the_base_model_missed_says_so(hit: Hit) -> None:
    missed = replace(hit, signals=Signals(base_rank=0))
    assert "not found" in shown(explained_table([missed]))


def test_a_hit_is_a_row_of_the_seven_values_that_scorers_read(hit: Hit) -> None:
    assert set(hit_row(hit)) == {"source", "file", "start_line", "end_line", "chunk_id", "score", "url"}
    row = explained_row(hit)
    assert row["signals"]["lexical"] == 7.125
    assert [one["file"] for one in row["context"]] == ["axle.md"]
    assert "wheel.md:8-11" in shown(hits_table([hit]))


def test_an_answer_names_its_sources_and_what_was_searched_for(hit: Hit) -> None:
    answer = Answer(
        "And when?",
        "Each **spring** [1].",
        (Citation(1, hit),),
        "llm",
        note="Not in the passages: `oil_now`.",
        searched="When is the wheel oiled?",
        support=(Support("Each spring [1].", 0.9, 1, (1,)),),
        findings=(Finding("identifier", "oil_now"),),
    )
    console = Console(file=io.StringIO(), width=160)
    print_answer(console, answer)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for part in ("Each spring [1].", "[1] Mill > wheel", "wheel.md:8-11", "When is the wheel oiled?", "oil_now"):
        assert part in text
    row = answer_row(answer)
    assert row["support"] == [{"sentence": "Each spring [1].", "score": 0.9, "number": 1, "cited": (1,)}]
    assert row["findings"] == [{"kind": "identifier", "text": "oil_now", "removed": False}]
    assert row["citations"][0]["number"] == 1


def test_a_page_cannot_steer_the_terminal(hit: Hit) -> None:
    evil = "\x1b]0;owned\x07\x1b[2Jcleared\u202e"
    chunk_ = replace(hit.chunk, trail=("Mill", f"Oil{evil}"), path=f"a{evil}.md")
    answer = Answer("And?", f"Look{evil}", (Citation(1, replace(hit, chunk=chunk_)),), "llm", note=evil, searched=evil)
    console = Console(file=io.StringIO(), width=160, force_terminal=False)
    print_answer(console, answer)
    console.print(hits_table([replace(hit, chunk=chunk_)]))
    console.print(explained_table([replace(hit, chunk=chunk_)]))
    assert not {"\x1b", "\x07", "\u202e"} & set(console.file.getvalue())  # type: ignore[attr-defined]
