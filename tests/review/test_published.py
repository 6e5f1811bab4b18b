"""Published datasets as items, from files and from a small Hub on the loopback that the real huggingface_hub asks."""

import io
import json
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import constants
from tests.hub_server import TOKEN, HubServer, Reply, hub_serving

from dragoman.errors import SourceError
from dragoman.records import ReviewKind
from dragoman.review.published import published_items
from dragoman.review.select import NO_NEGATIVE

NAME = "ann/pairs"
INFO = f"/api/datasets/{NAME}"
PAIRS: dict[str, list[Any]] = {
    "anchor": ["Ports are opened by hand.", "Ports are opened by hand.", "Logs are rotated."],
    "positive": ["How do I open a port?", "open port", "Are logs kept?"],
    "negative": ["What is jazz?", "What is jazz?", None],
    "model_name_query": ["big"] * 3,
}
CHUNKS: dict[str, list[Any]] = {"filename": ["a.md", "a.md"], "chunks": ["One.", "Two."], "repo_name": ["o/r"] * 2}


def parquet(columns: Mapping[str, Any] = PAIRS) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), sink)
    return sink.getvalue()


def one(question: str) -> bytes:
    return parquet({"anchor": ["Text."], "positive": [question], "negative": ["no"]})


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))  # of the developer
    with hub_serving() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        yield server


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    """The folder for temporary files while the test runs; it lies in ``tmp_path`` alone."""
    usual, tempfile.tempdir = tempfile.tempdir, str(tmp_path)
    yield tmp_path
    tempfile.tempdir = usual


def asked(where: str, kind: ReviewKind = "triplets") -> list[str]:
    name = {"triplets": "positive", "chunks": "chunk", "conversations": "instruction"}[kind]
    return [item.fields[name] for item in published_items(kind, where)]


def fails(where: str | Path, kind: ReviewKind = "triplets") -> str:
    with pytest.raises(SourceError) as caught:
        published_items(kind, str(where))
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 700 + len(str(where))
    return message


def test_the_posts_triplets_are_items_in_the_order_of_their_rows(hub: HubServer) -> None:
    hub.add("datasets", NAME, {"data/train-00000-of-00001.parquet": parquet(), "README.md": b"# Card"})
    said: list[str] = []
    items = published_items("triplets", f"hf:{NAME}", say=said.append)
    assert [item.fields for item in items] == [
        {"anchor": anchor, "positive": positive, "negative": negative or NO_NEGATIVE}
        for anchor, positive, negative, _ in zip(*PAIRS.values(), strict=True)
    ]
    assert len({item.id for item in items}) == 3
    assert all(item.metadata == {"priority": 0.0} for item in items)
    assert said == [f"hf:{NAME}: 3 rows, 0 of them left out (repeated, or without text)"]


def test_the_posts_chunks_are_items(hub: HubServer) -> None:
    hub.add("datasets", NAME, {"data/train-00000-of-00001.parquet": parquet(CHUNKS)})
    items = published_items("chunks", f"hf:{NAME}")
    assert [item.fields for item in items] == [
        {"filename": "a.md", "chunk": "One."},
        {"filename": "a.md", "chunk": "Two."},
    ]


def test_ids_do_not_change_with_the_written_negative_or_the_order(tmp_path: Path) -> None:
    rows = {name: column[::-1] for name, column in PAIRS.items()} | {"negative": ["x", "y", "z"]}
    (tmp_path / "a.parquet").write_bytes(parquet())
    (tmp_path / "b.parquet").write_bytes(parquet(rows))
    first = [item.id for item in published_items("triplets", str(tmp_path / "a.parquet"))]
    assert [item.id for item in published_items("triplets", str(tmp_path / "b.parquet"))] == first[::-1]


def test_columns_of_the_form_become_metadata_and_priority_the_order(tmp_path: Path) -> None:
    rows = PAIRS | {"rank": [1, None, 2**40], "judge": [4.5, float("nan"), 2], "style": ["howto", None, "x" * 5000]}
    (tmp_path / "p.parquet").write_bytes(parquet(rows | {"priority": [0.1, 0.9, 0.5], "chunk_id": ["c", "", "d"]}))
    found = published_items("triplets", str(tmp_path / "p.parquet"))
    assert [item.priority for item in found] == [0.9, 0.5, 0.1]
    assert found[0].metadata == {"priority": 0.9}
    assert found[1].metadata == {"style": "x" * 1000, "judge": 2.0, "priority": 0.5, "chunk_id": "d"}
    assert found[2].metadata == {"style": "howto", "chunk_id": "c", "rank": 1, "judge": 4.5, "priority": 0.1}


