"""Questions from what a passage defines line by line: error messages, options and terms.

In: a chunk. Out: questions with the rule that made each, such as "what does --force do" for a line ``- `--force`: ...``. Only lines that
define something count, not lines that merely mention it. It reads a chunk once and looks at no line beyond its first letters.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dragoman.records import Chunk
from dragoman.synth.links import plain_words
from dragoman.synth.phrasing import plain_heading, topic_of
from dragoman.synth.verbs import is_imperative

_SHORTEST_LINE, _LONGEST_LINE = 8, 400
_LONGEST_NAME = 60
_FEWEST_WORDS = 3  # of an error message, or of what is said about an option

_MESSAGE = re.compile(
    r"(?P<type>\b(?:[A-Z]\w{0,60}(?:Error|Exception|Warning)|[Ee]rror|ERROR|(?:[Uu]ncaught|[Uu]nhandled) [A-Z]\w{2,60}))(?P<code>[ :(]*\[?[A-Z]{1,4}\d{2,5}\]?\)?)?:\s+"
    r"(?P<text>[A-Za-z'\"‘“][^`{}<>=;|$\\#\[\]]{10,160})"
)
_THROWN = re.compile(
    r"(?:throw new|raise)\s+(?P<type>[A-Z]\w{0,60})\(\s*[f]?(?P<quote>['\"])(?P<text>[A-Z][^'\"`{}<>$\\%]{10,160})(?P=quote)"
)
_RAISED = re.compile(
    r"\b(?:raises?|throws?|rejects? with|fails? with|exits? with)\s+(?:an?\s+|the\s+)?`(?P<name>[A-Za-z_][\w.]{3,60})`"
)
_CODE = re.compile(r"\b(?:E[A-Z]{4,20}|ERR_[A-Z_]{3,50}|[A-Z]{1,4}\d{3,5})(?=`?\s+(?:error|code)\b)")
_SYSTEM_NAME = re.compile(r"[A-Z]\w*(?:Error|Exception|NotFound|Warning|Exists|Timeout|Denied|Refused)")
_ITEM = re.compile(r"\s{0,12}(?:[-*+]|\d{1,3}[.)])\s{1,4}(?P<rest>\S.*)")
_ROW = re.compile(r"\s{0,12}\|\s*(?P<rest>[^|]{1,120}?)\s*\|(?P<after>[^\n]*)")
_NAMED = re.compile(
    r"(?:\*\*)?`(?P<name>[^`]{2,80})`(?:\*\*)?(?P<note>\s*\([^()]{1,60}\))?\s*(?:[:—–-]|\s-\s|$)\s*(?P<said>.*)"
)
_FLAG = re.compile(r"(?:-\w,?\s+)?(?P<flag>--[a-z][\w-]{1,50})(?:[ =]\S.*)?")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_PARAMETER = re.compile(r"[a-z_][\w.]{1,50}\??")
_PARAMETERS = re.compile(
    r"\b(?:(?:param|parameter|argument|prop|option|setting|field|attribute)s?|properties|configuration)\b",
    re.IGNORECASE,
)
_NOUNS = {"params": "parameter", "param": "parameter", "properties": "property", "configuration": "option"}
_PLAIN = frozenset(  # of every project: who gets one of these asks about something else
    [
        "AttributeError",
        "Error",
        "Exception",
        "IndexError",
        "KeyError",
        "NameError",
        "RangeError",
        "ReferenceError",
        "RuntimeError",
        "SyntaxError",
        "TypeError",
        "ValueError",
        "Warning",
        "DeprecationWarning",
        "ImportError",
    ]
)
_COMPOUND = re.compile(r"[a-z][A-Z]|[a-z0-9]_[a-z]")
_RULE = re.compile(r"[\s|:+-]*")
_TERM = re.compile(r"\*\*(?P<term>[A-Za-z][\w /-]{2,40}?)(?::\*\*|\*\*\s{0,2}[:—–-])\s{0,3}(?P<said>\S.*)")
_DEFINES = re.compile(
    r"(?:An?|Any|One|The)\s+(?!lot\b|few\b|same\b|above\b|following\b|first\b|latest\b|default\b)\w+\s+\w+"
)
_FENCE = re.compile(r"\s{0,12}(?:```|~~~)")


@dataclass(frozen=True, slots=True)
class Detail:
    """A question about one line; ``fuller`` says where it stands, for when several sections define the same."""

    text: str
    style: str
    fuller: str = ""


def details(chunk: Chunk) -> list[Detail]:
    """The questions that the lines of a chunk answer.

    Args:
        chunk: The chunk.

    Returns:
        Questions in the order of their lines, of the styles "error", "option" and "definition"; English around the names
        where a name alone would not do.
    """
    topic = topic_of(chunk.trail)
    heading = _PARAMETERS.search(plain_heading(chunk.trail[-1]))
    noun = _NOUNS.get(heading[0].lower(), heading[0].lower().rstrip("s")) if heading else ""
    found: list[Detail] = []
    fenced = False
    # The passage, not the text: where a chunk begins inside a fence, the passage opens it again.
    for line in chunk.passage.split("\n")[1:]:
        if _FENCE.match(line):
            fenced = not fenced
        elif _SHORTEST_LINE < len(line) <= _LONGEST_LINE:
            found += _errors(line, fenced=fenced)
            if not fenced:
                found += _defined(line, topic, noun)
    return found


def _errors(line: str, *, fenced: bool) -> Iterator[Detail]:
    # In code, what an example throws is its own affair: only lines that are printed errors count.
    match = _MESSAGE.match(line.lstrip("> ")) if fenced else _THROWN.search(line) or _MESSAGE.search(line)
    if match:
        kind, text = match["type"], match["text"].rstrip(" .,)'\"‘’“”*").lstrip("'\"‘“ ")
        text = re.split(r"(?<=[a-z])[.!?](?=\s)|['\"]\s*[,)]|\s//|,\s*$", text)[0].rstrip(" ')\"")
        if _says_something(text) and not _is_statement(kind, text):
            yield Detail(text if kind.lower() == "error" else f"{kind}: {text}", "error")
    elif name := _raised(line):
        yield Detail(f"why do I get {name}", "error")
    elif match := _CODE.search(line):
        yield Detail(f"{match[0]} error", "error")


def _raised(line: str) -> str:
    """The exception that a sentence says is raised, "" when there is none of the project's own."""
    match = _RAISED.search(line)
    name = match["name"].rpartition(".")[2] if match else ""
    return name if _SYSTEM_NAME.fullmatch(name) and name not in _PLAIN else ""


