"""Hits in a cross-encoder's order, when it is asked for and when validation chose it: then it is part of the index."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.cross_encoders import write_word_counter

from dragoman.cli.screen import Screen
from dragoman.config import Recipe
from dragoman.errors import UsageError
from dragoman.pipeline.context import Run
from dragoman.pipeline.searcher import DocsSearcher, open_searcher
from dragoman.workspace import Workspace

QUESTION = "wet sack is taken back"


@pytest.fixture(scope="module")
def counter(minilm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder that counts the words which question and passage share."""
    return write_word_counter(tmp_path_factory.mktemp("models") / "counter", minilm)


def run_of(workspace: Path, **models: str) -> Run:
    """A run over the workspace with its own recipe, but for some settings of [models]."""
    table = json.loads((workspace / "recipe.json").read_text(encoding="utf-8"))
    recipe = Recipe.model_validate({**table, "models": {**table["models"], **models}})
    return Run(recipe, Workspace(workspace), Screen(quiet=True))


def read_by(searcher: DocsSearcher) -> bool:
    """Whether a cross-encoder read the best hit."""
    signals = searcher.search(QUESTION, 1)[0].signals
    return signals is not None and signals.rerank is not None


def choose(workspace: Path, kind: str) -> None:
    """A verdict as if validation had chosen to have hits put in order."""
    path = workspace / "evaluate" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["notes"]["gate"]["served"]["rerank"] = True
    manifest["notes"]["reranker"] = kind
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_a_cross_encoder_puts_hits_in_order_when_it_is_asked_for(copied: Any, counter: Path) -> None:
    with pytest.raises(UsageError, match="no cross-encoder is named"):
        DocsSearcher(run_of(copied.workspace), rerank=True)
    run = run_of(copied.workspace, reranker=str(counter))
    plain, ordered = DocsSearcher(run), DocsSearcher(run, rerank=True)
    before, after = plain.search(QUESTION, 28), ordered.search(QUESTION, 28)
    assert [hit.signals and hit.signals.rerank for hit in before] == [None] * 28
    assert {hit.chunk.id for hit in before[:20]} == {hit.chunk.id for hit in after[:20]}
    assert [hit.chunk.id for hit in before[20:]] == [hit.chunk.id for hit in after[20:]]
    scores = [hit.signals.rerank for hit in after[:20] if hit.signals and hit.signals.rerank is not None]
    assert scores == [hit.score for hit in after[:20]] == sorted(scores, reverse=True)
    assert [hit.rank for hit in after] == list(range(1, 29))
    assert after[0].chunk.trail[-1] == "Returns"
    assert [hit.score for hit in after] == sorted((hit.score for hit in after), reverse=True)
    assert "put in order by counter" in ordered.banner
    assert [hit.chunk.id for hit in ordered.search(QUESTION, 2)] == [hit.chunk.id for hit in after[:2]]


def test_the_cross_encoder_that_was_tuned_is_part_of_the_index(copied: Any, dragoman: Any, counter: Path) -> None:
    kept = copied.workspace / "train" / "reranker"
    shutil.copytree(counter, kept)
    choose(copied.workspace, "tuned")
    running = open_searcher(copied.workspace)
    assert "put in order" not in running.banner
    dragoman("index", "--workspace", copied.workspace, "--force")
    assert read_by(running)
    assert "put in order by reranker" in running.banner
    dragoman("rollback", "--workspace", copied.workspace)
    assert not read_by(running)
    dragoman("index", "--workspace", copied.workspace)
    shutil.rmtree(kept)
    page = copied.docs / "sacks.md"
    page.write_text(page.read_text(encoding="utf-8").replace("Monday", "Friday"), encoding="utf-8")
    dragoman("sync", copied.docs, "--workspace", copied.workspace)
    assert open_searcher(copied.workspace).search(QUESTION, 1)[0].chunk.trail[-1] == "Returns"
    assert "put in order by reranker" in open_searcher(copied.workspace).banner, "a sync takes it along"
    assert "put in order" not in open_searcher(copied.workspace, mode="dense").banner


def test_the_named_cross_encoder_stays_whatever_the_recipe_names_later(
    copied: Any, dragoman: Any, counter: Path
) -> None:
    dragoman("evaluate", "--workspace", copied.workspace, "--set", f"models.reranker={counter}")
    choose(copied.workspace, "named")
    dragoman("index", "--workspace", copied.workspace, "--force")
    assert "put in order by counter" in open_searcher(copied.workspace).banner
    assert "put in order by counter" in DocsSearcher(run_of(copied.workspace, reranker="")).banner
    assert "put in order" not in DocsSearcher(run_of(copied.workspace), rerank=False).banner
