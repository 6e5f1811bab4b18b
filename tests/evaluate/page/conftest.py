"""A report as today's pipeline makes it, of a small comparison, with all that the page knows how to show."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from dragoman.evaluate.forgetting import SetScores, forgetting_report
from dragoman.evaluate.gate import Panel, judge, judge_rerank
from dragoman.evaluate.metrics import ndcg
from dragoman.evaluate.page import by_document, wins_and_losses
from dragoman.evaluate.people import people_section
from dragoman.evaluate.places import Found, Located, LocatedQuestion, Missing
from dragoman.evaluate.real import Place, RealQuestion
from dragoman.evaluate.refusal import Sureness, calibrate
from dragoman.evaluate.report import Comparison, build_report, by_length, length_note
from dragoman.evaluate.shelf import Span
from dragoman.records import Chunk, Question, Serving, content_id

DENSE, LEXICAL = Serving("base", "dense"), Serving("base", "lexical", 1.0)
BASE, TUNED = Serving("base", "hybrid", 0.5), Serving("tuned", "hybrid", 0.3, epochs=2, share=0.5)
RERANKED = replace(TUNED, rerank=True)
CHECKPOINTS = [(1, 0.5), (1, 1.0), (2, 0.5), (2, 1.0)]  # epochs, share of the tuned weights
TRIED = [Serving("tuned", "dense", epochs=epochs, share=share) for epochs, share in CHECKPOINTS]
WAYS = (DENSE, BASE, LEXICAL, *TRIED, *(replace(way, mode="hybrid", lexical_weight=0.3) for way in TRIED), RERANKED)


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
    # Each way finds everything some places later than the best one, so that no two ways of a model are alike.
    ranks = {way: found[way.model] + (found[way.model] > 0) * _later(way) for way in WAYS}
    panel = Panel([q.chunk_id for q in questions], [n % 3 for n in range(count)], np.ones(count), 200, 1)
    return Comparison(questions, panel, ranks)


def _later(way: Serving) -> int:
    worse = way.model == "tuned" and TUNED not in {way, replace(way, mode="hybrid", lexical_weight=0.3)}
    return (way.mode == "dense") + (
        2 + CHECKPOINTS.index((way.epochs, way.share)) if worse and not way.rerank else way.rerank
    )


@pytest.fixture(scope="session")
def chunks_by_id() -> dict[str, Chunk]:
    paths = ("shelves.md", "labels.md", "alarm.md")
    return {f"c{n}": make_chunk(f"c{n}", paths[n % 3]) for n in range(12)}


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    return make_comparison()


@pytest.fixture(scope="session")
def whole_report(comparison: Comparison, chunks_by_id: dict[str, Chunk]) -> dict[str, Any]:
    """A report with every section; what the pipeline computes is computed, the rest is as it writes it."""
    judged = {way: ndcg(ranks, 10) for way, ranks in comparison.ranks.items() if not way.rerank}
    gate = judge({way: values for way, values in judged.items() if way.mode != "lexical"}, comparison.panel)
    first = {way: ["c11"] * len(comparison.questions) for way in (BASE, TUNED)}
    values = {
        (model, dims): judged[way] * share
        for model, way in (("base", DENSE), ("tuned", TRIED[-1]), ("mixed", TRIED[2]))
        for dims, share in ((384, 1.0), (128, 0.95), (64, 0.8))
    }
    report: dict[str, Any] = build_report(comparison, gate, 10) | {
        "name": "Pantry",
        "base_model": "all-MiniLM-L6-v2",
        "reranker": "cellar/small-cross-encoder",
        "revisions": {"pantry-docs": "v3"},
        "documents": {"chunks": 12, "documents": 3},
        "questions": {
            "rows": {"made": 90, "kept": 70, "trainable": 65, "requests": 31},
            "kinds": {"llm": 60, "structure": 10},
            "steps": {"duplicate": 17, "too short": 3, "not found again": 5},
            "verdicts": {"kept": 21, "dropped": 4, "unused: its chunk was rejected": 2},
            "bad_chunks": ["c9"],
        },
        "training": make_training(),
        "seed": 13,
        "dims": by_length(values, comparison.panel),
        "dims_note": length_note(0, 384, 0.01),
        "by_document": by_document(comparison, BASE, TUNED, 10, chunks_by_id=chunks_by_id),
        "changes": wins_and_losses(comparison, BASE, TUNED, 10, chunks_by_id, first=first),
        "people": make_people(),
        "forgetting": make_forgetting(),
        "refusal": make_refusal(),
        "reranking": make_reranking(comparison),
        "versions": {"dragoman": "0.1.0", "torch": "2.13.0"},
        "cost": {"prompt_tokens": 48_211, "answer_tokens": 6_120, "money": 0.37, "training_seconds": 412.0},
        "license": "apache-2.0",
    }
    return report


def make_training() -> dict[str, Any]:
    rounds = [
        {
            "losses": [3.0 / step for step in range(1, 25 + n)],
            "validation": [0.61 + 0.01 * n, 0.66 - 0.01 * n, 0.65][: 3 - n % 2],
            "steps": 24 + n,
            "epochs": 3 - n % 2,
            "questions": 300 + n,
            "seconds": 130.0 + 3 * n,
            "precision": "bf16",
        }
        for n in range(3)
    ]
    teacher = "The teacher cellar/wise ranks the held-out questions at 0.712, the base at 0.655: it was learnt from."
    return {"method": "lora", "seconds": 412.0, "teacher": teacher, "rounds": rounds}


def make_people() -> dict[str, Any]:
    """What ten people asked about three files; tuning helps with most of it."""
    files = ("shelves.md", "labels.md", "alarm.md")
    asked = [
        RealQuestion(f"q{n}", f"Who labelled shelf {n}?", (Place(files[n % 3], 2, f"Shelf {n}"),), n + 1)
        for n in range(10)
    ]
    spots = [Span(files[n % 3], 10 * n + 1, 10 * n + 5, characters=900) for n in range(10)]
    questions = tuple(
        LocatedQuestion(question, (Found(question.relevant[0], (), (spot,)),))
        for question, spot in zip(asked, spots, strict=True)
    )
    missing = tuple(Missing(f"p{line}", Place("gone.md", 2, "Jars"), "no such file", line=line) for line in (11, 12))
    other = Span("other.md", 1, 2, characters=900)
    hits: dict[Serving, list[list[Span]]] = {
        DENSE: [[other] * (n % 4) + [spot] for n, spot in enumerate(spots)],
        BASE: [[other] * (n % 3) + [spot] for n, spot in enumerate(spots)],
        TUNED: [[spot] if n else [other] for n, spot in enumerate(spots)],
    }
    return people_section(
        Located(questions, missing), hits, BASE, TUNED, "real.jsonl", 10, rounds=200, seed=1, counted=True
    )


def make_forgetting() -> dict[str, Any]:
    draw = np.random.default_rng(3)
    sets = []
    for name, lost in (("NanoNFCorpus", 0.01), ("NanoSciFact", -0.02)):
        base = draw.uniform(0.2, 0.9, 50)
        tuned = base - lost + draw.normal(0, 0.05, 50)
        sets.append(SetScores(name, base, tuned, [f"{name} {n}" for n in range(50)]))
    return dict(forgetting_report(sets, 0.05, rounds=200, seed=1))


def make_refusal() -> dict[str, Any]:
    """What is refused of questions that the search was less sure of the further they are from the docs."""
    draw = np.random.default_rng(4)

    def asked(kind: str, low: float, high: float, count: int) -> Sureness:
        confidence = draw.uniform(low, high, count)
        right = np.where(draw.uniform(0.2, 0.8, count) < confidence, 1.0, 0.0) * (kind == "answerable")
        units = [f"{kind} {n}" for n in range(count)]
        return Sureness(confidence, right, np.arange(count) % 2 == 0, np.ones(count), units)

    kinds = asked("answerable", 0.35, 0.9, 240), asked("unanswerable", 0.2, 0.6, 60), asked("off-topic", 0.0, 0.25, 60)
    return calibrate(*kinds, 0.05, rounds=200, seed=1)[1] | {"passages": 4}


def make_reranking(comparison: Comparison) -> dict[str, Any]:
    plain, again = (ndcg(comparison.ranks[way], 10) for way in (TUNED, RERANKED))
    return asdict(judge_rerank(plain, {"named": again}, comparison.panel))


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
