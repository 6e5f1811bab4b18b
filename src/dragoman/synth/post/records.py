"""What the process around distilabel and its parent tell each other, as files of one folder.

In and out: frozen records. It loads nothing heavy, so that both sides can have it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from dragoman.synth.work import FAILED, OVER_BUDGET

NO_POSITIVE: Final = "no positive sentence"
NO_NEGATIVE: Final = "no negative sentence"
LOST: Final = "lost in the pipeline"
FEWER: Final = "fewer paraphrases than asked for"
REASONS: Final = (FAILED, OVER_BUDGET, NO_POSITIVE, NO_NEGATIVE, LOST)

MULTIPLY_SYSTEM: Final = (
    "You write examples of what people ask. Reply with the queries alone, each on a line of its own that begins with "
    "a dash; no introduction, no numbers, no remarks."
)

JOB, CHUNKS, RESULT, DISTISET = "job.json", "chunks.json", "result.json", "distiset"


@dataclass(frozen=True, slots=True)
class PostSettings:
    """The dials of the pipeline; the defaults are the post's."""

    context: str = ""  # one sentence about the project, for the model to know what the passages are about
    num_queries: int = 3  # paraphrases of each query
    temperature: float = 0.7
    max_tokens: int = 512  # longest answer
    batch_size: int = 10  # rows that a step takes at once
    seed: int = 13
    concurrency: int = 4  # requests under way at once


@dataclass(frozen=True, slots=True)
class Job:
    """What the process is told beside the chunks."""

    model: str
    base_url: str
    failure: str
    context: str
    num_queries: int
    temperature: float
    max_tokens: int
    batch_size: int
    keep: bool  # whether the Distiset is wanted


@dataclass(frozen=True, slots=True)
class PostRow:
    """A row of the Distiset, a column each field: the post's columns first.

    ``negative`` is one sentence a chunk, repeated in all of its rows.
    """

    anchor: str
    positive: str
    negative: str
    model_name_query: str
    model_name_query_multiplied: str
    filename: str
    chunk_id: str
    repo_name: str


def sort_out(rows: Sequence[Mapping[str, Any]], order: Sequence[str]) -> dict[str, Any]:
    """Part the rows of the pipeline into kept and rejected.

    Args:
        rows: What the last step gave.
        order: Ids of all chunks.

    Returns:
        ``rows``: kept rows in the order of the chunks, with the columns of ``PostRow``; ``rejected``: by chunk id,
        reason and detail; ``short``: by chunk id, what was wrong with the paraphrases. Each chunk is either in
        ``rows`` or in ``rejected``.
    """
    names = [field.name for field in fields(PostRow)]
    of_chunk: dict[str, list[Mapping[str, Any]]] = {name: [] for name in order}
    for row in rows:
        of_chunk[row["chunk_id"]].append(row)
    kept: list[dict[str, Any]] = []
    rejected: dict[str, tuple[str, str]] = {}
    short: dict[str, str] = {}
    for chunk_id, found in of_chunk.items():
        # An error inside a step leaves None in every column of its batch.
        good = [row for row in found if row["reason"] == "" and row["positive"] and row["negative"]]
        kept += [{name: row[name] or "" for name in names} for row in good]
        if good and good[0]["shortfall"] != "":
            short[chunk_id] = good[0]["shortfall"] or LOST
        elif not good:
            first: Mapping[str, Any] = found[0] if found else {}
            rejected[chunk_id] = (first.get("reason") or LOST, first.get("detail") or "")
    return {"rows": kept, "rejected": rejected, "short": short}
