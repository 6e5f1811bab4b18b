"""What a finished evaluation decides beyond the gate: when to refuse, and whether a cross-encoder puts the hits in order."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.cross_encoders import write_word_counter

from dragoman.pipeline.context import Run
from dragoman.pipeline.rescoring import NAMED, TUNED
from dragoman.pipeline.trial import Trial, open_trial
from dragoman.recipes import parse_recipe
from dragoman.workspace import Workspace


class Quiet:
    """A reporter that nobody listens to."""

    def __init__(self) -> None:
        self.done = 0

    def say(self, text: str) -> None:
        assert text

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[Any]:
        assert label
        assert total >= 0
        yield self._count

    def _count(self, done: int) -> None:
        self.done += done


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, minilm: Path) -> Path:
    """A cross-encoder that ranks by how many of the question's words a passage has."""
    return write_word_counter(tmp_path_factory.mktemp("readers") / "counter", minilm)


@pytest.fixture(scope="module")
def trial(built: Any, reader: Path, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """The build's evaluation, with a cross-encoder in the recipe and one of each round."""
    workspace = tmp_path_factory.mktemp("trial") / "workspace"
    shutil.copytree(built.workspace, workspace)
    for number in range(2):
        shutil.copytree(reader, workspace / "train" / f"round-{number}" / "reranker")
    table = json.loads((workspace / "recipe.json").read_text(encoding="utf-8"))
    table["models"]["reranker"] = str(reader)
    run = Run(parse_recipe(table), Workspace(workspace), Quiet())
    return open_trial(run, workspace.parent / "scratch")


def test_the_report_and_the_notes_agree_on_refusal(built: Any) -> None:
    folder = built.workspace / "evaluate"
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    notes = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["notes"]
    assert notes["reranker"] == ""
    assert report["reranking"] == {}
    section = report["refusal"]
    if notes["refusal"] is None:
        assert "too few" in section["note"]
    else:
        assert notes["refusal"] == {key: section[key] for key in ("threshold", "off_topic", "rate", "measured")}
    assert '<section id="refusal">' in (folder / "report.html").read_text(encoding="utf-8")


def test_strangers_have_no_part_in_the_verdict(trial: Trial) -> None:
    assert len(trial.strangers.questions) == 80
    count = len(trial.comparison.questions)
    assert all(len(ranks) == count for ranks in trial.comparison.ranks.values())
    assert not {question.id for question in trial.comparison.questions} & {
        question.id for question in trial.strangers.questions
    }


def test_the_search_is_surer_of_what_the_docs_answer(trial: Trial) -> None:
    way = next(way for way in trial.comparison.ranks if way.mode == "hybrid")
    confidence, ranks, (_, off_topic) = trial.sureness(way, "")
    assert len(confidence) == len(ranks) == len(trial.comparison.questions)
    assert np.median(confidence) > np.quantile(off_topic.confidence, 0.9)
    assert ((confidence > -1) & (confidence <= 1.0001)).all()


def test_each_round_s_cross_encoder_reads_what_the_round_held_out(trial: Trial) -> None:
    assert trial.readers.kinds == [NAMED, TUNED]
    way = next(way for way in trial.comparison.ranks if way.mode == "dense")
    plain = trial.hits(way)
    again = {kind: trial.hits(replace(way, rerank=True), kind) for kind in trial.readers.kinds}
    # They are the same model here, and they only change the order; another batch rounds otherwise, which decides between equal hits.
    agree = [one[0] == other[0] for one, other in zip(again[NAMED], again[TUNED], strict=True)]
    assert np.mean(agree) > 0.9
    assert again[NAMED] != plain
    assert [sorted(ids) for ids in again[NAMED]] == [sorted(ids) for ids in plain]
    assert trial.hits(way) == plain
