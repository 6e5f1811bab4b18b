import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dragoman.errors import MissingArtefact, UsageError, WorkspaceError
from dragoman.index import IndexMeta, build_index, open_index, rollback
from dragoman.models.protocols import Vectors
from dragoman.records import Chunk

BuildSmall = Callable[..., tuple[Path, str]]


def folders(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.is_dir())


def test_chunks_come_back_as_they_went_in_and_in_the_same_order(built: Path, chunks: list[Chunk]) -> None:
    assert open_index(built).chunks() == chunks


def test_the_description_comes_back_as_it_went_in(built: Path, meta: IndexMeta) -> None:
    assert open_index(built).meta == meta


def test_the_same_content_gives_the_same_rows_in_a_table_of_its_own(build_small: BuildSmall, vectors: Vectors) -> None:
    root, first = build_small(20)
    before = open_index(root)
    _, second = build_small(20)
    after = open_index(root)
    assert first != second
    assert after.name == second
    assert before.chunks() == after.chunks()
    assert before.dense(vectors[4], 20) == after.dense(vectors[4], 20)
    assert before.lexical("where are ferries mended", 20) == after.lexical("where are ferries mended", 20)


def test_vectors_are_stored_at_length_one(
    tmp_path: Path, chunks: list[Chunk], vectors: Vectors, meta: IndexMeta
) -> None:
    build_index(tmp_path, chunks, vectors * 7, meta)
    ((_, score),) = open_index(tmp_path).dense(vectors[20], 1)
    assert score == pytest.approx(1.0, abs=1e-6)


def test_so_many_tables_are_kept_and_older_ones_are_removed(build_small: BuildSmall) -> None:
    root, _ = build_small(5)
    _, second = build_small(6)
    _, third = build_small(7)
    assert folders(root) == sorted([second, third])
    _, fourth = build_small(8, keep=1)
    assert folders(root) == [fourth]


def test_a_rollback_serves_the_table_before(build_small: BuildSmall) -> None:
    root, first = build_small(5)
    build_small(6)
    assert rollback(root) == first
    assert len(open_index(root).chunks()) == 5


def test_after_a_rollback_a_build_keeps_the_table_that_was_served(build_small: BuildSmall) -> None:
    root, first = build_small(5)
    build_small(6)
    rollback(root)
    _, third = build_small(7)
    assert folders(root) == sorted([first, third])


def test_a_rollback_past_the_oldest_table_is_refused(build_small: BuildSmall) -> None:
    root, first = build_small(5)
    with pytest.raises(MissingArtefact, match=f"no table older than {first}"):
        rollback(root)
    assert open_index(root).name == first


def test_a_table_without_a_pointer_to_it_is_not_served(build_small: BuildSmall) -> None:
    root, first = build_small(5)
    pointer = (root / "current.json").read_bytes()
    _, second = build_small(6)
    (root / "current.json").write_bytes(pointer)  # as if the second build had died before its swap
    assert open_index(root).name == first
    _, third = build_small(7)
    assert third.rpartition("-")[2] > second.rpartition("-")[2]
    assert len(open_index(root).chunks()) == 7


def test_a_half_written_table_is_cleared_by_the_next_build(build_small: BuildSmall) -> None:
    root, first = build_small(5)
    leftover = root / "deadbeef-000002.partial"
    leftover.mkdir()
    (leftover / "half").write_text("a row")
    assert open_index(root).name == first
    build_small(6)
    assert not leftover.exists()


def test_a_build_killed_while_it_writes_leaves_the_old_table_served(build_small: BuildSmall) -> None:
    root, first = build_small(5)
    code = (
        "import sys; from pathlib import Path; from dataclasses import replace\n"
        "from dragoman.index import build_index, open_index\n"
        "import numpy as np; root = Path(sys.argv[1]); index = open_index(root)\n"
        "chunks = [replace(chunk, id=f'{chunk.id}{n}') for n in range(4000) for chunk in index.chunks()]\n"
        "build_index(root, chunks, np.ones((len(chunks), 8), np.float32), index.meta)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(root)], start_new_session=True)
    try:
        while not list(root.glob("*.partial")) and writer.poll() is None:
            time.sleep(0.001)
    finally:
        os.killpg(writer.pid, signal.SIGKILL)
        writer.wait()
    assert writer.returncode == -signal.SIGKILL
    assert open_index(root).name == first
    _, second = build_small(6)
    assert folders(root) == sorted([first, second])


@pytest.mark.parametrize("size", [1, 2])
def test_a_tiny_corpus_can_be_indexed(build_small: BuildSmall, vectors: Vectors, size: int) -> None:
    root, _ = build_small(size)
    assert len(open_index(root).dense(vectors[0], 10)) == size
    assert open_index(root).lexical("kettles", 10)


def test_chunks_without_any_word_can_be_indexed(
    tmp_path: Path, make_chunk: Callable[..., Chunk], meta: IndexMeta
) -> None:
    build_index(tmp_path, [make_chunk("🙂", trail=("…",))], np.ones((1, meta.dimension), np.float32), meta)
    assert open_index(tmp_path).lexical("anything", 10) == []


def test_what_does_not_fit_together_is_refused_before_anything_is_written(
    tmp_path: Path, chunks: list[Chunk], vectors: Vectors, meta: IndexMeta
) -> None:
    root = tmp_path / "index"
    holed = vectors.copy()
    holed[3] = np.nan
    for rows, columns, keep in (
        ([], vectors[:0], 2),
        (chunks, vectors[:-1], 2),
        (chunks, vectors[:, :4], 2),
        ([chunks[0], *chunks[:-1]], vectors, 2),
        (chunks, holed, 2),
        (chunks, vectors * 0, 2),
        (chunks, vectors, 0),
    ):
        with pytest.raises(UsageError):
            build_index(root, rows, columns, meta, keep=keep)
    assert not root.exists()


def test_a_folder_that_cannot_be_written_to_is_named(
    tmp_path: Path, chunks: list[Chunk], vectors: Vectors, meta: IndexMeta
) -> None:
    root = tmp_path / "taken"
    root.write_text("a file stands here")
    with pytest.raises(WorkspaceError, match="taken"):
        build_index(root, chunks, vectors, meta)