def _says_something(text: str) -> bool:
    words = text.split()
    plain = sum(word.strip("'\",.:()").isalpha() for word in words)
    return (
        plain >= _FEWEST_WORDS
        and plain >= 0.7 * len(words)
        and text.count("'") % 2 == 0
        and text.count('"') % 2 == 0
        and text.count("(") == text.count(")")
    )


def _is_statement(kind: str, text: str) -> bool:
    """Types in code (``error: Error, info: Info``) and prose after a colon are no messages."""
    if re.search(r"\b[a-z]\w{0,60}\??: \w", text):
        return True
    return bool(
        re.match(r"(?:The|This|An?|If|When|Use|Called|Set|Returns?|Thrown|Fired) ", text)
    ) and not kind.startswith("Unc")


def _defined(line: str, topic: str, noun: str) -> Iterator[Detail]:
    row = _ROW.match(line)
    item = None if row else _ITEM.match(line)
    if row:
        said = row["after"]
        name = _NAMED.fullmatch(row["rest"])
        if name and not _RULE.fullmatch(said):
            yield from _option(name["name"], plain_words(said), topic, noun)
    elif item:
        rest = item["rest"]
        if (name := _NAMED.match(rest)) and len(name["said"].split()) >= _FEWEST_WORDS:
            yield from _option(name["name"], name["said"], topic, noun)
        elif term := _TERM.match(rest):
            yield from _term(term["term"].strip(), plain_words(term["said"]))


def _option(name: str, said: str, topic: str, noun: str) -> Iterator[Detail]:
    name = name.strip()
    if len(said.split()) < _FEWEST_WORDS or len(name) > _LONGEST_NAME:
        return
    if flag := _FLAG.fullmatch(name):
        fuller = f"{topic} {flag['flag']}" if topic else ""
        yield Detail(f"what does {flag['flag']} do", "option", fuller)
    elif _VARIABLE.fullmatch(name.partition("=")[0]):
        yield Detail(f"what is {name.partition('=')[0]} for", "option")
    elif noun and _PARAMETER.fullmatch(name) and name.lower() not in _VALUES:
        name = name.rstrip("?")
        if topic and not _PARAMETERS.search(topic):
            yield Detail(f"{topic} {name} {noun}", "option")
        elif _COMPOUND.search(name):
            yield Detail(f"{name} {noun}", "option")


_VALUES = frozenset("true false null none string number boolean object int float undefined default auto".split())  # noqa: SIM905


def _term(term: str, said: str) -> Iterator[Detail]:
    """A line "- **Vector database**: A store for ..." defines a term; "- **Fast**: The server answers ..." does not."""
    words = term.split()
    article = said.partition(" ")[0]
    if not _DEFINES.match(said) or len(words) > 4 or article not in {"A", "An"} or term.endswith("s"):  # noqa: PLR2004
        return
    plain = " ".join(word.lower() if re.fullmatch(r"[A-Z][a-z]+", word) else word for word in words)
    if (
        not plain.isascii()
        or is_imperative(term)
        or words[0].endswith("ing")
        or words[0].lower() in {"your", "the", "no", "not", "only"}
    ):
        return
    yield Detail(f"what is {'an' if plain[0].lower() in 'aeio' else 'a'} {plain}", "definition")
