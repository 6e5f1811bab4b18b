"""When readers are told that the docs do not answer, and what that costs.

In: the report's data. Out: HTML with a table and the curve of risk over coverage; a note alone where nothing is refused; else empty.
"""

from collections.abc import Sequence
from html import escape

from dragoman.evaluate.page.drawing import Shape, axis, interval_mark, mark, scale_of
from dragoman.evaluate.page.markup import Column, grid, note, section
from dragoman.evaluate.page.reading import (
    Table,
    clean,
    count,
    ends_of,
    html,
    number,
    percent,
    plain,
    rows,
    table,
    text,
)

_MOST, _MOST_POINTS = 10, 200
_TALL = 250  # as the scale has it
_TITLE = "When it does not answer"
_HOW_TO_MAKE = (
    "No questions close to the docs that they do not answer were asked, so how many of those are caught is not known. Set "
    "<code>synth.unanswerable</code>, such as 100, and build again to find out."
)


def refusal(report: Table) -> str:
    """The threshold, what it does to each kind of question, and the curve."""
    part = table(report, "refusal")
    threshold = number(part, "threshold")
    if threshold is None:
        return section("refusal", _TITLE, note(html(told, 500))) if (told := text(part, "note", 500)) else ""
    found = [
        row for row in rows(part, "rows") if text(row, "kind") and number(table(row, "refused"), "mean") is not None
    ]
    parts = [note(_about(part, found)), _kinds(found[:_MOST]), _curve(part), note(_caveats(part, found))]
    return section("refusal", _TITLE, *parts)


def _about(part: Table, found: Sequence[Table]) -> str:
    threshold, rate = number(part, "threshold"), number(part, "rate")
    shares = {text(row, "kind"): number(table(row, "refused"), "mean") for row in found}
    words = f"A question whose hits all have a similarity below <b>{plain(threshold)}</b> is not answered"
    if (off_topic := number(part, "off_topic")) is not None:
        words += f"; below {plain(off_topic)} it is taken to be about something else"
    words += "."
    if rate is not None and (lost := shares.get("answerable")) is not None:
        words += f" It is set to lose at most {percent(rate)} of the questions that the docs answer; of those that test it, {percent(lost)} are lost"
        caught = [
            f"{percent(shares[kind])} of the {kind} ones" for kind in ("unanswerable", "off-topic") if kind in shares
        ]
        words += f", and it stops {' and '.join(caught)}." if caught else "."
    return words + _risk(part)


def _risk(part: Table) -> str:
    """What part of the answered is wrong, at the threshold and without it."""
    point, without = (number(table(part, key, "risk"), "mean") for key in ("point", "without"))
    read = count(part, "passages")
    if point is None or without is None or not read:
        return ""
    where = f"in the first {read} sections" if read > 1 else "in the first section"
    return f" Of what is answered, {percent(point)} does not have its answer {where}; of all questions, {percent(without)}."


def _kinds(found: Sequence[Table]) -> str:
    if not found:
        return ""
    scale, lines = scale_of([0.0, 1.0]), []
    for row in found:
        refused, told = table(row, "refused"), table(row, "auroc")
        share, ends, kind = number(refused, "mean") or 0.0, ends_of(refused), text(row, "kind", 40)
        within = f"[{percent(ends[0])}, {percent(ends[1])}]" if ends else ""
        shape: Shape = "base" if kind == "answerable" else "tuned"
        apart = number(told, "mean")
        around = ends_of(told)
        surer = f"{plain(apart)} <small>[{plain(around[0])}, {plain(around[1])}]</small>" if around else plain(apart)
        lines.append(
            [
                html(kind),
                f"{count(row, 'questions') or 0:,}",
                interval_mark(scale, share, ends, shape, f"{kind}: {percent(share)} refused {within}"),
                f"<b>{percent(share)}</b> <small>{within}</small>",
                percent(number(row, "told_off_topic")),
                surer,
            ]
        )
    columns = [
        Column("questions", ""),
        Column("asked"),
        Column("refused", "plot", axis(scale)),
        Column("refused"),
        Column("told off-topic"),
        Column("AUROC"),
    ]
    return grid("What is refused", columns, lines, "plots ways")


def _curve(part: Table) -> str:
    """Risk over coverage as a line, with the operating point on it."""
    found = [(number(row, "coverage"), number(row, "risk")) for row in rows(part, "curve")[:_MOST_POINTS]]
    points = [(across, risk) for across, risk in found if across is not None and risk is not None and 0 <= across <= 1]
    if len(points) < 2:  # noqa: PLR2004 - one is no line
        return ""
    point = table(part, "point")
    here = number(point, "coverage"), number(table(point, "risk"), "mean")
    marked = [here] if here[0] is not None and here[1] is not None and 0 <= here[0] <= 1 else []
    scale = scale_of([*(risk for _, risk in points), *(risk or 0.0 for _, risk in marked)], zero=True)
    says = f"Wrong answers by how many questions are answered; the threshold answers {percent(here[0])}, {percent(here[1])} of them wrong"
    drawn = []
    for tick in scale.ticks:
        y = scale.down(tick)
        drawn.append(
            f'<line class="grid" x1="0" x2="100%" y1="{y}" y2="{y}"/><text x="0" y="{y - 4}">{tick:.0%}</text>'
        )
    for share in (0.0, 0.5, 1.0):
        anchor = "start" if not share else "end" if share == 1 else "middle"
        drawn.append(f'<text x="{_across(share)}" y="{_TALL - 6}" text-anchor="{anchor}">{share:.0%} answered</text>')
    spots = " ".join(f"{1000 * across:.1f},{scale.down(risk)}" for across, risk in points)
    drawn.append(
        f'<svg x="{_across(0)}" width="88%" height="{_TALL}" viewBox="0 0 1000 {_TALL}" preserveAspectRatio="none" overflow="visible">'
        f'<polyline class="curve mean" points="{spots}"/></svg>'
    )
    drawn += [mark(_across(across or 0), scale.down(risk or 0), "other", filled=True) for across, risk in marked]
    told = escape(clean(says, 400))
    plot = (
        f'<svg role="img" aria-label="{told}" width="100%" height="{_TALL}"><title>{told}</title>{"".join(drawn)}</svg>'
    )
    legend = (
        "The surest questions are answered first: how many of the answered ones are wrong, by how many are answered. "
        "The diamond is the threshold: the questions to its right are refused."
    )
    return f'<figure class="tall">{plot}<figcaption>{legend}</figcaption></figure>'


def _across(share: float) -> str:
    return f"{10 + 88 * share:.2f}%"


def _caveats(part: Table, found: Sequence[Table]) -> str:
    kinds = {text(row, "kind") for row in found}
    chose = count(part, "choosing")
    words = (
        f"{f'{chose:,} other held-out questions' if chose else 'Other held-out questions'} chose the threshold. It keeps to its share on "
        "average, for questions like these: people's may be less like the docs, and more of them refused. "
    )
    if "off-topic" in kinds:
        words += "The off-topic questions are a fixed list about everyday things and other software. "
    if "unanswerable" not in kinds:
        words += _HOW_TO_MAKE
    else:
        words += "A language model wrote the unanswerable ones; some of them may have an answer after all. "
    return (
        words
        + " <b>AUROC</b> is how often a question that the docs answer has the higher similarity: 0.5 is chance, 1 is always."
    )
