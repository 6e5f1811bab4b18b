"""Questions that the docs do not answer, asked beside the held-out ones: from which score on readers get an answer.

In: the questions of ``synth`` that no chunk answers, a list of off-topic ones, and how sure the served search was of each. Out: the
calibrated refusal, and the report's section about it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragoman.evaluate.gate import Panel, first_half
from dragoman.evaluate.metrics import Ranks, Values, recall
from dragoman.evaluate.off_topic import CHOOSING, TESTING
from dragoman.evaluate.refusal import Sureness, calibrate
from dragoman.pipeline.context import Run
from dragoman.pipeline.synth import UNANSWERABLE
from dragoman.records import Question, Refusal, Split, content_id
from dragoman.tables import read_rows

_OFF_TOPIC = "off-topic"


@dataclass(frozen=True, slots=True)
class Strangers:
    """Questions that the docs do not answer: those close to the docs first, then ``off_topic`` ones.

    ``rounds`` (whose model is asked), ``units`` and ``chooses`` (whether it sets the thresholds) stand beside ``questions``.
    """

    questions: tuple[Question, ...]
    rounds: tuple[int, ...]
    units: tuple[str, ...]
    chooses: NDArray[np.bool_]
    off_topic: int

    def sureness(self, confidence: Values) -> tuple[Sureness, Sureness]:
        """How sure the search was of the unanswerable questions, and of the off-topic ones."""
        nothing, alike = np.zeros(len(confidence)), np.ones(len(confidence))
        every = Sureness(confidence, nothing, self.chooses, alike, self.units)
        far = np.arange(len(confidence)) >= len(confidence) - self.off_topic
        return every.of(~far), every.of(far)


def strangers_of(run: Run, split: Split, rounds: Sequence[int]) -> Strangers:
    """The questions to calibrate refusal with.

    Args:
        run: The run.
        split: Knows the units of the docs.
        rounds: Of the held-out questions; without any, nobody is asked.

    Returns:
        Questions without a chunk, so that no known question is left out when they are searched for.
    """
    numbers = sorted(set(rounds))
    path = run.workspace.folder("synth") / UNANSWERABLE
    close = read_rows(path, Question) if path.is_file() and numbers else []
    texts = [*CHOOSING, *TESTING] if numbers else []
    far = [Question(content_id(_OFF_TOPIC, text), text, "", "person", _OFF_TOPIC, train=False) for text in texts]
    units = [split.unit_of.get(question.chunk_id, question.id) for question in close]
    homes = [split.round_of.get(unit, -1) for unit in units] + [-1] * len(far)
    # The models of all rounds have seen as little of an off-topic question: they take turns.
    turns = [home if home in numbers else numbers[place % len(numbers)] for place, home in enumerate(homes)]
    return Strangers(
        tuple(replace(question, chunk_id="", also=()) for question in [*close, *far]),
        tuple(turns),
        (*units, *(question.id for question in far)),
        np.concatenate([first_half(units), np.arange(len(far)) < len(far) // 2]).astype(bool),
        len(far),
    )


def refusal_of(
    run: Run, panel: Panel, confidence: Values, ranks: Ranks, strangers: tuple[Sureness, Sureness]
) -> tuple[Refusal | None, dict[str, Any]]:
    """Calibrate when not to answer.

    Args:
        run: The run; its recipe says how many answerable questions may be refused, and how many sections are read.
        panel: The held-out questions that count.
        confidence: Of each of them, in the served search.
        ranks: At which its section is found.
        strangers: How sure the search was of the unanswerable and of the off-topic questions.

    Returns:
        The refusal, None where none can be chosen, and the report's section, which says why.
    """
    settings = run.recipe.chat
    answerable = Sureness(
        confidence, recall(ranks, settings.passages), first_half(panel.units), panel.weights, panel.units
    )
    refusal, section = calibrate(answerable, *strangers, settings.false_refusal, rounds=panel.rounds, seed=panel.seed)
    return refusal, section | {"passages": settings.passages}
