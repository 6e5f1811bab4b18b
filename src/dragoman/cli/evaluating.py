"""The command that measures: ``evaluate``, of the search on held-out questions, or of the answers that are given.

In: options. Out: calls of the pipeline, and figures with their intervals on the terminal or as JSON.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dragoman.cli.options import Assign, Config, Force, Json, Llm, LlmModel, Verbose, Workspace
from dragoman.cli.outcome import print_report, report_file
from dragoman.cli.screen import Screen
from dragoman.cli.settings import make_run
from dragoman.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from dragoman.pipeline.context import Run

_SHOWN = 3  # failures that are told; the others are counted
_QUESTIONS = (
    "JSONL file of questions that people asked, with the places of their answers; a line: "
    '{"qid": "1", "question": "How do I delete a user?", '
    '"relevant": [{"file": "guide/users.md", "heading": "Delete a user", "grade": 2}]}; '
    'with --answers a line needs no places, and may say "answerable": false'
)


def evaluate_command(
    questions: Annotated[Path | None, typer.Option("--questions", help=_QUESTIONS)] = None,
    answers: Annotated[
        bool,
        typer.Option("--answers", help="measure the answers that are given: citations, support, refusals, a judge"),
    ] = False,
    llm: Llm = None,
    llm_model: LlmModel = None,
    config: Config = None,
    workspace: Workspace = None,
    assign: Assign = None,
    force: Force = False,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Compare base, tuned and mixed models on held-out questions, and decide which is served; or measure answers.

    Examples: dragoman evaluate   |   dragoman evaluate --questions real.jsonl   |
    dragoman evaluate --questions real.jsonl --set evaluate.people_share=0   |
    dragoman evaluate --answers --llm http://127.0.0.1:8000/v1 --llm-model llama-3-70b --set evaluate.labels=labels.jsonl
    """
    options: dict[str, Any] = {"config": config, "workspace": workspace, "assignments": assign, "quiet": as_json}
    if answers:
        if force:
            raise UsageError("--force with --answers", hint="Leave it out: what is kept fits what would be asked.")
        overrides = {"llm.base_url": llm, "llm.model": llm_model}
        _evaluate_answers(make_run(**options, overrides=overrides), questions, as_json=as_json)
        return
    if llm is not None or llm_model is not None:
        raise UsageError("--llm and --llm-model are for answers", hint="Add --answers.")
    run = make_run(**options, force=force, overrides={"evaluate.questions": str(questions) if questions else None})
    from dragoman.pipeline.build import run_stages

    run.workspace.check_idle()
    run_stages(run, "evaluate")
    if as_json:
        typer.echo(report_file(run).read_text(encoding="utf-8"))
    else:
        print_report(run)


def _evaluate_answers(run: "Run", questions: Path | None, *, as_json: bool) -> None:
    from dragoman.pipeline.answer_report import FOLDER, REPORT
    from dragoman.pipeline.answering import evaluate_answers

    done = evaluate_answers(run, questions)
    folder = run.workspace.folder(FOLDER)
    if as_json:
        typer.echo((folder / REPORT).read_text(encoding="utf-8"))
    else:
        out = Screen().out
        print_answers(out, done.report)
        out.print(f"\nEvery answer, a row each: {folder} (report.json, answers.jsonl)", markup=False, soft_wrap=True)
    if done.judged.trouble:
        raise done.judged.trouble


def print_answers(out: "Console", report: Mapping[str, Any]) -> None:
    """Show what an evaluation of answers found.

    Args:
        out: Where to.
        report: The report.
    """
    from rich.table import Table

    asked = report["questions"]
    out.print(
        f"\n{asked['asked']} questions, {asked['answerable']} that the docs answer and {asked['unanswerable']} that they do not; "
        f"{report['banner']}; answers by {report['writer']}",
        markup=False,
        soft_wrap=True,
    )
    table = Table("what", "value, 95% interval", "of", box=None, pad_edge=False)
    for figure in report["figures"]:
        if figure["value"] is not None:
            table.add_row(figure["label"], _value(figure), _of(figure))
    for figure in report["times"]:
        if figure["value"] is not None:
            table.add_row(figure["label"], _seconds(figure), "")
    out.print(table)
    out.print("Intervals are by bootstrap over parts of the docs.", style="dim")
    _print_judge(out, report["judge"], report["figures"])
    _print_list(out, "got no answer from the language model, and are in no figure", report["failed"])
    for note in report["notes"]:
        out.print(f"\n{note}", markup=False, soft_wrap=True)


def _print_judge(out: "Console", judge: Mapping[str, Any], figures: list[Mapping[str, Any]]) -> None:
    if not judge["id"]:
        out.print(f"\n{judge['why']}", markup=False, soft_wrap=True)
        return
    out.print(f"\nJudge: {judge['id']}; {judge['judged']} answers judged", markup=False, soft_wrap=True)
    for figure in figures:
        if figure.get("calibration", "uncalibrated") != "uncalibrated":
            out.print(f"  {figure['label']}: {figure['calibration']}", markup=False, soft_wrap=True)
    if judge["labels_unjudged"]:
        out.print(f"  {judge['labels_unjudged']} labelled answers got no judgement", markup=False, soft_wrap=True)
    _print_list(out, "are unjudged, which counts for nothing", judge["unjudged"])


def _print_list(out: "Console", what: str, rows: list[Mapping[str, Any]]) -> None:
    if rows:
        out.print(f"\n{len(rows)} of the questions {what}:", markup=False, soft_wrap=True)
        for row in rows[:_SHOWN]:
            out.print(f"  {row['question'][:80]}: {row['reason']}", markup=False, soft_wrap=True)
        if len(rows) > _SHOWN:
            out.print(f"  and {len(rows) - _SHOWN} more, in report.json")


def _value(figure: Mapping[str, Any]) -> str:
    shares = not figure["key"].endswith(("links", "identifiers", "flags"))
    return _written(figure, "{:.1%}" if shares else "{:.2f}")


def _seconds(figure: Mapping[str, Any]) -> str:
    return _written(figure, "{:.2f}") + " s"


def _written(figure: Mapping[str, Any], form: str) -> str:
    if figure["low"] is None or figure["high"] is None:
        return form.format(figure["value"])
    return f"{form.format(figure['value'])} \\[{form.format(figure['low'])}, {form.format(figure['high'])}]"


def _of(figure: Mapping[str, Any]) -> str:
    from rich.markup import escape

    of = f"{figure['count']} {figure['of']}"
    if figure["count"] != figure["answers"]:
        of += f" in {figure['answers']} answers"
    if figure.get("calibration"):  # as far as its counts, which are told below
        of += f"; {escape(figure['calibration'].partition(';')[0])}"
    return of
