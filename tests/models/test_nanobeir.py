"""General questions from a small Hub on the loopback, kept on disk."""

import ast
import importlib.util
import io
import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.hub_server import HubServer, hub_serving

from dragoman.errors import ModelError, UsageError
from dragoman.models import nanobeir
from dragoman.models.nanobeir import REPOSITORY, SETS, USUAL, GeneralSet, general_names, read_general
from dragoman.models.sources import FetchError

NOWHERE = "http://127.0.0.1:9"
PASSAGES = [("p1", "Oil the hinges of the gate."), ("p2", "High water comes twice a day."), ("p3", "")]
QUESTIONS = [("q1", "How does a rusted gate open?"), ("q2", "When is high water?"), ("q3", "Who asked?"), ("q4", "")]
RELEVANT = [("q1", "p1"), ("q1", "p3"), ("q2", "p2"), ("q4", "p1"), ("q9", "p1")]


def parquet(names: Sequence[str], rows: Sequence[tuple[Any, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)}), sink)
    return sink.getvalue()


def files_of(name: str, **other: bytes) -> dict[str, bytes]:
    """The files of a set as the real repository lays them out."""
    parts = {
        "corpus": parquet(("_id", "text"), PASSAGES),
        "queries": parquet(("_id", "text"), QUESTIONS),
        "qrels": parquet(("query-id", "corpus-id"), RELEVANT),
    } | other
    return {f"{part}/{name}-00000-of-00001.parquet": data for part, data in parts.items() if data}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[HubServer]:
    """A Hub with the usual sets; the folder of models is empty."""
    assert not home.exists()
    with hub_serving() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        files = {path: data for name in USUAL for path, data in files_of(name).items()}
        large = frozenset(path for path in files if path.startswith("corpus/"))
        server.add("datasets", REPOSITORY, {**files, "README.md": b"# Card"}, large=large)
        yield server


def replace_files(hub: HubServer, files: dict[str, bytes]) -> None:
    hub.repositories["datasets", REPOSITORY].commit(files)


def quiet(_: str) -> None:
    """Say nothing."""


@pytest.mark.usefixtures("hub")
def test_a_set_is_read_without_what_has_no_text_or_no_answer() -> None:
    said: list[str] = []
    found = read_general(["NanoSCIDOCS"], say=said.append)
    passages = {"p1": PASSAGES[0][1], "p2": PASSAGES[1][1]}
    queries = {"q1": QUESTIONS[0][1], "q2": QUESTIONS[1][1]}
    # The passage without text stays among the relevant ones, or values would be higher than the published ones.
    relevant = {"q1": frozenset({"p1", "p3"}), "q2": frozenset({"p2"})}
    assert found == [GeneralSet("NanoSCIDOCS", queries, passages, relevant)]
    assert said == ["NanoSCIDOCS: taking it from the Hugging Face Hub, to see whether tuning forgets"]


def test_what_was_fetched_once_needs_no_network(hub: HubServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_general(USUAL, say=quiet)
    assert [each.name for each in first] == list(USUAL)
    asked = len(hub.asked)
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)
    said: list[str] = []
    assert read_general(USUAL, say=said.append) == first
    assert (len(hub.asked), said) == (asked, [])
    kept = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert kept == {f"nanobeir/{name}/{path}" for name in USUAL for path in files_of(name)}


def test_all_files_are_of_the_commit_that_was_described(hub: HubServer) -> None:
    read_general(["NanoSCIDOCS"], say=quiet)
    commit = hub.repositories["datasets", REPOSITORY].refs["main"]
    fetched = {path for _, path, _ in hub.asked if "/resolve/" in path}
    assert fetched == {f"/datasets/{REPOSITORY}/resolve/{commit}/{path}" for path in files_of("NanoSCIDOCS")}
    assert not any(token for _, _, token in hub.asked)


