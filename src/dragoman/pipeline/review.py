"""People's judgement: what is shown to reviewers, and what their answers change in the next run.

In: a run and a desk. Out: items on the desk; or the artefact ``review``, which holds every response that was brought back and the
verdicts on them. It is no stage of the chain but an input of ``synth`` (by ``verdicts.py``): new verdicts make its questions stale.
It joins the room ``review`` with the vectors of the base model.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dragoman import __version__
from dragoman.errors import MissingArtefact
from dragoman.pipeline.context import Plan, Run
from dragoman.pipeline.encoders import base_encoder
from dragoman.pipeline.ingest import load_chunks
from dragoman.pipeline.synth import load_negatives, load_questions
from dragoman.pipeline.vectors import VectorCache
from dragoman.pipeline.verdicts import STAGE, VERDICTS
from dragoman.records import Manifest, ReviewKind, Verdict
from dragoman.review.agreement import Agreement, agreement
from dragoman.review.items import FORMS, Desk, Item, Pushed, Response, ResponseStatus, Reviewed
from dragoman.review.select import chunk_items, triplet_items, turn_items
from dragoman.review.turns import read_turns
from dragoman.review.verdict import Dispute, Tally, queue, tally, verdicts
from dragoman.tables import content_hash, read_rows, write_rows
from dragoman.workspace import SCHEMA

RESPONSES, TURNS = "responses.parquet", "turns.jsonl"
# What differs from item to item of a kind, by which similar ones are found.
_TELLING: Mapping[ReviewKind, str] = {"chunks": "chunk", "triplets": "positive", "conversations": "instruction"}


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """A response as the artefact keeps it: whose, on which desk, and the item as it was shown (JSON).

    ``pull`` numbers the pulls that brought something new; of one person's responses to an item, the latest counts.
    """

    desk: str
    kind: ReviewKind
    item: str
    shown: str
    reviewer: str
    values: str
    status: ResponseStatus
    pull: int = 0


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came back of one kind.

    ``brought`` counts the responses that this pull found on the desk. The tally of the verdicts, and how far the reviewers agree by what was
    asked, are of all desks together.
    """

    kind: ReviewKind
    brought: int
    tally: Tally
    agreement: Mapping[str, Agreement]
    disputes: tuple[Dispute, ...]


def turns_file(run: Run) -> Path:
    """Where the chat keeps its conversations."""
    return run.workspace.root / TURNS


def items_to_review(run: Run, kind: ReviewKind, turns: Path | None = None) -> list[Item]:
    """What a workspace has to review, the worst first, no more than the recipe says.

    Args:
        run: The run.
        kind: Chunks, triplets or conversations.
        turns: Where the conversations are; None: those of the workspace's own chat.

    Returns:
        The items.

    Raises:
        MissingArtefact: There are no chunks, or no questions, yet.
        SourceError: The conversations cannot be read.
    """
    chunks = load_chunks(run)
    if kind == "conversations":
        items = turn_items(read_turns(turns or turns_file(run)), chunks)
    elif kind == "triplets":
        items = triplet_items(load_questions(run), chunks, load_negatives(run))
    else:
        items = chunk_items(chunks, load_questions(run) if run.workspace.manifest("synth") else [])
    return items[: run.recipe.review.items]


def with_vectors(run: Run, items: Sequence[Item]) -> list[Item]:
    """The items with vectors of the base model, by which a desk finds similar ones."""
    if not items:
        return []
    kind = items[0].kind
    encoder = base_encoder(run)
    cache = VectorCache(run.workspace.root / "vectors", run.reporter)
    texts = [item.fields[_TELLING[kind]] for item in items]
    rows = cache.encode(encoder, texts, "passage" if kind == "chunks" else "query", "encoding for review")
    return [replace(item, vector=tuple(map(float, row))) for item, row in zip(items, rows, strict=True)]


def push(run: Run, desk: Desk, kind: ReviewKind, items: Sequence[Item]) -> Pushed:
    """Show items on a desk.

    Args:
        run: The run.
        desk: Where reviewers work.
        kind: The items' kind.
        items: In the order in which they are shown.

    Returns:
        What changed on the desk.
    """
    with run.reporter.progress(f"pushing {kind}", len(items)) as advance:
        return desk.push(FORMS[kind], items, advance)


