"""Answered questions, a row each, and what is measured of them: how far can a reader trust what the chatbot says?

In: a question with the answer it got, what was found wrong with it and what a judge said. Out: of each row the part it has in a figure.
It asks nobody, and knows no searcher and no language model.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from dragoman.evaluate.answer_judge import Judgement
from dragoman.records import Finding, Support

AnswerMode = Literal["llm", "extractive", "refusal"]
Part = tuple[float, float]  # a count, and what it is a share of
JUDGED: Final = ("correct", "complete", "grounded")


@dataclass(frozen=True, slots=True)
class Cited:
    """A source of an answer as a reader sees it; ``chunks`` are the ids of all that was shown under its number, ``passage`` its text."""

    number: int
    place: str
    trail: str
    url: str
    chunks: tuple[str, ...]
    passage: str


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """A question with its answer, as a row of ``answers.jsonl``.

    ``unit`` is what a bootstrap draws. ``supported`` counts the sentences of ``support`` that the passages bear out. ``hit`` says whether a
    cited section is known to answer the question, None where none is known. ``failed`` is why the language model gave no answer: such a
    row has no part in any figure. ``verdict`` is a judge's, None where there is none, then with the reason in ``unjudged``.
    """

    id: str
    question: str
    kind: str
    unit: str
    answerable: bool
    answer: str
    mode: AnswerMode
    reason: str = ""
    note: str = ""
    citations: tuple[Cited, ...] = ()
    support: tuple[Support, ...] = ()
    supported: int = 0
    findings: tuple[Finding, ...] = ()
    hit: bool | None = None
    seconds: float = 0.0
    first_seconds: float = 0.0
    failed: str = ""
    verdict: Judgement | None = None
    unjudged: str = ""

    @property
    def judgeable(self) -> bool:
        """Whether it is an answer to a question that the docs answer: refusals have figures of their own."""
        return self.answerable and self.mode != "refusal" and not self.failed


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of answers: a share or a mean. ``part`` gives a row's count and what it is a share of, None for a row that has no say."""

    key: str
    label: str
    of: str  # what the whole is counted in
    part: Callable[[AnswerRow], Part | None]


def row_from(table: Mapping[str, Any]) -> AnswerRow:
    """A row from what ``dataclasses.asdict`` made of it and JSON kept.

    Args:
        table: The row as JSON gives it back.

    Returns:
        The row.

    Raises:
        TypeError: A key is missing or unknown, or something in it has another shape.
    """
    try:
        nested = {
            "citations": tuple(Cited(**one | {"chunks": tuple(one["chunks"])}) for one in table["citations"]),
            "support": tuple(Support(**one | {"cited": tuple(one["cited"])}) for one in table["support"]),
            "findings": tuple(Finding(**one) for one in table["findings"]),
            "verdict": Judgement(**table["verdict"]) if table["verdict"] else None,
        }
    except (KeyError, AttributeError) as error:
        raise TypeError(f"not the row of an answer: {error}") from error
    return AnswerRow(**cast("dict[str, Any]", {**table, **nested}))


def _rate(
    wanted: Callable[[AnswerRow], bool], among: Callable[[AnswerRow], bool]
) -> Callable[[AnswerRow], Part | None]:
    return lambda row: (float(wanted(row)), 1.0) if among(row) else None


def _written(row: AnswerRow) -> bool:
    return row.mode == "llm"


def _citations(row: AnswerRow) -> Part | None:
    wrong = [finding.text for finding in row.findings if finding.kind == "citation"]
    # One that named the wrong passage is told as "[2] for [3]", and stands in the text as [2] by now.
    corrected = sum(" for " in text for text in wrong)
    stands = sum(len(sentence.cited) for sentence in row.support)
    written = stands + len(wrong) - corrected
    return (float(max(0, stands - corrected)), float(written)) if _written(row) and written else None


def _sentences(row: AnswerRow) -> Part | None:
    return (float(row.supported), float(len(row.support))) if _written(row) and row.support else None


def _invented(*kinds: str) -> Callable[[AnswerRow], Part | None]:
    return lambda row: (float(sum(one.kind in kinds for one in row.findings)), 1.0) if _written(row) else None


def _judged(key: str) -> Callable[[AnswerRow], Part | None]:
    return _rate(lambda row: bool(getattr(row.verdict, key)), lambda row: row.judgeable and row.verdict is not None)


MEASURES: Final = (
    Measure("citations", "citations that held: of a passage shown, and the right one", "citations", _citations),
    Measure("supported", "sentences that the passages bear out", "sentences", _sentences),
    Measure(
        "unsupported",
        "answers with a sentence that they do not",
        "answers",
        _rate(lambda row: row.supported < len(row.support), lambda row: _written(row) and bool(row.support)),
    ),
    Measure("links", "invented links an answer", "answers", _invented("link")),
    Measure("identifiers", "invented identifiers an answer", "answers", _invented("identifier")),
    Measure("flags", "invented flags and commands an answer", "answers", _invented("flag", "command")),
    Measure(
        "refused",
        "unanswerable questions refused",
        "questions",
        _rate(lambda row: row.mode == "refusal", lambda row: not row.answerable),
    ),
    Measure(
        "refused_wrongly",
        "answerable questions refused",
        "questions",
        _rate(lambda row: row.mode == "refusal", lambda row: row.answerable),
    ),
    Measure(
        "hit",
        "answers that cite a section which answers",
        "answers",
        _rate(lambda row: bool(row.hit), lambda row: row.judgeable and row.hit is not None),
    ),
    *(Measure(key, f"judged {key}", "answers", _judged(key)) for key in JUDGED),
)
