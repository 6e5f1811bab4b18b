"""The frozen records that cross a doorway between two stages.

Nothing here reads files, loads models or knows a stage. Ids come from content only: no clock, no
uuid, no position in a list. Scores are similarities or rank-fusion scores: larger is better.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

QuestionKind = Literal["llm", "structure", "person"]
SearchMode = Literal["dense", "lexical", "hybrid"]
ModelChoice = Literal["base", "tuned"]
ReviewKind = Literal["chunks", "triplets", "conversations"]
FindingKind = Literal["citation", "link", "identifier", "flag", "command", "token"]
Decision = Literal["kept", "corrected", "dropped", "disputed"]


def content_id(*parts: str | int) -> str:
    """Hash of the parts, 16 hex digits: the same content gives the same id on every machine."""
    text = "".join(f"{len(str(part))}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Document:
    """One file of documentation, as normalised text.

    ``lines[i]`` is the source line (1-based) of line ``i`` of ``text``; ``None`` means that the two
    are numbered alike. ``files[i]`` is the file that line came from when that is not ``path`` (an include, a docstring), else
    ""; ``None`` means that all are of ``path``. A line ends at ``"\\n"`` and nowhere else.
    """

    source: str
    path: str  # relative to the source's docs folder, with "/"
    text: str
    title: str
    revision: str = ""  # commit, version or "" for a plain folder
    url: str = ""  # public address of the page, without anchor; "" if unknown
    style: str = ""  # how the site makes anchors of headings; "" links to the page, "lines" to lines of the file
    lines: tuple[int, ...] | None = None
    files: tuple[str, ...] | None = None
    repository: str = ""  # owner/repo, package or folder that the file is of


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document as the artefact lists it: all but its text.

    ``key`` is the hash of all that its chunks are made of, ``chunks`` their number; ``left_out`` is JSON: ``[item, reason, detail]``
    of each part that gave no chunk.
    """

    source: str
    path: str
    title: str
    revision: str
    url: str
    key: str
    chunks: int
    left_out: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A token-budgeted span of a document: the unit of retrieval.

    ``document.text[start:end] == text`` always. ``passage`` (heading trail + text) is what is
    embedded, in training, evaluation and serving alike. Lines are 1-based, inclusive, of the source
    file, which is ``file`` when most of the text was included from there, else ``path``. ``section`` is the same for all chunks of
    one section of one document. ``canonical`` is the id of the chunk that says nearly the same and comes first, "" for
    a chunk that is no copy.
    """

    id: str
    source: str
    path: str
    title: str
    trail: tuple[str, ...]  # page title first, the section's own heading last
    section: str
    text: str
    passage: str
    start: int
    end: int
    start_line: int
    end_line: int
    tokens: int  # of the passage, special tokens included
    url: str
    file: str = ""
    revision: str = ""
    repository: str = ""
    canonical: str = ""

    @property
    def origin(self) -> str:
        """The file that the lines are of, relative to the docs folder."""
        return self.file or self.path


@dataclass(frozen=True, slots=True)
class Question:
    """A question that the chunk ``chunk_id`` answers, with where it comes from.

    ``style`` is the kind of question that was asked for ("howto", "keyword", ...) or the structural
    rule that made it. ``rank`` is the place (1-based) of the chunk's section when the base model
    searches for the question, ``0`` when it was not looked up. ``train`` is False for questions that
    the round trip kept out of training; they may still be asked in evaluation. ``passage`` is what to
    train on when it is not the chunk's own passage, else "". ``also`` are other chunks that answer it as well, ``score`` is a judge's
    (1 to 5; 0: not judged), and ``negative`` is a written question that the chunk does not answer, where one was made. ``votes``
    counts the people who found it right.
    """

    id: str
    text: str
    chunk_id: str
    kind: QuestionKind
    style: str
    model: str = ""
    rank: int = 0
    train: bool = True
    passage: str = ""
    also: tuple[str, ...] = ()
    score: float = 0.0
    negative: str = ""
    votes: int = 0

    @property
    def answers(self) -> tuple[str, ...]:
        """Ids of all chunks that answer it, its own first."""
        return (self.chunk_id, *self.also)


@dataclass(frozen=True, slots=True)
class Negatives:
    """Wrong chunks that the base model ranks high for a question, hardest first, with their similarities."""

    question_id: str
    chunk_ids: tuple[str, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Triplet:
    """A training row: question (anchor of the search), its passage, and wrong passages.

    ``also`` are the sections, beside its own, that answer the question, ``wrong`` those of its negatives: no batch may take a passage for
    wrong that answers another of its questions.
    """

    question: str
    chunk_id: str
    passage: str
    section: str
    kind: QuestionKind
    negatives: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """An input row that a stage did not keep, and why (``reason`` is from a closed list)."""

    stage: str
    item: str  # path, chunk id or question text
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    """Which unit (document or section tree, with its near-duplicates) is held out in which round.

    ``unit_of`` maps a chunk id to its unit, ``round_of`` a unit to the round that holds it out;
    a unit of round ``-1`` is never held out. With one round, this is a plain train/held-out split;
    with several, grouped cross-validation.
    """

    rounds: int
    unit_of: Mapping[str, str]
    round_of: Mapping[str, int]

    def held_out(self, chunk_id: str) -> int:
        """Round in which the chunk is held out, or -1."""
        return self.round_of[self.unit_of[chunk_id]]


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """Which chunks may be found; "" lets all pass.

    ``source`` is a source's name, ``version`` a label of the recipe ("" is the latest where the docs have versions, "all" is every one),
    ``path`` a glob over paths relative to the docs folder.
    """

    source: str = ""
    version: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Signals:
    """Why a hit stands where it stands: what each part of the search found. A rank is 1-based, 0 where that part did not find it.

    ``dense`` is the cosine similarity of question and passage, ``question`` that of the nearest known question of the chunk (None where none
    is searched), ``lexical`` BM25, ``fused`` the score of the fusion, ``rerank`` a cross-encoder's; ``base_rank`` is where the base model
    alone would have put it, when that was asked for.
    """

    dense: float | None = None
    dense_rank: int = 0
    question: float | None = None
    lexical: float = 0.0
    lexical_rank: int = 0
    fused: float = 0.0
    rerank: float | None = None
    base_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved chunk with its 1-based rank and its score (larger is better).

    ``context`` are the chunks to read with it, in reading order, without itself: of its section, then its neighbours in the page.
    """

    rank: int
    score: float
    chunk: Chunk
    context: tuple[Chunk, ...] = ()
    signals: Signals | None = None

    @property
    def read(self) -> tuple[Chunk, ...]:
        """The chunk and its context, in reading order."""
        return tuple(sorted((self.chunk, *self.context), key=lambda chunk: (chunk.start, chunk.id)))


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean difference with the two ends of its 95% bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Serving:
    """How a question is answered from an index: chosen on validation, stored with the index.

    ``questions`` says whether the vectors of known questions count beside those of the passages. ``epochs`` is how long the tuned model
    was trained (0: all of it), ``share`` what part of its weights is the tuned model's, the rest being the base's. ``dims`` is the
    length to which vectors are cut (0: they are not). ``rerank`` says whether a cross-encoder puts the hits in order. ``depth`` is how
    many chunks each ranking gives before they are fused.
    """

    model: ModelChoice
    mode: SearchMode
    lexical_weight: float = 0.0
    questions: bool = False
    epochs: int = 0
    share: float = 1.0
    dims: int = 0
    rerank: bool = False
    depth: int = 100