def test_repeated_rows_and_rows_without_text_are_left_out(tmp_path: Path) -> None:
    rows = {"anchor": ["a", "a", " ", None], "positive": ["q", "q", "r", "s"], "negative": ["n"] * 4}
    (tmp_path / "p.parquet").write_bytes(parquet(rows))
    assert asked(str(tmp_path / "p.parquet")) == ["q"]
    (tmp_path / "p.parquet").write_bytes(parquet(rows | {"anchor": [None] * 4}))
    assert "4 rows, none with text in anchor and positive" in fails(tmp_path / "p.parquet")


def test_conversations_and_lists_of_chunks_are_read(tmp_path: Path) -> None:
    turn = {"instruction": "q\ud800", "response": "a", "conv_id": "x", "turn": 3, "model": None}
    (tmp_path / "t.jsonl").write_text(json.dumps(turn) + "\n\n", encoding="utf-8")
    (item,) = published_items("conversations", str(tmp_path / "t.jsonl"))
    assert item.fields == {"instruction": "q?", "response": "a"}
    assert item.metadata == {"conv_id": "x", "turn": 3, "priority": 0.0}
    (tmp_path / "c.parquet").write_bytes(parquet({"filename": ["a.md"], "chunks": [["One.", None, "Two."]]}))
    assert asked(str(tmp_path / "c.parquet"), "chunks") == ["One.", "Two."]


def test_a_csv_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    text = '\ufeffpositive,anchor,negative,rank\r\n"q, ""quoted""","two\nlines",n,7\r\nshort,row\r\n'
    (tmp_path / "p.csv").write_text(text, encoding="utf-8", newline="")
    items = published_items("triplets", str(tmp_path / "p.csv"))
    assert [item.fields["anchor"] for item in items] == ["two\nlines", "row"]
    assert items[0].metadata["rank"] == 7
    assert items[1].fields["negative"] == NO_NEGATIVE


