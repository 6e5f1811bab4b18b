"""Which English words at the start of a heading are verbs, and what their base form is.

In: the words of a heading. Out: whether it tells someone to do something ("Create a user"), and "create" for "Creating". A closed
list: a word that is not on it is taken for a noun, since "how to" before a noun is worse than no question.
"""

import re

# Hardly ever a noun at the start of a heading.
_VERBS = frozenset(
    """add adopt allow annotate append apply assign attach authenticate authorize avoid bind bootstrap bundle calculate
    choose collect combine compile compose compute configure connect consume convert create customise customize decide
    declare decode defer define delete deploy deprecate detect determine disable discover dispatch distribute duplicate edit
    embed enable encode encrypt enforce enhance ensure enrich evaluate exclude execute expose extend extract fetch find fix
    generate get give grant handle identify ignore implement improve include initialise initialize inject insert inspect install
    integrate intercept invalidate invite invoke iterate join keep launch leverage listen locate maintain make manage measure
    memoize merge migrate minimize modify move mutate navigate normalize obtain open opt optimise optimize organize overwrite
    parse pass pause persist polyfill populate prefetch prepare prevent protect provide publish read receive recover reduce
    recreate refactor refresh register reindex remove rename render replace reproduce resolve restart restore restrict retrieve
    reuse revalidate revert revoke rewrite sanitize save select send serialize serve share simplify simulate skip specify stop
    store submit subscribe suspend switch sync synchronize teach tell terminate throw track translate troubleshoot turn
    uninstall unpublish unsubscribe upgrade upload use validate verify visualise visualize wait wire wrap write""".split()  # noqa: SIM905
)
# Nouns as well ("Build output", "Test runner"): verbs only where what follows shows it.
_VERBS_AND_NOUNS = frozenset(
    """access abort alias archive audit benchmark block branch build bypass cache call cancel change check clean clear clone
    commit control copy debug design display document download drop enter exit export feed filter fork format
    group host hide import index link limit list load lock log look map mask monitor mount order override package patch
    pin plan play point preview print process prompt proxy query queue rate record release reload report request reset
    resize return review rotate route run sample scale schedule scope search secure set show sign sort split stack start
    stream style tag target test trace trigger tune update view watch work""".split()  # noqa: SIM905
)
_GERUND_NEEDS_MORE = frozenset(
    [
        "building",
        "testing",
        "rendering",
        "streaming",
        "caching",
        "routing",
        "logging",
        "loading",
        "parsing",
        "embedding",
        "handling",
        "linking",
        "mapping",
        "processing",
        "prefetching",
        "indexing",
        "sampling",
        "scaling",
        "tracing",
        "styling",
        "listing",
        "formatting",
        "recording",
        "scheduling",
        "switching",
        "running",
        "prompting",
        "hosting",
        "working",
    ]
)
_WITH_PLURAL = frozenset("clear display export import list load update".split())  # noqa: SIM905
_SHOWS_OBJECT = re.compile(
    r"(?:a|an|the|your|our|all|multiple|custom|new|existing|several|any|each|every|one|only|specific|external|another|"
    r"up|out|in|into|on|off|with|without|from|by|for|to|of|at|as|over|through|via|between|across|against|inside|outside)\Z",
    re.IGNORECASE,
)
_SHOWS_OBJECT_LATER = re.compile(
    r"\s(?:from|to|into|with|without|by|in|on|as|using|via|inside|between|across)\s", re.IGNORECASE
)
_NOUN_PAIRS = frozenset(
    """case cases option options mode modes policy policies file files level levels output type types api apis hook hooks
    handler handlers handling function functions config configuration component components format formats event events id key
    keys name names time times size strategy strategies system error errors response settings schema object objects order
    parameter parameters property properties method methods token tokens behavior behaviour notes runner library cache client server""".split()  # noqa: SIM905
)
_NEVER_OBJECTS = frozenset("mode modes policy policies behavior behaviour".split())  # noqa: SIM905
# "Rendering strategies": the end of a compound noun, though "Filtering files" is not.
_TAILS = frozenset(
    "behaviors handlers levels limits modes notes options parameters patterns policies settings states strategies tips tools types".split()  # noqa: SIM905
)
_NAMES_A_SECTION = frozenset(
    "behavior considerations context guide library notes patterns states strategies support time tips tools".split()  # noqa: SIM905
)
_DOUBLED = frozenset(
    [
        "bundle",
        "cancel",
        "clear",
        "edit",
        "get",
        "let",
        "map",
        "omit",
        "opt",
        "pin",
        "plan",
        "put",
        "refer",
        "run",
        "scan",
        "set",
        "skip",
        "split",
        "stop",
        "strip",
        "submit",
        "swap",
        "tag",
        "trim",
        "unpin",
        "unset",
        "wrap",
        "begin",
        "clean",
        "commit",
        "control",
        "debug",
        "defer",
        "drop",
        "format",
        "log",
        "permit",
        "plug",
        "program",
        "reset",
        "ship",
        "step",
    ]
) - {"bundle", "cancel", "clear", "clean", "edit", "format"}


