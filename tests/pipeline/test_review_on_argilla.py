"""The way there and back on a real Argilla server: pushed from a built workspace, labelled by three people, learned from by the next build."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.argilla_server.live import ArgillaServer, User

from dragoman.cli.settings import make_run
from dragoman.pipeline.synth import load_negatives, load_passages, load_questions
from dragoman.records import Turn, content_id
from dragoman.review.items import FORMS, Item, Suggestion
from dragoman.review.turns import append_turn
from dragoman.train.rows import training_rows

pytestmark = [pytest.mark.argilla, pytest.mark.slow, pytest.mark.timeout(900)]

YES: Mapping[str, str] = {"is_positive_relevant": "yes", "is_negative_irrelevant": "yes"}
NO: Mapping[str, str] = {"is_positive_relevant": "no", "is_negative_irrelevant": "yes"}


@pytest.fixture
def space(argilla_server: ArgillaServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A workspace of this test's own on the server, and the key where commands look for it."""
    monkeypatch.setenv("ARGILLA_API_KEY", argilla_server.key)
    return argilla_server.space(f"mill-{content_id(str(tmp_path))}")


def label(
    server: ArgillaServer,
    space: str,
    users: Sequence[User],
    kind: str,
    answers: Mapping[str, Sequence[Mapping[str, str]]],
) -> None:
    """Answers by item, one of each user in their order, given through the SDK."""
    import argilla

    client = argilla.Argilla(api_url=server.url, api_key=server.key)
    dataset = client.datasets(f"mill-{kind}", workspace=space)
    records = []
    for record in dataset.records(with_responses=True):
        for user, values in zip(users, answers.get(record.id, ()), strict=False):
            for name, value in values.items():
                record.responses.add(argilla.Response(name, value, user_id=user.id, status="submitted"))
        if record.id in answers:
            records.append(record)
    dataset.records.log(records)
    client.http_client.close()


def test_what_three_people_say_is_what_the_next_build_learns_from(  # noqa: PLR0915 - one walk, told in order
    argilla_server: ArgillaServer, space: str, copied: Any, dragoman: Any
) -> None:
    workspace: Path = copied.workspace
    where = ("--workspace", workspace, "--server", argilla_server.url, "--space", space, "--set", "review.dataset=mill")
    run = make_run(workspace=workspace, quiet=True)
    chunks = {chunk.id: chunk for chunk in load_passages(run)}
    asked = sorted((one for one in load_questions(run) if one.kind == "llm"), key=lambda one: one.id)
    about = asked[-1].chunk_id
    append_turn(workspace / "turns.jsonl", Turn("how much is the toll?", "A sixteenth.", "talk", 0, (about,), "small"))
    for kind in FORMS:
        assert "added" in dragoman("review", "push", kind, *where).stdout
        assert "added" not in dragoman("review", "push", kind, *where).stdout

    dropped, outvoted, corrected, disputed = asked[:4], asked[4:7], asked[7:9], asked[9:10]
    new = [{**YES, "question": f"What does step {number} of the work need?"} for number in range(len(corrected))]
    given: dict[str, Sequence[Mapping[str, str]]] = {one.id: (NO, NO, NO) for one in dropped}
    given |= {one.id: (YES, NO, YES) for one in outvoted}
    given |= {one.id: (NO, text, text) for one, text in zip(corrected, new, strict=True)}
    given |= {one.id: (YES, NO) for one in disputed}
    users = [argilla_server.user(name, space) for name in ("ada", "ben", "cleo")]
    label(argilla_server, space, users, "triplets", given)
    bad = next(
        chunk for chunk in sorted(chunks) if not {chunk} & {one.chunk_id for one in asked[:10]} and chunk != about
    )
    label(
        argilla_server,
        space,
        users,
        "chunks",
        {bad: ({"good_chunk": "no"}, {"good_chunk": "no"}, {"good_chunk": "yes"})},
    )

    pulled = json.loads(dragoman("review", "pull", *where, "--json").stdout)
    tally = {one["kind"]: one["tally"] for one in pulled}
    counts = {name: tally["triplets"][name] for name in ("dropped", "kept", "corrected", "disputed")}
    assert counts == {"dropped": 4, "kept": 3, "corrected": 2, "disputed": 1}
    assert tally["triplets"]["responses"] == 4 * 3 + 3 * 3 + 2 * 3 + 2
    assert tally["triplets"]["reviewers"] == ["ada", "ben", "cleo"]
    assert tally["chunks"]["dropped"] == 1
    assert [one["item"] for one in pulled[1]["disputes"]] == [disputed[0].id]

    dragoman("build", "--workspace", workspace)
    states = json.loads(dragoman("status", "--workspace", workspace, "--json").stdout)["stages"]
    assert {row["stage"]: row["state"] for row in states} == dict.fromkeys([row["stage"] for row in states], "fresh")
    run = make_run(workspace=workspace, quiet=True)
    after = {chunk.id: chunk for chunk in load_passages(run)}
    assert set(chunks) - set(after) == {bad}
    rows = training_rows(load_questions(run), after, 1.0, 0, negatives=load_negatives(run), people_weight=2)
    trained = [row.question for row in rows if row.kind != "structure"]
    gone = {(one.text, one.chunk_id) for one in [*dropped, *corrected, *disputed]}
    assert not gone & {(row.question, row.chunk_id) for row in rows if row.kind != "structure"}
    assert all(trained.count(text["question"]) == 2 for text in new)
    assert all(trained.count(one.text) == 2 for one in outvoted)
    report = json.loads((workspace / "evaluate" / "report.json").read_text(encoding="utf-8"))
    assert report["questions"]["verdicts"] == {"corrected": 2, "disputed": 1, "dropped": 5, "kept": 3}

    again = dragoman("review", "push", "triplets", *where).stdout
    assert "retired" in again, "what was dropped is shown no more"
    assert json.loads(dragoman("review", "pull", "triplets", *where, "--json").stdout)[0]["tally"] == tally["triplets"]


def test_five_hundred_triplets_with_suggestions_and_vectors_are_pushed_in_ten_seconds_of_a_quiet_machine(
    argilla_server: ArgillaServer, space: str
) -> None:
    from dragoman.review.argilla import ArgillaDesk

    items = [
        Item(
            f"pair{number:04}",
            "triplets",
            {"anchor": f"Text {number}. " * 60, "positive": f"What is {number}?", "negative": "Who?"},
            {"kind": "llm", "chunk_id": f"c{number}", "rank": number % 12, "priority": number / 500},
            (Suggestion("is_positive_relevant", "yes", 0.5, "round trip"),),
            tuple((number * place % 7) / 7 for place in range(384)),
        )
        for number in range(500)
    ]
    key, texts = argilla_server.key, "Judge."
    desk = ArgillaDesk.open(
        argilla_server.url, key, space=space, prefix="many", guidelines=lambda _: texts, vector_dims=384
    )
    begun, used = time.perf_counter(), time.process_time()
    assert desk.push(FORMS["triplets"], items).added == 500
    seconds, own = time.perf_counter() - begun, time.process_time() - used
    print(f"500 triplets in {seconds:.1f} s, {own:.1f} s of them ours")  # noqa: T201 - the figure of the note
    assert own < 10
    assert desk.push(FORMS["triplets"], items).unchanged == 500
