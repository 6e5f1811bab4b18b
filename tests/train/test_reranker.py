"""A cross-encoder tuned with the real model: it learns, does so again in the same way, and shows nothing that it should not."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from dragoman.errors import UsageError
from dragoman.models.reranker import CrossReranker
from dragoman.records import Triplet
from dragoman.tables import file_hash
from dragoman.train import reranker
from dragoman.train.reranker import RerankerRun, planned_reranker_steps, reranker_rows, tune_reranker

pytestmark = pytest.mark.timeout(300)

WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def tuned(minilm: Path, triplets: list[Triplet], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RerankerRun]:
    """A cross-encoder, made where the remains of another one lay, and what its training said."""
    output = tmp_path_factory.mktemp("tuned") / "reranker"
    for remains in (output, output.with_name("reranker.part")):
        remains.mkdir()
        (remains / "left over").write_text("from before", encoding="utf-8")
    return output, tune_reranker(minilm, triplets, output, seed=13)


def wrong_passages(rows: Sequence[Triplet], seed: int = 13) -> list[list[str]]:
    return [reranker._passages(row, number, rows, seed)[1:] for number, row in enumerate(rows)]


def test_the_folder_holds_a_whole_cross_encoder_and_nothing_else_is_left(tuned: tuple[Path, RerankerRun]) -> None:
    output, done = tuned
    scores = CrossReranker(str(output), mirrors=False, say=lambda _: None).score([("a blunt saw", "Give it away.")])
    assert scores.shape == (1,)
    assert [path.name for path in output.parent.iterdir()] == ["reranker"]
    assert not (output / "left over").exists()
    assert not (output / "README.md").exists()
    assert (done.questions, done.steps) == (24, len(done.losses))
    assert done.seconds > 0


def test_it_reads_no_more_than_it_was_trained_with(tuned: tuple[Path, RerankerRun]) -> None:
    settings = json.loads((tuned[0] / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert settings["model_max_length"] == 128


def test_the_same_seed_gives_the_same_weights_and_another_one_others(
    tuned: tuple[Path, RerankerRun], minilm: Path, triplets: list[Triplet], tmp_path: Path
) -> None:
    again = tune_reranker(minilm, triplets, tmp_path / "again", seed=13)
    tune_reranker(minilm, triplets, tmp_path / "other", seed=14)
    assert again.losses == tuned[1].losses
    assert file_hash(tmp_path / "again" / WEIGHTS) == file_hash(tuned[0] / WEIGHTS)
    assert file_hash(tmp_path / "other" / WEIGHTS) != file_hash(tuned[0] / WEIGHTS)


def test_it_learns_to_tell_right_passages_from_wrong_ones(
    minilm: Path, triplets: list[Triplet], tmp_path: Path
) -> None:
    many = [
        replace(row, question=row.question.replace("How", word))
        for word in ("How", "Where", "When")
        for row in triplets
    ] * 8
    done = tune_reranker(minilm, many, tmp_path / "model", seed=13)
    assert sum(done.losses[-4:]) < 0.5 * sum(done.losses[:4])
    judge = CrossReranker(str(tmp_path / "model"), mirrors=False, say=lambda _: None)
    questions, passages = [row.question for row in triplets], [row.passage for row in triplets]
    scores = judge.score([(question, text) for question in questions for text in passages]).reshape(24, 24)
    better = (scores.diagonal()[:, None] > scores).sum() / (24 * 23)
    assert better > 0.8


def test_each_step_is_told_as_planned(minilm: Path, triplets: list[Triplet], tmp_path: Path) -> None:
    told: list[int] = []
    done = tune_reranker(minilm, triplets, tmp_path / "model", seed=13, advance=told.append)
    assert sum(told) == done.steps == planned_reranker_steps(triplets, 13)


def test_mined_passages_come_first_and_others_fill_up(triplets: list[Triplet]) -> None:
    rows = [replace(triplets[0], negatives=("A mined one.", "And a second.")), *triplets[1:]]
    found = wrong_passages(rows)
    assert found[0][0] == "A mined one."
    assert "And a second." not in found[0]
    assert {len(texts) for texts in found} == {2}


def test_no_passage_is_taken_for_wrong_that_answers_the_question(triplets: list[Triplet]) -> None:
    # All rows but three are of one section, and one of these three is answered by another.
    home, *rest = triplets
    rows = [
        home,
        *(replace(row, section=home.section) for row in rest[:-2]),
        replace(rest[-2], also=(home.section,)),
        rest[-1],
    ]
    found = wrong_passages(rows)
    assert all(set(texts) <= {rest[-1].passage} for texts in found[:-2])
    assert set(found[-2]) <= {rest[-1].passage}
    assert rest[-1].passage not in found[-1]


def test_structural_questions_are_left_out_where_there_are_enough_others(triplets: list[Triplet]) -> None:
    free = [replace(row, kind="structure") for row in triplets]
    assert reranker_rows([*free, *triplets]) == triplets
    assert reranker_rows([*free, *triplets[:3]]) == [*free, *triplets[:3]]


def test_too_few_questions_or_only_one_section_are_refused(
    minilm: Path, triplets: list[Triplet], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="only 15 questions"):
        tune_reranker(minilm, triplets[:15], tmp_path / "model", seed=13)
    with pytest.raises(UsageError, match="one section"):
        tune_reranker(minilm, [replace(row, section="one") for row in triplets], tmp_path / "model", seed=13)
    assert not list(tmp_path.iterdir())
