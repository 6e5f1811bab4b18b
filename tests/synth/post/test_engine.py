"""The post's pipeline from chunks to questions: nothing is lost, nothing is paid for twice, nothing is left running."""

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.synth.post.bench import SETTINGS, WHOLE, Bench, StandIn, check_whole, post_answer, troubled

from dragoman.errors import DragomanError, ExtraMissing, LLMRefused
from dragoman.models.stub import StubFault, StubServer
from dragoman.records import Chunk, content_id
from dragoman.synth.budget import Budget
from dragoman.synth.post.engine import STYLES, Posted, post_questions
from dragoman.synth.post.records import FEWER, PostRow
from dragoman.synth.store import AnswerStore
from dragoman.synth.work import OpenGenerator

SECRET = "sk-never-to-be-seen"


@pytest.fixture
def bench(open_generator: OpenGenerator, store: AnswerStore, stand_in: StandIn) -> Bench:
    return Bench(open_generator, store, stand_in(WHOLE))


def test_each_chunk_gives_a_question_and_its_paraphrases(bench: Bench, stub: StubServer, chunks: list[Chunk]) -> None:
    made = bench.run(chunks[:3])
    check_whole(made, chunks[:3])
    assert (made.asked, made.stored, made.failed, made.rejected, made.short) == (6, 0, 0, (), ())
    assert [question.style for question in made.questions] == [STYLES[0], STYLES[1], STYLES[1], STYLES[1]] * 3
    first = made.questions[0]
    assert (first.text, first.kind, first.model) == ("How hot for 200?", "llm", "small")
    assert first.id == content_id(chunks[0].id, "How hot for 200?")
    assert made.rows[5] == PostRow(
        anchor="Loaf 1 bakes at 201 degrees.",
        positive="which heat for 201",
        negative="Who paints wall 201?",
        model_name_query="small",
        model_name_query_multiplied="small",
        filename="loaves.md",
        chunk_id=chunks[1].id,
        repo_name="bakery",
    )
    assert {(request["temperature"], request["max_tokens"]) for request in stub.requests} == {(0.7, 512)}
    assert made.answer_tokens > 0


def test_what_failed_is_rejected_with_its_reason_and_alone_asked_for_again(
    bench: Bench, stub: StubServer, chunks: list[Chunk]
) -> None:
    stub.script = troubled
    made = bench.run(chunks)
    check_whole(made, chunks)
    assert [(row.item, row.reason) for row in made.rejected] == [
        (chunks[2].id, "request failed"),
        (chunks[3].id, "no positive sentence"),
        (chunks[4].id, "no positive sentence"),
    ]
    assert [(row.item, row.reason) for row in made.short] == [(chunks[5].id, FEWER), (chunks[6].id, FEWER)]
    stub.script = post_answer
    stub.requests.clear()
    again = bench.run(chunks)
    check_whole(again, chunks)
    assert (again.rejected, [row.item for row in again.short]) == ((), [chunks[6].id])
    # Three pairs and their paraphrases, and the paraphrases that failed; one query of three is an answer.
    assert (len(stub.requests), again.asked) == (7, 7)


def test_only_a_changed_chunk_is_asked_about_again(bench: Bench, stub: StubServer, chunks: list[Chunk]) -> None:
    bench.run(chunks)
    stub.requests.clear()
    edited = [replace(chunks[0], text="Loaf 0 bakes at 190 degrees."), *chunks[1:]]
    made = bench.run(edited)
    assert (made.asked, len(stub.requests)) == (2, 2)
    assert "How hot for 190?" in [question.text for question in made.questions]


def test_a_process_that_dies_loses_no_answer(
    bench: Bench, stub: StubServer, chunks: list[Chunk], stand_in: StandIn
) -> None:
    dying = WHOLE.replace("for chunk in chunks:", "for chunk in chunks[:5]:", 1)
    stand_in(dying.partition("(folder / RESULT)")[0] + "sys.exit('the ceiling fell down')")
    with pytest.raises(DragomanError, match=r"exit code 1: the ceiling fell down\. What .* is kept"):
        bench.run(chunks)
    assert len(stub.requests) == 10
    stand_in(WHOLE)
    made = bench.run(chunks)
    assert (made.stored, len(stub.requests)) == (10, 2 * len(chunks))
    undisturbed = bench.run(chunks)
    assert (undisturbed.rows, undisturbed.questions) == (made.rows, made.questions)


