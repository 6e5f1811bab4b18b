"""The real distilabel, in a process of its own, from chunks to a dataset that other programs load."""

from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from tests.synth.post.bench import SETTINGS, Bench, check_whole, post_answer, troubled

from dragoman.errors import WorkspaceError
from dragoman.models.stub import StubServer
from dragoman.records import Chunk
from dragoman.synth.post.records import MULTIPLY_SYSTEM
from dragoman.synth.store import AnswerStore
from dragoman.synth.work import OpenGenerator


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_real_pipeline_gives_a_dataset_of_triplets(
    open_generator: OpenGenerator,
    store: AnswerStore,
    stub: StubServer,
    chunks: list[Chunk],
    distilabel_python: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import dragoman

    monkeypatch.setenv("PYTHONPATH", str(Path(dragoman.__file__).parents[1]))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "__init__.py").write_text("raise SystemExit('not ours')")
    bench, asked, folder = Bench(open_generator, store, distilabel_python), chunks[:12], tmp_path / "distiset"
    stub.script = troubled
    made = bench.run(asked, folder=folder)
    check_whole(made, asked)
    assert [(row.item, row.reason) for row in made.rejected] == [
        (asked[2].id, "request failed"),
        (asked[3].id, "no positive sentence"),
        (asked[4].id, "no negative sentence"),
    ]
    assert [(row.item, row.detail.partition(":")[0]) for row in made.short] == [
        (asked[5].id, "request failed"),
        (asked[6].id, "1 of 3"),
    ]
    assert Counter(Counter(row.chunk_id for row in made.rows).values()) == {4: 7, 2: 1, 1: 1}
    # Two pairs of no use are asked for once more with a schema, and the client asks once for the repair of what ignores it.
    assert (made.asked, len(stub.requests)) == (12 + 9 + 2, 12 + 9 + 2 * 2)
    pairs = [request["messages"] for request in stub.requests if request["messages"][0]["content"] != MULTIPLY_SYSTEM]
    assert all(SETTINGS.context in messages[1]["content"] for messages in pairs)
    paraphrased = [request["messages"] for request in stub.requests if request["messages"] not in pairs]
    assert all(SETTINGS.context in messages[1]["content"] for messages in paraphrased)
    assert {(request["temperature"], request["max_tokens"]) for request in stub.requests} == {(0.7, 512)}
    assert loaded(folder) == [asdict(row) for row in made.rows]

    stub.script = post_answer
    again = bench.run(asked, replace(SETTINGS, batch_size=1), folder=folder)
    assert (again.asked, again.stored, again.rejected) == (7, 12 + 9 - 4, ())
    assert len({row.negative for row in again.rows}) == len({row.chunk_id for row in again.rows}) == 12
    assert len(loaded(folder)) == len(again.rows) == 12 * 4 - 2
    left = {path.name for path in tmp_path.iterdir() if not path.name.startswith("answers.sqlite")}
    assert left == {"datasets", "distiset"}


def loaded(folder: Path) -> list[dict[str, str]]:
    from datasets import load_from_disk

    table = load_from_disk(str(folder / "default"))["train"]
    assert table.column_names[:3] == ["anchor", "positive", "negative"]
    rows: list[dict[str, str]] = table.to_list()
    return rows


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_dataset_that_cannot_be_written_is_said_so(
    open_generator: OpenGenerator, store: AnswerStore, chunks: list[Chunk], distilabel_python: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    bench = Bench(open_generator, store, distilabel_python)
    with pytest.raises(WorkspaceError, match="cannot write"):
        bench.run(chunks[:1], folder=tmp_path / "file" / "distiset")
