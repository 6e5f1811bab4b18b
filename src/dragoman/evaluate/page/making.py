"""How the model was made: questions and what became of them, reviewers, training, and what it takes to do it again.

In: the report's data. Out: HTML, each part empty when its data are not there.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from dragoman.evaluate.page.drawing import bar, curves_plot
from dragoman.evaluate.page.markup import Column, facts, grid, note, section
from dragoman.evaluate.page.reading import (
    Table,
    clean,
    count,
    counts,
    duration,
    html,
    number,
    numbers,
    rows,
    table,
    text,
)

_BINS, _ROUNDS, _STEPS = 30, 20, 40
_ORIGINS = {"llm": "by a language model", "structure": "from the docs' structure", "person": "by people"}


def funnel(report: Table) -> str:
    """How many questions were made, what took some out, and how many were left."""
    totals, steps = counts(report, "questions", "rows"), counts(report, "questions", "steps")
    made = totals.get("made", 0)
    if not made:
        return ""
    lines = [_bar("made", made, made, "kept")]
    taken = sorted(steps.items(), key=lambda step: (-step[1], step[0]))
    lines += [_bar(name, number, made, "gone", "−") for name, number in taken[:_STEPS]]
    if len(taken) > _STEPS:
        lines.append(
            _bar(f"{len(taken) - _STEPS} more", sum(number for _, number in taken[_STEPS:]), made, "gone", "−")
        )
    lines += [
        _bar(name, totals[key], made, "kept")
        for key, name in (("kept", "kept for evaluation"), ("trainable", "of these, to train on"))
        if key in totals
    ]
    kinds = origins(report)
    words = "Every question that was made, what took some of them out, and what is left. "
    words += f"Left by origin: {html(kinds)}." if kinds else ""
    columns = [Column("step", ""), Column("questions"), Column("share of those made", "plot")]
    return section("funnel", "The questions", note(words), grid("The funnel", columns, lines, "plots funnel"))


def origins(report: Table) -> str:
    """How many of the questions that were kept come from whom; no HTML."""
    kinds = counts(report, "questions", "kinds")
    return ", ".join(f"{number:,} {_ORIGINS.get(kind, clean(kind))}" for kind, number in kinds.items())


def _bar(name: str, number: int, made: int, kind: str, sign: str = "") -> list[str]:
    left = f"<b>{html(name)}</b>" if kind == "kept" else html(name)
    written = f"{sign if number else ''}{number:,}"
    return [left, written, bar(number / made, kind, f"{name}: {written}, {100 * number / made:.1f}% of those made")]


def reviewers(report: Table) -> str:
    """What reviewers decided, and how much of it could be used."""
    found = counts(report, "questions", "verdicts")
    if not found:
        return ""
    used = {name: number for name, number in found.items() if not name.startswith("unused")}
    lines = [[html(name), f"{number:,}"] for name, number in list(found.items())[:_STEPS]]
    bad = table(report, "questions").get("bad_chunks")
    thrown = f" Passages thrown out: {len(bad):,}." if isinstance(bad, list) and bad else ""
    words = f"{sum(used.values()):,} verdicts of reviewers were used, {sum(found.values()) - sum(used.values()):,} were not.{thrown}"
    return section(
        "review",
        "What reviewers decided",
        note(words),
        grid("Verdicts", [Column("verdict", ""), Column("items")], lines, "wide small"),
    )


def training(report: Table) -> str:
    """The loss of each round of training, and what the training took."""
    every = rows(report, "training", "rounds")
    found = [
        (f"round {place + 1}", losses) for place, row in enumerate(every) if len(losses := numbers(row, "losses")) > 1
    ]
    found = found[:_ROUNDS]
    parts = []
    if found:
        bins = max(2, min(_BINS, min(len(losses) for _, losses in found) // 2))
        curves = [(name, _binned(losses, bins)) for name, losses in found]
        mean = [sum(values) / len(values) for values in zip(*(curve for _, curve in curves), strict=True)]
        ends = f"from {mean[0]:.2f} to {mean[-1]:.2f}"
        many = len(curves) > 1
        said = (
            f"Loss of {len(curves)} rounds of training; the mean falls {ends}"
            if mean[-1] < mean[0]
            else f"Loss of {len(curves)} rounds; the mean goes {ends}"
        )
        plot = curves_plot(curves, mean if many else curves[0][1], said)
        thick = "thick: their mean; thin: each round; " if many else ""
        words = f"Training loss by share of the training done ({thick}each point the mean of some steps, {ends})"
        parts.append(f'<figure class="tall">{plot}<figcaption>{words}</figcaption></figure>')
    told = _took(report, every)
    if not parts and not told:
        return ""
    return section("training", "Training", *parts, told)


def _binned(losses: Sequence[float], bins: int) -> list[float]:
    """Means of equal parts, so that rounds of different lengths can stand over each other."""
    sums = [0.0, *accumulate(losses)]
    edges = [len(losses) * place // bins for place in range(bins + 1)]
    return [(sums[end] - sums[start]) / (end - start) for start, end in pairwise(edges)]


def _took(report: Table, every: Sequence[Table]) -> str:
    seconds = [value for row in every if (value := number(row, "seconds")) is not None]
    total = number(table(report, "training"), "seconds") or sum(seconds)
    steps = [value for row in every if (value := count(row, "steps")) is not None]
    asked = [value for row in every if (value := count(row, "questions")) is not None]
    lost = sum(len(row["losses"]) - len(numbers(row, "losses")) for row in every if isinstance(row.get("losses"), list))
    precision = sorted({text(row, "precision", 20) for row in every} - {""})
    return facts(
        [
            ("Training time", duration(total) if total > 0 else ""),
            ("Rounds", f"{len(every):,}" if every else ""),
            ("Questions a round", _span(asked)),
            ("Steps a round", _span(steps)),
            ("Steps whose loss was no number", f"{lost:,}" if lost else ""),
            ("Precision", html(", ".join(precision)) if precision else ""),
        ]
    )


def _span(values: Sequence[int]) -> str:
    if not values:
        return ""
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def again(report: Table) -> str:
    """Seeds, versions, sources and cost: what it takes to do this again."""
    seeds = [f"{value:.0f}" for value in numbers(report, "seeds")] or (
        [f"{seed:.0f}"] if (seed := number(report, "seed")) is not None else []
    )
    pairs = [
        ("Base model", f"<code>{html(base)}</code>" if (base := text(report, "base_model")) else ""),
        ("Seed" if len(seeds) < 2 else "Seeds", ", ".join(seeds[:20])),  # noqa: PLR2004 - plural
    ]
    docs = [
        (html(key, 120), _value(value) or "as it stood in its folder") for key, value in _items(report, "revisions")
    ]
    docs += [(html(_spaced(key)), _value(value)) for key, value in _items(report, "documents")]
    versions = [(html(key, 60), _value(value)) for key, value in _items(report, "versions")]
    asked = counts(report, "questions", "rows").get("requests")
    cost = [("Requests to a language model", f"{asked:,}" if asked is not None else "")]
    cost += [(html(_spaced(key)), _value(value, key)) for key, value in _items(report, "cost") if key != "requests"]
    named = (("Docs", facts(docs)), ("Versions", facts(versions)), ("Cost", facts(cost)))
    parts = [facts(pairs), *(f"<h3>{name}</h3>{listed}" for name, listed in named if listed)]
    return section("again", "To do this again", *parts) if any(parts) else ""


def _items(report: Table, key: str) -> list[tuple[str, object]]:
    return [(str(name), value) for name, value in table(report, key).items()][:50]


def _spaced(key: str) -> str:
    return key[:1].upper() + key[1:].replace("_", " ")


def _value(value: object, key: str = "") -> str:
    """A figure or a few words; "" for what is neither."""
    if isinstance(value, str):
        return f"<code>{html(value, 120)}</code>" if value else ""
    read = number({"": value}, "")
    if read is None:
        return ""
    if key.endswith("seconds"):
        return duration(read)
    return f"{read:,.0f}" if read == int(read) else f"{read:,.4g}"
