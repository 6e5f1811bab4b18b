"""How the training went: its loss, what validation said after each epoch, and what it took.

In: the report's data. Out: HTML with plots, empty when they hold no training.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise

from dragoman.evaluate.page.drawing import curves_plot
from dragoman.evaluate.page.markup import facts, note, section
from dragoman.evaluate.page.reading import (
    Table,
    count,
    duration,
    html,
    number,
    numbers,
    plain,
    rows,
    table,
    text,
)

_BINS, _ROUNDS, _EPOCHS, _LABELS = 30, 20, 50, 10
_METHODS = {
    "full": "all weights",
    "lora": "low-rank additions to the weights (LoRA)",
    "adapter": "a linear map of the question's vector",
}
Curve = tuple[str, list[float]]


def training(report: Table) -> str:
    """The loss and the validation of each round of training, and what the training took."""
    every = rows(report, "training", "rounds")
    drawn = [figure for figure in (_losses(every), _validation(every, count(report, "k") or 10)) if figure]
    plots = f'<div class="figures">{"".join(drawn)}</div>' if drawn else ""
    teacher = text(report.get("training"), "teacher", 500)
    told = _took(report, every)
    if not plots and not told and not teacher:
        return ""
    return section("training", "Training", note(html(teacher, 500)) if teacher else "", plots, told)


def method(report: Table) -> str:
    """What was tuned, in a few words; "" when it is not told. No HTML."""
    told = text(report.get("training"), "method", 60)
    return _METHODS.get(told, told)


def _losses(every: Sequence[Table]) -> str:
    read = [(f"round {place + 1}", numbers(row, "losses")) for place, row in enumerate(every)]
    found = [(name, losses) for name, losses in read if len(losses) > 1][:_ROUNDS]
    if not found:
        return ""
    bins = max(2, min(_BINS, min(len(losses) for _, losses in found) // 2))
    curves = [(name, _binned(losses, bins)) for name, losses in found]
    mean = _mean(curves)
    ends = f"from {mean[0]:.2f} to {mean[-1]:.2f}"
    said = (
        f"Loss of {len(curves)} rounds of training; the mean falls {ends}"
        if mean[-1] < mean[0]
        else f"Loss of {len(curves)} rounds; the mean goes {ends}"
    )
    words = f"Training loss by share of the training done ({_lines(curves)}each point the mean of some steps, {ends})"
    return _figure(curves_plot(curves, mean, said), words)


def _validation(every: Sequence[Table], k: int) -> str:
    """NDCG after each epoch, where any round has two or more of them."""
    read = [(f"round {place + 1}", numbers(row, "validation")[:_EPOCHS]) for place, row in enumerate(every)]
    curves = [(name, values) for name, values in read if values][:_ROUNDS]
    longest = max((len(values) for _, values in curves), default=0)
    if longest < 2:  # noqa: PLR2004 - one epoch is no line
        return ""
    # Rounds that stopped early have no later epochs: beyond the shortest, a mean would be of other rounds than before.
    mean = _mean(curves)
    last = f"{plain(mean[0])} after one epoch, {plain(mean[-1])} after {len(mean)}" if len(mean) > 1 else plain(mean[0])
    apart = -(-longest // _LABELS)
    ticks = [(place / (longest - 1), f"{place + 1}") for place in range(0, longest, apart)]
    of = "the mean is " if len(curves) > 1 else ""
    stopped = "; some rounds stopped there" if len(mean) < longest else ""
    plot = curves_plot(
        curves, mean, f"NDCG on validation by epoch, {len(curves)} rounds; {of}{last}", ticks=ticks, zero=False
    )
    return _figure(
        plot, f"NDCG@{k} of dense search on validation, after each epoch ({_lines(curves)}{of}{last}{stopped})"
    )


def _figure(plot: str, words: str) -> str:
    return f'<figure class="tall">{plot}<figcaption>{words}</figcaption></figure>'


def _lines(curves: Sequence[Curve]) -> str:
    return "thick: their mean; thin: each round; " if len(curves) > 1 else ""


def _mean(curves: Sequence[Curve]) -> list[float]:
    """The mean of the curves, as long as the shortest."""
    return [sum(values) / len(values) for values in zip(*(curve for _, curve in curves), strict=False)]


def _binned(losses: Sequence[float], bins: int) -> list[float]:
    """Means of equal parts, so that rounds of different lengths can stand over each other."""
    sums = [0.0, *accumulate(losses)]
    edges = [len(losses) * place // bins for place in range(bins + 1)]
    return [(sums[end] - sums[start]) / (end - start) for start, end in pairwise(edges)]


def _took(report: Table, every: Sequence[Table]) -> str:
    seconds = [value for row in every if (value := number(row, "seconds")) is not None]
    total = number(table(report, "training"), "seconds") or sum(seconds)
    lost = sum(len(row["losses"]) - len(numbers(row, "losses")) for row in every if isinstance(row.get("losses"), list))
    precision = sorted({text(row, "precision", 20) for row in every} - {""})
    return facts(
        [
            ("What was tuned", html(method(report)) if method(report) else ""),
            ("Training time", duration(total) if total > 0 else ""),
            ("Rounds", f"{len(every):,}" if every else ""),
            ("Time a round", _span(seconds, duration)),
            ("Epochs a round", _span(_counts(every, "epochs"))),
            ("Questions a round", _span(_counts(every, "questions"))),
            ("Steps a round", _span(_counts(every, "steps"))),
            ("Steps whose loss was no number", f"{lost:,}" if lost else ""),
            ("Precision", html(", ".join(precision)) if precision else ""),
        ]
    )


def _counts(every: Sequence[Table], key: str) -> list[int]:
    return [value for row in every if (value := count(row, key)) is not None]


def _span(values: Sequence[float], write: Callable[[float], str] = "{:,.0f}".format) -> str:
    """The smallest and the largest, once where they read alike."""
    ends = dict.fromkeys(write(value) for value in (min(values), max(values))) if values else ()
    return " to ".join(ends)