@dataclass(frozen=True, slots=True)
class Refusal:
    """From which confidence on a question is answered: calibrated on held-out questions, stored with the index.

    The confidence is the largest similarity of a hit (``Signals.dense``, or ``Signals.question`` where that is larger and known questions are
    searched). Below ``threshold`` the docs do not answer; below ``off_topic`` (never above ``threshold``) the question is not about them.
    ``rate`` is the share of answerable questions that the threshold may refuse, ``measured`` the share that it did on questions that did
    not choose it (None: there were none).
    """

    threshold: float
    off_topic: float
    rate: float
    measured: float | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered source under an answer: ``[number]`` in the text points at this chunk."""

    number: int
    hit: Hit


@dataclass(frozen=True, slots=True)
class Support:
    """How well the passages bear out a sentence of an answer.

    ``score`` is in [0, 1]; ``number`` is the passage that bears it out best (0: none), ``cited`` are the numbers that the sentence cites.
    """

    sentence: str
    score: float
    number: int = 0
    cited: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in an answer that its passages do not contain: removed from the text, or marked for the reader."""

    kind: FindingKind
    text: str
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer.

    ``mode`` says who wrote it: a language model, the docs themselves, or nobody, because the docs do not answer (``reason`` says in which
    way). ``searched`` is the question as it was searched for, when the turns before were needed to understand it.
    """

    question: str
    text: str
    citations: tuple[Citation, ...]
    mode: Literal["llm", "extractive", "refusal"]
    note: str = ""  # what the reader should know, e.g. why the answer is extractive
    reason: Literal["", "nothing found", "unanswerable", "off-topic"] = ""
    searched: str = ""
    support: tuple[Support, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange of a conversation, as the chat keeps it.

    ``conversation`` and ``number`` (from 0) say where it belongs, ``chunks`` are the ids of the chunks that were shown to the
    model, the cited ones first; ``liked`` is the reader's thumb, None where there was none.
    """

    question: str
    answer: str
    conversation: str = ""
    number: int = 0
    chunks: tuple[str, ...] = ()
    model: str = ""
    liked: bool | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What reviewers decided about one item; ``item`` is the id of a chunk, of a question or of a turn.

    ``question`` is the wording that holds from now on ("" where nobody was asked one), ``chunks`` are ids of the chunks that answer it,
    ``negative`` is the text of the other question (or the id of its chunk) where reviewers found that it is not wrong after all, else "". ``source`` is where a reviewer says that the answer stands, as typed. ``votes`` counts the responses that decided,
    ``agreement`` is the share of them on the winning side.
    """

    kind: ReviewKind
    item: str
    decision: Decision
    question: str = ""
    chunks: tuple[str, ...] = ()
    negative: str = ""
    source: str = ""
    votes: int = 0
    agreement: float = 1.0
    reviewers: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an artefact is: written last, so that its presence means that the artefact is whole.

    ``fingerprint`` is of settings and inputs, ``content`` of the logical rows or the weights.
    """

    stage: str
    schema: int
    version: str
    fingerprint: str
    content: str
    seed: int
    rows: Mapping[str, int] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    notes: Mapping[str, object] = field(default_factory=dict)
