"""Docs that change under an index: only what is new is encoded, the model stays, and there is a way back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dragoman.cli.screen import Screen
from dragoman.config import Recipe
from dragoman.index.search import open_index
from dragoman.pipeline.context import Run
from dragoman.pipeline.searcher import DocsSearcher, open_searcher
from dragoman.pipeline.served import read_served
from dragoman.workspace import Workspace

EDITS = {"thread ran out": "needle broke", "Monday": "Friday"}  # in two sections of a page


@pytest.fixture
def mill(copied: Any, dragoman: Any) -> Any:
    """A copy of the build whose recipe names the copied pages."""
    dragoman("sync", copied.docs, "--workspace", copied.workspace)
    return copied


@pytest.fixture
def synced(dragoman: Any, mill: Any) -> Callable[..., dict[str, Any]]:
    """Runs a sync and gives what it tells programs."""

    def run(*options: str | Path) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(dragoman("sync", "--workspace", mill.workspace, "--json", *options).stdout)
        return told

    return run


def edit(mill: Any) -> None:
    """Change two sections of a page."""
    page = mill.docs / "sacks.md"
    text = page.read_text(encoding="utf-8")
    for old, new in EDITS.items():
        assert old in text
        text = text.replace(old, new)
    page.write_text(text, encoding="utf-8")


def run_of(mill: Any, **models: str) -> Run:
    """A run over the workspace with its own recipe, but for some settings of [models]."""
    table = json.loads((mill.workspace / "recipe.json").read_text(encoding="utf-8"))
    recipe = Recipe.model_validate({**table, "models": {**table["models"], **models}})
    return Run(recipe, Workspace(mill.workspace), Screen(quiet=True))


def states(dragoman: Any, mill: Any) -> dict[str, tuple[str, tuple[str, ...]]]:
    """State and reasons of each stage."""
    done = dragoman("status", "--workspace", mill.workspace, "--json")
    return {row["stage"]: (row["state"], tuple(row["reasons"])) for row in json.loads(done.stdout)["stages"]}


def first(searcher: DocsSearcher, question: str = "What does error E17 mean?") -> str:
    """Text of the best hit."""
    return searcher.search(question, 1)[0].chunk.text


def ship(mill: Any, dragoman: Any) -> None:
    """Serve the tuned model: a verdict as if it had won, and all that follows from it."""
    path = mill.workspace / "evaluate" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    gate = manifest["notes"]["gate"]
    way = {**gate["tuned"], "model": "tuned", "mode": "dense", "share": 0.5, "epochs": 1}
    manifest["notes"]["gate"] = {**gate, "ships": True, "served": way}
    manifest["notes"]["refusal"] = {"threshold": 0.4, "off_topic": 0.1, "rate": 0.05, "measured": None}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    dragoman("index", "--workspace", mill.workspace)


def test_docs_that_are_as_they_were_change_nothing(mill: Any, dragoman: Any, synced: Any) -> None:
    before = read_served(mill.workspace / "index")
    done = dragoman("sync", "--workspace", mill.workspace)
    assert done.stdout.startswith("nothing changed: 28 chunks")
    told = synced()
    assert told["built"] is False
    assert told["encoded"] == {}
    assert told["pages"] == {"added": 0, "changed": 0, "removed": 0, "kept": 4}
    assert read_served(mill.workspace / "index") == before


def test_after_an_edit_only_the_edited_passages_are_encoded(mill: Any, dragoman: Any, synced: Any) -> None:
    asked = len(mill.endpoint.requests)
    edit(mill)
    told = synced()
    assert told["encoded"] == {"base": len(EDITS)}
    assert told["pages"] == {"added": 0, "changed": 1, "removed": 0, "kept": 3}
    assert told["chunks"] == {"added": 2, "changed": 0, "removed": 2, "kept": 26}
    assert told["questions_left_out"] > 0
    assert told["since_training"] == pytest.approx(2 / 28)
    assert told["retrain"] is False
    assert len(mill.endpoint.requests) == asked
    assert "needle broke" in first(open_searcher(mill.workspace))
    now = states(dragoman, mill)
    assert now["ingest"] == now["index"] == ("fresh", ())
    assert now["synth"] == ("stale", ("input 'chunks' changed",))
    assert {now[stage][0] for stage in ("train", "evaluate", "refit")} == {"stale"}


def test_pages_that_come_and_go_are_told_and_training_is_advised(mill: Any, dragoman: Any) -> None:
    (mill.docs / "water.md").unlink()
    (mill.docs / "wind.md").write_text("# Wind\n\nSails are reefed with `sail reef 2` in a gale.\n", encoding="utf-8")
    done = dragoman("sync", "--workspace", mill.workspace)
    assert "pages: 1 added, 1 removed, 3 kept" in done.stdout
    assert "passages encoded: 1;" in done.stdout
    assert "25% of the passages have changed since training. Training again may pay: dragoman build" in done.stdout
    searcher = open_searcher(mill.workspace)
    assert "sail reef" in first(searcher, "reef the sails")
    assert all(hit.chunk.path != "water.md" for hit in searcher.search("ice on the wheel", 50))


def test_a_rollback_serves_the_docs_of_before_and_a_sync_those_of_today(mill: Any, dragoman: Any) -> None:
    edit(mill)
    dragoman("sync", "--workspace", mill.workspace)
    running = open_searcher(mill.workspace)
    assert "needle broke" in first(running)
    done = dragoman("rollback", "--workspace", mill.workspace)
    table = open_index(mill.workspace / "index" / "base").name
    assert f"Served now: the base model's table {table}, 28 chunks of docs." in done.stdout
    assert "thread ran out" in first(running), "a running searcher follows"
    assert "dragoman sync" in running.banner, "the docs have changed since this table was made"
    assert states(dragoman, mill)["index"] == ("stale", ("another table is served than was built last",))
    refused = dragoman("rollback", "--workspace", mill.workspace, code=1)
    assert "no table before the served one is left" in refused.stderr
    dragoman("sync", "--workspace", mill.workspace)
    assert "needle broke" in first(running)
    assert running.banner == "base model, hybrid search"
    assert states(dragoman, mill)["index"] == ("fresh", ())


def test_the_index_carries_its_model_whatever_becomes_of_the_rest(mill: Any, dragoman: Any, synced: Any) -> None:
    running = open_searcher(mill.workspace)
    assert running.banner.startswith("base model")
    assert running.refusal is not None
    ship(mill, dragoman)
    assert first(running)
    assert running.banner.startswith("tuned model"), "a running searcher takes the model of the table"
    for stage in ("refit", "train", "evaluate"):
        shutil.rmtree(mill.workspace / stage)
    searcher = open_searcher(mill.workspace)
    assert searcher.banner == "tuned model, dense search"
    assert searcher.refusal is not None
    assert searcher.refusal.threshold == 0.4
    edit(mill)
    told = synced()
    assert told["model"] == "tuned"
    assert told["encoded"] == {"base": 2, "tuned": 2}
    assert "needle broke" in first(searcher)
    dragoman("rollback", "--workspace", mill.workspace)
    assert "thread ran out" in first(searcher)
    assert open_searcher(mill.workspace, model="base").model == "base"
    assert open_searcher(mill.workspace, mode="lexical").refusal is None


def test_a_rollback_brings_back_the_model_too(mill: Any, dragoman: Any) -> None:
    before = read_served(mill.workspace / "index")
    ship(mill, dragoman)
    searcher = open_searcher(mill.workspace)
    banners = [searcher.banner]
    dragoman("rollback", "--workspace", mill.workspace)
    assert read_served(mill.workspace / "index") == before
    assert first(searcher)
    banners.append(searcher.banner)
    done = dragoman("index", "--workspace", mill.workspace)
    assert "index: fresh" not in done.stderr
    assert first(searcher)
    banners.append(searcher.banner)
    assert [banner.partition(" ")[0] for banner in banners] == ["tuned", "base", "tuned"]


def test_hits_say_where_the_base_model_would_have_put_them(mill: Any, dragoman: Any) -> None:
    ship(mill, dragoman)
    plain = open_searcher(mill.workspace, mode="dense", model="base").search("frozen float", 28)
    rank_of = {hit.chunk.section: hit.rank for hit in plain}
    hits = DocsSearcher(run_of(mill), explain=True).search("frozen float", 10)
    assert [hit.signals and hit.signals.base_rank for hit in hits] == [rank_of[hit.chunk.section] for hit in hits]


def test_an_index_that_does_not_fit_the_recipe_is_refused_with_the_command(mill: Any, dragoman: Any) -> None:
    recipe_file = mill.workspace / "recipe.json"
    recipe = json.loads(recipe_file.read_text(encoding="utf-8"))
    running = open_searcher(mill.workspace)
    recipe["chunk"]["tokens"] = 128
    recipe_file.write_text(json.dumps(recipe), encoding="utf-8")
    done = dragoman("search", "ice", "--workspace", mill.workspace, code=1)
    assert "the index does not fit the recipe: chunk.tokens was 256, is 128" in done.stderr
    assert f"Run: dragoman sync --workspace {mill.workspace}" in done.stderr
    dragoman("sync", "--workspace", mill.workspace)
    dragoman("search", "ice", "--workspace", mill.workspace)
    assert first(running), "what was opened before goes on with the table of before"
    assert "chunk.tokens was 128, is 256" in running.banner
    recipe["models"]["query_prompt"] = "question: "
    recipe_file.write_text(json.dumps(recipe), encoding="utf-8")
    for command in (("search", "ice"), ("sync",)):
        done = dragoman(*command, "--workspace", mill.workspace, code=1)
        assert "model was all-MiniLM-L6-v2, is all-MiniLM-L6-v2 with" in done.stderr
        assert "Run: dragoman build" in done.stderr


def test_docs_that_were_read_again_are_told_and_the_index_serves_on(mill: Any, dragoman: Any) -> None:
    edit(mill)
    dragoman("ingest", "--workspace", mill.workspace)
    done = dragoman("search", "error E17", "--workspace", mill.workspace)
    assert "the docs have changed since they were indexed: dragoman sync" in " ".join(done.stdout.split())


def test_without_an_index_there_is_nothing_to_sync_or_to_roll_back(tmp_path: Path, mill: Any, dragoman: Any) -> None:
    for command in (["sync", mill.docs], ["rollback"]):
        done = dragoman(*command, "--workspace", tmp_path / "new", code=1)
        assert "has no index yet" in done.stderr
        assert "dragoman build" in done.stderr


def test_a_recipe_of_two_versions_serves_the_newest_and_tells_them_apart(mill: Any, dragoman: Any) -> None:
    old, new = mill.docs.parent / "v9" / "docs", mill.docs.parent / "v10" / "docs"
    shutil.copytree(mill.docs, old)
    shutil.copytree(mill.docs, new)
    text = (new / "sacks.md").read_text(encoding="utf-8")
    (new / "sacks.md").write_text(text.replace("thread ran out", "needle broke"), encoding="utf-8")
    recipe_file = mill.workspace / "recipe.json"
    recipe = json.loads(recipe_file.read_text(encoding="utf-8"))
    recipe["sources"] = [{"source": str(new), "version": "10.0"}, {"source": str(old), "version": "9.1"}]
    recipe_file.write_text(json.dumps(recipe), encoding="utf-8")
    dragoman("sync", "--workspace", mill.workspace)
    meta = open_index(mill.workspace / "index" / "base").meta
    assert meta.versions == {"v10/docs": "10.0", "v9/docs": "9.1"}
    assert meta.latest == "10.0"
    searcher = open_searcher(mill.workspace)
    assert searcher.versions == ("10.0", "9.1")
    chunks = open_index(mill.workspace / "index" / "base").chunks()
    assert len(chunks) == len({chunk.id for chunk in chunks}) == 2 * 28
    assert {searcher.version_of(chunk) for chunk in chunks} == {"10.0", "9.1"}
    copies = [chunk for chunk in chunks if chunk.canonical]
    assert copies, "pages that are alike are marked, and kept"
    assert {chunk.source for chunk in copies} == {"v9/docs"}
