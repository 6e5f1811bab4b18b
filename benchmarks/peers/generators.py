"""One generator of questions on one file of passages, in a process of its own: ours, a peer, or the endpoint alone.

In: the name of a system, passages (a JSON row a line), the endpoint's URL, a work folder. Out: one JSON line with the
seconds, CPU seconds and seconds without a core of the call that makes the questions; the questions themselves go to
``questions.json`` in the work folder. Each system sends one request a passage that asks for four questions.
It runs in the peer's own environment, so it imports nothing but the standard library before the peer.
"""

import argparse
import asyncio
import contextlib
import importlib
import importlib.util
import json
import os
import re
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MODEL = "stub"
SLOTS = 32  # of the endpoint
QUESTIONS = 4
TOKENS = 256
ASKED = "Write {count} questions that a user of the software may ask and that the passage answers, one a line."

_NUMBER = re.compile(r"^\d+[).\s]")
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")

Run = Callable[[], list[str]]


@dataclass(frozen=True, slots=True)
class Task:
    """Passages, as the driver wrote them, and where to ask."""

    rows: list[dict[str, Any]]
    url: str  # without "/v1"
    folder: Path


def endpoint_alone(task: Task) -> Run:
    """The requests by themselves, over as many kept connections as there are slots: no client can be faster."""
    parts = urlsplit(task.url)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
    bodies = iter([_body(row["passage"]) for row in task.rows])
    answers: list[str] = []

    async def work() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for body in bodies:
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            size = _LENGTH.search(await reader.readuntil(b"\r\n\r\n"))
            answer = json.loads(await reader.readexactly(int(size[1]) if size else 0))
            answers.append(answer["choices"][0]["message"]["content"])
        writer.close()
        await writer.wait_closed()

    async def all_of_them() -> None:
        await asyncio.gather(*(work() for _ in range(SLOTS)))

    def run() -> list[str]:
        asyncio.run(all_of_them())
        return [question for answer in answers for question in _lines(answer)]

    return run


def _body(passage: str) -> bytes:
    messages = [{"role": "system", "content": ASKED.format(count=QUESTIONS)}, {"role": "user", "content": passage}]
    return json.dumps({"model": MODEL, "messages": messages, "max_tokens": TOKENS}).encode()


def dragoman(task: Task) -> Run:
    """Our own, as many requests at once as the endpoint has slots: it is never made to queue."""
    return _dragoman(task, SLOTS)


def dragoman_64(task: Task) -> Run:
    """The same with twice as many at once, for an endpoint that queues: its next request is there when a slot is free."""
    return _dragoman(task, 2 * SLOTS)


def _dragoman(task: Task, concurrency: int) -> Run:
    generate, store = (importlib.import_module(f"dragoman.synth.{name}") for name in ("generate", "store"))
    config, records = importlib.import_module("dragoman.config"), importlib.import_module("dragoman.records")
    llm = importlib.import_module("dragoman.models.llm")
    for name in ("openai", "httpx2"):  # else imported with the first request
        importlib.import_module(name)
    chunks = [records.Chunk(**row["chunk"] | {"trail": tuple(row["chunk"]["trail"])}) for row in task.rows]

    @contextlib.contextmanager
    def opened() -> Iterator[Any]:
        yield llm.EndpointLLM(f"{task.url}/v1", MODEL, concurrency=concurrency)

    def run() -> list[str]:
        with store.AnswerStore(task.folder / "answers.sqlite") as answers:
            made = generate.generate_questions(
                chunks, MODEL, opened, answers, config.SynthSettings(), seed=0, concurrency=concurrency
            )
            return [question.text for question in asyncio.run(made).questions]

    return run


def distilabel(task: Task) -> Run:
    """A pipeline of one TextGeneration, all passages in one batch: a batch is asked at once, and waited for."""
    return _distilabel(task, len(task.rows), 1)


def distilabel_batch_50(task: Task) -> Run:
    """The same with batches of its default size."""
    return _distilabel(task, 50, 1)


def distilabel_replicas(task: Task) -> Run:
    """The same with batches of its default size in two processes, one a core of a small machine."""
    return _distilabel(task, 50, 2)


