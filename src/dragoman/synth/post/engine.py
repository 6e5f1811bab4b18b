"""The post's way to make questions: distilabel's pipeline in a process of its own, over a gateway of ours.

In: chunks, a language model and the store of answers. Out: questions with a written negative, a rejection for every
chunk that gave none, and on request a ``Distiset``. No answer is paid for twice, whenever the process ends: the
gateway gives what the store holds, and distilabel, which remembers nothing, makes all rows anew.
"""

import asyncio
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dragoman.errors import DragomanError, ExtraMissing, WorkspaceError
from dragoman.models.protocols import Message
from dragoman.records import Chunk, Question, Rejected, content_id
from dragoman.synth.budget import Budget
from dragoman.synth.post.gateway import Gateway
from dragoman.synth.post.readers import read_pair, read_queries
from dragoman.synth.post.records import (
    CHUNKS,
    DISTISET,
    FEWER,
    JOB,
    LOST,
    MULTIPLY_SYSTEM,
    NO_NEGATIVE,
    NO_POSITIVE,
    RESULT,
    Job,
    PostRow,
    PostSettings,
)
from dragoman.synth.store import AnswerStore
from dragoman.synth.work import OpenGenerator

STYLES = ("post", "post_paraphrase")
_NEEDED = ("distilabel", "openai", "requests")
_PROGRAM = "dragoman.synth.post.pipeline"
# What the process is given of the environment: no key, no proxy, nothing of another program's settings.
_PASSED = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "TZ", "VIRTUAL_ENV")
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Posted:
    """What the pipeline made of the chunks, in their order, and what it cost.

    Each chunk has rows and questions, or one rejection. ``short`` lists chunks among the former that have fewer
    paraphrases than were asked for.
    """

    rows: tuple[PostRow, ...]
    questions: tuple[Question, ...]
    rejected: tuple[Rejected, ...]
    short: tuple[Rejected, ...]
    asked: int = 0  # requests sent now
    stored: int = 0  # answers that were there already
    failed: int = 0  # of the requests sent now; they are asked again next time
    not_asked: int = 0  # requests that the budget left out
    prompt_tokens: int = 0  # of the requests sent now
    answer_tokens: int = 0
    note: str = ""  # why the run stopped early and how to go on


async def post_questions(  # noqa: PLR0913 - five say what to ask, four how
    chunks: Sequence[Chunk],
    model: str,
    open_generator: OpenGenerator,
    store: AnswerStore,
    settings: PostSettings,
    *,
    folder: Path | None = None,
    budget: Budget | None = None,
    advance: Callable[[int], None] | None = None,
    python: Path | None = None,
) -> Posted:
    """Run the post's pipeline.

    Args:
        chunks: What to ask about: two requests each.
        model: The language model's name; part of the key of an answer, and a column of the rows.
        open_generator: Gives the language model; called only when an answer is missing.
        store: Where answers are looked up first, and kept the moment they arrive.
        settings: The dials.
        folder: Where the ``Distiset`` goes, in place of what is there; None: nowhere.
        budget: What may be spent now; None: no limit.
        advance: Called with 1 after each request.
        python: The interpreter that has distilabel; None: this one.

    Returns:
        Rows, questions and rejections.

    Raises:
        ExtraMissing: distilabel is not installed.
        LLMError: The language model refuses, or failed several times in a row; what was answered is kept.
        WorkspaceError: The disk is full, or the folder cannot be written.
        DragomanError: distilabel itself failed; what was answered is kept.
    """
    if not chunks:
        return Posted((), (), (), ())
    if python is None and not all(importlib.util.find_spec(name) for name in _NEEDED):
        raise ExtraMissing("the engine 'distilabel' needs the package distilabel", extra="distilabel")
    with tempfile.TemporaryDirectory(prefix="dragoman-post-", ignore_cleanup_errors=True) as name:
        work = Path(name)
        gateway = Gateway(
            model, open_generator, store, settings, useless=_useless, schema=_schema, budget=budget, advance=advance
        )
        async with gateway:
            job = Job(
                model=model,
                base_url=gateway.base_url,
                failure=gateway.failure,
                context=settings.context,
                num_queries=settings.num_queries,
                temperature=settings.temperature,
                max_tokens=settings.max_tokens,
                batch_size=settings.batch_size,
                keep=folder is not None,
            )
            _hand_over(work, job, chunks)
            await _run(work, gateway, str(python or sys.executable))
        result = json.loads((work / RESULT).read_text(encoding="utf-8"))
        if folder is not None:
            _put(work / DISTISET, folder)
    return _read(chunks, result, gateway)


