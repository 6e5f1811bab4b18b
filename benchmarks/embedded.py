"""How fast the embedded language model writes questions: with the shared beginning of the prompts cached or not, by slots and threads.

In: an ingested workspace, and the catalog's language model. Out: a Markdown table; every variant asks about the same chunks, in a
server of its own, and the first request, which reads the shared beginning once, is not counted. Run it on a quiet machine.

    python benchmarks/embedded.py --workspace .dragoman --requests 12
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dragoman.models.catalog import resolve
from dragoman.models.embedded import EmbeddedLLM
from dragoman.models.processor import physical_cores
from dragoman.models.protocols import TextGenerator
from dragoman.records import Chunk
from dragoman.synth.generate import choose_chunks, question_jobs
from dragoman.synth.work import Job
from dragoman.tables import read_rows

MODEL = "qwen2.5-coder-0.5b"


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to run the model; without ``shared``, each prompt begins with words of its own, so that nothing of it is cached."""

    name: str
    slots: int = 1
    threads: int = 0
    shared: bool = True
    schema: bool = True


VARIANTS = (
    Variant("nothing cached", shared=False),
    Variant("default: one slot"),
    Variant("no schema", schema=False),
    Variant("two slots", slots=2),
    Variant("four slots", slots=4),
    Variant("one thread", threads=1),
)


def main() -> None:
    """Run every variant once, in an order that turns with each round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--requests", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    chunks = read_rows(options.workspace / "ingest" / "chunks.parquet", Chunk)
    jobs = question_jobs(choose_chunks(chunks, options.requests + 1, 0), MODEL)
    model = resolve(MODEL, say=lambda line: print(line, file=sys.stderr))
    print(f"{len(jobs) - 1} requests, {physical_cores()} cores")
    print("| variant | chunks a minute | prompt tokens | answer tokens | answer tokens a second |")
    print("|---|---|---|---|---|")
    for number in range(options.rounds):
        for variant in VARIANTS[number:] + VARIANTS[:number]:
            row = asyncio.run(_measure(variant, jobs, model))
            print(f"| {variant.name} | {' | '.join(f'{value:,.1f}' for value in row)} |", flush=True)


async def _measure(variant: Variant, jobs: Sequence[Job[Any]], model: Path) -> tuple[float, ...]:
    with EmbeddedLLM(model, name=MODEL, slots=variant.slots, threads=variant.threads, timeout=600.0) as generator:
        queue = list(enumerate(jobs))
        await _ask(generator, *queue.pop(0), variant)
        start = time.perf_counter()
        tokens = [0, 0]

        async def work() -> None:
            while queue:
                for place, count in enumerate(await _ask(generator, *queue.pop(0), variant)):
                    tokens[place] += count

        await asyncio.gather(*(work() for _ in range(variant.slots)))
        seconds = time.perf_counter() - start
        await generator.aclose()
    return (len(jobs) - 1) / seconds * 60, tokens[0], tokens[1], tokens[1] / seconds


async def _ask(generator: TextGenerator, number: int, job: Job[Any], variant: Variant) -> tuple[int, int]:
    messages = list(job.messages)
    if not variant.shared:
        messages[0] = replace(messages[0], content=f"Request {number}. {messages[0].content}")
    schema = job.schema if variant.schema else None
    reply = await generator.reply(messages, max_tokens=job.max_tokens, temperature=0.0, seed=0, schema=schema)
    return reply.prompt_tokens, reply.answer_tokens


if __name__ == "__main__":
    main()
