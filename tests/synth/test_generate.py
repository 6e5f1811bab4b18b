"""Asking a language model, over a real connection: nothing is paid for twice, nothing is lost."""

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dragoman.config import SynthSettings
from dragoman.models.llm import EndpointLLM
from dragoman.models.protocols import Reply
from dragoman.models.stub import Body, StubFault, StubServer
from dragoman.records import Chunk, content_id
from dragoman.synth.answers import read_questions
from dragoman.synth.budget import Budget
from dragoman.synth.generate import (
    REASONS,
    Generated,
    choose_chunks,
    generate_questions,
    question_jobs,
)
from dragoman.synth.prompts import SCHEMA, STYLES
from dragoman.synth.store import AnswerStore
from dragoman.synth.work import Sampling

MakeChunk = Callable[..., Chunk]


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnswerStore]:
    with AnswerStore(tmp_path / "answers.sqlite") as opened:
        yield opened


def generate(
    stub: StubServer,
    store: AnswerStore,
    chunks: list[Chunk],
    *,
    seed: int = 1,
    temperature: float = 0.5,
    model: str = "small",
    concurrency: int = 2,
    advance: Callable[[int], None] | None = None,
    budget: Budget | None = None,
) -> Generated:
    @contextmanager
    def endpoint() -> Iterator[EndpointLLM]:
        yield EndpointLLM(stub.base_url, model, retries=0)

    settings = SynthSettings(temperature=temperature)
    return asyncio.run(
        generate_questions(
            chunks,
            model,
            endpoint,
            store,
            settings,
            seed=seed,
            concurrency=concurrency,
            advance=advance,
            budget=budget,
        )
    )


def asked_about(stub: StubServer) -> list[str]:
    return [body["messages"][-1]["content"] for body in stub.requests]


def fails_for(*words: str) -> Callable[[Body], StubFault | None]:
    return lambda body: StubFault(500) if any(word in body["messages"][-1]["content"] for word in words) else None


def test_every_chunk_is_asked_about_once_and_gives_a_question_of_each_style(
    stub: StubServer, store: AnswerStore, chunks: list[Chunk]
) -> None:
    done: list[int] = []
    made = generate(stub, store, chunks, advance=done.append)
    assert sorted(asked_about(stub)) == sorted(chunk.passage for chunk in chunks)
    expected = [(chunk.id, style) for chunk in chunks for style in STYLES]
    assert [(question.chunk_id, question.style) for question in made.questions] == expected
    assert {(question.kind, question.model) for question in made.questions} == {("llm", "small")}
    assert (made.rejected, made.asked, made.stored, sum(done)) == ((), len(chunks), 0, len(chunks))
    assert made.prompt_tokens > 100 * len(chunks)
    assert made.answer_tokens > len(chunks)


def test_nothing_is_asked_twice(stub: StubServer, store: AnswerStore, chunks: list[Chunk]) -> None:
    first = generate(stub, store, chunks[:5])
    stub.requests.clear()
    again = generate(stub, store, chunks[:8])
    assert sorted(asked_about(stub)) == sorted(chunk.passage for chunk in chunks[5:8])
    assert (again.asked, again.stored) == (3, 5)
    assert again.questions[: len(first.questions)] == first.questions


def test_with_every_answer_stored_the_model_is_not_even_opened(
    stub: StubServer, store: AnswerStore, chunks: list[Chunk]
) -> None:
    first = generate(stub, store, chunks[:3])
    made = asyncio.run(
        generate_questions(
            chunks[:3], "small", pytest.fail, store, SynthSettings(temperature=0.5), seed=1, concurrency=1
        )
    )
    assert (made.questions, made.asked, made.prompt_tokens, made.answer_tokens) == (first.questions, 0, 0, 0)


@pytest.mark.parametrize("changed", [{"seed": 2}, {"temperature": 0.6}, {"model": "large"}])
def test_another_model_seed_or_temperature_is_another_answer(
    stub: StubServer, store: AnswerStore, chunks: list[Chunk], changed: dict[str, int]
) -> None:
    generate(stub, store, chunks[:1])
    assert generate(stub, store, chunks[:1], **changed).asked == 1  # type: ignore[arg-type]


def test_two_chunks_with_the_same_passage_cost_one_request(
    stub: StubServer, store: AnswerStore, make_chunk: MakeChunk
) -> None:
    done: list[int] = []
    twins = [make_chunk("Heat the oven.", part=part) for part in (1, 2)]
    made = generate(stub, store, twins, advance=done.append)
    assert (len(stub.requests), made.asked, made.stored, sum(done)) == (1, 1, 1, 2)
    assert [question.chunk_id for question in made.questions] == [twin.id for twin in twins for _ in STYLES]


def test_a_failed_request_is_a_rejection_and_is_asked_again_next_time(
    stub: StubServer, store: AnswerStore, chunks: list[Chunk]
) -> None:
    stub.script = fails_for("Loaf 3 ", "Roll 1 ")
    made = generate(stub, store, chunks)
    assert [(row.stage, row.item, row.reason) for row in made.rejected] == [
        ("synth", chunk.id, "request failed") for chunk in (chunks[3], chunks[13])
    ]
    assert "500" in made.rejected[0].detail
    assert len(made.questions) == (len(chunks) - 2) * len(STYLES)
    stub.script = None
    stub.requests.clear()
    again = generate(stub, store, chunks)
    assert sorted(asked_about(stub)) == sorted([chunks[3].passage, chunks[13].passage])
    assert (again.rejected, len(again.questions)) == ((), len(chunks) * len(STYLES))


