"""What rewriting a follow-up is worth: retrieval for the message alone, rewritten by rule and by language model, and for the oracle's wording.

In: a workspace of the docs that the dialogues are about. Out: a Markdown table of NDCG@10 and hit@5 on standard output, with bootstrap
intervals of the mean and of the difference to the message alone; with ``--out`` every wording and its figures as JSON.

    python benchmarks/dialogues.py --workspace .dragoman --llm embedded
"""

import argparse
import asyncio
import json
import math
import random
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from dragoman.chat.rewrite import by_model, by_words, leaned_on
from dragoman.models.protocols import TextGenerator
from dragoman.records import Hit, Turn

DIALOGUES = Path(__file__).parent.parent / "tests" / "chat" / "dialogues.json"
TOP = 10
ROUNDS = 2000
MODEL = "qwen2.5-coder-0.5b"
Wordings = list[str]


def main() -> None:
    """Word the follow-ups, search, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--dialogues", type=Path, default=DIALOGUES)
    parser.add_argument("--llm", default="none", help="an OpenAI-compatible endpoint, 'embedded', or 'none'")
    parser.add_argument("--llm-model", default=MODEL)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    dialogues = json.loads(options.dialogues.read_text(encoding="utf-8"))
    wordings, notes = _wordings(dialogues, options.llm, options.llm_model)
    search = _searcher(options.workspace)
    scored = {
        way: [_score(search(text), row) for text, row in zip(texts, dialogues, strict=True)]
        for way, texts in wordings.items()
    }
    _print(scored)
    print(f"\n{len(dialogues)} dialogues; {'; '.join(notes)}")
    if options.out:
        options.out.write_text(json.dumps({"wordings": wordings, "scores": scored}, indent=1) + "\n", encoding="utf-8")


def _wordings(dialogues: Sequence[dict[str, Any]], llm: str, model: str) -> tuple[dict[str, Wordings], list[str]]:
    """What is searched for, a way of wording each; and what is to be said about them."""
    asked = [row["follow_up"] for row in dialogues]
    turns = [
        leaned_on(row["follow_up"], [Turn(one["question"], one["answer"]) for one in row["turns"]]) for row in dialogues
    ]
    ruled = [by_words(text, before) for text, before in zip(asked, turns, strict=True)]
    wordings = {"follow-up alone": asked, "rewritten by rule": ruled}
    notes = [f"{sum(map(bool, turns))} taken for follow-ups"]
    if llm != "none":
        with _generator(llm, model) as generator:
            written, seconds = asyncio.run(_written(generator, asked, turns))
        wordings[f"rewritten by {model}"] = [text or rule for text, rule in zip(written, ruled, strict=True)]
        middle = sorted(seconds)[len(seconds) // 2]
        notes.append(f"{sum(map(bool, written))} rewritten by {model}, the others by rule; {middle:.1f} s each")
    return wordings | {"oracle": [row["oracle"] for row in dialogues]}, notes


async def _written(
    generator: TextGenerator, asked: Sequence[str], turns: Sequence[Sequence[Turn]]
) -> tuple[list[str], list[float]]:
    texts, seconds = [], []
    for question, before in zip(asked, turns, strict=True):
        start = time.perf_counter()
        texts.append(await by_model(generator, question, before) if before else "")
        seconds.append(time.perf_counter() - start)
    return texts, seconds


def _generator(llm: str, model: str) -> AbstractContextManager[TextGenerator]:
    from dragoman.models.catalog import resolve
    from dragoman.models.embedded import EmbeddedLLM
    from dragoman.models.llm import EndpointLLM

    if llm == "embedded":
        return EmbeddedLLM(resolve(model, say=print), name=model)
    return nullcontext(EndpointLLM(llm, model, api_key_env="OPENAI_API_KEY"))


def _searcher(workspace: Path) -> Callable[[str], list[Hit]]:
    from dragoman.cli.settings import make_run
    from dragoman.pipeline.searcher import DocsSearcher

    searcher = DocsSearcher(make_run(workspace=workspace, quiet=True))
    return lambda text: searcher.search(text, TOP)


def _score(hits: Sequence[Hit], row: dict[str, Any]) -> tuple[float, float]:
    """NDCG@10 and hit@5 for the one section that answers; a part of the section counts as the section."""
    for hit in hits:
        if hit.chunk.path == row["file"] and row["heading"] in hit.chunk.trail:
            return 1 / math.log2(hit.rank + 1), float(hit.rank <= 5)  # noqa: PLR2004
    return 0.0, 0.0


def _print(scored: dict[str, list[tuple[float, float]]]) -> None:
    before = [ndcg for ndcg, _ in scored["follow-up alone"]]
    print("| what is searched for | NDCG@10 | 95% | difference to the follow-up alone | hit@5 |")
    print("|---|---|---|---|---|")
    for way, figures in scored.items():
        ndcg = [one for one, _ in figures]
        difference = [one - other for one, other in zip(ndcg, before, strict=True)]
        gained = f"{_mean(difference):+.3f} ({_span(difference)})" if way != "follow-up alone" else ""
        print(f"| {way} | {_mean(ndcg):.3f} | {_span(ndcg)} | {gained} | {_mean([hit for _, hit in figures]):.3f} |")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _span(values: Sequence[float]) -> str:
    rng = random.Random(13)  # noqa: S311 - seeded on purpose
    means = sorted(_mean(rng.choices(values, k=len(values))) for _ in range(ROUNDS))
    return f"{means[ROUNDS // 40]:.3f} to {means[-ROUNDS // 40]:.3f}"


if __name__ == "__main__":
    main()
