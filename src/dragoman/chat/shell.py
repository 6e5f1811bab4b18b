"""Commands in an answer that its passages do not contain.

In: lines of a shell and the texts that they may come from. Out: findings for programs, subcommands, packages and options that are
nowhere in these. Common programs are known, and what they take is not looked at, but for what they install and run.
"""

import re
from collections.abc import Iterator

from dragoman.chat.vocabulary import EVERYWHERE, PROGRAMS, STDLIB, is_placeholder
from dragoman.records import Finding

_LANGUAGES_WORDS = "bash sh shell console zsh fish terminal cmd powershell ps1 shell-session shellsession"
LANGUAGES = frozenset(_LANGUAGES_WORDS.split())
_PROMPT = re.compile(r"^\s*(?:\([\w.-]+\)\s*)?[$%>]\s+")
_PARTS = re.compile(r"\s*(?:&&|\|\||[;|&])\s*")
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_ASSIGNED = re.compile(r"([A-Z][A-Z0-9_]{2,})=")
_PROGRAM = re.compile(r"[a-zA-Z][\w.-]*")
_SUBCOMMAND = re.compile(r"[a-z][a-z0-9]*(?:[-_:][a-z0-9]+)*")
_FLAG = re.compile(r"--[a-zA-Z][\w-]*|-[a-zA-Z]\b")
_INSTALLS = {
    ("pip", "install"), ("pip3", "install"), ("pipx", "install"), ("uv", "add"), ("poetry", "add"), ("npm", "install"), ("npm", "i"),
    ("yarn", "add"), ("pnpm", "add"), ("cargo", "add"), ("cargo", "install"), ("gem", "install"), ("brew", "install"), ("conda", "install"),
    ("go", "install"), ("docker", "run"), ("docker", "pull"), ("bun", "add"),
}  # fmt: skip
_RUNS = {"npx", "uvx", "bunx"}
_TAKES_VALUE_WORDS = (
    "-p -v -e -w -u -c -r -i -f -t -n -m --name --volume --publish --env --network --index-url --extra-index-url "
    "--python --channel"
)
_TAKES_VALUE = frozenset(_TAKES_VALUE_WORDS.split())
_LIKE_COMMAND = re.compile(r"[a-z][\w-]*(?:\s+(?:--?[\w-]+(?:=\S+)?|[\w./:<>\[\]@$~-]+))+")
_CODE_WORDS_WORDS = (
    "import from return await def class async new const let var raise throw yield not in is and or if for while select"
)
_CODE_WORDS = frozenset(_CODE_WORDS_WORDS.split())


class Shell:
    """Judges commands by the texts that they may come from.

    Args:
        sources: All of these texts as one.
    """

    def __init__(self, sources: str) -> None:
        self._sources = sources
        self._folded = _name(sources)

    def is_command(self, span: str) -> bool:
        """Whether a code span is a line of a shell."""
        words = span.split()
        if len(words) < 2 or words[0] in _CODE_WORDS:  # noqa: PLR2004 -- a program and what it is to do
            return False
        return words[0] in PROGRAMS or bool(_PROMPT.match(span)) or bool(_LIKE_COMMAND.fullmatch(span))

    def findings(self, line: str) -> Iterator[Finding]:
        """What a line of a shell holds that no source does.

        Args:
            line: As written, a prompt and a comment included.

        Yields:
            Commands, options and names of variables.
        """
        plain = _COMMENT.sub("", _QUOTED.sub("''", _PROMPT.sub("", line)))
        for part in _PARTS.split(plain):
            words = part.split()
            while words and (words[0] in {"sudo", "export", "env", "set"} or _ASSIGNED.match(words[0])):
                if (name := _ASSIGNED.match(words[0])) and not self._has(name[1]):
                    yield Finding("identifier", name[1])
                words = words[1:]
            if words:
                yield from self._command(words)

    def flags(self, text: str) -> Iterator[Finding]:
        """The options in a text that no source contains."""
        for flag in re.findall(r"(?<![\w-])--[a-zA-Z][\w-]*", text):
            if not self.knows_flag(flag):
                yield Finding("flag", flag)

    def knows_flag(self, flag: str) -> bool:
        """Whether a source contains an option, or every program has it."""
        return flag in EVERYWHERE or bool(re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", self._sources))

    def _command(self, words: list[str]) -> Iterator[Finding]:
        program, rest = words[0], words[1:]
        if program in PROGRAMS:
            yield from self._common(program, rest)
            return
        if not _PROGRAM.fullmatch(program) or is_placeholder(program):
            return
        subcommand = rest[0] if rest and _SUBCOMMAND.fullmatch(rest[0]) and not is_placeholder(rest[0]) else ""
        whole = f"{program} {subcommand}".strip()
        if not self._has(program) or (subcommand and self._takes_subcommands(program) and not self._has(whole)):
            yield Finding("command", whole)
        for word in rest:
            flag = _FLAG.match(word)
            if flag and not self.knows_flag(flag[0]):
                yield Finding("flag", flag[0])

    def _common(self, program: str, rest: list[str]) -> Iterator[Finding]:
        """What a well-known program installs or runs has to be in the sources; its own options do not."""
        if program.startswith("python") and rest[:1] == ["-m"] and len(rest) > 1:
            module = rest[1].split(".")[0]
            if module not in STDLIB and module not in PROGRAMS and not self._has(module):
                yield Finding("command", f"{program} -m {rest[1]}")
                return
            if module in PROGRAMS:
                yield from self._common(module, rest[2:])
            return
        verb = next((word for word in rest if not word.startswith("-")), "")
        if program in _RUNS:
            targets, said = _targets(rest)[:1], program
        elif (program, verb) in _INSTALLS:
            targets, said = _targets(rest[rest.index(verb) + 1 :]), f"{program} {verb}"
            targets = targets[:1] if program == "docker" else targets
        else:
            return
        for target in targets:
            if not self._installable(target):
                yield Finding("command", f"{said} {target}")

    def _installable(self, target: str) -> bool:
        name = re.split(r"[\[=<>~!;]|(?<=.)@", target)[0].partition(":")[0]
        known = not name or name[0] in ".$</'" or "://" in target or name.endswith((".txt", ".whl", ".gz"))
        return known or is_placeholder(name) or self._has(_name(name), self._folded)

    def _takes_subcommands(self, program: str) -> bool:
        return bool(re.search(rf"(?:^|[`$\n])[ \t]*{re.escape(program)}[ \t]+[a-z]", self._sources))

    def _has(self, words: str, sources: str = "") -> bool:
        """Whether the words stand side by side in the sources, not as part of longer ones."""
        pattern = r"\s+".join(re.escape(word) for word in words.split())
        return bool(re.search(rf"(?<![\w-]){pattern}(?![\w]|-\w)", sources or self._sources))


def _targets(words: list[str]) -> list[str]:
    """The arguments of a command that are no options and no values of options."""
    found: list[str] = []
    skip = False
    for word in words:
        if word.startswith("-"):
            skip = word in _TAKES_VALUE
        elif skip:
            skip = False
        else:
            found.append(word)
    return found


def _name(text: str) -> str:
    """A package's name in its one spelling."""
    return text.casefold().replace("_", "-")