def test_many_failures_with_an_answer_now_and_then_do_not_end_the_work(
    stub: StubServer, store: AnswerStore, chunks: list[Chunk]
) -> None:
    stub.script = lambda _: StubFault(503) if len(stub.requests) % 14 else None
    made = generate(stub, store, chunks, concurrency=1)
    assert (len(made.rejected), made.failed, made.asked) == (15, 15, 16)
    assert len(made.questions) == len(STYLES)


def test_an_edited_page_costs_one_request_for_each_chunk_that_changed(
    stub: StubServer, store: AnswerStore, chunks: list[Chunk], make_chunk: MakeChunk
) -> None:
    before = generate(stub, store, chunks)
    stub.requests.clear()
    edited = make_chunk("Roll 1 needs no butter at all.", "rolls.md", ("Bakery", "Rolls 1"))
    now = [edited if chunk.text == "Roll 1 needs butter." else chunk for chunk in chunks]
    after = generate(stub, store, now)
    assert asked_about(stub) == [edited.passage]
    assert (after.asked, after.stored) == (1, len(chunks) - 1)
    assert len(set(after.questions) & set(before.questions)) == (len(chunks) - 1) * len(STYLES)


def test_the_key_of_an_answer_never_changes(make_chunk: MakeChunk) -> None:
    chunk = make_chunk("Heat the oven before the dough is ready.")
    (job,) = question_jobs([chunk], "small")
    prompt = json.dumps([{"role": message.role, "content": message.content} for message in job.messages])
    key = Sampling("small", 0.7, 13).key(job)
    assert key == content_id("small", prompt, json.dumps(SCHEMA), "0.7", 13, 256)
    assert key == "b285a36f8856c7f0", "answers that were paid for would be asked for again"


def test_a_reached_budget_leaves_chunks_for_the_next_run(
    stub: StubServer, store: AnswerStore, chunks: list[Chunk]
) -> None:
    first = generate(stub, store, chunks, budget=Budget(requests=6))
    assert (len(stub.requests), first.asked, first.not_asked) == (6, 6, len(chunks) - 6)
    assert len(first.questions) == 6 * len(STYLES)
    left = [chunk.id for chunk in chunks[6:]]
    assert [(row.item, row.reason, row.detail) for row in first.rejected] == [
        (item, "over budget", "budget_requests") for item in left
    ]
    assert "[synth] budget_requests" in first.note
    assert "10 requests not sent" in first.note
    stub.requests.clear()
    second = generate(stub, store, chunks, budget=Budget(requests=100))
    assert sorted(asked_about(stub)) == sorted(chunk.passage for chunk in chunks[6:])
    assert (second.rejected, second.note, second.stored) == ((), "", 6)


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("no JSON", ["not the JSON asked for"]),
        ('{"howto": "How', ["not the JSON asked for"]),
        ('["How?"]', ["not the JSON asked for"]),
        ("[" * 100_000, ["not the JSON asked for"]),
        ("{}", ["left empty"] * 4),
        ('{"howto": " ", "keywords": 3, "problem": null, "other": "x"}', ["left empty"] * 4),
        ('{"howto": "\\ud83e", "concept": "Why\\n  so?"}', ["left empty"] * 3),
    ],
)
def test_a_reply_that_gives_no_question_gives_a_reason(make_chunk: MakeChunk, text: str, reasons: list[str]) -> None:
    questions, rejected = read_questions(make_chunk("Text."), Reply(text, 1, 1, "stop"), "small")
    assert [row.reason for row in rejected] == reasons
    assert set(reasons) <= set(REASONS)
    assert [question.text for question in questions] == ["Why so?"][: 4 - len(reasons)] * (reasons[0] == "left empty")


def test_half_a_character_is_stored_as_a_question_mark(
    stub: StubServer, store: AnswerStore, chunks: list[Chunk]
) -> None:
    store.put("key", "small", Reply("half \ud83e", 1, 1, "stop"))
    assert store.get(["key"])["key"].text == "half ?"
    stub.script = lambda _: json.dumps({style: f"{style} \ud83e now" for style in STYLES})
    made = generate(stub, store, chunks[:1])
    assert [question.text for question in made.questions] == [f"{style} now" for style in STYLES]


def test_a_smaller_budget_chooses_among_what_a_larger_one_does(chunks: list[Chunk]) -> None:
    chosen = [choose_chunks(chunks, requests, 7) for requests in range(len(chunks) + 3)]
    for smaller, larger in itertools.pairwise(chosen):
        assert {chunk.id for chunk in smaller} <= {chunk.id for chunk in larger}
    assert [len(part) for part in chosen] == [min(n, len(chunks)) for n in range(len(chunks) + 3)]
    assert chosen[-1] == chunks


def test_the_choice_is_spread_over_documents_and_then_over_sections(chunks: list[Chunk]) -> None:
    for seed in range(5):
        assert {chunk.path for chunk in choose_chunks(chunks, 3, seed)} == {"loaves.md", "rolls.md", "oven.md"}
        half = [chunk for chunk in choose_chunks(chunks, 8, seed) if chunk.path == "loaves.md"]
        assert len(half) in {5, 6}
        assert len({chunk.section for chunk in half}) == 3


def test_the_choice_depends_on_content_and_seed_and_not_on_the_order(chunks: list[Chunk]) -> None:
    chosen = [{chunk.id for chunk in choose_chunks(chunks, 6, seed)} for seed in (1, 1, 2, 3)]
    assert chosen[0] == chosen[1] == {chunk.id for chunk in choose_chunks(chunks[::-1], 6, 1)}
    assert len({frozenset(choice) for choice in chosen}) > 1
