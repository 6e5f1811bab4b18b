"""``dragoman evaluate --answers``: what is asked, kept, judged, calibrated and told, by a writer and a judge on loopback."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dragoman.models.stub import StubFault, StubServer

pytestmark = pytest.mark.timeout(400)

Answers = Callable[..., subprocess.CompletedProcess[str]]

# Of the few questions of this build a calibrated refusal could refuse any.
NEVER_REFUSED = ("--set", "chat.false_refusal=0")
FILE = (
    {"qid": "1", "question": "What do I do when the thread ran out and E17 is shown?"},
    {"qid": "2", "question": "How is ice broken off the wheel?"},
    {"qid": "3", "question": "What colour is the miller's bicycle?", "answerable": False},
)


def task_of(body: Mapping[str, Any]) -> dict[str, Any]:
    return dict(json.loads(body["messages"][-1]["content"]))


def judging(body: Mapping[str, Any]) -> str:
    """A judge that likes the word E17."""
    liked = "E17" in task_of(body)["answer"]
    return json.dumps({"why": "It names the error.", "correct": liked, "complete": liked, "grounded": True})


@pytest.fixture
def answers(copied: Any, dragoman: Any) -> Answers:
    """Runs the command on a copy of the build, whose answers the build's endpoint writes."""

    def run(*more: str | Path, judge: StubServer | None = None, code: int = 0) -> subprocess.CompletedProcess[str]:
        url = judge.base_url if judge else "none"
        named = ("--set", f"evaluate.judge_url={url}", "--set", "evaluate.judge_model=scales", *NEVER_REFUSED)
        done = dragoman("evaluate", "--answers", "--workspace", copied.workspace, *named, *more, code=code)
        return subprocess.CompletedProcess(done.args, code, done.stdout, done.stderr)

    return run


@pytest.fixture
def folder(copied: Any) -> Path:
    return Path(copied.workspace) / "answers"


def report_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "report.json").read_text(encoding="utf-8")))


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()]


def value(report: Mapping[str, Any], key: str) -> Any:
    return next(row for row in report["figures"] if row["key"] == key)


