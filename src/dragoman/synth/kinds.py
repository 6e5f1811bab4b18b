"""The kinds of question that a language model can be asked for: a closed registry.

Each kind has its name (the style of the questions made with it), what is asked for in words, and its answer to
each worked example. The first four are the default; the others may have no answer in a passage. It knows no
chunk and writes no prompt.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dragoman.errors import ConfigError

_SCHEDULES = (
    "Schedules > Time zones\n"
    "A schedule runs in UTC unless `timezone` is set. The name must be one of the IANA database:\n\n"
    '```toml\n[schedule]\nevery = "day at 06:00"\ntimezone = "Europe/Lisbon"\n```\n'
    "When the clocks go forward, a run that falls into the missing hour is started right after it."
)
_CANCELLING = (
    "Client API > Cancelling\n"
    "`client.jobs.cancel(job_id, grace=10)` asks a running job to stop and waits `grace` seconds before it is "
    "killed. It raises `JobNotFound` if the job has already ended. Files that the job wrote are kept."
)
_STORES = (
    "Results > Stores\n"
    "Results go to a `disk` store unless `store.kind` says otherwise. A `disk` store is fast and belongs to one "
    "worker; an `object` store is slower and shared by all. A worker that cannot write stops with\n\n"
    "```text\nStoreError: no space left in store 'disk' (R207)\n```\n"
    "Raise `store.limit_gb`, or delete old results with `runner results prune`."
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of question.

    ``answers`` are its questions about the passages of ``WORKED``, in their order; "" where a passage holds no such thing.
    """

    name: str
    meaning: str
    answers: tuple[str, ...]
    may_be_empty: bool = False


DEFAULT_KINDS = ("howto", "keywords", "problem", "concept")

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "howto",
            "a complete question of someone who wants to do what the passage explains",
            (
                "How can I make a scheduled job run at 6 in the morning local time?",
                "How do I stop a job that is already running from Python?",
                "How can several workers read each other's results?",
            ),
        ),
        Kind(
            "keywords",
            "the few words that someone would type into a search box to find the passage",
            (
                "schedule timezone local time not utc",
                "client.jobs.cancel grace period kill job",
                "result store disk full limit",
            ),
        ),
        Kind(
            "problem",
            "what someone who is stuck would report: the symptom or wish, in plain words",
            (
                "my daily job starts an hour too early since the clocks changed",
                "I get JobNotFound when I try to cancel a job that just finished",
                "the worker stops because there is no room left for its results",
            ),
        ),
        Kind(
            "concept",
            "a question about a term, option, method or idea that the passage defines",
            (
                "Which time zone do schedules use by default?",
                "What does the grace argument do when a job is cancelled?",
                "Where are the results of a job kept by default?",
            ),
        ),
        Kind(
            "error",
            "the error message, exception or code that the passage explains, spelled exactly as it does, as someone would "
            "paste it",
            ("", "JobNotFound on client.jobs.cancel", "StoreError: no space left in store 'disk' (R207)"),
            may_be_empty=True,
        ),
        Kind(
            "api",
            "a look-up of one parameter, option, flag, setting or function, by its exact name",
            (
                "schedule timezone setting: which names are valid",
                "client.jobs.cancel(grace=...) default value",
                "what is store.limit_gb for",
            ),
            may_be_empty=True,
        ),
        Kind(
            "comparison",
            "a question which of two things of the passage to choose, or how they differ; both are named",
            ("", "", "disk or object store: which one should I use for several workers?"),
            may_be_empty=True,
        ),
    )
}

WORKED = (_SCHEDULES, _CANCELLING, _STORES)
_WORKED_BY_DEFAULT = 2


def worked_examples(kinds: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """The worked examples for some kinds.

    Args:
        kinds: Names of kinds, as ``chosen_kinds`` gives them.

    Returns:
        Passages and their answers; the third passage only where a kind is asked for that needs it.
    """
    shown = len(WORKED) if any(KINDS[kind].may_be_empty for kind in kinds) else _WORKED_BY_DEFAULT
    return [(WORKED[place], {kind: KINDS[kind].answers[place] for kind in kinds}) for place in range(shown)]


def chosen_kinds(names: Sequence[str]) -> tuple[str, ...]:
    """Check names of kinds and bring them into the registry's order, so that equal choices give equal prompts.

    Args:
        names: What a recipe asks for.

    Returns:
        The names, each once.

    Raises:
        ConfigError: A name is not in the registry, or there is none.
    """
    for name in names:
        if name not in KINDS:
            near = difflib.get_close_matches(name, KINDS, n=1, cutoff=0.5)
            hint = f"Did you mean '{near[0]}'?" if near else ""
            raise ConfigError(
                f"no kind of question is called '{name}'", expected=f"some of {', '.join(KINDS)}", hint=hint
            )
    if not names:
        raise ConfigError("no kind of question was chosen", expected=f"some of {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in names)
