"""Text that would be more than text: tokens of a chat template, our own delimiters, control and invisible characters.

In: text of the docs, of a reader, or of a language model. Out: the same words, which end no passage, start no turn, command no terminal and
hide nothing. Knows no prompt and no screen; both are built from what comes out here.
"""

import re
import unicodedata

from dragoman.chat.excerpt import outside_code, parted
from dragoman.chat.fences import CodeWatch
from dragoman.records import Finding

_INERT = "‹"  # stands where a token or tag of ours began
_MARK = (
    r"<[|｜][^<>|｜\s]{1,40}[|｜]>"
    r"|</?(?:s|bos|eos|pad|unk|mask|start_of_turn|end_of_turn|think|thinking|tool_call|tool_response)>"
    r"|<</?SYS>>|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]"
)
_TAG = r"<\s*[/\\]?\s*(?:passages?|question|system|user|assistant|instructions?)\b"
_SPECIAL = re.compile(_MARK, re.IGNORECASE)
_DISGUISED = re.compile(rf"{_MARK}|{_TAG}", re.IGNORECASE)
_MADE_INERT = re.compile(r"‹(?=[^<>‹\n]{1,60}[>\]]|/?passage)")
_OPENS_TURN = re.compile(
    r"<\|(?:im_start|start_header_id|user|system)\|>|<start_of_turn>|\[INST\]|<｜User｜>", re.IGNORECASE
)
_NAMES_ROLE = re.compile(r"<\|(?:im_start|start_header_id)\|>|<start_of_turn>", re.IGNORECASE)
_ENDS_TURN = re.compile(
    r"<[|｜](?:im_end|eot_id|eom_id|endoftext|end_of_text|end|return|end▁of▁sentence)[|｜]>|</s>|<eos>|<end_of_turn>",
    re.IGNORECASE,
)
_OPENS_THOUGHT = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_ENDS_THOUGHT = re.compile(r"</think(?:ing)?>\Z", re.IGNORECASE)
_ROLES = frozenset(["assistant", "model", "user", "system"])
_LONGEST = 44  # characters of a token

_HIDDEN_TEXT = re.compile(
    r"^[ ]{0,3}\[(?://|comment)\]:[^\n]*$"
    r"|<(?P<tag>[a-z]+)\b[^<>]*(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0|\shidden\b)[^<>]*>"
    r".{0,2000}?</(?P=tag)\s*>"
    r"|<(?P<block>template|script|style|noscript)\b[^<>]*>.{0,2000}?</(?P=block)\s*>",
    re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
_JOINERS = "\u200c\u200d"  # part of emoji and of several scripts, so they stay; but they part no tag from its name
# Controls but tab and newline, soft hyphens, marks of direction, zero-width blanks, variation selectors and tags made of invisible letters.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e01ef]"
)
_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_ENTITY = re.compile(r"&(?:lt|#0*60|#x0*3c);?", re.IGNORECASE)
_OPENING = frozenset("<＜﹤〈⟨《˂ᐸ❮❬‹")
_ALIKE = str.maketrans(
    {"а": "a", "ɑ": "a", "α": "a", "е": "e", "ε": "e", "р": "p", "ρ": "p", "ѕ": "s", "ꜱ": "s", "ɡ": "g", "ց": "g",
     "і": "i", "ι": "i", "о": "o", "ο": "o", "т": "t", "τ": "t", "у": "y", "м": "m", "ｕ": "u", "⁄": "/", "∕": "/", "⧸": "/", "╱": "/"}
)  # fmt: skip


