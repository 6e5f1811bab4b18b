"""The two tasks of the pipeline that are ours; imported only by the process that runs distilabel.

In: batches of rows. Out: the same rows with what the language model wrote, or with the reason why there is
nothing: a row is never dropped and never holds ``None``. It does not know who asks the model.
"""

from typing import Any

from distilabel.steps import StepInput
from distilabel.steps.tasks import GenerateSentencePair
from distilabel.steps.tasks.base import Task
from distilabel.typing import ChatType, StepOutput

from dragoman.synth.post.readers import read_pair, read_queries
from dragoman.synth.post.records import NO_NEGATIVE, NO_POSITIVE
from dragoman.synth.work import FAILED

_SHOWN = 200


class SentencePair(GenerateSentencePair):
    """distilabel's own task, its answers read by our reader.

    Attributes:
        failure: What an answer begins with that is no answer but the reason of a failure.
    """

    failure: str

    @property
    def outputs(self) -> list[str]:
        """The columns of distilabel's task, and why a row has no pair."""
        return [*super().outputs, "reason", "detail"]

    def format_output(self, output: str | None, input: dict[str, Any] | None = None) -> dict[str, Any]:  # noqa: A002, ARG002 - distilabel's names
        """Read an answer.

        Args:
            output: What the model wrote.
            input: The row.

        Returns:
            The new columns; ``reason`` is "" when both sentences are there.
        """
        reason, detail, positive, negative = "", "", "", ""
        if output is None or output.startswith(self.failure):
            reason, detail = _why(output, self.failure)
        else:
            pair = read_pair(output)
            positive, negative = pair.positive, pair.negative
            if not positive or not negative:
                reason, detail = NO_NEGATIVE if positive else NO_POSITIVE, output
        return {"positive": positive, "negative": negative, "reason": reason, "detail": detail[:_SHOWN]}


class MultipleQueries(Task):
    """Other ways to ask the same.

    Attributes:
        system_prompt: What the model is told first.
        template: The request, with places for ``original`` and ``num_queries``.
        num_queries: How many ways are asked for.
        failure: As in ``SentencePair``.
    """

    system_prompt: str
    template: str
    num_queries: int
    failure: str

    @property
    def inputs(self) -> list[str]:
        """The query, and the reason that says that there is none worth varying."""
        return ["query", "reason"]

    @property
    def outputs(self) -> list[str]:
        """The queries, and what was wrong with the answer."""
        return ["queries", "shortfall", "model_name"]

    def format_input(self, input: dict[str, Any]) -> ChatType:  # noqa: A002 - distilabel's name
        """The chat that asks for variations.

        Args:
            input: The row.

        Returns:
            Two messages.
        """
        asked = self.template.format(original=input["query"], num_queries=self.num_queries)
        return [{"role": "system", "content": self.system_prompt}, {"role": "user", "content": asked}]

    def format_output(self, output: str | None, input: dict[str, Any] | None = None) -> dict[str, Any]:  # noqa: A002 - distilabel's names
        """Read an answer.

        Args:
            output: What the model wrote.
            input: The row.

        Returns:
            The new columns.
        """
        if output is None or output.startswith(self.failure):
            return {"queries": [], "shortfall": ": ".join(_why(output, self.failure))[:_SHOWN]}
        queries = read_queries(output, self.num_queries, (input or {}).get("query", ""))
        missing = len(queries) < self.num_queries
        return {"queries": queries, "shortfall": f"{len(queries)} of {self.num_queries}" if missing else ""}

    def process(self, inputs: StepInput) -> StepOutput:
        """Ask about the rows that have a pair; the others pass, since a question about nothing costs as much.

        Args:
            inputs: A batch of rows.

        Yields:
            All of them, in their order.
        """
        asked = [row for row in inputs if _whole(row)]
        answered = iter(next(super().process(asked)) if asked else ())
        nothing = {"queries": [], "shortfall": "", "model_name": self.llm.model_name}
        yield [next(answered) if _whole(row) else {**row, **nothing} for row in inputs]


def _why(output: str | None, failure: str) -> tuple[str, str]:
    """Reason and detail of an answer that is none; the gateway writes them one after the other."""
    reason, _, detail = (output or "").removeprefix(failure).partition("|")
    return reason or FAILED, detail


def _whole(row: dict[str, Any]) -> bool:
    # distilabel puts None everywhere in a batch whose step raised an error.
    return bool(row["query"]) and row["reason"] == ""
