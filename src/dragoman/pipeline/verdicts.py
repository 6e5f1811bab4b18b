"""What reviewers decided so far, as ``synth`` takes it in.

In: a run. Out: the verdicts of the artefact ``review``, and questions as they leave them. What is shown to reviewers, and how
their answers come back, is ``review.py``'s.
"""

from collections.abc import Sequence

from dragoman.pipeline.context import Run
from dragoman.records import Chunk, Question, Verdict
from dragoman.review.apply import Applied, apply_verdicts
from dragoman.tables import read_rows

STAGE, VERDICTS = "review", "verdicts.parquet"


def load_verdicts(run: Run) -> list[Verdict]:
    """What reviewers decided so far; none before the first pull."""
    if run.workspace.manifest(STAGE) is None:
        return []
    return read_rows(run.workspace.folder(STAGE) / VERDICTS, Verdict)


def reviewed(run: Run, questions: Sequence[Question], chunks: Sequence[Chunk]) -> Applied:
    """The questions as reviewers left them, and the chunks that they threw out."""
    return apply_verdicts(load_verdicts(run), questions, chunks)
