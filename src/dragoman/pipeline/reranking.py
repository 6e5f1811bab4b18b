"""A cross-encoder beside the ways of searching: hits in the order that it gives them.

In: hits, measured or served. Out: the same hits, the first ones in another order. Which model it is, the table or the recipe says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dragoman.index.search import Index
from dragoman.models.protocols import Reranker
from dragoman.models.reranker import CrossReranker, rerank_orders
from dragoman.pipeline.context import Run
from dragoman.records import Chunk, Hit, Question, Signals

DEPTH = 20  # hits that the cross-encoder reads


def open_reranker(run: Run, index: Index, *, chosen: bool) -> Reranker | None:
    """The cross-encoder for the hits of a table.

    Args:
        run: The run.
        index: The table.
        chosen: Whether validation chose to have hits put in order, and so by whom; otherwise it is the recipe's cross-encoder, or the one
            that was tuned and is kept with the table.

    Returns:
        The cross-encoder; None where there is none.
    """
    settings, own = run.recipe.models, index.reranker_folder
    name = index.meta.reranker if chosen else settings.reranker
    if not name and own is None:
        return None
    return CrossReranker(name or str(own), mirrors=settings.mirrors, say=run.say)


def reranked(
    run: Run,
    reranker: Reranker,
    questions: Sequence[Question],
    hits: Sequence[Sequence[str]],
    chunks: Mapping[str, Chunk],
) -> list[list[str]]:
    """Put the first hits of each question in the cross-encoder's order.

    Args:
        run: The run.
        reranker: Reads questions and passages together.
        questions: What was asked.
        hits: Ids of chunks for each question, best first.
        chunks: Chunks by id.

    Returns:
        The same ids; equal scores keep their order, and so do hits beyond the first 20.
    """
    read = [[chunks[id_].passage for id_ in found[:DEPTH]] for found in hits]
    with run.reporter.progress("reranking", sum(map(len, read))) as advance:
        orders = rerank_orders(reranker, [question.text for question in questions], read, advance)
    return [[*(found[place] for place in order), *found[DEPTH:]] for found, order in zip(hits, orders, strict=True)]


def rerank_hits(reranker: Reranker, question: str, hits: Sequence[Hit]) -> list[Hit]:
    """Put the first hits of a question in the cross-encoder's order, as they are measured.

    Args:
        reranker: Reads question and passage together.
        question: What was asked.
        hits: What was found, best first.

    Returns:
        The same hits with new ranks; the first 20 score as the cross-encoder says, and none after them scores higher.
    """
    first, rest = hits[:DEPTH], hits[DEPTH:]
    if not first:
        return []
    scores = reranker.score([(question, hit.chunk.passage) for hit in first]).tolist()
    scored = [
        replace(hit, score=score, signals=replace(hit.signals or Signals(), rerank=score))
        for hit, score in zip(first, scores, strict=True)
    ]
    ordered = sorted(scored, key=lambda hit: -hit.score)
    lowest = ordered[-1].score
    ordered += [replace(hit, score=min(hit.score, lowest)) for hit in rest]
    return [replace(hit, rank=rank) for rank, hit in enumerate(ordered, 1)]