def test_a_chunk_that_the_pipeline_forgets_is_rejected(bench: Bench, chunks: list[Chunk], stand_in: StandIn) -> None:
    stand_in(WHOLE.replace("sort_out(rows,", "sort_out(rows[4:],"))
    made = bench.run(chunks)
    check_whole(made, chunks)
    assert [(row.item, row.reason) for row in made.rejected] == [(chunks[0].id, "lost in the pipeline")]


def running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_an_endpoint_that_refuses_ends_the_process_too(
    bench: Bench, stub: StubServer, chunks: list[Chunk], stand_in: StandIn, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    forked = f"os.fork(); open({str(pids)!r}, 'a').write(f'{{os.getpid()}} ')\n"
    stand_in(f"{forked}try:\n    ask('Write.', 'Loaf 1')\nexcept Exception:\n    import time; time.sleep(60)\n")
    stub.script = lambda _: StubFault(401)
    begun = time.monotonic()
    with pytest.raises(LLMRefused, match="401"):
        bench.run(chunks)
    assert time.monotonic() - begun < 30
    left = [int(pid) for pid in pids.read_text().split()]
    while any(map(running, left)) and time.monotonic() - begun < 30:  # the kernel takes its time
        time.sleep(0.01)
    assert not any(map(running, left))


def test_the_process_is_told_no_secret(
    bench: Bench, chunks: list[Chunk], stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "HF_TOKEN", "MY_KEY"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    seen = tmp_path / "seen"
    stand_in(f"open({str(seen)!r}, 'w').write(json.dumps([dict(os.environ), job, sys.argv]))\n{WHOLE}")
    made = bench.run(chunks[:1])
    assert made.rows
    assert SECRET not in seen.read_text()
    assert "HTTP_PROXY" not in json.loads(seen.read_text())[0]


def test_a_budget_leaves_chunks_for_another_day(bench: Bench, stub: StubServer, chunks: list[Chunk]) -> None:
    made = bench.run(chunks, budget=Budget(requests=5))
    check_whole(made, chunks)
    assert len(stub.requests) == made.asked == 5
    assert {row.reason for row in made.rejected} == {"over budget"}
    assert "the budget of 5 requests is used up" in made.note
    assert bench.run(chunks).asked == 2 * len(chunks) - 5


def test_ctrl_c_ends_the_process(bench: Bench, chunks: list[Chunk], stand_in: StandIn, tmp_path: Path) -> None:
    started = tmp_path / "started"
    stand_in(f"open({str(started)!r}, 'w').write(str(os.getpid()))\nimport time; time.sleep(60)")

    async def interrupted() -> None:
        made = post_questions(chunks, "small", bench.open_generator, bench.store, SETTINGS, python=bench.python)
        work = asyncio.create_task(made)
        while not (started.exists() and started.read_text()):  # noqa: ASYNC110 - another process makes it so
            await asyncio.sleep(0.01)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(interrupted())
    assert not running(int(started.read_text()))


def test_without_distilabel_the_hint_says_how_to_install_it(
    bench: Bench, chunks: list[Chunk], stand_in: StandIn
) -> None:
    stand_in("import a_package_that_is_not_there")
    with pytest.raises(ExtraMissing, match=r"pip install 'dragoman\[distilabel\]'"):
        bench.run(chunks)


def test_an_interpreter_that_is_none_is_named(bench: Bench, chunks: list[Chunk], tmp_path: Path) -> None:
    bench.python = tmp_path / "nowhere"
    with pytest.raises(DragomanError, match="nowhere: No such file"):
        bench.run(chunks)


def test_no_chunks_start_nothing(bench: Bench, tmp_path: Path) -> None:
    bench.python = tmp_path / "nowhere"
    assert bench.run([]) == Posted((), (), (), ())


def test_chunks_with_halves_of_characters_are_asked_about(bench: Bench, chunks: list[Chunk]) -> None:
    odd = replace(chunks[0], text="Loaf 0 \ud83e bakes at 200 degrees.", path="lo\udcffaves.md")
    made = bench.run([odd])
    assert (made.rows[0].anchor, made.rows[0].filename) == ("Loaf 0 ? bakes at 200 degrees.", "lo?aves.md")
