"""The command that sets two evaluated runs side by side: ``compare``.

In: two workspaces. Out: the difference on the questions that both asked, and what was different, on the terminal or as JSON; and that of
their answers, where those were evaluated.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dragoman.cli.options import Json, Verbose
from dragoman.cli.screen import Screen
from dragoman.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from dragoman.evaluate.answer_versus import AnswersVersus
    from dragoman.evaluate.versus import Evaluated, Versus

_QUESTION, _VALUE = 80, 60  # characters that are shown
_NAMES = {
    "training_seconds": "training seconds",
    "requests": "requests to a language model",
    "prompt_tokens": "prompt tokens",
    "answer_tokens": "answer tokens",
}


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(compare)


def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN", help="workspace to compare with", show_default=False)],
    second: Annotated[Path, typer.Argument(metavar="RUN", help="workspace to compare", show_default=False)],
    top: Annotated[int, typer.Option("--top", min=0, max=1000, help="questions shown of those that moved most")] = 10,
    as_json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Set two evaluated runs side by side, on the questions that both asked.

    Example: dragoman compare .dragoman runs/epochs3
    """
    from dragoman.evaluate.versus import compare_runs
    from dragoman.pipeline.comparing import load_pair

    runs = load_pair(first, second)
    found = compare_runs(*runs, top=top)
    answers, missing = _answers(first, second)
    if as_json:
        shown = [_row(run) for run in runs]
        told = {"runs": shown, **asdict(found), "answers": asdict(answers) if answers else None}
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        out = Screen().out
        _print_runs(out, runs, found)
        if answers:
            _print_answers(out, answers)
        elif missing:
            out.print(f"\n{missing}", markup=False, soft_wrap=True)
    if answers and answers.refused:
        raise UsageError(answers.refused, expected="one judge with one prompt", hint=_alike(first, second))


def _answers(first: Path, second: Path) -> tuple["AnswersVersus | None", str]:
    """The comparison of the two runs' answers; what to type where only one of them has any."""
    from dragoman.evaluate.answer_versus import compare_answers
    from dragoman.pipeline.answer_report import command, load_answers

    one, other = load_answers(first), load_answers(second)
    if one and other:
        return compare_answers(one, other), ""
    without = second if one else first
    return None, f"Answers were not evaluated in {without}. Run: {command(without)}" if one or other else ""


def _alike(first: Path, second: Path) -> str:
    from dragoman.pipeline.answer_report import command

    judge = "--set evaluate.judge_url=URL --set evaluate.judge_model=NAME"
    return f"Judge both alike, the answers are kept: {command(first)} {judge} and {command(second)} {judge}"


def _print_runs(out: "Console", runs: Sequence["Evaluated"], found: "Versus") -> None:
    for place, run in zip(("first: ", "second:"), runs, strict=True):
        name = f" ({run.name})" if run.name else ""
        out.print(f"{place} {run.path}{name}: {run.verdict}", markup=False, soft_wrap=True)
    _print_questions(out, found)
    _print_differences(out, found)
    _print_cost(out, runs)
    _print_moved(out, found)


def _print_answers(out: "Console", found: "AnswersVersus") -> None:
    """Every measure of the answers in both runs; a star marks what is more than chance."""
    from rich.table import Table

    only = f"only the first asked {found.only_first}, only the second {found.only_second}"
    out.print(f"\nBoth answered {found.common} questions; {only}.", markup=False, soft_wrap=True)
    table = Table("of the answers", "first", "second", "second - first", "pairs", box=None, pad_edge=False)
    for row in found.measures:
        ends = "" if row.low is None or row.high is None else f" \\[{row.low:+.3f}, {row.high:+.3f}]"
        star = " *" if row.is_sure else ""
        table.add_row(
            row.label, f"{row.first:.3f}", f"{row.second:.3f}", f"{row.gain:+.3f}{ends}{star}", str(row.pairs)
        )
    if found.measures:
        out.print(table)
        out.print("*: more than chance, by a paired bootstrap over parts of the docs", style="dim")


def _row(run: "Evaluated") -> dict[str, Any]:
    """What a program reads of a run itself."""
    return {
        "path": run.path,
        "name": run.name,
        "verdict": run.verdict,
        "k": run.k,
        "asked": len(run.asked),
        "cost": asdict(run.cost),
    }


def _print_questions(out: "Console", found: "Versus") -> None:
    from rich.table import Table

    from dragoman.evaluate.versus import WAYS

    by_text = f" ({found.by_text} of them found by their text, since their ids differ)" if found.by_text else ""
    only = f"only the first asked {found.only_first}, only the second {found.only_second}"
    out.print(f"\nBoth asked {found.common} questions{by_text}; {only}.", markup=False, soft_wrap=True)
    if found.figures:
        table = Table(box=None, pad_edge=False)
        metrics = [f"{metric}@{found.k}" for metric in ("NDCG", "recall")]
        for heading in ("way", *(f"{metric} {run}" for metric in metrics for run in ("first", "second"))):
            table.add_column(heading, no_wrap=True)
        for row in found.figures:
            values = (row.first_ndcg, row.second_ndcg, row.first_recall, row.second_recall)
            table.add_row(WAYS[row.way], *(f"{value:.3f}" for value in values))
        out.print(table)
    out.print()
    for line in (*found.told, *found.notes):
        out.print(line, markup=False, soft_wrap=True)


def _print_differences(out: "Console", found: "Versus") -> None:
    if not found.differs:
        out.print("\nNo setting, source or version differs.")
        return
    _print_table(out, "what differs", [(row.key, _value(row.first), _value(row.second)) for row in found.differs])


def _print_cost(out: "Console", runs: Sequence["Evaluated"]) -> None:
    costs = [asdict(run.cost) for run in runs]
    _print_table(out, "cost", [(name, *(_amount(cost[key]) for cost in costs)) for key, name in _NAMES.items()])


def _print_table(out: "Console", title: str, rows: Sequence[tuple[str, ...]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title, "first", "second", box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(escape, row))
    out.print()
    out.print(table)


def _print_moved(out: "Console", found: "Versus") -> None:
    from rich.markup import escape
    from rich.table import Table

    from dragoman.evaluate.page.reading import clean

    if not found.moved:
        return
    table = Table("rank", f"NDCG@{found.k}", "question", "about", box=None, pad_edge=False)
    for row in found.moved:
        ranks = f"{row.before or '-'} -> {row.after or '-'}"
        table.add_row(
            ranks, f"{row.difference:+.3f}", *(escape(clean(one, _QUESTION)) for one in (row.question, row.document))
        )
    out.print("\nWhat moved most, as served (-: not found):")
    out.print(table)


def _value(value: Any) -> str:  # noqa: ANN401 - JSON-like values
    """A setting as JSON writes it, cut to a length; what one run does not have is a dash."""
    from dragoman.evaluate.page.reading import clean

    written = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return "-" if value is None else clean(written, _VALUE)


def _amount(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"
