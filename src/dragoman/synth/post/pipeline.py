"""The process that runs distilabel: ``python -m dragoman.synth.post.pipeline FOLDER``.

In: a folder with a job and its chunks. Out, in the same folder: kept rows, rejected chunks, and the ``Distiset``.
distilabel forks a process for each step, sets signal handlers and a logger for the whole process, and so has one
of its own. Its cache is off: it keeps failed rows for ever and does not see changed input.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, Features, Value
from distilabel.distiset import Distiset
from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import ExpandColumns, LoadDataFromDicts, MergeColumns

from dragoman.synth.post.records import CHUNKS, DISTISET, JOB, MULTIPLY_SYSTEM, RESULT, Job, PostRow, sort_out
from dragoman.synth.post.tasks import MultipleQueries, SentencePair

_TEMPLATE = (
    "Here is a query:\n{original}\nWrite {num_queries} more queries that ask for the same thing. Change the wording "
    "and the tone a little, and keep the meaning."
)
_ABOUT = " They must stay about the same subject. What is known of it: "
_PATIENCE = 86_400  # seconds; the gateway decides how long a request may take


def build(job: Job, chunks: Sequence[Mapping[str, Any]], cache: Path) -> Pipeline:
    """The five steps of the post.

    Args:
        job: Settings.
        chunks: Rows with ``anchor``, ``filename``, ``chunk_id`` and ``repo_name``.
        cache: Where distilabel may write what it passes between its steps.

    Returns:
        The pipeline, not yet run.
    """
    llm = OpenAILLM(
        model=job.model,
        base_url=job.base_url,
        timeout=_PATIENCE,
        max_retries=0,
        generation_kwargs={"temperature": job.temperature, "max_new_tokens": job.max_tokens},
    )
    about = _ABOUT.replace("{", "{{") + job.context.replace("{", "{{").replace("}", "}}") if job.context else ""
    with Pipeline(name="embedding-queries", cache_dir=cache) as pipeline:
        load = LoadDataFromDicts(name="load_data", data=[dict(chunk) for chunk in chunks], batch_size=job.batch_size)
        pair = SentencePair(
            name="generate_sentence_pair",
            triplet=True,
            action="query",
            context=job.context,
            failure=job.failure,
            llm=llm,
            input_batch_size=job.batch_size,
            output_mappings={"model_name": "model_name_query"},
        )
        multiply = MultipleQueries(
            name="multiply_queries",
            num_queries=job.num_queries,
            system_prompt=MULTIPLY_SYSTEM,
            template=_TEMPLATE + about,
            failure=job.failure,
            llm=llm,
            input_batch_size=job.batch_size,
            input_mappings={"query": "positive"},
            output_mappings={"model_name": "model_name_query_multiplied"},
        )
        merge = MergeColumns(name="merge_columns", columns=["positive", "queries"], output_column="positive")
        expand = ExpandColumns(name="expand_columns", columns=["positive"])
        load >> pair >> multiply >> merge >> expand
    return pipeline


def main(folder: Path) -> None:
    """Run the job of a folder.

    Args:
        folder: Where the job lies, and where its result goes.
    """
    job = Job(**json.loads((folder / JOB).read_text(encoding="utf-8")))
    chunks = json.loads((folder / CHUNKS).read_text(encoding="utf-8"))
    done = build(job, chunks, folder / "cache").run(use_cache=False)
    rows = [row for split in done["default"].values() for row in split.to_list()] if "default" in done else []
    result = sort_out(rows, [chunk["chunk_id"] for chunk in chunks])
    if job.keep:
        names = [field.name for field in fields(PostRow)]
        columns = {name: [row[name] for row in result["rows"]] for name in names}
        table = Dataset.from_dict(columns, features=Features({name: Value("string") for name in names}))
        Distiset({"default": DatasetDict({"train": table})}).save_to_disk(str(folder / DISTISET), save_card=False)
    (folder / RESULT).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
