"""What an evaluation of answers says: figures with who judged them, times, notes, and the files that hold it all.

In: answered and judged rows. Out: a report as plain values, written beside its rows; and both read back for a comparison.
Nothing is asked here.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dragoman.errors import WorkspaceError
from dragoman.evaluate.answer_figures import figures, times
from dragoman.evaluate.answer_judge import judge_version
from dragoman.evaluate.answer_versus import AnswerRun
from dragoman.evaluate.answers import JUDGED, AnswerRow, row_from
from dragoman.pipeline.answer_judging import Judged
from dragoman.pipeline.context import Run, finite
from dragoman.records import ModelChoice
from dragoman.workspace import Workspace

SCHEMA = 1
FOLDER, REPORT, ROWS = "answers", "report.json", "answers.jsonl"
UNCALIBRATED = "uncalibrated"


@dataclass(frozen=True, slots=True)
class Setting:
    """What answered: whose vectors found the passages, in which table, and who wrote; ``banner`` says it to people."""

    banner: str
    writer: str
    model: ModelChoice
    table: str


def build_report(run: Run, rows: Sequence[AnswerRow], judged: Judged, setting: Setting) -> dict[str, Any]:
    """The report.

    Args:
        run: The run.
        rows: Answered questions, with their judgements.
        judged: What the judge said of them and of the labels.
        setting: What answered.

    Returns:
        Plain values.
    """
    settings = run.recipe.evaluate
    options = {"rounds": settings.bootstrap, "seed": run.recipe.seed}
    found = [asdict(figure) for figure in figures(rows, **options)]
    for figure in found:
        if figure["key"] in JUDGED:
            told = judged.agreement.line if judged.agreement and figure["key"] == "correct" else UNCALIBRATED
            figure |= {"judge": judged.id, "calibration": told if judged.id else ""}
    return {
        "schema": SCHEMA,
        "name": run.recipe.name,
        **asdict(setting),
        "bootstrap": settings.bootstrap,
        "seed": run.recipe.seed,
        "questions": {
            "asked": len(rows),
            "answerable": sum(row.answerable for row in rows),
            "unanswerable": sum(not row.answerable for row in rows),
            "refused": sum(row.mode == "refusal" for row in rows),
            "written": sum(row.mode == "llm" for row in rows),
            "failed": sum(bool(row.failed) for row in rows),
        },
        "figures": found,
        "times": [asdict(figure) for figure in times(rows, **options)],
        "judge": _judge(run, rows, judged, setting),
        "failed": [{"id": row.id, "question": row.question, "reason": row.failed} for row in rows if row.failed],
        "notes": _notes(rows, judged, setting),
    }


def write_report(run: Run, report: Mapping[str, Any], rows: Sequence[AnswerRow]) -> None:
    """Write the report and its rows; each file is whole or as it was.

    Args:
        run: The run.
        report: The report.
        rows: Its rows.

    Raises:
        WorkspaceError: The disk is full, or the folder cannot be written.
    """
    folder = run.workspace.folder(FOLDER)
    lines = "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows)
    for name, text in ((ROWS, lines), (REPORT, json.dumps(finite(report), indent=2, ensure_ascii=False) + "\n")):
        beside = folder / f"{name}.new"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            beside.write_text(text, encoding="utf-8")
            beside.replace(folder / name)
        except OSError as error:
            raise WorkspaceError(
                f"cannot write {folder / name}: {error.strerror}", hint="Free some space and rerun."
            ) from error


def load_answers(folder: Path) -> AnswerRun | None:
    """What a workspace says of its last evaluation of answers.

    Args:
        folder: The workspace.

    Returns:
        The run; None where answers were not evaluated.

    Raises:
        WorkspaceError: The files are damaged, or another version's.
    """
    answers = Workspace(folder).folder(FOLDER)
    if not (answers / REPORT).is_file():
        return None
    again = f"Run: {command(folder)}"
    try:
        report = json.loads((answers / REPORT).read_text(encoding="utf-8"))
        lines = (answers / ROWS).read_text(encoding="utf-8").split("\n")
        rows = tuple(row_from(json.loads(line)) for line in lines if line)
        schema = report["schema"]
        run = AnswerRun(str(folder), report["writer"], report["judge"]["id"], report["bootstrap"], report["seed"], rows)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise WorkspaceError(f"cannot read the answers in {answers}: {error}", hint=again) from error
    if schema != SCHEMA:
        raise WorkspaceError(f"{answers / REPORT} is of schema {schema}", expected=f"schema {SCHEMA}", hint=again)
    return run


def command(folder: Path) -> str:
    """What to type to evaluate the answers of a workspace."""
    return f"dragoman evaluate --answers --workspace {shlex.quote(str(folder))}"


def _judge(run: Run, rows: Sequence[AnswerRow], judged: Judged, setting: Setting) -> dict[str, Any]:
    labels = {"file": Path(run.recipe.evaluate.labels).name, "rows": judged.labels} if judged.labels else None
    if labels and judged.agreement:
        labels |= asdict(judged.agreement)
    return {
        "id": judged.id,
        "model": judged.model,
        "prompt": judge_version() if judged.id else "",
        "why": judged.why,
        "same_as_writer": judged.model == setting.writer,
        "judged": sum(row.verdict is not None for row in rows),
        "unjudged": [{"id": row.id, "question": row.question, "reason": row.unjudged} for row in rows if row.unjudged],
        "labels": labels,
        "labels_unjudged": judged.labels - judged.agreement.labelled if judged.agreement else judged.labels,
    }


def _notes(rows: Sequence[AnswerRow], judged: Judged, setting: Setting) -> list[str]:
    """What a reader should know before believing the figures."""
    notes = []
    if not any(row.mode == "llm" for row in rows):
        notes.append(
            "No language model wrote: answers are quotations, so citations, support and inventions are not measured."
        )
    if all(row.answerable for row in rows):
        notes.append(
            "No unanswerable question was asked: have some made with --set synth.unanswerable=40, or mark rows of --questions FILE "
            'with "answerable": false.'
        )
    elif any(row.kind == "unanswerable" for row in rows):
        notes.append(
            "The threshold of refusal may have been chosen on these unanswerable questions: a file of others is a fairer test."
        )
    if setting.model == "tuned" and any(row.hit is not None and row.kind == "llm" for row in rows):
        notes.append(
            "The served model may have learned from the made questions, which flatters what they hit; `dragoman evaluate` measures "
            "search on what was held out."
        )
    if judged.id and judged.model == setting.writer:
        notes.append("The judge is the model that wrote the answers: it may favour its own.")
    if judged.id and not judged.agreement:
        notes.append(
            'The judge is uncalibrated: add "correct": true or false to rows of answers.jsonl by your own judgement, and name that file '
            "with --set evaluate.labels=FILE."
        )
    return notes
