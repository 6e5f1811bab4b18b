"""Training rows -> the columns of texts and scores that the trainer reads.

In: triplets, and perhaps a teacher. Out: lists of equal length: the question, its passage, wrong passages, and the teacher's scores.
It does not know how they are put into batches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from dragoman.errors import ModelError, UsageError
from dragoman.models.protocols import Reranker, Vectors
from dragoman.records import Triplet, content_id

Columns = dict[str, list[str]]


def filled(triplets: Sequence[Triplet], seed: int) -> list[Triplet]:
    """The rows with as many negatives as the row with the most has: a row that is short of them gets passages of other rows.

    Args:
        triplets: The training rows.
        seed: Decides which passages fill up.

    Returns:
        The rows in their order. What a filler answers is among ``wrong``, so that no batch takes it for wrong that should not.
    """
    most = max((len(row.negatives) for row in triplets), default=0)
    spare = [(text, frozenset(row.wrong)) for row in triplets for text in row.negatives]
    spare += [(row.passage, frozenset((row.section, *row.also))) for row in triplets] if most else []
    return [_filled(row, number, most, spare, seed) for number, row in enumerate(triplets)]


def _filled(row: Triplet, number: int, most: int, spare: Sequence[tuple[str, frozenset[str]]], seed: int) -> Triplet:
    own, texts, wrong = {row.section, *row.also}, list(row.negatives), set(row.wrong)
    start = int(content_id(seed, number), 16)
    for step in range(len(spare)):
        if len(texts) >= most:
            break
        text, answered = spare[(start + step) % len(spare)]
        if own.isdisjoint(answered) and text not in texts:
            texts.append(text)
            wrong |= answered
    texts += [row.question] * (most - len(texts))  # all rows are about one section
    return replace(row, negatives=tuple(texts), wrong=tuple(sorted(wrong)))


def text_columns(triplets: Sequence[Triplet]) -> Columns:
    """The texts of the rows, without prompts.

    Args:
        triplets: The training rows, with as many negatives each.

    Returns:
        ``anchor``, ``positive``, ``negative_1``, ...
    """
    # Texts alone: the collator would take an id column for one.
    columns = {"anchor": [row.question for row in triplets], "positive": [row.passage for row in triplets]}
    for place in range(len(triplets[0].negatives)):
        columns[f"negative_{place + 1}"] = [row.negatives[place] for row in triplets]
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
