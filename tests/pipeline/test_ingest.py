"""Ingest by itself: what a rerun does again, what its artefact holds, and sources with settings of their own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dragoman.cli import main
from dragoman.records import Chunk, DocumentRow, Rejected
from dragoman.tables import read_rows
from dragoman.workspace import Workspace

PAGES = {
    "kettle.md": "# Kettle\n\nFill it.\n\n## Lid\n\nClose the lid before the water boils.\n\n## Spout\n\nPour slowly.\n",
    "cup.md": "# Cup\n\nWarm it first.\n\n## Saucer\n\nPut it under the cup.\n",
    "tray.md": "# Tray\n\nCarry all of it.\n\n## Only a heading\n",
}


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name, text in PAGES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def ingest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], minilm: Path
) -> Callable[..., str]:
    """Runs ``dragoman ingest`` in the test's workspace; gives what it said."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> str:
        capfd.readouterr()
        with pytest.raises(SystemExit) as done:
            main(["ingest", *map(str, arguments), "--set", f"models.embedding={minilm}"])
        captured = capfd.readouterr()
        assert done.value.code in {0, None}, captured.err
        return captured.err

    return run


def rows(tmp_path: Path, name: str, kind: Any) -> list[Any]:
    return read_rows(tmp_path / ".dragoman" / "ingest" / name, kind)


def test_a_rerun_cuts_only_what_changed_and_says_how_many_chunks_differ(
    tmp_path: Path, docs: Path, ingest: Callable[..., str]
) -> None:
    ingest(docs)
    before = {chunk.id: chunk for chunk in rows(tmp_path, "chunks.parquet", Chunk)}
    (docs / "kettle.md").write_text(PAGES["kettle.md"].replace("slowly", "fast") + "\n## Handle\n\nIt is hot.\n")
    (docs / "cup.md").unlink()
    said = ingest(docs)
    assert "(1 cut anew: +1 ~1 -2 chunks)" in said
    after = {chunk.id: chunk for chunk in rows(tmp_path, "chunks.parquet", Chunk)}
    assert {chunk.path for chunk in after.values()} == {"kettle.md", "tray.md"}
    assert sum(after[key] == before[key] for key in after.keys() & before.keys()) == 3
    left_out = [row.reason for row in rows(tmp_path, "rejected.parquet", Rejected)]
    assert left_out == ["heading without text"], "what an untouched page left out is still told"
    assert "(2 cut anew: +0 ~0 -0 chunks)" in ingest(docs, "--set", "chunk.tokens=64")


def test_a_rerun_gives_what_a_first_run_gives(tmp_path: Path, docs: Path, ingest: Callable[..., str]) -> None:
    ingest(docs)
    (docs / "cup.md").write_text("# Cup\n\nA mug will do.\n", encoding="utf-8")
    ingest(docs)
    again = (tmp_path / ".dragoman" / "ingest" / "chunks.parquet").read_bytes()
    ingest(docs, "--workspace", tmp_path / "other")
    assert (tmp_path / "other" / "ingest" / "chunks.parquet").read_bytes() == again


def test_the_chunks_are_also_a_dataset_with_the_columns_of_the_reference_system(
    tmp_path: Path, docs: Path, ingest: Callable[..., str]
) -> None:
    ingest(docs)
    table = pq.read_table(tmp_path / ".dragoman" / "ingest" / "chunks.parquet").to_pylist()
    assert [row["filename"] for row in table] == [row["path"] for row in table]
    assert [row["chunks"] for row in table] == [row["text"] for row in table]
    assert {row["repo_name"] for row in table} == {"docs"}
    documents = rows(tmp_path, "documents.parquet", DocumentRow)
    assert {row.path: row.chunks for row in documents} == {"cup.md": 2, "kettle.md": 3, "tray.md": 1}


@pytest.mark.usefixtures("docs")
def test_two_sources_with_the_same_pages_stay_apart_and_each_has_its_own_settings(
    tmp_path: Path, ingest: Callable[..., str]
) -> None:
    other = tmp_path / "old" / "docs"
    other.mkdir(parents=True)
    (other / "cup.md").write_text(PAGES["cup.md"], encoding="utf-8")
    recipe = tmp_path / "dragoman.toml"
    recipe.write_text(
        '[[sources]]\nsource = "docs"\nsite = "https://tea.example/new"\nexclude = ["tray.md"]\n'
        '[[sources]]\nsource = "old/docs"\nsite = "https://tea.example/old"\nstyle = "sphinx"\n'
    )
    ingest()
    chunks = rows(tmp_path, "chunks.parquet", Chunk)
    assert len({chunk.id for chunk in chunks}) == len(chunks) == 7
    cups = [chunk for chunk in chunks if chunk.path == "cup.md" and chunk.trail[-1] == "Saucer"]
    assert [chunk.url for chunk in cups] == [
        "https://tea.example/new/cup/#saucer",
        "https://tea.example/old/cup.html#saucer",
    ]
    assert cups[0].text == cups[1].text
    assert cups[0].source != cups[1].source


def test_a_copy_is_kept_and_names_the_chunk_that_it_copies(
    tmp_path: Path, docs: Path, ingest: Callable[..., str]
) -> None:
    text = "Every kettle is descaled with vinegar once a month, rinsed twice, and left open to dry overnight.\n"
    (docs / "a.md").write_text(f"# Care\n\n{text}", encoding="utf-8")
    (docs / "b.md").write_text(f"# Upkeep\n\n{text}", encoding="utf-8")
    ingest(docs)
    chunks = {chunk.path: chunk for chunk in rows(tmp_path, "chunks.parquet", Chunk) if chunk.path in {"a.md", "b.md"}}
    assert chunks["a.md"].canonical == ""
    assert chunks["b.md"].canonical == chunks["a.md"].id
    assert Workspace(tmp_path / ".dragoman").need("ingest").rows["copies"] == 1


def test_a_moved_site_makes_the_index_stale_but_no_model(
    tmp_path: Path, docs: Path, ingest: Callable[..., str]
) -> None:
    ingest(docs)
    before = Workspace(tmp_path / ".dragoman").need("ingest")
    ingest(docs, "--set", "ingest.site=https://tea.example")
    after = Workspace(tmp_path / ".dragoman").need("ingest")
    assert after.content == before.content
    assert after.notes["addresses"] != before.notes["addresses"]


@pytest.mark.usefixtures("ingest")
def test_a_preview_shows_how_a_page_is_cut_and_writes_nothing(
    tmp_path: Path, docs: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as done:
        main(["ingest", str(docs), "--preview", "--page", "kettle.md"])
    shown = capfd.readouterr().out
    assert done.value.code in {0, None}
    assert "Kettle > Lid" in shown
    assert "Close the lid before the water boils." in shown
    assert "lines 5-7" in shown
    assert "Warm it first" not in shown
    assert not (tmp_path / ".dragoman" / "ingest").exists()


@pytest.mark.usefixtures("ingest")
def test_a_preview_as_json_gives_the_chunks(docs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    capfd.readouterr()
    with pytest.raises(SystemExit):
        main(["ingest", str(docs), "--preview", "--json"])
    chunks = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [chunk["trail"] for chunk in chunks if chunk["path"] == "cup.md"] == [["Cup"], ["Cup", "Saucer"]]


@pytest.mark.usefixtures("ingest")
def test_a_preview_of_a_page_that_is_not_there_names_the_nearest(docs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["ingest", str(docs), "--preview", "--page", "ketle.md"])
    assert done.value.code == 2
    assert "Did you mean 'kettle.md'?" in capfd.readouterr().err