def neutral(text: str) -> str:
    """Make a text safe to stand in a prompt: it opens and closes nothing, and holds nothing that a reader of its page would not see.

    Args:
        text: A passage, a heading trail, a question, or an earlier turn.

    Returns:
        The text without invisible characters and hidden HTML; where it held a special token or a tag of the prompt's own, in
        whatever disguise, that starts with ``‹`` now.
    """
    seen = outside_code(_INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")), _visible)
    folded, places = _folded(seen)
    parts, end = [], 0
    for match in _DISGUISED.finditer(folded):
        start, after = places[match.start()], places[match.start() + 1]
        if seen[start] != _INERT:
            parts += [seen[end:start], _INERT]
            end = after
    return "".join([*parts, seen[end:]])


def restored(text: str) -> str:
    """Give the code of an answer back what ``neutral`` made inert in the passages that it was copied from.

    Args:
        text: An answer in Markdown.

    Returns:
        The answer; its prose is as it was.
    """
    return "".join(_MADE_INERT.sub("<", part) if is_code else part for part, is_code in parted(text))


def plain_terminal(text: str) -> str:
    """What may be printed on a terminal: no escape sequence, no control character but tab and newline, nothing invisible.

    Args:
        text: Of whatever origin.

    Returns:
        The words, with ``\\n`` as the only line end.
    """
    return _INVISIBLE.sub("", _ESCAPE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


class TokenFilter:
    """A stream filter: a model's text in, piece by piece; the same without special tokens and thoughts out.

    A ``<think>`` block goes whole. A token that opens another turn ends the answer, since what follows is the model talking to itself.
    In code, tokens stay: readers ask about them. But one that ends a turn, at the very end, is the model's own even there.
    """

    def __init__(self) -> None:
        self._code = CodeWatch()
        self._held = ""  # the start of what may be a token
        self._thinking = self._over = self._said = False
        self._role: str | None = None  # letters after a token that a role's name follows
        self.removed: list[str] = []

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The tokens that were taken out, each once."""
        return tuple(Finding("token", token, removed=True) for token in dict.fromkeys(self.removed))

    def feed(self, piece: str) -> str:
        """Take a piece of the answer.

        Args:
            piece: Any number of characters; it may end in the middle of a token.

        Returns:
            What can be shown by now.
        """
        shown = "".join(self._take(char) for char in _INVISIBLE.sub("", piece))
        self._said = self._said or bool(shown.strip())
        return shown

    def close(self) -> str:
        """End of the answer.

        Returns:
            What was still held back.
        """
        held, self._held = self._held, ""
        if self._thinking or self._over:
            return ""
        if _ENDS_TURN.fullmatch(held.strip()):
            self.removed.append(held.strip())
            return ""
        role = self._role or ""
        return ("" if role in _ROLES else role) + held

    def _take(self, char: str) -> str:
        if self._over:
            return ""
        if self._thinking:
            self._held = (self._held + char)[-_LONGEST:]
            if _ENDS_THOUGHT.search(self._held):
                self._thinking, self._held = False, ""
            return ""
        if self._role is not None:
            return self._after_role(char)
        in_code = self._code.sees(char)
        shown = self._token(char, in_code=in_code)
        # Here, too: a token may come in the same piece as what it ends.
        self._said = self._said or bool(shown.strip())
        return shown

    def _token(self, char: str, *, in_code: bool) -> str:
        if in_code and _ENDS_TURN.fullmatch(self._held.rstrip()):
            if char.isspace():
                self._held += char
                return ""
            return self._release() + self._token(char, in_code=True)
        if char == "[" or (char == "<" and self._held != "<"):
            shown, self._held = self._held, char
            return shown
        if not self._held:
            return char
        self._held += char
        if char in ">]" and _SPECIAL.fullmatch(self._held):
            return self._found(in_code=in_code)
        waiting = (
            not char.isspace() and (char not in ">]" or self._held.startswith("<<")) and len(self._held) <= _LONGEST
        )
        return "" if waiting else self._release()

    def _found(self, *, in_code: bool) -> str:
        token = self._held
        if in_code:
            return "" if _ENDS_TURN.fullmatch(token) else self._release()
        self._held = ""
        self._code.forget(len(token))
        self.removed.append(token)
        if _OPENS_THOUGHT.fullmatch(token):
            self._thinking = True
        elif _OPENS_TURN.fullmatch(token) and self._said:
            self._over = True
        elif _NAMES_ROLE.fullmatch(token):
            self._role = ""
        return ""

    def _after_role(self, char: str) -> str:
        role = self._role or ""
        if char.isalpha():
            self._role = role + char
            return ""
        self._role = None
        if role in _ROLES:
            role = ""
        return "".join(self._take(one) for one in role + char)

    def _release(self) -> str:
        held, self._held = self._held, ""
        return held


def _visible(prose: str) -> str:
    """Prose without the comments and elements that a browser would not show."""
    parts: list[str] = []
    start = 0
    while (opening := prose.find("<!--", start)) >= 0 and (closing := prose.find("-->", opening)) >= 0:
        parts.append(prose[start:opening])
        start = closing + len("-->")
    # One that never ends may have been cut from its end by the chunker; what follows it is no comment in other chunks.
    return _HIDDEN_TEXT.sub("", "".join([*parts, prose[start:]])).replace("<!--", f"{_INERT}!--")


def _folded(text: str) -> tuple[str, list[int]]:
    """The text as it looks, letter by letter, and where in ``text`` each of its characters stands."""
    entities = {match.start(): match.end() for match in _ENTITY.finditer(text)}
    letters, places, skip = [], [], 0
    for place, char in enumerate(text):
        if place < skip or char in _JOINERS:
            continue
        if place in entities:
            letters.append("<")
            skip = entities[place]
        else:
            plain = unicodedata.normalize("NFKC", char) if char > "\x7f" and char != "｜" else char
            letters.append("<" if char in _OPENING else plain.translate(_ALIKE) if len(plain) == 1 else char)
        places.append(place)
    return "".join(letters), [*places, len(text)]