def written(path: Path, rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_answers_to_held_out_questions_are_measured_judged_and_told(
    copied: Any, answers: Answers, folder: Path
) -> None:
    with StubServer(script=judging) as judge:
        said = answers("--set", "evaluate.answers=6", judge=judge)
        judged = len(judge.requests)
    report, rows = report_of(folder), rows_of(folder)
    assert (report["questions"]["asked"], len(rows), judged) == (6, 6, 6)
    assert {row["mode"] for row in rows} == {"llm"}
    assert all(row["citations"][0]["passage"] and row["citations"][0]["place"].count(":") for row in rows)
    assert all(row["hit"] is not None and row["seconds"] >= row["first_seconds"] > 0 for row in rows)
    assert value(report, "hit")["value"] == pytest.approx(sum(row["hit"] for row in rows) / 6)
    assert value(report, "correct")["judge"] == report["judge"]["id"] == f"scales {report['judge']['prompt']}"
    assert value(report, "grounded")["value"] == 1.0
    assert 0 < value(report, "grounded")["low"] < 1
    shown = said.stdout
    for told in (
        "6 questions",
        "answerable questions refused",
        "first word after, p95",
        "judged correct",
        "uncalibrated",
    ):
        assert told in shown
    # The judge saw the question, the cited passages and the answer, and nothing of what a search would score.
    task = task_of(judge.requests[0])
    assert set(task) == {"question", "passages", "reference", "answer"}
    assert task["passages"]
    assert copied.workspace.joinpath("evaluate", "manifest.json").is_file()


def test_what_was_answered_and_judged_is_not_paid_for_again(copied: Any, answers: Answers, folder: Path) -> None:
    with StubServer(script=judging) as judge:
        answers("--set", "evaluate.answers=3", judge=judge)
        asked, first = len(copied.endpoint.requests), rows_of(folder)
        answers("--set", "evaluate.answers=5", judge=judge)
        assert (len(copied.endpoint.requests) - asked, len(judge.requests)) == (2, 5)
        assert rows_of(folder)[:3] == first
        answers("--set", "evaluate.answers=5", judge=judge)
        assert (len(copied.endpoint.requests) - asked, len(judge.requests)) == (2, 5)
        answers("--set", "evaluate.answers=5", "--set", "chat.style=terse", judge=judge)
        assert len(copied.endpoint.requests) - asked == 7, "another style gives other answers"


@pytest.mark.slow  # a process of its own, which loads the libraries again
def test_a_killed_run_pays_only_for_what_is_missing(copied: Any, folder: Path, dragoman: Any) -> None:
    quick = ("--set", "evaluate.answers=6", "--set", "evaluate.judge_url=none", *NEVER_REFUSED)
    where = ("--workspace", copied.workspace, *quick)
    with StubServer(latency=0.3) as writer:
        command = [
            sys.executable,
            "-m",
            "dragoman",
            "evaluate",
            "--answers",
            *map(str, where),
            "--llm",
            writer.base_url,
        ]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while len(writer.requests) < 4 and process.poll() is None:
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert not folder.exists()
        before = len(writer.requests)
        dragoman("evaluate", "--answers", *where, "--llm", writer.base_url)
        assert before >= 4
        assert len(writer.requests) <= 6 + 1, "at most the question that was being answered is asked again"
    assert len(rows_of(folder)) == 6


def test_a_file_of_questions_says_which_the_docs_do_not_answer(copied: Any, answers: Answers, folder: Path) -> None:
    file = written(copied.docs.parent / "asked.jsonl", FILE)
    answers("--questions", file)
    report = report_of(folder)
    assert (report["questions"]["answerable"], report["questions"]["unanswerable"]) == (2, 1)
    assert [row["question"] for row in rows_of(folder)] == [row["question"] for row in FILE]
    assert value(report, "refused")["count"] == 1
    assert value(report, "hit")["value"] is None, "nobody said where the answers stand"
    placed = [row | {"relevant": [{"file": "sacks.md", "heading": "Sewing", "grade": 2}]} for row in FILE[:1]]
    answers("--questions", written(file, placed))
    assert value(report_of(folder), "hit")["count"] == 1


def test_answers_are_held_against_references_where_there_are_any(copied: Any, answers: Answers) -> None:
    file = written(copied.docs.parent / "asked.jsonl", FILE)
    expected = [{"question": FILE[1]["question"].upper(), "answer": "Swing the wheel."}]
    references = written(copied.docs.parent / "references.jsonl", expected)
    with StubServer(script=judging) as judge:
        answers("--questions", file, "--set", f"evaluate.references={references}", judge=judge)
        seen = {task_of(body)["question"]: task_of(body)["reference"] for body in judge.requests}
    assert seen == {FILE[0]["question"]: "", FILE[1]["question"]: "Swing the wheel."}


def test_a_judge_is_checked_against_labels(copied: Any, answers: Answers, folder: Path) -> None:
    labels = [
        {"question": "a", "answer": "E17", "correct": True},
        {"question": "b", "answer": "E17", "correct": True},
        {"question": "c", "answer": "E17", "correct": False},
        {"question": "d", "answer": "E18", "correct": False},
    ]
    file = written(copied.docs.parent / "labels.jsonl", labels)
    with StubServer(script=judging) as judge:
        said = answers("--set", "evaluate.answers=2", "--set", f"evaluate.labels={file}", judge=judge)
    told = report_of(folder)["judge"]["labels"]
    assert (told["kappa"], told["agreed"], told["too_kind"], told["too_strict"]) == (0.5, 3, 1, 0)
    beside = {line.partition("  ")[0]: line.rpartition("; ")[2] for line in said.stdout.splitlines() if "; " in line}
    assert beside["judged correct"].startswith("kappa 0.50 [")
    assert beside["judged grounded"].strip() == "uncalibrated", "nobody labelled that"
    assert "judged correct: kappa 0.50 [" in said.stdout
    assert "it passes 1 that they fail" in said.stdout


def test_an_answer_that_the_judge_could_not_judge_is_not_a_wrong_one(
    copied: Any, answers: Answers, folder: Path
) -> None:
    def script(body: Mapping[str, Any]) -> "str | StubFault":
        right = {"why": "", "correct": True, "complete": True, "grounded": True}
        return json.dumps(right) if "E17" in task_of(body)["question"] else StubFault(400)

    file = written(copied.docs.parent / "asked.jsonl", FILE[:2])
    with StubServer(script=script) as judge:
        said = answers("--questions", file, judge=judge)
    report = report_of(folder)
    assert (report["judge"]["judged"], value(report, "correct")["value"]) == (1, 1.0)
    assert [row["question"] for row in report["judge"]["unjudged"]] == [FILE[1]["question"]]
    assert "1 of the questions are unjudged" in said.stdout


def test_a_judge_out_of_reach_leaves_the_other_figures(answers: Answers, folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}/v1"
    away = ("--set", f"evaluate.judge_url={nobody}", "--set", "llm.retries=0")
    said = answers("--set", "evaluate.answers=3", *away, code=1)
    report = report_of(folder)
    assert value(report, "correct")["value"] is None
    assert value(report, "refused_wrongly")["value"] is not None
    assert len(report["judge"]["unjudged"]) == 3
    assert nobody.rpartition("/")[0] in said.stderr
    assert "answerable questions refused" in said.stdout


def test_a_writer_out_of_reach_ends_the_run_early_and_counts_for_nothing(answers: Answers, folder: Path) -> None:
    with StubServer(script=lambda _: StubFault(401)) as writer:
        said = answers("--llm", writer.base_url, "--set", "evaluate.answers=8", code=1)
        assert len(writer.requests) == 5
    assert "left 5 questions in a row unanswered" in said.stderr
    assert not folder.exists()


def test_one_question_that_the_writer_fails_is_told_and_asked_again(answers: Answers, folder: Path) -> None:
    refuse = [True]

    def script(_: Mapping[str, Any]) -> "StubFault | None":
        return StubFault(400) if refuse and refuse.pop() else None

    with StubServer(script=script) as writer:
        said = answers("--llm", writer.base_url, "--set", "evaluate.answers=4")
        assert (report_of(folder)["questions"]["failed"], value(report_of(folder), "hit")["answers"]) == (1, 3)
        assert "1 of the questions got no answer from the language model" in said.stdout
        before = len(writer.requests)
        answers("--llm", writer.base_url, "--set", "evaluate.answers=4")
        assert len(writer.requests) == before + 1
    assert report_of(folder)["questions"]["failed"] == 0


def test_the_embedded_model_is_no_judge_and_quotes_by_default(copied: Any, dragoman: Any, folder: Path) -> None:
    own = ("--set", 'llm.base_url=""', "--set", "evaluate.answers=3", *NEVER_REFUSED)
    said = dragoman("evaluate", "--answers", "--workspace", copied.workspace, *own)
    assert "no judge: the embedded model" in said.stdout
    assert {row["mode"] for row in rows_of(folder)} == {"extractive"}
    assert "answers are quotations" in said.stdout
    assert report_of(folder)["judge"]["id"] == ""


def test_nothing_is_asked_before_the_files_are_read(copied: Any, answers: Answers) -> None:
    asked = len(copied.endpoint.requests)
    broken = written(copied.docs.parent / "labels.jsonl", [{"question": "a"}, {"answer": "b"}])
    said = answers("--set", f"evaluate.labels={broken}", code=2)
    assert "2 of 2 lines cannot be used: line 1: there is no 'answer'; line 2: there is no 'question'" in said.stderr
    assert len(copied.endpoint.requests) == asked


def test_without_an_index_the_command_that_makes_one_is_named(dragoman: Any, tmp_path: Path) -> None:
    said = dragoman("evaluate", "--answers", "--workspace", tmp_path / "none", code=1)
    assert "index" in said.stderr
    assert "dragoman build" in said.stderr


def test_options_that_do_not_fit_together_are_refused(dragoman: Any, tmp_path: Path) -> None:
    where = ("--workspace", tmp_path / "none")
    assert "Add --answers" in dragoman("evaluate", "--llm", "none", *where, code=2).stderr
    assert "--force with --answers" in dragoman("evaluate", "--answers", "--force", *where, code=2).stderr


def test_two_runs_are_compared_in_their_answers_but_not_across_judges(
    copied: Any, dragoman: Any, answers: Answers, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    options = ("--set", "evaluate.answers=4", *NEVER_REFUSED)
    with StubServer(script=judging) as judge:
        answers(*options, judge=judge)
        shutil.copytree(copied.workspace, other)
        same = ("--set", f"evaluate.judge_url={judge.base_url}", "--set", "evaluate.judge_model=scales")
        dragoman("evaluate", "--answers", "--workspace", other, *options, *same, "--set", "chat.passages=1")
        told = json.loads(dragoman("compare", copied.workspace, other, "--json").stdout)["answers"]
        assert (told["common"], told["refused"]) == (4, "")
        assert {"hit", "correct", "seconds"} <= {row["key"] for row in told["measures"]}
        strange = ("--set", f"evaluate.judge_url={judge.base_url}", "--set", "evaluate.judge_model=oracle")
        dragoman("evaluate", "--answers", "--workspace", other, *options, *strange)
    said = dragoman("compare", copied.workspace, other, code=2)
    assert "Both answered 4 questions" in said.stdout
    assert "answers that cite a section" in said.stdout
    assert "judged correct" not in said.stdout
    assert "'scales " in said.stderr
    assert "'oracle " in said.stderr
    assert f"dragoman evaluate --answers --workspace {other}" in said.stderr
    shutil.rmtree(other / "answers")
    said = dragoman("compare", copied.workspace, other)
    assert f"Answers were not evaluated in {other}. Run: dragoman evaluate --answers" in said.stdout
