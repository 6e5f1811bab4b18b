"""The model card: a README for the Hub, with the figures where the Hub reads them.

In: the report's data. Out: Markdown under a YAML header. It names no question and no passage. The one module of this room that
knows the Hub's library.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dragoman.evaluate.naming import epochs_name, model_name, way_name
from dragoman.evaluate.page.limits import limits
from dragoman.evaluate.page.making import origins
from dragoman.evaluate.page.markup import named, row_of, serving_of
from dragoman.evaluate.page.reading import (
    Table,
    clean,
    count,
    ends_of,
    interval,
    number,
    numbers,
    plain,
    rows,
    signed,
    table,
    text,
)
from dragoman.evaluate.page.result import headline
from dragoman.evaluate.page.training import method
from dragoman.evaluate.spans import READ
from dragoman.models.catalog import CATALOG
from dragoman.models.sources import HubSource
from dragoman.records import Serving

_HUB_NAME = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_TAGS = ["sentence-transformers", "sentence-similarity", "feature-extraction", "retrieval", "dragoman"]
_MOST = 60
_METRICS = (("ndcg", "NDCG"), ("mrr", "MRR"), ("recall", "Recall"))


def model_card(report: Mapping[str, Any]) -> str:
    """The card of the tuned model.

    Args:
        report: The data of ``report.json``; what is missing is left out of the card. ``name`` is the project's, ``license`` the
            model's licence if it is not that of a base model that Dragoman knows.

    Returns:
        README.md with Hub metadata: library, base model, licence, tags, metrics and ``model-index``; the same for the same data.
    """
    body = [
        f"# {_title(report)}",
        _about(report),
        "## Does tuning help?",
        _inline(headline(report)),
        *_results(report),
        *_people(report),
        *_forgetting(report),
        "## Use",
        _usage(report),
        "## Training",
        *_training(report),
        "## Limits",
        "\n".join(f"- {_inline(one)}" for one in limits(report)) or "None are known to the report.",
    ]
    return f"---\n{_header(report)}\n---\n\n" + "\n\n".join(part for part in body if part) + "\n"


def _header(report: Table) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    k, row = count(report, "k") or 10, _dense(report)
    values = [(key, name, number(row, key)) for key, name in _METRICS]
    results = [
        EvalResult(
            task_type="information-retrieval",
            task_name="Information Retrieval",
            dataset_type="unknown",
            dataset_name=f"Held-out questions about {text(report, 'name', 80) or 'the documentation'}",
            metric_type=f"cosine_{key}@{k}",
            metric_name=f"Cosine {name}@{k}",
            metric_value=value,
        )
        for key, name, value in values
        if value is not None
    ]
    base = _base(report)
    data = ModelCardData(
        base_model=base if _HUB_NAME.fullmatch(base) else None,
        library_name="sentence-transformers",
        license=text(report, "license", 60) or _licence(report),
        pipeline_tag="sentence-similarity",
        tags=list(_TAGS),
        metrics=[result.metric_type for result in results] or None,
        model_name=_title(report) if results else None,
        eval_results=results or None,
    )
    return str(data.to_yaml())


def _base(report: Table) -> str:
    """The base model's name on the Hub, where the catalog knows one."""
    name = text(report, "base_model")
    card = CATALOG.get(name)
    hub = [source.repo for source in card.sources if isinstance(source, HubSource)] if card else []
    return hub[0] if hub else name


def _licence(report: Table) -> str | None:
    card = CATALOG.get(text(report, "base_model"))
    return card.licence.lower() if card else None


def _title(report: Table) -> str:
    name = " ".join(text(report, "name", 80).split())
    base = " ".join(text(report, "base_model", 120).split()).rstrip("/").rpartition("/")[2] or "An embedding model"
    return _inline(f"{base} tuned to {name or 'a documentation'}")


def _about(report: Table) -> str:
    base, weights = _base(report), _weights(report)
    tuned = (
        f" It is {_code(base)}, tuned on questions about these docs and the passages that answer them." if base else ""
    )
    mixed = (
        f" Its weights are a mean: {100 * weights.share:.3g}% of the tuned model's and the rest of the base's."
        if weights.share < 1
        else ""
    )
    sources = ", ".join(_code(str(name)) for name in list(table(report, "revisions"))[:20])
    return (
        "A [sentence-transformers](https://www.SBERT.net) model that finds the passage of a documentation that answers a question."
        f"{tuned}{mixed}{f' The docs: {sources}.' if sources else ''} Made with Dragoman."
    )


def _results(report: Table) -> list[str]:
    k = count(report, "k") or 10
    listed = _ways(rows(report, "table"), k)
    if not listed:
        return []
    served = named(table(report, "gate", "served"))
    about = (
        "Questions that the model was not trained on, answered from all passages of the docs. "
        f"The metadata of this card hold {_inline(way_name(_weights(report)))}."
    )
    return [about, listed, f"Served: {_inline(served)}." if served else ""]


def _people(report: Table) -> list[str]:
    part = table(report, "people")
    asked, k = count(part, "asked"), count(part, "k") or count(report, "k") or 10
    listed = _ways(rows(part, "table"), k)
    if not listed:
        return []
    how_many = f"{asked:,} questions" if asked else "Questions"
    about = (
        f"{how_many}, with the places that answer them marked by hand. Answered: how many of them are answered within the first "
        f"{READ:,} characters of what is found."
    )
    return ["## Questions that people asked", about, listed]


