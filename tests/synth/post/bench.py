"""What the tests of the pipeline share: a model's answers, a stand-in for distilabel's process, and a run of the engine."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from dragoman.models.stub import Body, StubFault
from dragoman.records import Chunk
from dragoman.synth.budget import Budget
from dragoman.synth.post.engine import Posted, post_questions
from dragoman.synth.post.records import MULTIPLY_SYSTEM, REASONS, PostSettings
from dragoman.synth.store import AnswerStore
from dragoman.synth.work import OpenGenerator

PRELUDE = """#!{python}
import json, os, sys, urllib.request
from pathlib import Path
from dragoman.synth.post.readers import read_pair, read_queries
from dragoman.synth.post.records import CHUNKS, JOB, MULTIPLY_SYSTEM, RESULT, sort_out

folder = Path(sys.argv[-1])
job = json.loads((folder / JOB).read_text())
chunks = json.loads((folder / CHUNKS).read_text())

def ask(system, user):
    said = [{{"role": "system", "content": system}}, {{"role": "user", "content": user}}]
    body = {{"messages": said, "model": job["model"], "max_tokens": job["max_tokens"], "temperature": job["temperature"]}}
    key = {{"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"]}}
    request = urllib.request.Request(job["base_url"] + "/chat/completions", json.dumps(body).encode(), key)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["choices"][0]["message"]["content"]
"""
WHOLE = """
rows = []
for chunk in chunks:
    text = ask("Write `## Positive` and `## Negative`.", chunk["anchor"])
    pair = read_pair(text)
    reason = "" if pair.positive and pair.negative else "no positive sentence"
    if text.startswith(job["failure"]):
        reason, _, detail = text.removeprefix(job["failure"]).partition("|")
    queries = [] if reason else read_queries(ask(MULTIPLY_SYSTEM, pair.positive), job["num_queries"], pair.positive)
    made = {"negative": pair.negative, "reason": reason, "detail": "", "shortfall": "", "model_name_query": job["model"]}
    made["model_name_query_multiplied"] = job["model"]
    if not reason and len(queries) < job["num_queries"]:
        made["shortfall"] = "fewer"
    rows += [{**chunk, **made, "positive": text} for text in [pair.positive, *queries]]
(folder / RESULT).write_text(json.dumps(sort_out(rows, [chunk["chunk_id"] for chunk in chunks])))
"""
SETTINGS = PostSettings(context="Crumb is a bakery's {handbook}.")
StandIn = Callable[[str], Path]
Answer = str | StubFault | None


def post_answer(body: Body) -> str:
    """A pair about the last number of a passage, or three ways to ask about the number of a query."""
    system, user = (message["content"] for message in body["messages"][:2])
    numbers = re.findall(r"\d+", user) or ["none"]
    if system == MULTIPLY_SYSTEM:
        return f"Sure:\n- which heat for {numbers[0]}\n- degrees for {numbers[0]}\n- how warm is {numbers[0]}"
    if "response_format" in body:
        return json.dumps({"positive": f"How hot for {numbers[-1]}?", "negative": f"Who paints wall {numbers[-1]}?"})
    return f"## Positive\n\nHow hot for {numbers[-1]}?\n\n## Negative\n\nWho paints wall {numbers[-1]}?"


class Bench:
    """Runs the engine against the stub, with an interpreter of the test's choice."""

    def __init__(self, open_generator: OpenGenerator, store: AnswerStore, python: Path) -> None:
        self.open_generator, self.store, self.python = open_generator, store, python

    def run(
        self,
        chunks: list[Chunk],
        settings: PostSettings = SETTINGS,
        *,
        folder: Path | None = None,
        budget: Budget | None = None,
    ) -> Posted:
        made = post_questions(
            chunks, "small", self.open_generator, self.store, settings, folder=folder, budget=budget, python=self.python
        )
        return asyncio.run(made)


def with_trouble(body: Body) -> Answer:
    """Loaves 202 to 204 fail with their pair, 205 and 206 with their paraphrases."""
    system, user = (message["content"] for message in body["messages"])
    if system == MULTIPLY_SYSTEM:
        if " 205?" in user:
            return StubFault(500)
        return "- which heat for 206" if " 206?" in user else None
    found: dict[str, Answer] = {"202": StubFault(500), "203": "I cannot.", "204": "## Positive\nHow hot for 204?"}
    return next((answer for number, answer in found.items() if f"at {number} degrees" in user), None)


def troubled(body: Body) -> Answer:
    given = with_trouble(body)
    return post_answer(body) if given is None else given


def check_whole(made: Posted, chunks: list[Chunk]) -> None:
    kept = [row.chunk_id for row in made.rows]
    assert Counter([*dict.fromkeys(kept), *(row.item for row in made.rejected)]) == Counter(c.id for c in chunks)
    assert {row.reason for row in made.rejected} <= set(REASONS)
    for row in made.rows:
        assert all(isinstance(value, str) for value in asdict(row).values())
        assert row.positive
        assert row.negative
    assert [(question.chunk_id, question.text) for question in made.questions] == [
        (row.chunk_id, row.positive) for row in made.rows
    ]