def test_what_datasets_saves_is_read(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_dict(PAIRS)
    rows.save_to_disk(tmp_path / "plain", num_shards=2)
    datasets.DatasetDict({"train": rows, "test": rows.select([0])}).save_to_disk(tmp_path / "splits")
    rows.to_parquet(tmp_path / "file.parquet")
    for place in ("plain", "splits", "splits/train", "file.parquet"):
        assert sorted(asked(str(tmp_path / place))) == sorted(PAIRS["positive"])
    assert asked(str(tmp_path / "splits" / "test")) == PAIRS["positive"][:1]


def test_a_split_is_chosen_by_the_card_or_by_the_files_names(hub: HubServer) -> None:
    files = {f"data/{split}-00000-of-00001.parquet": one(split) for split in ("test", "train")}
    hub.add("datasets", NAME, files)
    assert sorted(asked(f"hf:{NAME}")) == ["test", "train"]
    assert asked(f"hf:{NAME}:test") == ["test"]
    assert "no split 'dev'; expected one of: test, train" in fails(f"hf:{NAME}:dev")
    card = {
        "configs": [
            {"config_name": "other", "data_files": [{"split": "train", "path": "other/*"}]},
            {"config_name": "default", "data_files": [{"split": "dev", "path": "data/te*"}]},
        ]
    }
    hub.add("datasets", NAME, files | {"other/x.parquet": parquet({"other": [1]})}, card=card)
    assert asked(f"hf:{NAME}") == asked(f"hf:{NAME}:dev") == ["test"]


def test_a_revision_may_be_a_branch_a_commit_or_the_hubs_own_conversion(hub: HubServer) -> None:
    repository = hub.add("datasets", NAME, {"a.parquet": one("old")})
    old = repository.refs["main"]
    repository.commit({"a.parquet": one("new")})
    repository.commit({"default/train/0000.parquet": one("converted")}, ref="refs/convert/parquet")
    assert asked(f"hf:{NAME}") == ["new"]
    assert asked(f"hf:{NAME}@{old}") == asked(f"hf:{NAME}@{old}:train") == ["old"]
    assert asked(f"hf:{NAME}@refs/convert/parquet") == ["converted"]
    assert "has no revision 'none'" in fails(f"hf:{NAME}@none")


def test_large_files_come_from_the_storage_and_without_the_token(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("datasets", NAME, {"a.parquet": one("q")}, large=frozenset({"a.parquet"}), private=True)
    assert "If private: Set HF_TOKEN" in fails(f"hf:{NAME}")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert asked(f"hf:{NAME}") == ["q"]


def test_refusals_of_the_hub_say_what_to_do(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "ann/none of" in fails("hf:ann/none")
    assert "Check the spelling" in fails("hf:ann/none")
    hub.add("datasets", NAME, {"a.parquet": one("q")}, gated=True)
    assert "is gated" in fails(f"hf:{NAME}")
    assert "HF_TOKEN" in fails(f"hf:{NAME}")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert "HF_TOKEN" in fails(f"hf:{NAME}")
    monkeypatch.delenv("HF_TOKEN")
    hub.add("datasets", NAME, {"load.py": b"raise SystemExit", "README.md": b""})
    message = fails(f"hf:{NAME}")
    assert "only README.md, load.py" in message
    assert "@refs/convert/parquet" in message
    hub.replies[INFO] = Reply(200, b"{}", {"Content-Type": "application/json"})
    assert "does not describe" in fails(f"hf:{NAME}")
    hub.replies[INFO] = Reply(500, b"")
    assert "gives HTTP 500" in fails(f"hf:{NAME}")


def test_a_hub_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    message = fails(f"hf:{NAME}")
    assert f"cannot fetch hf:{NAME} from 127.0.0.1:{port}" in message
    assert "HF_ENDPOINT" in message


def test_nothing_is_left_behind_and_no_file_outside_is_written(hub: HubServer, temporary: Path) -> None:
    hub.add("datasets", NAME, {"a.parquet": one("q"), "../evil.parquet": one("evil"), ".h/b.parquet": one("hidden")})
    assert asked(f"hf:{NAME}") == ["q"]
    assert not list(temporary.rglob("*"))


def test_other_columns_are_named(tmp_path: Path) -> None:
    (tmp_path / "c.parquet").write_bytes(parquet(CHUNKS))
    message = fails(tmp_path / "c.parquet")
    assert "no column 'anchor'; its columns are filename, chunks, repo_name" in message
    assert "triplets in columns anchor, positive, negative" in message
    (tmp_path / "p.parquet").write_bytes(parquet())
    assert "columns filename, chunk or chunks" in fails(tmp_path / "p.parquet", "chunks")
    (tmp_path / "j.jsonl").write_text('{"anchor": "a"}\n', encoding="utf-8")
    assert "no column 'positive'; its columns are anchor" in fails(tmp_path / "j.jsonl")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.parquet", b"PAR1", "cannot be read"),
        ("a.parquet", b"", "cannot be read"),
        ("a.parquet", parquet()[:-30], "cannot be read"),
        ("a.arrow", b"ARROW", "cannot be read"),
        ("a.jsonl", b"[1]", "line 1 is no object"),
        ("a.jsonl", b'{"anchor": ', "cannot be read"),
        ("a.jsonl", b"[" * 100_000, "cannot be read"),
        ("a.jsonl", b"\xff\xfe", "cannot be read"),
        ("a.jsonl", b"", "has 0 rows"),
        ("a.csv", b"", "its columns are none"),
        ("a.csv", b"\xff", "cannot be read"),
        ("a.txt", b"text", "has no rows, only a.txt"),
        ("a.parquet", parquet({name: [[1]] for name in ("anchor", "positive", "negative")}), "none with text"),
    ],
)
def test_damaged_and_other_files_are_refused(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert said in fails(tmp_path / name)


@pytest.mark.parametrize("where", ["none.parquet", "", "hf:", "hf:a/b/c", "hf:../x", "hf:a/b@", "a\0b", "x" * 5000])
def test_what_is_no_dataset_is_refused(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "expected" in fails(where)


def test_a_small_file_that_unpacks_to_gigabytes_is_refused_early(tmp_path: Path) -> None:
    rows = 20_000
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * 100_000])
    table = pa.table({"anchor": texts, "positive": [str(row) for row in range(rows)], "negative": [""] * rows})
    pq.write_table(table, tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < 1_000_000
    assert "more than people can review" in fails(tmp_path / "a.parquet")