def _forgetting(report: Table) -> list[str]:
    part = table(report, "forgetting")
    found = [row for row in rows(part, "rows") if number(row, "base") is not None and number(row, "tuned") is not None]
    told = _inline(text(part, "note", 500))
    if not found:
        return ["## What it forgot", told] if told else []
    lines = ["| questions of | questions | base | tuned | change [95% interval] |", "| --- | --- | --- | --- | --- |"]
    for row in found[:_MOST]:
        base, tuned = number(row, "base") or 0.0, number(row, "tuned") or 0.0
        change = number(row, "change")
        moved = f"{signed(tuned - base if change is None else change)} {interval(ends_of(row))}"
        asked = count(row, "questions")
        name = _inline(text(row, "name", 80)) or "not told"
        lines.append(
            f"| {name} | {'–' if asked is None else f'{asked:,}'} | {plain(base)} | {plain(tuned)} | {moved} |"
        )
    of = _inline(text(part, "set", 120))
    about = f"NDCG of dense search on questions that the tuning was not for{f': {of}' if of else ''}."
    return ["## What it forgot", about, "\n".join(lines), told]


def _ways(found: Sequence[Table], k: int) -> str:
    """A table of ways of searching, the best first; ``answered`` is a column where a row has it."""
    known = [row for row in found if number(row, "ndcg") is not None][:_MOST]
    if not known:
        return ""
    known.sort(key=lambda row: -(number(row, "ndcg") or 0.0))
    answered = any(number(row, "answered") is not None for row in known)
    heads = [
        "way of searching",
        f"NDCG@{k} [95% interval]",
        f"MRR@{k}",
        f"recall@{k}",
        *(["answered"] if answered else []),
    ]
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for row in known:
        inside = interval(ends_of(row, "ndcg_"), sign=False)
        figures = [plain(number(row, key)) for key in ("ndcg", "mrr", "recall", *(["answered"] if answered else []))]
        figures[0] = f"{figures[0]} {inside}"
        lines.append(f"| {_inline(named(row) or 'unnamed')} | {' | '.join(figures)} |")
    return "\n".join(lines)


def _usage(report: Table) -> str:
    dims = sorted({count(row, "dims") or 0 for row in rows(report, "dims")} - {0}, reverse=True)[:12]
    shorter = (
        f"\n\nVectors may be cut to their first {', '.join(map(str, dims[1:]))} numbers (`truncate_dim`)."
        if dims[1:]
        else ""
    )
    return (
        "```python\nfrom sentence_transformers import SentenceTransformer\n\n"
        'model = SentenceTransformer("path/or/name/of/this/model")\n'
        'passages = model.encode_document(["Page > Section\\n\\nThe text of the section ..."])\n'
        'question = model.encode_query("How do I ...?")\n'
        "print(model.similarity(question, passages))\n```\n\n"
        f"A passage begins with its heading trail, as in training.{shorter}"
    )


def _training(report: Table) -> list[str]:
    every = rows(report, "training", "rounds")
    asked = [value for row in every if (value := count(row, "questions")) is not None]
    kinds = origins(report)
    seed = number(report, "seed")
    seeds = numbers(report, "seeds") or ([seed] if seed is not None else [])
    weights, tuned, teacher = _weights(report), method(report), text(report.get("training"), "teacher", 500)
    kept = f"Kept: {epochs_name(weights.epochs)}, {model_name(weights)}"
    said = [
        "Question to passage, in-batch negatives inside a Matryoshka loss; no batch holds two questions of one section.",
        f"- Base model: {_code(base)}." if (base := _base(report)) else "",
        f"- What was tuned: {_inline(tuned)}." if tuned else "",
        f"- {_inline(kept)}." if table(report, "gate") else "",
        f"- {_inline(teacher)}" if teacher else "",
        f"- Questions kept, by origin: {_inline(kinds)}." if kinds else "",
        f"- Rounds: {len(every)}, each judged on docs that it never saw; {min(asked):,} to {max(asked):,} questions a round."
        if asked
        else "",
        f"- Seed: {', '.join(f'{one:.0f}' for one in seeds[:20])}." if seeds else "",
        f"- Versions: {versions}." if (versions := _versions(report)) else "",
    ]
    return [said[0], "\n".join(line for line in said[1:] if line)]


def _versions(report: Table) -> str:
    found = table(report, "versions")
    return ", ".join(f"{_code(str(key))} {_code(text(found, key, 60))}" for key in list(found)[:30] if text(found, key))


def _weights(report: Table) -> Serving:
    """Dense search with whole vectors by the weights that the card is of: what the model does by itself.

    They are those that are served, those that were judged where the base is served.
    """
    ways = (serving_of(table(report, "gate", key)) for key in ("served", "tuned"))
    tuned = next((way for way in ways if way and way.model == "tuned"), Serving("tuned", "dense"))
    return Serving("tuned", "dense", epochs=tuned.epochs, share=tuned.share)


def _dense(report: Table) -> Table:
    return row_of([*rows(report, "table"), *rows(report, "ways")], _weights(report))


def _inline(words: str) -> str:
    """Words as Markdown that is only those words, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~&$])", r"\\\1", " ".join(clean(words, 1000).split()))


def _code(words: str) -> str:
    """Words as code: no backtick is left that could end it."""
    return f"`{' '.join(clean(words, 120).replace('`', chr(39)).replace('|', '/').split()) or '-'}`"