def test_a_set_in_several_files_is_read_whole(hub: HubServer) -> None:
    files = files_of("NanoNQ", corpus=b"")
    for number, passage in enumerate(PASSAGES):
        files[f"corpus/NanoNQ-0000{number}-of-00003.parquet"] = parquet(("_id", "text"), [passage])
    replace_files(hub, files)
    (found,) = read_general(["nq"], say=quiet)
    assert list(found.passages) == ["p1", "p2"]


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ("auto", USUAL),
        ("none", ()),
        ("NanoNQ, nanofever  scifact,", ("NanoNQ", "NanoFEVER", "NanoSciFact")),
        ("NQ NanoNQ", ("NanoNQ",)),
    ],
)
def test_the_setting_names_sets(setting: str, names: tuple[str, ...]) -> None:
    assert general_names(setting) == names


@pytest.mark.parametrize("name", ["NanoNowhere", "auto", "nano"])
def test_an_unknown_set_is_refused_with_the_names_there_are(name: str, hub: HubServer) -> None:
    with pytest.raises(UsageError) as caught:
        general_names(f"NanoNQ, {name}")
    assert f"'{name}'" in str(caught.value)
    assert all(known in str(caught.value) for known in SETS)
    with pytest.raises(UsageError):
        read_general(["NanoSCIDOCS", name], say=quiet)
    assert not hub.asked


def test_repository_and_names_are_those_of_sentence_transformers() -> None:
    spec = importlib.util.find_spec("sentence_transformers")  # read, not imported: that takes seconds
    assert spec is not None
    assert spec.origin is not None
    code = (Path(spec.origin).parent / "sentence_transformer/evaluation/nano_beir.py").read_text(encoding="utf-8")
    assert f'dataset_id: str = "{REPOSITORY}"' in code
    theirs = re.search(r"DATASET_NAME_TO_HUMAN_READABLE = (\{.*?\})", code, re.DOTALL)
    assert theirs is not None
    assert sorted(SETS) == sorted(f"Nano{name}" for name in ast.literal_eval(theirs[1]).values())
    assert set(USUAL) < set(SETS)


def fails(home: Path, name: str = "NanoSCIDOCS") -> str:
    """The reason of the failure; asserts that nothing is kept."""
    with pytest.raises(FetchError) as caught:
        read_general([name], say=quiet)
    assert not [path for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return str(caught.value)


def test_a_hub_that_is_down_is_said_in_a_few_words(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)
    assert fails(home) == "not reachable (5 s)"


def test_a_hub_that_never_answers_is_not_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nanobeir, "CONNECT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert fails(home).startswith("not reachable")


def test_a_hub_that_is_switched_off_is_not_asked(hub: HubServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert fails(home) == "switched off by HF_HUB_OFFLINE"
    assert not hub.asked


def test_a_refusal_is_not_taken_for_a_lost_network(hub: HubServer, home: Path) -> None:
    hub.repositories["datasets", REPOSITORY].disabled = True
    assert fails(home) == f"refused {REPOSITORY} (403)"


def test_a_set_that_the_hub_does_not_have_is_named(hub: HubServer, home: Path) -> None:
    replace_files(hub, files_of("NanoNQ", qrels=b""))
    assert fails(home, "NanoNQ") == f"has no qrels/NanoNQ in {REPOSITORY}"


@pytest.mark.parametrize(
    ("qrels", "reason"),
    [
        (b"no table", "gave something else"),
        (parquet(("query-id", "other"), RELEVANT), "corpus-id"),
        (parquet(("query-id", "corpus-id"), [("q1", 1)]), "holds no text"),
        (parquet(("query-id", "corpus-id"), [("q9", "p1")]), "no question has a passage"),
    ],
    ids=["not parquet", "a column is missing", "numbers", "no answers"],
)
def test_what_cannot_be_read_is_not_kept(hub: HubServer, home: Path, qrels: bytes, reason: str) -> None:
    replace_files(hub, files_of("NanoSCIDOCS", qrels=qrels))
    assert reason in fails(home)


@pytest.mark.usefixtures("hub")
def test_a_damaged_set_on_this_disk_says_what_to_remove(home: Path) -> None:
    read_general(["NanoSCIDOCS"], say=quiet)
    folder = home / "nanobeir" / "NanoSCIDOCS"
    (folder / "corpus" / "NanoSCIDOCS-00000-of-00001.parquet").write_bytes(b"cut")
    with pytest.raises(ModelError, match="Remove that folder") as caught:
        read_general(["NanoSCIDOCS"], say=quiet)
    assert str(folder) in str(caught.value)
