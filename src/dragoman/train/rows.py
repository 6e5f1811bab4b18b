"""Questions -> training rows: which questions are trained on, and in what mixture.

In: questions of all kinds and their chunks. Out: triplets. Structural questions are free and many;
they fill up what people and the language model did not ask about, and no more than a share.
"""

from collections.abc import Collection, Mapping, Sequence

from dragoman.records import Chunk, Question, Triplet, content_id


def training_rows(
    questions: Sequence[Question],
    chunks: Mapping[str, Chunk],
    structure_share: float,
    seed: int,
    *,
    without: Collection[str] = (),
    negatives: Mapping[str, Sequence[str]] | None = None,
    people_weight: int = 1,
) -> list[Triplet]:
    """The rows to train on.

    Args:
        questions: All questions; those marked ``train=False`` are left out.
        chunks: Chunks by id.
        structure_share: Structural rows at most, as a multiple of the others; without others, all of them
            are taken.
        seed: Decides which structural questions are taken.
        without: Ids of chunks that are held out; a question that one of them answers is not trained on, and none of them is shown.
        negatives: Ids of wrong chunks by question id, hardest first; None: none.
        people_weight: How often a question counts that a person asked, corrected or found right: the loss knows no weights of rows,
            so that such a row comes so many times.

    Returns:
        Triplets in the order of the questions.
    """
    usable = [
        question for question in questions if question.train and not any(id_ in without for id_ in question.answers)
    ]
    asked = [question for question in usable if question.kind != "structure"]
    if asked:
        covered = {question.chunk_id for question in asked}
        free = [question for question in usable if question.kind == "structure"]
        free.sort(key=lambda question: (question.chunk_id in covered, content_id(seed, question.id)))
        taken = {question.id for question in free[: int(structure_share * len(asked))]}
        usable = [question for question in usable if question.kind != "structure" or question.id in taken]
    return [
        _row(question, chunks, (negatives or {}).get(question.id, ()), without)
        for question in usable
        for _ in range(people_weight if question.kind == "person" or question.votes else 1)
    ]


def _row(
    question: Question, chunks: Mapping[str, Chunk], negatives: Sequence[str], without: Collection[str]
) -> Triplet:
    chunk = chunks[question.chunk_id]
    wrong = [chunks[id_] for id_ in negatives if id_ in chunks and id_ not in without]
    return Triplet(
        question.text,
        chunk.id,
        question.passage or chunk.passage,
        chunk.section,
        question.kind,
        tuple(other.passage for other in wrong),
        tuple(sorted({chunks[other].section for other in question.also if other in chunks} - {chunk.section})),
        tuple(sorted({other.section for other in wrong})),
    )
