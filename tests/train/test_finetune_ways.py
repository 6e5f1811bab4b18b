"""The ways of training beside the plain one: prompts, low-rank additions, a teacher, trackers."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dragoman.config import TrainSettings
from dragoman.errors import ConfigError, ExtraMissing, ModelError, UsageError
from dragoman.models.encoder import SentenceEncoder, load_model
from dragoman.models.protocols import Advance, Vectors
from dragoman.records import Triplet
from dragoman.train import trainer
from dragoman.train.columns import filled, teacher_scores, text_columns, with_prompts
from dragoman.train.finetune import TrainingRun, epoch_folder, finetune
from dragoman.train.trackers import build_trackers

pytestmark = pytest.mark.timeout(300)

SHORT = TrainSettings(epochs=1, batch_size=8, dims=(384, 64))


class WordTeacher:
    """Scores a passage by the share of a question's words in it."""

    name = "words"

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    def score(self, pairs: Sequence[tuple[str, str]], advance: Advance | None = None) -> Vectors:
        del advance
        self.pairs += pairs
        shares = [len(set(asked.split()) & set(text.split())) / len(asked.split()) for asked, text in pairs]
        return np.array(shares, dtype=np.float32)


@pytest.fixture(scope="module")
def hard(triplets: list[Triplet]) -> list[Triplet]:
    """The rows, each with the passage of the next tool as a hard negative."""
    others = triplets[1:] + triplets[:1]
    return [
        replace(row, negatives=(other.passage,), wrong=(other.section,))
        for row, other in zip(triplets, others, strict=True)
    ]


def nearness(model: Path, triplets: Sequence[Triplet]) -> float:
    """Mean cosine of questions and their passages, less that of questions and the next row's."""
    encoder = SentenceEncoder(model)
    questions = encoder.encode([row.question for row in triplets], "query")
    passages = encoder.encode([row.passage for row in triplets], "passage")
    return float((questions * (passages - np.roll(passages, 1, axis=0))).sum(axis=1).mean())


