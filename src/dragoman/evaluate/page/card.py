"""The model card: a README for the Hub, with the figures where the Hub reads them.

In: the report's data. Out: Markdown under a YAML header. It names no question and no passage. The one module of this room that
knows the Hub's library.
"""

import re
from collections.abc import Mapping
from typing import Any

from dragoman.evaluate.page.limits import limits
from dragoman.evaluate.page.making import origins
from dragoman.evaluate.page.markup import named
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
    table,
    text,
)
from dragoman.evaluate.page.result import headline
from dragoman.models.catalog import CATALOG
from dragoman.models.sources import HubSource

_HUB_NAME = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_TAGS = ["sentence-transformers", "sentence-similarity", "feature-extraction", "retrieval", "dragoman"]
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
    base = _base(report)
    tuned = (
        f" It is {_code(base)}, tuned on questions about these docs and the passages that answer them." if base else ""
    )
    sources = ", ".join(_code(str(name)) for name in list(table(report, "revisions"))[:20])
    return (
        "A [sentence-transformers](https://www.SBERT.net) model that finds the passage of a documentation that answers a question."
        f"{tuned}{f' The docs: {sources}.' if sources else ''} Made with Dragoman."
    )


def _results(report: Table) -> list[str]:
    found = [row for row in rows(report, "table") if number(row, "ndcg") is not None][:60]
    if not found:
        return []
    k = count(report, "k") or 10
    found.sort(key=lambda row: -(number(row, "ndcg") or 0.0))
    lines = [f"| way of searching | NDCG@{k} [95% interval] | MRR@{k} | recall@{k} |", "| --- | --- | --- | --- |"]
    for row in found:
        inside = interval(ends_of(row, "ndcg_"), sign=False)
        figures = [f"{plain(number(row, 'ndcg'))} {inside}", plain(number(row, "mrr")), plain(number(row, "recall"))]
        lines.append(f"| {_inline(named(row) or 'unnamed')} | {' | '.join(figures)} |")
    served = named(table(report, "gate", "served"))
    about = "Questions that the model was not trained on, answered from all passages of the docs. The metadata of this card hold tuned dense search."
    return [about, "\n".join(lines), f"Served: {_inline(served)}." if served else ""]


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
    said = [
        "Question to passage, in-batch negatives inside a Matryoshka loss; no batch holds two questions of one section.",
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


def _dense(report: Table) -> Table:
    """Tuned dense search: what the model does by itself."""
    return next((row for row in [*rows(report, "table"), *rows(report, "ways")] if named(row) == "tuned dense"), {})


def _inline(words: str) -> str:
    """Words as Markdown that is only those words, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~&$])", r"\\\1", " ".join(clean(words, 1000).split()))


def _code(words: str) -> str:
    """Words as code: no backtick is left that could end it."""
    return f"`{' '.join(clean(words, 120).replace('`', chr(39)).replace('|', '/').split()) or '-'}`"
