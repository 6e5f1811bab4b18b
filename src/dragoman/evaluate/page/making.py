"""What the model was made of: questions and what became of them, reviewers, and what it takes to do it again.

In: the report's data. Out: HTML, each part empty when its data are not there.
"""

from dragoman.evaluate.page.drawing import bar
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
    table,
    text,
)

_STEPS = 40
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


def again(report: Table) -> str:
    """Seeds, versions, sources and cost: what it takes to do this again."""
    seeds = [f"{value:.0f}" for value in numbers(report, "seeds")] or (
        [f"{seed:.0f}"] if (seed := number(report, "seed")) is not None else []
    )
    pairs = [
        ("Base model", f"<code>{html(base)}</code>" if (base := text(report, "base_model")) else ""),
        ("Cross-encoder", f"<code>{html(reranker)}</code>" if (reranker := text(report, "reranker")) else ""),
        ("Seed" if len(seeds) < 2 else "Seeds", ", ".join(seeds[:20])),  # noqa: PLR2004 - plural
        ("Licence", html(licence, 60) if (licence := text(report, "license", 60)) else ""),
    ]
    docs = [
        (html(key, 120), _value(value) or "as it stood in its folder") for key, value in _items(report, "revisions")
    ]
    docs += [(html(_spaced(key)), _value(value)) for key, value in _items(report, "documents")]
    versions = [(html(key, 60), _value(value)) for key, value in _items(report, "versions")]
    asked = counts(report, "questions", "rows").get("requests", count(table(report, "cost"), "requests"))
    cost = [("Requests to a language model", f"{asked:,}" if asked is not None else "")]
    cost += [(html(_spaced(key)), _value(value, key)) for key, value in _items(report, "cost") if key != "requests"]
    named = (("Docs", facts(docs)), ("Versions", facts(versions)), ("Cost", facts(cost)))
    parts = [facts(pairs), *(f"<h3>{name}</h3>{listed}" for name, listed in named if listed)]
    return section("again", "To do this again", *parts) if any(parts) else ""


def _items(report: Table, key: str) -> list[tuple[str, object]]:
    return [(str(name), value) for name, value in table(report, key).items()][:50]


def _spaced(key: str) -> str:
    words = key.removesuffix("seconds") + "time" if key.endswith("seconds") else key
    return words[:1].upper() + words[1:].replace("_", " ")


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
