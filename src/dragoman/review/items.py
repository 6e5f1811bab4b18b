"""What every desk shares: the forms that reviewers fill in, the items they see, and what they answered.

In: nothing; these are the records that ``select.py`` makes, a desk shows and brings back, and ``verdict.py`` judges. A desk may be
a server, a page or a file; it neither chooses items nor decides what answers mean.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from dragoman.records import ReviewKind

ResponseStatus = Literal["submitted", "draft", "discarded"]
MetadataType = Literal["terms", "integer", "float"]
YES, NO = "yes", "no"


@dataclass(frozen=True, slots=True)
class Field:
    """A text that reviewers read; ``untrusted`` ones were typed by a stranger and are never rendered."""

    name: str
    title: str
    untrusted: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """What reviewers are asked: one of ``options``, or free text when there are none."""

    name: str
    title: str
    options: tuple[str, ...] = ()
    required: bool = True
    description: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one kind of item; its fields, labels and metadata are those of the post's datasets, and some more."""

    kind: ReviewKind
    fields: tuple[Field, ...]
    asks: tuple[Ask, ...]
    metadata: Mapping[str, MetadataType]

    @property
    def required(self) -> tuple[Ask, ...]:
        """What an answer must hold to be submitted."""
        return tuple(ask for ask in self.asks if ask.required)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What we would answer: one of the options of ``ask``, and how sure we are (0 to 1)."""

    ask: str
    value: str
    score: float
    agent: str


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to review. ``id`` comes from content; ``priority`` is larger for what is reviewed first.

    ``metadata`` has values only for keys of the form, and may lack some. ``vector`` lets a desk find similar items, where it can.
    """

    id: str
    kind: ReviewKind
    fields: Mapping[str, str]
    metadata: Mapping[str, str | int | float] = field(default_factory=dict)
    suggestions: tuple[Suggestion, ...] = ()
    vector: tuple[float, ...] = ()
    priority: float = 0.0


@dataclass(frozen=True, slots=True)
class Response:
    """One reviewer's answers, by the name of what was asked; only a submitted one counts."""

    reviewer: str
    values: Mapping[str, str]
    status: ResponseStatus = "submitted"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An item as reviewers saw it, with all their responses."""

    item: Item
    responses: tuple[Response, ...] = ()


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push changed: items by what became of them.

    ``retired`` are those on the desk that were not pushed again: removed when nobody had answered them, else kept, with their
    answers, out of the queue.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    retired: int = 0


class Desk(Protocol):
    """Where reviewers work. The contract, for every implementation (tests/review/desks.py checks it):

    - An item whose id is on the desk is not doubled; its responses are never lost by a push.
    - An item that somebody has answered keeps the fields that were answered about; suggestions, metadata and order may change.
    - Items of the form's kind that are on the desk and not pushed are retired.
    - A push that broke off is completed by the next.
    """

    @property
    def place(self) -> str:
        """Where it is, for people: an address or a file."""
        ...

    def push(self, form: Form, items: Sequence[Item], advance: Callable[[int], None] | None = None) -> Pushed:
        """Show these items, in this order, and no others; ``advance`` counts those that are dealt with."""
        ...

    def pull(self, form: Form) -> list[Reviewed]:
        """All items that were ever answered or are shown, sorted by id, with their responses sorted by reviewer."""
        ...


_REWRITE = Ask(
    "question",
    "Rewrite the question",
    required=False,
    description="Only if a better wording would make a good pair: as somebody would type it who has not read the text.",
)

FORMS: Mapping[ReviewKind, Form] = {
    "chunks": Form(
        "chunks",
        (Field("filename", "File"), Field("chunk", "Text")),
        (Ask("good_chunk", "Does this text answer questions somebody may have?", (YES, NO)),),
        {"document": "terms", "url": "terms", "tokens": "integer", "questions": "integer", "priority": "float"},
    ),
    "triplets": Form(
        "triplets",
        (Field("anchor", "Text"), Field("positive", "Question"), Field("negative", "Another question")),
        (
            Ask("is_positive_relevant", "Does the text answer the question?", (YES, NO)),
            Ask(
                "is_negative_irrelevant",
                "Is the other question about something else, which the text does not answer?",
                (YES, NO),
            ),
            _REWRITE,
        ),
        {
            "kind": "terms",
            "style": "terms",
            "document": "terms",
            "trail": "terms",
            "url": "terms",
            "chunk_id": "terms",
            "negative_id": "terms",
            "rank": "integer",
            "judge": "float",
            "priority": "float",
        },
    ),
    "conversations": Form(
        "conversations",
        (Field("instruction", "Question", untrusted=True), Field("response", "Answer", untrusted=True)),
        (
            Ask("is_response_correct", "Is the answer right?", (YES, NO)),
            Ask("out_of_guardrails", "Is this something the chatbot should not talk about?", (YES, NO)),
            Ask("feedback", "What is wrong, or missing?", required=False),
            Ask(
                "question",
                "Rewrite the question",
                required=False,
                description="So that it can be understood without the conversation before it.",
            ),
            Ask(
                "source",
                "Where is the answer?",
                required=False,
                description="A link to the page and heading, or the file, such as guides/install.md#upgrading.",
            ),
        ),
        {"conv_id": "terms", "turn": "integer", "chunk_ids": "terms", "model": "terms", "priority": "float"},
    ),
}
