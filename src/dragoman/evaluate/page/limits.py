"""What the figures do not show: said on the page and in the card alike, each where its data say that it holds.

In: the report's data. Out: sentences without HTML.
"""

from dragoman.evaluate.page.markup import serving_of
from dragoman.evaluate.page.reading import Table, count, counts, numbers, rows, table, text

_FEW, _ENOUGH = 100, 100


def limits(report: Table) -> list[str]:
    """What a careful reader should know before believing the figures.

    Args:
        report: The report's data.

    Returns:
        Sentences, the weightiest first.
    """
    gate = table(report, "gate")
    asked = count(report, "asked") or count(gate, "questions") or 0
    found = [*_origin(report, asked), *_people(report)]
    if 0 < asked < _FEW:
        found.append(
            f"Only {asked} questions were asked: the interval is wide, and parts of the page rest on a handful each."
        )
    rounds, ships = len(rows(report, "training", "rounds")), gate.get("ships") is True
    if rounds > 1:
        mean = text(table(report, "training"), "final") == "mean"
        made = "the mean of their weights" if mean else "trained once more on all of them"
        served = f", and what is served is {made}" if ships else ""
        found.append(
            "The figures are of the recipe, not of one set of weights: "
            f"{rounds} models were each judged on docs that they never saw{served}."
        )
    elif rounds == 1:
        served = " What is served is trained once more on all of them, and was not judged itself." if ships else ""
        found.append(f"One part of the docs was held out, and only questions about it were asked.{served}")
    if (gate or rounds) and len(numbers(report, "seeds")) < 2:  # noqa: PLR2004 - one is one
        found.append(
            "One seed: another gives somewhat other figures. The intervals cover which docs were asked about, not the luck of a training."
        )
    if rounds > 1 and any(numbers(row, "validation") for row in rows(report, "training", "rounds")):
        found.append(
            "Each round stopped training when its own held-out questions no longer gained, which flatters it a little."
        )
    ways = len(rows(report, "ways"))
    if ways > 2:  # noqa: PLR2004 - nothing was chosen between two
        found.append(
            f"The best of {ways} ways was chosen on the questions that it is shown with, which flatters it a little; "
            "the test figure is of a choice that the scored questions had no part in."
        )
    found += _length(report)
    if gate or ways:
        found.append(
            "A question counts as found only where its own section, or a near copy, is found; other sections may answer it too."
        )
    return found


def _people(report: Table) -> list[str]:
    """Whether people's questions had a part in what they are shown with."""
    part = table(report, "people")
    asked = count(part, "weighed") or count(part, "asked") or 0
    if not asked or part.get("counted") is not True:
        return []
    return [
        f"The {asked:,} questions that people asked took part in the choice of what is served, so their own figures flatter it a little."
    ]


def _length(report: Table) -> list[str]:
    """How the length of the vectors was chosen."""
    told, way = text(report, "dims_note", 500), serving_of(table(report, "gate", "served"))
    if way and way.dims:
        said = told or f"Served: the first {way.dims:,} dimensions."
        return [f"The length of the vectors was chosen on the questions that it is shown with. {said}"]
    return [f"The length of the vectors. {told}"] if told else []


def _origin(report: Table, asked: int) -> list[str]:
    """Who asked. ``asked_kinds`` knows; without it, the kinds of all questions tell whether people can have."""
    kinds = counts(report, "asked_kinds") or counts(report, "questions", "kinds")
    if not kinds:
        return []
    people, written = kinds.get("person", 0), kinds.get("llm", 0)
    source = "a language model wrote them from the docs" if written else "they were made from the structure of the docs"
    flatter = (
        "Such questions reuse the words of the passage, which flatters word search, and are not what readers type."
    )
    if not people and count(table(report, "people"), "asked"):
        return [f"People asked only the questions that are shown as theirs; for the rest, {source}. {flatter}"]
    if not people:
        return [f"No person asked these questions: {source}. {flatter}"]
    if people < _ENOUGH and asked > people:
        return [f"At most {people} of the {asked} questions are people's; for the rest, {source}. {flatter}"]
    return []
