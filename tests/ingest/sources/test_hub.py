"""The real huggingface_hub against a small Hub on the loopback."""

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import constants
from tests.hub_server import TOKEN, HubServer, Reply, hub_serving

from dragoman.config import IngestSettings
from dragoman.errors import SourceError
from dragoman.ingest.sources import hub as source_of_hub
from dragoman.ingest.sources import hub_rows
from dragoman.ingest.sources.hub import fetch_dataset
from dragoman.ingest.sources.spec import FetchedSource, SourceSpec

NAME = "ann/docs"
INFO = f"/api/datasets/{NAME}"
ROWS: dict[str, list[Any]] = {
    "filename": ["docs/a.md", "docs/a.md", "docs/guide/b.md"],
    "chunks": ["# A\n\nOne.\n", "\nTwo.", "# B"],
    "repo_name": ["ann/left"] * 3,
}
TEXTS = {"docs/a.md": "# A\n\nOne.\n\nTwo.\n", "docs/guide/b.md": "# B\n"}


def parquet(columns: Mapping[str, Any] = ROWS) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), sink)
    return sink.getvalue()


def rows(*pairs: tuple[str, str]) -> bytes:
    return parquet({"filename": [name for name, _ in pairs], "chunks": [chunk for _, chunk in pairs]})


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))  # of the developer
    monkeypatch.setattr(source_of_hub, "_WAITS", (0.01, 0.01, 0.0))
    with hub_serving() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        yield server


def named(version: str = "", folder: str = "", location: str = NAME, **settings: Any) -> SourceSpec:
    return SourceSpec("hf", f"hf:{location}", location, version, folder, IngestSettings(**settings))


def take(tmp_path: Path, spec: SourceSpec | None = None, said: list[str] | None = None) -> FetchedSource:
    return fetch_dataset(spec or named(), tmp_path / "cache", ([] if said is None else said).append)


def texts(source: FetchedSource) -> dict[str, str]:
    files = [path for path in source.root.rglob("*") if path.is_file()]
    return {path.relative_to(source.root).as_posix(): path.read_text(encoding="utf-8") for path in files}


def fails(tmp_path: Path, spec: SourceSpec | None = None) -> str:
    """The message of the failure; asserts that nothing stays in the cache."""
    with pytest.raises(SourceError) as caught:
        take(tmp_path, spec)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("large", [False, True], ids=["small", "in the storage"])
def test_a_dataset_of_chunks_is_read_as_its_documents(hub: HubServer, tmp_path: Path, *, large: bool) -> None:
    said: list[str] = []
    path = "data/train-00000-of-00001.parquet"
    repository = hub.add(
        "datasets", NAME, {path: parquet(), "README.md": b"# Card"}, large=frozenset({path}) if large else frozenset()
    )
    sha = repository.refs["main"]
    source = take(tmp_path, said=said)
    assert texts(source) == TEXTS
    assert (source.label, source.revision, source.ref) == (f"hf:{NAME}@{sha[:7]}", sha, "")
    assert (source.repository, source.page_url, source.base) == ("ann/left", "", None)
    assert said == [f"hf:{NAME}@{sha[:7]}: downloading from {hub.host}"]
    assert any("storage" in path for _, path, _ in hub.asked) == large
    assert {entry.name for entry in (tmp_path / "cache" / "hf" / "ann--docs" / sha).iterdir()} == {
        "about.json",
        "documents",
    }


