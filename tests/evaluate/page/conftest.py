"""A report as today's pipeline makes it, of a small comparison, with all that the page knows how to show."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dragoman.config import EvaluateSettings
from dragoman.evaluate.gate import judge
from dragoman.evaluate.metrics import ndcg
from dragoman.evaluate.page import by_document, wins_and_losses
from dragoman.evaluate.report import Comparison, build_report
from dragoman.records import Chunk, Question, Serving, content_id

BASE, TUNED = Serving("base", "hybrid", 0.5), Serving("tuned", "hybrid", 0.3)
WAYS = (Serving("base", "dense"), BASE, Serving("base", "lexical", 1.0), Serving("tuned", "dense"), TUNED)


def make_chunk(name: str, path: str = "shelves.md", source: str = "pantry", text: str = "") -> Chunk:
    text = text or f"## {name}\n\nEverything about {name}."
    trail = ("Pantry", name)
    return Chunk(name, source, path, "Pantry", trail, name, text, text, 0, len(text), 3, 5, 9, "")


def make_question(name: str, chunk: str, style: str = "howto") -> Question:
    return Question(content_id(name), name, chunk, "llm", style)


def make_comparison(count: int = 60) -> Comparison:
    """Questions on 12 chunks in 3 documents; tuning gains on most of them, and loses on a few."""
    draw = np.random.default_rng(5)
    questions = tuple(
        make_question(f"How do I label jar {n}?", f"c{n % 12}", ("howto", "keywords")[n % 2]) for n in range(count)
    )
    base = draw.choice([0, 2, 3, 5, 8], count)
    tuned = np.where(np.arange(count) % 7 == 0, 0, 1)
    found = {"base": base.astype(np.int64), "tuned": tuned.astype(np.int64)}
    # Dense search alone finds everything one place later, so that no two ways of a model are alike.
    ranks = {way: found[way.model] + (found[way.model] > 0) * (way.mode == "dense") for way in WAYS}
    return Comparison(questions, tuple(q.chunk_id for q in questions), tuple(n % 3 for n in range(count)), ranks)


@pytest.fixture(scope="session")
def chunks_by_id() -> dict[str, Chunk]:
    paths = ("shelves.md", "labels.md", "alarm.md")
    return {f"c{n}": make_chunk(f"c{n}", paths[n % 3]) for n in range(12)}


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    return make_comparison()


@pytest.fixture(scope="session")
def whole_report(comparison: Comparison, chunks_by_id: dict[str, Chunk]) -> dict[str, Any]:
    scores = {way: ndcg(ranks, 10) for way, ranks in comparison.ranks.items()}
    gate = judge(scores, comparison.units, comparison.folds, rounds=200, seed=1)
    first = {way: ["c11"] * len(comparison.questions) for way in (BASE, TUNED)}
    rounds = [
        {
            "losses": [3.0 / step for step in range(1, 25 + n)],
            "steps": 24 + n,
            "questions": 300 + n,
            "precision": "bf16",
        }
        for n in range(3)
    ]
    report: dict[str, Any] = build_report(comparison, gate, EvaluateSettings(bootstrap=200), 1) | {
        "name": "Pantry",
        "base_model": "all-MiniLM-L6-v2",
        "revisions": {"pantry-docs": "v3"},
        "documents": {"chunks": 12, "documents": 3},
        "questions": {
            "rows": {"made": 90, "kept": 70, "trainable": 65, "requests": 31},
            "kinds": {"llm": 60, "structure": 10},
            "steps": {"duplicate": 17, "too short": 3, "not found again": 5},
            "verdicts": {"kept": 21, "dropped": 4, "unused: its chunk was rejected": 2},
            "bad_chunks": ["c9"],
        },
        "training": {"rounds": rounds, "seconds": 412.0},
        "seed": 13,
        "dims": [
            {"model": model, "dims": dims, "ndcg": value, "low": value - 0.05, "high": value + 0.05}
            for model, top in (("base", 0.5), ("tuned", 0.7))
            for dims, value in ((384, top), (128, top - 0.04), (64, top - 0.1))
        ],
        "by_document": by_document(comparison, BASE, TUNED, 10, chunks_by_id=chunks_by_id),
        "changes": wins_and_losses(comparison, BASE, TUNED, 10, chunks_by_id, first=first),
        "versions": {"dragoman": "0.1.0", "torch": "2.13.0"},
        "cost": {"prompt_tokens": 48_211, "seconds": 1288.0},
    }
    return report


@pytest.fixture
def report(whole_report: dict[str, Any]) -> dict[str, Any]:
    """The report as it is read from its file, for a test to change."""
    read: dict[str, Any] = json.loads(json.dumps(whole_report))
    return read


@pytest.fixture(scope="session")
def spoiled() -> Callable[[Any, str], Any]:
    """Puts a hostile text after each text, and into each name, of JSON-like data."""

    def spoil(data: Any, evil: str, key: str = "") -> Any:
        if isinstance(data, dict):
            return {name: spoil(value, evil, name) for name, value in data.items()}
        if isinstance(data, list):
            return [spoil(value, evil, key) for value in data]
        return data + evil if isinstance(data, str) and key not in {"mode", "model"} else data

    return spoil
