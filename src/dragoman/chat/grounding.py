"""Finds what an answer makes up: names in its code, options and commands that its passages do not contain.

In: an answer in Markdown and the texts that it was to be written from. Out: what is in none of these. Knows no programming language well:
a name counts where it is called, accessed, passed or imported, which looks alike in most of them. What the answer's own code
defines is known, and so are the words of the languages, what stands in quotes, and what stands for a reader's own.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from dragoman.chat.excerpt import parted
from dragoman.chat.shell import LANGUAGES as SHELLS
from dragoman.chat.shell import Shell
from dragoman.chat.vocabulary import LANGUAGE, PROGRAMS, STDLIB, is_placeholder
from dragoman.records import Finding

_BLOCK = re.compile(
    r"\A[ \t>]*(?:`{3,}|~{3,})[ \t]*\{?\.?(?P<language>[\w+-]*)[^\n]*\n(?P<code>.*?)(?:\n?[ \t>]*(?:`{3,}|~{3,})[ \t]*)?\Z",
    re.DOTALL,
)
_LITERAL = re.compile(r"(?s:\"{3}.*?\"{3}|'{3}.*?'{3})|(?P<quote>[\"'`])(?:\\.|(?!(?P=quote))[^\\\n])*(?P=quote)")
_KEYS = re.compile(
    r"^[ \t]*(?:-[ \t]+)?[\"']?(?P<key>[A-Za-z_][\w.-]*)[\"']?[ \t]*[:=](?!=)|^[ \t]*\[+(?P<table>[\w.-]+)\]+|\"(?P<quoted>[A-Za-z_]\w*)\"[ \t]*:",
    re.MULTILINE,
)
_COMMENT = re.compile(r"(?:^|\s)(?:#|//).*$", re.MULTILINE)
_CHAIN = re.compile(r"(?<![\w.])([A-Za-z_]\w*(?:\s*(?:\.|::|->|\?\.)\s*[A-Za-z_]\w*)+)")
_TRAILING = re.compile(r"(?<=[)\]])\s*(?:\.|\?\.)\s*([A-Za-z_]\w*)")
_CALLED = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\s*\(")
_PASSED = re.compile(r"[(,]\s*([A-Za-z_]\w*)\s*=(?![=>])")
_CLASS_LIKE = re.compile(r"(?<![\w.])([A-Z][a-z0-9]+(?:[A-Z]\w*)+|[A-Z][A-Z0-9]*_[A-Z0-9_]+)(?!\w)")
_IMPORTED = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+\(?([\w, \t*\n]+?)\)?[ \t]*$|import[ \t]+([\w., \t]+?)[ \t]*$)",
    re.MULTILINE,
)
_ASSIGNED = re.compile(r"(?:^|;)[ \t]*([A-Za-z_][\w, \t]*?)[ \t]*(?::[^=\n]+)?=(?!=)", re.MULTILINE)
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_BOUND = (
    re.compile(r"\b(?:const|let|var|val|mut|auto)\s+[{\[(]?([\w, \t:]+?)[}\])]?\s*(?::[^=\n]+)?(?==|of\b|in\b|;)"),
    re.compile(r"\bfor\s+\(?(?:const\s+|let\s+|var\s+)?([\w, \t]+?)\)?\s+(?:in|of)\b"),
    re.compile(r"\bas[ \t]+(\w+)"),
    re.compile(r"\blambda\s+([\w, ]+):|\(([\w, \t]*)\)\s*=>|\b(\w+)\s*=>|\|([\w, ]+)\|"),
    re.compile(r"\b(?:except|catch)\s*\(?\s*(\w+)\s*\)\s*\{"),
)
_OWN = (
    re.compile(r"\b(?:def|class|function|fn|func|interface|struct|enum|type)\s+(\w+)"),
    re.compile(r"\b(?:def|function|fn|func)\s+\w*\s*\(([^()]*)\)"),
    re.compile(r"\b(?:self|this)\.(\w+)\s*(?::[^=\n]+)?=(?!=)"),
    re.compile(r"^[ \t]+(\w+)[ \t]*:[ \t]*\w[^=\n{}()]*(?:=.*)?$", re.MULTILINE),
)
_QUOTE_MARK = re.compile(r"^[ \t]*>[ ]?", re.MULTILINE)
_PROSE_CALL = re.compile(r"(?<![\w./])((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w+)\(\s*[^\s()]*\s*(?:,[^()]*)?\)")
_PROSE_NAME = re.compile(r"(?<![\w./:@-])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z][a-z0-9]*(?:_[a-z0-9]+)+)(?![\w/-])")
_FILE = re.compile(
    r"[\w./~-]*\.(?:py|js|ts|json|jsonl|ya?ml|toml|md|rst|txt|csv|sh|ini|cfg|html?|css|env|lock|ipynb|parquet|log|png|jpe?g|svg|gz|zip|db)\b"
)
_PATH = re.compile(r"[^\s()]*/[^\s()]*|[A-Z]:\\\S*|[\w.+-]+@[\w.-]+")
_NAME = re.compile(r"[A-Za-z_]\w*")
_DATA_WORDS = "json yaml yml toml ini cfg env properties json5 jsonc"
_DATA = frozenset(_DATA_WORDS.split())
_NO_CODE_WORDS = "text txt output log plain none markdown md html xml diff csv mermaid"
_NO_CODE = frozenset(_NO_CODE_WORDS.split())
_SHORTEST = 3  # letters of a name that can be called made up


def ungrounded(answer: str, sources: Iterable[str]) -> tuple[Finding, ...]:
    """What the code of an answer holds, or its prose where that is clearly code, and no source.

    Args:
        answer: Markdown.
        sources: The passages, and whatever else names may come from, such as the question.

    Returns:
        Findings of the kinds "identifier", "flag" and "command", in the order of the answer, each once.
    """
    return tuple(dict.fromkeys(_Grounds(answer, "\n".join(sources)).findings()))


class _Grounds:
    def __init__(self, answer: str, sources: str) -> None:
        self._parts = list(parted(answer))
        self._shell = Shell(sources)
        self._known = set(re.findall(r"\w+", sources))
        self._lower = {word.casefold() for word in self._known}
        self._variables: set[str] = set()
        self._members: set[str] = set()
        for code, is_code in self._parts:
            if is_code and _code_of(code)[0] not in _DATA:
                bare = _bare(_code_of(code)[1])
                self._variables |= set(_variables(bare))
                self._members |= set(_members(bare))

    def findings(self) -> Iterator[Finding]:
        for part, is_code in self._parts:
            if not is_code:
                yield from self._in_prose(part)
                continue
            language, code = _code_of(part)
            lines = code.split("\n")
            if language in SHELLS or (language in {"", "text"} and any(re.match(r"\s*\$ ", line) for line in lines)):
                prompted = any(re.match(r"\s*(?:\([\w.-]+\) )?[$%] ", line) for line in lines)
                for line in _joined(lines):
                    if not prompted or re.match(r"\s*(?:\([\w.-]+\) )?[$%] ", line):
                        yield from self._shell.findings(line)
            elif language in _DATA:
                yield from self._in_data(code)
            elif part.lstrip(" \t>")[:3] in {"```", "~~~"} and "\n" in part:
                yield from () if language in _NO_CODE else self._in_block(code, language)
            else:
                yield from self._in_span(code)

    def _in_block(self, code: str, language: str) -> Iterator[Finding]:
        first = next((line.split()[0] for line in code.split("\n") if line.strip()), "")
        if not language and (first in PROGRAMS or self._shell.is_command(code.strip().split("\n")[0])):
            for line in _joined(code.split("\n")):
                yield from self._shell.findings(line)
            return
        yield from self._names(code)

    def _in_span(self, span: str) -> Iterator[Finding]:
        if self._shell.is_command(span):
            yield from self._shell.findings(span)
            return
        yield from self._shell.flags(span)
        if re.fullmatch(r"-[a-zA-Z]", span) and not self._shell.knows_flag(span):
            yield Finding("flag", span)
        name = span.strip().lstrip("@").removesuffix("()")
        if _NAME.fullmatch(name):
            yield from self._strange([name])
        elif key := re.fullmatch(r"([A-Za-z_]\w+)\s*[=:]\s*\S.*", span):
            yield from self._strange([key[1]])
            yield from self._names(span[len(key[1]) :])
        elif not _FILE.fullmatch(span) and not span.startswith(("-", "/", "http", "<")):
            yield from self._names(span)

    def _in_prose(self, prose: str) -> Iterator[Finding]:
        prose = re.sub(r"\]\([^()\s]*\)", "]", _PATH.sub(" ", prose))
        yield from self._shell.flags(prose)
        for call in _PROSE_CALL.findall(prose):
            yield from self._strange(call.split("."))
        yield from self._strange(_PROSE_NAME.findall(prose))

    def _in_data(self, code: str) -> Iterator[Finding]:
        keys = [match["key"] or match["table"] or match["quoted"] for match in _KEYS.finditer(code)]
        yield from self._strange(name for key in keys for name in re.split(r"[.-]", key))

    def _names(self, code: str) -> Iterator[Finding]:
        for module, names, modules in _IMPORTED.findall(_bare(code)):
            found = [*module.split("."), *re.findall(r"\w+", re.sub(r"\bas\s+\w+", "", names + modules))]
            if found and found[0] not in STDLIB and not (module and module.split(".")[0] in STDLIB):
                yield from self._strange(name for name in found if name)
        bare = _bare(_IMPORTED.sub("", code))
        for chain in _CHAIN.findall(bare):
            root, *names = re.split(r"\W+", chain)
            if root in STDLIB and root not in self._known:
                continue
            if root in self._variables and root not in self._known and not self._made_by_docs(bare, root):
                continue
            yield from self._strange([root] if root[0].isupper() else [])
            yield from self._strange(names, self._members)
        yield from self._strange([*_TRAILING.findall(bare), *_PASSED.findall(bare)], self._members)
        yield from self._strange([*_CALLED.findall(bare), *_CLASS_LIKE.findall(bare)])

    def _made_by_docs(self, code: str, name: str) -> bool:
        """Whether a variable of the answer holds something of the documentation, rather than of a library of its own."""
        made = re.search(rf"\b{re.escape(name)}\s*(?::[^=\n]+)?=\s*(?:await\s+|new\s+)?(\w+)", code)
        looped = re.search(rf"\b{re.escape(name)}\s+(?:in|of)\s+(?:\w+\()?(\w+)", code)
        root = made or looped
        return root is None or root[1] in self._known or root[1] in self._variables

    def _strange(self, names: Iterable[str], defined: AbstractSet[str] | None = None) -> Iterator[Finding]:
        """The names that nobody knows; ``defined`` are those that the answer may have defined, all of its own by default."""
        own = self._variables | self._members if defined is None else defined
        for name in names:
            if len(name) >= _SHORTEST and name not in own and not self._is_known(name):
                yield Finding("identifier", name)

    def _is_known(self, name: str) -> bool:
        if name in self._known or name in LANGUAGE or name in PROGRAMS or is_placeholder(name):
            return True
        return name.islower() and name in self._lower


def _code_of(part: str) -> tuple[str, str]:
    """The language, "" if it is not said, and the code of a block or a span."""
    block = _BLOCK.match(part)
    if not block:
        return "", part.strip("`").strip()
    quoted = part.lstrip().startswith(">")
    return block["language"].casefold(), _QUOTE_MARK.sub("", block["code"]) if quoted else block["code"]


def _bare(code: str) -> str:
    """Code without what is free to be anything: literals and comments."""
    return _COMMENT.sub("", _LITERAL.sub("''", code))


def _variables(code: str) -> Iterator[str]:
    """Names that code gives to what it makes."""
    outer = code
    while _BRACKETED.search(outer):
        # In brackets, a name before "=" is an argument's, not a variable's.
        outer = _BRACKETED.sub("", outer)
    yield from _named(_ASSIGNED, outer)
    for pattern in _BOUND:
        yield from _named(pattern, code)


def _members(code: str) -> Iterator[str]:
    """Names of the functions and classes that code defines, of their parameters and of their attributes."""
    for pattern in _OWN:
        yield from _named(pattern, code)


def _named(pattern: re.Pattern[str], code: str) -> Iterator[str]:
    for match in pattern.finditer(code):
        for names in filter(None, match.groups()):
            for name in names.split(","):
                if first := _NAME.match(name.strip(" \t*")):
                    yield first[0]


def _joined(lines: Sequence[str]) -> list[str]:
    """Lines of a shell, continued ones as one."""
    return re.sub(r"\\\n\s*", " ", "\n".join(lines)).split("\n")