def _distilabel(task: Task, batch: int, replicas: int) -> Run:
    steps = importlib.import_module("distilabel.steps")
    resources = importlib.import_module("distilabel.steps").StepResources(replicas=replicas)
    llm = importlib.import_module("distilabel.models").OpenAILLM(
        model=MODEL,
        base_url=f"{task.url}/v1",
        api_key="none",
        timeout=600,  # a batch waits in the endpoint's queue
        generation_kwargs={"temperature": 0.7, "max_new_tokens": TOKENS},
    )
    pipelines = importlib.import_module("distilabel.pipeline")
    with pipelines.Pipeline(name="questions", cache_dir=task.folder) as pipeline:
        data = [{"passage": row["passage"]} for row in task.rows]
        load = steps.LoadDataFromDicts(data=data, batch_size=batch)
        ask = importlib.import_module("distilabel.steps.tasks").TextGeneration(
            llm=llm,
            system_prompt=ASKED.format(count=QUESTIONS),
            template="{{ passage }}",
            columns=["passage"],
            input_batch_size=batch,
            resources=resources,
        )
        load >> ask

    def run() -> list[str]:
        made = pipeline.run(use_cache=False)["default"]["train"]["generation"]
        return [question for answer in made if answer for question in _lines(answer)]

    return run


def llamaindex(task: Task) -> Run:
    """``generate_qa_embedding_pairs`` with its own prompt; it asks for one node after the other, and has no other way."""
    core = importlib.util.find_spec("llama_index.finetuning")
    if core is None or not core.submodule_search_locations:
        raise ModuleNotFoundError("llama_index.finetuning")
    # By its path: the package imports torch and three vendors' clients, which this function does not use.
    path = Path(core.submodule_search_locations[0]) / "embeddings" / "common.py"
    spec = importlib.util.spec_from_file_location("llama_index_finetuning_embeddings_common", path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(str(path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    llm, schema = _openai_like(task), importlib.import_module("llama_index.core.schema")
    nodes = [schema.TextNode(text=row["passage"]) for row in task.rows]

    def run() -> list[str]:
        made = module.generate_qa_embedding_pairs(
            nodes, llm, num_questions_per_chunk=QUESTIONS, output_path=str(task.folder / "pairs.json"), verbose=False
        )
        return list(made.queries.values())

    return run


def llamaindex_async(task: Task) -> Run:
    """Its ``DatasetGenerator``, which it calls deprecated: all nodes at once, a query engine each, one request a node."""
    evaluation = importlib.import_module("llama_index.core.evaluation")
    llm, schema = _openai_like(task), importlib.import_module("llama_index.core.schema")
    nodes = [schema.TextNode(text=row["passage"]) for row in task.rows]

    def run() -> list[str]:
        generator = evaluation.DatasetGenerator(nodes, llm=llm, num_questions_per_chunk=QUESTIONS)
        return [str(question) for question in generator.generate_questions_from_nodes()]

    return run


def _openai_like(task: Task) -> Any:  # noqa: ANN401 - of whichever version this environment has
    return importlib.import_module("llama_index.llms.openai_like").OpenAILike(
        model=MODEL, api_base=f"{task.url}/v1", api_key="none", is_chat_model=True, max_tokens=TOKENS, timeout=600
    )


def _lines(answer: str) -> list[str]:
    return [text for line in answer.split("\n") if (text := _NUMBER.sub("", line).strip())]


SYSTEMS = {
    make.__name__.replace("_", "-"): make
    for make in (
        endpoint_alone,
        dragoman,
        dragoman_64,
        distilabel,
        distilabel_batch_50,
        distilabel_replicas,
        llamaindex,
        llamaindex_async,
    )
}


def _cpu() -> float:
    """Seconds of processor time that this process and its ended children have used."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _waited() -> float:
    """Seconds that this process, which others share the machine with, was ready to run and had no core (Linux tells)."""
    told = Path("/proc/self/schedstat")
    return int(told.read_text(encoding="ascii").split()[1]) / 1e9 if told.exists() else 0.0


def main() -> None:
    """Load, ask, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("passages", type=Path)
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    os.environ["OPENAI_API_KEY"] = "none"
    with options.passages.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    run = SYSTEMS[options.system](Task(rows, options.url, options.folder))
    with contextlib.redirect_stdout(sys.stderr):  # what the peers have to say
        begun, cpu, waited = time.monotonic(), _cpu(), _waited()
        questions = run()
        seconds, cpu, waited = time.monotonic() - begun, _cpu() - cpu, _waited() - waited
    (options.folder / "questions.json").write_text(json.dumps(questions), encoding="utf-8")
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "waited_seconds": waited}))


if __name__ == "__main__":
    main()