def test_a_commit_in_the_cache_needs_no_network(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    sha = hub.add("datasets", NAME, {"a.parquet": parquet()}).refs["main"]
    first = take(tmp_path)
    asked = len(hub.asked)
    assert take(tmp_path, named(sha), said) == first
    assert len(hub.asked) == asked
    assert take(tmp_path, said=said) == first
    assert [method for method, _, _ in hub.asked[asked:]] == ["GET"]
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert take(tmp_path, said=said) == first
    assert said == [f"hf:{NAME}@{sha[:7]}: from the cache"] * 2 + [
        f"hf:{NAME}: the Hub cannot be reached; taking {sha[:7]}, main when it was asked last"
    ]
    assert take(tmp_path, named(sha)) == first
    with pytest.raises(SourceError, match=r"cannot reach the Hub; 127\.0\.0\.1:9: .*refused"):
        take(tmp_path, named("next"))


def test_a_revision_is_resolved_to_its_commit(hub: HubServer, tmp_path: Path) -> None:
    repository = hub.add("datasets", NAME, {"a.parquet": parquet()})
    sha = repository.commit({"a.parquet": rows(("old.md", "Old."))}, "pr/1")
    source = take(tmp_path, named("pr/1"))
    assert (texts(source), source.revision, source.ref) == ({"old.md": "Old.\n"}, sha, "pr/1")
    assert texts(take(tmp_path)) == TEXTS


def test_json_lines_and_csv_are_read_too(hub: HubServer, tmp_path: Path) -> None:
    lines = [dict(zip(ROWS, row, strict=True)) for row in zip(*ROWS.values(), strict=True)]
    written = {
        "ann/lines": ("a.jsonl", "\n".join(map(json.dumps, lines)) + "\n\n"),
        "ann/list": ("a.json", json.dumps(lines)),
        "ann/table": (
            "a.csv",
            'n,chunks,filename\n1,"# A\n\nOne.\n",docs/a.md\nx,Two.,docs/a.md\n,# B,docs/guide/b.md\n',
        ),
    }
    for name, (file, text) in written.items():
        hub.add("datasets", name, {file: text.encode(), "dataset_infos.json": b"{}"})
        assert texts(take(tmp_path, named(location=name))) == TEXTS


def test_other_columns_and_kinds_of_text_do_no_harm(hub: HubServer, tmp_path: Path) -> None:
    columns = {
        "id": [1, 2, 3],
        "chunks": pa.array([["# A", "One."], ["Two.", None], None]),
        "vector": [[0.5], [0.25], [0.0]],
        "filename": pa.array(["a.md", "a.md", "b.md"]).dictionary_encode(),
    }
    hub.add("datasets", NAME, {"a.parquet": parquet(columns)})
    source = take(tmp_path)
    assert texts(source) == {"a.md": "# A\n\nOne.\n\nTwo.\n"}
    assert source.repository == NAME


def test_rows_without_file_name_become_one_document(hub: HubServer, tmp_path: Path) -> None:
    hub.add("datasets", NAME, {"a.parquet": parquet({"chunks": ["One.", "Two."]})})
    assert texts(take(tmp_path)) == {"docs.md": "One.\n\nTwo.\n"}


def test_files_of_several_repositories_are_kept_apart(hub: HubServer, tmp_path: Path) -> None:
    columns = {**ROWS, "filename": ["a.md"] * 3, "repo_name": ["ann/left", "ann/right", "../../etc"]}
    hub.add("datasets", NAME, {"a.parquet": parquet(columns)})
    source = take(tmp_path)
    assert set(texts(source)) == {"ann/left/a.md", "ann/right/a.md", "etc/a.md"}
    assert source.repository == NAME


def test_the_default_configuration_is_read_in_the_order_of_its_splits(hub: HubServer, tmp_path: Path) -> None:
    files = {
        f"{folder}/{name}.parquet": rows(("a.md", f"{folder} {name}")) for folder in "xy" for name in ("one", "two")
    }
    splits = [{"split": "train", "path": "y/two*"}, {"split": "test", "path": ["y/one.parquet"]}]
    configs = [{"config_name": "x", "data_files": "x/*"}, {"config_name": "y", "data_files": splits, "default": True}]
    hub.add("datasets", NAME, files, card={"configs": configs})
    assert texts(take(tmp_path)) == {"a.md": "y two\n\ny one\n"}
    other = take(tmp_path, named(folder="x"))
    assert (texts(other), other.label[-2:]) == ({"a.md": "x one\n\nx two\n"}, ":x")
    with pytest.raises(SourceError, match=r"has no configuration 'z'; expected one of: x, y\."):
        take(tmp_path, named(folder="z"))


def test_one_format_is_read_where_several_hold_the_same(hub: HubServer, tmp_path: Path) -> None:
    hub.add("datasets", NAME, {"a.csv": b"chunks\nNo.\n", "a.parquet": parquet(), ".cache/b.parquet": b"no"})
    assert texts(take(tmp_path)) == TEXTS


def test_a_private_dataset_opens_with_its_token(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = frozenset({"a.parquet"})
    hub.add("datasets", NAME, {"a.parquet": parquet()}, private=True, gated=True, large=large)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert texts(take(tmp_path)) == TEXTS
    tokens = {given for _, path, given in hub.asked if "storage" not in path}
    assert tokens == {f"Bearer {TOKEN}"}


def test_what_cannot_be_opened_is_told_in_one_line(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = {"a.parquet": parquet()}
    hub.add("datasets", "ann/private", file, private=True)
    hub.add("datasets", "ann/gated", file, gated=True)
    hub.add("datasets", "ann/off", file, disabled=True)
    hub.add("datasets", NAME, file)
    assert f"{hub.host} has no dataset 'ann/none'" in fails(tmp_path, named(location="ann/none"))
    assert "HF_TOKEN" in fails(tmp_path, named(location="ann/private"))
    assert "the dataset ann/gated is gated" in fails(tmp_path, named(location="ann/gated"))
    assert "the dataset ann/off was disabled" in fails(tmp_path, named(location="ann/off"))
    assert "the dataset ann/docs has no revision 'v9'" in fails(tmp_path, named("v9"))
    monkeypatch.setenv("HF_TOKEN", "hf_stale")
    message = fails(tmp_path)
    assert "does not let us read 'ann/docs' (HTTP 401)" in message
    assert "stale" not in message


@pytest.mark.parametrize("name", ["../docs", "ann/docs/x", "", "/docs", "ann/do cs", "ann/..", "a" * 99, "ann/x--y"])
def test_what_is_no_name_of_a_dataset_is_refused(hub: HubServer, tmp_path: Path, name: str) -> None:
    assert f"'{name}' is not a dataset's name" in fails(tmp_path, named(location=name))
    assert not hub.asked


def test_a_dataset_without_chunks_names_the_columns_it_has(hub: HubServer, tmp_path: Path) -> None:
    table, line = parquet({"text": ["x"], "label": [1]}), b'{"text": 1, "label": 2}\n'
    for file, content in {"a.parquet": table, "a.jsonl": line, "a.csv": b"text,label\n"}.items():
        hub.add("datasets", NAME, {file: content})
        assert f"{file} has no column 'chunks', only text, label" in fails(tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("a.parquet", b"PAR1 nonsense", "cannot be read"),
        ("a.parquet", parquet()[:-30], "cannot be read"),
        ("a.parquet", b"", "cannot be read"),
        ("a.parquet", parquet({"chunks": [1, 2]}), "'chunks' holds int, not text"),
        ("a.parquet", parquet({"chunks": [" ", "\n"]}), "holds no text in 'chunks'"),
        ("a.jsonl", b"[" * 100_000, "cannot be read"),
        ("a.jsonl", b'{"chunks": "x"}\n3\n', "row 1 is no object"),
        ("a.jsonl", b'{"chunks": "x"}\n{"chunk": "x"}\n', "has no column 'chunks', only chunk"),
        ("a.jsonl", b"\xff\xfe\x00", "cannot be read"),
        ("a.csv", b"", "cannot be read"),
        ("a.txt", b"words", "has no data files, only a.txt"),
    ],
)
def test_damaged_rows_are_refused_by_their_name(
    hub: HubServer, tmp_path: Path, file: str, content: bytes, words: str
) -> None:
    hub.add("datasets", NAME, {file: content})
    message = fails(tmp_path)
    assert words in message
    assert NAME in message


def test_limits_hold_for_a_dataset(hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = "word " * 50_000
    hub.add("datasets", NAME, {"a.parquet": parquet({"filename": ["a.md"] * 20, "chunks": [long] * 20})})
    assert "are more than 1048576 characters" in fails(tmp_path, named(max_total_mb=1))
    assert "the limit is 1048" in fails(tmp_path, named(max_total_mb=0.001))
    hub.add("datasets", NAME, {"a.parquet": parquet()})
    assert "names 2 files, the limit is 1" in fails(tmp_path, named(max_files=1))
    monkeypatch.setattr(hub_rows, "_MOST_ROWS", 2)
    assert "holds more than 2 rows" in fails(tmp_path)


def test_a_busy_hub_is_asked_again_and_a_broken_one_reported(hub: HubServer, tmp_path: Path) -> None:
    hub.add("datasets", NAME, {"a.parquet": parquet()})
    hub.status = {INFO: [503, 429]}
    assert texts(take(tmp_path)) == TEXTS
    hub.status = {INFO: [500] * 3}
    with pytest.raises(SourceError, match=r"answers HTTP 500 for 'ann/docs'"):
        take(tmp_path)


def test_a_download_that_is_cut_goes_on(hub: HubServer, tmp_path: Path) -> None:
    sha = hub.add("datasets", NAME, {"a.parquet": parquet()}).refs["main"]
    hub.cut[f"/datasets/{NAME}/resolve/{sha}/a.parquet"] = 1
    assert texts(take(tmp_path)) == TEXTS


@pytest.mark.parametrize(
    "body",
    [
        b"<html>please log in</html>",
        b"[]",
        b"{}",
        b'{"id": "x"}',
        b'{"id": "x", "sha": "../x", "siblings": []}',
        b"[" * 10**5,
    ],
)
def test_nonsense_of_a_hub_is_refused(hub: HubServer, tmp_path: Path, body: bytes) -> None:
    hub.replies[INFO] = Reply(200, body)
    assert "does not describe 'ann/docs' as the Hub does" in fails(tmp_path)


def test_a_cache_that_cannot_be_written_is_named(hub: HubServer, tmp_path: Path) -> None:
    hub.add("datasets", NAME, {"a.parquet": parquet()})
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(SourceError, match="cannot use the cache"):
        take(tmp_path)
