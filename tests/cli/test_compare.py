"""``dragoman compare``: two workspaces as they lie on disk, what is told of them, and what is asked of the user when they will not do."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dragoman.evaluate.asked import AskedRow
from dragoman.recipes import parse_recipe
from dragoman.records import Manifest
from dragoman.tables import write_rows
from dragoman.workspace import Workspace

Make = Callable[..., Path]


def asked(number: int, served: int, name: str = "") -> AskedRow:
    text, page = f"which [bold]valve[/bold] for boiler {number}?", number % 9
    return AskedRow(f"{name}id {number:02}", text, "llm", "howto", f"v{page}.md", f"u{page}", 1.0, 4, 2, 1, served)


def rows(served: Sequence[int], name: str = "") -> list[AskedRow]:
    return [asked(number, rank, name) for number, rank in enumerate(served)]


_LOADED = """
import sys
from dragoman.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
BEFORE, AFTER = [2] * 36, [1] * 30 + [0] + [2] * 5


def finish(workspace: Workspace, stage: str, content: str, settings: Any, inputs: dict[str, str], seed: int) -> None:
    workspace.begin(stage, stage)
    workspace.finish(stage, Manifest(stage, 1, "0.1.0", stage, content, seed, inputs=inputs, settings=settings))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a workspace as a finished evaluation leaves it."""

    def write(name: str, questions: Sequence[AskedRow] = (), recipe: Any = None, report: Any = None) -> Path:
        workspace = Workspace(tmp_path / name)
        chosen = parse_recipe({"name": "Boilers", "sources": ["docs"], **(recipe or {})})
        content = {"ingest": f"chunks {name}", "synth": f"questions {name}", "train": f"weights {name}"}
        with workspace.writing():
            for stage, section in (("ingest", chosen.chunk), ("synth", chosen.synth), ("train", chosen.train)):
                read = {"documents": "d1"} if stage == "ingest" else {}
                finish(workspace, stage, content[stage], section.model_dump(mode="json"), read, chosen.seed)
            part = workspace.begin("evaluate", "evaluate")
            told = {
                "name": "Boilers",
                "verdict": f"The verdict of {name}: [red]served[/red].",
                "k": chosen.evaluate.k,
                "revisions": {"docs": ""},
                "versions": {"torch": "2.13.0"},
                "questions": {"rows": {"requests": 100}},
                "cost": {"training_seconds": 123.5, "prompt_tokens": 48_211, "answer_tokens": 9_402},
            } | (report or {})
            (part / "report.json").write_text(json.dumps(told), encoding="utf-8")
            write_rows(part / "asked.parquet", list(questions), AskedRow)
            inputs = dict(zip(("chunks", "questions", "train"), content.values(), strict=True))
            inputs["model"] = chosen.models.embedding
            made = Manifest("evaluate", 1, "0.1.0", "f", "c", chosen.seed, inputs=inputs)
            workspace.finish("evaluate", replace(made, settings=chosen.evaluate.model_dump(mode="json")))
            workspace.keep_recipe(chosen.model_dump_json())
        return workspace.root

    return write


def test_two_runs_are_told_apart_in_plain_words(dragoman: Any, make: Make) -> None:
    make("one", rows(BEFORE))
    make("two", rows(AFTER), {"train": {"epochs": 3}})
    done = dragoman("compare", "one", "two")
    assert (done.code, done.err) == (0, "")
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert lines[0] == "first: one (Boilers): The verdict of one: [red]served[/red]."
    assert lines[1] == "second: two (Boilers): The verdict of two: [red]served[/red]."
    assert "Both asked 36 questions; only the first asked 0, only the second 0." in lines
    assert "way NDCG@10 first NDCG@10 second recall@10 first recall@10 second" in lines
    assert "base, dense 0.431 0.431 1.000 1.000" in lines
    assert "untuned, best way 0.631 0.631 1.000 1.000" in lines
    assert "tuned, best way 1.000 1.000 1.000 1.000" in lines
    assert f"as served 0.631 {(30 + 5 * 0.63093) / 36:.3f} 1.000 0.972" in lines
    assert any(line.startswith("As served, two is better: NDCG@10 +0.290 [+0.") for line in lines)
    assert any(line.startswith("With the tuned model in its best way, no difference larger than") for line in lines)
    assert lines[lines.index("what differs first second") + 1 :][:2] == ["train.epochs 2 3", ""]
    assert "training seconds 124 124" in lines
    assert "requests to a language model 100 100" in lines
    assert "prompt tokens 48,211 48,211" in lines
    moved = lines[lines.index("What moved most, as served (-: not found):") + 2 :]
    assert moved[0] == "2 -> - -0.631 which [bold]valve[/bold] for boiler 30? v3.md"
    assert moved[1] == "2 -> 1 +0.369 which [bold]valve[/bold] for boiler 0? v0.md"
    assert len(moved) == 10


def test_a_program_reads_the_same_as_json(dragoman: Any, make: Make) -> None:
    make("one", rows(BEFORE))
    make("two", rows(AFTER), {"seed": 14, "models": {"embedding": "other"}}, {"versions": {"torch": "2.14.0"}})
    done = dragoman("compare", "one", "two", "--json", "--top", "3")
    told = json.loads(done.out)
    assert [(row["path"], row["asked"], row["cost"]["training_seconds"]) for row in told["runs"]] == [
        ("one", 36, 123.5),
        ("two", 36, 123.5),
    ]
    assert (told["k"], told["common"], told["by_text"], told["only_first"], told["only_second"]) == (10, 36, 0, 0, 0)
    assert [row["way"] for row in told["figures"]] == ["base", "untuned", "tuned", "served"]
    assert told["gains"]["served"]["low"] > 0
    assert told["gains"]["tuned"] == {"mean": 0, "low": 0, "high": 0}
    assert [(row["before"], row["after"]) for row in told["moved"]] == [(2, 0), (2, 1), (2, 1)]
    assert {row["key"]: [row["first"], row["second"]] for row in told["differs"]} == {
        "seed": [13, 14],
        "models.embedding": ["all-MiniLM-L6-v2", "other"],
        "base model": ["all-MiniLM-L6-v2", "other"],
        "version of torch": ["2.13.0", "2.14.0"],
    }
    assert told["notes"][0].startswith("The base models differ")


def test_of_the_same_recipe_nothing_differs(dragoman: Any, make: Make) -> None:
    make("one", rows(BEFORE))
    make("two", rows(BEFORE))
    done = dragoman("compare", "one", "two")
    assert "No setting, source or version differs." in done.out
    assert "What moved most" not in done.out


def test_runs_that_asked_other_questions_are_not_judged(dragoman: Any, make: Make) -> None:
    make("one", [replace(row, text=f"{row.text} (one)") for row in rows(BEFORE, "one ")])
    make("two", rows(AFTER, "two "), {"seed": 14})
    done = dragoman("compare", "one", "two")
    assert done.code == 0
    assert "Both asked 0 questions; only the first asked 36, only the second 36." in done.out
    assert "Nothing can be said: 0 questions were asked by both" in done.out
    assert "since these differ: seed." in done.out
    assert "NDCG@10" not in done.out


def test_questions_of_docs_that_were_cut_differently_are_found_by_their_text(dragoman: Any, make: Make) -> None:
    make("one", rows(BEFORE, "cut at 256: "))
    make("two", rows(AFTER, "cut at 128: "), {"chunk": {"tokens": 128}, "evaluate": {"k": 5}})
    told = json.loads(dragoman("compare", "one", "two", "--json").out)
    assert (told["k"], told["common"], told["by_text"]) == (5, 36, 36)
    assert told["notes"] == [
        "The first run counts 10 hits and the second 5: here the first 5 count.",
        "The docs are cut differently: a rank is that of a question's section, whatever its chunks.",
    ]
    shown = dragoman("compare", "one", "two").out
    assert "Both asked 36 questions (36 of them found by their text, since their ids differ)" in shown


def test_questions_without_weight_have_no_part(dragoman: Any, make: Make) -> None:
    make("one", [replace(row, weight=0.0 if row.served == 2 else 2.0) for row in rows(AFTER)])
    make("two", rows(AFTER))
    told = json.loads(dragoman("compare", "one", "two", "--json").out)
    assert (told["common"], told["only_first"], told["only_second"]) == (31, 0, 5)


def test_settings_are_those_of_the_evaluation_and_what_was_made_anew_since_is_told(dragoman: Any, make: Make) -> None:
    make("one", rows(BEFORE))
    folder = make("two", rows(AFTER), {"train": {"epochs": 3}})
    later = parse_recipe({"name": "Boilers", "sources": ["docs"], "train": {"epochs": 9}})
    Workspace(folder).keep_recipe(later.model_dump_json())
    told = json.loads(dragoman("compare", "one", "two", "--json").out)
    assert told["differs"] == [{"key": "train.epochs", "first": 2, "second": 3}]
    assert told["notes"] == []
    finish(Workspace(folder), "train", "new weights", later.train.model_dump(mode="json"), {}, 13)
    done = dragoman("compare", "one", "two")
    said = "two: train changed since it was evaluated; its figures are older. Run: dragoman evaluate --workspace two"
    assert said in done.out


def test_a_recipe_of_an_older_version_is_read_with_the_defaults_of_this_one(dragoman: Any, make: Make) -> None:
    make("one", rows(BEFORE))
    path = make("two", rows(BEFORE)) / "recipe.json"
    recipe = json.loads(path.read_text(encoding="utf-8"))
    del recipe["chat"], recipe["llm"]["timeout"]
    recipe["review"]["unknown"] = 1
    path.write_text(json.dumps(recipe), encoding="utf-8")
    told = json.loads(dragoman("compare", "one", "two", "--json").out)
    assert told["differs"] == [{"key": "review.unknown", "first": None, "second": 1}]


def test_a_run_whose_cost_nobody_noted_is_said_to_be_unknown(dragoman: Any, make: Make) -> None:
    make("one", rows(BEFORE))
    make("two", rows(AFTER), report={"cost": {}, "questions": {}})
    lines = [" ".join(line.split()) for line in dragoman("compare", "one", "two").out.splitlines()]
    assert "training seconds 124 unknown" in lines
    assert "requests to a language model 100 unknown" in lines


def test_nothing_is_written(dragoman: Any, make: Make, tmp_path: Path) -> None:
    make("one", rows(BEFORE))
    make("two", rows(AFTER))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert dragoman("compare", "one", "two").code == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_workspace_that_is_being_written_to_can_be_compared(dragoman: Any, make: Make) -> None:
    make("two", rows(AFTER))
    with Workspace(make("one", rows(BEFORE))).writing():
        assert dragoman("compare", "one", "two").code == 0


def test_no_model_and_no_index_is_loaded(make: Make, tmp_path: Path) -> None:
    make("one", rows(BEFORE))
    make("two", rows(AFTER))
    command = [sys.executable, "-c", _LOADED, "compare", "one", "two"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "pyarrow" in loaded
    assert not loaded & {"torch", "transformers", "sentence_transformers", "datasets", "lancedb", "scipy", "pandas"}


def gone(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def emptied(folder: Path) -> None:
    (folder / "workspace.json").unlink()


def nested(folder: Path) -> None:
    gone(folder)
    folder.mkdir()
    folder.with_name("elsewhere").rename(folder / ".dragoman")


def unjudged(folder: Path) -> None:
    (folder / "evaluate" / "manifest.json").unlink()


def of_old(folder: Path) -> None:
    (folder / "evaluate" / "asked.parquet").unlink()
    (folder / "evaluate" / "files.json").unlink()


def cut_short(folder: Path) -> None:
    path = folder / "evaluate" / "asked.parquet"
    path.write_bytes(path.read_bytes()[:100])


def scribbled(folder: Path) -> None:
    path = folder / "evaluate" / "report.json"
    path.write_text("x" * path.stat().st_size, encoding="utf-8")


def without_recipe(folder: Path) -> None:
    (folder / "recipe.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "happened", "hint"),
    [
        (gone, "there is no folder my runs", "Build one with: dragoman build docs/ --workspace 'my runs'"),
        (emptied, "my runs is no workspace; expected a folder with workspace.json", "dragoman build docs/"),
        (nested, "my runs is no workspace", "Did you mean my runs/.dragoman?"),
        (unjudged, "my runs was not evaluated yet", "Run: dragoman evaluate --workspace 'my runs'"),
        (of_old, "my runs was evaluated by a version of Dragoman that kept no ranks", "--workspace 'my runs' --force"),
        (cut_short, "the evaluation in my runs is damaged: asked.parquet has changed", "Run: dragoman evaluate"),
        (scribbled, "cannot read my runs/evaluate/report.json", "--workspace 'my runs' --force"),
        (without_recipe, "cannot read my runs/recipe.json", "Run: dragoman evaluate --workspace 'my runs'"),
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_a_folder_that_will_not_do_is_named_with_the_command_to_type(
    dragoman: Any, make: Make, spoil: Callable[[Path], None], happened: str, hint: str, place: int
) -> None:
    make("good", rows(BEFORE))
    spoil(make("my runs", rows(AFTER)))
    done = dragoman("compare", *(("good", "my runs") if place else ("my runs", "good")))
    assert (done.code, done.out) == (1, "")
    assert happened in done.complaint()
    assert hint in done.complaint()


def test_the_same_folder_twice_is_refused_however_it_is_written(dragoman: Any, make: Make, tmp_path: Path) -> None:
    make("one", rows(BEFORE))
    (tmp_path / "alias").symlink_to("one")
    for second in ("one", "./one/", "alias"):
        done = dragoman("compare", "one", second)
        assert done.code == 2
        assert "are the same folder; expected two workspaces" in done.complaint()


def test_one_run_alone_is_a_wrong_command_line(dragoman: Any) -> None:
    done = dragoman("compare", "one")
    assert (done.code, "Missing argument 'RUN'" in done.err) == (2, True)