def test_additions_of_a_low_rank_learn_and_leave_a_plain_model(
    minilm: Path, triplets: list[Triplet], tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    pytest.importorskip("peft")
    settings = SHORT.model_copy(update={"method": "lora", "lora_rank": 4, "epochs": 3})
    done = finetune(minilm, triplets, tmp_path / "model", settings, seed=13, stop_after=2)
    assert done.epochs == 2
    first, second = (epoch_folder(tmp_path / "model", epoch) for epoch in (1, 2))
    assert nearness(minilm, triplets) < nearness(first, triplets) < nearness(second, triplets)
    before, after = (load_file(folder / "model.safetensors") for folder in (minilm, second))
    assert not list(second.rglob("adapter*"))
    assert set(after) <= set(before)
    changed = {name for name in after if not (after[name] == before[name]).all()}
    assert "encoder.layer.0.attention.self.query.weight" in changed
    assert "encoder.layer.5.output.dense.weight" in changed
    assert all(np.linalg.matrix_rank((after[name] - before[name]).numpy(), tol=1e-4) <= 4 for name in changed)


def test_prompts_are_trained_with_and_stored(minilm: Path, triplets: list[Triplet], tmp_path: Path) -> None:
    prompts = ("ask: ", "told: ")
    done = finetune(minilm, triplets, tmp_path / "model", SHORT, seed=13, prompts=prompts)
    folder = epoch_folder(tmp_path / "model", 1)
    stored = json.loads((folder / "config_sentence_transformers.json").read_text(encoding="utf-8"))["prompts"]
    assert stored == {"query": "ask: ", "document": "told: "}
    written = [replace(row, question=f"ask: {row.question}", passage=f"told: {row.passage}") for row in triplets]
    by_hand = finetune(minilm, written, tmp_path / "by hand", SHORT, seed=13)
    assert by_hand.losses == done.losses
    told = SentenceEncoder(folder, passage_prompt="told: ").encode([triplets[0].passage], "passage")
    again = SentenceEncoder(folder).encode([written[0].passage], "passage")
    np.testing.assert_array_equal(told, again)


def test_batches_are_padded_to_few_lengths_and_the_model_that_is_saved_is_not(minilm: Path, tmp_path: Path) -> None:
    model = load_model(minilm)
    collate = trainer._collator(model)
    lengths = set()
    for words in (3, 20, 40, 70, 400):
        batch = collate([{"anchor": "saw", "positive": "plane " * words}, {"anchor": "drill", "positive": "file"}])
        lengths.add(tuple(batch["positive_input_ids"].shape))
        assert batch["positive_attention_mask"].sum() == min(words + 2, 256) + 3
    assert lengths == {(2, 32), (2, 64), (2, 96), (2, 256)}
    model.max_seq_length = 77
    assert tuple(trainer._collator(model)([{"anchor": "plane " * 90}])["anchor_input_ids"].shape) == (1, 77)
    model.save_pretrained(str(tmp_path / "saved"), create_model_card=False)
    assert "pad_to" not in (tmp_path / "saved" / "sentence_bert_config.json").read_text(encoding="utf-8")


def test_prompts_stand_before_questions_and_before_all_passages() -> None:
    columns = {"anchor": ["q"], "positive": ["p"], "negative_1": ["n\ud800"]}
    assert with_prompts(columns, ("Q ", "P ")) == {"anchor": ["Q q"], "positive": ["P p"], "negative_1": ["P n?"]}


def test_a_teacher_is_learnt_from_in_place_of_the_labels_alone(
    minilm: Path, hard: list[Triplet], tmp_path: Path
) -> None:
    teacher = WordTeacher()
    settings = SHORT.model_copy(update={"teacher_weight": 5.0, "both_ways": True})
    runs: list[TrainingRun] = [
        finetune(minilm, hard, tmp_path / "alone", settings, seed=13),
        finetune(minilm, hard, tmp_path / "taught", settings, seed=13, teacher=teacher),
        finetune(
            minilm,
            hard,
            tmp_path / "parts",
            settings.model_copy(update={"mini_batch": 3}),
            seed=13,
            teacher=WordTeacher(),
        ),
    ]
    alone, taught, parts = (run.losses for run in runs)
    assert taught[0] > alone[0] + 0.1
    assert parts == pytest.approx(taught, rel=0.1)
    assert teacher.pairs[:2] == [(hard[0].question, hard[0].passage), (hard[0].question, hard[0].negatives[0])]
    assert len(teacher.pairs) == 2 * len(hard)


def test_a_teacher_without_negatives_is_refused(minilm: Path, triplets: list[Triplet], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Set negatives in \[train\]"):
        finetune(minilm, triplets, tmp_path / "model", SHORT, seed=1, teacher=WordTeacher())


def test_a_teacher_that_gives_no_numbers_is_refused(hard: list[Triplet]) -> None:
    class Broken(WordTeacher):
        def score(self, pairs: Sequence[tuple[str, str]], advance: Advance | None = None) -> Vectors:
            return super().score(pairs, advance) * np.float32("nan")

    with pytest.raises(ModelError, match="words gave a score that is no finite number"):
        teacher_scores(Broken(), text_columns(filled(hard, 1)))


def test_a_row_short_of_negatives_never_gets_a_passage_that_may_answer_it(hard: list[Triplet]) -> None:
    section_of = {row.passage: row.section for row in hard}
    short = [row if place % 3 else replace(row, negatives=(), wrong=()) for place, row in enumerate(hard)]
    rows = filled(short, 5)
    columns = text_columns(rows)
    assert list(columns) == ["anchor", "positive", "negative_1"]
    shown = [section_of[text] for text in columns["negative_1"]]
    assert all(section != row.section for section, row in zip(shown, short, strict=True))
    assert all(section in row.wrong for section, row in zip(shown, rows, strict=True)), "a batch would not know of it"
    assert columns == text_columns(filled(short, 5)) != text_columns(filled(short, 6))


def test_what_a_tracker_writes_lies_beside_the_models(minilm: Path, triplets: list[Triplet], tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    settings = SHORT.model_copy(update={"report_to": ("tensorboard",)})
    finetune(minilm, triplets, tmp_path / "model", settings, seed=13)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "model.logs"]
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["epoch-1"]
    written = [path for path in (tmp_path / "model.logs").rglob("*") if path.is_file()]
    assert written
    assert any(b"train/loss" in path.read_bytes() for path in written)


def test_an_unknown_tracker_is_refused_with_those_there_are(
    minilm: Path, triplets: list[Triplet], tmp_path: Path
) -> None:
    settings = SHORT.model_copy(update={"report_to": ("tensorbord",)})
    with pytest.raises(ConfigError, match=r"tensorbord.*tensorboard.*trackio.*wandb"):
        finetune(minilm, triplets, tmp_path / "model", settings, seed=1)
    assert list(tmp_path.iterdir()) == []


def test_a_tracker_that_is_not_installed_is_named_with_its_package() -> None:
    with pytest.raises(ExtraMissing, match="pip install comet-ml"):
        build_trackers(["comet_ml"])
