"""The benchmark of recipes trains each on the same split, keeps what it has, and its tables say what the rows say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman.config import Recipe
from dragoman.records import Chunk, Question, QuestionKind, content_id
from dragoman.tables import write_rows

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TOOLS = ("saw", "plane", "chisel", "clamp", "drill", "file", "hammer", "router", "lathe", "mallet", "rasp", "vice")
CARES = ("oil", "edge", "handle")
SAID = "The {care} of the {tool} is looked after on Mondays, by whoever had the {tool} last."
# A scorer for these pages: the share of questions whose first hit is of the right file, and the same less another's.
SCORER = """
import json, sys
questions, _, hits, _, against, _ = sys.argv[1:]
read = lambda path: [json.loads(line) for line in open(path, encoding="utf-8")]
right = {row["qid"]: row["relevant"][0]["file"] for row in read(questions)}
def share(path):
    found = [row["hits"][0]["file"] == right[row["qid"]] for row in read(path)]
    return sum(found) / len(found)
own, less = share(hits), share(hits) - share(against)
print(json.dumps({"ndcg": own, "ndcg_ci95": [0, 1], "ndcg_difference": less, "ndcg_difference_ci95": [-1, 1]}))
"""


def run(script: str, *options: str | Path) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [sys.executable, BENCHMARKS / script, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    return done


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def chunk_of(tool: str, care: str) -> Chunk:
    text = SAID.format(tool=tool, care=care)
    return Chunk(
        id=content_id("workshop", tool, care),
        source="workshop",
        path=f"{tool}.md",
        title=tool,
        trail=(tool, care),
        section=content_id(tool, care),
        text=text,
        passage=f"{tool} > {care}\n{text}",
        start=0,
        end=len(text),
        start_line=1,
        end_line=1,
        tokens=24,
        url="",
    )


def asked_of(chunk: Chunk) -> list[tuple[QuestionKind, str]]:
    tool, care = chunk.trail
    return [
        ("llm", f"Who looks after the {care} of the {tool}?"),
        ("llm", f"when is {tool} {care} seen to"),
        ("structure", f"{tool} {care}"),
    ]


@pytest.fixture
def workshop(workspace: Path) -> Path:
    """A workspace of 36 chunks, each with two questions of a language model and one by rule."""
    chunks = [chunk_of(tool, care) for tool in TOOLS for care in CARES]
    asked = [
        Question(content_id(chunk.id, text), text, chunk.id, kind, "howto")
        for chunk in chunks
        for kind, text in asked_of(chunk)
    ]
    for stage in ("ingest", "synth"):
        (workspace / stage).mkdir(parents=True)
    (workspace / "recipe.json").write_text(Recipe().model_dump_json(), encoding="utf-8")
    write_rows(workspace / "ingest" / "chunks.parquet", chunks, Chunk)
    write_rows(workspace / "synth" / "questions.parquet", asked, Question)
    return workspace


@pytest.fixture
def post(tmp_path: Path) -> Path:
    """What the post's pipeline leaves of the same chunks: a question and an unrelated one for each."""
    from datasets import Dataset

    rows = [
        {"chunk_id": chunk_of(tool, care).id, "positive": f"Tell me of the {tool}'s {care}", "negative": "Who won?"}
        for tool in TOOLS
        for care in CARES
    ]
    folder = tmp_path / "post"
    Dataset.from_list(rows).save_to_disk(str(folder / "synth" / "distiset" / "default" / "train"))
    return folder


@pytest.fixture
def real(tmp_path: Path) -> list[str | Path]:
    """Options that name real questions and their scorer."""
    questions, scorer = tmp_path / "real.jsonl", tmp_path / "scorer.py"
    lines = [
        json.dumps({"qid": tool, "question": f"my {tool} is blunt", "relevant": [{"file": f"{tool}.md"}]})
        for tool in TOOLS[:4]
    ]
    questions.write_text("\n".join(lines) + "\n", encoding="utf-8")
    scorer.write_text(SCORER, encoding="utf-8")
    return ["--questions", questions, "--corpus", tmp_path, "--scorer", scorer]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_recipe_is_trained_once_on_its_own_rows_and_scored_alike(
    workshop: Path, post: Path, real: list[str | Path], minilm: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = [
        "--workspace",
        workshop,
        "--post",
        post,
        "--out",
        out,
        "--model",
        minilm,
        "--seeds",
        "1",
        "--also",
        *real,
    ]
    first = run("recipe.py", *options)
    (folder,) = out.iterdir()
    rows = {row["variant"]: row for row in map(json.loads, (folder / "rows.jsonl").read_text("utf-8").splitlines())}
    assert list(rows) == ["base", "ours", "post", "philschmid", "post on our rows", "philschmid on our rows"]
    units = json.loads((folder / "units.json").read_text("utf-8"))
    for name, row in rows.items():
        for part in ("validation", "test"):
            assert {dims: len(values) for dims, values in row[part].items()} == dict.fromkeys(
                ("384", "128"), len(units[part])
            ), name
    # Of the 36 chunks, those that are asked about in validation and test take no part in any training.
    trained = 36 - sum(map(len, units.values())) // 2
    assert rows["post"]["rows"] == trained
    assert rows["philschmid"]["rows"] == 2 * trained
    assert rows["ours"]["rows"] == rows["post on our rows"]["rows"] == 3 * trained
    assert rows["philschmid"]["steps"] == 4  # an epoch is less than 512 questions
    assert rows["ours"]["share"] in (0.5, 1.0)
    table = [cells(line) for line in first.stdout.splitlines() if line.startswith("| real | 384 | ")]
    assert [line[2] for line in table] == list(rows)
    assert table[1][6] == "+0.0000"
    assert not [path for path in folder.iterdir() if path.is_dir()]  # models are thrown away

    again = run("recipe.py", *options)
    assert again.stdout == first.stdout
    assert "of training" not in again.stderr


def test_the_tables_give_means_and_paired_differences_by_seed_and_over_seeds(tmp_path: Path) -> None:
    facts = {"rows": 20, "steps": 4, "seconds": 1.0, "epoch": 2, "share": 0.5, "dims": [384, 128]}
    values = {("ours", 1): [1.0, 0.8], ("ours", 2): [0.6, 0.4], ("post", 1): [0.5, 0.3], ("post", 2): [0.5, 0.3]}
    rows = [
        {"variant": name, "seed": seed, **facts, "test": {"384": own, "128": [one / 2 for one in own]}}
        | {"validation": {"384": own, "128": own}}
        for (name, seed), own in values.items()
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    (tmp_path / "units.json").write_text(json.dumps({"test": ["a", "b"]}), encoding="utf-8")
    lines = [cells(line) for line in run("recipe_table.py", tmp_path).stdout.splitlines() if line]
    assert lines[2] == ["ours", "1", "20", "4", "1", "2", "0.5", "0.9000"]
    full = {(line[2], line[3]): line[4:] for line in lines if line[:2] == ["test", "384"]}
    # Both questions differ by the same, so that the interval has no width; it is of the means over seeds in the last line.
    assert full["post", "1"] == ["0.4000", "0.3000 to 0.5000", "-0.5000", "-0.5000 to -0.5000"]
    assert full["post", "mean"] == ["0.4000", "0.3000 to 0.5000", "-0.3000", "-0.3000 to -0.3000"]
    assert full["ours", "mean"][2:] == ["+0.0000", "+0.0000 to +0.0000"]
    third = {(line[2], line[3]): line[4:] for line in lines if line[:2] == ["test", "128"]}
    assert third["post", "2"][0] == "0.2000"
