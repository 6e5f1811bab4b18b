"""The end of the chain: the index that is served, and the searcher that answers from it.

In: a run. Out: the manifest of ``index``, and a ``DocsSearcher`` that the CLI, the chat and the
measurements share, so that all of them see the same hits.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from dragoman.errors import UsageError
from dragoman.evaluate.gate import GateResult
from dragoman.index.build import build_index
from dragoman.index.lift import question_vectors
from dragoman.index.pointer import IndexMeta
from dragoman.index.search import Index, open_index
from dragoman.models.protocols import Encoder, Vectors
from dragoman.pipeline.context import Outcome, Run, run_stage
from dragoman.pipeline.encoders import base_encoder, tuned_encoder
from dragoman.pipeline.ingest import base_model, load_chunks, source_names
from dragoman.pipeline.judging import gate_of
from dragoman.pipeline.plans import index_plan
from dragoman.pipeline.ranks import known_questions
from dragoman.pipeline.synth import load_passages, load_questions
from dragoman.pipeline.tuning import MODEL
from dragoman.pipeline.vectors import VectorCache
from dragoman.records import Hit, Manifest, ModelChoice, SearchMode, Serving

_PLAIN_WEIGHT = 0.3  # of words in hybrid search, when validation preferred another mode
INDEXES: tuple[ModelChoice, ...] = ("base", "tuned")
ModeChoice = Literal["auto", "dense", "lexical", "hybrid"]


def model_folder(run: Run, model: ModelChoice) -> Path:
    """Folder of the base or the tuned model.

    Raises:
        UsageError: There is no tuned model, since the gate refused it.
    """
    if model == "base":
        return base_model(run)
    folder = run.workspace.folder("refit") / MODEL
    if not folder.is_dir():
        raise UsageError("there is no tuned model: the gate kept the base", hint="See: dragoman status")
    return folder


def encoder_of(run: Run, gate: GateResult, model: ModelChoice) -> Encoder:
    """The base or the tuned model as it is served: with the gate's mixture and length of vectors.

    Raises:
        UsageError: There is no tuned model, since the gate refused it.
    """
    way = _way(gate, model)
    if model == "base":
        return base_encoder(run, dims=way.dims)
    return tuned_encoder(run, model_folder(run, model), share=way.share, dims=way.dims)


def _way(gate: GateResult, model: ModelChoice) -> Serving:
    return gate.served if model == gate.served.model else gate.untuned


def index(run: Run) -> Manifest:
    """Build the searchable table of the model that ships; the base's is kept beside it to compare with.

    Args:
        run: The run.

    Returns:
        The manifest.
    """
    gate = gate_of(run.workspace.need("evaluate"))
    run.workspace.need("refit")

    def work(folder: Path) -> Outcome:
        chunks = load_passages(run)
        ingested = run.workspace.need("ingest")
        passages = [chunk.passage for chunk in chunks]
        known = known_questions(load_questions(run))
        row_of = {chunk.id: row for row, chunk in enumerate(chunks)}
        cache = VectorCache(run.workspace.root / "vectors", run.reporter)
        models = INDEXES if gate.ships else INDEXES[:1]
        for model in models:
            encoder = encoder_of(run, gate, model)
            vectors = cache.encode(encoder, passages, "passage", f"encoding passages ({model})")
            meta = IndexMeta(
                encoder.fingerprint,
                model,
                encoder.dimension,
                _way(gate, model),
                ingested.content,
                ", ".join(source_names(run.recipe)),
            )
            asked = cache.encode(encoder, [one.text for one in known], "query", f"encoding questions ({model})")
            questions = question_vectors([one.chunk_id for one in known], asked, row_of)
            build_index(folder / model, chunks, vectors, meta, questions=questions, keep=run.recipe.index.keep)
        return Outcome(ingested.content, {"chunks": len(chunks), "tables": len(models)})

    manifest = run_stage(run, index_plan(run), work, in_place=True)
    way = f"{gate.served.mode}, {gate.served.dims} dimensions" if gate.served.dims else gate.served.mode
    run.say(f"index: {manifest.rows['chunks']} chunks, searched by the {gate.served.model} model, {way}")
    return manifest


class DocsSearcher:
    """Searches the docs of a workspace.

    Args:
        run: The run whose workspace is searched.
        mode: How to search; ``auto`` is what validation chose.
        model: Whose vectors; ``auto`` is the model that ships.
        collapse: Whether a section gives its best chunk only.

    Raises:
        MissingArtefact: There is no index yet.
        UsageError: The tuned model is asked for but was refused.
    """

    def __init__(
        self,
        run: Run,
        mode: ModeChoice = "auto",
        model: Literal["auto", "base", "tuned"] = "auto",
        *,
        collapse: bool = True,
    ) -> None:
        run.workspace.need("index")
        gate = gate_of(run.workspace.need("evaluate"))
        self.model: ModelChoice = gate.served.model if model == "auto" else model
        self._encoder = encoder_of(run, gate, self.model)
        self._index: Index = open_index(
            run.workspace.folder("index") / self.model, fingerprint=self._encoder.fingerprint
        )
        self._serving = _serving(mode, self._index.meta.serving, gate.untuned if self.model == "base" else gate.tuned)
        self._collapse = collapse

    @property
    def banner(self) -> str:
        """Which model and which search answer."""
        return f"{self.model} model, {self._serving.mode} search"

    def search(self, question: str, top: int) -> list[Hit]:
        """The best hits for a question, best first."""
        self._index.reload_if_swapped()
        vector = None if self._serving.mode == "lexical" else self._encoder.encode([question], "query")[0]
        return self._hits(question, vector, top)

    def search_many(self, questions: Sequence[str], top: int) -> list[list[Hit]]:
        """The best hits for each question; the questions are encoded together."""
        vectors = self._encoder.encode(questions, "query")
        return [self._hits(question, vector, top) for question, vector in zip(questions, vectors, strict=True)]

    def _hits(self, question: str, vector: Vectors | None, top: int) -> list[Hit]:
        return self._index.search(question, vector, self._serving, top=top, collapse=self._collapse)


def _serving(mode: ModeChoice, chosen: Serving, best: Serving) -> Serving:
    """The way to search: what validation chose, or the asked mode; dense and lexical are then the plain ones."""
    if mode in {"auto", chosen.mode}:
        return chosen
    plain: SearchMode = mode
    if mode != "hybrid":
        return Serving(chosen.model, plain)
    return best if best.mode == "hybrid" else Serving(chosen.model, plain, _PLAIN_WEIGHT, best.questions)


def example_questions(run: Run, count: int = 6) -> list[str]:
    """Questions to start a chat with: short ones that the docs surely answer, from different pages."""
    if run.workspace.manifest("synth") is None:
        return []
    page_of = {chunk.id: chunk.path for chunk in load_chunks(run)}
    found: dict[str, str] = {}
    usable = [question for question in load_questions(run) if question.style == "howto" and question.rank == 1]
    for question in sorted(usable, key=lambda question: (len(question.text), question.id)):
        if len(question.text.split()) > 4:  # noqa: PLR2004 - shorter ones say too little
            found.setdefault(page_of[question.chunk_id], question.text)
    return list(found.values())[:count]
