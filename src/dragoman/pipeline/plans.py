"""What each stage depends on, from the recipe and from the manifests of the stages before it.

In: a run. Out: plans; comparing a plan with a manifest says whether an artefact is fresh, and why not.
Nothing is built here and no model is loaded.
"""

from collections.abc import Callable
from pathlib import Path

from dragoman.config import Recipe, SourceSettings
from dragoman.ingest.chunk import RULES
from dragoman.pipeline.context import Plan, Run, settings_of
from dragoman.tables import file_hash
from dragoman.train.finetune import AFTERWARDS

PROTOCOL = "5"  # of the evaluation: raised when what is measured changes, so that old verdicts are stale

_OF_ANSWERS = {
    "answers",
    "references",
    "labels",
    "judge_url",
    "judge_model",
    "judge_key_env",
}  # of `evaluate --answers`


def model_identity(recipe: Recipe) -> str:
    """The embedding base: its name, or for a folder the hash of its weights; where it runs, and the prompts that are not its own."""
    models = recipe.models
    weights = Path(models.embedding) / "model.safetensors"
    name = f"weights {file_hash(weights)}" if weights.is_file() else models.embedding
    place = f" at {models.embedding_url}" if models.embedding_url else ""
    prompts = (models.query_prompt, models.passage_prompt)
    return f"{name}{place}" + (f" with {prompts!r}" if prompts != ("auto", "auto") else "")


def writer_name(recipe: Recipe) -> str:
    """The language model under whose name answers are stored: a GGUF file goes by its own name."""
    model = recipe.llm.model
    return Path(model).stem if model.endswith(".gguf") else model


def ingest_plan(run: Run, documents: str) -> Plan:
    """Depends on the documents' content hash and on how they are cut."""
    recipe = run.recipe
    inputs = {"documents": documents, "model": model_identity(recipe), "rules": RULES}
    return Plan("ingest", settings_of(recipe.chunk), inputs, recipe.seed)


def synth_plan(run: Run) -> Plan:
    """Depends on the chunks, the question settings, and which models take part."""
    recipe = run.recipe
    wanted = recipe.synth.requests or recipe.synth.pairs or recipe.synth.unanswerable or recipe.synth.context
    asked = wanted and recipe.llm.base_url != "none"
    inputs = {
        "chunks": _content(run, "ingest"),
        "model": model_identity(recipe),
        "llm": writer_name(recipe) if asked else "none",
    }
    if verdicts := _content(run, "review"):
        inputs["verdicts"] = verdicts
    # What a run may spend decides how far it comes, not what it makes.
    settings = {key: value for key, value in settings_of(recipe.synth).items() if not key.startswith("budget_")}
    return Plan("synth", settings, inputs, recipe.seed)


def train_plan(run: Run) -> Plan:
    """Depends on chunks, questions, base model and training settings."""
    recipe = run.recipe
    inputs = {
        "chunks": _content(run, "ingest"),
        "questions": _content(run, "synth"),
        "model": model_identity(recipe),
    }
    settings = {key: value for key, value in settings_of(recipe.train).items() if key not in AFTERWARDS}
    if not recipe.train.reranker:  # what was trained without one needs no training again
        del settings["reranker"]
    judging = settings_of(recipe.evaluate)
    if recipe.train.patience:  # validation says when to stop
        inputs["people's questions"] = _people(recipe)
        settings |= {key: judging[key] for key in ("k", "people_share")}
    if recipe.train.teacher:  # which is tried first
        settings |= {key: judging[key] for key in ("k", "bootstrap")}
    return Plan("train", settings, inputs, recipe.seed)


def evaluate_plan(run: Run) -> Plan:
    """Depends on what was trained and asked, and on how it is compared."""
    recipe = run.recipe
    inputs = {
        "chunks": _content(run, "ingest"),
        "questions": _content(run, "synth"),
        "train": _content(run, "train"),
        "model": model_identity(recipe),
        "protocol": PROTOCOL,
    }
    if recipe.evaluate.questions:
        inputs["people's questions"] = _people(recipe)
    unanswerable = run.workspace.folder("synth") / "unanswerable.parquet"  # its rows are in no hash above
    if unanswerable.is_file():
        inputs["unanswerable questions"] = file_hash(unanswerable)
    choice = {
        "mixes": list(recipe.train.mixes),
        "final": recipe.train.final,
        "reranker": recipe.models.reranker,
        "tuned_reranker": recipe.train.reranker,
        "false_refusal": recipe.chat.false_refusal,
        "passages": recipe.chat.passages,
    }
    judged = {key: value for key, value in settings_of(recipe.evaluate).items() if key not in _OF_ANSWERS}
    return Plan("evaluate", judged | choice, inputs, recipe.seed)


def refit_plan(run: Run) -> Plan:
    """Depends on whether the gate lets it ship, how long trained and how mixed, and on all that training depends on."""
    train = train_plan(run)
    verdict = run.workspace.manifest("evaluate")
    gate = verdict.notes["gate"] if verdict else None
    # The mean is quickly made again, and its card has the figures; training on all documents is not done again for those.
    mean = run.recipe.train.final == "mean"
    made = {"rounds": _content(run, "train"), "verdict": _content(run, "evaluate")} if mean else {}
    inputs = {**train.inputs, **made, "ships": str(gate["ships"]) if isinstance(gate, dict) else ""}
    if isinstance(gate, dict) and gate["ships"]:
        served = gate["served"]
        inputs["checkpoint"] = f"{served.get('epochs', 0)} epochs, {served.get('share', 1.0):g} of the tuned weights"
    return Plan("refit", {**train.settings, "final": run.recipe.train.final}, inputs, train.seed)


def index_plan(run: Run) -> Plan:
    """Depends on the chunks and their versions, the model that ships, the way to search, and when to refuse."""
    recipe = run.recipe
    inputs = {
        "chunks": _content(run, "ingest"),
        "addresses": _addresses(run),
        "questions": _content(run, "synth"),
        "verdict": _content(run, "evaluate"),
        "tuned": _content(run, "refit"),
        "model": model_identity(recipe),
    }
    if versions := _versions(recipe):
        inputs["versions"] = versions
    if refusal := _refusal(run):
        inputs["refusal"] = refusal
    settings = {key: value for key, value in settings_of(recipe.index).items() if key != "retrain"}  # only advice
    return Plan("index", settings, inputs, recipe.seed)


LATER_PLANS: dict[str, Callable[[Run], Plan]] = {
    "synth": synth_plan,
    "train": train_plan,
    "evaluate": evaluate_plan,
    "refit": refit_plan,
    "index": index_plan,
}


def _people(recipe: Recipe) -> str:
    path = Path(recipe.evaluate.questions)
    return file_hash(path) if path.is_file() else "none"


def _content(run: Run, stage: str) -> str:
    manifest = run.workspace.manifest(stage)
    return manifest.content if manifest else ""


def _addresses(run: Run) -> str:
    """Where chunks are published, and their lines: the index shows them, no model learns from them."""
    manifest = run.workspace.manifest("ingest")
    return str(manifest.notes.get("addresses", "")) if manifest else ""


def _versions(recipe: Recipe) -> str:
    """The versions of the sources that say one, in the order of the recipe."""
    sources = [source for source in recipe.sources if isinstance(source, SourceSettings)]
    return ", ".join(f"{source.source} is {source.version}" for source in sources if source.version)


def _refusal(run: Run) -> str:
    """From which confidence on a question is answered, where that was calibrated."""
    manifest = run.workspace.manifest("evaluate")
    return str(manifest.notes.get("refusal") or "") if manifest else ""