def _useless(messages: Sequence[Message], text: str) -> str:
    """Why a reply gives nothing to go on with; "" when it does."""
    if messages[0].content == MULTIPLY_SYSTEM:
        return "" if read_queries(text, 1, "") else FEWER
    pair = read_pair(text)
    if pair.positive and pair.negative:
        return ""
    return NO_NEGATIVE if pair.positive else NO_POSITIVE


def _schema(messages: Sequence[Message]) -> Mapping[str, Any] | None:
    """What a pair may be asked for with, when words alone did not bring one; distilabel's task names the same keys."""
    if messages[0].content == MULTIPLY_SYSTEM:
        return None
    keys = ("positive", "negative")
    return {
        "type": "object",
        "properties": {key: {"type": "string"} for key in keys},
        "required": list(keys),
        "additionalProperties": False,
    }


def _hand_over(work: Path, job: Job, chunks: Sequence[Chunk]) -> None:
    rows = [
        {
            "anchor": _plain(chunk.text),
            "filename": _plain(chunk.path),
            "chunk_id": chunk.id,
            "repo_name": _plain(chunk.repository or chunk.source),
        }
        for chunk in chunks
    ]
    try:
        (work / JOB).write_text(json.dumps(asdict(job)), encoding="utf-8")
        (work / CHUNKS).write_text(json.dumps(rows), encoding="utf-8")
    except OSError as error:
        raise WorkspaceError(f"cannot write to {work}: {error}", hint="Free some space, or set TMPDIR.") from error


def _plain(text: str) -> str:
    """Half a surrogate pair, which a file name may hold, fits in no request and no dataset."""
    return text.encode("utf-8", "replace").decode()


async def _run(work: Path, gateway: Gateway, python: str) -> None:
    """Run the process to its end, or end it when the gateway is broken or the work is cancelled."""
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    environment |= {"OPENAI_API_KEY": gateway.token, "HF_HOME": str(work / "hf"), "HF_HUB_OFFLINE": "1"}
    log = work / "log"
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(  # noqa: ASYNC220 - it returns at once; waiting is done in a thread
                [python, "-P", "-m", _PROGRAM, str(work)],  # -P: a folder "datasets" where the user stands is not ours
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # distilabel's own processes are ended with it, and Ctrl-C is ours to handle
            )
        except OSError as error:
            raise DragomanError(f"cannot run {python}: {error.strerror}", expected="a Python interpreter") from error
        ended = asyncio.create_task(asyncio.to_thread(process.wait))
        try:
            either: set[asyncio.Future[Any]] = {ended, gateway.broken}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            code = await ended
    if gateway.broken.done():
        gateway.broken.result()
    if code or not (work / RESULT).is_file():
        raise _failure(log, code)


def _failure(log: Path, code: int) -> DragomanError:
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")[-_SHOWN:]
    if "No module named" in last:
        return ExtraMissing(f"the engine 'distilabel' cannot start: {last}", extra="distilabel")
    return DragomanError(
        f"distilabel's pipeline ended with exit code {code}: {last}",
        hint="What the language model answered is kept: run the command again.",
    )


def _put(made: Path, folder: Path) -> None:
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, folder)
    except OSError as error:
        raise WorkspaceError(f"cannot write {folder}: {error}", hint="Free some space and run it again.") from error


def _read(chunks: Sequence[Chunk], result: Mapping[str, Any], gateway: Gateway) -> Posted:
    rows = tuple(PostRow(**row) for row in result["rows"])
    questions: list[Question] = []
    seen: set[str] = set()
    for row in rows:
        style = STYLES[row.chunk_id in seen]
        seen.add(row.chunk_id)
        identity = content_id(row.chunk_id, row.positive)
        made = Question(identity, row.positive, row.chunk_id, "llm", style, row.model_name_query, negative=row.negative)
        questions.append(made)
    given: Mapping[str, Sequence[str]] = result["rejected"]
    rejected = [
        Rejected("synth", chunk.id, *given.get(chunk.id, (LOST, ""))) for chunk in chunks if chunk.id not in seen
    ]
    short = [Rejected("synth", name, FEWER, detail) for name, detail in result["short"].items()]
    return Posted(
        rows,
        tuple(questions),
        tuple(rejected),
        tuple(short),
        asked=gateway.meter.requests,
        stored=gateway.stored,
        failed=gateway.failed,
        not_asked=gateway.not_asked,
        prompt_tokens=gateway.meter.prompt_tokens,
        answer_tokens=gateway.meter.answer_tokens,
        note=gateway.meter.line(gateway.limit, gateway.not_asked) if gateway.limit else "",
    )