def is_imperative(heading: str, *, gerund: bool = False) -> bool:
    """Whether a heading begins with a verb in its base form that has an object or more after it.

    Args:
        heading: Words of a heading.
        gerund: The heading said the verb with "-ing", so that the word after it is its object unless it is known for
            a part of a compound noun ("Rendering strategies").

    Returns:
        True for "Create users" and "Query with search terms", False for "Query options".
    """
    first, _, rest = heading.partition(" ")
    verb, rest = first.lower().rstrip(","), rest.strip()
    if not rest or rest.startswith("(") or not verb.isalpha() or first[1:] != first[1:].lower():
        return False
    after, _, beyond = rest.partition(" ")
    if after.lower() in _NEVER_OBJECTS:
        return False
    if gerund:
        return rest.lower() not in _NAMES_A_SECTION and _takes(verb, after, rest)
    if after in {"and", "or"} or first.endswith(","):  # "Query and filter a dataset": the last verb decides
        return verb in _VERBS | _VERBS_AND_NOUNS and is_imperative(beyond if after in {"and", "or"} else rest)
    paired = after.lower() in _NOUN_PAIRS
    if verb in _VERBS:
        return not (verb == "use" and paired)
    plural = verb in _WITH_PLURAL and rest == after and after.endswith("s")
    return verb in _VERBS_AND_NOUNS and not paired and (plural or _governs(after, rest))


def _takes(verb: str, after: str, rest: str) -> bool:
    """Whether a word that stood with "-ing" has what follows for its object."""
    if gerund_form(verb) in _GERUND_NEEDS_MORE:
        return _governs(after, rest)
    return verb in _VERBS or _governs(after, rest) or (after.endswith("s") and after.lower() not in _TAILS)


def base_of(gerund: str) -> str:
    """The base form of a verb on the list ("create" for "Creating"), or ""."""
    return _BASES.get(gerund.lower(), "") if gerund[1:] == gerund[1:].lower() else ""


def gerund_form(verb: str) -> str:
    """The "-ing" form of a verb."""
    if verb in _DOUBLED:
        return f"{verb}{verb[-1]}ing"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return f"{verb[:-1]}ing"
    return f"{verb}ing"


def _governs(after: str, rest: str) -> bool:
    """Whether what follows a word shows that it is a verb."""
    return bool(_SHOWS_OBJECT.match(after) or (after.endswith("s") and _SHOWS_OBJECT_LATER.search(f" {rest} ")))


_BASES = {gerund_form(verb): verb for verb in sorted(_VERBS | _VERBS_AND_NOUNS)} | {
    "setting": "set",
    "building": "build",
    "working": "work",
}