def pull(run: Run, desk: Desk, kinds: Sequence[ReviewKind], name: str) -> list[Pulled]:
    """Bring responses back and decide; what other desks and earlier pulls brought is kept.

    Args:
        run: The run.
        desk: Where reviewers worked.
        kinds: What to bring back; none named: all that the desk holds.
        name: The desk's name, under which its responses are kept: a later pull replaces them.

    Returns:
        What came back, by kind.

    Raises:
        MissingArtefact: The desk holds nothing of a kind.
    """
    kinds, brought = _brought(desk, kinds)
    with run.workspace.writing():
        rows = _with(_responses(run), name, kinds, brought)
        found = {kind: _merged(rows, kind) for kind in FORMS}
        decided = [
            verdict
            for kind, form in FORMS.items()
            for verdict in verdicts(found[kind], form, votes=run.recipe.review.votes)
        ]
        _keep(run, rows, decided)
    counts = Counter(one.item.kind for one in brought for _ in one.responses)
    return [_pulled(kind, counts[kind], found[kind], [one for one in decided if one.kind == kind]) for kind in kinds]


def known_ids(run: Run, kind: ReviewKind) -> set[str]:
    """Ids of all that this workspace has to review, or has ever brought back, by which a mistyped one is found out.

    Raises:
        MissingArtefact: There are no chunks, or no questions, yet.
    """
    known = {row.item for row in _responses(run) if row.kind == kind}
    if kind == "chunks":
        return known | {chunk.id for chunk in load_chunks(run)}
    if kind == "triplets":
        return known | {question.id for question in load_questions(run)}
    turns = turns_file(run)
    return known | {item.id for item in turn_items(read_turns(turns) if turns.is_file() else [], load_chunks(run))}


def _responses(run: Run) -> list[ResponseRow]:
    if run.workspace.manifest(STAGE) is None:
        return []
    return read_rows(run.workspace.folder(STAGE) / RESPONSES, ResponseRow)


def _brought(desk: Desk, kinds: Sequence[ReviewKind]) -> tuple[list[ReviewKind], list[Reviewed]]:
    found: list[ReviewKind] = []
    brought: list[Reviewed] = []
    missing: MissingArtefact | None = None
    for kind, form in FORMS.items():
        if kinds and kind not in kinds:
            continue
        try:
            brought += desk.pull(form)
            found.append(kind)
        except MissingArtefact as error:
            if kinds:
                raise
            missing = error
    if missing and not found:
        raise missing
    return found, brought


def _with(
    before: Sequence[ResponseRow], desk: str, kinds: Sequence[ReviewKind], brought: Sequence[Reviewed]
) -> list[ResponseRow]:
    """All responses, those of one desk replaced; one that is as it was stays as old as it was."""
    kept = [row for row in before if row.desk != desk or row.kind not in kinds]
    known = {replace(row, pull=0): row.pull for row in before}
    latest = 1 + max((row.pull for row in before), default=0)
    for one in brought:
        shown = json.dumps({"fields": dict(one.item.fields), "metadata": dict(one.item.metadata)}, sort_keys=True)
        for response in one.responses:
            values = json.dumps(dict(response.values), sort_keys=True)
            row = ResponseRow(desk, one.item.kind, one.item.id, shown, response.reviewer, values, response.status)
            kept.append(replace(row, pull=known.get(row, latest)))
    return sorted(kept, key=lambda row: (row.kind, row.item, row.pull, row.reviewer, row.desk))


def _merged(rows: Sequence[ResponseRow], kind: ReviewKind) -> list[Reviewed]:
    """The responses of all desks by item; of one reviewer the latest counts, and a submitted one before any that is not."""
    items: dict[str, Item] = {}
    responses: dict[str, dict[str, Response]] = {}
    for row in rows:
        if row.kind != kind:
            continue
        items[row.item] = Item(row.item, kind, **json.loads(row.shown))
        own = responses.setdefault(row.item, {})
        if row.reviewer not in own or row.status == "submitted" or own[row.reviewer].status != "submitted":
            own[row.reviewer] = Response(row.reviewer, json.loads(row.values), row.status)
    return [
        Reviewed(item, tuple(responses[item_id][name] for name in sorted(responses[item_id])))
        for item_id, item in sorted(items.items())
    ]


def _keep(run: Run, rows: Sequence[ResponseRow], decided: Sequence[Verdict]) -> None:
    content = content_hash(decided)
    plan = Plan(STAGE, {"votes": run.recipe.review.votes}, {"responses": content_hash(rows)}, run.recipe.seed)
    folder = run.workspace.begin(STAGE, plan.fingerprint)
    write_rows(folder / RESPONSES, rows, ResponseRow)
    write_rows(folder / VERDICTS, decided, Verdict)
    counts = {"responses": len(rows), "verdicts": len(decided)}
    manifest = Manifest(
        STAGE, SCHEMA, __version__, plan.fingerprint, content, plan.seed, counts, plan.inputs, plan.settings
    )
    run.workspace.finish(STAGE, manifest)


def _pulled(kind: ReviewKind, brought: int, found: Sequence[Reviewed], decided: Sequence[Verdict]) -> Pulled:
    form = FORMS[kind]
    return Pulled(kind, brought, tally(found, decided), agreement(found, form), tuple(queue(found, form, decided)))
