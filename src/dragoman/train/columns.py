"""Training rows -> the columns of texts and scores that the trainer reads.

In: triplets, and perhaps a teacher. Out: lists of equal length: the question, its passage, wrong passages, and the teacher's scores.
It does not know how they are put into batches.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from dragoman.errors import ModelError, UsageError
from dragoman.models.protocols import Reranker, Vectors
from dragoman.records import Triplet, content_id

Columns = dict[str, list[str]]


def text_columns(triplets: Sequence[Triplet], seed: int) -> Columns:
    """The texts of the rows, without prompts.

    Args:
        triplets: The training rows.
        seed: Decides which passages fill up the rows that are short of negatives.

    Returns:
        ``anchor``, ``positive``, ``negative_1``, ...: as many negatives as the row with the most has.
    """
    # Texts alone: the collator would take an id column for one.
    columns = {"anchor": [row.question for row in triplets], "positive": [row.passage for row in triplets]}
    most = max(len(row.negatives) for row in triplets)
    known = [(text, frozenset(row.wrong)) for row in triplets for text in row.negatives]
    for place in range(most):
        column = []
        for number, row in enumerate(triplets):
            own = {row.section, *row.also}
            start = int(content_id(seed, number, place), 16)
            spare = (known[(start + step) % len(known)] for step in range(len(known)))
            text = row.negatives[place] if place < len(row.negatives) else ""
            column.append(text or next((other for other, wrong in spare if own.isdisjoint(wrong)), row.question))
        columns[f"negative_{place + 1}"] = column
    return columns


def with_prompts(columns: Columns, prompts: tuple[str, str]) -> Columns:
    """The texts as the encoder sees them: the first prompt before questions, the second before passages."""
    query, passage = prompts
    return {
        name: [_clean((query if name == "anchor" else passage) + text) for text in texts]
        for name, texts in columns.items()
    }


def _clean(text: str) -> str:
    """Half a surrogate pair, which badly decoded text may hold, is refused by the tokenizer and by Arrow."""
    return text.encode("utf-8", "replace").decode()


def teacher_scores(teacher: Reranker, columns: Mapping[str, Sequence[str]]) -> Vectors:
    """How well each row's passages answer its question, as the teacher has it.

    Args:
        teacher: The cross-encoder.
        columns: The texts, without prompts.

    Returns:
        Shape ``(rows, passages of a row)``, float32, the positive first; the teacher's own scale.

    Raises:
        UsageError: The rows have no negatives, so that there is nothing to put in order.
        ModelError: A score is not a finite number.
    """
    questions, *passages = columns.values()
    if len(passages) < 2:  # noqa: PLR2004 - the positive and one more
        raise UsageError(
            f"the teacher {teacher.name} has nothing to put in order: no question has a hard negative",
            hint="Set negatives in [train] to 1 or more, or leave the teacher out",
        )
    pairs = [(question, text) for question, *texts in zip(questions, *passages, strict=True) for text in texts]
    scores = np.asarray(teacher.score(pairs), dtype=np.float32).reshape(len(questions), len(passages))
    if not np.isfinite(scores).all():
        raise ModelError(f"the teacher {teacher.name} gave a score that is no finite number", expected="finite scores")
    return scores
